//! The engine's results beside those of the reference.

use groupsim::metrics::LagSample;
use groupsim::report::Run;
use groupsim::scenario::Scenario;
use groupsim::terms::PositionSource;
use groupsim::trace::TraceEvent;
use groupsim::trace::ending::Ending;
use groupsim::units::{Instant, OffsetRange, TopicPartition};

use crate::books::{Books, Done, Fate, Lag};
use crate::world::Tp;

type Trace = [(Instant, TraceEvent)];

pub fn agree(scenario: &Scenario, run: &Run, trace: &Trace, books: &Books) {
    same_records(trace, books);
    same_positions_and_commits(scenario, trace, books);
    for group in 0..scenario.groups.len() {
        same_fates(scenario, group, trace, books);
    }
    assert_eq!(
        (run.measurements.run_end.as_nanos(), run.measurements.end.as_nanos()),
        (books.run_end, books.end),
        "the ends of the phases"
    );
    assert_eq!(matches!(run.ending, Ending::Drained), books.drained && !scenario.settle.is_zero(), "drained: {:?}", run.ending);
    for group in 0..scenario.groups.len() {
        same_account(scenario, group, run, books);
        same_ranges(group, run, books);
        same_latency(group, run, books);
        same_lag(group, run, books);
    }
}

/// The first place where two lists differ.
fn same<T: PartialEq + std::fmt::Debug>(what: &str, engine: &[T], reference: &[T]) {
    let differs = (0..engine.len().max(reference.len())).find(|at| engine.get(*at) != reference.get(*at));
    if let Some(at) = differs {
        let around = |list: &[T]| format!("{:?}", &list[at.saturating_sub(2).min(list.len())..(at + 2).min(list.len())]);
        panic!("{what}: number {at} differs\n  engine    {}\n  reference {}", around(engine), around(reference));
    }
}

fn tp(partition: TopicPartition) -> Tp {
    (partition.topic.0, partition.partition)
}

/// Every record of every partition: when it was created, and from when on it could be read.
fn same_records(trace: &Trace, books: &Books) {
    for (of, records) in &books.records {
        let mut engine = Vec::new();
        for (_, event) in trace {
            let TraceEvent::Appended { partition, first, per_batch, batches, created, delay, .. } = event else { continue };
            if tp(*partition) != *of {
                continue;
            }
            assert_eq!(first.0, engine.len() as u64, "appends continue each other");
            let per_batch = u64::from(*per_batch);
            for i in 0..batches * per_batch {
                let batch = created.at(i - i % per_batch) + *delay;
                engine.push((created.at(i).as_nanos(), batch.as_nanos()));
            }
        }
        let reference: Vec<(u64, u64)> = records.iter().map(|record| (record.created, record.visible)).collect();
        same(&format!("records of {of:?}, created and visible"), &engine, &reference);
    }
}

fn same_positions_and_commits(scenario: &Scenario, trace: &Trace, books: &Books) {
    let group_of = |client: groupsim::units::ClientId| scenario.clients[client.index()].group.index();
    let (mut positions, mut commits, mut resets) = (Vec::new(), Vec::new(), Vec::new());
    for (at, event) in trace {
        let at = at.as_nanos();
        match event {
            TraceEvent::PositionSet { client, partition, offset, source } => {
                positions.push((at, group_of(*client), tp(*partition), offset.0));
                if *source == PositionSource::ResetLatest {
                    resets.push((at, group_of(*client), tp(*partition), offset.0));
                }
            }
            TraceEvent::Polled { client, partition, offsets } => positions.push((at, group_of(*client), tp(*partition), offsets.to.0)),
            TraceEvent::Committed { group, partition, offset, .. } => commits.push((at, group.index(), tp(*partition), offset.0)),
            _ => {}
        }
    }
    for group in 0..scenario.groups.len() {
        let of = |list: &[(u64, usize, Tp, u64)]| -> Vec<_> { list.iter().filter(|entry| entry.1 == group).copied().collect() };
        same(&format!("positions of group {group}"), &of(&positions), &of(&books.positions));
        same(&format!("commits of group {group}"), &of(&commits), &of(&books.commits));
        same(&format!("resets of group {group}"), &of(&resets), &of(&books.resets));
    }
}

/// Each processing of each record.
fn same_fates(scenario: &Scenario, group: usize, trace: &Trace, books: &Books) {
    let mut lives = vec![0; scenario.clients.len()];
    let mut engine = Vec::new();
    for (_, event) in trace {
        if let TraceEvent::ClientStarted { client, life } = event {
            lives[client.index()] = *life;
        }
        let TraceEvent::Processed { client, partition, offsets, finished, .. } = event else { continue };
        if scenario.clients[client.index()].group.index() == group {
            for i in 0..offsets.len() {
                let at = finished.at(i).as_nanos();
                engine.push(Done { tp: tp(*partition), offset: offsets.from.0 + i, at, life: lives[client.index()] });
            }
        }
    }
    let mut reference = books.done[group].clone();
    engine.sort_unstable();
    reference.sort_unstable();
    same(&format!("records processed by group {group}"), &engine, &reference);
}

fn same_account(scenario: &Scenario, group: usize, run: &Run, books: &Books) {
    let (engine, reference) = (&run.accounts[group], books.account(scenario, group));
    let numbers = |account: &groupsim::ledger::Account| {
        [account.produced, account.processed_once, account.duplicated, account.extra, account.lost, account.skipped, account.unsettled]
    };
    assert_eq!(numbers(engine), numbers(&reference), "group {group}: produced, once, duplicated, extra, lost, skipped, unsettled");
}

/// The ledger's ranges, offset by offset: deliveries beyond the first, lost, skipped.
fn same_ranges(group: usize, run: &Run, books: &Books) {
    let account = &run.accounts[group];
    for partition in run.measurements.groups[group].partitions.iter().map(|measured| measured.partition) {
        let reference: Vec<(u64, bool, bool)> = books
            .fates(group, tp(partition))
            .into_iter()
            .map(|fate| match fate {
                Fate::Processed(times) => (times - 1, false, false),
                Fate::Lost => (0, true, false),
                Fate::Skipped => (0, false, true),
                Fate::Unsettled => (0, false, false),
            })
            .collect();
        let mut engine = vec![(0, false, false); reference.len()];
        let at = |offsets: OffsetRange| offsets.from.0 as usize..offsets.to.0 as usize;
        for duplicate in account.duplicates.iter().filter(|duplicate| duplicate.partition == partition) {
            engine[at(duplicate.offsets)].iter_mut().for_each(|fate| fate.0 += 1);
        }
        for loss in account.losses.iter().filter(|loss| loss.partition == partition) {
            engine[at(loss.offsets)].iter_mut().for_each(|fate| fate.1 = true);
        }
        for skip in account.skips.iter().filter(|skip| skip.partition == partition) {
            engine[at(skip.offsets)].iter_mut().for_each(|fate| fate.2 = true);
        }
        same(&format!("group {group}, {partition:?}: extra, lost, skipped by offset"), &engine, &reference);
    }
}

fn same_latency(group: usize, run: &Run, books: &Books) {
    let (engine, mut reference) = (&run.measurements.groups[group].latency, books.latencies(group));
    reference.sort_unstable();
    let sum: u128 = reference.iter().map(|latency| u128::from(*latency)).sum();
    assert_eq!((engine.count, engine.sum), (reference.len() as u64, sum), "group {group}: number and sum of latencies");
    if let (Some(min), Some(max)) = (reference.first(), reference.last()) {
        assert_eq!((engine.min, engine.max), (*min, *max), "group {group}: latencies");
    }
    let mut below = 0;
    for (highest, count) in &engine.buckets {
        below += count;
        let reference = reference.partition_point(|latency| latency <= highest) as u64;
        assert_eq!(below, reference, "group {group}: latencies of at most {highest} ns");
    }
}

fn same_lag(group: usize, run: &Run, books: &Books) {
    let measured = &run.measurements;
    let moments: Vec<u64> = (0..measured.samples as u64).map(|sample| measured.sample_interval.times(sample).as_nanos()).collect();
    let lag = |sample: &LagSample| Lag { committed: sample.committed, position: sample.position, unprocessed: sample.unprocessed };
    let mut sums = vec![0; moments.len()];
    let mut ends = [0, 0];
    for partition in &measured.groups[group].partitions {
        let engine: Vec<Lag> = partition.lag.iter().map(lag).collect();
        let reference = books.lags(group, tp(partition.partition), &moments);
        same(&format!("lag of group {group} in {:?}, by sample", partition.partition), &engine, &reference);
        sums.iter_mut().zip(&reference).for_each(|(sum, lag)| *sum += lag.unprocessed);
        let at_ends = books.lags(group, tp(partition.partition), &[books.run_end, books.end]);
        assert_eq!(lag(&partition.final_lag), at_ends[1], "group {group}, {:?}: lag in the end", partition.partition);
        ends.iter_mut().zip(&at_ends).for_each(|(sum, lag)| *sum += lag.unprocessed);
        let committed = books.committed(group, tp(partition.partition), u64::MAX);
        assert_eq!(partition.committed.map(|offset| offset.0), committed, "group {group}, {:?}: committed", partition.partition);
    }
    let engine = &measured.groups[group];
    assert_eq!(Some(engine.peak_lag), sums.iter().chain(&ends).copied().max(), "group {group}: peak");
    assert_eq!([engine.run_end_lag, engine.final_lag], ends, "group {group}: lag at the end of the run phase, and in the end");
}

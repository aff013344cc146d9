//! Lag as anybody can compute it from the trace, one record and one commit at a time, beside what was measured.

use groupsim::metrics::{GroupMeasurements, LagSample};
use groupsim::trace::TraceEvent;
use groupsim::trace::ending::Ending;
use groupsim::units::{GroupId, Instant, TopicPartition};

use crate::Played;

pub fn adds_up(played: &Played) {
    for (group, measured) in played.run.measurements.groups.iter().enumerate() {
        series_follow_the_trace(played, group, measured);
        the_end_agrees_with_the_account(played, group, measured);
    }
}

/// At the first, the middle and the last sample: high watermark, commits and sums.
fn series_follow_the_trace(played: &Played, group: usize, measured: &GroupMeasurements) {
    let measurements = &played.run.measurements;
    let last = measurements.samples - 1;
    for sample in [0, last / 3, last / 2, last] {
        let at = Instant::ZERO + measurements.sample_interval.times(sample as u64);
        let (mut sum, mut watermarks, mut commits) = (0, 0, 0);
        for partition in &measured.partitions {
            let seen: LagSample = partition.lag[sample];
            if is_gone(played, partition.partition, at) {
                assert_eq!((seen.committed, seen.position, seen.unprocessed), (Some(0), 0, 0), "there is no lag in what is deleted");
                continue;
            }
            let watermark = high_watermark(played, partition.partition, at);
            let committed = committed(played, group, partition.partition, at);
            assert_eq!(
                seen.committed,
                committed.map(|committed| watermark - committed),
                "group {group}, {:?} at {at}",
                partition.partition
            );
            if let Some(committed) = committed {
                (sum, watermarks, commits) = (sum + seen.committed.unwrap_or_default(), watermarks + watermark, commits + committed);
            }
        }
        assert_eq!(sum, watermarks - commits, "group {group}: the sum of lags at {at}");
    }
}

fn is_gone(played: &Played, partition: TopicPartition, at: Instant) -> bool {
    played.scenario.topics[partition.topic.index()].deleted.is_some_and(|deleted| deleted <= at)
}

/// Records that are below the high watermark at a moment.
fn high_watermark(played: &Played, of: TopicPartition, moment: Instant) -> i64 {
    let mut visible = 0;
    for (_, event) in &played.trace {
        let TraceEvent::Appended { partition, per_batch, batches, created, delay, .. } = event else { continue };
        if *partition == of {
            let seen = (0..*batches).filter(|batch| created.at(batch * u64::from(*per_batch)) + *delay <= moment);
            visible += seen.count() as i64 * i64::from(*per_batch);
        }
    }
    visible
}

fn committed(played: &Played, of_group: usize, of: TopicPartition, moment: Instant) -> Option<i64> {
    let commits = played.trace.iter().take_while(|(at, _)| *at <= moment).filter_map(|(_, event)| match event {
        TraceEvent::Committed { group, partition, offset, .. } if *group == GroupId(of_group as u32) && *partition == of => {
            Some(offset.0 as i64)
        }
        _ => None,
    });
    commits.last()
}

fn the_end_agrees_with_the_account(played: &Played, group: usize, measured: &GroupMeasurements) {
    let (account, measurements) = (&played.run.accounts[group], &played.run.measurements);
    let partitions = measured.partitions.iter().map(|partition| partition.partition);
    let visible: i64 = partitions.map(|partition| high_watermark(played, partition, measurements.end)).sum();
    let done = account.processed_once + account.duplicated + account.skipped;
    let on_the_way = account.produced as i64 - visible;
    let some_is_gone = measured.partitions.iter().any(|partition| is_gone(played, partition.partition, measurements.end));
    if some_is_gone {
        // What was done of it is in the account, and what was not is in no lag.
        assert!(measured.final_lag <= account.lost + account.unsettled + account.deleted, "group {group}: lag at the end");
    } else if played.run.ending == Ending::Finished {
        // The ledger also counts what became visible in the last nanosecond and what was skipped beyond it.
        assert!(measured.final_lag as i64 >= visible - done as i64, "group {group}: lag at the end");
    } else {
        assert_eq!(measured.final_lag as i64, visible - done as i64, "group {group}: lag at the end");
        assert_eq!(measured.final_lag as i64, (account.lost + account.unsettled) as i64 - on_the_way, "group {group}: the account");
    }
    let last: u64 = measured.partitions.iter().map(|partition| partition.lag.last().map_or(0, |sample| sample.unprocessed)).sum();
    let whole = (measurements.end.since(Instant::ZERO)).as_nanos().is_multiple_of(measurements.sample_interval.as_nanos());
    assert!(!whole || last == measured.final_lag, "group {group}: the last sample has {last}, the end {}", measured.final_lag);
    let peak = measured.peak_lag;
    assert!(peak >= measured.partitions.iter().map(|partition| partition.lag[0].unprocessed).sum(), "group {group}: peak");
    assert!(measured.latency.count <= account.processed_once + account.duplicated, "group {group}: latencies");
    assert_eq!(measured.latency.count, account.processed_once + account.duplicated, "group {group}: each record has one latency");
}

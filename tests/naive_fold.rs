//! The folds over ranges against folds over single records, on random traces.
//!
//! The traces are not simulated: clients take partitions, poll, die, are kicked, commit and jump about as chance has it, so there are far more
//! zombies, rewinds and overtakings than in any run. They keep to what a trace promises: facts in the order of time, a batch told when it
//! ends, appends told before somebody reads them.

use groupsim::ledger::{Account, Ledger};
use groupsim::metrics::{LagSample, Latency, Measurements, Metrics};
use groupsim::terms::{CommitKind, PositionSource};
use groupsim::trace::{Cast, Created, Finished, Sink, TraceEvent};
use groupsim::units::{ClientId, GroupId, Instant, MemberId, Offset, OffsetRange, Pace, ProducerId, Rate, Span, TopicId, TopicPartition};
use proptest::prelude::*;

const PARTITIONS: usize = 2;
/// Three clients of each of two groups.
const CLIENTS: usize = 6;
const INTERVAL: u64 = 50;

fn cast() -> Cast {
    Cast {
        first_partition: vec![0],
        partitions: vec![(PARTITIONS as u32, PARTITIONS as u32)],
        producer_topic: vec![TopicId(0)],
        client_group: (0..CLIENTS).map(|client| GroupId(client as u32 / 3)).collect(),
        group_topics: vec![vec![TopicId(0)]; 2],
    }
}

fn tp(partition: usize) -> TopicPartition {
    TopicPartition { topic: TopicId(0), partition: partition as u32 }
}

fn range(from: u64, to: u64) -> OffsetRange {
    OffsetRange::new(Offset(from), Offset(to))
}

#[derive(Clone, Debug)]
enum Move {
    Wait(u64),
    Append { partition: usize, batches: u64, per_batch: u32, listed: bool },
    Take { client: usize, partition: usize, source: u8 },
    Poll { client: usize, partition: usize, records: u64, each: u64, listed: bool },
    Commit { client: usize, partition: usize, back: u64 },
    Crash(usize),
    Kick(usize),
    GiveUp { client: usize, lost: bool },
    Rewind { client: usize, partition: usize, back: u64 },
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let (client, partition) = (0..CLIENTS, 0..PARTITIONS);
    let one = prop_oneof![
        6 => (0u64..80).prop_map(Move::Wait),
        4 => (partition.clone(), 1u64..5, 1u32..6, any::<bool>())
            .prop_map(|(partition, batches, per_batch, listed)| Move::Append { partition, batches, per_batch, listed }),
        3 => (client.clone(), partition.clone(), 0u8..4)
            .prop_map(|(client, partition, source)| Move::Take { client, partition, source }),
        8 => (client.clone(), partition.clone(), 1u64..12, 0u64..12, any::<bool>())
            .prop_map(|(client, partition, records, each, listed)| Move::Poll { client, partition, records, each, listed }),
        4 => (client.clone(), partition.clone(), 0u64..3).prop_map(|(client, partition, back)| Move::Commit { client, partition, back }),
        1 => client.clone().prop_map(Move::Crash),
        1 => client.clone().prop_map(Move::Kick),
        1 => (client.clone(), any::<bool>()).prop_map(|(client, lost)| Move::GiveUp { client, lost }),
        1 => (client, partition, 0u64..20).prop_map(|(client, partition, back)| Move::Rewind { client, partition, back }),
    ];
    proptest::collection::vec(one, 0..120)
}

/// A batch in the hands of a client: ends of its records.
struct Batch {
    partition: usize,
    from: u64,
    ends: Vec<u64>,
    each: Option<u64>,
}

/// Plays moves into a trace.
#[derive(Default)]
struct Play {
    now: u64,
    trace: Vec<(Instant, TraceEvent)>,
    appended: [u64; PARTITIONS],
    created: [u64; PARTITIONS],
    committed: [[Option<u64>; PARTITIONS]; 2],
    /// By client and partition, if it may poll.
    positions: [[Option<u64>; PARTITIONS]; CLIENTS],
    batches: [Option<Batch>; CLIENTS],
    generation: i32,
}

impl Play {
    fn tell(&mut self, event: TraceEvent) {
        self.trace.push((Instant::from_nanos(self.now), event));
    }

    fn wait(&mut self, nanos: u64) {
        let until = self.now + nanos;
        while let Some((end, client)) = self.next_end().filter(|(end, _)| *end <= until) {
            self.now = end.max(self.now);
            let batch = self.batches[client].take().unwrap();
            self.processed(client, &batch, batch.ends.len());
        }
        self.now = until;
    }

    fn next_end(&self) -> Option<(u64, usize)> {
        let ends = self.batches.iter().enumerate();
        ends.filter_map(|(client, batch)| batch.as_ref().map(|batch| (*batch.ends.last().unwrap(), client))).min()
    }

    fn processed(&mut self, client: usize, batch: &Batch, done: usize) {
        if done == 0 {
            return;
        }
        let times: Vec<_> = batch.ends[..done].iter().map(|end| Instant::from_nanos(*end)).collect();
        let finished = match batch.each {
            Some(each) => Finished::Even { first: times[0], each: Span::from_nanos(each) },
            None => Finished::Listed(times.into()),
        };
        let (partition, offsets) = (tp(batch.partition), range(batch.from, batch.from + done as u64));
        let generation = self.generation;
        self.tell(TraceEvent::Processed { client: id(client), member: Some(member(client)), generation, partition, offsets, finished });
    }

    fn append(&mut self, partition: usize, batches: u64, per_batch: u32, listed: bool) {
        let records = batches * u64::from(per_batch);
        let rate = Rate { records: 3, per: Span::from_nanos(20) };
        // All of them are visible by now.
        let pace = Pace::new(Instant::from_nanos(self.now.saturating_sub(records * 7 + 40)), rate);
        let index = self.created[partition] % 5;
        let mut created = Created::Even { pace, index };
        if listed {
            created = Created::Listed((0..records).map(|i| created.at(i)).collect());
        }
        let (producer, first, delay) = (ProducerId(0), Offset(self.appended[partition]), Span::from_nanos(self.created[partition] % 4));
        self.tell(TraceEvent::Appended { producer, partition: tp(partition), first, per_batch, batches, created, delay });
        self.appended[partition] += records;
        self.created[partition] += records;
    }

    fn take(&mut self, client: usize, partition: usize, source: u8) {
        if self.batches[client].is_some() {
            return;
        }
        self.generation += 1;
        let (generation, partitions) = (self.generation, [tp(partition)].into());
        self.tell(TraceEvent::Assigned { client: id(client), member: member(client), generation, partitions });
        let (offset, source) = match (source, self.committed[client / 3][partition]) {
            (0, _) => (self.appended[partition], PositionSource::ResetLatest),
            (_, Some(committed)) => (committed, PositionSource::Committed),
            (_, None) => (0, PositionSource::ResetEarliest),
        };
        self.set_position(client, partition, offset, source);
        self.tell(TraceEvent::FetchStarted { client: id(client), partition: tp(partition), offset: Offset(offset) });
    }

    fn set_position(&mut self, client: usize, partition: usize, offset: u64, source: PositionSource) {
        self.positions[client][partition] = Some(offset);
        self.tell(TraceEvent::PositionSet { client: id(client), partition: tp(partition), offset: Offset(offset), source });
    }

    fn poll(&mut self, client: usize, partition: usize, records: u64, each: u64, listed: bool) {
        let Some(from) = self.positions[client][partition].filter(|_| self.batches[client].is_none()) else { return };
        let to = self.appended[partition].min(from + records);
        if from >= to {
            return;
        }
        self.positions[client][partition] = Some(to);
        self.tell(TraceEvent::Polled { client: id(client), partition: tp(partition), offsets: range(from, to) });
        let jitter = |i: u64| if listed { i * i % 7 } else { 0 };
        let mut ends: Vec<_> = (0..to - from).map(|i| self.now + 1 + (i + 1) * each + jitter(i)).collect();
        ends.sort_unstable();
        self.batches[client] = Some(Batch { partition, from, ends, each: (!listed).then_some(each) });
    }

    fn commit(&mut self, client: usize, partition: usize, back: u64) {
        let Some(position) = self.positions[client][partition] else { return };
        let offset = position.saturating_sub(back);
        self.committed[client / 3][partition] = Some(offset);
        let (group, member, kind) = (GroupId(client as u32 / 3), Some(member(client)), CommitKind::Sync);
        self.tell(TraceEvent::Committed { group, member, partition: tp(partition), offset: Offset(offset), kind });
    }

    fn crash(&mut self, client: usize) {
        if let Some(batch) = self.batches[client].take() {
            let done = batch.ends.iter().filter(|end| **end <= self.now).count();
            self.processed(client, &batch, done);
            let (client, partition) = (id(client), tp(batch.partition));
            let offsets = range(batch.from + done as u64, batch.from + batch.ends.len() as u64);
            self.tell(TraceEvent::Dropped { client, partition, offsets });
        }
        self.tell(TraceEvent::ClientCrashed { client: id(client) });
        self.positions[client] = [None; PARTITIONS];
    }

    fn give_up(&mut self, client: usize, lost: bool) {
        let partitions: Box<[_]> = (0..PARTITIONS).filter(|p| self.positions[client][*p].is_some()).map(tp).collect();
        let client_id = id(client);
        self.positions[client] = [None; PARTITIONS];
        self.tell(match lost {
            true => TraceEvent::Lost { client: client_id, partitions },
            false => TraceEvent::Revoked { client: client_id, partitions },
        });
    }

    fn play(&mut self, step: Move) {
        match step {
            Move::Wait(nanos) => self.wait(nanos),
            Move::Append { partition, batches, per_batch, listed } => self.append(partition, batches, per_batch, listed),
            Move::Take { client, partition, source } => self.take(client, partition, source),
            Move::Poll { client, partition, records, each, listed } => self.poll(client, partition, records, each, listed),
            Move::Commit { client, partition, back } => self.commit(client, partition, back),
            Move::Crash(client) => self.crash(client),
            Move::Kick(client) => {
                self.tell(TraceEvent::PollIntervalExceeded { client: id(client), last_poll: Instant::ZERO });
                self.positions[client] = [None; PARTITIONS];
            }
            Move::GiveUp { client, lost } => self.give_up(client, lost),
            Move::Rewind { client, partition, back } => {
                if let Some(position) = self.positions[client][partition] {
                    self.set_position(client, partition, position.saturating_sub(back), PositionSource::Committed);
                }
            }
        }
    }

    fn end(mut self, drained: bool, in_hand: bool) -> Vec<(Instant, TraceEvent)> {
        let sent = self.created.iter().sum::<u64>() + 3;
        self.tell(TraceEvent::ProducerStopped { producer: ProducerId(0), sent });
        self.tell(TraceEvent::RunPhaseEnded);
        self.wait(if in_hand { 0 } else { 1000 });
        self.tell(TraceEvent::SettlePhaseEnded { drained });
        self.trace
    }
}

fn id(client: usize) -> ClientId {
    ClientId(client as u32)
}

fn member(client: usize) -> MemberId {
    MemberId { client: id(client), number: 1 }
}

/// One record as one group sees it.
#[derive(Clone, Default, Debug)]
struct Record {
    created: u64,
    visible: u64,
    /// End, order of telling, client.
    processed: Vec<(u64, usize, u32)>,
    skipped: Option<(u64, u32)>,
    /// Below a committed offset at some time.
    was_committed: bool,
}

/// Everything record by record.
struct Naive {
    records: [[Vec<Record>; PARTITIONS]; 2],
    /// The committed offset after each change.
    committed: [[Vec<(u64, u64)>; PARTITIONS]; 2],
    sent: u64,
    drained: bool,
    run_end: u64,
    end: u64,
}

impl Naive {
    fn fold(trace: &[(Instant, TraceEvent)]) -> Naive {
        let mut naive = Naive {
            records: Default::default(),
            committed: Default::default(),
            sent: 0,
            drained: false,
            run_end: 0,
            end: trace.last().map_or(0, |(at, _)| at.as_nanos()),
        };
        for (order, (at, event)) in trace.iter().enumerate() {
            naive.take(order, at.as_nanos(), event);
        }
        naive
    }

    fn take(&mut self, order: usize, at: u64, event: &TraceEvent) {
        if let TraceEvent::Appended { partition, per_batch, batches, created, delay, .. } = event {
            for i in 0..batches * u64::from(*per_batch) {
                let visible = created.at(i / u64::from(*per_batch) * u64::from(*per_batch)) + *delay;
                let record = Record { created: created.at(i).as_nanos(), visible: visible.as_nanos(), ..Record::default() };
                (0..2).for_each(|group| self.records[group][partition.partition as usize].push(record.clone()));
            }
        } else if let TraceEvent::Processed { client, partition, offsets, finished, .. } = event {
            let records = &mut self.records[client.index() / 3][partition.partition as usize];
            for i in 0..offsets.len() {
                records[(offsets.from.0 + i) as usize].processed.push((finished.at(i).as_nanos(), order, client.0));
            }
        } else if let TraceEvent::Committed { group, partition, offset, .. } = event {
            self.committed[group.index()][partition.partition as usize].push((at, offset.0));
            let records = &mut self.records[group.index()][partition.partition as usize];
            records[..offset.0 as usize].iter_mut().for_each(|record| record.was_committed = true);
        } else if let TraceEvent::PositionSet { client, partition, offset, source: PositionSource::ResetLatest } = event {
            let (group, partition) = (client.index() / 3, partition.partition as usize);
            let committed = self.committed[group][partition].last().map_or(0, |(_, offset)| *offset);
            for record in self.records[group][partition].iter_mut().take(offset.0 as usize).skip(committed as usize) {
                record.skipped = record.skipped.or(Some((at, client.0)));
            }
        } else if let TraceEvent::ProducerStopped { sent, .. } = event {
            self.sent = *sent;
        } else if let TraceEvent::RunPhaseEnded = event {
            self.run_end = at;
        } else if let TraceEvent::SettlePhaseEnded { drained } = event {
            self.drained = *drained;
            let records = self.records.iter_mut().flatten().flatten();
            records.for_each(|record| record.processed.sort_unstable());
        }
    }

    fn check_account(&self, group: usize, account: &Account) {
        let mut expected = Account { produced: self.sent, ..Account::default() };
        let (mut lost, mut skipped) = (Vec::new(), Vec::new());
        for (partition, records) in self.records[group].iter().enumerate() {
            let committed = self.committed[group][partition].last().map_or(0, |(_, offset)| *offset);
            for (offset, record) in records.iter().enumerate() {
                match (record.processed.len(), record.skipped) {
                    (0, Some((at, by))) => skipped.push((partition, offset, at, by)),
                    (0, None) if self.drained || (offset as u64) < committed => lost.push((partition, offset)),
                    (0, None) => expected.unsettled += 1,
                    (1, _) => expected.processed_once += 1,
                    (times, _) => {
                        expected.duplicated += 1;
                        expected.extra += times as u64 - 1;
                    }
                }
            }
        }
        let appended: usize = self.records[group].iter().map(Vec::len).sum();
        expected.unsettled += self.sent - appended as u64;
        (expected.lost, expected.skipped) = (lost.len() as u64, skipped.len() as u64);
        let told_lost: Vec<_> = account.losses.iter().flat_map(|loss| each(loss.partition, loss.offsets)).collect();
        assert_eq!(told_lost, lost);
        let told_skipped = account.skips.iter().flat_map(|skip| {
            each(skip.partition, skip.offsets).map(|(partition, offset)| (partition, offset, skip.at.as_nanos(), skip.by.0))
        });
        assert_eq!(told_skipped.collect::<Vec<_>>(), skipped);
        self.check_duplicates(group, account);
        let numbers = Account { duplicates: vec![], losses: vec![], skips: vec![], ..account.clone() };
        assert_eq!(numbers, expected);
    }

    fn check_duplicates(&self, group: usize, account: &Account) {
        let mut told = Vec::new();
        for duplicate in &account.duplicates {
            for (partition, offset) in each(duplicate.partition, duplicate.offsets) {
                let record = &self.records[group][partition][offset];
                assert_eq!(duplicate.before.0.0, record.processed[0].2, "whoever was first had it before");
                told.push((partition, offset, duplicate.again.0.0));
            }
            let partition = duplicate.partition.partition as usize;
            let (first, last) = (duplicate.offsets.from.0 as usize, duplicate.offsets.to.0 as usize - 1);
            let (first, last) = (&self.records[group][partition][first], &self.records[group][partition][last]);
            assert!(first.processed[1..].iter().any(|(end, _, _)| *end == duplicate.again.1.as_nanos()), "it was done again then");
            if !last.was_committed {
                assert_eq!(duplicate.before.1.as_nanos(), last.processed[0].0, "the last record was done first then");
            }
        }
        let mut expected = Vec::new();
        for (partition, records) in self.records[group].iter().enumerate() {
            for (offset, record) in records.iter().enumerate() {
                expected.extend(record.processed.iter().skip(1).map(|(_, _, client)| (partition, offset, *client)));
            }
        }
        told.sort_unstable();
        expected.sort_unstable();
        assert_eq!(told, expected, "each delivery beyond the first is told");
        assert!(account.duplicates.is_sorted_by_key(|duplicate| duplicate.again.1));
    }

    fn check_measurements(&self, measured: &Measurements) {
        assert_eq!(measured.samples as u64, self.end / INTERVAL + 1);
        for (group, measured) in measured.groups.iter().enumerate() {
            for (partition, measured) in measured.partitions.iter().enumerate() {
                for (sample, lag) in measured.lag.iter().enumerate() {
                    let (committed, unprocessed) = self.lag(group, partition, sample as u64 * INTERVAL);
                    assert_eq!(LagSample { position: 0, ..*lag }, LagSample { committed, position: 0, unprocessed }, "at sample {sample}");
                }
            }
            let all = |at| (0..PARTITIONS).map(|partition| self.lag(group, partition, at).1).sum::<u64>();
            assert_eq!(measured.run_end_lag, all(self.run_end));
            assert_eq!(measured.final_lag, all(self.end));
            let highest = (0..=self.run_end / INTERVAL).map(|sample| all(sample * INTERVAL)).max();
            assert_eq!(Some(measured.peak_lag), highest);
            self.check_latency(group, &measured.latency);
        }
    }

    fn lag(&self, group: usize, partition: usize, at: u64) -> (Option<i64>, u64) {
        let records = &self.records[group][partition];
        let high_watermark = records.iter().filter(|record| record.visible <= at).count() as i64;
        let done = records.iter().filter(|record| {
            let first = record.processed.first().map(|(end, _, _)| *end);
            first.is_some_and(|end| end <= at) || record.skipped.is_some_and(|(when, _)| when <= at)
        });
        let committed = self.committed[group][partition].iter().take_while(|(when, _)| *when <= at).last();
        (committed.map(|(_, offset)| high_watermark - *offset as i64), (high_watermark - done.count() as i64) as u64)
    }

    fn check_latency(&self, group: usize, measured: &Latency) {
        let records = self.records[group].iter().flatten().filter(|record| !record.processed.is_empty());
        let latencies: Vec<_> = records.map(|record| record.processed[0].0 - record.created).collect();
        assert_eq!(measured.count, latencies.len() as u64);
        assert_eq!(measured.sum, latencies.iter().map(|latency| u128::from(*latency)).sum::<u128>());
        assert_eq!(measured.min, latencies.iter().min().copied().unwrap_or(0));
        assert_eq!(measured.max, latencies.iter().max().copied().unwrap_or(0));
        let mut below = 0;
        for (i, (_, count)) in measured.buckets.iter().enumerate() {
            below += count;
            let next = measured.buckets.get(i + 1).map_or(u64::MAX, |(lowest, _)| *lowest);
            assert_eq!(latencies.iter().filter(|latency| **latency < next).count() as u64, below);
        }
    }
}

fn each(partition: TopicPartition, offsets: OffsetRange) -> impl Iterator<Item = (usize, usize)> {
    (offsets.from.0 as usize..offsets.to.0 as usize).map(move |offset| (partition.partition as usize, offset))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn ranges_tell_what_single_records_tell(moves in moves(), drained in any::<bool>(), in_hand in any::<bool>()) {
        let mut play = Play::default();
        play.wait(300);
        moves.into_iter().for_each(|step| play.play(step));
        let run = Span::from_nanos(play.now);
        let trace = play.end(drained, in_hand);
        let mut folds = (Ledger::new(&cast()), Metrics::new(&cast(), Span::from_nanos(INTERVAL), run));
        trace.iter().for_each(|(at, event)| folds.record(*at, event));
        let naive = Naive::fold(&trace);
        for (group, account) in folds.0.accounts().iter().enumerate() {
            naive.check_account(group, account);
        }
        naive.check_measurements(&folds.1.measurements());
    }
}

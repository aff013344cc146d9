//! Random traces.

use groupsim::terms::{CommitKind, PositionSource};
use groupsim::trace::TraceEvent;
use groupsim::trace::times::{Created, Finished};
use groupsim::units::{ClientId, GroupId, Instant, MemberId, Offset, OffsetRange, Pace, ProducerId, Rate, Span, TopicId, TopicPartition};
use proptest::prelude::*;

use super::{CLIENTS, PARTITIONS};

#[derive(Clone, Debug)]
pub enum Move {
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

pub fn moves() -> impl Strategy<Value = Vec<Move>> {
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
pub struct Play {
    pub now: u64,
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

    pub fn wait(&mut self, nanos: u64) {
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

    pub fn play(&mut self, step: Move) {
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

    pub fn end(mut self, drained: bool, in_hand: bool) -> Vec<(Instant, TraceEvent)> {
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

fn tp(partition: usize) -> TopicPartition {
    TopicPartition { topic: TopicId(0), partition: partition as u32 }
}

fn range(from: u64, to: u64) -> OffsetRange {
    OffsetRange::new(Offset(from), Offset(to))
}

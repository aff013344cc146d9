//! Program B: a consumer group simulated record by record, as directly as it can be written.
//!
//! A `BinaryHeap` of enum events; every record is produced by an event and processed by another, and its time of creation and number of
//! deliveries are kept until it is committed. No framework, no network, no protocol: a poll takes no time, an idle consumer is woken by the
//! record that arrives, and a rebalance is over at once. What it does with a record is what anybody would need for lag, latency and duplicates.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

const SECOND: u64 = 1_000_000_000;
const POLL_RECORDS: u64 = 500;
const COMMIT_INTERVAL: u64 = 5 * SECOND;
const HEARTBEAT_INTERVAL: u64 = 3 * SECOND;
const SESSION_TIMEOUT: u64 = 45 * SECOND;
const SAMPLE_INTERVAL: u64 = SECOND;

/// Times in nanoseconds.
#[derive(Copy, Clone, Debug)]
pub struct Work {
    pub name: &'static str,
    pub duration: u64,
    pub partitions: usize,
    pub producers: usize,
    /// Between two records of one producer.
    pub spacing: u64,
    pub consumers: usize,
    /// Of one record.
    pub processing: u64,
    /// When, and which consumer.
    pub crash: Option<(u64, usize)>,
}

impl Work {
    pub const ALL: [Work; 3] = [
        Work {
            name: "w1",
            duration: 600 * SECOND,
            partitions: 12,
            producers: 3,
            spacing: SECOND / 1000,
            consumers: 4,
            processing: 200_000,
            crash: Some((60 * SECOND, 1)),
        },
        Work {
            name: "h1",
            duration: 3600 * SECOND,
            partitions: 10,
            producers: 1,
            spacing: SECOND / 10_000,
            consumers: 1,
            processing: SECOND / 1000,
            crash: None,
        },
        Work {
            name: "h2",
            duration: 3600 * SECOND,
            partitions: 128,
            producers: 10,
            spacing: SECOND / 100_000,
            consumers: 100,
            processing: SECOND / 10_000,
            crash: Some((1200 * SECOND, 49)),
        },
    ];
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    pub events: u64,
    pub produced: u64,
    pub processed_once: u64,
    pub duplicated: u64,
    pub samples: u64,
    pub latency_sum: u128,
}

pub fn run(work: Work) -> Outcome {
    let mut group = Group::new(work);
    group.start();
    while let Some(&Reverse(entry)) = group.queue.peek() {
        if entry.at >= work.duration {
            break;
        }
        group.outcome.events += 1;
        group.now = entry.at;
        // What the handler pushes comes later than the entry on top, which is still there to be replaced.
        match group.handle(entry.event) {
            Some((at, event)) => {
                let next = group.entry(at, event);
                *group.queue.peek_mut().expect("the entry in hand is still queued") = Reverse(next);
            }
            None => drop(group.queue.pop()),
        }
    }
    group.outcome.samples = group.lags.len() as u64;
    group.outcome.latency_sum = group.latency_sum;
    group.outcome
}

#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    at: u64,
    number: u64,
    event: Event,
}

#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Produce(u32),
    /// The record in hand is done. With the number of the poll that it is from.
    Processed(u32, u32),
    Heartbeat(u32),
    SessionCheck(u32),
    Crash(u32),
    Sample,
}

/// A partition's records that are not committed yet, in pieces, each in one word: time of creation · 256 + deliveries.
#[derive(Default)]
struct Log {
    pieces: VecDeque<Box<[u64; PIECE]>>,
    /// Offset of the first record that is kept; a multiple of `PIECE`.
    base: u64,
    end: u64,
    committed: u64,
    position: u64,
}

const PIECE: usize = 4096;

impl Log {
    #[inline]
    fn append(&mut self, created: u64) {
        let place = (self.end - self.base) as usize;
        if place == self.pieces.len() * PIECE {
            self.pieces.push_back(Box::new([0; PIECE]));
        }
        self.pieces[place / PIECE][place % PIECE] = created << 8;
        self.end += 1;
    }

    #[inline]
    fn record(&mut self, offset: u64) -> &mut u64 {
        let place = (offset - self.base) as usize;
        &mut self.pieces[place / PIECE][place % PIECE]
    }

    fn commit(&mut self, offset: u64) {
        self.committed = offset;
        while self.committed >= self.base + PIECE as u64 {
            self.pieces.pop_front();
            self.base += PIECE as u64;
        }
    }
}

#[derive(Default)]
struct Consumer {
    crashed: bool,
    idle: bool,
    owned: Vec<usize>,
    /// Which of the owned partitions the next poll looks at first.
    cursor: usize,
    polls: u32,
    /// What the last poll returned and is not processed: partition, from, to. The last piece is the next one.
    batch: Vec<(usize, u64, u64)>,
    commit_due: u64,
}

struct Group {
    work: Work,
    now: u64,
    queue: BinaryHeap<Reverse<Entry>>,
    numbers: u64,
    logs: Vec<Log>,
    /// By partition.
    owners: Vec<Option<usize>>,
    /// By producer: the partition of its next record.
    targets: Vec<usize>,
    consumers: Vec<Consumer>,
    last_heartbeats: Vec<u64>,
    lags: Vec<u64>,
    /// By the logarithm of the latency.
    latencies: [u64; 65],
    latency_sum: u128,
    outcome: Outcome,
}

impl Group {
    fn new(work: Work) -> Self {
        Group {
            work,
            now: 0,
            queue: BinaryHeap::new(),
            numbers: 0,
            logs: (0..work.partitions).map(|_| Log::default()).collect(),
            owners: vec![None; work.partitions],
            targets: (0..work.producers).map(|producer| producer % work.partitions).collect(),
            consumers: (0..work.consumers).map(|_| Consumer { idle: true, commit_due: COMMIT_INTERVAL, ..Consumer::default() }).collect(),
            last_heartbeats: vec![0; work.consumers],
            lags: Vec::new(),
            latencies: [0; 65],
            latency_sum: 0,
            outcome: Outcome::default(),
        }
    }

    fn start(&mut self) {
        self.assign();
        for producer in 0..self.work.producers as u32 {
            self.push(0, Event::Produce(producer));
        }
        for consumer in 0..self.work.consumers as u32 {
            self.push(HEARTBEAT_INTERVAL, Event::Heartbeat(consumer));
            self.push(SESSION_TIMEOUT, Event::SessionCheck(consumer));
        }
        if let Some((at, consumer)) = self.work.crash {
            self.push(at, Event::Crash(consumer as u32));
        }
        self.push(SAMPLE_INTERVAL, Event::Sample);
    }

    fn entry(&mut self, at: u64, event: Event) -> Entry {
        self.numbers += 1;
        Entry { at, number: self.numbers, event }
    }

    fn push(&mut self, at: u64, event: Event) {
        let entry = self.entry(at, event);
        self.queue.push(Reverse(entry));
    }

    /// What takes the event's place in the queue, if anything does.
    #[inline]
    fn handle(&mut self, event: Event) -> Option<(u64, Event)> {
        match event {
            Event::Produce(producer) => {
                self.produce(producer as usize);
                Some((self.now + self.work.spacing, event))
            }
            Event::Processed(consumer, poll) => self.processed(consumer as usize, poll),
            Event::Heartbeat(consumer) => {
                if self.consumers[consumer as usize].crashed {
                    return None;
                }
                self.last_heartbeats[consumer as usize] = self.now;
                Some((self.now + HEARTBEAT_INTERVAL, event))
            }
            Event::SessionCheck(consumer) => {
                let expiry = self.last_heartbeats[consumer as usize] + SESSION_TIMEOUT;
                if expiry > self.now {
                    return Some((expiry, event));
                }
                self.rebalance();
                None
            }
            Event::Crash(consumer) => {
                let consumer = &mut self.consumers[consumer as usize];
                consumer.crashed = true;
                consumer.idle = false;
                consumer.batch.clear();
                None
            }
            Event::Sample => {
                self.lags.extend(self.logs.iter().map(|log| log.end - log.committed));
                Some((self.now + SAMPLE_INTERVAL, event))
            }
        }
    }

    #[inline]
    fn produce(&mut self, producer: usize) {
        let partition = self.targets[producer];
        self.targets[producer] = if partition + 1 == self.work.partitions { 0 } else { partition + 1 };
        self.logs[partition].append(self.now);
        self.outcome.produced += 1;
        if let Some(owner) = self.owners[partition]
            && self.consumers[owner].idle
            && let Some((at, event)) = self.poll(owner)
        {
            self.push(at, event);
        }
    }

    #[inline]
    fn processed(&mut self, consumer: usize, poll: u32) -> Option<(u64, Event)> {
        let member = &mut self.consumers[consumer];
        if member.crashed || member.polls != poll {
            return None;
        }
        let (partition, from, to) = member.batch.last_mut().expect("a record is in hand");
        let record = self.logs[*partition].record(*from);
        match *record & 0xff {
            0 => {
                self.outcome.processed_once += 1;
                let latency = self.now - (*record >> 8);
                self.latencies[(u64::BITS - latency.leading_zeros()) as usize] += 1;
                self.latency_sum += u128::from(latency);
            }
            1 => {
                self.outcome.processed_once -= 1;
                self.outcome.duplicated += 1;
            }
            _ => {}
        }
        *record += u64::from(*record & 0xff < 0xff);
        *from += 1;
        if from == to {
            member.batch.pop();
        }
        if member.batch.is_empty() {
            return self.poll(consumer);
        }
        Some((self.now + self.work.processing, Event::Processed(consumer as u32, poll)))
    }

    /// Commits if it is time, takes what there is, and says when the first record will be done.
    fn poll(&mut self, consumer: usize) -> Option<(u64, Event)> {
        let member = &mut self.consumers[consumer];
        if self.now >= member.commit_due {
            member.commit_due = self.now + COMMIT_INTERVAL;
            for &partition in &member.owned {
                let position = self.logs[partition].position;
                self.logs[partition].commit(position);
            }
        }
        let mut room = POLL_RECORDS;
        for i in 0..member.owned.len() {
            let partition = member.owned[(member.cursor + i) % member.owned.len()];
            let log = &mut self.logs[partition];
            let count = room.min(log.end - log.position);
            if count > 0 {
                member.batch.push((partition, log.position, log.position + count));
                log.position += count;
                room -= count;
            }
        }
        member.cursor = (member.cursor + 1) % member.owned.len().max(1);
        member.polls = member.polls.wrapping_add(1);
        member.idle = member.batch.is_empty();
        (!member.idle).then(|| (self.now + self.work.processing, Event::Processed(consumer as u32, member.polls)))
    }

    /// Everybody commits what is processed and gets a block of partitions, which it reads from the committed offset on.
    fn rebalance(&mut self) {
        for member in self.consumers.iter_mut().filter(|member| !member.crashed) {
            for (partition, from, _) in member.batch.drain(..) {
                self.logs[partition].position = from;
            }
            for &partition in &member.owned {
                let position = self.logs[partition].position;
                self.logs[partition].commit(position);
            }
        }
        self.assign();
        for consumer in 0..self.consumers.len() {
            if !self.consumers[consumer].crashed
                && let Some((at, event)) = self.poll(consumer)
            {
                self.push(at, event);
            }
        }
    }

    fn assign(&mut self) {
        let live: Vec<usize> = (0..self.consumers.len()).filter(|&consumer| !self.consumers[consumer].crashed).collect();
        self.consumers.iter_mut().for_each(|member| member.owned.clear());
        for (partition, log) in self.logs.iter_mut().enumerate() {
            let owner = live[partition * live.len() / self.work.partitions];
            self.owners[partition] = Some(owner);
            self.consumers[owner].owned.push(partition);
            log.position = log.committed;
        }
    }
}

//! Producers, record by record: the accumulator's batches, the sticky partitioner, requests in flight.

use std::collections::VecDeque;

use groupsim::kafka::partitioner::partition_for_key;
use groupsim::release::Release;
use groupsim::scenario::keys::Keys;
use groupsim::scenario::{Arrivals, Producer, Scenario, Verb};
use groupsim::sim::rng::key_draw::KeyDraw;
use groupsim::sim::rng::sampler::Sampler;
use groupsim::sim::rng::stream;
use groupsim::units::Rate;
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::world::leader;

/// A batch that arrives.
#[derive(Clone, Debug)]
pub struct Batch {
    pub partition: u32,
    pub bytes: u64,
    /// When each record was handed to `send()`.
    pub created: Vec<u64>,
}

/// A produce request: when consumers may read what it brings.
#[derive(Clone, Debug)]
pub struct Arrival {
    pub visible: u64,
    pub broker: u32,
    pub number: u64,
    pub batches: Vec<Batch>,
}

struct Open {
    batch: Batch,
    /// No record goes in any more, since then.
    closed: Option<u64>,
}

pub struct Accumulator<'a> {
    producer: &'a Producer,
    topic: u32,
    brokers: u32,
    partitions: u32,
    replication: u64,
    latency: Sampler,
    latency_draws: ChaCha8Rng,
    partition_draws: ChaCha8Rng,
    queues: Vec<VecDeque<Open>>,
    current: Option<u32>,
    charged: u64,
    /// KIP-480: every new batch has another partition.
    sticks_to_batch: bool,
    /// By broker: answers of all requests so far, the last arrival there, and when the broker was done with the last one.
    answers: Vec<Vec<u64>>,
    arrived: Vec<u64>,
    handled: Vec<u64>,
    requests: u64,
}

/// All requests of a producer.
pub fn arrivals(scenario: &Scenario, producer: &Producer, seed: u64, replication: u64) -> (u64, Vec<Arrival>) {
    let label = |purpose: &str| stream(seed, &format!("producer/{}/{purpose}", producer.name));
    let records = creations(scenario, producer, &mut label("arrivals"));
    let brokers = scenario.cluster.brokers;
    let partitions = scenario.topics[producer.topic.index()].partitions;
    let mut accumulator = Accumulator {
        producer,
        topic: producer.topic.0,
        brokers,
        partitions,
        replication,
        latency: Sampler::new(&scenario.cluster.latency),
        latency_draws: label("latency"),
        partition_draws: label("partitions"),
        queues: (0..partitions).map(|_| VecDeque::new()).collect(),
        current: None,
        charged: 0,
        sticks_to_batch: scenario.kafka.clients < Release::V3_9,
        answers: vec![Vec::new(); brokers as usize],
        arrived: vec![0; brokers as usize],
        handled: vec![0; brokers as usize],
        requests: 0,
    };
    let mut keys = label("keys");
    let mut out = Vec::new();
    for created in &records {
        while let Some((at, broker)) = accumulator.next_request().filter(|(at, _)| at <= created) {
            out.push(accumulator.send(at, broker));
        }
        accumulator.take(*created, &mut keys);
    }
    while let Some((at, broker)) = accumulator.next_request() {
        out.push(accumulator.send(at, broker));
    }
    (records.len() as u64, out)
}

/// When each record is handed to `send()`.
fn creations(scenario: &Scenario, producer: &Producer, gaps: &mut ChaCha8Rng) -> Vec<u64> {
    let mut rates: Vec<(u64, Rate)> = producer.steps.iter().map(|step| (step.at.as_nanos(), step.rate)).collect();
    for entry in &scenario.timeline {
        if let Verb::Rate { producer: other, rate } = entry.verb
            && scenario.producers[other.index()].name == producer.name
        {
            rates.push((entry.at.as_nanos(), rate));
        }
    }
    rates.sort_by_key(|(at, _)| *at);
    rates.push((scenario.duration.as_nanos(), Rate::ZERO));
    let mut created = Vec::new();
    for pair in rates.windows(2) {
        let ((from, rate), (to, _)) = (pair[0], pair[1]);
        if rate.records == 0 || from == to {
            continue;
        }
        if producer.arrivals == Arrivals::Poisson {
            let sampler = Sampler::gaps(rate);
            let mut at = from + sampler.draw(gaps).as_nanos();
            while at < to {
                created.push(at);
                at += sampler.draw(gaps).as_nanos();
            }
        } else {
            let nth = |i: u64| from + (u128::from(i) * u128::from(rate.per.as_nanos()) / u128::from(rate.records)) as u64;
            created.extend((0..).map(nth).take_while(|at| *at < to));
        }
    }
    created
}

fn varint(value: u64) -> u64 {
    // Zigzag doubles it; seven bits a byte.
    let mut left = value * 2;
    let mut bytes = 1;
    while left >= 128 {
        left /= 128;
        bytes += 1;
    }
    bytes
}

impl Accumulator<'_> {
    /// The size of a record in the open batch of a partition, or in a batch of its own.
    fn size(&self, partition: u32, created: u64, key: Option<&str>) -> u64 {
        let open = self.queues[partition as usize].back().filter(|open| open.closed.is_none());
        let (place, age) =
            open.map_or((0, 0), |open| (open.batch.created.len() as u64, created / 1_000_000 - open.batch.created[0] / 1_000_000));
        let key = key.map_or(1, |key| varint(key.len() as u64) + key.len() as u64);
        let value = varint(self.producer.record_size) + self.producer.record_size;
        // Attributes, timestamp delta, offset delta, key, value, number of headers.
        let body = 1 + varint(age) + varint(place) + key + value + 1;
        varint(body) + body
    }

    fn has_room(&self, partition: u32) -> bool {
        self.queues[partition as usize].back().is_some_and(|open| open.closed.is_none())
    }

    fn next_partition(&mut self) {
        let word = u128::from(self.partition_draws.next_u64());
        self.current = Some(((word * u128::from(self.partitions)) >> 64) as u32);
        self.charged = 0;
    }

    /// A record is handed to `send()`.
    fn take(&mut self, created: u64, keys: &mut ChaCha8Rng) {
        let limit = self.producer.config.batch_size;
        if let Keys::Drawn { prefix, count, weights } = &self.producer.keys {
            let key = format!("{prefix}{}", KeyDraw::new(*count, weights).at(keys.next_u64()));
            let partition = partition_for_key(key.as_bytes(), self.partitions);
            let size = self.size(partition, created, Some(&key));
            let fits = self.queues[partition as usize].back().is_some_and(|open| open.batch.bytes + size <= limit);
            if self.has_room(partition) && !fits {
                self.queues[partition as usize].back_mut().expect("it has an open batch").closed = Some(created);
            }
            let size = self.size(partition, created, Some(&key));
            self.append(partition, created, size);
            return;
        }
        if self.sticks_to_batch {
            self.take_for_batch(created);
            return;
        }
        loop {
            if self.current.is_none_or(|current| self.charged >= limit && !self.has_room(current)) {
                self.next_partition();
            }
            let partition = self.current.expect("it was chosen");
            let size = self.size(partition, created, None);
            match self.queues[partition as usize].back_mut() {
                Some(open) if open.closed.is_none() && open.batch.bytes + size > limit => open.closed = Some(created),
                _ => {
                    self.charged += self.append(partition, created, size);
                    let full = self.charged >= limit && !self.has_room(partition);
                    if full || self.charged >= 2 * limit {
                        self.next_partition();
                    }
                    return;
                }
            }
        }
    }

    fn take_for_batch(&mut self, created: u64) {
        let limit = self.producer.config.batch_size;
        let current = self.current.filter(|current| self.has_room(*current));
        let fits = current.filter(|current| {
            let filled = self.queues[*current as usize].back().expect("it has an open batch").batch.bytes;
            filled + self.size(*current, created, None) <= limit
        });
        if let (Some(current), None) = (current, fits) {
            self.queues[current as usize].back_mut().expect("it has an open batch").closed = Some(created);
        }
        if fits.is_none() {
            let others: Vec<u32> = (0..self.partitions).filter(|partition| Some(*partition) != self.current).collect();
            if !others.is_empty() {
                let word = u128::from(self.partition_draws.next_u64());
                self.current = Some(others[((word * others.len() as u128) >> 64) as usize]);
            }
        }
        let partition = self.current.expect("it was chosen");
        // One that was left with a batch that is still open takes more into that, if it fits.
        let filled = self.queues[partition as usize].back().filter(|open| open.closed.is_none()).map_or(0, |open| open.batch.bytes);
        if filled > 0 && filled + self.size(partition, created, None) > limit {
            self.queues[partition as usize].back_mut().expect("it has an open batch").closed = Some(created);
        }
        let size = self.size(partition, created, None);
        self.append(partition, created, size);
    }

    /// Returns the bytes that were added.
    fn append(&mut self, partition: u32, created: u64, size: u64) -> u64 {
        const HEADER: u64 = 61;
        let fresh = !self.has_room(partition);
        let queue = &mut self.queues[partition as usize];
        if fresh {
            queue.push_back(Open { batch: Batch { partition, bytes: HEADER, created: Vec::new() }, closed: None });
        }
        let open = queue.back_mut().expect("a batch is open");
        open.batch.created.push(created);
        open.batch.bytes += size;
        if open.batch.bytes >= self.producer.config.batch_size {
            open.closed = Some(created);
        }
        if fresh { HEADER + size } else { size }
    }

    /// When the next request goes, and where.
    fn next_request(&self) -> Option<(u64, u32)> {
        let linger = self.producer.config.linger.as_nanos();
        let most = self.producer.config.max_in_flight as usize;
        let of_partition = |(partition, queue): (usize, &VecDeque<Open>)| {
            let head = queue.front()?;
            let lingered = head.batch.created[0] + linger;
            let ready = head.closed.map_or(lingered, |closed| closed.min(lingered));
            let broker = leader(self.topic, partition as u32, self.brokers);
            let answers = &self.answers[broker as usize];
            let free = if answers.len() < most { 0 } else { answers[answers.len() - most] };
            Some((ready.max(free), broker))
        };
        self.queues.iter().enumerate().filter_map(of_partition).min()
    }

    /// The first batch of every partition of that broker goes.
    fn send(&mut self, at: u64, broker: u32) -> Arrival {
        let mut batches = Vec::new();
        for partition in 0..self.partitions {
            if leader(self.topic, partition, self.brokers) == broker
                && let Some(open) = self.queues[partition as usize].pop_front()
            {
                batches.push(open.batch);
            }
        }
        let to = broker as usize;
        self.arrived[to] = self.arrived[to].max(at + self.travel());
        let appended = self.arrived[to].max(self.handled[to]);
        let config = &self.producer.config;
        self.handled[to] = appended + if config.acks_all { self.replication } else { 0 };
        if !config.acks_none {
            let answered = self.handled[to] + self.travel();
            let answered = self.answers[to].last().map_or(answered, |last| answered.max(*last));
            self.answers[to].push(answered);
        }
        self.requests += 1;
        Arrival { visible: appended + self.replication, broker, number: self.requests, batches }
    }

    fn travel(&mut self) -> u64 {
        match self.latency.constant() {
            Some(span) => span.as_nanos(),
            None => self.latency.draw(&mut self.latency_draws).as_nanos(),
        }
    }
}

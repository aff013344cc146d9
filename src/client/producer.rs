//! The producer: records into batches into requests (KafkaProducer, RecordAccumulator, Sender).
//!
//! A producer here is a generator. Nothing that the model knows disturbs it once it runs (its rate plan, the growth of its topic and the
//! end of the run are known beforehand), so it works out one request after the other, and the simulator schedules one event for each: its
//! arrival. The cost is one step a batch, not one a record; and batches that go on exactly alike are one step together (a train).
//!
//! Batches close when they are full or `linger.ms` old; when a broker is ready, the first batch of every partition it leads goes out in one
//! request (`RecordAccumulator.drain`); at most `max.in.flight.requests.per.connection` are on their way to a broker.
//!
//! A partition without a leader waits, and a request whose broker died before it arrived goes to the next leader; nothing is lost or doubled.
//!
//! Not modelled: other errors and retries, how a producer learns of a new leader (it knows at once), compression, `buffer.memory`, adaptive partitioning (null keys are spread uniformly), the size of
//! the request (`max.request.size`). A record in flight is neither lost nor duplicated by its producer.

use std::collections::VecDeque;

use crate::kafka::partitioner::{self, Sticks, StickyPartitioner};
use crate::trace::times::Created;
use crate::units::{BrokerId, Instant, Pace, Rate, Span};

mod accumulator;
mod batch;
pub mod train;

use batch::Open;
use train::Shape;

/// Where a producer's randomness comes from: streams that the simulator owns.
pub trait ProducerDraws {
    /// The next partition for null keys, uniformly below `partitions`.
    fn partition(&mut self, partitions: u32) -> u32;
    /// The number of the next record's key.
    fn key(&mut self) -> u32;
    /// The time to the next record of a Poisson process.
    fn gap(&mut self, rate: Rate) -> Span;
    /// One way to or from a broker.
    fn latency(&mut self) -> Span;
    /// The one way if it is always the same.
    fn constant_latency(&self) -> Option<Span>;
}

#[derive(Clone, Debug)]
pub struct ProducerConfig {
    /// The rate from each instant on, ascending, the first at 0; ends with rate zero at the end of the run phase.
    pub plan: Vec<(Instant, Rate)>,
    pub poisson: bool,
    /// The keys, or none for null keys.
    pub keys: Option<Vec<String>>,
    /// Bytes of a value.
    pub record_size: u64,
    pub batch_size: u64,
    /// Records without a key.
    pub sticks: Sticks,
    pub linger: Span,
    pub max_in_flight: usize,
    /// What a broker waits for before it answers (acks=all: the replication), or `None` if it never answers (acks=0).
    pub acks: Option<Span>,
    /// From a leader's append to the high watermark.
    pub replication: Span,
    /// How many partitions the producer knows of, from each instant on, ascending, the first at 0.
    pub partitions: Vec<(Instant, u32)>,
    /// By partition: the leader at the start.
    pub leaders: Vec<BrokerId>,
    /// By partition: who leads it from each instant on, ascending, or nobody; nothing if no leader ever changes.
    pub reigns: Vec<Vec<(Instant, Option<BrokerId>)>>,
    pub brokers: usize,
}

/// A batch as it is appended.
#[derive(Clone, Debug)]
pub struct Batch {
    pub partition: u32,
    pub records: u32,
    pub bytes: u32,
    pub created: Created,
}

/// A produce request: when it was sent and from when on consumers may read what it brings.
#[derive(Clone, Debug)]
pub struct Delivery {
    pub sent: Instant,
    pub visible: Instant,
    pub broker: BrokerId,
    pub batches: Vec<Batch>,
    /// So many requests like this one, `every` so long: each with one batch that goes on where the one before ended. Mostly one.
    pub repeat: u64,
    pub every: Span,
}

#[derive(Debug)]
pub struct Producer {
    config: ProducerConfig,
    arrivals: Arrivals,
    /// By key.
    key_hashes: Vec<u32>,
    key_bytes: Vec<u64>,
    sticky: StickyPartitioner,
    /// By partition: batches not yet sent, the last one open.
    queues: Vec<VecDeque<Open>>,
    /// Partitions whose queue is not empty.
    busy: Vec<u32>,
    /// By broker: when the answers of the requests on their way come back.
    in_flight: Vec<VecDeque<Instant>>,
    /// By broker: when the last request was sent and arrived there, when the broker was done with it and the answer was here (connections are FIFO).
    wires: Vec<Wire>,
    known_partitions: u32,
    next_growth: usize,
    /// Buffers of deliveries that were taken.
    spare: Vec<Vec<Batch>>,
    /// What the last train was like, if the next one will be the same on another partition.
    shape: Option<Shape>,
}

#[derive(Copy, Clone, Debug, Default)]
struct Wire {
    sent: Instant,
    arrived: Instant,
    handled: Instant,
    answered: Instant,
}

/// The records to come.
#[derive(Debug)]
struct Arrivals {
    /// Into the plan: the step that the next record belongs to.
    step: usize,
    pace: Option<Pace>,
    /// Number of the next record within its step.
    index: u64,
    next: Option<Instant>,
    sent: u64,
}

impl Producer {
    pub fn new(config: ProducerConfig, draws: &mut impl ProducerDraws) -> Self {
        let key_hashes =
            config.keys.iter().flatten().map(|key| partitioner::murmur2(key.as_bytes()).cast_unsigned() & 0x7fff_ffff).collect();
        let key_bytes = config.keys.iter().flatten().map(|key| key.len() as u64).collect();
        let known = config.partitions[0].1;
        let mut producer = Producer {
            arrivals: Arrivals { step: 0, pace: None, index: 0, next: None, sent: 0 },
            key_hashes,
            key_bytes,
            sticky: StickyPartitioner::new(config.sticks, config.batch_size),
            queues: config.leaders.iter().map(|_| VecDeque::new()).collect(),
            busy: Vec::new(),
            in_flight: vec![VecDeque::new(); config.brokers],
            wires: vec![Wire::default(); config.brokers],
            known_partitions: known,
            next_growth: 1,
            spare: Vec::new(),
            shape: None,
            config,
        };
        producer.enter_step(0, draws);
        producer
    }

    /// Records handed to `send()` so far.
    pub fn sent(&self) -> u64 {
        self.arrivals.sent
    }

    /// Batches that were not sent yet, the open ones included.
    pub fn waiting_batches(&self) -> usize {
        self.busy.iter().map(|partition| self.queues[*partition as usize].len()).sum()
    }

    /// Takes the buffer of a delivery back.
    pub fn recycle(&mut self, mut batches: Vec<Batch>) {
        batches.clear();
        self.spare.push(batches);
    }

    /// The next produce request, in order of sending; `None` when everything was sent.
    pub fn next_delivery(&mut self, draws: &mut impl ProducerDraws) -> Option<Delivery> {
        if let Some(delivery) = self.repeat_shape(draws) {
            return Some(delivery);
        }
        loop {
            match (self.next_send(), self.arrivals.next) {
                (Some((at, broker)), Some(record)) if at <= record => return Some(self.send(at, broker, draws)),
                (Some((at, _)), Some(_)) => self.take_records(at, draws),
                (Some((at, broker)), None) => return Some(self.send(at, broker, draws)),
                (None, Some(_)) => self.take_records(Instant::NEVER, draws),
                (None, None) => return None,
            }
        }
    }

    /// The earliest time at which some broker gets a request, and which.
    fn next_send(&self) -> Option<(Instant, BrokerId)> {
        let mut best: Option<(Instant, BrokerId)> = None;
        for &partition in &self.busy {
            let head = self.queues[partition as usize].front().expect("a busy partition has a batch");
            let ready = head.closed.map_or(head.created + self.config.linger, |closed| closed.min(head.created + self.config.linger));
            let at = self.first_chance(partition, ready);
            if best.is_none_or(|best| at < best) {
                best = Some(at);
            }
        }
        best
    }

    /// When a batch that is ready can be sent, and to whom: the partition has a leader, and that one takes another request.
    fn first_chance(&self, partition: u32, ready: Instant) -> (Instant, BrokerId) {
        let (mut at, mut broker) = self.leader_from(partition, ready);
        loop {
            let pipe = &self.in_flight[broker.index()];
            let free = if pipe.len() < self.config.max_in_flight { Instant::ZERO } else { pipe[pipe.len() - self.config.max_in_flight] };
            // Slots that are free by then were not all free at once: no request overtakes the one before.
            let sent = at.max(free).max(self.wires[broker.index()].sent);
            let led = self.leader_from(partition, sent);
            if led == (sent, broker) {
                return led;
            }
            (at, broker) = led;
        }
    }

    /// When a partition is led from a moment on, and by whom. Every partition is led at the end.
    fn leader_from(&self, partition: u32, from: Instant) -> (Instant, BrokerId) {
        let reigns = self.config.reigns.get(partition as usize).map_or(&[][..], Vec::as_slice);
        let past = reigns.partition_point(|(at, _)| *at <= from);
        let current = if past == 0 { Some(self.config.leaders[partition as usize]) } else { reigns[past - 1].1 };
        let later = || reigns[past..].iter().find_map(|(at, leader)| leader.map(|leader| (*at, leader)));
        current.map(|broker| (from, broker)).or_else(later).expect("a broker that dies comes back")
    }

    /// Sends the first batch of every partition that `broker` leads.
    fn send(&mut self, at: Instant, broker: BrokerId, draws: &mut impl ProducerDraws) -> Delivery {
        let mut batches = self.spare.pop().unwrap_or_default();
        let mut busy = std::mem::take(&mut self.busy);
        if busy.len() > 1 {
            busy.sort_unstable();
        }
        busy.retain(|&partition| {
            if self.leader_from(partition, at) != (at, broker) {
                return true;
            }
            let queue = &mut self.queues[partition as usize];
            let open = queue.pop_front().expect("a busy partition has a batch");
            batches.push(open.into_batch(partition));
            !queue.is_empty()
        });
        self.busy = busy;
        let mut visible = self.on_the_wire(at, broker, draws);
        if !self.config.reigns.is_empty() {
            visible = self.send_again(visible, broker, &batches, draws);
            return Delivery { sent: at, visible, broker, batches, repeat: 1, every: Span::ZERO };
        }
        let mut delivery = Delivery { sent: at, visible, broker, batches, repeat: 1, every: Span::ZERO };
        if self.busy.is_empty() && delivery.batches.len() == 1 {
            self.lengthen(&mut delivery, draws);
        }
        delivery
    }

    /// Accounts for a request: FIFO both ways, one at a time at the broker. When its records become visible.
    fn on_the_wire(&mut self, at: Instant, broker: BrokerId, draws: &mut impl ProducerDraws) -> Instant {
        let wire = &mut self.wires[broker.index()];
        wire.sent = at;
        wire.arrived = wire.arrived.max(at + draws.latency());
        let appended = wire.arrived.max(wire.handled);
        let pipe = &mut self.in_flight[broker.index()];
        while pipe.front().is_some_and(|answered| *answered <= at) {
            pipe.pop_front();
        }
        match self.config.acks {
            Some(wait) => {
                wire.handled = appended + wait;
                wire.answered = wire.answered.max(wire.handled + draws.latency());
                pipe.push_back(wire.answered);
            }
            None => wire.handled = appended,
        }
        appended + self.config.replication
    }

    /// A request whose broker died before it arrived goes to the next leaders of its partitions, ahead of what comes later.
    fn send_again(&mut self, visible: Instant, broker: BrokerId, batches: &[Batch], draws: &mut impl ProducerDraws) -> Instant {
        let appended = Instant::from_nanos(visible.as_nanos() - self.config.replication.as_nanos());
        let led: Vec<(Instant, BrokerId)> = batches.iter().map(|batch| self.leader_from(batch.partition, appended)).collect();
        if led.iter().all(|led| *led == (appended, broker)) {
            return visible;
        }
        let last = led.iter().map(|(at, _)| *at).max().unwrap_or(appended);
        let arrives = last + draws.latency();
        for (_, broker) in led {
            let wire = &mut self.wires[broker.index()];
            wire.arrived = wire.arrived.max(arrives + Span::from_nanos(1));
        }
        arrives + self.config.replication
    }

    /// The partitions that the metadata of that time shows.
    fn learn_growth(&mut self, now: Instant) {
        while let Some((at, partitions)) = self.config.partitions.get(self.next_growth)
            && *at <= now
        {
            self.known_partitions = *partitions;
            self.next_growth += 1;
        }
    }

    /// When the current step of the plan ends.
    fn step_end(&self) -> Instant {
        self.config.plan.get(self.arrivals.step + 1).map_or(Instant::NEVER, |step| step.0)
    }

    /// Finds the record after the one(s) just taken.
    fn find_next(&mut self, last: Instant, draws: &mut impl ProducerDraws) {
        let next = match self.arrivals.pace {
            Some(pace) => pace.at(self.arrivals.index),
            None => last + draws.gap(self.config.plan[self.arrivals.step].1),
        };
        if next < self.step_end() {
            self.arrivals.next = Some(next);
        } else {
            self.enter_step(self.arrivals.step + 1, draws);
        }
    }

    /// Enters a step of the plan, or the next one in which there is a record.
    fn enter_step(&mut self, first: usize, draws: &mut impl ProducerDraws) {
        for step in first..self.config.plan.len() {
            let (at, rate) = self.config.plan[step];
            self.arrivals = Arrivals { step, pace: None, index: 0, next: None, sent: self.arrivals.sent };
            if rate.is_zero() {
                continue;
            }
            let next = if self.config.poisson {
                at + draws.gap(rate)
            } else {
                self.arrivals.pace = Some(Pace::new(at, rate));
                at
            };
            if next < self.step_end() {
                self.arrivals.next = Some(next);
                return;
            }
        }
        self.arrivals.next = None;
    }
}

#[cfg(test)]
mod tests;

//! Deliveries that are all alike, worked out together.
//!
//! At an even pace without keys the batches of a producer repeat: as many records, as many bytes, as far apart. Between two draws of the sticky
//! partitioner they form a train of one partition; and when the partitioner goes on, the next train has the shape of the last one. What a
//! train says is what the single steps would say, in the same order and with the same draws.

use super::{Batch, Delivery, Producer, ProducerDraws};
use crate::trace::times::Created;
use crate::units::{BrokerId, Instant, Pace, Span};

/// So many trains at most are worked out at once.
pub const CONVOY: usize = 64;

/// A train of a convoy: its first batch, and when that becomes visible.
#[derive(Clone, Debug)]
pub struct Train {
    pub batch: Batch,
    pub visible: Instant,
}

/// A train from one draw of the partitioner to the next.
#[derive(Copy, Clone, Debug)]
pub struct Shape {
    pace: Pace,
    /// Of a batch.
    records: u32,
    bytes: u32,
    /// Batches.
    length: u64,
    pub(super) every: Span,
    /// From a batch's first record to its sending.
    wait: Span,
    /// Of the whole train.
    lasts: Span,
}

impl Shape {
    /// From its first request to its last one.
    fn until_last(&self) -> Span {
        self.every.times(self.length - 1)
    }
}

impl Producer {
    /// Makes a train of a delivery if the next ones are just like it: same partition, size and distance, nothing random in between.
    pub(super) fn lengthen(&mut self, delivery: &mut Delivery, draws: &mut impl ProducerDraws) {
        self.shape = None;
        let Some((pace, every, wait)) = self.rhythm(delivery, draws) else { return };
        let (bytes, records) = (delivery.batches[0].bytes, delivery.batches[0].records);
        let until_switch = self.sticky.until_due().div_ceil(u64::from(bytes));
        // The last batch's wait must be over before anything changes, too.
        let in_time = self.next_change().as_nanos().saturating_sub(delivery.sent.as_nanos()) / every.as_nanos();
        let more = until_switch.min(in_time);
        if more > 0 {
            delivery.repeat += more;
            delivery.every = every;
            self.advance(more, records, bytes);
            let last_sent = delivery.sent + every.times(more);
            self.on_the_wire(last_sent, delivery.broker, draws);
            self.find_next(last_sent, draws);
        }
        let length = more + 1;
        if self.sticky.until_due() == 0 && self.sticky.charged() == length * u64::from(bytes) {
            self.shape = Some(Shape { pace, records, bytes, length, every, wait, lasts: every.times(length) });
        }
    }

    /// The pace of the batches that follow a delivery, if they are all like its one: how far apart they are and how long each waits.
    fn rhythm(&self, delivery: &Delivery, draws: &impl ProducerDraws) -> Option<(Pace, Span, Span)> {
        let batch = &delivery.batches[0];
        let Created::Even { pace, index } = batch.created else { return None };
        let (latency, linger) = (draws.constant_latency()?, self.config.linger);
        let (nanos, per) = pace.spacing;
        if nanos % per != 0 || nanos == 0 || self.arrivals.next.is_none() {
            return None;
        }
        let records = u64::from(batch.records);
        let every = Span::from_nanos(nanos / per).times(records);
        let lingered = delivery.sent == pace.at(index) + linger && linger.as_nanos().div_ceil(nanos / per) == records;
        let goes_on = self.arrivals.pace == Some(pace) && self.arrivals.index == index + records;
        let answered = latency.times(2) + self.config.acks.unwrap_or(Span::ZERO);
        // The timestamp deltas stay in one byte, each request is answered before the next one is sent, and this one did not wait for the one
        // before at the broker either.
        let undelayed = delivery.visible == delivery.sent + latency + self.config.replication;
        let alike = linger < Span::from_millis(63) && answered <= every && undelayed && self.config.max_in_flight > 1;
        (lingered && goes_on && alike && self.sticky.current() == Some(batch.partition)).then_some((pace, every, linger))
    }

    /// When the rate or the partitions change.
    fn next_change(&self) -> Instant {
        let growth = self.config.partitions.get(self.next_growth).map_or(Instant::NEVER, |growth| growth.0);
        self.step_end().min(growth)
    }

    /// Batches beyond the first were charged and sent.
    fn advance(&mut self, batches: u64, records: u32, bytes: u32) {
        self.sticky.charge(batches * u64::from(bytes), true, || unreachable!("a train ends before the partitioner goes on"));
        self.arrivals.sent += batches * u64::from(records);
        self.arrivals.index += batches * u64::from(records);
    }

    /// The next train, if it is like the last one but for its partition.
    pub(super) fn repeat_shape(&mut self, draws: &mut impl ProducerDraws) -> Option<Delivery> {
        let shape = self.shape?;
        let created = self.arrivals.next?;
        if !(self.is_undisturbed(&shape, created) && self.is_in_time(&shape, created)) {
            self.shape = None;
            return None;
        }
        let batch = self.another_like(&shape, created, draws);
        let broker: BrokerId = self.config.leaders[batch.partition as usize];
        let mut batches = self.spare.pop().unwrap_or_default();
        batches.push(batch);
        // Each request of the shape is answered before the next one is sent: the last one finds the wire as the first one did.
        let sent = created + shape.wait;
        let visible = self.on_the_wire(sent + shape.until_last(), broker, draws).as_nanos() - shape.until_last().as_nanos();
        Some(Delivery { sent, visible: Instant::from_nanos(visible), broker, batches, repeat: shape.length, every: shape.every })
    }

    /// The trains that follow, as long as they are like the last one but for their partitions and it is time for the last request of each
    /// (`is_due`: of the moment at which it becomes visible); [`CONVOY`] at most. How many requests each has. With several brokers none.
    pub fn convoy(&mut self, draws: &mut impl ProducerDraws, is_due: impl Fn(Instant) -> bool, trains: &mut Vec<Train>) -> u64 {
        let (Some(shape), Some(latency), 1) = (self.shape, draws.constant_latency(), self.config.brokers) else { return 0 };
        if !self.arrivals.next.is_some_and(|created| self.is_undisturbed(&shape, created)) {
            return 0;
        }
        let until_visible = shape.wait + latency + self.config.replication;
        let mut last_sent = None;
        while trains.len() < CONVOY
            && let Some(created) = self.arrivals.next
            && self.is_in_time(&shape, created)
            && is_due(created + until_visible + shape.until_last())
        {
            trains.push(Train { batch: self.another_like(&shape, created, draws), visible: created + until_visible });
            last_sent = Some(created + shape.wait + shape.until_last());
        }
        if let Some(sent) = last_sent {
            self.on_the_wire(sent, BrokerId(0), draws);
        }
        shape.length
    }

    /// Whether the next train, from a record of that time on, finds all as the last one did: the same pace, and nothing on its way. What is
    /// true of one train is true of those that follow it in its shape.
    fn is_undisturbed(&self, shape: &Shape, created: Instant) -> bool {
        let sent = created + shape.wait;
        let is_alone = self.busy.is_empty() && self.wires.iter().all(|wire| wire.handled.max(wire.answered) <= sent);
        self.arrivals.pace == Some(shape.pace) && is_alone
    }

    /// Whether the next train, from a record of that time on, is over before anything changes.
    fn is_in_time(&self, shape: &Shape, created: Instant) -> bool {
        created + shape.wait + shape.lasts <= self.next_change()
    }

    /// The batches of the next train, as one: its first.
    #[inline]
    fn another_like(&mut self, shape: &Shape, created: Instant, draws: &mut impl ProducerDraws) -> Batch {
        let known = self.known_partitions;
        let partition = self.sticky.partition(false, || draws.partition(known));
        let Shape { pace, records, bytes, length, .. } = *shape;
        let created_at = Created::Even { pace, index: self.arrivals.index };
        self.advance(length, records, bytes);
        self.arrivals.next = Some(created + shape.lasts);
        Batch { partition, records, bytes, created: created_at }
    }
}

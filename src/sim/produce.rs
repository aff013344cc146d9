//! Producers at work: their deliveries become visible, and waiting Fetches get them.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::client::producer::{Batch, ProducerDraws};
use crate::scenario;
use crate::sim::network::Latency;
use crate::sim::queue::Place;
use crate::sim::rng::key_draw::KeyDraw;
use crate::sim::rng::sampler::Sampler;
use crate::sim::train::Train;
use crate::sim::{Event, Simulation, rng};
use crate::trace::{Created, TraceEvent};
use crate::units::{BrokerId, Instant, Offset, ProducerId, Rate, Span, TopicPartition};

/// The streams of one producer, one for each purpose.
pub struct Draws {
    partitions: ChaCha8Rng,
    keys: Option<(KeyDraw, ChaCha8Rng)>,
    gaps: ChaCha8Rng,
    latency: Latency,
}

impl Draws {
    pub fn new(producer: &scenario::Producer, latency: &Sampler, seed: u64) -> Self {
        let label = |purpose: &str| format!("producer/{}/{purpose}", producer.name);
        Draws {
            partitions: rng::stream(seed, &label("partitions")),
            keys: match &producer.keys {
                scenario::Keys::None => None,
                scenario::Keys::Drawn { count, weights, .. } => Some((KeyDraw::new(*count, weights), rng::stream(seed, &label("keys")))),
            },
            gaps: rng::stream(seed, &label("arrivals")),
            latency: Latency::new(latency, seed, || label("latency")),
        }
    }
}

impl ProducerDraws for Draws {
    fn partition(&mut self, partitions: u32) -> u32 {
        // Multiplication instead of a remainder: uniform to 2^-32, and one draw each.
        ((u128::from(self.partitions.next_u64()) * u128::from(partitions)) >> 64) as u32
    }

    fn key(&mut self) -> u32 {
        let (keys, stream) = self.keys.as_mut().expect("a producer without keys draws none");
        keys.at(stream.next_u64())
    }

    fn gap(&mut self, rate: Rate) -> Span {
        Sampler::gaps(rate).draw(&mut self.gaps)
    }

    fn latency(&mut self) -> Span {
        self.latency.draw()
    }

    fn constant_latency(&self) -> Option<Span> {
        self.latency.constant()
    }
}

/// Batches of one partition that are visible and not yet told: they continue one progression.
pub struct Untold {
    producer: ProducerId,
    first: Offset,
    per_batch: u32,
    batches: u64,
    created: Created,
    delay: Span,
}

impl Untold {
    /// Adds a batch if it goes on exactly like the ones before.
    fn extend(&mut self, producer: ProducerId, batch: &Batch, delay: Span, batches: u64) -> bool {
        let (Created::Even { pace, index }, Created::Even { pace: next_pace, index: next_index }) = (&self.created, &batch.created) else {
            return false;
        };
        let goes_on = self.producer == producer
            && self.per_batch == batch.records
            && self.delay == delay
            && pace == next_pace
            && *next_index == index + self.batches * u64::from(self.per_batch);
        if goes_on {
            self.batches += batches;
        }
        goes_on
    }
}

impl Simulation<'_> {
    /// The producer works out its next request, and its records will be visible at that time.
    pub(super) fn schedule_delivery(&mut self, producer: ProducerId) {
        if let Some((sent, place)) = self.put_on_the_way(producer)
            && !self.producers[producer.index()].in_order
        {
            self.queue.push(sent.max(self.now), place, Event::SendNext(producer));
        }
    }

    /// The run phase is over: the producer works out all that it has left, so that it is known how much it sent.
    pub(super) fn finish_sending(&mut self, producer: ProducerId) -> u64 {
        while self.put_on_the_way(producer).is_some() {}
        self.producers[producer.index()].producer.sent()
    }

    /// The next request of a producer, if there is one: when it is sent, and its place among ties.
    fn put_on_the_way(&mut self, producer: ProducerId) -> Option<(Instant, Place)> {
        let node = &mut self.producers[producer.index()];
        let delivery = node.producer.next_delivery(&mut node.draws)?;
        let (at, sent) = (delivery.visible, delivery.sent);
        node.sequence += 1;
        let (sequence, broker) = (node.sequence, delivery.broker);
        let slot = node.deliveries.put(delivery);
        let place = Place::message(self.producer_connection(producer, broker), sequence);
        self.queue.push(at, place, Event::Append(producer, slot));
        Some((sent, place))
    }

    pub(super) fn on_append(&mut self, producer: ProducerId, slot: u32) {
        let mut delivery = self.producers[producer.index()].deliveries.take(slot);
        let topic = self.cast.producer_topic[producer.index()];
        let at = |batch: &Batch| TopicPartition { topic, partition: batch.partition };
        let connection = self.producer_connection(producer, delivery.broker);
        for batch in &delivery.batches {
            self.catch_up_to(at(batch), connection);
            let delay = delivery.visible.since(batch.created.at(0));
            self.append(producer, at(batch), batch, delay, 1);
        }
        for batch in &delivery.batches {
            self.wake_fetches(at(batch));
        }
        let node = &mut self.producers[producer.index()];
        let in_order = node.in_order;
        match delivery.batches.pop() {
            Some(batch) if delivery.repeat > 1 => {
                let partition = at(&batch);
                let place = Place::message(connection, node.sequence);
                self.put_train(partition, Train::after_first(producer, connection, place, batch, &delivery));
            }
            Some(_) | None => {}
        }
        self.producers[producer.index()].producer.recycle(delivery.batches);
        if in_order {
            self.schedule_delivery(producer);
        }
    }

    /// Producers connect before anybody else does.
    fn producer_connection(&self, producer: ProducerId, broker: BrokerId) -> u32 {
        producer.0 * self.scenario.cluster.brokers + broker.0
    }

    /// `batches` batches like this one, each going on where the one before ended.
    pub(super) fn append(&mut self, producer: ProducerId, partition: TopicPartition, batch: &Batch, delay: Span, batches: u64) {
        let index = self.cast.index(partition);
        let first = self.logs[index].high_watermark();
        self.logs[index].append(batch.records, batch.bytes, batches);
        if self.untold[index].as_mut().is_some_and(|untold| untold.extend(producer, batch, delay, batches)) {
            return;
        }
        self.tell_appended(partition);
        let (per_batch, created) = (batch.records, batch.created.clone());
        self.untold[index] = Some(Untold { producer, first, per_batch, batches, created, delay });
    }

    /// Tells what became visible in a partition, before somebody reads it.
    pub(super) fn tell_appended(&mut self, partition: TopicPartition) {
        let index = self.cast.index(partition);
        if let Some(Untold { producer, first, per_batch, batches, created, delay }) = self.untold[index].take() {
            self.emit(TraceEvent::Appended { producer, partition, first, per_batch, batches, created, delay });
        }
    }

    pub(super) fn tell_all_appended(&mut self) {
        let partitions: Vec<TopicPartition> = self.cast.all_partitions().collect();
        for partition in partitions {
            self.catch_up(partition);
            self.tell_appended(partition);
        }
    }
}

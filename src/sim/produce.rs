//! Producers at work: their deliveries become visible, and waiting Fetches get them.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::client::producer::{Batch, Delivery, ProducerDraws};
use crate::scenario;
use crate::sim::network::Latency;
use crate::sim::queue::Place;
use crate::sim::rng::key_draw::KeyDraw;
use crate::sim::rng::sampler::Sampler;
use crate::sim::{Event, ProducerNode, Simulation, rng};
use crate::trace::{Created, TraceEvent};
use crate::units::{Offset, ProducerId, Rate, Span, TopicPartition};

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
        (u128::from(self.partitions.next_u64()) * u128::from(partitions) >> 64) as u32
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
    fn extend(&mut self, producer: ProducerId, batch: &Batch, delay: Span) -> bool {
        let (Created::Even { pace, index }, Created::Even { pace: next_pace, index: next_index }) = (&self.created, &batch.created) else {
            return false;
        };
        let goes_on = self.producer == producer
            && self.per_batch == batch.records
            && self.delay == delay
            && pace == next_pace
            && *next_index == index + self.batches * u64::from(self.per_batch);
        if goes_on {
            self.batches += 1;
        }
        goes_on
    }
}

impl Simulation<'_> {
    /// The producer works out its next request, and its records will be visible at that time.
    pub(super) fn schedule_delivery(&mut self, producer: ProducerId) {
        let node = &mut self.producers[producer.index()];
        let Some(delivery) = node.producer.next_delivery(&mut node.draws) else { return };
        let (at, sent) = (delivery.visible, delivery.sent);
        node.sequence += 1;
        // Producers connect before anybody else does.
        let connection = producer.0 * self.scenario.cluster.brokers + delivery.broker.0;
        let place = Place::message(connection, node.sequence);
        let slot = node.deliveries.put(delivery);
        self.queue.push(at, place, Event::Append(producer, slot));
        if !self.producers[producer.index()].in_order {
            self.queue.push(sent.max(self.now), place, Event::SendNext(producer));
        }
    }

    pub(super) fn on_append(&mut self, producer: ProducerId, slot: u32) {
        let ProducerNode { deliveries, .. } = &mut self.producers[producer.index()];
        let delivery = deliveries.take(slot);
        let topic = self.cast.producer_topic[producer.index()];
        for batch in &delivery.batches {
            self.append(producer, TopicPartition { topic, partition: batch.partition }, batch, &delivery);
        }
        for batch in &delivery.batches {
            self.wake_fetches(TopicPartition { topic, partition: batch.partition });
        }
        if self.producers[producer.index()].in_order {
            self.schedule_delivery(producer);
        }
    }

    fn append(&mut self, producer: ProducerId, partition: TopicPartition, batch: &Batch, delivery: &Delivery) {
        let index = self.cast.index(partition);
        let first = self.logs[index].high_watermark();
        self.logs[index].append(batch.records, batch.bytes);
        let delay = delivery.visible.since(batch.created.at(0));
        if self.untold[index].as_mut().is_some_and(|untold| untold.extend(producer, batch, delay)) {
            return;
        }
        self.tell_appended(partition);
        let (per_batch, created) = (batch.records, batch.created.clone());
        self.untold[index] = Some(Untold { producer, first, per_batch, batches: 1, created, delay });
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
        partitions.into_iter().for_each(|partition| self.tell_appended(partition));
    }
}

//! Producers at work: their draws, their requests, and what of them became visible.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::client::producer::{Batch, Delivery, ProducerDraws};
use crate::scenario;
use crate::sim::arrivals::Writer;
use crate::sim::network::Latency;
use crate::sim::rng::key_draw::KeyDraw;
use crate::sim::rng::sampler::Sampler;
use crate::sim::{Event, Simulation, rng};
use crate::trace::TraceEvent;
use crate::trace::times::Created;
use crate::units::{BrokerId, Instant, Offset, ProducerId, Rate, Span, TopicId, TopicPartition};

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
                scenario::keys::Keys::None => None,
                scenario::keys::Keys::Drawn { count, weights, .. } => {
                    Some((KeyDraw::new(*count, weights), rng::stream(seed, &label("keys"))))
                }
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

    fn into_fact(self, partition: TopicPartition) -> TraceEvent {
        let Untold { producer, first, per_batch, batches, created, delay } = self;
        TraceEvent::Appended { producer, partition, first, per_batch, batches, created, delay }
    }
}

impl Simulation<'_> {
    /// The producer works out its first request.
    pub(super) fn begin_sending(&mut self, producer: ProducerId) {
        if self.producers[producer.index()].in_order {
            let topic = self.cast.producer_topic[producer.index()];
            self.writers[topic.index()].push(Writer::new(producer));
            self.unwatched[topic.index()] += 1;
            self.prepare_next(producer);
        } else {
            self.send_next(producer);
        }
    }

    /// Requests may overtake each other: the next one is worked out when this one is sent.
    pub(super) fn send_next(&mut self, producer: ProducerId) {
        if let Some(delivery) = self.next_delivery(producer) {
            let sent = delivery.sent;
            let place = self.put_on_the_way(producer, delivery);
            self.queue.push(sent.max(self.now), place, Event::SendNext(producer));
        }
    }

    /// `None` when everything was sent, or when that will never be so.
    pub(super) fn next_delivery(&mut self, producer: ProducerId) -> Option<Delivery> {
        let node = &mut self.producers[producer.index()];
        if node.producer.waiting_batches() > self.limits.waiting_batches {
            self.overrun = Some(producer);
            return None;
        }
        node.producer.next_delivery(&mut node.draws)
    }

    /// Producers connect before anybody else does.
    pub(super) fn producer_connection(&self, producer: ProducerId, broker: BrokerId) -> u32 {
        producer.0 * self.scenario.cluster.brokers + broker.0
    }

    /// `batches` batches like this one, visible from then on, each going on where the one before ended.
    #[inline]
    pub(super) fn append(&mut self, producer: ProducerId, topic: TopicId, batch: Batch, visible: Instant, batches: u64) {
        let partition = TopicPartition { topic, partition: batch.partition };
        let index = self.cast.index(partition);
        let delay = visible.since(batch.created.at(0));
        let first = self.logs[index].high_watermark();
        self.logs[index].append(batch.records, batch.bytes, batches);
        if self.untold[index].as_mut().is_some_and(|untold| untold.extend(producer, &batch, delay, batches)) {
            return;
        }
        let untold = Untold { producer, first, per_batch: batch.records, batches, created: batch.created, delay };
        if let Some(before) = self.untold[index].replace(untold) {
            self.emit(before.into_fact(partition));
        }
    }

    /// Tells what became visible in a partition, before somebody reads it.
    #[inline]
    pub(super) fn tell_appended(&mut self, partition: TopicPartition) {
        let place = self.cast.index(partition);
        let Some(untold) = &self.untold[place] else { return };
        let Untold { producer, first, per_batch, batches, ref created, delay } = *untold;
        if let Created::Even { pace, index } = *created {
            self.untold[place] = None;
            let created = || Created::Even { pace, index };
            let fact = || TraceEvent::Appended { producer, partition, first, per_batch, batches, created: created(), delay };
            self.consumer_fx.emit_plain(fact);
        } else if let Some(untold) = self.untold[place].take() {
            self.emit(untold.into_fact(partition));
        }
    }

    pub(super) fn tell_all_appended(&mut self) {
        let partitions: Vec<TopicPartition> = self.cast.all_partitions().collect();
        partitions.into_iter().for_each(|partition| self.tell_appended(partition));
    }
}

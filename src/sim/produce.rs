//! Producers at work: their deliveries become visible, and waiting Fetches get them.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::client::producer::{Batch, ProducerDraws};
use crate::kafka::placement;
use crate::scenario;
use crate::sim::network::Latency;
use crate::sim::queue::Place;
use crate::sim::rng::key_draw::KeyDraw;
use crate::sim::rng::sampler::Sampler;
use crate::sim::{Event, Simulation, rng};
use crate::trace::{Created, TraceEvent};
use crate::units::{Instant, Offset, ProducerId, Rate, Span, TopicPartition};

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

/// Deliveries of one producer to one partition that follow each other in even distances and are alike. They are appended when somebody looks;
/// while a Fetch waits for them, each is an event.
pub struct Train {
    producer: ProducerId,
    /// The first one.
    batch: Batch,
    delay: Span,
    /// How many are in the log.
    appended: u64,
    /// When the next one becomes visible.
    next: Instant,
    every: Span,
    left: u64,
    /// The message number of the request, for ties.
    sequence: u64,
    /// An event for the next one is under way.
    watched: bool,
}

impl Train {
    /// The creation of the next batch's records.
    fn created(&self) -> Created {
        match &self.batch.created {
            Created::Even { pace, index } => Created::Even { pace: *pace, index: index + self.appended * u64::from(self.batch.records) },
            Created::Listed(_) => unreachable!("only even arrivals make trains"),
        }
    }
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
        let mut delivery = self.producers[producer.index()].deliveries.take(slot);
        let topic = self.cast.producer_topic[producer.index()];
        let at = |batch: &Batch| TopicPartition { topic, partition: batch.partition };
        for batch in &delivery.batches {
            self.catch_up(at(batch));
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
                self.trains += 1;
                self.arriving[self.cast.index(partition)] = Some(Train {
                    producer,
                    delay: delivery.visible.since(batch.created.at(0)),
                    batch,
                    appended: 1,
                    next: delivery.visible + delivery.every,
                    every: delivery.every,
                    left: delivery.repeat - 1,
                    sequence: node.sequence,
                    watched: false,
                });
                // Should it be waited for already, it arrives batch by batch.
                self.watch_train(partition, false);
            }
            Some(_) | None => {}
        }
        self.producers[producer.index()].producer.recycle(delivery.batches);
        if in_order {
            self.schedule_delivery(producer);
        }
    }

    /// Appends what has arrived of the train of a partition; to be called before anybody looks at its log.
    pub(super) fn catch_up(&mut self, partition: TopicPartition) {
        let index = self.cast.index(partition);
        if self.arriving[index].as_ref().is_none_or(|train| train.next > self.now) {
            return;
        }
        let mut train = self.arriving[index].take().expect("the partition has a train");
        let arrived = (self.now.since(train.next).as_nanos() / train.every.as_nanos() + 1).min(train.left);
        let batch = Batch { created: train.created(), ..train.batch.clone() };
        self.append(train.producer, partition, &batch, train.delay, arrived);
        train.appended += arrived;
        train.left -= arrived;
        train.next += train.every.times(arrived);
        if train.left > 0 {
            self.arriving[index] = Some(train);
        } else {
            self.trains -= 1;
        }
    }

    /// If a Fetch waits for a partition on which a train is under way, the next batch is an event.
    pub(super) fn watch_train(&mut self, partition: TopicPartition, waited_for: bool) {
        let index = self.cast.index(partition);
        if self.arriving[index].as_ref().is_none_or(|train| train.watched) || !(waited_for || self.is_waited_for(index)) {
            return;
        }
        let train = self.arriving[index].as_mut().expect("the partition has a train");
        train.watched = true;
        let (producer, at, sequence) = (train.producer, train.next, train.sequence);
        let broker = placement::leader(partition, self.scenario.cluster.brokers);
        let place = Place::message(producer.0 * self.scenario.cluster.brokers + broker.0, sequence);
        self.queue.push(at, place, Event::Train(partition));
    }

    /// The next batch of a train arrives, and a Fetch may wait for it.
    pub(super) fn on_train(&mut self, partition: TopicPartition) {
        let index = self.cast.index(partition);
        if let Some(train) = &mut self.arriving[index] {
            train.watched = false;
        }
        self.catch_up(partition);
        self.wake_fetches(partition);
        self.watch_train(partition, false);
    }

    /// `batches` batches like this one, each going on where the one before ended.
    fn append(&mut self, producer: ProducerId, partition: TopicPartition, batch: &Batch, delay: Span, batches: u64) {
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

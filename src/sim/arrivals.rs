//! What is on its way to the logs.
//!
//! A producer whose requests become visible in the order in which they are sent needs no events: what has arrived is appended when somebody
//! looks at a log. Only while a Fetch waits for a topic is the next delivery of each of its producers an event. The producers of a topic take
//! turns by arrival, at one instant by connection. Where requests may overtake each other (several brokers), each is an event.

use crate::client::producer::{Batch, Delivery};
use crate::sim::queue::Place;
use crate::sim::{Event, Simulation};
use crate::trace::Created;
use crate::units::{Instant, ProducerId, TopicId, TopicPartition};

/// When something arrives: ties go by connection, and those of producers are older than any consumer's.
type Turn = (Instant, u32);

/// The next delivery of a producer, or what is left of it.
pub struct Coming {
    delivery: Delivery,
    /// Of the producer to the broker.
    connection: u32,
}

impl Coming {
    pub fn new(delivery: Delivery, connection: u32) -> Self {
        Coming { delivery, connection }
    }

    fn turn(&self) -> Turn {
        (self.delivery.visible, self.connection)
    }

    /// How many of its requests arrive before that turn.
    fn arrived_before(&self, (at, connection): Turn) -> u64 {
        if self.turn() >= (at, connection) {
            return 0;
        }
        if self.delivery.repeat == 1 {
            return 1;
        }
        let (since, every) = (at.since(self.delivery.visible).as_nanos(), self.delivery.every.as_nanos());
        let is_in_time = since % every > 0 || self.connection < connection;
        (since / every + u64::from(is_in_time)).min(self.delivery.repeat)
    }
}

/// So many requests of a train are in the log: what is left of it. There is something left.
fn skip(delivery: &mut Delivery, requests: u64) {
    delivery.repeat -= requests;
    delivery.visible += delivery.every.times(requests);
    for batch in &mut delivery.batches {
        match &mut batch.created {
            Created::Even { index, .. } => *index += requests * u64::from(batch.records),
            Created::Listed(_) => unreachable!("only even arrivals make trains"),
        }
    }
}

impl Simulation<'_> {
    /// Appends what has arrived for a topic; to be called before anybody looks at one of its logs.
    pub(super) fn catch_up(&mut self, topic: TopicId) {
        self.catch_up_before(topic, (self.now, u32::MAX));
    }

    fn catch_up_before(&mut self, topic: TopicId, until: Turn) {
        while let Some((first, until)) = self.next_arrival(topic, until) {
            let coming = self.producers[first.index()].coming.as_ref().expect("the first to arrive is on its way");
            let arrived = coming.arrived_before(until);
            self.take_in(first, arrived);
        }
    }

    /// Whose turn is next, if it is before `until`; and until when it is.
    #[inline]
    fn next_arrival(&self, topic: TopicId, until: Turn) -> Option<(ProducerId, Turn)> {
        let mut best = None;
        let (mut first, mut second) = (until, until);
        for producer in &self.writers[topic.index()] {
            let Some(coming) = &self.producers[producer.index()].coming else { continue };
            let turn = coming.turn();
            if turn < first {
                (best, first, second) = (Some(*producer), turn, first);
            } else if turn < second {
                second = turn;
            }
        }
        best.map(|producer| (producer, second))
    }

    /// The next requests of a producer, so many of one train, arrive.
    fn take_in(&mut self, producer: ProducerId, requests: u64) {
        let topic = self.cast.producer_topic[producer.index()];
        let mut coming = self.producers[producer.index()].coming.take().expect("something is on its way");
        for batch in &coming.delivery.batches {
            let delay = coming.delivery.visible.since(batch.created.at(0));
            self.append(producer, TopicPartition { topic, partition: batch.partition }, batch, delay, requests);
        }
        let node = &mut self.producers[producer.index()];
        if requests < coming.delivery.repeat {
            skip(&mut coming.delivery, requests);
            node.coming = Some(coming);
        } else {
            node.producer.recycle(coming.delivery.batches);
            self.prepare_next(producer);
        }
    }

    /// A Fetch waits for a topic: the next delivery of each of its producers is an event.
    pub(super) fn watch_arrivals(&mut self, topic: TopicId) {
        for at in 0..self.writers[topic.index()].len() {
            self.watch_producer(self.writers[topic.index()][at]);
        }
    }

    fn watch_producer(&mut self, producer: ProducerId) {
        let node = &mut self.producers[producer.index()];
        let Some(coming) = node.coming.as_ref().filter(|_| !node.watched) else { return };
        let (at, connection) = coming.turn();
        node.watched = true;
        node.sequence += 1;
        self.queue.push(at, Place::message(connection, node.sequence), Event::Arrival(producer));
    }

    /// A request for which a Fetch may wait arrives.
    pub(super) fn on_arrival(&mut self, producer: ProducerId) {
        let node = &mut self.producers[producer.index()];
        node.watched = false;
        // At the end of the run the others become events of their own.
        let Some(coming) = &node.coming else { return };
        let topic = self.cast.producer_topic[producer.index()];
        let turn = coming.turn();
        let mut partitions = std::mem::take(&mut self.arrived);
        partitions.extend(coming.delivery.batches.iter().map(|batch| TopicPartition { topic, partition: batch.partition }));
        self.catch_up_before(topic, turn);
        self.take_in(producer, 1);
        for partition in partitions.drain(..) {
            self.wake_fetches(partition);
        }
        self.arrived = partitions;
        if self.is_waited_for(topic) {
            self.watch_producer(producer);
        }
    }

    /// The run phase is over: the producer works out all that it has left, and each request becomes an event. How many records it sent.
    pub(super) fn finish_sending(&mut self, producer: ProducerId) -> u64 {
        if let Some(coming) = self.producers[producer.index()].coming.take() {
            self.put_on_the_way(producer, coming.delivery);
        }
        while let Some(delivery) = self.next_delivery(producer) {
            self.put_on_the_way(producer, delivery);
        }
        self.producers[producer.index()].producer.sent()
    }

    /// A request, whose arrival is an event.
    pub(super) fn put_on_the_way(&mut self, producer: ProducerId, delivery: Delivery) -> Place {
        let (at, connection) = (delivery.visible, self.producer_connection(producer, delivery.broker));
        let node = &mut self.producers[producer.index()];
        node.sequence += 1;
        let place = Place::message(connection, node.sequence);
        let slot = node.deliveries.put(delivery);
        self.queue.push(at, place, Event::Append(producer, slot));
        place
    }

    pub(super) fn on_append(&mut self, producer: ProducerId, slot: u32) {
        let mut delivery = self.producers[producer.index()].deliveries.take(slot);
        let topic = self.cast.producer_topic[producer.index()];
        let at = |batch: &Batch| TopicPartition { topic, partition: batch.partition };
        self.catch_up_before(topic, (self.now, self.producer_connection(producer, delivery.broker)));
        for batch in &delivery.batches {
            let delay = delivery.visible.since(batch.created.at(0));
            self.append(producer, at(batch), batch, delay, 1);
        }
        for batch in &delivery.batches {
            self.wake_fetches(at(batch));
        }
        if delivery.repeat > 1 {
            skip(&mut delivery, 1);
            self.put_on_the_way(producer, delivery);
        } else {
            self.producers[producer.index()].producer.recycle(delivery.batches);
        }
    }
}

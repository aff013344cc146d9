//! What is on its way to the logs.
//!
//! A producer whose requests become visible in the order in which they are sent needs no events: what has arrived is appended when somebody
//! looks at a log. Only while a Fetch waits for a topic is the next delivery of each of its producers an event. The producers of a topic take
//! turns by arrival, at one instant by connection. Where requests may overtake each other (several brokers), each is an event.

use crate::client::producer::train::{CONVOY, Train};
use crate::client::producer::{Batch, Delivery};
use crate::sim::queue::Place;
use crate::sim::{Event, Simulation};
use crate::trace::times::Created;
use crate::units::{BrokerId, Instant, ProducerId, TopicId, TopicPartition};

/// When something arrives: ties go by connection, and those of producers are older than any consumer's. One number: one comparison.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Turn(u128);

impl Turn {
    /// After everything that arrives.
    const NEVER: Turn = Turn(u128::MAX);

    fn new(at: Instant, connection: u32) -> Self {
        Turn(u128::from(at.as_nanos()) << 64 | u128::from(connection))
    }

    fn is_never(self) -> bool {
        self.at() == Instant::NEVER
    }

    fn at(self) -> Instant {
        Instant::from_nanos((self.0 >> 64) as u64)
    }

    fn connection(self) -> u32 {
        self.0 as u32
    }
}

/// A producer among those of its topic whose requests arrive in order.
pub struct Writer {
    producer: ProducerId,
    /// Of its next request.
    turn: Turn,
    /// An event for it is under way.
    watched: bool,
}

impl Writer {
    pub fn new(producer: ProducerId) -> Self {
        Writer { producer, turn: Turn::NEVER, watched: false }
    }
}

/// The next delivery of a producer, or what is left of it.
pub struct Coming {
    delivery: Delivery,
    /// Of the producer to the broker.
    connection: u32,
}

impl Coming {
    fn turn(&self) -> Turn {
        Turn::new(self.delivery.visible, self.connection)
    }

    /// How many of its requests arrive before that turn; one does.
    fn arrived_before(&self, until: Turn) -> u64 {
        let Delivery { visible, repeat, every, .. } = self.delivery;
        if Turn::new(visible + every.times(repeat - 1), self.connection) < until {
            return repeat;
        }
        let (since, every) = (until.at().since(visible).as_nanos(), every.as_nanos());
        let is_in_time = !since.is_multiple_of(every) || self.connection < until.connection();
        since / every + u64::from(is_in_time)
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
        self.catch_up_before(topic, Turn::new(self.now, u32::MAX));
    }

    #[inline]
    fn catch_up_before(&mut self, topic: TopicId, until: Turn) {
        // Mostly somebody has looked just before.
        if self.writers[topic.index()].iter().any(|writer| writer.turn < until) {
            self.take_in_before(topic, until);
        }
    }

    #[inline(never)]
    fn take_in_before(&mut self, topic: TopicId, until: Turn) {
        while let Some((first, until)) = self.next_arrival(topic, until) {
            let arrived = self.coming(topic, first).arrived_before(until);
            self.take_in(topic, first, arrived);
            if arrived == self.coming(topic, first).delivery.repeat {
                self.take_in_convoy(topic, first, until);
            }
            self.go_on(topic, first, arrived);
        }
    }

    /// The trains that follow, of a writer of whose delivery nothing is left.
    fn take_in_convoy(&mut self, topic: TopicId, writer: usize, until: Turn) {
        let producer = self.writers[topic.index()][writer].producer;
        let connection = self.producer_connection(producer, BrokerId(0));
        let mut trains = std::mem::take(&mut self.trains);
        loop {
            let node = &mut self.producers[producer.index()];
            let requests = node.producer.convoy(&mut node.draws, |last| Turn::new(last, connection) < until, &mut trains);
            let is_over = trains.len() < CONVOY;
            for Train { batch, visible } in trains.drain(..) {
                self.append(producer, topic, batch, visible, requests);
            }
            if is_over {
                break;
            }
        }
        self.trains = trains;
    }

    /// Whose turn is next among the writers of a topic, if it is before `until`; and until when it is.
    #[inline]
    fn next_arrival(&self, topic: TopicId, until: Turn) -> Option<(usize, Turn)> {
        let mut best = None;
        let (mut first, mut second) = (until, until);
        for (at, writer) in self.writers[topic.index()].iter().enumerate() {
            if writer.turn < first {
                (best, first, second) = (Some(at), writer.turn, first);
            } else if writer.turn < second {
                second = writer.turn;
            }
        }
        best.map(|at| (at, second))
    }

    fn coming(&mut self, topic: TopicId, writer: usize) -> &mut Coming {
        let producer = self.writers[topic.index()][writer].producer;
        self.producers[producer.index()].coming.as_mut().expect("something is on its way")
    }

    /// The next requests of a writer, so many of one train, arrive.
    #[inline(always)]
    fn take_in(&mut self, topic: TopicId, writer: usize, requests: u64) {
        let producer = self.writers[topic.index()][writer].producer;
        let delivery = &self.coming(topic, writer).delivery;
        let visible = delivery.visible;
        for at in 0..delivery.batches.len() {
            let batch = self.coming(topic, writer).delivery.batches[at].clone();
            self.append(producer, topic, batch, visible, requests);
        }
    }

    /// What comes next from a writer whose requests were taken in.
    #[inline(always)]
    fn go_on(&mut self, topic: TopicId, writer: usize, requests: u64) {
        let coming = self.coming(topic, writer);
        if requests < coming.delivery.repeat {
            skip(&mut coming.delivery, requests);
            let turn = coming.turn();
            self.writers[topic.index()][writer].turn = turn;
        } else {
            self.prepare_next(self.writers[topic.index()][writer].producer);
        }
    }

    /// Requests arrive in order: the next one waits until somebody looks.
    pub(super) fn prepare_next(&mut self, producer: ProducerId) {
        let node = &mut self.producers[producer.index()];
        if let Some(Coming { delivery, .. }) = node.coming.take() {
            node.producer.recycle(delivery.batches);
        }
        let coming = self.next_delivery(producer).map(|delivery| {
            let connection = self.producer_connection(producer, delivery.broker);
            Coming { delivery, connection }
        });
        self.writer_of(producer).turn = coming.as_ref().map_or(Turn::NEVER, Coming::turn);
        self.producers[producer.index()].coming = coming;
    }

    fn writer_of(&mut self, producer: ProducerId) -> &mut Writer {
        let topic = self.cast.producer_topic[producer.index()];
        let writer = self.writers[topic.index()].iter_mut().find(|writer| writer.producer == producer);
        writer.expect("it is one of its topic's writers")
    }

    /// A Fetch waits for a topic: the next request of each of its writers is an event.
    pub(super) fn watch_arrivals(&mut self, topic: TopicId) {
        if self.is_each_arrival_an_event(topic) {
            return;
        }
        for at in 0..self.writers[topic.index()].len() {
            self.watch_writer(topic, at);
        }
    }

    pub(super) fn is_each_arrival_an_event(&self, topic: TopicId) -> bool {
        self.unwatched[topic.index()] == 0
    }

    #[inline]
    fn watch_writer(&mut self, topic: TopicId, at: usize) {
        let writer = &mut self.writers[topic.index()][at];
        if !writer.watched && !writer.turn.is_never() {
            writer.watched = true;
            self.unwatched[topic.index()] -= 1;
            let place = Place::message(writer.turn.connection(), 0);
            self.queue.push(writer.turn.at(), place, Event::Arrival(topic, at as u32));
        }
    }

    /// A request for which a Fetch may wait arrives.
    pub(super) fn on_arrival(&mut self, topic: TopicId, at: usize) {
        let writer = &mut self.writers[topic.index()][at];
        writer.watched = false;
        self.unwatched[topic.index()] += 1;
        let Writer { producer, turn, .. } = *writer;
        // At the end of the run the others become events of their own, and who deletes a topic has looked before.
        if turn.at() <= self.now {
            self.catch_up_before(topic, turn);
            let coming = self.producers[producer.index()].coming.as_mut().expect("something is on its way");
            if let [alone] = coming.delivery.batches.as_slice() {
                let batch = alone.clone();
                let goes_on = coming.delivery.repeat > 1;
                if goes_on {
                    skip(&mut coming.delivery, 1);
                    self.writers[topic.index()][at].turn = coming.turn();
                }
                let (partition, size) = (TopicPartition { topic, partition: batch.partition }, (batch.records, batch.bytes));
                self.append(producer, topic, batch, turn.at(), 1);
                self.wake_fetches(partition, Some(size));
                if !goes_on {
                    self.prepare_next(producer);
                }
            } else {
                let partitions: Vec<u32> = coming.delivery.batches.iter().map(|batch| batch.partition).collect();
                self.take_in(topic, at, 1);
                for partition in partitions {
                    self.wake_fetches(TopicPartition { topic, partition }, None);
                }
                self.go_on(topic, at, 1);
            }
        }
        if self.is_waited_for(topic) {
            self.watch_writer(topic, at);
        } else {
            self.unpark_readers(topic);
        }
    }

    /// The producer of a writer, for messages.
    pub(super) fn producer_at(&self, topic: TopicId, at: usize) -> ProducerId {
        self.writers[topic.index()][at].producer
    }

    /// The run phase is over: the producer works out all that it has left, and each request becomes an event. How many records it sent.
    pub(super) fn finish_sending(&mut self, producer: ProducerId) -> u64 {
        if let Some(coming) = self.producers[producer.index()].coming.take() {
            self.writer_of(producer).turn = Turn::NEVER;
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
        self.catch_up_before(topic, Turn::new(self.now, self.producer_connection(producer, delivery.broker)));
        for batch in &delivery.batches {
            self.append(producer, topic, batch.clone(), delivery.visible, 1);
        }
        for batch in &delivery.batches {
            let is_alone = delivery.batches.len() == 1;
            self.wake_fetches(at(batch), is_alone.then_some((batch.records, batch.bytes)));
        }
        if delivery.repeat > 1 {
            skip(&mut delivery, 1);
            self.put_on_the_way(producer, delivery);
        } else {
            self.producers[producer.index()].producer.recycle(delivery.batches);
        }
    }
}

//! Trains: deliveries of one producer to one partition that follow each other in even distances and are alike.
//!
//! They are appended when somebody looks at the log; only while a Fetch waits for them, each is an event. Several producers may have trains
//! to one partition: their batches are appended in the order in which they arrive.

use crate::client::producer::{Batch, Delivery};
use crate::sim::queue::Place;
use crate::sim::{Event, Simulation};
use crate::trace::Created;
use crate::units::{Instant, ProducerId, Span, TopicPartition};

pub struct Train {
    producer: ProducerId,
    /// Of the producer to the broker, and the place of the train's messages on it, for ties.
    connection: u32,
    place: Place,
    /// The first one.
    batch: Batch,
    delay: Span,
    /// How many are in the log.
    appended: u64,
    /// When the next one becomes visible.
    next: Instant,
    every: Span,
    left: u64,
    /// An event for the next one is under way.
    watched: bool,
}

impl Train {
    /// What is left of a delivery when its first batch, this one, is in the log.
    pub fn after_first(producer: ProducerId, connection: u32, place: Place, batch: Batch, delivery: &Delivery) -> Self {
        Train {
            producer,
            connection,
            place,
            delay: delivery.visible.since(batch.created.at(0)),
            batch,
            appended: 1,
            next: delivery.visible + delivery.every,
            every: delivery.every,
            left: delivery.repeat - 1,
            watched: false,
        }
    }

    /// The batch that comes next.
    fn next_batch(&self) -> Batch {
        let created = match &self.batch.created {
            Created::Even { pace, index } => Created::Even { pace: *pace, index: index + self.appended * u64::from(self.batch.records) },
            Created::Listed(_) => unreachable!("only even arrivals make trains"),
        };
        Batch { created, ..self.batch.clone() }
    }

    /// Where the next batch stands in the order of arrival.
    fn turn(&self) -> (Instant, u32) {
        (self.next, self.connection)
    }

    /// How many batches arrive up to and with that turn.
    fn arrived(&self, (moment, connection): (Instant, u32)) -> u64 {
        if (moment, connection) < self.turn() {
            return 0;
        }
        let (whole, rest) =
            (moment.since(self.next).as_nanos() / self.every.as_nanos(), moment.since(self.next).as_nanos() % self.every.as_nanos());
        let last_is_late = rest == 0 && connection < self.connection;
        (whole + u64::from(!last_is_late)).min(self.left)
    }
}

impl Simulation<'_> {
    pub(super) fn put_train(&mut self, partition: TopicPartition, train: Train) {
        let index = self.cast.index(partition);
        self.arriving[index].push(train);
        self.trains += 1;
        // Should it be waited for already, it arrives batch by batch.
        self.watch_trains(partition, false);
    }

    /// Appends what has arrived of the trains of a partition; to be called before anybody looks at its log.
    pub(super) fn catch_up(&mut self, partition: TopicPartition) {
        self.catch_up_to(partition, u32::MAX);
    }

    /// The same as if the message that arrives at this instant on a connection was handled next.
    pub(super) fn catch_up_to(&mut self, partition: TopicPartition, connection: u32) {
        let index = self.cast.index(partition);
        let until = (self.now, connection);
        while let Some(first) = self.first_train(index).filter(|first| self.arriving[index][*first].turn() <= until) {
            let mut train = self.arriving[index].swap_remove(first);
            // Until it is another train's turn.
            let others = self.first_train(index).map(|other| self.arriving[index][other].turn());
            let arrived = train.arrived(others.map_or(until, |turn| turn.min(until)));
            self.append(train.producer, partition, &train.next_batch(), train.delay, arrived);
            train.appended += arrived;
            train.left -= arrived;
            train.next += train.every.times(arrived);
            if train.left > 0 {
                self.arriving[index].push(train);
            } else {
                self.trains -= 1;
            }
        }
    }

    fn first_train(&self, index: usize) -> Option<usize> {
        let trains = &self.arriving[index];
        (0..trains.len()).min_by_key(|at| trains[*at].turn())
    }

    /// If a Fetch waits for a partition on which trains are under way, the next batch of each is an event.
    pub(super) fn watch_trains(&mut self, partition: TopicPartition, waited_for: bool) {
        let index = self.cast.index(partition);
        if self.arriving[index].iter().all(|train| train.watched) || !(waited_for || self.is_waited_for(index)) {
            return;
        }
        for train in self.arriving[index].iter_mut().filter(|train| !train.watched) {
            train.watched = true;
            self.queue.push(train.next, train.place, Event::Train(partition, train.producer));
        }
    }

    /// The next batch of a train arrives, and a Fetch may wait for it.
    pub(super) fn on_train(&mut self, partition: TopicPartition, producer: ProducerId) {
        let index = self.cast.index(partition);
        let Some(train) = self.arriving[index].iter_mut().find(|train| train.producer == producer) else { return };
        train.watched = false;
        let connection = train.connection;
        self.catch_up_to(partition, connection);
        self.wake_fetches(partition);
        self.watch_trains(partition, false);
    }

    /// Whether there is a train that has not yet arrived. Those that nobody looks at come in.
    pub(super) fn has_trains(&mut self) -> bool {
        if self.trains > 0 {
            let partitions: Vec<TopicPartition> = self.cast.all_partitions().collect();
            partitions.into_iter().for_each(|partition| self.catch_up(partition));
        }
        self.trains > 0
    }
}

//! Topics that are created, grow and are deleted.
//!
//! Brokers and coordinators know of it at once; clients when they ask for metadata, or are told that a partition is unknown.
//!
//! Not modelled: auto.create.topics.enable (no request creates a topic, so what is deleted stays away until the timeline creates it again);
//! the time that a change of metadata takes from broker to broker; the delay before the files of a deleted topic are removed. A producer stops
//! and goes on with its topic at once, and what of it was on its way when the topic was deleted is deleted with it, not refused; a real one
//! asks for metadata for max.block.ms and then fails. A topic that is created again is another one for clients too: who has not noticed that it was
//! away rejoins, and does not read on from its old position in the new topic.

use crate::kafka::fetch::{FetchEntry, FetchSession, Fetched};
use crate::kafka::request::Response;
use crate::sim::Simulation;
use crate::sim::fetch::Session;
use crate::sim::network::ConnectionId;
use crate::trace::TraceEvent;
use crate::trace::topics::TopicChange;
use crate::units::{TopicId, TopicPartition};

impl Simulation<'_> {
    pub(super) fn add_partitions(&mut self, topic: TopicId, to: u32) {
        let from = std::mem::replace(&mut self.partitions[topic.index()], to);
        self.emit(TraceEvent::PartitionsAdded { topic, from, to });
        self.publish(topic, to);
    }

    pub(super) fn create_topic(&mut self, topic: TopicId) {
        let partitions = self.scenario.topics[topic.index()].partitions;
        self.partitions[topic.index()] = partitions;
        self.emit(TraceEvent::Topics(TopicChange::Created { topic, partitions }));
        self.publish(topic, partitions);
    }

    fn publish(&mut self, topic: TopicId, partitions: u32) {
        for coordinator in &mut self.coordinators {
            coordinator.on_topic_image(topic, partitions);
        }
    }

    /// Its records are gone and what was committed for it; Fetches that wait for it are answered.
    pub(super) fn delete_topic(&mut self, topic: TopicId) {
        self.catch_up(topic);
        let partitions = std::mem::take(&mut self.partitions[topic.index()]);
        let mut waiting: Vec<ConnectionId> = Vec::new();
        for partition in (0..partitions).map(|partition| TopicPartition { topic, partition }) {
            self.tell_appended(partition);
            waiting.extend(&self.watchers[self.cast.index(partition)]);
        }
        self.emit(TraceEvent::Topics(TopicChange::Deleted { topic }));
        for shard in 0..self.coordinators.len() {
            self.coordinators[shard].on_topic_deleted(self.now, topic, &mut self.coordinator_fx);
            self.after_coordinator(shard as u32);
        }
        waiting.sort_unstable();
        waiting.dedup();
        for connection in waiting {
            self.answer_waiting(connection);
        }
    }

    fn answer_waiting(&mut self, connection: ConnectionId) {
        let Some(session) = &self.sessions[connection.0 as usize] else { return };
        if session.fetch.parked_until().is_some() {
            let entries = session.fetch.entries().iter().map(|entry| FetchEntry { partition: entry.partition, from: entry.from });
            let (number, entries) = (session.number, entries.collect::<Vec<_>>());
            self.refuse_unknown(connection, number, &entries);
        }
    }

    /// Whether a Fetch asks for what does not exist any more.
    pub(in crate::sim) fn asks_for_unknown(&self, entries: &[FetchEntry]) -> bool {
        self.topics_vanish && entries.iter().any(|entry| !self.exists(entry.partition))
    }

    pub(in crate::sim) fn exists(&self, partition: TopicPartition) -> bool {
        partition.partition < self.partitions[partition.topic.index()]
    }

    /// Answers a Fetch at once: with what there is, and with an error for each partition that does not exist.
    pub(in crate::sim) fn refuse_unknown(&mut self, connection: ConnectionId, number: u32, entries: &[FetchEntry]) {
        let (known, unknown): (Vec<FetchEntry>, Vec<FetchEntry>) = entries.iter().partition(|entry| self.exists(entry.partition));
        self.drop_session(connection);
        let client = self.connections[connection.0 as usize].client;
        let mut fetch = FetchSession::new(self.setups[client.index()].consumer.limits);
        fetch.update(&known, &self.cast);
        known.iter().for_each(|entry| self.catch_up(entry.partition.topic));
        let mut records: Vec<Fetched> = Vec::new();
        fetch.expire(&self.logs, &mut records);
        self.sessions[connection.0 as usize] = Some(Session::new(fetch, number));
        self.watch_session(connection, &known);
        for fetched in &records {
            self.tell_appended(fetched.partition);
        }
        let unknown = unknown.into_iter().map(|entry| entry.partition).collect();
        self.answer(connection, Response::FetchedSome { number, records, unknown });
    }
}

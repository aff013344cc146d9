//! Brokers: requests in, answers out; parked Fetches; the coordinators' shards.

use crate::kafka::coordinator::shard::Ticket;
use crate::kafka::coordinator::timers::CoordinatorTimer;
use crate::kafka::fetch::{FetchEntry, FetchSession, Fetched, SessionEntry};
use crate::kafka::request::{Metadata, Request, Response};
use crate::sim::network::{ConnectionId, Message};
use crate::sim::{Event, Session, Simulation};
use crate::terms::ErrorCode;
use crate::units::{Offset, Span, TopicId, TopicPartition};

impl Simulation<'_> {
    /// A request reached its broker.
    pub(super) fn on_request(&mut self, connection: ConnectionId, request: Request) {
        let link = &mut self.connections[connection.0 as usize];
        if link.dead {
            return;
        }
        if link.is_read_at_once() {
            self.handle(connection, request);
        } else {
            link.keep_waiting(request);
        }
    }

    /// What a process sent before it closed the connection, or died, is handled like everything else; only, nobody gets the answer.
    fn handle(&mut self, connection: ConnectionId, request: Request) {
        let link = &self.connections[connection.0 as usize];
        if !link.open && !matches!(request, Request::Group { .. }) {
            return;
        }
        let client = link.client;
        let group = self.cast.client_group[client.index()];
        let always_leads = self.leadership.is_fixed() && !self.topics_vanish;
        if !always_leads && !self.leads_all(connection, &request) {
            self.answer(connection, Response::NotLeader(request.kind()));
            return;
        }
        match request {
            Request::FindCoordinator => self.answer(connection, Response::Coordinator(self.coordinator_of(group))),
            Request::Metadata => self.answer(connection, Response::Metadata(self.metadata())),
            Request::Group { number, request } => {
                if self.coordinator_of(group) != Some(self.connections[connection.0 as usize].broker) {
                    let response = Box::new(request.refusal(ErrorCode::NotCoordinator));
                    self.answer(connection, Response::Group { number, response });
                    return;
                }
                let shard = self.shards[group.index()];
                let ticket = Ticket(u64::from(number) << 32 | u64::from(connection.0));
                self.coordinators[shard as usize].on_request(self.now, ticket, group, *request, &mut self.coordinator_fx);
                self.after_coordinator(shard);
            }
            Request::Fetch { number, entries } => {
                self.on_fetch(connection, number, &entries);
                if let Some(consumer) = &mut self.clients[client.index()].consumer {
                    consumer.recycle(entries);
                }
            }
            Request::ListOffsets { latest, partitions } => {
                let offsets = partitions.iter().map(|partition| (*partition, self.list_offset(*partition, latest))).collect();
                self.answer(connection, Response::Offsets { latest, offsets });
            }
            Request::OffsetsForLeaderEpoch { partitions } => self.answer(connection, Response::EpochsValid(partitions)),
            Request::CloseFetchSession => {
                self.drop_session(connection);
                self.answer(connection, Response::FetchSessionClosed);
            }
        }
    }

    /// The answer leaves, and the broker reads what has waited behind the request.
    #[inline(always)]
    pub(super) fn answer(&mut self, connection: ConnectionId, response: Response) {
        let link = &mut self.connections[connection.0 as usize];
        if link.dead {
            return;
        }
        let next = link.unmute();
        if link.open {
            self.put_on_the_wire(connection, Message::Response(response), Span::ZERO);
        }
        // Thousands may lie there, each answered at once: one after the other, not one within the other.
        if let Some(request) = next {
            self.unmuted.push_back((connection, request));
        }
    }

    /// Brokers read on where they have answered.
    pub(super) fn read_on(&mut self) {
        while let Some((connection, request)) = self.unmuted.pop_front() {
            self.handle(connection, request);
        }
    }

    /// Where a consumer's connection stands in the order of creation: behind the producers'.
    pub(super) fn place_of(&self, connection: ConnectionId) -> u32 {
        self.producers.len() as u32 * self.scenario.cluster.brokers + connection.0
    }

    /// What any broker knows of the cluster.
    pub(super) fn metadata(&self) -> Metadata {
        let mut moved = Vec::new();
        if !self.leadership.is_fixed() {
            let all = self.cast.all_partitions().filter(|at| !self.leadership.of_partition(self.cast.index(*at)).is_empty());
            moved.extend(all.map(|at| (at, self.leader_of(at))));
        }
        Metadata { counts: self.partitions.clone(), moved }
    }

    /// Whether the broker leads what it is asked for.
    fn leads_all(&self, connection: ConnectionId, request: &Request) -> bool {
        let broker = Some(self.connections[connection.0 as usize].broker);
        match request {
            Request::Fetch { entries, .. } => {
                entries.iter().all(|entry| !self.exists(entry.partition) || self.leader_of(entry.partition) == broker)
            }
            Request::ListOffsets { partitions, .. } | Request::OffsetsForLeaderEpoch { partitions } => {
                partitions.iter().all(|partition| self.exists(*partition) && self.leader_of(*partition) == broker)
            }
            Request::FindCoordinator | Request::Metadata | Request::Group { .. } | Request::CloseFetchSession => true,
        }
    }

    fn list_offset(&mut self, partition: TopicPartition, latest: bool) -> Offset {
        if !latest {
            return Offset(0);
        }
        self.catch_up(partition.topic);
        self.tell_appended(partition);
        self.logs[self.cast.index(partition)].high_watermark()
    }

    // --- Fetch ----------------------------------------------------------------------------------------------------------------------

    fn on_fetch(&mut self, connection: ConnectionId, number: u32, entries: &[FetchEntry]) {
        if self.asks_for_unknown(entries) {
            self.refuse_unknown(connection, number, entries);
            return;
        }
        let place = connection.0 as usize;
        if self.sessions[place].is_none() {
            let client = self.connections[place].client;
            let fetch = FetchSession::new(self.setups[client.index()].consumer.limits);
            self.sessions[place] = Some(Session { fetch, number, watched: Vec::new(), topics: Vec::new(), wake: None });
        }
        let session = self.sessions[place].as_mut().expect("the session is open");
        session.number = number;
        if session.fetch.update(entries, &self.cast) {
            self.watch_session(connection, entries);
        }
        self.each_topic_of(place, Self::catch_up);
        let mut records = self.spare_records.pop().unwrap_or_default();
        records.clear();
        let session = self.sessions[place].as_mut().expect("the session is open");
        session.fetch.read_or_park(self.now, &self.logs, &mut records);
        let Some(until) = session.fetch.parked_until() else {
            self.answer_fetch(connection, number, records);
            return;
        };
        self.spare_records.push(records);
        if session.wake.is_none_or(|wake| wake > until) {
            session.wake = Some(until);
            self.queue.push_timer(until, Event::FetchWait(connection));
        }
        self.each_topic_of(place, Self::watch_arrivals);
    }

    fn each_topic_of(&mut self, session: usize, mut visit: impl FnMut(&mut Self, TopicId)) {
        let mut at = 0;
        while let Some(topic) = self.sessions[session].as_ref().and_then(|session| session.topics.get(at)) {
            visit(self, *topic);
            at += 1;
        }
    }

    /// The session has other partitions, those that a Fetch names: appends to these are looked at.
    pub(super) fn watch_session(&mut self, connection: ConnectionId, entries: &[FetchEntry]) {
        self.forget_watches(connection);
        let Some(session) = &mut self.sessions[connection.0 as usize] else { return };
        session.topics.clear();
        session.topics.extend(topics(entries));
        for SessionEntry { partition, index, .. } in session.fetch.entries() {
            session.watched.push(*partition);
            self.watchers[*index].push(connection);
            let readers = &mut self.readers[partition.topic.index()];
            if !readers.contains(&connection) {
                readers.push(connection);
            }
        }
    }

    fn forget_watches(&mut self, connection: ConnectionId) {
        let Some(session) = &mut self.sessions[connection.0 as usize] else { return };
        for partition in session.watched.drain(..) {
            self.watchers[self.cast.index(partition)].retain(|other| *other != connection);
            self.readers[partition.topic.index()].retain(|other| *other != connection);
        }
    }

    #[inline]
    fn answer_fetch(&mut self, connection: ConnectionId, number: u32, records: Vec<Fetched>) {
        for fetched in &records {
            self.tell_appended(fetched.partition);
        }
        self.answer(connection, Response::Fetched { number, records });
    }

    /// Whether some Fetch waits for records of a topic.
    pub(super) fn is_waited_for(&self, topic: TopicId) -> bool {
        self.readers[topic.index()].iter().any(|connection| {
            let session = self.sessions[connection.0 as usize].as_ref();
            session.is_some_and(|session| session.fetch.parked_until().is_some())
        })
    }

    /// Records became visible: waiting Fetches that ask for them may have enough.
    ///
    /// `alone`: no others did since the last time that they were looked at.
    pub(super) fn wake_fetches(&mut self, partition: TopicPartition, alone: bool) {
        let index = self.cast.index(partition);
        let mut at = 0;
        while let Some(&connection) = self.watchers[index].get(at) {
            let session = self.sessions[connection.0 as usize].as_mut().expect("a watcher has a session");
            if session.fetch.parked_until().is_some() {
                let number = session.number;
                let mut records = self.spare_records.pop().unwrap_or_default();
                records.clear();
                if session.fetch.try_complete(alone.then_some(index), &self.logs, &mut records) {
                    self.answer_fetch(connection, number, records);
                } else {
                    self.spare_records.push(records);
                }
            }
            if self.watchers[index].get(at) == Some(&connection) {
                at += 1;
            }
        }
    }

    pub(super) fn on_fetch_wait(&mut self, connection: ConnectionId) {
        let Some(session) = self.sessions[connection.0 as usize].as_mut() else { return };
        if session.wake.is_some_and(|wake| wake <= self.now) {
            session.wake = None;
        }
        let Some(until) = session.fetch.parked_until() else { return };
        if until > self.now {
            if session.wake.is_none() {
                session.wake = Some(until);
                self.queue.push_timer(until, Event::FetchWait(connection));
            }
            return;
        }
        let number = session.number;
        let mut records = self.spare_records.pop().unwrap_or_default();
        records.clear();
        session.fetch.expire(&self.logs, &mut records);
        self.answer_fetch(connection, number, records);
    }

    /// The connection's fetch session ends.
    pub(super) fn drop_session(&mut self, connection: ConnectionId) {
        self.forget_watches(connection);
        self.sessions[connection.0 as usize] = None;
    }

    // --- Coordinators ---------------------------------------------------------------------------------------------------------------

    pub(super) fn on_coordinator_timer(&mut self, shard: u32, timer: CoordinatorTimer) {
        self.coordinators[shard as usize].on_timer(self.now, timer, &mut self.coordinator_fx);
        self.after_coordinator(shard);
    }

    pub(super) fn after_coordinator(&mut self, shard: u32) {
        self.consumer_fx.facts.append(&mut self.coordinator_fx.facts);
        for (at, timer) in self.coordinator_fx.wakes.drain(..) {
            let slot = self.coordinator_timers.put((shard, timer));
            // What has fallen due already, such as expiry checks closer together than requests, is looked at once.
            self.queue.push_timer(at.max(self.now), Event::Coordinator(slot));
        }
        let answers = std::mem::take(&mut self.coordinator_fx.sends);
        for answer in answers {
            let Ticket(ticket) = answer.ticket;
            let (number, connection) = ((ticket >> 32) as u32, ConnectionId(ticket as u32));
            self.answer(connection, Response::Group { number, response: Box::new(answer.response) });
        }
    }
}

/// The topics of a Fetch, each once if its partitions stand together.
fn topics(entries: &[FetchEntry]) -> impl Iterator<Item = TopicId> {
    let mut last = None;
    entries.iter().map(|entry| entry.partition.topic).filter(move |topic| last.replace(*topic) != Some(*topic))
}

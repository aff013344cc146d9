//! Fetches: how they travel, and what a broker does with them while they wait.
//!
//! Nothing is as frequent, so in a run in which no network is cut, no broker dies and no topic goes, a Fetch and its answer stay in the
//! [`Exchange`] of their connection and only their arrivals are events. And of a Fetch that will have to wait at its broker not even that: it is
//! parked there ahead of its arrival, which becomes an event after all if something is appended for it, or its wake-up falls due, before.

use crate::kafka::fetch::{Alone, FetchEntry, FetchSession, Fetched, SessionEntry};
use crate::kafka::request::{Request, Response, To};
use crate::scenario::{Scenario, Verb};
use crate::sim::fault::Held;
use crate::sim::network::ConnectionId;
use crate::sim::queue::Place;
use crate::sim::{Event, Simulation};
use crate::units::{BrokerId, ClientId, Instant, TopicId, TopicPartition};

/// A fetch session, and where it is registered for appends.
pub struct Session {
    pub fetch: FetchSession,
    /// Of the Fetch in hand.
    pub number: u32,
    watched: Vec<TopicPartition>,
    /// Their topics.
    topics: Vec<TopicId>,
    /// The earliest wake-up that is under way.
    wake: Option<Instant>,
    /// The Fetch that is parked was still on its way when that was done: when it arrives, and where among the events of that nanosecond.
    ahead: Option<(Instant, Place)>,
}

impl Session {
    pub fn new(fetch: FetchSession, number: u32) -> Self {
        Session { fetch, number, watched: Vec::new(), topics: Vec::new(), wake: None, ahead: None }
    }

    /// The parked Fetch has not arrived yet, or not before what arrives from producers in this nanosecond: when and where it will. It is not
    /// parked ahead any more, be it that it has arrived meanwhile.
    fn still_coming(&mut self, now: Instant) -> Option<(Instant, Place)> {
        self.ahead.take().filter(|(arrives, _)| now <= *arrives)
    }
}

/// A Fetch and an answer on their way on a connection, one of each at most; others are messages.
#[derive(Debug, Default)]
pub struct Exchange {
    /// Number and partitions of the Fetch, until it is answered or kept waiting.
    asked: Option<u32>,
    entries: Vec<FetchEntry>,
    /// It asks for what its session has; the entries say nothing.
    is_known: bool,
    /// Number and records of the answer, until it arrives.
    answered: Option<u32>,
    records: Vec<Fetched>,
}

/// Whether requests may be lost, or answered by anybody but who was asked, in this scenario.
pub fn may_be_disturbed(scenario: &Scenario) -> bool {
    scenario.timeline.iter().any(|entry| match entry.verb {
        Verb::Disconnect { .. } | Verb::Disturb { .. } | Verb::BrokerDown { .. } | Verb::DeleteTopic(_) => true,
        Verb::Crash(_)
        | Verb::Start { .. }
        | Verb::Stop(_)
        | Verb::Pause { .. }
        | Verb::Slow { .. }
        | Verb::Rate { .. }
        | Verb::Partitions { .. }
        | Verb::CreateTopic(_)
        | Verb::Subscribe { .. }
        | Verb::GroupConfig { .. }
        | Verb::Scale { .. }
        | Verb::RollingRestart { .. } => false,
    })
}

impl Simulation<'_> {
    // --- on the way -------------------------------------------------------------------------------------------------------------------

    /// A client sends a Fetch.
    pub(super) fn send_fetch(&mut self, client: ClientId, broker: BrokerId, number: u32, entries: Vec<FetchEntry>) {
        let connection = self.connect(client, To::Broker(broker));
        let index = connection.0 as usize;
        let link = &mut self.connections[index];
        if self.may_be_disturbed || link.exchange.asked.is_some() {
            self.send(client, To::Broker(broker), Request::Fetch { number, entries });
            return;
        }
        // While another one may change what the session has, that has to wait.
        let session = self.sessions[index].as_mut().filter(|session| link.is_quiet(self.now) && session.fetch.parked_until().is_none());
        let is_known = session.is_some_and(|session| session.fetch.names(&entries));
        let before = std::mem::replace(&mut link.exchange.entries, entries);
        if let Some(consumer) = &mut self.clients[client.index()].consumer {
            consumer.recycle(before);
        }
        self.put_fetch_on_the_wire(connection, number, is_known);
    }

    /// The Fetch in the exchange leaves. `is_known`: it asks for what its session has.
    fn put_fetch_on_the_wire(&mut self, connection: ConnectionId, number: u32, is_known: bool) {
        let place = self.place_of(connection);
        let link = &mut self.connections[connection.0 as usize];
        let is_alone = link.is_quiet(self.now);
        let (at, sequence) = link.send(self.now);
        let place = Place::message(place, sequence);
        link.exchange.asked = Some(number);
        link.exchange.is_known = is_known;
        if !(is_known && is_alone && self.park_ahead(connection, at, place)) {
            self.queue.push(at, place, Event::FetchArrives(connection));
        }
    }

    /// Parks a Fetch that is going to arrive then and there, if it will find nothing and nobody has to do anything for it then: a wake-up is
    /// under way, and each arrival is an event anyway, so that nothing has arrived that is not in the log.
    fn park_ahead(&mut self, connection: ConnectionId, at: Instant, place: Place) -> bool {
        let index = connection.0 as usize;
        if !self.is_watched(index) {
            return false;
        }
        let link = &mut self.connections[index];
        let (Some(session), Some(number)) = (&mut self.sessions[index], link.exchange.asked) else { return false };
        if session.wake.is_none() || !session.fetch.park_unread(at, &self.logs) {
            return false;
        }
        session.number = number;
        session.ahead = Some((at, place));
        link.is_read_at_once();
        true
    }

    /// Whether all that arrives for the topics of a session is an event anyway.
    fn is_watched(&self, session: usize) -> bool {
        self.sessions[session].as_ref().is_some_and(|session| session.topics.iter().all(|topic| self.is_each_arrival_an_event(*topic)))
    }

    /// A Fetch that was parked ahead of its arrival is on its way again.
    fn unpark(&mut self, connection: ConnectionId, at: Instant, place: Place) {
        if let Some(session) = &mut self.sessions[connection.0 as usize] {
            session.ahead = None;
            session.fetch.cancel();
        }
        self.connections[connection.0 as usize].unmute();
        self.queue.push(at, place, Event::FetchArrives(connection));
    }

    pub(super) fn on_fetch_arrives(&mut self, connection: ConnectionId) {
        let index = connection.0 as usize;
        let link = &mut self.connections[index];
        let Some(number) = link.exchange.asked.filter(|_| link.open) else { return };
        let mut entries = std::mem::take(&mut link.exchange.entries);
        if !link.is_read_at_once() {
            link.exchange.asked = None;
            if link.exchange.is_known
                && let Some(session) = &self.sessions[index]
            {
                session.fetch.wanted(&mut entries);
            }
            link.keep_waiting(Request::Fetch { number, entries });
            return;
        }
        if link.exchange.is_known {
            self.read_for_fetch(connection, number);
        } else {
            self.on_fetch(connection, number, &entries);
        }
        self.connections[index].exchange.entries = entries;
    }

    /// The answer to a Fetch leaves.
    #[inline]
    fn answer_fetch(&mut self, connection: ConnectionId, number: u32, records: Vec<Fetched>) {
        for fetched in &records {
            self.tell_appended(fetched.partition);
        }
        let link = &mut self.connections[connection.0 as usize];
        link.exchange.asked = None;
        if self.may_be_disturbed || link.exchange.answered.is_some() || !link.open {
            self.answer(connection, Response::Fetched { number, records });
            return;
        }
        link.exchange.answered = Some(number);
        link.exchange.records = records;
        let (at, sequence) = link.answer(self.now);
        if let Some(request) = link.unmute() {
            self.unmuted.push_back((connection, request));
        }
        self.queue.push(at, Place::message(self.place_of(connection), sequence), Event::RecordsArrive(connection));
    }

    pub(super) fn on_records_arrive(&mut self, connection: ConnectionId) {
        let exchange = &mut self.connections[connection.0 as usize].exchange;
        let records = std::mem::take(&mut exchange.records);
        if let Some(number) = exchange.answered.take() {
            self.hand_over(connection, number, records);
        }
    }

    /// A client gets the answer to a Fetch.
    #[inline]
    pub(super) fn hand_over(&mut self, connection: ConnectionId, number: u32, records: Vec<Fetched>) {
        let link = &self.connections[connection.0 as usize];
        if !link.open {
            return;
        }
        let (client, from) = (link.client, link.peer.as_to());
        let slot = &mut self.clients[client.index()];
        let Some(consumer) = &mut slot.consumer else { return };
        if let Some(frozen) = &mut slot.frozen {
            frozen.held.push(Held::Response(connection, Response::Fetched { number, records }));
            return;
        }
        if let ([fetched], To::Broker(broker)) = (records.as_slice(), from)
            && !self.may_be_disturbed
            && !self.faults.is_rolling()
            && link.exchange.asked.is_none()
            && let Some(next) = consumer.go_round(self.now, broker, number, fetched, &mut self.consumer_fx)
        {
            self.arm_wakes(client);
            self.fetch_on(connection, next, fetched);
        } else {
            consumer.on_fetched(self.now, from, number, &records, &mut self.consumer_fx);
            self.after_client(client);
        }
        self.spare_records.push(records);
    }

    /// A client goes on behind the records that it got, and else as before.
    #[inline]
    fn fetch_on(&mut self, connection: ConnectionId, number: u32, fetched: &Fetched) {
        let index = connection.0 as usize;
        let session = self.sessions[index].as_mut().expect("its Fetch was answered");
        session.fetch.go_on_behind(fetched);
        self.put_fetch_on_the_wire(connection, number, true);
    }

    // --- at the broker ----------------------------------------------------------------------------------------------------------------

    /// A Fetch arrived.
    pub(super) fn on_fetch(&mut self, connection: ConnectionId, number: u32, entries: &[FetchEntry]) {
        if self.asks_for_unknown(entries) {
            self.refuse_unknown(connection, number, entries);
            return;
        }
        let place = connection.0 as usize;
        if self.sessions[place].is_none() {
            let client = self.connections[place].client;
            let fetch = FetchSession::new(self.setups[client.index()].consumer.limits);
            self.sessions[place] = Some(Session::new(fetch, number));
        }
        let session = self.sessions[place].as_mut().expect("the session is open");
        if session.fetch.update(entries, &self.cast) {
            self.watch_session(connection, entries);
        }
        self.read_for_fetch(connection, number);
    }

    /// A Fetch for what its session has arrived: it is answered, or waits.
    fn read_for_fetch(&mut self, connection: ConnectionId, number: u32) {
        let place = connection.0 as usize;
        self.each_topic_of(place, Self::catch_up);
        let mut records = self.spare_records.pop().unwrap_or_default();
        records.clear();
        let session = self.sessions[place].as_mut().expect("the session is open");
        session.number = number;
        session.ahead = None;
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

    /// Whether some Fetch waits for records of a topic; one that is still on its way does not.
    pub(super) fn is_waited_for(&self, topic: TopicId) -> bool {
        self.readers[topic.index()].iter().any(|connection| {
            let session = self.sessions[connection.0 as usize].as_ref();
            session.is_some_and(|session| {
                session.fetch.parked_until().is_some() && session.ahead.is_none_or(|(arrives, _)| arrives < self.now)
            })
        })
    }

    /// Arrivals of a topic cease to be events: a Fetch that counted on them is on its way again.
    pub(super) fn unpark_readers(&mut self, topic: TopicId) {
        for at in 0..self.readers[topic.index()].len() {
            let connection = self.readers[topic.index()][at];
            let session = self.sessions[connection.0 as usize].as_mut();
            if let Some((arrives, place)) = session.and_then(|session| session.still_coming(self.now)) {
                self.unpark(connection, arrives, place);
            }
        }
    }

    /// Records became visible: waiting Fetches that ask for them may have enough.
    ///
    /// `alone`: records and bytes of their batch, if no others did since the last time that they were looked at.
    pub(super) fn wake_fetches(&mut self, partition: TopicPartition, alone: Option<(u32, u32)>) {
        let index = self.cast.index(partition);
        let alone = alone.map(|(records, bytes)| Alone { index, records, bytes });
        let mut at = 0;
        while let Some(&connection) = self.watchers[index].get(at) {
            let session = self.sessions[connection.0 as usize].as_mut().expect("a watcher has a session");
            if let Some((arrives, place)) = session.still_coming(self.now) {
                self.unpark(connection, arrives, place);
            } else if session.fetch.parked_until().is_some() {
                let number = session.number;
                let mut records = self.spare_records.pop().unwrap_or_default();
                records.clear();
                if session.fetch.try_complete(alone, &self.logs, &mut records) {
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
        // Messages come before timers.
        if let Some((arrives, place)) = session.still_coming(self.now).filter(|(arrives, _)| self.now < *arrives) {
            self.unpark(connection, arrives, place);
            return;
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
}

/// The topics of a Fetch, each once if its partitions stand together.
fn topics(entries: &[FetchEntry]) -> impl Iterator<Item = TopicId> {
    let mut last = None;
    entries.iter().map(|entry| entry.partition.topic).filter(move |topic| last.replace(*topic) != Some(*topic))
}

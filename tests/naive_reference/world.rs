//! The loop: what happens when, and the tie rule: at one nanosecond the timeline, then messages by connection and number, then timers in the
//! order in which they were set, then the steps of applications.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use groupsim::scenario::{Scenario, Verb, WriteLatency};
use groupsim::sim::rng::sampler::Sampler;
use groupsim::sim::rng::stream;
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::accumulator::{Arrival, arrivals};
use crate::books::Books;
use crate::broker::{Log, Session};
use crate::consumer::{Consumer, Wake};
use crate::coordinator::{Group, GroupTimer};
use crate::process::{Frozen, Held};
use crate::work::Service;

/// Topic and partition.
pub type Tp = (u32, u32);

pub fn leader(topic: u32, partition: u32, brokers: u32) -> u32 {
    (topic + partition) % brokers
}

#[derive(Clone, Debug)]
pub enum Request {
    FindCoordinator,
    /// With the member id, or without.
    Join(bool),
    Sync,
    Heartbeat,
    Commit(Vec<(Tp, u64)>),
    OffsetFetch(Vec<Tp>),
    Leave,
    Fetch(Vec<(Tp, u64)>),
    ListOffsets(Vec<Tp>),
    Validate(Vec<Tp>),
    CloseSession,
}

#[derive(Clone, Debug)]
pub enum Answer {
    Coordinator,
    MemberIdRequired,
    Joined,
    Synced,
    Heartbeat,
    Committed,
    Offsets(Vec<(Tp, Option<u64>)>),
    Left,
    Fetched(Vec<(Tp, u64, u64)>),
    Listed(Vec<(Tp, u64)>),
    Valid(Vec<Tp>),
    SessionClosed,
}

/// One connection of one life of a process; peer 0 is the coordinator, 1 and more the brokers.
pub struct Connection {
    pub group: usize,
    pub life: u32,
    pub peer: usize,
    pub open: bool,
    draws: ChaCha8Rng,
    numbers: u64,
    arrived_there: u64,
    arrived_here: u64,
    /// The broker is at a request and reads no other.
    pub busy: bool,
    pub waiting: Vec<Request>,
    pub session: Option<Session>,
}

#[derive(Clone, Debug)]
enum Event {
    Verb(usize),
    Start(usize),
    Append(usize),
    Request(usize, Request),
    Answer(usize, Answer),
    FetchWait(usize, u32),
    Group(usize, GroupTimer),
    Thaw(usize),
    Wake(usize, u32, Wake),
}

type Turn = (u64, u8, u64, u64);

pub struct World<'a> {
    pub scenario: &'a Scenario,
    pub seed: u64,
    pub now: u64,
    heap: BinaryHeap<Reverse<(Turn, usize)>>,
    events: Vec<Option<Event>>,
    timers: u64,
    latency: Sampler,
    arrivals: Vec<(u32, Arrival)>,
    appends_left: usize,
    /// By topic and partition.
    pub logs: Vec<Vec<Log>>,
    pub connections: Vec<Connection>,
    pub groups: Vec<Group>,
    /// By group: the life of its process, if it runs.
    pub consumers: Vec<Option<Consumer>>,
    pub lives: Vec<u32>,
    /// By group: since when its process stands still, and what waits for it.
    pub frozen: Vec<Option<Frozen>>,
    pub services: Vec<Service>,
    pub books: Books,
}

impl<'a> World<'a> {
    pub fn new(scenario: &'a Scenario, seed: u64) -> Self {
        let logs: Vec<Vec<Log>> = scenario.topics.iter().map(|topic| vec![Log::default(); topic.partitions as usize]).collect();
        let groups = scenario.groups.len();
        let mut world = World {
            scenario,
            seed,
            now: 0,
            heap: BinaryHeap::new(),
            events: Vec::new(),
            timers: 0,
            latency: Sampler::new(&scenario.cluster.latency),
            arrivals: Vec::new(),
            appends_left: 0,
            logs,
            connections: Vec::new(),
            groups: (0..groups).map(|_| Group::default()).collect(),
            consumers: (0..groups).map(|_| None).collect(),
            lives: vec![0; groups],
            frozen: (0..groups).map(|_| None).collect(),
            services: Vec::new(),
            books: Books::new(scenario),
        };
        for (group, client) in scenario.clients.iter().enumerate() {
            let service = Service::new(scenario, client, seed, &world.subscribed(group));
            world.services.push(service);
        }
        world.plan();
        world
    }

    fn plan(&mut self) {
        for (entry, verb) in self.scenario.timeline.iter().enumerate() {
            self.push((verb.at.as_nanos(), 0, entry as u64, 0), Event::Verb(entry));
        }
        let behind = self.scenario.timeline.len() as u64;
        for (at, client) in self.scenario.clients.iter().enumerate() {
            let start = client.start.expect("every member starts by itself").as_nanos();
            self.push((start, 0, behind + at as u64, 0), Event::Start(client.group.index()));
        }
        for (at, producer) in self.scenario.producers.iter().enumerate() {
            let replication = self.replication(self.scenario.topics[producer.topic.index()].replication_factor);
            let (sent, requests) = arrivals(self.scenario, producer, self.seed, replication);
            self.books.sent[at] = sent;
            for request in requests {
                let connection = u64::from(at as u32 * self.scenario.cluster.brokers + request.broker);
                self.push((request.visible, 1, connection, request.number), Event::Append(self.arrivals.len()));
                self.arrivals.push((producer.topic.0, request));
            }
        }
        self.appends_left = self.arrivals.len();
    }

    /// From an append to the high watermark: a round trip between brokers, in the middle of its distribution.
    fn replication(&self, replicas: u32) -> u64 {
        if replicas > 1 { 2 * self.latency.at(u64::MAX / 2).as_nanos() } else { 0 }
    }

    /// From a write of the coordinator to its flush, and from there to its answer.
    pub fn write_takes(&self) -> (u64, u64) {
        match self.scenario.cluster.write_latency {
            WriteLatency::Fixed(span) => (0, span.as_nanos()),
            WriteLatency::Auto => {
                (self.scenario.cluster.config.append_linger.as_nanos(), self.replication(self.scenario.cluster.brokers.min(3)))
            }
        }
    }

    fn push(&mut self, turn: Turn, event: Event) {
        self.heap.push(Reverse((turn, self.events.len())));
        self.events.push(Some(event));
    }

    fn push_timer(&mut self, at: u64, class: u8, event: Event) {
        self.timers += 1;
        self.push((at.max(self.now), class, self.timers, 0), event);
    }

    /// The end of both phases, with everything written down.
    pub fn run(mut self) -> Books {
        let run_end = self.scenario.duration.as_nanos();
        self.advance(run_end, false);
        self.books.run_end = run_end;
        (0..self.groups.len()).for_each(|group| self.thaw(group));
        let bound = run_end + self.scenario.settle.as_nanos();
        if bound > run_end {
            self.advance(bound, true);
        }
        self.books.drained = self.is_drained();
        self.books.end = self.now;
        for group in 0..self.groups.len() {
            self.finish_work(group, self.now);
            let in_hand = self.consumers[group].iter().flat_map(|me| &me.batch[me.done.min(me.batch.len())..]);
            self.books.in_hand.push(in_hand.copied().collect());
        }
        for (topic, logs) in self.logs.iter().enumerate() {
            for (partition, log) in logs.iter().enumerate() {
                self.books.records.insert((topic as u32, partition as u32), log.records.clone());
            }
        }
        self.books
    }

    fn advance(&mut self, end: u64, until_drained: bool) {
        while let Some(Reverse(((at, ..), _))) = self.heap.peek()
            && *at <= end
        {
            if until_drained && self.is_drained() {
                return;
            }
            let Reverse(((at, ..), number)) = self.heap.pop().expect("there is a next event");
            assert!(at >= self.now, "time runs forward");
            self.now = at;
            let event = self.events[number].take().expect("each event happens once");
            self.handle(event);
        }
        if !until_drained || !self.is_drained() {
            self.now = end;
        }
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Verb(entry) => match self.scenario.timeline[entry].verb {
                Verb::Crash(client) => self.crash(self.group_of(client.index())),
                Verb::Stop(client) => self.stop(self.group_of(client.index())),
                Verb::Start { client, .. } => self.start(self.group_of(client.index())),
                Verb::Pause { client, lasts } => self.pause(self.group_of(client.index()), lasts.as_nanos()),
                Verb::Rate { .. } => {}
                ref other => panic!("{other:?} is not in the family"),
            },
            Event::Start(group) => self.start(group),
            Event::Append(arrival) => self.on_append(arrival),
            Event::Request(connection, request) => self.on_request(connection, request),
            Event::Answer(connection, answer) => {
                let Connection { group, open, .. } = self.connections[connection];
                if open && !self.holds(group, &Held::Answer(connection, answer.clone())) {
                    self.on_answer(group, connection, answer);
                }
            }
            Event::FetchWait(connection, number) => self.on_fetch_wait(connection, number),
            Event::Thaw(group) => self.thaw(group),
            Event::Group(group, timer) => self.on_group_timer(group, timer),
            Event::Wake(group, life, wake) => {
                let is_alive = self.lives[group] == life && self.consumers[group].is_some();
                if is_alive && !self.holds(group, &Held::Wake(wake)) {
                    self.on_wake(group, wake);
                }
            }
        }
    }

    fn group_of(&self, client: usize) -> usize {
        self.scenario.clients[client].group.index()
    }

    fn on_append(&mut self, arrival: usize) {
        self.appends_left -= 1;
        let (topic, arrival) = self.arrivals[arrival].clone();
        for batch in &arrival.batches {
            self.logs[topic as usize][batch.partition as usize].append(&batch.created, batch.bytes, self.now);
        }
        for connection in 0..self.connections.len() {
            self.look_again(connection);
        }
    }

    /// Everything has arrived, and each group has read, processed and, if it commits, committed it.
    fn is_drained(&self) -> bool {
        self.appends_left == 0 && (0..self.groups.len()).all(|group| self.is_group_drained(group))
    }

    pub fn subscribed(&self, group: usize) -> Vec<Tp> {
        let topics = &self.scenario.groups[group].topics;
        let mut all: Vec<Tp> = topics
            .iter()
            .flat_map(|topic| (0..self.scenario.topics[topic.index()].partitions).map(|partition| (topic.0, partition)))
            .collect();
        all.sort_unstable();
        all
    }

    pub fn log(&self, (topic, partition): Tp) -> &Log {
        &self.logs[topic as usize][partition as usize]
    }

    // --- sending ----------------------------------------------------------------------------------------------------------------------

    /// A process sends a request; the first one opens the connection.
    pub fn send(&mut self, group: usize, peer: usize, request: Request) {
        let life = self.lives[group];
        let known = self.connections.iter().position(|link| link.open && (link.group, link.life, link.peer) == (group, life, peer));
        let connection = known.unwrap_or_else(|| {
            let (owner, client) = (&self.scenario.groups[group].name, &self.scenario.clients[group].name);
            self.connections.push(Connection {
                group,
                life,
                peer,
                open: true,
                draws: stream(self.seed, &format!("consumer/{owner}/{client}#{life}/latency/{peer}")),
                numbers: 0,
                arrived_there: 0,
                arrived_here: 0,
                busy: false,
                waiting: Vec::new(),
                session: None,
            });
            self.connections.len() - 1
        });
        let travel = self.travel(connection);
        let link = &mut self.connections[connection];
        link.arrived_there = link.arrived_there.max(self.now + travel);
        let at = link.arrived_there;
        self.post(connection, at, Event::Request(connection, request));
    }

    pub fn answer(&mut self, connection: usize, answer: Answer) {
        if self.connections[connection].open {
            let travel = self.travel(connection);
            let link = &mut self.connections[connection];
            link.arrived_here = link.arrived_here.max(self.now + travel);
            let at = link.arrived_here;
            self.post(connection, at, Event::Answer(connection, answer));
        }
        self.connections[connection].busy = false;
        if !self.connections[connection].waiting.is_empty() {
            let next = self.connections[connection].waiting.remove(0);
            self.connections[connection].busy = true;
            self.serve(connection, next);
        }
    }

    fn on_request(&mut self, connection: usize, request: Request) {
        let real = self.scenario.model.real_client;
        let link = &mut self.connections[connection];
        if link.busy && (real || link.peer == 0) {
            link.waiting.push(request);
        } else {
            link.busy = true;
            self.serve(connection, request);
        }
    }

    fn post(&mut self, connection: usize, at: u64, event: Event) {
        let link = &mut self.connections[connection];
        link.numbers += 1;
        let turn =
            (at, 1, self.scenario.producers.len() as u64 * u64::from(self.scenario.cluster.brokers) + connection as u64, link.numbers);
        self.push(turn, event);
    }

    fn travel(&mut self, connection: usize) -> u64 {
        match self.latency.constant() {
            Some(span) => span.as_nanos(),
            None => self.latency.at(self.connections[connection].draws.next_u64()).as_nanos(),
        }
    }

    // --- timers -----------------------------------------------------------------------------------------------------------------------

    pub fn wake_fetch(&mut self, at: u64, connection: usize, number: u32) {
        self.push_timer(at, 2, Event::FetchWait(connection, number));
    }

    pub fn wake_frozen(&mut self, at: u64, group: usize) {
        self.push_timer(at, 0, Event::Thaw(group));
    }

    pub fn wake_group(&mut self, at: u64, group: usize, timer: GroupTimer) {
        self.push_timer(at, 2, Event::Group(group, timer));
    }

    pub fn wake(&mut self, at: u64, group: usize, wake: Wake) {
        let class = if matches!(wake, Wake::Step) { 3 } else { 2 };
        self.push_timer(at, class, Event::Wake(group, self.lives[group], wake));
    }
}

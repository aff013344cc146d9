//! The simulation: owns the nodes, and passes time in the one loop there is.
//!
//! Pop the next event, hand it to the machine that it is for, do what the machine wants, record what it said. Two phases: the *run*, and the
//! *settle* phase, in which producers have stopped and what was broken has healed. Only after that does "not processed" mean lost.

use std::collections::VecDeque;
use std::rc::Rc;

use crate::client::consumer::{Consumer, ConsumerEffects, ConsumerTimer};
use crate::client::producer::train::Train;
use crate::client::producer::{Delivery, Producer};
use crate::kafka::coordinator::Coordinator;
use crate::kafka::coordinator::shard::CoordinatorEffects;
use crate::kafka::coordinator::timers::CoordinatorTimer;
use crate::kafka::fetch::Fetched;
use crate::kafka::log::PartitionLog;
use crate::kafka::request::{Request, Response};
use crate::scenario::Scenario;
use crate::sim::leadership::Leadership;
use crate::sim::network::{Connection, ConnectionId, InFlight, Message};
use crate::sim::queue::Queue;
use crate::sim::settle::Drainage;
use crate::trace::ending::Ending;
use crate::trace::names::Names;
use crate::trace::{Cast, Sink, TraceEvent};
use crate::units::{BrokerId, ClientId, Instant, ProducerId, Span, TopicId};

mod arrivals;
mod broker;
mod client;
mod fault;
mod fetch;
mod leadership;
pub mod network;
mod produce;
pub mod queue;
mod rates;
pub mod rng;
mod settle;
mod setup;
mod wishes;

/// So many facts are recorded together: a few, so that they are still at hand.
const FACTS_AT_ONCE: usize = 256;

/// Less progress of virtual time than that is none.
const STANDSTILL: Span = Span::from_millis(1);

/// What a run may take before it is given up.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Events in all.
    pub events: u64,
    /// Events within a millisecond: beyond that virtual time does not pass any more, or creeps.
    pub at_one_instant: u64,
    /// Batches of one producer that wait to be sent.
    pub waiting_batches: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { events: 4_000_000_000, at_one_instant: 5_000_000, waiting_batches: 1_000_000 }
    }
}

/// What the queue holds.
#[derive(Copy, Clone, Debug)]
enum Event {
    /// An entry of the timeline.
    Timeline(u32),
    /// A request reaches its broker, or an answer its client.
    Arrive(ConnectionId, u32),
    /// The Fetch in the exchange of a connection reaches its broker.
    FetchArrives(ConnectionId),
    /// The answer in the exchange of a connection reaches its client.
    RecordsArrive(ConnectionId),
    /// The records of this produce request become visible.
    Append(ProducerId, u32),
    /// A timer of a coordinator, by its place in `coordinator_timers`.
    Coordinator(u32),
    /// The next request of this writer of the topic arrives, and a Fetch may wait for it.
    Arrival(TopicId, u32),
    /// A request was sent: time to work out the next one.
    SendNext(ProducerId),
    /// fetch.max.wait.ms of a waiting Fetch may be over.
    FetchWait(ConnectionId),
    /// A timer or step of this life of a client.
    Client(ClientId, u32, ConsumerTimer),
    /// By its place in `dues`.
    Fault(u32),
}

/// A consumer process by its place in the scenario: one life after the other.
struct ClientSlot {
    consumer: Option<Consumer>,
    /// Lives so far.
    life: u32,
    /// Its connections, by peer: the coordinator, then the brokers.
    connections: Vec<Option<ConnectionId>>,
    /// By peer: how often this life has connected.
    connects: Vec<u32>,
    frozen: Option<fault::Frozen>,
    /// The next life begins as soon as this one, which was told to stop, has gone.
    starts_again: bool,
    speed: fault::speed::Speed,
}

struct ProducerNode {
    producer: Producer,
    draws: produce::Draws,
    /// Requests become visible in the order in which they are sent.
    in_order: bool,
    /// The next request, of those in order.
    coming: Option<arrivals::Coming>,
    /// Those that are events.
    deliveries: InFlight<Delivery>,
    sequence: u64,
}

pub struct Simulation<'a> {
    scenario: &'a Scenario,
    seed: u64,
    cast: Cast,
    names: Rc<Names>,
    now: Instant,
    queue: Queue<Event>,
    events: u64,
    limits: Limits,

    // Brokers
    logs: Vec<PartitionLog>,
    /// Partition counts by topic.
    partitions: Vec<u32>,
    /// Topics are deleted in this run.
    topics_vanish: bool,
    /// The network is cut, requests are lost or late, brokers die, or topics are deleted in this run.
    may_be_disturbed: bool,
    /// Visible and not yet told, by partition.
    untold: Vec<Option<produce::Untold>>,
    /// By topic: its producers whose requests arrive in order.
    writers: Vec<Vec<arrivals::Writer>>,
    /// By topic: how many of these have no event for their next request.
    unwatched: Vec<u32>,
    /// By connection.
    sessions: Vec<Option<fetch::Session>>,
    /// By partition: connections whose session has it.
    watchers: Vec<Vec<ConnectionId>>,
    /// By topic: the same.
    readers: Vec<Vec<ConnectionId>>,
    coordinators: Vec<Coordinator>,
    /// By group.
    shards: Vec<u32>,
    /// By shard: the broker that has it, or had it last.
    shard_brokers: Vec<BrokerId>,
    /// By shard: how often its place has changed.
    loads: Vec<u32>,
    leadership: Leadership,

    // Network
    connections: Vec<Connection>,
    messages: InFlight<Message>,
    coordinator_timers: InFlight<(u32, CoordinatorTimer)>,
    dues: InFlight<fault::Due>,
    latency: rng::sampler::Sampler,

    // Clients
    producers: Vec<ProducerNode>,
    /// It has more to send than its brokers take, and was given up.
    overrun: Option<ProducerId>,
    clients: Vec<ClientSlot>,
    setups: Vec<setup::ClientSetup<'a>>,
    faults: fault::Faults,

    /// Entries of the timeline that did nothing, so far.
    idle: Vec<usize>,
    drainage: Drainage,
    coordinator_fx: CoordinatorEffects,
    /// Its facts are all that was said, by whomever, and is not recorded yet.
    consumer_fx: ConsumerEffects,
    /// A buffer for what arrives together.
    trains: Vec<Train>,
    /// Buffers of Fetch answers that were read.
    spare_records: Vec<Vec<Fetched>>,
    /// Requests that brokers read next, since they have answered those before.
    unmuted: VecDeque<(ConnectionId, Request)>,
}

impl<'a> Simulation<'a> {
    /// Runs to the end: the run phase, then the settle phase.
    pub fn run(&mut self, sink: &mut impl Sink) -> Ending {
        let run_end = Instant::ZERO + self.scenario.duration;
        if let Some(stuck) = self.advance_to(run_end, sink, false) {
            return stuck;
        }
        self.end_run_phase(sink);
        let ending = self.settle(run_end, sink);
        if let Ending::Stuck { .. } = ending {
            return ending;
        }
        self.tell_all_appended();
        self.tell_progress();
        let drained = ending == Ending::Drained || self.drained();
        self.emit(TraceEvent::SettlePhaseEnded { drained });
        self.flush(sink);
        ending
    }

    /// The entries of the timeline that were for processes that were not there, or that did it already.
    pub fn idle(&self) -> &[usize] {
        &self.idle
    }

    fn settle(&mut self, run_end: Instant, sink: &mut impl Sink) -> Ending {
        if let Some(producer) = self.overrun {
            return self.overloaded(producer);
        }
        if self.scenario.settle.is_zero() {
            return Ending::Finished;
        }
        if let Some(stuck) = self.advance_to(run_end + self.scenario.settle, sink, true) {
            return stuck;
        }
        if self.drained() { Ending::Drained } else { Ending::SettleBound }
    }

    fn end_run_phase(&mut self, sink: &mut impl Sink) {
        (0..self.writers.len()).for_each(|topic| self.catch_up(TopicId(topic as u32)));
        for producer in (0..self.producers.len()).map(|at| ProducerId(at as u32)) {
            let sent = self.finish_sending(producer);
            self.emit(TraceEvent::ProducerStopped { producer, sent });
        }
        self.tell_all_appended();
        self.emit(TraceEvent::RunPhaseEnded);
        self.flush(sink);
        self.heal();
        self.flush(sink);
    }

    /// Handles every event up to and including `end`; with `until_drained`, stops as soon as nothing is left to be done. `Some`: it got stuck.
    fn advance_to(&mut self, end: Instant, sink: &mut impl Sink, until_drained: bool) -> Option<Ending> {
        let mut moves_on = self.now + STANDSTILL;
        let mut left = self.events_left();
        while !until_drained || !self.drained() {
            let Some(at) = self.queue.next_until(end) else {
                self.move_on(end);
                break;
            };
            let event = self.queue.pop();
            assert!(at >= self.now, "time runs forward");
            if at >= moves_on {
                (left, moves_on) = (self.events_left(), at + STANDSTILL);
            }
            self.move_on(at);
            self.events += 1;
            self.dispatch(event);
            if !self.unmuted.is_empty() {
                self.read_on();
            }
            // Whether it is drained is asked before each event, and told by the facts.
            if until_drained || self.consumer_fx.facts.len() >= FACTS_AT_ONCE {
                self.flush(sink);
            }
            if left == 0 {
                self.flush(sink);
                return Some(self.stuck(event));
            }
            left -= 1;
            if self.overrun.is_some() {
                break;
            }
        }
        self.overrun.map(|producer| {
            self.flush(sink);
            self.overloaded(producer)
        })
    }

    /// How many more events there may be, all of them within a millisecond.
    fn events_left(&self) -> u64 {
        self.limits.at_one_instant.min(self.limits.events.saturating_sub(self.events))
    }

    fn dispatch(&mut self, event: Event) {
        match event {
            Event::Timeline(entry) => self.on_timeline(entry as usize),
            Event::Arrive(connection, slot) if self.faults.is_network_cut() && self.is_cut(connection) => self.hold_back(connection, slot),
            Event::Arrive(connection, slot) => match self.messages.take(slot) {
                Message::Request(request) => self.on_request(connection, request),
                Message::Response(response) => self.on_response(connection, response),
            },
            Event::FetchArrives(connection) => self.on_fetch_arrives(connection),
            Event::RecordsArrive(connection) => self.on_records_arrive(connection),
            Event::Append(producer, slot) => self.on_append(producer, slot),
            Event::Arrival(topic, writer) => self.on_arrival(topic, writer as usize),
            Event::SendNext(producer) => self.send_next(producer),
            Event::Coordinator(slot) => {
                let (shard, timer) = self.coordinator_timers.take(slot);
                self.on_coordinator_timer(shard, timer);
            }
            Event::FetchWait(connection) => self.on_fetch_wait(connection),
            Event::Client(client, life, timer) => self.on_client_timer(client, life, timer),
            Event::Fault(slot) => {
                let due = self.dues.take(slot);
                self.on_fault_due(due);
            }
        }
    }

    fn on_response(&mut self, connection: ConnectionId, response: Response) {
        if let Response::Fetched { number, records } = response {
            self.hand_over(connection, number, records);
            return;
        }
        let link = &self.connections[connection.0 as usize];
        if !link.open {
            return;
        }
        let (client, from) = (link.client, link.peer.as_to());
        let slot = &mut self.clients[client.index()];
        let Some(consumer) = &mut slot.consumer else { return };
        if let Some(frozen) = &mut slot.frozen {
            frozen.held.push(fault::Held::Response(connection, response));
            return;
        }
        consumer.on_response(self.now, from, response, &mut self.consumer_fx);
        self.after_client(client);
    }

    fn emit(&mut self, fact: TraceEvent) {
        self.consumer_fx.emit(fact);
    }

    #[inline(always)]
    fn move_on(&mut self, now: Instant) {
        self.now = now;
        (self.consumer_fx.now, self.coordinator_fx.now) = (now, now);
    }

    /// Records what was said, in order.
    fn flush(&mut self, sink: &mut impl Sink) {
        for (at, fact) in self.consumer_fx.facts.iter() {
            self.drainage.note(&self.cast, fact);
            sink.record(at, fact);
        }
        self.consumer_fx.facts.clear();
    }

    fn overloaded(&self, producer: ProducerId) -> Ending {
        let (name, most) = (self.names.producer(producer), self.limits.waiting_batches);
        let why = format!(
            "the brokers take less than producer {name} is to send: more than {most} batches wait for their turn, at {} ms of virtual time \
             (in Kafka send() would block at buffer.memory, which is not modelled)",
            self.now
        );
        Ending::Stuck { at: self.now, why }
    }

    /// The run cannot go on: what was spinning.
    fn stuck(&self, event: Event) -> Ending {
        let what = match event {
            Event::Timeline(_) | Event::Fault(_) => "the timeline".to_owned(),
            Event::Arrive(connection, _) | Event::FetchArrives(connection) | Event::RecordsArrive(connection) => {
                let link = &self.connections[connection.0 as usize];
                format!("messages between {} and {}", self.names.client(link.client), link.peer.name())
            }
            Event::Arrival(topic, writer) => format!("producer {}", self.names.producer(self.producer_at(topic, writer as usize))),
            Event::Append(producer, _) | Event::SendNext(producer) => format!("producer {}", self.names.producer(producer)),
            Event::Coordinator(_) => "a coordinator's timers".to_owned(),
            Event::FetchWait(connection) => {
                format!("a waiting Fetch of {}", self.names.client(self.connections[connection.0 as usize].client))
            }
            Event::Client(client, _, timer) => format!("{} of {}", timer.name(), self.names.client(client)),
        };
        let Limits { events, at_one_instant, .. } = self.limits;
        let why = if self.events <= events {
            format!(
                "virtual time stands still at {} ms: more than {at_one_instant} events within a millisecond, the last one from {what}",
                self.now
            )
        } else {
            format!("more than {events} events, at {} ms of virtual time, the last one from {what}", self.now)
        };
        Ending::Stuck { at: self.now, why }
    }
}

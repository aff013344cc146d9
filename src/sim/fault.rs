//! The timeline: what happens to clients, producers and topics, and how it heals.

use std::collections::VecDeque;

use crate::client::consumer::{Consumer, ConsumerTimer};
use crate::kafka::request::Response;
use crate::scenario::Verb;
use crate::scenario::deploy::Deploy;
use crate::scenario::subscription::Subscription;
use crate::sim::network::ConnectionId;
use crate::sim::queue::Place;
use crate::sim::wishes::wish;
use crate::sim::{Event, Simulation};
use crate::terms::GroupProperty;
use crate::trace::TraceEvent;
use crate::trace::fault::Fault;
use crate::units::{BrokerId, ClientId, GroupId, Instant, ProducerId, Rate, Span};

mod brokers;
mod network;
pub mod speed;
mod topics;

/// A process that does nothing: what reaches it waits.
pub struct Frozen {
    pub since: Instant,
    pub held: Vec<Held>,
}

/// What a frozen process gets when it goes on.
pub enum Held {
    Response(ConnectionId, Response),
    Timer(ConsumerTimer),
    /// The news that this connection is broken.
    Break(ConnectionId),
    Stop,
    /// An entry of the timeline for this process.
    Entry(usize),
}

/// Something that a fault has coming.
#[derive(Copy, Clone, Debug)]
pub enum Due {
    /// A client's first life begins.
    Start(ClientId),
    /// The end of a pause of that life of the client.
    Thaw(ClientId, u32),
    /// The end of that slow-down of the client.
    SpeedUp(ClientId, u32),
    /// A step of a producer's rate.
    Rate(ProducerId, Rate),
    /// The next client of that rolling restart is to be stopped, if it is time.
    Roll(usize),
    /// That rolling restart starts its client again.
    RollStart(usize),
    /// The end of that cut.
    Reconnect(u32),
    /// A connection that was opened into a cut has had its time.
    SetupTimeout(ConnectionId),
    /// The news that the other end is gone arrives.
    Break(ConnectionId),
    Return(BrokerId),
    /// Partitions and shards get a leader, or lose it.
    Leaders,
    /// The broker has read the shard, if that is still what it does.
    Loaded {
        shard: u32,
        load: u32,
    },
}

pub struct Faults {
    /// Faults scheduled so far, for their place among ties: behind the timeline's entries.
    scheduled: u64,
    rolling: Vec<Rolling>,
    network: network::NetworkFaults,
    /// By broker: until when it is dead.
    down: Vec<Option<Instant>>,
}

impl Faults {
    pub fn new(brokers: u32) -> Self {
        let down = vec![None; brokers as usize];
        Faults { scheduled: 0, rolling: Vec::new(), network: network::NetworkFaults::default(), down }
    }

    pub fn is_network_cut(&self) -> bool {
        self.network.is_cut()
    }

    pub fn is_rolling(&self) -> bool {
        !self.rolling.is_empty()
    }
}

/// A rolling restart under way.
struct Rolling {
    clients: VecDeque<ClientId>,
    every: Span,
    down: Span,
    /// The client in hand.
    at: Option<(ClientId, Turn)>,
    /// When the next one may be stopped.
    next: Instant,
}

#[derive(Copy, Clone, PartialEq, Eq)]
enum Turn {
    Stopping,
    Down,
    Starting,
}

impl<'a> Simulation<'a> {
    pub(super) fn schedule_fault(&mut self, at: Instant, due: Due) {
        self.faults.scheduled += 1;
        let place = Place::timeline(self.scenario.timeline.len() as u64 + self.faults.scheduled);
        let slot = self.dues.put(due);
        self.queue.push(at.max(self.now), place, Event::Fault(slot));
    }

    pub(super) fn on_timeline(&mut self, entry: usize) {
        if !self.carry_out(entry) {
            self.idle.push(entry);
        }
    }

    /// False: it is for a process that is not there, or that does it already.
    fn carry_out(&mut self, entry: usize) -> bool {
        let scenario = self.scenario;
        match scenario.timeline[entry].verb {
            Verb::Crash(client) => return self.crash(client),
            Verb::Start { client, ref deploy } => {
                self.deploy(deploy.as_ref());
                return self.start_client(client);
            }
            Verb::Stop(client) => return self.stop_client(client, Held::Entry(entry)),
            Verb::Pause { client, lasts } => return self.pause(client, lasts),
            Verb::Slow { client, factor, lasts } => return self.slow(entry, client, factor, lasts),
            Verb::Subscribe { client, ref to } => return self.subscribe(entry, client, to),
            Verb::Rate { producer, rate } => self.emit(TraceEvent::RateChanged { producer, rate }),
            Verb::Partitions { topic, to } => self.add_partitions(topic, to),
            Verb::CreateTopic(topic) => self.create_topic(topic),
            Verb::DeleteTopic(topic) => self.delete_topic(topic),
            Verb::GroupConfig { group, property, value } => self.configure_group(group, property, value),
            Verb::Scale { group, members } => self.scale(group, members),
            Verb::RollingRestart { group, every, down, ref deploy } => {
                self.deploy(deploy.as_ref());
                self.begin_rolling_restart(group, every, down);
            }
            Verb::Disconnect { client, from, lasts } => self.cut_off(client, from, lasts),
            Verb::Disturb { client, request, how, lasts, count } => self.disturb(client, request, how, lasts, count),
            Verb::BrokerDown { broker, lasts } => self.broker_dies(broker, lasts),
        }
        true
    }

    /// Whoever starts from here on has these properties.
    fn deploy(&mut self, deploy: Option<&'a Deploy>) {
        for deployed in deploy.iter().flat_map(|deploy| &deploy.clients) {
            self.setups[deployed.client.index()].deployed = Some(deployed);
        }
    }

    /// A life begins with what was deployed: a start that came with properties did something, even where the process was running.
    pub(super) fn take_up_deployments(&mut self, client: ClientId) {
        let timeline = &self.scenario.timeline;
        self.idle.retain(|entry| !matches!(timeline[*entry].verb, Verb::Start { client: of, deploy: Some(_) } if of == client));
    }

    pub(super) fn on_fault_due(&mut self, due: Due) {
        match due {
            Due::Start(client) => _ = self.start_client(client),
            Due::Thaw(client, life) if self.clients[client.index()].life == life => self.thaw(client),
            Due::Thaw(..) => {}
            Due::SpeedUp(client, slowdown) => self.restore_speed(client, slowdown),
            Due::Rate(producer, rate) => self.emit(TraceEvent::RateChanged { producer, rate }),
            Due::Roll(rolling) => self.roll(rolling),
            Due::Reconnect(cut) => self.reconnect(cut),
            Due::SetupTimeout(connection) => self.give_up_set_up(connection),
            Due::Break(connection) => self.on_break(connection),
            Due::Return(broker) => self.broker_returns(broker),
            Due::Leaders => self.leaders_change(),
            Due::Loaded { shard, load } => self.on_loaded(shard, load),
            Due::RollStart(rolling) => {
                if let Some((client, turn)) = &mut self.faults.rolling[rolling].at {
                    *turn = Turn::Starting;
                    let client = *client;
                    self.start_client(client);
                }
            }
        }
    }

    /// The settle phase begins: pauses, slow-downs and faults of the network end. Brokers are back by then.
    pub(super) fn heal(&mut self) {
        self.heal_network();
        for client in (0..self.clients.len()).map(|client| ClientId(client as u32)) {
            self.thaw(client);
            self.end_slowness(client);
        }
    }

    fn running(&self) -> impl Iterator<Item = ClientId> + '_ {
        self.clients.iter().enumerate().filter(|(_, slot)| slot.consumer.is_some()).map(|(client, _)| ClientId(client as u32))
    }

    fn crash(&mut self, client: ClientId) -> bool {
        let slot = &mut self.clients[client.index()];
        let frozen = slot.frozen.take();
        let Some(consumer) = &mut slot.consumer else { return false };
        consumer.crash(frozen.as_ref().map_or(self.now, |frozen| frozen.since), &mut self.consumer_fx);
        let held = frozen.into_iter().flat_map(|frozen| frozen.held);
        self.idle.extend(held.filter_map(|input| if let Held::Entry(entry) = input { Some(entry) } else { None }));
        self.after_client(client);
        true
    }

    /// A process that has not been told to stop.
    fn goes_on(&self, client: ClientId) -> bool {
        self.clients[client.index()].consumer.as_ref().is_some_and(|consumer| !consumer.is_stopping())
    }

    /// As long as it is frozen, this is held for it.
    fn stop_client(&mut self, client: ClientId, held: Held) -> bool {
        let starts_again = std::mem::take(&mut self.clients[client.index()].starts_again);
        let goes_on = self.goes_on(client);
        if goes_on {
            self.with_client(client, held, |consumer, now, _, fx| consumer.stop(now, fx));
        }
        goes_on || starts_again
    }

    fn subscribe(&mut self, entry: usize, client: ClientId, to: &Subscription) -> bool {
        let goes_on = self.goes_on(client);
        if goes_on {
            self.with_client(client, Held::Entry(entry), |consumer, now, _, fx| consumer.subscribe(now, wish(to, consumer.protocol()), fx));
        }
        goes_on
    }

    fn pause(&mut self, client: ClientId, lasts: Span) -> bool {
        let slot = &mut self.clients[client.index()];
        if slot.consumer.is_none() || slot.frozen.is_some() {
            return false;
        }
        slot.frozen = Some(Frozen { since: self.now, held: Vec::new() });
        let until = self.now + lasts;
        self.emit(TraceEvent::ClientPaused { client, until });
        let life = self.clients[client.index()].life;
        self.schedule_fault(until, Due::Thaw(client, life));
        true
    }

    /// The process goes on: its heartbeat thread looks first, then it gets what has waited, in order.
    fn thaw(&mut self, client: ClientId) {
        let slot = &mut self.clients[client.index()];
        let Some(Frozen { since, held }) = slot.frozen.take() else { return };
        self.emit(TraceEvent::ClientResumed { client });
        let slot = &mut self.clients[client.index()];
        let Some(consumer) = &mut slot.consumer else { return };
        consumer.on_resume(since, self.now, &mut self.consumer_fx);
        self.after_client(client);
        for input in held {
            match input {
                Held::Response(connection, response) => self.on_response(connection, response),
                Held::Timer(timer) => {
                    self.with_client(client, Held::Timer(timer), |consumer, now, _, fx| consumer.on_timer(now, timer, fx))
                }
                Held::Break(connection) => self.break_connection(connection),
                Held::Stop => _ = self.stop_client(client, Held::Stop),
                Held::Entry(entry) => self.on_timeline(entry),
            }
        }
    }

    fn configure_group(&mut self, group: GroupId, property: GroupProperty, value: Span) {
        self.emit(TraceEvent::Fault(Fault::GroupConfigured { group, property, value }));
        let shard = self.shards[group.index()] as usize;
        self.coordinators[shard].alter_group(group, property, value);
    }

    /// Starts clients of the group from the front of its list, or stops running ones from its back.
    fn scale(&mut self, group: GroupId, members: u32) {
        let spec = &self.scenario.groups[group.index()];
        let clients: Vec<ClientId> = (0..spec.clients).map(|at| ClientId(spec.first_client.0 + at)).collect();
        let is_running = |client: &ClientId| self.clients[client.index()].consumer.is_some();
        let running: Vec<ClientId> = clients.iter().copied().filter(is_running).collect();
        let missing = (members as usize).saturating_sub(running.len());
        let idle: Vec<ClientId> = clients.iter().copied().filter(|client| !is_running(client)).take(missing).collect();
        idle.into_iter().for_each(|client| _ = self.start_client(client));
        running.into_iter().skip(members as usize).for_each(|client| _ = self.stop_client(client, Held::Stop));
    }

    // --- Rolling restarts -------------------------------------------------------------------------------------------------------------

    fn begin_rolling_restart(&mut self, group: GroupId, every: Span, down: Span) {
        let clients = self.running().filter(|client| self.cast.client_group[client.index()] == group).collect();
        self.faults.rolling.push(Rolling { clients, every, down, at: None, next: self.now });
        self.roll(self.faults.rolling.len() - 1);
    }

    /// Stops the next client, if the one before is up again and it is time.
    fn roll(&mut self, at: usize) {
        let rolling = &mut self.faults.rolling[at];
        if rolling.at.is_some() || self.now < rolling.next {
            return;
        }
        let Some(client) = rolling.clients.pop_front() else { return };
        rolling.next = self.now + rolling.every;
        let next = rolling.next;
        rolling.at = Some((client, Turn::Stopping));
        self.schedule_fault(next, Due::Roll(at));
        self.stop_client(client, Held::Stop);
        // A process that a fault took meanwhile has nothing to finish.
        self.follow_rolling_restarts(client);
    }

    /// A client acted: a rolling restart that waits for it goes on.
    pub(super) fn follow_rolling_restarts(&mut self, client: ClientId) {
        for at in 0..self.faults.rolling.len() {
            let Some((waits_for, turn)) = self.faults.rolling[at].at else { continue };
            if waits_for != client {
                continue;
            }
            let consumer = self.clients[client.index()].consumer.as_ref();
            match turn {
                Turn::Stopping if consumer.is_none() => {
                    self.faults.rolling[at].at = Some((client, Turn::Down));
                    self.schedule_fault(self.now + self.faults.rolling[at].down, Due::RollStart(at));
                }
                Turn::Starting if consumer.is_some_and(Consumer::is_up) => {
                    self.faults.rolling[at].at = None;
                    let next = self.faults.rolling[at].next;
                    self.schedule_fault(next, Due::Roll(at));
                }
                Turn::Stopping | Turn::Down | Turn::Starting => {}
            }
        }
    }
}

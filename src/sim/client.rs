//! Consumer processes: started, given answers and timers, and their wishes carried out.

use crate::client::consumer::{Consumer, ConsumerConfig, ConsumerEffects, ConsumerTimer, Outgoing};
use crate::kafka::request::{Request, To};
use crate::sim::fault::{Due, Held};
use crate::sim::network::{Connection, ConnectionId, Latency, Message, Peer};
use crate::sim::{Event, Simulation};
use crate::units::{ClientId, Instant};

impl Simulation<'_> {
    /// A new life of a process begins; where the one before is still closing, after that. False: it goes on.
    pub(super) fn start_client(&mut self, client: ClientId) -> bool {
        let metadata = self.metadata();
        let slot = &mut self.clients[client.index()];
        if let Some(consumer) = &slot.consumer {
            slot.starts_again = consumer.is_stopping();
            return slot.starts_again;
        }
        slot.starts_again = false;
        slot.life += 1;
        slot.connects.fill(0);
        let config = self.next_life(client);
        let slot = &mut self.clients[client.index()];
        let mut consumer = Consumer::new(ConsumerConfig { life: slot.life, ..config }, metadata);
        if consumer.makes_its_id() {
            let shard = self.shards[self.cast.client_group[client.index()].index()];
            consumer.take_id(self.coordinators[shard as usize].reserve_member_id(client));
        }
        consumer.set_slowness(self.now, slot.speed.factor(), &mut self.consumer_fx);
        consumer.start(self.now, &mut self.consumer_fx);
        slot.consumer = Some(consumer);
        self.feel_speed(client);
        self.take_up_deployments(client);
        self.after_client(client);
        true
    }

    /// The run ends: what is finished of the batches in hand counts. A frozen process has done nothing since it froze.
    pub(super) fn tell_progress(&mut self) {
        for slot in &mut self.clients {
            let until = slot.frozen.as_ref().map_or(self.now, |frozen| frozen.since);
            if let Some(consumer) = &mut slot.consumer {
                consumer.tell_progress(until, &mut self.consumer_fx);
            }
        }
    }

    /// Lets a running process act, or keeps the input for it while it is frozen.
    pub(super) fn with_client(
        &mut self,
        client: ClientId,
        input: Held,
        act: impl FnOnce(&mut Consumer, Instant, Held, &mut ConsumerEffects),
    ) {
        let slot = &mut self.clients[client.index()];
        let Some(consumer) = &mut slot.consumer else { return };
        if let Some(frozen) = &mut slot.frozen {
            frozen.held.push(input);
            return;
        }
        act(consumer, self.now, input, &mut self.consumer_fx);
        self.after_client(client);
    }

    pub(super) fn on_client_timer(&mut self, client: ClientId, life: u32, timer: ConsumerTimer) {
        let slot = &mut self.clients[client.index()];
        if slot.life != life {
            return;
        }
        let Some(consumer) = &mut slot.consumer else { return };
        if let Some(frozen) = &mut slot.frozen {
            frozen.held.push(Held::Timer(timer));
            return;
        }
        consumer.on_timer(self.now, timer, &mut self.consumer_fx);
        self.after_client(client);
    }

    /// Does what the process wants: sends its requests, arms its timers.
    pub(super) fn after_client(&mut self, client: ClientId) {
        self.arm_wakes(client);
        if !self.consumer_fx.sends.is_empty() {
            self.send_all(client);
        }
        let slot = &mut self.clients[client.index()];
        if slot.consumer.as_ref().is_some_and(Consumer::is_done) {
            slot.consumer = None;
            self.disconnect_all(client);
            if self.clients[client.index()].starts_again {
                self.schedule_fault(self.now, Due::Start(client));
            }
        }
        if self.faults.is_rolling() {
            self.follow_rolling_restarts(client);
        }
    }

    /// Arms the timers of a process, and its next step.
    #[inline]
    pub(super) fn arm_wakes(&mut self, client: ClientId) {
        if self.consumer_fx.wakes.is_empty() {
            return;
        }
        let life = self.clients[client.index()].life;
        for at in 0..self.consumer_fx.wakes.len() {
            let (at, timer) = self.consumer_fx.wakes[at];
            // What should have been looked at before (a deadline that has passed, the work of a frozen process) is looked at once.
            let at = at.max(self.now);
            let event = Event::Client(client, life, timer);
            match timer {
                ConsumerTimer::Step => self.queue.push_step(at, event),
                ConsumerTimer::Heartbeat
                | ConsumerTimer::PollInterval
                | ConsumerTimer::Idle
                | ConsumerTimer::PollTimeout
                | ConsumerTimer::Retry
                | ConsumerTimer::MetadataAge
                | ConsumerTimer::RequestTimeout
                | ConsumerTimer::CloseTimeout => self.queue.push_timer(at, event),
            }
        }
        self.consumer_fx.wakes.clear();
    }

    /// In order: the last one is taken off first.
    fn send_all(&mut self, client: ClientId) {
        self.consumer_fx.sends.reverse();
        while let Some(outgoing) = self.consumer_fx.sends.pop() {
            match outgoing {
                Outgoing::Request(To::Broker(broker), Request::Fetch { number, entries }) => {
                    self.send_fetch(client, broker, number, entries);
                }
                Outgoing::Request(to, request) => self.send(client, to, request),
                Outgoing::DisconnectCoordinator => self.disconnect(client, To::Coordinator),
                Outgoing::DisconnectBroker(broker) => self.disconnect(client, To::Broker(broker)),
                Outgoing::Exit => self.disconnect_all(client),
            }
        }
    }

    pub(super) fn send(&mut self, client: ClientId, to: To, request: Request) {
        let connection = self.connect(client, to);
        let Some(late) = self.lateness(client, &request) else { return };
        self.put_on_the_wire(connection, Message::Request(request), late);
    }

    /// The connection to a peer; opened with the first request. Opening takes no time.
    pub(super) fn connect(&mut self, client: ClientId, to: To) -> ConnectionId {
        let at = place_of_peer(to);
        let slot = &mut self.clients[client.index()];
        if let Some(connection) = slot.connections[at] {
            return connection;
        }
        let id = ConnectionId(u32::try_from(self.connections.len()).expect("fewer than 2^32 connections"));
        slot.connections[at] = Some(id);
        slot.connects[at] += 1;
        let (life, connect) = (slot.life, slot.connects[at]);
        let (peer, broker) = match to {
            To::Broker(broker) => (Peer::Broker(broker), broker),
            To::Coordinator => {
                let known = slot.consumer.as_ref().and_then(Consumer::coordinator);
                (Peer::Coordinator, known.expect("a client that writes to its coordinator knows it"))
            }
        };
        // With its group in any case, so that a further group moves no draw; and with a number of its own, or whatever made the client give
        // up a connection would happen to it again on the next one.
        let (group, name) = &self.names.clients[client.index()];
        let group = self.names.group(*group);
        let latency = Latency::new(&self.latency, self.seed, || match connect {
            1 => format!("consumer/{group}/{name}#{life}/latency/{at}"),
            _ => format!("consumer/{group}/{name}#{life}/latency/{at}#{connect}"),
        });
        let handles_one = self.setups[client.index()].consumer.real || peer == Peer::Coordinator;
        self.connections.push(Connection::new(client, life, peer, broker, latency, handles_one));
        self.sessions.push(None);
        if self.is_down(broker) {
            self.refuse(id);
        } else if self.faults.is_network_cut() {
            self.watch_set_up(id);
        }
        id
    }

    /// Nobody listens: that is known after a round trip, unless the client is cut off.
    fn refuse(&mut self, connection: ConnectionId) {
        let link = &mut self.connections[connection.0 as usize];
        link.die();
        let (there, _) = link.send(self.now);
        let (back, _) = link.answer(there);
        self.schedule_fault(back, Due::Break(connection));
    }

    pub(super) fn disconnect(&mut self, client: ClientId, to: To) {
        self.close_connection(client, place_of_peer(to));
    }

    fn close_connection(&mut self, client: ClientId, at: usize) {
        if let Some(connection) = self.clients[client.index()].connections[at].take() {
            self.connections[connection.0 as usize].close();
            self.drop_session(connection);
        }
    }

    pub(super) fn disconnect_all(&mut self, client: ClientId) {
        for at in 0..self.clients[client.index()].connections.len() {
            self.close_connection(client, at);
        }
    }
}

/// Where the connection to a peer stands among those of a client.
fn place_of_peer(to: To) -> usize {
    match to {
        To::Coordinator => 0,
        To::Broker(broker) => 1 + broker.index(),
    }
}

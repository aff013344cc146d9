//! Faults of the network: who is cut off, which requests are lost or late.
//!
//! What is sent into a cut waits, as in TCP, and goes on its way when the cut has healed, unless its connection was closed meanwhile. The
//! ends notice nothing by themselves: clients have their time-outs.
//!
//! Not modelled: TCP's own back-off (after the cut everything goes on at once), and the growth and the jitter of the connection set-up
//! time-out. A dropped request is lost alone; what follows it on its connection arrives.

use crate::kafka::request::Request;
use crate::scenario::Disturbance;
use crate::sim::fault::{Due, Held};
use crate::sim::network::{ConnectionId, Message, Peer};
use crate::sim::queue::Place;
use crate::sim::{Event, Simulation};
use crate::terms::{ClientRequest, Peers};
use crate::trace::TraceEvent;
use crate::trace::fault::Fault;
use crate::units::{ClientId, Instant, Span};

/// socket.connection.setup.timeout.ms.
const SETUP_TIMEOUT: Span = Span::from_secs(10);

#[derive(Default)]
pub struct NetworkFaults {
    cuts: Vec<Cut>,
    /// Cuts so far.
    numbered: u32,
    /// Messages that wait for the end of a cut, in order.
    held: Vec<(ConnectionId, u32)>,
    disturbed: Vec<Disturbed>,
}

/// A client that cannot reach some brokers.
struct Cut {
    number: u32,
    client: ClientId,
    from: Peers,
}

/// Requests that are lost or late.
struct Disturbed {
    client: ClientId,
    request: ClientRequest,
    how: Disturbance,
    until: Instant,
    left: Option<u32>,
}

impl NetworkFaults {
    pub fn is_cut(&self) -> bool {
        !self.cuts.is_empty()
    }
}

impl Simulation<'_> {
    fn end_of(&self, lasts: Option<Span>) -> Instant {
        let end = Instant::ZERO + self.scenario.duration;
        lasts.map_or(end, |lasts| (self.now + lasts).min(end))
    }

    pub(super) fn cut_off(&mut self, client: ClientId, from: Peers, lasts: Option<Span>) {
        let until = self.end_of(lasts);
        let network = &mut self.faults.network;
        network.numbered += 1;
        let number = network.numbered;
        network.cuts.push(Cut { number, client, from });
        self.emit(TraceEvent::Fault(Fault::CutOff { client, from, until }));
        self.schedule_fault(until, Due::Reconnect(number));
    }

    pub(super) fn disturb(&mut self, client: ClientId, request: ClientRequest, how: Disturbance, lasts: Option<Span>, count: Option<u32>) {
        let until = self.end_of(lasts);
        self.faults.network.disturbed.push(Disturbed { client, request, how, until, left: count });
    }

    /// The settle phase begins.
    pub(super) fn heal_network(&mut self) {
        self.faults.network.disturbed.clear();
        while let Some(cut) = self.faults.network.cuts.first() {
            self.reconnect(cut.number);
        }
    }

    /// A cut ends: what waited in it goes on its way.
    pub(super) fn reconnect(&mut self, number: u32) {
        let Some(at) = self.faults.network.cuts.iter().position(|cut| cut.number == number) else { return };
        let Cut { client, from, .. } = self.faults.network.cuts.remove(at);
        self.emit(TraceEvent::Fault(Fault::Reconnected { client, from }));
        for (connection, slot) in std::mem::take(&mut self.faults.network.held) {
            if self.is_cut(connection) {
                self.faults.network.held.push((connection, slot));
                continue;
            }
            let message = self.messages.take(slot);
            if self.connections[connection.0 as usize].open {
                self.put_on_the_wire(connection, message, Span::ZERO);
            }
        }
        for at in 0..self.connections.len() {
            let connection = ConnectionId(at as u32);
            let link = &self.connections[at];
            if link.client == client && link.open && !self.is_cut(connection) {
                let is_broken = link.dead;
                self.connections[at].established = true;
                if is_broken {
                    self.break_later(connection);
                }
            }
        }
    }

    /// Whether nothing passes on a connection.
    pub(in crate::sim) fn is_cut(&self, connection: ConnectionId) -> bool {
        let link = &self.connections[connection.0 as usize];
        self.faults.network.cuts.iter().any(|cut| {
            cut.client == link.client
                && match cut.from {
                    Peers::All => true,
                    Peers::Coordinator => link.peer == Peer::Coordinator,
                    Peers::Leaders => link.peer != Peer::Coordinator,
                    Peers::Broker(broker) => link.broker == broker,
                }
        })
    }

    /// A message waits for the end of the cut.
    pub(in crate::sim) fn hold_back(&mut self, connection: ConnectionId, slot: u32) {
        self.faults.network.held.push((connection, slot));
    }

    /// How late a request is that a client sends; `None`: it is lost.
    pub(in crate::sim) fn lateness(&mut self, client: ClientId, request: &Request) -> Option<Span> {
        if self.faults.network.disturbed.is_empty() {
            return Some(Span::ZERO);
        }
        let (now, kind) = (self.now, request.kind());
        let hits = |rule: &&mut Disturbed| rule.client == client && rule.request == kind && now < rule.until && rule.left != Some(0);
        let Some(rule) = self.faults.network.disturbed.iter_mut().find(hits) else { return Some(Span::ZERO) };
        rule.left = rule.left.map(|left| left - 1);
        match rule.how {
            Disturbance::Drop => {
                self.emit(TraceEvent::Fault(Fault::RequestDropped { client, request: kind }));
                None
            }
            Disturbance::Delay(by) => {
                self.emit(TraceEvent::Fault(Fault::RequestDelayed { client, request: kind, by }));
                Some(by)
            }
        }
    }

    /// A message leaves whichever end it is at.
    #[inline]
    pub(in crate::sim) fn put_on_the_wire(&mut self, connection: ConnectionId, message: Message, late: Span) {
        if self.faults.is_network_cut() && self.is_cut(connection) {
            let slot = self.messages.put(message);
            self.hold_back(connection, slot);
            return;
        }
        let link = &mut self.connections[connection.0 as usize];
        let (at, sequence) = match &message {
            Message::Request(_) => link.send(self.now + late),
            Message::Response(_) => link.answer(self.now),
        };
        let slot = self.messages.put(message);
        self.queue.push(at, Place::message(self.place_of(connection), sequence), Event::Arrive(connection, slot));
    }

    // --- broken connections -----------------------------------------------------------------------------------------------------------

    /// A connection that was opened into a cut is given up after a while.
    pub(in crate::sim) fn watch_set_up(&mut self, connection: ConnectionId) {
        if self.is_cut(connection) {
            self.connections[connection.0 as usize].established = false;
            self.schedule_fault(self.now + SETUP_TIMEOUT, Due::SetupTimeout(connection));
        }
    }

    pub(super) fn give_up_set_up(&mut self, connection: ConnectionId) {
        if !self.connections[connection.0 as usize].established {
            self.break_connection(connection);
        }
    }

    /// The other end is gone: its kernel says so, behind what it sent before.
    pub(in crate::sim) fn break_later(&mut self, connection: ConnectionId) {
        let (at, _) = self.connections[connection.0 as usize].answer(self.now);
        self.schedule_fault(at, Due::Break(connection));
    }

    /// That news reached the client, unless it is cut off.
    pub(super) fn on_break(&mut self, connection: ConnectionId) {
        if !self.is_cut(connection) {
            self.break_connection(connection);
        }
    }

    /// The client learns that its connection is broken.
    pub(super) fn break_connection(&mut self, connection: ConnectionId) {
        let link = &self.connections[connection.0 as usize];
        if !link.open {
            return;
        }
        let (client, from) = (link.client, link.peer.as_to());
        if let Some(frozen) = &mut self.clients[client.index()].frozen {
            frozen.held.push(Held::Break(connection));
            return;
        }
        self.disconnect(client, from);
        if let Some(consumer) = &mut self.clients[client.index()].consumer {
            consumer.on_disconnected(self.now, from, &mut self.consumer_fx);
            self.after_client(client);
        }
    }
}

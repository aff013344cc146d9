//! Connections: latency, FIFO in both directions, and one request at a time at the broker.
//!
//! A broker reads the next request of a connection only when it has answered the one before (the socket is muted while a request is processed
//! or parked), so what a client sends behind a parked JoinGroup waits. An ideal client's data connections are not muted.

use std::collections::VecDeque;

use rand_chacha::ChaCha8Rng;

use crate::kafka::request::{Request, Response, To};
use crate::sim::fetch::Exchange;
use crate::sim::rng;
use crate::sim::rng::sampler::Sampler;
use crate::units::{BrokerId, ClientId, Instant, Span};

#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct ConnectionId(pub u32);

/// The other end of a connection.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Peer {
    Coordinator,
    Broker(BrokerId),
}

impl Peer {
    pub fn as_to(self) -> To {
        match self {
            Peer::Coordinator => To::Coordinator,
            Peer::Broker(broker) => To::Broker(broker),
        }
    }

    pub fn name(self) -> String {
        match self {
            Peer::Coordinator => "the coordinator".to_owned(),
            Peer::Broker(BrokerId(number)) => format!("broker {number}"),
        }
    }
}

/// One life of a client and one peer.
#[derive(Debug)]
pub struct Connection {
    pub client: ClientId,
    pub life: u32,
    pub peer: Peer,
    /// The node at the other end.
    pub broker: BrokerId,
    pub open: bool,
    /// Both ends have met; false for one that was opened into a cut.
    pub established: bool,
    /// The other end has died, or was dead.
    pub dead: bool,
    latency: Latency,
    /// Messages so far, in both directions.
    sequence: u64,
    arrived_there: Instant,
    arrived_here: Instant,
    muted: bool,
    handles_one: bool,
    /// Arrived and not yet read.
    waiting: VecDeque<Request>,
    pub exchange: Exchange,
}

/// How long a message is on its way.
#[derive(Debug)]
pub enum Latency {
    Constant(Span),
    /// With a stream of its own for each use.
    Drawn(Sampler, Box<ChaCha8Rng>),
}

impl Latency {
    pub fn new(sampler: &Sampler, seed: u64, label: impl FnOnce() -> String) -> Self {
        match sampler.constant() {
            Some(span) => Latency::Constant(span),
            None => Latency::Drawn(sampler.clone(), Box::new(rng::stream(seed, &label()))),
        }
    }

    pub fn constant(&self) -> Option<Span> {
        match self {
            Latency::Constant(span) => Some(*span),
            Latency::Drawn(..) => None,
        }
    }

    #[inline]
    pub fn draw(&mut self) -> Span {
        match self {
            Latency::Constant(span) => *span,
            Latency::Drawn(sampler, stream) => sampler.draw(stream),
        }
    }
}

impl Connection {
    pub fn new(client: ClientId, life: u32, peer: Peer, broker: BrokerId, latency: Latency, handles_one: bool) -> Self {
        Connection {
            client,
            life,
            peer,
            broker,
            open: true,
            established: true,
            dead: false,
            latency,
            sequence: 0,
            arrived_there: Instant::ZERO,
            arrived_here: Instant::ZERO,
            muted: false,
            handles_one,
            waiting: VecDeque::new(),
            exchange: Exchange::default(),
        }
    }

    /// A request leaves: when it arrives, and which message it is.
    pub fn send(&mut self, now: Instant) -> (Instant, u64) {
        let at = (now + self.latency.draw()).max(self.arrived_there);
        self.arrived_there = at;
        self.sequence += 1;
        (at, self.sequence)
    }

    /// An answer leaves.
    pub fn answer(&mut self, now: Instant) -> (Instant, u64) {
        let at = (now + self.latency.draw()).max(self.arrived_here);
        self.arrived_here = at;
        self.sequence += 1;
        (at, self.sequence)
    }

    /// All requests so far have arrived, and the broker would read the next one at once.
    pub fn is_quiet(&self, now: Instant) -> bool {
        !self.muted && self.arrived_there <= now
    }

    /// A request arrived: whether the broker reads it, or is busy with an earlier one.
    pub fn is_read_at_once(&mut self) -> bool {
        !(self.handles_one && std::mem::replace(&mut self.muted, true))
    }

    /// It waits until it is read.
    pub fn keep_waiting(&mut self, request: Request) {
        self.waiting.push_back(request);
    }

    /// The broker answered: the next request that it reads.
    pub fn unmute(&mut self) -> Option<Request> {
        let next = self.waiting.pop_front();
        self.muted = next.is_some();
        next
    }

    /// The broker is gone, with all that it had not read.
    pub fn die(&mut self) {
        self.dead = true;
        self.waiting.clear();
    }

    /// The client is gone. What it sent is still read.
    pub fn close(&mut self) {
        self.open = false;
    }
}

/// Messages on their way, so that the event queue carries small numbers.
#[derive(Debug)]
pub struct InFlight<M> {
    slots: Vec<Option<M>>,
    free: Vec<u32>,
}

impl<M> Default for InFlight<M> {
    fn default() -> Self {
        InFlight { slots: Vec::new(), free: Vec::new() }
    }
}

impl<M> InFlight<M> {
    #[inline(always)]
    pub fn put(&mut self, message: M) -> u32 {
        match self.free.pop() {
            Some(slot) => {
                self.slots[slot as usize] = Some(message);
                slot
            }
            None => {
                self.slots.push(Some(message));
                u32::try_from(self.slots.len() - 1).expect("fewer than 2^32 messages are on their way")
            }
        }
    }

    pub fn is_empty(&self) -> bool {
        self.free.len() == self.slots.len()
    }

    pub fn take(&mut self, slot: u32) -> M {
        self.free.push(slot);
        self.slots[slot as usize].take().expect("a message arrives once")
    }
}

/// Either direction.
#[derive(Debug)]
pub enum Message {
    Request(Request),
    Response(Response),
}

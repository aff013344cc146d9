//! How a state machine acts: it says what it wants done, and the simulator does it.
//!
//! Machines get the time as an argument and write into reused buffers. A wake-up is a hint: the machine that asked for it keeps the truth in
//! a [`Deadline`] and ignores a wake-up that came too early, so nothing is ever cancelled in the event queue.

pub mod facts;

use self::facts::Facts;
use crate::trace::TraceEvent;
use crate::units::Instant;

/// What one step of a machine wants: messages `M` to be sent, wake-ups `T` at their times, facts for the trace; in order.
#[derive(Debug)]
pub struct Effects<M, T> {
    pub sends: Vec<M>,
    pub wakes: Vec<(Instant, T)>,
    pub facts: Facts,
    /// The moment of what is being said, if anybody wants to know it.
    pub now: Instant,
}

impl<M, T> Default for Effects<M, T> {
    fn default() -> Self {
        Effects { sends: Vec::new(), wakes: Vec::new(), facts: Facts::default(), now: Instant::ZERO }
    }
}

impl<M, T> Effects<M, T> {
    pub fn send(&mut self, message: M) {
        self.sends.push(message);
    }

    pub fn emit(&mut self, fact: TraceEvent) {
        self.facts.push(self.now, fact);
    }

    /// The same for the most frequent facts, those that own nothing.
    #[inline(always)]
    pub fn emit_plain(&mut self, fact: impl FnOnce() -> TraceEvent) {
        self.facts.push_plain(self.now, fact);
    }

    /// Asks for a wake-up at the deadline just armed.
    pub fn wake(&mut self, at: Instant, timer: T) {
        self.wakes.push((at, timer));
    }
}

/// A moment by which something is due, or none. Its owner keeps the truth; wake-ups are hints.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub struct Deadline(Option<Instant>);

impl Deadline {
    pub const NONE: Deadline = Deadline(None);

    pub fn arm(&mut self, at: Instant) {
        self.0 = Some(at);
    }

    pub fn disarm(&mut self) {
        self.0 = None;
    }

    pub fn is_due(self, now: Instant) -> bool {
        self.0.is_some_and(|at| at <= now)
    }

    pub fn at(self) -> Option<Instant> {
        self.0
    }
}

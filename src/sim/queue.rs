//! The event queue and the tie rule.
//!
//! Ties are equal nanoseconds. At one instant, in this order: (1) the timeline, in file order; (2) message arrivals, by connection in order of
//! creation, then by sequence on it; (3) timers, in the order in which they were armed; (4) steps of applications, in the order in which
//! they were planned. Samples come last of all; nothing in the queue knows of them, since metrics compute them from the trace.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use crate::units::Instant;

/// Where an event stands among those of its nanosecond: its class in the top bits, then the rule of the class.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Place(u64);

const CLASS_BITS: u32 = 2;
const SEQUENCE_BITS: u32 = 40;

impl Place {
    fn new(class: u64, rest: u64) -> Self {
        assert!(rest < 1 << (u64::BITS - CLASS_BITS), "a run has fewer than 2^62 events");
        Place(class << (u64::BITS - CLASS_BITS) | rest)
    }

    /// The n-th entry of the timeline.
    pub fn timeline(entry: u64) -> Self {
        Place::new(0, entry)
    }

    /// The n-th message on a connection.
    pub fn message(connection: u32, sequence: u64) -> Self {
        assert!(connection < 1 << (u64::BITS - CLASS_BITS - SEQUENCE_BITS), "a run has fewer than 4 million connections");
        assert!(sequence < 1 << SEQUENCE_BITS, "a connection carries fewer than 2^40 messages");
        Place::new(1, u64::from(connection) << SEQUENCE_BITS | sequence)
    }
}

/// Something that happens at a time.
#[derive(Clone, Debug)]
struct Entry<E> {
    at: Instant,
    place: Place,
    event: E,
}

impl<E> Entry<E> {
    /// Time and place as one number: one comparison.
    fn key(&self) -> u128 {
        u128::from(self.at.as_nanos()) << 64 | u128::from(self.place.0)
    }
}

impl<E> PartialEq for Entry<E> {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl<E> Eq for Entry<E> {}

impl<E> PartialOrd for Entry<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }

    fn lt(&self, other: &Self) -> bool {
        other.key() < self.key()
    }

    fn le(&self, other: &Self) -> bool {
        other.key() <= self.key()
    }

    fn gt(&self, other: &Self) -> bool {
        other.key() > self.key()
    }

    fn ge(&self, other: &Self) -> bool {
        other.key() >= self.key()
    }
}

/// Reversed: the heap's greatest is the earliest.
impl<E> Ord for Entry<E> {
    fn cmp(&self, other: &Self) -> Ordering {
        other.key().cmp(&self.key())
    }
}

#[derive(Debug)]
pub struct Queue<E> {
    heap: BinaryHeap<Entry<E>>,
    /// Timers and steps armed so far.
    armed: u64,
}

impl<E> Queue<E> {
    pub fn new() -> Self {
        Queue { heap: BinaryHeap::new(), armed: 0 }
    }

    pub fn push(&mut self, at: Instant, place: Place, event: E) {
        self.heap.push(Entry { at, place, event });
    }

    pub fn push_timer(&mut self, at: Instant, event: E) {
        self.armed += 1;
        self.push(at, Place::new(2, self.armed), event);
    }

    pub fn push_step(&mut self, at: Instant, event: E) {
        self.armed += 1;
        self.push(at, Place::new(3, self.armed), event);
    }

    pub fn next_at(&self) -> Option<Instant> {
        self.heap.peek().map(|entry| entry.at)
    }

    pub fn pop(&mut self) -> Option<(Instant, E)> {
        self.heap.pop().map(|entry| (entry.at, entry.event))
    }
}

impl<E> Default for Queue<E> {
    fn default() -> Self {
        Queue::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_one_instant_the_timeline_goes_before_messages_before_timers_before_steps() {
        let mut queue = Queue::new();
        let at = Instant::from_millis(5);
        queue.push_step(at, "step");
        queue.push_timer(at, "timer armed first");
        queue.push_timer(at, "timer armed second");
        queue.push(at, Place::message(2, 0), "younger connection");
        queue.push(at, Place::message(1, 1), "older connection, second message");
        queue.push(at, Place::message(1, 0), "older connection, first message");
        queue.push(at, Place::timeline(0), "timeline");
        queue.push_step(Instant::from_millis(4), "earlier");
        let order: Vec<&str> = std::iter::from_fn(|| queue.pop().map(|(_, event)| event)).collect();
        assert_eq!(
            order,
            [
                "earlier",
                "timeline",
                "older connection, first message",
                "older connection, second message",
                "younger connection",
                "timer armed first",
                "timer armed second",
                "step"
            ]
        );
    }
}

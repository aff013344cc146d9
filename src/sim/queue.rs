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
#[derive(Copy, Clone, Debug)]
struct Entry<E> {
    /// Time and place as one number: one comparison.
    key: u128,
    event: E,
}

impl<E> Entry<E> {
    fn new(at: Instant, place: Place, event: E) -> Self {
        Entry { key: u128::from(at.as_nanos()) << 64 | u128::from(place.0), event }
    }

    fn at(&self) -> Instant {
        Instant::from_nanos((self.key >> 64) as u64)
    }
}

impl<E> PartialEq for Entry<E> {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl<E> Eq for Entry<E> {}

impl<E> PartialOrd for Entry<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Reversed: the heap's greatest is the earliest.
impl<E> Ord for Entry<E> {
    fn cmp(&self, other: &Self) -> Ordering {
        other.key.cmp(&self.key)
    }
}

/// So many events at most stand in order; the rest lies in a heap.
const SOON: usize = 64;

/// What is scheduled mostly comes next but few: the soonest events stand in order, and only what lies far behind goes through a heap.
#[derive(Debug)]
pub struct Queue<E> {
    /// In order, the next one last.
    soon: Vec<Entry<E>>,
    /// None of these is before one that is soon.
    later: BinaryHeap<Entry<E>>,
    /// Timers and steps armed so far.
    armed: u64,
}

impl<E: Copy> Queue<E> {
    pub fn new() -> Self {
        Queue { soon: Vec::with_capacity(SOON), later: BinaryHeap::new(), armed: 0 }
    }

    // Events are written where they belong: passed on in memory, piece by piece and then as a whole, they would keep the processor waiting.
    #[inline(always)]
    pub fn push(&mut self, at: Instant, place: Place, event: E) {
        let entry = Entry::new(at, place, event);
        if self.later.peek().is_some_and(|first| first.key < entry.key) {
            self.later.push(entry);
            return;
        }
        self.soon.push(entry);
        // It mostly belongs near the end. The last place of `open` is free.
        let mut open = self.soon.as_mut_slice();
        while let [.., before, free] = open
            && before.key < entry.key
        {
            *free = *before;
            let last = open.len() - 1;
            open = &mut open[..last];
        }
        if let Some(free) = open.last_mut() {
            *free = entry;
        }
        if self.soon.len() == SOON {
            self.spill();
        }
    }

    #[cold]
    fn spill(&mut self) {
        self.later.extend(self.soon.drain(..SOON / 2));
    }

    #[inline(always)]
    pub fn push_timer(&mut self, at: Instant, event: E) {
        self.armed += 1;
        self.push(at, Place::new(2, self.armed), event);
    }

    #[inline(always)]
    pub fn push_step(&mut self, at: Instant, event: E) {
        self.armed += 1;
        self.push(at, Place::new(3, self.armed), event);
    }

    /// When the next event is, unless that is after `end`.
    #[inline(always)]
    pub fn next_until(&mut self, end: Instant) -> Option<Instant> {
        if self.soon.is_empty() {
            self.refill();
        }
        self.soon.last().map(Entry::at).filter(|at| *at <= end)
    }

    /// Takes the next event, which there is. Copied as a whole from where it stands: taken apart and put together again it would keep the
    /// processor waiting too.
    #[inline(always)]
    pub fn pop(&mut self) -> E {
        let last = self.soon.len() - 1;
        let event = self.soon[last].event;
        self.soon.truncate(last);
        event
    }

    /// With many at once, so that what is scheduled from here on is sooner than the rest.
    #[cold]
    fn refill(&mut self) {
        while self.soon.len() < SOON / 2
            && let Some(entry) = self.later.pop()
        {
            self.soon.push(entry);
        }
        self.soon.reverse();
    }
}

impl<E: Copy> Default for Queue<E> {
    fn default() -> Self {
        Queue::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Span;

    fn next<E: Copy>(queue: &mut Queue<E>) -> Option<(Instant, E)> {
        let at = queue.next_until(Instant::NEVER)?;
        Some((at, queue.pop()))
    }

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
        let order: Vec<&str> = std::iter::from_fn(|| next(&mut queue).map(|(_, event)| event)).collect();
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

    #[test]
    fn whatever_the_order_in_which_events_are_scheduled_the_earliest_comes_first() {
        let mut queue = Queue::new();
        let mut scheduled = 0_u64;
        let mut last = Instant::ZERO;
        for round in 0..2_000_u64 {
            // Bursts of up to 60 events, more than stand in order, from dense to sparse.
            for _ in 0..round % 61 {
                scheduled += 1;
                let ahead = scheduled.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (40 + round % 20);
                queue.push_timer(last + Span::from_nanos(ahead), scheduled);
            }
            for _ in 0..29 {
                let Some((at, _)) = next(&mut queue) else { break };
                assert!(at >= last, "{at} came after {last}");
                last = at;
            }
        }
        let rest: Vec<Instant> = std::iter::from_fn(|| next(&mut queue).map(|(at, _)| at)).collect();
        assert!(rest.is_sorted() && rest.len() > 500, "{} were left", rest.len());
    }
}

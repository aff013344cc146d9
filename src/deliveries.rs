//! The processings of each record in the order in which they were done.
//!
//! A batch is told when it ends, so a trace may tell the second processing of a record before the first: a kicked member still works on its
//! batch while the new owner reads the same records. Whoever has polled a record and has not finished with it may yet turn out to be the
//! first, so what others do with that record is held back until it is known. Without such a conflict everything passes straight through.

use crate::trace::times::Finished;
use crate::units::{ClientId, Instant, MemberId, Offset, OffsetRange, Span};

/// Who processes: a client, as which member, in which generation.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Hand {
    pub client: ClientId,
    pub member: Option<MemberId>,
    pub generation: i32,
}

/// When the records of a range were finished: [`Finished`], borrowed, so that it can be cut.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Times<'a> {
    Even { first: Instant, each: Span },
    Listed(&'a [Instant]),
}

/// One client's processing of a range.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Delivery<'a> {
    pub by: Hand,
    pub offsets: OffsetRange,
    pub times: Times<'a>,
}

/// A fold that passes deliveries on: for each record in the order of their ends, and whole as soon as that order is certain.
#[derive(Clone, Debug)]
pub struct Deliveries {
    by_slot: Vec<Desk>,
}

/// What is under way in one partition of one group.
#[derive(Clone, Default, Debug)]
struct Desk {
    /// Polled and not yet processed or dropped.
    in_hand: Vec<(ClientId, OffsetRange)>,
    /// What was in hand when the trace ended.
    left: Vec<OffsetRange>,
    held_back: Vec<(Hand, OffsetRange, Finished)>,
}

impl<'a> Times<'a> {
    #[inline]
    pub fn at(self, i: u64) -> Instant {
        match self {
            Times::Even { first, each } => first + each.times(i),
            Times::Listed(times) => times[i as usize],
        }
    }

    /// Without the first `n`, and only `len` of what follows.
    pub fn cut(self, n: u64, len: u64) -> Times<'a> {
        match self {
            Times::Even { first, each } => Times::Even { first: first + each.times(n), each },
            Times::Listed(times) => Times::Listed(&times[n as usize..(n + len) as usize]),
        }
    }

    /// How many of the first `n` are not later than `moment`.
    pub fn count_until(self, n: u64, moment: Instant) -> u64 {
        match self {
            Times::Even { first, each } if first <= moment => match (moment - first).as_nanos().checked_div(each.as_nanos()) {
                Some(whole) => n.min(whole + 1),
                None => n,
            },
            Times::Even { .. } => 0,
            Times::Listed(times) => times[..n as usize].partition_point(|at| *at <= moment) as u64,
        }
    }

    #[inline(always)]
    pub fn to_finished(self) -> Finished {
        match self {
            Times::Even { first, each } => Finished::Even { first, each },
            Times::Listed(times) => Finished::Listed(times.into()),
        }
    }
}

impl<'a> From<&'a Finished> for Times<'a> {
    fn from(finished: &'a Finished) -> Times<'a> {
        match finished {
            Finished::Even { first, each } => Times::Even { first: *first, each: *each },
            Finished::Listed(times) => Times::Listed(times),
        }
    }
}

impl<'a> Delivery<'a> {
    /// The part that lies in `window`, which is within the delivery.
    pub fn cut(self, window: OffsetRange) -> Delivery<'a> {
        let skipped = window.from.0 - self.offsets.from.0;
        Delivery { by: self.by, offsets: window, times: self.times.cut(skipped, window.len()) }
    }

    /// When the last record was done.
    #[inline]
    pub fn last(self) -> Instant {
        self.times.at(self.offsets.len().saturating_sub(1))
    }
}

impl Deliveries {
    pub fn new(slots: usize) -> Self {
        Deliveries { by_slot: vec![Desk::default(); slots] }
    }

    #[inline(always)]
    pub fn polled(&mut self, slot: usize, client: ClientId, offsets: OffsetRange) {
        self.by_slot[slot].in_hand.push((client, offsets));
    }

    /// Whether a client has polled all of these records, and neither processed nor dropped any of them or of those before them that it
    /// polled with them.
    pub fn has_in_hand(&self, slot: usize, client: ClientId, mut offsets: OffsetRange) -> bool {
        let in_hand = &self.by_slot[slot].in_hand;
        while !offsets.is_empty() {
            let begins = |(holder, held): &&(ClientId, OffsetRange)| *holder == client && held.from == offsets.from && !held.is_empty();
            let Some((_, held)) = in_hand.iter().find(begins) else { return false };
            offsets.from = held.to.min(offsets.to);
        }
        true
    }

    /// The first of the records of which something is still to be passed on: in somebody's hands, or held back.
    pub fn first_unsettled(&self, slot: usize) -> Option<Offset> {
        let desk = &self.by_slot[slot];
        let held_back = desk.held_back.iter().map(|(_, offsets, _)| offsets.from);
        desk.in_hand.iter().map(|(_, held)| held.from).chain(held_back).min()
    }

    /// How many records a client has in hand there.
    pub fn count_in_hand(&self, slot: usize, client: ClientId) -> u64 {
        let ours = self.by_slot[slot].in_hand.iter().filter(|(holder, _)| *holder == client);
        ours.map(|(_, held)| held.len()).sum()
    }

    /// Takes a delivery that is settled at once: nobody else has anything in hand, and it is done as it was polled. Any other, which it
    /// leaves alone, is for [`Deliveries::settle`].
    #[inline(always)]
    pub fn passes_straight(&mut self, slot: usize, delivery: Delivery<'_>) -> bool {
        let desk = &mut self.by_slot[slot];
        let passes = desk.held_back.is_empty() && *desk.in_hand == [(delivery.by.client, delivery.offsets)];
        if passes {
            desk.in_hand.clear();
        }
        passes
    }

    /// Takes a delivery. Passes on what it settles, with its slot; so do the others.
    pub fn settle(&mut self, slot: usize, delivery: Delivery<'_>, mut out: impl FnMut(usize, Delivery<'_>)) {
        if !delivery.offsets.is_empty() {
            self.by_slot[slot].settle(delivery, |delivery| out(slot, delivery));
        }
    }

    pub fn dropped(&mut self, slot: usize, client: ClientId, offsets: OffsetRange, mut out: impl FnMut(usize, Delivery<'_>)) {
        self.by_slot[slot].put_down(client, offsets);
        self.by_slot[slot].pass_on(|delivery| out(slot, delivery));
    }

    /// Whatever the last life of this client had in hand is gone, in the slots of its group.
    pub fn started(&mut self, client: ClientId, slots: impl Iterator<Item = usize>, mut out: impl FnMut(usize, Delivery<'_>)) {
        for slot in slots {
            self.by_slot[slot].in_hand.retain(|(holder, _)| *holder != client);
            self.by_slot[slot].pass_on(|delivery| out(slot, delivery));
        }
    }

    /// At the end of a trace nobody finishes what is in hand.
    pub fn pass_on_all(&mut self, mut out: impl FnMut(usize, Delivery<'_>)) {
        for (slot, desk) in self.by_slot.iter_mut().enumerate() {
            desk.left.extend(desk.in_hand.drain(..).map(|(_, offsets)| offsets));
            desk.pass_on(|delivery| out(slot, delivery));
        }
    }

    /// What processes still had in hand when the trace ended: they would have gone on with it.
    pub fn left(&self, slot: usize) -> &[OffsetRange] {
        &self.by_slot[slot].left
    }
}

impl Desk {
    fn settle(&mut self, delivery: Delivery<'_>, mut out: impl FnMut(Delivery<'_>)) {
        self.put_down(delivery.by.client, delivery.offsets);
        let contested = self.is_in_other_hands(delivery.by.client, delivery.offsets);
        if !contested && !self.held_back.iter().any(|(_, offsets, _)| overlap(*offsets, delivery.offsets)) {
            out(delivery);
        } else {
            self.held_back.push((delivery.by, delivery.offsets, delivery.times.to_finished()));
        }
        self.pass_on(out);
    }

    fn put_down(&mut self, client: ClientId, done: OffsetRange) {
        let mut i = 0;
        while i < self.in_hand.len() {
            let (holder, held) = self.in_hand[i];
            if holder != client || !overlap(held, done) {
                i += 1;
                continue;
            }
            self.in_hand.swap_remove(i);
            if held.from < done.from {
                self.in_hand.push((client, OffsetRange::new(held.from, done.from)));
            }
            if done.to < held.to {
                self.in_hand.push((client, OffsetRange::new(done.to, held.to)));
            }
        }
    }

    fn is_in_other_hands(&self, client: ClientId, offsets: OffsetRange) -> bool {
        self.in_hand.iter().any(|(holder, held)| *holder != client && overlap(*held, offsets))
    }

    /// Passes everything on that was held back, once none of it can be overtaken.
    fn pass_on(&mut self, mut out: impl FnMut(Delivery<'_>)) {
        if self.held_back.is_empty() || self.held_back.iter().any(|(by, offsets, _)| self.is_in_other_hands(by.client, *offsets)) {
            return;
        }
        let told = std::mem::take(&mut self.held_back);
        for (which, offsets) in in_order_of_end(&told) {
            let (by, whole, finished) = &told[which];
            out(Delivery { by: *by, offsets: *whole, times: finished.into() }.cut(offsets));
        }
    }
}

fn overlap(a: OffsetRange, b: OffsetRange) -> bool {
    a.from < b.to && b.from < a.to
}

/// Cuts overlapping deliveries into runs of records: first the first processing of each record, then the second ones, and so on. Costs
/// O(records), which are at most what a few polls returned.
fn in_order_of_end(told: &[(Hand, OffsetRange, Finished)]) -> Vec<(usize, OffsetRange)> {
    let mut single = Vec::new();
    for (which, (_, offsets, finished)) in told.iter().enumerate() {
        single.extend((0..offsets.len()).map(|i| (offsets.from + i, finished.at(i), which)));
    }
    single.sort_unstable();
    let mut ranked = Vec::with_capacity(single.len());
    let mut rank = 0;
    for (i, (offset, _, which)) in single.iter().enumerate() {
        rank = if i > 0 && single[i - 1].0 == *offset { rank + 1 } else { 0 };
        ranked.push((rank, *offset, *which));
    }
    ranked.sort_unstable();
    let mut runs: Vec<(usize, OffsetRange)> = Vec::new();
    let mut last_rank = 0;
    for (rank, offset, which) in ranked {
        match runs.last_mut() {
            Some((same, run)) if *same == which && run.to == offset && rank == last_rank => run.to = offset + 1,
            Some(_) | None => runs.push((which, OffsetRange::new(offset, offset + 1))),
        }
        last_rank = rank;
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(from: u64, to: u64) -> OffsetRange {
        OffsetRange::new(Offset(from), Offset(to))
    }

    enum Step {
        Polled(u32, u64, u64),
        /// Client, offsets, the first end and the time of each in milliseconds.
        Processed(u32, u64, u64, u64, u64),
        Dropped(u32, u64, u64),
        Ended,
    }
    use Step::{Dropped, Ended, Polled, Processed};

    fn passed_on(events: &[Step]) -> Vec<(u32, u64, u64, u64)> {
        let mut deliveries = Deliveries::new(1);
        let mut passed = Vec::new();
        for event in events {
            let mut out = |_, d: Delivery<'_>| passed.push((d.by.client.0, d.offsets.from.0, d.offsets.to.0, d.times.at(0).as_millis()));
            match event {
                Step::Polled(client, from, to) => deliveries.polled(0, ClientId(*client), range(*from, *to)),
                Step::Processed(client, from, to, first, each) => {
                    let by = Hand { client: ClientId(*client), member: None, generation: 1 };
                    let times = Times::Even { first: Instant::from_millis(*first), each: Span::from_millis(*each) };
                    let delivery = Delivery { by, offsets: range(*from, *to), times };
                    if deliveries.passes_straight(0, delivery) { out(0, delivery) } else { deliveries.settle(0, delivery, out) }
                }
                Step::Dropped(client, from, to) => deliveries.dropped(0, ClientId(*client), range(*from, *to), out),
                Step::Ended => deliveries.pass_on_all(out),
            }
        }
        passed
    }

    #[test]
    fn without_a_conflict_everything_passes_straight_through() {
        let events = [Polled(0, 0, 10), Processed(0, 0, 10, 1, 1), Polled(0, 10, 20), Processed(0, 10, 20, 20, 1)];
        assert_eq!(passed_on(&events), [(0, 0, 10, 1), (0, 10, 20, 20)]);
    }

    #[test]
    fn a_zombie_that_was_faster_comes_first_although_it_is_told_last() {
        let events = [Polled(0, 0, 4), Polled(1, 0, 4), Processed(1, 0, 4, 50, 1), Processed(0, 0, 4, 10, 10)];
        assert_eq!(passed_on(&events), [(0, 0, 4, 10), (1, 0, 4, 50)]);
    }

    #[test]
    fn the_order_is_that_of_each_record() {
        // Client 0 finishes at 10, 20, 30, 40; client 1 at 25, 26, 27, 28.
        let events = [Polled(0, 0, 4), Polled(1, 0, 4), Processed(1, 0, 4, 25, 1), Processed(0, 0, 4, 10, 10)];
        assert_eq!(passed_on(&events), [(0, 0, 2, 10), (1, 2, 4, 27), (1, 0, 2, 25), (0, 2, 4, 30)]);
    }

    #[test]
    fn dropped_records_hold_nothing_back_any_longer() {
        let events = [Polled(0, 0, 4), Polled(1, 0, 4), Processed(1, 0, 4, 50, 1), Processed(0, 0, 2, 10, 10), Dropped(0, 2, 4)];
        assert_eq!(passed_on(&events[..4]), []);
        assert_eq!(passed_on(&events), [(0, 0, 2, 10), (1, 2, 4, 52), (1, 0, 2, 50)]);
    }

    #[test]
    fn the_end_of_the_trace_lets_everything_go() {
        let events = [Polled(0, 0, 4), Polled(1, 0, 4), Processed(1, 0, 4, 50, 1), Ended];
        assert_eq!(passed_on(&events), [(1, 0, 4, 50)]);
    }

    #[test]
    fn times_are_counted_up_to_and_with_a_moment() {
        let even = Times::Even { first: Instant::from_nanos(10), each: Span::from_nanos(5) };
        let counted: Vec<_> = [9, 10, 14, 15, 99].iter().map(|t| even.count_until(4, Instant::from_nanos(*t))).collect();
        assert_eq!(counted, [0, 1, 1, 2, 4]);
        let at_once = Times::Even { first: Instant::from_nanos(10), each: Span::ZERO };
        assert_eq!(at_once.count_until(4, Instant::from_nanos(10)), 4);
    }
}

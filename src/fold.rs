//! How folds over a trace are fed.
//!
//! Almost all facts are about records, and every fold would look up the same about them: to which slot they belong, when they became visible,
//! whether somebody else may still be the first to process them. That is done once for all, from the trace alone.

use crate::deliveries::{Deliveries, Delivery, Hand, Times};
use crate::ownership::{Hold, Ownership};
use crate::slots::Slots;
use crate::trace::times::{Created, Finished};
use crate::trace::{Cast, Sink, TraceEvent};
use crate::units::{ClientId, Instant, OffsetRange, ProducerId, Span, TopicPartition};

/// Takes the facts of a trace in order. What is `known` when a fact comes is what was told before it.
pub trait Fold {
    fn appended(&mut self, _at: Instant, _append: &Append<'_>) {}

    fn polled(&mut self, _at: Instant, _poll: Poll<'_>, _known: &Known) {}

    /// As it was told; see [`Fold::delivered`].
    fn processed(&mut self, _at: Instant, _work: Work<'_>) {}

    /// The same, for each record in the order in which it was done; see [`Deliveries`].
    fn delivered(&mut self, _slot: usize, _delivery: Delivery<'_>, _ownership: &Ownership) {}

    /// Any other fact.
    fn told(&mut self, at: Instant, event: &TraceEvent, known: &Known);

    /// The latest hold of this slot has ended.
    fn owner_gone(&mut self, _at: Instant, _slot: usize) {}
}

/// Feeds a fold.
#[derive(Clone, Debug)]
pub struct Folding<F> {
    known: Known,
    pub fold: F,
}

/// What the trace has told so far that several folds want to know.
#[derive(Clone, Debug)]
pub struct Known {
    pub slots: Slots,
    pub ownership: Ownership,
    pub deliveries: Deliveries,
    /// When the latest fact was told.
    pub latest: Instant,
}

/// An `Appended` fact.
#[derive(Copy, Clone, Debug)]
pub struct Append<'a> {
    pub producer: ProducerId,
    pub partition: TopicPartition,
    /// Of the partition.
    pub index: usize,
    pub offsets: OffsetRange,
    pub batches: u64,
    pub per_batch: u64,
    pub created: &'a Created,
    pub delay: Span,
    /// When the first and the last of the batches became visible.
    pub visible: (Instant, Instant),
}

/// A `Polled` fact.
#[derive(Copy, Clone, Debug)]
pub struct Poll<'a> {
    pub client: ClientId,
    pub partition: TopicPartition,
    /// Of the partition.
    pub index: usize,
    pub slot: usize,
    pub offsets: OffsetRange,
    /// Of the slot.
    pub latest_hold: Option<&'a Hold>,
}

/// A `Processed` fact.
#[derive(Copy, Clone, Debug)]
pub struct Work<'a> {
    pub partition: TopicPartition,
    pub slot: usize,
    pub delivery: Delivery<'a>,
    /// Whether the client had all of the records in hand.
    pub was_in_hand: bool,
}

impl<F: Fold> Folding<F> {
    pub fn new(cast: &Cast, fold: F) -> Self {
        let slots = Slots::new(cast);
        let (ownership, deliveries) = (Ownership::new(&slots), Deliveries::new(slots.count()));
        Folding { known: Known { slots, ownership, deliveries, latest: Instant::ZERO }, fold }
    }

    /// At the end of the trace.
    pub fn finish(mut self) -> (F, Known) {
        let Known { ownership, deliveries, .. } = &mut self.known;
        deliveries.pass_on_all(|slot, delivery| self.fold.delivered(slot, delivery, ownership));
        (self.fold, self.known)
    }

    #[inline(never)]
    fn appended(&mut self, at: Instant, event: &TraceEvent) {
        if let Some(append) = Append::told_by(event, self.known.slots.cast()) {
            self.fold.appended(at, &append);
        }
    }

    #[inline(never)]
    fn polled(&mut self, at: Instant, event: &TraceEvent) {
        let TraceEvent::Polled { client, partition, offsets } = *event else { return };
        let (index, slot) = self.known.slots.place(client, partition);
        let latest_hold = self.known.ownership.latest(slot);
        self.fold.polled(at, Poll { client, partition, index, slot, offsets, latest_hold }, &self.known);
        self.known.deliveries.polled(slot, client, offsets);
    }

    #[inline(never)]
    fn processed(&mut self, at: Instant, event: &TraceEvent) {
        let TraceEvent::Processed { client, member, generation, partition, offsets, finished } = event else { return };
        let slot = self.known.slots.of(*client, *partition);
        let by = Hand { client: *client, member: *member, generation: *generation };
        match finished {
            // The usual case has a path of its own, on which nobody asks for the case again.
            Finished::Even { first, each } => {
                self.work(at, *partition, slot, Delivery { by, offsets: *offsets, times: Times::Even { first: *first, each: *each } });
            }
            Finished::Listed(times) => {
                self.listed_work(at, *partition, slot, Delivery { by, offsets: *offsets, times: Times::Listed(times) })
            }
        }
    }

    #[inline(never)]
    fn listed_work(&mut self, at: Instant, partition: TopicPartition, slot: usize, delivery: Delivery<'_>) {
        self.work(at, partition, slot, delivery);
    }

    #[inline(always)]
    fn work(&mut self, at: Instant, partition: TopicPartition, slot: usize, delivery: Delivery<'_>) {
        let Known { ownership, deliveries, .. } = &mut self.known;
        if deliveries.passes_straight(slot, delivery) {
            self.fold.processed(at, Work { partition, slot, delivery, was_in_hand: true });
            self.fold.delivered(slot, delivery, ownership);
        } else {
            let was_in_hand = deliveries.has_in_hand(slot, delivery.by.client, delivery.offsets);
            self.fold.processed(at, Work { partition, slot, delivery, was_in_hand });
            deliveries.settle(slot, delivery, |slot, delivery| self.fold.delivered(slot, delivery, ownership));
        }
    }

    #[inline(never)]
    fn told(&mut self, at: Instant, event: &TraceEvent) {
        self.fold.told(at, event, &self.known);
        self.broken_off(event);
        for slot in self.known.ownership.record(at, event) {
            self.fold.owner_gone(at, *slot);
        }
    }

    /// What ends the work of a client, or of all.
    fn broken_off(&mut self, event: &TraceEvent) {
        let Known { slots, ownership, deliveries, .. } = &mut self.known;
        let deliver = |slot, delivery: Delivery<'_>| self.fold.delivered(slot, delivery, ownership);
        if let TraceEvent::Dropped { client, partition, offsets } = event {
            deliveries.dropped(slots.of(*client, *partition), *client, *offsets, deliver);
        } else if let TraceEvent::ClientStarted { client, .. } = event {
            let of_its_group = slots.of_group(slots.group_of(*client)).map(|(_, slot)| slot);
            deliveries.started(*client, of_its_group, deliver);
        } else if let TraceEvent::SettlePhaseEnded { .. } = event {
            deliveries.pass_on_all(deliver);
        }
    }
}

impl<F: Fold> Sink for Folding<F> {
    // Facts are many, and of few kinds: each kind has a path of its own.
    #[inline(always)]
    fn record(&mut self, at: Instant, event: &TraceEvent) {
        self.known.latest = self.known.latest.max(at);
        if let TraceEvent::Appended { .. } = event {
            self.appended(at, event);
        } else if let TraceEvent::Polled { .. } = event {
            self.polled(at, event);
        } else if let TraceEvent::Processed { .. } = event {
            self.processed(at, event);
        } else {
            self.told(at, event);
        }
    }
}

impl<'a> Append<'a> {
    #[inline(always)]
    pub fn told_by(event: &'a TraceEvent, cast: &Cast) -> Option<Self> {
        let TraceEvent::Appended { producer, partition, first, per_batch, batches, created, delay } = event else { return None };
        let (batches, per_batch) = (*batches, u64::from(*per_batch));
        let visible_from = |batch: u64| created.at(batch * per_batch) + *delay;
        let visible = match batches {
            0 => (Instant::ZERO, Instant::ZERO),
            _ => {
                let first = visible_from(0);
                (first, if batches == 1 { first } else { visible_from(batches - 1) })
            }
        };
        Some(Append {
            producer: *producer,
            partition: *partition,
            index: cast.index(*partition),
            offsets: OffsetRange { from: *first, to: *first + batches * per_batch },
            batches,
            per_batch,
            created,
            delay: *delay,
            visible,
        })
    }

    /// How many of its records were visible at a moment.
    #[inline(always)]
    pub fn visible_by(&self, moment: Instant) -> u64 {
        // Usually all of them were.
        if self.visible.1 <= moment { self.offsets.len() } else { self.some_visible_by(moment) }
    }

    fn some_visible_by(&self, moment: Instant) -> u64 {
        let Some(latest) = moment.as_nanos().checked_sub(self.delay.as_nanos()).map(Instant::from_nanos) else { return 0 };
        let visible = match self.created {
            Created::Even { pace, index } => {
                let records = pace.count_before(latest + Span::from_nanos(1)).saturating_sub(*index);
                records.div_ceil(self.per_batch).min(self.batches)
            }
            Created::Listed(times) => times.chunks(self.per_batch as usize).take_while(|batch| batch[0] <= latest).count() as u64,
        };
        visible * self.per_batch
    }
}

impl<A: Fold, B: Fold> Fold for (A, B) {
    #[inline(always)]
    fn appended(&mut self, at: Instant, append: &Append<'_>) {
        self.0.appended(at, append);
        self.1.appended(at, append);
    }

    #[inline(always)]
    fn polled(&mut self, at: Instant, poll: Poll<'_>, known: &Known) {
        self.0.polled(at, poll, known);
        self.1.polled(at, poll, known);
    }

    #[inline(always)]
    fn processed(&mut self, at: Instant, work: Work<'_>) {
        self.0.processed(at, work);
        self.1.processed(at, work);
    }

    #[inline(always)]
    fn delivered(&mut self, slot: usize, delivery: Delivery<'_>, ownership: &Ownership) {
        self.0.delivered(slot, delivery, ownership);
        self.1.delivered(slot, delivery, ownership);
    }

    fn told(&mut self, at: Instant, event: &TraceEvent, known: &Known) {
        self.0.told(at, event, known);
        self.1.told(at, event, known);
    }

    fn owner_gone(&mut self, at: Instant, slot: usize) {
        self.0.owner_gone(at, slot);
        self.1.owner_gone(at, slot);
    }
}

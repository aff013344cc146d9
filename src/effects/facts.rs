//! What was said, in order, each with its moment, until it is recorded.
//!
//! Most facts are about records and own nothing that has to be freed. A list forgets those without looking at each of them again.

use std::mem::{self, ManuallyDrop};

use crate::trace::TraceEvent;
use crate::trace::times::{Created, Finished};
use crate::units::Instant;

#[derive(Debug, Default)]
pub struct Facts {
    said: Vec<(Instant, ManuallyDrop<TraceEvent>)>,
    /// The places of those that may own something. Any other is never dropped.
    owners: Vec<usize>,
}

impl Facts {
    pub fn len(&self) -> usize {
        self.said.len()
    }

    pub fn is_empty(&self) -> bool {
        self.said.is_empty()
    }

    pub fn push(&mut self, at: Instant, fact: TraceEvent) {
        self.owners.push(self.said.len());
        self.said.push((at, ManuallyDrop::new(fact)));
    }

    /// A fact that owns nothing, written where it stays. One that was made before there is room for it would be put together in memory and
    /// read again at once to be moved, for which processors have to wait.
    #[inline(always)]
    pub fn push_plain(&mut self, at: Instant, fact: impl FnOnce() -> TraceEvent) {
        if self.said.len() == self.said.capacity() {
            self.said.reserve(1);
        }
        assert!(self.said.len() < self.said.capacity(), "there is room");
        self.said.push((at, ManuallyDrop::new(fact())));
        debug_assert!(self.said.last().is_some_and(|(_, fact)| owns_nothing(fact)));
    }

    /// Says something before the fact at that place.
    pub fn insert(&mut self, place: usize, at: Instant, fact: TraceEvent) {
        self.owners.iter_mut().filter(|owner| **owner >= place).for_each(|owner| *owner += 1);
        self.owners.push(place);
        self.said.insert(place, (at, ManuallyDrop::new(fact)));
    }

    /// Takes over what others said.
    pub fn append(&mut self, others: &mut Facts) {
        let before = self.said.len();
        self.owners.extend(others.owners.drain(..).map(|owner| before + owner));
        self.said.append(&mut others.said);
    }

    #[inline(always)]
    pub fn iter(&self) -> impl Iterator<Item = (Instant, &TraceEvent)> {
        self.said.iter().map(|(at, fact)| (*at, &**fact))
    }

    #[inline(always)]
    pub fn clear(&mut self) {
        for owner in self.owners.drain(..) {
            let fact = mem::replace(&mut self.said[owner].1, ManuallyDrop::new(TraceEvent::RunPhaseEnded));
            drop(ManuallyDrop::into_inner(fact));
        }
        self.said.clear();
    }
}

fn owns_nothing(fact: &TraceEvent) -> bool {
    matches!(
        fact,
        TraceEvent::Polled { .. }
            | TraceEvent::Dropped { .. }
            | TraceEvent::Appended { created: Created::Even { .. }, .. }
            | TraceEvent::Processed { finished: Finished::Even { .. }, .. }
    )
}

impl Drop for Facts {
    fn drop(&mut self) {
        self.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{ClientId, Offset, OffsetRange, TopicId, TopicPartition};

    fn dropped(partition: u32) -> TraceEvent {
        let offsets = OffsetRange::new(Offset(0), Offset(1));
        TraceEvent::Dropped { client: ClientId(0), partition: TopicPartition { topic: TopicId(0), partition }, offsets }
    }

    fn processed(times: &[Instant]) -> TraceEvent {
        let (partition, offsets) = (TopicPartition { topic: TopicId(0), partition: 9 }, OffsetRange::new(Offset(0), Offset(2)));
        let finished = Finished::Listed(times.into());
        TraceEvent::Processed { client: ClientId(0), member: None, generation: 1, partition, offsets, finished }
    }

    #[test]
    fn facts_come_in_order_whoever_said_them_and_whatever_they_own() {
        let at = Instant::from_millis;
        let (mut facts, mut others) = (Facts::default(), Facts::default());
        facts.push(at(1), processed(&[at(0), at(1)]));
        facts.push_plain(at(2), || dropped(2));
        others.push_plain(at(4), || dropped(4));
        others.push(at(5), processed(&[at(4), at(5)]));
        facts.append(&mut others);
        assert!(others.is_empty());
        facts.insert(2, at(3), processed(&[at(2), at(3)]));
        let told: Vec<_> = facts.iter().collect();
        let own = |millis| processed(&[at(millis - 1), at(millis)]);
        assert_eq!(told, [(at(1), &own(1)), (at(2), &dropped(2)), (at(3), &own(3)), (at(4), &dropped(4)), (at(5), &own(5))]);
        // Each owner is dropped once.
        facts.clear();
        assert_eq!(facts.len(), 0);
    }
}

//! What must hold between commits and the positions that come from them (OffsetFetch answers what OffsetCommit was told).

use super::Findings;
use crate::slots::Slots;
use crate::terms::PositionSource;
use crate::units::{ClientId, Offset, TopicPartition};

#[derive(Clone, Debug)]
pub(super) struct PositionRules {
    /// By slot: what the coordinator took last.
    committed: Vec<Option<Offset>>,
}

impl PositionRules {
    pub fn new(slots: &Slots) -> Self {
        PositionRules { committed: vec![None; slots.count()] }
    }

    pub fn committed(&mut self, slot: usize, offset: Offset) {
        self.committed[slot] = Some(offset);
    }

    pub fn uncommitted(&mut self, slot: usize) {
        self.committed[slot] = None;
    }

    /// auto.offset.reset is for partitions without a committed offset.
    pub fn position_set(
        &self,
        slot: usize,
        (client, partition): (ClientId, TopicPartition),
        (offset, source): (Offset, PositionSource),
        findings: &mut Findings,
    ) {
        let committed = self.committed[slot];
        let fits = match source {
            PositionSource::Committed => committed == Some(offset),
            PositionSource::ResetEarliest | PositionSource::ResetLatest => committed.is_none(),
        };
        findings
            .expect(fits, || format!("{client:?} starts {partition:?} at {offset} ({source:?}), and what was committed is {committed:?}"));
    }
}

//! What must hold between commits and the positions that come from them (OffsetFetch answers what OffsetCommit was told).

use super::Findings;
use crate::slots::Slots;
use crate::terms::PositionSource;
use crate::units::{ClientId, Offset, TopicPartition};

#[derive(Clone, Debug)]
pub(super) struct PositionRules {
    /// By slot: what the coordinator took last.
    committed: Vec<Option<Offset>>,
    /// By slot: what somebody else replaced since the partition has its owner, who may have been answered before that.
    replaced: Vec<Vec<Option<Offset>>>,
}

impl PositionRules {
    pub fn new(slots: &Slots) -> Self {
        PositionRules { committed: vec![None; slots.count()], replaced: vec![Vec::new(); slots.count()] }
    }

    /// A former owner may commit too, if it names the partition and is a member.
    pub fn committed(&mut self, slot: usize, offset: Offset, by_owner: bool) {
        let before = self.committed[slot].replace(offset);
        if !by_owner {
            self.replaced[slot].push(before);
        }
    }

    pub fn assigned(&mut self, slot: usize) {
        self.replaced[slot].clear();
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
        let answer = match source {
            PositionSource::Committed => Some(offset),
            PositionSource::ResetEarliest | PositionSource::ResetLatest => None,
        };
        let fits = committed == answer || self.replaced[slot].contains(&answer);
        findings
            .expect(fits, || format!("{client:?} starts {partition:?} at {offset} ({source:?}), and what was committed is {committed:?}"));
    }
}

//! What must hold between commits and the positions that come from them (OffsetFetch answers what OffsetCommit was told).

use super::Findings;
use crate::slots::Slots;
use crate::terms::PositionSource;
use crate::units::{ClientId, GroupId, Offset, TopicPartition};

#[derive(Clone, Debug)]
pub(super) struct PositionRules {
    slots: Slots,
    /// By slot: what the coordinator took last.
    committed: Vec<Option<Offset>>,
}

impl PositionRules {
    pub fn new(slots: Slots) -> Self {
        PositionRules { committed: vec![None; slots.count()], slots }
    }

    pub fn committed(&mut self, group: GroupId, partition: TopicPartition, offset: Offset) {
        self.committed[self.slots.at(group, partition)] = Some(offset);
    }

    pub fn expired(&mut self, group: GroupId, partition: TopicPartition) {
        self.committed[self.slots.at(group, partition)] = None;
    }

    pub fn deleted(&mut self, group: GroupId) {
        self.slots.of_group(group).for_each(|(_, slot)| self.committed[slot] = None);
    }

    /// auto.offset.reset is for partitions without a committed offset.
    pub fn position_set(
        &self,
        client: ClientId,
        partition: TopicPartition,
        (offset, source): (Offset, PositionSource),
        findings: &mut Findings,
    ) {
        let committed = self.committed[self.slots.of(client, partition)];
        let fits = match source {
            PositionSource::Committed => committed == Some(offset),
            PositionSource::ResetEarliest | PositionSource::ResetLatest => committed.is_none(),
        };
        findings
            .expect(fits, || format!("{client:?} starts {partition:?} at {offset} ({source:?}), and what was committed is {committed:?}"));
    }
}

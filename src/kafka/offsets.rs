//! Offsets that groups have committed, and those that wait for the end of a transaction.
//!
//! Origin: OffsetMetadataManager; KIP-447 for offsets in transactions. They outlive their group: a pending offset survives the group's deletion,
//! and its commit marker stores it even then.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use crate::units::{GroupId, Instant, Offset, TopicId, TopicPartition};

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct StoredOffset {
    pub offset: Offset,
    pub at: Instant,
    /// The record's place in the log.
    record: u64,
}

#[derive(Clone, Debug, Default)]
pub struct Offsets {
    committed: BTreeMap<GroupId, BTreeMap<TopicPartition, StoredOffset>>,
    /// By producer.
    pending: BTreeMap<u64, BTreeMap<(GroupId, TopicPartition), StoredOffset>>,
    records: u64,
}

impl Offsets {
    pub fn commit(&mut self, now: Instant, group: GroupId, partition: TopicPartition, offset: Offset) {
        let stored = self.record(now, offset);
        self.committed.entry(group).or_default().insert(partition, stored);
    }

    /// Within a transaction: nothing is visible before its commit marker.
    pub fn commit_pending(&mut self, now: Instant, producer: u64, group: GroupId, partition: TopicPartition, offset: Offset) {
        let stored = self.record(now, offset);
        self.pending.entry(producer).or_default().insert((group, partition), stored);
    }

    /// The marker of a transaction. A plain commit that came after the pending one in the log is kept.
    pub fn end_transaction(&mut self, producer: u64, commit: bool) {
        let pending = self.pending.remove(&producer).unwrap_or_default();
        for ((group, partition), stored) in pending.into_iter().filter(|_| commit) {
            let offsets = self.committed.entry(group).or_default();
            if offsets.get(&partition).is_none_or(|known| known.record < stored.record) {
                offsets.insert(partition, stored);
            }
        }
    }

    pub fn get(&self, group: GroupId, partition: TopicPartition) -> Option<Offset> {
        self.committed.get(&group)?.get(&partition).map(|stored| stored.offset)
    }

    /// What a group has committed, by partition.
    pub fn of_group(&self, group: GroupId) -> impl Iterator<Item = (TopicPartition, StoredOffset)> + '_ {
        self.committed.get(&group).into_iter().flatten().map(|(partition, stored)| (*partition, *stored))
    }

    pub fn has_committed(&self, group: GroupId) -> bool {
        self.committed.get(&group).is_some_and(|offsets| !offsets.is_empty())
    }

    /// A transaction is open on this partition.
    pub fn is_pending(&self, group: GroupId, partition: TopicPartition) -> bool {
        self.pending.values().any(|pending| pending.contains_key(&(group, partition)))
    }

    /// The partitions of a group on which transactions are open, some of them perhaps more than once.
    pub fn pending_of_group(&self, group: GroupId) -> impl Iterator<Item = TopicPartition> + '_ {
        let all_of_group = partitions_of(group);
        self.pending.values().flat_map(move |pending| pending.range(all_of_group.clone()).map(|((_, partition), _)| *partition))
    }

    /// A tombstone: the pending offsets of the partition go with the committed one.
    pub fn delete(&mut self, group: GroupId, partition: TopicPartition) {
        if let Some(offsets) = self.committed.get_mut(&group) {
            offsets.remove(&partition);
        }
        for pending in self.pending.values_mut() {
            pending.remove(&(group, partition));
        }
    }

    pub fn delete_group(&mut self, group: GroupId) {
        self.committed.remove(&group);
        for pending in self.pending.values_mut() {
            pending.retain(|(owner, _), _| *owner != group);
        }
    }

    /// A topic is deleted, and with it what all groups have committed for it. False if that was nothing.
    pub fn delete_topic(&mut self, topic: TopicId) -> bool {
        let before = self.len();
        for offsets in self.committed.values_mut() {
            offsets.retain(|partition, _| partition.topic != topic);
        }
        for pending in self.pending.values_mut() {
            pending.retain(|(_, partition), _| partition.topic != topic);
        }
        self.len() < before
    }

    fn len(&self) -> usize {
        let committed: usize = self.committed.values().map(BTreeMap::len).sum();
        committed + self.pending.values().map(BTreeMap::len).sum::<usize>()
    }

    fn record(&mut self, at: Instant, offset: Offset) -> StoredOffset {
        self.records += 1;
        StoredOffset { offset, at, record: self.records }
    }
}

fn partitions_of(group: GroupId) -> RangeInclusive<(GroupId, TopicPartition)> {
    let at = |topic, partition| (group, TopicPartition { topic: TopicId(topic), partition });
    at(0, 0)..=at(u32::MAX, u32::MAX)
}

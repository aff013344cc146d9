//! Which partitions have moved from whom to whom while a group was balanced, so that one that could move back does, instead of another one
//! of its topic following it. Origin: `AbstractStickyAssignor.PartitionMovements`.

use std::collections::BTreeMap;

use crate::kafka::assignor::Topic;
use crate::kafka::java_map::PartitionSet;
use crate::units::{TopicId, TopicPartition};

/// From whom at first, and to whom at last.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Move {
    from: usize,
    to: usize,
}

#[derive(Default)]
pub struct Movements {
    of_partition: BTreeMap<TopicPartition, Move>,
    /// The sets are never empty.
    of_topic: BTreeMap<(TopicId, Move), PartitionSet>,
}

impl Movements {
    /// What really moves if `partition` is to go from `from` to `to`.
    ///
    /// ```text
    ///   t-0 has moved B -> A, and t-5 is to move A -> B:   t-0 goes back instead
    /// ```
    pub fn instead_of(&self, partition: TopicPartition, from: usize, to: usize) -> TopicPartition {
        let from = self.of_partition.get(&partition).map_or(from, |moved| moved.from);
        let back = self.of_topic.get(&(partition.topic, Move { from: to, to: from }));
        back.and_then(PartitionSet::first).unwrap_or(partition)
    }

    pub fn record(&mut self, topics: &[Topic<'_>], partition: TopicPartition, from: usize, to: usize) {
        let topic = partition.topic;
        let from = match self.of_partition.remove(&partition) {
            Some(earlier) => {
                let moved = self.of_topic.get_mut(&(topic, earlier)).expect("every moved partition is in a set");
                moved.remove(partition);
                if moved.is_empty() {
                    self.of_topic.remove(&(topic, earlier));
                }
                earlier.from
            }
            None => from,
        };
        if from != to {
            let whole = Move { from, to };
            self.of_partition.insert(partition, whole);
            let set = self.of_topic.entry((topic, whole)).or_insert_with(|| PartitionSet::new(topics[topic.index()].name));
            set.insert(partition);
        }
    }
}

//! How even an assignment is, and how much it moves.

use std::collections::{BTreeMap, BTreeSet};

use super::Question;
use crate::kafka::assignor::Assignment;
use crate::units::TopicPartition;

#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub struct Balance {
    /// Partitions of the member that has the fewest, and of the one that has the most.
    pub least: usize,
    pub most: usize,
    /// Partitions that somebody owned and that none of their owners keeps.
    pub moved: usize,
    /// Partitions that nobody gets, though somebody is subscribed to their topic.
    pub nobodys: usize,
}

impl Balance {
    pub fn of(question: &Question, assignment: &Assignment) -> Balance {
        let sizes = || assignment.iter().map(Vec::len);
        let owners: BTreeMap<TopicPartition, usize> =
            assignment.iter().enumerate().flat_map(|(place, share)| share.iter().map(move |partition| (*partition, place))).collect();
        let mut kept: BTreeMap<TopicPartition, bool> = BTreeMap::new();
        for (place, member) in question.members().iter().enumerate() {
            for partition in &member.owned {
                *kept.entry(*partition).or_default() |= owners.get(partition) == Some(&place);
            }
        }
        let subscribed: BTreeSet<_> = question.members().iter().flat_map(|member| &member.topics).collect();
        let wanted: usize =
            question.topics().filter(|(topic, _)| subscribed.contains(topic)).map(|(_, partitions)| partitions as usize).sum();
        Balance {
            least: sizes().min().unwrap_or(0),
            most: sizes().max().unwrap_or(0),
            moved: kept.values().filter(|kept| !**kept).count(),
            nobodys: wanted.saturating_sub(owners.len()),
        }
    }
}

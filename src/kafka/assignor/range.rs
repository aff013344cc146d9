//! `range`: each topic by itself, in contiguous blocks. Origin: `RangeAssignor#assignPartitions`.
//!
//! With many topics of few partitions the first members get everything: the classic skew.

use crate::kafka::assignor::{Assignment, Member, Topic, member_order, subscribers, topic_order};
use crate::units::{TopicId, TopicPartition};

/// Of n partitions and k subscribers everybody gets n / k, the first n % k one more.
///
/// ```text
///   7 partitions, 3 members:   A 0 1 2 | B 3 4 | C 5 6
/// ```
pub fn assign(topics: &[Topic<'_>], members: &[Member<'_>]) -> Assignment {
    let order = member_order(members.iter().map(|member| (member.instance, member.id)));
    let subscribers = subscribers(topics, members, &order);
    let mut assignment = vec![Vec::new(); members.len()];
    for topic in topic_order(topics) {
        give_blocks(topic, topics[topic.index()].partitions, &subscribers[topic.index()], &order, &mut assignment);
    }
    assignment
}

/// One topic. `ranks`: places of its subscribers in `order`, which has the members' places in the assignment.
pub(super) fn give_blocks(topic: TopicId, partitions: u32, ranks: &[usize], order: &[usize], assignment: &mut Assignment) {
    let mut next = 0;
    for (place, &rank) in ranks.iter().enumerate() {
        let end = next + share(partitions, ranks.len(), place);
        assignment[order[rank]].extend((next..end).map(|partition| TopicPartition { topic, partition }));
        next = end;
    }
}

fn share(partitions: u32, subscribers: usize, place: usize) -> u32 {
    let (each, rest) = (partitions as usize / subscribers, partitions as usize % subscribers);
    u32::try_from(each + usize::from(place < rest)).expect("a share is at most all partitions")
}

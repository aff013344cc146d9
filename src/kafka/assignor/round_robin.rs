//! `roundrobin`: all partitions of all topics dealt out in turn. Origin: `RoundRobinAssignor#assignPartitions`.

use crate::kafka::assignor::{AssignError, Assignment, Member, Topic, member_order, subscribers, topic_order};
use crate::units::TopicPartition;

/// Topics by name, partitions ascending, one cursor over the members that runs on from topic to topic and passes over those who are not
/// subscribed.
///
/// ```text
///   t 0..2, u 0..2; A, B, C on both:   t0 A, t1 B, u0 C, u1 A
/// ```
pub fn assign(topics: &[Topic<'_>], members: &[Member<'_>]) -> Result<Assignment, AssignError> {
    if members.is_empty() {
        return Err(AssignError::NoMembers);
    }
    let order = member_order(members.iter().map(|member| (member.instance, member.id)));
    let subscribers = subscribers(topics, members, &order);
    let mut assignment = vec![Vec::new(); members.len()];
    let mut cursor = 0;
    for topic in topic_order(topics) {
        let ranks = &subscribers[topic.index()];
        if ranks.is_empty() {
            continue;
        }
        for partition in 0..topics[topic.index()].partitions {
            let rank = first_from(ranks, cursor);
            assignment[order[rank]].push(TopicPartition { topic, partition });
            cursor = rank + 1;
        }
    }
    Ok(assignment)
}

/// The first of the ascending `ranks` at or after `cursor`, around the end if need be.
fn first_from(ranks: &[usize], cursor: usize) -> usize {
    let place = ranks.partition_point(|&rank| rank < cursor);
    ranks.get(place).copied().unwrap_or(ranks[0])
}

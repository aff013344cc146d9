//! `range` on the broker: as on the client, but for racks. Origin: `group.assignor.RangeAssignor#assign`.

use super::{MemberSpec, existing, subscribers};
use crate::kafka::assignor::range::give_blocks;
use crate::kafka::assignor::{Assignment, member_order};

/// Each topic by itself, in contiguous blocks over its subscribers in member order.
pub fn assign(partitions: &[u32], members: &[MemberSpec<'_>]) -> Assignment {
    let order = member_order(members.iter().map(|member| (member.instance, member.id)));
    let ordered: Vec<MemberSpec<'_>> = order.iter().map(|&place| members[place]).collect();
    let subscribers = subscribers(partitions.len(), &ordered);
    let mut assignment = vec![Vec::new(); members.len()];
    for (topic, count) in existing(partitions) {
        give_blocks(topic, count, &subscribers[topic.index()], &order, &mut assignment);
    }
    assignment
}

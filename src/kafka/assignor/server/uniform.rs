//! `uniform`: shares of equal size, and as little movement as possible. Origin: `group.assignor.UniformAssignor#assign`.
//!
//! Two builders: one where all members are subscribed to the same topics, one for everything else.

use super::{MemberSpec, heterogeneous, homogeneous, subscribers};
use crate::kafka::assignor::Assignment;
use crate::kafka::release::Switches;

pub fn assign(switches: Switches, partitions: &[u32], members: &[MemberSpec<'_>]) -> Assignment {
    if all_alike(partitions.len(), members) {
        homogeneous::assign(switches, partitions, members)
    } else {
        heterogeneous::assign(partitions, members, &subscribers(partitions.len(), members))
    }
}

/// Whether every member is subscribed to the same topics. Kafka compares names, so a topic that does not exist makes a difference too.
fn all_alike(topics: usize, members: &[MemberSpec<'_>]) -> bool {
    let Some(first) = members.first() else { return true };
    // Large groups mostly say the same in the same order, often in one list.
    if members.iter().all(|member| std::ptr::eq(member.topics, first.topics) || member.topics == first.topics) {
        return true;
    }
    let mut counts = vec![0; topics];
    members.iter().flat_map(|member| member.topics).for_each(|topic| counts[topic.index()] += 1);
    counts.iter().all(|count| *count == 0 || *count == members.len())
}

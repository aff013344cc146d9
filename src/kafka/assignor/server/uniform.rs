//! `uniform`: shares of equal size, and as little movement as possible. Origin: `group.assignor.UniformAssignor#assign`.
//!
//! Two builders: one where all members are subscribed to the same topics, one for everything else.

use super::{MemberSpec, heterogeneous, homogeneous, subscribers};
use crate::kafka::assignor::Assignment;
use crate::kafka::release::Switches;

pub fn assign(switches: Switches, partitions: &[u32], members: &[MemberSpec<'_>]) -> Assignment {
    let subscribers = subscribers(partitions.len(), members);
    // Kafka counts the subscribers of names, so a topic that does not exist makes a difference too.
    let all_alike = subscribers.iter().all(|subscribers| subscribers.is_empty() || subscribers.len() == members.len());
    if all_alike { homogeneous::assign(switches, partitions, members) } else { heterogeneous::assign(partitions, members, &subscribers) }
}

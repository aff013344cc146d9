//! Client-side assignors: who gets which partitions, computed by the leader of a classic group. One file for each algorithm.
//!
//! Pure: plain data in, partitions out. Origin: `ConsumerPartitionAssignor` and `AbstractPartitionAssignor#assign` (Kafka 4.0).
//!
//! Not modelled: racks. An assignor never sees `client.rack` or the racks of replicas, so it never prefers a near replica.

use std::cmp::Ordering;

use crate::kafka::assignor::sticky::Flavour;
use crate::kafka::java;
use crate::units::{TopicId, TopicPartition};

pub mod range;
pub mod round_robin;
pub mod server;
pub mod sticky;

/// An assignor that `partition.assignment.strategy` can name.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Assignor {
    Range,
    RoundRobin,
    Sticky,
    CooperativeSticky,
}

/// A topic of the leader's metadata. One without partitions is one without metadata: nobody gets anything of it.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Topic<'a> {
    pub name: &'a str,
    pub partitions: u32,
}

/// A member as its subscription tells. Topics are places in the list of [`Topic`]s, each at most once.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub struct Member<'a> {
    pub id: &'a str,
    pub instance: Option<&'a str>,
    pub topics: &'a [TopicId],
    /// `ownedPartitions`: empty if the member has revoked everything before it joined.
    pub owned: &'a [TopicPartition],
    /// `generationId`.
    pub generation: Option<i32>,
    /// The user data of `sticky`: what the member got last, since it owns nothing any longer.
    pub user_data: Option<Claim<'a>>,
}

/// What a member had, and in which generation.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub struct Claim<'a> {
    pub partitions: &'a [TopicPartition],
    pub generation: Option<i32>,
}

/// What each member gets, in the order in which the members were given.
pub type Assignment = Vec<Vec<TopicPartition>>;

/// The assignor threw instead of assigning.
#[derive(Copy, Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AssignError {
    #[error("the assignor was called without members")]
    NoMembers,
    /// `NullPointerException` in the general algorithm.
    #[error("a partition should go back to a member that takes no part in the balancing, and there Kafka fails")]
    StaleClaim,
    /// `IllegalStateException`: the members claim partitions that do not exist.
    #[error("partitions are left and no member may get more")]
    NobodyLeft,
    /// Kafka would go on for ever.
    #[error("partitions move in circles")]
    Endless,
}

impl Assignor {
    pub const ALL: [Assignor; 4] = [Assignor::Range, Assignor::RoundRobin, Assignor::Sticky, Assignor::CooperativeSticky];

    /// As it stands in the protocol list of a JoinGroup.
    pub const fn name(self) -> &'static str {
        match self {
            Assignor::Range => "range",
            Assignor::RoundRobin => "roundrobin",
            Assignor::Sticky => "sticky",
            Assignor::CooperativeSticky => "cooperative-sticky",
        }
    }

    pub const fn summary(self) -> &'static str {
        match self {
            Assignor::Range => "contiguous blocks of each topic; the first members of every topic get one partition more",
            Assignor::RoundRobin => "all partitions of all topics dealt out in turn",
            Assignor::Sticky => "equal shares; members keep what they had as far as that goes",
            Assignor::CooperativeSticky => {
                "as sticky, but a partition changes hands over two rebalances: first it is given up, then handed out"
            }
        }
    }

    /// As it stands in a consumer's properties.
    pub const fn class_name(self) -> &'static str {
        match self {
            Assignor::Range => "org.apache.kafka.clients.consumer.RangeAssignor",
            Assignor::RoundRobin => "org.apache.kafka.clients.consumer.RoundRobinAssignor",
            Assignor::Sticky => "org.apache.kafka.clients.consumer.StickyAssignor",
            Assignor::CooperativeSticky => "org.apache.kafka.clients.consumer.CooperativeStickyAssignor",
        }
    }

    /// By its name or by its class.
    pub fn named(text: &str) -> Option<Assignor> {
        Assignor::ALL.into_iter().find(|assignor| assignor.name() == text || assignor.class_name() == text)
    }

    pub fn assign(self, topics: &[Topic<'_>], members: &[Member<'_>]) -> Result<Assignment, AssignError> {
        match self {
            Assignor::Range => Ok(range::assign(topics, members)),
            Assignor::RoundRobin => round_robin::assign(topics, members),
            Assignor::Sticky => sticky::assign(Flavour::Eager, topics, members),
            Assignor::CooperativeSticky => sticky::assign(Flavour::Cooperative, topics, members),
        }
    }
}

/// The members' places in member order: static ones by instance id, then the others by member id (`MemberInfo#compareTo`).
fn member_order<'a>(members: impl Iterator<Item = (Option<&'a str>, &'a str)>) -> Vec<usize> {
    let members: Vec<(Option<&str>, &str)> = members.collect();
    let mut order: Vec<usize> = (0..members.len()).collect();
    order.sort_by(|&a, &b| match (members[a], members[b]) {
        ((Some(a), _), (Some(b), _)) => java::compare_strings(a, b),
        ((Some(_), _), (None, _)) => Ordering::Less,
        ((None, _), (Some(_), _)) => Ordering::Greater,
        ((None, a), (None, b)) => java::compare_strings(a, b),
    });
    order
}

/// For each topic the ranks (places in member order) of its subscribers, ascending.
fn subscribers(topics: &[Topic<'_>], members: &[Member<'_>], order: &[usize]) -> Vec<Vec<usize>> {
    let mut ranks = vec![Vec::new(); topics.len()];
    for (rank, &member) in order.iter().enumerate() {
        for topic in members[member].topics {
            ranks[topic.index()].push(rank);
        }
    }
    ranks
}

/// The topics by name.
fn topic_order(topics: &[Topic<'_>]) -> Vec<TopicId> {
    let mut order: Vec<TopicId> = (0..topics.len()).map(|topic| TopicId(topic as u32)).collect();
    order.sort_by(|a, b| java::compare_strings(topics[a.index()].name, topics[b.index()].name));
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assignor_is_found_by_its_name_and_by_its_class() {
        for assignor in Assignor::ALL {
            assert_eq!(Assignor::named(assignor.name()), Some(assignor));
            assert_eq!(Assignor::named(assignor.class_name()), Some(assignor));
            assert!(!assignor.summary().is_empty());
        }
        assert_eq!(Assignor::named("Range"), None);
    }

    #[test]
    fn static_members_come_first_and_by_instance_id() {
        let members = [(None, "b"), (Some("i2"), "z"), (None, "a"), (Some("i10"), "y")];
        assert_eq!(member_order(members.into_iter()), [3, 1, 2, 0]);
    }

    #[test]
    fn a_thousand_members_share_ten_thousand_partitions_evenly() {
        let names: Vec<String> = (0..100).map(|n| format!("topic-{n}")).collect();
        let topics: Vec<Topic<'_>> = names.iter().map(|name| Topic { name, partitions: 100 }).collect();
        let ids: Vec<String> = (0..1000).map(|n| format!("member-{n}")).collect();
        let every: Vec<TopicId> = (0..100).map(TopicId).collect();
        let members: Vec<Member<'_>> = ids.iter().map(|id| Member { id, topics: &every, ..Member::default() }).collect();
        let sizes =
            |assignor: Assignor| -> Vec<usize> { assignor.assign(&topics, &members).expect("it answers").iter().map(Vec::len).collect() };
        assert_eq!(sizes(Assignor::RoundRobin), vec![10; 1000]);
        let skewed = sizes(Assignor::Range);
        assert_eq!((skewed.iter().filter(|&&size| size == 100).count(), skewed.iter().sum::<usize>()), (100, 10_000));
    }
}

//! Broker-side assignors (KIP-848): the target assignment of a group, computed by its coordinator. One file for each algorithm.
//!
//! Pure: plain data in, partitions out. Origin: `group.assignor.RangeAssignor`, `UniformAssignor` (Kafka 4.0.0 to 4.4.0).
//!
//! A broker walks its members in the order of a HashMap and its topics by random ids, so an answer there is one of many. Here the members'
//! order and the topics' numbers decide, and the answer is what Kafka's code gives for that order.

use crate::kafka::assignor::Assignment;
use crate::kafka::release::Switches;
use crate::units::{TopicId, TopicPartition};

mod heterogeneous;
mod homogeneous;
mod range;
mod uniform;

/// An assignor that `group.consumer.assignors` can name.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ServerAssignor {
    Uniform,
    Range,
}

/// A member as its coordinator knows it. The order of the members matters to `uniform`.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct MemberSpec<'a> {
    pub id: &'a str,
    pub instance: Option<&'a str>,
    /// Its subscription, each topic at most once.
    pub topics: &'a [TopicId],
    /// Its previous target, in any order: not what it owns at the moment.
    pub target: &'a [TopicPartition],
}

impl ServerAssignor {
    /// In the order of the default of `group.consumer.assignors`: the first one serves members that name none.
    pub const ALL: [ServerAssignor; 2] = [ServerAssignor::Uniform, ServerAssignor::Range];

    /// As it stands in a heartbeat and in `group.remote.assignor`.
    pub const fn name(self) -> &'static str {
        match self {
            ServerAssignor::Uniform => "uniform",
            ServerAssignor::Range => "range",
        }
    }

    pub const fn summary(self) -> &'static str {
        match self {
            ServerAssignor::Uniform => "equal shares of all partitions in blocks; members keep what they had up to their share",
            ServerAssignor::Range => "contiguous blocks of each topic; members keep what they had only by chance",
        }
    }

    pub fn named(text: &str) -> Option<ServerAssignor> {
        ServerAssignor::ALL.into_iter().find(|assignor| assignor.name() == text)
    }

    /// `partitions`: how many each topic has, by its number; 0 is a topic that does not exist. The answer is in the order of the members, each
    /// share sorted.
    pub fn assign(self, switches: Switches, partitions: &[u32], members: &[MemberSpec<'_>]) -> Assignment {
        let mut assignment = match self {
            ServerAssignor::Uniform => uniform::assign(switches, partitions, members),
            ServerAssignor::Range => range::assign(partitions, members),
        };
        assignment.iter_mut().for_each(|share| share.sort_unstable());
        assignment
    }
}

/// For each topic its subscribers' places in the list of members, ascending.
fn subscribers(topics: usize, members: &[MemberSpec<'_>]) -> Vec<Vec<usize>> {
    let mut subscribers = vec![Vec::new(); topics];
    for (place, member) in members.iter().enumerate() {
        for topic in member.topics {
            subscribers[topic.index()].push(place);
        }
    }
    subscribers
}

/// Every topic that exists, with its number of partitions.
fn existing(partitions: &[u32]) -> impl Iterator<Item = (TopicId, u32)> {
    let numbered = partitions.iter().enumerate().map(|(topic, count)| (TopicId(topic as u32), *count));
    numbered.filter(|(_, count)| *count > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::release::Release;

    const T: TopicId = TopicId(0);

    fn share(partitions: impl IntoIterator<Item = u32>) -> Vec<TopicPartition> {
        partitions.into_iter().map(|partition| TopicPartition { topic: T, partition }).collect()
    }

    /// Uniform, one topic that all are subscribed to: the partitions of each member, from those it had.
    fn uniform(release: Release, partitions: u32, had: &[&[u32]]) -> Vec<Vec<u32>> {
        let targets: Vec<Vec<TopicPartition>> = had.iter().map(|had| share(had.iter().copied())).collect();
        let members: Vec<MemberSpec<'_>> =
            targets.iter().map(|target| MemberSpec { id: "", instance: None, topics: &[T], target }).collect();
        let assignment = ServerAssignor::Uniform.assign(Switches::of(release), &[partitions], &members);
        assignment.iter().map(|share| share.iter().map(|at| at.partition).collect()).collect()
    }

    #[test]
    fn an_assignor_is_found_by_its_name() {
        for assignor in ServerAssignor::ALL {
            assert_eq!(ServerAssignor::named(assignor.name()), Some(assignor));
            assert!(!assignor.summary().is_empty());
        }
        assert_eq!(ServerAssignor::named("simple"), None);
    }

    #[test]
    fn without_members_nobody_gets_anything() {
        for assignor in ServerAssignor::ALL {
            assert!(assignor.assign(Switches::of(Release::V4_4_0), &[3], &[]).is_empty());
        }
    }

    #[test]
    fn whoever_has_one_more_keeps_it_since_4_0_1() {
        let had: [&[u32]; 2] = [&[0], &[1, 2]];
        assert_eq!(uniform(Release::V4_0_0, 3, &had), [vec![0, 2], vec![1]]);
        assert_eq!(uniform(Release::V4_0_1, 3, &had), [vec![0], vec![1, 2]]);
    }

    #[test]
    fn a_joiner_takes_the_last_partitions_of_those_who_have_too_many() {
        assert_eq!(uniform(Release::V4_3_1, 6, &[&[0, 1, 2], &[3, 4, 5], &[]]), [vec![0, 1], vec![3, 4], vec![2, 5]]);
    }

    #[test]
    fn a_target_beyond_the_end_of_a_topic_does_no_harm() {
        let beyond = share([0, 7]);
        for topics in [&[T][..], &[T, TopicId(1)]] {
            let members = [
                MemberSpec { id: "a", instance: None, topics: &[T], target: &beyond },
                MemberSpec { id: "b", instance: None, topics, target: &[] },
            ];
            ServerAssignor::Uniform.assign(Switches::of(Release::V4_3_1), &[2, 2], &members);
        }
    }
}

//! `sticky` and `cooperative-sticky`: equal shares, and everybody keeps what is possible. Origin: `AbstractStickyAssignor#assignPartitions`,
//! `StickyAssignor`, `CooperativeStickyAssignor`.
//!
//! The members' claims are sorted out first ([`claims`]); then groups in which all are subscribed to the same topics are served by one
//! algorithm ([`constrained`]), all others by another ([`general`]). Whom a partition stays with can depend on the order in which Java walks
//! a HashMap of member ids, so that order is computed ([`java_map`]).
//!
//! Not modelled: a leader's assignor object that lives on remembers the highest generation that it ever saw; here each call stands alone.

use std::collections::{BTreeMap, BTreeSet};

use crate::kafka::assignor::{AssignError, Assignment, Claim, Member, Topic, topic_order};
use crate::kafka::java;
use crate::kafka::java_map;
use crate::units::{TopicId, TopicPartition};

mod claims;
mod constrained;
mod general;
mod movements;

/// Where a member's claim stands, and what happens to partitions that change hands.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Flavour {
    /// In the user data: by then everything is revoked. Partitions change hands at once.
    Eager,
    /// In the subscription itself. A partition that somebody else has to give up first goes to nobody until the next rebalance.
    Cooperative,
}

pub fn assign(flavour: Flavour, topics: &[Topic<'_>], members: &[Member<'_>]) -> Result<Assignment, AssignError> {
    if members.is_empty() {
        return Err(AssignError::NoMembers);
    }
    let group = Group::new(flavour, topics, members);
    let claims = claims::sort_out(&group);
    if !group.all_alike() {
        let mut assignment = general::assign(&group, &claims)?;
        if flavour == Flavour::Cooperative {
            let transferring = handed_over(&group, &assignment);
            hold_back(&mut assignment, &transferring);
        }
        return Ok(assignment);
    }
    let (mut assignment, transferring) = constrained::assign(&group, &claims)?;
    if flavour == Flavour::Cooperative {
        hold_back(&mut assignment, &transferring);
    }
    Ok(assignment)
}

/// The question, with the orders that matter.
struct Group<'a> {
    flavour: Flavour,
    topics: &'a [Topic<'a>],
    members: &'a [Member<'a>],
    /// The members' places in the order of Kafka's map of subscriptions.
    walk: Vec<usize>,
    /// By member: its place in the order of member ids.
    ranks: Vec<usize>,
    /// The topics that somebody is subscribed to and that have partitions, by name.
    by_name: Vec<TopicId>,
    /// By topic: its subscribers, in the order of member ids. Empty if the topic has no partitions.
    subscribers: Vec<Vec<usize>>,
}

impl<'a> Group<'a> {
    fn new(flavour: Flavour, topics: &'a [Topic<'a>], members: &'a [Member<'a>]) -> Self {
        let mut by_id: Vec<usize> = (0..members.len()).collect();
        by_id.sort_by(|&a, &b| java::compare_strings(members[a].id, members[b].id));
        let mut ranks = vec![0; members.len()];
        let mut subscribers = vec![Vec::new(); topics.len()];
        for (rank, &place) in by_id.iter().enumerate() {
            ranks[place] = rank;
            for topic in members[place].topics.iter().filter(|topic| topics[topic.index()].partitions > 0) {
                subscribers[topic.index()].push(place);
            }
        }
        let mut by_name = topic_order(topics);
        by_name.retain(|topic| !subscribers[topic.index()].is_empty());
        let walk = java_map::iteration_order(members.iter().map(|member| member.id));
        Group { flavour, topics, members, walk, ranks, by_name, subscribers }
    }

    /// `allSubscriptionsEqual`: a member without topics counts as equal if it is met before any with topics. Kafka has it so, and such a
    /// member then gets partitions of topics that it is not subscribed to.
    fn all_alike(&self) -> bool {
        let mut topics = self.walk.iter().map(|place| self.members[*place].topics).skip_while(|topics| topics.is_empty());
        let Some(first) = topics.next() else { return true };
        let first: BTreeSet<TopicId> = first.iter().copied().collect();
        topics.all(|topics| topics.len() == first.len() && topics.iter().all(|topic| first.contains(topic)))
    }

    fn partitions(&self, topic: TopicId) -> u32 {
        self.topics[topic.index()].partitions
    }

    /// What a member says that it owns.
    fn claim(&self, place: usize) -> Claim<'a> {
        let member = &self.members[place];
        match self.flavour {
            Flavour::Eager => member.user_data.unwrap_or_default(),
            Flavour::Cooperative => Claim { partitions: member.owned, generation: member.generation },
        }
    }
}

/// Partitions that one member gets and another loses, with the one that gets them
/// (`CooperativeStickyAssignor#computePartitionsTransferringOwnership`).
fn handed_over(group: &Group<'_>, assignment: &Assignment) -> BTreeMap<TopicPartition, usize> {
    let mut added = BTreeMap::new();
    let mut revoked = BTreeSet::new();
    for (place, share) in assignment.iter().enumerate() {
        let owned: BTreeSet<TopicPartition> = group.members[place].owned.iter().copied().collect();
        let share: BTreeSet<TopicPartition> = share.iter().copied().collect();
        added.extend(share.difference(&owned).map(|partition| (*partition, place)));
        revoked.extend(owned.difference(&share).copied());
    }
    added.retain(|partition, _| revoked.contains(partition));
    added
}

/// Nobody gets these until whoever has them has given them up.
fn hold_back(assignment: &mut Assignment, transferring: &BTreeMap<TopicPartition, usize>) {
    for (place, share) in assignment.iter_mut().enumerate() {
        share.retain(|partition| transferring.get(partition) != Some(&place));
    }
}

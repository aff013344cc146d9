//! The sticky assignment where members are subscribed to different topics. Origin: `AbstractStickyAssignor.GeneralAssignmentBuilder`.
//!
//! Members keep what they own, the rest goes to the least loaded, then partitions move from more to less loaded members as long as that
//! makes anything more even. Two bugs of Kafka are kept: a partition can go back to a member that had it in an older generation and is no
//! longer subscribed to its topic, and if that member takes no part in the balancing, Kafka throws.

use std::collections::{BTreeMap, BTreeSet};

use super::Group;
use super::claims::Claims;
use super::movements::Movements;
use crate::kafka::assignor::{AssignError, Assignment};
use crate::units::{TopicId, TopicPartition};

/// Nothing says that moving back cannot go in circles; so many passes are not needed by any group.
const PASSES_MAX: usize = 1_000;

pub fn assign(group: &Group<'_>, claims: &Claims) -> Result<Assignment, AssignError> {
    let mut topics = group.by_name.clone();
    topics.sort_by_key(|topic| group.subscribers[topic.index()].len());
    let mut builder = Builder::new(group, claims.previous(group));
    let revoked = builder.keep_owned(claims);
    let unassigned = builder.unassigned(&topics);
    let from_nothing = builder.shares.iter().all(BTreeSet::is_empty);
    builder.hand_out(&unassigned);
    builder.set_aside();

    let is_shared = |at: &TopicPartition| group.subscribers[at.topic.index()].len() >= 2;
    let before = (builder.shares.clone(), builder.score());
    if !revoked {
        let unassigned: Vec<TopicPartition> = unassigned.into_iter().filter(is_shared).collect();
        builder.balance(&unassigned)?;
    }
    let all = topics.iter().flat_map(|topic| (0..group.partitions(*topic)).map(|partition| TopicPartition { topic: *topic, partition }));
    let moved = builder.balance(&all.filter(is_shared).collect::<Vec<_>>())?;
    // Kafka's last resort.
    let shares = if moved && !from_nothing && builder.score() >= before.1 { before.0 } else { builder.shares };
    Ok(shares.into_iter().map(|share| share.into_iter().collect()).collect())
}

struct Builder<'a> {
    group: &'a Group<'a>,
    /// Who had a partition in an older generation.
    previous: BTreeMap<TopicPartition, usize>,
    /// By member.
    shares: Vec<BTreeSet<TopicPartition>>,
    /// By member: it can neither get nor give anything.
    aside: Vec<bool>,
    owners: BTreeMap<TopicPartition, usize>,
    movements: Movements,
    queue: Queue,
}

/// The subscribers of one topic, the least loaded first, then by member id. Partitions come topic by topic.
struct Queue {
    topic: Option<TopicId>,
    /// Load, rank, place.
    members: BTreeSet<(usize, usize, usize)>,
}

impl<'a> Builder<'a> {
    fn new(group: &'a Group<'a>, previous: BTreeMap<TopicPartition, usize>) -> Self {
        Builder {
            group,
            previous,
            shares: vec![BTreeSet::new(); group.members.len()],
            aside: vec![false; group.members.len()],
            owners: BTreeMap::new(),
            movements: Movements::default(),
            queue: Queue { topic: None, members: BTreeSet::new() },
        }
    }

    /// True if a member owned something that it is not subscribed to any longer.
    fn keep_owned(&mut self, claims: &Claims) -> bool {
        let mut revoked = false;
        for (place, owned) in claims.owned.iter().enumerate() {
            for &partition in owned {
                if self.is_subscribed(place, partition.topic) {
                    self.shares[place].insert(partition);
                    self.owners.insert(partition, place);
                } else {
                    revoked = true;
                }
            }
        }
        revoked
    }

    fn is_subscribed(&self, place: usize, topic: TopicId) -> bool {
        let (subscribers, ranks) = (&self.group.subscribers[topic.index()], &self.group.ranks);
        subscribers.binary_search_by_key(&ranks[place], |subscriber| ranks[*subscriber]).is_ok()
    }

    fn unassigned(&self, topics: &[TopicId]) -> Vec<TopicPartition> {
        let all = topics.iter().flat_map(|topic| {
            let topic = *topic;
            (0..self.group.partitions(topic)).map(move |partition| TopicPartition { topic, partition })
        });
        all.filter(|partition| !self.owners.contains_key(partition)).collect()
    }

    fn hand_out(&mut self, unassigned: &[TopicPartition]) {
        for &partition in unassigned {
            if let Some(place) = self.least_loaded(partition.topic) {
                self.change(place, |share| share.insert(partition));
                self.owners.insert(partition, place);
            }
        }
    }

    /// Members who have all that they can get, and nothing of a topic that others are subscribed to.
    fn set_aside(&mut self) {
        for place in 0..self.shares.len() {
            let is_shared = |at: &TopicPartition| self.group.subscribers[at.topic.index()].len() >= 2;
            self.aside[place] = self.shares[place].len() >= self.load_max(place) && !self.shares[place].iter().any(is_shared);
        }
        self.queue.topic = None;
    }

    /// All partitions of all topics that a member is subscribed to.
    fn load_max(&self, place: usize) -> usize {
        self.group.members[place].topics.iter().map(|topic| self.group.partitions(*topic) as usize).sum()
    }

    /// Passes over the partitions until one moves nothing. True if anything has moved.
    fn balance(&mut self, partitions: &[TopicPartition]) -> Result<bool, AssignError> {
        for pass in 0..PASSES_MAX {
            if !self.pass_over(partitions)? {
                return Ok(pass > 0);
            }
        }
        Err(AssignError::Endless)
    }

    /// Before each partition Kafka looks whether the whole group is balanced, and ends the pass if so. Here that is looked at only where a
    /// move would not be proof enough that it is not; a balanced group has no other moves.
    fn pass_over(&mut self, partitions: &[TopicPartition]) -> Result<bool, AssignError> {
        let mut moved = false;
        for &partition in partitions {
            let Some(&owner) = self.owners.get(&partition) else { continue };
            let load = self.shares[owner].len();
            let previous = self.previous.get(&partition).copied();
            if previous.is_some_and(|previous| self.aside[previous]) && !self.is_balanced() {
                return Err(AssignError::StaleClaim);
            }
            let improves = |place: &usize| load > self.shares[*place].len() + 1;
            let target = match previous.filter(|place| !self.aside[*place]).filter(improves) {
                Some(previous) => previous,
                None => match self.least_loaded(partition.topic).filter(|place| load > self.shares[*place].len() + 1) {
                    Some(least) => least,
                    None => continue,
                },
            };
            let is_proof = self.is_subscribed(target, partition.topic) && self.shares[target].len() != self.load_max(target);
            if !is_proof && self.is_balanced() {
                return Ok(moved);
            }
            let partition = self.movements.instead_of(partition, owner, target);
            self.move_to(partition, target);
            moved = true;
        }
        Ok(moved)
    }

    fn move_to(&mut self, partition: TopicPartition, target: usize) {
        let owner = self.owners.insert(partition, target).expect("a partition that moves has an owner");
        self.movements.record(self.group.topics, partition, owner, target);
        self.change(owner, |share| share.remove(&partition));
        self.change(target, |share| share.insert(partition));
    }

    /// Nobody who takes part could get a partition from one who has two more.
    fn is_balanced(&self) -> bool {
        let mut most: Vec<usize> = vec![0; self.group.topics.len()];
        for (partition, owner) in self.owners.iter().filter(|(_, owner)| !self.aside[**owner]) {
            let most = &mut most[partition.topic.index()];
            *most = self.shares[*owner].len().max(*most);
        }
        let takers = (0..self.shares.len()).filter(|place| !self.aside[*place] && self.shares[*place].len() != self.load_max(*place));
        takers
            .into_iter()
            .all(|place| self.group.members[place].topics.iter().all(|topic| self.shares[place].len() + 1 >= most[topic.index()]))
    }

    /// Of the topic's subscribers who take part.
    fn least_loaded(&mut self, topic: TopicId) -> Option<usize> {
        if self.queue.topic != Some(topic) {
            let subscribers = self.group.subscribers[topic.index()].iter().filter(|place| !self.aside[**place]);
            self.queue.members = subscribers.map(|place| (self.shares[*place].len(), self.group.ranks[*place], *place)).collect();
            self.queue.topic = Some(topic);
        }
        self.queue.members.first().map(|(_, _, place)| *place)
    }

    fn change(&mut self, place: usize, change: impl FnOnce(&mut BTreeSet<TopicPartition>) -> bool) {
        let rank = self.group.ranks[place];
        let waits = self.queue.members.remove(&(self.shares[place].len(), rank, place));
        change(&mut self.shares[place]);
        if waits {
            self.queue.members.insert((self.shares[place].len(), rank, place));
        }
    }

    /// The differences between the loads of all pairs of members who take part: the less, the better (`getBalanceScore`).
    fn score(&self) -> usize {
        let mut loads: Vec<usize> =
            self.shares.iter().zip(&self.aside).filter(|(_, aside)| !**aside).map(|(share, _)| share.len()).collect();
        loads.sort_unstable();
        let mut below = 0;
        let mut score = 0;
        for (place, load) in loads.iter().enumerate() {
            score += place * load - below;
            below += load;
        }
        score
    }
}

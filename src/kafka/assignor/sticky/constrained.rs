//! The sticky assignment where all members are subscribed to the same topics. Origin: `AbstractStickyAssignor.ConstrainedAssignmentBuilder`.
//!
//! ```text
//!   4 partitions, A and B own 2 each, C joins: one may keep 2, the others come to 1. Whom the walk meets first keeps them.
//! ```

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::Group;
use super::claims::Claims;
use crate::kafka::assignor::{AssignError, Assignment};
use crate::units::{TopicId, TopicPartition};

/// The assignment, and the partitions that change hands, with those who get them.
pub fn assign(group: &Group<'_>, claims: &Claims) -> Result<(Assignment, BTreeMap<TopicPartition, usize>), AssignError> {
    let mut builder = Builder::new(group, claims);
    builder.keep_owned();
    builder.hand_out()?;
    Ok((builder.assignment, builder.transferring))
}

struct Builder<'a> {
    group: &'a Group<'a>,
    claims: &'a Claims,
    /// By topic: its place in the order of names.
    names: Vec<usize>,
    /// What everybody gets at least, and at most.
    min: usize,
    max: usize,
    /// So many members may get `max`, if that is more than `min`.
    places_at_max: usize,
    at_max: usize,
    assignment: Assignment,
    /// Those with less than `min`.
    under: Vec<usize>,
    /// Those with exactly `min` who may get one more.
    exact: Vec<usize>,
    /// Owned partitions that their owners could not keep.
    cut_off: BTreeMap<TopicPartition, usize>,
    transferring: BTreeMap<TopicPartition, usize>,
}

impl<'a> Builder<'a> {
    fn new(group: &'a Group<'a>, claims: &'a Claims) -> Self {
        let members = group.members.len();
        let total: usize = group.by_name.iter().map(|topic| group.partitions(*topic) as usize).sum();
        let mut names = vec![0; group.topics.len()];
        for (rank, topic) in group.by_name.iter().enumerate() {
            names[topic.index()] = rank;
        }
        Builder {
            group,
            claims,
            names,
            min: total / members,
            max: total.div_ceil(members),
            places_at_max: total % members,
            at_max: 0,
            assignment: vec![Vec::new(); members],
            under: Vec::new(),
            exact: Vec::new(),
            cut_off: BTreeMap::new(),
            transferring: BTreeMap::new(),
        }
    }

    fn keep_owned(&mut self) {
        for &place in &self.group.walk {
            let mut kept = self.owned(place);
            let quota = if kept.len() < self.min {
                self.under.push(place);
                kept.len()
            } else if kept.len() >= self.max && self.at_max < self.places_at_max {
                self.at_max += 1;
                if self.at_max == self.places_at_max {
                    self.exact.clear();
                }
                self.max
            } else {
                if self.at_max < self.places_at_max {
                    self.exact.push(place);
                }
                self.min
            };
            self.cut_off.extend(kept.split_off(quota).into_iter().map(|partition| (partition, place)));
            self.assignment[place] = kept;
        }
    }

    /// By partition first, so that the cut takes the high numbers of every topic.
    fn owned(&self, place: usize) -> Vec<TopicPartition> {
        let mut owned: Vec<TopicPartition> = self.claims.owned[place].difference(&self.claims.doubly).copied().collect();
        owned.sort_unstable_by_key(|at| (at.partition, self.names[at.topic.index()]));
        owned
    }

    /// In turn to those under `min`, then one each to those at `min`, both by member id. Whoever reaches `min` goes to the end of the latter.
    fn hand_out(&mut self) -> Result<(), AssignError> {
        let by_id = |list: &mut Vec<usize>| {
            list.sort_by_key(|place| self.group.ranks[*place]);
            VecDeque::from(std::mem::take(list))
        };
        let (mut under, mut exact) = (by_id(&mut self.under), by_id(&mut self.exact));
        for partition in self.unassigned() {
            let place = under.pop_front().or_else(|| exact.pop_front()).ok_or(AssignError::NobodyLeft)?;
            self.give(partition, place);
            let count = self.assignment[place].len();
            if count == self.min {
                exact.push_back(place);
            } else if count < self.min {
                under.push_back(place);
            } else {
                self.at_max += 1;
                if self.at_max == self.places_at_max {
                    exact.clear();
                }
            }
        }
        Ok(())
    }

    fn give(&mut self, partition: TopicPartition, place: usize) {
        let from_another = self.cut_off.get(&partition).is_some_and(|owner| *owner != place);
        if from_another || self.claims.doubly.contains(&partition) {
            self.transferring.insert(partition, place);
        }
        self.assignment[place].push(partition);
    }

    /// By topic name and partition.
    fn unassigned(&self) -> Vec<TopicPartition> {
        let assigned: BTreeSet<TopicPartition> = self.assignment.iter().flatten().copied().collect();
        let all_of = |topic: TopicId| (0..self.group.partitions(topic)).map(move |partition| TopicPartition { topic, partition });
        self.group.by_name.iter().flat_map(|topic| all_of(*topic)).filter(|partition| !assigned.contains(partition)).collect()
    }
}

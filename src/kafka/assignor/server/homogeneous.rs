//! `uniform` where every member is subscribed to the same topics. Origin: `UniformHomogeneousAssignmentBuilder`.
//!
//! ```text
//!   6 partitions, A had 0 1 2, B had 3 4 5, C joins:   quota 2;   A keeps 0 1, B keeps 3 4, C takes the pool: 2 5
//! ```

use super::{MemberSpec, existing};
use crate::kafka::assignor::Assignment;
use crate::kafka::release::Switches;
use crate::units::{TopicId, TopicPartition};

pub fn assign(switches: Switches, partitions: &[u32], members: &[MemberSpec<'_>]) -> Assignment {
    let Some(first) = members.first() else { return Vec::new() };
    let mut subscribed = vec![false; partitions.len()];
    for topic in first.topics {
        subscribed[topic.index()] = partitions[topic.index()] > 0;
    }
    let total: usize = existing(partitions).filter(|(topic, _)| subscribed[topic.index()]).map(|(_, count)| count as usize).sum();
    let mut quotas = Quotas {
        floor: total / members.len(),
        extras: total % members.len(),
        members: members.len(),
        returned: switches.uniform_extras_stay,
    };
    let mut pool = unassigned(partitions, &subscribed, members);
    let mut assignment = Vec::with_capacity(members.len());
    let mut missing = Vec::with_capacity(members.len());
    for member in members {
        let (kept, cut) = keep(member.target, &subscribed, quotas.largest());
        pool.extend(cut);
        missing.push(quotas.next(kept.len()) - kept.len());
        assignment.push(kept);
    }
    let mut pool = pool.into_iter();
    for (share, missing) in assignment.iter_mut().zip(missing) {
        share.extend(pool.by_ref().take(missing));
    }
    assignment
}

/// How many partitions each member is to have, told to one member after the other.
struct Quotas {
    floor: usize,
    /// So many members, of those to come, get one more than `floor`.
    extras: usize,
    /// So many are to come.
    members: usize,
    /// Whoever has no use for the extra partition leaves it to those after it, as long as there are enough of them.
    returned: bool,
}

impl Quotas {
    /// What the next member may keep.
    fn largest(&self) -> usize {
        self.floor + usize::from(self.extras > 0)
    }

    /// The quota of the next member, which keeps so many.
    fn next(&mut self, kept: usize) -> usize {
        let largest = self.largest();
        let gives_up = self.returned && kept < largest && self.members > self.extras;
        self.members -= 1;
        if self.extras == 0 || gives_up {
            return self.floor;
        }
        self.extras -= 1;
        largest
    }
}

/// The first `quota` partitions of a target, and those that are cut off. Topics without subscribers are in neither.
fn keep(target: &[TopicPartition], subscribed: &[bool], quota: usize) -> (Vec<TopicPartition>, Vec<TopicPartition>) {
    let mut kept: Vec<TopicPartition> = target.iter().filter(|at| subscribed[at.topic.index()]).copied().collect();
    kept.sort_unstable();
    let cut = kept.split_off(quota.min(kept.len()));
    (kept, cut)
}

/// The partitions that are in nobody's target, by topic.
fn unassigned(partitions: &[u32], subscribed: &[bool], members: &[MemberSpec<'_>]) -> Vec<TopicPartition> {
    let mut taken: Vec<Vec<bool>> = partitions.iter().map(|count| vec![false; *count as usize]).collect();
    for at in members.iter().flat_map(|member| member.target) {
        if let Some(taken) = taken[at.topic.index()].get_mut(at.partition as usize) {
            *taken = true;
        }
    }
    let free = |topic: TopicId| {
        let places = taken[topic.index()].iter().enumerate();
        places.filter(|(_, taken)| !**taken).map(move |(partition, _)| TopicPartition { topic, partition: partition as u32 })
    };
    existing(partitions).filter(|(topic, _)| subscribed[topic.index()]).flat_map(|(topic, _)| free(topic)).collect()
}

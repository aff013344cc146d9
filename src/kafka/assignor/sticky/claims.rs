//! Who owned what: the members' claims, of which several may name one partition. Origin: `AbstractStickyAssignor#allSubscriptionsEqual`,
//! `#prepopulateCurrentAssignments`.

use std::collections::{BTreeMap, BTreeSet};

use super::Group;
use crate::units::TopicPartition;

/// Of a member that tells none.
const NO_GENERATION: i32 = -1;

pub struct Claims {
    /// By member.
    pub owned: Vec<BTreeSet<TopicPartition>>,
    /// Claimed by two members of one generation: at first nobody's.
    pub doubly: BTreeSet<TopicPartition>,
    max_generation: i32,
}

/// The claims are heard in the order of Kafka's map.
pub fn sort_out(group: &Group<'_>) -> Claims {
    let mut claims = Claims { owned: vec![BTreeSet::new(); group.members.len()], doubly: BTreeSet::new(), max_generation: NO_GENERATION };
    let mut claimants: BTreeMap<TopicPartition, usize> = BTreeMap::new();
    for &place in &group.walk {
        let claim = group.claim(place);
        let generation = claim.generation.unwrap_or(NO_GENERATION);
        claims.max_generation = claims.max_generation.max(generation);
        for &partition in claim.partitions.iter().filter(|at| !group.subscribers[at.topic.index()].is_empty()) {
            let Some(&rival) = claimants.get(&partition) else {
                claimants.insert(partition, place);
                claims.owned[place].insert(partition);
                continue;
            };
            // Not the generation of the rival's claim: with `sticky`, these are two fields.
            let other = group.members[rival].generation.unwrap_or(NO_GENERATION);
            if generation < other {
                continue;
            }
            claims.owned[rival].remove(&partition);
            claimants.insert(partition, place);
            if generation > other {
                claims.owned[place].insert(partition);
            } else {
                claims.doubly.insert(partition);
            }
        }
    }
    claims
}

impl Claims {
    /// Who had each partition in an older generation than the newest that anybody tells of: the newest of them, the first on a tie.
    pub fn previous(&self, group: &Group<'_>) -> BTreeMap<TopicPartition, usize> {
        let mut previous: BTreeMap<TopicPartition, (i32, usize)> = BTreeMap::new();
        for &place in &group.walk {
            let claim = group.claim(place);
            let generation = claim.generation.unwrap_or(NO_GENERATION);
            if generation >= self.max_generation {
                continue;
            }
            for &partition in claim.partitions {
                let latest = previous.entry(partition).or_insert((generation, place));
                if generation > latest.0 {
                    *latest = (generation, place);
                }
            }
        }
        previous.into_iter().map(|(partition, (_, place))| (partition, place)).collect()
    }
}

//! Livelock: a group that works and gets nowhere, with whom it happens to.
//!
//! Its members are put out by max.poll.interval.ms again and again and the group's committed offsets do not move in between: the same
//! records are processed for ever.

use crate::metrics::{GroupMeasurements, livelock};
use crate::units::{ClientId, Instant};

/// The longest row of kicks between which nothing was committed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Livelock {
    pub kicks: usize,
    pub first: Instant,
    pub last: Instant,
    /// Who was kicked, each once, in the order of their first kick.
    pub clients: Vec<ClientId>,
    /// The sum of the group's committed offsets, all the time.
    pub committed: u64,
}

pub fn find(group: &GroupMeasurements) -> Option<Livelock> {
    let livelock::Livelock { from, to, kicks } = livelock::longest(group)?;
    let mut row = group.kicks.iter().filter(|(at, _, _)| (from..=to).contains(at));
    let mut clients = Vec::new();
    for (_, client, _) in row.clone() {
        if !clients.contains(client) {
            clients.push(*client);
        }
    }
    let committed = row.next().map_or(0, |(_, _, committed)| *committed);
    Some(Livelock { kicks, first: from, last: to, clients, committed })
}

//! Livelock: a group that works and gets nowhere.
//!
//! Its members are put out by max.poll.interval.ms again and again and the group's committed offsets do not move in between: the same
//! records are processed for ever.

use crate::metrics::GroupMeasurements;
use crate::units::{ClientId, Instant};

/// So many kicks without a step forward are a livelock.
const KICKS: usize = 3;

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
    let rows = group.kicks.chunk_by(|(_, _, before), (_, _, after)| before == after);
    // The first of equally long rows: `max_by_key` would take the last.
    let row = rows.rev().max_by_key(|row| row.len()).filter(|row| row.len() >= KICKS)?;
    let mut clients = Vec::new();
    for (_, client, _) in row {
        if !clients.contains(client) {
            clients.push(*client);
        }
    }
    Some(Livelock { kicks: row.len(), first: row[0].0, last: row[row.len() - 1].0, clients, committed: row[0].2 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Latency;

    fn group(kicks: &[(u64, u64)]) -> GroupMeasurements {
        GroupMeasurements {
            partitions: Vec::new(),
            rebalances: Vec::new(),
            latency: Latency::default(),
            kicks: kicks.iter().map(|(at, committed)| (Instant::from_millis(*at), ClientId(0), *committed)).collect(),
            heartbeats: 0,
            commits: 0,
            commits_refused: 0,
            commits_failed: 0,
            polls: 0,
            peak_lag: 0,
            run_end_lag: 0,
            final_lag: 0,
        }
    }

    #[test]
    fn three_kicks_without_a_commit_between_them_are_a_livelock() {
        let found = find(&group(&[(1, 0), (2, 500), (3, 500), (4, 500), (5, 900)])).expect("a livelock");
        assert_eq!((found.kicks, found.first, found.last), (3, Instant::from_millis(2), Instant::from_millis(4)));
        assert_eq!(found.clients, [ClientId(0)]);
    }

    #[test]
    fn kicks_between_which_the_group_gets_on_are_none() {
        assert_eq!(find(&group(&[(1, 0), (2, 500), (3, 500), (4, 900), (5, 900)])), None);
        assert_eq!(find(&group(&[])), None);
    }
}

//! Livelock: a group that works and gets nowhere.

use super::GroupMeasurements;
use crate::units::Instant;

/// Kicked by max.poll.interval.ms again and again while nothing is committed.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Livelock {
    /// The first and the last of the kicks.
    pub from: Instant,
    pub to: Instant,
    pub kicks: usize,
}

/// So many kicks without a commit between them are a livelock.
pub const LIVELOCK_KICKS: usize = 3;

/// The longest livelock of a group.
pub fn longest(group: &GroupMeasurements) -> Option<Livelock> {
    let stuck = group.kicks.chunk_by(|(_, _, before), (_, _, after)| before == after);
    let longest = stuck.filter(|kicks| kicks.len() >= LIVELOCK_KICKS).max_by_key(|kicks| kicks.len())?;
    Some(Livelock { from: longest[0].0, to: longest[longest.len() - 1].0, kicks: longest.len() })
}

//! The timers of one shard: when each is due and in which order they fire.
//!
//! At most one timer per key, as in Kafka's CoordinatorTimer: arming again replaces. Equal deadlines fire in the order of arming. The
//! simulator is asked for a wake-up only if none that is on its way comes early enough; re-arming a session therefore costs no event.

use std::collections::{BTreeMap, BTreeSet};

use crate::units::{GroupId, Instant, MemberId};

/// What a shard waits for.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum CoordinatorTimer {
    /// The join phase of a group, or one window of its initial rebalance delay.
    Join(GroupId),
    /// Members that never send SyncGroup.
    Sync(GroupId),
    /// A member's session, a new member's join or a pending id.
    Heartbeat(GroupId, MemberId),
    /// A member's session in a KIP-848 group.
    Session(GroupId, MemberId),
    /// A member of a KIP-848 group that was told to give partitions up.
    Revocation(GroupId, MemberId),
    /// A classic member of a KIP-848 group that was told to rejoin.
    MemberJoin(GroupId, MemberId),
    /// A classic member of a KIP-848 group that has rejoined.
    MemberSync(GroupId, MemberId),
    /// The periodic expiry of offsets and groups.
    ExpireOffsets,
    /// Records are replicated.
    WriteCommitted,
}

#[derive(Clone, Debug, Default)]
pub struct Timers {
    armed: BTreeMap<CoordinatorTimer, (Instant, u64)>,
    order: BTreeSet<(Instant, u64, CoordinatorTimer)>,
    /// How many were ever armed.
    arming: u64,
    /// The wake-ups that are on their way, the earliest last.
    asked: Vec<Instant>,
}

impl Timers {
    pub fn arm(&mut self, timer: CoordinatorTimer, at: Instant) {
        self.cancel(timer);
        self.arming += 1;
        self.armed.insert(timer, (at, self.arming));
        self.order.insert((at, self.arming, timer));
    }

    pub fn cancel(&mut self, timer: CoordinatorTimer) {
        if let Some((at, arming)) = self.armed.remove(&timer) {
            self.order.remove(&(at, arming, timer));
        }
    }

    pub fn cancel_all(&mut self) {
        self.armed.clear();
        self.order.clear();
    }

    /// When a timer is due, if it is armed.
    pub fn deadline(&self, timer: CoordinatorTimer) -> Option<Instant> {
        self.armed.get(&timer).map(|(at, _)| *at)
    }

    /// How many timers were armed so far: what is armed later has a larger number.
    pub fn arming(&self) -> u64 {
        self.arming
    }

    /// The next to fire: its deadline, its number of arming and its key.
    pub fn next(&self) -> Option<(Instant, u64, CoordinatorTimer)> {
        self.order.first().copied()
    }

    /// All of them in the order in which they fire.
    pub fn iter(&self) -> impl Iterator<Item = (Instant, u64, CoordinatorTimer)> + '_ {
        self.order.iter().copied()
    }

    /// The wake-up to ask for, if those that are on their way come too late.
    pub fn wake_up_needed(&mut self) -> Option<(Instant, CoordinatorTimer)> {
        let (at, _, timer) = self.next()?;
        if self.asked.last().is_some_and(|earliest| *earliest <= at) {
            return None;
        }
        self.asked.push(at);
        Some((at, timer))
    }

    /// A wake-up came, perhaps a stale one.
    pub fn woken(&mut self, now: Instant) {
        while self.asked.pop_if(|earliest| *earliest <= now).is_some() {}
    }
}

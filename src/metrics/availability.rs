//! When a partition was without somebody who reads it.
//!
//! A pause is not an outage: the paused process is still the owner, and nobody takes over before the coordinator has given up on it.

use super::Outage;
use crate::units::{ClientId, Instant};

/// What kept a partition unread beside the rebalance.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum HeldUp {
    /// Its last owner cannot commit, which it does before it rejoins.
    Uncommitted,
    /// Its next owner has its position and hands out other records first: a broker that leads what is buffered gets no Fetch.
    Backlog,
    /// Its topic was deleted before anybody had read it.
    Deleted,
}

/// The outages of one partition in one group.
#[derive(Clone, Default, Debug)]
pub(super) struct Availability {
    pub outages: Vec<Outage>,
    /// The last outage goes on.
    is_out: bool,
    /// Who got a position last, and when.
    positioned: Option<(ClientId, Instant)>,
    /// Whose first record ends the wait that began with the last outage.
    awaited: Option<ClientId>,
    /// The partition is no more.
    ended: bool,
}

impl Availability {
    /// The partition exists, and nobody has read it yet.
    pub fn begins(&mut self, at: Instant) {
        self.open(at, true);
    }

    /// The latest owner can hand out no more.
    pub fn owner_gone(&mut self, at: Instant) {
        self.open(at, false);
    }

    /// The partition is deleted with its topic.
    pub fn ends(&mut self, at: Instant) {
        if std::mem::take(&mut self.is_out) {
            let outage = self.last();
            outage.to = Some(at);
            if outage.initial {
                outage.held_up = Some(HeldUp::Deleted);
            }
            self.outages.pop_if(|outage| outage.from == at);
        }
        self.awaited = None;
        self.ended = true;
    }

    pub fn position_set(&mut self, at: Instant, by: ClientId) {
        self.positioned = Some((by, at));
    }

    /// A commit of the latest owner failed, which it makes before it rejoins.
    pub fn commit_failed(&mut self) {
        if self.is_out {
            self.last().held_up = Some(HeldUp::Uncommitted);
        }
    }

    /// `last_poll`: when that client last got records.
    pub fn fetch_started(&mut self, at: Instant, by: ClientId, last_poll: Option<Instant>) {
        if !self.is_out {
            return;
        }
        self.is_out = false;
        self.awaited = Some(by);
        let positioned = self.positioned.filter(|(whose, _)| *whose == by).map(|(_, positioned)| positioned);
        let outage = self.last();
        outage.to = Some(at);
        if let Some(positioned) = positioned
            && at - positioned > positioned.since(outage.from)
            && last_poll.is_some_and(|polled| positioned < polled)
        {
            outage.held_up = Some(HeldUp::Backlog);
        }
    }

    #[inline]
    pub fn polled(&mut self, at: Instant, by: ClientId) {
        if self.awaited == Some(by) {
            self.awaited = None;
            self.last().first_record = Some(at);
        }
    }

    fn open(&mut self, at: Instant, initial: bool) {
        if !self.is_out && !self.ended {
            self.is_out = true;
            self.awaited = None;
            self.outages.push(Outage { from: at, to: None, first_record: None, initial, held_up: None });
        }
    }

    fn last(&mut self) -> &mut Outage {
        self.outages.last_mut().expect("an outage that goes on or has gone on")
    }
}

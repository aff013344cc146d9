//! When a partition was without somebody who reads it.
//!
//! A pause is not an outage: the paused process is still the owner, and nobody takes over before the coordinator has given up on it.

use super::Outage;
use crate::units::{ClientId, Instant};

/// The outages of one partition in one group.
#[derive(Clone, Default, Debug)]
pub(super) struct Availability {
    pub outages: Vec<Outage>,
    /// The last outage goes on.
    is_out: bool,
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
            self.last().to = Some(at);
        }
        self.awaited = None;
        self.ended = true;
    }

    pub fn fetch_started(&mut self, at: Instant, by: ClientId) {
        if self.is_out {
            self.is_out = false;
            self.awaited = Some(by);
            self.last().to = Some(at);
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
            self.outages.push(Outage { from: at, to: None, first_record: None, initial });
        }
    }

    fn last(&mut self) -> &mut Outage {
        self.outages.last_mut().expect("an outage that goes on or has gone on")
    }
}

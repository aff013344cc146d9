//! Which life of its process each member belongs to.
//!
//! A restarted process is given another member id, and its old member may outlive it in the group for a whole session: what happens to the
//! one says nothing of the other.

use std::collections::BTreeMap;

use super::Membership;
use crate::trace::TraceEvent;
use crate::units::{ClientId, Instant, MemberId};

#[derive(Clone, Debug)]
pub(super) struct Lives {
    by_client: Vec<u32>,
    pub members: BTreeMap<MemberId, Membership>,
}

impl Lives {
    pub fn new(clients: usize) -> Self {
        Lives { by_client: vec![0; clients], members: BTreeMap::new() }
    }

    /// The life that a process is in, counted from 1.
    pub fn of(&self, client: ClientId) -> u32 {
        self.by_client[client.index()]
    }

    pub fn record(&mut self, at: Instant, event: &TraceEvent) {
        if let TraceEvent::ClientStarted { client, life } = event {
            self.by_client[client.index()] = *life;
        } else if let TraceEvent::MemberPending { member, .. } | TraceEvent::MemberAdded { member, .. } = event {
            self.begins(at, *member);
        } else if let TraceEvent::MemberReplaced { new, .. } = event {
            self.begins(at, *new);
        }
    }

    fn begins(&mut self, at: Instant, member: MemberId) {
        let life = self.of(member.client);
        self.members.entry(member).or_insert(Membership { life, since: at });
    }
}

//! As little of a KIP-848 client as there can be, and what holds for its group.

use std::collections::BTreeSet;

use groupsim::kafka::group::consumer::ConsumerGroup;
use groupsim::kafka::message::{ConsumerHeartbeat, ConsumerHeartbeatAnswer, GroupRequest};
use groupsim::terms::ErrorCode;
use groupsim::units::{MemberId, Span, TopicPartition};

use crate::world::TOPIC;

#[derive(Clone, Debug)]
pub struct ConsumerMember {
    pub id: MemberId,
    epoch: i32,
    pub owned: BTreeSet<TopicPartition>,
    target: BTreeSet<TopicPartition>,
    /// What it owns has changed since it last told.
    untold: bool,
}

impl ConsumerMember {
    pub fn new(id: MemberId) -> Self {
        ConsumerMember { id, epoch: 0, owned: BTreeSet::new(), target: BTreeSet::new(), untold: true }
    }

    /// First it gives up what it shall not have any longer and takes what it shall have; the next heartbeat tells so.
    pub fn step(&mut self) -> Option<GroupRequest> {
        if self.epoch > 0 && self.owned != self.target {
            self.owned = self.target.clone();
            self.untold = true;
            return None;
        }
        let tells = std::mem::take(&mut self.untold);
        Some(self.heartbeat(self.epoch, tells))
    }

    pub fn leave(&self) -> GroupRequest {
        self.heartbeat(-1, false)
    }

    fn heartbeat(&self, epoch: i32, tells: bool) -> GroupRequest {
        let joins = epoch == 0;
        GroupRequest::ConsumerHeartbeat(ConsumerHeartbeat {
            member: Some(self.id),
            epoch,
            instance: None,
            rebalance_timeout: joins.then(|| Span::from_secs(30)),
            topics: joins.then(|| vec![TOPIC]),
            pattern: None,
            assignor: None,
            owned: (joins || tells).then(|| self.owned.iter().copied().collect()),
        })
    }

    pub fn on_answer(&mut self, answer: ConsumerHeartbeatAnswer) {
        match answer.error {
            ErrorCode::None => {
                self.epoch = answer.epoch;
                if let Some(assignment) = answer.assignment {
                    self.target = assignment.into_iter().collect();
                }
            }
            // onPartitionsLost, and it joins anew.
            ErrorCode::UnknownMemberId | ErrorCode::FencedMemberEpoch => *self = ConsumerMember::new(self.id),
            other => panic!("a heartbeat of {self:?} was refused with {other:?}"),
        }
    }
}

pub fn check(group: &ConsumerGroup, all: &BTreeSet<TopicPartition>) -> Result<(), String> {
    let mut given = BTreeSet::new();
    for member in group.members() {
        let holding = &member.holding;
        for (partition, epoch) in holding.assigned.iter().chain(&holding.pending_revocation) {
            if !given.insert(*partition) {
                return Err(format!("NoDoubleAssignment: the coordinator gave {partition:?} twice: {group:?}"));
            }
            if !(1..=group.epoch()).contains(epoch) || *epoch > group.target().epoch {
                return Err(format!("ValidPartitionEpoch: {partition:?} at {epoch}: {group:?}"));
            }
        }
        if holding.epoch > group.epoch() || holding.previous_epoch > holding.epoch {
            return Err(format!("ValidPartitionEpoch: {:?} is at {}, the group at {}", member.id, holding.epoch, group.epoch()));
        }
    }
    let target = group.target();
    let shares: Vec<TopicPartition> = target.assignments.values().flatten().copied().collect();
    let handed_out: BTreeSet<TopicPartition> = shares.iter().copied().collect();
    let is_complete = target.epoch < group.epoch() || group.is_empty() || handed_out == *all;
    let is_theirs = target.epoch < group.epoch() || target.assignments.keys().all(|id| group.members().any(|member| member.id == *id));
    if shares.len() != handed_out.len() || !handed_out.is_subset(all) || !is_complete || !is_theirs {
        return Err(format!("LegalTargetAssignment: {group:?}"));
    }
    Ok(())
}

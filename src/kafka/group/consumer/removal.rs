//! How members go: by their own word, for good or for now, or because a timer fired.
//!
//! Origin: GroupMetadataManager#consumerGroupLeave, #consumerGroupFenceMembers, #consumerGroupStaticMemberGroupLeave.

use crate::kafka::coordinator::shard::Turn;
use crate::kafka::group::consumer::{ConsumerGroup, LEAVE_FOR_NOW_EPOCH};
use crate::kafka::message::ConsumerHeartbeat;
use crate::terms::{EpochReason, ErrorCode, RemovalReason};
use crate::units::MemberId;

impl ConsumerGroup {
    /// Who leaves by this heartbeat.
    pub fn leaver(&self, request: &ConsumerHeartbeat) -> Result<MemberId, ErrorCode> {
        let id = request.member.ok_or(ErrorCode::InvalidRequest)?;
        match request.instance {
            Some(instance) => self.static_member(instance, id),
            None => self.member(id).map(|member| member.id),
        }
    }

    /// A static member keeps its place and what it was assigned. What it still had to give up is free.
    pub fn leave_for_now(&mut self, id: MemberId, turn: &mut Turn<'_>) {
        let mut member = self.take(id).expect("only members leave");
        member.holding.epoch = LEAVE_FOR_NOW_EPOCH;
        member.holding.pending_revocation.clear();
        if turn.config().switches.consumer.commits_at_older_epochs {
            member.holding.assigned.values_mut().for_each(|epoch| *epoch = 0);
        }
        self.put_reconciled(member, turn);
    }

    /// Members go for good. The target stays as it is until the next heartbeat.
    pub fn remove(&mut self, ids: &[MemberId], reason: RemovalReason, turn: &mut Turn<'_>) {
        for id in ids {
            self.forget(*id, reason, turn);
        }
        self.topics = turn.shard.topics.view(self.subscribed_topics());
        self.bump(EpochReason::MemberRemoved, ids.first().copied(), turn);
        if self.members.is_empty() && turn.config().switches.consumer.last_leave_settles_target {
            self.target.epoch = self.epoch;
            self.target.computed_at = None;
        }
    }

    /// The rebalance timer fired: is the revocation that it timed still the same?
    pub fn is_still_revoking(&self, id: MemberId) -> bool {
        self.members.get(&id).is_some_and(|member| member.revoking_since_epoch == Some(member.holding.epoch))
    }

    pub fn has(&self, id: MemberId) -> bool {
        self.members.contains_key(&id)
    }
}

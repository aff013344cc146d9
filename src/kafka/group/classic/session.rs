//! Sessions: what keeps a member in the group, and what happens when it falls silent.
//!
//! Origin: GroupMetadataManager#classicGroupHeartbeatToClassicGroup, #expireClassicGroupMemberHeartbeat, #expirePendingSync.

use crate::kafka::coordinator::shard::{Ticket, Turn};
use crate::kafka::coordinator::timers::CoordinatorTimer;
use crate::kafka::group::classic::ClassicGroup;
use crate::kafka::message::{GroupResponse, Heartbeat, JoinAnswer};
use crate::terms::{ErrorCode, GroupState, RebalanceReason, RemovalReason};
use crate::trace::TraceEvent;
use crate::units::MemberId;

impl ClassicGroup {
    pub fn heartbeat(&mut self, ticket: Ticket, request: Heartbeat, turn: &mut Turn<'_>) {
        let (group, member) = (self.id, request.member);
        match self.validate_heartbeat(&request) {
            // Kafka throws here, and an exception does not wait for open writes.
            Err(error) => {
                turn.emit(TraceEvent::HeartbeatHandled { group, member, error });
                turn.answer(ticket, GroupResponse::Heartbeat(error));
            }
            Ok(id) => {
                let error = match self.state() {
                    GroupState::Empty | GroupState::Dead => ErrorCode::UnknownMemberId,
                    GroupState::PreparingRebalance => ErrorCode::RebalanceInProgress,
                    GroupState::CompletingRebalance | GroupState::Stable => ErrorCode::None,
                };
                self.watch_session(id, turn);
                turn.emit(TraceEvent::HeartbeatHandled { group, member, error });
                turn.answer_behind_writes(ticket, GroupResponse::Heartbeat(error));
            }
        }
    }

    fn validate_heartbeat(&self, request: &Heartbeat) -> Result<MemberId, ErrorCode> {
        let member = self.validate_member(request.member, request.instance)?;
        if request.generation == self.generation { Ok(member) } else { Err(ErrorCode::IllegalGeneration) }
    }

    /// The member's session starts anew. A new member that waits for its first join phase gives up its 300 seconds for it.
    pub(super) fn watch_session(&self, id: MemberId, turn: &mut Turn<'_>) {
        if let Some(member) = self.member(id) {
            turn.arm(CoordinatorTimer::Heartbeat(self.id, id), member.session_timeout);
        }
    }

    /// An accepted OffsetCommit maintains the session in Stable and PreparingRebalance (OffsetMetadataManager#commitOffset).
    pub fn committed(&self, member: Option<MemberId>, turn: &mut Turn<'_>) {
        if matches!(self.state(), GroupState::Stable | GroupState::PreparingRebalance)
            && let Some(id) = member
        {
            self.watch_session(id, turn);
        }
    }

    /// The heartbeat timer of this id fired. An id that is gone has no effect: Kafka leaves the timers of replaced and rejected ids behind.
    pub fn session_expired(&mut self, id: MemberId, turn: &mut Turn<'_>) {
        if self.pending_join.remove(&id).is_some() {
            turn.emit(TraceEvent::PendingDropped { group: self.id, member: id, reason: RemovalReason::SessionExpired });
            return self.complete_join_after_expiry(turn);
        }
        let Some(member) = self.member(id) else { return };
        let waits_for_us = member.join.is_some() || member.sync.is_some();
        if waits_for_us && !member.is_new {
            return;
        }
        let reason = if member.is_new { RemovalReason::NewMemberTimedOut } else { RemovalReason::SessionExpired };
        self.remove_member(id, reason, turn);
        match self.state() {
            GroupState::Stable | GroupState::CompletingRebalance => {
                self.prepare_rebalance(RebalanceReason::SessionExpired, Some(id), turn);
            }
            GroupState::PreparingRebalance => self.complete_join_after_expiry(turn),
            GroupState::Empty | GroupState::Dead => {}
        }
    }

    /// Takes a member out. Its parked JoinGroup is answered UNKNOWN_MEMBER_ID so that the client, if it is still there, starts again; a parked
    /// SyncGroup is never answered.
    pub(super) fn remove_member(&mut self, id: MemberId, reason: RemovalReason, turn: &mut Turn<'_>) {
        if let Some(ticket) = self.take_join(id) {
            turn.answer(ticket, GroupResponse::Join(JoinAnswer::refusal(None, ErrorCode::UnknownMemberId)));
        }
        self.remove(id);
        turn.emit(TraceEvent::MemberRemoved { group: self.id, member: id, reason });
    }

    /// The sync timer fired: members that were given the generation and never sent SyncGroup are removed, static ones too. An id that was
    /// replaced since then still counts as one that is waited for.
    pub fn sync_timed_out(&mut self, turn: &mut Turn<'_>) {
        match self.state() {
            GroupState::CompletingRebalance | GroupState::Stable => {}
            GroupState::Empty | GroupState::PreparingRebalance | GroupState::Dead => return,
        }
        let silent: Vec<MemberId> = self.pending_sync().collect();
        for member in silent.iter().copied() {
            turn.cancel(CoordinatorTimer::Heartbeat(self.id, member));
            if self.remove(member).is_some() {
                turn.emit(TraceEvent::MemberRemoved { group: self.id, member, reason: RemovalReason::SyncTimedOut });
            }
        }
        if !silent.is_empty() {
            self.prepare_rebalance(RebalanceReason::SyncTimedOut, silent.first().copied(), turn);
        }
    }
}

//! LeaveGroup: members go by themselves, or an administrator removes a static member by its instance id.
//!
//! Origin: GroupMetadataManager#classicGroupLeaveToClassicGroup; KIP-345 for lists and instance ids.

use crate::kafka::coordinator::shard::{Answer, Ticket, Turn};
use crate::kafka::coordinator::timers::CoordinatorTimer;
use crate::kafka::coordinator::writes::Deferred;
use crate::kafka::group::classic::ClassicGroup;
use crate::kafka::message::{GroupResponse, LeaveGroup};
use crate::terms::{ErrorCode, GroupState, RebalanceReason, RemovalReason, RequestKind};
use crate::trace::TraceEvent;
use crate::units::{InstanceId, MemberId};

impl ClassicGroup {
    pub fn leave(&mut self, ticket: Ticket, request: LeaveGroup, turn: &mut Turn<'_>) {
        let mut members = Vec::with_capacity(request.members.len());
        let mut first = None;
        for (member, instance) in request.members {
            let result = self.leave_one(member, instance, turn);
            if let Ok(left) = result {
                first = first.or(Some(left));
            }
            let error = result.err().unwrap_or(ErrorCode::None);
            if error != ErrorCode::None {
                turn.emit(TraceEvent::RequestRefused { group: self.id, member, request: RequestKind::LeaveGroup, error });
            }
            members.push((member, instance, error));
        }
        let was_empty = self.state() == GroupState::Empty;
        // Even if only pending ids left: in Stable that makes everybody rejoin.
        if first.is_some() && !was_empty {
            self.rebalance_or_complete(RebalanceReason::MemberLeft, first, turn);
        }
        let response = GroupResponse::Leave { error: ErrorCode::None, members };
        let became_empty = !was_empty && self.state() == GroupState::Empty;
        self.answer_leave(ticket, response, became_empty, turn);
    }

    /// The empty group's record is what the answer waits for, if there is one.
    fn answer_leave(&self, ticket: Ticket, response: GroupResponse, became_empty: bool, turn: &mut Turn<'_>) {
        if !became_empty {
            return turn.answer_behind_writes(ticket, response);
        }
        let answer = Deferred::Answer(Answer { ticket, response });
        let alone = turn.shard.writes.queue_behind(answer);
        assert!(alone.is_none(), "a group that became empty has just written its record");
    }

    fn leave_one(&mut self, member: Option<MemberId>, instance: Option<InstanceId>, turn: &mut Turn<'_>) -> Result<MemberId, ErrorCode> {
        let Some(id) = member else {
            let named = instance.and_then(|instance| self.static_members.get(&instance).copied());
            let id = named.ok_or(ErrorCode::UnknownMemberId)?;
            self.let_go(id, turn);
            return Ok(id);
        };
        if self.pending_join.remove(&id).is_some() {
            turn.cancel(CoordinatorTimer::Heartbeat(self.id, id));
            turn.emit(TraceEvent::PendingDropped { group: self.id, member: id, reason: RemovalReason::Left });
            return Ok(id);
        }
        self.validate_member(Some(id), instance)?;
        self.let_go(id, turn);
        Ok(id)
    }

    fn let_go(&mut self, id: MemberId, turn: &mut Turn<'_>) {
        turn.cancel(CoordinatorTimer::Heartbeat(self.id, id));
        self.remove_member(id, RemovalReason::Left, turn);
    }
}

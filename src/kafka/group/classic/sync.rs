//! SyncGroup: the leader's assignment goes to everybody.
//!
//! Origin: GroupMetadataManager#classicGroupSyncToClassicGroup. The group becomes Stable when the assignment is replicated, not before.

use crate::kafka::coordinator::shard::{Ticket, Turn};
use crate::kafka::coordinator::timers::CoordinatorTimer;
use crate::kafka::coordinator::writes::Deferred;
use crate::kafka::group::classic::ClassicGroup;
use crate::kafka::message::{Assignment, GroupResponse, SyncAnswer, SyncGroup};
use crate::terms::{ErrorCode, GroupState, Name, RequestKind};
use crate::trace::TraceEvent;
use crate::units::MemberId;

impl ClassicGroup {
    pub fn sync(&mut self, ticket: Ticket, request: SyncGroup, turn: &mut Turn<'_>) {
        let member = match self.validate_sync(&request) {
            Ok(member) => member,
            Err(error) => return self.refuse_sync(ticket, request.member, error, turn),
        };
        match self.state() {
            GroupState::PreparingRebalance => self.refuse_sync(ticket, Some(member), ErrorCode::RebalanceInProgress, turn),
            GroupState::CompletingRebalance => self.park_sync(ticket, member, request, turn),
            // The session timer is not re-armed here, unlike for a SyncGroup that was parked.
            GroupState::Stable => {
                self.forget_pending_sync(member, turn);
                let answer = self.sync_answer(member);
                turn.answer(ticket, GroupResponse::Sync(answer));
            }
            GroupState::Empty | GroupState::Dead => self.refuse_sync(ticket, Some(member), ErrorCode::UnknownMemberId, turn),
        }
    }

    fn validate_sync(&self, request: &SyncGroup) -> Result<MemberId, ErrorCode> {
        if self.state() == GroupState::Empty {
            return Err(ErrorCode::UnknownMemberId);
        }
        let member = self.validate_member(request.member, request.instance)?;
        let differs = |asked: &Option<Name>, known: &Option<Name>| asked.is_some() && asked != known;
        if request.generation != self.generation {
            Err(ErrorCode::IllegalGeneration)
        } else if differs(&request.protocol_type, &self.protocol_type) || differs(&request.protocol, &self.protocol) {
            Err(ErrorCode::InconsistentGroupProtocol)
        } else {
            Ok(member)
        }
    }

    /// An older SyncGroup of the same member is never answered.
    fn park_sync(&mut self, ticket: Ticket, id: MemberId, request: SyncGroup, turn: &mut Turn<'_>) {
        let member = self.member_mut(id).expect("the request was validated: the id is a member's");
        member.sync = Some(ticket);
        self.forget_pending_sync(id, turn);
        if !self.is_leader(id) {
            return;
        }
        let assignments: Vec<(MemberId, Assignment)> = request.assignments.into_iter().map(|(id, given)| (id, Some(given))).collect();
        self.store(&assignments, turn);
        turn.write(Deferred::AssignmentStored { group: self.id, generation: self.generation, assignments });
    }

    /// The leader's assignment is replicated. If the group has moved on meanwhile, nobody wants it.
    pub fn assignment_stored(&mut self, generation: i32, assignments: Vec<(MemberId, Assignment)>, turn: &mut Turn<'_>) {
        if self.state() != GroupState::CompletingRebalance || self.generation != generation {
            return;
        }
        for member in self.members.values_mut() {
            member.assignment = None;
        }
        for (id, assignment) in assignments {
            if let Some(member) = self.member_mut(id) {
                member.assignment = assignment;
            }
        }
        self.answer_parked_syncs(ErrorCode::None, turn);
        self.transition(GroupState::Stable, turn);
    }

    /// The sync phase is cut off: no assignment is valid any more, and who waits for one is told so.
    pub(super) fn propagate_error(&mut self, error: ErrorCode, turn: &mut Turn<'_>) {
        for member in self.members.values_mut() {
            member.assignment = None;
        }
        self.answer_parked_syncs(error, turn);
    }

    /// Whoever is answered, even with an error, has its session watched anew: an expiry was ignored while it was parked.
    fn answer_parked_syncs(&mut self, error: ErrorCode, turn: &mut Turn<'_>) {
        let ids: Vec<MemberId> = self.members.values().filter(|member| member.sync.is_some()).map(|member| member.id).collect();
        for id in ids {
            let ticket = self.member_mut(id).and_then(|member| member.sync.take()).expect("only parked members were listed");
            let answer = if error == ErrorCode::None { self.sync_answer(id) } else { SyncAnswer::refusal(error) };
            turn.answer(ticket, GroupResponse::Sync(answer));
            self.watch_session(id, turn);
        }
    }

    /// GroupMetadataManager#removePendingSyncMember.
    fn forget_pending_sync(&mut self, member: MemberId, turn: &mut Turn<'_>) {
        self.pending_sync.remove(&member);
        if self.pending_sync.is_empty() {
            turn.cancel(CoordinatorTimer::Sync(self.id));
        }
    }

    fn sync_answer(&self, member: MemberId) -> SyncAnswer {
        SyncAnswer {
            error: ErrorCode::None,
            protocol_type: self.protocol_type.clone(),
            protocol: self.protocol.clone(),
            assignment: self.member(member).and_then(|member| member.assignment.clone()),
        }
    }

    fn refuse_sync(&self, ticket: Ticket, member: Option<MemberId>, error: ErrorCode, turn: &mut Turn<'_>) {
        turn.emit(TraceEvent::RequestRefused { group: self.id, member, request: RequestKind::SyncGroup, error });
        turn.answer(ticket, GroupResponse::Sync(SyncAnswer::refusal(error)));
    }
}

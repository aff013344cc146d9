//! JoinGroup: becoming a member, and rejoining for the next generation.
//!
//! Origin: GroupMetadataManager#classicGroupJoinToClassicGroup and what it calls; KIP-394 for MEMBER_ID_REQUIRED.

use crate::kafka::coordinator::shard::{Ticket, Turn};
use crate::kafka::coordinator::timers::CoordinatorTimer;
use crate::kafka::group::classic::{ClassicGroup, Member};
use crate::kafka::message::{GroupResponse, JoinAnswer, JoinGroup};
use crate::terms::{ErrorCode, GroupState, RebalanceReason, RemovalReason, RequestKind};
use crate::trace::TraceEvent;
use crate::units::{MemberId, Span};

/// How long a new member may wait for its first join phase to end (CLASSIC_GROUP_NEW_MEMBER_JOIN_TIMEOUT_MS). No session is watched
/// meanwhile, since a client cannot send heartbeats on a connection that waits for an answer.
const NEW_MEMBER_JOIN_TIMEOUT: Span = Span::from_secs(300);

/// From this version on a dynamic member must come back with the id that it is given.
const MEMBER_ID_REQUIRED_VERSION: u16 = 4;

impl ClassicGroup {
    pub fn join(&mut self, ticket: Ticket, request: JoinGroup, turn: &mut Turn<'_>) {
        if !self.accepts(request.member, turn.config().max_size) {
            self.turn_away(request.member, turn);
            let answer = JoinAnswer::refusal(None, ErrorCode::GroupMaxSizeReached);
            return self.refuse_join(ticket, request.member, answer, turn);
        }
        match request.member {
            None => self.join_without_id(ticket, request, turn),
            Some(member) => self.join_with_id(ticket, member, request, turn),
        }
    }

    /// GroupMetadataManager#acceptJoiningMember. The members that are parked count while a rebalance is prepared: the last to rejoin are
    /// those who find no place.
    fn accepts(&self, member: Option<MemberId>, max_size: u32) -> bool {
        let known = member.and_then(|id| self.member(id));
        let room = |taken: usize| taken < max_size as usize;
        match self.state() {
            GroupState::Empty | GroupState::Dead => true,
            GroupState::PreparingRebalance => known.is_some_and(|member| member.join.is_some()) || room(self.parked_joins),
            GroupState::CompletingRebalance | GroupState::Stable => known.is_some() || room(self.members.len()),
        }
    }

    /// The id of a refused JoinGroup is forgotten. Its timer stays and fires without effect, and the join phase is not completed even if
    /// everybody left is parked.
    fn turn_away(&mut self, member: Option<MemberId>, turn: &mut Turn<'_>) {
        let Some(member) = member else { return };
        let (group, reason) = (self.id, RemovalReason::GroupFull);
        if self.pending_join.contains_key(&member) {
            turn.emit(TraceEvent::PendingDropped { group, member, reason });
        }
        if self.remove(member).is_some() {
            turn.emit(TraceEvent::MemberRemoved { group, member, reason });
        }
    }

    fn join_without_id(&mut self, ticket: Ticket, request: JoinGroup, turn: &mut Turn<'_>) {
        if !self.supports(&request.protocol_type, &request.protocols) {
            let answer = JoinAnswer::refusal(None, ErrorCode::InconsistentGroupProtocol);
            return self.refuse_join(ticket, None, answer, turn);
        }
        let (member, place) = turn.shard.member_ids.next(request.client);
        match request.instance {
            Some(instance) => match self.static_members.get(&instance).copied() {
                Some(old) => self.replace_static_member(ticket, (old, member, place), request, turn),
                None => self.add_member(ticket, member, place, request, turn),
            },
            None if request.version < MEMBER_ID_REQUIRED_VERSION => self.add_member(ticket, member, place, request, turn),
            None => {
                self.pending_join.insert(member, place);
                turn.arm(CoordinatorTimer::Heartbeat(self.id, member), request.session_timeout);
                turn.emit(TraceEvent::MemberPending { group: self.id, member });
                let answer = JoinAnswer::refusal(Some(member), ErrorCode::MemberIdRequired);
                turn.answer(ticket, GroupResponse::Join(answer));
            }
        }
    }

    fn join_with_id(&mut self, ticket: Ticket, member: MemberId, request: JoinGroup, turn: &mut Turn<'_>) {
        if !self.supports(&request.protocol_type, &request.protocols) {
            let answer = JoinAnswer::refusal(Some(member), ErrorCode::InconsistentGroupProtocol);
            return self.refuse_join(ticket, Some(member), answer, turn);
        }
        if let Some(place) = self.pending_join.get(&member).copied() {
            if request.instance.is_none() {
                return self.add_member(ticket, member, place, request, turn);
            }
            // An id that is pending belongs to a dynamic member: Kafka throws IllegalStateException.
            let answer = JoinAnswer::refusal(None, ErrorCode::UnknownServerError);
            return self.refuse_join(ticket, Some(member), answer, turn);
        }
        if let Err(error) = self.validate_member(Some(member), request.instance) {
            let answer = JoinAnswer { protocol: None, ..JoinAnswer::refusal(Some(member), error) };
            return self.refuse_join(ticket, Some(member), answer, turn);
        }
        let leads = self.is_leader(member);
        let same = self.member(member).is_some_and(|known| known.protocols == request.protocols);
        let reason = if leads { RebalanceReason::LeaderRejoined } else { RebalanceReason::MemberRejoined };
        match self.state() {
            GroupState::PreparingRebalance => self.rejoin(ticket, member, request, reason, turn),
            // The answer to the same JoinGroup may have been lost: it is given again.
            GroupState::CompletingRebalance if same => self.answer_current_generation(ticket, member, leads, turn),
            GroupState::CompletingRebalance => self.rejoin(ticket, member, request, reason, turn),
            // The leader may have reasons that its metadata do not show, such as partitions that were added.
            GroupState::Stable if leads || !same => self.rejoin(ticket, member, request, reason, turn),
            GroupState::Stable => self.answer_current_generation(ticket, member, false, turn),
            GroupState::Empty | GroupState::Dead => {
                self.refuse_join(ticket, Some(member), JoinAnswer::refusal(Some(member), ErrorCode::UnknownMemberId), turn);
            }
        }
    }

    /// GroupMetadataManager#addMemberThenRebalanceOrCompleteJoin.
    fn add_member(&mut self, ticket: Ticket, id: MemberId, place: u64, request: JoinGroup, turn: &mut Turn<'_>) {
        if self.state() == GroupState::PreparingRebalance && self.previous_state == GroupState::Empty {
            self.new_member_added = true;
        }
        let member = Member {
            id,
            instance: request.instance,
            rebalance_timeout: request.rebalance_timeout,
            session_timeout: request.session_timeout,
            protocols: request.protocols,
            assignment: None,
            join: Some(ticket),
            sync: None,
            is_new: true,
        };
        self.add(place, member, &request.protocol_type);
        turn.emit(TraceEvent::MemberAdded { group: self.id, member: id, instance: request.instance });
        turn.arm(CoordinatorTimer::Heartbeat(self.id, id), NEW_MEMBER_JOIN_TIMEOUT);
        self.rebalance_or_complete(RebalanceReason::MemberJoined, Some(id), turn);
    }

    fn rejoin(&mut self, ticket: Ticket, id: MemberId, request: JoinGroup, reason: RebalanceReason, turn: &mut Turn<'_>) {
        self.update_member(id, request.protocols, request.rebalance_timeout, request.session_timeout, ticket);
        self.rebalance_or_complete(reason, Some(id), turn);
    }

    fn answer_current_generation(&self, ticket: Ticket, member: MemberId, list_members: bool, turn: &mut Turn<'_>) {
        let members = if list_members { self.joined_members() } else { Vec::new() };
        let answer = JoinAnswer { members, ..self.generation_answer(member) };
        turn.answer(ticket, GroupResponse::Join(answer));
    }

    /// The answer to a member of the current generation, without the list of members.
    pub(super) fn generation_answer(&self, member: MemberId) -> JoinAnswer {
        JoinAnswer {
            error: ErrorCode::None,
            member: Some(member),
            generation: self.generation,
            protocol_type: self.protocol_type.clone(),
            protocol: self.protocol.clone(),
            leader: self.leader,
            skip_assignment: false,
            members: Vec::new(),
        }
    }

    fn refuse_join(&self, ticket: Ticket, member: Option<MemberId>, answer: JoinAnswer, turn: &mut Turn<'_>) {
        let (group, request, error) = (self.id, RequestKind::JoinGroup, answer.error);
        turn.emit(TraceEvent::RequestRefused { group, member, request, error });
        turn.answer(ticket, GroupResponse::Join(answer));
    }
}

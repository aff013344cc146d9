//! Members of the classic protocol in a KIP-848 group: their JoinGroup, SyncGroup and Heartbeat lead the same reconciliation.
//!
//! The generation is the member's epoch. Nobody is waited for: a JoinGroup is answered at once, without leader or list. Origin:
//! GroupMetadataManager#classicGroupJoinToConsumerGroup, #classicGroupSyncToConsumerGroup, #classicGroupHeartbeatToConsumerGroup.

use crate::kafka::assignor::server::ServerAssignor;
use crate::kafka::coordinator::shard::{Ticket, Turn};
use crate::kafka::coordinator::timers::CoordinatorTimer;
use crate::kafka::group::consumer::{ClassicSide, ConsumerGroup, Member};
use crate::kafka::message::{GroupResponse, Heartbeat, JoinAnswer, JoinGroup, SyncAnswer, SyncGroup};
use crate::terms::{EpochReason, ErrorCode, MemberState, Name};
use crate::units::{InstanceId, MemberId};

/// From this version on a dynamic member must come back with the id that it is given.
const MEMBER_ID_REQUIRED_VERSION: u16 = 4;

/// How a classic member got in.
pub struct Joined {
    pub member: MemberId,
    /// It is subscribed to other topics than before.
    pub topics_changed: bool,
    /// The assignor that the group prefers, as this member finds it.
    pub preferred: Option<ServerAssignor>,
}

impl ConsumerGroup {
    /// The checks of a JoinGroup: the id that it joins with, or the answer that turns it away.
    pub fn check_join(&self, request: &JoinGroup, turn: &mut Turn<'_>) -> Result<MemberId, JoinAnswer> {
        let refused = |error| JoinAnswer::refusal(None, error);
        let config = turn.config();
        if config.switches.consumer.disabled_refuses_classic_members && config.consumer.migration.is_disabled() {
            return Err(refused(ErrorCode::InconsistentGroupProtocol));
        }
        self.check_room(request.member, request.instance, turn).map_err(refused)?;
        if !self.supports_classic(&request.protocol_type, &request.protocols) {
            return Err(refused(ErrorCode::InconsistentGroupProtocol));
        }
        let id = request.member.unwrap_or_else(|| turn.shard.member_ids.next(request.client).0);
        let comes_back = request.instance.is_none() && request.member.is_none() && request.version >= MEMBER_ID_REQUIRED_VERSION;
        if comes_back { Err(JoinAnswer::refusal(Some(id), ErrorCode::MemberIdRequired)) } else { Ok(id) }
    }

    /// Takes the member in and over what it tells, up to the group epoch.
    pub fn join_classic(&mut self, id: MemberId, request: &JoinGroup, turn: &mut Turn<'_>) -> Result<Joined, ErrorCode> {
        let is_known = self.has(id);
        let mut votes = self.votes();
        match request.instance {
            None if self.has(id) => {}
            None => self.add_empty(id, None, turn),
            Some(instance) if request.member.is_some() => {
                self.static_member(instance, id)?;
            }
            Some(instance) => match self.static_members.get(&instance).copied() {
                Some(former) => self.replace_static(former, id, self.target.epoch, turn),
                None => self.add_empty(id, Some(instance), turn),
            },
        }
        let vote = self.members[&id].assignor;
        votes.replace(vote, vote);
        let mut member = self.take(id).expect("the member is in");
        // Members of the consumer protocol type say the same in every protocol of their list.
        let told = request.protocols.first().map(|entry| entry.metadata.topics.iter().copied().collect()).unwrap_or_default();
        let topics_changed = member.topics != told;
        member.topics = told;
        member.rebalance_timeout = request.rebalance_timeout;
        member.classic = Some(ClassicSide { session_timeout: request.session_timeout, protocols: request.protocols.clone() });
        self.put(member);
        let reason = if is_known { EpochReason::SubscriptionChanged } else { EpochReason::MemberJoined };
        self.maybe_bump(topics_changed.then_some(reason), id, turn);
        Ok(Joined { member: id, topics_changed, preferred: votes.preferred() })
    }

    /// Leads a member that has joined to the target, and answers it.
    pub fn finish_join(&mut self, ticket: Ticket, joined: &Joined, request: &JoinGroup, turn: &mut Turn<'_>) {
        let id = joined.member;
        self.maybe_compute_target(joined.preferred, turn);
        self.reconcile_classic(joined, request, turn);
        turn.cancel(CoordinatorTimer::MemberJoin(self.id, id));
        self.watch_session(id, turn);
        turn.arm(CoordinatorTimer::MemberSync(self.id, id), request.rebalance_timeout);
        let answer = self.join_answer(id);
        turn.answer_when_written(ticket, GroupResponse::Join(answer));
    }

    pub fn reconcile_classic(&mut self, joined: &Joined, request: &JoinGroup, turn: &mut Turn<'_>) {
        let owned = request.protocols.first().map(|entry| entry.metadata.owned.as_slice()).unwrap_or_default();
        let existing: Vec<_> = owned.iter().copied().filter(|at| turn.shard.topics.get(at.topic).is_some()).collect();
        self.reconcile(joined.member, joined.topics_changed, Some(&existing), turn);
    }

    pub fn join_answer(&self, id: MemberId) -> JoinAnswer {
        let member = &self.members[&id];
        let protocol = member.classic.as_ref().and_then(|classic| classic.protocols.first()).map(|entry| entry.name.clone());
        JoinAnswer {
            generation: member.holding.epoch,
            protocol_type: Some(Name::from("consumer")),
            protocol,
            ..JoinAnswer::refusal(Some(id), ErrorCode::None)
        }
    }

    pub fn sync(&mut self, ticket: Ticket, request: &SyncGroup, turn: &mut Turn<'_>) -> Result<(), ErrorCode> {
        let member = self.classic_member(request.member, request.instance, request.generation)?;
        let id = member.id;
        let classic = member.classic.as_ref().expect("only classic members get here");
        let supports = |name: &Name| classic.protocols.iter().any(|entry| entry.name == *name);
        let other_type = request.protocol_type.as_deref().is_some_and(|name| name != "consumer");
        if other_type || request.protocol.as_ref().is_some_and(|name| !supports(name)) {
            return Err(ErrorCode::InconsistentGroupProtocol);
        }
        if member.holding.state != MemberState::UnrevokedPartitions && self.is_ahead_of(member, turn) {
            self.expect_rejoin(id, turn);
            return Err(ErrorCode::RebalanceInProgress);
        }
        let answer = SyncAnswer {
            error: ErrorCode::None,
            protocol_type: request.protocol_type.clone(),
            protocol: request.protocol.clone(),
            assignment: Some(member.holding.assigned.keys().copied().collect()),
        };
        turn.cancel(CoordinatorTimer::MemberSync(self.id, id));
        self.watch_session(id, turn);
        turn.answer_behind_writes(ticket, GroupResponse::Sync(answer));
        Ok(())
    }

    /// REBALANCE_IN_PROGRESS asks the member to rejoin: there is something to catch up with, to give up or to get.
    pub fn classic_heartbeat(&mut self, request: &Heartbeat, turn: &mut Turn<'_>) -> Result<ErrorCode, ErrorCode> {
        let member = self.classic_member(request.member, request.instance, request.generation)?;
        let id = member.id;
        let rejoins = match member.holding.state {
            MemberState::UnrevokedPartitions => true,
            MemberState::UnreleasedPartitions => self.is_ahead_of(member, turn) || !self.waits_for_others(member),
            MemberState::Stable => self.is_ahead_of(member, turn),
        };
        self.watch_session(id, turn);
        if !rejoins {
            return Ok(ErrorCode::None);
        }
        self.expect_rejoin(id, turn);
        Ok(ErrorCode::RebalanceInProgress)
    }

    fn classic_member(&self, id: Option<MemberId>, instance: Option<InstanceId>, generation: i32) -> Result<&Member, ErrorCode> {
        let member = self.named(id, instance)?;
        if member.classic.is_none() {
            Err(ErrorCode::UnknownMemberId)
        } else if member.holding.epoch != generation {
            Err(ErrorCode::IllegalGeneration)
        } else {
            Ok(member)
        }
    }

    fn named(&self, id: Option<MemberId>, instance: Option<InstanceId>) -> Result<&Member, ErrorCode> {
        if let Some(instance) = instance {
            let owner = self.static_members.get(&instance).ok_or(ErrorCode::UnknownMemberId)?;
            if Some(*owner) != id {
                return Err(ErrorCode::FencedInstanceId);
            }
        }
        self.member(id.ok_or(ErrorCode::UnknownMemberId)?)
    }

    /// Whom an entry of a LeaveGroup means. Without a member id an administrator names a static member.
    pub fn leaver_by_request(&self, id: Option<MemberId>, instance: Option<InstanceId>) -> Result<MemberId, ErrorCode> {
        match (id, instance) {
            (None, Some(instance)) => self.static_members.get(&instance).copied().ok_or(ErrorCode::UnknownMemberId),
            (id, instance) => self.named(id, instance).map(|member| member.id),
        }
    }

    fn is_ahead_of(&self, member: &Member, turn: &Turn<'_>) -> bool {
        let follows_target = turn.config().switches.consumer.classic_members_follow_the_target;
        member.holding.epoch < if follows_target { self.target.epoch } else { self.epoch }
    }

    /// ConsumerGroup#waitingOnUnreleasedPartition.
    fn waits_for_others(&self, member: &Member) -> bool {
        let target = self.target.assignments.get(&member.id).into_iter().flatten();
        target.into_iter().any(|at| !member.holding.assigned.contains_key(at) && self.owners.contains_key(at))
    }

    /// From the first time that it is told, the member has its rebalance timeout to rejoin.
    fn expect_rejoin(&self, id: MemberId, turn: &mut Turn<'_>) {
        let timer = CoordinatorTimer::MemberJoin(self.id, id);
        if turn.shard.timers.deadline(timer).is_none() {
            let timeout = self.members[&id].rebalance_timeout;
            turn.arm(timer, timeout);
        }
    }
}

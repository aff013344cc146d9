//! KIP-848 groups in their shard: which group a heartbeat or a classic request meets, and groups that change their protocol.
//!
//! Origin: GroupMetadataManager#getOrMaybeCreateConsumerGroup, #convertToConsumerGroup, #convertToClassicGroup, #consumerGroupFenceMembers,
//! GroupCoordinatorService#throwIfConsumerGroupHeartbeatRequestIsInvalid.

use crate::kafka::assignor::server::ServerAssignor;
use crate::kafka::coordinator::Coordinator;
use crate::kafka::coordinator::shard::{CoordinatorConfig, CoordinatorEffects, Ticket, Turn};
use crate::kafka::coordinator::timers::CoordinatorTimer;
use crate::kafka::coordinator::writes::Deferred;
use crate::kafka::group::Group;
use crate::kafka::group::classic::ClassicGroup;
use crate::kafka::group::consumer::heartbeat::Handled;
use crate::kafka::group::consumer::{ConsumerGroup, JOIN_EPOCH, LEAVE_EPOCH, LEAVE_FOR_NOW_EPOCH};
use crate::kafka::message::{ConsumerHeartbeat, ConsumerHeartbeatAnswer, GroupResponse};
use crate::terms::{ErrorCode, GroupProtocol, GroupState, RebalanceReason, RemovalReason};
use crate::trace::TraceEvent;
use crate::units::{GroupId, Instant, MemberId, Span, TopicId};

impl Coordinator {
    pub fn consumer_group(&self, group: GroupId) -> Option<&ConsumerGroup> {
        self.groups.get(&group).and_then(Group::as_consumer)
    }

    pub(super) fn consumer_heartbeat(
        &mut self,
        now: Instant,
        ticket: Ticket,
        id: GroupId,
        request: &ConsumerHeartbeat,
        fx: &mut CoordinatorEffects,
    ) {
        let handled = check_heartbeat(request, &self.shard.config).and_then(|()| {
            if request.epoch < JOIN_EPOCH { self.leave_consumer_group(now, id, request, fx) } else { self.keep_up(now, id, request, fx) }
        });
        let error = handled.as_ref().err().copied().unwrap_or(ErrorCode::None);
        fx.emit(TraceEvent::HeartbeatHandled { group: id, member: request.member, error });
        let mut turn = self.turn(now, fx);
        match handled {
            Err(error) => turn.answer(ticket, GroupResponse::ConsumerHeartbeat(ConsumerHeartbeatAnswer::refusal(error))),
            Ok(Handled { answer, wrote: true }) => turn.answer_when_written(ticket, GroupResponse::ConsumerHeartbeat(answer)),
            Ok(Handled { answer, wrote: false }) => turn.answer_behind_writes(ticket, GroupResponse::ConsumerHeartbeat(answer)),
        }
    }

    /// A heartbeat that joins or stays. A group that it creates or converts is there only if it is not refused.
    fn keep_up(
        &mut self,
        now: Instant,
        id: GroupId,
        request: &ConsumerHeartbeat,
        fx: &mut CoordinatorEffects,
    ) -> Result<Handled, ErrorCode> {
        let joins = request.epoch == JOIN_EPOCH;
        let mut turn = Turn { now, shard: &mut self.shard, fx };
        let mut group = match self.groups.get_mut(&id) {
            Some(Group::Consumer(group)) => return group.heartbeat(request, &mut turn),
            Some(Group::Classic(_)) | None if !joins => return Err(ErrorCode::GroupIdNotFound),
            Some(Group::Classic(classic)) if classic.state() != GroupState::Empty => upgrade(classic, &mut turn)?,
            Some(Group::Classic(_)) | None => ConsumerGroup::new(id, turn.config().switches.consumer.starts_at_epoch_one),
        };
        let (told, epoch) = (turn.fx.facts.len(), group.epoch());
        let handled = group.heartbeat(request, &mut turn)?;
        turn.shard.stored.remove(&id);
        let former = self.groups.insert(id, Group::Consumer(group));
        if former.is_some() {
            // It changed before the heartbeat changed anything in it; but until here the heartbeat might have been refused.
            let change = TraceEvent::GroupProtocolChanged { group: id, to: GroupProtocol::Consumer, epoch };
            fx.facts.insert(told, fx.now, change);
        }
        Ok(Handled { wrote: true, ..handled })
    }

    fn leave_consumer_group(
        &mut self,
        now: Instant,
        id: GroupId,
        request: &ConsumerHeartbeat,
        fx: &mut CoordinatorEffects,
    ) -> Result<Handled, ErrorCode> {
        let Some(Group::Consumer(group)) = self.groups.get_mut(&id) else { return Err(ErrorCode::GroupIdNotFound) };
        let member = group.leaver(request)?;
        if request.epoch == LEAVE_FOR_NOW_EPOCH {
            group.leave_for_now(member, &mut Turn { now, shard: &mut self.shard, fx });
        } else {
            self.remove_from_consumer_group(now, id, &[member], RemovalReason::Left, fx);
        }
        let answer = ConsumerHeartbeatAnswer {
            error: ErrorCode::None,
            member: Some(member),
            epoch: request.epoch,
            heartbeat_interval: Span::ZERO,
            assignment: None,
        };
        Ok(Handled { answer, wrote: true })
    }

    /// Members go for good. If only classic members are left, the group is theirs again.
    pub(super) fn remove_from_consumer_group(
        &mut self,
        now: Instant,
        id: GroupId,
        leaving: &[MemberId],
        reason: RemovalReason,
        fx: &mut CoordinatorEffects,
    ) {
        let Some(Group::Consumer(group)) = self.groups.get_mut(&id) else { return };
        let mut turn = Turn { now, shard: &mut self.shard, fx };
        if !group.is_downgraded_without(leaving, &turn) {
            return group.remove(leaving, reason, &mut turn);
        }
        for member in leaving {
            turn.emit(TraceEvent::MemberRemoved { group: id, member: *member, reason });
        }
        let mut classic = group.downgraded(leaving, &mut turn);
        turn.emit(TraceEvent::GroupProtocolChanged { group: id, to: GroupProtocol::Classic, epoch: classic.generation() });
        classic.prepare_rebalance(RebalanceReason::Downgraded, leaving.first().copied(), &mut turn);
        self.groups.insert(id, Group::Classic(classic));
    }

    /// A timer of a member of a KIP-848 group. One that was left behind by a member or by a group of that protocol does nothing.
    pub(super) fn fire_of_member(&mut self, now: Instant, timer: CoordinatorTimer, fx: &mut CoordinatorEffects) {
        let (group, member, reason) = match timer {
            CoordinatorTimer::Session(group, member) => (group, member, RemovalReason::SessionExpired),
            CoordinatorTimer::Revocation(group, member) => (group, member, RemovalReason::RevocationTimedOut),
            CoordinatorTimer::MemberJoin(group, member) => (group, member, RemovalReason::JoinTimedOut),
            CoordinatorTimer::MemberSync(group, member) => (group, member, RemovalReason::SyncTimedOut),
            CoordinatorTimer::Join(_)
            | CoordinatorTimer::Sync(_)
            | CoordinatorTimer::Heartbeat(..)
            | CoordinatorTimer::ExpireOffsets
            | CoordinatorTimer::WriteCommitted => return,
        };
        let Some(known) = self.consumer_group(group).filter(|known| known.has(member)) else { return };
        if reason == RemovalReason::RevocationTimedOut && !known.is_still_revoking(member) {
            return;
        }
        self.remove_from_consumer_group(now, group, &[member], reason, fx);
        self.turn(now, fx).write(Deferred::Nothing);
    }

    /// A topic is created or has more partitions. If it existed before and was deleted, what groups still have of that one goes on under the
    /// number that comes back.
    pub fn on_topic_image(&mut self, topic: TopicId, partitions: u32) -> Option<TopicId> {
        let former = self.shard.topics.rename_former(topic);
        self.shard.topics.set(topic, partitions);
        for group in self.groups.values_mut() {
            let Group::Consumer(group) = group else { continue };
            if let Some(former) = former {
                group.topic_renamed(topic, former);
            }
            group.topic_changed(topic);
        }
        former
    }

    /// Patterns that members may subscribe with: what each matches.
    pub fn know_patterns(&mut self, patterns: Vec<Vec<TopicId>>) {
        self.shard.topics.know_patterns(patterns);
    }

    pub(super) fn topic_is_gone(&mut self, topic: TopicId) {
        self.shard.topics.delete(topic);
        for group in self.groups.values_mut() {
            match group {
                Group::Classic(_) => {}
                Group::Consumer(group) => group.topic_changed(topic),
            }
        }
    }
}

/// A classic group with members becomes a KIP-848 group, if the broker's settings and its protocol type let it. Whoever waits is told to
/// rejoin, even if it fails after that.
fn upgrade(classic: &mut ClassicGroup, turn: &mut Turn<'_>) -> Result<ConsumerGroup, ErrorCode> {
    let config = &turn.config().consumer;
    let fits = classic.members().len() <= config.max_size as usize;
    if !config.migration.may_upgrade() || !classic.uses_consumer_protocol() || !fits {
        return Err(ErrorCode::GroupIdNotFound);
    }
    classic.refuse_parked(ErrorCode::RebalanceInProgress, turn);
    ConsumerGroup::upgraded(classic, turn)
}

/// What is wrong with a heartbeat, whatever the group.
fn check_heartbeat(request: &ConsumerHeartbeat, config: &CoordinatorConfig) -> Result<(), ErrorCode> {
    if !config.switches.consumer.available {
        return Err(ErrorCode::UnsupportedVersion);
    }
    let owns_nothing = request.owned.as_ref().is_some_and(Vec::is_empty);
    let is_whole = request.rebalance_timeout.is_some() && request.topics.is_some() && owns_nothing;
    let valid = match request.epoch {
        JOIN_EPOCH => is_whole,
        LEAVE_EPOCH => true,
        LEAVE_FOR_NOW_EPOCH => request.instance.is_some(),
        epoch => epoch > 0,
    };
    if !valid || request.member.is_none() {
        return Err(ErrorCode::InvalidRequest);
    }
    let known = |name: &str| ServerAssignor::named(name).is_some_and(|assignor| config.consumer.has(assignor));
    if request.assignor.as_deref().is_none_or(known) { Ok(()) } else { Err(ErrorCode::UnsupportedAssignor) }
}

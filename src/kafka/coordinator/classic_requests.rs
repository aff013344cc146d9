//! JoinGroup, SyncGroup, Heartbeat and LeaveGroup: to a classic group, or to a KIP-848 group that classic members take part in.

use crate::kafka::coordinator::Coordinator;
use crate::kafka::coordinator::shard::{CoordinatorEffects, Ticket, Turn};
use crate::kafka::coordinator::timers::CoordinatorTimer;
use crate::kafka::coordinator::writes::Deferred;
use crate::kafka::group::Group;
use crate::kafka::group::classic::ClassicGroup;
use crate::kafka::group::consumer::ConsumerGroup;
use crate::kafka::message::{GroupResponse, Heartbeat, JoinAnswer, JoinGroup, LeaveGroup, SyncAnswer, SyncGroup};
use crate::terms::{ErrorCode, GroupProtocol, RebalanceReason, RemovalReason, RequestKind};
use crate::trace::TraceEvent;
use crate::units::{GroupId, Instant, MemberId};

impl Coordinator {
    pub(super) fn join(&mut self, now: Instant, ticket: Ticket, id: GroupId, join: JoinGroup, fx: &mut CoordinatorEffects) {
        let config = &self.shard.config;
        let allowed = config.min_session_timeout..=config.max_session_timeout;
        if !allowed.contains(&join.session_timeout) {
            return self.refuse_join(now, ticket, id, join.member, ErrorCode::InvalidSessionTimeout, fx);
        }
        if let Some(group) = self.consumer_group(id) {
            if !group.is_empty() {
                return self.join_consumer_group(now, ticket, id, &join, fx);
            }
            // It becomes a classic group, whatever the migration policy says. Its history is lost, its offsets stay.
            self.groups.remove(&id);
            fx.emit(TraceEvent::GroupProtocolChanged { group: id, to: GroupProtocol::Classic, epoch: 0 });
        }
        let is_known = self.groups.contains_key(&id);
        if !is_known && join.member.is_some() {
            return self.refuse_join(now, ticket, id, join.member, ErrorCode::UnknownMemberId, fx);
        }
        self.groups.entry(id).or_insert_with(|| Group::Classic(ClassicGroup::new(id, now)));
        self.with_group(now, id, fx, |group, turn| {
            if !is_known {
                // It stays, even if this very request is refused.
                group.store_created(turn);
                turn.write(Deferred::Nothing);
            }
            group.join(ticket, join, turn);
        });
    }

    /// A classic member among KIP-848 members. If it takes the place of the last of these, a static one, the group is classic again.
    fn join_consumer_group(&mut self, now: Instant, ticket: Ticket, id: GroupId, join: &JoinGroup, fx: &mut CoordinatorEffects) {
        let mut turn = Turn { now, shard: &mut self.shard, fx };
        let Some(Group::Consumer(group)) = self.groups.get_mut(&id) else { return };
        let member = match group.check_join(join, &mut turn) {
            Ok(member) => member,
            Err(answer) if answer.error == ErrorCode::MemberIdRequired => return turn.answer(ticket, GroupResponse::Join(answer)),
            Err(answer) => return refuse(ticket, id, join.member, answer, &mut turn),
        };
        let downgrades = group.is_downgraded_by(join, &turn);
        let joined = match group.join_classic(member, join, &mut turn) {
            Ok(joined) => joined,
            Err(error) => return refuse(ticket, id, join.member, JoinAnswer::refusal(None, error), &mut turn),
        };
        if !downgrades {
            return group.finish_join(ticket, &joined, join, &mut turn);
        }
        let rebalances = joined.topics_changed && turn.config().switches.consumer.downgrade_rebalances_changed_topics;
        if !rebalances {
            group.maybe_compute_target(joined.preferred, &mut turn);
            group.reconcile_classic(&joined, join, &mut turn);
        }
        let answer = group.join_answer(member);
        let mut classic = group.downgraded(&[], &mut turn);
        turn.emit(TraceEvent::GroupProtocolChanged { group: id, to: GroupProtocol::Classic, epoch: classic.generation() });
        if rebalances {
            classic.prepare_rebalance(RebalanceReason::Downgraded, Some(member), &mut turn);
        }
        turn.cancel(CoordinatorTimer::MemberJoin(id, member));
        turn.answer_when_written(ticket, GroupResponse::Join(answer));
        self.groups.insert(id, Group::Classic(classic));
    }

    fn refuse_join(
        &mut self,
        now: Instant,
        ticket: Ticket,
        group: GroupId,
        member: Option<MemberId>,
        error: ErrorCode,
        fx: &mut CoordinatorEffects,
    ) {
        refuse(ticket, group, member, JoinAnswer::refusal(member, error), &mut self.turn(now, fx));
    }

    pub(super) fn leave(&mut self, now: Instant, ticket: Ticket, id: GroupId, leave: LeaveGroup, fx: &mut CoordinatorEffects) {
        let mut turn = Turn { now, shard: &mut self.shard, fx };
        match self.groups.get_mut(&id) {
            Some(Group::Classic(group)) => group.leave(ticket, leave, &mut turn),
            Some(Group::Consumer(group)) => {
                let named = leave.members.iter().map(|(member, instance)| group.leaver_by_request(*member, *instance)).collect();
                self.leave_by_request(now, ticket, id, leave, named, fx);
            }
            None => {
                let unknown = vec![Err(ErrorCode::UnknownMemberId); leave.members.len()];
                self.leave_by_request(now, ticket, id, leave, unknown, fx);
            }
        }
    }

    /// `named`: whom each entry means.
    fn leave_by_request(
        &mut self,
        now: Instant,
        ticket: Ticket,
        id: GroupId,
        leave: LeaveGroup,
        mut named: Vec<Result<MemberId, ErrorCode>>,
        fx: &mut CoordinatorEffects,
    ) {
        let mut leaving: Vec<MemberId> = Vec::new();
        for (result, (member, _)) in named.iter_mut().zip(&leave.members) {
            match *result {
                Ok(known) if !leaving.contains(&known) => leaving.push(known),
                Ok(_) => {}
                Err(error) => fx.emit(TraceEvent::RequestRefused { group: id, member: *member, request: RequestKind::LeaveGroup, error }),
            }
        }
        let errors = named.into_iter().map(|result| result.err().unwrap_or(ErrorCode::None));
        let members = leave.members.into_iter().zip(errors).map(|((member, instance), error)| (member, instance, error)).collect();
        let response = GroupResponse::Leave { error: ErrorCode::None, members };
        if leaving.is_empty() {
            return self.turn(now, fx).answer(ticket, response);
        }
        self.remove_from_consumer_group(now, id, &leaving, RemovalReason::Left, fx);
        self.turn(now, fx).answer_when_written(ticket, response);
    }

    pub(super) fn sync(&mut self, now: Instant, ticket: Ticket, id: GroupId, sync: SyncGroup, fx: &mut CoordinatorEffects) {
        let mut turn = Turn { now, shard: &mut self.shard, fx };
        let refused = match self.groups.get_mut(&id) {
            Some(Group::Classic(group)) => return group.sync(ticket, sync, &mut turn),
            Some(Group::Consumer(group)) => group.sync(ticket, &sync, &mut turn),
            None => Err(ErrorCode::UnknownMemberId),
        };
        if let Err(error) = refused {
            turn.emit(TraceEvent::RequestRefused { group: id, member: sync.member, request: RequestKind::SyncGroup, error });
            turn.answer(ticket, GroupResponse::Sync(SyncAnswer::refusal(error)));
        }
    }

    pub(super) fn heartbeat(&mut self, now: Instant, ticket: Ticket, id: GroupId, heartbeat: Heartbeat, fx: &mut CoordinatorEffects) {
        let mut turn = Turn { now, shard: &mut self.shard, fx };
        let handled = match self.groups.get_mut(&id) {
            Some(Group::Classic(group)) => return group.heartbeat(ticket, heartbeat, &mut turn),
            Some(Group::Consumer(group)) => group.classic_heartbeat(&heartbeat, &mut turn),
            None => Err(ErrorCode::UnknownMemberId),
        };
        let (Ok(error) | Err(error)) = handled;
        turn.emit(TraceEvent::HeartbeatHandled { group: id, member: heartbeat.member, error });
        match handled {
            Ok(error) => turn.answer_behind_writes(ticket, GroupResponse::Heartbeat(error)),
            Err(error) => turn.answer(ticket, GroupResponse::Heartbeat(error)),
        }
    }
}

impl ConsumerGroup {
    /// It replaces the last KIP-848 member, a static one.
    fn is_downgraded_by(&self, join: &JoinGroup, turn: &Turn<'_>) -> bool {
        let Some(replaced) = join.instance.and_then(|instance| self.owner_of(instance)) else { return false };
        let others_are_classic = self.members().all(|member| (member.id == replaced) != member.classic.is_some());
        let config = turn.config();
        others_are_classic && config.consumer.migration.may_downgrade() && self.members().len() <= config.max_size as usize
    }
}

fn refuse(ticket: Ticket, group: GroupId, member: Option<MemberId>, answer: JoinAnswer, turn: &mut Turn<'_>) {
    turn.emit(TraceEvent::RequestRefused { group, member, request: RequestKind::JoinGroup, error: answer.error });
    turn.answer(ticket, GroupResponse::Join(answer));
}

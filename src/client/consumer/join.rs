//! Joining and rejoining the group, driven by poll() (AbstractCoordinator.joinGroupIfNeeded, ConsumerCoordinator.onJoinPrepare/onJoinComplete).

use super::fatal::join_exception;
use super::{AfterListener, App, CommitPolicy, Consumer, ConsumerEffects, ConsumerTimer, Outgoing};
use crate::client::membership::{CallKind, CoordinatorKnown, MemberState, Rejoin};
use crate::kafka::assignor::{Assignor, Member, Topic};
use crate::kafka::message::{
    Assignment, GroupRequest, GroupResponse, JoinAnswer, JoinGroup, ProtocolEntry, Subscription, SyncAnswer, SyncGroup,
};
use crate::kafka::placement;
use crate::kafka::request::Request;
use crate::terms::{CommitFailure, CommitKind, ErrorCode};
use crate::trace::TraceEvent;
use crate::units::{BrokerId, Instant, MemberId, TopicId, TopicPartition};

impl Consumer {
    /// Takes the rejoin as far as it gets without waiting. True: the membership is stable and nothing is pending.
    pub(super) fn progress_rejoin(&mut self, now: Instant, fx: &mut ConsumerEffects) -> bool {
        loop {
            self.check_leader_metadata();
            match std::mem::replace(&mut self.membership.rejoin, Rejoin::Waiting) {
                Rejoin::Idle if !self.membership.rejoin_needed => {
                    self.membership.rejoin = Rejoin::Idle;
                    return true;
                }
                Rejoin::Idle => {
                    self.membership.rejoin = Rejoin::Prepared;
                    if self.membership.needs_prepare {
                        self.membership.needs_prepare = false;
                        if !self.prepare_commit(now, fx) {
                            self.membership.rejoin = Rejoin::Committing;
                            return false;
                        }
                        if !self.give_up_partitions(now, fx) {
                            return false;
                        }
                    }
                }
                Rejoin::Committing => {
                    self.membership.rejoin = Rejoin::Committing;
                    return false;
                }
                Rejoin::Prepared => {
                    self.send_join(now, fx);
                    return false;
                }
                Rejoin::Waiting => return false,
                Rejoin::Synced(assignment) => {
                    self.membership.rejoin = Rejoin::Idle;
                    self.membership.needs_prepare = true;
                    self.complete_join(now, assignment, fx);
                }
                Rejoin::Completing => {
                    self.membership.rejoin = Rejoin::Completing;
                    return false;
                }
            }
        }
    }

    /// The leader rejoins if the partitions of the group's topics are not those that it assigned.
    fn check_leader_metadata(&mut self) {
        if let Some(counts) = &self.membership.assigned_counts
            && *counts != self.metadata
        {
            self.membership.rejoin_needed = true;
        }
    }

    /// onJoinPrepare 1: with auto-commit, partitions stop and their positions are committed. True if there is nothing to wait for.
    fn prepare_commit(&mut self, now: Instant, fx: &mut ConsumerEffects) -> bool {
        if !matches!(self.config.commit, CommitPolicy::Auto(_)) || self.membership.is_void() {
            return true;
        }
        if self.fetcher.owned().is_empty() {
            return true;
        }
        let offsets = self.fetcher.consumed();
        self.fetcher.owned_mut().iter_mut().for_each(|owned| owned.pending_revocation = true);
        fx.emit(TraceEvent::RevocationPending { client: self.config.client, partitions: self.fetcher.partitions() });
        if offsets.is_empty() {
            return true;
        }
        let sent = matches!(self.membership.coordinator, CoordinatorKnown::Yes(_)) && self.membership.state == MemberState::Stable;
        self.commit_async(now, CommitKind::Prepare, offsets, fx);
        !sent
    }

    /// The commit of onJoinPrepare was answered; a retriable failure is tried again, others do not stop the rejoin.
    pub(super) fn on_prepare_committed(&mut self, now: Instant, failure: Option<CommitFailure>, fx: &mut ConsumerEffects) {
        if self.speaks_consumer_protocol() {
            self.on_reconciliation_committed(now, failure, fx);
            return;
        }
        if let Some(failure) = failure {
            fx.emit(TraceEvent::CommitFailed { client: self.config.client, kind: CommitKind::Prepare, failure });
            if failure == CommitFailure::Retriable && self.membership.rejoin == Rejoin::Committing {
                self.membership.rejoin = Rejoin::Idle;
                self.membership.needs_prepare = true;
                fx.wake(now + self.config.retry_backoff, ConsumerTimer::Retry);
                return;
            }
        }
        if self.membership.rejoin == Rejoin::Committing {
            self.membership.rejoin = Rejoin::Prepared;
            if matches!(self.app, App::Idle) {
                self.give_up_partitions(now, fx);
            }
        }
    }

    /// onJoinPrepare 2, eager: everything owned is revoked, or lost without a valid generation. False if the listener takes its time.
    fn give_up_partitions(&mut self, now: Instant, fx: &mut ConsumerEffects) -> bool {
        self.run_revocation(now, self.membership.is_void(), AfterListener::SendJoin, fx)
    }

    /// onPartitionsRevoked or onPartitionsLost for all that is owned. False if the listener is at work or commits.
    pub(super) fn run_revocation(&mut self, now: Instant, lost: bool, then: AfterListener, fx: &mut ConsumerEffects) -> bool {
        let owns = !self.fetcher.owned().is_empty();
        if lost {
            if owns {
                fx.emit(TraceEvent::Lost { client: self.config.client, partitions: self.fetcher.partitions() });
            }
            // The default onPartitionsLost calls onPartitionsRevoked, but there is no membership left to commit with.
            self.fetcher.clear();
        }
        if owns && !self.config.listener_takes.is_zero() {
            let ends = now + self.config.listener_takes;
            self.app = App::Listening { ends, then };
            fx.wake(ends, ConsumerTimer::Step);
            self.watch_poll_interval(now, ends, fx);
            return false;
        }
        if !lost && owns && self.config.commit_on_revoke {
            self.commit_in_listener(now, then, fx);
            return false;
        }
        self.finish_revocation(fx);
        true
    }

    fn finish_revocation(&mut self, fx: &mut ConsumerEffects) {
        if !self.membership.is_void() {
            fx.emit(TraceEvent::Revoked { client: self.config.client, partitions: self.fetcher.partitions() });
        }
        self.fetcher.clear();
        if !self.config.real {
            self.fetcher.forget_in_flight();
        }
    }

    /// The listener's own work is done: its commit comes next, if it makes one.
    pub(super) fn after_listener_work(&mut self, now: Instant, then: AfterListener, fx: &mut ConsumerEffects) {
        self.app = App::Idle;
        if self.config.commit_on_revoke && !self.membership.is_void() && !self.fetcher.owned().is_empty() {
            self.commit_in_listener(now, then, fx);
        } else {
            self.after_listener(now, then, fx);
        }
    }

    /// The listener returned.
    pub(super) fn after_listener(&mut self, now: Instant, then: AfterListener, fx: &mut ConsumerEffects) {
        self.app = App::Idle;
        if matches!(then, AfterListener::Reconcile | AfterListener::Rejoin) {
            self.after_consumer_listener(now, then, fx);
            return;
        }
        self.finish_revocation(fx);
        match then {
            AfterListener::Reconcile | AfterListener::Rejoin => {}
            AfterListener::SendJoin if self.stopping => self.begin_close(now, fx),
            AfterListener::SendJoin => self.iterate(now, fx),
            AfterListener::Close => self.close_leave(now, fx),
        }
    }

    fn send_join(&mut self, now: Instant, fx: &mut ConsumerEffects) {
        self.membership.state = MemberState::Preparing;
        self.membership.leader = false;
        self.membership.assigned_counts = None;
        self.membership.rejoin = Rejoin::Waiting;
        fx.emit(TraceEvent::JoinSent { client: self.config.client, member: self.membership.member });
        let metadata = Subscription { topics: self.config.topics.clone(), ..Subscription::default() };
        let request = GroupRequest::Join(JoinGroup {
            client: self.config.client,
            member: self.membership.member,
            instance: self.config.instance,
            session_timeout: self.config.session_timeout,
            rebalance_timeout: self.config.max_poll_interval,
            protocol_type: "consumer".into(),
            protocols: self
                .config
                .protocols
                .iter()
                .map(|name| ProtocolEntry {
                    name: name.clone(),
                    // The metadata carries the generation (ConsumerProtocol subscription v2), so a later rejoin never looks the same.
                    metadata: Subscription { owned_generation: Some(self.membership.generation), ..metadata.clone() },
                })
                .collect(),
            version: 9,
        });
        self.call_coordinator(now, CallKind::Join, request, fx);
    }

    pub(super) fn on_group_answer(&mut self, now: Instant, answer: GroupResponse, fx: &mut ConsumerEffects) {
        match answer {
            GroupResponse::Join(answer) => self.on_join_answer(now, answer, fx),
            GroupResponse::Sync(answer) => self.on_sync_answer(now, answer, fx),
            GroupResponse::Heartbeat(error) => self.on_heartbeat_answer(now, error, fx),
            GroupResponse::Leave { .. } => {
                self.membership.answered(|kind| kind == CallKind::Leave);
                self.on_left(fx);
            }
            GroupResponse::OffsetCommit(partitions) => {
                let error = partitions.iter().map(|(_, error)| *error).find(|error| *error != ErrorCode::None).unwrap_or(ErrorCode::None);
                self.on_commit_answer(now, error, fx);
            }
            GroupResponse::OffsetFetch(answer) => self.on_offsets_fetched(now, &answer, fx),
            GroupResponse::ConsumerHeartbeat(answer) => self.on_group_heartbeat_answer(now, answer, fx),
            GroupResponse::TxnOffsetCommit(_) | GroupResponse::OffsetDelete { .. } | GroupResponse::DeleteGroup(_) => {
                unreachable!("a consumer does not ask for that")
            }
        }
    }

    fn on_join_answer(&mut self, now: Instant, answer: JoinAnswer, fx: &mut ConsumerEffects) {
        self.membership.answered(|kind| kind == CallKind::Join);
        if self.membership.state != MemberState::Preparing {
            return;
        }
        match answer.error {
            ErrorCode::None => {
                self.membership.state = MemberState::Completing;
                self.membership.generation = answer.generation;
                self.membership.member = answer.member;
                self.membership.protocol = answer.protocol.clone();
                self.membership.leader = answer.leader.is_some() && answer.leader == answer.member;
                self.membership.session_ends = now + self.config.session_timeout;
                self.last_poll = now;
                self.arm_heartbeat(now + self.config.heartbeat_interval, fx);
                let assignments = if self.membership.leader && !answer.skip_assignment { self.assign_all(&answer, fx) } else { Vec::new() };
                if self.membership.leader {
                    self.membership.assigned_counts = Some(self.metadata.clone());
                }
                self.send_sync(now, assignments, fx);
            }
            ErrorCode::MemberIdRequired => {
                self.membership.member = answer.member;
                self.rejoin_at_once();
            }
            ErrorCode::UnknownMemberId => {
                self.membership.member = None;
                self.membership.generation = -1;
                self.rejoin_at_once();
            }
            error => self.on_join_error(now, error, fx),
        }
    }

    /// The other errors of JoinGroup: the coordinator is somewhere else, or the application gets an exception.
    fn on_join_error(&mut self, now: Instant, error: ErrorCode, fx: &mut ConsumerEffects) {
        match join_exception(error) {
            Some(fatal) => self.fail(now, fatal, fx),
            None => {
                self.rejoin_at_once();
                if matches!(error, ErrorCode::NotCoordinator | ErrorCode::CoordinatorNotAvailable) {
                    self.forget_coordinator(now, fx);
                }
            }
        }
    }

    /// The join failed; the next iteration sends another JoinGroup without a new onJoinPrepare.
    fn rejoin_at_once(&mut self) {
        self.membership.state = MemberState::Unjoined;
        self.membership.rejoin_needed = true;
        self.membership.rejoin = Rejoin::Idle;
        self.membership.heartbeat.disarm();
    }

    /// The leader's part: who gets what, by the assignor that the group voted for and the leader's own metadata.
    fn assign_all(&self, answer: &JoinAnswer, fx: &mut ConsumerEffects) -> Vec<(MemberId, Vec<TopicPartition>)> {
        let names = &self.config.names;
        let protocol = answer.protocol.as_deref().expect("a joined group has a protocol");
        let assignor = Assignor::named(protocol).expect("the group votes for an assignor that its clients have");
        let topic = |(topic, partitions): (usize, &u32)| Topic { name: names.topic(TopicId(topic as u32)), partitions: *partitions };
        let topics: Vec<Topic> = self.metadata.iter().enumerate().map(topic).collect();
        let ids: Vec<String> = answer.members.iter().map(|joined| names.member(joined.member).to_string()).collect();
        let joined = answer.members.iter().zip(&ids).map(|(joined, id)| Member {
            id,
            instance: joined.instance.map(|instance| names.instance(instance)),
            topics: &joined.metadata.topics,
            owned: &joined.metadata.owned,
            generation: joined.metadata.owned_generation,
            user_data: None,
        });
        let members: Vec<Member> = joined.collect();
        let shares = assignor.assign(&topics, &members).expect("a group that was joined has members");
        let assigned: Vec<(MemberId, Vec<TopicPartition>)> = answer.members.iter().map(|joined| joined.member).zip(shares).collect();
        fx.emit(TraceEvent::AssignmentComputed {
            client: self.config.client,
            generation: answer.generation,
            assigned: assigned.iter().map(|(member, partitions)| (*member, partitions.as_slice().into())).collect(),
        });
        assigned
    }

    fn send_sync(&mut self, now: Instant, assignments: Vec<(MemberId, Vec<TopicPartition>)>, fx: &mut ConsumerEffects) {
        let request = GroupRequest::Sync(SyncGroup {
            member: self.membership.member,
            instance: self.config.instance,
            generation: self.membership.generation,
            protocol_type: Some("consumer".into()),
            protocol: self.membership.protocol.clone(),
            assignments,
        });
        self.call_coordinator(now, CallKind::Sync, request, fx);
    }

    fn on_sync_answer(&mut self, now: Instant, answer: SyncAnswer, fx: &mut ConsumerEffects) {
        let call = self.membership.answered(|kind| kind == CallKind::Sync);
        if self.membership.state != MemberState::Completing || call.is_some_and(|call| call.generation != self.membership.generation) {
            return;
        }
        match answer.error {
            ErrorCode::None => {
                self.membership.state = MemberState::Stable;
                self.membership.rejoin_needed = false;
                self.membership.rejoin = Rejoin::Synced(answer.assignment);
            }
            ErrorCode::RebalanceInProgress => self.rejoin_at_once(),
            ErrorCode::UnknownMemberId | ErrorCode::IllegalGeneration => self.lose_membership(answer.error, fx),
            error => match join_exception(error) {
                Some(fatal) => self.fail(now, fatal, fx),
                None => {
                    self.rejoin_at_once();
                    self.forget_coordinator(now, fx);
                }
            },
        }
    }

    /// onJoinComplete: the assignment is taken over, the listener told, the auto-commit timer set anew.
    fn complete_join(&mut self, now: Instant, assignment: Assignment, fx: &mut ConsumerEffects) {
        let mut partitions = assignment.unwrap_or_default();
        if partitions.iter().any(|partition| !self.config.topics.contains(&partition.topic)) {
            self.membership.rejoin_needed = true;
            return;
        }
        partitions.sort_unstable();
        if let CommitPolicy::Auto(interval) = self.config.commit {
            self.auto_commit_due = now + interval;
        }
        let brokers = self.config.brokers;
        self.fetcher.assign(partitions.iter().map(|partition| (*partition, placement::leader(*partition, brokers))));
        fx.emit(TraceEvent::Assigned {
            client: self.config.client,
            member: self.membership.member.expect("a stable member has an id"),
            generation: self.membership.generation,
            partitions: partitions.into_boxed_slice(),
        });
    }

    pub(super) fn find_coordinator(&mut self, fx: &mut ConsumerEffects) {
        if self.membership.coordinator == CoordinatorKnown::No {
            self.membership.coordinator = CoordinatorKnown::Asking;
            fx.send(Outgoing::Request(self.least_loaded(), Request::FindCoordinator));
        }
    }

    pub(super) fn on_coordinator(&mut self, now: Instant, broker: BrokerId, fx: &mut ConsumerEffects) {
        self.membership.coordinator = CoordinatorKnown::Yes(broker);
        self.membership.session_ends = now + self.config.session_timeout;
        fx.emit(TraceEvent::CoordinatorFound { client: self.config.client, broker });
        self.heartbeat_pass(now, fx);
        if matches!(self.app, App::Committing(_)) {
            self.try_commit_again(now, fx);
        }
    }
}

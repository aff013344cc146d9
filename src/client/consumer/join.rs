//! Joining and rejoining the group, driven by poll() (AbstractCoordinator.joinGroupIfNeeded). What it does to partitions is in [`super::handover`], what the
//! leader does for everybody in [`super::leader`].

use super::fatal::join_exception;
use super::{Consumer, ConsumerEffects, ConsumerTimer};
use crate::client::membership::{CallKind, CoordinatorKnown, MemberState, Rejoin};
use crate::kafka::message::{GroupRequest, GroupResponse, JoinAnswer, JoinGroup, SyncAnswer, SyncGroup};
use crate::terms::{ErrorCode, FatalError};
use crate::trace::TraceEvent;
use crate::units::{Instant, MemberId, TopicPartition};

impl Consumer {
    /// Takes the rejoin as far as it gets without waiting. True: the membership is stable and nothing is pending.
    pub(super) fn progress_rejoin(&mut self, now: Instant, fx: &mut ConsumerEffects) -> bool {
        loop {
            self.check_leader_metadata();
            self.check_subscription();
            match std::mem::replace(&mut self.membership.rejoin, Rejoin::Waiting) {
                Rejoin::Idle if !self.membership.rejoin_needed => {
                    self.membership.rejoin = Rejoin::Idle;
                    return true;
                }
                // The last attempt failed: the application sleeps retry.backoff.ms.
                waiting @ (Rejoin::Idle | Rejoin::Prepared) if now < self.membership.join_not_before => {
                    self.membership.rejoin = waiting;
                    return false;
                }
                Rejoin::Idle if self.awaits_metadata_to_join(now, fx) => {
                    self.membership.rejoin = Rejoin::Idle;
                    return false;
                }
                Rejoin::Idle => {
                    self.membership.rejoin = Rejoin::Prepared;
                    if self.membership.needs_prepare {
                        self.membership.needs_prepare = false;
                        if !self.prepare_commit(now, fx) {
                            self.membership.rejoin = Rejoin::Committing;
                            return false;
                        }
                        if !self.prepare_partitions(now, fx) {
                            return false;
                        }
                    }
                }
                Rejoin::Committed => {
                    self.membership.rejoin = Rejoin::Prepared;
                    if !self.prepare_partitions(now, fx) {
                        return false;
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
                    if !self.complete_join(now, assignment, fx) {
                        return false;
                    }
                }
                completing @ Rejoin::Completing(_) => {
                    self.membership.rejoin = completing;
                    return false;
                }
            }
        }
    }

    fn send_join(&mut self, now: Instant, fx: &mut ConsumerEffects) {
        self.membership.state = MemberState::Preparing;
        self.membership.leader = false;
        self.membership.assigned_counts = None;
        self.membership.rejoin = Rejoin::Waiting;
        self.subscription.join();
        fx.emit(TraceEvent::JoinSent { client: self.config.client, member: self.membership.member });
        let request = GroupRequest::Join(JoinGroup {
            client: self.config.client,
            member: self.membership.member,
            instance: self.config.instance,
            session_timeout: self.config.session_timeout,
            rebalance_timeout: self.config.max_poll_interval,
            protocol_type: "consumer".into(),
            protocols: self.subscriptions(),
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
                self.on_left(now, fx);
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
                if self.knows_topics_of(&answer) {
                    self.sync(now, &answer, fx);
                } else {
                    self.subscription.await_metadata(answer);
                    self.ask_for_metadata(now, fx);
                }
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
            Some(fatal) => self.throw(now, fatal, fx),
            None => {
                self.rejoin_at_once();
                // Another iteration of poll() tries again: a back-off later, if nothing else happens.
                self.membership.join_not_before = now + self.config.retry_backoff;
                fx.wake(self.membership.join_not_before, ConsumerTimer::Retry);
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

    /// The leader assigns, and everybody asks for what it has been assigned.
    pub(super) fn sync(&mut self, now: Instant, answer: &JoinAnswer, fx: &mut ConsumerEffects) {
        match self.lead(answer, fx) {
            Ok(assignments) => self.send_sync(now, assignments, fx),
            Err(_) => self.throw(now, FatalError::AssignorFailed, fx),
        }
    }

    /// A leader that asked for metadata first may have lost its coordinator meanwhile; then the join fails
    /// (AbstractCoordinator#sendSyncGroupRequest).
    fn send_sync(&mut self, now: Instant, assignments: Vec<(MemberId, Vec<TopicPartition>)>, fx: &mut ConsumerEffects) {
        if !matches!(self.membership.coordinator, CoordinatorKnown::Yes(_)) {
            self.rejoin_at_once();
            return;
        }
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
                Some(fatal) => self.throw(now, fatal, fx),
                None => {
                    self.rejoin_at_once();
                    self.forget_coordinator(now, fx);
                }
            },
        }
    }
}

//! The network thread of a KIP-848 member: one heartbeat at a time that joins, stays, acknowledges or leaves, and what its answers mean
//! (AbstractHeartbeatRequestManager, ConsumerHeartbeatRequestManager, AbstractMembershipManager#onHeartbeatSuccess, #transitionToFenced).
//!
//! Not modelled: the back-off after an error grows and has jitter (in 4.0 and 4.1 it is 0 or 1000 ms); here it is `retry.backoff.ms`, so the
//! first heartbeat after a failed one may come up to a second earlier or later.

use super::fatal::heartbeat_exception;
use super::{App, Close, Consumer, ConsumerEffects};
use crate::client::membership::consumer::{ConsumerMembership, State};
use crate::client::membership::{CallKind, CoordinatorKnown, Protocol};
use crate::kafka::group::consumer::{JOIN_EPOCH, LEAVE_EPOCH, LEAVE_FOR_NOW_EPOCH};
use crate::kafka::message::{ConsumerHeartbeat, ConsumerHeartbeatAnswer, GroupRequest};
use crate::terms::{CommitFailure, CommitKind, ErrorCode};
use crate::trace::TraceEvent;
use crate::units::Instant;

impl Consumer {
    pub(super) fn speaks_consumer_protocol(&self) -> bool {
        matches!(self.protocol, Protocol::Consumer(_))
    }

    pub(super) fn own(&self) -> &ConsumerMembership {
        match &self.protocol {
            Protocol::Consumer(own) => own,
            Protocol::Classic => unreachable!("only members of the consumer protocol come here"),
        }
    }

    pub(super) fn own_mut(&mut self) -> &mut ConsumerMembership {
        match &mut self.protocol {
            Protocol::Consumer(own) => own,
            Protocol::Classic => unreachable!("only members of the consumer protocol come here"),
        }
    }

    /// One pass of the thread does the first that applies.
    pub(super) fn network_pass(&mut self, now: Instant, fx: &mut ConsumerEffects) {
        let is_over = matches!(self.app, App::Closing(Close::Leaving | Close::ClosingSessions(_)) | App::Done);
        if is_over || !self.sends_heartbeats() {
            return;
        }
        if !matches!(self.membership.coordinator, CoordinatorKnown::Yes(_)) {
            self.find_coordinator(now, fx);
        } else if self.poll_deadline_passed(now) {
            self.leave_late(now, fx);
        } else {
            self.reconcile_in_background(now, fx);
            let is_waiting =
                now < self.membership.join_not_before || self.membership.calls.iter().any(|call| call.kind == CallKind::Heartbeat);
            if !is_waiting && (self.own().state().is_urgent() || self.membership.heartbeat.is_due(now)) {
                self.send_group_heartbeat(now, fx);
            }
        }
    }

    fn sends_heartbeats(&self) -> bool {
        match self.own().state() {
            State::Joining | State::Reconciling | State::Acknowledging | State::Stable => true,
            State::PrepareLeaving => self.membership.generation > 0,
            State::Fenced | State::Stale => false,
        }
    }

    fn send_group_heartbeat(&mut self, now: Instant, fx: &mut ConsumerEffects) {
        let joins = self.own().state() == State::Joining;
        let whole = joins || self.own().told.is_none();
        let (topics, pattern) = self.subscription.news(whole);
        let own = self.own();
        let tells_partitions = whole || own.told.as_ref() != Some(&own.current);
        let request = ConsumerHeartbeat {
            member: self.membership.member,
            epoch: if joins { JOIN_EPOCH } else { self.membership.generation },
            instance: self.config.instance,
            rebalance_timeout: whole.then_some(self.config.max_poll_interval),
            topics,
            pattern,
            assignor: own.assignor.clone().filter(|_| whole),
            owned: tells_partitions.then(|| own.current.clone().unwrap_or_default()),
        };
        let interval = own.heartbeat_interval;
        self.own_mut().heartbeat_sent();
        if interval.is_zero() {
            self.membership.heartbeat.disarm();
        } else {
            self.arm_heartbeat(now + interval, fx);
        }
        self.call_coordinator(now, CallKind::Heartbeat, GroupRequest::ConsumerHeartbeat(request), fx);
    }

    pub(super) fn on_group_heartbeat_answer(&mut self, now: Instant, answer: ConsumerHeartbeatAnswer, fx: &mut ConsumerEffects) {
        let call = self.membership.answered(|kind| matches!(kind, CallKind::Heartbeat | CallKind::Leave));
        let Some(call) = call else { return };
        if call.kind == CallKind::Leave {
            // Whatever the coordinator says to it.
            self.on_left(now, fx);
            return;
        }
        let is_out = matches!(self.own().state(), State::Fenced | State::Stale);
        if call.generation != self.membership.generation || is_out {
            self.network_pass(now, fx);
            return;
        }
        match answer.error {
            ErrorCode::None => self.take_heartbeat_answer(now, answer, fx),
            error => self.on_heartbeat_refused(now, error, fx),
        }
    }

    fn take_heartbeat_answer(&mut self, now: Instant, answer: ConsumerHeartbeatAnswer, fx: &mut ConsumerEffects) {
        self.membership.generation = answer.epoch;
        let own = self.own_mut();
        let interval_changed = std::mem::replace(&mut own.heartbeat_interval, answer.heartbeat_interval) != answer.heartbeat_interval;
        let has_news = answer.assignment.is_some_and(|assignment| own.state().is_in_group() && own.take_target(assignment));
        if has_news {
            fx.emit(TraceEvent::RebalanceNoticed { client: self.config.client });
        }
        if interval_changed {
            // Without an interval the thread does not block: the first answer finds it at the beginning of a pass.
            self.begin_pass(now);
            self.arm_heartbeat(now + answer.heartbeat_interval, fx);
        }
        self.network_pass(now, fx);
    }

    fn on_heartbeat_refused(&mut self, now: Instant, error: ErrorCode, fx: &mut ConsumerEffects) {
        self.own_mut().told = None;
        match error {
            ErrorCode::FencedMemberEpoch | ErrorCode::UnknownMemberId => self.be_fenced(now, error, fx),
            ErrorCode::NotCoordinator | ErrorCode::CoordinatorNotAvailable => {
                self.membership.heartbeat.arm(now);
                self.forget_coordinator(now, fx);
                self.network_pass(now, fx);
            }
            // Not modelled: a heartbeat that joins or acknowledges goes out again at once, at the pace of round trips; here after the back-off.
            ErrorCode::CoordinatorLoadInProgress => {
                self.membership.join_not_before = now + self.config.retry_backoff;
                self.arm_heartbeat(self.membership.join_not_before, fx);
                self.network_pass(now, fx);
            }
            fatal => self.fail(now, heartbeat_exception(fatal), fx),
        }
    }

    /// A heartbeat got no answer.
    pub(super) fn on_group_heartbeat_lost(&mut self, now: Instant, fx: &mut ConsumerEffects) {
        self.own_mut().told = None;
        self.arm_heartbeat(now + self.config.retry_backoff, fx);
    }

    /// The epoch is void: what it has is lost, which its listener learns at its next poll(); nothing of it is returned any more.
    ///
    /// Not modelled: up to 4.2 it is fetched and returned until then.
    fn be_fenced(&mut self, now: Instant, error: ErrorCode, fx: &mut ConsumerEffects) {
        fx.emit(TraceEvent::MembershipLost { client: self.config.client, error });
        let is_leaving = self.own().state() == State::PrepareLeaving;
        self.void_epoch(State::Fenced);
        if !is_leaving && self.lose_in_background(now, fx) {
            self.rejoin(now, fx);
        }
    }

    fn void_epoch(&mut self, state: State) {
        self.membership.generation = -1;
        self.membership.heartbeat.disarm();
        self.own_mut().fall_to(state);
        self.fetcher.owned_mut().iter_mut().for_each(|owned| owned.pending_revocation = true);
    }

    // --- leaving --------------------------------------------------------------------------------------------------------------------

    /// max.poll.interval.ms is over. It joins again when the application has polled; what it has its listener learns then, and without one it
    /// is gone at once, so that a commit without arguments has nothing to commit.
    fn leave_late(&mut self, now: Instant, fx: &mut ConsumerEffects) {
        fx.emit(TraceEvent::PollIntervalExceeded { client: self.config.client, last_poll: self.last_poll });
        self.send_leaving_heartbeat(now, fx);
        self.void_epoch(State::Stale);
        self.lose_in_background(now, fx);
    }

    /// A static member says that it will be back.
    pub(super) fn send_leaving_heartbeat(&mut self, now: Instant, fx: &mut ConsumerEffects) {
        let request = ConsumerHeartbeat {
            member: self.membership.member,
            epoch: if self.config.instance.is_some() { LEAVE_FOR_NOW_EPOCH } else { LEAVE_EPOCH },
            instance: self.config.instance,
            rebalance_timeout: None,
            topics: None,
            pattern: None,
            assignor: None,
            owned: None,
        };
        self.call_coordinator(now, CallKind::Leave, GroupRequest::ConsumerHeartbeat(request), fx);
    }

    // --- commits --------------------------------------------------------------------------------------------------------------------

    /// What an error of OffsetCommit means. A commit never changes the membership.
    pub(super) fn consumer_commit_failure(
        &mut self,
        now: Instant,
        kind: CommitKind,
        error: ErrorCode,
        fx: &mut ConsumerEffects,
    ) -> Option<CommitFailure> {
        let blocks = matches!(kind, CommitKind::Sync | CommitKind::Revoke | CommitKind::Close);
        match error {
            ErrorCode::None => None,
            ErrorCode::NotCoordinator | ErrorCode::CoordinatorNotAvailable => {
                self.forget_coordinator(now, fx);
                self.network_pass(now, fx);
                Some(CommitFailure::Retriable)
            }
            ErrorCode::UnknownTopicOrPartition if kind == CommitKind::Prepare => Some(CommitFailure::UnknownTopic),
            ErrorCode::CoordinatorLoadInProgress | ErrorCode::UnknownTopicOrPartition => Some(CommitFailure::Retriable),
            ErrorCode::FencedInstanceId => Some(CommitFailure::Fenced),
            // commitSync() says CommitFailedException to it.
            ErrorCode::StaleMemberEpoch if !blocks => Some(CommitFailure::StaleEpoch),
            ErrorCode::UnknownServerError
            | ErrorCode::OffsetMetadataTooLarge
            | ErrorCode::IllegalGeneration
            | ErrorCode::InconsistentGroupProtocol
            | ErrorCode::InvalidGroupId
            | ErrorCode::UnknownMemberId
            | ErrorCode::InvalidSessionTimeout
            | ErrorCode::RebalanceInProgress
            | ErrorCode::NonEmptyGroup
            | ErrorCode::GroupIdNotFound
            | ErrorCode::MemberIdRequired
            | ErrorCode::GroupMaxSizeReached
            | ErrorCode::UnstableOffsetCommit
            | ErrorCode::GroupSubscribedToTopic
            | ErrorCode::UnsupportedVersion
            | ErrorCode::InvalidRequest
            | ErrorCode::FencedMemberEpoch
            | ErrorCode::StaleMemberEpoch
            | ErrorCode::UnreleasedInstanceId
            | ErrorCode::UnsupportedAssignor => Some(CommitFailure::NotAMember),
        }
    }
}

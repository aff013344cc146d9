//! The heartbeat thread: heartbeats, the client's session timer, the poll deadline, request time-outs (AbstractCoordinator.HeartbeatThread).
//!
//! Not modelled: its 100 ms check grid; it acts at the exact moment (`heartbeat.drift` makes the beats of a busy member late).

use super::{App, Close, Consumer, ConsumerEffects, ConsumerTimer, Outgoing};
use crate::client::membership::{CallKind, CoordinatorKnown, MemberState, Rejoin};
use crate::kafka::message::{GroupRequest, Heartbeat, LeaveGroup};
use crate::terms::{CommitFailure, ErrorCode, FatalError};
use crate::trace::TraceEvent;
use crate::units::{Instant, Span};

impl Consumer {
    pub(super) fn arm_heartbeat(&mut self, at: Instant, fx: &mut ConsumerEffects) {
        self.membership.heartbeat.arm(at);
        fx.wake(at, ConsumerTimer::Heartbeat);
    }

    pub(super) fn on_heartbeat_timer(&mut self, now: Instant, fx: &mut ConsumerEffects) {
        if self.membership.heartbeat.is_due(now) {
            self.heartbeat_pass(now, fx);
        }
    }

    /// One pass of the thread does the first that applies.
    pub(super) fn heartbeat_pass(&mut self, now: Instant, fx: &mut ConsumerEffects) {
        if self.speaks_consumer_protocol() {
            self.network_pass(now, fx);
            return;
        }
        if !self.thread_is_enabled() {
            return;
        }
        if !matches!(self.membership.coordinator, CoordinatorKnown::Yes(_)) {
            self.find_coordinator(now, fx);
        } else if now >= self.membership.session_ends {
            self.forget_coordinator(now, fx);
            self.find_coordinator(now, fx);
        } else if self.poll_deadline_passed(now) {
            self.leave_for_poll_interval(now, fx);
        } else if self.membership.heartbeat.is_due(now) {
            self.send_heartbeat(now, fx);
        }
    }

    /// It sleeps while unjoined and from JoinGroup to its answer.
    pub(super) fn thread_is_enabled(&self) -> bool {
        matches!(self.membership.state, MemberState::Completing | MemberState::Stable)
            && !matches!(self.app, App::Closing(Close::Leaving | Close::ClosingSessions(_)) | App::Done)
            && self.membership.heartbeat.at().is_some()
    }

    fn send_heartbeat(&mut self, now: Instant, fx: &mut ConsumerEffects) {
        let interval = self.config.heartbeat_interval;
        let late = if matches!(self.app, App::Busy(_)) {
            Span::from_nanos(interval.as_nanos() / 1_000_000 * self.config.heartbeat_drift)
        } else {
            Span::ZERO
        };
        self.arm_heartbeat(now + interval + late, fx);
        let request = GroupRequest::Heartbeat(Heartbeat {
            member: self.membership.member,
            instance: self.config.instance,
            generation: self.membership.generation,
        });
        self.call_coordinator(now, CallKind::Heartbeat, request, fx);
    }

    pub(super) fn on_heartbeat_answer(&mut self, now: Instant, error: ErrorCode, fx: &mut ConsumerEffects) {
        let Some(call) = self.membership.answered(|kind| kind == CallKind::Heartbeat) else { return };
        if call.generation != self.membership.generation {
            return;
        }
        match error {
            ErrorCode::None => self.membership.session_ends = now + self.config.session_timeout,
            ErrorCode::RebalanceInProgress => {
                self.membership.session_ends = now + self.config.session_timeout;
                if self.membership.state == MemberState::Stable && !self.membership.rejoin_needed {
                    self.membership.rejoin_needed = true;
                    fx.emit(TraceEvent::RebalanceNoticed { client: self.config.client });
                }
            }
            ErrorCode::FencedInstanceId => {
                self.lose_membership(error, fx);
                self.throw(now, FatalError::FencedInstanceId, fx);
            }
            ErrorCode::IllegalGeneration | ErrorCode::UnknownMemberId => self.lose_membership(error, fx),
            ErrorCode::UnknownServerError
            | ErrorCode::OffsetMetadataTooLarge
            | ErrorCode::CoordinatorLoadInProgress
            | ErrorCode::CoordinatorNotAvailable
            | ErrorCode::NotCoordinator
            | ErrorCode::InconsistentGroupProtocol
            | ErrorCode::InvalidGroupId
            | ErrorCode::InvalidSessionTimeout
            | ErrorCode::NonEmptyGroup
            | ErrorCode::GroupIdNotFound
            | ErrorCode::MemberIdRequired
            | ErrorCode::GroupMaxSizeReached
            | ErrorCode::UnstableOffsetCommit
            | ErrorCode::GroupSubscribedToTopic
            | ErrorCode::UnknownTopicOrPartition
            | ErrorCode::UnsupportedVersion
            | ErrorCode::InvalidRequest
            | ErrorCode::FencedMemberEpoch
            | ErrorCode::StaleMemberEpoch
            | ErrorCode::UnreleasedInstanceId
            | ErrorCode::UnsupportedAssignor => {
                self.forget_coordinator(now, fx);
                self.find_coordinator(now, fx);
            }
        }
    }

    /// The coordinator says that this is no member (of this generation) any more.
    pub(super) fn lose_membership(&mut self, error: ErrorCode, fx: &mut ConsumerEffects) {
        fx.emit(TraceEvent::MembershipLost { client: self.config.client, error });
        self.membership.reset(error == ErrorCode::IllegalGeneration);
    }

    // --- max.poll.interval.ms -------------------------------------------------------------------------------------------------------

    /// The application will be away from poll() until `until`: if that is too long, the thread must wake up in time. The deadline may have
    /// passed already, for a batch that changes its speed after the kick.
    pub(super) fn watch_poll_interval(&mut self, now: Instant, until: Instant, fx: &mut ConsumerEffects) {
        let deadline = self.last_poll + self.config.max_poll_interval;
        if until >= deadline {
            fx.wake(deadline.max(now), ConsumerTimer::PollInterval);
        }
    }

    pub(super) fn poll_deadline_passed(&self, now: Instant) -> bool {
        let away = match self.app {
            App::Busy(_) | App::Committing(_) | App::Listening { .. } => true,
            App::Idle | App::FindingCoordinator { .. } | App::AwaitingOffsets | App::Closing(_) | App::Done => false,
        };
        away && now >= self.last_poll + self.config.max_poll_interval
    }

    pub(super) fn check_poll_interval(&mut self, now: Instant, fx: &mut ConsumerEffects) {
        if self.poll_deadline_passed(now) {
            self.heartbeat_pass(now, fx);
        }
    }

    /// A dynamic member leaves; a static one just falls silent. What it owns it gives up at its next poll().
    fn leave_for_poll_interval(&mut self, now: Instant, fx: &mut ConsumerEffects) {
        fx.emit(TraceEvent::PollIntervalExceeded { client: self.config.client, last_poll: self.last_poll });
        if self.config.instance.is_none() {
            self.send_leave(now, fx);
        }
        self.membership.reset(false);
    }

    pub(super) fn send_leave(&mut self, now: Instant, fx: &mut ConsumerEffects) {
        let request = GroupRequest::Leave(LeaveGroup { members: vec![(self.membership.member, self.config.instance)] });
        self.call_coordinator(now, CallKind::Leave, request, fx);
    }

    // --- the coordinator's connection -----------------------------------------------------------------------------------------------

    /// One wake-up for the oldest deadline is enough: deadlines of one sort come in order, and JoinGroup is alone on its way.
    pub(super) fn arm_request_timeout(&mut self, fx: &mut ConsumerEffects) {
        let calls = self.membership.calls.iter().map(|call| call.deadline);
        let Some(earliest) = calls.chain(self.links.earliest_deadline()).min() else { return };
        if self.timeout_wake.is_none_or(|wake| wake > earliest) {
            self.timeout_wake = Some(earliest);
            fx.wake(earliest, ConsumerTimer::RequestTimeout);
        }
    }

    pub(super) fn on_request_timeout(&mut self, now: Instant, fx: &mut ConsumerEffects) {
        if self.timeout_wake.is_some_and(|wake| wake <= now) {
            self.timeout_wake = None;
        }
        if self.is_unattended() {
            return;
        }
        let is_late = self.membership.calls.iter().any(|call| call.deadline <= now);
        if is_late {
            self.forget_coordinator(now, fx);
            if self.speaks_consumer_protocol() {
                self.network_pass(now, fx);
            }
        }
        if is_late || self.links.overdue(now).is_some() {
            self.give_up_leaders(now, fx);
            self.on_network_event(now, fx);
        }
        self.arm_request_timeout(fx);
    }

    /// Drops the connection to the coordinator: every request on its way fails, and the coordinator has to be looked up again.
    pub(super) fn forget_coordinator(&mut self, now: Instant, fx: &mut ConsumerEffects) {
        if !matches!(self.membership.coordinator, CoordinatorKnown::Yes(_)) {
            return;
        }
        self.membership.coordinator = CoordinatorKnown::No;
        fx.send(Outgoing::DisconnectCoordinator);
        for call in std::mem::take(&mut self.membership.calls) {
            match call.kind {
                CallKind::Join | CallKind::Sync => {
                    if self.membership.rejoin == Rejoin::Waiting {
                        self.membership.state = MemberState::Unjoined;
                        self.membership.rejoin_needed = true;
                        self.membership.rejoin = Rejoin::Idle;
                    }
                }
                CallKind::Heartbeat if self.speaks_consumer_protocol() => self.on_group_heartbeat_lost(now, fx),
                CallKind::Heartbeat => {
                    if self.membership.heartbeat.at().is_some() {
                        self.arm_heartbeat(now + self.config.retry_backoff, fx);
                    }
                }
                CallKind::Leave => self.on_left(now, fx),
                CallKind::Commit(kind) => self.settle_commit(now, kind, Some(CommitFailure::Retriable), fx),
                CallKind::AbandonedCommit => {}
                CallKind::OffsetFetch => {
                    if matches!(self.app, App::AwaitingOffsets) {
                        self.app = App::Idle;
                    }
                }
            }
        }
    }
}

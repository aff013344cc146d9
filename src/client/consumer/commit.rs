//! Commits of the classic client: auto, sync, async, in the listener, at close (ConsumerCoordinator.sendOffsetCommitRequest).
//!
//! A subscribed consumer may only send a commit while its membership is stable; otherwise it fails on the spot, without a request.

use super::{AfterCommit, AfterListener, App, Batch, CommitWait, Consumer, ConsumerEffects, ConsumerTimer, Outgoing};
use crate::client::leader_links::NO_JITTER;
use crate::client::membership::{Call, CallKind, CoordinatorKnown, MemberState};
use crate::kafka::message::{GroupRequest, OffsetCommit};
use crate::kafka::request::{Request, To};
use crate::terms::{CommitFailure, CommitKind, ErrorCode, FatalError};
use crate::trace::TraceEvent;
use crate::units::{Instant, Offset, TopicPartition};

impl Consumer {
    /// Why a commit cannot even be sent.
    fn commit_refusal(&self) -> Option<CommitFailure> {
        if self.speaks_consumer_protocol() {
            return None;
        }
        match self.membership.state {
            MemberState::Stable => None,
            MemberState::Preparing | MemberState::Completing => Some(CommitFailure::RebalanceInProgress),
            MemberState::Unjoined => Some(CommitFailure::NotAMember),
        }
    }

    fn send_commit(&mut self, now: Instant, kind: CommitKind, offsets: &[(TopicPartition, Offset)], fx: &mut ConsumerEffects) {
        let request = GroupRequest::OffsetCommit(OffsetCommit {
            member: self.membership.member,
            instance: self.config.instance,
            generation: self.membership.generation,
            offsets: offsets.iter().map(|(partition, offset)| (*partition, *offset, 0)).collect(),
            version: if self.speaks_consumer_protocol() && self.config.switches.commits_by_topic_id { 10 } else { 9 },
            kind,
        });
        self.call_coordinator(now, CallKind::Commit(kind), request, fx);
    }

    fn tell_failure(&self, kind: CommitKind, failure: CommitFailure, fx: &mut ConsumerEffects) {
        fx.emit(TraceEvent::CommitFailed { client: self.config.client, kind, failure });
    }

    /// One attempt; the application goes on at once. With nothing to commit, nothing happens.
    pub(super) fn commit_async(
        &mut self,
        now: Instant,
        kind: CommitKind,
        offsets: Vec<(TopicPartition, Offset)>,
        fx: &mut ConsumerEffects,
    ) {
        if offsets.is_empty() {
            return;
        }
        if let Some(failure) = self.commit_refusal() {
            self.tell_failure(kind, failure, fx);
            return;
        }
        if matches!(self.membership.coordinator, CoordinatorKnown::Yes(_)) {
            self.send_commit(now, kind, &offsets, fx);
        } else {
            self.tell_failure(kind, CommitFailure::Retriable, fx);
        }
    }

    /// Blocks the application until the commit is answered; then it goes on with `then`, whether it succeeded or not.
    pub(super) fn commit_sync(
        &mut self,
        now: Instant,
        kind: CommitKind,
        offsets: Vec<(TopicPartition, Offset)>,
        then: AfterCommit,
        fx: &mut ConsumerEffects,
    ) {
        if offsets.is_empty() {
            self.after_commit(now, then, fx);
            return;
        }
        let refusal = self.commit_refusal();
        let gives_up = now + self.config.default_api_timeout;
        self.app = App::Committing(Box::new(CommitWait { kind, offsets, gives_up, failures: 0, retry_at: now, then }));
        if let Some(failure) = refusal {
            // It fails, but it has looked at the network.
            self.read_network(now, fx);
            self.fail_sync_commit(now, failure, fx);
            return;
        }
        self.watch_poll_interval(now, gives_up, fx);
        self.try_commit_again(now, fx);
    }

    /// Sends the commit that the application waits for, or looks for the coordinator first.
    pub(super) fn try_commit_again(&mut self, now: Instant, fx: &mut ConsumerEffects) {
        let App::Committing(wait) = &self.app else { return };
        let (kind, gives_up) = (wait.kind, wait.gives_up);
        if self.commit_refusal().is_some() || now >= gives_up {
            let failure = self.commit_refusal().unwrap_or(CommitFailure::TimedOut);
            for call in self.membership.calls.iter_mut().filter(|call| call.kind == CallKind::Commit(kind)) {
                call.kind = CallKind::AbandonedCommit;
            }
            self.fail_sync_commit(now, failure, fx);
            return;
        }
        if matches!(self.membership.coordinator, CoordinatorKnown::Yes(_)) {
            let offsets = wait.offsets.clone();
            self.send_commit(now, kind, &offsets, fx);
        } else {
            self.find_coordinator(now, fx);
        }
    }

    fn fail_sync_commit(&mut self, now: Instant, failure: CommitFailure, fx: &mut ConsumerEffects) {
        if let Some(wait) = self.take_commit_wait() {
            self.tell_failure(wait.kind, failure, fx);
            self.after_commit(now, wait.then, fx);
        }
    }

    /// Ends the wait of commitSync(), if the application is in one.
    fn take_commit_wait(&mut self) -> Option<Box<CommitWait>> {
        match std::mem::replace(&mut self.app, App::Idle) {
            App::Committing(wait) => Some(wait),
            other => {
                self.app = other;
                None
            }
        }
    }

    /// commitSync right after poll(): at most once.
    pub(super) fn commit_before_processing(&mut self, now: Instant, batch: Box<Batch>, fx: &mut ConsumerEffects) {
        let offsets = self.fetcher.consumed();
        self.commit_sync(now, CommitKind::Sync, offsets, AfterCommit::Begin(batch), fx);
    }

    fn after_commit(&mut self, now: Instant, then: AfterCommit, fx: &mut ConsumerEffects) {
        match then {
            AfterCommit::Poll => self.poll(now, fx),
            AfterCommit::Begin(batch) => self.begin_batch(now, batch, fx),
            AfterCommit::Resume(batch) => self.plan_chunk(now, now, batch, fx),
            AfterCommit::Listener(after) => self.after_listener(now, after, fx),
            AfterCommit::Close => self.close_after_commit(now, fx),
        }
    }

    /// An OffsetCommit was answered; `error` is the first that a partition got.
    pub(super) fn on_commit_answer(&mut self, now: Instant, error: ErrorCode, fx: &mut ConsumerEffects) {
        let is_commit = |kind| matches!(kind, CallKind::Commit(_) | CallKind::AbandonedCommit);
        let call = self.membership.answered(is_commit).expect("an answered commit was sent");
        let CallKind::Commit(kind) = call.kind else { return };
        if self.speaks_consumer_protocol() {
            let failure = self.consumer_commit_failure(now, kind, error, fx);
            self.settle_commit(now, kind, failure, fx);
            return;
        }
        let current = call.generation == self.membership.generation;
        let failure = match error {
            ErrorCode::None => None,
            ErrorCode::RebalanceInProgress => {
                self.membership.rejoin_needed = true;
                Some(CommitFailure::RebalanceInProgress)
            }
            ErrorCode::UnknownMemberId | ErrorCode::IllegalGeneration if current => {
                self.lose_membership(error, fx);
                Some(CommitFailure::NotAMember)
            }
            ErrorCode::UnknownMemberId | ErrorCode::IllegalGeneration => Some(match self.membership.state {
                MemberState::Preparing => CommitFailure::RebalanceInProgress,
                MemberState::Unjoined | MemberState::Completing | MemberState::Stable => CommitFailure::NotAMember,
            }),
            ErrorCode::FencedInstanceId if current => {
                self.on_commit_fenced(now, kind, fx);
                return;
            }
            ErrorCode::FencedInstanceId => Some(CommitFailure::NotAMember),
            ErrorCode::NotCoordinator | ErrorCode::CoordinatorNotAvailable => {
                self.forget_coordinator(now, fx);
                Some(CommitFailure::Retriable)
            }
            other => Some(self.map_other_commit_error(other)),
        };
        self.settle_commit(now, kind, failure, fx);
    }

    /// commitSync() throws, an asynchronous commit makes the next poll() throw, and close() goes on.
    fn on_commit_fenced(&mut self, now: Instant, kind: CommitKind, fx: &mut ConsumerEffects) {
        match kind {
            CommitKind::Sync | CommitKind::Revoke => {
                self.tell_failure(kind, CommitFailure::Fenced, fx);
                self.fail(now, FatalError::FencedInstanceId, fx);
            }
            CommitKind::Auto | CommitKind::Async | CommitKind::Prepare => {
                self.tell_failure(kind, CommitFailure::Fenced, fx);
                self.throw(now, FatalError::FencedInstanceId, fx);
            }
            CommitKind::Close => self.settle_commit(now, kind, Some(CommitFailure::Fenced), fx),
        }
    }

    /// Errors that leave membership and coordinator as they are: loading, unknown topic and what the coordinator refuses for good.
    fn map_other_commit_error(&self, error: ErrorCode) -> CommitFailure {
        if matches!(error, ErrorCode::CoordinatorLoadInProgress | ErrorCode::UnknownTopicOrPartition) {
            CommitFailure::Retriable
        } else {
            CommitFailure::NotAMember
        }
    }

    /// The outcome of a commit goes to whoever made it.
    pub(super) fn settle_commit(&mut self, now: Instant, kind: CommitKind, failure: Option<CommitFailure>, fx: &mut ConsumerEffects) {
        match kind {
            CommitKind::Auto | CommitKind::Async => {
                if let Some(failure) = failure {
                    self.tell_failure(kind, failure, fx);
                    if kind == CommitKind::Auto && failure == CommitFailure::Retriable {
                        self.auto_commit_due = self.auto_commit_due.min(now + self.config.retry_backoff);
                    }
                }
                self.close_without_commits(now, fx);
            }
            CommitKind::Prepare => self.on_prepare_committed(now, failure, fx),
            CommitKind::Sync | CommitKind::Revoke | CommitKind::Close => match failure {
                Some(CommitFailure::Retriable) => self.retry_sync_commit(now, fx),
                Some(failure) => self.fail_sync_commit(now, failure, fx),
                None => {
                    if let Some(wait) = self.take_commit_wait() {
                        self.after_commit(now, wait.then, fx);
                    }
                }
            },
        }
    }

    /// The time for a retry of a commit or of an onJoinPrepare commit.
    pub(super) fn on_retry(&mut self, now: Instant, fx: &mut ConsumerEffects) {
        self.retry_metadata(now, fx);
        self.retry_lookup(now, fx);
        if let App::Committing(wait) = &self.app {
            let gives_up = now >= wait.gives_up;
            let is_sent = self.membership.calls.iter().any(|call| matches!(call.kind, CallKind::Commit(_)));
            if gives_up || (!is_sent && now >= wait.retry_at) {
                self.try_commit_again(now, fx);
            }
        }
        if self.speaks_consumer_protocol() {
            self.retry_reconciliation_commit(now, fx);
        }
        self.iterate(now, fx);
    }

    /// commitSync() tries again after a back-off that grows, until its time is over.
    fn retry_sync_commit(&mut self, now: Instant, fx: &mut ConsumerEffects) {
        let backoff = self.request_backoff();
        if let App::Committing(wait) = &mut self.app {
            wait.retry_at = now + backoff.after(wait.failures, NO_JITTER);
            wait.failures += 1;
            fx.wake(wait.retry_at, ConsumerTimer::Retry);
            fx.wake(wait.gives_up, ConsumerTimer::Retry);
        }
    }

    /// commitSync inside the rebalance listener.
    pub(super) fn commit_in_listener(&mut self, now: Instant, then: AfterListener, fx: &mut ConsumerEffects) {
        let offsets = self.fetcher.consumed();
        self.commit_sync(now, CommitKind::Revoke, offsets, AfterCommit::Listener(then), fx);
    }

    /// A request to the coordinator, with its time-out.
    pub(super) fn call_coordinator(&mut self, now: Instant, kind: CallKind, request: GroupRequest, fx: &mut ConsumerEffects) {
        let timeout = match kind {
            CallKind::Join => self.config.request_timeout.max(self.config.max_poll_interval + crate::units::Span::from_secs(5)),
            CallKind::Sync
            | CallKind::Heartbeat
            | CallKind::Leave
            | CallKind::Commit(_)
            | CallKind::AbandonedCommit
            | CallKind::OffsetFetch => self.config.request_timeout,
        };
        let deadline = now + timeout;
        self.membership.called = self.membership.called.wrapping_add(1);
        let (number, generation) = (self.membership.called, self.membership.generation);
        self.membership.calls.push_back(Call { kind, number, generation, deadline });
        self.arm_request_timeout(fx);
        fx.send(Outgoing::Request(To::Coordinator, Request::Group { number, request: Box::new(request) }));
    }
}

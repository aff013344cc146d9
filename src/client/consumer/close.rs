//! close(): the last commit, the listener, LeaveGroup, the fetch sessions (ClassicKafkaConsumer.close, AbstractCoordinator.close).
//!
//! LeaveGroup waits behind a JoinGroup or SyncGroup that is parked on the same connection. If close() gives up waiting, the leave is lost with
//! the connection.

use super::{AfterCommit, AfterListener, App, Close, CommitPolicy, Consumer, ConsumerEffects, ConsumerTimer, Outgoing};
use crate::client::membership::consumer::State;
use crate::client::membership::{CallKind, CoordinatorKnown, MemberState};
use crate::kafka::request::Request;
use crate::terms::CommitKind;
use crate::trace::TraceEvent;
use crate::units::{BrokerId, Instant, Span};

/// `close()` without an argument waits so long at most.
const CLOSE_TIMEOUT: Span = Span::from_secs(30);

impl Consumer {
    pub(super) fn begin_close(&mut self, now: Instant, fx: &mut ConsumerEffects) {
        if self.speaks_consumer_protocol() {
            self.stop_reconciling();
        }
        fx.wake(now + CLOSE_TIMEOUT.min(self.config.request_timeout), ConsumerTimer::CloseTimeout);
        if matches!(self.config.commit, CommitPolicy::Auto(_)) {
            let offsets = self.fetcher.consumed();
            self.commit_sync(now, CommitKind::Close, offsets, AfterCommit::Close, fx);
        } else {
            self.app = App::Closing(Close::AwaitingCommits);
            self.close_without_commits(now, fx);
        }
    }

    /// Goes on with close() once no commit is on its way any more.
    pub(super) fn close_without_commits(&mut self, now: Instant, fx: &mut ConsumerEffects) {
        let is_pending = self.membership.calls.iter().any(|call| matches!(call.kind, CallKind::Commit(_) | CallKind::AbandonedCommit));
        if matches!(self.app, App::Closing(Close::AwaitingCommits)) && !is_pending {
            self.close_after_commit(now, fx);
        }
    }

    /// The heartbeat thread stops; onPartitionsRevoked, or onPartitionsLost in the middle of a rebalance.
    pub(super) fn close_after_commit(&mut self, now: Instant, fx: &mut ConsumerEffects) {
        let rebalancing = matches!(self.membership.state, MemberState::Preparing | MemberState::Completing);
        if self.fetcher.owned().is_empty() {
            self.close_leave(now, fx);
            return;
        }
        if self.run_revocation(now, self.membership.is_void() || rebalancing, AfterListener::Close, fx) {
            self.close_leave(now, fx);
        }
    }

    pub(super) fn close_leave(&mut self, now: Instant, fx: &mut ConsumerEffects) {
        self.membership.heartbeat.disarm();
        self.app = App::Closing(Close::Leaving);
        if self.speaks_consumer_protocol() {
            if self.own().state() == State::PrepareLeaving && matches!(self.membership.coordinator, CoordinatorKnown::Yes(_)) {
                self.send_leaving_heartbeat(now, fx);
            } else {
                self.close_sessions(now, fx);
            }
            return;
        }
        let leaves = self.config.instance.is_none()
            && self.membership.member.is_some()
            && self.membership.state != MemberState::Unjoined
            && matches!(self.membership.coordinator, CoordinatorKnown::Yes(_));
        if leaves {
            self.send_leave(now, fx);
            // An answer to JoinGroup that comes before that to LeaveGroup is for nobody.
            self.membership.reset(false);
        } else {
            self.close_sessions(now, fx);
        }
    }

    /// LeaveGroup was answered (or lost).
    pub(super) fn on_left(&mut self, now: Instant, fx: &mut ConsumerEffects) {
        if matches!(self.app, App::Closing(Close::Leaving)) {
            self.close_sessions(now, fx);
        }
    }

    fn close_sessions(&mut self, now: Instant, fx: &mut ConsumerEffects) {
        let mut open = 0;
        for broker in (0..self.config.brokers).map(BrokerId) {
            if std::mem::take(&mut self.sessions[broker.index()]) {
                open += 1;
                self.ask_leader(now, broker, Request::CloseFetchSession, fx);
            }
        }
        self.app = App::Closing(Close::ClosingSessions(open));
        if open == 0 || !self.config.real {
            self.finish_close(fx);
        }
    }

    pub(super) fn on_session_closed(&mut self, fx: &mut ConsumerEffects) {
        if let App::Closing(Close::ClosingSessions(open)) = &mut self.app {
            *open -= 1;
            if *open == 0 {
                self.finish_close(fx);
            }
        }
    }

    pub(super) fn finish_close(&mut self, fx: &mut ConsumerEffects) {
        fx.emit(TraceEvent::ClientStopped { client: self.config.client });
        fx.send(Outgoing::Exit);
        self.app = App::Done;
    }
}

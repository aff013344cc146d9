//! The life of a process: it starts, is told to stop, dies, or gets an exception that it does not survive.

use super::{App, CommitPolicy, Consumer, ConsumerEffects, Outgoing};
use crate::client::membership::consumer::State;
use crate::client::membership::{CoordinatorKnown, MemberState, Protocol};
use crate::terms::FatalError;
use crate::trace::TraceEvent;
use crate::units::Instant;

impl Consumer {
    pub fn is_done(&self) -> bool {
        matches!(self.app, App::Done)
    }

    /// It was told to stop, and is not done yet.
    pub fn is_stopping(&self) -> bool {
        self.stopping
    }

    /// A member with its assignment: what a rolling restart waits for.
    pub fn is_up(&self) -> bool {
        match &self.protocol {
            Protocol::Classic => self.membership.state == MemberState::Stable && !self.membership.rejoin_needed_or_pending(),
            Protocol::Consumer(own) => own.state() == State::Stable,
        }
    }

    /// The process starts and calls poll().
    pub fn start(&mut self, now: Instant, fx: &mut ConsumerEffects) {
        fx.emit(TraceEvent::ClientStarted { client: self.config.client, life: self.config.life });
        if let CommitPolicy::Auto(interval) = self.config.commit {
            self.auto_commit_due = now + interval;
        }
        if !self.config.real {
            self.membership.coordinator = CoordinatorKnown::Yes(self.config.coordinator);
        }
        self.metadata_is_fresh(now, fx);
        if self.lacks_topics() {
            self.update_metadata(now, fx);
        }
        self.poll(now, fx);
    }

    /// The application is told to stop: what it has in hand is finished, then close().
    pub fn stop(&mut self, now: Instant, fx: &mut ConsumerEffects) {
        if self.stopping {
            return;
        }
        fx.emit(TraceEvent::ClientStopping { client: self.config.client });
        (self.stopping, self.settled) = (true, false);
        if matches!(self.app, App::Idle | App::FindingCoordinator { .. } | App::AwaitingOffsets) {
            self.begin_close(now, fx);
        }
    }

    /// The process dies between two records; nothing is sent.
    pub fn crash(&mut self, now: Instant, fx: &mut ConsumerEffects) {
        self.drop_batch(now, fx);
        fx.emit(TraceEvent::ClientCrashed { client: self.config.client });
        self.app = App::Done;
    }

    /// The process was frozen from `since` until `now`; what arrived meanwhile is handed in afterwards. The heartbeat thread looks first.
    pub fn on_resume(&mut self, since: Instant, now: Instant, fx: &mut ConsumerEffects) {
        self.settled = false;
        self.shift_work(since, now, fx);
        self.heartbeat_pass(now, fx);
    }

    /// An exception that the application does not survive: the process ends without a word to the group.
    pub(super) fn fail(&mut self, now: Instant, error: FatalError, fx: &mut ConsumerEffects) {
        self.drop_batch(now, fx);
        fx.emit(TraceEvent::ClientFailed { client: self.config.client, error });
        fx.send(Outgoing::Exit);
        self.app = App::Done;
    }

    /// The application gets an exception: at once if it waits in poll(), else at its next one.
    pub(super) fn throw(&mut self, now: Instant, error: FatalError, fx: &mut ConsumerEffects) {
        match self.app {
            App::Idle | App::FindingCoordinator { .. } | App::AwaitingOffsets => self.fail(now, error, fx),
            App::Busy(_) | App::Committing(_) | App::Listening { .. } | App::Closing(_) | App::Done => self.failed = Some(error),
        }
    }
}

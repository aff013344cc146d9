//! The search for the coordinator (AbstractCoordinator.ensureCoordinatorReady, lookupCoordinator and the heartbeat thread's part of it).
//!
//! poll() looks it up before anything else and blocks for the whole of its timeout if there is none; then it returns what is buffered and sends
//! Fetches. A busy member's heartbeat thread asks about once in two back-offs.

use super::{App, Consumer, ConsumerEffects, ConsumerTimer};
use crate::client::backoff::ExponentialBackoff;
use crate::client::leader_links::NO_JITTER;
use crate::client::membership::CoordinatorKnown;
use crate::kafka::request::Request;
use crate::trace::TraceEvent;
use crate::units::{BrokerId, Instant, Span};

#[derive(Debug, Default)]
pub struct Lookup {
    /// Look-ups that failed in this call of poll() or commitSync().
    failures: u64,
    /// No other one before then.
    not_before: Instant,
}

impl Consumer {
    /// The coordinator, if it is known.
    pub fn coordinator(&self) -> Option<BrokerId> {
        match self.membership.coordinator {
            CoordinatorKnown::Yes(broker) => Some(broker),
            CoordinatorKnown::No | CoordinatorKnown::Asking => None,
        }
    }

    pub(super) fn find_coordinator(&mut self, now: Instant, fx: &mut ConsumerEffects) {
        if self.membership.coordinator != CoordinatorKnown::No || now < self.lookup.not_before {
            return;
        }
        self.membership.coordinator = CoordinatorKnown::Asking;
        let broker = self.links.any_broker(now);
        self.ask_leader(now, broker, Request::FindCoordinator, fx);
    }

    pub(super) fn on_coordinator(&mut self, now: Instant, broker: BrokerId, fx: &mut ConsumerEffects) {
        self.lookup = Lookup::default();
        self.membership.coordinator = CoordinatorKnown::Yes(broker);
        self.membership.session_ends = now + self.config.session_timeout;
        fx.emit(TraceEvent::CoordinatorFound { client: self.config.client, broker });
        self.heartbeat_pass(now, fx);
        if self.speaks_consumer_protocol() {
            self.retry_reconciliation_commit(now, fx);
        }
        match self.app {
            App::Committing(_) => self.try_commit_again(now, fx),
            App::FindingCoordinator { .. } => {
                self.app = App::Idle;
                self.iterate(now, fx);
            }
            App::Idle | App::AwaitingOffsets | App::Busy(_) | App::Listening { .. } | App::Closing(_) | App::Done => {}
        }
    }

    /// COORDINATOR_NOT_AVAILABLE, or nobody answered.
    pub(super) fn on_lookup_failed(&mut self, now: Instant, fx: &mut ConsumerEffects) {
        self.membership.coordinator = CoordinatorKnown::No;
        let next = now + self.request_backoff().after(self.lookup.failures, NO_JITTER);
        self.lookup.failures += 1;
        self.lookup.not_before = match self.app {
            // The next call of poll() looks it up at once and counts anew.
            App::FindingCoordinator { until } if until <= next => {
                self.lookup.failures = 0;
                until
            }
            App::FindingCoordinator { .. } | App::Committing(_) => next,
            App::Idle | App::AwaitingOffsets | App::Busy(_) | App::Listening { .. } | App::Closing(_) | App::Done => {
                self.lookup.failures = 0;
                now + self.config.retry_backoff.times(2)
            }
        };
        fx.wake(self.lookup.not_before, ConsumerTimer::Retry);
    }

    /// The time for another look-up, if somebody is there to make it.
    pub(super) fn retry_lookup(&mut self, now: Instant, fx: &mut ConsumerEffects) {
        let blocked = matches!(self.app, App::FindingCoordinator { .. } | App::Committing(_));
        if blocked || self.thread_is_enabled() || self.speaks_consumer_protocol() {
            self.find_coordinator(now, fx);
        }
    }

    /// poll() goes no further without a coordinator. A call without a timeout does not wait: it returns what there is.
    pub(super) fn block_without_coordinator(&mut self, now: Instant, fx: &mut ConsumerEffects) {
        if self.config.poll_timeout.is_zero() {
            if !self.collect(now, fx) {
                self.send_fetches(now, fx);
            }
            return;
        }
        // poll() calls that returned nothing follow each other.
        let timeout = self.config.poll_timeout.as_nanos();
        let calls = now.since(self.poll_started).as_nanos() / timeout;
        let until = self.poll_started + self.config.poll_timeout.times(calls + 1);
        self.app = App::FindingCoordinator { until };
        fx.wake(until, ConsumerTimer::PollTimeout);
    }

    /// The timeout of a poll() without coordinator is over: it returns what is buffered, or sends Fetches for the next call.
    pub(super) fn end_blocked_poll(&mut self, now: Instant, fx: &mut ConsumerEffects) {
        if !matches!(self.app, App::FindingCoordinator { until } if until <= now) {
            return;
        }
        self.app = App::Idle;
        if self.collect(now, fx) {
            return;
        }
        self.send_fetches(now, fx);
        self.poll(now, fx);
    }

    /// retry.backoff.ms and retry.backoff.max.ms.
    pub(super) fn request_backoff(&self) -> ExponentialBackoff {
        ExponentialBackoff::of_requests(self.short_wait(), self.config.retry_backoff_max)
    }

    /// How long poll() waits at most while a partition has no position: retry.backoff.ms.
    pub(super) fn short_wait(&self) -> Span {
        self.config.retry_backoff.max(Span::from_millis(1))
    }
}

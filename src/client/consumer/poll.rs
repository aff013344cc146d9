//! poll(): its iterations, and the wake-ups of a consumer that waits in it (ClassicKafkaConsumer.poll, pollForFetches).

use super::{App, CommitPolicy, Consumer, ConsumerEffects, ConsumerTimer};
use crate::client::fetcher::Slice;
use crate::client::membership::{CallKind, CoordinatorKnown};
use crate::kafka::fetch::Fetched;
use crate::kafka::request::Request;
use crate::terms::{ClientRequest, CommitKind};
use crate::trace::TraceEvent;
use crate::units::{BrokerId, Instant};

impl Consumer {
    /// The application calls poll().
    pub(super) fn poll(&mut self, now: Instant, fx: &mut ConsumerEffects) {
        self.app = App::Idle;
        if self.has_nothing_to_do(now) {
            (self.poll_started, self.last_poll) = (now, now);
            return;
        }
        if !self.settled || self.timeout_wake.is_none() {
            if self.stopping {
                self.begin_close(now, fx);
                return;
            }
            self.read_network(now, fx);
            if let Some(error) = self.failed {
                self.fail(now, error, fx);
            }
            self.begin_pass(now);
        }
        self.poll_started = now;
        self.iterate(now, fx);
    }

    /// The next iteration of poll() would find nothing to do but to wait for records, with all wake-ups under way.
    fn has_nothing_to_do(&self, now: Instant) -> bool {
        let has_wakes = self.timeout_wake.is_some() && self.idle_wake.is_some_and(|wake| wake <= self.auto_commit_due);
        self.settled && now < self.auto_commit_due && has_wakes && self.fetcher.only_waits()
    }

    /// One iteration from the top: membership, auto-commit, positions, records, fetches.
    pub(super) fn iterate(&mut self, now: Instant, fx: &mut ConsumerEffects) {
        if !matches!(self.app, App::Idle) {
            return;
        }
        self.last_poll = now;
        if self.settled {
            debug_assert!(self.has_settled(), "{:?} is settled", self.config.client);
            self.maybe_auto_commit(now, fx);
            self.collect_or_fetch(now, fx);
            return;
        }
        if self.subscription.is_to_change() {
            self.change_subscription(now, fx);
        }
        if self.speaks_consumer_protocol() {
            self.iterate_unblocked(now, fx);
            return;
        }
        match self.membership.coordinator {
            CoordinatorKnown::Yes(_) => {}
            CoordinatorKnown::Asking | CoordinatorKnown::No => {
                self.find_coordinator(now, fx);
                self.block_without_coordinator(now, fx);
                return;
            }
        }
        let joined = self.progress_rejoin(now, fx);
        if joined {
            self.maybe_auto_commit(now, fx);
            self.update_positions(now, fx);
        }
        if matches!(self.app, App::Idle) {
            self.settled = joined && self.has_settled();
            self.collect_or_fetch(now, fx);
        }
    }

    fn has_settled(&self) -> bool {
        matches!(self.membership.coordinator, CoordinatorKnown::Yes(_))
            && !self.speaks_consumer_protocol()
            && !self.membership.rejoin_needed_or_pending()
            && !self.subscription.is_to_change()
            && self.fetcher.has_all_positions()
            && self.unread.is_empty()
            && self.failed.is_none()
            && !self.stopping
    }

    /// One iteration of a KIP-848 consumer: neither an unknown coordinator nor a rebalance keeps poll() from returning records.
    fn iterate_unblocked(&mut self, now: Instant, fx: &mut ConsumerEffects) {
        self.network_pass(now, fx);
        if !self.progress_membership(now, fx) {
            return;
        }
        if matches!(self.membership.coordinator, CoordinatorKnown::Yes(_)) {
            if !self.config.commit_race {
                self.maybe_auto_commit(now, fx);
            }
            if self.sees_assignment(now) {
                self.update_positions(now, fx);
            }
        }
        if matches!(self.app, App::Idle) {
            self.collect_or_fetch(now, fx);
        }
        if self.config.commit_race {
            self.maybe_auto_commit(now, fx);
        }
    }

    /// Something came from the network. A consumer that waits in poll() returns records if there are any, else it goes round again.
    pub(super) fn on_network_event(&mut self, now: Instant, fx: &mut ConsumerEffects) {
        if !matches!(self.app, App::Idle) {
            return;
        }
        if !self.is_application_needed() && self.collect(now, fx) {
            return;
        }
        self.iterate(now, fx);
    }

    pub(super) fn collect_or_fetch(&mut self, now: Instant, fx: &mut ConsumerEffects) {
        if self.collect(now, fx) {
            return;
        }
        self.send_fetches(now, fx);
        self.arm_idle_wake(now, fx);
    }

    /// Returns records from poll(), if any are buffered: the next fetches go out first, then the application has them.
    pub(super) fn collect(&mut self, now: Instant, fx: &mut ConsumerEffects) -> bool {
        if self.fetcher.is_drained() {
            return false;
        }
        let mut batch = self.spare.take().unwrap_or_default();
        self.fetcher.collect(self.config.max_poll_records, batch.fill());
        if batch.slices().is_empty() {
            self.spare = Some(batch);
            return false;
        }
        self.note_silent_polls(now);
        self.send_fetches(now, fx);
        for slice in batch.slices() {
            fx.emit_plain(|| TraceEvent::Polled { client: self.config.client, partition: slice.partition, offsets: slice.offsets });
        }
        if self.config.commit == CommitPolicy::BeforeProcessing {
            self.commit_before_processing(now, batch, fx);
        } else {
            self.begin_batch(now, batch, fx);
        }
        true
    }

    /// A Fetch was answered with records of one partition. A consumer that has nothing to do but to wait for them in poll() returns them all, and
    /// its next Fetch, for the same partitions from where they are, has this number; the caller sends it. `None`, and nothing happens: in any other
    /// case, for [`Consumer::on_fetched`].
    pub fn go_round(&mut self, now: Instant, broker: BrokerId, number: u32, fetched: &Fetched, fx: &mut ConsumerEffects) -> Option<u32> {
        let waits = self.settled && matches!(self.app, App::Idle) && self.config.commit != CommitPolicy::BeforeProcessing;
        if !waits || fetched.offsets.len() >= self.config.max_poll_records {
            return None;
        }
        let next = self.fetcher.go_round(broker, number, fetched)?;
        debug_assert!(self.has_settled() && self.links.may_be_asked(now, broker), "{:?} is settled", self.config.client);
        let deadline = now + self.config.request_timeout;
        self.links.answered_and_sent(broker, ClientRequest::Fetch, deadline);
        self.note_silent_polls(now);
        self.wake_for_timeout(deadline, fx);
        let Fetched { partition, offsets } = *fetched;
        let client = self.config.client;
        fx.emit_plain(|| TraceEvent::Polled { client, partition, offsets });
        let mut batch = self.spare.take().unwrap_or_default();
        batch.fill().push(Slice { partition, offsets });
        self.begin_batch(now, batch, fx);
        Some(next)
    }

    /// poll() calls that returned nothing since the last iteration: each was an iteration of its own, one poll timeout after the other.
    fn note_silent_polls(&mut self, now: Instant) {
        let timeout = self.config.poll_timeout.as_nanos();
        let waited = now.since(self.poll_started).as_nanos();
        if timeout > 0 && waited > timeout {
            let polls = (waited - 1) / timeout;
            self.last_poll = self.last_poll.max(self.poll_started + self.config.poll_timeout.times(polls));
        }
    }

    pub(super) fn send_fetches(&mut self, now: Instant, fx: &mut ConsumerEffects) {
        if !self.config.real && self.speaks_consumer_protocol() && self.fetcher.awaits_first_fetch() {
            self.fetcher.forget_in_flight();
            self.links.forget_fetches();
        }
        for broker in (0..self.config.brokers).map(BrokerId) {
            if !self.fetcher.awaits_answer(broker) && self.links.may_be_asked(now, broker) {
                self.send_fetch(now, broker, fx);
            }
        }
    }

    /// A Fetch for what can be fetched from a broker, if there is anything.
    #[inline(never)]
    fn send_fetch(&mut self, now: Instant, broker: BrokerId, fx: &mut ConsumerEffects) {
        let Some((number, entries)) = self.fetcher.prepare(broker) else { return };
        self.sessions[broker.index()] = true;
        for first in self.fetcher.first_fetches(&entries) {
            fx.emit(TraceEvent::FetchStarted { client: self.config.client, partition: first.partition, offset: first.from });
        }
        self.ask_leader(now, broker, Request::Fetch { number, entries }, fx);
    }

    /// While idle, the next auto-commit or a missing position ends the wait. There is no auto-commit while a join is pending.
    fn arm_idle_wake(&mut self, now: Instant, fx: &mut ConsumerEffects) {
        if self.settled && (self.auto_commit_due == Instant::NEVER || self.idle_wake.is_some_and(|wake| wake <= self.auto_commit_due)) {
            return;
        }
        let waits = self.membership.rejoin_needed_or_pending() || self.speaks_consumer_protocol() && !self.may_auto_commit();
        let mut at = if waits { Instant::NEVER } else { self.auto_commit_due };
        if !self.fetcher.has_all_positions() {
            at = at.min(self.next_look_at_positions(now));
        }
        if self.is_application_needed() {
            at = at.min(self.pass_ends(now));
        }
        if at == Instant::NEVER || self.idle_wake.is_some_and(|wake| wake <= at) {
            return;
        }
        self.idle_wake = Some(at);
        fx.wake(at.max(now), ConsumerTimer::Idle);
    }

    pub(super) fn on_idle_wake(&mut self, now: Instant, fx: &mut ConsumerEffects) {
        if self.idle_wake.is_some_and(|wake| wake <= now) {
            self.idle_wake = None;
        }
        if !matches!(self.app, App::Idle) {
            return;
        }
        if self.auto_commit_due <= now || !self.fetcher.has_all_positions() || self.is_application_needed() {
            self.iterate(now, fx);
        } else {
            self.arm_idle_wake(now, fx);
        }
    }

    /// The periodic auto-commit covers exactly what earlier polls returned; with `commit_race`, what this one does too.
    #[inline(always)]
    fn maybe_auto_commit(&mut self, now: Instant, fx: &mut ConsumerEffects) {
        let CommitPolicy::Auto(interval) = self.config.commit else { return };
        if now < self.auto_commit_due || self.speaks_consumer_protocol() && !self.may_auto_commit() {
            return;
        }
        self.auto_commit_due = now + interval;
        let offsets = self.fetcher.consumed();
        self.commit_async(now, CommitKind::Auto, offsets, fx);
    }

    /// A KIP-848 consumer has one auto-commit on its way at most, and needs a coordinator for it.
    fn may_auto_commit(&self) -> bool {
        let is_automatic = |kind| matches!(kind, CallKind::Commit(CommitKind::Auto | CommitKind::Prepare));
        matches!(self.membership.coordinator, CoordinatorKnown::Yes(_)) && !self.membership.calls.iter().any(|call| is_automatic(call.kind))
    }
}

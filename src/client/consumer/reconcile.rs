//! Reconciliation: from what a KIP-848 member has to what its coordinator wants it to have; and giving everything up when membership is over
//! (AbstractMembershipManager#maybeReconcile, #revokePartitions, #assignPartitions, #transitionToStale, #transitionToFenced).
//!
//! The order since 4.0: what is to be revoked stops, consumed positions are committed, onPartitionsRevoked, the assignment is replaced,
//! onPartitionsAssigned, acknowledgement. The calls of the rebalance listener, the start with auto-commit, since 4.2.1 the start of any
//! revocation, and since 4.3 the replacement of the assignment are steps of the application thread: of one that waits in poll() as `passes`
//! says, else at its next poll(). All else the network thread does at once, and without a listener that may be the whole: partitions go
//! while the application still works on their records.
//!
//! Not modelled: metadata of partitions that are just created is there at once, which saves a round trip.

use std::collections::BTreeSet;

use super::{AfterListener, App, CommitPolicy, Consumer, ConsumerEffects, ConsumerTimer};
use crate::client::membership::consumer::{Reconciliation, State, Step};
use crate::client::membership::{CallKind, CoordinatorKnown};
use crate::terms::{CommitFailure, CommitKind};
use crate::trace::TraceEvent;
use crate::units::{Instant, TopicPartition};

impl Consumer {
    /// The application's part of the membership, as far as it gets without waiting. False: the rebalance listener is at work.
    pub(super) fn progress_membership(&mut self, now: Instant, fx: &mut ConsumerEffects) -> bool {
        while self.is_application_needed() {
            if !self.may_step(now) {
                return true;
            }
            self.step_taken(now);
            match (self.own().state(), self.step()) {
                (State::Fenced | State::Stale, _) => {
                    if !self.run_revocation(now, true, AfterListener::Rejoin, fx) {
                        return false;
                    }
                    self.rejoin(now, fx);
                }
                (State::Reconciling, None) => self.begin_reconciliation(now, fx),
                (State::Reconciling, Some(Step::Revoking)) => {
                    if !self.revoke(now, fx) {
                        return false;
                    }
                }
                (State::Reconciling, Some(Step::Assigning)) => self.complete_reconciliation(now, fx),
                (State::Reconciling, Some(Step::Committing { .. } | Step::Listening))
                | (State::Joining | State::Acknowledging | State::Stable | State::PrepareLeaving, _) => {
                    unreachable!("the application has no part in it")
                }
            }
            self.reconcile_in_background(now, fx);
        }
        self.step() != Some(Step::Listening)
    }

    /// The network thread's part: what of a reconciliation the application is not needed for.
    pub(super) fn reconcile_in_background(&mut self, now: Instant, fx: &mut ConsumerEffects) {
        while self.own().state() == State::Reconciling && !self.is_application_needed() {
            match self.step() {
                None => self.begin_reconciliation(now, fx),
                Some(Step::Revoking) => self.finish_revoking(fx),
                Some(Step::Assigning) => {
                    self.hide_assignment(now);
                    self.complete_reconciliation(now, fx);
                }
                Some(Step::Committing { .. } | Step::Listening) => return,
            }
        }
    }

    fn step(&self) -> Option<Step> {
        self.own().reconciliation.as_ref().map(|reconciliation| reconciliation.step)
    }

    /// Whether the application thread has something to do for the membership.
    pub(super) fn is_application_needed(&self) -> bool {
        if !self.speaks_consumer_protocol() {
            return false;
        }
        match self.own().state() {
            State::Fenced | State::Stale => true,
            State::Reconciling => match self.step() {
                None => self.starts_on_application(),
                Some(Step::Revoking) => self.config.has_listener,
                Some(Step::Assigning) => self.config.has_listener || self.config.switches.assigns_in_poll,
                Some(Step::Committing { .. } | Step::Listening) => false,
            },
            State::Joining | State::Acknowledging | State::Stable | State::PrepareLeaving => false,
        }
    }

    /// With auto-commit only poll() starts a reconciliation; since 4.2.1 that holds for every one that takes something away.
    fn starts_on_application(&self) -> bool {
        let revokes = || {
            let kept: BTreeSet<TopicPartition> = self.own().target.iter().flatten().copied().collect();
            self.fetcher.owned().iter().any(|owned| !kept.contains(&owned.partition))
        };
        matches!(self.config.commit, CommitPolicy::Auto(_)) || !self.config.switches.background_revocations && revokes()
    }

    /// What is to be revoked stops; with auto-commit, what was consumed is committed.
    fn begin_reconciliation(&mut self, now: Instant, fx: &mut ConsumerEffects) {
        let target = self.own().target.clone().expect("a member that reconciles has a target");
        let has: Vec<TopicPartition> = self.fetcher.partitions().into_vec();
        let (kept, had): (BTreeSet<_>, BTreeSet<_>) = (target.iter().copied().collect(), has.iter().copied().collect());
        let revoked: Vec<TopicPartition> = has.iter().copied().filter(|partition| !kept.contains(partition)).collect();
        let added: Vec<TopicPartition> = target.iter().copied().filter(|partition| !had.contains(partition)).collect();
        if !revoked.is_empty() {
            for owned in self.fetcher.owned_mut().iter_mut().filter(|owned| !kept.contains(&owned.partition)) {
                owned.pending_revocation = true;
            }
            fx.emit(TraceEvent::RevocationPending { client: self.config.client, partitions: revoked.as_slice().into() });
        }
        let step = Step::Committing { gives_up: now + self.config.max_poll_interval };
        self.own_mut().reconciliation = Some(Reconciliation { step, target, revoked, added });
        self.commit_before_revocation(now, fx);
    }

    fn commit_before_revocation(&mut self, now: Instant, fx: &mut ConsumerEffects) {
        let offsets = self.fetcher.consumed();
        if !matches!(self.config.commit, CommitPolicy::Auto(_)) || offsets.is_empty() {
            self.after_reconciliation_commit();
        } else if matches!(self.membership.coordinator, CoordinatorKnown::Yes(_)) {
            self.commit_async(now, CommitKind::Prepare, offsets, fx);
        } else {
            // It goes out when the coordinator is found; without one it is given up in the end.
            self.find_coordinator(now, fx);
            if let Some(gives_up) = self.commits_until() {
                fx.wake(gives_up, ConsumerTimer::Retry);
            }
        }
    }

    fn after_reconciliation_commit(&mut self) {
        if let Some(reconciliation) = &mut self.own_mut().reconciliation {
            reconciliation.step = if reconciliation.revoked.is_empty() { Step::Assigning } else { Step::Revoking };
        }
    }

    /// The commit before the revocation was answered; at another epoch, or after a passing error, it is tried again.
    pub(super) fn on_reconciliation_committed(&mut self, now: Instant, failure: Option<CommitFailure>, fx: &mut ConsumerEffects) {
        let Some(gives_up) = self.commits_until() else { return };
        match failure {
            Some(failure @ (CommitFailure::Retriable | CommitFailure::StaleEpoch)) if now < gives_up => {
                fx.emit(TraceEvent::CommitFailed { client: self.config.client, kind: CommitKind::Prepare, failure });
                fx.wake(now + self.config.retry_backoff, ConsumerTimer::Retry);
                return;
            }
            Some(failure) => fx.emit(TraceEvent::CommitFailed { client: self.config.client, kind: CommitKind::Prepare, failure }),
            None => {}
        }
        self.after_reconciliation_commit();
        self.reconcile_in_background(now, fx);
    }

    /// The commit before a revocation may be tried again.
    pub(super) fn retry_reconciliation_commit(&mut self, now: Instant, fx: &mut ConsumerEffects) {
        let is_waiting = self.membership.calls.iter().any(|call| call.kind == CallKind::Commit(CommitKind::Prepare));
        match self.commits_until() {
            Some(gives_up) if now >= gives_up => {
                self.after_reconciliation_commit();
                self.reconcile_in_background(now, fx);
            }
            Some(_) if !is_waiting => self.commit_before_revocation(now, fx),
            Some(_) | None => {}
        }
    }

    fn commits_until(&self) -> Option<Instant> {
        match self.step()? {
            Step::Committing { gives_up } => Some(gives_up),
            Step::Revoking | Step::Listening | Step::Assigning => None,
        }
    }

    /// onPartitionsRevoked. False if the listener is at work or commits.
    fn revoke(&mut self, now: Instant, fx: &mut ConsumerEffects) -> bool {
        self.set_step(Step::Listening);
        if !self.config.listener_takes.is_zero() {
            let ends = now + self.config.listener_takes;
            self.app = App::Listening { ends, then: AfterListener::Reconcile };
            fx.wake(ends, ConsumerTimer::Step);
            self.watch_poll_interval(now, ends, fx);
            return false;
        }
        if self.config.commit_on_revoke {
            self.commit_in_listener(now, AfterListener::Reconcile, fx);
            return false;
        }
        self.finish_revoking(fx);
        true
    }

    fn set_step(&mut self, step: Step) {
        if let Some(reconciliation) = &mut self.own_mut().reconciliation {
            reconciliation.step = step;
        }
    }

    fn finish_revoking(&mut self, fx: &mut ConsumerEffects) {
        let Some(reconciliation) = &mut self.own_mut().reconciliation else { return };
        reconciliation.step = Step::Assigning;
        let revoked = std::mem::take(&mut reconciliation.revoked);
        self.fetcher.release(&revoked);
        fx.emit(TraceEvent::Revoked { client: self.config.client, partitions: revoked.into_boxed_slice() });
    }

    /// The assignment is replaced, the listener told, the auto-commit timer set anew; the acknowledgement goes out at once.
    fn complete_reconciliation(&mut self, now: Instant, fx: &mut ConsumerEffects) {
        let Some(Reconciliation { target, added, .. }) = self.own_mut().reconciliation.take() else { return };
        let added_with_leaders = self.with_leaders(now, &added, fx);
        let kept = self.fetcher.owned().iter().map(|owned| (owned.partition, owned.leader));
        let all: Vec<_> = kept.chain(added_with_leaders).collect();
        self.fetcher.assign(all.into_iter());
        fx.emit(TraceEvent::Assigned {
            client: self.config.client,
            member: self.membership.member.expect("a member of the consumer protocol makes its own id"),
            generation: self.membership.generation,
            partitions: added.into_boxed_slice(),
        });
        if let CommitPolicy::Auto(interval) = self.config.commit {
            self.auto_commit_due = now + interval;
        }
        self.own_mut().take_assignment(target);
        self.network_pass(now, fx);
    }

    /// The listener returned.
    pub(super) fn after_consumer_listener(&mut self, now: Instant, then: AfterListener, fx: &mut ConsumerEffects) {
        self.step_taken(now);
        match then {
            AfterListener::Reconcile => {
                if self.step() == Some(Step::Listening) {
                    self.finish_revoking(fx);
                }
            }
            AfterListener::Rejoin => {
                self.fetcher.clear();
                self.rejoin(now, fx);
            }
            AfterListener::SendJoin | AfterListener::Assign | AfterListener::Close => unreachable!("not of this protocol, or for both"),
        }
        if self.stopping {
            self.begin_close(now, fx);
        } else {
            self.iterate(now, fx);
        }
    }

    /// Membership is over. Without a listener, or with nothing to tell it, what it has is gone at once.
    pub(super) fn lose_in_background(&mut self, now: Instant, fx: &mut ConsumerEffects) -> bool {
        let is_told = self.config.has_listener && !self.fetcher.owned().is_empty();
        !is_told && self.run_revocation(now, true, AfterListener::Rejoin, fx)
    }

    /// The next heartbeat joins the group, under the same id.
    pub(super) fn rejoin(&mut self, now: Instant, fx: &mut ConsumerEffects) {
        self.own_mut().rejoin();
        self.network_pass(now, fx);
    }

    /// close(): nothing is reconciled any more.
    pub(super) fn stop_reconciling(&mut self) {
        let own = self.own_mut();
        if own.state().is_in_group() {
            own.fall_to(State::PrepareLeaving);
        }
    }
}

//! Partitions change hands: what is given up before a rejoin, what comes with an assignment, and the rebalance listener that is told
//! (ConsumerCoordinator.onJoinPrepare, onJoinComplete; KIP-429 for the cooperative way).
//!
//! ```text
//!     eager        commit, revoke all ── JoinGroup ── SyncGroup ── take what is assigned
//!     cooperative  commit ────────────── JoinGroup ── SyncGroup ── revoke what is gone, take what is new ── if something is gone: once more
//! ```

use super::{AfterListener, App, CommitPolicy, Consumer, ConsumerEffects, ConsumerTimer};
use crate::client::membership::{CoordinatorKnown, MemberState, RebalanceProtocol, Rejoin};
use crate::kafka::message::Assignment;
use crate::terms::{CommitFailure, CommitKind};
use crate::trace::TraceEvent;
use crate::units::{Instant, TopicPartition};

impl Consumer {
    /// onJoinPrepare 1: with auto-commit, positions are committed. An eager member hands out nothing from here on; a cooperative one goes
    /// on, and what it returns meanwhile is not covered. True if there is nothing to wait for.
    pub(super) fn prepare_commit(&mut self, now: Instant, fx: &mut ConsumerEffects) -> bool {
        if !matches!(self.config.commit, CommitPolicy::Auto(_)) || self.membership.is_void() || self.fetcher.owned().is_empty() {
            return true;
        }
        let offsets = self.fetcher.consumed();
        match self.rebalance_protocol {
            RebalanceProtocol::Eager => {
                self.fetcher.owned_mut().iter_mut().for_each(|owned| owned.pending_revocation = true);
                fx.emit(TraceEvent::RevocationPending { client: self.config.client, partitions: self.fetcher.partitions() });
            }
            RebalanceProtocol::Cooperative => {}
        }
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
        }
        if self.membership.rejoin != Rejoin::Committing {
            return;
        }
        let until = *self.membership.prepare_until.get_or_insert(now + self.config.max_poll_interval);
        if failure == Some(CommitFailure::Retriable) && now < until {
            self.membership.rejoin = Rejoin::Idle;
            self.membership.needs_prepare = true;
            self.membership.join_not_before = now + self.config.retry_backoff;
            fx.wake(self.membership.join_not_before, ConsumerTimer::Retry);
        } else {
            self.membership.rejoin = Rejoin::Committed;
        }
    }

    /// onJoinPrepare 2: without a valid generation all is lost; else an eager member revokes everything, even if that is nothing, and a
    /// cooperative one keeps what it has of the topics that it is still subscribed to. False if the listener takes its time.
    pub(super) fn prepare_partitions(&mut self, now: Instant, fx: &mut ConsumerEffects) -> bool {
        let lost = self.membership.is_void();
        self.membership.prepare_until = None;
        match self.rebalance_protocol {
            RebalanceProtocol::Cooperative if !lost && self.unsubscribed().is_empty() => true,
            RebalanceProtocol::Eager | RebalanceProtocol::Cooperative => self.run_revocation(now, lost, AfterListener::SendJoin, fx),
        }
    }

    /// onJoinComplete: the assignment is taken over. A member that has to give something up for it does so first, and then asks for the next rebalance, in
    /// which somebody else gets it. False if the listener takes its time.
    pub(super) fn complete_join(&mut self, now: Instant, assignment: Assignment, fx: &mut ConsumerEffects) -> bool {
        let mut partitions = assignment.unwrap_or_default();
        if partitions.iter().any(|partition| !self.subscription.accepts(partition.topic)) {
            self.membership.rejoin_needed = true;
            return true;
        }
        partitions.sort_unstable();
        let gone = self.fetcher.owned_mut().iter_mut().filter(|owned| partitions.binary_search(&owned.partition).is_err());
        let surplus = gone.map(|owned| owned.pending_revocation = true).count();
        self.membership.rejoin = Rejoin::Completing(partitions);
        if surplus > 0 {
            self.membership.rejoin_needed = true;
            if !self.run_revocation(now, false, AfterListener::Assign, fx) {
                return false;
            }
        }
        self.take_assignment(now, fx);
        true
    }

    /// The auto-commit timer is set anew, what was kept stays as it is, and onPartitionsAssigned is told what is new. Whoever lost its
    /// membership while its listener was at work gets nothing.
    fn take_assignment(&mut self, now: Instant, fx: &mut ConsumerEffects) {
        let partitions = match std::mem::replace(&mut self.membership.rejoin, Rejoin::Idle) {
            Rejoin::Completing(partitions) => partitions,
            other => {
                self.membership.rejoin = other;
                return;
            }
        };
        if let CommitPolicy::Auto(interval) = self.config.commit {
            self.auto_commit_due = now + interval;
        }
        let kept = self.fetcher.partitions();
        let added: Box<[TopicPartition]> = partitions.iter().copied().filter(|partition| kept.binary_search(partition).is_err()).collect();
        let leaders = self.with_leaders(now, &partitions, fx);
        self.fetcher.assign(leaders.into_iter());
        if !self.config.real && !added.is_empty() {
            self.fetcher.forget_in_flight();
            self.links.forget_fetches();
        }
        fx.emit(TraceEvent::Assigned {
            client: self.config.client,
            member: self.membership.member.expect("a stable member has an id"),
            generation: self.membership.generation,
            partitions: added,
        });
        self.membership.remember_assigned(partitions);
    }

    // --- the rebalance listener -----------------------------------------------------------------------------------------------------

    /// onPartitionsRevoked or onPartitionsLost. False if the listener is at work or commits.
    pub(super) fn run_revocation(&mut self, now: Instant, lost: bool, then: AfterListener, fx: &mut ConsumerEffects) -> bool {
        let partitions = self.given_up(then);
        let owns = !partitions.is_empty();
        if lost {
            if owns {
                fx.emit(TraceEvent::Lost { client: self.config.client, partitions });
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
        self.finish_revocation(then, fx);
        true
    }

    /// In the middle of a cooperative rebalance the partitions that are marked, at its start those of unsubscribed topics; else everything.
    fn given_up(&self, then: AfterListener) -> Box<[TopicPartition]> {
        let keeps = self.rebalance_protocol == RebalanceProtocol::Cooperative && !self.membership.is_void();
        match then {
            AfterListener::SendJoin if keeps => self.unsubscribed(),
            AfterListener::SendJoin | AfterListener::Reconcile | AfterListener::Rejoin | AfterListener::Close => self.fetcher.partitions(),
            AfterListener::Assign => self.fetcher.pending_revocation(),
        }
    }

    fn finish_revocation(&mut self, then: AfterListener, fx: &mut ConsumerEffects) {
        let partitions = self.given_up(then);
        self.fetcher.release(&partitions);
        if !self.config.real {
            self.fetcher.forget_in_flight();
            self.links.forget_fetches();
        }
        let is_told = match then {
            AfterListener::SendJoin if self.rebalance_protocol == RebalanceProtocol::Eager => true,
            AfterListener::SendJoin | AfterListener::Assign | AfterListener::Reconcile | AfterListener::Rejoin | AfterListener::Close => {
                !partitions.is_empty()
            }
        };
        if is_told && !self.membership.is_void() {
            fx.emit(TraceEvent::Revoked { client: self.config.client, partitions });
        }
    }

    /// The listener's own work is done: its commit comes next, if it makes one.
    pub(super) fn after_listener_work(&mut self, now: Instant, then: AfterListener, fx: &mut ConsumerEffects) {
        self.app = App::Idle;
        if self.config.commit_on_revoke && !self.membership.is_void() && !self.given_up(then).is_empty() {
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
        self.finish_revocation(then, fx);
        match then {
            AfterListener::Close => return self.close_leave(now, fx),
            AfterListener::Assign => self.take_assignment(now, fx),
            AfterListener::SendJoin | AfterListener::Reconcile | AfterListener::Rejoin => {}
        }
        if self.stopping { self.begin_close(now, fx) } else { self.iterate(now, fx) }
    }
}

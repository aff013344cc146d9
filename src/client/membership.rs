//! What a member knows about its membership: what both protocols share, and the classic one's part (AbstractCoordinator).
//!
//! In the KIP-848 protocol `generation` is the member's epoch, -1 while it has none; the classic states stay as they are.

use std::collections::VecDeque;

use crate::client::membership::consumer::ConsumerMembership;
use crate::effects::Deadline;
use crate::kafka::assignor::Assignor;
use crate::kafka::message::Assignment;
use crate::terms::{CommitKind, Name};
use crate::units::{BrokerId, Instant, MemberId, TopicId, TopicPartition};

pub mod consumer;

/// Which protocol a consumer speaks, `group.protocol`, with what only that one knows.
#[derive(Debug)]
pub enum Protocol {
    Classic,
    Consumer(Box<ConsumerMembership>),
}

/// `AbstractCoordinator.MemberState`.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum MemberState {
    Unjoined,
    /// JoinGroup is on its way or parked.
    Preparing,
    /// JoinGroup is answered, SyncGroup is on its way or parked.
    Completing,
    Stable,
}

/// `ConsumerPartitionAssignor.RebalanceProtocol`: what a member does with its partitions in a rebalance. Each client decides for itself.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum RebalanceProtocol {
    /// Everything is revoked before the member rejoins.
    Eager,
    /// The member rejoins with what it has, and afterwards revokes what it was not given again (KIP-429).
    Cooperative,
}

/// How far a rejoin has come; driven by poll().
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Rejoin {
    /// Nothing going on (a rejoin may be needed).
    Idle,
    /// onJoinPrepare: the auto-commit is on its way.
    Committing,
    /// onJoinPrepare: the auto-commit is done with, the partitions are next.
    Committed,
    /// onJoinPrepare is done: JoinGroup may go.
    Prepared,
    /// JoinGroup or SyncGroup is on its way.
    Waiting,
    /// SyncGroup brought an assignment; onJoinComplete is due.
    Synced(Assignment),
    /// onJoinComplete is at work on what is assigned.
    Completing(Vec<TopicPartition>),
}

/// What the client knows of its coordinator.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum CoordinatorKnown {
    No,
    /// FindCoordinator is on its way.
    Asking,
    Yes(BrokerId),
}

/// A request to the coordinator that waits for its answer.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Call {
    pub kind: CallKind,
    pub number: u32,
    /// The generation when it was sent; answers for an older one are ignored.
    pub generation: i32,
    pub deadline: Instant,
}

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum CallKind {
    Join,
    Sync,
    Heartbeat,
    Leave,
    Commit(CommitKind),
    /// A commit whose caller has stopped waiting.
    AbandonedCommit,
    OffsetFetch,
}

#[derive(Debug)]
pub struct Membership {
    pub state: MemberState,
    /// -1 without one.
    pub generation: i32,
    pub member: Option<MemberId>,
    pub protocol: Option<Name>,
    /// What `sticky` gave out last and in which generation: the assignor keeps it, whatever becomes of the membership.
    pub last_assigned: Option<(Vec<TopicPartition>, i32)>,
    pub leader: bool,
    pub rejoin_needed: bool,
    /// onJoinPrepare has to run before the next JoinGroup.
    pub needs_prepare: bool,
    pub rejoin: Rejoin,
    pub coordinator: CoordinatorKnown,
    pub heartbeat: Deadline,
    /// The client's own session timer: no successful heartbeat answer until then.
    pub session_ends: Instant,
    /// The partition counts of the group's topics that the leader made its last assignment with.
    pub assigned_counts: Option<Vec<(TopicId, u32)>>,
    /// Requests to the coordinator, in order.
    pub calls: VecDeque<Call>,
    /// Until when onJoinPrepare tries to commit; after that it goes on without (rebalance timeout).
    pub prepare_until: Option<Instant>,
    /// No further attempt to join before then.
    pub join_not_before: Instant,
    /// Requests to a coordinator so far.
    pub called: u32,
}

impl Membership {
    pub fn new() -> Self {
        Membership {
            state: MemberState::Unjoined,
            generation: -1,
            member: None,
            protocol: None,
            last_assigned: None,
            leader: false,
            rejoin_needed: true,
            needs_prepare: true,
            rejoin: Rejoin::Idle,
            coordinator: CoordinatorKnown::No,
            heartbeat: Deadline::NONE,
            session_ends: Instant::NEVER,
            assigned_counts: None,
            calls: VecDeque::new(),
            prepare_until: None,
            join_not_before: Instant::ZERO,
            called: 0,
        }
    }

    /// The generation is void (`resetStateAndRejoin`): the next JoinGroup starts anew, and what is owned is lost.
    pub fn reset(&mut self, keep_member: bool) {
        self.state = MemberState::Unjoined;
        self.generation = -1;
        if !keep_member {
            self.member = None;
        }
        self.rejoin_needed = true;
        self.needs_prepare = true;
        self.rejoin = Rejoin::Idle;
        self.heartbeat.disarm();
    }

    /// `StickyAssignor.onAssignment`, if that is what the group runs.
    pub fn remember_assigned(&mut self, partitions: Vec<TopicPartition>) {
        if self.protocol.as_deref() == Some(Assignor::Sticky.name()) {
            self.last_assigned = Some((partitions, self.generation));
        }
    }

    /// Whether what it owns is lost rather than revoked: no valid generation.
    pub fn is_void(&self) -> bool {
        self.generation < 0 || self.member.is_none()
    }

    pub fn rejoin_needed_or_pending(&self) -> bool {
        self.rejoin_needed || self.rejoin != Rejoin::Idle
    }

    /// This call is the one that was answered. An older one of its sort may have been lost on its way.
    pub fn prefer(&mut self, number: u32) {
        if let Some(at) = self.calls.iter().position(|call| call.number == number)
            && let Some(call) = self.calls.remove(at)
        {
            self.calls.push_front(call);
        }
    }

    /// Takes the oldest waiting call of one sort off the list. Answers on one connection come in order.
    pub fn answered(&mut self, is: impl Fn(CallKind) -> bool) -> Option<Call> {
        let at = self.calls.iter().position(|call| is(call.kind))?;
        self.calls.remove(at)
    }
}

impl Default for Membership {
    fn default() -> Self {
        Membership::new()
    }
}

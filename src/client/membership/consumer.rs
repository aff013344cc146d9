//! What a member of the KIP-848 protocol knows about its membership (AbstractMembershipManager, ConsumerMembershipManager,
//! ConsumerHeartbeatRequestManager's sent fields).
//!
//! Data and small questions about it. Who sends what, and which thread runs which step, is the consumer's business.

use crate::terms::Name;
use crate::units::{Instant, Span, TopicPartition};

/// `org.apache.kafka.clients.consumer.internals.MemberState`, as far as a consumer is seen in it.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum State {
    /// The next heartbeat joins, or it is on its way.
    Joining,
    /// The target differs from what the member has.
    Reconciling,
    /// The next heartbeat tells what the member has from here on.
    Acknowledging,
    Stable,
    /// The coordinator does not know this member, or not at this epoch; onPartitionsLost is due.
    Fenced,
    /// It left by max.poll.interval.ms; onPartitionsLost is due.
    Stale,
    /// close() has begun to give everything up.
    PrepareLeaving,
}

/// From where a state may be entered. A member that closes may still be fenced or be late.
pub const fn legal_origins(to: State) -> &'static [State] {
    use State::{Acknowledging, Fenced, Joining, PrepareLeaving, Reconciling, Stable, Stale};
    match to {
        Joining => &[Fenced, Stale],
        Reconciling => &[Joining, Acknowledging, Stable],
        Acknowledging => &[Reconciling],
        Stable => &[Joining, Reconciling, Acknowledging],
        Fenced | Stale => &[Joining, Reconciling, Acknowledging, Stable, PrepareLeaving],
        PrepareLeaving => &[Joining, Reconciling, Acknowledging, Stable],
    }
}

impl State {
    /// Takes assignments.
    pub fn is_in_group(self) -> bool {
        match self {
            State::Joining | State::Reconciling | State::Acknowledging | State::Stable => true,
            State::Fenced | State::Stale | State::PrepareLeaving => false,
        }
    }

    /// A heartbeat of this state waits neither for the interval nor for a back-off.
    pub fn is_urgent(self) -> bool {
        match self {
            State::Joining | State::Acknowledging => true,
            State::Reconciling | State::Stable | State::Fenced | State::Stale | State::PrepareLeaving => false,
        }
    }
}

/// How far a member is on its way to a target.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reconciliation {
    pub step: Step,
    /// What it will have.
    pub target: Vec<TopicPartition>,
    pub revoked: Vec<TopicPartition>,
    pub added: Vec<TopicPartition>,
}

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// The auto-commit is on its way, or is to be tried again until the deadline.
    Committing { gives_up: Instant },
    /// onPartitionsRevoked is due.
    Revoking,
    /// The rebalance listener is at work.
    Listening,
    /// The assignment is to be replaced, and onPartitionsAssigned is due.
    Assigning,
}

/// Partitions that a member has; `None`: it was not assigned anything yet, not even nothing.
pub type Local = Option<Vec<TopicPartition>>;

#[derive(Debug)]
pub struct ConsumerMembership {
    state: State,
    /// What the coordinator wants it to have.
    pub target: Local,
    /// What it has; replaced at the end of a reconciliation.
    pub current: Local,
    pub reconciliation: Option<Reconciliation>,
    /// What the last heartbeat told of partitions; `None`: the next one tells everything.
    pub told: Option<Local>,
    /// From the coordinator; zero before its first answer.
    pub heartbeat_interval: Span,
    /// group.remote.assignor
    pub assignor: Option<Name>,
    /// When the application thread's passes are counted from: its last call of poll(), or its last step.
    pub pass_started: Instant,
    /// It has taken a step at that moment.
    pub stepped: bool,
    /// It sees what it is assigned from then on: until then it is in a pass that began before the network thread replaced the assignment.
    pub sees_from: Instant,
}

impl ConsumerMembership {
    pub fn new(assignor: Option<Name>) -> Self {
        ConsumerMembership {
            state: State::Joining,
            target: None,
            current: None,
            reconciliation: None,
            told: None,
            heartbeat_interval: Span::ZERO,
            assignor,
            pass_started: Instant::ZERO,
            stepped: false,
            sees_from: Instant::ZERO,
        }
    }

    pub fn state(&self) -> State {
        self.state
    }

    /// The only place where the state changes.
    fn transition(&mut self, to: State) {
        let from = self.state;
        assert!(legal_origins(to).contains(&from), "a member does not go from {from:?} to {to:?}");
        self.state = to;
    }

    /// Membership is over: there is no target, and nothing goes on towards one.
    pub fn fall_to(&mut self, state: State) {
        self.transition(state);
        self.target = None;
        self.reconciliation = None;
    }

    /// Everything anew, with nothing in hand.
    pub fn rejoin(&mut self) {
        self.fall_to(State::Joining);
        self.current = None;
        self.told = None;
    }

    /// A heartbeat goes out: an acknowledgement is made by sending it.
    pub fn heartbeat_sent(&mut self) {
        self.told = Some(self.current.clone());
        if self.state == State::Acknowledging {
            self.transition(self.settled_state());
        }
    }

    /// What it was led to is what it has; the next heartbeat says so.
    pub fn take_assignment(&mut self, assignment: Vec<TopicPartition>) {
        self.current = Some(assignment);
        self.transition(State::Acknowledging);
    }

    /// The coordinator says what it shall have. True if there is something to reconcile.
    pub fn take_target(&mut self, assignment: Vec<TopicPartition>) -> bool {
        self.target = Some(assignment);
        if self.reconciliation.is_some() {
            // What goes on is finished first; then the latest target counts.
            return false;
        }
        let settled = self.settled_state();
        if self.state == settled || self.state == State::Acknowledging && settled == State::Stable {
            return false;
        }
        self.transition(settled);
        settled == State::Reconciling
    }

    fn settled_state(&self) -> State {
        if self.target == self.current { State::Stable } else { State::Reconciling }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_legal_transitions() {
        let states =
            [State::Joining, State::Reconciling, State::Acknowledging, State::Stable, State::Fenced, State::Stale, State::PrepareLeaving];
        let row = |from: State| {
            let to: Vec<String> = states.into_iter().filter(|to| legal_origins(*to).contains(&from)).map(|to| format!("{to:?}")).collect();
            format!("{from:?} -> {}\n", to.join(", "))
        };
        insta::assert_snapshot!(states.into_iter().map(row).collect::<String>(), @r"
        Joining -> Reconciling, Stable, Fenced, Stale, PrepareLeaving
        Reconciling -> Acknowledging, Stable, Fenced, Stale, PrepareLeaving
        Acknowledging -> Reconciling, Stable, Fenced, Stale, PrepareLeaving
        Stable -> Reconciling, Fenced, Stale, PrepareLeaving
        Fenced -> Joining
        Stale -> Joining
        PrepareLeaving -> Fenced, Stale
        ");
    }

    #[test]
    #[should_panic(expected = "a member does not go from Stable to Acknowledging")]
    fn only_who_reconciles_has_something_to_acknowledge() {
        let mut member = ConsumerMembership::new(None);
        member.take_target(Vec::new());
        member.take_assignment(Vec::new());
        member.heartbeat_sent();
        member.take_assignment(Vec::new());
    }
}

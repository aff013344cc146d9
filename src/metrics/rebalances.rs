//! The rebalances of a group; of a classic one each with those for whom its join phase waited. KIP-848 groups: `epochs`.

use std::collections::BTreeSet;

use super::epochs::Epochs;
use super::{Rebalance, WaitEnd, Waited};
use crate::terms::{GroupProtocol, GroupState, RebalanceReason};
use crate::trace::TraceEvent;
use crate::units::{Instant, MemberId};

#[derive(Clone, Default, Debug)]
pub(super) struct Rebalances {
    pub list: Vec<Rebalance>,
    epochs: Epochs,
    members: BTreeSet<MemberId>,
    /// MEMBER_ID_REQUIRED was answered; such an id holds a join phase up like a member.
    pending: BTreeSet<MemberId>,
    /// Those that the current join phase still waits for.
    awaited: BTreeSet<MemberId>,
}

impl Rebalances {
    /// Takes the coordinator's facts about the members and states of this group; others do not concern it.
    pub fn record(&mut self, at: Instant, event: &TraceEvent) {
        self.epochs.record(at, event, &mut self.list);
        if let TraceEvent::GroupProtocolChanged { to, epoch, .. } = event {
            self.protocol_changed(at, *to, *epoch);
        } else if let TraceEvent::RebalanceStarted { reason, trigger, initial, .. } = event {
            self.started(at, *reason, *trigger, *initial);
        } else if let TraceEvent::JoinPhaseEnded { generation, leader, protocol, members, .. } = event
            && let Some(rebalance) = self.list.last_mut()
        {
            rebalance.joined = Some(at);
            rebalance.generation = Some(*generation);
            (rebalance.leader, rebalance.protocol, rebalance.members) = (*leader, protocol.clone(), *members);
        } else if let TraceEvent::GroupStateChanged { to, .. } = event {
            self.changed(at, *to);
        } else if let TraceEvent::MemberPending { member, .. } = event {
            self.pending(*member);
        } else if let TraceEvent::MemberAdded { member, .. } = event {
            self.pending.remove(member);
            self.members.insert(*member);
            // It is added because its JoinGroup is there.
            self.done(at, *member, WaitEnd::Rejoined);
        } else if let TraceEvent::MemberRejoined { member, .. } = event {
            self.done(at, *member, WaitEnd::Rejoined);
        } else if let TraceEvent::MemberReplaced { old, new, .. } = event {
            self.replaced(*old, *new);
        } else if let TraceEvent::MemberRemoved { member, reason, .. } | TraceEvent::PendingDropped { member, reason, .. } = event {
            self.members.remove(member);
            self.pending.remove(member);
            self.done(at, *member, WaitEnd::Removed(*reason));
        }
    }

    /// What the other protocol had going on is over.
    fn protocol_changed(&mut self, at: Instant, to: GroupProtocol, epoch: i32) {
        self.overtake(at);
        self.awaited.clear();
        self.pending.clear();
        self.epochs.protocol_changed(at, to, epoch);
    }

    fn overtake(&mut self, at: Instant) {
        if let Some(overtaken) = self.list.last_mut().filter(|rebalance| rebalance.ended.is_none()) {
            overtaken.ended = Some(at);
            overtaken.ended_in = Some(GroupState::PreparingRebalance);
        }
    }

    fn pending(&mut self, member: MemberId) {
        self.pending.insert(member);
        let rebalance = self.list.last();
        if rebalance.is_some_and(|rebalance| rebalance.joined.is_none() && rebalance.ended.is_none() && !rebalance.initial) {
            self.awaited.insert(member);
        }
    }

    fn replaced(&mut self, old: MemberId, new: MemberId) {
        self.members.remove(&old);
        self.members.insert(new);
        if self.awaited.remove(&old) {
            self.awaited.insert(new);
        }
    }

    fn started(&mut self, at: Instant, reason: RebalanceReason, trigger: Option<MemberId>, initial: bool) {
        self.overtake(at);
        // The initial delay waits for nobody in particular.
        self.awaited = if initial { BTreeSet::new() } else { self.members.union(&self.pending).copied().collect() };
        self.list.push(Rebalance {
            reason,
            group_protocol: GroupProtocol::Classic,
            trigger,
            started: at,
            joined: None,
            ended: None,
            ended_in: None,
            generation: None,
            leader: None,
            protocol: None,
            members: 0,
            initial,
            waited_for: Vec::new(),
        });
    }

    fn changed(&mut self, at: Instant, to: GroupState) {
        let Some(rebalance) = self.list.last_mut().filter(|rebalance| rebalance.ended.is_none()) else { return };
        match to {
            GroupState::Stable | GroupState::Empty | GroupState::Dead => {
                rebalance.ended = Some(at);
                rebalance.ended_in = Some(to);
            }
            // The next rebalance overtakes this one; it is told by itself.
            GroupState::PreparingRebalance | GroupState::CompletingRebalance => {}
        }
    }

    /// Nobody is waited for any longer who is done, whether the end of the join phase is told before or after. The joiner who starts a rebalance is
    /// done at once.
    fn done(&mut self, at: Instant, member: MemberId, how: WaitEnd) {
        if !self.awaited.remove(&member) {
            return;
        }
        let Some(rebalance) = self.list.last_mut().filter(|rebalance| rebalance.joined.is_none_or(|joined| joined == at)) else { return };
        if at > rebalance.started {
            rebalance.waited_for.push(Waited { member, lasted: at - rebalance.started, how });
        }
    }
}

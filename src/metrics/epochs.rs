//! The rebalances of a KIP-848 group: from a bump of its epoch until every member is at the target that was computed for it.

use std::collections::{BTreeMap, BTreeSet};

use super::{Rebalance, WaitEnd, Waited};
use crate::terms::{EpochReason, GroupProtocol, GroupState, MemberState, RebalanceReason, RemovalReason};
use crate::trace::TraceEvent;
use crate::units::{Instant, MemberId};

#[derive(Clone, Default, Debug)]
pub(super) struct Epochs {
    /// The members, each with the epoch at which it has all of its target.
    members: BTreeMap<MemberId, Option<i32>>,
    /// Whose way to the current target is not over.
    awaited: BTreeSet<MemberId>,
    target: i32,
    /// The group was a classic one, with members, until this moment.
    upgraded: Option<Instant>,
    /// Who was removed last.
    removed: Option<(MemberId, RemovalReason)>,
}

impl Epochs {
    pub fn record(&mut self, at: Instant, event: &TraceEvent, list: &mut Vec<Rebalance>) {
        if let TraceEvent::GroupEpochBumped { epoch, reason, trigger, .. } = event {
            self.bumped(at, *epoch, *reason, *trigger, list);
        } else if let TraceEvent::TargetComputed { epoch, assigned, .. } = event {
            self.target = *epoch;
            self.awaited = self.members.keys().copied().collect();
            if let Some(rebalance) = open(list) {
                rebalance.joined = Some(at);
                rebalance.members = assigned.len() as u32;
            }
        } else if let TraceEvent::MemberReconciled { member, epoch, state, .. } = event {
            self.members.insert(*member, (*state == MemberState::Stable).then_some(*epoch));
            self.reconciled(at, *member, list);
        } else if let TraceEvent::MemberAdded { member, .. } = event {
            self.members.insert(*member, None);
        } else if let TraceEvent::MemberReplaced { old, new, .. } = event {
            self.members.remove(old);
            self.members.insert(*new, None);
            if self.awaited.remove(old) {
                self.awaited.insert(*new);
            }
        } else if let TraceEvent::MemberRemoved { member, reason, .. } = event {
            self.members.remove(member);
            self.removed = Some((*member, *reason));
            self.done(at, *member, WaitEnd::Removed(*reason), list);
        }
    }

    /// The group runs the other protocol from here on. Classic members come along with all that they have.
    pub fn protocol_changed(&mut self, at: Instant, to: GroupProtocol, epoch: i32) {
        self.awaited.clear();
        self.target = epoch;
        self.members.values_mut().for_each(|settled| *settled = Some(epoch));
        self.upgraded = (to == GroupProtocol::Consumer && !self.members.is_empty()).then_some(at);
    }

    fn bumped(&mut self, at: Instant, epoch: i32, reason: EpochReason, trigger: Option<MemberId>, list: &mut Vec<Rebalance>) {
        if let Some(overtaken) = open(list) {
            (overtaken.ended, overtaken.ended_in) = (Some(at), Some(GroupState::PreparingRebalance));
        }
        let is_empty = self.members.is_empty();
        list.push(Rebalance {
            reason: if self.upgraded == Some(at) { RebalanceReason::Upgraded } else { self.reason(reason, trigger) },
            group_protocol: GroupProtocol::Consumer,
            trigger,
            started: at,
            joined: None,
            ended: is_empty.then_some(at),
            ended_in: is_empty.then_some(GroupState::Empty),
            generation: Some(epoch),
            leader: None,
            protocol: None,
            members: 0,
            initial: false,
            waited_for: Vec::new(),
        });
        self.awaited.clear();
    }

    fn reason(&self, reason: EpochReason, trigger: Option<MemberId>) -> RebalanceReason {
        let removed = self.removed.filter(|(member, _)| Some(*member) == trigger).map(|(_, reason)| reason);
        match reason {
            EpochReason::MemberJoined => RebalanceReason::MemberJoined,
            EpochReason::SubscriptionChanged => RebalanceReason::SubscriptionChanged,
            EpochReason::TopicsChanged => RebalanceReason::TopicsChanged,
            EpochReason::AssignorChanged => RebalanceReason::AssignorChanged,
            EpochReason::PatternResolved => RebalanceReason::PatternResolved,
            EpochReason::MemberRemoved => match removed {
                Some(RemovalReason::Left | RemovalReason::Forgotten) | None => RebalanceReason::MemberLeft,
                Some(RemovalReason::RevocationTimedOut) => RebalanceReason::RevocationTimedOut,
                Some(RemovalReason::SyncTimedOut) => RebalanceReason::SyncTimedOut,
                Some(RemovalReason::GroupFull) => RebalanceReason::GroupTooLarge,
                Some(RemovalReason::SessionExpired | RemovalReason::NewMemberTimedOut | RemovalReason::JoinTimedOut) => {
                    RebalanceReason::SessionExpired
                }
            },
        }
    }

    /// A member made a step; the rebalance is over when nobody has another one to make.
    fn reconciled(&mut self, at: Instant, member: MemberId, list: &mut [Rebalance]) {
        let target = Some(self.target);
        if self.members.get(&member) == Some(&target) {
            self.done(at, member, WaitEnd::Reconciled, list);
        }
        if self.members.values().all(|settled| *settled == target)
            && let Some(rebalance) = open(list).filter(|rebalance| rebalance.joined.is_some())
        {
            (rebalance.ended, rebalance.ended_in) = (Some(at), Some(GroupState::Stable));
        }
    }

    fn done(&mut self, at: Instant, member: MemberId, how: WaitEnd, list: &mut [Rebalance]) {
        if self.awaited.remove(&member)
            && let Some(rebalance) = open(list).filter(|rebalance| at > rebalance.started)
        {
            rebalance.waited_for.push(Waited { member, lasted: at - rebalance.started, how });
        }
    }
}

/// The rebalance that is going on.
fn open(list: &mut [Rebalance]) -> Option<&mut Rebalance> {
    list.last_mut().filter(|rebalance| rebalance.ended.is_none())
}

//! What must hold for a KIP-848 group as its coordinator tells it (ConsumerGroup, CurrentAssignmentBuilder): epochs only grow, a target gives
//! each partition to one member, and no partition is with two members, be it to be revoked.

use std::collections::{BTreeMap, BTreeSet};

use super::Findings;
use crate::trace::TraceEvent;
use crate::units::{GroupId, MemberId, TopicPartition};

#[derive(Clone, Default, Debug)]
pub(super) struct EpochRules {
    /// Of the group; `None`: it is none of this protocol.
    epoch: Option<i32>,
    /// Of the target.
    target: i32,
    /// To which epoch the group came when its last member had gone. Since 4.4 its target, which is empty, has that epoch, and nobody tells.
    emptied: Option<i32>,
    /// What each member has, or has still to give up.
    held: BTreeMap<MemberId, BTreeSet<TopicPartition>>,
    /// The epoch of each member that was led to one.
    reached: BTreeMap<MemberId, i32>,
}

impl EpochRules {
    pub fn are_in_use(&self) -> bool {
        self.epoch.is_some()
    }

    /// The group runs this protocol from here on; `held`: what its classic members bring along, as far as it is known.
    pub fn begin(epoch: i32, held: BTreeMap<MemberId, BTreeSet<TopicPartition>>) -> Self {
        EpochRules { epoch: Some(epoch), target: epoch, emptied: None, held, reached: BTreeMap::new() }
    }

    pub fn has_reached(&self, member: MemberId, epoch: i32) -> bool {
        self.reached.get(&member) == Some(&epoch)
    }

    pub fn record(&mut self, group: GroupId, event: &TraceEvent, findings: &mut Findings) {
        let group = group.0;
        if let TraceEvent::GroupEpochBumped { epoch, .. } = event {
            let before = self.epoch.replace(*epoch);
            findings
                .expect(before.is_none_or(|before| *epoch == before + 1), || format!("group {group}: epoch {epoch} follows {before:?}"));
            if self.held.is_empty() && self.reached.is_empty() {
                self.emptied = Some(*epoch);
            }
        } else if let TraceEvent::TargetComputed { epoch, assigned, .. } = event {
            let current = self.epoch;
            findings.expect(current == Some(*epoch), || format!("group {group}: a target of epoch {epoch} in epoch {current:?}"));
            self.target = *epoch;
            let mut seen = BTreeSet::new();
            for (member, partition) in assigned.iter().flat_map(|(member, share)| share.iter().map(move |partition| (member, partition))) {
                findings.expect(seen.insert(*partition), || {
                    format!("group {group}: the target of epoch {epoch} gives {partition:?} to {member:?} and to somebody else")
                });
            }
        } else if let TraceEvent::MemberReconciled { member, epoch, assigned, revoking, .. } = event {
            let target = self.target;
            self.epoch.get_or_insert(*epoch);
            // Since 4.3 a group begins at epoch 1 with an empty target, of which nothing is told.
            let is_untold = (target, *epoch) == (0, 1) || self.emptied == Some(*epoch);
            let has_nothing = assigned.is_empty() && revoking.is_empty();
            findings.expect(*epoch <= target || is_untold && has_nothing, || {
                format!("group {group}: {member:?} is at epoch {epoch}, its target at {target}")
            });
            self.reached.insert(*member, *epoch);
            self.reconciled(group, *member, assigned.iter().chain(revoking).copied().collect(), findings);
        } else if let TraceEvent::MemberRemoved { member, .. } = event {
            self.held.remove(member);
            self.reached.remove(member);
        } else if let TraceEvent::MemberReplaced { old, new, .. } = event
            && let Some(held) = self.held.remove(old)
        {
            self.held.insert(*new, held);
        }
    }

    fn reconciled(&mut self, group: u32, member: MemberId, held: BTreeSet<TopicPartition>, findings: &mut Findings) {
        for (other, theirs) in self.held.iter().filter(|(other, _)| **other != member) {
            let shared = || held.intersection(theirs).next();
            findings.expect(shared().is_none(), || format!("group {group}: {member:?} was given {:?}, which {other:?} has", shared()));
        }
        self.held.insert(member, held);
    }
}

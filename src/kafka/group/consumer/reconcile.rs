//! Reconciliation: the next step of one member towards its target.
//!
//! Pure: (what the member holds, target, what it says it owns, who owns what) in, what it holds next out. Revocation comes first: a member that
//! must give partitions up gets no others until it has said that they are gone. Origin: CurrentAssignmentBuilder (KIP-848).
//!
//! ```text
//!             target moved                    owned ∩ pending = ∅
//!   STABLE ────────────────▶ UNREVOKED ────────────────────────────┐
//!     ▲  ▲                    (old epoch)                           ▼
//!     │  └─────────────────────────────────────────────── keep ∪ free partitions
//!     └────── all free ────── UNRELEASED ◀──── some are still others' ──┘
//! ```

use std::collections::{BTreeMap, BTreeSet};

use crate::kafka::release::consumer::ConsumerSwitches;
use crate::terms::MemberState;
use crate::units::{TopicId, TopicPartition};

/// Partitions with the target epoch at which the member got each.
pub type Held = BTreeMap<TopicPartition, i32>;

/// What the coordinator has agreed with a member.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Holding {
    pub epoch: i32,
    /// The epoch before the last change: a member whose answer was lost may still come with it.
    pub previous_epoch: i32,
    pub state: MemberState,
    pub assigned: Held,
    /// Taken away, but not given up yet.
    pub pending_revocation: Held,
}

/// Where a member shall get to, and what is known on the way.
#[derive(Copy, Clone)]
pub struct Step<'a> {
    pub target_epoch: i32,
    pub target: &'a BTreeSet<TopicPartition>,
    /// The topics that the member is subscribed to.
    pub topics: &'a BTreeSet<TopicId>,
    /// These have just changed.
    pub topics_changed: bool,
    /// The owned partitions of the request; `None` if they are not in it.
    pub owned: Option<&'a [TopicPartition]>,
    pub switches: &'a ConsumerSwitches,
}

impl Holding {
    /// Of a member that just joined.
    pub const fn none() -> Holding {
        Holding { epoch: 0, previous_epoch: 0, state: MemberState::Stable, assigned: Held::new(), pending_revocation: Held::new() }
    }

    /// Assigned or not given up yet: nobody else may have these.
    pub fn partitions(&self) -> impl Iterator<Item = TopicPartition> + '_ {
        self.assigned.keys().chain(self.pending_revocation.keys()).copied()
    }

    pub fn is_reconciled_to(&self, epoch: i32) -> bool {
        self.state == MemberState::Stable && self.epoch == epoch
    }

    /// What the member holds after this step. `has_owner` tells whether anybody holds a partition, this member included.
    pub fn next(&self, step: &Step<'_>, has_owner: impl Fn(TopicPartition) -> bool) -> Holding {
        match self.state {
            MemberState::Stable if self.epoch != step.target_epoch => self.advance(self.epoch, step, has_owner),
            MemberState::Stable => self.within_subscription(step),
            MemberState::UnrevokedPartitions if step.still_owns(&self.pending_revocation) => self.within_subscription(step),
            MemberState::UnrevokedPartitions if step.switches.revoked_members_keep_their_epoch => self.advance(self.epoch, step, has_owner),
            MemberState::UnrevokedPartitions => self.advance(self.epoch + 1, step, has_owner),
            MemberState::UnreleasedPartitions => self.advance(self.epoch, step, has_owner),
        }
    }

    /// CurrentAssignmentBuilder#computeNextAssignment.
    fn advance(&self, epoch: i32, step: &Step<'_>, has_owner: impl Fn(TopicPartition) -> bool) -> Holding {
        let wanted = |partition: &TopicPartition| step.target.contains(partition) && step.counts(*partition);
        let (mut assigned, revoked): (Held, Held) = self.assigned.clone().into_iter().partition(|(partition, _)| wanted(partition));
        if !revoked.is_empty() && step.still_owns(&revoked) {
            let state = MemberState::UnrevokedPartitions;
            return Holding { epoch, previous_epoch: self.epoch, state, assigned, pending_revocation: revoked };
        }
        let is_free = |partition: &TopicPartition| {
            !has_owner(*partition) || step.switches.own_revocations_are_free && self.pending_revocation.contains_key(partition)
        };
        let missing = step.target.iter().copied().filter(|partition| wanted(partition) && !assigned.contains_key(partition));
        let (free, unreleased): (Vec<TopicPartition>, Vec<TopicPartition>) = missing.partition(is_free);
        assigned.extend(free.into_iter().map(|partition| (partition, step.target_epoch)));
        let state = if unreleased.is_empty() { MemberState::Stable } else { MemberState::UnreleasedPartitions };
        Holding { epoch: step.target_epoch, previous_epoch: self.epoch, state, assigned, pending_revocation: Held::new() }
    }

    /// CurrentAssignmentBuilder#updateCurrentAssignment: without moving on, partitions of topics that were unsubscribed are taken away.
    fn within_subscription(&self, step: &Step<'_>) -> Holding {
        if !step.switches.target_within_subscription || !step.topics_changed {
            return self.clone();
        }
        let (assigned, dropped): (Held, Held) = self.assigned.clone().into_iter().partition(|(partition, _)| step.counts(*partition));
        if dropped.is_empty() {
            return self.clone();
        }
        let mut pending_revocation = self.pending_revocation.clone();
        pending_revocation.extend(dropped);
        let previous_epoch = self.epoch;
        if step.still_owns(&pending_revocation) {
            let state = MemberState::UnrevokedPartitions;
            return Holding { epoch: self.epoch, previous_epoch, state, assigned, pending_revocation };
        }
        Holding { previous_epoch, assigned, ..self.clone() }
    }
}

impl Step<'_> {
    /// A member that does not say what it owns may still own everything.
    fn still_owns(&self, revoked: &Held) -> bool {
        self.owned.is_none_or(|owned| owned.iter().any(|partition| revoked.contains_key(partition)))
    }

    fn counts(&self, partition: TopicPartition) -> bool {
        !self.switches.target_within_subscription || self.topics.contains(&partition.topic)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::release::Release;

    const HERE: TopicId = TopicId(0);

    /// A member at epoch 2 whose target is that of epoch 5. Partitions are digits; `owned` of the request is `?` if it is not in it. `others`:
    /// what somebody else has.
    #[track_caller]
    fn check(release: Release, (state, assigned, pending): (MemberState, &str, &str), target: &str, owned: &str, others: &str, next: &str) {
        let held = |digits: &str| -> Held { partitions(digits).map(|partition| (partition, 2)).collect() };
        let before = Holding { epoch: 2, previous_epoch: 1, state, assigned: held(assigned), pending_revocation: held(pending) };
        let target: BTreeSet<TopicPartition> = partitions(target).collect();
        let owned: Option<Vec<TopicPartition>> = (owned != "?").then(|| partitions(owned).collect());
        let mine: BTreeSet<TopicPartition> = before.partitions().collect();
        let theirs: BTreeSet<TopicPartition> = partitions(others).collect();
        let step = Step {
            target_epoch: 5,
            target: &target,
            topics: &BTreeSet::from([HERE]),
            topics_changed: false,
            owned: owned.as_deref(),
            switches: &ConsumerSwitches::of(release),
        };
        let after = before.next(&step, |partition| mine.contains(&partition) || theirs.contains(&partition));
        assert_eq!(shown(&after), next);
        assert!(after.partitions().all(|partition| !theirs.contains(&partition)), "nothing is taken from others");
    }

    fn partitions(digits: &str) -> impl Iterator<Item = TopicPartition> {
        digits.chars().filter_map(|digit| digit.to_digit(10)).map(|partition| TopicPartition { topic: HERE, partition })
    }

    fn shown(holding: &Holding) -> String {
        let digits = |held: &Held| held.keys().map(|at| at.partition.to_string()).collect::<String>();
        let Holding { epoch, previous_epoch, state, assigned, pending_revocation } = holding;
        format!("{} {epoch}/{previous_epoch} [{}] -[{}]", state.name(), digits(assigned), digits(pending_revocation))
    }

    #[test]
    fn every_step_of_a_member() {
        use MemberState::{Stable, UnreleasedPartitions, UnrevokedPartitions};
        let table = [
            // state, assigned, pending; target, owned, others have; next
            (Stable, "", "", "01", "", "", "STABLE 5/2 [01] -[]"),
            (Stable, "01", "", "01", "?", "", "STABLE 5/2 [01] -[]"),
            (Stable, "0", "", "01", "?", "1", "UNRELEASED_PARTITIONS 5/2 [0] -[]"),
            (Stable, "0", "", "012", "?", "1", "UNRELEASED_PARTITIONS 5/2 [02] -[]"),
            (Stable, "012", "", "0", "?", "", "UNREVOKED_PARTITIONS 2/2 [0] -[12]"),
            // It has given them up already: no revocation is waited for.
            (Stable, "012", "", "0", "0", "", "STABLE 5/2 [0] -[]"),
            // Revocation comes first: 3 is free, but it has to wait.
            (Stable, "012", "", "03", "?", "", "UNREVOKED_PARTITIONS 2/2 [0] -[12]"),
            (UnrevokedPartitions, "0", "12", "03", "?", "", "UNREVOKED_PARTITIONS 2/1 [0] -[12]"),
            (UnrevokedPartitions, "0", "12", "03", "02", "", "UNREVOKED_PARTITIONS 2/1 [0] -[12]"),
            (UnrevokedPartitions, "0", "12", "03", "0", "", "STABLE 5/2 [03] -[]"),
            (UnrevokedPartitions, "0", "12", "03", "0", "3", "UNRELEASED_PARTITIONS 5/2 [0] -[]"),
            // The target wants back what it gave up.
            (UnrevokedPartitions, "0", "12", "01", "0", "", "STABLE 5/2 [01] -[]"),
            (UnreleasedPartitions, "0", "", "01", "?", "1", "UNRELEASED_PARTITIONS 5/2 [0] -[]"),
            (UnreleasedPartitions, "0", "", "01", "?", "", "STABLE 5/2 [01] -[]"),
            (UnreleasedPartitions, "01", "", "12", "?", "2", "UNREVOKED_PARTITIONS 2/2 [1] -[0]"),
        ];
        for (state, assigned, pending, target, owned, others, next) in table {
            check(Release::V4_4_0, (state, assigned, pending), target, owned, others, next);
        }
    }

    #[test]
    fn up_to_4_1_a_member_passes_its_own_epoch_plus_one_after_a_revocation() {
        let revoking = (MemberState::UnrevokedPartitions, "01", "2");
        check(Release::V4_1_2, revoking, "0", "01", "", "UNREVOKED_PARTITIONS 3/2 [0] -[1]");
        check(Release::V4_2_0, revoking, "0", "01", "", "UNREVOKED_PARTITIONS 2/2 [0] -[1]");
    }

    #[test]
    fn in_4_0_0_what_a_member_has_just_given_up_is_not_free_for_it() {
        let revoking = (MemberState::UnrevokedPartitions, "0", "1");
        check(Release::V4_0_0, revoking, "01", "0", "", "UNRELEASED_PARTITIONS 5/2 [0] -[]");
        check(Release::V4_0_2, revoking, "01", "0", "", "STABLE 5/2 [01] -[]");
    }

    #[test]
    fn since_4_2_partitions_of_an_unsubscribed_topic_go_before_there_is_a_new_target() {
        let held: Held = partitions("01").map(|partition| (partition, 5)).collect();
        let member = Holding { epoch: 5, previous_epoch: 2, assigned: held, ..Holding::none() };
        let target = partitions("01").collect();
        let nothing = BTreeSet::new();
        let next = |release, owned: Option<&[TopicPartition]>| {
            let switches = &ConsumerSwitches::of(release);
            let step = Step { target_epoch: 5, target: &target, topics: &nothing, topics_changed: true, owned, switches };
            shown(&member.next(&step, |_| true))
        };
        assert_eq!(next(Release::V4_1_2, None), "STABLE 5/2 [01] -[]");
        assert_eq!(next(Release::V4_2_0, None), "UNREVOKED_PARTITIONS 5/5 [] -[01]");
        assert_eq!(next(Release::V4_2_0, Some(&[])), "STABLE 5/5 [] -[]");
    }
}

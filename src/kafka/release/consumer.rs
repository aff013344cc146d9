//! What differs between releases in KIP-848 groups.

use crate::release::Release;

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct ConsumerSwitches {
    /// ConsumerGroupHeartbeat is answered at all (4.0). Up to 3.9 it is early access and off.
    pub available: bool,
    /// The upgrade of a classic group stores what its topics look like, so that it is no change later (4.0.1, 4.1).
    pub upgrade_stores_topics: bool,
    /// A partition that the member itself has still to give up is free for it (4.0.2, 4.1.2, 4.2).
    pub own_revocations_are_free: bool,
    /// A static member that comes back as a classic one and so ends the KIP-848 group starts a rebalance if its topics changed (4.0.2,
    /// 4.1.2, 4.2); before that it never did.
    pub downgrade_rebalances_changed_topics: bool,
    /// A member that has given its partitions up goes to the epoch of its target (4.2, KAFKA-19974); before that it passed its own epoch
    /// plus one on the way.
    pub revoked_members_keep_their_epoch: bool,
    /// Of the target only topics count that the member is subscribed to (4.2).
    pub target_within_subscription: bool,
    /// A known dynamic member may join again at any epoch (4.2, KAFKA-19233).
    pub members_may_rejoin: bool,
    /// Patterns are resolved again in group.consumer.regex.refresh.interval.ms, and not only when topics were created (4.1).
    pub patterns_are_refreshed: bool,
    /// A group starts at epoch 1 with an empty target (4.3, KAFKA-20268).
    pub starts_at_epoch_one: bool,
    /// Target computations keep an interval (4.3, KIP-1263).
    pub spaced_targets: bool,
    /// A commit at an older epoch is taken if the member has had the partitions since then (4.3, KIP-1251).
    pub commits_at_older_epochs: bool,
    /// Classic members rejoin when the target has moved on, not when the group has (4.3, KAFKA-20272).
    pub classic_members_follow_the_target: bool,
    /// The migration policy `disabled` keeps classic members out of a KIP-848 group (4.3.1, 4.4).
    pub disabled_refuses_classic_members: bool,
    /// A change of the group's preferred assignor bumps the group epoch (4.4).
    pub preferred_assignor_bumps: bool,
    /// A returning static member is let in although the group is full (4.4).
    pub static_members_return_to_full_groups: bool,
    /// The last member's leaving settles the target: the next one's is computed without waiting (4.4).
    pub last_leave_settles_target: bool,
    /// TxnOffsetCommit is told STALE_MEMBER_EPOCH as it is (4.4); before that ILLEGAL_GENERATION.
    pub transactions_are_told_stale_epochs: bool,
}

impl ConsumerSwitches {
    pub const fn of(release: Release) -> ConsumerSwitches {
        match release {
            Release::V2_8 | Release::V3_9 => ConsumerSwitches { available: false, ..V4_0_0 },
            Release::V4_0_0 => V4_0_0,
            Release::V4_0_1 => V4_0_1,
            Release::V4_1_0 => ConsumerSwitches { patterns_are_refreshed: true, ..V4_0_1 },
            Release::V4_0_2 => V4_0_2,
            Release::V4_1_2 => V4_1_2,
            Release::V4_2_0 | Release::V4_2_1 => V4_2,
            Release::V4_3_0 => V4_3_0,
            Release::V4_3_1 => V4_3_1,
            Release::V4_4_0 => ConsumerSwitches {
                preferred_assignor_bumps: true,
                static_members_return_to_full_groups: true,
                last_leave_settles_target: true,
                transactions_are_told_stale_epochs: true,
                ..V4_3_1
            },
        }
    }

    /// Those that are on, by name.
    pub fn names(&self) -> Vec<&'static str> {
        let all = [
            (self.available, "available"),
            (self.upgrade_stores_topics, "upgrade_stores_topics"),
            (self.own_revocations_are_free, "own_revocations_are_free"),
            (self.downgrade_rebalances_changed_topics, "downgrade_rebalances_changed_topics"),
            (self.revoked_members_keep_their_epoch, "revoked_members_keep_their_epoch"),
            (self.target_within_subscription, "target_within_subscription"),
            (self.members_may_rejoin, "members_may_rejoin"),
            (self.patterns_are_refreshed, "patterns_are_refreshed"),
            (self.starts_at_epoch_one, "starts_at_epoch_one"),
            (self.spaced_targets, "spaced_targets"),
            (self.commits_at_older_epochs, "commits_at_older_epochs"),
            (self.classic_members_follow_the_target, "classic_members_follow_the_target"),
            (self.disabled_refuses_classic_members, "disabled_refuses_classic_members"),
            (self.preferred_assignor_bumps, "preferred_assignor_bumps"),
            (self.static_members_return_to_full_groups, "static_members_return_to_full_groups"),
            (self.last_leave_settles_target, "last_leave_settles_target"),
            (self.transactions_are_told_stale_epochs, "transactions_are_told_stale_epochs"),
        ];
        all.into_iter().filter_map(|(on, name)| on.then_some(name)).collect()
    }
}

const V4_0_0: ConsumerSwitches = ConsumerSwitches {
    available: true,
    upgrade_stores_topics: false,
    own_revocations_are_free: false,
    downgrade_rebalances_changed_topics: false,
    revoked_members_keep_their_epoch: false,
    target_within_subscription: false,
    members_may_rejoin: false,
    patterns_are_refreshed: false,
    starts_at_epoch_one: false,
    spaced_targets: false,
    commits_at_older_epochs: false,
    classic_members_follow_the_target: false,
    disabled_refuses_classic_members: false,
    preferred_assignor_bumps: false,
    static_members_return_to_full_groups: false,
    last_leave_settles_target: false,
    transactions_are_told_stale_epochs: false,
};

const V4_0_1: ConsumerSwitches = ConsumerSwitches { upgrade_stores_topics: true, ..V4_0_0 };

const V4_0_2: ConsumerSwitches = ConsumerSwitches { own_revocations_are_free: true, downgrade_rebalances_changed_topics: true, ..V4_0_1 };

const V4_1_2: ConsumerSwitches = ConsumerSwitches { patterns_are_refreshed: true, ..V4_0_2 };

const V4_2: ConsumerSwitches =
    ConsumerSwitches { revoked_members_keep_their_epoch: true, target_within_subscription: true, members_may_rejoin: true, ..V4_1_2 };

const V4_3_0: ConsumerSwitches = ConsumerSwitches {
    starts_at_epoch_one: true,
    spaced_targets: true,
    commits_at_older_epochs: true,
    classic_members_follow_the_target: true,
    ..V4_2
};

const V4_3_1: ConsumerSwitches = ConsumerSwitches { disabled_refuses_classic_members: true, ..V4_3_0 };

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_release_keeps_what_its_predecessor_brought() {
        let mut before: Vec<&str> = Vec::new();
        let mut table = String::new();
        for release in
            [Release::V4_0_0, Release::V4_0_1, Release::V4_0_2, Release::V4_2_1, Release::V4_3_0, Release::V4_3_1, Release::V4_4_0]
        {
            let now = ConsumerSwitches::of(release).names();
            assert!(before.iter().all(|name| now.contains(name)), "{release:?}");
            let brought: Vec<&str> = now.iter().copied().filter(|name| !before.contains(name)).collect();
            table += &format!("{}: {}\n", release.name(), brought.join(" "));
            before = now;
        }
        insta::assert_snapshot!(table, @r"
        4.0.0: available
        4.0.1: upgrade_stores_topics
        4.0.2: own_revocations_are_free downgrade_rebalances_changed_topics
        4.2.1: revoked_members_keep_their_epoch target_within_subscription members_may_rejoin patterns_are_refreshed
        4.3.0: starts_at_epoch_one spaced_targets commits_at_older_epochs classic_members_follow_the_target
        4.3.1: disabled_refuses_classic_members
        4.4.0: preferred_assignor_bumps static_members_return_to_full_groups last_leave_settles_target transactions_are_told_stale_epochs
        ");
        let with_refresh = |release| ConsumerSwitches { patterns_are_refreshed: true, ..ConsumerSwitches::of(release) };
        assert_eq!(ConsumerSwitches::of(Release::V4_1_0), with_refresh(Release::V4_0_1));
        assert_eq!(ConsumerSwitches::of(Release::V4_1_2), with_refresh(Release::V4_0_2));
        assert!(!ConsumerSwitches::of(Release::V3_9).available);
    }
}

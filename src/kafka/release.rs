//! What differs between releases in the brokers' rules: one named switch each, one table for all releases.
//!
//! A rule asks its switch and never compares versions. The classic protocol's states, timers and answers are the same from 2.8 to 4.4 but for
//! what stands here.

use crate::release::Release;
use crate::units::Span;

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Switches {
    /// KIP-848, the rewritten coordinator (CoordinatorRuntime): one queue of events per shard. An operation that writes nothing is answered
    /// only after every write that is open before it, and the LeaveGroup of a last member waits until the empty group is stored. The old
    /// coordinator answers both at once.
    pub empty_operations_wait: bool,
    /// group.coordinator.append.linger.ms: how long the runtime gathers records before it appends them. 5 ms in 4.0 and 4.1; -1 since
    /// 4.2: an idle shard does not linger.
    pub append_linger: Span,
    /// KAFKA-12890 (3.0): a member that was given a generation and never sends SyncGroup is removed after the rebalance timeout.
    pub sync_timer: bool,
    /// The newest JoinGroup version; 9 (KIP-814, 3.2) lets a returning static leader skip the assignment.
    pub join_group_version: u16,
    /// KIP-848: OffsetCommit v9 with a generation for a missing group is GROUP_ID_NOT_FOUND, else ILLEGAL_GENERATION.
    pub missing_group_is_not_found: bool,
    /// An Empty group without committed offsets outlives the expiry check while a transaction is open on it. The rewrite lost this and
    /// 4.0.1 brought it back.
    pub open_transactions_keep_the_group: bool,
    /// OffsetFetch of all partitions with requireStable lists those that have nothing but pending offsets, as unstable (4.0.2, 4.1).
    pub fetch_all_lists_pending: bool,
}

impl Switches {
    pub const fn of(release: Release) -> Switches {
        match release {
            Release::V2_8 => Switches { sync_timer: false, join_group_version: 7, ..OLD_COORDINATOR },
            Release::V3_9 => OLD_COORDINATOR,
            Release::V4_0_0 => Switches { open_transactions_keep_the_group: false, fetch_all_lists_pending: false, ..LINGERING },
            Release::V4_0_1 => Switches { fetch_all_lists_pending: false, ..LINGERING },
            Release::V4_0_2 | Release::V4_1_0 | Release::V4_1_2 => LINGERING,
            Release::V4_2_0 | Release::V4_2_1 | Release::V4_3_0 | Release::V4_3_1 | Release::V4_4_0 => NEWEST,
        }
    }
}

const NEWEST: Switches = Switches {
    empty_operations_wait: true,
    append_linger: Span::ZERO,
    sync_timer: true,
    join_group_version: 9,
    missing_group_is_not_found: true,
    open_transactions_keep_the_group: true,
    fetch_all_lists_pending: true,
};

const LINGERING: Switches = Switches { append_linger: Span::from_millis(5), ..NEWEST };

const OLD_COORDINATOR: Switches =
    Switches { empty_operations_wait: false, missing_group_is_not_found: false, fetch_all_lists_pending: false, ..NEWEST };

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_releases() {
        let table: String = Release::ALL.into_iter().map(|release| row(release.name(), Switches::of(release))).collect();
        insta::assert_snapshot!(table, @r"
        2.8: linger 0ms, JoinGroup v7, open_transactions_keep_the_group
        3.9: linger 0ms, JoinGroup v9, sync_timer open_transactions_keep_the_group
        4.0.0: linger 5ms, JoinGroup v9, empty_operations_wait sync_timer missing_group_is_not_found
        4.0.1: linger 5ms, JoinGroup v9, empty_operations_wait sync_timer missing_group_is_not_found open_transactions_keep_the_group
        4.0.2: linger 5ms, JoinGroup v9, empty_operations_wait sync_timer missing_group_is_not_found open_transactions_keep_the_group fetch_all_lists_pending
        4.1.0: linger 5ms, JoinGroup v9, empty_operations_wait sync_timer missing_group_is_not_found open_transactions_keep_the_group fetch_all_lists_pending
        4.1.2: linger 5ms, JoinGroup v9, empty_operations_wait sync_timer missing_group_is_not_found open_transactions_keep_the_group fetch_all_lists_pending
        4.2.0: linger 0ms, JoinGroup v9, empty_operations_wait sync_timer missing_group_is_not_found open_transactions_keep_the_group fetch_all_lists_pending
        4.2.1: linger 0ms, JoinGroup v9, empty_operations_wait sync_timer missing_group_is_not_found open_transactions_keep_the_group fetch_all_lists_pending
        4.3.0: linger 0ms, JoinGroup v9, empty_operations_wait sync_timer missing_group_is_not_found open_transactions_keep_the_group fetch_all_lists_pending
        4.3.1: linger 0ms, JoinGroup v9, empty_operations_wait sync_timer missing_group_is_not_found open_transactions_keep_the_group fetch_all_lists_pending
        4.4.0: linger 0ms, JoinGroup v9, empty_operations_wait sync_timer missing_group_is_not_found open_transactions_keep_the_group fetch_all_lists_pending
        ");
    }

    fn row(name: &str, switches: Switches) -> String {
        let Switches {
            empty_operations_wait,
            append_linger,
            sync_timer,
            join_group_version,
            missing_group_is_not_found,
            open_transactions_keep_the_group,
            fetch_all_lists_pending,
        } = switches;
        let on: Vec<&str> = [
            (empty_operations_wait, "empty_operations_wait"),
            (sync_timer, "sync_timer"),
            (missing_group_is_not_found, "missing_group_is_not_found"),
            (open_transactions_keep_the_group, "open_transactions_keep_the_group"),
            (fetch_all_lists_pending, "fetch_all_lists_pending"),
        ]
        .into_iter()
        .filter_map(|(on, name)| on.then_some(name))
        .collect();
        format!("{name}: linger {append_linger}, JoinGroup v{join_group_version}, {}\n", on.join(" "))
    }
}

//! What differs between releases in the brokers' rules: one named switch each, one table for all releases.
//!
//! A rule asks its switch and never compares versions. The classic protocol's states, timers and answers are the same in all releases but for
//! what stands here.
//!
//! Not modelled: what else the coordinators of 2.8 and 3.9 did otherwise. Their classic groups differ from those of 4.x by settings only.

use crate::release::Release;
use crate::units::Span;

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Switches {
    /// group.coordinator.append.linger.ms: how long the runtime gathers records before it appends them. 5 ms in 4.0 and 4.1; -1 since
    /// 4.2: an idle shard does not linger. The coordinators up to 3.9 have no such setting and do not linger.
    pub append_linger: Span,
    /// An Empty group without committed offsets outlives the expiry check while a transaction is open on it. 4.0.0 alone deletes it.
    pub open_transactions_keep_the_group: bool,
    /// OffsetFetch of all partitions with requireStable lists those that have nothing but pending offsets, as unstable (4.0.2, 4.1).
    pub fetch_all_lists_pending: bool,
    /// The broker's assignor `uniform` leaves an extra partition with a member that has it. 4.0.0 alone gives them to the first members.
    pub uniform_extras_stay: bool,
}

impl Switches {
    pub const fn of(release: Release) -> Switches {
        match release {
            Release::V4_0_0 => Switches {
                open_transactions_keep_the_group: false,
                fetch_all_lists_pending: false,
                uniform_extras_stay: false,
                ..LINGERING
            },
            Release::V4_0_1 => Switches { fetch_all_lists_pending: false, ..LINGERING },
            Release::V4_0_2 | Release::V4_1_0 | Release::V4_1_2 => LINGERING,
            Release::V2_8 | Release::V3_9 | Release::V4_2_0 | Release::V4_2_1 | Release::V4_3_0 | Release::V4_3_1 | Release::V4_4_0 => {
                NOT_LINGERING
            }
        }
    }
}

const NOT_LINGERING: Switches = Switches {
    append_linger: Span::ZERO,
    open_transactions_keep_the_group: true,
    fetch_all_lists_pending: true,
    uniform_extras_stay: true,
};

const LINGERING: Switches = Switches { append_linger: Span::from_millis(5), ..NOT_LINGERING };

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_releases() {
        let table: String = Release::ALL.into_iter().map(|release| row(release.name(), Switches::of(release))).collect();
        insta::assert_snapshot!(table, @r"
        2.8: linger 0ms, open_transactions_keep_the_group fetch_all_lists_pending uniform_extras_stay
        3.9: linger 0ms, open_transactions_keep_the_group fetch_all_lists_pending uniform_extras_stay
        4.0.0: linger 5ms,
        4.0.1: linger 5ms, open_transactions_keep_the_group uniform_extras_stay
        4.0.2: linger 5ms, open_transactions_keep_the_group fetch_all_lists_pending uniform_extras_stay
        4.1.0: linger 5ms, open_transactions_keep_the_group fetch_all_lists_pending uniform_extras_stay
        4.1.2: linger 5ms, open_transactions_keep_the_group fetch_all_lists_pending uniform_extras_stay
        4.2.0: linger 0ms, open_transactions_keep_the_group fetch_all_lists_pending uniform_extras_stay
        4.2.1: linger 0ms, open_transactions_keep_the_group fetch_all_lists_pending uniform_extras_stay
        4.3.0: linger 0ms, open_transactions_keep_the_group fetch_all_lists_pending uniform_extras_stay
        4.3.1: linger 0ms, open_transactions_keep_the_group fetch_all_lists_pending uniform_extras_stay
        4.4.0: linger 0ms, open_transactions_keep_the_group fetch_all_lists_pending uniform_extras_stay
        ");
    }

    fn row(name: &str, switches: Switches) -> String {
        let Switches { append_linger, open_transactions_keep_the_group, fetch_all_lists_pending, uniform_extras_stay } = switches;
        let on: Vec<&str> = [
            (open_transactions_keep_the_group, "open_transactions_keep_the_group"),
            (fetch_all_lists_pending, "fetch_all_lists_pending"),
            (uniform_extras_stay, "uniform_extras_stay"),
        ]
        .into_iter()
        .filter_map(|(on, name)| on.then_some(name))
        .collect();
        format!("{name}: linger {append_linger}, {}", on.join(" ")).trim_end().to_owned() + "\n"
    }
}

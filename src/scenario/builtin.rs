//! The scenarios that are built into the program, so that `groupsim run consumer-crash` works from anywhere.

/// A scenario's name and its text.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Builtin {
    pub name: &'static str,
    pub text: &'static str,
}

macro_rules! builtins {
    ($($name:literal,)+) => {
        /// In the order in which they are best read.
        pub const ALL: &[Builtin] = &[$(Builtin { name: $name, text: include_str!(concat!("../../scenarios/", $name, ".yaml")) },)+];
    };
}

builtins! {
    "scaling-problem",
    "scaled-out",
    "two-consumers",
    "five-partitions-three-consumers",
    "idle-standby",
    "independent-groups",
    "consumer-crash",
    "consumer-restart",
    "auto-commit-crash",
    "auto-commit-race",
    "commit-every-batch-crash",
    "ghost-member",
    "ghost-member-cooperative",
    "ghost-pending",
    "gc-pause-kicked",
    "zombie-pause",
    "slow-member-blocks-eager",
    "slow-member-by-protocol",
    "slow-member-without-listener",
    "cooperative-join",
    "new-member-times-out",
    "cooperative-leave",
    "upgrade-to-cooperative",
    "busy-member-cooperative",
    "commit-during-rebalance",
    "commit-by-name",
    "sigterm-mid-rebalance",
    "rolling-deploy",
    "static-restart",
    "static-restart-too-late",
    "static-max-poll",
    "static-duplicate",
    "static-crash-by-protocol",
    "thundering-herd",
    "thundering-herd-no-delay",
    "range-skew",
    "idle-member-joins",
    "slow-revocation",
    "lost-leave-group",
    "zombie-network-partition",
    "coordinator-failover",
    "order-processor",
    "slow-handler",
    "slow-handler-fixed",
    "slow-handler-by-listener",
    "hot-partition",
    "partition-growth",
    "new-partitions-latest-loses",
    "stale-leader",
    "heterogeneous-subscriptions",
    "pattern-subscription",
    "topic-recreated",
    "consumer-protocol-join",
    "eager-vs-cooperative-vs-consumer",
    "migrate-to-consumer-protocol",
    "migrate-back-to-classic",
}

pub fn find(name: &str) -> Option<Builtin> {
    ALL.iter().find(|builtin| builtin.name == name).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario;

    #[test]
    fn the_list_is_what_the_directory_has() {
        let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios");
        let entries = std::fs::read_dir(directory).expect("the directory of the scenarios");
        let files = entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("a name in UTF-8"));
        let mut on_disk: Vec<String> = files.filter_map(|file| file.strip_suffix(".yaml").map(str::to_owned)).collect();
        on_disk.sort();
        let mut listed: Vec<&str> = ALL.iter().map(|builtin| builtin.name).collect();
        listed.sort_unstable();
        assert_eq!(listed, on_disk);
    }

    #[test]
    fn every_one_is_valid_without_a_warning_and_says_what_it_teaches() {
        for builtin in ALL {
            let (scenario, warnings) = scenario::load(builtin.text, builtin.name).unwrap_or_else(|problems| panic!("{problems}"));
            assert_eq!(scenario.name, builtin.name);
            assert!(warnings.list.is_empty(), "{warnings}");
            assert!(scenario.about.is_some() && scenario.lesson.is_some() && !scenario.expect.is_empty(), "{}", builtin.name);
            assert!(builtin.text.starts_with("# yaml-language-server: $schema=./scenario.schema.json\n"), "{}", builtin.name);
        }
    }
}

//! The cooperative way to rebalance (KIP-429).

use crate::story::play;
use crate::{TWO_MEMBERS, two_members};

fn cooperative(scenario: &str) -> String {
    scenario.replace("[range]", "[cooperative-sticky]")
}

#[test]
fn a_second_member_joins_a_cooperative_group_in_two_rebalances() {
    let story = play(&format!("{}\n        duration: 25s\n", cooperative(&TWO_MEMBERS.replace(", M3: {start: 25s}", ""))));
    story.shows(&[
        (3003, "g", "generation 1 has 1 member, leader M1, protocol cooperative-sticky"),
        (3004, "M1", "generation 1 is to be: M1 t-0..3"),
        (3006, "M1", "assigned t-0..3 as M1 in generation 1"),
        (10_003, "g", "Stable -> PreparingRebalance"),
        (12_005, "g", "heartbeat of M1: REBALANCE_IN_PROGRESS"),
        (12_006, "M1", "noticed the rebalance"),
        (12_007, "g", "committed t-0 at "),
        (12_008, "M1", "JoinGroup sent as M1"),
        (12_009, "g", "generation 2 has 2 members"),
        (12_010, "M1", "generation 2 is to be: M1 t-0..1; M2 nothing"),
        (12_011, "g", "CompletingRebalance -> Stable"),
        (12_012, "M1", "revoked t-2..3"),
        (12_012, "M1", "assigned nothing as M1 in generation 2"),
        (12_012, "M2", "assigned nothing as M2 in generation 2"),
        (12_013, "g", "committed t-0 at "),
        (12_014, "M1", "JoinGroup sent as M1"),
        (12_015, "g", "Stable -> PreparingRebalance"),
        (15_011, "g", "heartbeat of M2: REBALANCE_IN_PROGRESS"),
        (15_012, "M2", "JoinGroup sent as M2"),
        (15_013, "g", "generation 3 has 2 members"),
        (15_014, "M1", "generation 3 is to be: M1 t-0..1; M2 t-2..3"),
        (15_015, "g", "CompletingRebalance -> Stable"),
        (15_016, "M1", "assigned nothing as M1 in generation 3"),
        (15_016, "M2", "assigned t-2..3 as M2 in generation 3"),
        (15_018, "M2", "fetches t-2 from "),
        (18_015, "g", "heartbeat of M1: NONE"),
    ]);
    let heartbeats = story.millis("g", "heartbeat of M1: ");
    assert!(!heartbeats.iter().any(|at| (12_014..18_015).contains(at)), "none while its JoinGroup is parked: {heartbeats:?}");
    assert!(story.millis("M1", "revocation pending").is_empty(), "nothing stops before it is known what goes");
    assert_eq!(story.millis("M1", "fetches t-0 from"), [3010], "what it keeps is fetched on and on");
}

#[test]
fn a_leaver_costs_a_cooperative_group_one_rebalance() {
    let story = play(&format!(
        "{}\n        duration: 40s\n        timeline: [{{at: 30s, stop: g/M2}}]\n",
        cooperative(&TWO_MEMBERS.replace(", M3: {start: 25s}", ""))
    ));
    // M2 stops with everything committed; M1 notices at its heartbeat of 30014 and keeps its own partitions meanwhile.
    story.shows(&[
        (30_002, "M2", "revoked t-2..3"),
        (30_003, "g", "M2 removed, left"),
        (30_003, "g", "Stable -> PreparingRebalance"),
        (30_015, "g", "heartbeat of M1: REBALANCE_IN_PROGRESS"),
        (30_018, "M1", "JoinGroup sent as M1"),
        (30_019, "g", "generation 4 has 1 member"),
        (30_022, "M1", "assigned t-2..3 as M1 in generation 4"),
        (30_024, "M1", "fetches t-2 from "),
    ]);
    assert_eq!(story.millis("g", "Stable -> PreparingRebalance").len(), 3, "two for M2's coming, one for its going");
}

#[test]
fn a_ghost_delays_a_cooperative_group_and_stops_nobody() {
    let story = play(&format!("{}\n        duration: 70s\n        timeline: [{{at: 21s, crash: g/M2}}]\n", cooperative(TWO_MEMBERS)));
    story.shows(&[
        // M2's last contact is its auto-commit of 15016 + 5000; M1's prepare-commit is the last one until the ghost is gone.
        (20_017, "g", "committed t-2 at "),
        (21_000, "M2", "crashed"),
        (25_003, "g", "Stable -> PreparingRebalance"),
        (27_015, "g", "heartbeat of M1: REBALANCE_IN_PROGRESS"),
        (27_017, "g", "committed t-0 at "),
        (27_018, "M1", "JoinGroup sent as M1"),
        (65_017, "g", "M2 removed, session expired"),
        (65_017, "g", "generation 4 has 2 members"),
        (65_018, "M1", "generation 4 is to be: M1 t-0..1; M3 t-2..3"),
        (65_020, "M3", "assigned t-2..3"),
    ]);
    assert!(story.millis("M1", "revoked").iter().all(|at| *at < 20_000), "M1 keeps what it has");
    let commits = story.millis("g", "committed t-0");
    assert!(!commits.iter().any(|at| (27_018..65_020).contains(at)), "no commit while its JoinGroup is parked: {commits:?}");
}

#[test]
fn a_list_with_an_eager_assignor_makes_the_client_eager() {
    let story = two_members("\n        duration: 20s\n");
    let mixed = play(&format!(
        "{}\n        duration: 20s\n",
        TWO_MEMBERS.replace(", M3: {start: 25s}", "").replace("[range]", "[range, cooperative-sticky]")
    ));
    let told = |story: &crate::story::Story| -> Vec<(u64, String)> {
        story.0.iter().map(|line| (line.nanos, format!("{} {}", line.actor, line.what))).collect()
    };
    assert_eq!(told(&mixed), told(&story), "the default list is eager range");
}

#[test]
fn members_with_nothing_in_common_cannot_be_in_one_group() {
    let story = play(&format!(
        "{}\n        duration: 20s\n",
        TWO_MEMBERS
            .replace(", M3: {start: 25s}", "")
            .replace("M2: {start: 10s}", "M2: {start: 10s, config: {partition.assignment.strategy: [roundrobin]}}")
    ));
    story.shows(&[
        (10_001, "g", "JoinGroup refused: INCONSISTENT_GROUP_PROTOCOL"),
        (10_002, "M2", "failed with InconsistentGroupProtocolException"),
    ]);
}

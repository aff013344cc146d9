//! Connections that break, requests that are lost or late, brokers that die: what members and coordinators make of it.

use groupsim::trace::text::TextLines;

use crate::story::{Story, play};
use crate::{TWO_MEMBERS, two_members};

#[test]
fn a_member_without_its_coordinator_is_put_out_and_learns_it_when_the_network_is_whole() {
    let story = two_members(
        "
        duration: 100s
        timeline: [{at: 20s, disconnect: [g/M2, coordinator], for: 60s}]
        ",
    );
    story.shows(&[
        // 12010 + 3000 k, and the last commit was at 17012: nothing after the heartbeat of 18010 arrives.
        (18_011, "g", "heartbeat of M2: NONE"),
        (20_000, "M2", "cut off from its coordinator until 80000 ms"),
        (63_011, "g", "M2 removed, session expired"),
        (66_011, "g", "heartbeat of M1: REBALANCE_IN_PROGRESS"),
        (66_014, "M1", "revoked t-0..1"),
        (66_015, "g", "generation 3 has 1 member, leader M1, protocol range"),
        (66_018, "M1", "assigned t-0..3 as M1 in generation 3"),
        (80_000, "M2", "reaches its coordinator again"),
        (80_001, "g", "heartbeat of M2: UNKNOWN_MEMBER_ID"),
        (80_002, "M2", "is no member any more: UNKNOWN_MEMBER_ID"),
        (80_002, "M2", "lost t-2..3"),
        (80_002, "M2", "JoinGroup sent"),
        (80_005, "g", "M2#2 added"),
    ]);
    assert_eq!(story.millis("g", "heartbeat of M2: NONE"), [15_011, 18_011]);
    // Fetch asks nobody: it reads on while others have its partitions.
    assert!(story.count_between(66_018, 80_000, "M2", "processed") > 0);
}

#[test]
fn a_lost_leave_group_leaves_the_member_in_the_group_until_its_session_is_over() {
    let story = two_members(
        "
        duration: 80s
        timeline:
          - {at: 15s, drop: {request: LeaveGroup, from: g/M2}}
          - {at: 20s, stop: g/M2}
        ",
    );
    story.shows(&[
        (20_001, "g", "committed t-2 at "),
        (20_002, "M2", "revoked t-2..3"),
        (20_002, "M2", "LeaveGroup is lost"),
        (50_000, "M2", "stopped"),
        (65_001, "g", "M2 removed, session expired"),
    ]);
}

#[test]
fn a_heartbeat_that_comes_late_is_handled_late_and_costs_nothing() {
    let story = two_members(
        "
        duration: 30s
        timeline: [{at: 20s, delay: {request: Heartbeat, from: g/M2, by: 2s}, count: 1}]
        ",
    );
    assert_eq!(story.millis("g", "heartbeat of M2: NONE")[..4], [15_011, 18_011, 23_011, 24_011]);
    assert_eq!(story.millis("g", "rebalance after").len(), 2);
}

#[test]
fn a_coordinator_that_fails_over_rebalances_nothing_and_gives_every_session_its_full_time() {
    let scenario = TWO_MEMBERS
        .replace(", M3: {start: 25s}", "")
        .replace("{write.latency: 0ms}", "{write.latency: 0ms, brokers: 3, load.time: 500ms}")
        .replace("{t: 4}", "{t: {partitions: 4, replication.factor: 3}}");
    let story = play(&format!(
        "{scenario}
        duration: 80s
        timeline:
          - {{at: 20s, broker.down: 0, for: 30s}}
          - {{at: 25s, crash: g/M2}}
        "
    ));
    story.shows(&[
        (20_000, "g", "Stable -> Dead, generation 2"),
        // broker.session.timeout.ms later.
        (29_000, "t", "t-0 is led by broker 1"),
        (29_000, "t", "t-3 is led by broker 1"),
        (29_500, "g", "loaded by broker 1"),
        (29_500, "g", "Dead -> Stable, generation 2"),
        // 45 s from there, though M2 has been dead since 25 s.
        (74_500, "g", "M2 removed, session expired"),
    ]);
    assert_eq!(story.millis("g", "rebalance after"), [3, 10_003, 74_500]);
    let outage = story.millis("g", "committed").into_iter().filter(|at| (20_001..29_500).contains(at));
    assert_eq!(outage.count(), 0, "nothing is committed without a coordinator");
}

/// Broker 0 leads t-0 and t-3 and coordinates. It is away while the members start, and they learn it before they own anything.
#[test]
fn who_is_assigned_a_partition_without_a_known_leader_asks_for_metadata() {
    let story = play(
        "
        cluster: {brokers: 3, write.latency: 0ms}
        topics: {t: {partitions: 6, replication.factor: 3}}
        producers:
          p: {topic: t, rate: 60/s, keys: {prefix: key-, count: 100}, config: {linger.ms: 0}}
        groups:
          g:
            topics: [t]
            members: [M1, M2]
            processing: 0ms
            commit: auto
            config: {auto.offset.reset: earliest}
        duration: 60s
        timeline: [{at: 5s, broker.down: 0, for: 3s}]
        ",
    );
    let assigned = *story.times("M1", "assigned").first().expect("there is an assignment");
    for partition in 0..6 {
        let what = format!("fetches t-{partition} from ");
        let first = story.times("M1", &what).into_iter().chain(story.times("M2", &what)).min().expect("somebody reads it");
        assert!((assigned..assigned + 1_000_000_000).contains(&first), "t-{partition} is read at {first}, assigned at {assigned}");
    }
}

/// With the clients that the scenario asks for.
fn as_written(text: &str) -> Story {
    let (scenario, _) = groupsim::scenario::load(text, "written.yaml").unwrap_or_else(|problems| panic!("{problems}"));
    let mut lines = TextLines::new(scenario.names(), Vec::new());
    groupsim::run::play(&scenario, scenario.seed, &mut lines);
    Story::read(&String::from_utf8(lines.finish().expect("memory takes lines")).expect("lines are text"))
}

/// B's commit is lost just when C makes it give partitions up.
const LOST_COMMIT: &str = "
name: lost-commit
duration: 3m
topics: {t: 6}
producers: {p: {topic: t, rate: 2/s}}
groups:
  g:
    topics: [t]
    members: {A: , B: , C: {start: 40s}}
    processing: 1ms
    config: {auto.offset.reset: earliest, group.protocol: consumer}
timeline: [{at: 39s, drop: {request: OffsetCommit, from: g/B}, for: 10s}]
";

#[test]
fn a_reconciliation_goes_on_when_the_coordinator_is_found_again_however_long_that_takes() {
    // A real client's look-up waits behind a Fetch, so that it is still under way at the time of the retry.
    let story = as_written(LOST_COMMIT);

    let found = story.times("B", "coordinator is broker");
    assert_eq!(found, [2_000_000, 70_627_000_000]);
    let revoked = story.times("B", "revoked t-").into_iter().find(|at| *at > found[1]);
    assert!(revoked.is_some_and(|at| at < found[1] + 1_000_000_000), "revoked at {revoked:?}");
    let taken = story.times("C", "assigned t-").into_iter().find(|at| *at > found[1]);
    assert!(taken.is_some_and(|at| at < found[1] + 7_000_000_000), "C takes them a heartbeat later, at {taken:?}");
}

/// M1 leads, and does not know the topic that M2 subscribes to. While it waits for the metadata behind a Fetch it is cut off, and gives its
/// coordinator up before the metadata comes.
const LEADER_CUT_OFF: &str = "
name: leader-cut-off
duration: 6s
cluster: {config: {group.min.session.timeout.ms: 300, group.initial.rebalance.delay.ms: 300}}
topics: {t: 2, u: 2}
producers: {p: {topic: t, rate: 100/s}, q: {topic: u, rate: 100/s}}
groups:
  g:
    topics: [t]
    members: {M1: , M2: {start: 100ms}}
    config: {auto.offset.reset: earliest, session.timeout.ms: 2335, heartbeat.interval.ms: 372, partition.assignment.strategy: [cooperative-sticky],
      fetch.min.bytes: 1000000, fetch.max.wait.ms: 2000}
timeline:
  - {at: 2105ms, subscribe: g/M2, topics: [u]}
  - {at: 2607ms, disconnect: [g/M1, 0]}
";

#[test]
fn a_leader_that_lost_its_coordinator_while_it_asked_for_metadata_joins_again() {
    let story = as_written(LEADER_CUT_OFF);
    let joins = story.millis("M1", "JoinGroup sent");
    assert!(joins.iter().any(|at| (6_000..7_000).contains(at)), "{joins:?}");
}

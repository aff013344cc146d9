//! Static members (KIP-345), classic and eager.

use crate::story::{Story, play};
use crate::with_two_slow_records;

const STATIC: &str = "
        cluster: {write.latency: 0ms}
        topics: {t: 4}
        producers:
          p: {topic: t, rate: 2/s, keys: {prefix: key-, count: 10}, record.size: 100B, config: {linger.ms: 0}}
        groups:
          g:
            topics: [t]
            members: {S1: {group.instance.id: i1}, S2: {start: 1s, group.instance.id: i2}}
            processing: 0ms
            commit: sync
            config: {auto.offset.reset: earliest, partition.assignment.strategy: [range], session.timeout.ms: 45000}
";

fn statics(rest: &str) -> Story {
    play(&format!("{STATIC}{rest}"))
}

#[test]
fn a_static_member_is_back_in_time_and_nobody_else_notices() {
    let story = statics(
        "
        duration: 40s
        timeline: [{at: 20s, stop: g/S1}, {at: 25s, start: g/S1}]
        ",
    );
    story.shows(&[
        (0, "S1", "JoinGroup sent"),
        (1, "g", "S1 added"),
        (1, "g", "rebalance after generation 0, member joined: S1; initial delay until 3001 ms"),
        (1001, "g", "S2 added"),
        (3001, "g", "initial delay goes on until 6001 ms"),
        (6001, "g", "generation 1 has 2 members, leader S1"),
        (6002, "S1", "generation 1 is to be: S1 t-0..1; S2 t-2..3"),
        (6003, "g", "CompletingRebalance -> Stable"),
        (6004, "S1", "assigned t-0..1"),
        (6004, "S2", "assigned t-2..3"),
        (18_003, "g", "heartbeat of S1: NONE"),
        (20_000, "S1", "revoked t-0..1"),
        (25_000, "S1", "JoinGroup sent"),
        (25_001, "g", "S1 replaced by S1#2 as instance i1"),
        (25_004, "S1", "assigned t-0..1 as S1#2 in generation 1"),
        (25_006, "S1", "fetches t-0 from "),
        (28_003, "g", "heartbeat of S1#2: NONE"),
        (31_003, "g", "heartbeat of S1#2: NONE"),
    ]);
    assert_eq!(story.millis("g", "generation"), [6001], "no rebalance");
    assert!(story.millis("g", "heartbeat of S2: NONE").len() == story.millis("g", "heartbeat of S2").len(), "S2 notices nothing");
}

#[test]
fn with_auto_commit_the_closing_commit_is_the_last_contact() {
    let scenario = STATIC.replace("commit: sync", "commit: auto");
    let story = play(&format!(
        "{scenario}
        duration: 75s
        timeline: [{{at: 20s, stop: g/S1}}]
        "
    ));
    story.shows(&[
        (18_003, "g", "heartbeat of S1: NONE"),
        (20_001, "g", "committed t-0 at "),
        (20_002, "S1", "revoked t-0..1"),
        (65_001, "g", "S1 removed, session expired"),
        (66_003, "g", "heartbeat of S2: REBALANCE_IN_PROGRESS"),
        (66_006, "S2", "revoked t-2..3"),
        (66_010, "S2", "assigned t-0..3"),
    ]);
    assert!(story.millis("g", "S1 removed, left").is_empty(), "a static member leaves no word");
}

#[test]
fn of_two_processes_with_one_instance_id_the_older_one_is_fenced() {
    let scenario = STATIC
        .replace("S2: {start: 1s, group.instance.id: i2}", "S2: {start: 20s, group.instance.id: i1}")
        .replace("commit: sync", "commit: external");
    let story = play(&format!("{scenario}\n        duration: 40s\n"));
    story.shows(&[
        (3001, "g", "generation 1 has 1 member"),
        (20_001, "g", "S1 replaced by S2 as instance i1"),
        (20_004, "S2", "assigned t-0..3 as S2 in generation 1"),
        (21_003, "g", "heartbeat of S1: FENCED_INSTANCE_ID"),
        (21_004, "S1", "failed with FencedInstanceIdException"),
    ]);
    assert_eq!(story.millis("g", "generation"), [3001], "no rebalance");
}

#[test]
fn a_fenced_application_finishes_its_batch_before_it_hears_of_it() {
    // At 20 s S1 becomes slow, and the second record takes 15 s.
    let scenario = with_two_slow_records(STATIC)
        .replace("S2: {start: 1s, group.instance.id: i2}", "S2: {start: 21s, group.instance.id: i1}")
        .replace("commit: sync", "commit: auto")
        .replace("session.timeout.ms: 45000", "session.timeout.ms: 45000, max.poll.records: 1, auto.commit.interval.ms: 60000");
    let story = play(&format!("{scenario}\n        duration: 45s\n        timeline: [{{at: 20s, slow: g/S1, factor: 15}}]\n"));
    story.shows(&[
        (20_000, "S1", "polled t-0 [1, 2)"),
        (21_001, "g", "S1 replaced by S2 as instance i1"),
        (21_003, "g", "heartbeat of S1: FENCED_INSTANCE_ID"),
        (21_004, "S1", "is no member any more: FENCED_INSTANCE_ID"),
        (35_000, "S1", "processed t-0 [1, 2)"),
        (35_000, "S1", "failed with FencedInstanceIdException"),
    ]);
}

#[test]
fn a_static_member_that_polls_too_late_says_nothing_and_is_missed_after_its_session() {
    // As with dynamic members, but nobody hears of it at 30000.
    let scenario = with_two_slow_records(STATIC)
        .replace("commit: sync", "commit: external")
        .replace("session.timeout.ms: 45000", "session.timeout.ms: 6000, max.poll.interval.ms: 10000, max.poll.records: 1");
    let late = |factor: u32, duration: &str| {
        play(&format!("{scenario}\n        duration: {duration}\n        timeline: [{{at: 20s, slow: g/S1, factor: {factor}}}]\n"))
    };
    // MPI + ST - the age of the last heartbeat: 30000 + 6000 - 2998 + 1.
    late(40, "70s").shows(&[
        (20_000, "S1", "polled t-0 [1, 2)"),
        (27_003, "g", "heartbeat of S1: NONE"),
        (30_000, "S1", "leaves: no poll since 20000 ms"),
        (33_003, "g", "S1 removed, session expired"),
        (33_003, "g", "Stable -> PreparingRebalance"),
    ]);
    // Back before that: the same place, the same generation, and the batch once more.
    let back = late(12, "50s");
    back.shows(&[
        (30_000, "S1", "leaves: no poll since 20000 ms"),
        (32_000, "S1", "processed t-0 [1, 2)"),
        (32_000, "S1", "lost t-0..1"),
        (32_000, "S1", "JoinGroup sent"),
        (32_001, "g", "S1 replaced by S1#2 as instance i1"),
        (32_004, "S1", "assigned t-0..1 as S1#2 in generation 1"),
    ]);
    assert_eq!(back.millis("g", "generation"), [6001], "no rebalance");
}

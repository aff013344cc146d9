//! The millisecond timelines of the protocol, written down from Kafka's source and checked on real brokers: one-way latency 1 ms, no write
//! latency, a client without overhead, topic `t` with four partitions, all consumers idle in poll() but where noted.

mod consumer_protocol;
mod cooperative;
mod listener;
mod migration;
mod network;
mod static_members;
mod stops;
#[path = "../story/lines.rs"]
mod story;

use story::{Line, Story, play};

impl Story {
    /// Every row of a timeline happened, in this order; `what` is the beginning of the line.
    fn shows(&self, rows: &[(u64, &str, &str)]) {
        let mut from = 0;
        for (at, actor, what) in rows {
            let is = |line: &Line| line.nanos == at * 1_000_000 && line.actor == *actor && line.what.starts_with(what);
            let Some(found) = self.0[from..].iter().position(is) else {
                let near = at.saturating_sub(20) * 1_000_000..=(at + 20) * 1_000_000;
                let seen = self.0.iter().filter(|line| near.contains(&line.nanos));
                let seen: Vec<String> = seen.map(|line| format!("  {} {} {}", line.nanos as f64 / 1e6, line.actor, line.what)).collect();
                panic!("no `{at} {actor} {what}…` there; around that time:\n{}", seen.join("\n"));
            };
            from += found + 1;
        }
    }

    /// How often such a line was there between two moments.
    fn count_between(&self, from: u64, to: u64, actor: &str, what: &str) -> usize {
        self.times(actor, what).into_iter().filter(|at| (from * 1_000_000..to * 1_000_000).contains(at)).count()
    }

    /// When such lines happened, in milliseconds.
    fn millis(&self, actor: &str, what: &str) -> Vec<u64> {
        let whole = |nanos: u64| nanos.is_multiple_of(1_000_000).then_some(nanos / 1_000_000).expect("a whole millisecond");
        self.times(actor, what).into_iter().map(whole).collect()
    }
}

const TWO_MEMBERS: &str = "
        cluster: {write.latency: 0ms}
        topics: {t: 4}
        producers:
          p: {topic: t, rate: 2/s, keys: {prefix: key-, count: 10}, record.size: 100B, config: {linger.ms: 0}}
        groups:
          g:
            topics: [t]
            members: {M1: , M2: {start: 10s}, M3: {start: 25s}}
            processing: 0ms
            commit: auto
            config: {auto.offset.reset: earliest, partition.assignment.strategy: [range], session.timeout.ms: 45000}
";

/// Instead of its own records the scenario has two, which reach their reader at 19000 and take a second each.
fn with_two_slow_records(scenario: &str) -> String {
    scenario
        .replace(
            "rate: 2/s, keys: {prefix: key-, count: 10}",
            "steps: [{at: 18997ms, rate: 1M/s}, {at: 18997002us, rate: 0/s}], keys: {prefix: key-, weights: [0, 1]}",
        )
        .replace("linger.ms: 0", "linger.ms: 1")
        .replace("processing: 0ms", "processing: 1s")
}

/// Everything of [`TWO_MEMBERS`] but M3.
fn two_members(rest: &str) -> Story {
    play(&format!("{}{rest}", TWO_MEMBERS.replace(", M3: {start: 25s}", "")))
}

#[test]
fn a_second_member_joins_an_eager_group() {
    two_members("\n        duration: 20s\n").shows(&[
        (0, "M1", "JoinGroup sent"),
        (1, "g", "M1 has to join again with its id"),
        (2, "M1", "JoinGroup sent as M1"),
        (3, "g", "M1 added"),
        (3, "g", "Empty -> PreparingRebalance"),
        (3, "g", "rebalance after generation 0, member joined: M1; initial delay until 3003 ms"),
        (3003, "g", "generation 1 has 1 member, leader M1, protocol range"),
        (3003, "g", "PreparingRebalance -> CompletingRebalance"),
        (3004, "M1", "generation 1 is to be: M1 t-0..3"),
        (3005, "g", "CompletingRebalance -> Stable"),
        (3006, "M1", "assigned t-0..3 as M1 in generation 1"),
        (3010, "M1", "position of t-0 is 0, reset earliest"),
        (3010, "M1", "fetches t-0 from 0"),
        (6005, "g", "heartbeat of M1: NONE"),
        (9005, "g", "heartbeat of M1: NONE"),
        (10_000, "M2", "JoinGroup sent"),
        (10_001, "g", "M2 has to join again with its id"),
        (10_002, "M2", "JoinGroup sent as M2"),
        (10_003, "g", "M2 added"),
        (10_003, "g", "Stable -> PreparingRebalance"),
        (10_003, "g", "rebalance after generation 1, member joined: M2; joins until 310003 ms"),
        (10_003, "g", "M2 waits for the end of the join phase"),
        (12_005, "g", "heartbeat of M1: REBALANCE_IN_PROGRESS"),
        (12_006, "M1", "noticed the rebalance"),
        (12_006, "M1", "revocation pending t-0..3"),
        (12_007, "g", "committed t-0 at "),
        (12_008, "M1", "revoked t-0..3"),
        (12_008, "M1", "JoinGroup sent as M1"),
        (12_009, "g", "generation 2 has 2 members, leader M1, protocol range"),
        (12_010, "M1", "generation 2 is to be: M1 t-0..1; M2 t-2..3"),
        (12_011, "g", "CompletingRebalance -> Stable"),
        (12_012, "M1", "assigned t-0..1 as M1 in generation 2"),
        (12_012, "M2", "assigned t-2..3 as M2 in generation 2"),
        (12_014, "M1", "fetches t-0 from "),
        (12_014, "M2", "fetches t-2 from "),
        // One heartbeat phase for everybody: 12010 + 3000 k, seen by the broker 1 ms later.
        (15_011, "g", "heartbeat of M1: NONE"),
        (15_011, "g", "heartbeat of M2: NONE"),
        (18_011, "g", "heartbeat of M1: NONE"),
        (18_011, "g", "heartbeat of M2: NONE"),
    ]);
}

#[test]
fn without_auto_commit_the_rejoin_is_one_round_trip_shorter() {
    let story = play(&format!(
        "{}\n        duration: 20s\n",
        TWO_MEMBERS.replace(", M3: {start: 25s}", "").replace("commit: auto", "commit: external")
    ));
    story.shows(&[
        (12_006, "M1", "noticed the rebalance"),
        (12_006, "M1", "revoked t-0..3"),
        (12_006, "M1", "JoinGroup sent as M1"),
        (12_007, "g", "generation 2 has 2 members"),
        (12_010, "M2", "assigned t-2..3"),
    ]);
}

#[test]
fn a_crashed_member_is_missed_when_its_session_times_out() {
    let story = two_members(
        "
        duration: 80s
        timeline: [{at: 29700ms, crash: g/M2}]
        ",
    );
    story.shows(&[
        (27_011, "g", "heartbeat of M2: NONE"),
        // The periodic auto-commit, 12012 + 3 x 5000, moves the session's deadline to 72013.
        (27_013, "g", "committed t-2 at "),
        (29_700, "M2", "crashed"),
        (72_011, "g", "heartbeat of M1: NONE"),
        (72_013, "g", "committed t-0 at "),
        (72_013, "g", "M2 removed, session expired"),
        (72_013, "g", "rebalance after generation 2, session expired: M2; joins until 372013 ms"),
        (75_011, "g", "heartbeat of M1: REBALANCE_IN_PROGRESS"),
        (75_012, "M1", "revocation pending t-0..1"),
        (75_014, "M1", "revoked t-0..1"),
        (75_014, "M1", "JoinGroup sent as M1"),
        (75_015, "g", "generation 3 has 1 member"),
        (75_016, "M1", "generation 3 is to be: M1 t-0..3"),
        (75_017, "g", "CompletingRebalance -> Stable"),
        (75_018, "M1", "assigned t-0..3 as M1 in generation 3"),
        (75_020, "M1", "fetches t-2 from "),
    ]);
    assert!(story.millis("g", "heartbeat of M2").iter().all(|at| *at <= 27_011), "the dead send nothing");
}

#[test]
fn a_member_that_polls_too_late_leaves_and_joins_again() {
    // Two records reach M1 at 19000. The first takes a second; from 20000 on M1 is slow, and the second takes 15.
    let scenario = with_two_slow_records(TWO_MEMBERS)
        .replace(", M3: {start: 25s}", "")
        .replace("session.timeout.ms: 45000", "session.timeout.ms: 45000, max.poll.interval.ms: 10000, max.poll.records: 1");
    let story = play(&format!("{scenario}\n        duration: 45s\n        timeline: [{{at: 20s, slow: g/M1, factor: 15}}]\n"));
    story.shows(&[
        (19_000, "M1", "polled t-0 [0, 1)"),
        (20_000, "M1", "polled t-0 [1, 2)"),
        (21_011, "g", "heartbeat of M1: NONE"),
        (24_011, "g", "heartbeat of M1: NONE"),
        (27_011, "g", "heartbeat of M1: NONE"),
        (30_000, "M1", "leaves: no poll since 20000 ms"),
        (30_001, "g", "M1 removed, left"),
        (30_001, "g", "Stable -> PreparingRebalance"),
        (30_011, "g", "heartbeat of M2: REBALANCE_IN_PROGRESS"),
        (30_012, "M2", "revocation pending t-2..3"),
        (30_014, "M2", "JoinGroup sent as M2"),
        (30_015, "g", "generation 3 has 1 member"),
        (30_018, "M2", "assigned t-0..3"),
        (33_017, "g", "heartbeat of M2: NONE"),
        (35_000, "M1", "processed t-0 [1, 2)"),
        (35_000, "M1", "lost t-0..1"),
        (35_000, "M1", "JoinGroup sent"),
        (35_003, "g", "M1#2 added"),
        (35_003, "g", "Stable -> PreparingRebalance"),
        (36_017, "g", "heartbeat of M2: REBALANCE_IN_PROGRESS"),
        (36_018, "M2", "revocation pending t-0..3"),
        (36_021, "g", "generation 4 has 2 members"),
    ]);
    assert!(story.millis("g", "heartbeat of M1: ").iter().all(|at| *at <= 27_011), "no heartbeat after the kick");
}

/// 2000 records of 100 bytes in one partition before M1 is there, in polls of 500, 1 ms a record.
fn sliced(commit_interval: u64, service: &str, rest: &str) -> Story {
    play(&format!(
        "
        cluster: {{write.latency: 0ms}}
        duration: 20s
        topics: {{t: 1}}
        producers:
          p: {{topic: t, steps: [{{at: 0s, rate: 1M/s}}, {{at: 2ms, rate: 0/s}}], record.size: 100B}}
        groups:
          g:
            topics: [t]
            members: [M1]
            processing: {service}
            commit: auto
            config: {{auto.offset.reset: earliest, partition.assignment.strategy: [range], auto.commit.interval.ms: {commit_interval}}}
        {rest}"
    ))
}

#[test]
fn a_big_fetch_is_handed_out_in_slices_and_committed_when_the_timer_says() {
    let story = sliced(5000, "1ms", "timeline: [{at: 8100ms, crash: g/M1}]");
    story.shows(&[
        (3006, "M1", "assigned t-0"),
        (3010, "M1", "position of t-0 is 0, reset earliest"),
        (3012, "M1", "polled t-0 [0, 500)"),
        (3512, "M1", "processed t-0 [0, 500)"),
        (3512, "M1", "polled t-0 [500, 1000)"),
        (4012, "M1", "polled t-0 [1000, 1500)"),
        (4512, "M1", "polled t-0 [1500, 2000)"),
        (5012, "M1", "processed t-0 [1500, 2000)"),
        (8007, "g", "committed t-0 at 2000 by M1, auto"),
        (8100, "M1", "crashed"),
    ]);
    assert_eq!(story.millis("g", "committed"), [8007]);
}

#[test]
fn a_commit_that_left_before_the_crash_arrives() {
    // It leaves at 8006 and takes a millisecond.
    let story = sliced(5000, "1ms", "timeline: [{at: 8006500us, crash: g/M1}]");
    story.shows(&[(8007, "g", "committed t-0 at 2000 by M1, auto")]);
    let story = sliced(5000, "1ms", "timeline: [{at: 8006ms, crash: g/M1}]");
    assert!(story.millis("g", "committed").is_empty(), "the crash comes first");
}

#[test]
fn a_crash_in_the_fourth_slice_falls_behind_its_88th_record() {
    let story = sliced(5000, "1ms", "timeline: [{at: 4600ms, crash: g/M1}]");
    story.shows(&[(4600, "M1", "processed t-0 [1500, 1588)"), (4600, "M1", "dropped t-0 [1588, 2000)"), (4600, "M1", "crashed")]);
    assert!(story.millis("g", "committed").is_empty(), "all 1588 will be delivered again");
}

#[test]
fn a_short_commit_interval_is_looked_at_when_poll_begins() {
    let story = sliced(1000, "1ms", "timeline: [{at: 4600ms, crash: g/M1}]");
    story.shows(&[(4013, "g", "committed t-0 at 1000 by M1, auto"), (4600, "M1", "processed t-0 [1500, 1588)")]);
    assert_eq!(story.millis("g", "committed"), [4013], "588 will be delivered again");
    let story = sliced(1000, "1ms", "");
    story.shows(&[(4013, "g", "committed t-0 at 1000"), (5013, "g", "committed t-0 at 2000")]);
}

#[test]
fn slow_records_move_the_slices_and_the_commit() {
    let story = sliced(5000, "2ms", "");
    let polls = story.millis("M1", "polled");
    assert_eq!(polls, [3012, 4012, 5012, 6012]);
    assert_eq!(story.millis("g", "committed")[0], 8007);
}

#[test]
fn a_ghost_stops_the_whole_group_until_its_session_ends() {
    let story = play(&format!("{TWO_MEMBERS}\n        duration: 70s\n        timeline: [{{at: 21s, crash: g/M2}}]\n"));
    story.shows(&[
        (18_011, "g", "heartbeat of M2: NONE"),
        (21_000, "M2", "crashed"),
        (25_000, "M3", "JoinGroup sent"),
        (25_003, "g", "M3 added"),
        (25_003, "g", "Stable -> PreparingRebalance"),
        (27_011, "g", "heartbeat of M1: REBALANCE_IN_PROGRESS"),
        (27_012, "M1", "revocation pending t-0..1"),
        (27_014, "M1", "revoked t-0..1"),
        (27_015, "g", "M1 waits for the end of the join phase"),
        (63_011, "g", "M2 removed, session expired"),
        (63_011, "g", "generation 3 has 2 members"),
        (63_012, "M1", "generation 3 is to be: M1 t-0..1; M3 t-2..3"),
        (63_013, "g", "CompletingRebalance -> Stable"),
        (63_014, "M1", "assigned t-0..1"),
        (63_014, "M3", "assigned t-2..3"),
        (63_016, "M1", "fetches t-0 from "),
        (63_016, "M3", "fetches t-2 from "),
    ]);
}

#[test]
fn without_a_replacement_the_survivor_hardly_notices_the_ghost() {
    let story = two_members(
        "
        duration: 70s
        timeline: [{at: 21s, crash: g/M2}]
        ",
    );
    story.shows(&[
        (63_011, "g", "heartbeat of M1: NONE"),
        (63_011, "g", "M2 removed, session expired"),
        (66_012, "M1", "revocation pending t-0..1"),
        (66_020, "M1", "fetches t-0 from "),
    ]);
}

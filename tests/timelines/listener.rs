//! What a rebalance listener changes for a KIP-848 member: which of its steps are the application's, and which the network thread does at once.
//! One-way latency 1 ms, no write latency, topic `t` with four partitions, heartbeats every 5 s, commitSync() after each batch.

use crate::story::{Story, play};
use crate::{TWO_MEMBERS, with_two_slow_records};

/// M1 from the start and M2 from 11 s on, until it is stopped at 27 s; both are blocked in a long poll(), and nothing is ever sent.
fn blocked(release: &str, listener: bool) -> Story {
    play(&format!(
        "
        model: {{client: ideal, app.passes: true}}
        kafka: \"{release}\"
        cluster: {{write.latency: 0ms}}
        topics: {{t: 4}}
        groups:
          g:
            topics: [t]
            members: {{M1: , M2: {{start: 11s}}}}
            commit: sync
            poll.timeout: 1h
            listener: {listener}
            config: {{auto.offset.reset: earliest, group.protocol: consumer}}
        duration: 35s
        timeline: [{{at: 27s, stop: g/M2}}]
        "
    ))
}

#[test]
fn without_a_listener_a_join_is_exact_although_everybody_is_blocked() {
    blocked("4.1", false).shows(&[
        (1, "g", "M1 STABLE at epoch 1"),
        (2, "M1", "assigned t-0..3 as M1"),
        (3, "g", "heartbeat of M1: NONE"),
        (11_001, "g", "M2 UNRELEASED_PARTITIONS at epoch 2: nothing"),
        (11_002, "M2", "assigned nothing as M2"),
        (11_003, "g", "heartbeat of M2: NONE"),
        (15_003, "g", "M1 UNREVOKED_PARTITIONS at epoch 1"),
        // Without auto-commit there is nothing between the answer and the acknowledgement.
        (15_004, "M1", "revoked t-2..3"),
        (15_004, "M1", "assigned nothing as M1"),
        (15_005, "g", "M1 STABLE at epoch 2: "),
        (16_003, "g", "M2 STABLE at epoch 2: "),
        (16_004, "M2", "assigned t-2..3 as M2"),
        (27_001, "g", "epoch 3, member removed: M2"),
        (30_005, "g", "M1 STABLE at epoch 3: "),
        (30_006, "M1", "assigned t-2..3 as M1"),
    ]);
}

#[test]
fn with_a_listener_each_callback_of_a_blocked_member_costs_a_pass() {
    let story = blocked("4.1", true);
    assert_eq!(story.millis("M1", "revoked t-2..3"), [20_002], "told at 15004, in the middle of a pass of 5 s");
    assert_eq!(story.millis("M1", "assigned nothing"), [25_002]);
    assert!(story.times("M2", "assigned t-2..3").is_empty(), "it is stopped before it gets them");
}

/// A record at `at` seconds keeps M1 busy for half a minute.
fn busy(release: &str, listener: bool, at: u64, members: &str, rest: &str) -> Story {
    play(&format!(
        "
        kafka: \"{release}\"
        cluster: {{write.latency: 0ms}}
        topics: {{t: 4}}
        producers:
          p: {{topic: t, steps: [{{at: {at}s, rate: 1M/s}}, {{at: {at}000001us, rate: 0/s}}], keys: {{prefix: key-, weights: [0, 1]}}, config: {{linger.ms: 0}}}}
        groups:
          g:
            topics: [t]
            members: {members}
            processing: 30s
            commit: sync
            listener: {listener}
            config: {{auto.offset.reset: earliest, group.protocol: consumer, max.poll.interval.ms: 60000}}
        {rest}
        "
    ))
}

#[test]
fn since_4_2_1_nothing_is_taken_from_a_busy_member() {
    let revoked = |release, listener| {
        let story = busy(release, listener, 12, "{M1: , M2: {start: 11s}}", "duration: 60s");
        assert_eq!(story.millis("M1", "polled t-0"), [12_002]);
        story.millis("M1", "revoked t-2..3")
    };
    // Its batch ends at 42.002 s, and its commit is answered 2 ms later.
    assert_eq!(revoked("4.2.0", true), [42_004]);
    assert_eq!(revoked("4.2.0", false), [15_004]);
    assert_eq!(revoked("4.2.1", false), [42_004]);
    assert_eq!(revoked("4.3", false), [42_004]);
}

#[test]
fn since_4_3_nothing_is_given_to_a_busy_member_either() {
    let assigned = |release, listener| {
        let rest = "duration: 60s\n        timeline: [{at: 22s, stop: g/M2}]";
        busy(release, listener, 20, "{M1: , M2: {start: 11s}}", rest).millis("M1", "assigned t-2..3")
    };
    // M1 polled at 20.002 s, and hears of it at its heartbeat of 25.004 s.
    assert_eq!(assigned("4.2.1", true), [50_004]);
    assert_eq!(assigned("4.2.1", false), [25_006]);
    assert_eq!(assigned("4.3", false), [50_004]);
}

#[test]
fn what_a_late_member_had_is_gone_at_once_and_its_commit_commits_nothing() {
    let play = |listener| busy("4.3", listener, 20, "{M1: {config: {max.poll.interval.ms: 10000}}}", "duration: 60s");
    let with = play(true);
    with.shows(&[
        (30_000, "M1", "leaves: no poll since "),
        (50_003, "g", "committed t-0 at 1"),
        (50_004, "M1", "lost t-0..3"),
        (50_005, "g", "M1 added"),
    ]);
    let without = play(false);
    without.shows(&[(30_000, "M1", "leaves: no poll since "), (30_000, "M1", "lost t-0..3"), (50_003, "g", "M1 added")]);
    assert!(without.times("g", "committed t-0").is_empty(), "nothing to commit");
    assert!(without.0.iter().all(|line| !line.what.contains("commit")), "and nobody says so");
}

#[test]
fn a_fenced_member_without_a_listener_joins_again_while_it_works() {
    let rest = "duration: 100s\n        timeline: [{at: 13s, pause: g/M1, for: 55s}]";
    let added = |listener| busy("4.3", listener, 12, "{M1: {config: {max.poll.interval.ms: 300000}}, M2: }", rest).millis("g", "M1 added");
    assert_eq!(added(false), [1, 68_003], "its heartbeat of 68.000 s was refused");
    assert_eq!(added(true), [1, 97_005], "after its batch, which ends at 97.002 s, and a commit that fails");
}

#[test]
fn a_classic_member_does_the_same_with_and_without_a_listener() {
    let told = |listener: bool| {
        let scenario =
            with_two_slow_records(TWO_MEMBERS).replace("commit: auto", &format!("commit: auto\n            listener: {listener}"));
        let story = play(&format!("{scenario}\n        duration: 60s\n        timeline: [{{at: 40s, stop: g/M2}}]\n"));
        story.0.into_iter().map(|line| (line.nanos, line.actor, line.what)).collect::<Vec<_>>()
    };
    assert_eq!(told(true), told(false));
}

//! The millisecond timeline of a KIP-848 group: one-way latency 1 ms, no write latency, a client without overhead, topic `t` with four
//! partitions, heartbeats every 5 s, all consumers idle in poll().

use crate::story::{Story, play};

/// M1 from the start, M2 from 11 s on, until it is stopped at 27 s.
fn join_and_leave(release: &str) -> Story {
    play(&format!(
        "
        kafka: \"{release}\"
        cluster: {{write.latency: 0ms}}
        topics: {{t: 4}}
        producers:
          p: {{topic: t, rate: 2/s, keys: {{prefix: key-, count: 10}}, record.size: 100B, config: {{linger.ms: 0}}}}
        groups:
          g:
            topics: [t]
            members: {{M1: , M2: {{start: 11s}}}}
            processing: 0ms
            commit: auto
            config: {{auto.offset.reset: earliest, group.protocol: consumer}}
        duration: 35s
        timeline: [{{at: 27s, stop: g/M2}}]
        "
    ))
}

#[test]
fn a_second_member_joins_and_leaves_a_consumer_group() {
    join_and_leave("4.2").shows(&[
        (1, "g", "M1 added"),
        (1, "g", "epoch 1, member joined: M1"),
        (1, "g", "target of epoch 1: M1 t-0..3"),
        (1, "g", "M1 STABLE at epoch 1"),
        (2, "M1", "assigned t-0..3 as M1"),
        (3, "g", "heartbeat of M1: NONE"),
        (6, "M1", "position of t-0 is 0, reset earliest"),
        (6, "M1", "fetches t-0 from 0"),
        (5003, "g", "heartbeat of M1: NONE"),
        (10_003, "g", "heartbeat of M1: NONE"),
        (11_001, "g", "M2 added"),
        (11_001, "g", "epoch 2, member joined: M2"),
        (11_001, "g", "target of epoch 2: M1 t-0..1; M2 t-2..3"),
        (11_001, "g", "M2 UNRELEASED_PARTITIONS at epoch 2: nothing"),
        (11_002, "M2", "assigned nothing as M2"),
        (11_003, "g", "heartbeat of M2: NONE"),
        (15_003, "g", "M1 UNREVOKED_PARTITIONS at epoch 1"),
        (15_003, "g", "heartbeat of M1: NONE"),
        (15_004, "M1", "revocation pending t-2..3"),
        (15_005, "g", "committed t-0 at "),
        (15_006, "M1", "revoked t-2..3"),
        (15_006, "M1", "assigned nothing as M1"),
        (15_007, "g", "M1 STABLE at epoch 2: "),
        (16_003, "g", "M2 STABLE at epoch 2: "),
        (16_004, "M2", "assigned t-2..3 as M2"),
        (16_005, "g", "heartbeat of M2: NONE"),
        (16_006, "M2", "position of t-2"),
        (16_006, "M2", "fetches t-2 from "),
        (20_007, "g", "heartbeat of M1: NONE"),
        (25_007, "g", "heartbeat of M1: NONE"),
        (27_001, "g", "committed t-2 at "),
        (27_002, "M2", "revoked t-2..3"),
        (27_003, "g", "M2 removed, left"),
        (27_003, "g", "epoch 3, member removed: M2"),
        (30_007, "g", "target of epoch 3: M1 t-0..3"),
        (30_007, "g", "M1 STABLE at epoch 3: "),
        (30_009, "g", "committed t-0 at "),
        (30_010, "M1", "assigned t-2..3 as M1"),
        (30_012, "M1", "position of t-2"),
        (30_012, "M1", "fetches t-2 from "),
    ]);
}

#[test]
fn heartbeats_are_paced_by_the_coordinator_and_count_from_the_last_one_sent() {
    let story = join_and_leave("4.2");
    assert_eq!(story.millis("g", "heartbeat of M1: NONE"), [1, 3, 5003, 10_003, 15_003, 15_007, 20_007, 25_007, 30_007, 30_011]);
    assert_eq!(story.millis("g", "heartbeat of M2: NONE"), [11_001, 11_003, 16_003, 16_005, 21_005, 26_005, 27_003]);
}

#[test]
fn since_4_3_every_epoch_is_one_higher() {
    let (before, after) = (join_and_leave("4.2"), join_and_leave("4.3"));
    for story in [&before, &after] {
        assert_eq!(story.millis("M2", "assigned t-2..3"), [16_004]);
        assert_eq!(story.millis("M1", "assigned t-2..3"), [30_010]);
    }
    after.shows(&[
        (1, "g", "M1 STABLE at epoch 2"),
        (11_001, "g", "target of epoch 3: M1 t-0..1; M2 t-2..3"),
        (27_003, "g", "epoch 4, member removed: M2"),
        (30_007, "g", "M1 STABLE at epoch 4"),
    ]);
}

/// Two members of a consumer group with four partitions, M1 from the start and M2 from 1 s on, which is settled at 11 s at the latest.
fn two_members(members: &str, more: &str, rest: &str) -> Story {
    play(&format!(
        "
        kafka: \"4.2\"
        cluster: {{write.latency: 0ms}}
        topics: {{t: 4}}
        producers:
          p: {{topic: t, rate: 2/s, keys: {{prefix: key-, count: 10}}, record.size: 100B, config: {{linger.ms: 0}}}}
        groups:
          g:
            topics: [t]
            members: {members}
            processing: 0ms
            commit: auto
            config: {{auto.offset.reset: earliest, group.protocol: consumer{more}}}
        {rest}
        "
    ))
}

#[test]
fn a_dead_member_is_missed_after_the_brokers_session_timeout() {
    let story = two_members("{M1: , M2: {start: 1s}}", "", "duration: 70s\n        timeline: [{at: 12s, crash: g/M2}]");
    let last = *story.millis("g", "heartbeat of M2: NONE").last().expect("M2 was there");
    assert_eq!(story.millis("g", "M2 removed, session expired"), [last + 45_000], "commits do not keep a session");
    // The target follows at the next heartbeat of the survivor.
    let removed = last + 45_000;
    let target = *story.millis("g", "target of epoch 3").first().expect("a target");
    assert!(target > removed && target <= removed + 5_000, "{removed} {target}");
    assert_eq!(story.millis("M1", "assigned t-2..3"), [target + 3]);
}

#[test]
fn a_member_that_stood_still_too_long_is_fenced_and_joins_again_under_its_id() {
    let story = two_members("{M1: , M2: {start: 1s}}", "", "duration: 90s\n        timeline: [{at: 12s, pause: g/M2, for: 55s}]");
    story.shows(&[
        (67_000, "M2", "resumed"),
        (67_001, "g", "heartbeat of M2: UNKNOWN_MEMBER_ID"),
        (67_002, "M2", "is no member any more: UNKNOWN_MEMBER_ID"),
        (67_002, "M2", "lost t-2..3"),
        (67_003, "g", "M2 added"),
        (67_003, "g", "epoch 4, member joined: M2"),
    ]);
}

#[test]
fn a_member_that_polls_too_late_leaves_and_is_back_at_its_next_poll() {
    // A record at 20 s takes M1 fifteen seconds.
    let story = play(
        "
        kafka: \"4.2\"
        cluster: {write.latency: 0ms}
        topics: {t: 4}
        producers:
          p: {topic: t, steps: [{at: 20s, rate: 1M/s}, {at: 20000001us, rate: 0/s}], keys: {prefix: key-, weights: [0, 1]}, config: {linger.ms: 0}}
        groups:
          g:
            topics: [t]
            members: {M1: , M2: {start: 1s}}
            processing: 15s
            commit: auto
            config: {auto.offset.reset: earliest, group.protocol: consumer, max.poll.interval.ms: 10000}
        duration: 60s
        ",
    );
    story.shows(&[
        (20_002, "M1", "polled t-0 [0, 1)"),
        (30_000, "M1", "leaves: no poll since "),
        (30_001, "g", "M1 removed, left"),
        (30_001, "g", "epoch 3, member removed: M1"),
        (35_002, "M1", "processed t-0 [0, 1)"),
        (35_002, "M1", "lost t-0..1"),
        (35_003, "g", "M1 added"),
        (35_003, "g", "epoch 4, member joined: M1"),
    ]);
}

const STATIC: &str = "{M1: {group.instance.id: a}, M2: {start: 1s, group.instance.id: b}}";

#[test]
fn a_static_member_that_is_back_in_time_takes_up_what_it_had_without_a_new_epoch() {
    let rest = "duration: 60s\n        timeline: [{at: 20s, stop: g/M2}, {at: 30s, start: g/M2}]";
    let story = two_members(STATIC, "", rest);
    story.shows(&[
        (20_003, "g", "M2 STABLE at epoch -2: t-2..3"),
        (30_001, "g", "M2 replaced by M2#2"),
        (30_001, "g", "M2#2 STABLE at epoch 2: t-2..3"),
        (30_002, "M2", "assigned t-2..3 as M2#2"),
    ]);
    assert!(story.millis("g", "epoch 3").is_empty());
}

#[test]
fn a_static_member_that_crashed_cannot_come_back_before_its_session_ends() {
    let rest = "duration: 80s\n        timeline: [{at: 20s, crash: g/M2}, {at: 22s, start: g/M2}]";
    let story = two_members(STATIC, "", rest);
    story.shows(&[(22_001, "g", "heartbeat of M2#2: UNRELEASED_INSTANCE_ID"), (22_002, "M2", "failed with UnreleasedInstanceIdException")]);
    assert_eq!(story.millis("M1", "assigned t-2..3").len(), 1, "M1 takes over after the session");
}

#[test]
fn added_partitions_are_taken_at_the_next_heartbeats() {
    let story = two_members("[M1]", "", "duration: 30s\n        timeline: [{at: 12s, partitions: {t: 6}}]");
    story.shows(&[
        (15_003, "g", "epoch 2, topics changed"),
        (15_003, "g", "target of epoch 2: M1 t-0..5"),
        (15_006, "M1", "assigned t-4..5 as M1"),
    ]);
}

#[test]
fn a_closing_member_commits_gives_up_and_leaves_in_the_middle_of_a_revocation() {
    // M1 would have to revoke at its heartbeat at 15002; it is told to stop while its commit is on its way.
    let story = two_members("{M1: , M2: {start: 11s}}", "", "duration: 40s\n        timeline: [{at: 15004500us, stop: g/M1}]");
    story.shows(&[(15_004, "M1", "revocation pending t-2..3")]);
    assert_eq!(story.times("M1", "revoked t-0..3"), [15_006_500_000]);
    assert_eq!(story.times("g", "M1 removed, left"), [15_007_500_000]);
    assert_eq!(story.millis("M2", "assigned t-0..3"), [16_004]);
}

/// The same join, with a real client that polls for `timeout`.
fn real(release: &str, timeout: &str) -> Story {
    use groupsim::trace::text::TextLines;
    let scenario = format!(
        "
        name: story
        settle: 0s
        kafka: \"{release}\"
        cluster: {{write.latency: 0ms}}
        topics: {{t: 4}}
        groups:
          g:
            topics: [t]
            members: {{M1: , M2: {{start: 11s}}}}
            commit: auto
            poll.timeout: {timeout}
            config: {{auto.offset.reset: earliest, group.protocol: consumer}}
        duration: 35s
        "
    );
    let (scenario, _) = groupsim::scenario::load(&scenario, "real.yaml").unwrap_or_else(|problems| panic!("{}", problems.styled()));
    let mut lines = TextLines::new(scenario.names(), Vec::new());
    groupsim::run::play(&scenario, scenario.seed, &mut lines);
    Story::read(&String::from_utf8(lines.finish().expect("memory takes lines")).expect("lines are text"))
}

#[test]
fn a_blocked_application_takes_one_step_a_pass() {
    // The first answer is there at 4 ms: the look-up of the coordinator, then the heartbeat. The reconciliation starts at once, and a pass
    // later comes the callback.
    assert_eq!(real("4.4", "1h").times("M1", "assigned t-0..3"), [104_000_000]);
    assert_eq!(real("4.3", "1h").times("M1", "assigned t-0..3"), [104_000_000]);
    assert_eq!(real("4.1", "1h").times("M1", "assigned t-0..3"), [5_004_000_000]);
    assert_eq!(real("4.1", "100ms").times("M1", "assigned t-0..3"), [104_000_000]);
}

/// A group of one member that has properties of its own (`group.config: …`) and things happen to.
fn one_member(group_config: &str, duration: &str, timeline: &str) -> Story {
    play(&format!(
        "
        kafka: \"4.2\"
        cluster: {{write.latency: 0ms}}
        topics: {{t: 4}}
        groups:
          g:
            topics: [t]
            members: [M1]
            config: {{auto.offset.reset: earliest, group.protocol: consumer}}
            {group_config}
        duration: {duration}
        timeline: [{timeline}]
        "
    ))
}

#[test]
fn a_group_may_have_a_heartbeat_interval_and_a_session_timeout_of_its_own() {
    let own = "group.config: {consumer.heartbeat.interval.ms: 7000, consumer.session.timeout.ms: 50000}";
    let story = one_member(own, "90s", "{at: 15s, crash: g/M1}");
    assert_eq!(story.millis("g", "heartbeat of M1: NONE"), [1, 3, 7003, 14_003]);
    assert_eq!(story.millis("g", "M1 removed, session expired"), [64_003]);
}

#[test]
fn properties_of_a_group_may_change_while_it_runs() {
    let set = "{at: 12s, group.config: {g: {consumer.heartbeat.interval.ms: 7000, consumer.session.timeout.ms: 50000}}}";
    let story = one_member("", "100s", &format!("{set}, {{at: 33s, crash: g/M1}}"));
    // It beats every 5 s until the answer to the beat of 15.002 s tells it to beat every 7 s, counted from then on.
    story.shows(&[(12_000, "g", "consumer.session.timeout.ms is 50000"), (12_000, "g", "consumer.heartbeat.interval.ms is 7000")]);
    assert_eq!(story.millis("g", "heartbeat of M1: NONE"), [1, 3, 5003, 10_003, 15_003, 22_005, 29_005]);
    // Its session was armed anew at each of them.
    assert_eq!(story.millis("g", "M1 removed, session expired"), [79_005]);
}

/// The consumer protocol has one request for what Heartbeat and LeaveGroup are to a classic member.
#[test]
fn a_lost_leaving_heartbeat_leaves_the_member_in_the_group_until_its_session_is_over() {
    let course = |request: &str| {
        let lost = format!("{{at: 20s, drop: {{request: {request}, from: g/M2}}}}");
        two_members("{M1: , M2: {start: 1s}}", "", &format!("duration: 80s\n        timeline: [{lost}, {{at: 20001ms, stop: g/M2}}]"))
    };
    let story = course("ConsumerGroupHeartbeat");
    assert_eq!(story.millis("M2", "ConsumerGroupHeartbeat is lost").len(), 1);
    let last = *story.millis("g", "heartbeat of M2: NONE").last().expect("there is a heartbeat");
    // group.consumer.session.timeout.ms after the last one that came.
    assert_eq!(story.millis("g", "M2 removed, session expired"), [last + 45_000]);
    assert_eq!(course("LeaveGroup").millis("g", "M2 removed, left").len(), 1);
}

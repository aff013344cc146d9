//! Subscriptions by regular expression: who evaluates them, and when they are looked at again.

use super::{Played, play};

/// Two members read whatever is called orders and something; a third topic of that name comes at 30 s.
fn orders(kafka: &str, properties: &str, topics: &str) -> Played {
    play(&format!(
        "
kafka: \"{kafka}\"
duration: 2m
topics: {{orders-eu: 1, orders-us: 1, preorders-eu: 1, orders-asia: 1}}
producers:
  eu: {{topic: orders-eu, rate: 10/s}}
  us: {{topic: orders-us, rate: 10/s}}
  pre: {{topic: preorders-eu, rate: 10/s}}
  asia: {{topic: orders-asia, rate: 10/s}}
groups:
  g:
    topics: {topics}
    members: [M, N]
    processing: 1ms
    config: {{auto.offset.reset: earliest, metadata.max.age.ms: 20000, {properties}}}
timeline: [{{at: 30s, create.topic: orders-asia}}]
"
    ))
}

const PATTERN: &str = "{pattern: \"orders-.*\"}";

/// When the group has somebody who reads the new topic, in milliseconds.
fn found(played: &Played) -> u64 {
    let asia = played.run.measurements.groups[0].partitions.iter().find(|partition| partition.partition.topic.0 == 3);
    asia.expect("the pattern matches it").owners[0].from.as_millis()
}

#[test]
fn a_pattern_matches_whole_names_under_each_protocol() {
    for properties in super::PROTOCOLS {
        let played = orders("4.3", properties, PATTERN);
        let group = &played.scenario.groups[0];
        assert_eq!(group.topics.iter().map(|topic| topic.0).collect::<Vec<_>>(), [0, 1, 3], "{properties}: no preorders");
        assert_eq!(played.run.accounts[0].processed_once, 10 * (120 + 120 + 90), "{properties}");
    }
}

#[test]
fn classic_members_find_a_new_topic_when_they_refresh_their_metadata() {
    let played = orders("4.3", "partition.assignment.strategy: range", PATTERN);
    assert!((40_000..46_000).contains(&found(&played)), "the second refresh is at 40 s: {}", found(&played));
}

#[test]
fn a_rejoining_member_looks_at_metadata_first_so_that_one_rebalance_is_enough() {
    let played = orders("4.3", "partition.assignment.strategy: range", PATTERN);
    assert_eq!(played.run.measurements.groups[0].rebalances.len(), 2, "the start, and one for the new topic");
}

#[test]
fn the_coordinator_finds_a_new_topic_within_two_heartbeats() {
    let played = orders("4.3", "group.protocol: consumer", PATTERN);
    assert!((30_000..41_000).contains(&found(&played)), "{}", found(&played));
    let by_client = orders("4.3", "group.protocol: consumer", "{pattern: \"orders-.*\", evaluated.by: client}");
    assert!((40_000..52_000).contains(&found(&by_client)), "with its own metadata, then with heartbeats: {}", found(&by_client));
}

#[test]
fn who_brings_a_pattern_first_gets_nothing_in_the_answer() {
    for release in ["4.0", "4.1", "4.2", "4.3", "4.4"] {
        let since = |topics: &str| {
            let text = format!(
                "
kafka: \"{release}\"
duration: 1m
topics: {{orders: 1}}
groups: {{g: {{topics: {topics}, members: [M], config: {{auto.offset.reset: earliest, group.protocol: consumer}}}}}}
"
            );
            play(&text).run.measurements.groups[0].partitions[0].owners[0].from
        };
        let (listed, matched) = (since("[orders]"), since("{pattern: \"o.*\"}"));
        assert!(matched > listed, "{release}: one more heartbeat: {matched} after {listed}");
    }
}

#[test]
fn a_pattern_is_not_resolved_twice_within_ten_seconds() {
    let text = "
duration: 1m
topics: {a1: 1, a2: 1, a3: 1}
groups:
  g: {topics: {pattern: \"a.\"}, members: [M], config: {auto.offset.reset: earliest, group.protocol: consumer}}
timeline: [{at: 7s, create.topic: a2}, {at: 31s, create.topic: a3}]
";
    let played = play(text);
    let since = |topic: usize| played.run.measurements.groups[0].partitions[topic].owners[0].from.as_millis();
    assert!(since(1) > 10_000, "resolved at the start, then not before 10 s: {}", since(1));
    assert!((31_000..42_000).contains(&since(2)), "{}", since(2));
}

//! Members that subscribe to different topics, and applications that call subscribe() again.

use super::story;
use super::{PROTOCOLS, play};

/// A reads orders, B both, C payments; a record a millisecond in each topic.
fn mixed(properties: &str, timeline: &str) -> String {
    format!(
        "
duration: 2m
topics: {{orders: 2, payments: 2}}
producers:
  shop: {{topic: orders, rate: 100/s}}
  till: {{topic: payments, rate: 100/s}}
groups:
  billing:
    topics: [orders]
    members: {{A: , B: {{topics: [orders, payments]}}, C: {{topics: payments}}}}
    processing: 1ms
    config: {{auto.offset.reset: earliest, {properties}}}
timeline: [{timeline}]
"
    )
}

#[test]
fn members_get_partitions_of_their_own_topics_only() {
    for properties in PROTOCOLS {
        let played = play(&mixed(properties, "{at: 30s, stop: billing/C}, {at: 60s, stop: billing/A}"));
        let before = (played.owners("orders", 25), played.owners("payments", 25));
        assert!(!before.0.contains('C') && !before.1.contains('A'), "{properties}: {before:?}");
        assert!(before.0.contains('A') && before.1.contains('C'), "{properties}: everybody has something to do: {before:?}");
        assert_eq!(played.owners("payments", 55), "B B", "{properties}");
        assert_eq!((played.owners("orders", 110), played.owners("payments", 110)), ("B B".to_owned(), "B B".to_owned()), "{properties}");
        let account = &played.run.accounts[0];
        assert_eq!((account.lost, account.processed_once + account.duplicated), (0, 24_000), "{properties}");
    }
}

#[test]
fn records_of_a_topic_that_nobody_subscribes_to_any_more_stay_unsettled() {
    for properties in PROTOCOLS {
        let timeline = "{at: 30s, stop: billing/B}, {at: 60s, subscribe: billing/C, topics: [orders]}";
        let played = play(&mixed(properties, timeline).replace("duration: 2m", "duration: 2m\nsettle: 20s"));
        assert_eq!(played.owners("payments", 110), "- -", "{properties}");
        assert!(!played.owners("orders", 110).contains('-'), "{properties}");
        let account = &played.run.accounts[0];
        assert!((5_900..=6_600).contains(&account.unsettled), "{properties}: {account:?}");
        assert_eq!((account.lost, account.processed_once + account.duplicated + account.unsettled), (0, 24_000), "{properties}");
    }
}

/// One member that reads one topic and then, from 10 s on, both, and from 20 s on the other one; idle whenever it changes its mind.
fn fickle(release: &str, properties: &str) -> story::Story {
    story::play(&format!(
        "
        kafka: \"{release}\"
        cluster: {{write.latency: 0ms}}
        duration: 30s
        topics: {{a: 1, b: 1}}
        producers: {{p: {{topic: a, rate: 1/s, config: {{linger.ms: 0}}}}}}
        groups:
          g:
            topics: [a]
            members: [M]
            poll.timeout: 1h
            commit: sync
            config: {{auto.offset.reset: earliest, {properties}}}
        timeline:
          - {{at: 10500ms, subscribe: g/M, topics: [a, b]}}
          - {{at: 20500ms, subscribe: g/M, topics: [b]}}
        "
    ))
}

#[test]
fn a_classic_member_rejoins_in_the_poll_after_subscribe() {
    let eager = fickle("4.3", PROTOCOLS[0]);
    let millis = |story: &story::Story, what: &str| story.times("M", what).into_iter().map(|nanos| nanos / 1_000_000).collect::<Vec<_>>();
    assert_eq!(millis(&eager, "subscribes to"), [10_500, 20_500]);
    assert_eq!(millis(&eager, "JoinGroup sent")[2..], [10_500, 20_500], "the first two are those of the start");
    assert_eq!(millis(&eager, "revoked a-0")[..2], [10_500, 20_500], "an eager member gives everything up");
    let cooperative = fickle("4.3", PROTOCOLS[1]);
    assert_eq!(millis(&cooperative, "JoinGroup sent")[2..], [10_500, 20_500]);
    assert_eq!(millis(&cooperative, "revoked"), [20_500], "a cooperative one what it does not want any more");
}

#[test]
fn a_member_of_the_consumer_protocol_tells_it_with_the_heartbeat_that_is_due() {
    let story = fickle("4.3", PROTOCOLS[2]);
    let bumps: Vec<u64> = story.times("g", "epoch").into_iter().map(|nanos| nanos / 1_000_000).collect();
    assert_eq!(bumps.len(), 3, "the start and two changes");
    for (bump, change) in bumps[1..].iter().zip([10_500, 20_500]) {
        assert!((change..=change + 5_000).contains(bump) && bump % 5_000 < 100, "{bump} after {change}, on the beat");
    }
}

#[test]
fn since_4_1_partitions_of_an_unsubscribed_topic_stop_at_once() {
    for (release, stops) in [("4.0", false), ("4.1", true), ("4.3", true)] {
        let story = fickle(release, PROTOCOLS[2]);
        let late = story.times("M", "polled a-0").into_iter().filter(|nanos| *nanos > 20_500_000_000).count();
        assert_eq!(late == 0, stops, "{release}: {late} polls of what it does not want any more");
    }
}

#[test]
fn a_leader_asks_for_metadata_of_the_topics_that_only_others_read() {
    let waited = |topics: &str| {
        let text = format!(
            "
duration: 10s
settle: 0s
cluster: {{config: {{group.initial.rebalance.delay.ms: 0}}}}
topics: {{a: 1, b: 1}}
groups: {{g: {{topics: [a], members: {{M: , N: {{start: 2s, topics: [{topics}]}}}}, config: {{auto.offset.reset: earliest}}}}}}
"
        );
        let (scenario, _) = groupsim::scenario::load(&text, "leader.yaml").unwrap_or_else(|problems| panic!("{problems}"));
        let mut lines = groupsim::trace::text::TextLines::new(scenario.names(), Vec::new());
        groupsim::run::play(&scenario, scenario.seed, &mut lines);
        let written = String::from_utf8(lines.finish().expect("memory takes lines")).expect("lines are text");
        let story = story::Story::read(&written);
        let joined = *story.times("g", "generation 2 has").last().expect("both are in the second generation");
        story.times("M", "generation 2 is to be")[0] - joined
    };
    let (same, other) = (waited("a"), waited("a, b"));
    assert!(other >= same + 2_000_000, "a round trip, and perhaps the wait behind a Fetch: {same} and {other}");
}

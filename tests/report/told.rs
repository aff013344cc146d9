//! What the summary says of runs that went wrong in several ways at once: each thing is told of whom it happened to, and when.

use groupsim::metrics::marks::MarkKind;
use groupsim::report::{Report, Source, summary};
use groupsim::scenario;

/// summary.txt of a run, each paragraph on one line.
fn told(group: &str, timeline: &str) -> String {
    let text = format!(
        "name: told\nkafka: \"4.3\"\nduration: 3m\ntopics: {{orders: 4}}\nproducers: {{shop: {{topic: orders, rate: 100/s}}}}\n\
         groups:\n  billing: {{topics: [orders], {group}}}\ntimeline: [{timeline}]\nexpect: [{{lost: 0}}]\n"
    );
    let (scenario, _) = scenario::load(&text, "told").unwrap_or_else(|problems| panic!("{}", problems.styled()));
    let run = groupsim::run::play(&scenario, scenario.seed, &mut ());
    let page = summary::page(&Report::new(&scenario, Source { argument: "told", text: &text }, run)).plain();
    page.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn check(told: &str, expected: &[&str], unexpected: &[&str]) {
    for words in expected {
        assert!(told.contains(words), "`{words}` is not told in: {told}");
    }
    for words in unexpected {
        assert!(!told.contains(words), "`{words}` is told in: {told}");
    }
}

const STATIC: &str = "config: {group.protocol: consumer}, \
                      members: {A: {config: {group.instance.id: a}}, B: {config: {group.instance.id: b}}}";

#[test]
fn the_session_of_a_life_expires_because_of_what_happened_to_that_life() {
    let told = told(STATIC, "{at: 40s, crash: billing/B}, {at: 50s, start: billing/B}");
    check(
        &told,
        &["B's session expired (crashed at 40s)", "B ended at 50.004s with UnreleasedInstanceIdException and was not restarted"],
        &["expired (failed", "expired (Unreleased"],
    );
}

#[test]
fn a_pause_of_the_next_life_does_not_explain_the_end_of_the_one_before() {
    let timeline = "{at: 60s, crash: billing/B}, {at: 64s, start: billing/B}, {at: 90s, pause: billing/B, for: 10s}";
    let told = told("config: {group.protocol: consumer}, members: {A: {}, B: {}}", timeline);
    check(&told, &["B's session expired (crashed at 1m)"], &["paused at"]);
}

#[test]
fn a_process_that_dies_of_an_exception_names_it() {
    let told = told("config: {auto.offset.reset: none}, members: {A: {}, B: {}}", "");
    let expected = [
        "A ended at 6.01s with NoOffsetForPartitionException and was not restarted",
        "A and B ended with NoOffsetForPartitionException",
        "B's session expired (NoOffsetForPartitionException at 6.01s)",
    ];
    check(&told, &expected, &["nobody ever took it", "(failed at"]);
}

#[test]
fn a_restart_after_an_exception_is_told() {
    let timeline = "{at: 40s, crash: billing/B}, {at: 50s, start: billing/B}, {at: 95s, crash: billing/B}, {at: 100s, start: billing/B}";
    check(&told(STATIC, timeline), &["with UnreleasedInstanceIdException and was started again at 1m 40s"], &["not restarted"]);
}

#[test]
fn added_partitions_are_why_the_leader_wants_a_new_assignment() {
    let told = told("config: {metadata.max.age.ms: 60000}, members: {A: {}, B: {}}", "{at: 20s, partitions: {orders: 6}}");
    let expected = ["the leader, found orders with 6 partitions in its metadata", "added and read for the first time: orders-4,5, after"];
    check(&told, &expected, &["asked for a new assignment"]);
}

#[test]
fn two_that_crash_at_once_are_both_told() {
    let timeline = "{at: 40s, crash: billing/A}, {at: 40s, crash: billing/B}, {at: 100s, start: billing/A}, {at: 100s, start: billing/B}";
    check(&told("members: {A: {}, B: {}}", timeline), &["A and B crashed"], &[]);
}

/// summary.txt of a run of this file, each paragraph on one line.
fn told_of(text: &str) -> String {
    let (scenario, _) = scenario::load(text, "told").unwrap_or_else(|problems| panic!("{}", problems.styled()));
    let run = groupsim::run::play(&scenario, scenario.seed, &mut ());
    let page = summary::page(&Report::new(&scenario, Source { argument: "told", text }, run)).plain();
    page.split_whitespace().collect::<Vec<_>>().join(" ")
}

const HEAD: &str = "kafka: \"4.3\"\ntopics: {a: 2}\nproducers: {p: {topic: a, rate: 20/s}}\nduration: 4m\n";

#[test]
fn what_was_over_long_before_is_not_why_a_session_expired() {
    let told = told_of(&format!(
        "{HEAD}groups:
  g: {{topics: [a], members: [A, B], processing: 5ms, commit: sync, config: {{auto.offset.reset: earliest}}}}
  k: {{topics: [a], members: [C, D], processing: 5ms, config: {{auto.offset.reset: earliest, group.protocol: consumer}}}}
  l: {{topics: [a], members: [E, F], processing: 5ms, config: {{auto.offset.reset: earliest, group.protocol: consumer}}}}
timeline:
  - {{at: 20s, pause: g/A, for: 1s}}
  - {{at: 20s, disconnect: [k/C, coordinator], for: 1s}}
  - {{at: 30s, drop: {{request: Heartbeat, from: g/B}}, count: 1}}
  - {{at: 60s, drop: {{request: ConsumerGroupHeartbeat, from: l/E}}, for: 70s}}
  - {{at: 120s, delay: {{request: Heartbeat, from: g/A, by: 90s}}, for: 40s}}
  - {{at: 120s, delay: {{request: ConsumerGroupHeartbeat, from: k/C, by: 90s}}, for: 40s}}
"
    ));
    check(
        &told,
        &[
            "A's session expired (its Heartbeat of 2m 0.006s was late)",
            "C's session expired (its ConsumerGroupHeartbeat of 2m ",
            "E's session expired (its ConsumerGroupHeartbeat was lost at 1m 0.",
        ],
        &["expired (paused", "expired (cut off", "30.006s)"],
    );
}

#[test]
fn a_kick_of_an_earlier_membership_is_not_why_partitions_were_not_given_up() {
    let told = told_of(
        "kafka: \"4.3\"\nduration: 4m\ntopics: {a: 4}\nproducers: {p: {topic: a, rate: 100/s}}
groups:
  g:
    topics: [a]
    members: [A, B]
    processing: 5ms
    config: {auto.offset.reset: earliest, group.protocol: consumer, max.poll.interval.ms: 30000}
    on.revoke: {takes: 50s}
timeline: [{at: 60s, crash: g/B}, {at: 70s, start: g/B}]
",
    );
    check(&told, &["A did not give up partitions in time"], &["did not give up partitions in time (max.poll.interval.ms)"]);
}

#[test]
fn where_a_backlog_lies_adds_up_to_it() {
    // No sample is at the end of the run phase.
    let told = told_of(
        "duration: 10s\nsettle: 0s\nsample.interval: 7s\ntopics: {a: 2}\n\
         producers: {p: {topic: a, rate: 100/s, keys: {prefix: k, count: 1}, config: {linger.ms: 1000}}}\n\
         groups: {g: {topics: [a], members: [A], processing: 5ms, config: {auto.offset.reset: earliest}}}\n\
         timeline: [{at: 8s, crash: g/A}]\n",
    );
    check(&told, &["Backlog of 300 records at 10s 200 in a-1 (66.67%); 100 on their way from the producers"], &[]);
}

#[test]
fn a_backlog_of_unequal_work_is_not_taken_apart() {
    let of = |members: &str, processing: &str| {
        told_of(&format!(
            "duration: 2m\nsettle: 0s\ntopics: {{a: 2}}\nproducers: {{p: {{topic: a, rate: 300/s, keys: {{prefix: k, count: 100}}}}}}\n\
             groups: {{g: {{topics: [a], members: {members}, processing: {processing}, config: {{auto.offset.reset: earliest}}}}}}\n"
        ))
    };
    check(&of("[A]", "10ms"), &["by waiting for records and commits: "], &["on their way"]);
    check(&of("[A]", "{time: 10ms, per.batch: 1s}"), &["Backlog of", " in a-0 ("], &["by rate"]);
    check(&of("{B: {}, C: {processing: 100ms}}", "10ms"), &["Backlog of", " in a-0 ("], &["by rate"]);
}

#[test]
fn nothing_is_drained_while_somebody_has_records_in_hand() {
    // A has committed 33 records before it works on them, very slowly until the settle phase begins; B is done with all others by then.
    let told = told_of(
        "kafka: \"4.3\"\nduration: 4m\nsettle: 10m\ntopics: {orders: 1}\nproducers: {shop: {topic: orders, rate: 10/s}}\n\
         groups: {g: {topics: orders, members: [A, B], processing: 1ms, commit: before-processing, \
         config: {auto.offset.reset: earliest, max.poll.interval.ms: 30000}}}\n\
         timeline: [{at: 60s, pause: g/A, for: 5s}, {at: 63s, slow: g/A, factor: 10000}]\n",
    );
    check(&told, &["everything drained at 4m 0.032s", "processed once 2,400 100%", "unsettled 0"], &[]);
}

#[test]
fn a_pause_lasts_as_long_as_it_is_to_whatever_paused_the_life_before() {
    let text = format!(
        "{HEAD}groups: {{g: {{topics: [a], members: [A], processing: 1ms}}}}\ntimeline: [{{at: 20s, pause: g/A, for: 10s}}, \
         {{at: 25s, crash: g/A}}, {{at: 26s, start: g/A}}, {{at: 28s, pause: g/A, for: 10s}}]\n"
    );
    let (scenario, _) = scenario::load(&text, "told").unwrap_or_else(|problems| panic!("{}", problems.styled()));
    let marks = groupsim::run::play(&scenario, scenario.seed, &mut ()).measurements.marks;
    let resumed = marks.iter().filter(|mark| matches!(mark.kind, MarkKind::Resumed(_))).map(|mark| mark.at.as_millis());
    assert_eq!(resumed.collect::<Vec<_>>(), [38_000]);
}

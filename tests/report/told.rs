//! What the summary says of runs that went wrong in several ways at once: each thing is told of whom it happened to, and when.

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

//! What the summary tells of entries of the timeline that did nothing.

use groupsim::report::json;

use crate::checked::{Told, check};

#[test]
fn what_a_rolling_restart_has_down_cannot_be_stopped_or_paused_or_slowed_down() {
    let with = |entry: &str| {
        let groups = format!(
            "
groups: {{g: {{topics: [t], members: [A, B], processing: 2ms, config: {{auto.offset.reset: earliest}}}}}}
timeline:
  - {{at: 30s, rolling.restart: g, every: 30s, down: 10s}}
  - {entry}
"
        );
        Told::of_topics("3m", "t: 4", "200/s", &groups).page()
    };
    let down = "of g/A did nothing: it was told to stop at 30s, and had closed";
    check(&with("{at: 35s, stop: g/A}"), &[&format!("warning at 35s: the stop {down}")], &[]);
    check(&with("{at: 35s, pause: g/A, for: 2s}"), &[&format!("the pause {down}")], &[]);
    check(&with("{at: 35s, slow: g/A, factor: 3, for: 2s}"), &[&format!("the slow-down {down}")], &[]);
    check(&with("{at: 35s, subscribe: g/A, topics: [t]}"), &[&format!("the new subscription {down}")], &[]);
    // It starts again at 40 s.
    let reaches_it = ["{at: 35s, slow: g/A, factor: 3, for: 6s}", "{at: 35s, slow: g/A, factor: 3}", "{at: 35s, start: g/A}"];
    reaches_it.iter().for_each(|entry| check(&with(entry), &[], &["did nothing"]));
    check(&with("{at: 45s, start: g/A}"), &["the start of g/A did nothing: it had been running since 40.006s"], &[]);
    check(&with("{at: 59s, pause: g/B, for: 5s}"), &[], &["did nothing"]);
}

#[test]
fn what_is_done_later_is_not_told_to_have_done_nothing() {
    let with = |processing: &str, entries: &str| {
        let groups = format!(
            "
groups: {{g: {{topics: [t, u], members: [A, B], processing: {processing}, config: {{auto.offset.reset: earliest}}}}}}
timeline: [{entries}]
"
        );
        Told::of_topics("1m", "t: 4, u: 1", "200/s", &groups).page()
    };
    // In the middle of a batch subscribe() waits for the next poll().
    for processing in ["1ms", "3ms", "5ms", "8ms", "10ms"] {
        check(&with(processing, "{at: 20s, subscribe: g/B, topics: [u]}"), &[], &["did nothing"]);
    }
    // A start waits for close(), and whoever stands still stops later.
    check(&with("10ms", "{at: 10s, stop: g/A}, {at: 10s, start: g/A}"), &[], &["did nothing"]);
    check(&with("1ms", "{at: 10s, pause: g/A, for: 5s}, {at: 10s, stop: g/A}"), &[], &["did nothing"]);
    check(&with("1ms", "{at: 10s, rolling.restart: g, every: 5s, down: 1s}, {at: 10s, start: g/A}"), &[], &["did nothing"]);
}

#[test]
fn a_crash_of_a_process_that_has_closed_is_told_to_have_done_nothing() {
    let groups = |crash: &str| {
        format!(
            "
groups: {{g: {{topics: [t], members: {{A: , B: {{processing: 1s}}}}, processing: 1ms, config: {{auto.offset.reset: earliest}}}}}}
timeline: [{{at: 50s, stop: g/A}}, {{at: 51s, stop: g/B}}, {{at: {crash}, crash: g/A}}, {{at: {crash}, crash: g/B}}]
"
        )
    };
    let idle = "the crash of g/A did nothing: it was told to stop at 50s, and had closed";
    // B closes for a minute: what kills it kills it.
    let mut early = Told::of_topics("3m", "t: 4", "20/s", &groups("90s"));
    check(&early.page(), &[&format!("warning at 1m 30s: {idle}")], &["g/B did nothing"]);
    let late = Told::of_topics("3m", "t: 4", "20/s", &groups("170s")).page();
    check(&late, &[idle, "the crash of g/B did nothing: it was told to stop at 51s, and had closed"], &[]);
    let data = json::render(&Told::of_topics("3m", "t: 4", "20/s", &groups("90s")).report());
    assert!(data.contains(&format!("\"what\": \"{idle}\"")), "{data}");
    let failed = "
groups: {g: {topics: [t], members: [A], config: {auto.offset.reset: none}}}
timeline: [{at: 50s, crash: g/A}]
";
    let failed = Told::of_topics("1m", "t: 4", "20/s", failed).page();
    check(&failed, &["the crash of g/A did nothing: it had ended at 3.01s with NoOffsetForPartitionException"], &[]);
}

/// B is down from 50 s to 60 s.
fn with_b_down(duration: &str, entries: &str) -> String {
    let groups = format!(
        "
groups: {{g: {{topics: [t], members: [A, B], processing: 1ms, config: {{auto.offset.reset: earliest, max.poll.records: 10}}}}}}
timeline: [{entries}]
"
    );
    Told::of_topics(duration, "t: 2", "100/s", &groups).page()
}

const ROLL: &str = "{at: 30s, rolling.restart: g, every: 20s, down: 10s}";

#[test]
fn a_slow_down_that_ends_another_one_did_something() {
    let slow = "{at: 20s, slow: g/B, factor: 40}";
    let at_55 = "warning at 55s: the slow-down of g/B did nothing: it was told to stop at 50s, and had closed";
    let check_at_55 = |before: &str, rest: &str, expected: &[&str], unexpected: &[&str]| {
        check(&with_b_down("3m", &format!("{before}, {ROLL}, {{at: 55s, slow: g/B, {rest}}}")), expected, unexpected);
    };
    for rest in ["factor: 1", "factor: 2, for: 2s", "factor: 1, for: 2s"] {
        check_at_55(slow, rest, &[], &["did nothing"]);
    }
    // The other one was over by then, or B is as slow without it.
    check_at_55("{at: 20s, slow: g/B, factor: 40, for: 20s}", "factor: 1", &[at_55], &[]);
    check_at_55(slow, "factor: 40", &[at_55], &[]);
    // As slow, but not for as long.
    check_at_55(slow, "factor: 40, for: 30s", &[], &["did nothing"]);
    // The other one ends before B is up, or when it has been up for a while.
    let until = |lasts: &str| format!("{{at: 20s, slow: g/B, factor: 40, for: {lasts}}}, {{at: 45s, crash: g/B}}");
    check_at_55(&until("39s"), "factor: 2, for: 2s", &["warning at 55s: the slow-down of g/B did nothing: it had crashed at 45s"], &[]);
    check_at_55(&until("45s"), "factor: 40, for: 2m", &[], &["did nothing"]);
}

#[test]
fn of_slow_downs_of_a_process_that_is_down_the_last_one_counts() {
    let both = |first: &str, last: &str| {
        with_b_down("3m", &format!("{ROLL}, {{at: 55s, slow: g/B, factor: {first}}}, {{at: 56s, slow: g/B, factor: {last}}}"))
    };
    let first = "warning at 55s: the slow-down of g/B did nothing";
    // Without the last one the first one would slow B down; of two alike one is needed.
    for (one, other) in [("40", "1"), ("2", "2"), ("40", "2")] {
        check(&both(one, other), &[first], &["warning at 56s"]);
    }
}

#[test]
fn a_slow_down_that_was_over_before_the_process_was_up_is_told_whatever_comes_later() {
    let over = "warning at 55s: the slow-down of g/B did nothing: it was told to stop at 50s, and had closed";
    let early = format!("{ROLL}, {{at: 55s, slow: g/B, factor: 2, for: 2s}}, {{at: 2m, slow: g/B, factor: 2}}");
    check(&with_b_down("4m", &early), &[over], &["warning at 2m"]);
    check(&with_b_down("4m", &format!("{early}, {{at: 130s, stop: g/B}}, {{at: 140s, start: g/B}}")), &[over], &["warning at 2m"]);
}

#[test]
fn a_start_whose_properties_a_later_life_has_did_something() {
    let with = |rest: &str| {
        let roll = "{at: 30s, rolling.restart: g, every: 20s, down: 1s}";
        with_b_down("4m", &format!("{roll}, {{at: 40s, start: g/A, config: {{session.timeout.ms: 10s}}}}{rest}"))
    };
    let idle = "warning at 40s: the start of g/A did nothing: it had been running since 31.00";
    check(&with(", {at: 100s, crash: g/A}, {at: 160s, start: g/A}, {at: 200s, crash: g/A}"), &[], &["did nothing"]);
    // Without another life of A nobody has them.
    check(&with(""), &[idle], &[]);
    check(&with(", {at: 100s, crash: g/A}, {at: 110s, crash: g/B}, {at: 120s, start: g/B}"), &[idle], &["g/B did nothing"]);
}

#[test]
fn a_pause_of_a_life_before_is_no_reason() {
    let entries = "{at: 20s, pause: g/B, for: 10s}, {at: 25s, crash: g/B}, {at: 26s, start: g/B}, \
                   {at: 30s, rolling.restart: g, every: 30s, down: 1s}, {at: 45s, start: g/B}";
    check(&with_b_down("3m", entries), &["warning at 45s: the start of g/B did nothing: it had been running since 26s"], &["was paused"]);
    let paused = "{at: 30s, rolling.restart: g, every: 30s, down: 1s}, {at: 40s, pause: g/B, for: 10s}, {at: 45s, start: g/B}";
    check(&with_b_down("3m", paused), &["warning at 45s: the start of g/B did nothing: it was paused"], &[]);
}

#[test]
fn what_a_paused_process_is_killed_before_did_nothing() {
    let with = |entries: &str| {
        let groups = format!(
            "
groups: {{g: {{topics: t, members: [A, B], processing: 1ms, config: {{auto.offset.reset: earliest}}}}}}
timeline: [{{at: 20s, pause: g/A, for: 60s}}, {entries}]
"
        );
        Told::of_topics("3m", "t: 2, u: 2", "100/s", &groups).page()
    };
    let subscribe = "{at: 25s, subscribe: g/A, topics: u}";
    let killed = "did nothing: it was paused and crashed at 30s";
    let crash = "{at: 30s, crash: g/A}, {at: 40s, start: g/A}";
    check(&with(&format!("{subscribe}, {crash}")), &[&format!("warning at 25s: the new subscription of g/A {killed}")], &[]);
    let stop = "{at: 26s, stop: g/A}, {at: 27s, crash: g/A}, {at: 40s, start: g/A}";
    check(&with(stop), &["warning at 26s: the stop of g/A did nothing: it was paused and crashed at 27s"], &[]);
    // Without a crash it comes to pass, but for what waits behind a stop.
    check(&with(subscribe), &[], &["did nothing"]);
    check(&with("{at: 26s, stop: g/A}"), &[], &["did nothing"]);
    let behind = "{at: 30s, rolling.restart: g, every: 5s, down: 1s}, {at: 31s, stop: g/A}";
    check(&with(behind), &["warning at 31s: the stop of g/A did nothing: it was paused and was told to stop at 1m 20s"], &[]);
}

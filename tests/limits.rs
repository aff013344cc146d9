//! A run that does not come to an end is given up with a sentence that says what was spinning, and nothing can be decided.

use groupsim::report::verdict::Outcome;
use groupsim::report::{Report, Source, summary};
use groupsim::sim::Limits;
use groupsim::trace::ending::Ending;
use groupsim::units::Instant;

/// A hundred records wait in the topic, and neither the network nor the work on them nor their commits take any time.
const TIMELESS: &str = "
duration: 10s
cluster: {latency: 0ms}
topics: {t: 1}
producers: {p: {topic: t, steps: [{at: 0s, rate: 100k/s}, {at: 1ms, rate: 0/s}]}}
groups: {g: {topics: [t], members: [A], processing: 0ms, commit: per-record, config: {auto.offset.reset: earliest}}}
expect: [{lost: 0}]
";

/// Each of them would have been met by what little was told before time stood still.
const NOT_KNOWN: &str = "[{lost: 0}, {produced: 0}, {produced: {at.most: 9}}, {duplicated: 0}, {extra: 0}, {processed.once: 0}, {unsettled: 0}, \
{backlog: 0}, {lag: 0}, {lag: 0, at: 1s}, {lag: 0, at: end}, {lag: 0, at: settled}, {rebalances: 1}, {no.livelock: g}, \
{unavailable: {at.most: 1s}}, {owner: {t-0: A}, at: 5s}]";

fn ending(limits: Limits) -> (Ending, u8) {
    let (scenario, _) = groupsim::scenario::load(TIMELESS, "timeless.yaml").expect("the scenario is valid");
    let run = groupsim::run::play_within(&scenario, 1, limits, &mut ());
    let ending = run.ending.clone();
    let report = Report::new(&scenario, Source { argument: "timeless.yaml", text: TIMELESS }, run);
    (ending, report.judgement.verdict.exit_code())
}

#[test]
fn with_the_usual_limits_it_ends() {
    assert_eq!(ending(Limits::default()), (Ending::Drained, 0));
}

#[test]
fn time_that_stands_still_is_noticed() {
    let (ending, exit) = ending(Limits { at_one_instant: 50, ..Limits::default() });
    let Ending::Stuck { at, why } = ending else { panic!("{ending:?}") };
    assert_eq!(at, Instant::from_nanos(3_000_000_000));
    assert!(why.starts_with("virtual time stands still at 3000 ms: more than 50 events within a millisecond, the last one from "), "{why}");
    assert_eq!(exit, 2);
}

#[test]
fn too_many_events_are_noticed() {
    let (ending, exit) = ending(Limits { events: 100, ..Limits::default() });
    let Ending::Stuck { why, .. } = ending else { panic!("{ending:?}") };
    assert!(why.starts_with("more than 100 events, at "), "{why}");
    assert_eq!(exit, 2);
}

#[test]
fn a_producer_that_is_to_send_more_than_its_brokers_take_is_noticed() {
    // Five requests of one batch in two milliseconds are 400,000 records a second at most.
    let text = TIMELESS.replace("latency: 0ms", "latency: 1ms").replace("rate: 100k/s}, {at: 1ms", "rate: 10M/s}, {at: 9s");
    let (scenario, _) = groupsim::scenario::load(&text, "overload.yaml").unwrap_or_else(|problems| panic!("{problems}"));
    let run = groupsim::run::play_within(&scenario, 1, Limits { waiting_batches: 1_000, ..Limits::default() }, &mut ());
    let Ending::Stuck { why, .. } = &run.ending else { panic!("{:?}", run.ending) };
    assert!(why.starts_with("the brokers take less than producer p is to send: more than 1000 batches wait for their turn, at "), "{why}");
    assert_eq!(Report::new(&scenario, Source { argument: "overload.yaml", text: &text }, run).judgement.verdict.exit_code(), 2);
}

#[test]
fn nothing_is_called_met_that_a_run_which_stopped_cannot_know() {
    let text = TIMELESS.replace("[{lost: 0}]", NOT_KNOWN);
    let (scenario, _) = groupsim::scenario::load(&text, "timeless.yaml").unwrap_or_else(|problems| panic!("{problems}"));
    let run = groupsim::run::play_within(&scenario, 1, Limits { at_one_instant: 50, ..Limits::default() }, &mut ());
    let report = Report::new(&scenario, Source { argument: "timeless.yaml", text: &text }, run);
    for (expectation, finding) in scenario.expect.iter().zip(&report.judgement.findings) {
        assert_eq!(finding.outcome, Outcome::Undecided, "{}: {}", expectation.text, finding.seen);
        assert!(finding.seen.contains("3s"), "{}: {}", expectation.text, finding.seen);
    }
    let page = summary::page(&report).plain();
    assert!(page.contains("the run could not go on at 3s"), "{page}");
    assert!(!page.contains("10s"), "the planned end is nothing that was seen: {page}");
    assert_eq!(report.run.measurements.end, Instant::from_nanos(3_000_000_000));
}

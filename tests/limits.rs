//! A run that does not come to an end is given up with a sentence that says what was spinning, and nothing can be decided.

use groupsim::report::{Report, Source};
use groupsim::sim::Limits;
use groupsim::trace::ending::Ending;

/// A hundred records wait in the topic, and neither the network nor the work on them nor their commits take any time.
const TIMELESS: &str = "
duration: 10s
cluster: {latency: 0ms}
topics: {t: 1}
producers: {p: {topic: t, steps: [{at: 0s, rate: 100k/s}, {at: 1ms, rate: 0/s}]}}
groups: {g: {topics: [t], members: [A], processing: 0ms, commit: per-record, config: {auto.offset.reset: earliest}}}
expect: [{lost: 0}]
";

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
    let Ending::Stuck { why } = ending else { panic!("{ending:?}") };
    assert!(why.starts_with("virtual time stands still at 3000 ms: more than 50 events within a millisecond, the last one from "), "{why}");
    assert_eq!(exit, 2);
}

#[test]
fn too_many_events_are_noticed() {
    let (ending, exit) = ending(Limits { events: 100, ..Limits::default() });
    let Ending::Stuck { why } = ending else { panic!("{ending:?}") };
    assert!(why.starts_with("more than 100 events, at "), "{why}");
    assert_eq!(exit, 2);
}

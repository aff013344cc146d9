//! Scenarios at the edges of what is valid: each ends, and its account adds up.

use groupsim::report::Run;
use groupsim::trace::ending::Ending;

fn play(text: &str) -> Run {
    let (scenario, _) = groupsim::scenario::load(text, "extreme.yaml").unwrap_or_else(|problems| panic!("{problems}"));
    let run = groupsim::run::play(&scenario, 1, &mut ());
    assert_eq!(run.violations, [], "{text}");
    for account in &run.accounts {
        let all = account.processed_once + account.duplicated + account.lost + account.skipped + account.unsettled;
        assert_eq!(account.produced, all, "{text}");
        assert_eq!(account.lost, 0, "{text}");
    }
    run
}

fn ending(text: &str) -> Ending {
    play(text).ending
}

#[test]
fn a_group_without_members_leaves_everything_unsettled() {
    let text = "duration: 1s\ntopics: {t: 1}\nproducers: {p: {topic: t, rate: 10/s}}\ngroups: {g: {topics: [t], members: 0}}";
    assert_eq!(ending(text), Ending::SettleBound);
}

#[test]
fn expiry_checks_may_be_closer_together_than_requests() {
    let config = "{config: {offsets.retention.check.interval.ms: 1}}";
    assert_eq!(
        ending(&format!("duration: 1m\ntopics: {{t: 1}}\ngroups: {{g: {{topics: [t], members: 1}}}}\ncluster: {config}")),
        Ending::Drained
    );
}

#[test]
fn batches_may_be_smaller_than_a_record() {
    ending("duration: 5s\ntopics: {t: 1}\nproducers: {p: {topic: t, rate: 10/s, config: {batch.size: 1}}}");
}

#[test]
fn an_auto_commit_interval_of_zero_lets_time_pass() {
    let group = "{topics: [t], members: 1, config: {auto.commit.interval.ms: 0}}";
    assert_eq!(ending(&format!("duration: 2s\nsettle: 1s\ntopics: {{t: 1}}\ngroups: {{g: {group}}}")), Ending::Drained);
}

#[test]
fn records_on_a_long_way_are_produced_all_the_same() {
    let group = "{topics: [t], members: {A: {start: never}}}";
    let producer = "{topic: t, rate: 10/s, arrivals: poisson}";
    ending(&format!("duration: 2s\ntopics: {{t: 1}}\nproducers: {{p: {producer}}}\ncluster: {{latency: 500ms}}\ngroups: {{g: {group}}}"));
}

#[test]
fn what_arrives_in_the_settle_phase_is_lag_though_nobody_reads_it() {
    let group = "{topics: [t], members: {A: {start: never}}}";
    let producer = "producers: {p: {topic: t, rate: 10/s}}\ncluster: {latency: 500ms}";
    let run = play(&format!("duration: 2s\nsettle: 10s\ntopics: {{t: 1}}\n{producer}\ngroups: {{g: {group}}}"));
    assert_eq!((run.measurements.groups[0].run_end_lag, run.measurements.groups[0].final_lag), (15, 20));
}

#[test]
fn a_run_is_over_when_the_last_record_has_arrived_and_nothing_else_happens() {
    let run = play("duration: 1s\ntopics: {t: 1}\nproducers: {p: {topic: t, rate: 10/s}}\ncluster: {latency: 500ms}");
    // Five requests are in flight until 1,005 ms; the rest goes together then.
    assert_eq!((run.ending, run.measurements.end.as_millis()), (Ending::Drained, 1_505));
}

#[test]
fn a_change_of_speed_during_a_commit_drops_nothing() {
    let group = "{topics: [t], members: [A], commit: per-record, config: {auto.offset.reset: earliest}}";
    let timeline = "[{at: 20s, slow: g/A, factor: 2, for: 5s}]";
    let text = format!(
        "duration: 40s\ntopics: {{t: 1}}\nproducers: {{p: {{topic: t, rate: 1k/s}}}}\ngroups: {{g: {group}}}\ntimeline: {timeline}"
    );
    ending(&text);
}

#[test]
fn a_settle_phase_of_years_is_sampled_sparsely() {
    let group = "{topics: [t], members: {A: {start: never}}}";
    ending(&format!("duration: 10s\nsettle: 3650d\ntopics: {{t: 1}}\nproducers: {{p: {{topic: t, rate: 1/s}}}}\ngroups: {{g: {group}}}"));
}

#[test]
fn a_key_without_a_value_is_refused() {
    let problems =
        groupsim::scenario::load("duration:\ntopics: {t: 1}\nexpect: [{lost: }]\n", "empty.yaml").expect_err("two keys have no value");
    let text = problems.to_string();
    assert!(text.contains("`duration` has no value") && text.contains("`lost` has no value"), "{text}");
}

#[test]
fn a_group_whose_sessions_always_expire_breaks_no_rule() {
    // Answers, heartbeats and the loss of the membership cross each other in every order, on old and new connections.
    let cluster = "{latency: {uniform: [1ms, 30ms]}, config: {group.min.session.timeout.ms: 1, group.initial.rebalance.delay.ms: 0}}";
    let config = "{session.timeout.ms: 30, heartbeat.interval.ms: 10}";
    let group = format!("{{topics: [a], members: 4, processing: 1ms, config: {config}}}");
    let producers = "{p: {topic: a, rate: 1000/s}}";
    let text = format!("duration: 30s\nsettle: 0s\ntopics: {{a: 12}}\ncluster: {cluster}\nproducers: {producers}\ngroups: {{g: {group}}}");
    let (scenario, _) = groupsim::scenario::load(&text, "extreme.yaml").unwrap_or_else(|problems| panic!("{problems}"));
    for seed in 0..16 {
        assert_eq!(groupsim::run::play(&scenario, seed, &mut ()).violations, [], "seed {seed}");
    }
}

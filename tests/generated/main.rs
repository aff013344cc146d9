//! The whole engine on thousands of generated scenarios: what must hold in every run, and the promises of Kafka that hold in some.
//!
//! A failure prints the scenario; it can be pasted into a file and run. `GENERATED_FROM` (a number) moves to other scenarios than those that
//! every test run plays; `GENERATED_DUMP` (a folder) gets every scenario that fails.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use groupsim::report::{Report, Run, Source};
use groupsim::run::play;
use groupsim::scenario::{Disturbance, Scenario, TimelineEntry, Verb};
use groupsim::terms::ClientRequest;
use groupsim::trace::TraceEvent;
use groupsim::units::{ClientId, Instant};

mod dice;
mod lag;
mod mixing;
mod moving;
mod promises;
mod restarting;
mod rules;
mod scene;
mod timeline;

use scene::Mood;

/// A run with all that was told.
pub struct Played {
    pub scenario: Scenario,
    pub trace: Vec<(Instant, TraceEvent)>,
    pub run: Run,
}

/// Loads and plays a scenario.
fn perform(yaml: &str) -> Played {
    let (scenario, _) = groupsim::scenario::load(yaml, "generated.yaml").unwrap_or_else(|problems| panic!("{}", problems.styled()));
    let mut trace = Vec::new();
    let run = play(&scenario, scenario.seed, &mut trace);
    Played { scenario, trace, run }
}

/// Plays so many scenarios and checks each; what fails is told with the scenario.
fn play_all(what: &str, mood: Mood, first: u64, count: u64, check: impl Fn(u64, &str, &Played)) {
    play_each(what, (first, count), |seed| scene::write(seed, mood, None), check);
}

fn play_each(what: &str, (first, count): (u64, u64), write: impl Fn(u64) -> String, check: impl Fn(u64, &str, &Played)) {
    let moved: u64 = std::env::var("GENERATED_FROM").ok().and_then(|from| from.parse().ok()).unwrap_or(0);
    let mut failed = Vec::new();
    for seed in moved + first..moved + first + count {
        let yaml = write(seed);
        let outcome = catch_unwind(AssertUnwindSafe(|| check(seed, &yaml, &perform(&yaml))));
        if let Err(why) = outcome {
            if let Ok(folder) = std::env::var("GENERATED_DUMP") {
                std::fs::write(format!("{folder}/{seed}.yaml"), &yaml).expect("the folder can be written to");
            }
            let why = why.downcast_ref::<String>().map(String::as_str).or_else(|| why.downcast_ref::<&str>().copied());
            failed.push((seed, yaml, why.unwrap_or("a panic without a message").to_owned()));
        }
    }
    let Some((seed, yaml, why)) = failed.first() else { return };
    let others: Vec<String> = failed.iter().map(|(seed, _, why)| format!("{seed}: {}", why.lines().next().unwrap_or(""))).collect();
    panic!("{what}: {} of {count} scenarios failed\n{}\n\nthe first one, {seed}:\n{yaml}\n{why}", failed.len(), others.join("\n"));
}

#[test]
fn what_must_hold_in_every_run_holds_in_wild_ones() {
    play_all("wild runs", Mood::Wild, 0, 2_500, |_, _, played| {
        rules::hold(played);
        lag::adds_up(played);
        promises::are_kept(played);
    });
}

#[test]
fn what_must_hold_holds_with_subscriptions_that_differ_and_topics_that_come_and_go() {
    let write = |seed| scene::write(seed, Mood::Wild, Some(moving::Moving::new(seed)));
    play_each("moving runs", (5_000_000, 850), write, |_, _, played| {
        rules::hold(played);
        lag::adds_up(played);
        promises::are_kept(played);
    });
}

#[test]
fn calm_runs_drain_without_losses() {
    play_all("calm runs", Mood::Calm, 1_000_000, 1_500, |_, _, played| {
        rules::hold(played);
        lag::adds_up(played);
        promises::are_kept(played);
        promises::calm_runs_drain(played);
    });
}

#[test]
fn the_same_scenario_gives_the_same_run_with_and_without_an_observer() {
    play_all("repeated runs", Mood::Wild, 2_000_000, 150, |_, _, played| {
        let scenario = &played.scenario;
        let again = play(scenario, scenario.seed, &mut ());
        assert_eq!(again.trace_hash, played.run.trace_hash, "an observer changes the run");
        let mut trace: Vec<(Instant, TraceEvent)> = Vec::new();
        play(scenario, scenario.seed, &mut trace);
        let differs = trace.iter().zip(&played.trace).find(|(one, other)| one != other);
        assert!(differs.is_none() && trace.len() == played.trace.len(), "the second run differs: {differs:?}");
        assert_eq!(again.accounts, played.run.accounts);
        assert_eq!(again.measurements, played.run.measurements);
    });
}

/// The summary warns of it; a slow-down says so in the trace even where there is nobody to be slow.
#[test]
fn what_did_nothing_can_be_left_out() {
    let (left_out, slow_downs) = (Cell::new(0), Cell::new(0));
    let tells_of_speed = |event: &TraceEvent| matches!(event, TraceEvent::ClientSlowed { .. } | TraceEvent::ClientSpeedRestored { .. });
    play_each("idle entries", (7_000_000, 1_000), restarting::write, |_, _, played| {
        let idle = &played.run.idle;
        if idle.is_empty() {
            return;
        }
        let are_slow = idle.iter().filter(|entry| matches!(played.scenario.timeline[**entry].verb, Verb::Slow { .. })).count();
        left_out.set(left_out.get() + idle.len() - are_slow);
        slow_downs.set(slow_downs.get() + are_slow);
        let mut scenario = played.scenario.clone();
        let entries = scenario.timeline.into_iter().enumerate().filter(|(entry, _)| !idle.contains(entry));
        scenario.timeline = entries.map(|(_, entry)| entry).collect();
        let mut trace: Vec<(Instant, TraceEvent)> = Vec::new();
        let run = play(&scenario, scenario.seed, &mut trace);
        let apart_from_speed = |(_, event): &&(Instant, TraceEvent)| !tells_of_speed(event);
        let (ours, theirs) = (trace.iter().filter(apart_from_speed), played.trace.iter().filter(apart_from_speed));
        assert!(ours.eq(theirs), "entries {idle:?} did something");
        assert!(are_slow > 0 || run.trace_hash == played.run.trace_hash, "entries {idle:?} did something");
    });
    let (left_out, slow_downs) = (left_out.get(), slow_downs.get());
    assert!(left_out > 100 && slow_downs > 20, "only {left_out} entries and {slow_downs} slow-downs did nothing");
}

/// Where a request may be lost each Fetch is a message, and where none may most of them are not even an event.
#[test]
fn how_a_fetch_travels_changes_nothing() {
    let check = |_, _: &str, played: &Played| {
        let mut scenario = played.scenario.clone();
        let none_is_lost =
            Verb::Disturb { client: ClientId(0), request: ClientRequest::Fetch, how: Disturbance::Drop, lasts: None, count: Some(0) };
        scenario.timeline.push(TimelineEntry { at: Instant::ZERO + scenario.duration, verb: none_is_lost });
        let mut trace: Vec<(Instant, TraceEvent)> = Vec::new();
        let run = play(&scenario, scenario.seed, &mut trace);
        let differs = trace.iter().zip(&played.trace).find(|(one, other)| one != other);
        assert!(differs.is_none() && trace.len() == played.trace.len(), "it goes otherwise: {differs:?}");
        assert_eq!(run.trace_hash, played.run.trace_hash);
    };
    play_all("Fetches of wild runs", Mood::Wild, 6_000_000, 500, check);
    play_all("Fetches of calm runs", Mood::Calm, 6_500_000, 300, check);
}

#[test]
fn every_file_of_the_report_can_be_rendered() {
    play_all("reports", Mood::Wild, 3_000_000, 40, |_, yaml, played| {
        let Played { scenario, .. } = played;
        let run = play(scenario, scenario.seed, &mut ());
        let report = Report::new(scenario, Source { argument: "generated.yaml", text: yaml }, run);
        assert_eq!(report.judgement.verdict.exit_code(), 0, "nothing is expected of it");
        let files = report.files(true);
        assert!(files.iter().all(|(_, content)| !content.is_empty()));
        for (output, content) in &files {
            if output.file_name().ends_with(".json") {
                let json: Result<serde_json::Value, _> = serde_json::from_slice(content);
                assert!(json.is_ok(), "{} is no JSON", output.file_name());
            }
        }
    });
}

//! The comparison is compared: what the engine says, falsified in one place, is noticed.

use std::panic::{AssertUnwindSafe, catch_unwind};

use groupsim::report::Run;
use groupsim::run::play;
use groupsim::trace::TraceEvent;
use groupsim::trace::times::Finished;
use groupsim::units::{Instant, Offset, Span};

use crate::compare;
use crate::world::World;

type Trace = Vec<(Instant, TraceEvent)>;

/// A group that processes twice, one that loses and one that starts late and skips.
const EVENTFUL: &str = "
name: eventful
duration: 12s
settle: 20s
cluster: {config: {group.min.session.timeout.ms: 300}}
topics: {orders: 2}
producers: {shop: {topic: orders, rate: 200/s}}
groups:
  g1: {topics: [orders], members: {A: {start: 0ms}}, processing: 2ms, commit: auto, config: {auto.offset.reset: earliest, session.timeout.ms: 2000, heartbeat.interval.ms: 300}}
  payments: {topics: [orders], members: {A: {start: 0ms}}, processing: 4ms, commit: before-processing, config: {auto.offset.reset: earliest, session.timeout.ms: 2000, heartbeat.interval.ms: 300}}
  test-group: {topics: [orders], members: {A: {start: 1s}}, processing: 1ms, commit: sync, config: {auto.offset.reset: latest, session.timeout.ms: 2000, heartbeat.interval.ms: 300}}
timeline:
  - {at: 7001ms, crash: g1/A}
  - {at: 7013ms, crash: payments/A}
  - {at: 8s, start: g1/A}
  - {at: 8s, start: payments/A}
";

/// Whether the comparison is content after somebody had a hand in the results.
fn agrees_after(falsify: impl FnOnce(&mut Run, &mut Trace)) -> bool {
    let (scenario, _) = groupsim::scenario::load(EVENTFUL, "eventful.yaml").unwrap_or_else(|problems| panic!("{}", problems.styled()));
    let mut trace = Trace::new();
    let mut run = play(&scenario, scenario.seed, &mut trace);
    let books = World::new(&scenario, scenario.seed).run();
    falsify(&mut run, &mut trace);
    catch_unwind(AssertUnwindSafe(|| compare::agree(&scenario, &run, &trace, &books))).is_ok()
}

/// The last event of a kind is told otherwise.
fn last(trace: &mut Trace, falsify: impl Fn(&mut Instant, &mut TraceEvent) -> bool) {
    assert!(trace.iter_mut().rev().any(|(at, event)| falsify(at, event)), "there is such an event");
}

#[test]
fn the_true_results_are_agreed_with() {
    assert!(agrees_after(|run, _| {
        let extra: u64 = run.accounts.iter().map(|account| account.extra).sum();
        let lost: u64 = run.accounts.iter().map(|account| account.lost).sum();
        let skipped: u64 = run.accounts.iter().map(|account| account.skipped).sum();
        assert!(extra > 0 && lost > 0 && skipped > 0, "{extra}, {lost} and {skipped} records are there to be falsified");
    }));
}

#[test]
fn a_falsified_ledger_is_noticed() {
    assert!(!agrees_after(|run, _| {
        run.accounts[0].processed_once += 1;
        run.accounts[0].duplicated -= 1;
    }));
    assert!(!agrees_after(|run, _| run.accounts[0].extra += 1));
    assert!(!agrees_after(|run, _| run.accounts[1].lost -= 1));
    assert!(!agrees_after(|run, _| {
        run.accounts[2].skipped -= 1;
        run.accounts[2].lost += 1;
    }));
}

#[test]
fn a_ledger_that_names_the_wrong_offsets_is_noticed() {
    assert!(!agrees_after(|run, _| {
        let offsets = &mut run.accounts[0].duplicates[0].offsets;
        (offsets.from, offsets.to) = (offsets.from + 1, offsets.to + 1);
    }));
    assert!(!agrees_after(|run, _| run.accounts[1].losses[0].offsets.from = run.accounts[1].losses[0].offsets.from + 1));
    assert!(!agrees_after(|run, _| run.accounts[2].skips.clear()));
}

#[test]
fn a_falsified_latency_is_noticed() {
    assert!(!agrees_after(|run, _| run.measurements.groups[0].latency.sum += 1));
    assert!(!agrees_after(|run, _| run.measurements.groups[0].latency.max += 1));
    assert!(!agrees_after(|run, _| {
        let buckets = &mut run.measurements.groups[0].latency.buckets;
        (buckets[0].1, buckets[1].1) = (buckets[0].1 - 1, buckets[1].1 + 1);
    }));
}

#[test]
fn a_falsified_lag_is_noticed() {
    assert!(!agrees_after(|run, _| run.measurements.groups[0].peak_lag += 1));
    assert!(!agrees_after(|run, _| run.measurements.groups[0].final_lag += 1));
    assert!(!agrees_after(|run, _| run.measurements.groups[1].run_end_lag += 1));
    assert!(!agrees_after(|run, _| run.measurements.groups[0].partitions[1].lag[40].unprocessed += 1));
    assert!(!agrees_after(|run, _| {
        let sample = run.measurements.groups[0].partitions[0].lag.last_mut().expect("there are samples");
        sample.committed = sample.committed.map(|lag| lag - 1);
    }));
}

#[test]
fn a_falsified_trace_is_noticed() {
    assert!(!agrees_after(|_, trace| last(trace, |_, event| {
        let TraceEvent::Processed { finished: Finished::Even { first, .. }, .. } = event else { return false };
        *first += Span::from_nanos(1);
        true
    })));
    assert!(!agrees_after(|_, trace| last(trace, |_, event| {
        let TraceEvent::Committed { offset, .. } = event else { return false };
        *offset = Offset(offset.0 - 1);
        true
    })));
    assert!(!agrees_after(|_, trace| last(trace, |at, event| {
        *at += Span::from_nanos(1);
        matches!(event, TraceEvent::Polled { .. })
    })));
    assert!(!agrees_after(|_, trace| last(trace, |_, event| {
        let TraceEvent::Appended { delay, .. } = event else { return false };
        *delay += Span::from_nanos(1);
        true
    })));
}

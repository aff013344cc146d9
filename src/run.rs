//! One run from a scenario to its results: the simulation with the folds that every run has.

use crate::fold::Folding;
use crate::incidents::Incidents;
use crate::invariant::{Invariants, Violation};
use crate::ledger::Ledger;
use crate::metrics::Metrics;
use crate::report::{Run, production, spelling};
use crate::scenario::Scenario;
use crate::sim::{Limits, Simulation};
use crate::trace::Sink;
use crate::trace::ending::Ending;
use crate::trace::hash::TraceHash;
use crate::units::Instant;

/// Plays a scenario with a seed. `observer` gets every fact too; having one changes nothing.
pub fn play(scenario: &Scenario, seed: u64, observer: &mut impl Sink) -> Run {
    play_within(scenario, seed, Limits::default(), observer)
}

/// The same with other limits than usual.
pub fn play_within(scenario: &Scenario, seed: u64, limits: Limits, observer: &mut impl Sink) -> Run {
    let cast = scenario.cast();
    let run_end = Instant::ZERO + scenario.duration;
    let mut hash = TraceHash::default();
    let measuring = (Metrics::new(&cast, scenario.sample_interval, scenario.duration), production::ProductionFold::new(&cast, run_end));
    let judging = (Invariants::new(&cast), Incidents::default());
    let mut folding = Folding::new(&cast, (Ledger::new(&cast), (judging, measuring)));
    let mut simulation = Simulation::new(scenario, seed, limits);
    let ending = simulation.run(&mut (&mut hash, (&mut folding, observer)));
    let ((ledger, ((invariants, incidents), (metrics, producers))), known) = folding.finish();
    let mut measurements = metrics.measurements(&known);
    if let Ending::Stuck { at, .. } = &ending {
        measurements.cut_off(*at);
    }
    Run {
        seed,
        trace_hash: hash.value(),
        ending,
        accounts: ledger.accounts(&known),
        measurements,
        incidents: incidents.0,
        production: producers.finish(),
        idle: simulation.idle().to_vec(),
        violations: named(scenario, invariants.violations()),
    }
}

fn named(scenario: &Scenario, violations: &[Violation]) -> Vec<(Instant, String)> {
    violations.iter().map(|violation| (violation.at, spelling::with_names(scenario, &violation.what))).collect()
}

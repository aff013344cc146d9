//! groupsim: a deterministic discrete-event simulator of Kafka consumer groups.
//!
//! ```text
//!  scenario.yaml ─▶ file ─▶ Scenario ─▶ Simulation ─▶ TraceEvent stream ─┬─▶ Ledger     ─▶ accounts ─┐
//!                  (as written) (valid)   (seed)       (typed, timed)    ├─▶ Metrics    ─▶ series   ─┼─▶ Report ─▶ output/<scenario>/*
//!                                                                        ├─▶ Invariants ─▶ violations┘
//!                                                                        └─▶ trace.jsonl, text
//! ```
//!
//! Two narrow waists: [`scenario::Scenario`] and [`trace::TraceEvent`]. Left of the first nothing knows Kafka; right of the second nothing knows
//! the simulation. Between them time passes in exactly one loop, [`sim::Simulation::run`]. [`run::play`] is all of it in one call:
//!
//! ```
//! let text = "
//! duration: 1m
//! topics: {orders: 3}
//! producers: {shop: {topic: orders, rate: 100/s}}
//! groups:
//!   billing: {topics: [orders], members: [A, B], processing: 1ms, commit: auto, config: {auto.offset.reset: earliest}}
//! timeline: [{at: 30s, stop: billing/B}]
//! ";
//! let (scenario, _warnings) = groupsim::scenario::load(text, "example.yaml").expect("the scenario is valid");
//! let run = groupsim::run::play(&scenario, scenario.seed, &mut ());
//! assert_eq!((run.accounts[0].processed_once, run.accounts[0].lost), (6000, 0));
//! ```
//!
//! What holds everywhere, and what keeps it:
//!
//! 1. A run is a function of (scenario, seed). Two runs give the same bytes, on every platform, in debug and release.
//! 2. [`kafka`] and [`client`] are state machines: no clock, no random numbers, no I/O. Time comes in as `now`; what they want done goes out
//!    through [`effects::Effects`].
//! 3. Every output is a fold over the trace. The ledger never looks into a broker: broker and ledger are two independent accounts of a run.
//! 4. After validation no user input can panic the program.
//! 5. Strings stop at the edges: ids are dense integers, text is made in the report.
//! 6. Nothing iterates in an unspecified order. Ties in time follow the rule in [`sim::queue`].
//! 7. Recording more, or less, never changes a run.
//! 8. A random draw never moves another: one stream for each actor and purpose ([`sim::rng`]).
//!
//! The layers, each knowing only those above it: `units`, `release`, `terms`, `trace`, `effects`, `kafka`, `client`, `sim`, `run`, `cli`; beside
//! them `assignment`, `workbench`, `scenario` (known by `sim` and `report`), the folds, and `report`. A test reads the imports and keeps it so.

// What everything is made of.
pub mod effects;
pub mod release;
pub mod terms;
pub mod trace;
pub mod units;

// From a file to a scenario.
pub mod error;
pub mod scenario;

// The machines.
pub mod assignment;
pub mod client;
pub mod kafka;
pub mod workbench;

// Time passes.
pub mod run;
pub mod sim;

// The folds over a trace, and what they share.
pub mod deliveries;
pub mod fold;
pub mod incidents;
pub mod invariant;
pub mod ledger;
pub mod metrics;
pub mod ownership;
pub mod ranges;
pub mod records;
pub mod slots;

// What people see.
pub mod cli;
pub mod report;

#[cfg(test)]
mod story;

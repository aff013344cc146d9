//! The engine against a naive reference: one record at a time, no ranges, no trains, none of the engine's machines.
//!
//! The family: any number of producers whose rates change, and groups on one to three brokers, each group with one member that comes, stops,
//! crashes, stands still and comes back. The member's dealings with its coordinator (joins, sync, sessions, the ghost that a crash leaves
//! behind, writes that linger) are small state machines of the reference's own, so nothing at all is taken from the run that is checked:
//! both start from the scenario. Only what must be the same by definition is shared: the scenario's types, murmur2, and the random streams.
//!
//! Left out: rebalances among several members, slow-downs, kicks, growing topics, static members, scale and rolling restarts.
//!
//! A failure prints the scenario; it can be pasted into a file and run. `GENERATED_FROM` (a number) moves to other scenarios than those that
//! every test run plays; `GENERATED_DUMP` (a folder) gets every scenario that fails.

use std::panic::{AssertUnwindSafe, catch_unwind};

use groupsim::ledger::Account;
use groupsim::run::play;
use groupsim::trace::TraceEvent;
use groupsim::units::Instant;

mod accumulator;
mod answers;
mod books;
mod broker;
mod compare;
mod consumer;
mod coordinator;
#[path = "../generated/dice.rs"]
mod dice;
mod falsified;
mod family;
mod process;
mod work;
mod world;

use world::World;

const SCENARIOS: u64 = 600;

#[test]
fn the_engine_does_what_a_simulation_of_single_records_does() {
    let first: u64 = std::env::var("GENERATED_FROM").ok().and_then(|from| from.parse().ok()).unwrap_or(0);
    let (mut failed, mut fates) = (Vec::new(), [0; 5]);
    for seed in first..first + SCENARIOS {
        let yaml = family::write(seed);
        let outcome = catch_unwind(AssertUnwindSafe(|| check(&yaml)));
        match outcome {
            Ok(seen) => fates.iter_mut().zip(seen).for_each(|(scenarios, seen)| *scenarios += u64::from(seen)),
            Err(why) => {
                if let Ok(folder) = std::env::var("GENERATED_DUMP") {
                    std::fs::write(format!("{folder}/{seed}.yaml"), &yaml).expect("the folder can be written to");
                }
                let why = why.downcast_ref::<String>().map(String::as_str).or_else(|| why.downcast_ref::<&str>().copied());
                failed.push((seed, yaml, why.unwrap_or("a panic without a message").to_owned()));
            }
        }
    }
    let Some((seed, yaml, why)) = failed.first() else {
        assert!(fates.iter().all(|scenarios| *scenarios >= SCENARIOS / 20), "some fate is rare: {fates:?}");
        return;
    };
    let others: Vec<String> = failed.iter().map(|(seed, _, why)| format!("{seed}: {}", why.lines().next().unwrap_or(""))).collect();
    panic!("{} scenarios differ\n{}\n\nthe first one, {seed}:\n{yaml}\n{why}", failed.len(), others.join("\n"));
}

/// Whether records were duplicated, lost, skipped or left unsettled, and whether all was drained in the end.
fn check(yaml: &str) -> [bool; 5] {
    let (scenario, _) = groupsim::scenario::load(yaml, "family.yaml").unwrap_or_else(|problems| panic!("{}", problems.styled()));
    let mut trace: Vec<(Instant, TraceEvent)> = Vec::new();
    let run = play(&scenario, scenario.seed, &mut trace);
    assert_eq!(run.violations, []);
    let books = World::new(&scenario, scenario.seed).run();
    compare::agree(&scenario, &run, &trace, &books);
    let any = |of: fn(&Account) -> u64| run.accounts.iter().any(|account| of(account) > 0);
    [any(|seen| seen.extra), any(|seen| seen.lost), any(|seen| seen.skipped), any(|seen| seen.unsettled), books.drained]
}

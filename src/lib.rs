//! groupsim: a deterministic discrete-event simulator of Kafka consumer groups.
pub mod cli;
pub mod client;
pub mod deliveries;
pub mod effects;
pub mod error;
pub mod invariant;
pub mod kafka;
pub mod ledger;
pub mod metrics;
pub mod ownership;
pub mod ranges;
pub mod records;
pub mod release;
pub mod report;
pub mod run;
pub mod scenario;
pub mod sim;
pub mod slots;
#[cfg(test)]
mod story;
pub mod terms;
pub mod trace;
pub mod units;
pub mod workbench;

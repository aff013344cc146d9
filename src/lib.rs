//! groupsim: a deterministic discrete-event simulator of Kafka consumer groups.
pub mod cli;
pub mod effects;
pub mod error;
pub mod kafka;
pub mod ledger;
pub mod metrics;
pub mod scenario;
pub mod terms;
pub mod trace;
pub mod units;

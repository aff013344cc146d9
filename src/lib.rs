//! groupsim: a deterministic discrete-event simulator of Kafka consumer groups.
pub mod effects;
pub mod kafka;
pub mod ledger;
pub mod metrics;
pub mod release;
pub mod scenario;
pub mod terms;
pub mod trace;
pub mod units;
pub mod workbench;

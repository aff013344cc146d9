//! The simulation: nodes, network and time.
pub mod rng;

//! Kafka's clients: state machines that get the time and answers, and say what they send.

pub mod backoff;
pub mod consumer;
pub mod fetcher;
pub mod leader_links;
pub mod membership;
pub mod producer;
pub mod release;

//! Kafka's clients: producers and consumers.
pub mod backoff;

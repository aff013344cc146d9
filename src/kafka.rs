//! Kafka's brokers as far as consumer groups see them.
pub mod message;

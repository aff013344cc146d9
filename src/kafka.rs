//! Kafka's brokers as far as consumer groups see them.
pub mod coordinator;
pub mod group;
pub mod java_map;
pub mod message;
pub mod offsets;
pub mod release;

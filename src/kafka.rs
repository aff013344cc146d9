//! Kafka's brokers as far as consumer groups see them.
pub mod assignor;
pub mod coordinator;
pub mod fetch;
pub mod group;
pub mod java;
pub mod java_map;
pub mod log;
pub mod message;
pub mod offsets;
pub mod partitioner;
pub mod placement;
pub mod record_size;
pub mod release;
pub mod request;

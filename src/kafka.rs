//! Kafka's brokers as far as consumer groups see them.
pub mod assignor;
pub mod java;
pub mod message;
pub mod request;
pub mod placement;
pub mod log;
pub mod fetch;
pub mod partitioner;
pub mod record_size;
pub mod coordinator;
pub mod group;
pub mod java_map;
pub mod offsets;
pub mod release;

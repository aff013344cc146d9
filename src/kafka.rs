//! Kafka's brokers as far as consumer groups see them.
//!
//! Modelled: the classic group protocol of the group coordinator ([`coordinator`], [`group`]), committed and transactional offsets ([`offsets`]),
//! partition logs and Fetch ([`log`], [`fetch`]), the assignors ([`assignor`]), the default partitioner
//! ([`partitioner`]). What differs between releases stands in [`release`]. `Not modelled:` in the modules says what is left out, and with which
//! consequence; README.md has the list.

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

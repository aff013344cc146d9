//! Which broker leads a partition, and which coordinates a group.

use crate::units::{BrokerId, TopicPartition};

/// offsets.topic.num.partitions.
pub const OFFSETS_PARTITIONS: u32 = 50;

/// Leaders go round robin over the brokers, each topic starting one further. A convention: Kafka starts at a random broker.
pub fn leader(partition: TopicPartition, brokers: u32) -> BrokerId {
    BrokerId((partition.topic.0 + partition.partition) % brokers)
}

/// The partition of `__consumer_offsets` that a group lives in: `abs(String.hashCode) mod 50` with `abs(Integer.MIN_VALUE) = 0`
/// (GroupCoordinatorService.partitionFor).
pub fn offsets_partition(group: &str) -> u32 {
    let hash = group.encode_utf16().fold(0i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)));
    hash.checked_abs().unwrap_or(0) as u32 % OFFSETS_PARTITIONS
}

/// The broker that leads a partition of `__consumer_offsets`.
pub fn coordinator(offsets_partition: u32, brokers: u32) -> BrokerId {
    BrokerId(offsets_partition % brokers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_live_in_the_offsets_partition_that_kafka_computes() {
        assert_eq!(offsets_partition("g1"), 42);
        assert_eq!(offsets_partition("payments"), 13);
        assert_eq!(offsets_partition("orders-service"), 17);
        assert_eq!(offsets_partition("test-group"), 12);
    }
}

//! The order in which Java walks a HashMap or HashSet. Where Kafka's answer hangs on it and the keys are not random ids, it is computed.
//!
//! A key's hash, folded by 16 bits, picks one of 16, 32, 64, ... buckets; there are always more than 4/3 as many as there ever were keys.
//! A walk takes the buckets in turn, and each bucket in the order of insertion, also after growth. Removal shrinks nothing.
//!
//! Not modelled: a chain long enough to become a tree, which would be walked in another order. It needs eight keys in one bucket.

use crate::units::TopicPartition;

/// `String.hashCode`.
pub fn string_hash(text: &str) -> i32 {
    text.encode_utf16().fold(0i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)))
}

/// For keys in order of insertion: their indices in the order of iteration.
pub fn iteration_order<'a>(keys: impl ExactSizeIterator<Item = &'a str>) -> Vec<usize> {
    let buckets = buckets_for(keys.len(), BUCKETS_MIN);
    let placed: Vec<usize> = keys.map(|key| bucket(string_hash(key), buckets)).collect();
    let mut order: Vec<usize> = (0..placed.len()).collect();
    order.sort_by_key(|index| placed[*index]);
    order
}

/// A `HashSet<TopicPartition>` with partitions of one topic.
#[derive(Clone, Debug)]
pub struct PartitionSet {
    topic_hash: i32,
    buckets: usize,
    /// In order of insertion.
    partitions: Vec<TopicPartition>,
}

impl PartitionSet {
    pub fn new(topic: &str) -> Self {
        PartitionSet { topic_hash: string_hash(topic), buckets: BUCKETS_MIN, partitions: Vec::new() }
    }

    /// One that is not in it.
    pub fn insert(&mut self, partition: TopicPartition) {
        self.partitions.push(partition);
        self.buckets = buckets_for(self.partitions.len(), self.buckets);
    }

    pub fn remove(&mut self, partition: TopicPartition) {
        self.partitions.retain(|other| *other != partition);
    }

    pub fn is_empty(&self) -> bool {
        self.partitions.is_empty()
    }

    /// Where a walk begins.
    pub fn first(&self) -> Option<TopicPartition> {
        self.partitions.iter().copied().min_by_key(|at| bucket(self.hash(at.partition), self.buckets))
    }

    /// `TopicPartition#hashCode`.
    fn hash(&self, partition: u32) -> i32 {
        (31 + partition.cast_signed()).wrapping_mul(31).wrapping_add(self.topic_hash)
    }
}

const BUCKETS_MIN: usize = 16;

fn buckets_for(keys: usize, mut buckets: usize) -> usize {
    while keys > buckets / 4 * 3 {
        buckets *= 2;
    }
    buckets
}

fn bucket(hash: i32, buckets: usize) -> usize {
    let hash = hash.cast_unsigned();
    (hash ^ (hash >> 16)) as usize & (buckets - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::TopicId;

    #[test]
    fn strings_hash_as_in_java() {
        assert_eq!(string_hash(""), 0);
        assert_eq!(string_hash("a"), 97);
        assert_eq!(string_hash("hello"), 99_162_322);
    }

    #[test]
    fn of_range_and_rr_a_map_meets_rr_first() {
        assert_eq!(iteration_order(["range", "rr"].into_iter()), [1, 0]);
        assert_eq!(iteration_order(["rr", "range"].into_iter()), [0, 1]);
    }

    #[test]
    fn a_set_of_partitions_begins_with_the_lowest_bucket_and_stays_large() {
        let at = |partition| TopicPartition { topic: TopicId(0), partition };
        // The topic's hash is 0: partition 1 has 31 * 32 and falls into bucket 0 of 16 or 32, partition 0 has 31 * 31 = 961: bucket 1.
        let mut set = PartitionSet::new("");
        [at(0), at(17), at(1)].into_iter().for_each(|partition| set.insert(partition));
        assert_eq!(set.first(), Some(at(17)), "31 * 48 is in bucket 0 too and came first");
        (30..40).for_each(|partition| set.insert(at(partition)));
        assert_eq!(set.first(), Some(at(1)), "of 32 buckets, 31 * 48 is in the 16th");
        (30..40).for_each(|partition| set.remove(at(partition)));
        assert_eq!(set.first(), Some(at(1)), "removal does not shrink it");
        set.remove(at(1));
        assert!(!set.is_empty());
        assert_eq!(set.first(), Some(at(0)));
    }
}

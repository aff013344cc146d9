//! Which partition a record goes to: murmur2 of its key, or, without a key, the partition that the producer sticks to for a while.
//!
//! Origin: `Utils#murmur2`, `BuiltInPartitioner` (KIP-480, KIP-794, Kafka 4.0).
//!
//! Not modelled: adaptive partitioning (`partitioner.adaptive.partitioning.enable`): the next partition is drawn uniformly, not by the
//! lengths of the queues, so a slow broker is not spared. Not modelled: partitions without a leader are not passed over.

/// The partition of a record with a key. An empty key is a key.
pub fn partition_for_key(key: &[u8], partitions: u32) -> u32 {
    (murmur2(key) & 0x7fff_ffff) as u32 % partitions
}

/// Austin Appleby's MurmurHash2 with Kafka's seed.
pub fn murmur2(bytes: &[u8]) -> i32 {
    const SEED: u32 = 0x9747_b28c;
    const M: u32 = 0x5bd1_e995;
    const R: u32 = 24;

    let mut h = SEED ^ bytes.len() as u32;
    let (words, tail) = bytes.as_chunks::<4>();
    for word in words {
        let mut k = u32::from_le_bytes(*word).wrapping_mul(M);
        k ^= k >> R;
        h = h.wrapping_mul(M) ^ k.wrapping_mul(M);
    }
    if !tail.is_empty() {
        let mut last = [0; 4];
        last[..tail.len()].copy_from_slice(tail);
        h = (h ^ u32::from_le_bytes(last)).wrapping_mul(M);
    }
    h ^= h >> 13;
    h = h.wrapping_mul(M);
    (h ^ (h >> 15)).cast_signed()
}

/// How long a producer stays with a partition.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Sticks {
    /// As long as the batch takes records: for a new one it goes to another partition (KIP-480; 2.4 to 3.2, `DefaultPartitioner#onNewBatch`).
    ToBatch,
    /// For a batch's worth of bytes, however many batches they come in (KIP-794, since 3.3).
    ForBytes,
}

/// Where records without a key go: a producer stays with one partition of a topic as long as [`Sticks`] says.
///
/// One that sticks for bytes goes on only between two batches: when the partition's queue is empty or its last batch is full
/// (`room_in_batch` is false), so that no half-filled batch is left behind; but at twice `batch.size` it goes on in any case. The next
/// partition is drawn outside.
#[derive(Clone, Debug)]
pub struct StickyPartitioner {
    sticks: Sticks,
    /// batch.size
    batch_size: u64,
    current: Option<u32>,
    /// Bytes since the producer came to `current`.
    charged: u64,
}

impl StickyPartitioner {
    pub fn new(sticks: Sticks, batch_size: u64) -> Self {
        StickyPartitioner { sticks, batch_size, current: None, charged: 0 }
    }

    pub fn sticks_to_batch(&self) -> bool {
        self.sticks == Sticks::ToBatch
    }

    /// The partition of a new batch where each has another one than the one before (`StickyPartitionCache#nextPartition`); the only one if
    /// there is one only. `draw`: uniformly below a number.
    pub fn of_new_batch(&mut self, partitions: u32, draw: impl FnOnce(u32) -> u32) -> u32 {
        let next = match self.current {
            None => draw(partitions),
            Some(current) if partitions <= 1 => current,
            Some(current) => {
                let other = draw(partitions - 1);
                if other < current { other } else { other + 1 }
            }
        };
        self.go_to(next)
    }

    /// The partition that it sticks to: the one whose queue the caller has to look at.
    pub fn current(&self) -> Option<u32> {
        self.current
    }

    /// The partition of the next record (`RecordAccumulator#partitionChanged`). `room_in_batch`: the last batch in the queue of the current
    /// partition takes more records.
    pub fn partition(&mut self, room_in_batch: bool, draw: impl FnOnce() -> u32) -> u32 {
        match self.current {
            Some(current) if room_in_batch || self.charged < self.batch_size => current,
            Some(_) | None => self.go_to(draw()),
        }
    }

    /// The record was appended (`BuiltInPartitioner#updatePartitionInfo`). `bytes`: its own in the batch, plus the batch header if it opened
    /// the batch. `room_in_batch`: that batch takes more. A batch that was opened on an empty queue may be charged as a whole: it cannot reach
    /// twice `batch.size` before it is full.
    pub fn charge(&mut self, bytes: u64, room_in_batch: bool, draw: impl FnOnce() -> u32) {
        if self.sticks_to_batch() {
            return;
        }
        self.charged += bytes;
        let enough = self.charged >= self.batch_size && !room_in_batch;
        if enough || self.charged >= 2 * self.batch_size {
            self.go_to(draw());
        }
    }

    /// Bytes since it came to its partition.
    pub fn charged(&self) -> u64 {
        self.charged
    }

    /// How many more bytes may be charged before it goes on between two batches.
    pub fn until_due(&self) -> u64 {
        match self.sticks {
            Sticks::ToBatch => 0,
            Sticks::ForBytes => self.batch_size.saturating_sub(self.charged),
        }
    }

    /// How many more bytes may be charged before it goes on in any case.
    pub fn until_cap(&self) -> u64 {
        match self.sticks {
            Sticks::ToBatch => u64::MAX,
            Sticks::ForBytes => (2 * self.batch_size).saturating_sub(self.charged),
        }
    }

    fn go_to(&mut self, partition: u32) -> u32 {
        self.current = Some(partition);
        self.charged = 0;
        partition
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kafka::record_size::{BATCH_HEADER_BYTES, record_bytes};

    const BATCH_SIZE: u64 = 16_384;

    #[test]
    fn keys_go_where_kafka_puts_them() {
        let placed = |n| (0..10).map(|key| partition_for_key(format!("key-{key}").as_bytes(), n)).collect::<Vec<_>>();
        assert_eq!(placed(3), [1, 0, 2, 2, 0, 2, 2, 1, 1, 0]);
        assert_eq!(placed(4), [1, 0, 2, 3, 1, 0, 0, 3, 3, 1]);
        assert_eq!(placed(6), [1, 0, 2, 5, 3, 2, 2, 1, 1, 3]);
        assert_eq!(placed(12), [1, 0, 2, 11, 9, 8, 8, 7, 7, 9]);
    }

    #[test]
    fn murmur2_agrees_with_kafkas_examples() {
        assert_eq!(murmur2(b"21"), -973_932_308);
        assert_eq!(murmur2(b"foobar"), -790_332_482);
        assert_eq!(murmur2(b"abc"), 479_470_107);
        assert_eq!(murmur2(b"a-little-bit-long-string"), -985_981_536);
        assert_eq!(murmur2(b""), 275_646_681);
    }

    #[test]
    fn at_a_low_rate_each_record_is_a_batch_and_97_of_100_bytes_stay_together() {
        let single = BATCH_HEADER_BYTES + record_bytes(None, 100, 0, 0);
        assert_eq!(records_until_switch(|_| (single, false)), 97);
    }

    #[test]
    fn about_150_records_stay_together_when_full_batches_leave_at_once() {
        // 148 fill the first batch with 16,277 bytes; the next one opens a second batch, which leaves before the one after it comes.
        assert_eq!(records_until_switch(|record| (packed(record), record < 147)), 149);
    }

    #[test]
    fn a_producer_never_stays_for_more_than_two_batch_sizes() {
        // Two batches of 148 are 32,554 bytes, one record of a third makes 32,724, the next one passes 32,768.
        assert_eq!(records_until_switch(|record| (packed(record), true)), 298);
    }

    #[test]
    fn a_producer_waits_for_its_open_batch_before_it_goes_on() {
        let mut sticky = StickyPartitioner::new(Sticks::ForBytes, 100);
        assert_eq!(sticky.current(), None);
        assert_eq!(sticky.partition(false, || 4), 4);
        sticky.charge(120, true, || panic!("the open batch takes more"));
        assert_eq!(sticky.partition(true, || panic!("it still does")), 4);
        assert_eq!(sticky.partition(false, || 2), 2, "the batch has left");
        sticky.charge(99, false, || panic!("too few bytes"));
        sticky.charge(1, false, || 7);
        assert_eq!(sticky.current(), Some(7));
    }

    #[test]
    fn a_batch_opened_on_an_empty_queue_may_be_charged_as_a_whole() {
        let bytes = [1900, 1900, 1900, 2100, 3000, 900];
        let (mut by_record, mut by_batch) =
            (StickyPartitioner::new(Sticks::ForBytes, 6000), StickyPartitioner::new(Sticks::ForBytes, 6000));
        let (mut drawn_by_record, mut drawn_by_batch) = (0..100, 0..100);
        let mut visited = Vec::new();
        for batch in bytes.chunks(3).cycle().take(20) {
            let mut draw = || drawn_by_record.next().expect("a draw for each");
            let mut partition = by_record.partition(false, &mut draw);
            for (i, record) in batch.iter().enumerate() {
                partition = if i == 0 { partition } else { by_record.partition(true, &mut draw) };
                by_record.charge(*record, i + 1 < batch.len(), &mut draw);
            }
            let mut draw = || drawn_by_batch.next().expect("a draw for each");
            assert_eq!(by_batch.partition(false, &mut draw), partition);
            by_batch.charge(batch.iter().sum(), false, &mut draw);
            visited.push(partition);
        }
        assert_eq!(by_record.current(), by_batch.current());
        assert!(visited.windows(2).any(|pair| pair[0] == pair[1]) && visited.windows(2).any(|pair| pair[0] != pair[1]), "{visited:?}");
    }

    /// How many records go to the first partition; `record` says what the i-th is charged and whether the batch it is in takes more
    /// when the next one comes.
    fn records_until_switch(record: impl Fn(u64) -> (u64, bool)) -> u64 {
        let mut sticky = StickyPartitioner::new(Sticks::ForBytes, BATCH_SIZE);
        let mut next = 0;
        let mut room = false;
        for i in 0.. {
            let mut draw = || {
                next += 1;
                next
            };
            if sticky.partition(room, &mut draw) != 1 {
                return i;
            }
            let bytes;
            (bytes, room) = record(i);
            sticky.charge(bytes, room, &mut draw);
        }
        unreachable!("a producer goes on some time")
    }

    /// Bytes charged for the i-th record of 100 bytes when batches fill up.
    fn packed(i: u64) -> u64 {
        let place = i % 148;
        let header = if place == 0 { BATCH_HEADER_BYTES } else { 0 };
        header + record_bytes(None, 100, place, 0)
    }
}

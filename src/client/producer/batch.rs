//! A batch while it is being filled (ProducerBatch).

use super::Batch;
use crate::trace::times::Created;
use crate::units::{Instant, Pace};

/// A batch that is being filled or waits to be sent.
#[derive(Debug)]
pub struct Open {
    pub created: Instant,
    pub records: u32,
    pub bytes: u64,
    pub times: Times,
    pub closed: Option<Instant>,
}

#[derive(Debug)]
pub enum Times {
    Even { pace: Pace, index: u64 },
    Listed(Vec<Instant>),
}

/// The place in a batch from which on the offset delta takes one byte more.
pub fn longer_offset_delta(place: u32) -> u32 {
    match place {
        0..64 => 64,
        64..8_192 => 8_192,
        8_192..1_048_576 => 1_048_576,
        1_048_576.. => u32::MAX,
    }
}

impl Open {
    /// When a record's timestamp delta takes one byte more than that of one created at `now`.
    pub fn longer_timestamp_delta(&self, now: Instant) -> Instant {
        let (first, age) = (self.created.as_millis(), now.as_millis() - self.created.as_millis());
        let limit = match age {
            0..64 => 64,
            64..8_192 => 8_192,
            8_192..1_048_576 => 1_048_576,
            1_048_576.. => return Instant::NEVER,
        };
        Instant::from_millis(first + limit)
    }

    pub fn push(&mut self, created: Instant, bytes: u64, batch_size: u64) {
        if let Times::Listed(times) = &mut self.times {
            times.push(created);
        }
        self.push_many(1, created, bytes, batch_size);
    }

    pub fn push_many(&mut self, records: u64, last: Instant, bytes: u64, batch_size: u64) {
        self.records += u32::try_from(records).expect("a batch holds fewer than 2^32 records");
        self.bytes += records * bytes;
        if self.bytes >= batch_size {
            self.closed = Some(last);
        }
    }

    pub fn into_batch(self, partition: u32) -> Batch {
        let created = match self.times {
            Times::Even { pace, index } => Created::Even { pace, index },
            Times::Listed(times) => Created::Listed(times.into_boxed_slice()),
        };
        let bytes = u32::try_from(self.bytes).expect("a batch is smaller than 4 GiB");
        Batch { partition, records: self.records, bytes, created }
    }
}

//! Records into batches (RecordAccumulator.append, BuiltInPartitioner; before 3.3 KafkaProducer.doSend, DefaultPartitioner).

use super::batch::{Open, Times, longer_offset_delta};
use super::{Producer, ProducerDraws};
use crate::kafka::record_size::{self, BATCH_HEADER_BYTES};
use crate::units::Instant;

impl Producer {
    /// Hands the records that are created before `end` to the accumulator as long as nothing closes; at least one.
    pub(super) fn take_records(&mut self, end: Instant, draws: &mut impl ProducerDraws) {
        let created = self.arrivals.next.expect("there is a record to take");
        self.learn_growth(created);
        let taken = match self.config.keys {
            Some(_) => {
                let key = draws.key() as usize;
                self.take_keyed(created, self.key_hashes[key] % self.known_partitions, self.key_bytes[key])
            }
            None => self.take_unkeyed(created, end, draws),
        };
        self.arrivals.sent += taken;
        self.arrivals.index += taken;
        self.find_next(created, draws);
    }

    /// One record with a key of so many bytes.
    fn take_keyed(&mut self, created: Instant, partition: u32, key: u64) -> u64 {
        let mut bytes = self.record_bytes(partition, created, Some(key));
        if self.make_room(partition, created, bytes, true) {
            // Its deltas count from the batch that it opened.
            bytes = self.record_bytes(partition, created, Some(key));
        }
        let open = self.queues[partition as usize].back_mut().expect("there is an open batch");
        open.push(created, bytes, self.config.batch_size);
        1
    }

    /// Records without a key, for the partition that the producer sticks to. How many.
    fn take_unkeyed(&mut self, created: Instant, end: Instant, draws: &mut impl ProducerDraws) -> u64 {
        let known = self.known_partitions;
        let (partition, bytes, closes) =
            if self.sticky.sticks_to_batch() { self.stick_to_batch(created, draws) } else { self.stick_for_bytes(created, draws) };
        let header = if self.make_room(partition, created, bytes, self.config.poisson) { BATCH_HEADER_BYTES } else { 0 };
        // A fresh batch takes records until its linger is over.
        let end = if header > 0 { end.min(created + self.config.linger) } else { end };
        // A closed batch may leave at once, and the fresh one of another partition with it.
        let single = !self.continues_pace(partition) || closes;
        let taken = if single { 1 } else { self.run_of_equals(partition, created, end, bytes) };
        let open = self.queues[partition as usize].back_mut().expect("there is an open batch");
        let last = match self.arrivals.pace {
            Some(pace) if taken > 1 => pace.at(self.arrivals.index + taken - 1),
            Some(_) | None => created,
        };
        match open.times {
            Times::Even { .. } => open.push_many(taken, last, bytes, self.config.batch_size),
            Times::Listed(_) => open.push(created, bytes, self.config.batch_size),
        }
        self.sticky.charge(taken * bytes + header, open.closed.is_none(), || draws.partition(known));
        taken
    }

    /// The partition of the next record, its size there, and whether a batch was closed for want of room.
    fn stick_for_bytes(&mut self, created: Instant, draws: &mut impl ProducerDraws) -> (u32, u64, bool) {
        let known = self.known_partitions;
        let mut closes = false;
        loop {
            let last = self.sticky.current().and_then(|partition| self.queues[partition as usize].back());
            let partition = self.sticky.partition(last.is_some_and(|open| open.closed.is_none()), || draws.partition(known));
            // A closed batch may let the partitioner go on.
            match self.has_room(partition, created) {
                Some(false) => closes = true,
                Some(true) | None => return (partition, self.record_bytes(partition, created, None), closes),
            }
        }
    }

    /// The same where every new batch has another partition.
    fn stick_to_batch(&mut self, created: Instant, draws: &mut impl ProducerDraws) -> (u32, u64, bool) {
        let current = self.sticky.current();
        let before = current.and_then(|partition| self.has_room(partition, created));
        let (partition, there) = match (current, before) {
            (Some(current), Some(true)) => (current, None),
            _ => {
                let next = self.sticky.of_new_batch(self.known_partitions, |below| draws.partition(below));
                (next, self.has_room(next, created))
            }
        };
        (partition, self.record_bytes(partition, created, None), before == Some(false) || there == Some(false))
    }

    /// Whether the open batch of a partition takes the next record; one that does not is closed. `None`: none is open.
    fn has_room(&mut self, partition: u32, created: Instant) -> Option<bool> {
        let bytes = self.record_bytes(partition, created, None);
        let open = self.queues[partition as usize].back_mut().filter(|open| open.closed.is_none())?;
        let has_room = open.bytes + bytes <= self.config.batch_size;
        if !has_room {
            open.closed = Some(created);
        }
        Some(has_room)
    }

    /// Whether the next record goes on where the times of the open batch end; from a batch whose pace has changed on, times are listed.
    fn continues_pace(&mut self, partition: u32) -> bool {
        let open = self.queues[partition as usize].back_mut().expect("there is an open batch");
        let Times::Even { pace, index } = open.times else { return false };
        if self.arrivals.pace == Some(pace) && self.arrivals.index == index + u64::from(open.records) {
            return true;
        }
        open.times = Times::Listed((0..u64::from(open.records)).map(|i| pace.at(index + i)).collect());
        false
    }

    /// How many records from the next one on come before `end`, are of the same size and fit into the open batch of `partition`.
    fn run_of_equals(&self, partition: u32, created: Instant, end: Instant, bytes: u64) -> u64 {
        let open = self.queues[partition as usize].back().expect("there is an open batch");
        let growth = self.config.partitions.get(self.next_growth).map_or(Instant::NEVER, |growth| growth.0);
        let longer_delta = open.longer_timestamp_delta(created);
        let pace = self.arrivals.pace.expect("even arrivals have a pace");
        let in_time = pace.count_before(end.min(self.step_end()).min(growth).min(longer_delta)).saturating_sub(self.arrivals.index);
        let same_offset_delta = u64::from(longer_offset_delta(open.records) - open.records);
        // The first record of a batch fits whatever its size.
        let room = self.config.batch_size.saturating_sub(open.bytes) / bytes;
        let until_cap = self.sticky.until_cap().div_ceil(bytes);
        in_time.min(same_offset_delta).min(room).min(until_cap).max(1)
    }

    /// The size of the next record in the open batch of a partition, or in a fresh one.
    fn record_bytes(&self, partition: u32, created: Instant, key: Option<u64>) -> u64 {
        let (place, age) = match self.queues[partition as usize].back() {
            Some(open) if open.closed.is_none() => (u64::from(open.records), created.as_millis() - open.created.as_millis()),
            Some(_) | None => (0, 0),
        };
        record_size::record_bytes(key, self.config.record_size, place, age)
    }

    /// Sees to it that the last batch of a partition takes a record of so many bytes. True if a batch was opened for it.
    fn make_room(&mut self, partition: u32, created: Instant, bytes: u64, listed: bool) -> bool {
        let queue = &mut self.queues[partition as usize];
        match queue.back_mut() {
            Some(open) if open.closed.is_none() && open.bytes + bytes <= self.config.batch_size => return false,
            Some(open) => {
                open.closed.get_or_insert(created);
            }
            None => self.busy.push(partition),
        }
        let times = match self.arrivals.pace {
            Some(pace) if !listed => Times::Even { pace, index: self.arrivals.index },
            Some(_) | None => Times::Listed(Vec::new()),
        };
        queue.push_back(Open { created, records: 0, bytes: BATCH_HEADER_BYTES, times, closed: None });
        true
    }
}

//! A partition's log as runs of equal batches: what a Fetch may read.
//!
//! The log knows where batches begin and how many bytes they have, not when their records were created; adjacent batches of the same shape
//! merge, so a steady hour is one run. It ends at the high watermark: batches enter when consumers may see them. Origin:
//! `ReplicaManager.readFromLog`, `UnifiedLog.read` (whole batches; the first one even beyond the limit).
//!
//! Not modelled: retention. The log start offset stays 0, so OFFSET_OUT_OF_RANGE does not occur.

use crate::units::Offset;

/// `batches` batches of `records` records and `bytes` bytes each, from offset `first` on.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
struct Run {
    first: u64,
    batches: u64,
    records: u32,
    bytes: u32,
}

impl Run {
    fn end(&self) -> u64 {
        self.first + self.batches * u64::from(self.records)
    }
}

#[derive(Clone, Debug, Default)]
pub struct PartitionLog {
    runs: Vec<Run>,
    end: u64,
    /// The run that the last read began in: readers move forward.
    hint: std::cell::Cell<usize>,
}

/// What a read of one partition found.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Read {
    pub to: Offset,
    pub bytes: u64,
}

impl PartitionLog {
    pub fn high_watermark(&self) -> Offset {
        Offset(self.end)
    }

    /// Adds batches of one shape at the end.
    pub fn append(&mut self, records: u32, bytes: u32, batches: u64) {
        assert!(records > 0, "a batch has records");
        match self.runs.last_mut() {
            Some(run) if run.records == records && run.bytes == bytes => run.batches += batches,
            Some(_) | None => self.runs.push(Run { first: self.end, batches, records, bytes }),
        }
        self.end += u64::from(records) * batches;
    }

    /// Reads whole batches from the one that holds `from`, at most `max_bytes` of them, or one batch whatever its size if `at_least_one`.
    /// `None` if there is nothing to read or not even one batch fits.
    pub fn read(&self, from: Offset, max_bytes: u64, at_least_one: bool) -> Option<Read> {
        if from.0 >= self.end {
            return None;
        }
        let mut at = self.run_of(from.0);
        self.hint.set(at);
        let run = &self.runs[at];
        let mut batch = (from.0 - run.first) / u64::from(run.records);
        let mut bytes = 0;
        let mut to = from.0;
        let mut must = at_least_one;
        while let Some(run) = self.runs.get(at) {
            let left = run.batches - batch;
            let fit = ((max_bytes - bytes.min(max_bytes)) / u64::from(run.bytes.max(1))).max(u64::from(must)).min(left);
            bytes += fit * u64::from(run.bytes);
            if fit > 0 {
                to = run.first + (batch + fit) * u64::from(run.records);
                must = false;
            }
            if fit < left {
                break;
            }
            at += 1;
            batch = 0;
        }
        (to > from.0).then_some(Read { to: Offset(to), bytes })
    }

    /// How many bytes there are from the batch on that holds `from`, or `enough` if there are at least so many.
    pub fn available(&self, from: Offset, enough: u64) -> u64 {
        if from.0 >= self.end {
            return 0;
        }
        let at = self.run_of(from.0);
        let passed = (from.0 - self.runs[at].first) / u64::from(self.runs[at].records);
        let mut bytes = (self.runs[at].batches - passed) * u64::from(self.runs[at].bytes);
        for run in &self.runs[at + 1..] {
            if bytes >= enough {
                break;
            }
            bytes += run.batches * u64::from(run.bytes);
        }
        bytes.min(enough)
    }

    /// Which run holds an offset below the end.
    fn run_of(&self, offset: u64) -> usize {
        let hint = self.hint.get();
        let holds = |at: usize| self.runs.get(at).is_some_and(|run| run.first <= offset && offset < run.end());
        if holds(hint) {
            return hint;
        }
        if holds(hint + 1) {
            return hint + 1;
        }
        self.runs.partition_point(|run| run.end() <= offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log() -> PartitionLog {
        let mut log = PartitionLog::default();
        for _ in 0..4 {
            log.append(5, 500, 1);
        }
        log.append(2, 300, 1);
        log
    }

    #[test]
    fn equal_batches_merge_into_one_run() {
        assert_eq!(log().runs.len(), 2);
        assert_eq!(log().high_watermark(), Offset(22));
    }

    #[test]
    fn a_read_returns_whole_batches_within_its_limit() {
        assert_eq!(log().read(Offset(0), 1_200, true), Some(Read { to: Offset(10), bytes: 1_000 }));
        assert_eq!(log().read(Offset(7), 1_200, true), Some(Read { to: Offset(15), bytes: 1_000 }));
        assert_eq!(log().read(Offset(0), 10_000, true), Some(Read { to: Offset(22), bytes: 2_300 }));
        assert_eq!(log().read(Offset(21), 300, false), Some(Read { to: Offset(22), bytes: 300 }));
    }

    #[test]
    fn available_bytes_are_those_of_the_batches_from_an_offset_on() {
        let available = |from, enough| log().available(Offset(from), enough);
        assert_eq!((available(0, 10_000), available(7, 10_000), available(20, 10_000), available(22, 10_000)), (2_300, 1_800, 300, 0));
        assert_eq!((available(0, 1), available(7, 1_799), available(20, 400)), (1, 1_799, 300));
    }

    #[test]
    fn only_the_first_batch_may_exceed_the_limit() {
        assert_eq!(log().read(Offset(0), 10, true), Some(Read { to: Offset(5), bytes: 500 }));
        assert_eq!(log().read(Offset(0), 10, false), None);
        assert_eq!(log().read(Offset(22), 10_000, true), None);
    }
}

//! A partition's log as runs of equal batches: what a Fetch may read.
//!
//! The log knows where batches begin and how many bytes they have, not when their records were created; adjacent batches of the same shape
//! merge, so a steady hour is one run, and the runs that most readers have behind them are packed. It ends at the high watermark: batches enter when consumers may see them. Origin:
//! `ReplicaManager.readFromLog`, `UnifiedLog.read` (whole batches; the first one even beyond the limit).
//!
//! Not modelled: retention. The log start offset stays 0, so OFFSET_OUT_OF_RANGE does not occur.

use std::cell::Cell;

use crate::units::Offset;

mod sealed;

use sealed::Sealed;

/// So many runs are packed together, once there are twice as many: readers are mostly at the end.
const SEGMENT: usize = 128;

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

    /// How many of so many batches fit into `room` bytes.
    fn fitting(&self, batches: u64, room: u64) -> u64 {
        // Mostly all of them do, which takes no division.
        if batches * u64::from(self.bytes) <= room { batches } else { room / u64::from(self.bytes) }
    }
}

#[derive(Clone, Debug, Default)]
pub struct PartitionLog {
    /// The older runs, packed.
    sealed: Sealed,
    /// The others.
    runs: Vec<Run>,
    end: u64,
    hint: Cell<Hint>,
}

/// Where the last read was: readers move forward.
#[derive(Copy, Clone, Debug, Default)]
struct Hint {
    /// The run that it began in.
    run: usize,
    /// So many batches of that run are before this offset, if it ended there.
    ended: Option<(u64, u64)>,
}

/// What a read of one partition found.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Read {
    pub to: Offset,
    pub bytes: u64,
}

impl PartitionLog {
    #[inline]
    pub fn high_watermark(&self) -> Offset {
        Offset(self.end)
    }

    /// Adds batches of one shape at the end.
    pub fn append(&mut self, records: u32, bytes: u32, batches: u64) {
        assert!(records > 0, "a batch has records");
        match self.runs.last_mut() {
            Some(run) if run.records == records && run.bytes == bytes => run.batches += batches,
            Some(_) | None => {
                if self.runs.len() == 2 * SEGMENT {
                    self.sealed.seal(&self.runs[..SEGMENT]);
                    self.runs.drain(..SEGMENT);
                    self.hint.set(Hint { run: self.hint.get().run.saturating_sub(SEGMENT), ended: None });
                }
                self.runs.push(Run { first: self.end, batches, records, bytes });
            }
        }
        self.end += u64::from(records) * batches;
    }

    /// Reads whole batches from the one that holds `from`, at most `max_bytes` of them, or one batch whatever its size if `at_least_one`.
    /// `None` if there is nothing to read or not even one batch fits.
    #[inline]
    pub fn read(&self, from: Offset, max_bytes: u64, at_least_one: bool) -> Option<Read> {
        if from.0 >= self.end {
            return None;
        }
        if self.is_sealed(from) {
            return read(self.sealed.runs_from(from.0).chain(self.runs.iter().copied()), from, max_bytes, at_least_one);
        }
        let at = self.run_of(from.0);
        let run = &self.runs[at];
        let Hint { run: before, ended } = self.hint.get();
        let passed = match ended {
            Some((offset, passed)) if before == at && offset == from.0 => passed,
            Some(_) | None => (from.0 - run.first) / u64::from(run.records),
        };
        let left = run.batches - passed;
        if at + 1 == self.runs.len() && left * u64::from(run.bytes) <= max_bytes {
            self.hint.set(Hint { run: at, ended: Some((self.end, run.batches)) });
            return Some(Read { to: Offset(self.end), bytes: left * u64::from(run.bytes) });
        }
        self.hint.set(Hint { run: at, ended: None });
        read(self.runs[at..].iter().copied(), from, max_bytes, at_least_one)
    }

    /// How many bytes there are from the batch on that holds `from`, or `enough` if there are at least so many.
    #[inline]
    pub fn available(&self, from: Offset, enough: u64) -> u64 {
        if from.0 >= self.end {
            return 0;
        }
        if self.is_sealed(from) {
            return available(self.sealed.runs_from(from.0).chain(self.runs.iter().copied()), from, enough);
        }
        available(self.runs[self.run_of(from.0)..].iter().copied(), from, enough)
    }

    fn is_sealed(&self, offset: Offset) -> bool {
        self.runs.first().is_some_and(|run| offset.0 < run.first)
    }

    /// Which of the runs that are not sealed holds an offset below the end.
    #[inline(always)]
    fn run_of(&self, offset: u64) -> usize {
        let hint = self.hint.get().run;
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

/// Reads batches from the first run on, which holds `from`.
#[inline]
fn read(runs: impl Iterator<Item = Run>, from: Offset, max_bytes: u64, at_least_one: bool) -> Option<Read> {
    let (mut bytes, mut to) = (0, from.0);
    let mut must = at_least_one;
    for run in runs {
        let passed = (to - run.first) / u64::from(run.records);
        let left = run.batches - passed;
        let fit = run.fitting(left, max_bytes.saturating_sub(bytes)).max(u64::from(must));
        bytes += fit * u64::from(run.bytes);
        if fit > 0 {
            to = run.first + (passed + fit) * u64::from(run.records);
            must = false;
        }
        if fit < left {
            break;
        }
    }
    (to > from.0).then_some(Read { to: Offset(to), bytes })
}

/// Adds batches up from the first run on, which holds `from`, until there is enough.
#[inline]
fn available(runs: impl Iterator<Item = Run>, from: Offset, enough: u64) -> u64 {
    let mut bytes = 0;
    for run in runs {
        let passed = from.0.saturating_sub(run.first) / u64::from(run.records);
        bytes += (run.batches - passed) * u64::from(run.bytes);
        if bytes >= enough {
            return enough;
        }
    }
    bytes
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

    #[test]
    fn a_log_reads_the_same_whether_its_runs_are_packed_or_not() {
        // Many shapes, most of them rare: some have a code, the others do not.
        let shape = |i: u64| (1 + (i % 7 * (i % 11)) as u32, 100 + (i * i % 1_009) as u32, 1 + i % 3 * (i % 5));
        let mut log = PartitionLog::default();
        let mut plain = Vec::new();
        for (records, bytes, batches) in (0..3_000).map(shape) {
            plain.push(Run { first: log.end, batches, records, bytes });
            log.append(records, bytes, batches);
        }
        assert!(log.runs.len() <= 2 * SEGMENT);
        for from in (0..log.end).step_by(37) {
            let at = plain.partition_point(|run| run.end() <= from);
            let expected = read(plain[at..].iter().copied(), Offset(from), 5_000, true);
            assert_eq!(log.read(Offset(from), 5_000, true), expected, "from {from}");
            let expected = available(plain[at..].iter().copied(), Offset(from), 300_000);
            assert_eq!(log.available(Offset(from), 300_000), expected, "from {from}");
        }
    }
}

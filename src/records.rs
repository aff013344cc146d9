//! When each record of a partition was created, as runs of evenly spaced records.
//!
//! A run is 24 bytes, whatever its length; appends that continue the same pace lengthen the last run. Records that nobody will ask for
//! again are forgotten.

use std::collections::VecDeque;

use crate::trace::Created;
use crate::units::{Instant, Offset, OffsetRange, Pace, Span};

/// The creation times of a number of partitions.
#[derive(Clone, Debug)]
pub struct CreationTimes {
    /// As told, and with a whole spacing if it has one.
    paces: Vec<(Pace, Pace)>,
    partitions: Vec<PartitionTimes>,
}

#[derive(Clone, Default, Debug)]
struct PartitionTimes {
    runs: VecDeque<Run>,
    /// Of the runs with [`LISTED`], whose index is the number of their list.
    lists: VecDeque<Box<[Instant]>>,
    lists_forgotten: u64,
    /// Runs in front of `runs` that may be asked for, with their lists.
    kept: Vec<(Run, Box<[Instant]>)>,
}

#[derive(Copy, Clone, Debug)]
struct Run {
    first: Offset,
    index: u64,
    count: u32,
    /// Which pace it is; the record at `first` is its number `index`.
    pace: u32,
}

const LISTED: u32 = u32::MAX;

/// [`Created`], borrowed.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Creation<'a> {
    Even { pace: Pace, index: u64 },
    Listed(&'a [Instant]),
}

/// How many records are visible at a moment, of `batches` of `per_batch` each, each visible `delay` after the creation of its first record.
pub fn visible_by(moment: Instant, (batches, per_batch): (u64, u64), created: &Created, delay: Span) -> u64 {
    let Some(latest) = moment.as_nanos().checked_sub(delay.as_nanos()).map(Instant::from_nanos) else { return 0 };
    let visible = match created {
        Created::Even { pace, index } => {
            let records = pace.count_before(latest + Span::from_nanos(1)).saturating_sub(*index);
            records.div_ceil(per_batch).min(batches)
        }
        Created::Listed(times) => times.chunks(per_batch as usize).take_while(|batch| batch[0] <= latest).count() as u64,
    };
    visible * per_batch
}

impl CreationTimes {
    pub fn new(partitions: usize) -> Self {
        CreationTimes { paces: Vec::new(), partitions: vec![PartitionTimes::default(); partitions] }
    }

    /// The next records of a partition.
    pub fn append(&mut self, partition: usize, mut first: Offset, mut count: u64, created: &Created) {
        match created {
            Created::Even { pace, index } => {
                let (pace, mut index) = (self.number_of(*pace), *index);
                while count > 0 {
                    let part = u32::try_from(count).unwrap_or(u32::MAX);
                    self.partitions[partition].append(Run { first, index, count: part, pace });
                    (first, index, count) = (first + u64::from(part), index + u64::from(part), count - u64::from(part));
                }
            }
            Created::Listed(times) => {
                let at = &mut self.partitions[partition];
                let index = at.lists_forgotten + at.lists.len() as u64;
                let count = u32::try_from(count).expect("a list of times fits into memory, and an append is no list of 4 billion");
                at.lists.push_back(times.clone());
                at.runs.push_back(Run { first, index, count, pace: LISTED });
            }
        }
    }

    /// The creation times of the records in `window`, run by run. Records that were never appended are passed over.
    pub fn for_each(&self, partition: usize, window: OffsetRange, mut visit: impl FnMut(OffsetRange, Creation<'_>)) {
        let at = &self.partitions[partition];
        // Consumers that keep up are at the first run.
        if let Some(run) = at.runs.front().filter(|run| run.first <= window.from && window.to <= run.end()) {
            visit(window, self.creation(run, window.from, at.lists.front().map_or(&[], |list| list)));
            return;
        }
        let kept = at.kept.partition_point(|(run, _)| run.end() <= window.from);
        for (run, list) in at.kept[kept..].iter().take_while(|(run, _)| run.first < window.to) {
            let part = run.within(window);
            visit(part, self.creation(run, part.from, list));
        }
        let start = at.runs.partition_point(|run| run.end() <= window.from);
        for run in at.runs.range(start..).take_while(|run| run.first < window.to) {
            let part = run.within(window);
            let list = if run.pace == LISTED { &at.lists[(run.index - at.lists_forgotten) as usize] } else { &[][..] };
            visit(part, self.creation(run, part.from, list));
        }
    }

    /// Forgets the runs that end at or before `below`, but for those that are still wanted.
    pub fn forget(&mut self, partition: usize, below: Offset, is_wanted: impl Fn(OffsetRange) -> bool) {
        let at = &mut self.partitions[partition];
        while let Some(run) = at.runs.front().copied().filter(|run| run.end() <= below) {
            at.runs.pop_front();
            let mut list = Box::default();
            if run.pace == LISTED {
                list = at.lists.pop_front().expect("a listed run has its list");
                at.lists_forgotten += 1;
            }
            if is_wanted(OffsetRange::new(run.first, run.end())) {
                at.kept.push((run, list));
            }
        }
    }

    /// How many runs there are.
    pub fn runs(&self) -> usize {
        self.partitions.iter().map(|at| at.runs.len() + at.kept.len()).sum()
    }

    fn number_of(&mut self, pace: Pace) -> u32 {
        let known = self.paces.iter().rposition(|(known, _)| *known == pace);
        let number = known.unwrap_or_else(|| {
            let (p, q) = pace.spacing;
            let spacing = if p.is_multiple_of(q) { (p / q, 1) } else { (p, q) };
            self.paces.push((pace, Pace { spacing, ..pace }));
            self.paces.len() - 1
        });
        u32::try_from(number).expect("there are fewer rate steps than 2^32")
    }

    fn creation<'a>(&self, run: &Run, from: Offset, list: &'a [Instant]) -> Creation<'a> {
        let skipped = from.0 - run.first.0;
        if run.pace == LISTED {
            Creation::Listed(&list[skipped as usize..])
        } else {
            Creation::Even { pace: self.paces[run.pace as usize].1, index: run.index + skipped }
        }
    }
}

impl PartitionTimes {
    fn append(&mut self, run: Run) {
        if let Some(last) = self.runs.back_mut()
            && last.pace == run.pace
            && last.end() == run.first
            && last.index + u64::from(last.count) == run.index
            && let Some(count) = last.count.checked_add(run.count)
        {
            last.count = count;
        } else {
            self.runs.push_back(run);
        }
    }
}

impl Run {
    fn end(&self) -> Offset {
        self.first + u64::from(self.count)
    }

    fn within(&self, window: OffsetRange) -> OffsetRange {
        OffsetRange::new(self.first.max(window.from), self.end().min(window.to))
    }
}

impl Creation<'_> {
    pub fn at(self, i: u64) -> Instant {
        match self {
            Creation::Even { pace, index } => pace.at(index + i),
            Creation::Listed(times) => times[i as usize],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Rate;

    fn even(index: u64) -> Created {
        Created::Even { pace: Pace::new(Instant::ZERO, Rate { records: 3, per: Span::from_secs(1) }), index }
    }

    fn range(from: u64, to: u64) -> OffsetRange {
        OffsetRange::new(Offset(from), Offset(to))
    }

    fn times(store: &CreationTimes, window: OffsetRange) -> Vec<(u64, u64)> {
        let mut times = Vec::new();
        store.for_each(0, window, |part, creation| {
            times.extend((0..part.len()).map(|i| (part.from.0 + i, creation.at(i).as_millis())));
        });
        times
    }

    #[test]
    fn a_pace_that_goes_on_is_one_run() {
        let mut store = CreationTimes::new(1);
        store.append(0, Offset(0), 3, &even(0));
        store.append(0, Offset(3), 2, &even(3));
        assert_eq!(store.runs(), 1);
        store.append(0, Offset(5), 2, &even(9));
        assert_eq!(store.runs(), 2);
        assert_eq!(times(&store, range(4, 6)), [(4, 1333), (5, 3000)]);
    }

    #[test]
    fn what_is_wanted_outlives_forgetting() {
        let mut store = CreationTimes::new(1);
        store.append(0, Offset(0), 3, &even(0));
        store.append(0, Offset(3), 2, &Created::Listed([Instant::from_millis(7), Instant::from_millis(8)].into()));
        store.append(0, Offset(5), 1, &Created::Listed([Instant::from_millis(9)].into()));
        store.append(0, Offset(6), 1, &even(30));
        store.forget(0, Offset(6), |run| run.from == Offset(3));
        assert_eq!(store.runs(), 2);
        assert_eq!(times(&store, range(0, 9)), [(3, 7), (4, 8), (6, 10000)]);
    }

    #[test]
    fn a_run_is_lean() {
        assert_eq!(size_of::<Run>(), 24);
    }
}

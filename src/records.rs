//! When each record of a partition was created, as runs of evenly spaced records.
//!
//! A run is a few bytes, whatever its length: an unread backlog is as many runs as it has batches. Appends that continue the same pace lengthen
//! the last run. Records that nobody will ask for again are forgotten.

mod chunk;

use std::collections::VecDeque;

use self::chunk::{Chunk, LISTED, Placed};
use crate::trace::times::Created;
use crate::units::{Instant, Offset, OffsetRange, Pace};

/// The creation times of a number of partitions.
#[derive(Clone, Debug)]
pub struct CreationTimes {
    courses: Vec<Course>,
    partitions: Vec<PartitionTimes>,
}

/// The records of a pace from number `start` on, a multiple of 2^32: runs count from there.
#[derive(Copy, Clone, Debug)]
struct Course {
    pace: Pace,
    start: u64,
}

#[derive(Clone, Default, Debug)]
struct PartitionTimes {
    /// The first run. A consumer that keeps up finds all that it needs here.
    front: Option<Placed>,
    /// The others. If there is an empty chunk, it is the only one.
    chunks: VecDeque<Chunk>,
    /// Of the runs with [`LISTED`], whose index is the number of their list; as many have been forgotten (modulo 2^32).
    lists: VecDeque<Box<[Instant]>>,
    lists_forgotten: u32,
    /// Runs before all of these that may be asked for, with their lists.
    kept: Vec<(Placed, Box<[Instant]>)>,
}

/// [`Created`], borrowed.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Creation<'a> {
    Even { pace: &'a Pace, index: u64 },
    Listed(&'a [Instant]),
}

impl CreationTimes {
    pub fn new(partitions: usize) -> Self {
        CreationTimes { courses: Vec::new(), partitions: vec![PartitionTimes::default(); partitions] }
    }

    /// The next records of a partition.
    #[inline(always)]
    pub fn append(&mut self, partition: usize, range: OffsetRange, created: &Created) {
        match created {
            Created::Even { pace, index } => {
                let course = self.course_of(*pace, *index);
                self.partitions[partition].append(Placed { range, index: *index as u32, course });
            }
            Created::Listed(times) => self.partitions[partition].append_listed(range, times),
        }
    }

    /// The creation times of the records in `window` if they are part of the first run, as they are for a consumer that keeps up.
    #[inline(always)]
    pub fn in_front(&self, partition: usize, window: OffsetRange) -> Option<Creation<'_>> {
        let at = &self.partitions[partition];
        let run = at.front.as_ref().filter(|run| run.range.from <= window.from && window.to <= run.range.to)?;
        Some(self.creation(run, window.from, at.list_of(run)))
    }

    /// The creation times of the records in `window`, run by run. Records that were never appended are passed over.
    pub fn for_each(&self, partition: usize, window: OffsetRange, mut visit: impl FnMut(OffsetRange, Creation<'_>)) {
        let at = &self.partitions[partition];
        let kept = at.kept.partition_point(|(run, _)| run.range.to <= window.from);
        let kept = at.kept[kept..].iter().map(|(run, list)| (*run, &**list));
        let listed = at.runs_from(window.from).map(|run| (run, at.list_of(&run)));
        let reached = kept.chain(listed).skip_while(|(run, _)| run.range.to <= window.from);
        for (run, list) in reached.take_while(|(run, _)| run.range.from < window.to) {
            let part = OffsetRange::new(run.range.from.max(window.from), run.range.to.min(window.to));
            visit(part, self.creation(&run, part.from, list));
        }
    }

    /// Forgets the runs that end before `passed`, or there; but for those that are still wanted.
    #[inline(always)]
    pub fn forget(&mut self, partition: usize, passed: Offset, is_wanted: impl Fn(OffsetRange) -> bool) {
        let at = &mut self.partitions[partition];
        while let Some(run) = at.front.filter(|run| run.range.to <= passed) {
            let list = at.take_front(&run);
            if is_wanted(run.range) {
                at.kept.push((run, list.unwrap_or_default()));
            }
        }
    }

    /// How many runs there are.
    pub fn runs(&self) -> usize {
        self.partitions.iter().map(|at| at.runs_from(Offset(0)).count() + at.kept.len()).sum()
    }

    #[inline(always)]
    fn course_of(&mut self, pace: Pace, index: u64) -> u32 {
        let start = index & !u64::from(u32::MAX);
        match self.courses.iter().rposition(|known| known.pace == pace && known.start == start) {
            Some(number) => number as u32,
            None => {
                self.courses.push(Course { pace, start });
                u32::try_from(self.courses.len() - 1).expect("there are fewer rate steps than 2^32")
            }
        }
    }

    #[inline(always)]
    fn creation<'a>(&'a self, run: &Placed, from: Offset, list: &'a [Instant]) -> Creation<'a> {
        let skipped = from.0 - run.range.from.0;
        if run.course == LISTED {
            Creation::Listed(&list[skipped as usize..])
        } else {
            let course = &self.courses[run.course as usize];
            Creation::Even { pace: &course.pace, index: course.start + u64::from(run.index) + skipped }
        }
    }
}

impl PartitionTimes {
    #[inline(always)]
    fn append(&mut self, next: Placed) {
        match &mut self.front {
            None => self.front = Some(next),
            Some(front) if front.goes_on_with(&next) && self.chunks.back().is_none_or(Chunk::is_empty) => front.range.to = next.range.to,
            Some(_) => self.append_behind(next),
        }
    }

    #[inline]
    fn append_behind(&mut self, next: Placed) {
        if !self.chunks.back_mut().is_some_and(|chunk| chunk.take_in(&next)) {
            self.chunks.push_back(Chunk::of(&next));
        }
    }

    fn append_listed(&mut self, range: OffsetRange, times: &[Instant]) {
        let index = self.lists_forgotten.wrapping_add(self.lists.len() as u32);
        self.lists.push_back(times.into());
        self.append(Placed { range, index, course: LISTED });
    }

    /// Takes the first run out. It comes with its list, if it has one.
    #[inline(always)]
    fn take_front(&mut self, front: &Placed) -> Option<Box<[Instant]>> {
        self.front = self.chunks.front_mut().and_then(Chunk::take_front);
        if self.chunks.len() > 1 && self.chunks[0].is_empty() {
            self.chunks.pop_front();
        }
        if front.course != LISTED {
            return None;
        }
        self.lists_forgotten = self.lists_forgotten.wrapping_add(1);
        self.lists.pop_front()
    }

    #[inline(always)]
    fn list_of(&self, run: &Placed) -> &[Instant] {
        if run.course == LISTED { &self.lists[run.index.wrapping_sub(self.lists_forgotten) as usize] } else { &[] }
    }

    /// From the run that has this record, or earlier.
    fn runs_from(&self, offset: Offset) -> impl Iterator<Item = Placed> {
        let start = self.chunks.partition_point(|chunk| chunk.end <= offset);
        self.front.into_iter().chain(self.chunks.range(start..).flat_map(move |chunk| chunk.runs_from(offset)))
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
    use proptest::prelude::*;

    use super::*;
    use crate::units::{Rate, Span};

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
        store.append(0, range(0, 3), &even(0));
        store.append(0, range(3, 5), &even(3));
        assert_eq!(store.runs(), 1);
        store.append(0, range(5, 7), &even(9));
        assert_eq!(store.runs(), 2);
        assert_eq!(times(&store, range(4, 6)), [(4, 1333), (5, 3000)]);
    }

    #[test]
    fn what_is_wanted_outlives_forgetting() {
        let mut store = CreationTimes::new(1);
        store.append(0, range(0, 3), &even(0));
        store.append(0, range(3, 5), &Created::Listed([Instant::from_millis(7), Instant::from_millis(8)].into()));
        store.append(0, range(5, 6), &Created::Listed([Instant::from_millis(9)].into()));
        store.append(0, range(6, 7), &even(30));
        store.forget(0, Offset(6), |run| run.from == Offset(3));
        assert_eq!(store.runs(), 2);
        assert_eq!(times(&store, range(0, 9)), [(3, 7), (4, 8), (6, 10000)]);
    }

    #[test]
    fn a_pace_can_have_more_records_than_a_run_can_count() {
        let (mut store, border) = (CreationTimes::new(1), 1 << 32);
        store.append(0, range(0, 4), &even(border - 2));
        store.append(0, range(4, 5), &even(border - 1));
        store.append(0, range(5, border + 15), &even(border));
        store.append(0, range(border + 15, border + 16), &even(7));
        let expected = [(3, even(border + 1)), (4, even(border - 1)), (5, even(border))];
        assert_eq!(times(&store, range(3, 6)), expected.map(|(offset, created)| (offset, created.at(0).as_millis())));
        let expected = [(border + 14, even(2 * border + 9)), (border + 15, even(7))];
        let expected = expected.map(|(offset, created)| (offset, created.at(0).as_millis()));
        assert_eq!(times(&store, range(border + 14, border + 99)), expected);
    }

    proptest! {
        #[test]
        fn runs_tell_what_a_time_per_record_tells(
            steps in proptest::collection::vec((0u64..4, 1u64..4, 0u64..8, 0u64..3, any::<bool>()), 0..1500),
            (from, length) in (0u64..3000, 0u64..400),
        ) {
            let (mut store, mut naive) = (CreationTimes::new(1), Vec::new());
            let (mut end, mut index, mut below) = (0, 0, 0);
            for (skipped, count, lapse, forgotten, listed) in steps {
                index += skipped;
                // Now and then a gap, of records that were never appended.
                end += lapse / 7;
                naive.resize(end as usize, None);
                let created = if listed { Created::Listed((0..count).map(|i| even(index).at(i)).collect()) } else { even(index) };
                store.append(0, range(end, end + count), &created);
                naive.extend((0..count).map(|i| Some(created.at(i).as_millis())));
                (end, index) = (end + count, index + count);
                below = end.min(below + forgotten);
                store.forget(0, Offset(below), |run| run.from.0 % 5 == 0);
            }
            let window = range(from, from + length);
            let told: Vec<_> = (window.from.0..window.to.0.min(end)).filter_map(|i| Some((i, naive[i as usize]?))).collect();
            let kept = times(&store, window);
            prop_assert!(kept.iter().all(|time| told.contains(time)), "no time is made up");
            prop_assert!(told.iter().all(|time| time.0 < below || kept.contains(time)), "what is not forgotten is known");
        }
    }
}

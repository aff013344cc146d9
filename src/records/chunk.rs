//! A chunk: runs of a partition that follow each other, 8 bytes each, or 12 where several courses mix.

use crate::units::{Offset, OffsetRange};

const RUNS_OF_A_CHUNK: usize = 256;
/// The course of a run whose times are listed one by one.
pub(super) const LISTED: u32 = u32::MAX;

/// A run, and which records it is.
#[derive(Copy, Clone, Debug)]
pub(super) struct Placed {
    pub(super) range: OffsetRange,
    /// Which record of its course is the first one.
    pub(super) index: u32,
    pub(super) course: u32,
}

/// Runs that follow each other without a gap, so that each ends where the next one begins.
#[derive(Clone, Debug)]
pub(super) struct Chunk {
    first: Offset,
    pub(super) end: Offset,
    runs: Vec<Run>,
    /// Of all runs, if none are listed in `courses`.
    course: u32,
    /// Of each run, where they differ.
    courses: Vec<u32>,
    /// So many of `runs` were taken out.
    taken: usize,
}

#[derive(Copy, Clone, Debug)]
struct Run {
    /// Its first record, counted from the first one of its chunk.
    first: u32,
    index: u32,
}

impl Placed {
    /// Whether these records continue the run in every respect.
    #[inline]
    pub(super) fn goes_on_with(&self, next: &Placed) -> bool {
        self.range.to == next.range.from
            && self.course == next.course
            && self.course != LISTED
            && u64::from(self.index) + self.range.len() == u64::from(next.index)
    }
}

impl Chunk {
    pub(super) fn of(run: &Placed) -> Self {
        let OffsetRange { from, to } = run.range;
        let mut runs = Vec::with_capacity(RUNS_OF_A_CHUNK);
        runs.push(Run { first: 0, index: run.index });
        Chunk { first: from, end: to, runs, course: run.course, courses: Vec::new(), taken: 0 }
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Takes a run in behind the others, if there is room and no gap.
    #[inline]
    pub(super) fn take_in(&mut self, next: &Placed) -> bool {
        let Some(last) = self.runs.last() else {
            (self.first, self.end, self.course) = (next.range.from, next.range.from, next.course);
            return self.push(next);
        };
        let range = OffsetRange { from: self.first + u64::from(last.first), to: self.end };
        let last = Placed { range, index: last.index, course: self.course_of(self.runs.len() - 1) };
        if last.goes_on_with(next) {
            self.end = next.range.to;
            return true;
        }
        self.runs.len() < RUNS_OF_A_CHUNK && self.end == next.range.from && self.push(next)
    }

    /// Unless it begins too far behind the first one.
    #[inline]
    fn push(&mut self, next: &Placed) -> bool {
        let first = next.range.from.0 - self.first.0;
        let is_near = first <= u64::from(u32::MAX);
        if is_near {
            if next.course != self.course || !self.courses.is_empty() {
                self.list_course(next.course);
            }
            self.runs.push(Run { first: first as u32, index: next.index });
            self.end = next.range.to;
        }
        is_near
    }

    /// The course of a run that is about to be pushed is listed, with those of all before it.
    #[inline(never)]
    fn list_course(&mut self, course: u32) {
        self.courses.resize(self.runs.len(), self.course);
        self.courses.push(course);
    }

    #[inline]
    fn course_of(&self, number: usize) -> u32 {
        self.courses.get(number).copied().unwrap_or(self.course)
    }

    #[inline]
    pub(super) fn take_front(&mut self) -> Option<Placed> {
        let front = self.run(self.taken)?;
        self.taken += 1;
        if self.taken == self.runs.len() {
            self.taken = 0;
            self.runs.clear();
            self.courses.clear();
        }
        Some(front)
    }

    #[inline]
    fn run(&self, number: usize) -> Option<Placed> {
        let run = self.runs.get(number)?;
        let from = self.first + u64::from(run.first);
        let to = self.runs.get(number + 1).map_or(self.end, |next| self.first + u64::from(next.first));
        Some(Placed { range: OffsetRange { from, to }, index: run.index, course: self.course_of(number) })
    }

    /// From the run that has this record, or the first one.
    pub(super) fn runs_from(&self, offset: Offset) -> impl Iterator<Item = Placed> {
        let behind = self.runs.partition_point(|run| self.first + u64::from(run.first) <= offset);
        (behind.saturating_sub(1).max(self.taken)..self.runs.len()).map_while(|number| self.run(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_lean() {
        assert_eq!(size_of::<Run>(), 8);
    }
}

//! Series over the samples of a run, made from facts that carry their own times. A sample sees everything of its own nanosecond.

use crate::deliveries::Times;
use crate::fold::Append;
use crate::trace::times::Created;
use crate::units::{Instant, Span};

/// Where the samples lie.
#[derive(Copy, Clone, Debug)]
pub(super) struct Grid {
    pub interval: Span,
    pub run_end: Instant,
}

impl Grid {
    /// The first sample at or after a moment.
    pub fn sample(self, at: Instant) -> usize {
        at.as_nanos().div_ceil(self.interval.as_nanos()) as usize
    }

    pub fn time(self, sample: usize) -> Instant {
        Instant::ZERO + self.interval.times(sample as u64)
    }

    /// How many samples lie in the run phase.
    pub fn of_run_phase(self) -> usize {
        self.until(self.run_end)
    }

    /// How many samples lie at or before a moment.
    pub fn until(self, end: Instant) -> usize {
        (end.as_nanos() / self.interval.as_nanos()) as usize + 1
    }
}

/// A sample, and the moments that it is the first to see. Facts come in the order of time, more or less, and many between two samples: whoever
/// keeps the last one divides seldom.
#[derive(Copy, Clone, Default, Debug)]
struct Bin {
    sample: usize,
    /// The time of the sample, the last of the moments.
    until: Instant,
}

impl Bin {
    fn of(grid: Grid, at: Instant) -> Self {
        let sample = grid.sample(at);
        Bin { sample, until: grid.time(sample) }
    }

    #[inline]
    fn has(self, grid: Grid, at: Instant) -> bool {
        // What is later than `until` wraps around and is far beyond an interval.
        self.until.as_nanos().wrapping_sub(at.as_nanos()) < grid.interval.as_nanos()
    }
}

/// How many there have been: a counter by sample, kept as what each sample adds.
#[derive(Clone, Default, Debug)]
pub(super) struct Counts {
    added: Vec<i64>,
    last: Bin,
    pub by_run_end: i64,
    pub total: i64,
}

impl Counts {
    /// `n` of them at one moment; below zero they are taken back.
    #[inline(always)]
    pub fn add(&mut self, grid: Grid, at: Instant, n: i64) {
        *self.at(grid, at) += n;
        self.by_run_end += if at <= grid.run_end { n } else { 0 };
        self.total += n;
    }

    /// `n` of them at these times.
    #[inline(always)]
    pub fn add_all(&mut self, grid: Grid, n: u64, times: Times<'_>) {
        if n > 0 {
            self.spread(grid, n, (times.at(0), times.at(n - 1)), move |moment| times.count_until(n, moment));
        }
    }

    /// Those that were appended, from the moments on at which they became visible.
    #[inline(always)]
    pub fn add_batches(&mut self, grid: Grid, append: &Append<'_>) {
        match append.created {
            Created::Even { .. } => self.spread(grid, append.offsets.len(), append.visible, |moment| append.visible_by(moment)),
            Created::Listed(times) => {
                for batch in times.chunks(append.per_batch as usize) {
                    self.add(grid, batch[0] + append.delay, batch.len() as i64);
                }
            }
        }
    }

    /// The value at each sample.
    pub fn values(&self, samples: usize) -> impl Iterator<Item = i64> {
        let mut sum = 0;
        (0..samples).map(move |sample| {
            sum += self.added.get(sample).copied().unwrap_or(0);
            sum
        })
    }

    /// `until` tells how many of the `n` are not later than a moment; the first and the last of them are at `ends`.
    #[inline(always)]
    fn spread(&mut self, grid: Grid, n: u64, ends: (Instant, Instant), until: impl Fn(Instant) -> u64 + Copy) {
        let added = self.at(grid, ends.1);
        *added += n as i64;
        if !self.last.has(grid, ends.0) {
            self.move_back(grid, ends.0, until);
        }
        self.total += n as i64;
        self.by_run_end += if ends.1 <= grid.run_end { n } else { until(grid.run_end) } as i64;
    }

    /// Of those that were added to the last sample, the earlier ones belong to the samples from `first` on.
    fn move_back(&mut self, grid: Grid, first: Instant, until: impl Fn(Instant) -> u64) {
        let last = self.last.sample;
        let mut before = 0;
        for sample in grid.sample(first)..last {
            let so_far = until(grid.time(sample));
            self.added[sample] += (so_far - before) as i64;
            before = so_far;
        }
        self.added[last] -= before as i64;
    }

    /// What the first sample that sees this moment adds.
    #[inline(always)]
    fn at(&mut self, grid: Grid, at: Instant) -> &mut i64 {
        if !self.last.has(grid, at) || self.added.is_empty() {
            self.turn_to(grid, at);
        }
        &mut self.added[self.last.sample]
    }

    fn turn_to(&mut self, grid: Grid, at: Instant) {
        self.last = Bin::of(grid, at);
        if self.added.is_empty() {
            self.added.reserve_exact(grid.of_run_phase());
        }
        if self.last.sample >= self.added.len() {
            self.added.resize(self.last.sample + 1, 0);
        }
    }
}

/// A value that is set now and then, in the order of time: what it is at each sample.
#[derive(Clone, Debug)]
pub(super) struct Steps {
    passed: Vec<i64>,
    /// The first sample that has not passed.
    next: Instant,
    pub latest: i64,
}

impl Steps {
    pub fn new(start: i64) -> Self {
        Steps { passed: Vec::new(), next: Instant::ZERO, latest: start }
    }

    #[inline(always)]
    pub fn set(&mut self, grid: Grid, at: Instant, value: i64) {
        if at > self.next {
            self.pass(Bin::of(grid, at), grid.of_run_phase());
        }
        self.latest = value;
    }

    fn pass(&mut self, next: Bin, expected: usize) {
        if self.passed.is_empty() {
            self.passed.reserve_exact(expected);
        }
        self.passed.resize(next.sample, self.latest);
        self.next = next.until;
    }

    pub fn at(&self, sample: usize) -> i64 {
        self.passed.get(sample).copied().unwrap_or(self.latest)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::trace::{Cast, TraceEvent};
    use crate::units::{Offset, Pace, ProducerId, Rate, TopicId, TopicPartition};

    const GRID: Grid = Grid { interval: Span::from_nanos(10), run_end: Instant::from_nanos(55) };

    fn naive(times: impl Iterator<Item = u64> + Clone, samples: usize) -> Vec<i64> {
        (0..samples).map(|k| times.clone().filter(|at| *at <= k as u64 * 10).count() as i64).collect()
    }

    #[test]
    fn a_step_is_seen_from_its_own_nanosecond_on() {
        let mut steps = Steps::new(0);
        steps.set(GRID, Instant::from_nanos(10), 1);
        steps.set(GRID, Instant::from_nanos(21), 2);
        steps.set(GRID, Instant::from_nanos(29), 3);
        assert_eq!((0..6).map(|k| steps.at(k)).collect::<Vec<_>>(), [0, 1, 1, 3, 3, 3]);
    }

    proptest! {
        #[test]
        fn evenly_spaced_times_are_counted_as_if_one_by_one(first in 0u64..90, each in 0u64..25, n in 0u64..40) {
            let mut counts = Counts::default();
            counts.add_all(GRID, n, Times::Even { first: Instant::from_nanos(first), each: Span::from_nanos(each) });
            let times = (0..n).map(|i| first + i * each);
            prop_assert_eq!(counts.values(120).collect::<Vec<_>>(), naive(times.clone(), 120));
            prop_assert_eq!(counts.by_run_end, times.filter(|at| *at <= 55).count() as i64);
            prop_assert_eq!(counts.total, n as i64);
        }

        #[test]
        fn batches_become_visible_as_a_whole(
            rate in 1u64..40, period in 1u64..400, index in 0u64..50, per_batch in 1u32..6, batches in 0u64..20, delay in 0u64..60,
        ) {
            let pace = Pace::new(Instant::from_nanos(7), Rate { records: rate, per: Span::from_nanos(period) });
            let created = Created::Even { pace, index };
            let cast = Cast { first_partition: vec![0], partitions: vec![(1, 1)], ..Cast::default() };
            let partition = TopicPartition { topic: TopicId(0), partition: 0 };
            let records = batches * u64::from(per_batch);
            let times: Vec<_> = (0..records).map(|i| pace.at(index + i)).collect();
            let per = u64::from(per_batch);
            let visible = (0..records).map(|i| pace.at(index + i / per * per).as_nanos() + delay);
            let expected = naive(visible.clone(), 2000);
            for created in [created, Created::Listed(times.into())] {
                let mut counts = Counts::default();
                let (producer, delay) = (ProducerId(0), Span::from_nanos(delay));
                let appended = TraceEvent::Appended { producer, partition, first: Offset(0), per_batch, batches, created, delay };
                counts.add_batches(GRID, &Append::told_by(&appended, &cast).expect("records were appended"));
                prop_assert_eq!(&counts.values(2000).collect::<Vec<_>>(), &expected);
                prop_assert_eq!(counts.by_run_end, visible.clone().filter(|at| *at <= 55).count() as i64);
            }
        }
    }
}

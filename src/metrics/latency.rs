//! A latency distribution that takes whole ranges of records at once.
//!
//! Creation and end are evenly spaced times both, so the latencies rise or fall steadily along a range: which records fall into a bucket of
//! the histogram is one division, and the sum is a closed form.

use super::Latency;
use crate::deliveries::Times;
use crate::records::Creation;
use crate::units::{Instant, Pace};

/// Buckets an octave.
const BITS: u32 = 6;
/// So many records take as long one by one as one division does.
const WORTH_A_DIVISION: u64 = 8;
const BUCKETS: usize = ((64 - BITS + 1) << BITS) as usize;

#[derive(Clone, Debug, Default)]
pub(super) struct Histogram {
    count: u64,
    sum: u128,
    min: u64,
    max: u64,
    counts: Vec<u64>,
}

impl Histogram {
    /// `n` records that were created then and finished then.
    #[inline(always)]
    pub fn add(&mut self, n: u64, created: Creation<'_>, finished: Times<'_>) {
        if n == 0 {
            return;
        }
        if self.count == 0 {
            self.begin();
        }
        self.count += n;
        if let (Creation::Even { pace, index }, Times::Even { first, each }) = (created, finished)
            && let Some(line) = Line::new(n, (pace, index), (first.as_nanos(), each.as_nanos()))
        {
            self.add_slope(n, &line);
        } else {
            self.add_others(n, created, finished);
        }
    }

    #[cold]
    fn begin(&mut self) {
        self.counts = vec![0; BUCKETS];
        self.min = u64::MAX;
    }

    fn add_others(&mut self, n: u64, created: Creation<'_>, finished: Times<'_>) {
        match (created, finished) {
            (Creation::Even { pace, index }, Times::Even { first, each }) => {
                let (created, finished) = ((pace, index), (first.as_nanos(), each.as_nanos()));
                if n >= WORTH_A_DIVISION {
                    self.add_slope(n, &Stairs::new(created, finished));
                } else {
                    self.add_singly(n, Steps::new(pace, index), Steps::every(finished.0, finished.1));
                }
            }
            (Creation::Even { pace, index }, Times::Listed(times)) => self.add_singly(n, Steps::new(pace, index), nanos(times)),
            (Creation::Listed(list), Times::Even { first, each }) => {
                self.add_singly(n, nanos(list), Steps::every(first.as_nanos(), each.as_nanos()));
            }
            (Creation::Listed(list), Times::Listed(times)) => self.add_singly(n, nanos(list), nanos(times)),
        }
    }

    /// The distribution.
    pub fn latency(&self) -> Latency {
        let filled = self.counts.iter().enumerate().filter(|(_, count)| **count > 0);
        Latency {
            count: self.count,
            sum: self.sum,
            min: self.min,
            max: self.max,
            buckets: filled.map(|(bucket, count)| (highest(bucket), *count)).collect(),
        }
    }

    #[inline]
    fn add_slope(&mut self, n: u64, slope: &impl Slope) {
        let (start, end) = slope.ends(n);
        self.min = self.min.min(start.min(end));
        self.max = self.max.max(start.max(end));
        self.sum += slope.sum(n);
        if n < WORTH_A_DIVISION || n / WORTH_A_DIVISION < bucket(start).abs_diff(bucket(end)) as u64 {
            let counts = &mut *self.counts;
            slope.for_each(n, |latency| counts[bucket(latency)] += 1);
        } else {
            self.add_by_bucket(n, slope, start <= end);
        }
    }

    fn add_by_bucket(&mut self, n: u64, slope: &impl Slope, rises: bool) {
        let mut i = 0;
        while i < n {
            let at = bucket(slope.at(i));
            let next = if rises { slope.first_from(lowest(at + 1)) } else { slope.first_below(lowest(at)) };
            let next = next.map_or(n, |next| next.clamp(i + 1, n));
            self.counts[at] += next - i;
            i = next;
        }
    }

    fn add_singly(&mut self, n: u64, created: impl Iterator<Item = u64>, finished: impl Iterator<Item = u64>) {
        let (mut sum, mut min, mut max) = (0, self.min, self.max);
        for (created, finished) in created.zip(finished).take(n as usize) {
            let latency = finished.saturating_sub(created);
            self.counts[bucket(latency)] += 1;
            (min, max) = (min.min(latency), max.max(latency));
            sum += u128::from(latency);
        }
        (self.min, self.max) = (min, max);
        self.sum += sum;
    }
}

/// Values below 128 have a bucket each; above, an octave has 64.
#[inline(always)]
fn bucket(value: u64) -> usize {
    // Below 128 nothing is shifted away, as for 127.
    let shift = (value | ((2 << BITS) - 1)).ilog2().wrapping_sub(BITS);
    ((shift as usize) << BITS).wrapping_add((value >> shift) as usize)
}

/// The lowest value of a bucket.
fn lowest(bucket: usize) -> u64 {
    let shift = ((bucket >> BITS) as u64).saturating_sub(1);
    let low = u128::from(bucket as u64 - (shift << BITS)) << shift;
    u64::try_from(low).unwrap_or(u64::MAX)
}

fn highest(bucket: usize) -> u64 {
    if bucket + 1 == BUCKETS { u64::MAX } else { lowest(bucket + 1) - 1 }
}

/// Latencies that rise or fall along a range, never both.
trait Slope {
    fn at(&self, i: u64) -> u64;

    /// The first and the last of `n`.
    fn ends(&self, n: u64) -> (u64, u64) {
        (self.at(0), self.at(n - 1))
    }

    fn for_each(&self, n: u64, visit: impl FnMut(u64));
    fn sum(&self, n: u64) -> u128;
    /// The first i with a latency of at least `value`, of those that rise.
    fn first_from(&self, value: u64) -> Option<u64>;
    /// The first i with a latency below `value`, of those that fall.
    fn first_below(&self, value: u64) -> Option<u64>;
}

/// Records that were created a whole number of nanoseconds apart: latency number i is `start + i * step`.
struct Line {
    start: u64,
    end: u64,
    step: i64,
}

impl Line {
    /// `None` if they were not, or if the numbers are too large.
    #[inline(always)]
    fn new(n: u64, (pace, index): (&Pace, u64), (first, each): (u64, u64)) -> Option<Line> {
        let (p, 1) = pace.spacing else { return None };
        let created = pace.at(index).as_nanos();
        let (last_created, last) = (created.checked_add((n - 1).checked_mul(p)?)?, first.checked_add((n - 1).checked_mul(each)?)?);
        // Differences of halves of the range of numbers fit into it with their sign.
        let fits = first >= created && last >= last_created && (last | last_created | each | p) <= i64::MAX as u64;
        fits.then(|| Line { start: first.wrapping_sub(created), end: last.wrapping_sub(last_created), step: each.wrapping_sub(p) as i64 })
    }
}

impl Slope for Line {
    fn at(&self, i: u64) -> u64 {
        self.start.wrapping_add_signed(self.step * i as i64)
    }

    #[inline(always)]
    fn ends(&self, _n: u64) -> (u64, u64) {
        (self.start, self.end)
    }

    #[inline(always)]
    fn for_each(&self, n: u64, mut visit: impl FnMut(u64)) {
        let mut latency = self.start;
        for _ in 0..n {
            visit(latency);
            // One step beyond the last may leave the range of numbers.
            latency = latency.wrapping_add_signed(self.step);
        }
    }

    #[inline(always)]
    fn sum(&self, n: u64) -> u128 {
        u128::from(self.start + self.end) * u128::from(n) / 2
    }

    fn first_from(&self, value: u64) -> Option<u64> {
        match (value.checked_sub(self.start), self.step.unsigned_abs()) {
            (None | Some(0), _) => Some(0),
            (Some(_), 0) => None,
            (Some(rise), step) => Some(rise.div_ceil(step)),
        }
    }

    fn first_below(&self, value: u64) -> Option<u64> {
        Some(self.start.checked_sub(value).map_or(0, |fall| fall / self.step.unsigned_abs().max(1) + 1))
    }
}

/// Other paces: latency number i is `base + i * each - floor((index + i) * p / q)`. A pace's steps differ by at most one nanosecond and `each` is
/// whole, so this rises or falls too.
struct Stairs {
    base: i128,
    each: i128,
    index: i128,
    p: i128,
    q: i128,
    created: Steps,
    finished: Steps,
}

impl Stairs {
    fn new((pace, index): (&Pace, u64), (first, each): (u64, u64)) -> Self {
        let (p, q) = pace.spacing;
        let base = i128::from(first) - i128::from(pace.origin.as_nanos());
        let (created, finished) = (Steps::new(pace, index), Steps::every(first, each));
        Stairs { base, each: each.into(), index: index.into(), p: p.into(), q: q.into(), created, finished }
    }
}

impl Slope for Stairs {
    fn at(&self, i: u64) -> u64 {
        let i = i128::from(i);
        let created = divided((self.index + i) * self.p, self.q);
        u64::try_from(self.base + i * self.each - created).unwrap_or(0)
    }

    fn for_each(&self, n: u64, mut visit: impl FnMut(u64)) {
        for (created, finished) in self.created.clone().zip(self.finished.clone()).take(n as usize) {
            visit(finished.saturating_sub(created));
        }
    }

    fn sum(&self, n: u64) -> u128 {
        let n = i128::from(n);
        let finished = n * self.base + self.each * (n * (n - 1) / 2);
        let created = floor_sum(n as u128, self.q as u128, self.p as u128, (self.index * self.p) as u128);
        u128::try_from(finished - created as i128).unwrap_or(0)
    }

    fn first_from(&self, value: u64) -> Option<u64> {
        // base + i each - floor((index + i) p / q) >= v  <=>  (index + i) p < q (base + i each - v + 1)
        let gain = self.each * self.q - self.p;
        let missing = self.index * self.p - self.q * (self.base - i128::from(value) + 1);
        match (gain, missing) {
            (_, ..0) => Some(0),
            (..=0, _) => None,
            (_, _) => Some((divided(missing, gain) + 1) as u64),
        }
    }

    fn first_below(&self, value: u64) -> Option<u64> {
        // base + i each - floor((index + i) p / q) < v  <=>  (index + i) p >= q (base + i each - v + 1)
        let drop = self.p - self.each * self.q;
        let surplus = self.q * (self.base - i128::from(value) + 1) - self.index * self.p;
        if surplus <= 0 { Some(0) } else { Some(divided(surplus + drop - 1, drop) as u64) }
    }
}

/// `a / b` for `a >= 0`; almost always both fit into a machine word, which divides several times faster.
fn divided(a: i128, b: i128) -> i128 {
    match (u64::try_from(a), u64::try_from(b)) {
        (Ok(a), Ok(b)) => i128::from(a / b),
        (Ok(_) | Err(_), _) => a / b,
    }
}

/// The sum of `floor((a i + b) / m)` for i in 0..n, by the Euclidean algorithm.
fn floor_sum(n: u128, m: u128, a: u128, b: u128) -> u128 {
    let (mut n, mut m, mut a, mut b) = (n, m, a, b);
    let mut sum = 0;
    loop {
        if n == 0 {
            return sum;
        }
        sum += (a / m) * (n * (n - 1) / 2) + (b / m) * n;
        (a, b) = (a % m, b % m);
        let top = a * n + b;
        if top < m {
            return sum;
        }
        (n, b) = (top / m, top % m);
        (m, a) = (a, m);
    }
}

fn nanos(times: &[Instant]) -> impl Iterator<Item = u64> {
    times.iter().map(|at| at.as_nanos())
}

/// The moments of a pace in nanoseconds, from number `index` on, without a division each.
#[derive(Clone)]
struct Steps {
    next: u64,
    rest: u64,
    step: (u64, u64),
    q: u64,
}

impl Steps {
    fn every(first: u64, each: u64) -> Self {
        Steps { next: first, rest: 0, step: (each, 0), q: 1 }
    }

    fn new(pace: &Pace, index: u64) -> Self {
        let (p, q) = pace.spacing;
        let rest = (u128::from(index) * u128::from(p) % u128::from(q)) as u64;
        Steps { next: pace.at(index).as_nanos(), rest, step: (p / q, p % q), q }
    }
}

impl Iterator for Steps {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        let at = self.next;
        self.next = self.next.saturating_add(self.step.0);
        self.rest += self.step.1;
        if self.rest >= self.q {
            self.rest -= self.q;
            self.next = self.next.saturating_add(1);
        }
        Some(at)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::units::{Rate, Span};

    #[test]
    fn buckets_tile_the_integers_within_one_part_in_64() {
        assert_eq!(bucket(u64::MAX) + 1, BUCKETS);
        for at in 0..BUCKETS {
            assert_eq!((bucket(lowest(at)), bucket(highest(at))), (at, at));
            if at > 0 {
                assert_eq!(bucket(lowest(at) - 1), at - 1);
                assert!(at + 1 == BUCKETS || (lowest(at + 1) - lowest(at)) as f64 <= (lowest(at) as f64 / 64.0).max(1.0));
            }
        }
        assert_eq!(lowest(BUCKETS), u64::MAX, "nothing lies above the last bucket");
    }

    fn naive(latencies: &[u64]) -> Latency {
        let mut counts = vec![0; BUCKETS];
        latencies.iter().for_each(|latency| counts[bucket(*latency)] += 1);
        Latency {
            count: latencies.len() as u64,
            sum: latencies.iter().map(|latency| u128::from(*latency)).sum(),
            min: *latencies.iter().min().expect("there are latencies"),
            max: *latencies.iter().max().expect("there are latencies"),
            buckets: counts.iter().enumerate().filter(|(_, n)| **n > 0).map(|(at, n)| (highest(at), *n)).collect(),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn a_range_gives_what_its_records_give_one_by_one(
            records in 1u64..5000, per in prop_oneof![Just(1_000u64), Just(1_000_000), 1u64..3_000_000_000],
            index in 0u64..100_000, n in 1u64..3000, each in prop_oneof![Just(0u64), 0u64..3_000, 0u64..3_000_000], late in 0u64..1_000_000,
            origin in 0u64..1_000_000, as_whole in any::<bool>(),
        ) {
            let pace = Pace::new(Instant::from_nanos(origin), Rate { records, per: Span::from_nanos(per) });
            let whole = Pace { spacing: (per / records, 1), ..pace };
            let pace = if as_whole { whole } else { pace };
            let created = Creation::Even { pace: &pace, index };
            // As early as possible, so that the shortest latency is `late`.
            let behind = (0..n).map(|i| pace.at(index + i).as_nanos().saturating_sub(i * each)).max().expect("there are records");
            let finished = Times::Even { first: Instant::from_nanos(behind + late), each: Span::from_nanos(each) };
            let latencies: Vec<_> = (0..n).map(|i| finished.at(i).since(created.at(i)).as_nanos()).collect();
            let mut histogram = Histogram::default();
            histogram.add(n, created, finished);
            prop_assert_eq!(histogram.latency(), naive(&latencies));

            let listed: Vec<_> = (0..n).map(|i| created.at(i)).collect();
            let mut one_by_one = Histogram::default();
            one_by_one.add(n, Creation::Listed(&listed), finished);
            prop_assert_eq!(one_by_one.latency(), naive(&latencies));
        }
    }
}

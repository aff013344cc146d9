//! A latency distribution that takes whole ranges of records at once.
//!
//! Both ends of the latencies of a range are evenly spaced times, so the latencies grow or shrink steadily along the range: which records
//! fall into a bucket of the histogram is one division, and the sum is a closed form.

use super::Latency;
use crate::deliveries::Times;
use crate::records::Creation;
use crate::units::Pace;

/// Buckets an octave.
const BITS: u32 = 6;
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
    pub fn add(&mut self, n: u64, created: Creation<'_>, finished: Times<'_>) {
        if n == 0 {
            return;
        }
        if self.count == 0 {
            self.counts = vec![0; BUCKETS];
            self.min = u64::MAX;
        }
        self.count += n;
        if let (Creation::Even { pace, index }, Times::Even { first, each }) = (created, finished) {
            let slope = Slope::new(pace, index, first.as_nanos(), each.as_nanos());
            let (start, end) = (slope.at(0), slope.at(n - 1));
            self.min = self.min.min(start.min(end));
            self.max = self.max.max(start.max(end));
            // A step costs an eighth of a division.
            if n / 8 > bucket(start).abs_diff(bucket(end)) as u64 {
                self.sum += slope.sum(n);
                self.add_by_bucket(n, &slope);
                return;
            }
        }
        match created {
            Creation::Even { pace, index } => self.add_singly((0..n).zip(Steps::new(pace, index)), finished),
            Creation::Listed(times) => self.add_singly((0..n).zip(times.iter().map(|at| at.as_nanos())), finished),
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
            buckets: filled.map(|(bucket, count)| (lowest(bucket), *count)).collect(),
        }
    }

    fn add_singly(&mut self, created: impl Iterator<Item = (u64, u64)>, finished: Times<'_>) {
        let mut sum = 0;
        for (i, created) in created {
            let latency = finished.at(i).as_nanos().saturating_sub(created);
            self.counts[bucket(latency)] += 1;
            self.min = self.min.min(latency);
            self.max = self.max.max(latency);
            sum += u128::from(latency);
        }
        self.sum += sum;
    }

    fn add_by_bucket(&mut self, n: u64, slope: &Slope) {
        let mut i = 0;
        while i < n {
            let at = bucket(slope.at(i));
            let next = if slope.rises() { slope.first_from(lowest(at + 1)) } else { slope.first_below(lowest(at)) };
            let next = next.map_or(n, |next| next.clamp(i + 1, n));
            self.counts[at] += next - i;
            i = next;
        }
    }
}

/// Values below 64 have a bucket each; above, an octave has 64.
fn bucket(value: u64) -> usize {
    let shift = (u64::BITS - value.leading_zeros()).saturating_sub(BITS + 1);
    ((u64::from(shift) << BITS) + (value >> shift)) as usize
}

/// The lowest value of a bucket.
fn lowest(bucket: usize) -> u64 {
    let shift = ((bucket >> BITS) as u64).saturating_sub(1);
    let low = u128::from(bucket as u64 - (shift << BITS)) << shift;
    u64::try_from(low).unwrap_or(u64::MAX)
}

/// Latency number i is `base + i * each - floor((index + i) * p / q)`, which rises or falls with i but never both.
struct Slope {
    base: i128,
    each: i128,
    index: i128,
    p: i128,
    q: i128,
}

impl Slope {
    fn new(pace: Pace, index: u64, first: u64, each: u64) -> Self {
        let (p, q) = whole_if_possible(pace);
        let base = i128::from(first) - i128::from(pace.origin.as_nanos());
        Slope { base, each: each.into(), index: index.into(), p: p.into(), q: q.into() }
    }

    fn at(&self, i: u64) -> u64 {
        let i = i128::from(i);
        let created = divided((self.index + i) * self.p, self.q);
        u64::try_from(self.base + i * self.each - created).unwrap_or(0)
    }

    fn rises(&self) -> bool {
        self.each * self.q >= self.p
    }

    /// The first i with a latency of at least `value`, of those that rise.
    fn first_from(&self, value: u64) -> Option<u64> {
        // base + i each - floor((index + i) p / q) >= v  <=>  (index + i) p < q (base + i each - v + 1)
        let gain = self.each * self.q - self.p;
        let missing = self.index * self.p - self.q * (self.base - i128::from(value) + 1);
        match (gain, missing) {
            (_, ..0) => Some(0),
            (0, _) => None,
            (_, _) => Some((divided(missing, gain) + 1) as u64),
        }
    }

    /// The first i with a latency below `value`, of those that fall.
    fn first_below(&self, value: u64) -> Option<u64> {
        // base + i each - floor((index + i) p / q) < v  <=>  (index + i) p >= q (base + i each - v + 1)
        let drop = self.p - self.each * self.q;
        let surplus = self.q * (self.base - i128::from(value) + 1) - self.index * self.p;
        if surplus <= 0 { Some(0) } else { Some(divided(surplus + drop - 1, drop) as u64) }
    }

    fn sum(&self, n: u64) -> u128 {
        let n = i128::from(n);
        let triangle = n * (n - 1) / 2;
        let finished = n * self.base + self.each * triangle;
        let created = if self.q == 1 {
            self.p * (n * self.index + triangle)
        } else {
            floor_sum(n as u128, self.q as u128, self.p as u128, (self.index * self.p) as u128) as i128
        };
        u128::try_from(finished - created).unwrap_or(0)
    }
}

/// `a / b` for `a >= 0`; almost always both fit into a machine word, which divides several times faster.
fn divided(a: i128, b: i128) -> i128 {
    match (u64::try_from(a), u64::try_from(b)) {
        (Ok(a), Ok(b)) => i128::from(a / b),
        (Ok(_) | Err(_), _) => a / b,
    }
}

fn whole_if_possible(pace: Pace) -> (u64, u64) {
    let (p, q) = pace.spacing;
    if p.is_multiple_of(q) { (p / q, 1) } else { (p, q) }
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

/// The moments of a pace in nanoseconds, from number `index` on, without a division each.
struct Steps {
    next: u64,
    rest: u64,
    step: (u64, u64),
    q: u64,
}

impl Steps {
    fn new(pace: Pace, index: u64) -> Self {
        let (p, q) = whole_if_possible(pace);
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
    use crate::units::{Instant, Rate, Span};

    #[test]
    fn buckets_tile_the_integers_within_one_part_in_64() {
        assert_eq!(bucket(u64::MAX) + 1, BUCKETS);
        for at in 0..BUCKETS {
            assert_eq!(bucket(lowest(at)), at);
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
            min: *latencies.iter().min().unwrap(),
            max: *latencies.iter().max().unwrap(),
            buckets: counts.iter().enumerate().filter(|(_, n)| **n > 0).map(|(at, n)| (lowest(at), *n)).collect(),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn a_range_gives_what_its_records_give_one_by_one(
            records in 1u64..5000, per in prop_oneof![Just(1_000u64), Just(1_000_000), 1u64..3_000_000_000],
            index in 0u64..100_000, n in 1u64..3000, each in prop_oneof![Just(0u64), 0u64..3_000, 0u64..3_000_000], late in 0u64..1_000_000,
            origin in 0u64..1_000_000,
        ) {
            let pace = Pace::new(Instant::from_nanos(origin), Rate { records, per: Span::from_nanos(per) });
            let created = Creation::Even { pace, index };
            // As early as possible, so that the shortest latency is `late`.
            let behind = (0..n).map(|i| pace.at(index + i).as_nanos().saturating_sub(i * each)).max().unwrap();
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

//! Percentiles of a latency distribution.

use crate::metrics::Latency;
use crate::units::Span;

/// So many thousandths of the records took no longer than this: the top of the bucket in which that record lies, hence never too low and
/// at most one bucket (1.6 %) too high.
pub fn percentile(latency: &Latency, thousandths: u64) -> Span {
    let rank = (u128::from(latency.count) * u128::from(thousandths)).div_ceil(1000).max(1);
    let mut below = 0_u128;
    for (highest, count) in &latency.buckets {
        below += u128::from(*count);
        if below >= rank {
            return Span::from_nanos((*highest).clamp(latency.min, latency.max));
        }
    }
    Span::from_nanos(latency.max)
}

pub fn mean(latency: &Latency) -> Span {
    let mean = latency.sum / u128::from(latency.count.max(1));
    Span::from_nanos(u64::try_from(mean).expect("a mean lies between the extremes, which are u64"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_the_top_of_its_bucket_within_what_was_seen() {
        let latency = Latency { count: 200, sum: 3_000, min: 10, max: 900, buckets: vec![(15, 100), (23, 99), (903, 1)] };
        let nanos = |thousandths| percentile(&latency, thousandths).as_nanos();
        assert_eq!([nanos(0), nanos(500), nanos(501), nanos(995), nanos(1000)], [15, 15, 23, 23, 900]);
        assert_eq!(mean(&latency).as_nanos(), 15);
    }
}

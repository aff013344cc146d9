//! How long a client waits before it tries again. Origin: `ExponentialBackoff` (KIP-580, Kafka 4.0).
//!
//! In floating point and cut off to whole milliseconds, as Kafka has it: 200 ms growing to 1000 ms ends at 999.

use crate::units::Span;

/// initial · multiplier^attempts, at most `max`, spread by ± `jitter`.
#[derive(Copy, Clone, PartialEq, Debug)]
pub struct ExponentialBackoff {
    initial_ms: u64,
    multiplier: u32,
    max_ms: u64,
    jitter: f64,
    /// The attempts after which `max` is reached; zero: the back-off does not grow.
    exponent_max: f64,
}

impl ExponentialBackoff {
    /// `retry.backoff.ms` and `retry.backoff.max.ms`: twice as long each time, spread by 20 %.
    pub fn of_requests(retry_backoff: Span, retry_backoff_max: Span) -> Self {
        ExponentialBackoff::new(retry_backoff, 2, retry_backoff_max, 0.2)
    }

    /// Times are cut off to whole milliseconds.
    pub fn new(initial: Span, multiplier: u32, max: Span, jitter: f64) -> Self {
        let (initial_ms, max_ms) = (initial.as_millis().min(max.as_millis()), max.as_millis());
        let exponent_max =
            if max_ms > initial_ms { libm::log(max_ms as f64 / initial_ms.max(1) as f64) / libm::log(f64::from(multiplier)) } else { 0.0 };
        ExponentialBackoff { initial_ms, multiplier, max_ms, jitter, exponent_max }
    }

    /// The wait after so many attempts, counted from 0. `random` lies in [0, 1); a half is no spread at all.
    pub fn after(&self, attempts: u64, random: f64) -> Span {
        if self.exponent_max == 0.0 {
            return Span::from_millis(self.initial_ms);
        }
        let exponent = (attempts as f64).min(self.exponent_max);
        let term = self.initial_ms as f64 * libm::pow(f64::from(self.multiplier), exponent);
        let factor = 1.0 + self.jitter * (2.0 * random - 1.0);
        Span::from_millis(((factor * term) as u64).min(self.max_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_spreads_a_wait_by_a_fifth_and_never_beyond_the_maximum() {
        let backoff = ExponentialBackoff::of_requests(Span::from_millis(100), Span::from_millis(1000));
        let waits = |random| [0, 1, 2, 3, 4, 9].map(|attempts| backoff.after(attempts, random).as_millis());
        assert_eq!(waits(0.0), [80, 160, 320, 640, 800, 800]);
        assert_eq!(waits(0.5), [100, 200, 400, 800, 1000, 1000]);
        assert_eq!(waits(0.999_999), [119, 239, 479, 959, 1000, 1000]);
    }

    #[test]
    fn a_maximum_below_the_initial_wait_is_the_wait() {
        let backoff = ExponentialBackoff::of_requests(Span::from_millis(100), Span::from_millis(50));
        assert_eq!(backoff.after(7, 0.9), Span::from_millis(50));
    }
}

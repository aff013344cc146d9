//! Axes with round numbers: virtual time from microseconds to weeks, and counts of records. Integers all the way to the pixel.

use std::ops::Range;

use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint, Ranged};

use crate::report::chart::svg::Units;
use crate::report::figures;
use crate::units::{Instant, Span};

/// From the start of the run to its end.
#[derive(Copy, Clone, Debug)]
pub struct TimeAxis {
    end: u64,
    step: u64,
}

/// From none to an eighth more than the highest count, so that there is room for its label.
#[derive(Copy, Clone, Debug)]
pub struct CountAxis {
    top: u64,
    step: u64,
}

const US: u64 = 1_000;
const S: u64 = 1_000_000_000;
const MINUTE: u64 = 60 * S;
const HOUR: u64 = 60 * MINUTE;
/// What people find round, above a second.
const ROUND: [u64; 19] = [
    S,
    2 * S,
    5 * S,
    10 * S,
    15 * S,
    30 * S,
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    24 * HOUR,
    168 * HOUR,
];

impl TimeAxis {
    pub fn new(end: Instant, most_ticks: u64) -> Self {
        let end = end.as_nanos().max(US);
        let fits = |step: &u64| end / step <= most_ticks;
        let step = decimal_steps().take_while(|step| *step < S).find(fits).or_else(|| ROUND.into_iter().find(fits));
        // A run of many weeks: whole weeks that fit.
        TimeAxis { end, step: step.unwrap_or_else(|| (end / most_ticks).next_multiple_of(168 * HOUR)) }
    }

    pub fn ticks(self) -> impl Iterator<Item = (Instant, String)> {
        (0..=self.end / self.step).map(move |i| {
            let at = Instant::from_nanos(i * self.step);
            (at, if i == 0 { "0".to_owned() } else { figures::span(Span::from_nanos(i * self.step)) })
        })
    }

    /// Where a moment lies between `left` and `right`.
    pub fn place(self, at: Instant, left: Units, right: Units) -> Units {
        scaled(at.as_nanos().min(self.end), self.end, (left, right))
    }
}

impl CountAxis {
    /// With room for `highest` and about six lines.
    pub fn new(highest: u64) -> Self {
        let top = (highest + highest / 8).max(1);
        let step = decimal_steps().find(|step| top / step <= 6).unwrap_or(u64::MAX);
        CountAxis { top, step }
    }

    pub fn ticks(self) -> impl Iterator<Item = (u64, String)> {
        (0..=self.top / self.step).map(move |i| (i * self.step, figures::compact(i * self.step)))
    }

    pub fn place(self, count: u64, bottom: Units, top: Units) -> Units {
        scaled(count.min(self.top), self.top, (bottom, top))
    }
}

/// 1, 2, 5, 10, 20, 50, …
fn decimal_steps() -> impl Iterator<Item = u64> {
    (0..19).flat_map(|exponent: u32| [1, 2, 5].map(|digit| digit * 10_u64.pow(exponent)))
}

fn scaled(value: u64, end: u64, (from, to): (i32, i32)) -> i32 {
    let length = i128::from(to) - i128::from(from);
    let place = i128::from(from) + length * i128::from(value) / i128::from(end);
    i32::try_from(place).expect("the place lies between two pixels")
}

/// For plotters: nanoseconds.
impl Ranged for TimeAxis {
    type FormatOption = DefaultFormatting;
    type ValueType = u64;

    fn map(&self, value: &u64, limit: (i32, i32)) -> i32 {
        scaled((*value).min(self.end), self.end, limit)
    }

    fn key_points<Hint: KeyPointHint>(&self, _hint: Hint) -> Vec<u64> {
        self.ticks().map(|(at, _)| at.as_nanos()).collect()
    }

    fn range(&self) -> Range<u64> {
        0..self.end
    }
}

/// For plotters: records.
impl Ranged for CountAxis {
    type FormatOption = DefaultFormatting;
    type ValueType = u64;

    fn map(&self, value: &u64, limit: (i32, i32)) -> i32 {
        scaled((*value).min(self.top), self.top, limit)
    }

    fn key_points<Hint: KeyPointHint>(&self, _hint: Hint) -> Vec<u64> {
        self.ticks().map(|(count, _)| count).collect()
    }

    fn range(&self) -> Range<u64> {
        0..self.top
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticks(end: Span) -> String {
        let axis = TimeAxis::new(Instant::ZERO + end, 12);
        axis.ticks().map(|(_, label)| label).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn times_are_round_whatever_the_length_of_the_run() {
        assert_eq!(ticks(Span::from_millis(15_000)), "0 2s 4s 6s 8s 10s 12s 14s");
        assert_eq!(ticks(Span::from_secs(480)), "0 1m 2m 3m 4m 5m 6m 7m 8m");
        assert_eq!(ticks(Span::from_secs(3600)), "0 5m 10m 15m 20m 25m 30m 35m 40m 45m 50m 55m 1h");
        assert_eq!(ticks(Span::from_nanos(3_000_000)), "0 500us 1ms 1.5ms 2ms 2.5ms 3ms");
        assert_eq!(ticks(Span::from_secs(86_400 * 3)), "0 6h 12h 18h 24h 30h 36h 42h 48h 54h 60h 66h 72h");
    }

    #[test]
    fn counts_are_round_and_leave_room() {
        let labels = |highest| CountAxis::new(highest).ticks().map(|(_, label)| label).collect::<Vec<_>>().join(" ");
        assert_eq!(labels(0), "0 1");
        assert_eq!(labels(5_630), "0 1k 2k 3k 4k 5k 6k");
        assert_eq!(labels(32_403_104), "0 10M 20M 30M");
        assert_eq!(CountAxis::new(5_630).place(5_630, 100, 0), 12);
    }
}

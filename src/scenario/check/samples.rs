//! How often lags are sampled.

use super::super::file::ScenarioFile;
use super::super::{Group, Topic};
use super::{Checker, Site};
use crate::units::Span;

/// Points of the lag series of one partition.
pub const SAMPLES_MAX: u64 = 1_000_000;
/// With the settle phase, if the file does not choose the interval.
const SAMPLES_BY_DEFAULT_MAX: u64 = 100_000;
/// Of all series in the run phase, if the file does not choose the interval: more than that is hundreds of megabytes of lag.csv.
const POINTS_BY_DEFAULT_MAX: u64 = 4_000_000;

/// Partitions that groups read, each once for each group.
pub fn series(topics: &[Topic], groups: &[Group]) -> u64 {
    let partitions = |group: &Group| group.topics.iter().map(|topic| u64::from(topics[topic.index()].most_partitions)).sum::<u64>();
    groups.iter().map(partitions).sum()
}

impl Checker<'_> {
    pub fn sample_interval(&mut self, file: &ScenarioFile, site: Site<'_>, (duration, settle): (Span, Span), series: u64) -> Span {
        let whole = duration + settle;
        let Some(written) = file.sample_interval else { return by_default(duration, whole, series) };
        let interval = written.0;
        if interval.is_zero() {
            let hint = format!("the default is {}", by_default(duration, whole, series));
            self.error_with_hint(site.value(), "samples lie some time apart", hint);
        } else if whole.as_nanos() / interval.as_nanos() > SAMPLES_MAX {
            let message = format!("more than {SAMPLES_MAX} samples in {whole}");
            self.error_with_hint(site.value(), message, format!("the default is {}", by_default(duration, whole, series)));
        }
        interval
    }
}

/// That of the duration, or a round multiple of it where there would be too much of everything.
fn by_default(duration: Span, whole: Span, series: u64) -> Span {
    let interval = default_sample_interval(duration);
    let fits = |interval: &Span| {
        let points = u128::from(duration.as_nanos() / interval.as_nanos()) * u128::from(series);
        whole.as_nanos() / interval.as_nanos() <= SAMPLES_BY_DEFAULT_MAX && points <= u128::from(POINTS_BY_DEFAULT_MAX)
    };
    let multiples = (0..13).flat_map(|exponent| [1, 2, 5].map(|digit| digit * 10u64.pow(exponent)));
    multiples.map(|times| interval.times(times)).find(fits).unwrap_or(whole)
}

/// One second where that gives 300 to 3600 samples, else the nearest round step that gives 300 to 4000.
pub fn default_sample_interval(duration: Span) -> Span {
    const FEWEST: u64 = 300;
    const MOST: u64 = 4_000;
    const SECOND: u64 = 1_000_000_000;
    if (Span::from_secs(300)..=Span::from_secs(3_600)).contains(&duration) {
        return Span::from_secs(1);
    }
    let below_a_second = (0..9).rev().flat_map(|exponent| [5, 2, 1].map(|digit| digit * 10u64.pow(exponent)));
    let above = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 21_600, 43_200, 86_400].map(|secs| secs * SECOND);
    let fits = |step: &u64| (FEWEST..=MOST).contains(&(duration.as_nanos() / step));
    let step = above.into_iter().chain(below_a_second).find(fits);
    Span::from_nanos(step.unwrap_or_else(|| (duration.as_nanos() / MOST).max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_thousand_partitions_are_sampled_less_often() {
        let (minute, hour) = (Span::from_secs(60), Span::from_secs(3_600));
        let step = |duration, whole, series| by_default(duration, whole, series).to_string();
        assert_eq!([1_000, 10_000, 13_334, 100_000].map(|series| step(minute, minute, series)), ["200ms", "200ms", "400ms", "2s"]);
        // A long settle phase, as it can be.
        assert_eq!(step(Span::from_secs(1), hour, 1), "40ms");
    }

    #[test]
    fn samples_are_neither_few_nor_many() {
        let step = |secs| default_sample_interval(Span::from_secs(secs)).to_string();
        assert_eq!(step(300), "1s");
        assert_eq!(step(3_600), "1s");
        assert_eq!(step(60), "200ms");
        assert_eq!(step(4 * 3_600), "5s");
        for millis in [1, 7, 600, 1_000, 59_000, 299_999, 3_600_001, 86_400_000, 604_800_000, 315_360_000_000] {
            let duration = Span::from_millis(millis);
            let samples = duration.as_nanos() / default_sample_interval(duration).as_nanos();
            assert!((300..=4_000).contains(&samples), "{duration}: {samples}");
        }
    }
}

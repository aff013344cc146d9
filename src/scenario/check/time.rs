//! Lengths of time, constant and random.

use super::super::Distribution;
use super::super::file::shapes::{self, Duration, RandomTime};
use super::{Checker, Site};
use crate::units::Span;

/// Values of a list to draw from.
const VALUES_MAX: usize = 10_000;

impl Checker<'_> {
    pub fn distribution(&mut self, written: &shapes::Distribution, site: Site<'_>) -> Distribution {
        match written {
            shapes::Distribution::Constant(Duration(span)) => Distribution::Constant(*span),
            shapes::Distribution::Random(random) => self.random_time(random, site),
        }
    }

    pub fn random_time(&mut self, random: &RandomTime, site: Site<'_>) -> Distribution {
        const KEYS: [&str; 6] = ["uniform", "exponential", "normal", "lognormal", "pareto", "values"];
        let written: Vec<&str> = KEYS.into_iter().filter(|key| site.has(key)).collect();
        let [key] = written.as_slice() else {
            let message =
                if written.is_empty() { "no distribution is given".to_owned() } else { format!("{} distributions", written.len()) };
            let hint = "give one of `uniform`, `exponential`, `normal`, `lognormal`, `pareto` and `values`";
            self.error_with_hint(site.key(), message, hint);
            return Distribution::Constant(Span::ZERO);
        };
        let place = site.child(key);
        // What is written but could not be read has been reported.
        self.one_distribution(random, place).unwrap_or(Distribution::Constant(Span::ZERO))
    }

    fn one_distribution(&mut self, random: &RandomTime, place: Site<'_>) -> Option<Distribution> {
        if let Some([Duration(from), Duration(to)]) = random.uniform {
            if from > to {
                self.error(place.value(), "the first end of a uniform distribution is greater than the second");
            }
            return Some(Distribution::Uniform { from, to });
        }
        if let Some(Duration(mean)) = random.exponential {
            return Some(Distribution::Exponential { mean });
        }
        if let Some(normal) = &random.normal {
            let Duration(mean) = self.require(normal.mean, place, "a normal distribution", "mean", "such as `mean: 5ms`")?;
            let Duration(sd) =
                self.require(normal.sd, place, "a normal distribution", "sd", "the standard deviation, such as `sd: 1ms`")?;
            return Some(Distribution::Normal { mean, sd });
        }
        if let Some(lognormal) = &random.lognormal {
            let Duration(p50) = self.require(lognormal.p50, place, "a lognormal distribution", "p50", "the median, such as `p50: 2ms`")?;
            let Duration(p99) = self.require(lognormal.p99, place, "a lognormal distribution", "p99", "such as `p99: 40ms`")?;
            if p50.is_zero() || p99 < p50 {
                self.error(place.value(), "a lognormal distribution needs 0 < p50 <= p99");
            }
            return Some(Distribution::LogNormal { p50, p99 });
        }
        if let Some(pareto) = &random.pareto {
            let Duration(scale) = self.require(pareto.scale, place, "a pareto distribution", "scale", "the smallest value")?;
            let shape = self.require(pareto.shape, place, "a pareto distribution", "shape", "such as `shape: 1.5`")?;
            if !(shape > 0.0 && shape <= 1_000.0) || scale.is_zero() {
                self.error(place.value(), "a pareto distribution needs a scale above 0 and a shape above 0 and up to 1000");
            }
            return Some(Distribution::Pareto { scale, shape });
        }
        let values: Vec<Span> = random.values.as_ref()?.iter().map(|Duration(value)| *value).collect();
        if !(1..=VALUES_MAX).contains(&values.len()) {
            self.error(place.value(), format!("a list to draw from has 1 to {VALUES_MAX} values"));
        }
        Some(Distribution::Values(values))
    }
}

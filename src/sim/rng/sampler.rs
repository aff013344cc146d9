//! Random lengths of time: one word in, one length out.
//!
//! Each is the quantile function of its distribution at a uniform number, so a draw never takes more or fewer words than another, and a
//! larger word is a longer time (of `exponential` and `pareto`: a shorter one). The logarithm comes from
//! `libm` and the exponential is our own: the same bits everywhere.

use rand::Rng;

use crate::scenario::Distribution;
use crate::sim::rng::{UNIT, unit, up_to};
use crate::units::{Rate, Span};

/// A [`Distribution`] made ready to draw from.
#[derive(Clone, PartialEq, Debug)]
pub struct Sampler(Quantile);

/// Times as nanoseconds.
#[derive(Clone, PartialEq, Debug)]
enum Quantile {
    Constant(Span),
    Uniform { from: u64, width: u64 },
    Exponential { mean: f64 },
    Normal { mean: f64, sd: f64 },
    LogNormal { mu: f64, sigma: f64 },
    Pareto { scale_ln: f64, exponent: f64 },
    Values(Vec<Span>),
}

/// The 99th percentile of the standard normal distribution.
const Z_99: f64 = 2.326_347_874_040_840_8;

impl Sampler {
    pub fn new(distribution: &Distribution) -> Self {
        let nanos = |span: Span| span.as_nanos() as f64;
        Sampler(match distribution {
            Distribution::Constant(span) => Quantile::Constant(*span),
            Distribution::Uniform { from, to } => Quantile::Uniform { from: from.as_nanos(), width: to.saturating_sub(*from).as_nanos() },
            Distribution::Exponential { mean } => Quantile::Exponential { mean: nanos(*mean) },
            Distribution::Normal { mean, sd } => Quantile::Normal { mean: nanos(*mean), sd: nanos(*sd) },
            Distribution::LogNormal { p50, p99 } => {
                let mu = libm::log(nanos(*p50));
                Quantile::LogNormal { mu, sigma: (libm::log(nanos(*p99)) - mu) / Z_99 }
            }
            Distribution::Pareto { scale, shape } => Quantile::Pareto { scale_ln: libm::log(nanos(*scale)), exponent: -1.0 / shape },
            Distribution::Values(values) => {
                assert!(!values.is_empty(), "there is a value to draw");
                Quantile::Values(values.clone())
            }
        })
    }

    /// The times between Poisson arrivals of a rate above zero.
    pub fn gaps(rate: Rate) -> Self {
        assert!(rate.records > 0, "arrivals need a rate above zero");
        Sampler(Quantile::Exponential { mean: rate.per.as_nanos() as f64 / rate.records as f64 })
    }

    /// The length that every draw gives, if it is always the same.
    pub fn constant(&self) -> Option<Span> {
        match &self.0 {
            Quantile::Constant(span) => Some(*span),
            Quantile::Uniform { .. }
            | Quantile::Exponential { .. }
            | Quantile::Normal { .. }
            | Quantile::LogNormal { .. }
            | Quantile::Pareto { .. }
            | Quantile::Values(_) => None,
        }
    }

    pub fn draw(&self, rng: &mut impl Rng) -> Span {
        self.at(rng.next_u64())
    }

    /// The length for a random word, from a stream or by counter.
    #[inline]
    pub fn at(&self, word: u64) -> Span {
        match &self.0 {
            Quantile::Constant(span) => *span,
            Quantile::Uniform { from, width } => Span::from_nanos(from + up_to(*width, word)),
            Quantile::Exponential { mean } => rounded(-libm::log(above_zero(word)) * mean),
            Quantile::Normal { mean, sd } => rounded(mean + sd * normal(word)),
            Quantile::LogNormal { mu, sigma } => rounded(exp(mu + sigma * normal(word))),
            Quantile::Pareto { scale_ln, exponent } => rounded(exp(scale_ln + libm::log(above_zero(word)) * exponent)),
            Quantile::Values(values) => values[up_to(values.len() as u64 - 1, word) as usize],
        }
    }
}

/// To whole nanoseconds; below zero is zero, and beyond the end of time is its end.
fn rounded(nanos: f64) -> Span {
    Span::from_nanos((nanos + 0.5) as u64)
}

/// A number in (0, 1].
fn above_zero(word: u64) -> f64 {
    unit(word) + UNIT
}

/// e^x to ten digits, for results that are nanoseconds: below e^-50 it is as good as zero, above e^50 beyond the end of time. Twice as
/// fast as `libm`'s, which cares for every case and the last digit; inlined, it was half as fast.
#[inline(never)]
fn exp(x: f64) -> f64 {
    const BIAS: i64 = 1023;
    let x = x.clamp(-50.0, 50.0);
    // x = k ln 2 + r with |r| <= ln 2 / 2; the cast cuts off, so the sum is kept above zero.
    let k = (x * std::f64::consts::LOG2_E + 128.5) as i64 - 128;
    let r = x - k as f64 * std::f64::consts::LN_2;
    // The powers from r^8 on add less than 10^-8 of the sum: two are enough.
    let high = (1.0 / 40_320.0 + r / 362_880.0) * ((r * r) * (r * r)) * ((r * r) * (r * r));
    (polynomial(r, &EXP_SERIES) + high) * f64::from_bits(((BIAS + k) as u64) << 52)
}

/// 1 / n! from n = 0 on.
const EXP_SERIES: [f64; 8] = [1.0, 1.0, 1.0 / 2.0, 1.0 / 6.0, 1.0 / 24.0, 1.0 / 120.0, 1.0 / 720.0, 1.0 / 5040.0];

/// The standard normal quantile: M. J. Wichura, Algorithm AS 241 (PPND16), Applied Statistics 37 (1988), exact to 16 digits.
fn normal(word: u64) -> f64 {
    normal_quantile(unit(word) + UNIT / 2.0)
}

fn normal_quantile(p: f64) -> f64 {
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.180_625 - q * q;
        return q * ratio(r, &CENTRE);
    }
    let r = (-libm::log(if q < 0.0 { p } else { 1.0 - p })).sqrt();
    let tail = if r <= 5.0 { ratio(r - 1.6, &TAIL) } else { ratio(r - 5.0, &FAR_TAIL) };
    if q < 0.0 { -tail } else { tail }
}

/// A ratio of two polynomials, lowest coefficients first.
#[inline]
fn ratio(x: f64, [above, below]: &[[f64; 8]; 2]) -> f64 {
    polynomial(x, above) / polynomial(x, below)
}

/// Estrin's scheme: pairs, then pairs of pairs, so that the steps overlap.
#[inline]
fn polynomial(x: f64, c: &[f64; 8]) -> f64 {
    let (x2, x4) = (x * x, (x * x) * (x * x));
    ((c[0] + c[1] * x) + (c[2] + c[3] * x) * x2) + ((c[4] + c[5] * x) + (c[6] + c[7] * x) * x2) * x4
}

const CENTRE: [[f64; 8]; 2] = [
    [
        3.387_132_872_796_366_5,
        1.331_416_678_917_843_8e2,
        1.971_590_950_306_551_3e3,
        1.373_169_376_550_946e4,
        4.592_195_393_154_987e4,
        6.726_577_092_700_87e4,
        3.343_057_558_358_813e4,
        2.509_080_928_730_122_7e3,
    ],
    [
        1.0,
        4.231_333_070_160_091e1,
        6.871_870_074_920_579e2,
        5.394_196_021_424_751e3,
        2.121_379_430_158_659_7e4,
        3.930_789_580_009_271e4,
        2.872_908_573_572_194_3e4,
        5.226_495_278_852_854e3,
    ],
];

const TAIL: [[f64; 8]; 2] = [
    [
        1.423_437_110_749_683_5,
        4.630_337_846_156_546,
        5.769_497_221_460_691,
        3.647_848_324_763_204_5,
        1.270_458_252_452_368_4,
        2.417_807_251_774_506e-1,
        2.272_384_498_926_918_4e-2,
        7.745_450_142_783_414e-4,
    ],
    [
        1.0,
        2.053_191_626_637_759,
        1.676_384_830_183_803_8,
        6.897_673_349_851e-1,
        1.481_039_764_274_800_8e-1,
        1.519_866_656_361_645_7e-2,
        5.475_938_084_995_345e-4,
        1.050_750_071_644_416_9e-9,
    ],
];

const FAR_TAIL: [[f64; 8]; 2] = [
    [
        6.657_904_643_501_103,
        5.463_784_911_164_114,
        1.784_826_539_917_291_3,
        2.965_605_718_285_048_7e-1,
        2.653_218_952_657_612_4e-2,
        1.242_660_947_388_078_4e-3,
        2.711_555_568_743_487_6e-5,
        2.010_334_399_292_288_1e-7,
    ],
    [
        1.0,
        5.998_322_065_558_88e-1,
        1.369_298_809_227_358e-1,
        1.487_536_129_085_061_5e-2,
        7.868_691_311_456_133e-4,
        1.846_318_317_510_054_8e-5,
        1.421_511_758_316_446e-7,
        2.044_263_103_389_939_8e-15,
    ],
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::rng::{Draws, stream};

    const MS: u64 = 1_000_000;

    #[test]
    fn the_first_samples_are_pinned() {
        assert_eq!(first(Distribution::Constant(ms(5))), [5_000_000; 4]);
        assert_eq!(first(Distribution::Uniform { from: ms(1), to: ms(3) }), [2_001_602, 2_725_739, 1_470_184, 2_612_674]);
        assert_eq!(first(Distribution::Exponential { mean: ms(2) }), [1_383_094, 294_984, 2_895_557, 430_507]);
        assert_eq!(first(Distribution::Normal { mean: ms(2), sd: ms(1) }), [2_002_007, 3_093_302, 1_277_820, 2_864_477]);
        assert_eq!(first(Distribution::LogNormal { p50: ms(2), p99: ms(40) }), [2_005_177, 8_174_635, 789_123, 6_088_302]);
        assert_eq!(first(Distribution::Pareto { scale: ms(1), shape: 1.5 }), [1_585_708, 1_103_325, 2_625_275, 1_154_309]);
        assert_eq!(first(Distribution::Values(vec![ms(1), ms(2), ms(3)])), [2_000_000, 3_000_000, 1_000_000, 3_000_000]);
    }

    #[test]
    fn samples_have_the_moments_and_percentiles_of_their_distribution() {
        let uniform = sorted(Distribution::Uniform { from: ms(1), to: ms(3) });
        near("uniform mean", mean(&uniform), 2.0, 0.01);
        assert!(uniform[0] >= MS && uniform[N - 1] <= 3 * MS);

        let exponential = sorted(Distribution::Exponential { mean: ms(2) });
        near("exponential mean", mean(&exponential), 2.0, 0.02);
        near("exponential median", at(&exponential, 50), 2.0 * std::f64::consts::LN_2, 0.02);
        near("exponential p99", at(&exponential, 99), 2.0 * 4.605_170, 0.02);

        let normal = sorted(Distribution::Normal { mean: ms(20), sd: ms(3) });
        near("normal mean", mean(&normal), 20.0, 0.01);
        near("normal p84", at(&normal, 84), 20.0 + 3.0 * 0.994_458, 0.01);
        let cut = sorted(Distribution::Normal { mean: ms(0), sd: ms(3) });
        assert_eq!(cut[N / 2 - 600], 0, "about half lies below zero and is cut off");
        assert!(cut[N / 2 + 600] > 0);

        let log_normal = sorted(Distribution::LogNormal { p50: ms(2), p99: ms(40) });
        near("log-normal median", at(&log_normal, 50), 2.0, 0.03);
        near("log-normal p99", at(&log_normal, 99), 40.0, 0.05);

        let pareto = sorted(Distribution::Pareto { scale: ms(1), shape: 1.5 });
        assert!(pareto[0] >= MS);
        near("pareto median", at(&pareto, 50), 1.587_401, 0.01);

        let values = sorted(Distribution::Values(vec![ms(1), ms(2), ms(6)]));
        near("values mean", mean(&values), 3.0, 0.02);
    }

    #[test]
    fn poisson_gaps_keep_the_rate() {
        let gaps = Sampler::gaps(Rate { records: 3, per: Span::from_secs(1) });
        let mut rng = stream(1, "producer/shop/arrivals");
        let total: u64 = (0..N).map(|_| gaps.draw(&mut rng).as_nanos()).sum();
        near("gap", total as f64 / N as f64 / MS as f64, 1000.0 / 3.0, 0.01);
    }

    #[test]
    fn the_normal_quantile_agrees_with_tables() {
        for (p, z) in
            [(0.5, 0.0), (0.975, 1.959_963_984_540_054), (0.99, Z_99), (0.000_1, -3.719_016_485_455_709), (1e-15, -7.941_345_326_170_997)]
        {
            assert!((normal_quantile(p) - z).abs() < 1e-12, "{p}: {}", normal_quantile(p));
        }
    }

    #[test]
    fn the_exponential_is_right_to_ten_digits() {
        for i in -5000..=5000 {
            let x = f64::from(i) * 0.01;
            assert!((exp(x) / libm::exp(x) - 1.0).abs() < 1e-10, "{x}: {}", exp(x));
        }
        assert_eq!(rounded(exp(f64::NEG_INFINITY)), Span::ZERO);
        assert_eq!(rounded(exp(f64::INFINITY)), Span::from_nanos(u64::MAX));
    }

    #[test]
    fn the_ends_of_the_words_give_finite_lengths() {
        for distribution in [
            Distribution::Uniform { from: ms(1), to: ms(3) },
            Distribution::Exponential { mean: ms(2) },
            Distribution::Normal { mean: ms(2), sd: ms(1) },
            Distribution::LogNormal { p50: ms(2), p99: ms(40) },
            Distribution::Values(vec![ms(1), ms(2)]),
        ] {
            let sampler = Sampler::new(&distribution);
            assert!(sampler.at(0) < Span::from_secs(100) && sampler.at(u64::MAX) < Span::from_secs(100), "{distribution:?}");
        }
        assert_eq!(Sampler::new(&Distribution::Pareto { scale: ms(1), shape: 0.1 }).at(0), Span::from_nanos(u64::MAX));
    }

    const N: usize = 100_000;

    fn ms(millis: u64) -> Span {
        Span::from_millis(millis)
    }

    fn first(distribution: Distribution) -> [u64; 4] {
        let sampler = Sampler::new(&distribution);
        let draws = Draws::new(7, "processing/billing/orders-0");
        std::array::from_fn(|offset| sampler.at(draws.at(offset as u64, 0)).as_nanos())
    }

    fn sorted(distribution: Distribution) -> Vec<u64> {
        let sampler = Sampler::new(&distribution);
        let draws = Draws::new(1, "processing/billing/orders-0");
        let mut samples: Vec<u64> = (0..N as u64).map(|offset| sampler.at(draws.at(offset, 0)).as_nanos()).collect();
        samples.sort_unstable();
        samples
    }

    /// In milliseconds.
    fn mean(samples: &[u64]) -> f64 {
        samples.iter().sum::<u64>() as f64 / N as f64 / MS as f64
    }

    /// In milliseconds.
    fn at(samples: &[u64], percentile: usize) -> f64 {
        samples[N / 100 * percentile] as f64 / MS as f64
    }

    fn near(what: &str, got: f64, expected: f64, tolerance: f64) {
        assert!((got / expected - 1.0).abs() < tolerance, "{what}: {got}, expected {expected}");
    }
}

//! Random numbers that stay what they are: the same on every platform, and unmoved by whatever else is drawn.
//!
//! Two sources. A [`stream`] is for one actor and one purpose, drawn from in the order of the run. [`Draws`] answer for a record by its
//! offset, so that the processing time of a record never depends on who processes it, when, or in which batch. Both are found by a
//! label made of names, never of numbers that move when a scenario grows; label them `producer/shop/keys`, `processing/billing/orders-0`.
//!
//! No crate of distributions: those that exist take logarithms from the platform or from libm depending on what else is compiled in.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

pub mod key_draw;
pub mod sampler;

/// The random numbers of one actor for one purpose: ChaCha8, the key from the seed, the stream from the label.
pub fn stream(seed: u64, label: &str) -> ChaCha8Rng {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(b"groupsim");
    let mut rng = ChaCha8Rng::from_seed(key);
    rng.set_stream(fnv1a(label));
    rng
}

/// Random words by counter: a word for each offset and attempt, in no order, at the cost of a few multiplications.
///
/// SplitMix64 started at a place that seed, label and attempt decide, with the offset as its counter.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Draws {
    key: u64,
}

/// SplitMix64's step: 2^64 / golden ratio, made odd.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

impl Draws {
    pub fn new(seed: u64, label: &str) -> Self {
        Draws { key: mix(mix(seed) ^ fnv1a(label)) }
    }

    /// `attempt`: how often the record was tried before.
    #[inline]
    pub fn at(self, offset: u64, attempt: u32) -> u64 {
        let start = mix(self.key.wrapping_add(u64::from(attempt)));
        mix(start.wrapping_add(offset.wrapping_mul(GOLDEN)))
    }
}

/// SplitMix64's finaliser: every bit of the input moves every bit of the output.
#[inline]
fn mix(word: u64) -> u64 {
    let z = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn fnv1a(label: &str) -> u64 {
    label.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

/// A number in [0, 1) with 53 random bits.
#[inline]
pub fn unit(word: u64) -> f64 {
    (word >> 11) as f64 * UNIT
}

/// 2^-53
const UNIT: f64 = 1.0 / 9_007_199_254_740_992.0;

/// A number in 0..=`last`. Each is as likely up to one part in 2^64 / `last`.
#[inline]
fn up_to(last: u64, word: u64) -> u64 {
    let product = (u128::from(last) + 1) * u128::from(word);
    (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng;

    #[test]
    fn the_first_draws_of_a_stream_are_pinned() {
        let mut rng = stream(7, "producer/shop/keys");
        assert_eq!(
            [rng.next_u64(), rng.next_u64(), rng.next_u64()],
            [7_714_271_768_646_190_332, 6_287_164_562_519_532_150, 15_220_233_444_226_540_889]
        );
        assert_eq!(stream(8, "producer/shop/keys").next_u64(), 9_116_903_920_459_157_040);
        assert_eq!(stream(7, "producer/shop/arrivals").next_u64(), 8_727_842_288_788_595_416);
    }

    #[test]
    fn the_first_draws_by_counter_are_pinned() {
        let draws = Draws::new(7, "processing/billing/orders-0");
        assert_eq!(
            [draws.at(0, 0), draws.at(1, 0), draws.at(0, 1)],
            [9_238_145_008_218_200_465, 15_917_129_849_449_421_567, 5_228_681_713_456_799_278]
        );
        assert_eq!(Draws::new(8, "processing/billing/orders-0").at(0, 0), 15_025_723_894_753_511_459);
        assert_eq!(Draws::new(7, "processing/billing/orders-1").at(0, 0), 12_503_246_126_756_260_570);
    }

    #[test]
    fn fnv_1a_agrees_with_its_published_vectors() {
        assert_eq!(fnv1a(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a("a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv1a("foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn a_counter_starting_at_zero_is_split_mix() {
        // The published sequence of SplitMix64 for the seed 1234567 begins with the step already made.
        let words = [1, 2, 3].map(|n: u64| mix(1_234_567_u64.wrapping_add(n.wrapping_mul(GOLDEN))));
        assert_eq!(words, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn draws_by_counter_look_random_along_offsets_attempts_and_bits() {
        let draws = Draws::new(1, "processing/billing/orders-0");
        let words: Vec<u64> = (0..4000).flat_map(|offset| [0, 1, 2].map(|attempt| draws.at(offset, attempt))).collect();
        for bit in 0..64 {
            let ones = words.iter().filter(|&&word| word >> bit & 1 == 1).count();
            assert!((5700..6300).contains(&ones), "bit {bit} is set {ones} times of 12,000");
        }
        let flips: u32 = words.windows(2).map(|pair| (pair[0] ^ pair[1]).count_ones()).sum();
        let flipped = f64::from(flips) / 11_999.0;
        assert!((31.8..32.2).contains(&flipped), "{flipped} of 64 bits differ between neighbours");
    }

    #[test]
    fn both_ends_of_a_range_are_drawn() {
        assert_eq!((up_to(9, 0), up_to(9, u64::MAX)), (0, 9));
        assert_eq!((up_to(u64::MAX, 5), up_to(0, u64::MAX)), (5, 0));
        assert_eq!(unit(0), 0.0);
        assert!(unit(u64::MAX) < 1.0);
    }
}

//! Which key a record gets: uniform, zipf or weighted.

use crate::scenario::keys::KeyWeights;
use crate::sim::rng::up_to;

/// Draws a key's number, by a table of integers: no rounding decides between two keys while a run goes on.
#[derive(Clone, Debug)]
pub struct KeyDraw(Table);

#[derive(Clone, Debug)]
enum Table {
    Uniform {
        last: u64,
    },
    /// By key: the sum of the weights up to and with it.
    Cumulative(Vec<u64>),
}

/// The weight of the first key under zipf: those of less than half a 2^40th of it are never drawn.
const ZIPF_ONE: f64 = (1_u64 << 40) as f64;

impl KeyDraw {
    /// At least one key, and one weight above zero.
    pub fn new(count: u32, weights: &KeyWeights) -> Self {
        assert!(count > 0, "there is a key to draw");
        match weights {
            KeyWeights::Uniform => KeyDraw(Table::Uniform { last: u64::from(count) - 1 }),
            KeyWeights::Zipf { s } => {
                let weight = |key: u32| (ZIPF_ONE / libm::pow(f64::from(key) + 1.0, *s) + 0.5) as u64;
                KeyDraw(Table::Cumulative(cumulate((0..count).map(weight))))
            }
            KeyWeights::Listed(weights) => {
                let total: u128 = weights.iter().copied().map(u128::from).sum();
                // Weights whose sum passes 64 bits lose their lowest ones.
                let excess = (u128::BITS - total.leading_zeros()).saturating_sub(u64::BITS);
                KeyDraw(Table::Cumulative(cumulate(weights.iter().map(|weight| weight >> excess))))
            }
        }
    }

    pub fn at(&self, word: u64) -> u32 {
        let key = match &self.0 {
            Table::Uniform { last } => up_to(*last, word),
            Table::Cumulative(sums) => {
                let total = sums.last().expect("there is a key to draw");
                let ticket = up_to(total - 1, word);
                sums.partition_point(|sum| *sum <= ticket) as u64
            }
        };
        u32::try_from(key).expect("keys are counted in 32 bits")
    }
}

fn cumulate(weights: impl Iterator<Item = u64>) -> Vec<u64> {
    let sums: Vec<u64> = weights
        .scan(0_u64, |sum, weight| {
            *sum = sum.saturating_add(weight);
            Some(*sum)
        })
        .collect();
    assert!(sums.last().is_some_and(|total| *total > 0), "some key has a weight");
    sums
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::rng::stream;
    use rand::Rng;

    #[test]
    fn the_first_keys_are_pinned() {
        assert_eq!(first(9, &KeyWeights::Uniform), [3, 3, 7, 4, 6, 7, 4, 7, 0, 0, 8, 4]);
        assert_eq!(first(9, &KeyWeights::Zipf { s: 1.0 }), [1, 0, 5, 1, 3, 5, 1, 5, 0, 0, 7, 1]);
        assert_eq!(first(3, &KeyWeights::Listed(vec![1, 0, 9])), [2, 2, 2, 2, 2, 2, 2, 2, 0, 0, 2, 2]);
    }

    #[test]
    fn keys_come_as_often_as_they_weigh() {
        let near = |got: u32, expected: f64| (f64::from(got) - expected).abs() < 4.0 * expected.sqrt();
        for count in tally(4, &KeyWeights::Uniform) {
            assert!(near(count, 10_000.0), "{count}");
        }
        // 1 + 1/2 + 1/3 + 1/4 = 25/12
        for (count, expected) in tally(4, &KeyWeights::Zipf { s: 1.0 }).into_iter().zip([19_200.0, 9_600.0, 6_400.0, 4_800.0]) {
            assert!(near(count, expected), "{count} of {expected}");
        }
        let weighted = tally(3, &KeyWeights::Listed(vec![30, 0, 10]));
        assert!(near(weighted[0], 30_000.0) && weighted[1] == 0 && near(weighted[2], 10_000.0), "{weighted:?}");
    }

    #[test]
    fn weights_beyond_64_bits_keep_their_ratio() {
        let weighted = tally(2, &KeyWeights::Listed(vec![u64::MAX, u64::MAX]));
        assert!(weighted[0].abs_diff(20_000) < 600, "{weighted:?}");
        assert_eq!(KeyDraw::new(2, &KeyWeights::Listed(vec![u64::MAX, u64::MAX])).at(u64::MAX), 1);
    }

    fn first(count: u32, weights: &KeyWeights) -> [u32; 12] {
        let mut rng = stream(7, "producer/shop/keys");
        let draw = KeyDraw::new(count, weights);
        std::array::from_fn(|_| draw.at(rng.next_u64()))
    }

    fn tally(count: u32, weights: &KeyWeights) -> Vec<u32> {
        let mut rng = stream(7, "producer/shop/keys");
        let draw = KeyDraw::new(count, weights);
        let mut tally = vec![0; count as usize];
        for _ in 0..40_000 {
            tally[draw.at(rng.next_u64()) as usize] += 1;
        }
        tally
    }
}

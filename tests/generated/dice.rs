//! Small random choices from one seed: the same on every platform.

use groupsim::sim::rng;
use rand::Rng;
use rand_chacha::ChaCha8Rng;

pub struct Dice(ChaCha8Rng);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Dice(rng::stream(seed, "generated scenarios"))
    }

    /// From the first to the last, both included.
    pub fn between(&mut self, first: u64, last: u64) -> u64 {
        let product = u128::from(self.0.next_u64()) * u128::from(last - first + 1);
        first + (product >> 64) as u64
    }

    /// True so many times of a hundred.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.between(1, 100) <= percent
    }

    pub fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.between(0, of.len() as u64 - 1) as usize]
    }

    /// One of them in so many times of a hundred.
    pub fn perhaps<T: Copy>(&mut self, percent: u64, of: &[T]) -> Option<T> {
        self.chance(percent).then(|| self.pick(of))
    }
}

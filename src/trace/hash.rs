//! A hash of integers that is the same on every platform: one multiplication and one rotation a word.
//!
//! Not for security. `std`'s own hashers are unfit: SipHash is slow here and its keys are documented as unspecified.

use std::hash::{Hash, Hasher};

use crate::trace::{Sink, TraceEvent};
use crate::units::Instant;

#[derive(Clone, Debug, Default)]
pub struct WordHasher(u64);

impl WordHasher {
    fn word(&mut self, word: u64) {
        // The odd constant is 2^64 / golden ratio.
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

impl Hasher for WordHasher {
    fn finish(&self) -> u64 {
        // SplitMix64's finaliser, so that short inputs differ in every bit.
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.word(u64::from_le_bytes(word));
        }
    }

    fn write_u8(&mut self, i: u8) {
        self.word(u64::from(i));
    }

    fn write_u32(&mut self, i: u32) {
        self.word(u64::from(i));
    }

    fn write_u64(&mut self, i: u64) {
        self.word(i);
    }

    fn write_i32(&mut self, i: i32) {
        self.word(i64::from(i) as u64);
    }

    fn write_usize(&mut self, i: usize) {
        self.word(i as u64);
    }

    fn write_isize(&mut self, i: isize) {
        self.word(i as i64 as u64);
    }
}

/// The identity of a run: equal hashes mean equal traces, for all that people will meet.
#[derive(Clone, Debug, Default)]
pub struct TraceHash(WordHasher);

impl TraceHash {
    pub fn value(&self) -> u64 {
        self.0.finish()
    }
}

impl Sink for TraceHash {
    fn record(&mut self, at: Instant, event: &TraceEvent) {
        at.hash(&mut self.0);
        event.hash(&mut self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_of_known_words_is_pinned() {
        let mut hasher = WordHasher::default();
        hasher.write_u64(1);
        hasher.write_u32(2);
        hasher.write(b"orders-0");
        assert_eq!(hasher.finish(), 0xb812_14a8_a8b0_d22c);
    }
}

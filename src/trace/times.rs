//! When each record of a range was created or finished: an even spacing, or a list.

use crate::units::{Instant, Pace, Span};

/// When the records of a range were created (handed to `send()`).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Created {
    /// Record number `index` of the pace, then `index + 1`, …
    Even {
        pace: Pace,
        index: u64,
    },
    Listed(Box<[Instant]>),
}

impl Created {
    /// Creation of the i-th record of the range.
    #[inline]
    pub fn at(&self, i: u64) -> Instant {
        match self {
            Created::Even { pace, index } => pace.at(index + i),
            Created::Listed(times) => times[i as usize],
        }
    }
}

/// When the records of a range were finished.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Finished {
    /// The first at `first`, then one every `each`.
    Even {
        first: Instant,
        each: Span,
    },
    Listed(Box<[Instant]>),
}

impl Finished {
    /// When the i-th record of the range was done.
    pub fn at(&self, i: u64) -> Instant {
        match self {
            Finished::Even { first, each } => *first + each.times(i),
            Finished::Listed(times) => times[i as usize],
        }
    }
}

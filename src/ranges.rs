//! A map from offsets to values that is stored as ranges: neighbours with equal values are one range.
//!
//! A group reads a partition front to back, so the usual change is at the end: it costs O(1) and allocates only when a range is added that
//! does not continue the last one. A change further back costs O(log n) and a move of the ranges behind it. The size depends on how often
//! the value changes along the partition, never on how many records there are.

use crate::units::{Offset, OffsetRange};

/// Offsets that are in no range have no value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RangeMap<V> {
    /// Ascending and disjoint, none empty, no two that touch with equal values.
    spans: Vec<(OffsetRange, V)>,
}

impl<V> Default for RangeMap<V> {
    fn default() -> Self {
        RangeMap { spans: Vec::new() }
    }
}

impl<V: Clone + PartialEq> RangeMap<V> {
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// How many ranges there are.
    pub fn spans(&self) -> usize {
        self.spans.len()
    }

    /// The offset behind the last one that has a value, or 0.
    pub fn end(&self) -> Offset {
        self.spans.last().map_or(Offset(0), |(span, _)| span.to)
    }

    pub fn get(&self, offset: Offset) -> Option<&V> {
        let (span, value) = self.spans.get(self.first_ending_behind(offset))?;
        (span.from <= offset).then_some(value)
    }

    pub fn iter(&self) -> impl Iterator<Item = (OffsetRange, &V)> {
        self.spans.iter().map(|(span, value)| (*span, value))
    }

    /// What lies within `window`, in order and without holes: stretches without a value come as `None`.
    pub fn pieces(&self, window: OffsetRange) -> Pieces<'_, V> {
        Pieces { spans: &self.spans[self.first_ending_behind(window.from)..], window }
    }

    /// Whether every offset of `window` has this value.
    #[inline]
    pub fn is_all(&self, window: OffsetRange, value: &V) -> bool {
        // What is asked for lies mostly in the last range.
        match self.spans.last() {
            Some((last, same)) if last.from <= window.from && window.to <= last.to => same == value,
            Some(_) | None => self.pieces(window).all(|(_, other)| other == Some(value)),
        }
    }

    /// Gives every offset of `window` a value, whatever it had.
    pub fn set(&mut self, window: OffsetRange, value: V) {
        self.update(window, |_, _| Some(value.clone()));
    }

    /// Lengthens the last range by `window` if it continues that range with the same value, which is the usual case.
    #[inline]
    pub fn extend(&mut self, window: OffsetRange, value: &V) -> bool {
        match self.spans.last_mut() {
            Some((last, same)) if last.to == window.from && same == value => {
                last.to = window.to;
                true
            }
            Some(_) | None => false,
        }
    }

    /// Takes the values of `window` away.
    #[inline(always)]
    pub fn remove(&mut self, window: OffsetRange) {
        if window.from < self.end() {
            self.update(window, |_, _| None);
        }
    }

    /// Replaces the value of each stretch of `window` by what `change` makes of it; see [`RangeMap::pieces`].
    pub fn update(&mut self, window: OffsetRange, mut change: impl FnMut(OffsetRange, Option<&V>) -> Option<V>) {
        if window.is_empty() {
            return;
        }
        if window.from >= self.end() {
            if let Some(value) = change(window, None) {
                push(&mut self.spans, window, value);
            }
            return;
        }
        // One range on either side of the window takes part, because it may have to be cut or joined.
        let start = self.first_ending_behind(window.from).saturating_sub(1);
        let stop = (self.spans.partition_point(|(span, _)| span.from < window.to) + 1).min(self.spans.len());
        let mut changed = Vec::with_capacity(stop - start + 2);
        for (span, value) in &self.spans[start..stop] {
            if span.from < window.from {
                push(&mut changed, OffsetRange::new(span.from, span.to.min(window.from)), value.clone());
            }
        }
        for (piece, value) in self.pieces(window) {
            if let Some(value) = change(piece, value) {
                push(&mut changed, piece, value);
            }
        }
        for (span, value) in &self.spans[start..stop] {
            if span.to > window.to {
                push(&mut changed, OffsetRange::new(span.from.max(window.to), span.to), value.clone());
            }
        }
        self.spans.splice(start..stop, changed);
    }

    fn first_ending_behind(&self, offset: Offset) -> usize {
        match self.spans.last() {
            Some((last, _)) if last.from <= offset => self.spans.len() - usize::from(offset < last.to),
            Some(_) | None => self.spans.partition_point(|(span, _)| span.to <= offset),
        }
    }
}

fn push<V: PartialEq>(spans: &mut Vec<(OffsetRange, V)>, range: OffsetRange, value: V) {
    match spans.last_mut() {
        Some((last, same)) if last.to == range.from && *same == value => last.to = range.to,
        Some(_) | None => spans.push((range, value)),
    }
}

/// See [`RangeMap::pieces`].
#[derive(Clone, Debug)]
pub struct Pieces<'a, V> {
    spans: &'a [(OffsetRange, V)],
    /// What is left of the window.
    window: OffsetRange,
}

impl<'a, V> Iterator for Pieces<'a, V> {
    type Item = (OffsetRange, Option<&'a V>);

    fn next(&mut self) -> Option<Self::Item> {
        let OffsetRange { from, to } = self.window;
        if from >= to {
            return None;
        }
        let (piece, value) = match self.spans.split_first() {
            Some(((span, value), rest)) if span.from <= from => {
                self.spans = rest;
                (OffsetRange::new(from, span.to.min(to)), Some(value))
            }
            Some(((span, _), _)) => (OffsetRange::new(from, span.from.min(to)), None),
            None => (self.window, None),
        };
        self.window.from = piece.to;
        Some((piece, value))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn range(from: u64, to: u64) -> OffsetRange {
        OffsetRange::new(Offset(from), Offset(to))
    }

    #[test]
    fn reading_in_order_keeps_one_range() {
        let mut map = RangeMap::default();
        for i in 0..1000 {
            map.set(range(i * 500, (i + 1) * 500), 'A');
        }
        assert_eq!(map.spans(), 1);
        assert_eq!(map.end(), Offset(500_000));
    }

    #[test]
    fn a_second_reading_moves_one_boundary_along() {
        let mut map = RangeMap::default();
        map.set(range(0, 1000), 1);
        for i in 0..10 {
            map.update(range(i * 100, (i + 1) * 100), |_, times| times.map(|n| n + 1));
            assert_eq!(map.spans(), if i < 9 { 2 } else { 1 });
        }
        assert_eq!(map.iter().collect::<Vec<_>>(), [(range(0, 1000), &2)]);
    }

    #[test]
    fn pieces_have_no_holes() {
        let mut map = RangeMap::default();
        map.set(range(10, 20), 'A');
        map.set(range(30, 40), 'B');
        let pieces: Vec<_> = map.pieces(range(5, 35)).map(|(piece, value)| (piece, value.copied())).collect();
        let expected = [(range(5, 10), None), (range(10, 20), Some('A')), (range(20, 30), None), (range(30, 35), Some('B'))];
        assert_eq!(pieces, expected);
        assert_eq!(map.pieces(range(7, 7)).count(), 0);
    }

    #[derive(Clone, Debug)]
    enum Step {
        Set(u64, u64, u8),
        Remove(u64, u64),
        Increment(u64, u64),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = (0u8..4, 0u64..60, 0u64..20, 0u8..3).prop_map(|(kind, from, len, value)| match kind {
            0 | 1 => Step::Set(from, from + len, value),
            2 => Step::Remove(from, from + len),
            _ => Step::Increment(from, from + len),
        });
        proptest::collection::vec(step, 0..40)
    }

    fn check_shape(map: &RangeMap<u8>) {
        for pair in map.spans.windows(2) {
            let ((left, a), (right, b)) = (&pair[0], &pair[1]);
            assert!(left.to <= right.from, "ranges ascend");
            assert!(left.to < right.from || a != b, "neighbours with equal values are one range");
        }
        assert!(map.spans.iter().all(|(span, _)| !span.is_empty()), "no range is empty");
    }

    proptest! {
        #[test]
        fn ranges_behave_like_a_value_per_record(steps in steps(), from in 0u64..80, len in 0u64..80) {
            let mut map = RangeMap::default();
            let mut naive = [None; 160];
            for step in steps {
                match step {
                    Step::Set(a, b, value) => {
                        map.set(range(a, b), value);
                        naive[a as usize..b as usize].fill(Some(value));
                    }
                    Step::Remove(a, b) => {
                        map.remove(range(a, b));
                        naive[a as usize..b as usize].fill(None);
                    }
                    Step::Increment(a, b) => {
                        map.update(range(a, b), |_, value| Some(value.map_or(1, |n| n + 1)));
                        naive[a as usize..b as usize].iter_mut().for_each(|value| *value = Some(value.map_or(1, |n| n + 1)));
                    }
                }
                check_shape(&map);
                for (i, value) in naive.iter().enumerate() {
                    prop_assert_eq!(map.get(Offset(i as u64)), value.as_ref());
                }
            }
            let window = range(from, from + len);
            let mut at = window.from;
            for (piece, value) in map.pieces(window) {
                prop_assert_eq!(piece.from, at);
                prop_assert!(!piece.is_empty());
                prop_assert!((piece.from.0..piece.to.0).all(|i| naive[i as usize] == value.copied()));
                at = piece.to;
            }
            prop_assert_eq!(at, window.to);
        }
    }
}

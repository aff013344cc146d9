//! Runs of a log in a byte or two each.
//!
//! Nothing is ever deleted from a log, and somebody may read it from the start; but few do, and batches come in few shapes. So the shapes
//! have numbers, and a segment of runs is one code after the other, read from its front.

use std::collections::BTreeMap;

use super::Run;

/// Instead of the number of a shape: the shape itself follows.
const SPELT_OUT: u8 = u8::MAX;

#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Shape {
    records: u32,
    bytes: u32,
    batches: u64,
}

#[derive(Clone, Debug)]
struct Segment {
    first: u64,
    codes: Box<[u8]>,
}

#[derive(Clone, Debug, Default)]
pub struct Sealed {
    /// By number: the first shapes that there were.
    shapes: Vec<Shape>,
    numbers: BTreeMap<Shape, u8>,
    segments: Vec<Segment>,
}

impl Sealed {
    /// Packs runs that go on where the ones before ended.
    pub fn seal(&mut self, runs: &[Run]) {
        let Some(Run { first, .. }) = runs.first() else { return };
        let mut codes = Vec::with_capacity(runs.len());
        for run in runs {
            let shape = Shape { records: run.records, bytes: run.bytes, batches: run.batches };
            match self.number(shape) {
                Some(number) => codes.push(number),
                None => {
                    codes.push(SPELT_OUT);
                    codes.extend_from_slice(&shape.records.to_le_bytes());
                    codes.extend_from_slice(&shape.bytes.to_le_bytes());
                    codes.extend_from_slice(&shape.batches.to_le_bytes());
                }
            }
        }
        self.segments.push(Segment { first: *first, codes: codes.into_boxed_slice() });
    }

    /// The number of a shape; there are only so many.
    fn number(&mut self, shape: Shape) -> Option<u8> {
        let next = u8::try_from(self.shapes.len()).ok().filter(|next| *next < SPELT_OUT);
        if let (None, Some(next)) = (self.numbers.get(&shape), next) {
            self.numbers.insert(shape, next);
            self.shapes.push(shape);
        }
        self.numbers.get(&shape).copied()
    }

    /// The runs from the one on that holds an offset.
    pub fn runs_from(&self, offset: u64) -> impl Iterator<Item = Run> {
        let at = self.segments.partition_point(|segment| segment.first <= offset).saturating_sub(1);
        let runs =
            self.segments[at..].iter().flat_map(|segment| Unpacked { shapes: &self.shapes, codes: &segment.codes, next: segment.first });
        runs.skip_while(move |run| run.end() <= offset)
    }
}

/// The runs of a segment, one after the other.
struct Unpacked<'a> {
    shapes: &'a [Shape],
    codes: &'a [u8],
    next: u64,
}

impl Unpacked<'_> {
    fn shape(&mut self) -> Option<Shape> {
        let (code, rest) = self.codes.split_first()?;
        self.codes = rest;
        if *code != SPELT_OUT {
            return Some(self.shapes[usize::from(*code)]);
        }
        let records = u32::from_le_bytes(self.bytes());
        let bytes = u32::from_le_bytes(self.bytes());
        Some(Shape { records, bytes, batches: u64::from_le_bytes(self.bytes()) })
    }

    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let (bytes, rest) = self.codes.split_first_chunk().expect("a shape is spelt out in full");
        self.codes = rest;
        *bytes
    }
}

impl Iterator for Unpacked<'_> {
    type Item = Run;

    fn next(&mut self) -> Option<Run> {
        let Shape { records, bytes, batches } = self.shape()?;
        let run = Run { first: self.next, batches, records, bytes };
        self.next = run.end();
        Some(run)
    }
}

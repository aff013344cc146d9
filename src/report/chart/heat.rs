//! Lag of many partitions as a heat map: one row each, darker for more.

use std::fmt::Write;

use crate::metrics::PartitionMeasurements;
use crate::report::chart::lanes::Scale;
use crate::report::chart::palette::HEAT;
use crate::report::chart::series;
use crate::report::chart::svg::{Rect, Svg, Units};
use crate::units::{Instant, Span};

/// Cells in a row at most.
const COLUMNS: usize = 240;

/// The highest lag of any partition at any sample is the darkest.
pub fn highest(partitions: &[PartitionMeasurements]) -> u64 {
    partitions.iter().flat_map(|partition| &partition.lag).map(|sample| sample.unprocessed).max().unwrap_or(0)
}

/// `x` places a moment; each cell shows the highest of its samples, and of the partitions that share a row.
pub fn draw(svg: &mut Svg, partitions: &[PartitionMeasurements], interval: Span, frame: Rect, x: impl Fn(Instant) -> Units) {
    let scale = Scale::of(partitions.len());
    let most = highest(partitions);
    svg.rect(Rect { height: scale.height(partitions.len()), ..frame }, HEAT[0]);
    // One path for each shade: a cell costs a few bytes, and neighbours of one shade are one cell.
    let mut shapes = vec![String::new(); HEAT.len()];
    for (row, chunk) in partitions.chunks(scale.together).enumerate() {
        let samples = chunk.iter().map(|partition| partition.lag.len()).max().unwrap_or(0);
        let highest_at = |sample: usize| chunk.iter().filter_map(|p| p.lag.get(sample)).map(|lag| lag.unprocessed).max().unwrap_or(0);
        let cells = series::highest(&(0..samples).map(highest_at).collect::<Vec<u64>>(), COLUMNS);
        let width = samples.div_ceil(COLUMNS).max(1) as u64;
        let shades: Vec<usize> = cells.iter().map(|value| shade(*value, most)).collect();
        let y = frame.y + row as Units * scale.pitch;
        let mut start = 0;
        for run in shades.chunk_by(|a, b| a == b) {
            let edge = |cell: usize| x(Instant::ZERO + interval.times(cell as u64 * width));
            let (from, to) = (edge(start), edge(start + run.len()));
            if run[0] > 0 && to > from {
                write!(shapes[run[0]], "M{from} {y}h{}v{}H{from}z", to - from, scale.bar).expect("a String takes all");
            }
            start += run.len();
        }
    }
    for (shape, colour) in shapes.iter().zip(HEAT).filter(|(shape, _)| !shape.is_empty()) {
        svg.path(shape, colour);
    }
}

/// Number 0 is (next to) nothing: less than a hundredth of the most. The others are steps of equal size.
fn shade(value: u64, most: u64) -> usize {
    let steps = HEAT.len() as u128 - 1;
    if u128::from(value) * 100 < u128::from(most) || value == 0 {
        return 0;
    }
    (u128::from(value) * steps).div_ceil(u128::from(most)) as usize
}

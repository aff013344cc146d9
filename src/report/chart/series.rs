//! Lag series, thinned out to what a picture can show.

use crate::metrics::{Measurements, PartitionMeasurements};
use crate::report::chart::plot::Curve;

/// A moment in nanoseconds and a count.
pub type Point = (u64, u64);

/// Of one partition.
pub fn unprocessed(partition: &PartitionMeasurements) -> Vec<u64> {
    partition.lag.iter().map(|sample| sample.unprocessed).collect()
}

/// Sample by sample over partitions; one that has fewer samples counts nothing in the others.
pub fn sum(partitions: &[PartitionMeasurements]) -> Vec<u64> {
    let samples = partitions.iter().map(|partition| partition.lag.len()).max().unwrap_or(0);
    let at = |sample: usize| partitions.iter().filter_map(|partition| partition.lag.get(sample)).map(|lag| lag.unprocessed).sum();
    (0..samples).map(at).collect()
}

/// Of a curve: its samples, thinned out, and its end.
pub fn points(measurements: &Measurements, curve: &Curve, columns: usize) -> Vec<Point> {
    let mut points = thin(measurements, &curve.values, columns);
    let end = measurements.end.as_nanos();
    if points.last().is_none_or(|(at, _)| *at < end) {
        points.push((end, curve.last));
    }
    points
}

/// First, lowest, highest and last of each of `columns` columns, in the order of time: no peak is lost, however short.
fn thin(measurements: &Measurements, values: &[u64], columns: usize) -> Vec<Point> {
    let interval = measurements.sample_interval.as_nanos();
    let point = |index: usize| (index as u64 * interval, values[index]);
    if values.len() <= columns * 2 {
        return (0..values.len()).map(point).collect();
    }
    let width = values.len().div_ceil(columns);
    let mut points = Vec::with_capacity(columns * 4);
    for start in (0..values.len()).step_by(width) {
        let column = start..(start + width).min(values.len());
        let lowest = column.clone().min_by_key(|index| values[*index]).expect("a column has a sample");
        let highest = column.clone().max_by_key(|index| values[*index]).expect("a column has a sample");
        let mut shown = [column.start, lowest, highest, column.end - 1];
        shown.sort_unstable();
        for (i, index) in shown.iter().enumerate() {
            if i == 0 || shown[i - 1] != *index {
                points.push(point(*index));
            }
        }
    }
    points
}

/// The highest value of each of `columns` columns.
pub fn highest(values: &[u64], columns: usize) -> Vec<u64> {
    let width = values.len().div_ceil(columns).max(1);
    values.chunks(width).map(|column| *column.iter().max().expect("a chunk has a sample")).collect()
}

/// Of all partitions: what is not committed.
pub fn uncommitted(partitions: &[PartitionMeasurements]) -> Vec<u64> {
    let samples = partitions.iter().map(|partition| partition.lag.len()).max().unwrap_or(0);
    let at = |sample: usize| {
        let partitions = partitions.iter().filter(|partition| sample < partition.lag.len());
        partitions.map(|partition| partition.uncommitted(sample)).sum::<i64>().max(0) as u64
    };
    (0..samples).map(at).collect()
}

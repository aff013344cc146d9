//! The lag of a panel as curves: one for each partition, or their sum where they are many.

use crate::metrics::PartitionMeasurements;
use crate::report::chart::axis::CountAxis;
use crate::report::chart::lettering::{BODY, SMALL};
use crate::report::chart::lines::{self, Line};
use crate::report::chart::panel::Place;
use crate::report::chart::svg::{Anchor, Rect, Stroke, Svg, Units, px};
use crate::report::chart::{palette, series};
use crate::report::{Report, livelock, names};
use crate::units::{Instant, TopicPartition};

/// More partitions than this are a sum and a heat map.
pub const MOST_LINES: usize = 8;
/// Lines are thinned out to so many columns.
const COLUMNS: usize = 900;
/// How lines differ besides their colour.
const DASHES: [Option<&str>; MOST_LINES] = [None, None, None, None, Some("28 14"), Some("28 14"), Some("10 12"), Some("10 12")];

/// A line to be drawn, by sample.
pub struct Curve {
    pub name: String,
    pub of: Of,
    /// At each sample.
    pub values: Vec<u64>,
    /// When the run ended.
    pub last: u64,
    pub colour: &'static str,
    pub dash: Option<&'static str>,
}

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Of {
    Partition(TopicPartition),
    Sum,
    /// The committed lag of all partitions.
    Uncommitted,
}

pub fn curves(report: &Report, group: usize) -> Vec<Curve> {
    let measured = &report.run.measurements.groups[group];
    let partitions = &measured.partitions;
    let mut curves: Vec<Curve> = if partitions.len() > MOST_LINES {
        let last = partitions.iter().map(|partition| partition.final_lag.unprocessed).sum();
        vec![Curve { name: "sum".to_owned(), of: Of::Sum, values: series::sum(partitions), last, colour: palette::TOTAL, dash: None }]
    } else {
        let curve = |(i, partition): (usize, &PartitionMeasurements)| Curve {
            name: names::partition(report.scenario, partition.partition),
            of: Of::Partition(partition.partition),
            values: series::unprocessed(partition),
            last: partition.final_lag.unprocessed,
            colour: palette::line(i),
            dash: DASHES[i],
        };
        partitions.iter().enumerate().map(curve).collect()
    };
    // A group in a livelock has processed everything at least once: only its commits show that it gets nowhere.
    if livelock::find(measured).is_some() {
        let values = series::uncommitted(partitions);
        let last = partitions.iter().map(PartitionMeasurements::final_uncommitted).sum::<i64>().max(0) as u64;
        let (name, dash) = ("uncommitted".to_owned(), Some("6 12"));
        curves.push(Curve { name, of: Of::Uncommitted, values, last, colour: palette::INK, dash });
    }
    curves
}

pub fn highest(curves: &[Curve]) -> u64 {
    curves.iter().flat_map(|curve| curve.values.iter().chain([&curve.last])).copied().max().unwrap_or(0)
}

pub fn draw(svg: &mut Svg, report: &Report, place: &Place, plot: Rect, curves: &[Curve]) {
    let highest = highest(curves);
    let count = CountAxis::new(highest);
    let axes = (place.time, count);
    let lines: Vec<Line> = curves
        .iter()
        .enumerate()
        .map(|(i, curve)| Line {
            name: curve.name.clone(),
            colour: curve.colour,
            // Where lines lie upon each other, the ones below stay visible at the edges.
            width: 9 + 3 * (curves.len() - 1 - i) as u32 / 2,
            dash: curve.dash,
            points: series::points(&report.run.measurements, curve, COLUMNS),
        })
        .collect();
    lines::grid(svg, plot, axes);
    for (curve, line) in curves.iter().zip(&lines) {
        match curve.of {
            Of::Sum => lines::draw_area(svg, plot, axes, line),
            Of::Partition(_) | Of::Uncommitted => lines::draw(svg, plot, axes, line),
        }
    }
    if curves.iter().all(|curve| curve.of != Of::Sum) {
        peaks(svg, report, place, (plot, count), curves, &lines);
    }
    let sum = curves.iter().any(|curve| curve.of == Of::Sum);
    count_labels(svg, plot, count, if sum { "records not processed, sum" } else { "records not processed" });
    if highest == 0 {
        let middle = (plot.x + plot.width / 2, plot.y + plot.height / 2);
        svg.rimmed_text(middle, Anchor::Middle, BODY, palette::GREY, "nothing was left unprocessed at any sample");
    }
}

/// The name of each line at its highest point, unless that is low or another name stands there. Lines that are one share a name.
fn peaks(svg: &mut Svg, report: &Report, place: &Place, (plot, count): (Rect, CountAxis), curves: &[Curve], lines: &[Line]) {
    const WIDEST: Units = px(200);
    let mut placed: Vec<Rect> = Vec::new();
    let peak = |line: &Line| line.points.iter().copied().rev().max_by_key(|point| point.1);
    let first_alike = |i: usize| (0..i).all(|other| lines[other].points != lines[i].points);
    let mut peaks: Vec<(usize, (u64, u64))> =
        (0..lines.len()).filter(|i| first_alike(*i)).filter_map(|i| Some((i, peak(&lines[i])?))).collect();
    peaks.sort_by_key(|(_, (_, value))| std::cmp::Reverse(*value));
    for (i, (at, value)) in peaks {
        let alike = || (i..lines.len()).filter(|j| lines[*j].points == lines[i].points);
        let partitions: Vec<TopicPartition> = alike().filter_map(|j| curves[j].of.partition()).collect();
        let name = if partitions.is_empty() { curves[i].name.clone() } else { names::partitions(report.scenario, &partitions) };
        let name = SMALL.fit(&name, WIDEST);
        let y = count.place(value, plot.y + plot.height, plot.y);
        let width = SMALL.width(&name);
        let x = (place.x(Instant::from_nanos(at)) - width / 2).clamp(plot.x + px(4), plot.x + plot.width - px(4) - width);
        let label = Rect { x, y: y - px(18), width, height: px(15) };
        let low = y > plot.y + plot.height * 7 / 10;
        if low || placed.iter().any(|other| overlap(*other, label)) {
            continue;
        }
        let colour = if partitions.len() == 1 { palette::line_letters(i) } else { palette::INK };
        svg.rimmed_text((x, y - px(6)), Anchor::Start, SMALL, colour, &name);
        placed.push(label);
    }
}

impl Of {
    fn partition(self) -> Option<TopicPartition> {
        match self {
            Of::Partition(partition) => Some(partition),
            Of::Sum | Of::Uncommitted => None,
        }
    }
}

fn overlap(a: Rect, b: Rect) -> bool {
    a.x < b.x + b.width + px(4) && b.x < a.x + a.width + px(4) && a.y < b.y + b.height && b.y < a.y + a.height
}

fn count_labels(svg: &mut Svg, plot: Rect, count: CountAxis, title: &str) {
    let axis = Stroke { colour: palette::AXIS, width: 4, dash: None };
    svg.line((plot.x, plot.y), (plot.x, plot.y + plot.height), axis);
    svg.line((plot.x, plot.y + plot.height), (plot.x + plot.width, plot.y + plot.height), axis);
    for (value, label) in count.ticks() {
        let y = count.place(value, plot.y + plot.height, plot.y);
        svg.line((plot.x - px(5), y), (plot.x, y), axis);
        svg.text((plot.x - px(9), y + px(4)), Anchor::End, BODY, palette::INK, &label);
    }
    svg.upright_text((plot.x - px(70), plot.y + plot.height / 2), SMALL, palette::GREY, title);
}

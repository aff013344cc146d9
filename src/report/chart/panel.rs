//! One group: what happened, its lag and who owned what, on one axis of time.

use crate::metrics::{GroupMeasurements, PartitionMeasurements};
use crate::report::chart::axis::TimeAxis;
use crate::report::chart::legend::{self, Margin, Owners};
use crate::report::chart::lettering::{BODY, HEADING, SMALL, STRONG, TINY};
use crate::report::chart::marks::Marks;
use crate::report::chart::svg::{Anchor, Rect, Stroke, Svg, Units, px};
use crate::report::chart::{extents, heat, lanes, palette, plot};
use crate::report::{Report, figures, names};
use crate::units::Instant;

const GAP: Units = px(28);
const LEGEND_GAP: Units = px(26);

/// Where a panel stands on the page.
#[derive(Copy, Clone)]
pub struct Place {
    pub left: Units,
    pub right: Units,
    /// Of the legend.
    pub margin_right: Units,
    pub plot_height: Units,
    pub time: TimeAxis,
}

impl Place {
    pub fn x(&self, at: Instant) -> Units {
        self.time.place(at, self.left, self.right)
    }

    fn frame(&self, y: Units, height: Units) -> Rect {
        Rect { x: self.left, y, width: self.right - self.left, height }
    }

    fn margin(&self, y: Units) -> Margin {
        let x = self.right + LEGEND_GAP;
        Margin { x, y, width: self.margin_right - x }
    }
}

/// Where the parts of a panel stand, from top to bottom.
struct Layout {
    /// The lower edge of the marks' labels.
    marks: Units,
    /// Numbers of the rebalances.
    numbers: Rect,
    plot: Rect,
    heat: Option<Rect>,
    lanes: Rect,
}

impl Layout {
    fn new(place: &Place, partitions: &[PartitionMeasurements], top: Units, highest: u64) -> Self {
        let plot_height = if highest == 0 { place.plot_height / 3 } else { place.plot_height };
        let lanes_height = lanes::Scale::of(partitions.len()).height(partitions.len());
        let numbers = place.frame(top, px(22));
        let plot = place.frame(numbers.y + numbers.height, plot_height);
        let heat = (partitions.len() > plot::MOST_LINES).then(|| place.frame(plot.y + plot.height + GAP, lanes_height));
        let above = heat.unwrap_or(plot);
        let lanes = place.frame(above.y + above.height + GAP, lanes_height);
        Layout { marks: top, numbers, plot, heat, lanes }
    }

    /// What shading and marks run through, the plot and what is below it; the captions between stay clear.
    fn frames(&self) -> (Rect, Vec<Rect>) {
        let upper = Rect { y: self.numbers.y, height: self.numbers.height + self.plot.height, ..self.plot };
        (upper, self.heat.into_iter().chain([self.lanes]).collect())
    }

    fn bottom(&self) -> Units {
        self.lanes.y + self.lanes.height
    }
}

/// Draws from `top` down and returns where it ended.
pub fn draw(svg: &mut Svg, report: &Report, group: usize, place: &Place, top: Units) -> Units {
    let measured = &report.run.measurements.groups[group];
    let partitions = &measured.partitions;
    let marks = Marks::of(report, group, |at| place.x(at), place.left, place.right);
    header(svg, report, group, place, top + px(15), &marks);
    let curves = plot::curves(report, group);
    let layout = Layout::new(place, partitions, top + px(26) + marks.height(), plot::highest(&curves));
    shade(svg, report, measured, place, &layout);
    let (upper, lower) = layout.frames();
    marks.draw_lines(svg, upper, true);
    plot::draw(svg, report, place, layout.plot, &curves);
    let table_end = legend::series_table(svg, report, partitions, place.margin(layout.plot.y + px(10)), &curves);
    if let Some(frame) = layout.heat {
        caption(svg, frame, "Lag by partition", "records not processed, darker for more");
        heat::draw(svg, partitions, report.run.measurements.sample_interval, frame, |at| place.x(at));
        lanes::labels(svg, report, partitions, frame, |_| None);
        legend::shades(svg, partitions, place.margin(frame.y));
    }
    let left_out = lanes::draw(svg, report, group, layout.lanes, |at| place.x(at));
    caption(svg, layout.lanes, "Partition owner", &lanes_remark(partitions, left_out));
    let swatch = |lane: usize| layout.heat.is_none().then(|| palette::line(lane));
    lanes::labels(svg, report, partitions, layout.lanes, swatch);
    let (run_end, end) = (report.run.measurements.run_end, report.run.measurements.end);
    let settles = place.x(end) - place.x(run_end) >= px(2);
    let owners = Owners::of(report, group, layout.lanes.height, settles);
    // Beside the lanes; a legend that is longer begins higher, where the table above leaves room.
    let earliest = layout.heat.map_or(table_end, |frame| frame.y + px(40)) + px(10);
    let owners_top = (layout.bottom() - owners.height()).min(layout.lanes.y).max(earliest);
    owners.draw(svg, place.margin(owners_top));
    lower.into_iter().for_each(|frame| marks.draw_lines(svg, frame, false));
    extents::draw(svg, &extents::of(report, group), layout.marks, |at| place.x(at));
    marks.draw_labels(svg, layout.marks);
    rebalance_numbers(svg, measured, place, layout.numbers, report.run.measurements.end);
    time_labels(svg, place, layout.bottom() + px(4));
    (layout.bottom() + px(40)).max(owners_top + owners.height() + px(10))
}

fn header(svg: &mut Svg, report: &Report, group: usize, place: &Place, y: Units, marks: &Marks) {
    let named = &report.scenario.groups[group];
    let title = HEADING.fit(&format!("Group {}", named.name), (place.right - place.left) / 2);
    svg.text((place.left, y), Anchor::Start, HEADING, palette::INK, &title);
    let topics: Vec<String> = named.topics.iter().map(|topic| report.scenario.topics[topic.index()].name.clone()).collect();
    let members = match named.clients {
        1 => names::client(report.scenario, named.first_client).to_owned(),
        many => format!("{many} members"),
    };
    let mut remark = format!("{members}, {} of {}", partition_count(report, group), names::list(&topics, 2));
    if marks.unlabelled() > 0 {
        remark.push_str(&format!(" · {} without a label: see replay.json", figures::count(marks.unlabelled() as u64, "mark")));
    }
    let measured = &report.run.measurements.groups[group];
    let bands = bands(measured, place, report.run.measurements.end).len();
    if bands < measured.rebalances.len() && numbers(measured, place, report.run.measurements.end).len() < measured.rebalances.len() {
        let rebalances = figures::count(measured.rebalances.len() as u64, "rebalance");
        remark.push_str(&format!(" · {rebalances}, drawn as {}", figures::grouped(bands as u64)));
    }
    let x = place.left + HEADING.width(&title) + px(14);
    svg.text((x, y), Anchor::Start, BODY, palette::GREY, &BODY.fit(&remark, place.margin_right - x));
}

fn partition_count(report: &Report, group: usize) -> String {
    figures::count(report.run.measurements.groups[group].partitions.len() as u64, "partition")
}

/// The settle phase and the rebalances, behind everything.
fn shade(svg: &mut Svg, report: &Report, measured: &GroupMeasurements, place: &Place, layout: &Layout) {
    const NARROWEST: Units = 6;
    let (run_end, end) = (report.run.measurements.run_end, report.run.measurements.end);
    let settle_x = place.x(run_end);
    let settle = place.x(end) - settle_x;
    let bands = bands(measured, place, end);
    let (upper, lower) = layout.frames();
    for frame in [upper].into_iter().chain(lower) {
        svg.rect(Rect { x: settle_x, width: settle, ..frame }, palette::SETTLE);
        for Band { from, to, first, last } in &bands {
            let band = Rect { x: *from, width: (to - from).max(NARROWEST), ..frame };
            let name = if first == last { format!("rebalance {first}") } else { format!("rebalances {first} to {last}") };
            svg.named_rect(band, palette::SHADE, &name);
        }
    }
}

/// Rebalances that begin in one column of pixels, by their numbers.
struct Band {
    from: Units,
    to: Units,
    first: usize,
    last: usize,
}

fn bands(measured: &GroupMeasurements, place: &Place, end: Instant) -> Vec<Band> {
    let mut bands: Vec<Band> = Vec::new();
    for (number, rebalance) in (1..).zip(&measured.rebalances) {
        let (from, to) = (place.x(rebalance.started), place.x(rebalance.ended.unwrap_or(end)));
        match bands.last_mut() {
            Some(band) if band.from / px(1) == from / px(1) => (band.to, band.last) = (band.to.max(to), number),
            Some(_) | None => bands.push(Band { from, to, first: number, last: number }),
        }
    }
    bands
}

fn rebalance_numbers(svg: &mut Svg, measured: &GroupMeasurements, place: &Place, row: Rect, end: Instant) {
    let numbers = numbers(measured, place, end);
    let y = row.y + px(14);
    for (x, number) in &numbers {
        svg.rimmed_text((*x, y), Anchor::Start, TINY, palette::GREY, number);
    }
    if !numbers.is_empty() {
        svg.text((place.left - px(9), y), Anchor::End, TINY, palette::GREY, "rebalance");
    }
}

/// The rebalances' numbers in the summary, where there is room; of more than these they would be a row of digits.
fn numbers(measured: &GroupMeasurements, place: &Place, end: Instant) -> Vec<(Units, String)> {
    const NUMBERED: usize = 200;
    let mut free_from = place.left + px(1);
    let mut numbers = Vec::new();
    for (i, rebalance) in measured.rebalances.iter().enumerate().filter(|_| measured.rebalances.len() <= NUMBERED) {
        let (from, to) = (place.x(rebalance.started), place.x(rebalance.ended.unwrap_or(end)));
        let number = format!("{}", i + 1);
        let x = ((from + to) / 2 - TINY.width(&number) / 2).max(place.left + px(1));
        if x >= free_from {
            free_from = x + TINY.width(&number) + px(3);
            numbers.push((x, number));
        }
    }
    numbers
}

fn caption(svg: &mut Svg, frame: Rect, title: &str, remark: &str) {
    let y = frame.y - px(8);
    svg.text((frame.x, y), Anchor::Start, STRONG, palette::INK, title);
    svg.text((frame.x + STRONG.width(title) + px(12), y), Anchor::Start, SMALL, palette::GREY, remark);
}

fn lanes_remark(partitions: &[PartitionMeasurements], left_out: bool) -> String {
    let hatched = match lanes::Scale::of(partitions.len()).together {
        1 => "hatched in grey: nobody could hand out its records",
        _ => "several partitions a lane; hatched in grey: nobody could hand out records of one of them",
    };
    let crowded = if left_out { "; more changes than pixels: some are left out" } else { "" };
    hatched.to_owned() + crowded
}

fn time_labels(svg: &mut Svg, place: &Place, y: Units) {
    let axis = Stroke { colour: palette::AXIS, width: 4, dash: None };
    svg.line((place.left, y), (place.right, y), axis);
    for (at, label) in place.time.ticks() {
        let x = place.x(at);
        svg.line((x, y), (x, y + px(5)), axis);
        svg.text((x, y + px(19)), Anchor::Middle, BODY, palette::INK, &label);
    }
    svg.text((place.left - px(12), y + px(19)), Anchor::End, SMALL, palette::GREY, "virtual time");
}

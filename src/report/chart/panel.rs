//! One group: what happened, its lag and who owned what, on one axis of time.

use crate::metrics::{GroupMeasurements, PartitionMeasurements};
use crate::report::chart::axis::{CountAxis, TimeAxis};
use crate::report::chart::legend::{self, Margin};
use crate::report::chart::lettering::{BODY, HEADING, SMALL, STRONG, TINY};
use crate::report::chart::lines::{self, Line};
use crate::report::chart::marks::Marks;
use crate::report::chart::svg::{Anchor, Rect, Stroke, Svg, Units, px};
use crate::report::chart::{heat, lanes, palette, series};
use crate::report::{Report, figures, names};
use crate::units::Instant;

/// More partitions than this are a sum and a heat map.
pub const MOST_LINES: usize = 8;
/// Lines are thinned out to so many columns.
const COLUMNS: usize = 900;
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

    fn margin(&self, y: Units, height: Units) -> Margin {
        let x = self.right + LEGEND_GAP;
        Margin { x, y, width: self.margin_right - x, height }
    }
}

/// Draws from `top` down and returns where it ended.
pub fn draw(svg: &mut Svg, report: &Report, group: usize, place: &Place, top: Units) -> Units {
    let measured = &report.run.measurements.groups[group];
    let partitions = &measured.partitions;
    let many = partitions.len() > MOST_LINES;
    let marks = Marks::of(report, group, |at| place.x(at), place.left, place.right);
    header(svg, report, group, place, top + px(15), &marks);
    let plot = place.frame(top + px(26) + marks.height(), place.plot_height);
    let lanes_height = lanes::Scale::of(partitions.len()).height(partitions.len());
    let heat_frame = many.then(|| place.frame(plot.y + plot.height + GAP, lanes_height));
    let above = heat_frame.unwrap_or(plot);
    let lanes_frame = place.frame(above.y + above.height + GAP, lanes_height);
    let bottom = lanes_frame.y + lanes_height;
    let whole = Rect { height: bottom - plot.y, ..plot };
    shade(svg, report, measured, place, whole);
    lag(svg, report, group, place, plot);
    if let Some(frame) = heat_frame {
        caption(svg, frame, "Lag by partition", "records not processed, darker for more");
        heat::draw(svg, partitions, report.run.measurements.sample_interval, frame, |at| place.x(at));
        lanes::labels(svg, report, partitions, frame, |_| None);
        legend::shades(svg, partitions, place.margin(frame.y, lanes_height));
    }
    caption(svg, lanes_frame, "Partition owner", lanes_remark(partitions));
    lanes::draw(svg, report, group, lanes_frame, |at| place.x(at));
    let swatch = |lane: usize| (!many).then(|| palette::line(lane));
    lanes::labels(svg, report, partitions, lanes_frame, swatch);
    let settles = report.run.measurements.end > report.run.measurements.run_end;
    legend::owners(svg, report, group, place.margin(lanes_frame.y, lanes_height), settles);
    marks.draw(svg, whole);
    time_labels(svg, place, bottom + px(4));
    bottom + px(40)
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
        remark.push_str(&format!(" · {} marks without a label: see summary.txt", marks.unlabelled()));
    }
    let x = place.left + HEADING.width(&title) + px(14);
    svg.text((x, y), Anchor::Start, BODY, palette::GREY, &BODY.fit(&remark, place.margin_right - x));
}

fn partition_count(report: &Report, group: usize) -> String {
    figures::count(report.run.measurements.groups[group].partitions.len() as u64, "partition")
}

/// The settle phase and the rebalances, behind everything.
fn shade(svg: &mut Svg, report: &Report, measured: &GroupMeasurements, place: &Place, whole: Rect) {
    const NARROWEST: Units = 6;
    let (run_end, end) = (report.run.measurements.run_end, report.run.measurements.end);
    let settle_x = place.x(run_end);
    svg.rect(Rect { x: settle_x, width: place.x(end) - settle_x, ..whole }, palette::SETTLE);
    let mut labelled_to = 0;
    for (i, rebalance) in measured.rebalances.iter().enumerate() {
        let (from, to) = (place.x(rebalance.started), place.x(rebalance.ended.unwrap_or(end)));
        let width = (to - from).max(NARROWEST);
        svg.named_rect(Rect { x: from, width, ..whole }, palette::SHADE, &format!("rebalance {}", i + 1));
        // Its number in the summary, where there is room.
        let number = format!("{}", i + 1);
        let at = from + width / 2 - TINY.width(&number) / 2;
        if at >= labelled_to {
            svg.text((at, whole.y + px(11)), Anchor::Start, TINY, palette::GREY, &number);
            labelled_to = at + TINY.width(&number) + px(3);
        }
    }
}

fn lag(svg: &mut Svg, report: &Report, group: usize, place: &Place, plot: Rect) {
    let measurements = &report.run.measurements;
    let partitions = &measurements.groups[group].partitions;
    let many = partitions.len() > MOST_LINES;
    let all = if many { vec![series::sum(partitions)] } else { partitions.iter().map(series::unprocessed).collect() };
    let highest = all.iter().flatten().copied().max().unwrap_or(0);
    let count = CountAxis::new(highest);
    let drawn: Vec<Line> = all
        .iter()
        .enumerate()
        .map(|(i, values)| Line {
            name: if many { "sum".to_owned() } else { names::partition(report.scenario, partitions[i].partition) },
            colour: if many { palette::TOTAL } else { palette::line(i) },
            // Where lines lie upon each other, the ones below stay visible at the edges.
            width: if many { 9 } else { 10 + 2 * (all.len() - 1 - i) as u32 },
            dash: if many { None } else { lines::DASHES[i] },
            points: series::thin(measurements, values, COLUMNS),
        })
        .collect();
    if many {
        lines::draw_area(svg, plot, (place.time, count), &drawn[0]);
    } else {
        lines::draw(svg, plot, (place.time, count), &drawn);
        peaks(svg, place, plot, count, &drawn);
    }
    count_labels(svg, plot, count, if many { "records not processed, sum" } else { "records not processed" });
    if highest == 0 {
        let middle = (plot.x + plot.width / 2, plot.y + plot.height / 2);
        svg.rimmed_text(middle, Anchor::Middle, BODY, palette::GREY, "nothing was left unprocessed at any sample");
    }
    legend::series_table(svg, report, partitions, place.margin(plot.y + px(10), plot.height), many);
}

/// The name of each line at its highest point, unless that is low or another name stands there.
fn peaks(svg: &mut Svg, place: &Place, plot: Rect, count: CountAxis, drawn: &[Line]) {
    let mut placed: Vec<Rect> = Vec::new();
    let peak = |line: &Line| line.points.iter().copied().rev().max_by_key(|point| point.1);
    let mut peaks: Vec<(&Line, (u64, u64))> = drawn.iter().filter_map(|line| Some((line, peak(line)?))).collect();
    peaks.sort_by_key(|(_, (_, value))| std::cmp::Reverse(*value));
    for (line, (at, value)) in peaks {
        let y = count.place(value, plot.y + plot.height, plot.y);
        let width = SMALL.width(&line.name);
        let x = (place.x(Instant::from_nanos(at)) - width / 2).clamp(plot.x + px(4), plot.x + plot.width - width);
        let label = Rect { x, y: y - px(18), width, height: px(15) };
        let low = y > plot.y + plot.height * 4 / 5;
        if low || placed.iter().any(|other| overlap(*other, label)) {
            continue;
        }
        svg.rimmed_text((x, y - px(6)), Anchor::Start, SMALL, line.colour, &line.name);
        placed.push(label);
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
    let (x, y) = (px(22), plot.y + plot.height / 2);
    let size = SMALL.size;
    let grey = palette::GREY;
    svg.raw(&format!(
        r#"<text x="{x}" y="{y}" font-size="{size}" text-anchor="middle" fill="{grey}" transform="rotate(270 {x} {y})">{title}</text>"#
    ));
}

fn caption(svg: &mut Svg, frame: Rect, title: &str, remark: &str) {
    let y = frame.y - px(8);
    svg.text((frame.x, y), Anchor::Start, STRONG, palette::INK, title);
    svg.text((frame.x + STRONG.width(title) + px(12), y), Anchor::Start, SMALL, palette::GREY, remark);
}

fn lanes_remark(partitions: &[PartitionMeasurements]) -> &'static str {
    match lanes::Scale::of(partitions.len()).together {
        1 => "hatched: nobody could hand out its records",
        _ => "several partitions a lane; hatched: nobody could hand out records of one of them",
    }
}

fn time_labels(svg: &mut Svg, place: &Place, y: Units) {
    let axis = Stroke { colour: palette::AXIS, width: 4, dash: None };
    svg.line((place.left, y), (place.right, y), axis);
    for (at, label) in place.time.ticks() {
        let x = place.x(at);
        svg.line((x, y), (x, y + px(5)), axis);
        svg.text((x, y + px(19)), Anchor::Middle, BODY, palette::INK, &label);
    }
    svg.text((place.right + LEGEND_GAP, y + px(19)), Anchor::Start, SMALL, palette::GREY, "virtual time");
}

//! `lag.svg`: the lag of every partition over virtual time, with rebalances shaded, faults marked and partition owners as lanes below.
//!
//! One panel for each group. Up to eight partitions are lines; more are their sum and a heat map. The lag drawn is `unprocessed`: records
//! that the application has not finished, whatever was committed.

use crate::report::chart::axis::TimeAxis;
use crate::report::chart::lettering::{SMALL, SUBTITLE, TITLE};
use crate::report::chart::panel::Place;
use crate::report::chart::svg::{Anchor, Svg, Units, px};
use crate::report::{Report, names};

mod axis;
mod extents;
mod heat;
mod lane;
mod lanes;
mod legend;
mod lettering;
mod lines;
mod marks;
mod palette;
mod panel;
mod plot;
mod series;
mod svg;

const WIDTH: Units = px(1280);
const EDGE: Units = px(24);
const LEGEND: Units = px(236);
/// Groups beyond these, by their highest lag, are left to summary.txt.
const MOST_PANELS: usize = 8;

pub fn render(report: &Report) -> String {
    let mut svg = Svg::default();
    let shown = panels(report);
    let mut y = header(&mut svg, report, shown.len());
    let left = px(104).max(lane_label_width(report) + px(34));
    let right = WIDTH - EDGE - LEGEND;
    let plot_height = if shown.len() == 1 { px(320) } else { px(200) };
    let time = TimeAxis::new(report.run.measurements.end, 12);
    let place = Place { left, right, margin_right: WIDTH - EDGE, plot_height, time };
    for group in shown {
        y = panel::draw(&mut svg, report, group, &place, y) + px(12);
    }
    let most_members = report.scenario.groups.iter().map(|group| group.clients as usize).max().unwrap_or(0);
    svg.finish(WIDTH, y, &report.scenario.name, &palette::definitions(most_members))
}

/// In the order of declaration.
fn panels(report: &Report) -> Vec<usize> {
    let groups = &report.run.measurements.groups;
    let mut by_lag: Vec<usize> = (0..groups.len()).collect();
    by_lag.sort_by_key(|group| std::cmp::Reverse(groups[*group].peak_lag));
    by_lag.truncate(MOST_PANELS);
    by_lag.sort_unstable();
    by_lag
}

/// Title, question, and which run this is.
fn header(svg: &mut Svg, report: &Report, panels: usize) -> Units {
    let identity = format!("seed {} · Kafka {}", report.run.seed, names::releases(report.scenario.kafka));
    let width = WIDTH - 2 * EDGE - SMALL.width(&identity) - px(20);
    let mut y = px(38);
    svg.text((EDGE, y), Anchor::Start, TITLE, palette::INK, &TITLE.fit(&report.scenario.name, width));
    svg.text((WIDTH - EDGE, y), Anchor::End, SMALL, palette::GREY, &identity);
    for line in SUBTITLE.wrap(report.scenario.about.as_deref().unwrap_or_default(), WIDTH - 2 * EDGE, 3) {
        if !line.is_empty() {
            y += px(23);
            svg.text((EDGE, y), Anchor::Start, SUBTITLE, palette::GREY, &line);
        }
    }
    let hidden = report.scenario.groups.len() - panels;
    if hidden > 0 {
        y += px(23);
        svg.text((EDGE, y), Anchor::Start, SUBTITLE, palette::GREY, &format!("{hidden} more groups with less lag: see summary.txt"));
    }
    y + px(22)
}

/// Of the longest partition name, up to a bound.
fn lane_label_width(report: &Report) -> Units {
    let partitions = report.run.measurements.groups.iter().flat_map(|group| &group.partitions);
    let widths = partitions.map(|partition| SMALL.width(&names::partition(report.scenario, partition.partition)));
    widths.max().unwrap_or(0).min(px(150))
}

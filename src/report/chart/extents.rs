//! How long faults last: a bar above the plot, from the line of the mark to the end of the fault.

use crate::metrics::marks::{Mark, MarkKind};
use crate::report::Report;
use crate::report::chart::marks::concerns;
use crate::report::chart::palette;
use crate::report::chart::svg::{Rect, Svg, Units, px};
use crate::units::Instant;

/// So many can be told apart where they overlap.
const APART: usize = 40;
/// Of a bar, and of the tick at its end.
const BAR: Units = px(4);
const TICK: Units = px(9);

/// What has a length, from its beginning to its end.
pub fn of(report: &Report, group: usize) -> Vec<(Instant, Instant)> {
    let measured = &report.run.measurements;
    let concerned = measured.marks.iter().enumerate().filter(|(_, mark)| concerns(report.scenario, group, mark));
    let mut all: Vec<(Instant, Instant)> =
        concerned.filter_map(|(i, mark)| Some((mark.at, end(mark, &measured.marks[i + 1..], measured.end)?))).collect();
    all.sort_by_key(|(from, to)| (*from, std::cmp::Reverse(*to)));
    let crowded = all.len() > APART;
    let mut apart: Vec<(Instant, Instant)> = Vec::new();
    for (from, to) in all {
        match apart.last_mut() {
            // What lies within another one cannot be told from it, and of very many not even what reaches beyond.
            Some(last) if to <= last.1 || crowded && from <= last.1 => last.1 = last.1.max(to),
            Some(_) | None => apart.push((from, to)),
        }
    }
    apart
}

/// At the lower edge of the marks' labels.
pub fn draw(svg: &mut Svg, extents: &[(Instant, Instant)], y: Units, x: impl Fn(Instant) -> Units) {
    for (from, to) in extents {
        let (left, right) = (x(*from), x(*to));
        if right > left {
            svg.named_rect(Rect { x: left, y, width: right - left, height: BAR }, palette::FAULT_LASTS, "lasts");
            svg.rect(Rect { x: right - px(1), y, width: px(2), height: TICK }, palette::FAULT_LASTS);
        }
    }
}

/// The end of what a mark began; `None` for what has no length.
fn end(mark: &Mark, later: &[Mark], run_end: Instant) -> Option<Instant> {
    let latest = match mark.kind.lasts() {
        Some(lasts) => mark.at + lasts,
        None if matches!(mark.kind, MarkKind::Slowed(..)) => run_end,
        None => return None,
    };
    let in_time = later.iter().take_while(|other| other.at <= latest);
    Some(in_time.into_iter().find(|other| mark.kind.is_ended_by(&other.kind)).map_or(latest, |other| other.at).min(run_end))
}

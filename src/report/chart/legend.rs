//! The right margin: what the colours mean, with the highest and the last value of each line.

use std::borrow::Cow;

use crate::metrics::PartitionMeasurements;
use crate::report::chart::lettering::{BODY, SMALL, STRONG};
use crate::report::chart::plot::{Curve, Of};
use crate::report::chart::svg::{Anchor, Rect, Stroke, Svg, Units, px};
use crate::report::chart::{extents, heat, lanes, palette, series};
use crate::report::{Report, figures, names};
use crate::units::ClientId;

const ROW: Units = px(21);
/// Of a colour sample, and from the left edge to the name beside it.
const SWATCH: Units = px(22);
const NAME: Units = px(30);

/// A column of the margin, open below.
#[derive(Copy, Clone)]
pub struct Margin {
    pub x: Units,
    pub y: Units,
    pub width: Units,
}

struct Entry<'a> {
    name: &'a str,
    values: &'a [u64],
    last: u64,
    swatch: Option<(&'static str, Option<&'static str>)>,
}

/// Beside the curves: name and highest value of each, and that at the end of the run, and of the worst partitions below a sum. Returns where it ends.
pub fn series_table(svg: &mut Svg, report: &Report, partitions: &[PartitionMeasurements], margin: Margin, curves: &[Curve]) -> Units {
    const WORST: usize = 6;
    let mut entries: Vec<Entry> = curves
        .iter()
        .map(|curve| Entry { name: &curve.name, values: &curve.values, last: curve.last, swatch: Some((curve.colour, curve.dash)) })
        .collect();
    let summed = curves.iter().any(|curve| curve.of == Of::Sum);
    let mut all: Vec<(String, Vec<u64>, u64)> = Vec::new();
    if summed {
        all.extend(
            partitions.iter().map(|p| (names::partition(report.scenario, p.partition), series::unprocessed(p), p.final_lag.unprocessed)),
        );
        all.sort_by_key(|(_, values, _)| std::cmp::Reverse(values.iter().copied().max()));
        entries.extend(all.iter().take(WORST).map(|(name, values, last)| Entry { name, values, last: *last, swatch: None }));
    }
    table(svg, &entries, margin);
    let y = margin.y + (entries.len() as Units + 1) * ROW;
    let hidden = all.len().saturating_sub(WORST);
    if hidden > 0 {
        svg.text((margin.x + NAME, y), Anchor::Start, SMALL, palette::GREY, &format!("and {hidden} more"));
        return y + ROW;
    }
    y
}

fn table(svg: &mut Svg, entries: &[Entry], margin: Margin) {
    let (max, end) = (margin.x + margin.width - px(46), margin.x + margin.width);
    svg.text((max, margin.y), Anchor::End, SMALL, palette::GREY, "max");
    svg.text((end, margin.y), Anchor::End, SMALL, palette::GREY, "end");
    for (i, entry) in entries.iter().enumerate() {
        let y = margin.y + (i as Units + 1) * ROW;
        if let Some((colour, dash)) = entry.swatch {
            let stroke = Stroke { colour, width: px(4), dash };
            svg.line((margin.x, y - px(4)), (margin.x + SWATCH, y - px(4)), stroke);
        }
        let room = max - px(38) - margin.x - NAME;
        svg.text((margin.x + NAME, y), Anchor::Start, STRONG, palette::INK, &STRONG.fit(entry.name, room));
        let highest = entry.values.iter().copied().max().unwrap_or(0).max(entry.last);
        svg.text((max, y), Anchor::End, BODY, palette::INK, &figures::compact(highest));
        svg.text((end, y), Anchor::End, BODY, palette::INK, &figures::compact(entry.last));
    }
}

/// Beside the heat map: which shade is how much.
pub fn shades(svg: &mut Svg, partitions: &[PartitionMeasurements], margin: Margin) {
    const CELL: Units = px(20);
    for (i, colour) in palette::HEAT.iter().enumerate() {
        svg.rect(Rect { x: margin.x + i as Units * CELL, y: margin.y, width: CELL, height: px(10) }, colour);
    }
    let right = margin.x + CELL * palette::HEAT.len() as Units;
    let y = margin.y + px(24);
    svg.text((margin.x, y), Anchor::Start, SMALL, palette::GREY, "0");
    let most = figures::compact(heat::highest(partitions));
    svg.text((right, y), Anchor::End, SMALL, palette::GREY, &format!("{most} in one partition"));
}

/// Who has which colour, and what the other surfaces are.
pub struct Owners {
    rows: Vec<(Sample, String)>,
}

/// What stands beside a name.
enum Sample {
    Surface(Cow<'static, str>),
    /// A bar with another one above it.
    Split,
    /// A bar above the plot.
    Lasting,
    Nothing,
}

impl Owners {
    /// `room` for all of it; some members are left out if there is less. `settles`: there is a settle phase to be seen.
    pub fn of(report: &Report, group: usize, room: Units, settles: bool) -> Self {
        const FEWEST: usize = 12;
        let measured = &report.run.measurements;
        let surface = |fill: &'static str, name: &str| (Sample::Surface(fill.into()), name.to_owned());
        let mut surfaces = vec![surface(palette::NOBODY, "nobody")];
        if lanes::has_zombies(&measured.groups[group].partitions) {
            surfaces.push((Sample::Split, "zombie, above its successor".to_owned()));
        }
        if measured.leaderless.iter().any(|time| report.scenario.groups[group].topics.contains(&time.partition.topic)) {
            surfaces.push(surface(palette::LEADERLESS, "no leader: nothing to read"));
        }
        if !extents::of(report, group).is_empty() {
            surfaces.push((Sample::Lasting, "how long a fault lasts".to_owned()));
        }
        if !measured.groups[group].rebalances.is_empty() {
            surfaces.push(surface(palette::SHADE, "rebalance"));
        }
        if settles {
            surfaces.push(surface(palette::SETTLE, "settle phase"));
        }
        let owners = owners_of(report, group);
        let room = ((room / ROW) as usize).saturating_sub(surfaces.len()).max(FEWEST);
        let shown = if owners.len() > room { room - 1 } else { owners.len() };
        let fill = |id: &ClientId| Sample::Surface(palette::owner(lanes::place_in_group(report, *id)));
        let named = |id: &ClientId| (fill(id), names::client(report.scenario, *id).to_owned());
        let mut rows: Vec<(Sample, String)> = owners[..shown].iter().map(named).collect();
        if owners.len() > shown {
            rows.push((Sample::Nothing, format!("and {} more", owners.len() - shown)));
        }
        rows.extend(surfaces);
        Owners { rows }
    }

    pub fn height(&self) -> Units {
        self.rows.len() as Units * ROW
    }

    pub fn draw(&self, svg: &mut Svg, margin: Margin) {
        for (i, (sample, name)) in self.rows.iter().enumerate() {
            let y = margin.y + i as Units * ROW;
            let swatch = Rect { x: margin.x, y, width: SWATCH, height: px(13) };
            sample.draw(svg, swatch);
            svg.text((margin.x + NAME, y + px(11)), Anchor::Start, SMALL, palette::INK, &SMALL.fit_both_ends(name, margin.width - NAME));
        }
    }
}

impl Sample {
    fn draw(&self, svg: &mut Svg, swatch: Rect) {
        let third = swatch.height / 3;
        match self {
            Sample::Surface(fill) => {
                svg.rect(swatch, fill);
                if *fill == palette::SETTLE {
                    svg.outline(swatch, palette::SETTLE_EDGE);
                }
            }
            Sample::Split => {
                svg.rect(Rect { height: third, ..swatch }, palette::AXIS);
                svg.rect(Rect { y: swatch.y + third, height: swatch.height - third, ..swatch }, palette::SHADE);
            }
            Sample::Lasting => svg.rect(Rect { y: swatch.y + third, height: third, ..swatch }, palette::FAULT_LASTS),
            Sample::Nothing => {}
        }
    }
}

/// Who ever owned a partition, in the order of the group.
fn owners_of(report: &Report, group: usize) -> Vec<ClientId> {
    let partitions = &report.run.measurements.groups[group].partitions;
    let mut owners: Vec<ClientId> = partitions.iter().flat_map(|p| &p.owners).map(|span| span.client).collect();
    owners.sort_unstable();
    owners.dedup();
    owners
}

//! The right margin: what the colours mean, with the highest and the last value of each line.

use crate::metrics::PartitionMeasurements;
use crate::report::chart::lettering::{BODY, SMALL, STRONG};
use crate::report::chart::svg::{Anchor, Rect, Svg, Units, px};
use crate::report::chart::{heat, lanes, lines, palette, series};
use crate::report::{Report, figures, names};
use crate::units::ClientId;

const ROW: Units = px(21);

/// A box of the margin.
#[derive(Copy, Clone)]
pub struct Margin {
    pub x: Units,
    pub y: Units,
    pub width: Units,
    pub height: Units,
}

struct Entry<'a> {
    name: String,
    values: &'a [u64],
    swatch: Option<(&'static str, Option<&'static str>)>,
}

/// Beside the lines: name, highest and last value of each.
pub fn series_table(svg: &mut Svg, report: &Report, partitions: &[PartitionMeasurements], margin: Margin, many: bool) {
    const WORST: usize = 6;
    let all: Vec<(String, Vec<u64>)> = partitions
        .iter()
        .map(|partition| (names::partition(report.scenario, partition.partition), series::unprocessed(partition)))
        .collect();
    let total = series::sum(partitions);
    let mut entries: Vec<Entry> = all.iter().map(|(name, values)| Entry { name: name.clone(), values, swatch: None }).collect();
    if many {
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.values.iter().copied().max()));
        entries.truncate(WORST);
        entries.insert(0, Entry { name: "sum".to_owned(), values: &total, swatch: Some((palette::TOTAL, None)) });
    } else {
        for (i, entry) in entries.iter_mut().enumerate() {
            entry.swatch = Some((palette::line(i), lines::DASHES[i % lines::DASHES.len()]));
        }
    }
    table(svg, &entries, margin);
    if many {
        let y = margin.y + (entries.len() as Units + 1) * ROW + px(2);
        let hidden = partitions.len().saturating_sub(WORST);
        let text = if hidden > 0 { format!("and {hidden} with less") } else { String::new() };
        svg.text((margin.x + px(30), y), Anchor::Start, SMALL, palette::GREY, &text);
    }
}

fn table(svg: &mut Svg, entries: &[Entry], margin: Margin) {
    let (max, end) = (margin.x + margin.width - px(58), margin.x + margin.width);
    svg.text((max, margin.y), Anchor::End, SMALL, palette::GREY, "max");
    svg.text((end, margin.y), Anchor::End, SMALL, palette::GREY, "end");
    for (i, entry) in entries.iter().enumerate() {
        let y = margin.y + (i as Units + 1) * ROW;
        if let Some((colour, dash)) = entry.swatch {
            let stroke = crate::report::chart::svg::Stroke { colour, width: px(4), dash };
            svg.line((margin.x, y - px(4)), (margin.x + px(22), y - px(4)), stroke);
        }
        let room = max - px(44) - margin.x - px(30);
        svg.text((margin.x + px(30), y), Anchor::Start, STRONG, palette::INK, &STRONG.fit(&entry.name, room));
        let highest = entry.values.iter().copied().max().unwrap_or(0);
        let last = entry.values.last().copied().unwrap_or(0);
        svg.text((max, y), Anchor::End, BODY, palette::INK, &figures::compact(highest));
        svg.text((end, y), Anchor::End, BODY, palette::INK, &figures::compact(last));
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

/// Beside the lanes: who has which colour, and what the other surfaces are.
pub fn owners(svg: &mut Svg, report: &Report, group: usize, margin: Margin, settles: bool) {
    let mut rows: Vec<(&'static str, String)> = vec![(palette::NOBODY, "nobody".to_owned())];
    if !report.run.measurements.groups[group].rebalances.is_empty() {
        rows.push((palette::SHADE, "rebalance".to_owned()));
    }
    if settles {
        rows.push((palette::SETTLE, "settle phase".to_owned()));
    }
    let owners = owners_of(report, group);
    let room = ((margin.height / ROW) as usize).saturating_sub(rows.len()).max(4);
    let shown = if owners.len() > room { room - 1 } else { owners.len() };
    let mut all: Vec<(&'static str, String)> = owners[..shown]
        .iter()
        .map(|id| (palette::owner(lanes::place_in_group(report, *id)), names::client(report.scenario, *id).to_owned()))
        .collect();
    if owners.len() > shown {
        all.push(("none", format!("… {} members, colours repeat", owners.len())));
    }
    all.extend(rows);
    for (i, (fill, name)) in all.iter().enumerate() {
        let y = margin.y + i as Units * ROW;
        let swatch = Rect { x: margin.x, y, width: px(22), height: px(13) };
        svg.rect(swatch, fill);
        if *fill == palette::SETTLE {
            svg.raw(&format!(
                r##"<rect x="{}" y="{}" width="{}" height="{}" fill="none" stroke="#D9CFB0" stroke-width="3"/>"##,
                swatch.x, swatch.y, swatch.width, swatch.height
            ));
        }
        svg.text((margin.x + px(30), y + px(11)), Anchor::Start, SMALL, palette::INK, &SMALL.fit(name, margin.width - px(30)));
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

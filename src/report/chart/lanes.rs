//! Who owned which partition, one lane each; hatched where nobody could hand out its records.

use crate::metrics::{OwnerSpan, PartitionMeasurements};
use crate::report::chart::lettering::{Font, SMALL, SMALL_STRONG, TINY};
use crate::report::chart::palette;
use crate::report::chart::svg::{Anchor, Rect, Svg, Units, px};
use crate::report::{Report, names};
use crate::units::{ClientId, Instant};

/// More lanes than this are drawn together: a lane for several partitions.
const MOST_LANES: usize = 128;

/// How many partitions share a lane, and how high a lane is, gap included.
#[derive(Copy, Clone, Debug)]
pub struct Scale {
    pub together: usize,
    pub pitch: Units,
    pub bar: Units,
}

impl Scale {
    pub fn of(partitions: usize) -> Self {
        let together = partitions.div_ceil(MOST_LANES).max(1);
        let (pitch, bar) = match partitions.div_ceil(together) {
            0..=8 => (px(23), px(18)),
            9..=16 => (px(18), px(15)),
            17..=40 => (px(12), px(10)),
            41..=64 => (px(7), px(6)),
            _ => (px(4), px(4)),
        };
        Scale { together, pitch, bar }
    }

    pub fn lanes(self, partitions: usize) -> usize {
        partitions.div_ceil(self.together)
    }

    pub fn height(self, partitions: usize) -> Units {
        self.lanes(partitions) as Units * self.pitch
    }
}

/// The names of the lanes, left of them; not more than can be read.
pub fn labels(
    svg: &mut Svg,
    report: &Report,
    partitions: &[PartitionMeasurements],
    frame: Rect,
    swatch: impl Fn(usize) -> Option<&'static str>,
) {
    let scale = Scale::of(partitions.len());
    let font = if scale.pitch >= px(15) { SMALL } else { TINY };
    // Every lane, every second, fifth, tenth, …: the first of them that leaves room between labels.
    let apart = [1, 2, 4, 8, 16, 32, 64].into_iter().find(|n| *n as Units * scale.pitch >= font.size + px(2)).unwrap_or(64);
    for (lane, chunk) in partitions.chunks(scale.together).enumerate() {
        if lane % apart != 0 {
            continue;
        }
        let middle = frame.y + lane as Units * scale.pitch + scale.bar / 2;
        let name = names::partition(report.scenario, chunk[0].partition);
        let mut right = frame.x - px(8);
        if let Some(colour) = swatch(lane) {
            svg.rect(Rect { x: right - px(10), y: middle - px(5), width: px(10), height: px(10) }, colour);
            right -= px(15);
        }
        svg.text((right, middle + font.size * 36 / 100), Anchor::End, font, palette::INK, &font.fit(&name, right - px(8)));
    }
}

pub fn draw(svg: &mut Svg, report: &Report, group: usize, frame: Rect, x: impl Fn(Instant) -> Units) {
    let partitions = &report.run.measurements.groups[group].partitions;
    let scale = Scale::of(partitions.len());
    for (lane, chunk) in partitions.chunks(scale.together).enumerate() {
        let row = Rect { y: frame.y + lane as Units * scale.pitch, height: scale.bar, ..frame };
        let owned = if chunk.len() == 1 { chunk[0].owners.clone() } else { owned_together(chunk) };
        for (from, to) in unowned(&owned, created(&chunk[0]), report.run.measurements.end) {
            let (from, to) = (x(from), x(to));
            svg.named_rect(Rect { x: from, width: to - from, ..row }, palette::NOBODY, "nobody");
        }
        for span in &owned {
            bar(svg, report, row, span, &x);
        }
        for (span, next) in owned.iter().zip(owned.iter().skip(1)).filter(|(span, next)| span.to > next.from) {
            // Two at once: a process that does not know yet that it was put out stays visible above its successor.
            let zombie = OwnerSpan { from: next.from, ..*span };
            bar(svg, report, Rect { height: row.height / 3, ..row }, &zombie, &x);
        }
    }
}

fn bar(svg: &mut Svg, report: &Report, row: Rect, span: &OwnerSpan, x: &impl Fn(Instant) -> Units) {
    const PADDING: Units = px(4);
    let (from, to) = (x(span.from), x(span.to));
    if from == to {
        return;
    }
    let name = names::client(report.scenario, span.client);
    let rect = Rect { x: from, width: to - from, ..row };
    svg.named_rect(rect, palette::owner(place_in_group(report, span.client)), name);
    let font = if row.height >= px(14) { SMALL_STRONG } else { Font { bold: true, ..TINY } };
    let room = rect.width - 2 * PADDING;
    if row.height >= font.size * 95 / 100 && font.width(name) <= room {
        let at = (from + rect.width / 2, row.y + row.height / 2 + font.size * 36 / 100);
        svg.text(at, Anchor::Middle, font, palette::INK, name);
    }
}

/// When there was something to own: a partition can be added while the run goes on.
fn created(partition: &PartitionMeasurements) -> Instant {
    let first_outage = partition.outages.first().map(|outage| outage.from);
    let first_owner = partition.owners.first().map(|span| span.from);
    first_outage.into_iter().chain(first_owner).min().unwrap_or(Instant::ZERO)
}

/// What the spans leave free.
fn unowned(owned: &[OwnerSpan], from: Instant, end: Instant) -> Vec<(Instant, Instant)> {
    let mut free_from = from;
    let mut gaps = Vec::new();
    for span in owned {
        if free_from < span.from {
            gaps.push((free_from, span.from));
        }
        free_from = free_from.max(span.to);
    }
    if free_from < end {
        gaps.push((free_from, end));
    }
    gaps
}

/// Colours go by the place of a member in its group.
pub fn place_in_group(report: &Report, client: ClientId) -> usize {
    let group = report.scenario.clients[client.index()].group;
    client.index() - report.scenario.groups[group.index()].first_client.index()
}

/// Of partitions that share a lane: owned while all of them are, shown as the owner of the first.
fn owned_together(chunk: &[PartitionMeasurements]) -> Vec<OwnerSpan> {
    let mut spans = chunk[0].owners.clone();
    for partition in &chunk[1..] {
        let cut = |span: &OwnerSpan| {
            let span = *span;
            partition.owners.iter().filter_map(move |other| {
                let (from, to) = (span.from.max(other.from), span.to.min(other.to));
                (from < to).then_some(OwnerSpan { from, to, client: span.client })
            })
        };
        spans = spans.iter().flat_map(cut).collect();
    }
    spans
}

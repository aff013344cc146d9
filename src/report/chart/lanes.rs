//! Who owned which partition, one lane each; hatched where nobody could hand out its records.

use crate::metrics::{OwnerSpan, PartitionMeasurements};
use crate::report::chart::lane::{Lane, zombies};
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

/// Whether partitions change hands so often that some of it had to be left out.
#[must_use]
pub fn draw(svg: &mut Svg, report: &Report, group: usize, frame: Rect, x: impl Fn(Instant) -> Units) -> bool {
    let mut left_out = false;
    let partitions = &report.run.measurements.groups[group].partitions;
    let scale = Scale::of(partitions.len());
    let column = column(frame.width, scale.lanes(partitions.len()));
    for (number, chunk) in partitions.chunks(scale.together).enumerate() {
        let row = Rect { y: frame.y + number as Units * scale.pitch, height: scale.bar, ..frame };
        let across = |(from, to)| Rect { x: x(from), width: x(to) - x(from), ..row };
        let lane = Lane::of(report, chunk);
        for (times, fill, name) in [(&lane.nobody, palette::NOBODY, "nobody"), (&lane.leaderless, palette::LEADERLESS, "no leader")] {
            for (rect, ()) in seen(times.iter().map(|time| (across(*time), ())), column) {
                svg.named_rect(rect, fill, name);
            }
        }
        let third = row.height / 3;
        let bars: Vec<(Rect, ClientId)> = lane
            .owners
            .iter()
            .map(|part| {
                let rect = across((part.span.from, part.span.to));
                let below = Rect { y: rect.y + third, height: rect.height - third, ..rect };
                (if part.below_zombie { below } else { rect }, part.span.client)
            })
            .collect();
        let shown = seen(bars.iter().copied(), column);
        left_out |= shown.len() < bars.iter().filter(|(rect, _)| rect.width > 0).count();
        for (rect, client) in shown {
            bar(svg, report, rect, client);
        }
        let above = |span: &OwnerSpan| (Rect { height: third, ..across((span.from, span.to)) }, span.client);
        for (rect, client) in seen(lane.zombies.iter().map(above), column) {
            bar(svg, report, rect, client);
        }
    }
    left_out
}

/// Whether a process that did not know yet that it was put out is seen in some lane.
pub fn has_zombies(partitions: &[PartitionMeasurements]) -> bool {
    Scale::of(partitions.len()).together == 1 && partitions.iter().any(|partition| !zombies(partition).is_empty())
}

/// A pixel wide, unless all lanes together would be drawn in more pieces than anybody can look at.
fn column(width: Units, lanes: usize) -> Units {
    const MOST_PIECES: Units = 8_000;
    px(1).max((i64::from(width) * lanes as i64 / i64::from(MOST_PIECES)) as Units)
}

/// Of more pieces than there are columns, those that are narrower than a column share it: the first stands for all.
fn seen<T>(pieces: impl Iterator<Item = (Rect, T)>, column: Units) -> Vec<(Rect, T)> {
    let mut pieces: Vec<(Rect, T)> = pieces.filter(|(rect, _)| rect.width > 0).collect();
    let narrow = |rect: &Rect| rect.width < column;
    let columns = pieces.first().zip(pieces.last()).map_or(0, |((first, _), (last, _))| (last.x - first.x) / column);
    if pieces.iter().filter(|(rect, _)| narrow(rect)).count() as Units > columns {
        let mut taken = None;
        pieces.retain(|(rect, _)| !narrow(rect) || taken.replace(rect.x / column) != Some(rect.x / column));
        pieces.iter_mut().for_each(|(rect, _)| rect.width = rect.width.max(column));
    }
    pieces
}

fn bar(svg: &mut Svg, report: &Report, rect: Rect, client: ClientId) {
    const PADDING: Units = px(4);
    let name = names::client(report.scenario, client);
    let fill = palette::owner(place_in_group(report, client));
    svg.named_rect(rect, &fill, name);
    let font = if rect.height >= px(14) { SMALL_STRONG } else { Font { bold: true, ..TINY } };
    let room = rect.width - 2 * PADDING;
    if rect.height >= font.size * 95 / 100 && font.width(name) <= room {
        let at = (rect.x + rect.width / 2, rect.y + rect.height / 2 + font.size * 36 / 100);
        let hatched = fill.starts_with("url");
        if hatched {
            svg.rimmed_text(at, Anchor::Middle, font, palette::INK, name)
        } else {
            svg.text(at, Anchor::Middle, font, palette::INK, name)
        }
    }
}

/// Colours go by the place of a member in its group.
pub fn place_in_group(report: &Report, client: ClientId) -> usize {
    let group = report.scenario.clients[client.index()].group;
    client.index() - report.scenario.groups[group.index()].first_client.index()
}

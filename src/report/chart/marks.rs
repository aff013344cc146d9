//! What happened, on top of a panel: a line at its time and a label where there is room for one.

use crate::metrics::{Mark, MarkKind};
use crate::report::chart::lettering::{SMALL, SMALL_STRONG};
use crate::report::chart::palette;
use crate::report::chart::svg::{Anchor, Rect, Stroke, Svg, Units, px};
use crate::report::{Report, figures, names};
use crate::scenario::Scenario;
use crate::units::{ClientId, GroupId, Instant};

const ROW: Units = px(17);
const ROWS: usize = 3;
/// Beyond so many, only labelled marks get a line through the panel.
const LINES: usize = 16;

/// Marks of one kind at one place in time.
struct Label {
    x: Units,
    text: String,
    fault: bool,
    /// Row from the bottom and left edge of the text; `None`: no room.
    place: Option<(usize, Units)>,
}

/// The labels of a panel, placed.
pub struct Marks {
    labels: Vec<Label>,
    rows: usize,
}

impl Marks {
    /// Those that concern a group: its members, its topics and whoever writes to them.
    pub fn of(report: &Report, group: usize, x: impl Fn(Instant) -> Units, left: Units, right: Units) -> Self {
        let concerned: Vec<&Mark> = report.run.measurements.marks.iter().filter(|mark| concerns(report.scenario, group, mark)).collect();
        let mut labels = gather(report.scenario, &concerned, &x);
        let mut free = [left; ROWS];
        for label in &mut labels {
            label.place = find_place(label, &mut free, right);
        }
        let rows = labels.iter().filter_map(|label| label.place).map(|(row, _)| row + 1).max().unwrap_or(0);
        Marks { labels, rows }
    }

    /// Of the rows above the plot.
    pub fn height(&self) -> Units {
        self.rows as Units * ROW
    }

    /// Marks that found no room for their label.
    pub fn unlabelled(&self) -> usize {
        self.labels.iter().filter(|label| label.place.is_none()).count()
    }

    /// `frame` is what the lines run through; the labels stand above it.
    pub fn draw(&self, svg: &mut Svg, frame: Rect) {
        let crowded = self.labels.len() > LINES;
        for label in &self.labels {
            let colour = if label.fault { palette::FAULT } else { palette::GREY };
            let stroke = Stroke { colour, width: 5, dash: Some("16 12") };
            let top = label.place.map_or(frame.y, |(row, _)| frame.y - row as Units * ROW - px(12));
            let bottom = if crowded && label.place.is_none() { frame.y + px(8) } else { frame.y + frame.height };
            svg.line((label.x, top), (label.x, bottom), stroke);
        }
        for label in &self.labels {
            let Some((row, x)) = label.place else { continue };
            let y = frame.y - row as Units * ROW - px(4);
            let (font, colour) = if label.fault { (SMALL_STRONG, palette::FAULT) } else { (SMALL, palette::INK) };
            svg.rimmed_text((x, y), Anchor::Start, font, colour, &label.text);
        }
    }
}

/// Right of its line, or left of it at the end of the axis, in the lowest row that is free.
fn find_place(label: &Label, free: &mut [Units; ROWS], right: Units) -> Option<(usize, Units)> {
    const GAP: Units = px(5);
    let font = if label.fault { SMALL_STRONG } else { SMALL };
    let width = font.width(&label.text);
    let beside = if label.x + GAP + width <= right { label.x + GAP } else { label.x - GAP - width };
    let row = free.iter().position(|from| *from <= beside)?;
    free[row] = beside + width + px(10);
    Some((row, beside))
}

fn concerns(scenario: &Scenario, group: usize, mark: &Mark) -> bool {
    let ours = |client: ClientId| scenario.clients[client.index()].group == GroupId(group as u32);
    match mark.kind {
        // The lanes show who was there from the start.
        MarkKind::Started(client) => mark.at > Instant::ZERO && ours(client),
        MarkKind::Stopping(client)
        | MarkKind::Crashed(client)
        | MarkKind::Paused(client, _)
        | MarkKind::Slowed(client, _)
        | MarkKind::SpeedRestored(client)
        | MarkKind::Kicked(client)
        | MarkKind::Failed(client) => ours(client),
        MarkKind::RateChanged(producer) => scenario.groups[group].topics.contains(&scenario.producers[producer.index()].topic),
        MarkKind::PartitionsAdded(topic, _) => scenario.groups[group].topics.contains(&topic),
        MarkKind::RunPhaseEnded => true,
    }
}

/// One label for all that happened alike at (nearly) the same place.
fn gather(scenario: &Scenario, marks: &[&Mark], x: &impl Fn(Instant) -> Units) -> Vec<Label> {
    const NEAR: Units = px(3);
    let mut labels: Vec<(Label, Vec<String>, String)> = Vec::new();
    for mark in marks {
        let (who, what, fault) = words(scenario, &mark.kind);
        let place = x(mark.at);
        let same = labels.iter_mut().rev().take_while(|(label, _, _)| place - label.x <= NEAR).find(|(_, _, other)| *other == what);
        match same {
            Some((_, others, _)) if others.contains(&who) => {}
            Some((_, others, _)) => others.push(who),
            None => labels.push((Label { x: place, text: String::new(), fault, place: None }, vec![who], what)),
        }
    }
    labels
        .into_iter()
        .map(|(label, who, what)| Label { text: format!("{} {what}", names::list(&who, 3)).trim().to_owned(), ..label })
        .collect()
}

/// Who, what happened to it, and whether that is a fault.
fn words(scenario: &Scenario, kind: &MarkKind) -> (String, String, bool) {
    let client = |id: &ClientId| names::client(scenario, *id).to_owned();
    match kind {
        MarkKind::Started(id) => (client(id), "starts".to_owned(), false),
        MarkKind::Stopping(id) => (client(id), "stops".to_owned(), false),
        MarkKind::Crashed(id) => (client(id), "crashes".to_owned(), true),
        MarkKind::Paused(id, lasts) => (client(id), format!("pauses for {}", figures::span(*lasts)), true),
        MarkKind::Slowed(id, factor) => (client(id), format!("takes {} × as long", thousandths(*factor)), true),
        MarkKind::SpeedRestored(id) => (client(id), "at full speed".to_owned(), false),
        MarkKind::Kicked(id) => (client(id), "exceeds max.poll.interval".to_owned(), true),
        MarkKind::Failed(id) => (client(id), "fails".to_owned(), true),
        MarkKind::RateChanged(id) => (scenario.producers[id.index()].name.clone(), "changes its rate".to_owned(), false),
        MarkKind::PartitionsAdded(topic, to) => (scenario.topics[topic.index()].name.clone(), format!("has {to} partitions"), false),
        MarkKind::RunPhaseEnded => (String::new(), "producers stop".to_owned(), false),
    }
}

fn thousandths(factor: u64) -> String {
    let digits = format!("{}.{:03}", factor / 1000, factor % 1000);
    digits.trim_end_matches('0').trim_end_matches('.').to_owned()
}

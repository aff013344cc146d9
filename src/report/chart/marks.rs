//! What happened, on top of a panel: a line at its time and a label where there is room for one.

use std::collections::{BTreeMap, BTreeSet};

use crate::metrics::marks::{Mark, MarkKind};
use crate::report::chart::lettering::{Font, SMALL, SMALL_STRONG};
use crate::report::chart::palette;
use crate::report::chart::svg::{Anchor, Rect, Stroke, Svg, Units, px};
use crate::report::{Report, figures, names};
use crate::scenario::{Scenario, Verb, quantity};
use crate::units::{ClientId, GroupId, Instant, ProducerId, Rate};

const ROW: Units = px(17);
const ROWS: usize = 3;
/// Beyond so many, only the first of each label has a line through the panel.
const LINES: usize = 40;
const TICK: Units = px(8);
/// What is not farther apart than this looks as if it happened at once.
const SAME_PLACE: Units = px(3);
/// The same thing more often than this is told once.
const REPEATS: usize = 3;

/// Something that happened, in words that can be joined.
#[derive(Clone)]
struct Deed {
    x: Units,
    who: String,
    /// For one and for several.
    verb: (&'static str, &'static str),
    detail: String,
    fault: bool,
}

/// One or more deeds of a kind under one text.
struct Label {
    deeds: Vec<Deed>,
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
        // The more there is to tell, the farther apart may be what is told together.
        const NEAR: [Units; 4] = [SAME_PLACE, px(30), px(60), px(120)];
        let concerned = report.run.measurements.marks.iter().filter(|mark| concerns(report.scenario, group, mark));
        let mut deeds: Vec<Deed> = concerned.map(|mark| deed(report.scenario, mark, x(mark.at))).collect();
        deeds.extend(skips(report, group, &x));
        deeds.sort_by_key(|deed| deed.x);
        let attempts = NEAR.map(|near| Marks::placed(gather(deeds.clone(), near), left, right));
        attempts.into_iter().min_by_key(Marks::unlabelled).expect("there is an attempt")
    }

    /// Faults choose first.
    fn placed(mut labels: Vec<Label>, left: Units, right: Units) -> Self {
        let mut taken: [Vec<(Units, Units)>; ROWS] = Default::default();
        for faults in [true, false] {
            for label in labels.iter_mut().filter(|label| label.fault() == faults) {
                label.place = find_place(label, &mut taken, left, right);
            }
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
        self.labels.iter().filter(|label| label.place.is_none()).map(|label| label.deeds.len()).sum()
    }

    /// The lines, through a part of the panel, one in a column of pixels; `ticks`: what has no line gets a tick at the top.
    pub fn draw_lines(&self, svg: &mut Svg, frame: Rect, ticks: bool) {
        let mut drawn = BTreeSet::new();
        let crowded = self.labels.iter().map(|label| label.deeds.len()).sum::<usize>() > LINES;
        for label in &self.labels {
            for (i, deed) in label.deeds.iter().enumerate() {
                let through = !crowded || i == 0 && label.place.is_some();
                let height = if through { frame.height } else { TICK };
                if (through || ticks) && drawn.insert((deed.x / px(1), label.fault(), through)) {
                    svg.line((deed.x, frame.y), (deed.x, frame.y + height), label.stroke());
                }
            }
        }
    }

    /// The labels above `top`, each with the beginning of its line.
    pub fn draw_labels(&self, svg: &mut Svg, top: Units) {
        for label in &self.labels {
            if let Some((row, _)) = label.place {
                let x = label.deeds[0].x;
                svg.line((x, top - row as Units * ROW - px(13)), (x, top), label.stroke());
            }
        }
        for label in &self.labels {
            let Some((row, x)) = label.place else { continue };
            let y = top - row as Units * ROW - px(4);
            if self.is_crossed(label) {
                // The line goes on behind the text.
                svg.rect(Rect { x: x - px(1), y: y - px(11), width: label.width() + px(2), height: px(14) }, palette::PAPER);
            }
            let colour = if label.fault() { palette::FAULT } else { palette::INK };
            svg.rimmed_text((x, y), Anchor::Start, label.font(), colour, &label.text());
        }
    }

    /// The line of a label that stands higher runs through this one.
    fn is_crossed(&self, label: &Label) -> bool {
        let Some((row, x)) = label.place else { return false };
        let through = x - px(1)..x + label.width() + px(1);
        self.labels.iter().any(|other| other.place.is_some_and(|(above, _)| above > row) && through.contains(&other.deeds[0].x))
    }
}

impl Label {
    fn width(&self) -> Units {
        self.font().width(&self.text())
    }

    fn fault(&self) -> bool {
        self.deeds[0].fault
    }

    fn stroke(&self) -> Stroke {
        let colour = if self.fault() { palette::FAULT } else { palette::GREY };
        Stroke { colour, width: 5, dash: Some("16 12") }
    }

    fn font(&self) -> Font {
        if self.fault() { SMALL_STRONG } else { SMALL }
    }

    /// Who did it where the label stands; of what is told with it and stands elsewhere, how often.
    fn text(&self) -> String {
        const NAMES: usize = 3;
        let Deed { x, verb: (one, many), detail, .. } = &self.deeds[0];
        let here: Vec<&Deed> = self.deeds.iter().filter(|deed| deed.x - x <= SAME_PLACE).collect();
        let mut told = BTreeSet::new();
        let who: Vec<String> = here.iter().filter(|deed| told.insert(&deed.who)).map(|deed| deed.who.clone()).collect();
        let verb = if who.len() == 1 { one } else { many };
        let mut text = format!("{} {verb}", names::list(&who, NAMES));
        if !detail.is_empty() && here.iter().all(|deed| deed.detail == *detail) {
            text = format!("{text} {detail}");
        }
        let by_others = self.deeds.iter().any(|deed| deed.identity() != self.deeds[0].identity());
        match self.deeds.len() - here.len() {
            later if later > 0 && by_others => text.push_str(&format!(" (+{later} later)")),
            _ if self.deeds.len() > who.len() => text.push_str(&format!(" ({} times)", self.deeds.len())),
            _ => {}
        }
        text.trim_start().to_owned()
    }
}

/// Right of its line, or left of it at the end of the axis, in the lowest row that is free there.
fn find_place(label: &Label, taken: &mut [Vec<(Units, Units)>; ROWS], left: Units, right: Units) -> Option<(usize, Units)> {
    const GAP: Units = px(5);
    const APART: Units = px(10);
    let width = label.width();
    let x = label.deeds[0].x;
    let beside = if x + GAP + width <= right { x + GAP } else { x - GAP - width };
    let (from, to) = (beside - APART, beside + width + APART);
    let free = |row: &Vec<(Units, Units)>| row.iter().all(|(other_from, other_to)| to <= *other_from || *other_to <= from);
    let row = taken.iter().position(free).filter(|_| beside >= left)?;
    taken[row].push((beside, beside + width));
    Some((row, beside))
}

/// Whether it has to do with the members, topics or brokers of a group.
pub fn concerns(scenario: &Scenario, group: usize, mark: &Mark) -> bool {
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
        | MarkKind::Failed(client, _)
        | MarkKind::Subscribed(client)
        | MarkKind::CutOff(client, _, _)
        | MarkKind::Reconnected(client, _)
        | MarkKind::RequestDropped(client, _)
        | MarkKind::RequestDelayed(client, _, _) => ours(client),
        MarkKind::BrokerDown(_, _) | MarkKind::BrokerReturned(_) => true,
        // Its length is told with its beginning.
        MarkKind::Resumed(_) | MarkKind::Stopped(_) => false,
        MarkKind::CoordinatorLoaded(id, _) | MarkKind::ProtocolChanged(id, _) => id == GroupId(group as u32),
        MarkKind::RateChanged(producer) => scenario.groups[group].topics.contains(&scenario.producers[producer.index()].topic),
        MarkKind::PartitionsAdded(topic, _) | MarkKind::TopicCreated(topic) | MarkKind::TopicDeleted(topic) => {
            scenario.groups[group].topics.contains(&topic)
        }
        MarkKind::RunPhaseEnded => true,
    }
}

/// One label for all that happened alike at (nearly) the same place, and one for what happens again and again.
fn gather(deeds: Vec<Deed>, near: Units) -> Vec<Label> {
    let mut times: BTreeMap<Identity, usize> = BTreeMap::new();
    deeds.iter().for_each(|deed| *times.entry(deed.identity()).or_default() += 1);
    let mut labels: Vec<Label> = Vec::new();
    // The last label that begins with the same, and the last one with that verb.
    let mut alike: BTreeMap<Identity, usize> = BTreeMap::new();
    let mut of_verb: BTreeMap<&'static str, usize> = BTreeMap::new();
    for deed in deeds {
        let identity = deed.identity();
        let repeated = alike.get(&identity).copied().filter(|_| times[&identity] > REPEATS);
        let close = of_verb.get(deed.verb.0).copied().filter(|label| deed.x - labels[*label].deeds[0].x <= near);
        match repeated.max(close) {
            Some(label) => labels[label].deeds.push(deed),
            None => {
                alike.insert(identity, labels.len());
                of_verb.insert(deed.verb.0, labels.len());
                labels.push(Label { deeds: vec![deed], place: None });
            }
        }
    }
    labels
}

/// Who did what, and the details.
type Identity = (String, &'static str, String);

impl Deed {
    fn identity(&self) -> Identity {
        (self.who.clone(), self.verb.0, self.detail.clone())
    }
}

fn deed(scenario: &Scenario, Mark { at, kind, .. }: &Mark, x: Units) -> Deed {
    let client = |id: &ClientId| names::client(scenario, *id).to_owned();
    let (who, verb, detail, fault) = match kind {
        MarkKind::Started(id) => (client(id), ("starts", "start"), String::new(), false),
        MarkKind::Stopping(id) => (client(id), ("stops", "stop"), String::new(), false),
        MarkKind::Stopped(id) => (client(id), ("has closed", "have closed"), String::new(), false),
        MarkKind::Crashed(id) => (client(id), ("crashes", "crash"), String::new(), true),
        MarkKind::Paused(id, lasts) => (client(id), ("pauses", "pause"), format!("for {}", figures::span(*lasts)), true),
        MarkKind::Slowed(id, factor) if *factor < 1000 => {
            (client(id), ("speeds up", "speed up"), format!("× {}", thousandths(*factor)), false)
        }
        MarkKind::Slowed(id, factor) => (client(id), ("slows down", "slow down"), format!("× {}", thousandths(*factor)), true),
        MarkKind::SpeedRestored(id) => (client(id), ("at normal speed", "at normal speed"), String::new(), false),
        MarkKind::Kicked(id) => (client(id), ("exceeds", "exceed"), "max.poll.interval.ms".to_owned(), true),
        MarkKind::Failed(id, error) => (client(id), ("ends with", "end with"), error.name().to_owned(), true),
        MarkKind::Resumed(id) => (client(id), ("goes on", "go on"), String::new(), false),
        MarkKind::RateChanged(id) => {
            let name = scenario.producers[id.index()].name.clone();
            match rate_from(scenario, *id, at) {
                Some(rate) if rate.is_zero() => (name, ("falls silent", "fall silent"), String::new(), false),
                Some(rate) => (name, ("produces", "produce"), quantity::write_rate(rate), false),
                None => (name, ("changes its rate", "change their rates"), String::new(), false),
            }
        }
        MarkKind::TopicCreated(topic) => (scenario.topics[topic.index()].name.clone(), ("created", "created"), String::new(), false),
        MarkKind::TopicDeleted(topic) => (scenario.topics[topic.index()].name.clone(), ("deleted", "deleted"), String::new(), true),
        MarkKind::Subscribed(id) => (client(id), ("subscribes", "subscribe"), "anew".to_owned(), false),
        MarkKind::PartitionsAdded(topic, to) => {
            (scenario.topics[topic.index()].name.clone(), ("grows", "grow"), format!("to {to} partitions"), false)
        }
        MarkKind::CutOff(id, from, lasts) => {
            (client(id), ("cut off", "cut off"), format!("from {} for {}", names::peers(*from), figures::span(*lasts)), true)
        }
        MarkKind::Reconnected(id, from) => (client(id), ("reaches", "reach"), format!("{} again", names::peers(*from)), false),
        MarkKind::RequestDropped(id, request) => (client(id), ("loses its", "lose their"), request.to_string(), true),
        MarkKind::RequestDelayed(id, request, _) => (client(id), ("is late with its", "are late with their"), request.to_string(), true),
        MarkKind::BrokerDown(broker, lasts) => (names::broker(*broker), ("dies", "die"), format!("for {}", figures::span(*lasts)), true),
        MarkKind::BrokerReturned(broker) => (names::broker(*broker), ("returns", "return"), String::new(), false),
        MarkKind::CoordinatorLoaded(_, broker) => (names::broker(*broker), ("coordinates", "coordinate"), String::new(), false),
        MarkKind::ProtocolChanged(id, to) => (scenario.groups[id.index()].name.clone(), ("is", "are"), format!("a {to} group"), false),
        MarkKind::RunPhaseEnded => (String::new(), ("producers stop", "producers stop"), String::new(), false),
    };
    Deed { x, who, verb, detail, fault }
}

/// A reset that passed over records takes them out of the lag, and nobody processes them.
fn skips(report: &Report, group: usize, x: impl Fn(Instant) -> Units) -> Vec<Deed> {
    let mut skipped: BTreeMap<(Instant, ClientId), u64> = BTreeMap::new();
    report.run.accounts[group].skips.iter().for_each(|skip| *skipped.entry((skip.at, skip.by)).or_default() += skip.offsets.len());
    let deed = |((at, by), records): ((Instant, ClientId), u64)| Deed {
        x: x(at),
        who: names::client(report.scenario, by).to_owned(),
        verb: ("skips", "skip"),
        detail: figures::count(records, "record"),
        fault: true,
    };
    skipped.into_iter().map(deed).collect()
}

/// What the scenario says that a producer's rate is from that moment on.
fn rate_from(scenario: &Scenario, producer: ProducerId, at: &Instant) -> Option<Rate> {
    let steps = scenario.producers[producer.index()].steps.iter().filter(|step| step.at == *at).map(|step| step.rate);
    let timeline = scenario.timeline.iter().filter(|entry| entry.at == *at).filter_map(|entry| match entry.verb {
        Verb::Rate { producer: id, rate } if id == producer => Some(rate),
        Verb::Rate { .. }
        | Verb::Crash(_)
        | Verb::Start { .. }
        | Verb::Stop(_)
        | Verb::Pause { .. }
        | Verb::Slow { .. }
        | Verb::Partitions { .. }
        | Verb::CreateTopic(_)
        | Verb::DeleteTopic(_)
        | Verb::Subscribe { .. }
        | Verb::GroupConfig { .. }
        | Verb::Scale { .. }
        | Verb::RollingRestart { .. }
        | Verb::Disconnect { .. }
        | Verb::Disturb { .. }
        | Verb::BrokerDown { .. } => None,
    });
    steps.chain(timeline).last()
}

fn thousandths(factor: u64) -> String {
    let digits = format!("{}.{:03}", factor / 1000, factor % 1000);
    digits.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(deeds: &[(i64, &str)], near: Units) -> Vec<String> {
        let deed = |(x, who): &(i64, &str)| Deed {
            x: px(*x as _),
            who: (*who).to_owned(),
            verb: ("stops", "stop"),
            detail: String::new(),
            fault: false,
        };
        gather(deeds.iter().map(deed).collect(), near).iter().map(Label::text).collect()
    }

    #[test]
    fn a_label_names_those_where_it_stands_and_counts_the_others() {
        assert_eq!(texts(&[(100, "A"), (102, "B")], px(30)), ["A and B stop"]);
        assert_eq!(texts(&[(100, "A"), (120, "B")], px(30)), ["A stops (+1 later)"]);
        assert_eq!(texts(&[(100, "A"), (101, "B"), (120, "C"), (125, "D")], px(30)), ["A and B stop (+2 later)"]);
        assert_eq!(texts(&[(100, "A"), (120, "A")], px(30)), ["A stops (2 times)"]);
        assert_eq!(texts(&[(100, "A"), (140, "B")], px(30)), ["A stops", "B stops"]);
    }
}

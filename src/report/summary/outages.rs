//! How long each partition was not read, and why; partitions that fared alike share a line.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use crate::metrics::availability::HeldUp;
use crate::metrics::marks::{Mark, MarkKind};
use crate::metrics::{Outage, PartitionMeasurements, Rebalance};
use crate::report::summary::leaders;
use crate::report::summary::page::{Page, REST, Style, Table};
use crate::report::verdict::ownership;
use crate::report::{Report, figures, names, subscribers};
use crate::units::{ClientId, Instant, Span, TopicPartition};

const LINES: usize = 8;

/// Who had a partition, from when to when.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Owner {
    client: ClientId,
    since: Instant,
    until: Instant,
}

/// Partitions with the same outages, to the millisecond.
struct Alike<'a> {
    partitions: Vec<&'a PartitionMeasurements>,
    longest: Outage,
    times: usize,
    total: Span,
}

pub fn table(page: &mut Page, report: &Report, group: usize) {
    let partitions = &report.run.measurements.groups[group].partitions;
    let all = alike(report, partitions);
    let start_up = start_up(partitions);
    if all.is_empty() && start_up.is_none() {
        return;
    }
    page.blank();
    page.put(Style::Title, "  ");
    page.wrapped(Style::Title, 2, &headline(report, group, &all));
    let mut table = Table::new(&[(false, 25), (true, 14), (false, 14), (false, 14), (false, REST)]);
    if !all.is_empty() {
        let again = all.iter().any(|line| line.times > 1);
        let because = if again { "because (how often, in all)" } else { "because" };
        table.row(Style::Quiet, ["partitions", "longest", "from", "to", because]);
    }
    for line in all.iter().take(LINES) {
        table.row(Style::Plain, row(report, group, line));
    }
    if all.len() > LINES {
        let rest = &all[LINES..];
        let count: usize = rest.iter().map(|line| line.partitions.len()).sum();
        let longest = figures::span(ownership::lasted(&report.run, &rest[0].longest));
        page.table(4, &table);
        page.line(Style::Quiet, format!("    … and {} more, {longest} at most", figures::count(count as u64, "partition")));
    } else {
        page.table(4, &table);
    }
    if let Some((first, last)) = start_up {
        let when = if first == last { figures::at(first) } else { format!("{} to {}", figures::at(first), figures::at(last)) };
        page.line(Style::Quiet, format!("    start-up: first records in hand at {when} (not counted)"));
    }
}

fn headline(report: &Report, group: usize, all: &[Alike]) -> String {
    let partitions = report.run.measurements.groups[group].partitions.len();
    let Some(worst) = all.first() else {
        let led = leaders::of_group(report, group).is_empty();
        return if led { "no partition was unavailable" } else { "every partition had an owner all the time" }.to_owned();
    };
    let sum = all.iter().fold(Span::ZERO, |sum, line| sum + line.total.times(line.partitions.len() as u64));
    let hit: usize = all.iter().map(|line| line.partitions.len()).sum();
    let longest = figures::span(ownership::lasted(&report.run, &worst.longest));
    format!(
        "{} of {} unavailable, {longest} at the longest, {} in all",
        figures::grouped(hit as u64),
        figures::count(partitions as u64, "partition"),
        figures::span(sum)
    )
}

/// Worst first.
fn alike<'a>(report: &Report, partitions: &'a [PartitionMeasurements]) -> Vec<Alike<'a>> {
    let mut all: Vec<Alike<'a>> = Vec::new();
    for partition in partitions {
        let counted: Vec<&Outage> = partition.outages.iter().filter(|outage| ownership::counts(outage)).collect();
        let Some(longest) = counted.iter().rev().max_by_key(|outage| ownership::lasted(&report.run, outage)) else { continue };
        let total = counted.iter().fold(Span::ZERO, |sum, outage| sum + ownership::lasted(&report.run, outage));
        let key = |outage: &Outage| (outage.from.as_millis(), outage.to.map(Instant::as_millis));
        let same = |line: &&mut Alike| {
            key(&line.longest) == key(longest) && line.times == counted.len() && line.total.as_millis() == total.as_millis()
        };
        match all.iter_mut().find(same) {
            Some(line) => line.partitions.push(partition),
            None => all.push(Alike { partitions: vec![partition], longest: **longest, times: counted.len(), total }),
        }
    }
    all.sort_by_key(|line| Reverse((ownership::lasted(&report.run, &line.longest), line.total)));
    all
}

fn row(report: &Report, group: usize, line: &Alike) -> [String; 5] {
    let to = line.longest.to.map_or("the end".to_owned(), figures::at);
    let partitions: Vec<TopicPartition> = line.partitions.iter().map(|partition| partition.partition).collect();
    [
        names::partitions(report.scenario, &partitions),
        figures::span(ownership::lasted(&report.run, &line.longest)),
        figures::at(line.longest.from),
        to,
        match line.times {
            1 => cause(report, group, line),
            times => format!("{} ({times} times, {})", cause(report, group, line), figures::span(line.total)),
        },
    ]
}

/// What happened to the last owners at that moment, or else the rebalance that took the partitions away, and what held them up beside it.
fn cause(report: &Report, group: usize, line: &Alike) -> String {
    let Outage { from, to, initial, held_up, .. } = line.longest;
    let topic = line.partitions[0].partition.topic;
    if to.is_none() && subscribers::lacks(report, group, topic) {
        return format!("nobody subscribes to {}", report.scenario.topics[topic.index()].name);
    }
    let rebalances = &report.run.measurements.groups[group].rebalances;
    if held_up == Some(HeldUp::Deleted) {
        return format!("never read; {} was deleted", report.scenario.topics[topic.index()].name);
    }
    if let (true, Some(to)) = (initial, to) {
        return added(rebalances, from, to);
    }
    let owners = last_owners(line);
    let deeds = deeds(report, &owners);
    if !deeds.is_empty() {
        return deeds;
    }
    if initial {
        return if owners.is_empty() { "nobody ever took it" } else { "assigned, but never read" }.to_owned();
    }
    let under_way = rebalances.iter().rposition(|it| it.started <= from && it.ended.is_none_or(|ended| ended >= from));
    if under_way.is_none() && held_up == Some(HeldUp::Uncommitted) {
        return uncommitted(report, group, from, &owners);
    }
    let until = to.unwrap_or(Instant::NEVER);
    let rebalance = under_way.or_else(|| rebalances.iter().position(|it| from <= it.started && it.started <= until));
    let mut told = rebalance.map_or_else(|| format!("{} gave it up", named(report, &owners)), |index| format!("rebalance {}", index + 1));
    if held_up == Some(HeldUp::Backlog) {
        let next = line.partitions[0].owners.iter().rev().find(|span| to.is_some_and(|to| span.from <= to));
        let reader = next.map_or("its reader", |span| names::client(report.scenario, span.client));
        told.push_str(&format!(", then no Fetch while {reader} had other records buffered"));
    }
    told
}

/// How the group came to know of partitions that were added.
fn added(rebalances: &[Rebalance], from: Instant, to: Instant) -> String {
    match rebalances.iter().enumerate().rev().find(|(_, rebalance)| rebalance.started <= to) {
        Some((index, Rebalance { started, .. })) if from <= *started => {
            let (noticed, read) = (figures::span(started.since(from)), figures::span(to.since(*started)));
            format!("added; noticed after {noticed} (rebalance {}), read {read} later", index + 1)
        }
        Some((index, rebalance)) if rebalance.ended.is_none_or(|ended| from <= ended) => format!("added during rebalance {}", index + 1),
        Some(_) | None => "added; the group had not noticed".to_owned(),
    }
}

/// Whose hold of the partitions ended with the beginning of the outage.
fn last_owners(line: &Alike) -> BTreeSet<Owner> {
    let Outage { from, initial, .. } = line.longest;
    let last = |partition: &&PartitionMeasurements| {
        let before = partition.owners.iter().rev().find(|span| initial || span.to <= from);
        before.map(|span| Owner { client: span.client, since: span.from, until: if initial { span.to } else { from } })
    };
    line.partitions.iter().filter_map(last).collect()
}

fn named(report: &Report, owners: &BTreeSet<Owner>) -> String {
    const OWNERS: usize = 2;
    let clients: BTreeSet<ClientId> = owners.iter().map(|owner| owner.client).collect();
    let all: Vec<String> = clients.into_iter().map(|id| names::client(report.scenario, id).to_owned()).collect();
    names::list(&all, OWNERS)
}

/// `A and B crashed, C stopped`.
fn deeds(report: &Report, owners: &BTreeSet<Owner>) -> String {
    let mut deeds: Vec<(String, BTreeSet<Owner>)> = Vec::new();
    for owner in owners {
        let Some(deed) = deed(report, *owner) else { continue };
        match deeds.iter_mut().find(|(same, _)| *same == deed) {
            Some((_, others)) => {
                others.insert(*owner);
            }
            None => deeds.push((deed, [*owner].into())),
        }
    }
    deeds.into_iter().map(|(deed, who)| format!("{} {deed}", named(report, &who))).collect::<Vec<_>>().join(", ")
}

/// An eager member commits before it rejoins, and tries again and again what names a topic that is no more.
fn uncommitted(report: &Report, group: usize, from: Instant, owners: &BTreeSet<Owner>) -> String {
    let topics = &report.scenario.groups[group].topics;
    let before = report.run.measurements.marks.iter().rev().filter(|mark| mark.at <= from);
    let mut deletions = before.filter_map(|mark| if let MarkKind::TopicDeleted(topic) = mark.kind { Some(topic) } else { None });
    let deleted = deletions.find(|topic| topics.contains(topic));
    let why = deleted.map_or(String::new(), |topic| format!(": {} was deleted", report.scenario.topics[topic.index()].name));
    format!("{} could not commit{why}", named(report, owners))
}

/// What its owner did then, or what was done to it.
fn deed(report: &Report, owner: Owner) -> Option<String> {
    let Owner { client, since, until: at } = owner;
    let mut marks =
        report.run.measurements.marks.iter().rev().filter(|mark| mark.kind.client() == Some(client) && mark.at <= at).peekable();
    let began = |mark: &&Mark| matches!(mark.kind, MarkKind::Started(_)) && mark.at <= since;
    let life = marks.clone().find(began).or(marks.peek().copied())?.life;
    let marks = marks.skip_while(|mark| mark.life > life);
    marks.take_while(|mark| mark.life == life).find_map(|Mark { at: when, kind, .. }| match kind {
        MarkKind::Crashed(_) if *when == at => Some("crashed".to_owned()),
        MarkKind::Kicked(_) if *when == at => Some("broke max.poll.interval.ms".to_owned()),
        MarkKind::Failed(_, error) if *when == at => Some(format!("ended with {}", error.name())),
        // It gives its partitions up when its batch is done, however long that takes.
        MarkKind::Stopping(_) => Some("stopped".to_owned()),
        MarkKind::Stopped(_)
        | MarkKind::Crashed(_)
        | MarkKind::Kicked(_)
        | MarkKind::Failed(_, _)
        | MarkKind::Started(_)
        | MarkKind::Paused(_, _)
        | MarkKind::Resumed(_)
        | MarkKind::Slowed(_, _)
        | MarkKind::SpeedRestored(_)
        | MarkKind::RateChanged(_)
        | MarkKind::PartitionsAdded(_, _)
        | MarkKind::TopicCreated(_)
        | MarkKind::TopicDeleted(_)
        | MarkKind::Subscribed(_)
        | MarkKind::CutOff(_, _, _)
        | MarkKind::Reconnected(_, _)
        | MarkKind::RequestDropped(_, _)
        | MarkKind::RequestDelayed(_, _, _)
        | MarkKind::BrokerDown(_, _)
        | MarkKind::BrokerReturned(_)
        | MarkKind::CoordinatorLoaded(_, _)
        | MarkKind::ProtocolChanged(_, _)
        | MarkKind::RunPhaseEnded => None,
    })
}

/// When the first and the last of the partitions with a first owner gave their first record, before anything else happened.
fn start_up(partitions: &[PartitionMeasurements]) -> Option<(Instant, Instant)> {
    let firsts = partitions.iter().flat_map(|partition| &partition.outages).filter(|outage| outage.initial && !ownership::counts(outage));
    let times: Vec<Instant> = firsts.filter_map(|outage| outage.first_record).collect();
    Some((*times.iter().min()?, *times.iter().max()?))
}

//! How long each partition was not read, and why; partitions that fared alike share a line.

use std::cmp::Reverse;

use crate::metrics::{MarkKind, Outage, PartitionMeasurements};
use crate::report::summary::page::{Page, Style, Table, WIDTH};
use crate::report::verdict::ownership;
use crate::report::{Report, figures, names, subscribers};
use crate::units::{ClientId, Instant, Span, TopicPartition};

const LINES: usize = 8;

/// Partitions with the same outages, to the millisecond.
struct Alike<'a> {
    partitions: Vec<TopicPartition>,
    example: &'a PartitionMeasurements,
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
    page.line(Style::Title, format!("  {}", headline(report, &all, partitions.len())));
    let mut table = Table::new(&[(false, 25), (true, 11), (false, 27), (true, 5), (true, 15), (false, WIDTH)]);
    if !all.is_empty() {
        table.row(Style::Quiet, ["partitions", "longest", "from … to", "times", "in all", "because"]);
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

fn headline(report: &Report, all: &[Alike], partitions: usize) -> String {
    let Some(worst) = all.first() else { return "no partition was unavailable".to_owned() };
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
            Some(line) => line.partitions.push(partition.partition),
            None => all.push(Alike {
                partitions: vec![partition.partition],
                example: partition,
                longest: **longest,
                times: counted.len(),
                total,
            }),
        }
    }
    all.sort_by_key(|line| Reverse((ownership::lasted(&report.run, &line.longest), line.total)));
    all
}

fn row(report: &Report, group: usize, line: &Alike) -> [String; 6] {
    let to = line.longest.to.map_or("the end".to_owned(), figures::at);
    [
        names::partitions(report.scenario, &line.partitions),
        figures::span(ownership::lasted(&report.run, &line.longest)),
        format!("{} … {to}", figures::at(line.longest.from)),
        line.times.to_string(),
        figures::span(line.total),
        cause(report, group, line),
    ]
}

/// What happened to the last owner at that moment, or else the rebalance that took the partition away.
fn cause(report: &Report, group: usize, line: &Alike) -> String {
    let from = line.longest.from;
    if line.longest.initial && (line.longest.to.is_some() || !subscribers::lacks(report, group, line.example.partition.topic)) {
        return if line.longest.to.is_none() { "nobody ever took it".to_owned() } else { "added; the group had not noticed".to_owned() };
    }
    let topic = line.example.partition.topic;
    if line.longest.to.is_none() && subscribers::lacks(report, group, topic) {
        return format!("nobody subscribes to {}", report.scenario.topics[topic.index()].name);
    }
    let owner = line.example.owners.iter().rev().find(|span| span.to <= from).map(|span| span.client);
    if let Some(deed) = owner.and_then(|owner| deed(report, owner, from)) {
        return deed;
    }
    let until = line.longest.to.unwrap_or(Instant::NEVER);
    let rebalances = &report.run.measurements.groups[group].rebalances;
    let around = rebalances.iter().position(|rebalance| rebalance.started <= until && rebalance.ended.is_none_or(|ended| ended >= from));
    around.map_or(String::new(), |index| format!("rebalance {}", index + 1))
}

fn deed(report: &Report, owner: ClientId, at: Instant) -> Option<String> {
    // A closing client gives its partitions up when its batch is done.
    const CLOSE: Span = Span::from_secs(60);
    let who = names::client(report.scenario, owner);
    let marks = report.run.measurements.marks.iter().rev().filter(|mark| mark.at <= at && at.since(mark.at) <= CLOSE);
    marks
        .filter_map(|mark| match mark.kind {
            MarkKind::Crashed(id) if id == owner && mark.at == at => Some(format!("{who} crashed")),
            MarkKind::Kicked(id) if id == owner && mark.at == at => Some(format!("{who} broke max.poll.interval.ms")),
            MarkKind::Failed(id) if id == owner && mark.at == at => Some(format!("{who} failed")),
            MarkKind::Stopping(id) if id == owner => Some(format!("{who} stopped")),
            MarkKind::Crashed(_)
            | MarkKind::Kicked(_)
            | MarkKind::Failed(_)
            | MarkKind::Stopping(_)
            | MarkKind::Started(_)
            | MarkKind::Paused(_, _)
            | MarkKind::Slowed(_, _)
            | MarkKind::SpeedRestored(_)
            | MarkKind::RateChanged(_)
            | MarkKind::PartitionsAdded(_, _)
            | MarkKind::TopicCreated(_)
            | MarkKind::TopicDeleted(_)
            | MarkKind::Subscribed(_)
            | MarkKind::CutOff(_, _, _)
            | MarkKind::RequestDropped(_, _)
            | MarkKind::RequestDelayed(_, _, _)
            | MarkKind::BrokerDown(_, _)
            | MarkKind::CoordinatorLoaded(_, _)
            | MarkKind::ProtocolChanged(_, _)
            | MarkKind::RunPhaseEnded => None,
        })
        .next()
}

/// When the first and the last of the partitions with a first owner gave their first record, before anything else happened.
fn start_up(partitions: &[PartitionMeasurements]) -> Option<(Instant, Instant)> {
    let firsts = partitions.iter().flat_map(|partition| &partition.outages).filter(|outage| outage.initial && !ownership::counts(outage));
    let times: Vec<Instant> = firsts.filter_map(|outage| outage.first_record).collect();
    Some((*times.iter().min()?, *times.iter().max()?))
}

//! Where a backlog comes from, and a livelock by its name.
//!
//! A group that is too slow by its rate has a backlog that can be taken apart: what its members could not have done even if they had
//! worked from the first moment without a pause, what their start-up cost, and what the time between batches cost. That holds only while
//! every working member always had work and nothing disturbed it; otherwise the backlog is told without a calculation.

use crate::metrics::{GroupMeasurements, PartitionMeasurements};
use crate::report::livelock::{self, Livelock};
use crate::report::summary::page::{Page, REST, Style, Table};
use crate::report::{Report, figures, names};
use crate::scenario::{Client, Distribution, Verb};
use crate::units::{ClientId, GroupId, Instant, Span};

pub fn paragraph(page: &mut Page, report: &Report, group: usize) {
    let backlog = report.run.backlog(report.scenario, group);
    // It is that of the end of the run phase, which a run may not have reached.
    if backlog == 0 || report.run.measurements.end < report.run.measurements.run_end {
        return;
    }
    let parts = parts(report, group, backlog);
    // A handful of records in flight is no backlog.
    if parts.is_none() && report.run.measurements.groups[group].run_end_lag * 1000 < report.run.accounts[group].produced {
        return;
    }
    page.blank();
    let run_end = figures::at(report.run.measurements.run_end);
    page.line(Style::Title, format!("  Backlog of {} at {run_end}", figures::count(backlog, "record")));
    match parts {
        Some(parts) => calculation(page, &parts),
        None => where_it_lies(page, report, group),
    }
}

/// The livelock, with numbers and a way out.
pub fn livelock(page: &mut Page, report: &Report, group: usize) {
    let measured = &report.run.measurements.groups[group];
    let Some(found) = livelock::find(measured) else { return };
    let Livelock { kicks, first, last, clients, committed } = &found;
    let who: Vec<String> = clients.iter().map(|id| names::client(report.scenario, *id).to_owned()).collect();
    page.blank();
    page.put(Style::Bad, "  Livelock").put(Style::Plain, "  ");
    let stayed = match measured.commits {
        0 => "nothing was ever committed".to_owned(),
        _ => format!("the sum of the committed offsets stayed at {}", figures::grouped(*committed)),
    };
    let text = format!(
        "{kicks} times from {} to {} max.poll.interval.ms put a member ({}) out of the group before it could commit: {stayed}, and the same \
         records came back every time.",
        figures::at(*first),
        figures::at(*last),
        names::list(&who, 3),
    );
    page.wrapped(Style::Plain, 12, &text);
    if let Some(advice) = clients.first().and_then(|id| advice(&report.scenario.clients[id.index()])) {
        page.put(Style::Plain, " ".repeat(12));
        page.wrapped(Style::Plain, 12, &advice);
    }
}

fn advice(client: &Client) -> Option<String> {
    let Distribution::Constant(each) = client.processing.per_record else { return None };
    let config = &client.config;
    let batch = client.processing.per_batch + each.times(u64::from(config.max_poll_records));
    let room = config.max_poll_interval.saturating_sub(client.processing.per_batch).as_nanos();
    // Strictly less than the interval: it is over when it is reached.
    let fits = room.saturating_sub(1) / each.as_nanos().max(1);
    if batch < config.max_poll_interval || fits == 0 {
        return None;
    }
    Some(format!(
        "A full batch of max.poll.records={} at {} a record takes {}, max.poll.interval.ms is {}. Way out: max.poll.records={fits} or \
         less, or a max.poll.interval.ms well above {}.",
        config.max_poll_records,
        figures::span(each),
        figures::span(batch),
        figures::span(config.max_poll_interval),
        figures::span(batch),
    ))
}

/// The terms of the sum that makes the backlog.
struct Parts {
    by_rate: u64,
    rate: String,
    start_up: u64,
    first_record: String,
    between: u64,
    between_time: String,
}

fn calculation(page: &mut Page, parts: &Parts) {
    let mut table = Table::new(&[(false, 1), (true, 26), (false, REST)]);
    table.row(Style::Plain, ["=", &figures::grouped(parts.by_rate), &parts.rate]);
    table.row(Style::Plain, ["+", &figures::grouped(parts.start_up), &parts.first_record]);
    table.row(Style::Plain, ["+", &figures::grouped(parts.between), &parts.between_time]);
    page.table(4, &table);
}

/// A member that always had work: how long a record takes it, and when it had its first one.
struct Worker {
    each: Span,
    first_record: Instant,
}

fn parts(report: &Report, group: usize, backlog: u64) -> Option<Parts> {
    let measured = &report.run.measurements.groups[group];
    let account = &report.run.accounts[group];
    if disturbed(report, group) {
        return None;
    }
    let workers = workers(report, measured)?;
    let run = report.run.measurements.run_end.since(Instant::ZERO).as_nanos();
    let in_time = |each: Span, time: u64| u128::from(time) / u128::from(each.as_nanos());
    let capacity: u128 = workers.iter().map(|worker| in_time(worker.each, run)).sum();
    let start_up: u128 = workers.iter().map(|worker| in_time(worker.each, worker.first_record.as_nanos())).sum();
    let to_do = u128::from(account.produced.checked_sub(account.skipped)?);
    let by_rate = to_do.checked_sub(capacity)?;
    let between = u128::from(backlog).checked_sub(by_rate + start_up)?;
    // What the pauses cost each worker, in time.
    let paused: u128 = between * workers.iter().map(|worker| u128::from(worker.each.as_nanos())).max()? / workers.len() as u128;
    let narrow = |n: u128| u64::try_from(n).ok();
    let firsts: Vec<Instant> = workers.iter().map(|worker| worker.first_record).collect();
    let (first, last) = (*firsts.iter().min()?, *firsts.iter().max()?);
    let span = figures::span(report.run.measurements.run_end.since(Instant::ZERO));
    let crew = if workers.len() == 1 { "one member".to_owned() } else { format!("{} members", workers.len()) };
    Some(Parts {
        by_rate: narrow(by_rate)?,
        rate: format!(
            "by rate: {} to do in {span}, {crew} can do {}",
            figures::grouped(narrow(to_do)?),
            figures::grouped(narrow(capacity)?)
        ),
        start_up: narrow(start_up)?,
        first_record: match first == last {
            true => format!("by start-up: the first record was in hand at {}", figures::at(first)),
            false => format!("by start-up: first records were in hand from {} to {}", figures::at(first), figures::at(last)),
        },
        between: narrow(between)?,
        between_time: format!(
            "between batches: {} of waiting {}in {}",
            figures::span(Span::from_nanos(narrow(paused)?)),
            if workers.len() == 1 { "" } else { "each " },
            figures::count(measured.polls, "poll")
        ),
    })
}

/// Whether anything but work happened to the group's members.
fn disturbed(report: &Report, group: usize) -> bool {
    let ours = |client: ClientId| report.scenario.clients[client.index()].group == GroupId(group as u32);
    report.scenario.timeline.iter().any(|entry| match entry.verb {
        Verb::Crash(client) | Verb::Stop(client) => ours(client),
        Verb::Start { client, .. } | Verb::Pause { client, .. } | Verb::Slow { client, .. } => ours(client),
        Verb::Subscribe { client, .. } => ours(client),
        Verb::Scale { group: id, .. } | Verb::RollingRestart { group: id, .. } => id.index() == group,
        Verb::Disconnect { client, .. } | Verb::Disturb { client, .. } => ours(client),
        Verb::BrokerDown { .. } => true,
        Verb::Rate { .. } | Verb::Partitions { .. } | Verb::GroupConfig { .. } => false,
        Verb::CreateTopic(_) | Verb::DeleteTopic(_) => true,
    })
}

/// The members that own partitions, if each has kept its own from the start and still has more than a batch to do.
fn workers(report: &Report, measured: &GroupMeasurements) -> Option<Vec<Worker>> {
    let mut owned: Vec<(ClientId, Vec<&PartitionMeasurements>)> = Vec::new();
    for partition in &measured.partitions {
        let [only] = partition.owners.as_slice() else { return None };
        match owned.iter_mut().find(|(client, _)| *client == only.client) {
            Some((_, partitions)) => partitions.push(partition),
            None => owned.push((only.client, vec![partition])),
        }
    }
    let sample = report.run.measurements.run_end.as_nanos() / report.run.measurements.sample_interval.as_nanos().max(1);
    let worker = |(id, partitions): (ClientId, Vec<&PartitionMeasurements>)| {
        let client = &report.scenario.clients[id.index()];
        let Distribution::Constant(each) = client.processing.per_record else { return None };
        let left: u64 = partitions.iter().filter_map(|p| p.lag.get(sample as usize)).map(|lag| lag.unprocessed).sum();
        let first_record =
            partitions.iter().flat_map(|p| &p.outages).filter(|outage| outage.initial).filter_map(|o| o.first_record).min()?;
        (!each.is_zero() && left > u64::from(client.config.max_poll_records)).then_some(Worker { each, first_record })
    };
    owned.into_iter().map(worker).collect()
}

/// Which partitions hold it.
fn where_it_lies(page: &mut Page, report: &Report, group: usize) {
    const SHOWN: usize = 3;
    let run = &report.run.measurements;
    let sample = (run.run_end.as_nanos() / run.sample_interval.as_nanos().max(1)) as usize;
    let mut held: Vec<(u64, String)> = run.groups[group]
        .partitions
        .iter()
        .filter_map(|partition| Some((partition.lag.get(sample)?.unprocessed, names::partition(report.scenario, partition.partition))))
        .filter(|(records, _)| *records > 0)
        .collect();
    held.sort_by_key(|(records, _)| std::cmp::Reverse(*records));
    let whole = run.groups[group].run_end_lag;
    let (most, least) = (held.first().map_or(0, |first| first.0), held.last().map_or(0, |last| last.0));
    if held.len() > SHOWN && least * 2 > most {
        let (count, name) = (held.len(), &held[0].1);
        page.line(Style::Plain, format!("    spread over {count} partitions, {} at most ({name})", figures::grouped(most)));
        return;
    }
    let shown: Vec<String> = held
        .iter()
        .map(|(records, name)| format!("{} in {name} ({})", figures::grouped(*records), figures::percent(*records, whole)))
        .collect();
    page.put(Style::Plain, "    ");
    page.wrapped(Style::Plain, 4, &names::list(&shown, SHOWN));
}

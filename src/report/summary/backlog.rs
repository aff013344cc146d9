//! Where a backlog comes from, and a livelock by its name.
//!
//! A group that is too slow by its rate has a backlog that can be taken apart: what its members could not have done even if they had
//! worked from the first moment without a pause, what their start-up cost, and what it cost to wait for records and commits. That holds only
//! while every working member always had work, the same for each record and for each of them, and nothing disturbed it; otherwise the backlog
//! is told without a calculation.

use crate::metrics::{GroupMeasurements, PartitionMeasurements};
use crate::report::livelock::{self, Livelock};
use crate::report::summary::page::{Page, REST, Style, Table};
use crate::report::{Report, figures, names};
use crate::scenario::{Client, Distribution, Processing, Verb};
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
        None => where_it_lies(page, report, group, backlog),
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
    waiting: u64,
    waits: String,
}

fn calculation(page: &mut Page, parts: &Parts) {
    let mut table = Table::new(&[(false, 1), (true, 26), (false, REST)]);
    table.row(Style::Plain, ["=", &figures::grouped(parts.by_rate), &parts.rate]);
    table.row(Style::Plain, ["+", &figures::grouped(parts.start_up), &parts.first_record]);
    table.row(Style::Plain, ["+", &figures::grouped(parts.waiting), &parts.waits]);
    page.table(4, &table);
}

/// Members that always had work, which takes all of them the same time.
struct Workers {
    each: Span,
    /// When each of them had its first record.
    first_records: Vec<Instant>,
}

fn parts(report: &Report, group: usize, backlog: u64) -> Option<Parts> {
    let measured = &report.run.measurements.groups[group];
    let account = &report.run.accounts[group];
    if disturbed(report, group) {
        return None;
    }
    let Workers { each, first_records } = workers(report, measured)?;
    let in_time = |time: Instant| time.as_nanos() / each.as_nanos();
    let run_end = report.run.measurements.run_end;
    let capacity = in_time(run_end).checked_mul(first_records.len() as u64)?;
    let start_up: u64 = first_records.iter().map(|first| in_time(*first)).sum();
    let to_do = account.produced.checked_sub(account.skipped)?;
    let by_rate = to_do.checked_sub(capacity)?;
    let waiting = backlog.checked_sub(by_rate)?.checked_sub(start_up)?;
    let waited = Span::from_nanos(u64::try_from(u128::from(waiting) * u128::from(each.as_nanos()) / first_records.len() as u128).ok()?);
    let (first, last) = (*first_records.iter().min()?, *first_records.iter().max()?);
    let (crew, of_each) = match first_records.len() {
        1 => ("one member".to_owned(), ""),
        several => (format!("{several} members"), " a member"),
    };
    let span = figures::span(run_end.since(Instant::ZERO));
    Some(Parts {
        by_rate,
        rate: format!("by rate: {} to do in {span}, {crew} can do {}", figures::grouped(to_do), figures::grouped(capacity)),
        start_up,
        first_record: match first == last {
            true => format!("by start-up: the first record was in hand at {}", figures::at(first)),
            false => format!("by start-up: first records were in hand from {} to {}", figures::at(first), figures::at(last)),
        },
        waiting,
        waits: format!(
            "by waiting for records and commits: {}{of_each}, in {}",
            figures::span(waited),
            figures::count(measured.run_phase_polls, "poll")
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
fn workers(report: &Report, measured: &GroupMeasurements) -> Option<Workers> {
    let mut owned: Vec<(ClientId, Vec<&PartitionMeasurements>)> = Vec::new();
    for partition in &measured.partitions {
        let [only] = partition.owners.as_slice() else { return None };
        match owned.iter_mut().find(|(client, _)| *client == only.client) {
            Some((_, partitions)) => partitions.push(partition),
            None => owned.push((only.client, vec![partition])),
        }
    }
    let mut workers: Option<Workers> = None;
    for (id, partitions) in owned {
        let client = &report.scenario.clients[id.index()];
        let left: u64 = partitions.iter().map(|partition| partition.run_end_lag).sum();
        let first_record =
            partitions.iter().flat_map(|p| &p.outages).filter(|outage| outage.initial).filter_map(|o| o.first_record).min()?;
        let each = constant_work(client).filter(|_| left > u64::from(client.config.max_poll_records))?;
        let workers = workers.get_or_insert(Workers { each, first_records: Vec::new() });
        if workers.each != each {
            return None;
        }
        workers.first_records.push(first_record);
    }
    workers
}

/// How long a record takes, if that is all there is to do.
fn constant_work(client: &Client) -> Option<Span> {
    match client.processing {
        Processing { per_record: Distribution::Constant(each), per_batch: Span::ZERO } if !each.is_zero() => Some(each),
        _ => None,
    }
}

/// Which partitions hold it, and what no consumer can see yet.
fn where_it_lies(page: &mut Page, report: &Report, group: usize, backlog: u64) {
    const SHOWN: usize = 3;
    let partitions = report.run.measurements.groups[group].partitions.iter();
    let mut held: Vec<(u64, String)> = partitions
        .map(|partition| (partition.run_end_lag, names::partition(report.scenario, partition.partition)))
        .filter(|(records, _)| *records > 0)
        .collect();
    held.sort_by_key(|(records, _)| std::cmp::Reverse(*records));
    let (most, least) = (held.first().map_or(0, |first| first.0), held.last().map_or(0, |last| last.0));
    let mut told = if held.len() > SHOWN && least * 2 > most {
        let (count, name) = (held.len(), &held[0].1);
        format!("spread over {count} partitions, {} at most ({name})", figures::grouped(most))
    } else {
        let share = |records| figures::percent(records, backlog);
        let shown: Vec<_> =
            held.iter().map(|(records, at)| format!("{} in {at} ({})", figures::grouped(*records), share(*records))).collect();
        names::list(&shown, SHOWN)
    };
    let on_the_way = backlog - report.run.measurements.groups[group].run_end_lag;
    if on_the_way > 0 {
        told.push_str(&format!("; {} on their way from the producers", figures::grouped(on_the_way)));
    }
    page.put(Style::Plain, "    ");
    page.wrapped(Style::Plain, 4, &told);
}

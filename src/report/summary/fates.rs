//! What was duplicated, lost or skipped, each cause in a sentence with the offsets that it touched.

use std::collections::{BTreeMap, BTreeSet};

use crate::ledger::{Duplicate, DuplicateCause, Loss, LossCause, Skip};
use crate::report::summary::page::{Page, Style};
use crate::report::{Report, figures, names};
use crate::scenario::{AutoOffsetReset, Scenario};
use crate::terms::RemovalReason;
use crate::units::{ClientId, Instant, OffsetRange, TopicPartition};

const STORIES: usize = 6;
const RANGES: usize = 6;
/// More ranges than this are told as what they lie in.
const MOST_RANGES: usize = 20;

/// What one cause did: a sentence, and where.
struct Story {
    sentence: String,
    ranges: Vec<(TopicPartition, OffsetRange)>,
    /// The same came again: how often in all, and when last.
    again: Option<(usize, Instant)>,
}

pub fn duplicates(page: &mut Page, report: &Report, group: usize) {
    let account = &report.run.accounts[group];
    if account.duplicates.is_empty() {
        return;
    }
    let title = format!("{} duplicated, {} extra", figures::count(account.duplicated, "record"), figures::grouped(account.extra));
    let same = |a: &Duplicate, b: &Duplicate| (a.cause, a.undone, a.zombie) == (b.cause, b.undone, b.zombie);
    let ranges = |duplicates: &[&Duplicate]| joined(duplicates.iter().map(|duplicate| (duplicate.partition, duplicate.offsets)));
    let mut stories: Vec<(Vec<&Duplicate>, Story)> = Vec::new();
    for duplicates in gather(&account.duplicates, same) {
        let at = cause_at(duplicates[0].cause);
        match stories.iter_mut().find(|(first, _)| alike(first, &duplicates)) {
            Some((_, story)) => story.again = Some((story.again.map_or(1, |(times, _)| times) + 1, at)),
            None => {
                let sentence = duplicate(report.scenario, &duplicates);
                let story = Story { sentence, ranges: ranges(&duplicates), again: None };
                stories.push((duplicates, story));
            }
        }
    }
    tell(page, report.scenario, &title, stories.into_iter().map(|(_, story)| story).collect());
}

fn cause_at(cause: DuplicateCause) -> Instant {
    match cause {
        DuplicateCause::Crashed(at)
        | DuplicateCause::PollIntervalExceeded(at)
        | DuplicateCause::Removed(_, at)
        | DuplicateCause::Revoked(at)
        | DuplicateCause::Replaced(at)
        | DuplicateCause::Stopped(at)
        | DuplicateCause::CommitWentBack(at)
        | DuplicateCause::Rewound(at) => at,
    }
}

/// The same happened to the same records of the same members at another time.
fn alike(a: &[&Duplicate], b: &[&Duplicate]) -> bool {
    let key = |duplicate: &Duplicate| (duplicate.partition, duplicate.offsets, duplicate.before.0, duplicate.again.0);
    a.len() == b.len()
        && std::mem::discriminant(&a[0].cause) == std::mem::discriminant(&b[0].cause)
        && a.iter().zip(b).all(|(a, b)| key(a) == key(b))
}

pub fn losses(page: &mut Page, report: &Report, group: usize) {
    let account = &report.run.accounts[group];
    if account.losses.is_empty() {
        return;
    }
    let title = format!("{} lost", figures::count(account.lost, "record"));
    let same = |a: &Loss, b: &Loss| a.committed_by == b.committed_by && a.cause == b.cause;
    let stories = gather(&account.losses, same)
        .into_iter()
        .map(|losses| Story {
            sentence: loss(report.scenario, &losses),
            ranges: joined(losses.iter().map(|loss| (loss.partition, loss.offsets))),
            again: None,
        })
        .collect();
    tell(page, report.scenario, &title, stories);
}

pub fn skips(page: &mut Page, report: &Report, group: usize) {
    let account = &report.run.accounts[group];
    if account.skips.is_empty() {
        return;
    }
    let title = format!("{} skipped", figures::count(account.skipped, "record"));
    let mut gathered = gather(&account.skips, |a: &Skip, b: &Skip| a.by == b.by && a.at == b.at);
    gathered.sort_by_key(|skips| skips[0].at);
    let stories = gathered
        .into_iter()
        .map(|skips| Story {
            sentence: skip(report.scenario, &skips),
            ranges: skips.iter().map(|skip| (skip.partition, skip.offsets)).collect(),
            again: None,
        })
        .collect();
    tell(page, report.scenario, &title, stories);
}

/// Entries with the same cause together, in the order of the first of each.
fn gather<T>(entries: &[T], same: impl Fn(&T, &T) -> bool) -> Vec<Vec<&T>> {
    let mut gathered: Vec<Vec<&T>> = Vec::new();
    for entry in entries {
        match gathered.iter_mut().rev().find(|others| same(others[0], entry)) {
            Some(others) => others.push(entry),
            None => gathered.push(vec![entry]),
        }
    }
    gathered
}

/// Neighbours as one, each where the first of them stands.
fn joined(ranges: impl Iterator<Item = (TopicPartition, OffsetRange)>) -> Vec<(TopicPartition, OffsetRange)> {
    let mut apart: Vec<(TopicPartition, OffsetRange)> = Vec::new();
    for (partition, offsets) in ranges {
        match apart.iter_mut().rev().find(|(same, _)| *same == partition) {
            Some((_, before)) if before.to == offsets.from => before.to = offsets.to,
            Some(_) | None => apart.push((partition, offsets)),
        }
    }
    apart
}

fn tell(page: &mut Page, scenario: &Scenario, title: &str, stories: Vec<Story>) {
    page.blank();
    page.line(Style::Title, format!("  {title}"));
    for story in stories.iter().take(STORIES) {
        page.put(Style::Plain, "    ");
        page.wrapped(Style::Plain, 4, &story.sentence);
        page.put(Style::Plain, "      ");
        page.wrapped(Style::Quiet, 6, &ranges(scenario, &story.ranges));
        if let Some((times, last)) = story.again {
            page.line(Style::Plain, format!("      {times} times in all, the last at {}", figures::at(last)));
        }
    }
    let hidden = stories.get(STORIES..).unwrap_or_default();
    if !hidden.is_empty() {
        let records: u64 = hidden.iter().flat_map(|story| &story.ranges).map(|(_, offsets)| offsets.len()).sum();
        page.line(Style::Quiet, format!("    … and {} more times, {}", hidden.len(), figures::count(records, "record")));
    }
}

/// `orders-2 [1203, 1690), …`: the last offset is excluded, as in traces.
fn ranges(scenario: &Scenario, ranges: &[(TopicPartition, OffsetRange)]) -> String {
    if ranges.len() > MOST_RANGES {
        return enclosing(scenario, ranges);
    }
    let shown = if ranges.len() == RANGES + 1 { ranges.len() } else { ranges.len().min(RANGES) };
    let mut parts: Vec<String> = ranges[..shown]
        .iter()
        .map(|(partition, offsets)| format!("{} [{}, {})", names::partition(scenario, *partition), offsets.from, offsets.to))
        .collect();
    if ranges.len() > shown {
        let rest = &ranges[shown..];
        let records = rest.iter().map(|(_, offsets)| offsets.len()).sum();
        parts.push(format!("and {} more ranges with {}", rest.len(), figures::count(records, "record")));
    }
    parts.join(", ")
}

/// `5,584 of orders-2 [5053, 16120) in 655 ranges, …`.
fn enclosing(scenario: &Scenario, ranges: &[(TopicPartition, OffsetRange)]) -> String {
    let mut partitions: BTreeMap<TopicPartition, (OffsetRange, u64, usize)> = BTreeMap::new();
    for (partition, offsets) in ranges {
        let (around, records, pieces) = partitions.entry(*partition).or_insert((*offsets, 0, 0));
        *around = OffsetRange::new(around.from.min(offsets.from), around.to.max(offsets.to));
        *records += offsets.len();
        *pieces += 1;
    }
    let part = |(partition, (around, records, pieces)): (&TopicPartition, &(OffsetRange, u64, usize))| {
        let name = names::partition(scenario, *partition);
        let pieces = figures::count(*pieces as u64, "range");
        format!("{} of {name} [{}, {}) in {pieces}", figures::grouped(*records), around.from, around.to)
    };
    let mut parts: Vec<String> = partitions.iter().take(RANGES).map(part).collect();
    let hidden: Vec<u64> = partitions.values().skip(RANGES).map(|(_, records, _)| *records).collect();
    if !hidden.is_empty() {
        parts.push(format!("and {} in {} more partitions", figures::grouped(hidden.iter().sum()), hidden.len()));
    }
    parts.join(", ")
}

fn duplicate(scenario: &Scenario, duplicates: &[&Duplicate]) -> String {
    if duplicates[0].zombie {
        return zombie(scenario, duplicates);
    }
    let who = names::client(scenario, duplicates[0].undone);
    let records = figures::count(records(duplicates), "record");
    let at = figures::at;
    let of_some = |when: String| format!("{who} had processed records without a commit when {when}");
    // What is not told to have been processed again may be so later.
    let (ended, of_how_many) = match duplicates[0].cause {
        DuplicateCause::Crashed(when) => (of_some(format!("it crashed at {}", at(when))), true),
        DuplicateCause::PollIntervalExceeded(when) => (of_some(format!("it broke max.poll.interval.ms at {}", at(when))), true),
        DuplicateCause::Removed(reason, when) => (of_some(format!("the group put it out at {} ({})", at(when), removal(reason))), true),
        DuplicateCause::Revoked(when) => (of_some(format!("a rebalance took the partitions away at {}", at(when))), true),
        DuplicateCause::Replaced(when) => (of_some(format!("another process took its group.instance.id at {}", at(when))), true),
        DuplicateCause::Stopped(when) => (format!("{who} closed at {} without a commit of what it had processed", at(when)), true),
        DuplicateCause::CommitWentBack(when) => {
            (format!("{who} took the committed offset back over {records} at {}, which had been committed", at(when)), false)
        }
        DuplicateCause::Rewound(when) => (format!("{who} went back over {records} at {}", at(when)), false),
    };
    format!("{ended}; {}", again(scenario, duplicates, of_how_many))
}

/// It had lost the partitions and went on: before the next owner got to the records, or when that one had been there already.
fn zombie(scenario: &Scenario, duplicates: &[&Duplicate]) -> String {
    let undone = duplicates[0].undone;
    let who = names::client(scenario, undone);
    let when = figures::at(cause_at(duplicates[0].cause));
    let how = match duplicates[0].cause {
        DuplicateCause::Crashed(_) => "crashed".to_owned(),
        DuplicateCause::PollIntervalExceeded(_) => "broke max.poll.interval.ms".to_owned(),
        DuplicateCause::Removed(reason, _) => format!("was put out of the group ({})", removal(reason)),
        DuplicateCause::Revoked(_) | DuplicateCause::CommitWentBack(_) | DuplicateCause::Rewound(_) => {
            "lost the partitions to a rebalance".to_owned()
        }
        DuplicateCause::Replaced(_) => "lost its place to another process with its group.instance.id".to_owned(),
        DuplicateCause::Stopped(_) => "closed".to_owned(),
    };
    let overtaken: Vec<&Duplicate> =
        duplicates.iter().copied().filter(|duplicate| duplicate.again.0 == undone && duplicate.before.0 != undone).collect();
    let count = figures::count(records(duplicates), "record");
    let others = others(scenario, undone, duplicates);
    let list = names::list(&others, 3);
    let also = match records(&overtaken) {
        0 if list == who => "it did again".to_owned(),
        0 => format!("{list} did again"),
        // What one had done may have been done by others before.
        all if all == records(duplicates) && others.len() > 1 => format!("had been done already, last by {list}"),
        all if all == records(duplicates) => format!("{list} had done already"),
        some => format!("{list} did, too ({} of them first)", figures::grouped(some)),
    };
    format!("{who} {how} at {when} and went on as a zombie: after that it processed {count} that {also}:")
}

/// Whose work that of a zombie was besides; of several, how many records of each.
fn others(scenario: &Scenario, undone: ClientId, duplicates: &[&Duplicate]) -> Vec<String> {
    let mut others: BTreeMap<ClientId, u64> = BTreeMap::new();
    for duplicate in duplicates {
        let other = if duplicate.again.0 == undone { duplicate.before.0 } else { duplicate.again.0 };
        *others.entry(other).or_default() += duplicate.offsets.len();
    }
    let is_one = others.len() == 1;
    let told = |(id, records): (ClientId, u64)| {
        let name = names::client(scenario, id);
        if is_one { name.to_owned() } else { format!("{name} ({})", figures::grouped(records)) }
    };
    others.into_iter().map(told).collect()
}

fn records(duplicates: &[&Duplicate]) -> u64 {
    duplicates.iter().map(|duplicate| duplicate.offsets.len()).sum()
}

/// Who processed them again, and since when; how many of them, if that has not been told.
fn again(scenario: &Scenario, duplicates: &[&Duplicate], of_how_many: bool) -> String {
    let clients: BTreeSet<ClientId> = duplicates.iter().map(|duplicate| duplicate.again.0).collect();
    let clients: Vec<String> = clients.into_iter().map(|id| names::client(scenario, id).to_owned()).collect();
    let since = duplicates.iter().map(|duplicate| duplicate.again.1).min().unwrap_or(Instant::ZERO);
    let count = records(duplicates);
    let from = if count == 1 { "at" } else { "from" };
    let them = if of_how_many { format!("{} of them", figures::grouped(count)) } else { them(count).to_owned() };
    format!("{} processed {them} again {from} {}:", names::list(&clients, 3), figures::at(since))
}

fn them(records: u64) -> &'static str {
    if records == 1 { "it" } else { "them" }
}

fn loss(scenario: &Scenario, losses: &[&Loss]) -> String {
    let count = losses.iter().map(|loss| loss.offsets.len()).sum();
    let (records, them) = (figures::count(count, "record"), them(count));
    let (who, committed) = match losses[0].committed_by {
        Some((client, at)) => (names::client(scenario, client), format!(" at {}", figures::at(at))),
        None => ("somebody", String::new()),
    };
    match losses[0].cause {
        LossCause::CommittedThenCrashed(at) => {
            format!("{who} had committed {records}{committed} before it processed {them}, then crashed at {}:", figures::at(at))
        }
        LossCause::CommittedThenGivenUp(at) => {
            format!("{who} had committed {records}{committed} before it processed {them}, then gave {them} up at {}:", figures::at(at))
        }
        LossCause::CommittedUnread => format!("{who} committed past {records}{committed} that nobody had read:"),
    }
}

fn skip(scenario: &Scenario, skips: &[&Skip]) -> String {
    let records = figures::count(skips.iter().map(|skip| skip.offsets.len()).sum(), "record");
    let client = &scenario.clients[skips[0].by.index()];
    let reset = match client.config.auto_offset_reset {
        AutoOffsetReset::Earliest => "earliest",
        AutoOffsetReset::Latest => "latest",
        AutoOffsetReset::None => "none",
    };
    let at = figures::at(skips[0].at);
    format!("{} found no committed offset at {at}, and auto.offset.reset={reset} passed over {records}:", client.name)
}

fn removal(reason: RemovalReason) -> &'static str {
    match reason {
        RemovalReason::Left => "it left",
        RemovalReason::SessionExpired => "its session expired",
        RemovalReason::NewMemberTimedOut => "it never finished joining",
        RemovalReason::JoinTimedOut => "it did not rejoin in time",
        RemovalReason::SyncTimedOut => "it did not sync in time",
        RemovalReason::Forgotten => "the coordinator failed over",
        RemovalReason::GroupFull => "the group was full",
        RemovalReason::RevocationTimedOut => "it did not give its partitions up in time",
    }
}

//! The rebalances of a group as a table: when, which generation, how long, what moved and what was not read; below each, why it began and
//! who was waited for.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::metrics::{Rebalance, WaitEnd, Waited};
use crate::report::handover::{self, Handover};
use crate::report::summary::causes;
use crate::report::summary::page::{Page, REST, Style, Table};
use crate::report::{Report, figures, names};
use crate::scenario::Scenario;
use crate::terms::{GroupProtocol, GroupState, RebalanceReason, RemovalReason};
use crate::units::Instant;

/// Longer stories show their beginning and their end.
const FIRST: usize = 7;
const LAST: usize = 2;

pub fn table(page: &mut Page, report: &Report, group: usize) {
    let rebalances = &report.run.measurements.groups[group].rebalances;
    if rebalances.is_empty() {
        return;
    }
    page.blank();
    page.line(Style::Title, format!("  {}", figures::count(rebalances.len() as u64, "rebalance")));
    let ran = |protocol| rebalances.iter().any(|rebalance| rebalance.group_protocol == protocol);
    let (number, phase) = match (ran(GroupProtocol::Classic), ran(GroupProtocol::Consumer)) {
        (true, true) => (("gen/ep", 6), "joined"),
        (_, false) => (("gen", 3), "join phase"),
        (false, true) => (("epoch", 5), "target"),
    };
    let columns = [(true, 6), (false, 14), (true, number.1), (false, 13), (false, 12), (true, 7), (false, REST)];
    let mut table = Table::new(&columns);
    table.row(Style::Quiet, ["#", "at", number.0, phase, "until stable", "moved", "unread"]);
    let hidden = if rebalances.len() > FIRST + LAST + 1 { FIRST..rebalances.len() - LAST } else { 0..0 };
    for i in 0..rebalances.len() {
        if i == hidden.start && !hidden.is_empty() {
            let reasons = tally(report, group, hidden.clone());
            table.remark(Style::Quiet, 0, format!("… {} more: {reasons}", hidden.len()));
        }
        if !hidden.contains(&i) {
            let deleted = i > 0 && started_over(&rebalances[i - 1], &rebalances[i]);
            let handover = handover::of(&report.run, group, i);
            table.row(Style::Plain, row(&rebalances[i], i + 1, &handover));
            table.remark(Style::Plain, 1, story(report, group, i, deleted, &handover));
        }
    }
    page.table(4, &table);
    let told_before = report.run.measurements.groups[..group].iter().any(|group| !group.rebalances.is_empty());
    if !told_before {
        page.put(Style::Plain, "    ");
        page.wrapped(Style::Quiet, 4, &legend(phase, rebalances));
    }
}

/// What the columns mean.
fn legend(phase: &str, rebalances: &[Rebalance]) -> String {
    let overtaken = rebalances.iter().any(|rebalance| rebalance.ended_in == Some(GroupState::PreparingRebalance));
    format!(
        "{phase}, until stable: how long that took from its beginning{}. moved: partitions that changed their owner. unread: partitions \
         without a reader after it began, and for how long at most.",
        if overtaken { "; overtaken: the next one began first" } else { "" }
    )
}

/// Generations only grow, unless the coordinator has deleted the group in between (nobody was in it, and it had no offsets any more), or an
/// empty group took the other protocol.
fn started_over(before: &Rebalance, after: &Rebalance) -> bool {
    before.group_protocol == after.group_protocol && before.generation.zip(after.generation).is_some_and(|(before, after)| after <= before)
}

fn row(rebalance: &Rebalance, number: usize, handover: &Handover) -> [String; 7] {
    let since = |end: Option<Instant>| end.map(|end| figures::span(end.since(rebalance.started)));
    let stable = match rebalance.ended_in {
        Some(GroupState::PreparingRebalance) => "overtaken".to_owned(),
        Some(GroupState::Empty | GroupState::Dead) => "empty".to_owned(),
        Some(GroupState::Stable | GroupState::CompletingRebalance) | None => since(rebalance.ended).unwrap_or("-".to_owned()),
    };
    [
        number.to_string(),
        figures::at(rebalance.started),
        rebalance.generation.map_or("-".to_owned(), |generation| generation.to_string()),
        since(rebalance.joined).unwrap_or("-".to_owned()),
        stable,
        handover.moved.len().to_string(),
        unread(handover),
    ]
}

/// `4, 1.2s`: so many partitions, the longest of them for so long.
fn unread(handover: &Handover) -> String {
    let longest = handover.unread.iter().map(|(_, span)| *span).max();
    longest.map_or("-".to_owned(), |longest| format!("{}, {}", handover.unread.len(), figures::span(longest)))
}

/// Why it began, whom it waited for, and which added partitions it handed out.
fn story(report: &Report, group: usize, index: usize, deleted: bool, handover: &Handover) -> String {
    let rebalance = &report.run.measurements.groups[group].rebalances[index];
    let mut story = why(report, group, index);
    if deleted {
        story.push_str(", which had been deleted (empty, no offsets)");
    }
    for more in [waited_for(report.scenario, rebalance), added(report, handover)].into_iter().flatten() {
        story.push_str("; ");
        story.push_str(&more);
    }
    story
}

/// `added and read for the first time: orders-3, after 4m 3.027s`.
fn added(report: &Report, handover: &Handover) -> Option<String> {
    let longest = handover.added.iter().map(|(_, span)| *span).max()?;
    let partitions: Vec<_> = handover.added.iter().map(|(partition, _)| *partition).collect();
    let after = figures::span(longest);
    Some(format!("added and read for the first time: {}, after {after}", names::partitions(report.scenario, &partitions)))
}

/// The coordinator's reason in words, with what lay behind it.
fn why(report: &Report, group: usize, index: usize) -> String {
    let rebalance = &report.run.measurements.groups[group].rebalances[index];
    let who = rebalance.trigger.map_or("a member".to_owned(), |member| names::member(report.scenario, member));
    let behind = causes::behind(report, group, index);
    match rebalance.reason {
        RebalanceReason::MemberJoined if rebalance.initial => format!("{who} joined the empty group"),
        RebalanceReason::MemberJoined => format!("{who} joined"),
        RebalanceReason::StaticMemberReplaced => format!("{who} came back as a static member"),
        RebalanceReason::LeaderRejoined | RebalanceReason::MemberRejoined => {
            match (handover::given_up_before(report.scenario, &report.run, group, index), rebalance.reason) {
                (Some(gone), _) => format!("{who} gave {} up", figures::count(gone as u64, "partition")),
                (None, RebalanceReason::LeaderRejoined) => {
                    match (handover::grown(report, group, index), handover::deleted(report, group, index)) {
                        (Some(grown), _) => format!("{who}, the leader, found {grown} in its metadata"),
                        (None, Some(gone)) => format!("{who}, the leader, found in its metadata that {gone} was deleted"),
                        (None, None) => format!("{who}, the leader, asked for a new assignment"),
                    }
                }
                (None, _) => format!("{who} rejoined with other metadata"),
            }
        }
        RebalanceReason::MemberLeft => format!("{who} left{behind}"),
        RebalanceReason::SessionExpired => format!("{who}'s session expired{behind}"),
        RebalanceReason::SyncTimedOut => format!("{who} never sent SyncGroup{behind}"),
        RebalanceReason::AssignmentNotStored => "the assignment could not be stored".to_owned(),
        RebalanceReason::GroupTooLarge => "more members than group.max.size".to_owned(),
        RebalanceReason::Upgraded => format!("upgrade: {who} is the first of the consumer protocol"),
        RebalanceReason::Downgraded => format!("downgrade: {who} was the last of the consumer protocol{behind}"),
        RebalanceReason::PatternResolved => "a pattern matches other topics".to_owned(),
        RebalanceReason::SubscriptionChanged => format!("{who} subscribed to other topics"),
        RebalanceReason::TopicsChanged => {
            let what = handover::grown(report, group, index).unwrap_or("other topics".to_owned());
            format!("the coordinator found {what} at a heartbeat of {who}")
        }
        RebalanceReason::AssignorChanged => "the group prefers another assignor".to_owned(),
        RebalanceReason::RevocationTimedOut => format!("{who} did not give up partitions in time{behind}"),
    }
}

/// The longest waits first.
fn waited_for(scenario: &Scenario, rebalance: &Rebalance) -> Option<String> {
    const SHOWN: usize = 2;
    if rebalance.initial && rebalance.joined.is_none_or(|joined| joined > rebalance.started) {
        return Some("initial delay".to_owned());
    }
    let mut waits: Vec<&Waited> = rebalance.waited_for.iter().filter(|waited| !waited.lasted.is_zero()).collect();
    waits.sort_by_key(|waited| std::cmp::Reverse(waited.lasted));
    let shown: Vec<String> = waits.iter().map(|waited| wait(scenario, waited)).collect();
    (!shown.is_empty()).then(|| format!("waited for {}", names::list(&shown, SHOWN)))
}

fn wait(scenario: &Scenario, waited: &Waited) -> String {
    let who = names::member(scenario, waited.member);
    let lasted = figures::span(waited.lasted);
    match waited.how {
        WaitEnd::Rejoined | WaitEnd::Reconciled => format!("{who} {lasted}"),
        WaitEnd::Removed(RemovalReason::Left) => format!("{who} {lasted} (left)"),
        WaitEnd::Removed(RemovalReason::SessionExpired) => format!("{who} {lasted} (session expired)"),
        WaitEnd::Removed(RemovalReason::JoinTimedOut | RemovalReason::NewMemberTimedOut | RemovalReason::SyncTimedOut) => {
            format!("{who} {lasted} (timed out)")
        }
        WaitEnd::Removed(RemovalReason::RevocationTimedOut) => format!("{who} {lasted} (revocation timed out)"),
        WaitEnd::Removed(RemovalReason::Forgotten) => format!("{who} {lasted} (forgotten in the failover)"),
        WaitEnd::Removed(RemovalReason::GroupFull) => format!("{who} {lasted} (group full)"),
    }
}

/// `4 members left, 1 member joined`.
fn tally(report: &Report, group: usize, hidden: Range<usize>) -> String {
    let mut counts: BTreeMap<(RebalanceReason, bool), usize> = BTreeMap::new();
    for index in hidden {
        let reason = report.run.measurements.groups[group].rebalances[index].reason;
        let rejoined = matches!(reason, RebalanceReason::LeaderRejoined | RebalanceReason::MemberRejoined);
        let gave_up = rejoined && handover::given_up_before(report.scenario, &report.run, group, index).is_some();
        // The leader, too, gives up as a member.
        *counts.entry((if gave_up { RebalanceReason::MemberRejoined } else { reason }, gave_up)).or_default() += 1;
    }
    let told = |((reason, gave_up), count): (&(RebalanceReason, bool), &usize)| {
        let (one, many) = kind(*reason, *gave_up);
        format!("{count} {}", if *count == 1 { one } else { many })
    };
    counts.iter().map(told).collect::<Vec<_>>().join(", ")
}

/// For one and for several.
fn kind(reason: RebalanceReason, gave_up: bool) -> (&'static str, &'static str) {
    match reason {
        RebalanceReason::MemberRejoined if gave_up => ("member gave partitions up", "members gave partitions up"),
        RebalanceReason::MemberJoined => ("member joined", "members joined"),
        RebalanceReason::StaticMemberReplaced => ("static member came back", "static members came back"),
        RebalanceReason::LeaderRejoined => ("leader rejoined", "leaders rejoined"),
        RebalanceReason::MemberRejoined => ("member rejoined", "members rejoined"),
        RebalanceReason::MemberLeft => ("member left", "members left"),
        RebalanceReason::SessionExpired => ("session expired", "sessions expired"),
        RebalanceReason::SyncTimedOut => ("member never sent SyncGroup", "members never sent SyncGroup"),
        RebalanceReason::AssignmentNotStored => ("assignment not stored", "assignments not stored"),
        RebalanceReason::GroupTooLarge => ("time above group.max.size", "times above group.max.size"),
        RebalanceReason::Upgraded => ("upgrade", "upgrades"),
        RebalanceReason::Downgraded => ("downgrade", "downgrades"),
        RebalanceReason::PatternResolved => ("pattern resolved", "patterns resolved"),
        RebalanceReason::SubscriptionChanged => ("subscription changed", "subscriptions changed"),
        RebalanceReason::TopicsChanged => ("change of topics", "changes of topics"),
        RebalanceReason::AssignorChanged => ("change of the assignor", "changes of the assignor"),
        RebalanceReason::RevocationTimedOut => ("revocation timed out", "revocations timed out"),
    }
}

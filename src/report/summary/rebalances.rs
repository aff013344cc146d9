//! The rebalances of a group as a table: when, why, which generation, how long, who was waited for, what moved, and what was not read.

use std::collections::BTreeMap;

use crate::metrics::{MarkKind, Rebalance, WaitEnd, Waited};
use crate::report::handover::{self, Handover};
use crate::report::summary::page::{Page, Style, Table, WIDTH};
use crate::report::{Report, figures, names};
use crate::scenario::Scenario;
use crate::terms::{GroupProtocol, GroupState, RebalanceReason, RemovalReason};
use crate::units::{ClientId, Instant};

/// Longer stories show their beginning and their end.
const FIRST: usize = 10;
const LAST: usize = 3;

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
    let columns = [(true, 5), (false, 14), (false, 38), (true, number.1), (false, 10), (false, 12), (true, 5), (false, WIDTH)];
    let mut table = Table::new(&columns);
    table.row(Style::Quiet, ["#", "at", "why", number.0, phase, "until stable", "moved", "not read"]);
    let hidden = if rebalances.len() > FIRST + LAST + 1 { FIRST..rebalances.len() - LAST } else { 0..0 };
    for i in 0..rebalances.len() {
        if i == hidden.start && !hidden.is_empty() {
            let reasons = tally(&rebalances[hidden.clone()]);
            table.row(Style::Quiet, ["…", "", &format!("{} more: {reasons}", hidden.len()), "", "", "", "", ""]);
        }
        if !hidden.contains(&i) {
            let deleted = i > 0 && started_over(&rebalances[i - 1], &rebalances[i]);
            table.row(Style::Plain, row(report, group, i, deleted));
            if let Some(waits) = waited_for(report.scenario, &rebalances[i]) {
                table.row(Style::Quiet, ["", "", &waits, "", "", "", "", ""]);
            }
        }
    }
    page.table(4, &table);
}

/// Generations only grow, unless the coordinator has deleted the group in between (nobody was in it, and it had no offsets any more), or an
/// empty group took the other protocol.
fn started_over(before: &Rebalance, after: &Rebalance) -> bool {
    before.group_protocol == after.group_protocol && before.generation.zip(after.generation).is_some_and(|(before, after)| after <= before)
}

fn row(report: &Report, group: usize, index: usize, deleted: bool) -> [String; 8] {
    let rebalance = &report.run.measurements.groups[group].rebalances[index];
    let handover = handover::of(&report.run, group, index);
    let since = |end: Option<Instant>| end.map(|end| figures::span(end.since(rebalance.started)));
    let stable = match rebalance.ended_in {
        Some(GroupState::PreparingRebalance) => "overtaken".to_owned(),
        Some(GroupState::Empty | GroupState::Dead) => "empty".to_owned(),
        Some(GroupState::Stable | GroupState::CompletingRebalance) | None => since(rebalance.ended).unwrap_or("-".to_owned()),
    };
    [
        (index + 1).to_string(),
        figures::at(rebalance.started),
        if deleted {
            format!("{}, which had been deleted (empty, no offsets)", why(report, group, index))
        } else {
            why(report, group, index)
        },
        rebalance.generation.map_or("-".to_owned(), |generation| generation.to_string()),
        since(rebalance.joined).unwrap_or("-".to_owned()),
        stable,
        handover.moved.len().to_string(),
        not_read(&handover),
    ]
}

/// `4, 1.2s`: so many partitions, the longest of them for so long.
fn not_read(handover: &Handover) -> String {
    let longest = handover.unread.iter().map(|(_, span)| *span).max();
    longest.map_or("-".to_owned(), |longest| format!("{}, {}", handover.unread.len(), figures::span(longest)))
}

/// The coordinator's reason in words, with what lay behind it.
fn why(report: &Report, group: usize, index: usize) -> String {
    let rebalance = &report.run.measurements.groups[group].rebalances[index];
    let who = rebalance.trigger.map_or("a member".to_owned(), |member| names::member(report.scenario, member));
    let behind = rebalance.trigger.and_then(|member| behind(report, member.client, rebalance)).unwrap_or_default();
    match rebalance.reason {
        RebalanceReason::MemberJoined if rebalance.initial => format!("{who} joined the empty group"),
        RebalanceReason::MemberJoined => format!("{who} joined"),
        RebalanceReason::StaticMemberReplaced => format!("{who} came back as a static member"),
        RebalanceReason::LeaderRejoined | RebalanceReason::MemberRejoined => {
            match (handover::given_up_before(report.scenario, &report.run, group, index), rebalance.reason) {
                (Some(gone), _) => format!("{who} gave {} up", figures::count(gone as u64, "partition")),
                (None, RebalanceReason::LeaderRejoined) => format!("{who}, the leader, asked for a new assignment"),
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
        RebalanceReason::TopicsChanged => format!("topics changed, noticed at a heartbeat of {who}"),
        RebalanceReason::AssignorChanged => "the group prefers another assignor".to_owned(),
        RebalanceReason::RevocationTimedOut => format!("{who} did not give up partitions in time{behind}"),
    }
}

/// What had happened last to the client before the coordinator noticed.
fn behind(report: &Report, client: ClientId, rebalance: &Rebalance) -> Option<String> {
    let before = report.run.measurements.marks.iter().filter(|mark| mark.at <= rebalance.started);
    before
        .rev()
        .filter_map(|mark| {
            let at = figures::at(mark.at);
            match mark.kind {
                MarkKind::Stopping(id) if id == client => Some(format!(" (stopped at {at})")),
                MarkKind::Crashed(id) if id == client => Some(format!(" (crashed at {at})")),
                MarkKind::Paused(id, _) if id == client => Some(format!(" (paused at {at})")),
                MarkKind::CutOff(id, from, _) if id == client => Some(format!(" (cut off from {} at {at})", names::peers(from))),
                MarkKind::RequestDropped(id, request) if id == client => Some(format!(" (its {request} was lost at {at})")),
                MarkKind::Kicked(id) if id == client => Some(" (max.poll.interval.ms)".to_owned()),
                MarkKind::Failed(id) if id == client => Some(format!(" (failed at {at})")),
                MarkKind::Started(_)
                | MarkKind::Stopping(_)
                | MarkKind::Crashed(_)
                | MarkKind::Paused(_, _)
                | MarkKind::Slowed(_, _)
                | MarkKind::SpeedRestored(_)
                | MarkKind::Kicked(_)
                | MarkKind::Failed(_)
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
            }
        })
        .next()
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

/// `4 member left, 2 member joined`.
fn tally(rebalances: &[Rebalance]) -> String {
    let mut counts: BTreeMap<RebalanceReason, usize> = BTreeMap::new();
    for rebalance in rebalances {
        *counts.entry(rebalance.reason).or_default() += 1;
    }
    counts.iter().map(|(reason, count)| format!("{count} {}", reason.name().replace('_', " "))).collect::<Vec<_>>().join(", ")
}

//! What lay behind the removal of a member: what had happened to its process before the coordinator noticed.
//!
//! The coordinator only knows that it heard nothing for so long. Told is what kept it from hearing: faults that were going on in that time,
//! in that membership. What was over before, or did no harm, is not told.

use crate::metrics::marks::{Mark, MarkKind};
use crate::metrics::{Membership, Rebalance};
use crate::report::{Report, figures, names};
use crate::scenario::Verb;
use crate::terms::{ClientRequest, GroupProperty, GroupProtocol, RebalanceReason};
use crate::units::{GroupId, Instant, MemberId, Span};

/// ` (crashed at 40s)`, or nothing.
pub fn behind(report: &Report, group: usize, index: usize) -> String {
    let rebalance = &report.run.measurements.groups[group].rebalances[index];
    let told = rebalance.trigger.and_then(|member| {
        let marks = marks_of(report, group, index, member);
        let silence = silence(report, group, rebalance, member)?;
        match rebalance.reason {
            RebalanceReason::MemberLeft => departure(&marks),
            RebalanceReason::Downgraded => departure(&marks).or_else(|| silenced(&marks, rebalance.started, silence)),
            _ => silenced(&marks, rebalance.started, silence),
        }
    });
    told.map(|told| format!(" ({told})")).unwrap_or_default()
}

/// What happened to a member's process before a rebalance, as long as it was that member's and in this membership, in order.
fn marks_of<'a>(report: &'a Report, group: usize, index: usize, member: MemberId) -> Vec<&'a Mark> {
    let measured = &report.run.measurements;
    let rebalances = &measured.groups[group].rebalances;
    // A member of the consumer protocol keeps its id when it joins again.
    let joined = |rebalance: &&Rebalance| {
        let joins = [RebalanceReason::MemberJoined, RebalanceReason::StaticMemberReplaced, RebalanceReason::Upgraded];
        rebalance.trigger == Some(member) && joins.contains(&rebalance.reason)
    };
    let since = rebalances[..index].iter().rfind(joined).map_or(Instant::ZERO, |rebalance| rebalance.started);
    let membership = measured.members.get(&member);
    let is_of_it = |mark: &&Mark| {
        let is_of_its_life = |of: &Membership| mark.life == of.life && lasts_until(mark) >= of.since;
        mark.kind.client() == Some(member.client) && membership.is_none_or(is_of_its_life) && lasts_until(mark) >= since
    };
    measured.marks.iter().filter(|mark| mark.at <= rebalances[index].started).filter(is_of_it).collect()
}

/// How long the coordinator waited at most.
fn silence(report: &Report, group: usize, rebalance: &Rebalance, member: MemberId) -> Option<Span> {
    let configs = || report.scenario.configs(member.client);
    if matches!(rebalance.reason, RebalanceReason::SyncTimedOut | RebalanceReason::RevocationTimedOut) {
        return configs().map(|config| config.max_poll_interval).max();
    }
    let set = report.scenario.timeline.iter().filter_map(|entry| match entry.verb {
        Verb::GroupConfig { group: GroupId(id), property: GroupProperty::SessionTimeout, value } if id as usize == group => Some(value),
        _ => None,
    });
    let of_group = set.chain([report.scenario.groups[group].config.session_timeout]);
    let of_group = of_group.filter(|_| rebalance.group_protocol == GroupProtocol::Consumer);
    configs().map(|config| config.session_timeout).chain(of_group).max()
}

/// Why a member left.
fn departure(marks: &[&Mark]) -> Option<String> {
    marks.iter().rev().find_map(|mark| match mark.kind {
        MarkKind::Stopping(_) | MarkKind::Kicked(_) | MarkKind::Failed(_, _) => deed(mark),
        _ => None,
    })
}

/// Why nothing was heard of a member: what was going on when the coordinator lost patience, or else in the time that it had waited.
fn silenced(marks: &[&Mark], noticed: Instant, silence: Span) -> Option<String> {
    let heard = Instant::ZERO + noticed.since(Instant::ZERO).saturating_sub(silence);
    let mut going_on: Vec<&Mark> = Vec::new();
    for mark in marks.iter().filter(|mark| lasts_until(mark) > noticed || mark.at > heard && is_sudden(mark)) {
        // Of a series the first one began it.
        if !going_on.iter().any(|told| is_of_one_series(told, mark)) && deed(mark).is_some() {
            going_on.push(mark);
        }
    }
    let stopped = || marks.iter().rev().find(|mark| matches!(mark.kind, MarkKind::Stopping(_))).copied();
    let over = || marks.iter().find(|mark| lasts_until(mark) > heard && mark.kind.lasts().is_some()).copied();
    match going_on.as_slice() {
        [] => stopped().or_else(over).and_then(deed),
        [only] => deed(only),
        [first, .., last] => Some(format!("{}, {}", deed(first)?, deed(last)?)),
    }
}

fn is_of_one_series(a: &Mark, b: &Mark) -> bool {
    match (&a.kind, &b.kind) {
        (MarkKind::RequestDropped(_, a), MarkKind::RequestDropped(_, b))
        | (MarkKind::RequestDelayed(_, a, _), MarkKind::RequestDelayed(_, b, _)) => a == b,
        _ => false,
    }
}

/// What takes no time and has its effect from then on.
fn is_sudden(mark: &Mark) -> bool {
    matches!(mark.kind, MarkKind::RequestDropped(_, _) | MarkKind::Kicked(_))
}

/// A pause or a cut may have begun before the member did; who is dead stays so.
fn lasts_until(mark: &Mark) -> Instant {
    match mark.kind {
        MarkKind::Crashed(_) | MarkKind::Failed(_, _) => Instant::NEVER,
        MarkKind::RequestDelayed(_, _, by) => mark.at + by,
        _ => mark.at + mark.kind.lasts().unwrap_or(Span::ZERO),
    }
}

fn deed(mark: &Mark) -> Option<String> {
    let at = figures::at(mark.at);
    match mark.kind {
        MarkKind::Stopping(_) => Some(format!("stopped at {at}")),
        MarkKind::Crashed(_) => Some(format!("crashed at {at}")),
        MarkKind::Paused(_, _) => Some(format!("paused at {at}")),
        MarkKind::CutOff(_, from, _) => Some(format!("cut off from {} at {at}", names::peers(from))),
        MarkKind::RequestDropped(_, request) if is_sign_of_life(request) => Some(format!("its {request} was lost at {at}")),
        MarkKind::RequestDelayed(_, request, _) if is_sign_of_life(request) => Some(format!("its {request} of {at} was late")),
        MarkKind::Kicked(_) => Some("max.poll.interval.ms".to_owned()),
        MarkKind::Failed(_, error) => Some(format!("{} at {at}", error.name())),
        MarkKind::RequestDropped(_, _)
        | MarkKind::RequestDelayed(_, _, _)
        | MarkKind::Started(_)
        | MarkKind::Stopped(_)
        | MarkKind::Resumed(_)
        | MarkKind::Slowed(_, _)
        | MarkKind::SpeedRestored(_)
        | MarkKind::RateChanged(_)
        | MarkKind::PartitionsAdded(_, _)
        | MarkKind::TopicCreated(_)
        | MarkKind::TopicDeleted(_)
        | MarkKind::Subscribed(_)
        | MarkKind::Reconnected(_, _)
        | MarkKind::BrokerDown(_, _)
        | MarkKind::BrokerReturned(_)
        | MarkKind::CoordinatorLoaded(_, _)
        | MarkKind::ProtocolChanged(_, _)
        | MarkKind::RunPhaseEnded => None,
    }
}

/// What the coordinator hears of a member.
fn is_sign_of_life(request: ClientRequest) -> bool {
    matches!(
        request,
        ClientRequest::JoinGroup
            | ClientRequest::SyncGroup
            | ClientRequest::Heartbeat
            | ClientRequest::LeaveGroup
            | ClientRequest::ConsumerGroupHeartbeat
            | ClientRequest::OffsetCommit
    )
}

//! `expect: removed`, `expect: commits.failed` and `expect: failed`: how often something befell members, and when.

use crate::incidents::{Incident, IncidentKind};
use crate::report::verdict::{Finding, counted};
use crate::report::{Run, figures, names};
use crate::scenario::Scenario;
use crate::scenario::expectation::{Bounds, IncidentQuestion, Members, Period, Removal};

/// So many are shown with their times.
const SHOWN: usize = 3;

pub fn find(scenario: &Scenario, run: &Run, of: Members, kind: IncidentQuestion, period: Period, bounds: Bounds) -> Finding {
    let counts = |incident: &&Incident| {
        let theirs = of.group.is_none_or(|group| scenario.clients[incident.client.index()].group == group);
        let its = of.client.is_none_or(|client| incident.client == client);
        theirs && its && period.contains(incident.at) && answers(incident.kind, kind)
    };
    let found: Vec<&Incident> = run.incidents.iter().filter(counts).collect();
    let noun = match kind {
        IncidentQuestion::Removed(_) => "removal",
        IncidentQuestion::CommitFailed(_) => "failed commit",
        IncidentQuestion::Failed(_) => "failure",
    };
    let mut finding = counted(run, found.len() as u64, bounds, noun);
    let told: Vec<String> = found.iter().take(SHOWN).map(|incident| told(scenario, incident)).collect();
    if !told.is_empty() {
        let more = if found.len() > SHOWN { ", …" } else { "" };
        finding.seen += &format!(" ({}{more})", told.join(", "));
    }
    finding
}

fn answers(seen: IncidentKind, asked: IncidentQuestion) -> bool {
    match (seen, asked) {
        (IncidentKind::Removed(reason), IncidentQuestion::Removed(why)) => why.is_none_or(|why| why == Removal::Member(reason)),
        (IncidentKind::PendingDropped, IncidentQuestion::Removed(why)) => why.is_none_or(|why| why == Removal::Pending),
        (IncidentKind::CommitFailed(failure), IncidentQuestion::CommitFailed(why)) => why.is_none_or(|why| why == failure),
        (IncidentKind::Failed(error), IncidentQuestion::Failed(why)) => why.is_none_or(|why| why == error),
        (IncidentKind::Removed(_) | IncidentKind::PendingDropped, IncidentQuestion::CommitFailed(_) | IncidentQuestion::Failed(_))
        | (IncidentKind::CommitFailed(_), IncidentQuestion::Removed(_) | IncidentQuestion::Failed(_))
        | (IncidentKind::Failed(_), IncidentQuestion::Removed(_) | IncidentQuestion::CommitFailed(_)) => false,
    }
}

/// `B session_expired at 1m 42.007s`
fn told(scenario: &Scenario, incident: &Incident) -> String {
    let why = match incident.kind {
        IncidentKind::Removed(reason) => reason.name(),
        IncidentKind::PendingDropped => "pending",
        IncidentKind::CommitFailed(failure) => failure.name(),
        IncidentKind::Failed(error) => error.name(),
    };
    format!("{} {} at {}", names::client(scenario, incident.client), why.replace('_', " "), figures::at(incident.at))
}

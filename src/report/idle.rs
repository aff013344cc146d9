//! What the timeline had in store for a process that was not there, or not any more: nothing came of it.
//!
//! The file alone cannot tell. How long close() takes, which exception ends a process, and whom a rolling restart has in hand, only the run shows.

use crate::metrics::marks::{Mark, MarkKind};
use crate::report::{Report, figures, names};
use crate::scenario::{TimelineEntry, Verb};
use crate::units::{ClientId, Instant};

/// An entry of the timeline that did nothing, and why.
pub struct Idle {
    pub at: Instant,
    pub what: String,
}

/// In the order of the timeline.
pub fn entries(report: &Report) -> Vec<Idle> {
    let mut idle: Vec<Idle> = report.run.idle.iter().filter_map(|entry| told(report, &report.scenario.timeline[*entry])).collect();
    // Some are known to have done nothing only later.
    idle.sort_by_key(|idle| idle.at);
    idle
}

fn told(report: &Report, entry: &TimelineEntry) -> Option<Idle> {
    let (client, what) = deed(&entry.verb)?;
    let (at, scenario) = (entry.at, report.scenario);
    let group = &scenario.groups[scenario.clients[client.index()].group.index()].name;
    let why = why(&report.run.measurements.marks, client, entry);
    Some(Idle { at, what: format!("the {what} of {group}/{} did nothing: it {why}", names::client(scenario, client)) })
}

/// What an entry was to do to a process; `None` for other entries, which always do something.
fn deed(verb: &Verb) -> Option<(ClientId, &'static str)> {
    match verb {
        Verb::Crash(client) => Some((*client, "crash")),
        Verb::Stop(client) => Some((*client, "stop")),
        Verb::Pause { client, .. } => Some((*client, "pause")),
        Verb::Start { client, .. } => Some((*client, "start")),
        Verb::Slow { client, .. } => Some((*client, "slow-down")),
        Verb::Subscribe { client, .. } => Some((*client, "new subscription")),
        Verb::Rate { .. }
        | Verb::Partitions { .. }
        | Verb::CreateTopic(_)
        | Verb::DeleteTopic(_)
        | Verb::GroupConfig { .. }
        | Verb::Scale { .. }
        | Verb::RollingRestart { .. }
        | Verb::Disconnect { .. }
        | Verb::Disturb { .. }
        | Verb::BrokerDown { .. } => None,
    }
}

/// From the latest on, those that were made by then.
fn until(marks: &[Mark], at: Instant) -> impl Iterator<Item = &Mark> {
    marks[..marks.partition_point(|mark| mark.at <= at)].iter().rev()
}

/// Why nothing can be done to a process, or not that.
fn why(marks: &[Mark], client: ClientId, entry: &TimelineEntry) -> String {
    use MarkKind::{Crashed, Failed, Paused, Resumed, Started, Stopped, Stopping};
    let at = entry.at;
    // Where it was not there, a start at the same moment came after that.
    let may_start = |since: Instant| since < at || matches!(entry.verb, Verb::Start { .. });
    let tells = |mark: &&Mark| {
        matches!(mark.kind, Started(of) if of == client && may_start(mark.at))
            || matches!(mark.kind, Stopping(of) | Stopped(of) | Crashed(of) | Failed(of, _) if of == client)
    };
    let Some(Mark { at: since, kind, life }) = until(marks, at).find(tells) else { return "was not running".to_owned() };
    let since = figures::at(*since);
    if *kind == Stopped(client) {
        let told = until(marks, at).find(|mark| mark.kind == Stopping(client));
        format!("was told to stop at {}, and had closed", told.map_or(since, |mark| figures::at(mark.at)))
    } else if *kind == Stopping(client) {
        format!("was told to stop at {since}, and was closing")
    } else if *kind == Crashed(client) {
        format!("had crashed at {since}")
    } else if let Failed(_, error) = kind {
        format!("had ended at {since} with {}", error.name())
    } else {
        let latest = until(marks, at).find(|mark| matches!(mark.kind, Paused(of, _) | Resumed(of) if of == client && mark.life == *life));
        match latest.map(|mark| &mark.kind) {
            Some(Paused(_, _)) => format!("was paused{}", and_then(marks, client, entry)),
            Some(_) | None => format!("had been running since {since}"),
        }
    }
}

/// What came for a paused process before that did.
fn and_then(marks: &[Mark], client: ClientId, entry: &TimelineEntry) -> String {
    use MarkKind::{Crashed, Failed, Stopping};
    let waits = matches!(entry.verb, Verb::Stop(_) | Verb::Subscribe { .. });
    let ends = |mark: &&Mark| mark.at >= entry.at && matches!(mark.kind, Crashed(of) | Stopping(of) | Failed(of, _) if of == client);
    let Some(Mark { at, kind, .. }) = marks.iter().find(ends).filter(|_| waits) else { return String::new() };
    let at = figures::at(*at);
    if let Failed(_, error) = kind {
        format!(" and ended at {at} with {}", error.name())
    } else if *kind == Crashed(client) {
        format!(" and crashed at {at}")
    } else {
        format!(" and was told to stop at {at}")
    }
}

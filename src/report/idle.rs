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

pub fn entries(report: &Report) -> Vec<Idle> {
    let stopped = report.run.stopped().unwrap_or(Instant::NEVER);
    let reached = report.scenario.timeline.iter().filter(|entry| entry.at < stopped);
    reached.filter_map(|entry| idle(report, entry)).collect()
}

/// What an entry was to do to a process.
struct Deed {
    client: ClientId,
    what: &'static str,
    /// Whether it did.
    done: bool,
}

fn idle(report: &Report, entry: &TimelineEntry) -> Option<Idle> {
    let marks = &report.run.measurements.marks;
    let Deed { client, what, done } = deed(marks, entry)?;
    if done {
        return None;
    }
    let at = entry.at;
    let why = why(marks, client, at);
    let scenario = report.scenario;
    let group = &scenario.groups[scenario.clients[client.index()].group.index()].name;
    Some(Idle { at, what: format!("the {what} of {group}/{} did nothing: it {why}", names::client(scenario, client)) })
}

/// `None`: it is not for a single process, or there is always something to be done.
fn deed(marks: &[Mark], entry: &TimelineEntry) -> Option<Deed> {
    let at = entry.at;
    let happened = |kind: &MarkKind| marks_at(marks, at).iter().any(|mark| mark.kind == *kind);
    // What stands still does it later.
    let waits = |client| is_paused(marks, client, at);
    let is = |client, state: fn(ClientId) -> MarkKind| self::state(marks, client, at).is_some_and(|mark| mark.kind == state(client));
    Some(match entry.verb {
        Verb::Crash(client) => Deed { client, what: "crash", done: happened(&MarkKind::Crashed(client)) },
        Verb::Stop(client) => Deed { client, what: "stop", done: happened(&MarkKind::Stopping(client)) || waits(client) },
        Verb::Pause { client, lasts } => Deed { client, what: "pause", done: happened(&MarkKind::Paused(client, lasts)) },
        // Who is closing starts when it has closed.
        Verb::Start { client, .. } => {
            Deed { client, what: "start", done: happened(&MarkKind::Started(client)) || is(client, MarkKind::Stopping) }
        }
        Verb::Slow { client, lasts, .. } => {
            let until = lasts.map_or(Instant::NEVER, |lasts| at + lasts);
            let starts = |mark: &Mark| mark.kind == MarkKind::Started(client) && (at..until).contains(&mark.at);
            let runs = is(client, MarkKind::Started) || is(client, MarkKind::Stopping);
            Deed { client, what: "slow-down", done: runs || marks.iter().any(starts) }
        }
        Verb::Subscribe { client, .. } => {
            Deed { client, what: "new subscription", done: happened(&MarkKind::Subscribed(client)) || waits(client) }
        }
        Verb::Rate { .. }
        | Verb::Partitions { .. }
        | Verb::CreateTopic(_)
        | Verb::DeleteTopic(_)
        | Verb::GroupConfig { .. }
        | Verb::Scale { .. }
        | Verb::RollingRestart { .. }
        | Verb::Disconnect { .. }
        | Verb::Disturb { .. }
        | Verb::BrokerDown { .. } => return None,
    })
}

fn marks_at(marks: &[Mark], at: Instant) -> &[Mark] {
    &marks[marks.partition_point(|mark| mark.at < at)..marks.partition_point(|mark| mark.at <= at)]
}

/// From the latest on, those that were made before that moment.
fn before(marks: &[Mark], at: Instant) -> impl Iterator<Item = &Mark> {
    marks[..marks.partition_point(|mark| mark.at < at)].iter().rev()
}

/// What last began or ended a life of the process, or was to end it, before that moment.
fn state(marks: &[Mark], client: ClientId, at: Instant) -> Option<&Mark> {
    use MarkKind::{Crashed, Failed, Started, Stopped, Stopping};
    let tells = |kind: &MarkKind| matches!(*kind, Started(of) | Stopping(of) | Stopped(of) | Crashed(of) | Failed(of, _) if of == client);
    before(marks, at).find(|mark| tells(&mark.kind))
}

fn is_paused(marks: &[Mark], client: ClientId, at: Instant) -> bool {
    use MarkKind::{Crashed, Paused, Resumed};
    let latest = before(marks, at).find(|mark| matches!(mark.kind, Paused(of, _) | Resumed(of) | Crashed(of) if of == client));
    latest.is_some_and(|mark| matches!(mark.kind, Paused(_, _)))
}

/// Why nothing can be done to a process, or not that.
fn why(marks: &[Mark], client: ClientId, at: Instant) -> String {
    let Some(Mark { at: since, kind, .. }) = state(marks, client, at) else { return "was not running".to_owned() };
    let since = figures::at(*since);
    if *kind == MarkKind::Stopped(client) {
        let told = before(marks, at).find(|mark| mark.kind == MarkKind::Stopping(client));
        format!("was told to stop at {}, and had closed", told.map_or(since, |mark| figures::at(mark.at)))
    } else if *kind == MarkKind::Stopping(client) {
        format!("was told to stop at {since}, and was closing")
    } else if *kind == MarkKind::Crashed(client) {
        format!("had crashed at {since}")
    } else if let MarkKind::Failed(_, error) = kind {
        format!("had ended at {since} with {}", error.name())
    } else if is_paused(marks, client, at) {
        "was paused".to_owned()
    } else {
        format!("had been running since {since}")
    }
}

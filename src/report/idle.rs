//! What the timeline had in store for a process that was not there any more: nothing came of it.
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

fn idle(report: &Report, entry: &TimelineEntry) -> Option<Idle> {
    let TimelineEntry { at, verb: Verb::Crash(client) } = *entry else { return None };
    let marks = &report.run.measurements.marks;
    let so_far = &marks[..marks.partition_point(|mark| mark.at <= at)];
    let latest = || so_far.iter().rev();
    if latest().take_while(|mark| mark.at == at).any(|mark| mark.kind == MarkKind::Crashed(client)) {
        return None;
    }
    let why = latest().find_map(|mark| ended(mark, client)).unwrap_or_else(|| "was not running".to_owned());
    let scenario = report.scenario;
    let group = &scenario.groups[scenario.clients[client.index()].group.index()].name;
    Some(Idle { at, what: format!("the crash of {group}/{} did nothing: it {why}", names::client(scenario, client)) })
}

/// What had become of the process, if this tells.
fn ended(mark: &Mark, of: ClientId) -> Option<String> {
    let at = figures::at(mark.at);
    if mark.kind == MarkKind::Stopping(of) {
        Some(format!("was told to stop at {at}, and had closed"))
    } else if mark.kind == MarkKind::Crashed(of) {
        Some(format!("had crashed at {at}"))
    } else if let MarkKind::Failed(client, error) = mark.kind
        && client == of
    {
        Some(format!("had ended at {at} with {}", error.name()))
    } else {
        None
    }
}

//! Who is subscribed to what when a run is over: what the scenario says of it, and who was still there.

use crate::metrics::marks::MarkKind;
use crate::report::Report;
use crate::scenario::Verb;
use crate::scenario::subscription::Subscription;
use crate::units::{ClientId, Instant, TopicId};

/// Whether the group goes on in the end, but without anybody who is subscribed to a topic.
pub fn lacks(report: &Report, group: usize, topic: TopicId) -> bool {
    let group = &report.scenario.groups[group];
    let clients = (0..group.clients).map(|at| ClientId(group.first_client.0 + at));
    let wanted: Vec<&Subscription> = clients.filter_map(|client| subscription(report, client)).collect();
    !wanted.is_empty() && !wanted.iter().any(|subscription| subscription.topics.contains(&topic))
}

/// What a client wants that is running in the end: what it said last, or what it starts with.
fn subscription<'a>(report: &'a Report, client: ClientId) -> Option<&'a Subscription> {
    let started = started(report, client)?;
    let said =
        report.scenario.timeline.iter().rev().filter(|entry| entry.at >= started).find_map(|entry| {
            if let Verb::Subscribe { client: whose, to } = &entry.verb { (*whose == client).then_some(to) } else { None }
        });
    Some(said.unwrap_or(&report.scenario.clients[client.index()].subscription))
}

/// When its last life began, if that goes on.
fn started(report: &Report, client: ClientId) -> Option<Instant> {
    let mut since = None;
    for mark in &report.run.measurements.marks {
        if mark.kind == MarkKind::Started(client) {
            since = Some(mark.at);
        } else if matches!(mark.kind, MarkKind::Stopping(id) | MarkKind::Crashed(id) | MarkKind::Failed(id, _) if id == client) {
            since = None;
        }
    }
    since
}

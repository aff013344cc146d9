//! `replay.json`: what is needed to have the same run again, and to know that it is the same.
//!
//! | field | |
//! |---|---|
//! | `groupsim` | the version that ran it |
//! | `scenario` | its name, and `hash`, 16 hex digits over the bytes of the file |
//! | `kafka` | `brokers` and `clients`, with their patch |
//! | `seed` | |
//! | `faults` | what happened to clients, producers and topics, whether it was written or drawn: `at_ns`, `what`, `who`, of a client its `group`, and what more there is to say |
//! | `trace_hash` | 16 hex digits; equal for equal runs |

use std::borrow::Cow;
use std::hash::Hasher;

use serde::Serialize;

use crate::metrics::marks::{Mark, MarkKind};
use crate::report::{Report, names};
use crate::scenario::Scenario;
use crate::trace::hash::WordHasher;
use crate::units::ClientId;

#[derive(Serialize)]
struct Replay<'a> {
    groupsim: &'a str,
    scenario: ScenarioId<'a>,
    kafka: Kafka,
    seed: u64,
    faults: Vec<Fault<'a>>,
    trace_hash: String,
}

#[derive(Serialize)]
struct ScenarioId<'a> {
    name: &'a str,
    hash: String,
}

#[derive(Serialize)]
struct Kafka {
    brokers: &'static str,
    clients: &'static str,
}

#[derive(Serialize)]
struct Fault<'a> {
    at_ns: u64,
    what: &'static str,
    /// Of a client: names of members are their group's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<&'a str>,
    who: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lasts_ns: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    factor_thousandths: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    partitions: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    by_ns: Option<u64>,
    /// The exception that ended a process.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
}

pub fn render(report: &Report) -> String {
    let scenario = report.scenario;
    let replay = Replay {
        groupsim: env!("CARGO_PKG_VERSION"),
        scenario: ScenarioId { name: &scenario.name, hash: hex(hash(report.source.text)) },
        kafka: Kafka { brokers: scenario.kafka.brokers.name(), clients: scenario.kafka.clients.name() },
        seed: report.run.seed,
        faults: report.run.measurements.marks.iter().filter_map(|mark| fault(scenario, mark)).collect(),
        trace_hash: hex(report.run.trace_hash),
    };
    let mut text = serde_json::to_string_pretty(&replay).expect("strings and integers always serialise");
    text.push('\n');
    text
}

pub fn hex(hash: u64) -> String {
    format!("{hash:016x}")
}

fn hash(text: &str) -> u64 {
    let mut hasher = WordHasher::default();
    hasher.write(text.as_bytes());
    // The padding of the last word must not hide a difference.
    hasher.write_usize(text.len());
    hasher.finish()
}

fn group_of(scenario: &Scenario, id: ClientId) -> &str {
    &scenario.groups[scenario.clients[id.index()].group.index()].name
}

/// `None` for what is no deed: the end of a phase.
fn fault<'a>(scenario: &'a Scenario, mark: &Mark) -> Option<Fault<'a>> {
    let client = |id| names::client(scenario, id);
    let named = |what, who: Cow<'a, str>| Fault {
        at_ns: mark.at.as_nanos(),
        what,
        group: mark.kind.client().map(|id| group_of(scenario, id)),
        who,
        lasts_ns: None,
        factor_thousandths: None,
        partitions: None,
        from: None,
        request: None,
        by_ns: None,
        error: None,
    };
    let plain = |what, who: &'a str| named(what, Cow::Borrowed(who));
    Some(match mark.kind {
        MarkKind::Started(id) => plain("start", client(id)),
        MarkKind::Stopping(id) => plain("stop", client(id)),
        MarkKind::Crashed(id) => plain("crash", client(id)),
        MarkKind::Paused(id, span) => Fault { lasts_ns: Some(span.as_nanos()), ..plain("pause", client(id)) },
        MarkKind::Slowed(id, factor) => Fault { factor_thousandths: Some(factor), ..plain("slow", client(id)) },
        MarkKind::SpeedRestored(id) => plain("speed_restored", client(id)),
        MarkKind::Kicked(id) => plain("kick", client(id)),
        MarkKind::Resumed(id) => plain("resume", client(id)),
        MarkKind::Failed(id, error) => Fault { error: Some(error.name()), ..plain("fail", client(id)) },
        MarkKind::RateChanged(id) => plain("rate", &scenario.producers[id.index()].name),
        MarkKind::PartitionsAdded(topic, to) => Fault { partitions: Some(to), ..plain("partitions", &scenario.topics[topic.index()].name) },
        MarkKind::TopicCreated(topic) => plain("create.topic", &scenario.topics[topic.index()].name),
        MarkKind::TopicDeleted(topic) => plain("delete.topic", &scenario.topics[topic.index()].name),
        MarkKind::Subscribed(id) => plain("subscribe", client(id)),
        MarkKind::CutOff(id, from, span) => {
            Fault { from: Some(names::peers(from)), lasts_ns: Some(span.as_nanos()), ..plain("disconnect", client(id)) }
        }
        MarkKind::Reconnected(id, from) => Fault { from: Some(names::peers(from)), ..plain("reconnect", client(id)) },
        MarkKind::RequestDropped(id, request) => Fault { request: Some(request.name()), ..plain("drop", client(id)) },
        MarkKind::RequestDelayed(id, request, by) => {
            Fault { request: Some(request.name()), by_ns: Some(by.as_nanos()), ..plain("delay", client(id)) }
        }
        MarkKind::BrokerDown(broker, span) => {
            Fault { lasts_ns: Some(span.as_nanos()), ..named("broker.down", Cow::Owned(names::broker(broker))) }
        }
        MarkKind::BrokerReturned(broker) => named("broker.returned", Cow::Owned(names::broker(broker))),
        MarkKind::CoordinatorLoaded(group, broker) => {
            Fault { from: Some(names::broker(broker)), ..plain("coordinator_loaded", &scenario.groups[group.index()].name) }
        }
        // What came of it, not what was done.
        MarkKind::Stopped(_) | MarkKind::ProtocolChanged(..) | MarkKind::RunPhaseEnded => return None,
    })
}

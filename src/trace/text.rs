//! The trace to be read: one line a fact, in columns for the time in milliseconds, for whom it is about, and for what happened.
//!
//! ```text
//!        12006 ms  M1  revocation pending orders-0..3
//! ```
//!
//! Runs of partitions include both ends (`orders-0..3` are four); ranges of offsets exclude the last (`[0, 500)` are 500 records).

use std::fmt::{self, Display};
use std::io::{self, Write};

use crate::terms::Peers;
use crate::trace::fault::Fault;
use crate::trace::lines::LineWriter;
use crate::trace::names::Names;
use crate::trace::subject::Subject;
use crate::trace::times::{Created, Finished};
use crate::trace::topics::TopicChange;
use crate::trace::{Sink, TraceEvent};
use crate::units::{ClientId, InstanceId, Instant, MemberId, Offset, OffsetRange, TopicId, TopicPartition};

use TraceEvent as E;

/// Writes every fact as a line to be read.
#[derive(Debug)]
pub struct TextLines<W> {
    names: Names,
    subject_width: usize,
    lines: LineWriter<W>,
}

impl<W: Write> TextLines<W> {
    pub fn new(names: Names, out: W) -> Self {
        TextLines { subject_width: subject_width(&names), names, lines: LineWriter::new(out) }
    }

    /// Writes what is left and gives `out` back, or the first error that there was.
    pub fn finish(self) -> io::Result<W> {
        self.lines.finish()
    }
}

impl<W: Write> Sink for TextLines<W> {
    fn record(&mut self, at: Instant, event: &TraceEvent) {
        let (time, width) = (at.to_string(), self.subject_width);
        let subject = subject_name(event.subject(), &self.names);
        let what = fmt::from_fn(|f| describe(event, &self.names, f));
        write!(self.lines.buffer(), "{time:>12} ms  {subject:width$}  {what}").expect("a Vec takes every byte");
        self.lines.end_line();
    }
}

/// So wide that every name of the scenario fits.
fn subject_width(names: &Names) -> usize {
    let plain = [&names.groups, &names.topics, &names.producers].into_iter().flatten().map(|name| name.chars().count());
    let clients = (0..names.clients.len()).map(|client| names.client(ClientId(client as u32)).to_string().chars().count());
    plain.chain(clients).max().unwrap_or(0)
}

fn subject_name(subject: Subject, names: &Names) -> String {
    match subject {
        Subject::Run => "-".to_owned(),
        Subject::Broker(broker) => format!("broker {}", broker.0),
        Subject::Topic(topic) => names.topic(topic).to_owned(),
        Subject::Producer(producer) => names.producer(producer).to_owned(),
        Subject::Group(group) => names.group(group).to_owned(),
        Subject::Client(client) => names.client(client).to_string(),
    }
}

/// What happened, without the subject.
fn describe(event: &TraceEvent, n: &Names, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match event {
        E::Appended { partition, first, per_batch, batches, created, delay, .. } => {
            write!(f, "appended {}, visible after {delay}", batched(n, (*partition, *first), (*per_batch, *batches), created))
        }
        E::ProducerStopped { sent, .. } => write!(f, "stopped after {sent} records"),
        E::RateChanged { rate, .. } => write!(f, "rate is {} records in {}", rate.records, rate.per),
        E::PartitionsAdded { from, to, .. } => write!(f, "grew from {from} to {to} partitions"),
        E::ClientStarted { life, .. } => write!(f, "started, life {life}"),
        E::ClientStopping { .. } => f.write_str("told to stop"),
        E::ClientStopped { .. } | E::ClientCrashed { .. } | E::ClientResumed { .. } => f.write_str(&event.name()["client_".len()..]),
        E::ClientPaused { until, .. } => write!(f, "paused until {until} ms"),
        E::ClientSlowed { factor, .. } => write!(f, "slowed to {}.{:03} times its processing time", factor / 1000, factor % 1000),
        E::ClientSpeedRestored { .. } => f.write_str("back to its own speed"),
        E::ClientFailed { error, .. } => write!(f, "failed with {error}"),
        E::GroupStateChanged { from, to, generation, .. } => write!(f, "{from} -> {to}, generation {generation}"),
        E::MemberPending { member, .. } => write!(f, "{} has to join again with its id", n.member(*member)),
        E::PendingDropped { member, reason, .. } => write!(f, "pending {} dropped, {}", n.member(*member), spaced(reason)),
        E::MemberAdded { member, instance, .. } => write!(f, "{} added{}", n.member(*member), as_instance(n, *instance)),
        E::MemberReplaced { old, new, instance, .. } => write!(f, "{} replaced by {}", n.member(*old), static_member(n, *new, *instance)),
        E::MemberRemoved { member, reason, .. } => write!(f, "{} removed, {}", n.member(*member), spaced(reason)),
        E::RebalanceStarted { reason, trigger, generation, deadline, initial, .. } => {
            write!(f, "rebalance after generation {generation}{}; {} until {deadline} ms", because(n, reason, *trigger), wait(*initial))
        }
        E::InitialDelayExtended { until, .. } => write!(f, "initial delay goes on until {until} ms"),
        E::MemberRejoined { member, .. } => write!(f, "{} waits for the end of the join phase", n.member(*member)),
        E::JoinPhaseEnded { generation, leader, protocol, members, .. } => {
            write!(f, "generation {generation} has {}", joined(n, *members, *leader, protocol.as_deref()))
        }
        E::HeartbeatHandled { member, error, .. } => write!(f, "heartbeat{}: {error}", of_member(n, *member)),
        E::RequestRefused { member, request, error, .. } => write!(f, "{request}{} refused: {error}", of_member(n, *member)),
        E::Committed { member, partition, offset, kind, .. } => {
            write!(f, "committed {} at {offset}{}, {kind}", n.partition(*partition), by_member(n, *member))
        }
        E::CommitRefused { member, kind, error, .. } => write!(f, "{kind} commit{} refused: {error}", of_member(n, *member)),
        E::OffsetExpired { partition, .. } => write!(f, "offset of {} expired", n.partition(*partition)),
        E::GroupDeleted { .. } => f.write_str("deleted"),
        E::GroupProtocolChanged { to, epoch, .. } => write!(f, "runs the {to} protocol from epoch {epoch} on"),
        E::GroupEpochBumped { epoch, reason, trigger, .. } => write!(f, "epoch {epoch}{}", because(n, reason, *trigger)),
        E::TargetComputed { epoch, assigned, .. } => write!(f, "target of epoch {epoch}{}", shares(n, assigned)),
        E::MemberReconciled { member, epoch, state, assigned, revoking, .. } => {
            write!(f, "{} {state} at epoch {epoch}: {}", n.member(*member), holding(n, assigned, revoking))
        }
        E::CoordinatorFound { broker, .. } => write!(f, "coordinator is broker {}", broker.0),
        E::JoinSent { member, .. } => write!(f, "JoinGroup sent{}", as_member(n, *member)),
        E::AssignmentComputed { generation, assigned, .. } => write!(f, "generation {generation} is to be{}", shares(n, assigned)),
        E::RebalanceNoticed { .. } => f.write_str("noticed the rebalance"),
        E::PollIntervalExceeded { last_poll, .. } => write!(f, "leaves: no poll since {last_poll} ms"),
        E::MembershipLost { error, .. } => write!(f, "is no member any more: {error}"),
        E::RevocationPending { partitions, .. } => write!(f, "revocation pending {}", n.partitions(partitions)),
        E::Revoked { partitions, .. } => write!(f, "revoked {}", n.partitions(partitions)),
        E::Lost { partitions, .. } => write!(f, "lost {}", n.partitions(partitions)),
        E::Assigned { member, generation, partitions, .. } => {
            write!(f, "assigned {}{} in generation {generation}", n.partitions(partitions), as_member(n, Some(*member)))
        }
        E::PositionSet { partition: at, offset, source, .. } => {
            write!(f, "position of {} is {offset}, {}", n.partition(*at), spaced(source))
        }
        E::FetchStarted { partition, offset, .. } => write!(f, "fetches {} from {offset}", n.partition(*partition)),
        E::Polled { partition, offsets, .. } => write!(f, "polled {}", range(n, *partition, *offsets)),
        E::Processed { partition, offsets, finished, .. } => write!(f, "processed {}", processed(n, *partition, *offsets, finished)),
        E::Dropped { partition, offsets, .. } => write!(f, "dropped {}", range(n, *partition, *offsets)),
        E::CommitFailed { kind, failure, .. } => write!(f, "{kind} commit failed: {failure}"),
        E::Fault(fault) => describe_fault(fault, n, f),
        E::Topics(change) => describe_topics(change, n, f),
        E::RunPhaseEnded => f.write_str("run phase ended"),
        E::SettlePhaseEnded { drained } => write!(f, "settle phase ended, {}", if *drained { "drained" } else { "not drained" }),
    }
}

fn describe_fault(fault: &Fault, n: &Names, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match fault {
        Fault::CutOff { from, until, .. } => write!(f, "cut off from {} until {until} ms", brokers(*from)),
        Fault::Reconnected { from, .. } => write!(f, "reaches {} again", brokers(*from)),
        Fault::RequestDropped { request, .. } => write!(f, "{request} is lost"),
        Fault::RequestDelayed { request, by, .. } => write!(f, "{request} comes {by} late"),
        Fault::BrokerDied { until, .. } => write!(f, "dies, back at {until} ms"),
        Fault::BrokerReturned { .. } => f.write_str("is back"),
        Fault::LeaderLost { partition } => write!(f, "{} has no leader", n.partition(*partition)),
        Fault::LeaderElected { partition, broker } => write!(f, "{} is led by broker {}", n.partition(*partition), broker.0),
        Fault::CoordinatorLoaded { broker, .. } => write!(f, "loaded by broker {}", broker.0),
        Fault::GroupConfigured { property, value, .. } => write!(f, "{} is {} from here on", property.name(), value.as_millis()),
    }
}

fn describe_topics(change: &TopicChange, n: &Names, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match change {
        TopicChange::Created { partitions: 1, .. } => f.write_str("created with 1 partition"),
        TopicChange::Created { partitions, .. } => write!(f, "created with {partitions} partitions"),
        TopicChange::Deleted { .. } => f.write_str("deleted"),
        TopicChange::Subscribed { topics, .. } if topics.is_empty() => {
            f.write_str("subscribes with a pattern that it does not match itself")
        }
        TopicChange::Subscribed { topics, .. } => write!(f, "subscribes to {}", named(n, topics)),
    }
}

/// `orders, payments`
fn named(names: &Names, topics: &[TopicId]) -> impl Display {
    fmt::from_fn(move |f| {
        for (i, topic) in topics.iter().enumerate() {
            write!(f, "{}{}", if i == 0 { "" } else { ", " }, names.topic(*topic))?;
        }
        Ok(())
    })
}

fn brokers(peers: Peers) -> impl Display {
    fmt::from_fn(move |f| match peers {
        Peers::Coordinator => f.write_str("its coordinator"),
        Peers::Leaders => f.write_str("the partition leaders"),
        Peers::All => f.write_str("all brokers"),
        Peers::Broker(broker) => write!(f, "broker {}", broker.0),
    })
}

/// `orders-0 [0, 500)`
fn range(names: &Names, partition: TopicPartition, offsets: OffsetRange) -> impl Display {
    fmt::from_fn(move |f| write!(f, "{} [{}, {})", names.partition(partition), offsets.from, offsets.to))
}

/// `member_joined` as words.
fn spaced(term: &impl Display) -> String {
    term.to_string().replace('_', " ")
}

fn of_member(names: &Names, member: Option<MemberId>) -> impl Display {
    after(" of ", member.map(|member| names.member(member)))
}

fn by_member(names: &Names, member: Option<MemberId>) -> impl Display {
    after(" by ", member.map(|member| names.member(member)))
}

fn as_member(names: &Names, member: Option<MemberId>) -> impl Display {
    after(" as ", member.map(|member| names.member(member)))
}

fn led_by(names: &Names, leader: Option<MemberId>) -> impl Display {
    after(", leader ", leader.map(|leader| names.member(leader)))
}

fn triggered_by(names: &Names, trigger: Option<MemberId>) -> impl Display {
    after(": ", trigger.map(|member| names.member(member)))
}

fn as_instance(names: &Names, instance: Option<InstanceId>) -> impl Display {
    after(" as instance ", instance.map(|instance| names.instance(instance)))
}

/// Nothing if there is nothing to name.
fn after(words: &'static str, name: Option<impl Display>) -> impl Display {
    fmt::from_fn(move |f| match &name {
        Some(name) => write!(f, "{words}{name}"),
        None => Ok(()),
    })
}

/// `: A orders-0..1; B orders-2`
fn shares(names: &Names, assigned: &[(MemberId, Box<[TopicPartition]>)]) -> impl Display {
    fmt::from_fn(move |f| {
        for (i, (member, partitions)) in assigned.iter().enumerate() {
            let before = if i == 0 { ": " } else { "; " };
            write!(f, "{before}{} {}", names.member(*member), names.partitions(partitions))?;
        }
        Ok(())
    })
}

/// `created from 0 to 49 ms`
/// `orders-0 [0, 500): 5 x 100 created from 0 to 499 ms`
fn batched(
    names: &Names,
    (partition, first): (TopicPartition, Offset),
    (per_batch, batches): (u32, u64),
    created: &Created,
) -> impl Display {
    let records = OffsetRange::new(first, first + u64::from(per_batch) * batches);
    let created = created_from_to(created, records.len());
    fmt::from_fn(move |f| write!(f, "{}: {batches} x {per_batch} {created}", range(names, partition, records)))
}

/// `B#2 as instance i1`
fn static_member(names: &Names, member: MemberId, instance: InstanceId) -> impl Display {
    fmt::from_fn(move |f| write!(f, "{}{}", names.member(member), as_instance(names, Some(instance))))
}

/// What a join phase lasts for.
fn wait(initial: bool) -> &'static str {
    if initial { "initial delay" } else { "joins" }
}

/// `1 member, led by A, protocol range`
fn joined(names: &Names, members: u32, leader: Option<MemberId>, protocol: Option<&str>) -> impl Display {
    let noun = if members == 1 { "member" } else { "members" };
    fmt::from_fn(move |f| write!(f, "{members} {noun}{}{}", led_by(names, leader), after(", protocol ", protocol)))
}

/// `, member joined: B`
fn because(names: &Names, reason: impl Display, trigger: Option<MemberId>) -> impl Display {
    fmt::from_fn(move |f| write!(f, ", {}{}", spaced(&reason), triggered_by(names, trigger)))
}

/// `orders-0, to give up orders-1`
fn holding(names: &Names, assigned: &[TopicPartition], revoking: &[TopicPartition]) -> impl Display {
    fmt::from_fn(move |f| match revoking {
        [] => write!(f, "{}", names.partitions(assigned)),
        _ => write!(f, "{}, to give up {}", names.partitions(assigned), names.partitions(revoking)),
    })
}

fn created_from_to(created: &Created, records: u64) -> impl Display {
    let (first, last) = (created.at(0), created.at(records.saturating_sub(1)));
    fmt::from_fn(move |f| write!(f, "created from {first} to {last} ms"))
}

/// `orders-0 [0, 500), done from 10 to 500 ms`
fn processed(names: &Names, partition: TopicPartition, offsets: OffsetRange, finished: &Finished) -> impl Display {
    let (first, last) = (finished.at(0), finished.at(offsets.len().saturating_sub(1)));
    fmt::from_fn(move |f| write!(f, "{}, done from {first} to {last} ms", range(names, partition, offsets)))
}

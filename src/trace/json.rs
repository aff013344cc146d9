//! The trace as JSON Lines: one object a fact, in order.
//!
//! Every line begins with `at_ns`, the virtual time in nanoseconds, and `event`; the rest is listed here. Times and lengths of time are integers
//! of nanoseconds and end in `_ns`; `from` and `to` are offsets, `to` excluded; partitions read `orders-0`; members are the client's name, from
//! its second member id on with its number (`B#2`). What does not apply is null. `created` and `finished` tell the times of a range of records,
//! either as a rule or one by one: `{"origin_ns", "spacing_ns": [n, d], "index"}` is origin_ns + floor((index + i) · n / d) for record i,
//! `{"first_ns", "each_ns"}` is first_ns + i · each_ns, `{"listed_ns"}` has them all.
//!
//! | event | fields |
//! |---|---|
//! | `appended` | `producer`, `partition`, `from`, `to`, `per_batch`, `batches`, `created`, `delay_ns` |
//! | `producer_stopped` | `producer`, `sent` |
//! | `rate_changed` | `producer`, `records`, `per_ns` |
//! | `partitions_added` | `topic`, `old_count`, `new_count` |
//! | `client_started` | `group`, `client`, `life` |
//! | `client_stopping` | `group`, `client` |
//! | `client_stopped` | `group`, `client` |
//! | `client_crashed` | `group`, `client` |
//! | `client_paused` | `group`, `client`, `until_ns` |
//! | `client_resumed` | `group`, `client` |
//! | `client_slowed` | `group`, `client`, `factor_thousandths` |
//! | `client_speed_restored` | `group`, `client` |
//! | `client_failed` | `group`, `client`, `error` |
//! | `group_state_changed` | `group`, `old_state`, `new_state`, `generation` |
//! | `member_pending` | `group`, `member` |
//! | `pending_dropped` | `group`, `member`, `reason` |
//! | `member_added` | `group`, `member`, `instance` |
//! | `member_replaced` | `group`, `member`, `old_member`, `instance` |
//! | `member_removed` | `group`, `member`, `reason` |
//! | `rebalance_started` | `group`, `reason`, `trigger`, `generation`, `deadline_ns`, `initial` |
//! | `initial_delay_extended` | `group`, `until_ns` |
//! | `member_rejoined` | `group`, `member` |
//! | `join_phase_ended` | `group`, `generation`, `leader`, `protocol`, `members` |
//! | `heartbeat_handled` | `group`, `member`, `error` |
//! | `request_refused` | `group`, `member`, `request`, `error` |
//! | `committed` | `group`, `member`, `partition`, `offset`, `kind` |
//! | `commit_refused` | `group`, `member`, `kind`, `error` |
//! | `offset_expired` | `group`, `partition` |
//! | `group_deleted` | `group` |
//! | `group_protocol_changed` | `group`, `protocol`, `epoch` |
//! | `group_epoch_bumped` | `group`, `epoch`, `reason`, `trigger` |
//! | `target_computed` | `group`, `epoch`, `assigned`: partitions by member |
//! | `member_reconciled` | `group`, `member`, `epoch`, `state`, `partitions`, `revoking` |
//! | `coordinator_found` | `group`, `client`, `broker` |
//! | `join_sent` | `group`, `client`, `member` |
//! | `assignment_computed` | `group`, `client`, `generation`, `assigned`: partitions by member |
//! | `rebalance_noticed` | `group`, `client` |
//! | `poll_interval_exceeded` | `group`, `client`, `last_poll_ns` |
//! | `membership_lost` | `group`, `client`, `error` |
//! | `revocation_pending` | `group`, `client`, `partitions` |
//! | `revoked` | `group`, `client`, `partitions` |
//! | `lost` | `group`, `client`, `partitions` |
//! | `assigned` | `group`, `client`, `member`, `generation`, `partitions` |
//! | `position_set` | `group`, `client`, `partition`, `offset`, `source` |
//! | `fetch_started` | `group`, `client`, `partition`, `offset` |
//! | `polled` | `group`, `client`, `partition`, `from`, `to` |
//! | `processed` | `group`, `client`, `member`, `generation`, `partition`, `from`, `to`, `finished` |
//! | `dropped` | `group`, `client`, `partition`, `from`, `to` |
//! | `commit_failed` | `group`, `client`, `kind`, `failure` |
//! | `client_cut_off` | `group`, `client`, `cut_from`, `broker`, `until_ns` |
//! | `client_reconnected` | `group`, `client`, `cut_from`, `broker` |
//! | `request_dropped` | `group`, `client`, `request` |
//! | `request_delayed` | `group`, `client`, `request`, `by_ns` |
//! | `broker_died` | `broker`, `until_ns` |
//! | `broker_returned` | `broker` |
//! | `leader_lost` | `topic`, `partition` |
//! | `leader_elected` | `topic`, `partition`, `broker` |
//! | `coordinator_loaded` | `group`, `broker` |
//! | `group_configured` | `group`, `property`, `value_ns` |
//! | `topic_created` | `topic`, `count` |
//! | `topic_deleted` | `topic` |
//! | `subscribed` | `group`, `client`, `topics` |
//! | `run_phase_ended` | |
//! | `settle_phase_ended` | `drained` |

use std::io::{self, Write};

use crate::terms::Peers;
use crate::trace::fault::Fault;
use crate::trace::json::line::{EscapedNames, Line};
use crate::trace::lines::LineWriter;
use crate::trace::names::Names;
use crate::trace::subject::Subject;
use crate::trace::topics::TopicChange;
use crate::trace::{Sink, TraceEvent};
use crate::units::{Instant, OffsetRange};
use TraceEvent as E;

mod line;

/// Writes every fact as a line of JSON. Nothing is allocated for a fact, and no name escaped twice.
#[derive(Debug)]
pub struct JsonLines<W> {
    names: EscapedNames,
    lines: LineWriter<W>,
}

impl<W: Write> JsonLines<W> {
    pub fn new(names: &Names, out: W) -> Self {
        JsonLines { names: EscapedNames::new(names), lines: LineWriter::new(out) }
    }

    /// Writes what is left and gives `out` back, or the first error that there was.
    pub fn finish(self) -> io::Result<W> {
        self.lines.finish()
    }
}

impl<W: Write> Sink for JsonLines<W> {
    fn record(&mut self, at: Instant, event: &TraceEvent) {
        let mut line = Line::begin(self.lines.buffer(), &self.names, at, event.name());
        write_subject(&mut line, event.subject());
        write_details(&mut line, event);
        line.end();
        self.lines.end_line();
    }
}

fn write_subject(line: &mut Line<'_>, subject: Subject) {
    match subject {
        Subject::Run => line,
        Subject::Broker(broker) => line.count("broker", broker.0),
        Subject::Topic(topic) => line.topic(topic),
        Subject::Producer(producer) => line.producer(producer),
        Subject::Group(group) => line.group(group),
        Subject::Client(client) => line.client(client),
    };
}

fn write_fault<'l, 'b>(line: &'l mut Line<'b>, fault: &Fault) -> &'l mut Line<'b> {
    match fault {
        Fault::CutOff { from, until, .. } => write_peers(line, *from).instant("until_ns", *until),
        Fault::Reconnected { from, .. } => write_peers(line, *from),
        Fault::RequestDropped { request, .. } => line.word("request", request.name()),
        Fault::RequestDelayed { request, by, .. } => line.word("request", request.name()).span("by_ns", *by),
        Fault::BrokerDied { until, .. } => line.instant("until_ns", *until),
        Fault::BrokerReturned { .. } => line,
        Fault::LeaderLost { partition } => line.partition(*partition),
        Fault::LeaderElected { partition, broker } => line.partition(*partition).count("broker", broker.0),
        Fault::CoordinatorLoaded { broker, .. } => line.count("broker", broker.0),
        Fault::GroupConfigured { property, value, .. } => line.word("property", property.name()).span("value_ns", *value),
    }
}

fn write_topics<'l, 'b>(line: &'l mut Line<'b>, change: &TopicChange) -> &'l mut Line<'b> {
    match change {
        TopicChange::Created { partitions, .. } => line.count("count", *partitions),
        TopicChange::Deleted { .. } => line,
        TopicChange::Subscribed { topics, .. } => line.topics(topics),
    }
}

fn write_peers<'l, 'b>(line: &'l mut Line<'b>, from: Peers) -> &'l mut Line<'b> {
    line.word("cut_from", from.name());
    match from {
        Peers::Broker(broker) => line.count("broker", broker.0),
        Peers::Coordinator | Peers::Leaders | Peers::All => line.text("broker", None),
    }
}

/// What a fact says beyond its subject.
fn write_details(line: &mut Line<'_>, event: &TraceEvent) {
    match event {
        E::Appended { partition, first, per_batch, batches, created, delay, .. } => {
            let records = OffsetRange::new(*first, *first + u64::from(*per_batch) * batches);
            line.partition(*partition).offsets(records).count("per_batch", *per_batch).number("batches", *batches);
            line.created(created).span("delay_ns", *delay)
        }
        E::ProducerStopped { sent, .. } => line.number("sent", *sent),
        E::RateChanged { rate, .. } => line.number("records", rate.records).span("per_ns", rate.per),
        E::PartitionsAdded { from, to, .. } => line.count("old_count", *from).count("new_count", *to),
        E::ClientStarted { life, .. } => line.count("life", *life),
        E::ClientStopping { .. } | E::ClientStopped { .. } | E::ClientCrashed { .. } | E::ClientResumed { .. } => line,
        E::ClientSpeedRestored { .. } | E::RebalanceNoticed { .. } | E::GroupDeleted { .. } | E::RunPhaseEnded => line,
        E::ClientPaused { until, .. } | E::InitialDelayExtended { until, .. } => line.instant("until_ns", *until),
        E::ClientSlowed { factor, .. } => line.number("factor_thousandths", *factor),
        E::ClientFailed { error, .. } => line.word("error", error.name()),
        E::GroupStateChanged { from, to, generation, .. } => line.states(from.name(), to.name()).generation(*generation),
        E::MemberPending { member, .. } | E::MemberRejoined { member, .. } => line.member("member", Some(*member)),
        E::PendingDropped { member, reason, .. } | E::MemberRemoved { member, reason, .. } => {
            line.member("member", Some(*member)).word("reason", reason.name())
        }
        E::MemberAdded { member, instance, .. } => line.member("member", Some(*member)).instance(*instance),
        E::MemberReplaced { old, new, instance, .. } => line.replaced(*old, *new).instance(Some(*instance)),
        E::RebalanceStarted { reason, trigger, generation, deadline, initial, .. } => {
            line.word("reason", reason.name()).member("trigger", *trigger).generation(*generation);
            line.instant("deadline_ns", *deadline).flag("initial", *initial)
        }
        E::JoinPhaseEnded { generation, leader, protocol, members, .. } => {
            line.generation(*generation).member("leader", *leader).text("protocol", protocol.as_deref()).count("members", *members)
        }
        E::JoinSent { member, .. } => line.member("member", *member),
        E::HeartbeatHandled { member, error, .. } => line.member("member", *member).word("error", error.name()),
        E::RequestRefused { member, request, error, .. } => {
            line.member("member", *member).word("request", request.name()).word("error", error.name())
        }
        E::Committed { member, partition, offset, kind, .. } => {
            line.member("member", *member).partition(*partition).offset(*offset).word("kind", kind.name())
        }
        E::CommitRefused { member, kind, error, .. } => {
            line.member("member", *member).word("kind", kind.name()).word("error", error.name())
        }
        E::OffsetExpired { partition, .. } => line.partition(*partition),
        E::CoordinatorFound { broker, .. } => line.count("broker", broker.0),
        E::GroupProtocolChanged { to, epoch, .. } => line.word("protocol", to.name()).epoch(*epoch),
        E::GroupEpochBumped { epoch, reason, trigger, .. } => line.epoch(*epoch).word("reason", reason.name()).member("trigger", *trigger),
        E::TargetComputed { epoch, assigned, .. } => line.epoch(*epoch).assigned(assigned),
        E::MemberReconciled { member, epoch, state, assigned, revoking, .. } => {
            line.member("member", Some(*member)).epoch(*epoch).word("state", state.name());
            line.partitions(assigned).revoking(revoking)
        }
        E::AssignmentComputed { generation, assigned, .. } => line.generation(*generation).assigned(assigned),
        E::PollIntervalExceeded { last_poll, .. } => line.instant("last_poll_ns", *last_poll),
        E::MembershipLost { error, .. } => line.word("error", error.name()),
        E::RevocationPending { partitions, .. } | E::Revoked { partitions, .. } | E::Lost { partitions, .. } => line.partitions(partitions),
        E::Assigned { member, generation, partitions, .. } => {
            line.member("member", Some(*member)).generation(*generation).partitions(partitions)
        }
        E::PositionSet { partition, offset, source, .. } => line.partition(*partition).offset(*offset).word("source", source.name()),
        E::FetchStarted { partition, offset, .. } => line.partition(*partition).offset(*offset),
        E::Polled { partition, offsets, .. } | E::Dropped { partition, offsets, .. } => line.partition(*partition).offsets(*offsets),
        E::Processed { member, generation, partition, offsets, finished, .. } => {
            line.member("member", *member).generation(*generation).partition(*partition).offsets(*offsets).finished(finished)
        }
        E::CommitFailed { kind, failure, .. } => line.word("kind", kind.name()).word("failure", failure.name()),
        E::Fault(fault) => write_fault(line, fault),
        E::Topics(change) => write_topics(line, change),
        E::SettlePhaseEnded { drained } => line.flag("drained", *drained),
    };
}

//! What a fact is called and whom it is about.

use crate::trace::TraceEvent;
use crate::units::{BrokerId, ClientId, GroupId, ProducerId, TopicId};

/// Whom a fact is about: the line of a chart, the column of a transcript.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Subject {
    Run,
    Broker(BrokerId),
    Topic(TopicId),
    Producer(ProducerId),
    /// The group as its coordinator has it.
    Group(GroupId),
    Client(ClientId),
}

impl TraceEvent {
    pub const fn subject(&self) -> Subject {
        use TraceEvent as E;
        match self {
            E::Fault(fault) => fault.subject(),
            E::Topics(change) => change.subject(),
            E::RunPhaseEnded | E::SettlePhaseEnded { .. } => Subject::Run,
            E::PartitionsAdded { topic, .. } => Subject::Topic(*topic),
            E::Appended { producer, .. } | E::ProducerStopped { producer, .. } | E::RateChanged { producer, .. } => {
                Subject::Producer(*producer)
            }
            E::GroupStateChanged { group, .. }
            | E::MemberPending { group, .. }
            | E::PendingDropped { group, .. }
            | E::MemberAdded { group, .. }
            | E::MemberReplaced { group, .. }
            | E::MemberRemoved { group, .. }
            | E::RebalanceStarted { group, .. }
            | E::InitialDelayExtended { group, .. }
            | E::MemberRejoined { group, .. }
            | E::JoinPhaseEnded { group, .. }
            | E::HeartbeatHandled { group, .. }
            | E::RequestRefused { group, .. }
            | E::Committed { group, .. }
            | E::CommitRefused { group, .. }
            | E::OffsetExpired { group, .. }
            | E::GroupProtocolChanged { group, .. }
            | E::GroupEpochBumped { group, .. }
            | E::TargetComputed { group, .. }
            | E::MemberReconciled { group, .. }
            | E::GroupDeleted { group } => Subject::Group(*group),
            E::ClientStarted { client, .. }
            | E::ClientStopping { client }
            | E::ClientStopped { client }
            | E::ClientCrashed { client }
            | E::ClientPaused { client, .. }
            | E::ClientResumed { client }
            | E::ClientSlowed { client, .. }
            | E::ClientSpeedRestored { client }
            | E::ClientFailed { client, .. }
            | E::CoordinatorFound { client, .. }
            | E::JoinSent { client, .. }
            | E::AssignmentComputed { client, .. }
            | E::RebalanceNoticed { client }
            | E::PollIntervalExceeded { client, .. }
            | E::MembershipLost { client, .. }
            | E::RevocationPending { client, .. }
            | E::Revoked { client, .. }
            | E::Lost { client, .. }
            | E::Assigned { client, .. }
            | E::PositionSet { client, .. }
            | E::FetchStarted { client, .. }
            | E::Polled { client, .. }
            | E::Processed { client, .. }
            | E::Dropped { client, .. }
            | E::CommitFailed { client, .. } => Subject::Client(*client),
        }
    }

    /// The word for its kind, as in the JSON Lines.
    pub const fn name(&self) -> &'static str {
        match self {
            TraceEvent::Appended { .. } => "appended",
            TraceEvent::ProducerStopped { .. } => "producer_stopped",
            TraceEvent::RateChanged { .. } => "rate_changed",
            TraceEvent::PartitionsAdded { .. } => "partitions_added",
            TraceEvent::ClientStarted { .. } => "client_started",
            TraceEvent::ClientStopping { .. } => "client_stopping",
            TraceEvent::ClientStopped { .. } => "client_stopped",
            TraceEvent::ClientCrashed { .. } => "client_crashed",
            TraceEvent::ClientPaused { .. } => "client_paused",
            TraceEvent::ClientResumed { .. } => "client_resumed",
            TraceEvent::ClientSlowed { .. } => "client_slowed",
            TraceEvent::ClientSpeedRestored { .. } => "client_speed_restored",
            TraceEvent::ClientFailed { .. } => "client_failed",
            TraceEvent::GroupStateChanged { .. } => "group_state_changed",
            TraceEvent::MemberPending { .. } => "member_pending",
            TraceEvent::PendingDropped { .. } => "pending_dropped",
            TraceEvent::MemberAdded { .. } => "member_added",
            TraceEvent::MemberReplaced { .. } => "member_replaced",
            TraceEvent::MemberRemoved { .. } => "member_removed",
            TraceEvent::RebalanceStarted { .. } => "rebalance_started",
            TraceEvent::InitialDelayExtended { .. } => "initial_delay_extended",
            TraceEvent::MemberRejoined { .. } => "member_rejoined",
            TraceEvent::JoinPhaseEnded { .. } => "join_phase_ended",
            TraceEvent::HeartbeatHandled { .. } => "heartbeat_handled",
            TraceEvent::RequestRefused { .. } => "request_refused",
            TraceEvent::Committed { .. } => "committed",
            TraceEvent::CommitRefused { .. } => "commit_refused",
            TraceEvent::OffsetExpired { .. } => "offset_expired",
            TraceEvent::GroupDeleted { .. } => "group_deleted",
            TraceEvent::GroupProtocolChanged { .. } => "group_protocol_changed",
            TraceEvent::GroupEpochBumped { .. } => "group_epoch_bumped",
            TraceEvent::TargetComputed { .. } => "target_computed",
            TraceEvent::MemberReconciled { .. } => "member_reconciled",
            TraceEvent::CoordinatorFound { .. } => "coordinator_found",
            TraceEvent::JoinSent { .. } => "join_sent",
            TraceEvent::AssignmentComputed { .. } => "assignment_computed",
            TraceEvent::RebalanceNoticed { .. } => "rebalance_noticed",
            TraceEvent::PollIntervalExceeded { .. } => "poll_interval_exceeded",
            TraceEvent::MembershipLost { .. } => "membership_lost",
            TraceEvent::RevocationPending { .. } => "revocation_pending",
            TraceEvent::Revoked { .. } => "revoked",
            TraceEvent::Lost { .. } => "lost",
            TraceEvent::Assigned { .. } => "assigned",
            TraceEvent::PositionSet { .. } => "position_set",
            TraceEvent::FetchStarted { .. } => "fetch_started",
            TraceEvent::Polled { .. } => "polled",
            TraceEvent::Processed { .. } => "processed",
            TraceEvent::Dropped { .. } => "dropped",
            TraceEvent::CommitFailed { .. } => "commit_failed",
            TraceEvent::Fault(fault) => fault.name(),
            TraceEvent::Topics(change) => change.name(),
            TraceEvent::RunPhaseEnded => "run_phase_ended",
            TraceEvent::SettlePhaseEnded { .. } => "settle_phase_ended",
        }
    }
}

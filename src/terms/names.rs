//! The one word for each term, in traces and reports: Kafka's own where it has one, else snake case.

use std::fmt;

use crate::terms::{
    ClientRequest, CommitFailure, CommitKind, ConsumerGroupState, EpochReason, ErrorCode, FatalError, GroupProperty, GroupProtocol,
    GroupState, MemberState, MigrationPolicy, Peers, PositionSource, RebalanceReason, RemovalReason, RequestKind,
};

impl ErrorCode {
    pub const fn name(self) -> &'static str {
        match self {
            ErrorCode::None => "NONE",
            ErrorCode::UnknownServerError => "UNKNOWN_SERVER_ERROR",
            ErrorCode::OffsetMetadataTooLarge => "OFFSET_METADATA_TOO_LARGE",
            ErrorCode::CoordinatorLoadInProgress => "COORDINATOR_LOAD_IN_PROGRESS",
            ErrorCode::CoordinatorNotAvailable => "COORDINATOR_NOT_AVAILABLE",
            ErrorCode::NotCoordinator => "NOT_COORDINATOR",
            ErrorCode::IllegalGeneration => "ILLEGAL_GENERATION",
            ErrorCode::InconsistentGroupProtocol => "INCONSISTENT_GROUP_PROTOCOL",
            ErrorCode::InvalidGroupId => "INVALID_GROUP_ID",
            ErrorCode::UnknownMemberId => "UNKNOWN_MEMBER_ID",
            ErrorCode::InvalidSessionTimeout => "INVALID_SESSION_TIMEOUT",
            ErrorCode::RebalanceInProgress => "REBALANCE_IN_PROGRESS",
            ErrorCode::NonEmptyGroup => "NON_EMPTY_GROUP",
            ErrorCode::GroupIdNotFound => "GROUP_ID_NOT_FOUND",
            ErrorCode::MemberIdRequired => "MEMBER_ID_REQUIRED",
            ErrorCode::GroupMaxSizeReached => "GROUP_MAX_SIZE_REACHED",
            ErrorCode::FencedInstanceId => "FENCED_INSTANCE_ID",
            ErrorCode::UnstableOffsetCommit => "UNSTABLE_OFFSET_COMMIT",
            ErrorCode::GroupSubscribedToTopic => "GROUP_SUBSCRIBED_TO_TOPIC",
            ErrorCode::UnknownTopicOrPartition => "UNKNOWN_TOPIC_OR_PARTITION",
            ErrorCode::UnsupportedVersion => "UNSUPPORTED_VERSION",
            ErrorCode::InvalidRequest => "INVALID_REQUEST",
            ErrorCode::FencedMemberEpoch => "FENCED_MEMBER_EPOCH",
            ErrorCode::StaleMemberEpoch => "STALE_MEMBER_EPOCH",
            ErrorCode::UnreleasedInstanceId => "UNRELEASED_INSTANCE_ID",
            ErrorCode::UnsupportedAssignor => "UNSUPPORTED_ASSIGNOR",
        }
    }
}

impl ClientRequest {
    pub const ALL: [ClientRequest; 13] = [
        ClientRequest::FindCoordinator,
        ClientRequest::Metadata,
        ClientRequest::JoinGroup,
        ClientRequest::SyncGroup,
        ClientRequest::Heartbeat,
        ClientRequest::LeaveGroup,
        ClientRequest::ConsumerGroupHeartbeat,
        ClientRequest::OffsetCommit,
        ClientRequest::OffsetFetch,
        ClientRequest::Fetch,
        ClientRequest::ListOffsets,
        ClientRequest::OffsetsForLeaderEpoch,
        ClientRequest::CloseFetchSession,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            ClientRequest::FindCoordinator => "FindCoordinator",
            ClientRequest::Metadata => "Metadata",
            ClientRequest::JoinGroup => "JoinGroup",
            ClientRequest::SyncGroup => "SyncGroup",
            ClientRequest::Heartbeat => "Heartbeat",
            ClientRequest::LeaveGroup => "LeaveGroup",
            ClientRequest::ConsumerGroupHeartbeat => "ConsumerGroupHeartbeat",
            ClientRequest::OffsetCommit => "OffsetCommit",
            ClientRequest::OffsetFetch => "OffsetFetch",
            ClientRequest::Fetch => "Fetch",
            ClientRequest::ListOffsets => "ListOffsets",
            ClientRequest::OffsetsForLeaderEpoch => "OffsetsForLeaderEpoch",
            ClientRequest::CloseFetchSession => "CloseFetchSession",
        }
    }

    /// The only protocol that has it; both have all others.
    pub const fn protocol(self) -> Option<GroupProtocol> {
        match self {
            ClientRequest::JoinGroup | ClientRequest::SyncGroup | ClientRequest::Heartbeat | ClientRequest::LeaveGroup => {
                Some(GroupProtocol::Classic)
            }
            ClientRequest::ConsumerGroupHeartbeat => Some(GroupProtocol::Consumer),
            ClientRequest::FindCoordinator
            | ClientRequest::Metadata
            | ClientRequest::OffsetCommit
            | ClientRequest::OffsetFetch
            | ClientRequest::Fetch
            | ClientRequest::ListOffsets
            | ClientRequest::OffsetsForLeaderEpoch
            | ClientRequest::CloseFetchSession => None,
        }
    }
}

impl GroupProperty {
    pub const ALL: [GroupProperty; 3] =
        [GroupProperty::SessionTimeout, GroupProperty::HeartbeatInterval, GroupProperty::AssignmentInterval];

    pub const fn name(self) -> &'static str {
        match self {
            GroupProperty::SessionTimeout => "consumer.session.timeout.ms",
            GroupProperty::HeartbeatInterval => "consumer.heartbeat.interval.ms",
            GroupProperty::AssignmentInterval => "consumer.assignment.interval.ms",
        }
    }
}

impl Peers {
    /// A broker goes by its number, beside.
    pub const fn name(self) -> &'static str {
        match self {
            Peers::Coordinator => "coordinator",
            Peers::Leaders => "leaders",
            Peers::All => "all",
            Peers::Broker(_) => "broker",
        }
    }
}

impl CommitKind {
    pub const fn name(self) -> &'static str {
        match self {
            CommitKind::Auto => "auto",
            CommitKind::Prepare => "prepare",
            CommitKind::Sync => "sync",
            CommitKind::Async => "async",
            CommitKind::Revoke => "revoke",
            CommitKind::Close => "close",
        }
    }
}

impl GroupState {
    pub const fn name(self) -> &'static str {
        match self {
            GroupState::Empty => "Empty",
            GroupState::PreparingRebalance => "PreparingRebalance",
            GroupState::CompletingRebalance => "CompletingRebalance",
            GroupState::Stable => "Stable",
            GroupState::Dead => "Dead",
        }
    }
}

impl GroupProtocol {
    pub const fn name(self) -> &'static str {
        match self {
            GroupProtocol::Classic => "classic",
            GroupProtocol::Consumer => "consumer",
        }
    }
}

impl MigrationPolicy {
    pub const ALL: [MigrationPolicy; 4] =
        [MigrationPolicy::Disabled, MigrationPolicy::Upgrade, MigrationPolicy::Downgrade, MigrationPolicy::Bidirectional];

    pub const fn name(self) -> &'static str {
        match self {
            MigrationPolicy::Disabled => "disabled",
            MigrationPolicy::Upgrade => "upgrade",
            MigrationPolicy::Downgrade => "downgrade",
            MigrationPolicy::Bidirectional => "bidirectional",
        }
    }

    /// As Kafka, in any case.
    pub fn named(name: &str) -> Option<MigrationPolicy> {
        MigrationPolicy::ALL.into_iter().find(|policy| policy.name().eq_ignore_ascii_case(name))
    }
}

impl EpochReason {
    pub const fn name(self) -> &'static str {
        match self {
            EpochReason::MemberJoined => "member_joined",
            EpochReason::SubscriptionChanged => "subscription_changed",
            EpochReason::TopicsChanged => "topics_changed",
            EpochReason::AssignorChanged => "assignor_changed",
            EpochReason::PatternResolved => "pattern_resolved",
            EpochReason::MemberRemoved => "member_removed",
        }
    }
}

impl ConsumerGroupState {
    pub const fn name(self) -> &'static str {
        match self {
            ConsumerGroupState::Empty => "Empty",
            ConsumerGroupState::Assigning => "Assigning",
            ConsumerGroupState::Reconciling => "Reconciling",
            ConsumerGroupState::Stable => "Stable",
        }
    }
}

impl MemberState {
    pub const fn name(self) -> &'static str {
        match self {
            MemberState::Stable => "STABLE",
            MemberState::UnrevokedPartitions => "UNREVOKED_PARTITIONS",
            MemberState::UnreleasedPartitions => "UNRELEASED_PARTITIONS",
        }
    }
}

impl RebalanceReason {
    pub const fn name(self) -> &'static str {
        match self {
            RebalanceReason::MemberJoined => "member_joined",
            RebalanceReason::StaticMemberReplaced => "static_member_replaced",
            RebalanceReason::LeaderRejoined => "leader_rejoined",
            RebalanceReason::MemberRejoined => "member_rejoined",
            RebalanceReason::MemberLeft => "member_left",
            RebalanceReason::SessionExpired => "session_expired",
            RebalanceReason::SyncTimedOut => "sync_timed_out",
            RebalanceReason::AssignmentNotStored => "assignment_not_stored",
            RebalanceReason::GroupTooLarge => "group_too_large",
            RebalanceReason::Upgraded => "upgraded",
            RebalanceReason::Downgraded => "downgraded",
            RebalanceReason::PatternResolved => "pattern_resolved",
            RebalanceReason::SubscriptionChanged => "subscription_changed",
            RebalanceReason::TopicsChanged => "topics_changed",
            RebalanceReason::AssignorChanged => "assignor_changed",
            RebalanceReason::RevocationTimedOut => "revocation_timed_out",
        }
    }
}

impl RemovalReason {
    pub const fn name(self) -> &'static str {
        match self {
            RemovalReason::Left => "left",
            RemovalReason::SessionExpired => "session_expired",
            RemovalReason::NewMemberTimedOut => "new_member_timed_out",
            RemovalReason::JoinTimedOut => "join_timed_out",
            RemovalReason::SyncTimedOut => "sync_timed_out",
            RemovalReason::GroupFull => "group_full",
            RemovalReason::RevocationTimedOut => "revocation_timed_out",
            RemovalReason::Forgotten => "forgotten",
        }
    }
}

impl PositionSource {
    pub const fn name(self) -> &'static str {
        match self {
            PositionSource::Committed => "committed",
            PositionSource::ResetEarliest => "reset_earliest",
            PositionSource::ResetLatest => "reset_latest",
        }
    }
}

impl CommitFailure {
    /// The exception that the application sees.
    pub const fn name(self) -> &'static str {
        match self {
            CommitFailure::NotAMember => "CommitFailedException",
            CommitFailure::RebalanceInProgress => "RebalanceInProgressException",
            CommitFailure::Fenced => "FencedInstanceIdException",
            CommitFailure::Retriable => "RetriableCommitFailedException",
            CommitFailure::TimedOut => "TimeoutException",
            CommitFailure::StaleEpoch => "StaleMemberEpochException",
            CommitFailure::UnknownTopic => "UnknownTopicOrPartitionException",
        }
    }
}

impl FatalError {
    /// The exception that the application sees.
    pub const fn name(self) -> &'static str {
        match self {
            FatalError::FencedInstanceId => "FencedInstanceIdException",
            FatalError::InconsistentGroupProtocol => "InconsistentGroupProtocolException",
            FatalError::InvalidSessionTimeout => "InvalidSessionTimeoutException",
            FatalError::GroupMaxSizeReached => "GroupMaxSizeReachedException",
            FatalError::NoOffsetForPartition => "NoOffsetForPartitionException",
            FatalError::AssignorFailed => "an exception of the assignor",
            FatalError::UnreleasedInstanceId => "UnreleasedInstanceIdException",
            FatalError::UnsupportedAssignor => "UnsupportedAssignorException",
            FatalError::GroupIdNotFound => "GroupIdNotFoundException",
            FatalError::UnsupportedVersion => "UnsupportedVersionException",
            FatalError::UnknownServerError => "UnknownServerException",
        }
    }
}

impl RequestKind {
    pub const fn name(self) -> &'static str {
        match self {
            RequestKind::JoinGroup => "JoinGroup",
            RequestKind::SyncGroup => "SyncGroup",
            RequestKind::LeaveGroup => "LeaveGroup",
        }
    }
}

macro_rules! displayed_by_name {
    ($($term:ident),+) => {$(
        impl fmt::Display for $term {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.name())
            }
        }
    )+};
}

displayed_by_name!(
    ClientRequest,
    CommitFailure,
    CommitKind,
    EpochReason,
    ErrorCode,
    FatalError,
    GroupProtocol,
    GroupState,
    MemberState,
    Peers,
    PositionSource,
    RebalanceReason,
    RemovalReason,
    RequestKind
);

//! Kafka's terms that messages and facts share: error codes, states and reasons.

use std::sync::Arc;

use crate::units::BrokerId;

pub mod names;

/// A name that Kafka passes through and compares: a protocol type, an assignor.
pub type Name = Arc<str>;

/// Kafka's `Errors` that a group coordinator or a partition leader answers with.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ErrorCode {
    None,
    /// Kafka threw an exception that it did not expect itself.
    UnknownServerError,
    OffsetMetadataTooLarge,
    CoordinatorLoadInProgress,
    CoordinatorNotAvailable,
    NotCoordinator,
    IllegalGeneration,
    InconsistentGroupProtocol,
    InvalidGroupId,
    UnknownMemberId,
    InvalidSessionTimeout,
    RebalanceInProgress,
    NonEmptyGroup,
    GroupIdNotFound,
    MemberIdRequired,
    GroupMaxSizeReached,
    FencedInstanceId,
    UnstableOffsetCommit,
    GroupSubscribedToTopic,
    UnknownTopicOrPartition,
    UnsupportedVersion,
    InvalidRequest,
    FencedMemberEpoch,
    StaleMemberEpoch,
    UnreleasedInstanceId,
    UnsupportedAssignor,
}

/// Why a commit is made. Not part of Kafka's request: it rides along for the trace.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum CommitKind {
    /// The periodic auto-commit at the start of a poll.
    Auto,
    /// The auto-commit in onJoinPrepare.
    Prepare,
    /// `commitSync` by the application.
    Sync,
    /// `commitAsync` by the application.
    Async,
    /// `commitSync` in the rebalance listener.
    Revoke,
    /// The commit in `close()`.
    Close,
}

/// The states of a classic group (ClassicGroupState).
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub enum GroupState {
    Empty,
    PreparingRebalance,
    CompletingRebalance,
    Stable,
    Dead,
}

/// The protocol that a group runs.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub enum GroupProtocol {
    Classic,
    /// KIP-848.
    Consumer,
}

/// Whether groups with members may change their protocol (group.consumer.migration.policy).
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum MigrationPolicy {
    Disabled,
    Upgrade,
    Downgrade,
    Bidirectional,
}

impl MigrationPolicy {
    pub const fn may_upgrade(self) -> bool {
        match self {
            MigrationPolicy::Upgrade | MigrationPolicy::Bidirectional => true,
            MigrationPolicy::Disabled | MigrationPolicy::Downgrade => false,
        }
    }

    pub const fn may_downgrade(self) -> bool {
        match self {
            MigrationPolicy::Downgrade | MigrationPolicy::Bidirectional => true,
            MigrationPolicy::Disabled | MigrationPolicy::Upgrade => false,
        }
    }

    pub const fn is_disabled(self) -> bool {
        match self {
            MigrationPolicy::Disabled => true,
            MigrationPolicy::Upgrade | MigrationPolicy::Downgrade | MigrationPolicy::Bidirectional => false,
        }
    }
}

/// Why the epoch of a KIP-848 group was bumped.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum EpochReason {
    MemberJoined,
    /// A member is subscribed to other topics.
    SubscriptionChanged,
    /// A subscribed topic was created, deleted or got more partitions.
    TopicsChanged,
    /// The group prefers another assignor.
    AssignorChanged,
    MemberRemoved,
    /// A pattern that members subscribe with matches other topics than before, or was matched for the first time.
    PatternResolved,
}

/// The states of a KIP-848 group, derived from its epochs and members (ConsumerGroupState).
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub enum ConsumerGroupState {
    Empty,
    /// The target is older than the group.
    Assigning,
    /// Members are on their way to the target.
    Reconciling,
    Stable,
}

/// How far a member of a KIP-848 group is on its way to its target (MemberState).
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub enum MemberState {
    Stable,
    /// It has to give partitions up first.
    UnrevokedPartitions,
    /// Partitions of its target are still with others.
    UnreleasedPartitions,
}

/// Why a join phase was opened.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum RebalanceReason {
    /// A member joined; the trigger is the newcomer.
    MemberJoined,
    /// A static member came back while the group was completing a rebalance, or its return changes the protocol vote.
    StaticMemberReplaced,
    /// The leader asked to rejoin (its topics changed, or it wants a new assignment).
    LeaderRejoined,
    /// A follower rejoined with other metadata.
    MemberRejoined,
    MemberLeft,
    /// A session timed out.
    SessionExpired,
    /// A member got the JoinGroup answer and never sent SyncGroup.
    SyncTimedOut,
    /// The leader's assignment could not be stored.
    AssignmentNotStored,
    /// More members than group.max.size were loaded.
    GroupTooLarge,
    /// The first KIP-848 member joined the members of a classic group, which is one of that protocol from then on.
    Upgraded,
    /// The last KIP-848 member is gone: the group is a classic one.
    Downgraded,
    /// A member of a KIP-848 group subscribed to other topics.
    SubscriptionChanged,
    /// Topics of a KIP-848 group were created, deleted or got more partitions.
    TopicsChanged,
    /// A KIP-848 group prefers another assignor.
    AssignorChanged,
    /// A member of a KIP-848 group did not give partitions up in time.
    RevocationTimedOut,
    /// A pattern that members of a KIP-848 group subscribe with matches other topics than before.
    PatternResolved,
}

/// Why a member was taken out of a group.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum RemovalReason {
    /// LeaveGroup.
    Left,
    /// Its session timed out.
    SessionExpired,
    /// A new member waited 300 s for the join phase to end (or one session, if it spoke meanwhile).
    NewMemberTimedOut,
    /// It had not rejoined when the join phase ended.
    JoinTimedOut,
    /// It had not sent SyncGroup when the sync phase ended.
    SyncTimedOut,
    /// group.max.size.
    GroupFull,
    /// It did not give partitions up within its rebalance timeout (KIP-848).
    RevocationTimedOut,
    /// It had joined since the group was last written, and the coordinator failed over.
    Forgotten,
}

/// Where a position came from.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum PositionSource {
    Committed,
    ResetEarliest,
    ResetLatest,
}

/// Why a commit came to nothing on the client's side.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum CommitFailure {
    /// CommitFailedException: the member is not part of the group any more.
    NotAMember,
    /// RebalanceInProgressException.
    RebalanceInProgress,
    /// FencedInstanceIdException.
    Fenced,
    /// RetriableCommitFailedException.
    Retriable,
    /// TimeoutException: commitSync() tried again until default.api.timeout.ms was over.
    TimedOut,
    /// StaleMemberEpochException: the member has moved to another epoch meanwhile (KIP-848).
    StaleEpoch,
    /// UnknownTopicOrPartitionException: what was to be committed does not exist any more. It would be retried, if not before a revocation
    /// (KIP-848).
    UnknownTopic,
}

/// A fatal exception thrown to the application; the client is closed without a word to the group.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum FatalError {
    FencedInstanceId,
    InconsistentGroupProtocol,
    InvalidSessionTimeout,
    GroupMaxSizeReached,
    /// NoOffsetForPartitionException: auto.offset.reset is none and nothing is committed.
    NoOffsetForPartition,
    /// The assignor of the group's leader threw.
    AssignorFailed,
    /// Another process has the instance id (KIP-848).
    UnreleasedInstanceId,
    UnsupportedAssignor,
    /// The group is gone, or is a classic one that cannot be upgraded.
    GroupIdNotFound,
    /// The broker does not know the request.
    UnsupportedVersion,
    /// The coordinator threw an exception that Kafka did not expect of it.
    UnknownServerError,
}

/// What a consumer asks a broker for.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ClientRequest {
    FindCoordinator,
    Metadata,
    JoinGroup,
    SyncGroup,
    Heartbeat,
    LeaveGroup,
    /// Of the consumer protocol: it joins, beats, acknowledges and leaves.
    ConsumerGroupHeartbeat,
    OffsetCommit,
    OffsetFetch,
    Fetch,
    ListOffsets,
    OffsetsForLeaderEpoch,
    /// A Fetch that ends the session.
    CloseFetchSession,
}

/// What a KIP-848 group may have of its own on the brokers (GroupConfig).
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum GroupProperty {
    SessionTimeout,
    HeartbeatInterval,
    AssignmentInterval,
}

/// Whom a consumer cannot reach.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Peers {
    /// The group coordinator, on the connection that the client has for it.
    Coordinator,
    /// All brokers as partition leaders, and as those that look the coordinator up.
    Leaders,
    All,
    /// One broker, whatever it is asked for.
    Broker(BrokerId),
}

/// The group requests that a coordinator may refuse.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum RequestKind {
    JoinGroup,
    SyncGroup,
    LeaveGroup,
}

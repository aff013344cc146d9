//! Requests and responses of the group protocols, and Kafka's error codes.
//!
//! The fields are those of Kafka's own messages (JoinGroup v9, SyncGroup v5, Heartbeat v4, LeaveGroup v5, OffsetCommit v9, OffsetFetch v9,
//! TxnOffsetCommit v4, ConsumerGroupHeartbeat v1) as far as they matter to a coordinator. An empty member id is `None`.

use crate::terms::{CommitKind, ErrorCode, Name};
use crate::units::{ClientId, GroupId, InstanceId, MemberId, Offset, PatternId, Span, TopicId, TopicPartition};

/// What a member tells about itself in one of its protocols. Kafka compares the bytes: equal iff all fields are equal.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Subscription {
    pub topics: Vec<TopicId>,
    /// User data of the assignor.
    pub user_data: Option<Name>,
    /// User data of `sticky`: what the member got last, and in which generation.
    pub last_assigned: Option<(Vec<TopicPartition>, i32)>,
    pub owned: Vec<TopicPartition>,
    pub owned_generation: Option<i32>,
}

/// One entry of a JoinGroup's list: the name of an assignor and the metadata for it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProtocolEntry {
    pub name: Name,
    pub metadata: Subscription,
}

/// Partitions handed to a member; `None` are the empty bytes of a member that the leader did not mention.
pub type Assignment = Option<Vec<TopicPartition>>;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JoinGroup {
    pub client: ClientId,
    pub member: Option<MemberId>,
    pub instance: Option<InstanceId>,
    pub session_timeout: Span,
    pub rebalance_timeout: Span,
    pub protocol_type: Name,
    pub protocols: Vec<ProtocolEntry>,
    /// Request version: 9 for the clients that are simulated.
    pub version: u16,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SyncGroup {
    pub member: Option<MemberId>,
    pub instance: Option<InstanceId>,
    pub generation: i32,
    pub protocol_type: Option<Name>,
    pub protocol: Option<Name>,
    /// From the leader: every member's assignment. Else empty.
    pub assignments: Vec<(MemberId, Vec<TopicPartition>)>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Heartbeat {
    pub member: Option<MemberId>,
    pub instance: Option<InstanceId>,
    pub generation: i32,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LeaveGroup {
    pub members: Vec<(Option<MemberId>, Option<InstanceId>)>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OffsetCommit {
    pub member: Option<MemberId>,
    pub instance: Option<InstanceId>,
    /// -1 without group management.
    pub generation: i32,
    /// Partition, offset, bytes of metadata.
    pub offsets: Vec<(TopicPartition, Offset, u32)>,
    pub version: u16,
    pub kind: CommitKind,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TxnOffsetCommit {
    pub producer: u64,
    pub member: Option<MemberId>,
    pub instance: Option<InstanceId>,
    pub generation: i32,
    pub offsets: Vec<(TopicPartition, Offset, u32)>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OffsetFetch {
    pub member: Option<MemberId>,
    pub member_epoch: i32,
    pub require_stable: bool,
    /// `None`: all partitions of the group.
    pub partitions: Option<Vec<TopicPartition>>,
}

/// ConsumerGroupHeartbeat (KIP-848). Fields that did not change may be left out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConsumerHeartbeat {
    pub member: Option<MemberId>,
    /// 0 joins, -1 leaves, -2 is a static member that will be back.
    pub epoch: i32,
    pub instance: Option<InstanceId>,
    pub rebalance_timeout: Option<Span>,
    pub topics: Option<Vec<TopicId>>,
    /// subscribedTopicRegex; `Some(None)` is the empty one, which takes a former one back.
    pub pattern: Option<Option<PatternId>>,
    pub assignor: Option<Name>,
    /// The partitions that the member has, pending revocations excepted.
    pub owned: Option<Vec<TopicPartition>>,
}

/// A request to the group coordinator.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum GroupRequest {
    Join(JoinGroup),
    Sync(SyncGroup),
    Heartbeat(Heartbeat),
    Leave(LeaveGroup),
    ConsumerHeartbeat(ConsumerHeartbeat),
    OffsetCommit(OffsetCommit),
    TxnOffsetCommit(TxnOffsetCommit),
    OffsetFetch(OffsetFetch),
    OffsetDelete { partitions: Vec<TopicPartition> },
    DeleteGroup,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JoinAnswer {
    pub error: ErrorCode,
    pub member: Option<MemberId>,
    /// -1 with an error.
    pub generation: i32,
    pub protocol_type: Option<Name>,
    pub protocol: Option<Name>,
    pub leader: Option<MemberId>,
    pub skip_assignment: bool,
    /// Only for the leader: everybody with the metadata of the chosen protocol, in member order.
    pub members: Vec<JoinedMember>,
}

impl JoinAnswer {
    /// An error. Kafka leaves the protocol empty but for validation errors and fencing, where it is null; no client looks at it.
    pub fn refusal(member: Option<MemberId>, error: ErrorCode) -> Self {
        JoinAnswer {
            error,
            member,
            generation: -1,
            protocol_type: None,
            protocol: Some(Name::default()),
            leader: None,
            skip_assignment: false,
            members: Vec::new(),
        }
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JoinedMember {
    pub member: MemberId,
    pub instance: Option<InstanceId>,
    pub metadata: Subscription,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SyncAnswer {
    pub error: ErrorCode,
    pub protocol_type: Option<Name>,
    pub protocol: Option<Name>,
    pub assignment: Assignment,
}

impl SyncAnswer {
    pub const fn refusal(error: ErrorCode) -> Self {
        SyncAnswer { error, protocol_type: None, protocol: None, assignment: None }
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConsumerHeartbeatAnswer {
    pub error: ErrorCode,
    pub member: Option<MemberId>,
    pub epoch: i32,
    pub heartbeat_interval: Span,
    /// What the member shall have; `None`: nothing has changed.
    pub assignment: Option<Vec<TopicPartition>>,
}

impl ConsumerHeartbeatAnswer {
    pub const fn refusal(error: ErrorCode) -> Self {
        ConsumerHeartbeatAnswer { error, member: None, epoch: 0, heartbeat_interval: Span::ZERO, assignment: None }
    }
}

/// What OffsetFetch says of one partition.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum FetchedOffset {
    Committed(Offset),
    /// Kafka's -1.
    Nothing,
    /// UNSTABLE_OFFSET_COMMIT: a transaction is open on it.
    Unstable,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OffsetFetchAnswer {
    pub error: ErrorCode,
    pub offsets: Vec<(TopicPartition, FetchedOffset)>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum GroupResponse {
    Join(JoinAnswer),
    Sync(SyncAnswer),
    Heartbeat(ErrorCode),
    Leave { error: ErrorCode, members: Vec<(Option<MemberId>, Option<InstanceId>, ErrorCode)> },
    ConsumerHeartbeat(ConsumerHeartbeatAnswer),
    OffsetCommit(Vec<(TopicPartition, ErrorCode)>),
    TxnOffsetCommit(Vec<(TopicPartition, ErrorCode)>),
    OffsetFetch(OffsetFetchAnswer),
    OffsetDelete { error: ErrorCode, partitions: Vec<(TopicPartition, ErrorCode)> },
    DeleteGroup(ErrorCode),
}

impl GroupRequest {
    /// The answer to a request that is refused as a whole.
    pub fn refusal(&self, error: ErrorCode) -> GroupResponse {
        let each = |offsets: &[(TopicPartition, Offset, u32)]| offsets.iter().map(|(partition, _, _)| (*partition, error)).collect();
        match self {
            GroupRequest::Join(_) => GroupResponse::Join(JoinAnswer::refusal(None, error)),
            GroupRequest::Sync(_) => GroupResponse::Sync(SyncAnswer::refusal(error)),
            GroupRequest::Heartbeat(_) => GroupResponse::Heartbeat(error),
            GroupRequest::Leave(_) => GroupResponse::Leave { error, members: Vec::new() },
            GroupRequest::ConsumerHeartbeat(_) => GroupResponse::ConsumerHeartbeat(ConsumerHeartbeatAnswer::refusal(error)),
            GroupRequest::OffsetCommit(commit) => GroupResponse::OffsetCommit(each(&commit.offsets)),
            GroupRequest::TxnOffsetCommit(commit) => GroupResponse::TxnOffsetCommit(each(&commit.offsets)),
            GroupRequest::OffsetFetch(_) => GroupResponse::OffsetFetch(OffsetFetchAnswer { error, offsets: Vec::new() }),
            GroupRequest::OffsetDelete { .. } => GroupResponse::OffsetDelete { error, partitions: Vec::new() },
            GroupRequest::DeleteGroup => GroupResponse::DeleteGroup(error),
        }
    }
}

/// A request as it reaches the coordinator of its group.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ToCoordinator {
    pub group: GroupId,
    pub request: GroupRequest,
}

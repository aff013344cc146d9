//! The second narrow waist: what happened in a run, as typed facts in the order of virtual time.
//!
//! Every output is a fold over these events. They say what a participant did or saw, never what an observer concluded: "duplicated" and
//! "lost" are the ledger's words. Records appear as ranges.

use crate::terms::{
    CommitFailure, CommitKind, EpochReason, ErrorCode, FatalError, GroupProtocol, GroupState, MemberState, Name, PositionSource,
    RebalanceReason, RemovalReason, RequestKind,
};
use crate::trace::fault::Fault;
use crate::trace::times::{Created, Finished};
use crate::trace::topics::TopicChange;
use crate::units::{
    BrokerId, ClientId, GroupId, InstanceId, Instant, MemberId, Offset, OffsetRange, ProducerId, Rate, Span, TopicId, TopicPartition,
};

pub mod ending;
pub mod fault;
pub mod hash;
pub mod json;
pub mod lines;
pub mod names;
pub mod sinks;
pub mod subject;
pub mod text;
pub mod times;
pub mod topics;

/// Who takes part, as dense numbers: what a fold needs to size its tables. Names are the report's business.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Cast {
    /// By topic: the index of its partition 0 among all partitions.
    pub first_partition: Vec<usize>,
    /// By topic: how many partitions it has at the start, and at most ever has in this run.
    pub partitions: Vec<(u32, u32)>,
    /// By producer: where it writes to.
    pub producer_topic: Vec<TopicId>,
    /// By client: whose member it is.
    pub client_group: Vec<GroupId>,
    /// By group: what it is subscribed to.
    pub group_topics: Vec<Vec<TopicId>>,
}

impl Cast {
    pub fn partition_count(&self) -> usize {
        self.partitions.iter().map(|(_, most)| *most as usize).sum()
    }

    /// The index of a partition in tables over all partitions.
    pub fn index(&self, at: TopicPartition) -> usize {
        self.first_partition[at.topic.index()] + at.partition as usize
    }

    /// All partitions that ever exist, in index order.
    pub fn all_partitions(&self) -> impl Iterator<Item = TopicPartition> + '_ {
        self.partitions
            .iter()
            .enumerate()
            .flat_map(|(topic, (_, most))| (0..*most).map(move |partition| TopicPartition { topic: TopicId(topic as u32), partition }))
    }
}

/// A fact. `client` is a process by its place in the scenario; `member` an id that the coordinator gave out.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum TraceEvent {
    // The world
    /// Batches became visible to consumers (below the high watermark): `batches` of `per_batch` records each from offset `first` on, each
    /// visible `delay` after its first record was created. Told at the latest when somebody reads them: `at` may lie after their times.
    Appended {
        producer: ProducerId,
        partition: TopicPartition,
        first: Offset,
        per_batch: u32,
        batches: u64,
        created: Created,
        delay: Span,
    },
    /// End of the run phase: so many records were handed to `send()`.
    ProducerStopped {
        producer: ProducerId,
        sent: u64,
    },
    RateChanged {
        producer: ProducerId,
        rate: Rate,
    },
    PartitionsAdded {
        topic: TopicId,
        from: u32,
        to: u32,
    },
    /// A process starts its `life`-th life.
    ClientStarted {
        client: ClientId,
        life: u32,
    },
    /// Its application was told to stop; the batch in hand is finished, then `close()`.
    ClientStopping {
        client: ClientId,
    },
    ClientStopped {
        client: ClientId,
    },
    ClientCrashed {
        client: ClientId,
    },
    ClientPaused {
        client: ClientId,
        until: Instant,
    },
    ClientResumed {
        client: ClientId,
    },
    /// Processing takes `factor` thousandths of its time.
    ClientSlowed {
        client: ClientId,
        factor: u64,
    },
    ClientSpeedRestored {
        client: ClientId,
    },
    ClientFailed {
        client: ClientId,
        error: FatalError,
    },

    // The coordinator
    GroupStateChanged {
        group: GroupId,
        from: GroupState,
        to: GroupState,
        generation: i32,
    },
    /// MEMBER_ID_REQUIRED was answered: the id is pending until its second JoinGroup.
    MemberPending {
        group: GroupId,
        member: MemberId,
    },
    /// A pending id was dropped: expired, left or refused.
    PendingDropped {
        group: GroupId,
        member: MemberId,
        reason: RemovalReason,
    },
    MemberAdded {
        group: GroupId,
        member: MemberId,
        instance: Option<InstanceId>,
    },
    /// A static member came back under a new id.
    MemberReplaced {
        group: GroupId,
        old: MemberId,
        new: MemberId,
        instance: InstanceId,
    },
    MemberRemoved {
        group: GroupId,
        member: MemberId,
        reason: RemovalReason,
    },
    /// The group entered PreparingRebalance; without early completion the phase ends at `deadline`. `initial`: the initial rebalance delay.
    RebalanceStarted {
        group: GroupId,
        reason: RebalanceReason,
        trigger: Option<MemberId>,
        generation: i32,
        deadline: Instant,
        initial: bool,
    },
    /// A further window of the initial rebalance delay.
    InitialDelayExtended {
        group: GroupId,
        until: Instant,
    },
    /// A member's JoinGroup waits for the end of the join phase.
    MemberRejoined {
        group: GroupId,
        member: MemberId,
    },
    /// The join phase ended; `members` is 0 when the group became empty.
    JoinPhaseEnded {
        group: GroupId,
        generation: i32,
        leader: Option<MemberId>,
        protocol: Option<Name>,
        members: u32,
    },
    HeartbeatHandled {
        group: GroupId,
        member: Option<MemberId>,
        error: ErrorCode,
    },
    /// JoinGroup, SyncGroup or LeaveGroup was answered with an error at once.
    RequestRefused {
        group: GroupId,
        member: Option<MemberId>,
        request: RequestKind,
        error: ErrorCode,
    },
    /// The coordinator took a committed offset.
    Committed {
        group: GroupId,
        member: Option<MemberId>,
        partition: TopicPartition,
        offset: Offset,
        kind: CommitKind,
    },
    CommitRefused {
        group: GroupId,
        member: Option<MemberId>,
        kind: CommitKind,
        error: ErrorCode,
    },
    OffsetExpired {
        group: GroupId,
        partition: TopicPartition,
    },
    GroupDeleted {
        group: GroupId,
    },

    // The clients
    CoordinatorFound {
        client: ClientId,
        broker: BrokerId,
    },
    /// JoinGroup was sent; without a member id at first.
    JoinSent {
        client: ClientId,
        member: Option<MemberId>,
    },
    /// This member, as leader, computed everybody's partitions.
    AssignmentComputed {
        client: ClientId,
        generation: i32,
        assigned: Box<[(MemberId, Box<[TopicPartition]>)]>,
    },
    /// A heartbeat answer told that a rebalance is on.
    RebalanceNoticed {
        client: ClientId,
    },
    /// max.poll.interval.ms passed without a poll: the client leaves the group.
    PollIntervalExceeded {
        client: ClientId,
        last_poll: Instant,
    },
    /// The client learned that it is no member any more.
    MembershipLost {
        client: ClientId,
        error: ErrorCode,
    },
    /// These partitions return no more records: a revocation is about to happen (pendingRevocation).
    RevocationPending {
        client: ClientId,
        partitions: Box<[TopicPartition]>,
    },
    /// onPartitionsRevoked, or its moment if nobody listens; it may be called with nothing.
    Revoked {
        client: ClientId,
        partitions: Box<[TopicPartition]>,
    },
    /// onPartitionsLost, or its moment if nobody listens.
    Lost {
        client: ClientId,
        partitions: Box<[TopicPartition]>,
    },
    /// onPartitionsAssigned with the newly added partitions; `generation` is the client's.
    Assigned {
        client: ClientId,
        member: MemberId,
        generation: i32,
        partitions: Box<[TopicPartition]>,
    },
    PositionSet {
        client: ClientId,
        partition: TopicPartition,
        offset: Offset,
        source: PositionSource,
    },
    /// The first Fetch of a partition by its new owner was sent.
    FetchStarted {
        client: ClientId,
        partition: TopicPartition,
        offset: Offset,
    },
    /// poll() returned these records of one partition.
    Polled {
        client: ClientId,
        partition: TopicPartition,
        offsets: OffsetRange,
    },
    /// The application finished these records. Told when the batch ends or is cut short.
    Processed {
        client: ClientId,
        member: Option<MemberId>,
        generation: i32,
        partition: TopicPartition,
        offsets: OffsetRange,
        finished: Finished,
    },
    /// These records were in the application's hands and will not be processed from this poll (crash, kick with a dead process).
    Dropped {
        client: ClientId,
        partition: TopicPartition,
        offsets: OffsetRange,
    },
    CommitFailed {
        client: ClientId,
        kind: CommitKind,
        failure: CommitFailure,
    },

    // The phases
    /// Producers stop; what was broken heals.
    RunPhaseEnded,
    SettlePhaseEnded {
        drained: bool,
    },

    // KIP-848 groups; last, since the hash of a trace counts the kinds of facts
    /// A group with members, or an Empty one, goes on under the other protocol.
    GroupProtocolChanged {
        group: GroupId,
        to: GroupProtocol,
        epoch: i32,
    },
    /// Something changed; the target follows at a heartbeat.
    GroupEpochBumped {
        group: GroupId,
        epoch: i32,
        reason: EpochReason,
        trigger: Option<MemberId>,
    },
    /// The coordinator computed what everybody shall have in the end.
    TargetComputed {
        group: GroupId,
        epoch: i32,
        assigned: Box<[(MemberId, Box<[TopicPartition]>)]>,
    },
    /// A heartbeat led a member one step towards its target: what it has from here on, and what it is told to give up.
    MemberReconciled {
        group: GroupId,
        member: MemberId,
        epoch: i32,
        state: MemberState,
        assigned: Box<[TopicPartition]>,
        revoking: Box<[TopicPartition]>,
    },
    /// Something happened to the network or to a broker.
    Fault(Fault),
    /// Something happened to a topic, or to what a consumer wants of topics.
    Topics(TopicChange),
}

/// Takes facts in order.
pub trait Sink {
    fn record(&mut self, at: Instant, event: &TraceEvent);
}

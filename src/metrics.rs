//! Counters and series of a run: lag, rebalances, who owned what, how long each partition was not read, latencies.
//!
//! A fold over the trace. Nothing is sampled while the run goes on: appended and processed ranges carry their times, so any sampling
//! interval gives exact values, and choosing another changes nothing else.

use crate::terms::{GroupState, Name, RebalanceReason, RemovalReason};
use crate::units::{ClientId, Instant, MemberId, Offset, Span, TopicPartition};

/// All that was measured. Samples lie at 0, `interval`, 2·`interval`, … up to the end of the run and settle phases; a sample sees
/// everything of its own nanosecond.
#[derive(Clone, PartialEq, Debug)]
pub struct Measurements {
    pub sample_interval: Span,
    pub samples: usize,
    /// When the run phase ended, and when everything did.
    pub run_end: Instant,
    pub end: Instant,
    /// By group.
    pub groups: Vec<GroupMeasurements>,
    /// What happened to clients, producers and topics, in order: the marks of a chart.
    pub marks: Vec<Mark>,
}

#[derive(Clone, PartialEq, Debug)]
pub struct GroupMeasurements {
    /// Of the subscribed topics, in order.
    pub partitions: Vec<PartitionMeasurements>,
    pub rebalances: Vec<Rebalance>,
    /// From a record's creation to the end of its first processing.
    pub latency: Latency,
    /// Times that a member was kicked by max.poll.interval.ms, in order, with the sum of the group's committed offsets then.
    pub kicks: Vec<(Instant, ClientId, u64)>,
    /// Heartbeats, accepted commits (requests), refused commits, failed commits.
    pub heartbeats: u64,
    pub commits: u64,
    pub commits_refused: u64,
    pub commits_failed: u64,
    /// poll() calls that returned records.
    pub polls: u64,
    /// The sum over partitions of `unprocessed`, at its highest sample of the run phase, and at the end of the run and of everything.
    pub peak_lag: u64,
    pub run_end_lag: u64,
    pub final_lag: u64,
}

#[derive(Clone, PartialEq, Debug)]
pub struct PartitionMeasurements {
    pub partition: TopicPartition,
    /// By sample.
    pub lag: Vec<LagSample>,
    /// Who could hand out its records, in order; gaps are nobody.
    pub owners: Vec<OwnerSpan>,
    pub outages: Vec<Outage>,
    /// Committed at the end.
    pub committed: Option<Offset>,
}

/// One sample of one partition.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub struct LagSample {
    /// High watermark - committed; `None` without a commit.
    pub committed: Option<i64>,
    /// High watermark - position of the owner (or of the last one); without any, high watermark - 0.
    pub position: i64,
    /// Records below the high watermark that the application has not finished (in their first processing) and that were not skipped.
    pub unprocessed: u64,
}

/// From onPartitionsAssigned to the moment from which it could hand out no more records.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct OwnerSpan {
    pub client: ClientId,
    pub from: Instant,
    pub to: Instant,
}

/// From the instant when the last owner could no longer hand out records (revocation pending, crashed, stopped, lost) to the next owner's
/// first Fetch; `to` is `None` if that never came. The time before the first owner of all is an outage from the start of the run.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Outage {
    pub from: Instant,
    pub to: Option<Instant>,
    /// The next owner's first record handed to the application.
    pub first_record: Option<Instant>,
    /// Before any owner.
    pub initial: bool,
}

/// A rebalance of a classic group: from PreparingRebalance until Stable (or Empty, or until the next one overtook it).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rebalance {
    pub reason: RebalanceReason,
    /// Who caused it: the joiner, the leaver, the expired one.
    pub trigger: Option<MemberId>,
    pub started: Instant,
    /// The end of the join phase; `None` if the run ended first.
    pub joined: Option<Instant>,
    /// Stable again (the assignment is stored), or Empty.
    pub ended: Option<Instant>,
    /// The state in which it ended; PreparingRebalance if the next rebalance overtook it.
    pub ended_in: Option<GroupState>,
    /// The generation that it made.
    pub generation: Option<i32>,
    pub leader: Option<MemberId>,
    pub protocol: Option<Name>,
    pub members: u32,
    /// The initial rebalance delay (the group came from Empty).
    pub initial: bool,
    /// Members of the group whose rejoining (or removal) the join phase waited for, in the order in which they were done; the time counts
    /// from the start of the rebalance.
    pub waited_for: Vec<Waited>,
}

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Waited {
    pub member: MemberId,
    pub lasted: Span,
    pub how: WaitEnd,
}

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum WaitEnd {
    Rejoined,
    Removed(RemovalReason),
}

/// A latency distribution in nanoseconds: exact count, sum and extremes; percentiles from a log-linear histogram (64 buckets an octave,
/// hence within 1.6 %).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Latency {
    pub count: u64,
    pub sum: u128,
    pub min: u64,
    pub max: u64,
    /// Ascending: bucket's lowest value, count.
    pub buckets: Vec<(u64, u64)>,
}

/// Something that a reader of a chart wants to see at its time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mark {
    pub at: Instant,
    pub kind: MarkKind,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum MarkKind {
    Started(ClientId),
    Stopping(ClientId),
    Crashed(ClientId),
    /// With its length.
    Paused(ClientId, Span),
    /// In thousandths.
    Slowed(ClientId, u64),
    SpeedRestored(ClientId),
    /// max.poll.interval.ms.
    Kicked(ClientId),
    Failed(ClientId),
    RateChanged(crate::units::ProducerId),
    PartitionsAdded(crate::units::TopicId, u32),
    RunPhaseEnded,
}

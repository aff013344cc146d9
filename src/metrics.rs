//! Counters and series of a run: lag, rebalances, who owned what, how long each partition was not read, latencies.
//!
//! A fold over the trace. Nothing is sampled while the run goes on: appended and processed ranges carry their times, so any sampling
//! interval gives exact values, and choosing another changes nothing else.

use std::collections::BTreeMap;

use crate::deliveries::Delivery;
use crate::fold::{Append, Fold, Known, Poll, Work};
use crate::ownership::Ownership;
use crate::records::CreationTimes;
use crate::slots::Slots;
use crate::terms::{CommitKind, GroupProtocol, GroupState, Name, RebalanceReason, RemovalReason};
use crate::trace::{Cast, TraceEvent};
use crate::units::{ClientId, Instant, MemberId, Offset, Span, TopicId, TopicPartition};

pub mod availability;
mod epochs;
mod latency;
pub mod livelock;
mod lives;
pub mod marks;
mod reading;
mod rebalances;
mod result;
mod series;
mod zombies;

use availability::HeldUp;
use latency::Histogram;
use lives::Lives;
use marks::{Mark, MarkKind};
use reading::Reading;
use rebalances::Rebalances;
use series::{Counts, Grid};
use zombies::Zombies;

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
    /// What is known of each member that any coordinator gave an id.
    pub members: BTreeMap<MemberId, Membership>,
    /// In the order in which they began.
    pub leaderless: Vec<Leaderless>,
}

impl Measurements {
    /// The run came to a stop before its time: nothing was measured later.
    pub fn cut_off(&mut self, at: Instant) {
        self.end = at;
        self.samples = self.samples.min((at.as_nanos() / self.sample_interval.as_nanos()) as usize + 1);
        for partition in self.groups.iter_mut().flat_map(|group| &mut group.partitions) {
            partition.lag.truncate(self.samples);
            partition.high_watermark.truncate(self.samples);
            partition.owners.iter_mut().chain(&mut partition.zombies).for_each(|span| span.to = span.to.min(at));
        }
    }
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
    /// Heartbeats; requests to commit that were taken whole, and that were refused, whole or in part; commits that failed for the client.
    pub heartbeats: u64,
    pub commits: u64,
    pub commits_refused: u64,
    pub commits_failed: u64,
    /// poll() calls that returned records; those of the run phase.
    pub polls: u64,
    pub run_phase_polls: u64,
    /// The sum over partitions of `unprocessed`: at its highest sample or at one of the two ends; at the end of the run phase; and at that of everything.
    pub peak_lag: u64,
    pub run_end_lag: u64,
    pub final_lag: u64,
}

#[derive(Clone, PartialEq, Debug)]
pub struct PartitionMeasurements {
    pub partition: TopicPartition,
    /// By sample.
    pub lag: Vec<LagSample>,
    /// By sample.
    pub high_watermark: Vec<u64>,
    /// What had not been processed at the end of the run phase, which seldom is a sample.
    pub run_end_lag: u64,
    /// The lag and the high watermark at the end of everything.
    pub final_lag: LagSample,
    pub final_high_watermark: u64,
    /// The group's first position; offset 0 before it has one.
    pub start: Offset,
    /// Who could hand out its records, in order; gaps are nobody.
    pub owners: Vec<OwnerSpan>,
    /// Who worked on with records of it after it had lost it, in order.
    pub zombies: Vec<OwnerSpan>,
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
    pub held_up: Option<HeldUp>,
}

/// A partition had no leader: whoever owned it, nobody could read it.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Leaderless {
    pub partition: TopicPartition,
    pub from: Instant,
    /// `None`: until the end.
    pub to: Option<Instant>,
}

/// Whose a member id is.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Membership {
    /// The process, by its life: after a restart it is another one.
    pub life: u32,
    /// When the coordinator first knew of it.
    pub since: Instant,
}

/// A rebalance: from PreparingRebalance, in a KIP-848 group from a bump of its epoch, until Stable (or Empty, or the next one overtook it).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rebalance {
    pub reason: RebalanceReason,
    /// Which protocol the group ran then.
    pub group_protocol: GroupProtocol,
    /// Who caused it: the joiner, the leaver, the expired one.
    pub trigger: Option<MemberId>,
    pub started: Instant,
    /// The end of the join phase, or the computation of the target; `None` if the run ended first.
    pub joined: Option<Instant>,
    /// Stable again (the assignment is stored), or Empty.
    pub ended: Option<Instant>,
    /// The state in which it ended; PreparingRebalance if the next rebalance overtook it.
    pub ended_in: Option<GroupState>,
    /// The generation that it made, or the epoch.
    pub generation: Option<i32>,
    pub leader: Option<MemberId>,
    pub protocol: Option<Name>,
    pub members: u32,
    /// The initial rebalance delay (the group came from Empty).
    pub initial: bool,
    /// Members of the group whose rejoining (or removal) the join phase waited for, or whose way to the target (or removal); in the order in which they were done; the time counts
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
    /// It is at the target (KIP-848).
    Reconciled,
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
    /// Ascending, those with records: the highest value that belongs there, count.
    pub buckets: Vec<(u64, u64)>,
}

/// The fold.
#[derive(Clone, Debug)]
pub struct Metrics {
    grid: Grid,
    created: CreationTimes,
    partitions: Vec<Partition>,
    /// By slot.
    readings: Vec<Reading>,
    groups: Vec<GroupCounts>,
    /// By client: its last poll that returned something.
    last_poll: Vec<Option<Instant>>,
    marks: Vec<Mark>,
    lives: Lives,
    zombies: Zombies,
    leaderless: Vec<Leaderless>,
}

#[derive(Clone, Debug)]
struct Partition {
    /// Records below the high watermark.
    visible: Counts,
    /// The slots of the groups that read it.
    readers: Vec<usize>,
}

#[derive(Clone, Default, Debug)]
struct GroupCounts {
    rebalances: Rebalances,
    latency: Histogram,
    kicks: Vec<(Instant, ClientId, u64)>,
    heartbeats: u64,
    commits: u64,
    commits_refused: u64,
    commits_failed: u64,
    polls: u64,
    /// Once that is over.
    run_phase_polls: Option<u64>,
    /// Of all partitions.
    committed: u64,
    /// A request commits several partitions, each of which is told by itself.
    last_commit: Option<(Instant, Option<MemberId>, CommitKind)>,
    last_refusal: Option<(Instant, Option<MemberId>, CommitKind)>,
}

impl Partition {
    fn new(readers: impl Iterator<Item = usize>) -> Self {
        Partition { visible: Counts::default(), readers: readers.collect() }
    }
}

impl Metrics {
    /// `run`: the length of the run phase.
    pub fn new(cast: &Cast, sample_interval: Span, run: Span) -> Self {
        assert!(!sample_interval.is_zero(), "samples lie apart");
        let slots = Slots::new(cast);
        let mut metrics = Metrics {
            grid: Grid { interval: sample_interval, run_end: Instant::ZERO + run },
            created: CreationTimes::new(slots.partitions()),
            partitions: cast.all_partitions().map(|partition| Partition::new(slots.of_partition(partition))).collect(),
            readings: slots.places().map(|(group, partition)| Reading::new(group, partition)).collect(),
            groups: vec![GroupCounts::default(); cast.group_topics.len()],
            last_poll: vec![None; cast.client_group.len()],
            marks: Vec::new(),
            lives: Lives::new(cast.client_group.len()),
            zombies: Zombies::default(),
            leaderless: Vec::new(),
        };
        for (topic, (partitions, _)) in cast.partitions.iter().enumerate() {
            metrics.partitions_begin(Instant::ZERO, cast, TopicId(topic as u32), 0..*partitions);
        }
        metrics
    }

    /// All that was measured, when the trace has come to its end.
    pub fn measurements(mut self, known: &Known) -> Measurements {
        // Nobody asks for them any longer, and the samples need room.
        self.created = CreationTimes::new(0);
        result::measurements(self, known)
    }
}

impl Fold for Metrics {
    #[inline(always)]
    fn appended(&mut self, _at: Instant, append: &Append<'_>) {
        self.became_visible(append);
    }

    #[inline(always)]
    fn polled(&mut self, at: Instant, poll: Poll<'_>, _known: &Known) {
        self.handed_out(at, poll);
    }

    #[inline(always)]
    fn processed(&mut self, _at: Instant, work: Work<'_>) {
        self.zombies.processed(work);
    }

    #[inline(always)]
    fn delivered(&mut self, slot: usize, delivery: Delivery<'_>, _ownership: &Ownership) {
        self.finished(slot, delivery);
    }

    fn owner_gone(&mut self, at: Instant, slot: usize) {
        self.readings[slot].availability.owner_gone(at);
    }

    fn told(&mut self, at: Instant, event: &TraceEvent, known: &Known) {
        self.lives.record(at, event);
        self.zombies.record(at, event, known);
        match event {
            TraceEvent::ClientStarted { client, .. } => self.mark(at, MarkKind::Started(*client)),
            TraceEvent::PositionSet { .. } | TraceEvent::FetchStarted { .. } => self.begins_to_read(at, event, known),
            TraceEvent::Committed { .. }
            | TraceEvent::CommitRefused { .. }
            | TraceEvent::CommitFailed { .. }
            | TraceEvent::OffsetExpired { .. }
            | TraceEvent::GroupDeleted { .. } => self.commit(at, event, known),
            TraceEvent::HeartbeatHandled { group, .. } => self.group(*group).heartbeats += 1,
            TraceEvent::GroupStateChanged { group, .. }
            | TraceEvent::MemberPending { group, .. }
            | TraceEvent::PendingDropped { group, .. }
            | TraceEvent::MemberAdded { group, .. }
            | TraceEvent::MemberReplaced { group, .. }
            | TraceEvent::MemberRemoved { group, .. }
            | TraceEvent::RebalanceStarted { group, .. }
            | TraceEvent::MemberRejoined { group, .. }
            | TraceEvent::GroupEpochBumped { group, .. }
            | TraceEvent::TargetComputed { group, .. }
            | TraceEvent::MemberReconciled { group, .. }
            | TraceEvent::JoinPhaseEnded { group, .. } => self.group(*group).rebalances.record(at, event),
            TraceEvent::GroupProtocolChanged { group, to, .. } => {
                self.group(*group).rebalances.record(at, event);
                self.mark(at, MarkKind::ProtocolChanged(*group, *to));
            }
            TraceEvent::PollIntervalExceeded { client, .. } => self.kicked(at, *client, known.slots.group_of(*client)),
            TraceEvent::RateChanged { producer, .. } => self.mark(at, MarkKind::RateChanged(*producer)),
            TraceEvent::PartitionsAdded { topic, from, to } => {
                self.partitions_begin(at, known.slots.cast(), *topic, *from..*to);
                self.mark(at, MarkKind::PartitionsAdded(*topic, *to));
            }
            TraceEvent::ClientStopping { client } => self.mark(at, MarkKind::Stopping(*client)),
            TraceEvent::ClientStopped { client } => self.mark(at, MarkKind::Stopped(*client)),
            TraceEvent::ClientCrashed { client } => self.mark(at, MarkKind::Crashed(*client)),
            TraceEvent::ClientPaused { client, until } => self.mark(at, MarkKind::Paused(*client, until.since(at))),
            TraceEvent::ClientSlowed { client, factor } => self.mark(at, MarkKind::of_speed(*client, *factor)),
            TraceEvent::ClientSpeedRestored { client } => self.mark(at, MarkKind::SpeedRestored(*client)),
            TraceEvent::ClientFailed { client, error } => self.mark(at, MarkKind::Failed(*client, *error)),
            TraceEvent::ClientResumed { client } => self.mark(at, MarkKind::Resumed(*client)),
            TraceEvent::Fault(fault) => self.fault(at, fault),
            TraceEvent::Topics(change) => self.topic_change(at, known.slots.cast(), change),
            TraceEvent::RunPhaseEnded => self.run_phase_ended(at),
            TraceEvent::Appended { .. }
            | TraceEvent::Polled { .. }
            | TraceEvent::Processed { .. }
            | TraceEvent::Dropped { .. }
            | TraceEvent::ProducerStopped { .. }
            | TraceEvent::InitialDelayExtended { .. }
            | TraceEvent::RequestRefused { .. }
            | TraceEvent::CoordinatorFound { .. }
            | TraceEvent::JoinSent { .. }
            | TraceEvent::AssignmentComputed { .. }
            | TraceEvent::RebalanceNoticed { .. }
            | TraceEvent::MembershipLost { .. }
            | TraceEvent::RevocationPending { .. }
            | TraceEvent::Revoked { .. }
            | TraceEvent::Lost { .. }
            | TraceEvent::Assigned { .. }
            | TraceEvent::SettlePhaseEnded { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests;

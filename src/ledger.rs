//! The fate of every record, as ranges.
//!
//! For each group every produced record is exactly one of *processed once*, *duplicated* (processed twice or more), *lost* (passed over by
//! the committed offset, never processed, and in nobody's hands), *skipped* (the group's start position or a reset passed over it), *deleted* (gone with its
//! topic before that) and *unsettled* (the run ended first). "Processed" means that the application finished the record. The ledger is a fold
//! over the trace and never looks into a broker: broker and ledger are two independent accounts of one run.

use crate::deliveries::Delivery;
use crate::fold::{Append, Fold, Known};
use crate::ownership::Ownership;
use crate::terms::RemovalReason;
use crate::trace::topics::TopicChange;
use crate::trace::{Cast, TraceEvent};
use crate::units::{ClientId, GroupId, Instant, Offset, OffsetRange, TopicPartition};

mod closing;
pub mod page;

use page::{Page, Processing};

/// What became of the records that one group should have processed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Account {
    pub produced: u64,
    pub processed_once: u64,
    pub duplicated: u64,
    /// Deliveries beyond the first.
    pub extra: u64,
    pub lost: u64,
    pub skipped: u64,
    pub deleted: u64,
    pub unsettled: u64,
    /// In order of the second processing.
    pub duplicates: Vec<Duplicate>,
    /// By partition and offset.
    pub losses: Vec<Loss>,
    pub skips: Vec<Skip>,
}

/// A range that was processed again, and why it could be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Duplicate {
    pub partition: TopicPartition,
    pub offsets: OffsetRange,
    /// Whose work it repeats, and when the last record of the range had been done; `None` if that is no longer known, because it was
    /// committed since and nobody else had the partition. Of several it is the one to whom the partition was given last.
    pub before: (ClientId, Option<Instant>),
    /// Who processed it again, and when the first record of the range was done again.
    pub again: (ClientId, Instant),
    pub cause: DuplicateCause,
    /// To whom the cause happened. Mostly who had processed it before; it is who processed it again if that was a zombie, which the next
    /// owner had overtaken.
    pub undone: ClientId,
    /// It processed them after that: it did not know yet, and went on with what it had in hand or could still fetch.
    pub zombie: bool,
}

/// What came between the first processing and a commit of it.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum DuplicateCause {
    /// The process died at that time.
    Crashed(Instant),
    /// max.poll.interval.ms passed: the client left the group by itself.
    PollIntervalExceeded(Instant),
    /// The coordinator removed the member.
    Removed(RemovalReason, Instant),
    /// The partition was taken away by a rebalance before the records were committed.
    Revoked(Instant),
    /// Another process took the member's place, with its group.instance.id.
    Replaced(Instant),
    /// The client closed without a commit of what it had processed.
    Stopped(Instant),
    /// They had been committed; then a commit said less, and whoever came next began there.
    CommitWentBack(Instant),
    /// The same owner read them again after its position went back.
    Rewound(Instant),
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Loss {
    pub partition: TopicPartition,
    pub offsets: OffsetRange,
    /// Who committed past them without having processed them, when that is known.
    pub committed_by: Option<(ClientId, Instant)>,
    /// How the records left the application's hands, if they ever were there.
    pub cause: LossCause,
}

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum LossCause {
    /// Committed before they were processed; then the process died.
    CommittedThenCrashed(Instant),
    /// Committed, then the owner lost the partition or closed with the records in hand.
    CommittedThenGivenUp(Instant),
    /// A committed offset went past records that nobody had polled.
    CommittedUnread,
}

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Skip {
    pub group: GroupId,
    pub partition: TopicPartition,
    pub offsets: OffsetRange,
    /// The client whose auto.offset.reset jumped, and when.
    pub by: ClientId,
    pub at: Instant,
}

/// The fold. Its size grows with disturbances, not with records or batches.
#[derive(Clone, Debug)]
pub struct Ledger {
    /// By slot.
    pages: Vec<Page>,
    /// By partition: how many records it has.
    appended: Vec<Offset>,
    producers: Vec<Sent>,
    /// By client.
    crashes: Vec<Vec<Instant>>,
    /// By topic.
    deleted: Vec<bool>,
    /// Whether the settle phase ended with everything drained.
    drained: bool,
}

/// What one producer handed over.
#[derive(Copy, Clone, Default, Debug)]
struct Sent {
    appended: u64,
    /// Told at the end of the run phase.
    sent: Option<u64>,
}

impl Ledger {
    pub fn new(cast: &Cast) -> Self {
        Ledger {
            pages: vec![Page::default(); cast.group_topics.len() * cast.partition_count()],
            appended: vec![Offset(0); cast.partition_count()],
            producers: vec![Sent::default(); cast.producer_topic.len()],
            crashes: vec![Vec::new(); cast.client_group.len()],
            deleted: vec![false; cast.partitions.len()],
            drained: false,
        }
    }

    /// The account of each group, when the trace has come to its end.
    ///
    /// Panics if a group's records do not add up: then the trace contradicts itself.
    pub fn accounts(&self, known: &Known) -> Vec<Account> {
        known.slots.groups().map(|group| self.close(known, group)).collect()
    }

    /// How often each record that was processed at all was processed, by whom first and last; by offset.
    pub fn processings(&self, slot: usize) -> impl Iterator<Item = (OffsetRange, Processing)> {
        self.pages[slot].processings()
    }

    /// How many ranges the ledger keeps for its answer.
    pub fn ranges(&self) -> usize {
        self.pages.iter().map(Page::ranges).sum()
    }

    fn positions_changed(&mut self, at: Instant, event: &TraceEvent, known: &Known) {
        let slots = &known.slots;
        if let TraceEvent::Committed { group, member, partition, offset, .. } = event {
            let slot = slots.at(*group, *partition);
            let may_forget = if known.ownership.is_shared(slot) {
                Offset(0)
            } else {
                known.deliveries.first_unsettled(slot).map_or(*offset, |first| first.min(*offset))
            };
            self.pages[slot].committed(*offset, member.map(|member| member.client), at, may_forget);
        } else if let TraceEvent::OffsetExpired { group, partition } = event {
            self.pages[slots.at(*group, *partition)].uncommitted();
        } else if let TraceEvent::GroupDeleted { group } = event {
            slots.of_group(*group).for_each(|(_, slot)| self.pages[slot].uncommitted());
        } else if let TraceEvent::PositionSet { client, partition, offset, source } = event {
            self.pages[slots.of(*client, *partition)].position_set(*offset, *source, *client, at);
        }
    }
}

impl Fold for Ledger {
    #[inline(always)]
    fn appended(&mut self, _at: Instant, append: &Append<'_>) {
        let end = &mut self.appended[append.index];
        *end = (*end).max(append.offsets.to);
        self.producers[append.producer.index()].appended += append.offsets.len();
    }

    #[inline(always)]
    fn delivered(&mut self, slot: usize, delivery: Delivery<'_>, ownership: &Ownership) {
        let hold = ownership.hold_at(slot, delivery.by.client, delivery.times.at(0));
        self.pages[slot].processed(delivery, hold, ownership.holds(slot));
    }

    fn told(&mut self, at: Instant, event: &TraceEvent, known: &Known) {
        match event {
            TraceEvent::Dropped { client, partition, offsets } => {
                self.pages[known.slots.of(*client, *partition)].dropped(*offsets, *client, at);
            }
            TraceEvent::ClientCrashed { client } => self.crashes[client.index()].push(at),
            TraceEvent::SettlePhaseEnded { drained } => self.drained = *drained,
            TraceEvent::Committed { .. }
            | TraceEvent::OffsetExpired { .. }
            | TraceEvent::GroupDeleted { .. }
            | TraceEvent::PositionSet { .. } => self.positions_changed(at, event, known),
            TraceEvent::Topics(TopicChange::Deleted { topic }) => self.deleted[topic.index()] = true,
            TraceEvent::Topics(TopicChange::Created { .. } | TopicChange::Subscribed { .. }) => {}
            TraceEvent::ProducerStopped { producer, sent } => self.producers[producer.index()].sent = Some(*sent),
            TraceEvent::Appended { .. }
            | TraceEvent::Polled { .. }
            | TraceEvent::Processed { .. }
            | TraceEvent::ClientStarted { .. }
            | TraceEvent::RateChanged { .. }
            | TraceEvent::PartitionsAdded { .. }
            | TraceEvent::ClientStopping { .. }
            | TraceEvent::ClientStopped { .. }
            | TraceEvent::ClientPaused { .. }
            | TraceEvent::ClientResumed { .. }
            | TraceEvent::ClientSlowed { .. }
            | TraceEvent::ClientSpeedRestored { .. }
            | TraceEvent::ClientFailed { .. }
            | TraceEvent::Fault(_)
            | TraceEvent::GroupStateChanged { .. }
            | TraceEvent::MemberPending { .. }
            | TraceEvent::PendingDropped { .. }
            | TraceEvent::MemberAdded { .. }
            | TraceEvent::MemberReplaced { .. }
            | TraceEvent::MemberRemoved { .. }
            | TraceEvent::RebalanceStarted { .. }
            | TraceEvent::InitialDelayExtended { .. }
            | TraceEvent::GroupProtocolChanged { .. }
            | TraceEvent::GroupEpochBumped { .. }
            | TraceEvent::TargetComputed { .. }
            | TraceEvent::MemberReconciled { .. }
            | TraceEvent::MemberRejoined { .. }
            | TraceEvent::JoinPhaseEnded { .. }
            | TraceEvent::HeartbeatHandled { .. }
            | TraceEvent::RequestRefused { .. }
            | TraceEvent::CommitRefused { .. }
            | TraceEvent::CoordinatorFound { .. }
            | TraceEvent::JoinSent { .. }
            | TraceEvent::AssignmentComputed { .. }
            | TraceEvent::RebalanceNoticed { .. }
            | TraceEvent::PollIntervalExceeded { .. }
            | TraceEvent::MembershipLost { .. }
            | TraceEvent::RevocationPending { .. }
            | TraceEvent::Revoked { .. }
            | TraceEvent::Lost { .. }
            | TraceEvent::Assigned { .. }
            | TraceEvent::FetchStarted { .. }
            | TraceEvent::CommitFailed { .. }
            | TraceEvent::RunPhaseEnded => {}
        }
    }
}

#[cfg(test)]
mod tests;

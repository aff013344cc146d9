//! The fate of every record, as ranges.
//!
//! For each group every produced record is exactly one of *processed once*, *duplicated* (processed twice or more), *lost* (passed over by
//! the committed offset and never processed), *skipped* (the group's start position or a reset passed over it) and *unsettled* (the run
//! ended first). "Processed" means that the application finished the record. The ledger is a fold over the trace and never looks into a
//! broker: broker and ledger are two independent accounts of one run.

use crate::deliveries::{Deliveries, Delivery};
use crate::ownership::Ownership;
use crate::slots::Slots;
use crate::terms::RemovalReason;
use crate::trace::{Cast, Sink, TraceEvent};
use crate::units::{ClientId, GroupId, Instant, Offset, OffsetRange, ProducerId, TopicPartition};

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
    /// Who had processed it, and when the last record of the range was first done.
    pub before: (ClientId, Instant),
    /// Who processed it again, and when the first record of the range was done again.
    pub again: (ClientId, Instant),
    pub cause: DuplicateCause,
    /// To whom the cause happened. Mostly who had processed it before; it is who processed it again if that was a zombie, which the next
    /// owner had overtaken.
    pub undone: ClientId,
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
    slots: Slots,
    ownership: Ownership,
    deliveries: Deliveries,
    pages: Vec<Page>,
    /// By partition: how many records it has.
    appended: Vec<Offset>,
    producers: Vec<Sent>,
    /// By client.
    crashes: Vec<Vec<Instant>>,
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
        let slots = Slots::new(cast);
        Ledger {
            ownership: Ownership::new(&slots),
            deliveries: Deliveries::new(&slots),
            pages: vec![Page::default(); slots.count()],
            appended: vec![Offset(0); slots.partitions()],
            producers: vec![Sent::default(); cast.producer_topic.len()],
            crashes: vec![Vec::new(); cast.client_group.len()],
            drained: false,
            slots,
        }
    }

    /// The account of each group.
    ///
    /// Panics if a group's records do not add up: then the trace contradicts itself.
    pub fn accounts(&self) -> Vec<Account> {
        if self.deliveries.holds_back() {
            let mut whole = self.clone();
            whole.write_all();
            return whole.accounts();
        }
        self.slots.groups().map(|group| self.close(group)).collect()
    }

    /// How often each record that was processed at all was processed, by whom first and last; by offset.
    pub fn processings(&self, group: GroupId, partition: TopicPartition) -> impl Iterator<Item = (OffsetRange, Processing)> {
        self.pages[self.slots.at(group, partition)].processings()
    }

    /// How many ranges the ledger keeps for its answer.
    pub fn ranges(&self) -> usize {
        self.pages.iter().map(Page::ranges).sum()
    }

    #[inline(always)]
    fn appended(&mut self, producer: ProducerId, partition: TopicPartition, first: Offset, records: u64) {
        let end = &mut self.appended[self.slots.cast().index(partition)];
        *end = (*end).max(first + records);
        self.producers[producer.index()].appended += records;
    }

    fn processed(&mut self, event: &TraceEvent) {
        let Some((slot, delivery)) = self.deliveries.told_by(event) else { return };
        if self.deliveries.passes_straight(slot, &delivery) {
            Self::write(&self.ownership, &mut self.pages, slot, delivery);
        } else {
            self.deliveries.settle(slot, delivery, |slot, delivery| Self::write(&self.ownership, &mut self.pages, slot, delivery));
        }
    }

    /// What ends the work of a client, or of all.
    fn broken_off(&mut self, at: Instant, event: &TraceEvent) {
        let write = |slot, delivery: Delivery<'_>| Self::write(&self.ownership, &mut self.pages, slot, delivery);
        if let TraceEvent::Dropped { client, partition, offsets } = event {
            self.deliveries.dropped(*client, *partition, *offsets, write);
            self.pages[self.slots.of(*client, *partition)].dropped(*offsets, *client, at);
        } else if let TraceEvent::ClientStarted { client, .. } = event {
            self.deliveries.started(*client, write);
            self.ownership.record(at, event);
        } else if let TraceEvent::ClientCrashed { client } = event {
            self.crashes[client.index()].push(at);
            self.ownership.record(at, event);
        } else if let TraceEvent::SettlePhaseEnded { drained } = event {
            self.drained = *drained;
            self.write_all();
        }
    }

    fn positions_changed(&mut self, at: Instant, event: &TraceEvent) {
        if let TraceEvent::Committed { group, member, partition, offset, .. } = event {
            self.pages[self.slots.at(*group, *partition)].committed(*offset, member.map(|member| member.client), at);
        } else if let TraceEvent::OffsetExpired { group, partition } = event {
            self.pages[self.slots.at(*group, *partition)].uncommitted();
        } else if let TraceEvent::GroupDeleted { group } = event {
            self.slots.of_group(*group).for_each(|(_, slot)| self.pages[slot].uncommitted());
        } else if let TraceEvent::PositionSet { client, partition, offset, source } = event {
            self.pages[self.slots.of(*client, *partition)].position_set(*offset, *source, *client, at);
        }
    }

    #[inline(always)]
    fn write(ownership: &Ownership, pages: &mut [Page], slot: usize, delivery: Delivery<'_>) {
        let hold = ownership.hold_of(slot, delivery.by.client);
        pages[slot].processed(delivery, hold);
    }

    fn write_all(&mut self) {
        self.deliveries.pass_on_all(|slot, delivery| Self::write(&self.ownership, &mut self.pages, slot, delivery));
    }
}

impl Sink for Ledger {
    #[inline(always)]
    fn record(&mut self, at: Instant, event: &TraceEvent) {
        // Almost all facts are about records.
        if let TraceEvent::Appended { producer, partition, first, per_batch, batches, .. } = event {
            self.appended(*producer, *partition, *first, u64::from(*per_batch) * batches);
        } else if let TraceEvent::Polled { client, partition, offsets } = event {
            self.deliveries.polled(*client, *partition, *offsets);
        } else if let TraceEvent::Processed { .. } = event {
            self.processed(event);
        } else {
            self.change(at, event);
        }
    }
}

impl Ledger {
    fn change(&mut self, at: Instant, event: &TraceEvent) {
        match event {
            TraceEvent::Appended { .. } | TraceEvent::Polled { .. } | TraceEvent::Processed { .. } => {}
            TraceEvent::Dropped { .. }
            | TraceEvent::ClientStarted { .. }
            | TraceEvent::ClientCrashed { .. }
            | TraceEvent::SettlePhaseEnded { .. } => self.broken_off(at, event),
            TraceEvent::Committed { .. }
            | TraceEvent::OffsetExpired { .. }
            | TraceEvent::GroupDeleted { .. }
            | TraceEvent::PositionSet { .. } => self.positions_changed(at, event),
            TraceEvent::ProducerStopped { producer, sent } => self.producers[producer.index()].sent = Some(*sent),
            TraceEvent::RateChanged { .. }
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
            | TraceEvent::RunPhaseEnded => {
                self.ownership.record(at, event);
            }
        }
    }
}

#[cfg(test)]
mod tests;

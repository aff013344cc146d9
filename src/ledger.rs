//! The fate of every record, as ranges.
//!
//! For each group every produced record is exactly one of *processed once*, *duplicated* (processed twice or more), *lost* (passed over by
//! the committed offset and never processed), *skipped* (the group's start position or a reset passed over it) and *unsettled* (the run
//! ended first). "Processed" means that the application finished the record. The ledger is a fold over the trace and never looks into a
//! broker: broker and ledger are two independent accounts of one run.

use crate::terms::RemovalReason;
use crate::units::{ClientId, GroupId, Instant, OffsetRange, TopicPartition};

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

//! Traces by hand, for the tests of the folds: clients A, B and C of one group read two partitions of one topic, to which one producer sends
//! a record a millisecond. Times are milliseconds.

use std::ops::Range;

use crate::fold::{Fold, Folding, Known};
use crate::terms::{CommitKind, ErrorCode, GroupState, PositionSource, RebalanceReason, RemovalReason};
use crate::trace::times::{Created, Finished};
use crate::trace::{Cast, Sink, TraceEvent};
use crate::units::{ClientId, GroupId, Instant, MemberId, Offset, OffsetRange, Pace, ProducerId, Rate, Span, TopicId, TopicPartition};

pub const A: ClientId = ClientId(0);
pub const B: ClientId = ClientId(1);
pub const C: ClientId = ClientId(2);
pub const GROUP: GroupId = GroupId(0);

#[derive(Clone, Default)]
pub struct Story {
    now: Instant,
    pub trace: Vec<(Instant, TraceEvent)>,
}

pub fn cast() -> Cast {
    Cast {
        first_partition: vec![0],
        partitions: vec![(2, 3)],
        producer_topic: vec![TopicId(0)],
        client_group: vec![GROUP; 3],
        group_topics: vec![vec![TopicId(0)]],
    }
}

pub fn tp(partition: u32) -> TopicPartition {
    TopicPartition { topic: TopicId(0), partition }
}

pub fn ms(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

pub fn member(client: ClientId) -> MemberId {
    MemberId { client, number: 1 }
}

pub fn range(offsets: Range<u64>) -> OffsetRange {
    OffsetRange::new(Offset(offsets.start), Offset(offsets.end))
}

impl Story {
    pub fn at(mut self, millis: u64) -> Self {
        self.now = ms(millis);
        self
    }

    pub fn tell(mut self, event: TraceEvent) -> Self {
        self.trace.push((self.now, event));
        self
    }

    pub fn folded<F: Fold>(&self, fold: F) -> (F, Known) {
        let mut folding = Folding::new(&cast(), fold);
        self.trace.iter().for_each(|(at, event)| folding.record(*at, event));
        folding.finish()
    }

    /// One by one, created and visible at the milliseconds that their offsets say.
    pub fn appended(self, partition: u32, offsets: Range<u64>) -> Self {
        let pace = Pace::new(Instant::ZERO, Rate { records: 1000, per: Span::from_secs(1) });
        let created = Created::Even { pace, index: offsets.start };
        let (first, batches) = (Offset(offsets.start), offsets.end - offsets.start);
        self.tell(TraceEvent::Appended {
            producer: ProducerId(0),
            partition: tp(partition),
            first,
            per_batch: 1,
            batches,
            created,
            delay: Span::ZERO,
        })
    }

    /// Assigned, at a committed offset, and fetching.
    pub fn takes(self, client: ClientId, partition: u32, offset: u64) -> Self {
        self.assigned(client, 1, &[partition]).starts(client, partition, offset, PositionSource::Committed)
    }

    pub fn assigned(self, client: ClientId, generation: i32, partitions: &[u32]) -> Self {
        let partitions = partitions.iter().copied().map(tp).collect();
        self.tell(TraceEvent::Assigned { client, member: member(client), generation, partitions })
    }

    pub fn starts(self, client: ClientId, partition: u32, offset: u64, source: PositionSource) -> Self {
        let (partition, offset) = (tp(partition), Offset(offset));
        self.tell(TraceEvent::PositionSet { client, partition, offset, source }).tell(TraceEvent::FetchStarted {
            client,
            partition,
            offset,
        })
    }

    pub fn polled(self, client: ClientId, partition: u32, offsets: Range<u64>) -> Self {
        self.tell(TraceEvent::Polled { client, partition: tp(partition), offsets: range(offsets) })
    }

    /// The last of them at this moment, one a millisecond.
    pub fn processed(self, client: ClientId, partition: u32, offsets: Range<u64>) -> Self {
        let first = Instant::from_nanos(self.now.as_nanos() + 1_000_000 - (offsets.end - offsets.start) * 1_000_000);
        let finished = Finished::Even { first, each: Span::from_millis(1) };
        let (member, partition, offsets) = (Some(member(client)), tp(partition), range(offsets));
        self.tell(TraceEvent::Processed { client, member, generation: 1, partition, offsets, finished })
    }

    pub fn dropped(self, client: ClientId, partition: u32, offsets: Range<u64>) -> Self {
        self.tell(TraceEvent::Dropped { client, partition: tp(partition), offsets: range(offsets) })
    }

    pub fn committed(self, client: ClientId, partition: u32, offset: u64) -> Self {
        let (member, partition, offset) = (Some(member(client)), tp(partition), Offset(offset));
        self.tell(TraceEvent::Committed { group: GROUP, member, partition, offset, kind: CommitKind::Sync })
    }

    pub fn crashed(self, client: ClientId) -> Self {
        self.tell(TraceEvent::ClientCrashed { client })
    }

    pub fn kicked(self, client: ClientId) -> Self {
        self.tell(TraceEvent::PollIntervalExceeded { client, last_poll: Instant::ZERO })
    }

    pub fn revoked(self, client: ClientId, partition: u32) -> Self {
        self.tell(TraceEvent::Revoked { client, partitions: [tp(partition)].into() })
    }

    pub fn lost(self, client: ClientId, partition: u32) -> Self {
        self.tell(TraceEvent::MembershipLost { client, error: ErrorCode::UnknownMemberId })
            .tell(TraceEvent::Lost { client, partitions: [tp(partition)].into() })
    }

    pub fn added(self, client: ClientId) -> Self {
        self.tell(TraceEvent::MemberAdded { group: GROUP, member: member(client), instance: None })
    }

    pub fn removed(self, client: ClientId, reason: RemovalReason) -> Self {
        self.tell(TraceEvent::MemberRemoved { group: GROUP, member: member(client), reason })
    }

    pub fn rejoined(self, client: ClientId) -> Self {
        self.tell(TraceEvent::MemberRejoined { group: GROUP, member: member(client) })
    }

    pub fn state(self, from: GroupState, to: GroupState, generation: i32) -> Self {
        self.tell(TraceEvent::GroupStateChanged { group: GROUP, from, to, generation })
    }

    pub fn rebalance(self, reason: RebalanceReason, trigger: ClientId, generation: i32) -> Self {
        let (trigger, deadline) = (Some(member(trigger)), Instant::NEVER);
        self.tell(TraceEvent::RebalanceStarted { group: GROUP, reason, trigger, generation, deadline, initial: false })
    }

    pub fn all_joined(self, leader: ClientId, generation: i32, members: u32) -> Self {
        let (leader, protocol) = (Some(member(leader)), Some("range".into()));
        self.tell(TraceEvent::JoinPhaseEnded { group: GROUP, generation, leader, protocol, members })
    }

    pub fn ends(self, sent: u64, drained: bool) -> Self {
        self.tell(TraceEvent::ProducerStopped { producer: ProducerId(0), sent })
            .tell(TraceEvent::RunPhaseEnded)
            .tell(TraceEvent::SettlePhaseEnded { drained })
    }
}

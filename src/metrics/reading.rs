//! What the facts about reading mean for the series, latencies and outages.

use super::availability::Availability;
use super::latency::Histogram;
use super::series::{Counts, Grid, Steps};
use super::{CreationTimes, Deliveries, Delivery, GroupCounts, Mark, MarkKind, Metrics};
use crate::deliveries::Times;
use crate::ranges::RangeMap;
use crate::terms::PositionSource;
use crate::trace::TraceEvent;
use crate::trace::fault::Fault;
use crate::units::{ClientId, GroupId, Instant, Offset, OffsetRange, TopicId, TopicPartition};

/// Kafka's INVALID_OFFSET: nothing is committed.
pub(super) const NONE: i64 = -1;

/// One group's reading of one partition.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    group: GroupId,
    /// The index of the partition.
    partition: usize,
    /// Records that were processed for the first time, or skipped.
    pub done: Counts,
    /// What is done with each record.
    seen: RangeMap<Seen>,
    pub committed: Steps,
    pub position: Steps,
    /// The first position of all.
    pub start: Option<Offset>,
    pub availability: Availability,
}

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
enum Seen {
    Processed,
    Skipped(Instant),
}

impl Reading {
    pub fn new(group: GroupId, partition: usize) -> Self {
        Reading {
            group,
            partition,
            done: Counts::default(),
            seen: RangeMap::default(),
            committed: Steps::new(NONE),
            position: Steps::new(0),
            start: None,
            availability: Availability::default(),
        }
    }

    /// Whether the delivery goes on where the last one ended.
    #[inline(always)]
    fn goes_on(&mut self, grid: Grid, offsets: OffsetRange, times: Times<'_>) -> bool {
        let goes_on = self.seen.extend(offsets, &Seen::Processed);
        if goes_on {
            self.done.add_all(grid, offsets.len(), times);
        }
        goes_on
    }

    /// Returns the parts that are processed for the first time.
    fn processed(&mut self, grid: Grid, delivery: Delivery<'_>, mut first: impl FnMut(Delivery<'_>)) {
        let Reading { done, seen, .. } = self;
        seen.update(delivery.offsets, |piece, before| {
            let part = delivery.cut(piece);
            match before {
                None => {
                    done.add_all(grid, piece.len(), part.times);
                    first(part);
                }
                Some(Seen::Skipped(at)) => {
                    done_before_skipped(done, grid, part, *at);
                    first(part);
                }
                Some(Seen::Processed) => {}
            }
            Some(Seen::Processed)
        });
    }

    /// A reset went past everything below `to` that was not processed; what was committed had been reached.
    fn skipped(&mut self, grid: Grid, at: Instant, to: Offset) {
        let Reading { done, seen, committed, .. } = self;
        let from = Offset(u64::try_from(committed.latest).unwrap_or(0));
        if from < to {
            seen.update(OffsetRange::new(from, to), |piece, before| {
                if before.is_none() {
                    done.add(grid, at, piece.len() as i64);
                }
                before.copied().or(Some(Seen::Skipped(at)))
            });
        }
    }

    fn is_processed(&self, window: OffsetRange) -> bool {
        self.seen.is_all(window, &Seen::Processed)
    }
}

/// Records that had been taken for skipped were in somebody's hands; those that were finished by then count from their own time.
fn done_before_skipped(done: &mut Counts, grid: Grid, part: Delivery<'_>, skipped: Instant) {
    let earlier = part.times.count_until(part.offsets.len(), skipped);
    done.add_all(grid, earlier, part.times);
    done.add(grid, skipped, -(earlier as i64));
}

impl Metrics {
    pub(super) fn partitions_begin(&mut self, at: Instant, topic: TopicId, from: u32, to: u32) {
        for partition in (from..to).map(|partition| TopicPartition { topic, partition }) {
            for slot in &self.readers[self.slots.cast().index(partition)] {
                self.readings[*slot].availability.begins(at);
            }
        }
    }

    pub(super) fn group(&mut self, group: GroupId) -> &mut GroupCounts {
        &mut self.groups[group.index()]
    }

    pub(super) fn fault(&mut self, at: Instant, fault: &Fault) {
        match fault {
            Fault::CutOff { client, from, until } => self.mark(at, MarkKind::CutOff(*client, *from, until.since(at))),
            Fault::RequestDropped { client, request } => self.mark(at, MarkKind::RequestDropped(*client, *request)),
            Fault::RequestDelayed { client, request, by } => self.mark(at, MarkKind::RequestDelayed(*client, *request, *by)),
            Fault::BrokerDied { broker, until } => self.mark(at, MarkKind::BrokerDown(*broker, until.since(at))),
            Fault::CoordinatorLoaded { group, broker } => self.mark(at, MarkKind::CoordinatorLoaded(*group, *broker)),
            Fault::Reconnected { .. } | Fault::BrokerReturned { .. } | Fault::LeaderElected { .. } => {}
        }
    }

    pub(super) fn mark(&mut self, at: Instant, kind: MarkKind) {
        self.marks.push(Mark { at, kind });
    }

    pub(super) fn appended(&mut self, event: &TraceEvent) {
        let TraceEvent::Appended { partition, first, per_batch, batches, created, delay, .. } = event else { return };
        let partition = self.slots.cast().index(*partition);
        if self.readers[partition].is_empty() {
            return;
        }
        let per_batch = u64::from(*per_batch);
        self.visible[partition].add_batches(self.grid, (*batches, per_batch), created, *delay);
        self.created.append(partition, *first, batches * per_batch, created);
    }

    pub(super) fn polled(&mut self, at: Instant, client: ClientId, partition: TopicPartition, offsets: OffsetRange) {
        self.deliveries.polled(client, partition, offsets);
        let last = &mut self.last_poll[client.index()];
        if last.replace(at) != Some(at) {
            self.groups[self.slots.group_of(client).index()].polls += 1;
        }
        let slot = self.slots.of(client, partition);
        self.readings[slot].availability.polled(at, client);
        if self.is_owner(slot, client) {
            self.readings[slot].position.set(self.grid, at, offsets.to.0 as i64);
        }
    }

    pub(super) fn processed(&mut self, event: &TraceEvent) {
        let (deliveries, mut books) = self.books();
        let Some((slot, delivery)) = deliveries.told_by(event) else { return };
        if deliveries.passes_straight(slot, &delivery) {
            books.processed(slot, delivery);
        } else {
            deliveries.settle(slot, delivery, move |slot, delivery| books.processed(slot, delivery));
        }
    }

    /// The application will never finish with records.
    pub(super) fn broken_off(&mut self, at: Instant, event: &TraceEvent) {
        let (deliveries, mut books) = self.books();
        if let TraceEvent::Dropped { client, partition, offsets } = event {
            deliveries.dropped(*client, *partition, *offsets, |slot, delivery| books.processed(slot, delivery));
        } else if let TraceEvent::ClientStarted { client, .. } = event {
            deliveries.started(*client, |slot, delivery| books.processed(slot, delivery));
            self.mark(at, MarkKind::Started(*client));
        }
    }

    pub(super) fn finish_all(&mut self) {
        let (deliveries, mut books) = self.books();
        deliveries.pass_on_all(|slot, delivery| books.processed(slot, delivery));
    }

    pub(super) fn position_set(
        &mut self,
        at: Instant,
        client: ClientId,
        partition: TopicPartition,
        offset: Offset,
        source: PositionSource,
    ) {
        let slot = self.slots.of(client, partition);
        self.readings[slot].start.get_or_insert(offset);
        if self.is_owner(slot, client) {
            self.readings[slot].position.set(self.grid, at, offset.0 as i64);
        }
        match source {
            PositionSource::ResetLatest => self.readings[slot].skipped(self.grid, at, offset),
            PositionSource::ResetEarliest | PositionSource::Committed => {}
        }
    }

    pub(super) fn fetch_started(&mut self, at: Instant, client: ClientId, partition: TopicPartition) {
        let slot = self.slots.of(client, partition);
        if self.ownership.is_held_by(slot, client) {
            self.readings[slot].availability.fetch_started(at, client);
        }
    }

    pub(super) fn commit(&mut self, at: Instant, event: &TraceEvent) {
        if let TraceEvent::Committed { group, member, partition, offset, kind } = event {
            let slot = self.slots.at(*group, *partition);
            self.set_committed(at, *group, slot, offset.0 as i64);
            let counts = self.group(*group);
            if counts.last_commit.replace((at, *member, *kind)) != Some((at, *member, *kind)) {
                counts.commits += 1;
            }
        } else if let TraceEvent::CommitRefused { group, .. } = event {
            self.group(*group).commits_refused += 1;
        } else if let TraceEvent::CommitFailed { client, .. } = event {
            let group = self.slots.group_of(*client);
            self.group(group).commits_failed += 1;
        } else if let TraceEvent::OffsetExpired { group, partition } = event {
            self.set_committed(at, *group, self.slots.at(*group, *partition), NONE);
        } else if let TraceEvent::GroupDeleted { group } = event {
            let slots: Vec<_> = self.slots.of_group(*group).map(|(_, slot)| slot).collect();
            slots.into_iter().for_each(|slot| self.set_committed(at, *group, slot, NONE));
        }
    }

    pub(super) fn kicked(&mut self, at: Instant, client: ClientId) {
        let group = self.slots.group_of(client);
        let counts = self.group(group);
        counts.kicks.push((at, client, counts.committed));
        self.mark(at, MarkKind::Kicked(client));
    }

    fn set_committed(&mut self, at: Instant, group: GroupId, slot: usize, offset: i64) {
        let committed = &mut self.readings[slot].committed;
        let before = committed.latest.max(0) as u64;
        committed.set(self.grid, at, offset);
        let sum = &mut self.groups[group.index()].committed;
        *sum = *sum - before + offset.max(0) as u64;
    }

    /// Whether this client's position is the group's: it has the partition, or was the last that had it.
    #[inline]
    fn is_owner(&self, slot: usize, client: ClientId) -> bool {
        self.ownership.latest(slot).is_none_or(|hold| hold.client == client)
    }

    #[inline]
    fn books(&mut self) -> (&mut Deliveries, Books<'_>) {
        let Metrics { grid, deliveries, created, readers, readings, groups, .. } = self;
        (deliveries, Books { grid: *grid, created, readers, readings, groups })
    }
}

/// What a delivery is written to.
struct Books<'a> {
    grid: Grid,
    created: &'a mut CreationTimes,
    readers: &'a [Vec<usize>],
    readings: &'a mut [Reading],
    groups: &'a mut [GroupCounts],
}

impl Books<'_> {
    #[inline(always)]
    fn processed(&mut self, slot: usize, delivery: Delivery<'_>) {
        let reading = &mut self.readings[slot];
        let partition = reading.partition;
        let (created, latency) = (&*self.created, &mut self.groups[reading.group.index()].latency);
        if reading.goes_on(self.grid, delivery.offsets, delivery.times) {
            took(created, partition, latency, delivery.offsets, delivery.times);
        } else {
            reading.processed(self.grid, delivery, |first| took(created, partition, latency, first.offsets, first.times));
        }
        self.forget(partition);
    }

    /// The creation times of what every group has processed are not needed any longer.
    #[inline(always)]
    fn forget(&mut self, partition: usize) {
        let readers = &self.readers[partition];
        let ends = readers.iter().map(|slot| self.readings[*slot].seen.end());
        let below = ends.min().unwrap_or(Offset(0));
        let readings = &*self.readings;
        self.created.forget(partition, below, |run| !readers.iter().all(|slot| readings[*slot].is_processed(run)));
    }
}

/// Records were processed for the first time: how long they took.
#[inline(always)]
fn took(created: &CreationTimes, partition: usize, latency: &mut Histogram, offsets: OffsetRange, times: Times<'_>) {
    created.for_each(partition, offsets, move |range, creation| {
        let skipped = range.from.0 - offsets.from.0;
        latency.add(range.len(), creation, times.cut(skipped, range.len()));
    });
}

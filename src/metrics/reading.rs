//! What the facts about reading mean for the series, latencies and outages.

use std::ops::Range;

use super::availability::Availability;
use super::latency::Histogram;
use super::series::{Counts, Grid, Steps};
use super::{CreationTimes, Delivery, GroupCounts, Leaderless, Mark, MarkKind, Metrics};
use crate::deliveries::Times;
use crate::fold::{Append, Known, Poll};
use crate::ownership::Hold;
use crate::ranges::RangeMap;
use crate::terms::{CommitKind, PositionSource};
use crate::trace::fault::Fault;
use crate::trace::topics::TopicChange;
use crate::trace::{Cast, TraceEvent};
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
    /// When the partition was deleted.
    pub ended: Option<Instant>,
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
            ended: None,
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
    pub(super) fn partitions_begin(&mut self, at: Instant, cast: &Cast, topic: TopicId, partitions: Range<u32>) {
        for partition in partitions.map(|partition| TopicPartition { topic, partition }) {
            for slot in &self.partitions[cast.index(partition)].readers {
                self.readings[*slot].availability.begins(at);
            }
        }
    }

    /// From here on there is nothing to read, and nobody waits for it.
    fn partitions_end(&mut self, at: Instant, cast: &Cast, topic: TopicId) {
        let (_, most) = cast.partitions[topic.index()];
        for partition in (0..most).map(|partition| TopicPartition { topic, partition }) {
            for slot in &self.partitions[cast.index(partition)].readers {
                self.readings[*slot].availability.ends(at);
                self.readings[*slot].ended = Some(at);
            }
        }
    }

    pub(super) fn group(&mut self, group: GroupId) -> &mut GroupCounts {
        &mut self.groups[group.index()]
    }

    pub(super) fn run_phase_ended(&mut self, at: Instant) {
        self.groups.iter_mut().for_each(|group| group.run_phase_polls = Some(group.polls));
        self.mark(at, MarkKind::RunPhaseEnded);
    }

    pub(super) fn fault(&mut self, at: Instant, fault: &Fault) {
        match fault {
            Fault::CutOff { client, from, until } => self.mark(at, MarkKind::CutOff(*client, *from, until.since(at))),
            Fault::RequestDropped { client, request } => self.mark(at, MarkKind::RequestDropped(*client, *request)),
            Fault::RequestDelayed { client, request, by } => self.mark(at, MarkKind::RequestDelayed(*client, *request, *by)),
            Fault::BrokerDied { broker, until } => self.mark(at, MarkKind::BrokerDown(*broker, until.since(at))),
            Fault::CoordinatorLoaded { group, broker } => self.mark(at, MarkKind::CoordinatorLoaded(*group, *broker)),
            Fault::Reconnected { client, from } => self.mark(at, MarkKind::Reconnected(*client, *from)),
            Fault::BrokerReturned { broker } => self.mark(at, MarkKind::BrokerReturned(*broker)),
            Fault::GroupConfigured { .. } => {}
            Fault::LeaderLost { partition } => self.leaderless.push(Leaderless { partition: *partition, from: at, to: None }),
            Fault::LeaderElected { partition, .. } => {
                if let Some(lost) = self.leaderless.iter_mut().rfind(|lost| lost.partition == *partition && lost.to.is_none()) {
                    lost.to = Some(at);
                }
            }
        }
    }

    pub(super) fn topic_change(&mut self, at: Instant, cast: &Cast, change: &TopicChange) {
        match change {
            TopicChange::Created { topic, partitions } => {
                self.partitions_begin(at, cast, *topic, 0..*partitions);
                self.mark(at, MarkKind::TopicCreated(*topic));
            }
            TopicChange::Deleted { topic } => {
                self.partitions_end(at, cast, *topic);
                self.mark(at, MarkKind::TopicDeleted(*topic));
            }
            TopicChange::Subscribed { client, .. } => self.mark(at, MarkKind::Subscribed(*client)),
        }
    }

    pub(super) fn mark(&mut self, at: Instant, kind: MarkKind) {
        let life = kind.client().map_or(0, |client| self.lives.of(client));
        self.marks.push(Mark { at, life, kind });
    }

    #[inline(always)]
    pub(super) fn became_visible(&mut self, append: &Append<'_>) {
        let partition = &mut self.partitions[append.index];
        if !partition.readers.is_empty() {
            partition.visible.add_batches(self.grid, append);
            self.created.append(append.index, append.offsets, append.created);
        }
    }

    #[inline(always)]
    pub(super) fn handed_out(&mut self, at: Instant, poll: Poll<'_>) {
        let reading = &mut self.readings[poll.slot];
        let last = &mut self.last_poll[poll.client.index()];
        if last.replace(at) != Some(at) {
            self.groups[reading.group.index()].polls += 1;
        }
        reading.availability.polled(at, poll.client);
        if is_of_owner(poll.latest_hold, poll.client) {
            reading.position.set(self.grid, at, poll.offsets.to.0 as i64);
        }
    }

    #[inline(always)]
    pub(super) fn finished(&mut self, slot: usize, delivery: Delivery<'_>) {
        let reading = &mut self.readings[slot];
        let partition = reading.partition;
        let (created, latency) = (&self.created, &mut self.groups[reading.group.index()].latency);
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
        let (readings, readers) = (&*self.readings, &self.partitions[partition].readers);
        if let Some(passed) = readers.iter().map(|slot| readings[*slot].seen.end()).min() {
            self.created.forget(partition, passed, |run| !readers.iter().all(|slot| readings[*slot].is_processed(run)));
        }
    }

    pub(super) fn begins_to_read(&mut self, at: Instant, event: &TraceEvent, known: &Known) {
        if let TraceEvent::PositionSet { client, partition, offset, source } = event {
            let slot = known.slots.of(*client, *partition);
            let reading = &mut self.readings[slot];
            reading.start.get_or_insert(*offset);
            reading.availability.position_set(at, *client);
            if is_of_owner(known.ownership.latest(slot), *client) {
                reading.position.set(self.grid, at, offset.0 as i64);
            }
            match source {
                PositionSource::ResetLatest => reading.skipped(self.grid, at, *offset),
                PositionSource::ResetEarliest | PositionSource::Committed => {}
            }
        } else if let TraceEvent::FetchStarted { client, partition, .. } = event {
            let slot = known.slots.of(*client, *partition);
            if known.ownership.is_held_by(slot, *client) {
                self.readings[slot].availability.fetch_started(at, *client, self.last_poll[client.index()]);
            }
        }
    }

    pub(super) fn commit(&mut self, at: Instant, event: &TraceEvent, known: &Known) {
        let slots = &known.slots;
        if let TraceEvent::Committed { group, member, partition, offset, kind } = event {
            let slot = slots.at(*group, *partition);
            self.set_committed(at, *group, slot, offset.0 as i64);
            let (counts, request) = (self.group(*group), Some((at, *member, *kind)));
            // Of a request that is refused in part the refusal is told first.
            if counts.last_commit != request && counts.last_refusal != request {
                counts.commits += 1;
            }
            counts.last_commit = request;
        } else if let TraceEvent::CommitRefused { group, member, kind, .. } = event {
            let counts = self.group(*group);
            counts.commits_refused += 1;
            counts.last_refusal = Some((at, *member, *kind));
        } else if let TraceEvent::CommitFailed { client, kind, .. } = event {
            self.group(slots.group_of(*client)).commits_failed += 1;
            if *kind == CommitKind::Prepare {
                self.rejoin_held_up(*client, known);
            }
        } else if let TraceEvent::OffsetExpired { group, partition } = event {
            self.set_committed(at, *group, slots.at(*group, *partition), NONE);
        } else if let TraceEvent::GroupDeleted { group } = event {
            slots.of_group(*group).for_each(|(_, slot)| self.set_committed(at, *group, slot, NONE));
        }
    }

    /// It rests what it had until it can commit.
    fn rejoin_held_up(&mut self, client: ClientId, known: &Known) {
        for (_, slot) in known.slots.of_group(known.slots.group_of(client)) {
            if known.ownership.latest(slot).is_some_and(|hold| hold.client == client) {
                self.readings[slot].availability.commit_failed();
            }
        }
    }

    pub(super) fn kicked(&mut self, at: Instant, client: ClientId, group: GroupId) {
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
}

/// Whether this client's position is the group's: it has the partition, or was the last that had it.
#[inline(always)]
fn is_of_owner(latest_hold: Option<&Hold>, client: ClientId) -> bool {
    latest_hold.is_none_or(|hold| hold.client == client)
}

/// Records were processed for the first time: how long they took.
#[inline(always)]
fn took(created: &CreationTimes, partition: usize, latency: &mut Histogram, offsets: OffsetRange, times: Times<'_>) {
    match created.in_front(partition, offsets) {
        Some(creation) => latency.add(offsets.len(), creation, times),
        None => took_by_run(created, partition, latency, offsets, times),
    }
}

fn took_by_run(created: &CreationTimes, partition: usize, latency: &mut Histogram, offsets: OffsetRange, times: Times<'_>) {
    created.for_each(partition, offsets, |range, creation| {
        let skipped = range.from.0 - offsets.from.0;
        latency.add(range.len(), creation, times.cut(skipped, range.len()));
    });
}

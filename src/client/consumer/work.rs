//! The application at work on a batch: one record after the other, each for its time.
//!
//! A batch is a plan: which record is finished when. A pause or a change of speed cuts it: what is finished is told, the rest is planned
//! anew. The unit of work is a chunk, the records up to the next commit.

use super::{AfterCommit, App, CommitPolicy, Consumer, ConsumerEffects, ConsumerTimer, Service};
use crate::client::fetcher::Slice;
use crate::terms::CommitKind;
use crate::trace::TraceEvent;
use crate::trace::times::Finished;
use crate::units::{Instant, MemberId, Offset, OffsetRange, Span, TopicPartition};

/// Records that poll() returned and that are being processed.
#[derive(Debug, Default)]
pub struct Batch {
    slices: Vec<Slice>,
    /// Who the application was for the group when it polled.
    member: Option<MemberId>,
    generation: i32,
    /// Records in all.
    records: u64,
    /// Records that are finished and told.
    told: u64,
    /// The end of the chunk in hand: a number of records.
    chunk_end: u64,
    plan: Plan,
    /// When the chunk is finished.
    ends: Instant,
}

/// When the records from `told` to `chunk_end` are finished.
#[derive(Debug)]
enum Plan {
    Even { first: Instant, each: Span },
    Listed(Vec<Instant>),
}

impl Default for Plan {
    fn default() -> Self {
        Plan::Even { first: Instant::ZERO, each: Span::ZERO }
    }
}

/// See [`Batch::ranges`].
struct Ranges<'a> {
    slices: std::slice::Iter<'a, Slice>,
    /// The number of the next slice's first record.
    start: u64,
    from: u64,
    to: u64,
}

impl Iterator for Ranges<'_> {
    type Item = (u64, TopicPartition, OffsetRange);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        for slice in self.slices.by_ref() {
            let (first, end) = (self.start, self.start + slice.offsets.len());
            self.start = end;
            let (low, high) = (self.from.max(first), self.to.min(end));
            if low < high {
                let base = slice.offsets.from;
                return Some((low, slice.partition, OffsetRange::new(base + (low - first), base + (high - first))));
            }
        }
        None
    }
}

impl Plan {
    /// How many of `records` are finished at `now`.
    fn finished(&self, now: Instant, records: u64) -> u64 {
        match self {
            Plan::Even { first, .. } if now < *first => 0,
            Plan::Even { each, .. } if each.is_zero() => records,
            Plan::Even { first, each } => (now.since(*first).as_nanos() / each.as_nanos() + 1).min(records),
            Plan::Listed(times) => times.partition_point(|time| *time <= now) as u64,
        }
    }
}

impl Batch {
    pub(super) fn slices(&self) -> &[Slice] {
        &self.slices
    }

    /// For the records of the next poll().
    pub(super) fn fill(&mut self) -> &mut Vec<Slice> {
        self.slices.clear();
        &mut self.slices
    }

    /// The records from number `from` to `to` as offset ranges, with the number of the first of each.
    fn ranges(&self, from: u64, to: u64) -> Ranges<'_> {
        Ranges { slices: self.slices.iter(), start: 0, from, to }
    }

    /// Positions after the finished records, of the partitions that have any in this batch.
    fn processed_positions(&self) -> Vec<(TopicPartition, Offset)> {
        let mut positions: Vec<(TopicPartition, Offset)> = Vec::new();
        for (_, partition, offsets) in self.ranges(0, self.told) {
            match positions.iter_mut().find(|(known, _)| *known == partition) {
                Some((_, to)) => *to = offsets.to,
                None => positions.push((partition, offsets.to)),
            }
        }
        positions.sort_unstable();
        positions
    }
}

impl Consumer {
    /// Starts on the records that poll() returned.
    #[inline]
    pub(super) fn begin_batch(&mut self, now: Instant, mut batch: Box<Batch>, fx: &mut ConsumerEffects) {
        batch.member = self.membership.member;
        batch.generation = self.membership.generation;
        batch.records = batch.slices.iter().map(|slice| slice.offsets.len()).sum();
        batch.told = 0;
        let overhead = self.scaled(self.config.per_batch);
        self.plan_chunk(now, now + overhead, batch, fx);
    }

    /// Plans the next chunk of a batch from `start` on.
    pub(super) fn plan_chunk(&mut self, now: Instant, start: Instant, mut batch: Box<Batch>, fx: &mut ConsumerEffects) {
        let left = batch.records - batch.told;
        let chunk = match self.config.commit {
            CommitPolicy::Every(records) => left.min(u64::from(records)),
            CommitPolicy::Auto(_) | CommitPolicy::Sync | CommitPolicy::Async | CommitPolicy::BeforeProcessing | CommitPolicy::Never => left,
        };
        batch.chunk_end = batch.told + chunk;
        match &self.config.service {
            Service::Constant(each) => {
                let each = self.scaled(*each);
                batch.plan = Plan::Even { first: start + each, each };
                batch.ends = start + each.times(chunk);
            }
            Service::Drawn(time_of) => {
                let mut at = start;
                let mut times = Vec::with_capacity(chunk as usize);
                for (_, partition, offsets) in batch.ranges(batch.told, batch.chunk_end) {
                    for offset in offsets.from.0..offsets.to.0 {
                        at += self.scaled(time_of(partition, Offset(offset)));
                        times.push(at);
                    }
                }
                batch.plan = Plan::Listed(times);
                batch.ends = at;
            }
        }
        self.work_until(now, batch, fx);
    }

    fn work_until(&mut self, now: Instant, batch: Box<Batch>, fx: &mut ConsumerEffects) {
        let ends = batch.ends;
        self.app = App::Busy(batch);
        fx.wake(ends.max(now), ConsumerTimer::Step);
        self.watch_poll_interval(now, ends, fx);
    }

    /// A chunk, or the listener, may be finished.
    pub(super) fn on_step(&mut self, now: Instant, fx: &mut ConsumerEffects) {
        match std::mem::replace(&mut self.app, App::Idle) {
            App::Busy(mut batch) if batch.ends <= now => {
                self.tell_finished(now, &mut batch, fx);
                self.after_chunk(now, batch, fx);
            }
            App::Listening { ends, then } if ends <= now => {
                self.settled = false;
                self.after_listener_work(now, then, fx);
            }
            other => self.app = other,
        }
    }

    fn after_chunk(&mut self, now: Instant, batch: Box<Batch>, fx: &mut ConsumerEffects) {
        let done = batch.told == batch.records;
        match self.config.commit {
            CommitPolicy::Sync => {
                self.spare = Some(batch);
                let offsets = self.fetcher.consumed();
                self.commit_sync(now, CommitKind::Sync, offsets, AfterCommit::Poll, fx);
            }
            CommitPolicy::Every(_) => {
                let offsets = batch.processed_positions();
                let then = if done { AfterCommit::Poll } else { AfterCommit::Resume(batch) };
                self.commit_sync(now, CommitKind::Sync, offsets, then, fx);
            }
            CommitPolicy::Async => {
                self.spare = Some(batch);
                let offsets = self.fetcher.consumed();
                self.commit_async(now, CommitKind::Async, offsets, fx);
                self.poll(now, fx);
            }
            CommitPolicy::Auto(_) | CommitPolicy::BeforeProcessing | CommitPolicy::Never => {
                self.spare = Some(batch);
                self.poll(now, fx);
            }
        }
    }

    /// Tells the records that are finished by now.
    fn tell_finished(&self, now: Instant, batch: &mut Batch, fx: &mut ConsumerEffects) {
        let left = batch.chunk_end - batch.told;
        let finished = batch.told + if batch.ends <= now { left } else { batch.plan.finished(now, left) };
        let (client, member, generation) = (self.config.client, batch.member, batch.generation);
        if let ([slice], Plan::Even { first, each }) = (batch.slices.as_slice(), &batch.plan)
            && (batch.told, finished) == (0, batch.records)
            && finished > 0
        {
            let (Slice { partition, offsets }, first, each) = (*slice, *first, *each);
            let finished = || Finished::Even { first, each };
            fx.emit_plain(|| TraceEvent::Processed { client, member, generation, partition, offsets, finished: finished() });
            batch.told = batch.records;
            return;
        }
        match &batch.plan {
            Plan::Even { first, each } => {
                for (number, partition, offsets) in batch.ranges(batch.told, finished) {
                    let (first, each) = (*first + each.times(number - batch.told), *each);
                    let finished = || Finished::Even { first, each };
                    fx.emit_plain(|| TraceEvent::Processed { client, member, generation, partition, offsets, finished: finished() });
                }
            }
            Plan::Listed(times) => {
                for (number, partition, offsets) in batch.ranges(batch.told, finished) {
                    let from = (number - batch.told) as usize;
                    let finished = Finished::Listed(times[from..from + offsets.len() as usize].into());
                    fx.emit(TraceEvent::Processed { client, member, generation, partition, offsets, finished });
                }
            }
        }
        batch.told = finished;
    }

    /// The run ends: tells what is finished of the batch in hand.
    pub fn tell_progress(&mut self, now: Instant, fx: &mut ConsumerEffects) {
        match std::mem::replace(&mut self.app, App::Idle) {
            App::Busy(mut batch) => {
                self.tell_finished(now, &mut batch, fx);
                self.app = App::Busy(batch);
            }
            other => self.app = other,
        }
    }

    /// The process dies: what is finished counts, the record in progress and the rest do not.
    pub(super) fn drop_batch(&mut self, now: Instant, fx: &mut ConsumerEffects) {
        match std::mem::replace(&mut self.app, App::Idle) {
            App::Busy(mut batch) => {
                self.tell_finished(now, &mut batch, fx);
                self.tell_dropped(&batch, fx);
            }
            App::Committing(wait) => match wait.then {
                AfterCommit::Begin(batch) => {
                    for slice in &batch.slices {
                        fx.emit(TraceEvent::Dropped { client: self.config.client, partition: slice.partition, offsets: slice.offsets });
                    }
                }
                AfterCommit::Resume(batch) => self.tell_dropped(&batch, fx),
                AfterCommit::Poll | AfterCommit::Listener(_) | AfterCommit::Close => {}
            },
            App::Idle | App::FindingCoordinator { .. } | App::AwaitingOffsets | App::Listening { .. } | App::Closing(_) | App::Done => {}
        }
    }

    fn tell_dropped(&self, batch: &Batch, fx: &mut ConsumerEffects) {
        for (_, partition, offsets) in batch.ranges(batch.told, batch.records) {
            fx.emit(TraceEvent::Dropped { client: self.config.client, partition, offsets });
        }
    }

    /// From now on processing takes `slowness` thousandths of its time; the work left is scaled too.
    pub fn set_slowness(&mut self, now: Instant, slowness: u64, fx: &mut ConsumerEffects) {
        let old = std::mem::replace(&mut self.slowness, slowness);
        let mut batch = match std::mem::replace(&mut self.app, App::Idle) {
            App::Busy(batch) => batch,
            other => {
                self.app = other;
                return;
            }
        };
        self.tell_finished(now, &mut batch, fx);
        let rescale = |span: Span| Span::from_nanos(scale(span.as_nanos(), slowness, old));
        self.replan(batch, |at| now + rescale(at.since(now)), rescale, now, fx);
    }

    /// The process did nothing from `since` until `now`.
    pub(super) fn shift_work(&mut self, since: Instant, now: Instant, fx: &mut ConsumerEffects) {
        let lost = now.since(since);
        match std::mem::replace(&mut self.app, App::Idle) {
            App::Busy(mut batch) => {
                self.tell_finished(since, &mut batch, fx);
                self.replan(batch, |at| at + lost, |each| each, now, fx);
            }
            App::Listening { ends, then } => {
                self.app = App::Listening { ends: ends + lost, then };
                fx.wake(ends + lost, ConsumerTimer::Step);
            }
            other => self.app = other,
        }
    }

    /// Moves the moments at which the unfinished records of the chunk are finished.
    fn replan(
        &mut self,
        mut batch: Box<Batch>,
        moment: impl Fn(Instant) -> Instant,
        spacing: impl Fn(Span) -> Span,
        now: Instant,
        fx: &mut ConsumerEffects,
    ) {
        let left = batch.chunk_end - batch.told;
        batch.plan = match std::mem::take(&mut batch.plan) {
            Plan::Even { first, each } if left > 0 => {
                // `first` belongs to the record that was next when the plan was made.
                let next = batch.ends_of_next(first, each, left);
                Plan::Even { first: moment(next), each: spacing(each) }
            }
            Plan::Even { first, each } => Plan::Even { first, each },
            Plan::Listed(times) => {
                let skipped = times.len() - left as usize;
                Plan::Listed(times[skipped..].iter().map(|time| moment(*time)).collect())
            }
        };
        batch.ends = match &batch.plan {
            Plan::Even { first, each } if left > 0 => *first + each.times(left - 1),
            Plan::Even { .. } => batch.ends.max(now),
            Plan::Listed(times) => times.last().copied().unwrap_or(batch.ends.max(now)),
        };
        self.work_until(now, batch, fx);
    }

    fn scaled(&self, span: Span) -> Span {
        if self.slowness == 1000 { span } else { Span::from_nanos(scale(span.as_nanos(), self.slowness, 1000)) }
    }
}

impl Batch {
    /// When the first unfinished record is finished, by an even plan whose chunk ends as planned.
    fn ends_of_next(&self, first: Instant, each: Span, left: u64) -> Instant {
        let last = self.ends;
        let back = each.times(left - 1);
        Instant::from_nanos(last.as_nanos().saturating_sub(back.as_nanos())).max(first)
    }
}

/// `nanos * by / of`, rounded down, without overflow.
fn scale(nanos: u64, by: u64, of: u64) -> u64 {
    u64::try_from(u128::from(nanos) * u128::from(by) / u128::from(of.max(1))).unwrap_or(u64::MAX)
}

//! The ledger's page for one group and one partition.

use std::collections::VecDeque;

use crate::deliveries::{Delivery, Hand, Times};
use crate::ownership::{self, Hold, Undoing};
use crate::ranges::RangeMap;
use crate::terms::PositionSource;
use crate::trace::times::Finished;
use crate::units::{ClientId, Instant, Offset, OffsetRange};

/// How many runs of deliveries keep their times. A group that never commits has more; of the oldest it is then not known when they were
/// done.
const RECENT_RUNS: usize = 4096;

/// What the application did with the records of a range.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Processing {
    pub times: u32,
    pub first: Reading,
    pub last: Reading,
}

/// Who processed, and under which of the partition's holds (their number in [`crate::ownership::Ownership`]).
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Reading {
    pub by: Hand,
    pub hold: Option<usize>,
}

/// [`Processing`] by the numbers of its readings.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
struct Entry {
    times: u32,
    first: u32,
    last: u32,
    /// The latest under the latest hold: a zombie's work does not stand against it.
    standing: u32,
}

/// A delivery that may be repeated: then it will be asked when it was done.
#[derive(Clone, Debug)]
struct Done {
    offsets: OffsetRange,
    /// Whose it was.
    reading: u32,
    finished: Finished,
}

#[derive(Clone, Default, Debug)]
pub(super) struct Page {
    processed: RangeMap<Entry>,
    /// Each once, the latest last.
    readings: Vec<Reading>,
    /// In order: what no commit covers yet, and what somebody may do again although it is committed.
    recent: VecDeque<Done>,
    pub(super) repeats: Vec<Repeat>,
    pub(super) committed: Option<Offset>,
    /// Was committed until another commit said less. It stays so when it is committed again: whoever begins behind it does not come to it.
    taken_back: RangeMap<TakenBack>,
    /// Below the committed offset and not processed: whose commit it was.
    pub(super) covered: RangeMap<(Option<ClientId>, Instant)>,
    /// Left the application's hands unprocessed.
    pub(super) dropped: RangeMap<(ClientId, Instant)>,
    /// A reset went past them.
    pub(super) skipped: RangeMap<(ClientId, Instant)>,
    /// In order: whose position was set, and when.
    positions: Vec<(ClientId, Instant)>,
}

/// Commits that said less than one before: whose, and when.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
struct TakenBack {
    /// The last one before the position was set.
    read: Option<(ClientId, Instant)>,
    latest: (ClientId, Instant),
}

impl TakenBack {
    /// The one that whoever set its position then had found.
    fn before(&self, position_set: Instant) -> Option<(ClientId, Instant)> {
        if self.latest.1 < position_set { Some(self.latest) } else { self.read }
    }
}

/// A range that was processed again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Repeat {
    pub offsets: OffsetRange,
    /// The delivery under the latest hold before this one, and when its last record was done.
    pub before: (Reading, Option<Instant>),
    pub again: (Reading, Instant),
    /// Whoever lost the partition between the two did its part after that.
    pub late: bool,
    /// It had been committed, and its reader began where a later commit said less.
    pub taken_back: Option<(ClientId, Instant)>,
    /// When the position was last set by who did it again.
    pub position_set: Instant,
}

impl Page {
    pub fn processings(&self) -> impl Iterator<Item = (OffsetRange, Processing)> {
        self.processed.iter().map(|(range, entry)| (range, self.resolve(*entry)))
    }

    /// The stretches of `window` that nobody processed.
    pub fn unprocessed(&self, window: OffsetRange) -> impl Iterator<Item = OffsetRange> {
        self.processed.pieces(window).filter(|(_, processing)| processing.is_none()).map(|(gap, _)| gap)
    }

    pub fn ranges(&self) -> usize {
        self.processed.spans()
            + self.repeats.len()
            + self.covered.spans()
            + self.taken_back.spans()
            + self.dropped.spans()
            + self.skipped.spans()
    }

    /// `hold` is one of the partition's `holds`, of which those up to this moment are known.
    #[inline(always)]
    pub fn processed(&mut self, delivery: Delivery<'_>, hold: Option<usize>, holds: &[Hold]) {
        let reading = self.number_of(Reading { by: delivery.by, hold });
        let once = Entry { times: 1, first: reading, last: reading, standing: reading };
        if !self.processed.extend(delivery.offsets, &once) {
            self.enter(delivery, once, holds);
        }
        self.covered.remove(delivery.offsets);
        self.dropped.remove(delivery.offsets);
        self.remember(delivery, reading);
    }

    fn enter(&mut self, delivery: Delivery<'_>, once: Entry, holds: &[Hold]) {
        let readings = &self.readings;
        let hold_of = |reading: u32| readings[reading as usize].hold;
        let mut repeated = Vec::new();
        self.processed.update(delivery.offsets, |piece, before| match before {
            None => Some(once),
            Some(before) => {
                repeated.push((piece, before.standing));
                let overtaken = hold_of(once.last) < hold_of(before.standing);
                let standing = if overtaken { before.standing } else { once.last };
                Some(Entry { times: before.times + 1, first: before.first, last: once.last, standing })
            }
        });
        for (piece, before) in repeated {
            for (part, late) in self.cut_by_undoing(piece, before, once.last, holds) {
                let part = delivery.cut(part);
                let position_set = self.position_set_before(part.by.client, part.times.at(0));
                for (offsets, taken_back) in self.cut_by_commits(part.offsets, position_set) {
                    self.repeat(part.cut(offsets), (before, once.last), position_set, (late, taken_back.filter(|_| !late)));
                }
            }
        }
    }

    /// Parts a range by the commits that had taken it back when the position was last set.
    fn cut_by_commits(&self, range: OffsetRange, position_set: Instant) -> Vec<(OffsetRange, Option<(ClientId, Instant)>)> {
        let pieces = self.taken_back.pieces(range);
        pieces.map(|(piece, taken)| (piece, taken.and_then(|taken| taken.before(position_set)))).collect()
    }

    /// Parts a range that was processed under two holds: what was done under the earlier one while that was good, and what was done when
    /// it had been undone.
    fn cut_by_undoing(&self, range: OffsetRange, before: u32, again: u32, holds: &[Hold]) -> Vec<(OffsetRange, bool)> {
        let hold_of = |reading: u32| self.readings[reading as usize].hold;
        let (Some(previous), Some(again)) = (hold_of(before), hold_of(again)) else { return vec![(range, false)] };
        if again < previous {
            // The next owner overtook it, and did so after it had got the partition.
            return vec![(range, true)];
        }
        if again == previous {
            return vec![(range, false)];
        }
        match ownership::undoing(holds, previous, again) {
            // The dead do nothing later.
            (Undoing::Crashed, _) => vec![(range, false)],
            (_, at) => self.cut_by_time(range, before, at),
        }
    }

    /// What a reader last did by a moment (`false`), and what later. What is forgotten was done before: it was committed, and nobody else
    /// had the partition.
    fn cut_by_time(&self, range: OffsetRange, reading: u32, moment: Instant) -> Vec<(OffsetRange, bool)> {
        let mut last_done = RangeMap::default();
        for (number, done) in self.recent.iter().enumerate() {
            let (from, to) = (done.offsets.from.max(range.from), done.offsets.to.min(range.to));
            if done.reading == reading && from < to {
                last_done.set(OffsetRange::new(from, to), number);
            }
        }
        let mut late = RangeMap::default();
        for (piece, number) in last_done.pieces(range) {
            let on_time = number.map_or(piece.len(), |number| {
                let done = &self.recent[*number];
                let times = Times::from(&done.finished).cut(piece.from.0 - done.offsets.from.0, piece.len());
                times.count_until(piece.len(), moment)
            });
            let border = piece.from + on_time;
            for (part, is_late) in [(OffsetRange::new(piece.from, border), false), (OffsetRange::new(border, piece.to), true)] {
                late.set(part, is_late);
            }
        }
        late.iter().map(|(part, is_late)| (part, *is_late)).collect()
    }

    #[inline]
    fn number_of(&mut self, reading: Reading) -> u32 {
        let number = match self.readings.last() {
            // Almost always the same one goes on.
            Some(latest) if *latest == reading => self.readings.len() - 1,
            Some(_) | None => self.look_up(reading),
        };
        u32::try_from(number).expect("owners change less than 2^32 times")
    }

    fn look_up(&mut self, reading: Reading) -> usize {
        self.readings.iter().rposition(|known| *known == reading).unwrap_or_else(|| {
            self.readings.push(reading);
            self.readings.len() - 1
        })
    }

    fn resolve(&self, entry: Entry) -> Processing {
        Processing { times: entry.times, first: self.readings[entry.first as usize], last: self.readings[entry.last as usize] }
    }

    fn repeat(
        &mut self,
        delivery: Delivery<'_>,
        (before, again): (u32, u32),
        position_set: Instant,
        (late, taken_back): (bool, Option<(ClientId, Instant)>),
    ) {
        let (offsets, since) = (delivery.offsets, delivery.times.at(0));
        let done = self.done(Offset(offsets.to.0 - 1), before);
        let (before, again) = (self.readings[before as usize], self.readings[again as usize]);
        if let Some(last) = self.repeats.last_mut()
            && last.offsets.to == offsets.from
            && (last.before.0, last.again.0) == (before, again)
            && last.before.1.is_some() == done.is_some()
            && (last.late, last.taken_back, last.position_set) == (late, taken_back, position_set)
        {
            last.offsets.to = offsets.to;
            last.before.1 = done;
            return;
        }
        self.repeats.push(Repeat { offsets, before: (before, done), again: (again, since), late, taken_back, position_set });
    }

    fn position_set_before(&self, client: ClientId, moment: Instant) -> Instant {
        let set = self.positions.iter().rev().find(|(whose, at)| *whose == client && *at <= moment);
        set.map_or(Instant::ZERO, |(_, at)| *at)
    }

    /// When a reader last did a record, as long as that is remembered.
    fn done(&self, offset: Offset, reading: u32) -> Option<Instant> {
        let holds_it = |done: &&Done| done.reading == reading && done.offsets.from <= offset && offset < done.offsets.to;
        let done = self.recent.iter().rev().find(holds_it)?;
        Some(done.finished.at(offset.0 - done.offsets.from.0))
    }

    #[inline(always)]
    fn remember(&mut self, delivery: Delivery<'_>, reading: u32) {
        if let (Some(Done { offsets, reading: latest, finished: Finished::Even { first, each } }), Times::Even { first: next, each: same }) =
            (self.recent.back_mut(), delivery.times)
            && offsets.to == delivery.offsets.from
            && *latest == reading
            && *each == same
            && *first + each.times(offsets.len()) == next
        {
            offsets.to = delivery.offsets.to;
            return;
        }
        if self.recent.len() == RECENT_RUNS {
            self.recent.pop_front();
        }
        self.recent.push_back(Done { offsets: delivery.offsets, reading, finished: delivery.times.to_finished() });
    }

    /// Nothing below `may_forget` will be told of again unless somebody goes back.
    pub fn committed(&mut self, offset: Offset, by: Option<ClientId>, at: Instant, may_forget: Offset) {
        let covered = self.recent.iter().take_while(|done| done.offsets.to <= may_forget).count();
        self.recent.drain(..covered);
        let before = self.committed.replace(offset).unwrap_or(Offset(0));
        if offset < before {
            self.covered.remove(OffsetRange::new(offset, before));
            if let Some(by) = by {
                let position_set = self.positions.last().map_or(Instant::ZERO, |(_, set)| *set);
                self.taken_back.update(OffsetRange::new(offset, before), |_, known| {
                    Some(TakenBack { read: known.and_then(|known| known.before(position_set)), latest: (by, at) })
                });
            }
            return;
        }
        for (gap, processing) in self.processed.pieces(OffsetRange::new(before, offset)) {
            if processing.is_none() {
                self.covered.set(gap, (by, at));
            }
        }
    }

    pub fn uncommitted(&mut self) {
        self.committed = None;
        self.covered = RangeMap::default();
        self.taken_back = RangeMap::default();
    }

    pub fn dropped(&mut self, offsets: OffsetRange, by: ClientId, at: Instant) {
        for (gap, processing) in self.processed.pieces(offsets) {
            if processing.is_none() {
                self.dropped.set(gap, (by, at));
            }
        }
    }

    pub fn position_set(&mut self, offset: Offset, source: PositionSource, by: ClientId, at: Instant) {
        self.positions.push((by, at));
        match source {
            PositionSource::ResetLatest => self.skip(offset, by, at),
            PositionSource::ResetEarliest | PositionSource::Committed => {}
        }
    }

    /// What was committed had been reached; everything between that and the new position is passed over. Those of them that were or will be
    /// processed do not count as skipped.
    fn skip(&mut self, to: Offset, by: ClientId, at: Instant) {
        let from = self.committed.unwrap_or(Offset(0));
        if from < to {
            self.skipped.update(OffsetRange::new(from, to), |_, before| Some(before.copied().unwrap_or((by, at))));
        }
    }
}

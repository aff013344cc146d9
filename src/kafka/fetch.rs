//! Fetch on the side of a partition leader: sessions, their rotation, limits, and long polling.
//!
//! Origin: `ReplicaManager.fetchMessages`, `DelayedFetch`, `FetchSession`. Partitions are read in session order; those that returned data move
//! to the end, so limits do not starve anybody. A Fetch that finds less than fetch.min.bytes waits for an append or fetch.max.wait.ms.
//!
//! Not modelled: the session cache (1,000 slots); a session lives as long as its consumer.

use crate::kafka::log::PartitionLog;
use crate::trace::Cast;
use crate::units::{Instant, Offset, OffsetRange, Span, TopicPartition};

/// Limits that a consumer sends with each Fetch.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct FetchLimits {
    pub min_bytes: u64,
    pub max_wait: Span,
    pub max_bytes: u64,
    pub max_partition_bytes: u64,
}

/// A partition in a Fetch: from which offset on.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct FetchEntry {
    pub partition: TopicPartition,
    pub from: Offset,
}

/// Records of one partition in a Fetch answer.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Fetched {
    pub partition: TopicPartition,
    pub offsets: OffsetRange,
}

/// A partition of a session.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct SessionEntry {
    pub partition: TopicPartition,
    /// Of the partition among all, for tables.
    pub index: usize,
    pub from: Offset,
    /// Where it stood in the last Fetch, and mostly stands in the next one.
    asked_at: usize,
}

impl SessionEntry {
    /// Whether a Fetch names it; then it is read from where the Fetch says.
    #[inline]
    fn is_wanted(&mut self, wanted: &[FetchEntry]) -> bool {
        if wanted.get(self.asked_at).is_none_or(|want| want.partition != self.partition) {
            // One more or one less before it moves it by one.
            const NEAR: usize = 64;
            let is_it = |at: &usize| wanted.get(*at).is_some_and(|want| want.partition == self.partition);
            let around = |step: usize| [self.asked_at.checked_sub(step), Some(self.asked_at + step)].into_iter().flatten().find(is_it);
            let Some(asked_at) = (1..=NEAR).find_map(around).or_else(|| (0..wanted.len()).find(is_it)) else { return false };
            self.asked_at = asked_at;
        }
        self.from = wanted[self.asked_at].from;
        true
    }
}

/// A consumer's fetch session with one broker.
#[derive(Clone, Debug)]
pub struct FetchSession {
    limits: FetchLimits,
    /// In session order.
    entries: Vec<SessionEntry>,
    parked: Option<Parked>,
}

/// A batch that was appended.
#[derive(Copy, Clone, Debug)]
pub struct Alone {
    /// Of its partition among all.
    pub index: usize,
    pub records: u32,
    pub bytes: u32,
}

/// A Fetch that waits.
#[derive(Copy, Clone, Debug)]
struct Parked {
    /// Until when at most.
    until: Instant,
    /// When it was last looked at, none of its partitions had anything for it.
    found_nothing: bool,
}

impl FetchSession {
    pub fn new(limits: FetchLimits) -> Self {
        FetchSession { limits, entries: Vec::new(), parked: None }
    }

    pub fn entries(&self) -> &[SessionEntry] {
        &self.entries
    }

    /// Until when the Fetch in hand waits.
    pub fn parked_until(&self) -> Option<Instant> {
        self.parked.map(|parked| parked.until)
    }

    /// Whether a Fetch has just the partitions of the one before; then they are read from where it says.
    pub fn names(&mut self, wanted: &[FetchEntry]) -> bool {
        self.entries.len() == wanted.len() && self.entries.iter_mut().all(|entry| entry.is_wanted(wanted))
    }

    /// A Fetch arrived. True if the set of partitions changed.
    ///
    /// Partitions that it no longer names are forgotten, those that it adds go to the end, the others keep their place.
    pub fn update(&mut self, wanted: &[FetchEntry], cast: &Cast) -> bool {
        if self.names(wanted) {
            return false;
        }
        self.entries.retain_mut(|entry| entry.is_wanted(wanted));
        let mut is_known = vec![false; wanted.len()];
        self.entries.iter().for_each(|entry| is_known[entry.asked_at] = true);
        for (asked_at, FetchEntry { partition, from }) in wanted.iter().copied().enumerate() {
            if !is_known[asked_at] {
                self.entries.push(SessionEntry { partition, index: cast.index(partition), from, asked_at });
            }
        }
        true
    }

    /// Reads what there is. Empty: the Fetch has to wait and is parked until fetch.max.wait.ms is over.
    pub fn read_or_park(&mut self, now: Instant, logs: &[PartitionLog], answer: &mut Vec<Fetched>) {
        let bytes = self.read(&self.entries, logs, answer);
        let is_enough = bytes >= self.limits.min_bytes || bytes > 0 && self.has_enough(logs);
        if is_enough || self.limits.max_wait.is_zero() || self.entries.is_empty() {
            self.finish(answer);
            return;
        }
        answer.clear();
        self.parked = Some(Parked { until: now + self.limits.max_wait, found_nothing: bytes == 0 });
    }

    /// The next Fetch names the same partitions, all from where the last one did but the one that was answered.
    pub fn go_on_behind(&mut self, fetched: &Fetched) {
        // It has moved to the end.
        if let Some(entry) = self.entries.iter_mut().rev().find(|entry| entry.partition == fetched.partition) {
            entry.from = fetched.offsets.to;
        }
    }

    /// The Fetch that names what the session has.
    pub fn wanted(&self, wanted: &mut Vec<FetchEntry>) {
        wanted.clear();
        wanted.extend(self.entries.iter().map(|entry| FetchEntry { partition: entry.partition, from: entry.from }));
        for entry in &self.entries {
            wanted[entry.asked_at] = FetchEntry { partition: entry.partition, from: entry.from };
        }
    }

    /// A Fetch that arrives then is parked if there is nothing for it; if there is, nothing happens. True if it is parked.
    pub fn park_unread(&mut self, arrives: Instant, logs: &[PartitionLog]) -> bool {
        let waits = self.limits.min_bytes > 0 && !self.limits.max_wait.is_zero() && !self.entries.is_empty() && self.parked.is_none();
        let finds_nothing = waits && self.entries.iter().all(|entry| entry.from >= logs[entry.index].high_watermark());
        if finds_nothing {
            self.parked = Some(Parked { until: arrives + self.limits.max_wait, found_nothing: true });
        }
        finds_nothing
    }

    /// Something was appended while a Fetch waits: answers it if there is enough. True if it is answered.
    ///
    /// `alone`: the batch, if nothing else was appended since the Fetch was last looked at.
    pub fn try_complete(&mut self, alone: Option<Alone>, logs: &[PartitionLog], answer: &mut Vec<Fetched>) -> bool {
        let Some(Parked { until, found_nothing }) = self.parked else { return false };
        let only = alone.filter(|_| found_nothing);
        let bytes = match only.and_then(|alone| Some((self.entries.iter().position(|entry| entry.index == alone.index)?, alone))) {
            Some((at, alone)) => {
                debug_assert!(
                    self.entries.iter().all(|other| other.index == alone.index || other.from >= logs[other.index].high_watermark())
                );
                self.read_alone(at, alone, logs, answer)
            }
            None => self.read(&self.entries, logs, answer),
        };
        // Where one partition may bring all that is wanted, what an answer would hold is there.
        let holds_enough = bytes >= self.limits.min_bytes && self.limits.min_bytes <= self.limits.max_partition_bytes;
        if holds_enough || bytes > 0 && self.has_enough(logs) {
            self.finish(answer);
            return true;
        }
        answer.clear();
        self.parked = Some(Parked { until, found_nothing: bytes == 0 });
        false
    }

    /// Reads the one batch that there is for a Fetch: the first one is answered whatever its size.
    #[inline(always)]
    fn read_alone(&self, at: usize, alone: Alone, logs: &[PartitionLog], answer: &mut Vec<Fetched>) -> u64 {
        let SessionEntry { partition, index, from, .. } = self.entries[at];
        let to = logs[index].high_watermark();
        if from + u64::from(alone.records) != to {
            return self.read(&self.entries[at..=at], logs, answer);
        }
        answer.push(Fetched { partition, offsets: OffsetRange::new(from, to) });
        debug_assert!({
            let mut all = Vec::new();
            self.read(&self.entries[at..=at], logs, &mut all) == u64::from(alone.bytes) && all == *answer
        });
        u64::from(alone.bytes)
    }

    /// `DelayedFetch#tryComplete`: what counts is all that is there, of each partition up to max.partition.fetch.bytes, and not what an answer
    /// would hold of it in whole batches. So a limit of 0 lets every Fetch that is not answered at once wait for its time to pass.
    fn has_enough(&self, logs: &[PartitionLog]) -> bool {
        let mut missing = self.limits.min_bytes;
        for entry in &self.entries {
            if missing == 0 {
                return true;
            }
            let log = &logs[entry.index];
            if entry.from < log.high_watermark() {
                missing -= log.available(entry.from, missing.min(self.limits.max_partition_bytes));
            }
        }
        missing == 0
    }

    /// fetch.max.wait.ms is over: answers with whatever there is.
    pub fn expire(&mut self, logs: &[PartitionLog], answer: &mut Vec<Fetched>) {
        self.read(&self.entries, logs, answer);
        self.finish(answer);
    }

    /// No Fetch waits any more.
    pub fn cancel(&mut self) {
        self.parked = None;
    }

    fn read(&self, entries: &[SessionEntry], logs: &[PartitionLog], answer: &mut Vec<Fetched>) -> u64 {
        let mut total = 0;
        for entry in entries {
            let log = &logs[entry.index];
            if entry.from >= log.high_watermark() {
                continue;
            }
            let room = self.limits.max_bytes.saturating_sub(total).min(self.limits.max_partition_bytes);
            let Some(read) = log.read(entry.from, room, total == 0) else { continue };
            total += read.bytes;
            answer.push(Fetched { partition: entry.partition, offsets: OffsetRange::new(entry.from, read.to) });
        }
        total
    }

    /// Partitions with data go to the end of the session.
    fn finish(&mut self, answer: &[Fetched]) {
        self.parked = None;
        if answer.is_empty() || answer.len() == self.entries.len() {
            return;
        }
        for fetched in answer {
            let at = self
                .entries
                .iter()
                .position(|entry| entry.partition == fetched.partition)
                .expect("an answer names partitions of the session");
            // It may be there already, or nearly so.
            for at in at + 1..self.entries.len() {
                self.entries.swap(at - 1, at);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::TopicId;

    fn at(partition: u32) -> TopicPartition {
        TopicPartition { topic: TopicId(0), partition }
    }

    fn entry(partition: u32, from: u64) -> FetchEntry {
        FetchEntry { partition: at(partition), from: Offset(from) }
    }

    fn cast() -> Cast {
        Cast { first_partition: vec![0], partitions: vec![(3, 3)], ..Cast::default() }
    }

    fn session(max_bytes: u64) -> FetchSession {
        FetchSession::new(FetchLimits { min_bytes: 1, max_wait: Span::from_millis(500), max_bytes, max_partition_bytes: 1_000 })
    }

    fn partitions(answer: &[Fetched]) -> Vec<u32> {
        answer.iter().map(|fetched| fetched.partition.partition).collect()
    }

    #[test]
    fn partitions_with_data_move_to_the_end_so_that_limits_starve_nobody() {
        let mut logs = vec![PartitionLog::default(); 3];
        logs.iter_mut().for_each(|log| (0..10).for_each(|_| log.append(1, 600, 1)));
        let mut session = session(600);
        let mut seen = Vec::new();
        for _ in 0..4 {
            session.update(&[entry(0, 0), entry(1, 0), entry(2, 0)], &cast());
            let mut answer = Vec::new();
            session.read_or_park(Instant::ZERO, &logs, &mut answer);
            seen.push(partitions(&answer));
        }
        assert_eq!(seen, [[0], [1], [2], [0]]);
    }

    #[test]
    fn an_empty_fetch_waits_and_an_append_answers_it() {
        let mut logs = vec![PartitionLog::default(); 3];
        let mut session = session(10_000);
        session.update(&[entry(0, 0), entry(2, 0)], &cast());
        let mut answer = Vec::new();
        session.read_or_park(Instant::from_millis(10), &logs, &mut answer);
        assert_eq!((partitions(&answer), session.parked_until()), (vec![], Some(Instant::from_millis(510))));
        assert!(!session.try_complete(None, &logs, &mut answer));
        logs[2].append(3, 100, 1);
        assert!(session.try_complete(Some(Alone { index: 2, records: 3, bytes: 100 }), &logs, &mut answer));
        assert_eq!((partitions(&answer), session.parked_until()), (vec![2], None));
    }

    #[test]
    fn a_waiting_fetch_counts_what_is_there_though_an_answer_would_hold_less() {
        let mut logs = vec![PartitionLog::default(); 3];
        let limits = FetchLimits { min_bytes: 500, max_wait: Span::from_millis(500), max_bytes: 100, max_partition_bytes: 300 };
        let mut session = FetchSession::new(limits);
        session.update(&[entry(0, 0), entry(1, 0)], &cast());
        let mut answer = Vec::new();
        (0..4).for_each(|_| logs[0].append(1, 100, 1));
        session.read_or_park(Instant::ZERO, &logs, &mut answer);
        assert_eq!((partitions(&answer), session.parked_until()), (vec![], Some(Instant::from_millis(500))), "300 of 400 bytes count");
        (0..2).for_each(|_| logs[1].append(1, 100, 1));
        assert!(session.try_complete(None, &logs, &mut answer));
        assert_eq!(answer, [Fetched { partition: at(0), offsets: OffsetRange::new(Offset(0), Offset(1)) }]);
    }

    #[test]
    fn partitions_not_named_are_forgotten_and_come_back_at_the_end() {
        let mut session = session(10_000);
        assert!(session.update(&[entry(0, 0), entry(1, 0), entry(2, 0)], &cast()));
        assert!(session.update(&[entry(1, 5), entry(2, 0)], &cast()));
        assert!(session.update(&[entry(0, 7), entry(1, 5), entry(2, 0)], &cast()));
        assert!(!session.update(&[entry(0, 8), entry(1, 5), entry(2, 0)], &cast()));
        let order: Vec<u32> = session.entries().iter().map(|entry| entry.partition.partition).collect();
        assert_eq!(order, [1, 2, 0]);
        assert_eq!(session.entries()[2].from, Offset(8));
    }
}

//! What became of each record.

use std::collections::{BTreeMap, BTreeSet};

use groupsim::ledger::Account;
use groupsim::scenario::Scenario;

use crate::broker::Record;
use crate::world::Tp;

/// An application finished a record: when, of which group, in which life of its process.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Done {
    pub tp: Tp,
    pub offset: u64,
    pub at: u64,
    pub life: u32,
}

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Fate {
    /// So many times.
    Processed(u64),
    Skipped,
    Lost,
    Unsettled,
}

#[derive(Default, Debug)]
pub struct Books {
    pub run_end: u64,
    pub end: u64,
    pub drained: bool,
    /// By producer.
    pub sent: Vec<u64>,
    pub records: BTreeMap<Tp, Vec<Record>>,
    /// By group: what its process had in hand in the end.
    pub in_hand: Vec<BTreeSet<(Tp, u64)>>,
    /// By group.
    pub done: Vec<Vec<Done>>,
    pub commits: Vec<(u64, usize, Tp, u64)>,
    /// A position was found or moved.
    pub positions: Vec<(u64, usize, Tp, u64)>,
    /// By group: the furthest position that was found, committed or by a reset, and how far records were processed.
    pub found: Vec<BTreeMap<Tp, u64>>,
    pub read: Vec<BTreeMap<Tp, u64>>,
    /// A start at the end went past everything below.
    pub resets: Vec<(u64, usize, Tp, u64)>,
}

/// Lag of one partition at one moment.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Lag {
    pub committed: Option<i64>,
    pub position: i64,
    pub unprocessed: u64,
}

impl Books {
    pub fn new(scenario: &Scenario) -> Self {
        Books {
            sent: vec![0; scenario.producers.len()],
            done: vec![Vec::new(); scenario.groups.len()],
            found: vec![BTreeMap::new(); scenario.groups.len()],
            read: vec![BTreeMap::new(); scenario.groups.len()],
            ..Books::default()
        }
    }

    /// How often each record of a partition was processed.
    fn times(&self, group: usize, tp: Tp) -> Vec<u64> {
        let mut times = vec![0; self.records[&tp].len()];
        self.done[group].iter().filter(|done| done.tp == tp).for_each(|done| times[done.offset as usize] += 1);
        times
    }

    /// The range that starts at the end went past: from what was committed, or the start.
    fn passed_over(&self, group: usize, tp: Tp) -> Vec<(u64, std::ops::Range<u64>)> {
        let of = |(at, of_group, of_tp, to): &(u64, usize, Tp, u64)| {
            (*of_group == group && *of_tp == tp).then(|| (*at, self.committed(group, tp, *at).unwrap_or(0)..*to))
        };
        self.resets.iter().filter_map(of).collect()
    }

    pub fn committed(&self, group: usize, tp: Tp, moment: u64) -> Option<u64> {
        let of = |(at, of_group, of_tp, _): &&(u64, usize, Tp, u64)| *at <= moment && *of_group == group && *of_tp == tp;
        self.commits.iter().rfind(of).map(|commit| commit.3)
    }

    /// What became of each record of a partition.
    pub fn fates(&self, group: usize, tp: Tp) -> Vec<Fate> {
        let (skips, committed) = (self.passed_over(group, tp), self.committed(group, tp, u64::MAX).unwrap_or(0));
        let fate = |(offset, times)| match times {
            1.. => Fate::Processed(times),
            0 if skips.iter().any(|(_, range)| range.contains(&offset)) => Fate::Skipped,
            0 if self.in_hand[group].contains(&(tp, offset)) => Fate::Unsettled,
            0 if self.drained || offset < committed => Fate::Lost,
            0 => Fate::Unsettled,
        };
        (0..).zip(self.times(group, tp)).map(fate).collect()
    }

    pub fn account(&self, scenario: &Scenario, group: usize) -> Account {
        let mut account = Account::default();
        let topics = &scenario.groups[group].topics;
        for (producer, sent) in scenario.producers.iter().zip(&self.sent) {
            account.produced += if topics.contains(&producer.topic) { *sent } else { 0 };
        }
        for tp in self.records.keys().filter(|tp| topics.iter().any(|topic| topic.0 == tp.0)) {
            for fate in self.fates(group, *tp) {
                match fate {
                    Fate::Processed(1) => account.processed_once += 1,
                    Fate::Processed(times) => {
                        account.duplicated += 1;
                        account.extra += times - 1;
                    }
                    Fate::Skipped => account.skipped += 1,
                    Fate::Lost => account.lost += 1,
                    Fate::Unsettled => {}
                }
            }
        }
        // With what was sent and has not arrived.
        account.unsettled = account.produced - account.processed_once - account.duplicated - account.lost - account.skipped;
        account
    }

    /// From the creation of each record to the end of its first processing.
    pub fn latencies(&self, group: usize) -> Vec<u64> {
        let mut first: BTreeMap<(Tp, u64), u64> = BTreeMap::new();
        for done in &self.done[group] {
            let at = first.entry((done.tp, done.offset)).or_insert(done.at);
            *at = (*at).min(done.at);
        }
        first.into_iter().map(|((tp, offset), at)| at - self.records[&tp][offset as usize].created).collect()
    }

    /// The lag of one partition at each of these moments.
    pub fn lags(&self, group: usize, tp: Tp, moments: &[u64]) -> Vec<Lag> {
        let records = &self.records[&tp];
        let mut first: Vec<Option<u64>> = vec![None; records.len()];
        for done in self.done[group].iter().filter(|done| done.tp == tp) {
            let at = &mut first[done.offset as usize];
            *at = Some(at.map_or(done.at, |at| at.min(done.at)));
        }
        // A record that was passed over counts as done from then on.
        for (at, range) in self.passed_over(group, tp) {
            for record in &mut first[range.start as usize..range.end.max(range.start) as usize] {
                *record = Some(record.map_or(at, |done| done.min(at)));
            }
        }
        let mut done: Vec<u64> = first.into_iter().flatten().collect();
        done.sort_unstable();
        let of = |list: &[(u64, usize, Tp, u64)]| -> Vec<(u64, u64)> {
            list.iter().filter(|(_, of_group, of_tp, _)| (*of_group, *of_tp) == (group, tp)).map(|(at, .., value)| (*at, *value)).collect()
        };
        let (commits, positions) = (of(&self.commits), of(&self.positions));
        let latest =
            |list: &[(u64, u64)], moment: u64| list[..list.partition_point(|(at, _)| *at <= moment)].last().map(|(_, value)| *value);
        let lag = |moment: &u64| {
            let high_watermark = records.partition_point(|record| record.visible <= *moment) as i64;
            Lag {
                committed: latest(&commits, *moment).map(|committed| high_watermark - committed as i64),
                position: high_watermark - latest(&positions, *moment).unwrap_or(0) as i64,
                unprocessed: (high_watermark - done.partition_point(|at| at <= moment) as i64).max(0) as u64,
            }
        };
        moments.iter().map(lag).collect()
    }
}

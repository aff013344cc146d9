//! Everything record by record.

use groupsim::ledger::Account;
use groupsim::metrics::{LagSample, Latency, Measurements};
use groupsim::terms::PositionSource;
use groupsim::trace::TraceEvent;
use groupsim::units::{ClientId, Instant, OffsetRange, TopicPartition};

use super::{INTERVAL, PARTITIONS};

/// One record as one group sees it.
#[derive(Clone, Default, Debug)]
struct Record {
    created: u64,
    visible: u64,
    /// End, order of telling, client.
    processed: Vec<(u64, usize, u32)>,
    skipped: Option<(u64, u32)>,
    /// Who has polled it, and neither finished nor dropped it.
    in_hand: Vec<u32>,
    /// Below a committed offset at some time.
    was_committed: bool,
}

/// The fold.
pub struct Naive {
    records: [[Vec<Record>; PARTITIONS]; 2],
    /// The committed offset after each change.
    committed: [[Vec<(u64, u64)>; PARTITIONS]; 2],
    /// Who was assigned the partition last, and its position after each change.
    owner: [[Option<ClientId>; PARTITIONS]; 2],
    position: [[Vec<(u64, u64)>; PARTITIONS]; 2],
    sent: u64,
    drained: bool,
    run_end: u64,
    end: u64,
}

impl Naive {
    pub fn fold(trace: &[(Instant, TraceEvent)]) -> Naive {
        let mut naive = Naive {
            records: Default::default(),
            committed: Default::default(),
            owner: Default::default(),
            position: Default::default(),
            sent: 0,
            drained: false,
            run_end: 0,
            end: trace.last().map_or(0, |(at, _)| at.as_nanos()),
        };
        for (order, (at, event)) in trace.iter().enumerate() {
            naive.take_position(at.as_nanos(), event);
            naive.take(order, at.as_nanos(), event);
        }
        naive
    }

    fn take(&mut self, order: usize, at: u64, event: &TraceEvent) {
        if let TraceEvent::Appended { partition, per_batch, batches, created, delay, .. } = event {
            for i in 0..batches * u64::from(*per_batch) {
                let visible = created.at(i / u64::from(*per_batch) * u64::from(*per_batch)) + *delay;
                let record = Record { created: created.at(i).as_nanos(), visible: visible.as_nanos(), ..Record::default() };
                (0..2).for_each(|group| self.records[group][partition.partition as usize].push(record.clone()));
            }
        } else if let TraceEvent::Processed { client, partition, offsets, finished, .. } = event {
            let records = &mut self.records[client.index() / 3][partition.partition as usize];
            for i in 0..offsets.len() {
                let record = &mut records[(offsets.from.0 + i) as usize];
                record.processed.push((finished.at(i).as_nanos(), order, client.0));
                record.in_hand.retain(|holder| *holder != client.0);
            }
        } else if let TraceEvent::Polled { client, partition, offsets } = event {
            let records = &mut self.records[client.index() / 3][partition.partition as usize];
            records[offsets.from.0 as usize..offsets.to.0 as usize].iter_mut().for_each(|record| record.in_hand.push(client.0));
        } else if let TraceEvent::Dropped { client, partition, offsets } = event {
            let records = &mut self.records[client.index() / 3][partition.partition as usize];
            let dropped = records[offsets.from.0 as usize..offsets.to.0 as usize].iter_mut();
            dropped.for_each(|record| record.in_hand.retain(|holder| *holder != client.0));
        } else if let TraceEvent::ClientStarted { client, .. } = event {
            let records = self.records[client.index() / 3].iter_mut().flatten();
            records.for_each(|record| record.in_hand.retain(|holder| *holder != client.0));
        } else if let TraceEvent::Committed { group, partition, offset, .. } = event {
            self.committed[group.index()][partition.partition as usize].push((at, offset.0));
            let records = &mut self.records[group.index()][partition.partition as usize];
            records[..offset.0 as usize].iter_mut().for_each(|record| record.was_committed = true);
        } else if let TraceEvent::PositionSet { client, partition, offset, source: PositionSource::ResetLatest } = event {
            let (group, partition) = (client.index() / 3, partition.partition as usize);
            let committed = self.committed[group][partition].last().map_or(0, |(_, offset)| *offset);
            for record in self.records[group][partition].iter_mut().take(offset.0 as usize).skip(committed as usize) {
                record.skipped = record.skipped.or(Some((at, client.0)));
            }
        } else if let TraceEvent::ProducerStopped { sent, .. } = event {
            self.sent = *sent;
        } else if let TraceEvent::RunPhaseEnded = event {
            self.run_end = at;
        } else if let TraceEvent::SettlePhaseEnded { drained } = event {
            self.drained = *drained;
            let records = self.records.iter_mut().flatten().flatten();
            records.for_each(|record| record.processed.sort_unstable());
        }
    }

    fn take_position(&mut self, at: u64, event: &TraceEvent) {
        let (client, partition, position) = match event {
            TraceEvent::Assigned { client, partitions, .. } => {
                for partition in partitions {
                    self.owner[client.index() / 3][partition.partition as usize] = Some(*client);
                }
                return;
            }
            TraceEvent::PositionSet { client, partition, offset, .. } => (client, partition, offset),
            TraceEvent::Polled { client, partition, offsets } => (client, partition, &offsets.to),
            _ => return,
        };
        let (group, partition) = (client.index() / 3, partition.partition as usize);
        if self.owner[group][partition] == Some(*client) {
            self.position[group][partition].push((at, position.0));
        }
    }

    pub fn check_account(&self, group: usize, account: &Account) {
        let mut expected = Account { produced: self.sent, ..Account::default() };
        let (mut lost, mut skipped) = (Vec::new(), Vec::new());
        for (partition, records) in self.records[group].iter().enumerate() {
            let committed = self.committed[group][partition].last().map_or(0, |(_, offset)| *offset);
            for (offset, record) in records.iter().enumerate() {
                match (record.processed.len(), record.skipped) {
                    (0, Some((at, by))) => skipped.push((partition, offset, at, by)),
                    (0, None) if !record.in_hand.is_empty() => expected.unsettled += 1,
                    (0, None) if self.drained || (offset as u64) < committed => lost.push((partition, offset)),
                    (0, None) => expected.unsettled += 1,
                    (1, _) => expected.processed_once += 1,
                    (times, _) => {
                        expected.duplicated += 1;
                        expected.extra += times as u64 - 1;
                    }
                }
            }
        }
        let appended: usize = self.records[group].iter().map(Vec::len).sum();
        expected.unsettled += self.sent - appended as u64;
        (expected.lost, expected.skipped) = (lost.len() as u64, skipped.len() as u64);
        let told_lost: Vec<_> = account.losses.iter().flat_map(|loss| each(loss.partition, loss.offsets)).collect();
        assert_eq!(told_lost, lost);
        let told_skipped = account.skips.iter().flat_map(|skip| {
            each(skip.partition, skip.offsets).map(|(partition, offset)| (partition, offset, skip.at.as_nanos(), skip.by.0))
        });
        assert_eq!(told_skipped.collect::<Vec<_>>(), skipped);
        self.check_duplicates(group, account);
        let numbers = Account { duplicates: vec![], losses: vec![], skips: vec![], ..account.clone() };
        assert_eq!(numbers, expected);
    }

    fn check_duplicates(&self, group: usize, account: &Account) {
        let mut told = Vec::new();
        for duplicate in &account.duplicates {
            for (partition, offset) in each(duplicate.partition, duplicate.offsets) {
                let record = &self.records[group][partition][offset];
                let (before, again) = (duplicate.before.0.0, duplicate.again.0.0);
                let is_earlier = record.processed.iter().position(|(_, _, client)| *client == before).expect("somebody had it before");
                assert!(record.processed[is_earlier + 1..].iter().any(|(_, _, client)| *client == again), "{duplicate:?}");
                told.push((partition, offset, duplicate.again.0.0));
            }
            let partition = duplicate.partition.partition as usize;
            let (first, last) = (duplicate.offsets.from.0 as usize, duplicate.offsets.to.0 as usize - 1);
            let (first, last) = (&self.records[group][partition][first], &self.records[group][partition][last]);
            assert!(first.processed[1..].iter().any(|(end, _, _)| *end == duplicate.again.1.as_nanos()), "it was done again then");
            assert!(last.was_committed || duplicate.before.1.is_some(), "only what is committed is forgotten");
            if let Some(before) = duplicate.before.1 {
                let mut earlier = last.processed.iter().filter(|(_, _, client)| *client == duplicate.before.0.0);
                assert!(earlier.any(|(end, _, _)| *end == before.as_nanos()), "the last record was done then");
            }
        }
        let mut expected = Vec::new();
        for (partition, records) in self.records[group].iter().enumerate() {
            for (offset, record) in records.iter().enumerate() {
                expected.extend(record.processed.iter().skip(1).map(|(_, _, client)| (partition, offset, *client)));
            }
        }
        told.sort_unstable();
        expected.sort_unstable();
        assert_eq!(told, expected, "each delivery beyond the first is told");
        assert!(account.duplicates.is_sorted_by_key(|duplicate| duplicate.again.1));
    }

    pub fn check_measurements(&self, measured: &Measurements) {
        assert_eq!(measured.samples as u64, self.end / INTERVAL + 1);
        for (group, measured) in measured.groups.iter().enumerate() {
            for (partition, measured) in measured.partitions.iter().enumerate() {
                for (sample, lag) in measured.lag.iter().enumerate() {
                    assert_eq!(*lag, self.lag(group, partition, sample as u64 * INTERVAL), "at sample {sample}");
                }
            }
            let all = |at| (0..PARTITIONS).map(|partition| self.lag(group, partition, at).unprocessed).sum::<u64>();
            assert_eq!(measured.run_end_lag, all(self.run_end));
            assert_eq!(measured.final_lag, all(self.end));
            let moments = (0..=self.end / INTERVAL).map(|sample| sample * INTERVAL).chain([self.run_end, self.end]);
            assert_eq!(Some(measured.peak_lag), moments.map(all).max());
            self.check_latency(group, &measured.latency);
        }
    }

    fn lag(&self, group: usize, partition: usize, at: u64) -> LagSample {
        let records = &self.records[group][partition];
        let high_watermark = records.iter().filter(|record| record.visible <= at).count() as i64;
        let done = records.iter().filter(|record| {
            let first = record.processed.first().map(|(end, _, _)| *end);
            first.is_some_and(|end| end <= at) || record.skipped.is_some_and(|(when, _)| when <= at)
        });
        let latest = |changes: &[(u64, u64)]| changes.iter().take_while(|(when, _)| *when <= at).last().map(|(_, offset)| *offset as i64);
        LagSample {
            committed: latest(&self.committed[group][partition]).map(|offset| high_watermark - offset),
            position: high_watermark - latest(&self.position[group][partition]).unwrap_or(0),
            unprocessed: (high_watermark - done.count() as i64) as u64,
        }
    }

    fn check_latency(&self, group: usize, measured: &Latency) {
        let records = self.records[group].iter().flatten().filter(|record| !record.processed.is_empty());
        let latencies: Vec<_> = records.map(|record| record.processed[0].0 - record.created).collect();
        assert_eq!(measured.count, latencies.len() as u64);
        assert_eq!(measured.sum, latencies.iter().map(|latency| u128::from(*latency)).sum::<u128>());
        assert_eq!(measured.min, latencies.iter().min().copied().unwrap_or(0));
        assert_eq!(measured.max, latencies.iter().max().copied().unwrap_or(0));
        let mut below = 0;
        for (highest, count) in &measured.buckets {
            below += count;
            assert_eq!(latencies.iter().filter(|latency| *latency <= highest).count() as u64, below);
            let lowest = highest - highest / 64;
            assert!(latencies.iter().any(|latency| (lowest..=*highest).contains(latency)), "a bucket is narrow, and none is empty");
        }
    }
}

fn each(partition: TopicPartition, offsets: OffsetRange) -> impl Iterator<Item = (usize, usize)> {
    (offsets.from.0 as usize..offsets.to.0 as usize).map(move |offset| (partition.partition as usize, offset))
}

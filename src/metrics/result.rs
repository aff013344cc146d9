//! From what the fold kept to what was measured.

use super::reading::{NONE, Reading};
use super::series::Counts;
use super::{GroupMeasurements, LagSample, Measurements, Metrics, OwnerSpan, PartitionMeasurements};
use crate::fold::Known;
use crate::units::{GroupId, Instant, Offset, TopicPartition};

pub(super) fn measurements(mut metrics: Metrics, known: &Known) -> Measurements {
    let end = known.latest.max(metrics.grid.run_end);
    let samples = metrics.grid.until(end);
    let groups = known.slots.groups().map(|group| of_group(&mut metrics, known, group, samples, end)).collect();
    Measurements {
        sample_interval: metrics.grid.interval,
        samples,
        run_end: metrics.grid.run_end,
        end,
        groups,
        marks: metrics.marks,
        members: metrics.lives.members,
        leaderless: metrics.leaderless,
    }
}

fn of_group(metrics: &mut Metrics, known: &Known, group: GroupId, samples: usize, end: Instant) -> GroupMeasurements {
    let subscribed: Vec<_> = known.slots.of_group(group).collect();
    let (mut run_end_lag, mut final_lag) = (0, 0);
    let mut sums = vec![0; samples];
    let mut partitions = Vec::with_capacity(subscribed.len());
    for (partition, slot) in subscribed {
        // Taken out, so that one partition's working tables make room for its samples.
        let reading = std::mem::replace(&mut metrics.readings[slot], Reading::new(group, 0));
        let measured = of_partition(metrics, known, (partition, slot), reading, samples, end);
        run_end_lag += measured.run_end_lag;
        final_lag += measured.final_lag.unprocessed;
        sums.iter_mut().zip(&measured.lag).for_each(|(sum, sample)| *sum += sample.unprocessed);
        partitions.push(measured);
    }
    let counts = std::mem::take(&mut metrics.groups[group.index()]);
    GroupMeasurements {
        partitions,
        rebalances: counts.rebalances.list,
        latency: counts.latency.latency(),
        kicks: counts.kicks,
        heartbeats: counts.heartbeats,
        commits: counts.commits,
        commits_refused: counts.commits_refused,
        commits_failed: counts.commits_failed,
        polls: counts.polls,
        run_phase_polls: counts.run_phase_polls.unwrap_or(counts.polls),
        peak_lag: sums.into_iter().max().unwrap_or(0).max(run_end_lag).max(final_lag),
        run_end_lag,
        final_lag,
    }
}

fn of_partition(
    metrics: &Metrics,
    known: &Known,
    (partition, slot): (TopicPartition, usize),
    reading: Reading,
    samples: usize,
    end: Instant,
) -> PartitionMeasurements {
    let visible = &metrics.partitions[known.slots.cast().index(partition)].visible;
    let counts = visible.values(samples).zip(reading.done.values(samples));
    let exists = reading.ended.map_or(samples, |ended| metrics.grid.sample(ended));
    let lag = counts.enumerate().map(|(sample, (high_watermark, done))| match sample < exists {
        true => lag_sample(high_watermark, reading.committed.at(sample), reading.position.at(sample), done),
        false => GONE,
    });
    // What becomes visible after the end of a run without a settle phase does not count.
    let settled = end > metrics.grid.run_end;
    let at_end = |counts: &Counts| if settled { counts.total } else { counts.by_run_end };
    let (high_watermark, done) = (at_end(visible), at_end(&reading.done));
    let holds = known.ownership.holds(slot).iter();
    PartitionMeasurements {
        partition,
        lag: lag.collect(),
        run_end_lag: match reading.ended {
            Some(ended) if ended <= metrics.grid.run_end => 0,
            Some(_) | None => (visible.by_run_end - reading.done.by_run_end).max(0) as u64,
        },
        final_lag: match reading.ended {
            None => lag_sample(high_watermark, reading.committed.latest, reading.position.latest, done),
            Some(_) => GONE,
        },
        final_high_watermark: high_watermark as u64,
        high_watermark: visible.values(samples).map(|records| records as u64).collect(),
        start: reading.start.unwrap_or_default(),
        owners: holds.map(|hold| OwnerSpan { client: hold.client, from: hold.from, to: hold.to.unwrap_or(end) }).collect(),
        zombies: metrics.zombies.of(slot, end),
        outages: reading.availability.outages,
        committed: u64::try_from(reading.committed.latest).ok().map(Offset),
    }
}

impl PartitionMeasurements {
    /// High watermark - committed; without a commit, high watermark - start position: nothing of what was read is committed.
    pub fn uncommitted(&self, sample: usize) -> i64 {
        self.lag[sample].committed.unwrap_or(self.high_watermark[sample] as i64 - self.start.0 as i64)
    }

    /// The same at the end of everything.
    pub fn final_uncommitted(&self) -> i64 {
        self.final_lag.committed.unwrap_or(self.final_high_watermark as i64 - self.start.0 as i64)
    }
}

/// Of what is deleted there is nothing to read.
const GONE: LagSample = LagSample { committed: Some(0), position: 0, unprocessed: 0 };

fn lag_sample(high_watermark: i64, committed: i64, position: i64, done: i64) -> LagSample {
    LagSample {
        committed: (committed != NONE).then_some(high_watermark - committed),
        position: high_watermark - position,
        unprocessed: (high_watermark - done).max(0) as u64,
    }
}

//! `expect: lag`: sums over partitions, at samples.
//!
//! A moment between two samples sees the earlier one. At the end of everything every lag is exact, at the end of the run phase the
//! unprocessed one.

use crate::metrics::PartitionMeasurements;
use crate::report::verdict::{Finding, Outcome, Possible, expected, groups, unknown};
use crate::report::{Run, figures};
use crate::scenario::expectation::{Bounds, LagKind, When};
use crate::units::{GroupId, Instant};

/// `expect: {lag: …}`.
pub struct LagQuestion {
    pub group: Option<GroupId>,
    pub of: LagKind,
    pub when: When,
    pub bounds: Bounds,
}

pub fn find(run: &Run, question: &LagQuestion) -> Finding {
    let records = |n| figures::count(n, "record");
    let expected = expected(question.bounds, records);
    if run.stopped().is_some() {
        return unknown(run, expected);
    }
    match question.when {
        When::After(from) => after(run, question, from, expected),
        When::At(at) if at > run.measurements.end => {
            Finding { outcome: Outcome::Undecided, expected, seen: format!("the run ended at {}", figures::at(run.measurements.end)) }
        }
        When::At(at) => single(lag_at(run, question, sample_before(run, at)), at, question.bounds, expected),
        When::End => single(at_run_end(run, question), run.measurements.run_end, question.bounds, expected),
        When::Settled => single(at_end(run, question), run.measurements.end, question.bounds, expected),
    }
}

fn single(seen: u64, at: Instant, bounds: Bounds, expected: String) -> Finding {
    let seen_text = format!("{} at {}", figures::count(seen, "record"), figures::at(at));
    Finding { outcome: Possible::known(seen).outcome(bounds), expected, seen: seen_text }
}

/// No sample from `from` on may be above the bounds, none of the run phase below: what is left over is drained after that.
fn after(run: &Run, question: &LagQuestion, from: Instant, expected: String) -> Finding {
    let interval = run.measurements.sample_interval.as_nanos().max(1);
    let first = from.as_nanos().div_ceil(interval) as usize;
    let sampled = |i: usize| (lag_at(run, question, i), Instant::from_nanos(i as u64 * interval));
    let run_end = run.measurements.run_end;
    let mut seen: Vec<(u64, Instant)> = (first..=sample_before(run, run_end)).map(sampled).collect();
    if from <= run_end {
        seen.push((at_run_end(run, question), run_end));
    }
    let Some((lowest, lowest_at)) = seen.iter().copied().min() else {
        return Finding { outcome: Outcome::Undecided, expected, seen: "no sample in the run phase".to_owned() };
    };
    seen.extend((sample_before(run, run_end) + 1..run.measurements.samples).map(sampled));
    seen.push((at_end(run, question), run.measurements.end));
    let worst = seen.into_iter().min_by_key(|(lag, at)| (std::cmp::Reverse(*lag), *at));
    let (highest, highest_at) = worst.unwrap_or((lowest, lowest_at));
    let outcome = match (Possible::known(highest).outcome(upper(question.bounds)), Possible::known(lowest).outcome(lower(question.bounds)))
    {
        (Outcome::Met, Outcome::Met) => Outcome::Met,
        (Outcome::Met | Outcome::Failed | Outcome::Undecided, _) => Outcome::Failed,
    };
    let highest = format!("{} at most, at {}", figures::count(highest, "record"), figures::at(highest_at));
    let seen = match question.bounds.at_least {
        Some(_) => format!("{highest}; {} at least, at {}", figures::grouped(lowest), figures::at(lowest_at)),
        None => highest,
    };
    Finding { outcome, expected, seen }
}

fn upper(bounds: Bounds) -> Bounds {
    Bounds { at_least: None, ..bounds }
}

fn lower(bounds: Bounds) -> Bounds {
    Bounds { at_most: None, ..bounds }
}

fn sample_before(run: &Run, at: Instant) -> usize {
    let index = at.as_nanos() / run.measurements.sample_interval.as_nanos().max(1);
    (index as usize).min(run.measurements.samples.saturating_sub(1))
}

fn at_run_end(run: &Run, question: &LagQuestion) -> u64 {
    match question.of {
        LagKind::Unprocessed => groups(run, question.group).map(|g| run.measurements.groups[g].run_end_lag).sum(),
        LagKind::Committed | LagKind::Position => lag_at(run, question, sample_before(run, run.measurements.run_end)),
    }
}

fn at_end(run: &Run, question: &LagQuestion) -> u64 {
    let partitions = groups(run, question.group).flat_map(|g| &run.measurements.groups[g].partitions);
    let of_kind = |partition: &PartitionMeasurements| match question.of {
        LagKind::Committed => partition.final_uncommitted(),
        LagKind::Position => partition.final_lag.position,
        LagKind::Unprocessed => i64::try_from(partition.final_lag.unprocessed).unwrap_or(i64::MAX),
    };
    u64::try_from(partitions.map(of_kind).sum::<i64>()).unwrap_or(0)
}

/// The sum over the partitions of the groups asked for.
fn lag_at(run: &Run, question: &LagQuestion, sample: usize) -> u64 {
    let partitions = groups(run, question.group).flat_map(|g| &run.measurements.groups[g].partitions);
    let sum: i64 =
        partitions.filter(|partition| sample < partition.lag.len()).map(|partition| of_kind(partition, sample, question.of)).sum();
    u64::try_from(sum).unwrap_or(0)
}

fn of_kind(partition: &PartitionMeasurements, sample: usize, kind: LagKind) -> i64 {
    match kind {
        LagKind::Committed => partition.uncommitted(sample),
        LagKind::Position => partition.lag[sample].position,
        LagKind::Unprocessed => i64::try_from(partition.lag[sample].unprocessed).unwrap_or(i64::MAX),
    }
}

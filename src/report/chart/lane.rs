//! What one lane shows: who handed out the records of a partition when, as the summary counts it. From losing its owner to the next one's
//! first Fetch a partition is with nobody, and while it has no leader its owner has nothing to hand out.

use crate::metrics::marks::MarkKind;
use crate::metrics::{OwnerSpan, PartitionMeasurements};
use crate::report::Report;
use crate::units::{Instant, TopicId};

/// From a moment to another.
pub type Time = (Instant, Instant);

pub struct Lane {
    pub owners: Vec<Part>,
    /// Those that did not know that they were put out, beside their successors, and those that went on when they had left.
    pub zombies: Vec<OwnerSpan>,
    pub nobody: Vec<Time>,
    pub leaderless: Vec<Time>,
}

/// A stretch of time with one owner.
pub struct Part {
    pub span: OwnerSpan,
    /// A zombie is at work, too.
    pub below_zombie: bool,
}

impl Lane {
    /// Of a partition, or of several that share a lane: owned while all of them are, shown as the owner of the first.
    pub fn of(report: &Report, chunk: &[PartitionMeasurements]) -> Lane {
        let end = chunk.iter().map(|partition| gone(report, partition.partition.topic)).max().unwrap_or(Instant::ZERO);
        let (owned, zombies) = match chunk {
            [only] => (read(only, end), zombies(only)),
            _ => (owned_together(chunk, end), Vec::new()),
        };
        let mut leaderless = leaderless(report, chunk);
        let nobody = unowned(&owned, created(&chunk[0]), end);
        leaderless = leaderless.into_iter().flat_map(|time| without(time, &nobody)).collect();
        let beside = joined(zombies.iter().map(|span| (span.from, span.to)));
        let owners = owned.iter().flat_map(|span| {
            without((span.from, span.to), &leaderless).into_iter().flat_map(|time| {
                let alone = without(time, &beside);
                let shared = without(time, &alone);
                let part = |(from, to), below_zombie| Part { span: OwnerSpan { from, to, ..*span }, below_zombie };
                alone.into_iter().map(|time| part(time, false)).chain(shared.into_iter().map(|time| part(time, true))).collect::<Vec<_>>()
            })
        });
        Lane { owners: owners.collect(), zombies, nobody, leaderless }
    }
}

/// What each owner thought that it owned beyond the beginning of the next, and what it went on with after it had left the group.
pub fn zombies(partition: &PartitionMeasurements) -> Vec<OwnerSpan> {
    let owners = &partition.owners;
    let pairs = owners.iter().zip(owners.iter().skip(1));
    let unaware = pairs.filter(|(span, next)| span.to > next.from).map(|(span, next)| OwnerSpan { from: next.from, ..*span });
    let mut all: Vec<OwnerSpan> = unaware.chain(partition.zombies.iter().copied()).collect();
    all.sort_by_key(|span| span.from);
    all
}

/// When a topic was deleted; the end of the run, if it never was.
fn gone(report: &Report, topic: TopicId) -> Instant {
    let measured = &report.run.measurements;
    let deleted = measured.marks.iter().find(|mark| mark.kind == MarkKind::TopicDeleted(topic));
    deleted.map_or(measured.end, |mark| mark.at)
}

/// Each owner up to the beginning of the next, without the time in which it did not read yet.
fn read(partition: &PartitionMeasurements, end: Instant) -> Vec<OwnerSpan> {
    let outages: Vec<Time> = partition.outages.iter().map(|outage| (outage.from, outage.to.unwrap_or(end))).collect();
    let next = partition.owners.iter().skip(1).map(|next| next.from).chain([end]);
    let owned = partition.owners.iter().zip(next).map(|(span, next)| OwnerSpan { to: span.to.min(next.max(span.from)).min(end), ..*span });
    let owned = owned.filter(|span| span.from < span.to);
    owned
        .flat_map(|span| without((span.from, span.to), &outages).into_iter().map(move |(from, to)| OwnerSpan { from, to, ..span }))
        .collect()
}

fn owned_together(chunk: &[PartitionMeasurements], end: Instant) -> Vec<OwnerSpan> {
    let mut spans = read(&chunk[0], end);
    for partition in &chunk[1..] {
        let owned = read(partition, end);
        let mut others = owned.as_slice();
        let mut both = Vec::with_capacity(spans.len());
        for span in &spans {
            // Those before are over when the first of the spans begins that are still to come.
            others = &others[others.iter().take_while(|other| other.to <= span.from).count()..];
            both.extend(others.iter().take_while(|other| other.from < span.to).filter_map(|other| {
                let (from, to) = (span.from.max(other.from), span.to.min(other.to));
                (from < to).then_some(OwnerSpan { from, to, client: span.client })
            }));
        }
        spans = both;
    }
    spans
}

/// When one of them had no leader, each time once.
fn leaderless(report: &Report, chunk: &[PartitionMeasurements]) -> Vec<Time> {
    let measured = &report.run.measurements;
    let ours = measured.leaderless.iter().filter(|time| chunk.iter().any(|partition| partition.partition == time.partition));
    joined(ours.map(|time| (time.from, time.to.unwrap_or(measured.end))))
}

/// Apart from each other; they come in order.
fn joined(times: impl Iterator<Item = Time>) -> Vec<Time> {
    let mut apart: Vec<Time> = Vec::new();
    for (from, to) in times {
        match apart.last_mut().filter(|last| from <= last.1) {
            Some(last) => last.1 = last.1.max(to),
            None => apart.push((from, to)),
        }
    }
    apart
}

/// When there was something to own: a partition can be added while the run goes on.
fn created(partition: &PartitionMeasurements) -> Instant {
    let first_outage = partition.outages.first().map(|outage| outage.from);
    let first_owner = partition.owners.first().map(|span| span.from);
    first_outage.into_iter().chain(first_owner).min().unwrap_or(Instant::ZERO)
}

/// What the spans leave free.
fn unowned(owned: &[OwnerSpan], from: Instant, end: Instant) -> Vec<Time> {
    let mut free_from = from;
    let mut gaps = Vec::new();
    for span in owned {
        if free_from < span.from {
            gaps.push((free_from, span.from));
        }
        free_from = free_from.max(span.to);
    }
    if free_from < end {
        gaps.push((free_from, end));
    }
    gaps
}

/// What is left of a stretch of time when others, in order and apart from each other, are taken away.
fn without((from, to): Time, taken: &[Time]) -> Vec<Time> {
    let mut left = Vec::new();
    let mut free_from = from;
    for (taken_from, taken_to) in &taken[taken.partition_point(|time| time.1 <= from)..] {
        if *taken_from >= to {
            break;
        }
        if free_from < *taken_from {
            left.push((free_from, *taken_from));
        }
        free_from = free_from.max(*taken_to);
    }
    if free_from < to {
        left.push((free_from, to));
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_away_leaves_the_rest_in_order() {
        let ms = |(from, to)| (Instant::from_millis(from), Instant::from_millis(to));
        let taken = [(0, 5), (10, 20), (30, 40), (50, 60)].map(ms);
        let left = |time| without(ms(time), &taken);
        assert_eq!(left((5, 60)), [(5, 10), (20, 30), (40, 50)].map(ms));
        assert_eq!(left((12, 35)), [(20, 30)].map(ms));
        assert_eq!(left((12, 18)), []);
        assert_eq!(left((60, 70)), [(60, 70)].map(ms));
    }
}

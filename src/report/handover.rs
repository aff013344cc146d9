//! What a rebalance did to the partitions of its group: which went from one member to another, and how long they had nobody who read them.
//!
//! A partition counts with every rebalance that found it unread or left it so, for the time after that had begun: what had passed before it
//! is no fault of its own, and how often the next one began before the partition was read again is no excuse. A cooperative group gives
//! partitions up after one rebalance and hands them out in the next, so the move and the gap stand with the second.

use std::collections::BTreeMap;

use crate::metrics::availability::HeldUp;
use crate::metrics::marks::MarkKind;
use crate::metrics::{Outage, PartitionMeasurements, Rebalance};
use crate::report::verdict::ownership;
use crate::report::{Report, Run, names};
use crate::scenario::Scenario;
use crate::units::{ClientId, Instant, Span, TopicId, TopicPartition};

pub struct Handover {
    pub moved: Vec<Move>,
    /// How long each partition was not read after the rebalance had begun, those that were.
    pub unread: Vec<(TopicPartition, Span)>,
    /// Partitions that had been added before it and got their first owner, and how long each had waited for that by then.
    pub added: Vec<(TopicPartition, Span)>,
}

pub struct Move {
    pub partition: TopicPartition,
    pub from: ClientId,
    pub to: ClientId,
}

/// Of one rebalance of a group.
pub fn of(run: &Run, group: usize, index: usize) -> Handover {
    let measured = &run.measurements.groups[group];
    let rebalance = &measured.rebalances[index];
    let until = measured.rebalances.get(index + 1).map_or(Instant::NEVER, |next| next.started);
    let mut handover = Handover { moved: Vec::new(), unread: Vec::new(), added: Vec::new() };
    for at in &measured.partitions {
        let owner_by = |time: Instant| {
            let before = at.owners.partition_point(|span| span.from < time);
            at.owners[..before].last().map(|span| span.client)
        };
        if let (Some(from), Some(to)) = (owner_by(rebalance.started), owner_by(until))
            && from != to
        {
            handover.moved.push(Move { partition: at.partition, from, to });
        }
        // Outages follow each other, so those that end in time stand together.
        let first = at.outages.partition_point(|outage| outage.to.is_some_and(|to| to < rebalance.started));
        let began_before_its_end = |outage: &&Outage| rebalance.ended.is_none_or(|ended| outage.from < ended);
        let outages = at.outages[first..].iter().take_while(|outage| outage.from < until).filter(began_before_its_end);
        let outages = outages.filter(|outage| ownership::counts(outage));
        let during = |outage: &Outage| outage.to.unwrap_or(run.measurements.end).since(outage.from.max(rebalance.started));
        let (first_reading, unread): (Vec<&Outage>, Vec<&Outage>) =
            outages.partition(|outage| outage.initial && outage.to.is_some() && outage.held_up != Some(HeldUp::Deleted));
        let read_here = first_reading.iter().filter(|outage| outage.to.is_some_and(|to| to < until));
        handover.added.extend(read_here.map(|outage| (at.partition, ownership::lasted(run, outage))));
        handover.unread.extend(unread.into_iter().map(during).max().map(|longest| (at.partition, longest)));
    }
    handover
}

/// `orders with 4 partitions`: what had grown since the last assignment, if anything had.
pub fn grown(report: &Report, group: usize, index: usize) -> Option<String> {
    let measured = &report.run.measurements.groups[group];
    let started = measured.rebalances[index].started;
    let until = measured.rebalances.get(index + 1).map_or(Instant::NEVER, |next| next.started);
    let added_before =
        |at: &&PartitionMeasurements| at.outages.first().is_some_and(|outage| outage.from > Instant::ZERO && outage.from <= started);
    let had_nobody = |at: &&PartitionMeasurements| at.owners.first().is_none_or(|span| span.from > started);
    let handed_out = |at: &PartitionMeasurements| at.owners.first().is_some_and(|span| span.from <= until);
    let is_there = |at: &&PartitionMeasurements| !deletions(report).any(|(when, topic)| topic == at.partition.topic && when <= started);
    let added = measured.partitions.iter().filter(added_before).filter(had_nobody).filter(is_there);
    let added: Vec<&PartitionMeasurements> = added.collect();
    let mut topics: BTreeMap<TopicId, u32> = BTreeMap::new();
    for at in added.iter().filter(|at| handed_out(at) || !added.iter().any(|other| handed_out(other))) {
        let count = topics.entry(at.partition.topic).or_default();
        *count = (*count).max(at.partition.partition + 1);
    }
    let topic = |(id, count): (&TopicId, &u32)| format!("{} with {count} partitions", report.scenario.topics[id.index()].name);
    let told: Vec<String> = topics.iter().map(topic).collect();
    (!told.is_empty()).then(|| names::list(&told, 3))
}

/// Topics of the group that were deleted since the rebalance before.
pub fn deleted(report: &Report, group: usize, index: usize) -> Option<String> {
    let rebalances = &report.run.measurements.groups[group].rebalances;
    let since = index.checked_sub(1).map_or(Instant::ZERO, |before| rebalances[before].started);
    let topics = &report.scenario.groups[group].topics;
    let gone = deletions(report).filter(|(at, topic)| since < *at && *at <= rebalances[index].started && topics.contains(topic));
    let names: Vec<String> = gone.map(|(_, topic)| report.scenario.topics[topic.index()].name.clone()).collect();
    (!names.is_empty()).then(|| names::list(&names, 3))
}

fn deletions<'a>(report: &'a Report) -> impl Iterator<Item = (Instant, TopicId)> + 'a {
    let marks = report.run.measurements.marks.iter();
    marks.filter_map(|mark| if let MarkKind::TopicDeleted(topic) = mark.kind { Some((mark.at, topic)) } else { None })
}

/// How many partitions its trigger had given up just before: the second of the two rebalances in which a cooperative group moves partitions.
pub fn given_up_before(scenario: &Scenario, run: &Run, group: usize, index: usize) -> Option<usize> {
    let measured = &run.measurements.groups[group];
    let rebalance: &Rebalance = &measured.rebalances[index];
    let client = rebalance.trigger?.client;
    let mut configs = scenario.configs(client);
    if !configs.any(|config| config.assignors.iter().all(|assignor| &**assignor == "cooperative-sticky")) {
        return None;
    }
    let since = measured.rebalances[..index].last()?.joined?;
    let spans = measured.partitions.iter().flat_map(|at| &at.owners);
    let gone = spans.filter(|span| span.client == client && since < span.to && span.to <= rebalance.started).count();
    (gone > 0).then_some(gone)
}

//! What a rebalance did to the partitions of its group: which went from one member to another, and how long they had nobody who read them.
//!
//! A partition counts with the rebalance that gave it an owner again. A cooperative group gives partitions up after one rebalance and hands
//! them out in the next, so the move and the gap stand with the second.

use crate::metrics::{Outage, Rebalance};
use crate::report::Run;
use crate::report::verdict::ownership;
use crate::scenario::Scenario;
use crate::units::{ClientId, Instant, Span, TopicPartition};

pub struct Handover {
    pub moved: Vec<Move>,
    /// How long each partition was not read, those that were.
    pub unread: Vec<(TopicPartition, Span)>,
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
    let mut handover = Handover { moved: Vec::new(), unread: Vec::new() };
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
        let ends_here = |outage: &&Outage| outage.to.map_or(until == Instant::NEVER, |to| to < until);
        let began_before_its_end = |outage: &&Outage| rebalance.ended.is_none_or(|ended| outage.from < ended);
        let outages = at.outages[first..].iter().take_while(ends_here).filter(began_before_its_end);
        let outages = outages.filter(|outage| ownership::counts(outage));
        if let Some(longest) = outages.map(|outage| ownership::lasted(run, outage)).max() {
            handover.unread.push((at.partition, longest));
        }
    }
    handover
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

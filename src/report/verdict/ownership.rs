//! `expect: owner` and `expect: unavailable`.
//!
//! The time before a partition's first owner is the group's start-up: it is printed but does not count as unavailable, unless the
//! partition was added while the run went on (then the group was there and did not read it) or no owner ever came.

use crate::metrics::{Outage, OwnerSpan};
use crate::report::verdict::{Finding, Outcome, Possible, expected, groups, so_far};
use crate::report::{Run, figures, names};
use crate::scenario::Scenario;
use crate::scenario::expectation::{Bounds, Period, WhichPartition};
use crate::trace::ending::Ending;
use crate::units::{ClientId, GroupId, Instant, Span, TopicPartition};

/// Whether an outage counts as unavailability, by the rule of this module.
pub fn counts(outage: &Outage) -> bool {
    !outage.initial || outage.to.is_none() || outage.from > Instant::ZERO
}

/// How long it lasted; one that never ended lasts to the end of the run.
pub fn lasted(run: &Run, outage: &Outage) -> Span {
    outage.to.unwrap_or(run.measurements.end).since(outage.from)
}

pub fn unavailable(
    scenario: &Scenario,
    run: &Run,
    group: Option<GroupId>,
    which: WhichPartition,
    period: Period,
    bounds: Bounds,
) -> Finding {
    let partitions = groups(run, group).flat_map(|g| &run.measurements.groups[g].partitions).filter(|partition| match which {
        WhichPartition::Longest => true,
        WhichPartition::Named(name) => partition.partition == name,
    });
    let outages = partitions.flat_map(|partition| partition.outages.iter().map(|outage| (partition.partition, *outage)));
    let longest =
        outages.filter(|(_, outage)| counts(outage) && period.contains(outage.from)).rev().max_by_key(|(_, outage)| lasted(run, outage));
    let show = |nanos| figures::span(Span::from_nanos(nanos));
    let expected = expected(bounds, show);
    let Some((partition, outage)) = longest else {
        let high = run.stopped().is_none().then_some(0);
        let seen = "never unavailable".to_owned() + &run.stopped().map_or(String::new(), so_far);
        return Finding { outcome: Possible { low: 0, high }.outcome(bounds), expected, seen };
    };
    let seen = lasted(run, &outage);
    let mut text = format!("{} ({} from {}", figures::span(seen), names::partition(scenario, partition), figures::at(outage.from));
    text.push_str(if outage.to.is_none() { ", and still at the end)" } else { ")" });
    let may_grow = match run.ending {
        Ending::Finished | Ending::Drained => false,
        Ending::SettleBound => outage.to.is_none(),
        Ending::Stuck { .. } => true,
    };
    let high = (!may_grow).then_some(seen.as_nanos());
    Finding { outcome: Possible { low: seen.as_nanos(), high }.outcome(bounds), expected, seen: text }
}

pub fn owner(
    scenario: &Scenario,
    run: &Run,
    group: Option<GroupId>,
    partition: TopicPartition,
    client: Option<ClientId>,
    at: Instant,
) -> Finding {
    let expected = format!("{} at {}", client.map_or("nobody", |id| names::client(scenario, id)), figures::at(at));
    if at > run.measurements.end {
        let seen = format!("the run ended at {}", figures::at(run.measurements.end));
        return Finding { outcome: Outcome::Undecided, expected, seen };
    }
    // A client names its group; nobody must be true of every group that reads the topic.
    let group = group.or(client.map(|id| scenario.clients[id.index()].group));
    let owners: Vec<Option<ClientId>> = groups(run, group)
        .filter(|g| scenario.groups[*g].topics.contains(&partition.topic))
        .map(|g| owner_at(run, g, partition, at))
        .collect();
    let outcome = if owners.iter().all(|owner| *owner == client) { Outcome::Met } else { Outcome::Failed };
    let seen = owners.iter().map(|owner| owner.map_or("nobody", |id| names::client(scenario, id))).collect::<Vec<_>>().join(", ");
    Finding { outcome, expected, seen }
}

/// Of two at once (a process that does not know yet that it was put out, and its successor) the later one.
fn owner_at(run: &Run, group: usize, partition: TopicPartition, at: Instant) -> Option<ClientId> {
    let measured = run.measurements.groups[group].partitions.iter().find(|measured| measured.partition == partition)?;
    // A span that the end of the run cut off includes that moment.
    let holds = |span: &OwnerSpan| span.from <= at && (at < span.to || span.to == run.measurements.end);
    measured.owners.iter().filter(|span| holds(span)).max_by_key(|span| span.from).map(|span| span.client)
}

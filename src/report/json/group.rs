//! One group in summary.json.

use indexmap::IndexMap;
use serde::Serialize;

use crate::ledger::{Account, Duplicate, Loss, Skip};
use crate::metrics::{GroupMeasurements, Latency, Outage, PartitionMeasurements, Rebalance};
use crate::report::handover::{self, Move};
use crate::report::json::{nanos, terms};
use crate::report::verdict::ownership;
use crate::report::{Report, Run, latency, livelock, names};
use crate::scenario::Scenario;
use crate::units::{ClientId, Instant, OffsetRange, Span, TopicPartition};

#[derive(Serialize)]
pub struct Group {
    produced: u64,
    processed_once: u64,
    duplicated: u64,
    extra: u64,
    lost: u64,
    skipped: u64,
    deleted: u64,
    unsettled: u64,
    lag: Lag,
    latency: Option<LatencyJson>,
    rebalances: Vec<RebalanceJson>,
    unavailable: IndexMap<String, Unavailable>,
    livelock: Option<LivelockJson>,
    duplicates: Vec<DuplicateJson>,
    losses: Vec<LossJson>,
    skips: Vec<SkipJson>,
    requests: Requests,
}

#[derive(Serialize)]
struct Lag {
    peak: u64,
    run_end: u64,
    backlog: u64,
    r#final: u64,
}

#[derive(Serialize)]
struct LatencyJson {
    count: u64,
    mean_ns: u64,
    min_ns: u64,
    p50_ns: u64,
    p99_ns: u64,
    max_ns: u64,
}

#[derive(Serialize)]
struct RebalanceJson {
    at_ns: u64,
    reason: &'static str,
    group_protocol: &'static str,
    trigger: Option<String>,
    generation: Option<i32>,
    joined_ns: Option<u64>,
    ended_ns: Option<u64>,
    lasted_ns: Option<u64>,
    ended_in: Option<&'static str>,
    leader: Option<String>,
    assignor: Option<String>,
    members: u32,
    initial: bool,
    waited_for: Vec<WaitedJson>,
    moved: Vec<MoveJson>,
    /// How long each partition was not read after the beginning of this rebalance.
    not_read_ns: IndexMap<String, u64>,
    /// How long partitions that had been added waited for their first owner, whom this rebalance gave them.
    added_waited_ns: IndexMap<String, u64>,
}

#[derive(Serialize)]
struct MoveJson {
    partition: String,
    from: String,
    to: String,
}

#[derive(Serialize)]
struct WaitedJson {
    member: String,
    lasted_ns: u64,
    how: &'static str,
}

#[derive(Serialize)]
struct Unavailable {
    longest_ns: u64,
    total_ns: u64,
    outages: Vec<OutageJson>,
}

#[derive(Serialize)]
struct OutageJson {
    at_ns: u64,
    to_ns: Option<u64>,
    lasted_ns: u64,
    first_record_ns: Option<u64>,
    initial: bool,
}

#[derive(Serialize)]
struct LivelockJson {
    kicks: usize,
    at_ns: u64,
    to_ns: u64,
    members: Vec<String>,
}

#[derive(Serialize)]
struct Offsets {
    partition: String,
    from: u64,
    to: u64,
    records: u64,
}

#[derive(Serialize)]
struct Deed {
    member: String,
    at_ns: u64,
}

#[derive(Serialize)]
struct Before {
    member: String,
    at_ns: Option<u64>,
}

#[derive(Serialize)]
struct DuplicateJson {
    #[serde(flatten)]
    offsets: Offsets,
    before: Before,
    again: Deed,
    cause: &'static str,
    cause_at_ns: u64,
    /// To whom the cause happened.
    cause_of: String,
    /// That member processed them after it.
    zombie: bool,
}

#[derive(Serialize)]
struct LossJson {
    #[serde(flatten)]
    offsets: Offsets,
    committed_by: Option<Deed>,
    cause: &'static str,
    cause_at_ns: Option<u64>,
}

#[derive(Serialize)]
struct SkipJson {
    #[serde(flatten)]
    offsets: Offsets,
    by: Deed,
}

#[derive(Serialize)]
struct Requests {
    polls: u64,
    heartbeats: u64,
    commits: u64,
    commits_refused: u64,
    commits_failed: u64,
}

pub fn group(report: &Report, index: usize) -> Group {
    let Report { scenario, run, .. } = report;
    let account = &run.accounts[index];
    let measured = &run.measurements.groups[index];
    let Account { produced, processed_once, duplicated, extra, lost, skipped, deleted, unsettled, .. } = *account;
    let lag =
        Lag { peak: measured.peak_lag, run_end: measured.run_end_lag, backlog: run.backlog(scenario, index), r#final: measured.final_lag };
    Group {
        produced,
        processed_once,
        duplicated,
        extra,
        lost,
        skipped,
        deleted,
        unsettled,
        lag,
        latency: latency_json(&measured.latency),
        rebalances: (0..measured.rebalances.len()).map(|at| rebalance_json(report, index, at)).collect(),
        unavailable: measured
            .partitions
            .iter()
            .map(|partition| (names::partition(scenario, partition.partition), unavailable(run, partition)))
            .collect(),
        livelock: livelock_json(scenario, measured),
        duplicates: account.duplicates.iter().map(|duplicate| duplicate_json(scenario, duplicate)).collect(),
        losses: account.losses.iter().map(|loss| loss_json(scenario, loss)).collect(),
        skips: account.skips.iter().map(|skip| skip_json(scenario, skip)).collect(),
        requests: Requests {
            polls: measured.polls,
            heartbeats: measured.heartbeats,
            commits: measured.commits,
            commits_refused: measured.commits_refused,
            commits_failed: measured.commits_failed,
        },
    }
}

fn latency_json(latency: &Latency) -> Option<LatencyJson> {
    (latency.count > 0).then(|| LatencyJson {
        count: latency.count,
        mean_ns: latency::mean(latency).as_nanos(),
        min_ns: latency.min,
        p50_ns: latency::percentile(latency, 500).as_nanos(),
        p99_ns: latency::percentile(latency, 990).as_nanos(),
        max_ns: latency.max,
    })
}

fn rebalance_json(report: &Report, group: usize, index: usize) -> RebalanceJson {
    let Report { scenario, run, .. } = report;
    let Rebalance {
        reason,
        group_protocol,
        trigger,
        started,
        joined,
        ended,
        ended_in,
        generation,
        leader,
        protocol,
        members,
        initial,
        waited_for,
    } = &run.measurements.groups[group].rebalances[index];
    let handover = handover::of(run, group, index);
    let moved = |moved: &Move| MoveJson {
        partition: names::partition(scenario, moved.partition),
        from: names::client(scenario, moved.from).to_owned(),
        to: names::client(scenario, moved.to).to_owned(),
    };
    let waited = |waited: &crate::metrics::Waited| WaitedJson {
        member: names::member(scenario, waited.member),
        lasted_ns: waited.lasted.as_nanos(),
        how: terms::wait_end(waited.how),
    };
    RebalanceJson {
        at_ns: started.as_nanos(),
        reason: reason.name(),
        group_protocol: group_protocol.name(),
        trigger: trigger.map(|member| names::member(scenario, member)),
        generation: *generation,
        joined_ns: nanos(*joined),
        ended_ns: nanos(*ended),
        lasted_ns: ended.map(|ended| ended.since(*started).as_nanos()),
        ended_in: ended_in.map(|state| state.name()),
        leader: leader.map(|member| names::member(scenario, member)),
        assignor: protocol.as_ref().map(|name| name.to_string()),
        members: *members,
        initial: *initial,
        waited_for: waited_for.iter().map(waited).collect(),
        moved: handover.moved.iter().map(moved).collect(),
        not_read_ns: spans(scenario, &handover.unread),
        added_waited_ns: spans(scenario, &handover.added),
    }
}

fn spans(scenario: &Scenario, partitions: &[(TopicPartition, Span)]) -> IndexMap<String, u64> {
    partitions.iter().map(|(at, span)| (names::partition(scenario, *at), span.as_nanos())).collect()
}

fn unavailable(run: &Run, partition: &PartitionMeasurements) -> Unavailable {
    let lasted: Vec<Span> =
        partition.outages.iter().filter(|outage| ownership::counts(outage)).map(|outage| ownership::lasted(run, outage)).collect();
    let outage = |outage: &Outage| OutageJson {
        at_ns: outage.from.as_nanos(),
        to_ns: nanos(outage.to),
        lasted_ns: ownership::lasted(run, outage).as_nanos(),
        first_record_ns: nanos(outage.first_record),
        initial: outage.initial,
    };
    Unavailable {
        longest_ns: lasted.iter().max().map_or(0, |span| span.as_nanos()),
        total_ns: lasted.iter().fold(Span::ZERO, |sum, span| sum + *span).as_nanos(),
        outages: partition.outages.iter().map(outage).collect(),
    }
}

fn livelock_json(scenario: &Scenario, measured: &GroupMeasurements) -> Option<LivelockJson> {
    let livelock = livelock::find(measured)?;
    Some(LivelockJson {
        kicks: livelock.kicks,
        at_ns: livelock.first.as_nanos(),
        to_ns: livelock.last.as_nanos(),
        members: livelock.clients.iter().map(|id| names::client(scenario, *id).to_owned()).collect(),
    })
}

fn duplicate_json(scenario: &Scenario, duplicate: &Duplicate) -> DuplicateJson {
    let (cause, cause_at) = terms::duplicate(duplicate.cause);
    DuplicateJson {
        offsets: offsets(names::partition(scenario, duplicate.partition), duplicate.offsets),
        before: Before { member: names::client(scenario, duplicate.before.0).to_owned(), at_ns: nanos(duplicate.before.1) },
        again: deed(scenario, duplicate.again),
        cause,
        cause_at_ns: cause_at.as_nanos(),
        cause_of: names::client(scenario, duplicate.undone).to_owned(),
        zombie: duplicate.zombie,
    }
}

fn loss_json(scenario: &Scenario, loss: &Loss) -> LossJson {
    let (cause, cause_at) = terms::loss(loss.cause);
    LossJson {
        offsets: offsets(names::partition(scenario, loss.partition), loss.offsets),
        committed_by: loss.committed_by.map(|by| deed(scenario, by)),
        cause,
        cause_at_ns: nanos(cause_at),
    }
}

fn skip_json(scenario: &Scenario, skip: &Skip) -> SkipJson {
    SkipJson { offsets: offsets(names::partition(scenario, skip.partition), skip.offsets), by: deed(scenario, (skip.by, skip.at)) }
}

fn offsets(partition: String, range: OffsetRange) -> Offsets {
    Offsets { partition, from: range.from.0, to: range.to.0, records: range.len() }
}

fn deed(scenario: &Scenario, (client, at): (ClientId, Instant)) -> Deed {
    Deed { member: names::client(scenario, client).to_owned(), at_ns: at.as_nanos() }
}

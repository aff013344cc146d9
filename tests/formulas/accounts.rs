//! What is processed twice, what is lost, and what is forgotten: differences of positions, and the clock of expiry.

use std::collections::BTreeMap;

use groupsim::ledger::Account;
use groupsim::trace::TraceEvent;
use groupsim::units::{Instant, TopicPartition};

use super::story::{load, play};
use super::{KAFKAS, MS, S, Setting};

/// Up to where something has come, by partition.
type Marks = BTreeMap<TopicPartition, u64>;

/// The account of the only group, and what was processed and committed of each partition until `moment`.
fn account(scenario: &str, moment: u64) -> (Account, Marks, Marks) {
    let scenario = load(scenario);
    let mut trace: Vec<(Instant, TraceEvent)> = Vec::new();
    let mut run = groupsim::run::play(&scenario, scenario.seed, &mut trace);
    assert_eq!(run.violations, []);
    let (mut processed, mut committed) = (Marks::new(), Marks::new());
    for (_, event) in trace.iter().take_while(|(at, _)| at.as_nanos() <= moment) {
        if let TraceEvent::Processed { partition, offsets, .. } = event {
            processed.insert(*partition, offsets.to.0);
        } else if let TraceEvent::Committed { partition, offset, .. } = event {
            committed.insert(*partition, offset.0);
        }
    }
    (run.accounts.remove(0), processed, committed)
}

/// By how much `ahead` is ahead of `behind`, in all.
fn sum_of_leads(ahead: &Marks, behind: &Marks) -> u64 {
    ahead.iter().map(|(partition, offset)| offset.saturating_sub(behind.get(partition).copied().unwrap_or(0))).sum()
}

/// 1000 records a second to three partitions until 30 s.
const STREAM: &str = "producers: {p: {topic: t, steps: [{at: 0s, rate: 1k/s}, {at: 30s, rate: 0/s}], keys: {prefix: key-, count: 50}}}";

#[test]
fn a_crash_duplicates_what_was_processed_and_not_committed() {
    let mut seen = Vec::new();
    for (interval, per_record, batch) in [(5 * S, MS / 10, 500), (S, MS / 2, 37), (3 * S, 2 * MS, 500), (60 * S, MS / 2, 100)] {
        for crash in [10 * S + 1, 14 * S + 345 * MS, 17 * S + 999_999] {
            let config = format!("{{max.poll.records: {batch}, auto.commit.interval.ms: {}}}", interval / MS);
            let group = format!("members: {{A: {{config: {config}}}}}\ncommit: auto\nprocessing: {per_record}ns");
            let rest = format!("{STREAM}\ntimeline: [{{at: {crash}ns, crash: g/A}}, {{at: 70s, start: g/A}}]");
            let (account, processed, committed) = account(&KAFKAS.scenario(200 * S, 3, &group, &rest), crash);
            assert_eq!(account.extra, sum_of_leads(&processed, &committed), "{interval} {per_record} {batch} {crash}");
            assert_eq!((account.duplicated, account.lost, account.unsettled), (account.extra, 0, 0));
            seen.push(account.extra);
        }
    }
    assert!(seen.iter().max() > Some(&5000) && seen.iter().filter(|extra| **extra > 0).count() >= 10, "{seen:?}");
}

#[test]
fn a_kick_duplicates_what_was_processed_and_not_committed() {
    for (interval, batch) in [(5 * S, 500), (S, 200), (60 * S, 300)] {
        let setting = Setting { max_poll: 4 * S, ..KAFKAS };
        let config = format!("{{max.poll.records: {batch}, auto.commit.interval.ms: {}}}", interval / MS);
        let group = format!("members: {{A: {{config: {config}}}}}\ncommit: auto\nprocessing: 2ms");
        let rest = format!("{STREAM}\ntimeline: [{{at: 12345ms, slow: g/A, factor: 30, for: 5s}}]");
        let scenario = setting.scenario(200 * S, 3, &group, &rest);
        let rejoins = play(&scenario).time("A", "lost");
        let (account, processed, committed) = account(&scenario, rejoins);
        assert_eq!(account.extra, sum_of_leads(&processed, &committed), "{interval} {batch}");
        assert!(account.extra >= batch && account.lost == 0, "{account:?}");
    }
}

#[test]
fn committing_before_processing_loses_what_was_committed_and_not_processed() {
    let mut seen = Vec::new();
    for (per_record, batch) in [(MS / 10, 500), (2 * MS, 500), (2 * MS, 80), (MS / 2, 1)] {
        for crash in [10 * S + 1, 14 * S + 345 * MS, 17 * S + 999_999] {
            let group =
                format!("members: {{A: {{config: {{max.poll.records: {batch}}}}}}}\ncommit: before-processing\nprocessing: {per_record}ns");
            let rest = format!("{STREAM}\ntimeline: [{{at: {crash}ns, crash: g/A}}, {{at: 70s, start: g/A}}]");
            // A commit that was on its way when the process died arrives after its death.
            let (account, processed, committed) = account(&KAFKAS.scenario(250 * S, 3, &group, &rest), crash + KAFKAS.latency);
            assert_eq!(account.lost, sum_of_leads(&committed, &processed), "{per_record} {batch} {crash}");
            assert_eq!((account.duplicated, account.unsettled), (0, 0));
            seen.push(account.lost);
        }
    }
    assert!(seen.iter().max() > Some(&100) && seen.iter().filter(|lost| **lost > 0).count() >= 6, "{seen:?}");
}

#[test]
fn offsets_are_deleted_with_the_first_check_after_their_retention() {
    const CHECK: u64 = 600 * S;
    for (retention_minutes, stop) in [(10080, 20 * S), (30, 599 * S), (30, 601 * S), (20, 600 * S)] {
        let retention = retention_minutes * 60 * S;
        let duration = stop + retention + 2 * CHECK;
        let rest = format!(
            "sample.interval: 1h\nproducers: {{p: {{topic: t, steps: [{{at: 0s, rate: 10/s}}, {{at: 10s, rate: 0/s}}]}}}}\ntimeline: [{{at: {stop}ns, stop: g/A}}]"
        );
        let scenario = KAFKAS.scenario(duration, 1, "members: [A]\ncommit: auto", &rest);
        let scenario = scenario.replace("delay.ms: 3000", &format!("delay.ms: 3000, offsets.retention.minutes: {retention_minutes}"));
        let story = play(&scenario);
        let empty = story.times("g", "PreparingRebalance -> Empty")[0];
        let deleted = (empty + retention).next_multiple_of(CHECK);
        assert_eq!(story.time("g", "offset of t-0 expired"), deleted, "{retention_minutes} {stop}");
        assert_eq!(story.time("g", "deleted"), deleted, "an empty group goes with its last offset");
    }
}

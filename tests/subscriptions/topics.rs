//! Topics that are created and deleted while a group reads them.

use super::{PROTOCOLS, Played, play};

/// Never commits for partitions that it has no records of.
const EVERY: &str = "{every: 50}";

/// Two members read `a` and `b`; a record each 10 ms in both.
fn both(properties: &str, commit: &str, processing: &str, timeline: &str) -> Played {
    play(&format!(
        "
duration: 2m
topics: {{a: 2, b: 2}}
producers: {{one: {{topic: a, rate: 100/s}}, two: {{topic: b, rate: 100/s}}}}
groups:
  g:
    topics: [a, b]
    members: [M, N]
    processing: {processing}
    commit: {commit}
    config: {{auto.offset.reset: earliest, max.poll.interval.ms: 20000, {properties}}}
timeline: [{timeline}]
"
    ))
}

#[test]
fn a_topic_that_is_created_is_read_from_its_first_record() {
    for properties in PROTOCOLS {
        let played = both(properties, EVERY, "1ms", "{at: 1m, create.topic: b}");
        assert_eq!(played.owners("b", 59), "- -", "{properties}");
        assert!(!played.owners("b", 75).contains('-'), "{properties}: {}", played.owners("b", 75));
        let account = &played.run.accounts[0];
        assert_eq!((account.produced, account.processed_once), (18_000, 18_000), "{properties}");
        let commits = &played.run.measurements.groups[0];
        assert_eq!(commits.commits_refused, 0, "{properties}");
    }
}

#[test]
fn a_topic_that_is_deleted_takes_its_unread_records_with_it_and_the_group_reads_on() {
    for properties in PROTOCOLS {
        // A member needs 12 ms for a record, and 100 come each second: about a sixth of each topic is left.
        let played = both(properties, EVERY, "12ms", "{at: 1m, delete.topic: b}");
        let account = &played.run.accounts[0];
        assert_eq!((account.produced, account.lost), (18_000, 0), "{properties}");
        assert!((100..2_500).contains(&account.deleted), "{properties}: {account:?}");
        assert_eq!(account.processed_once + account.duplicated + account.deleted, 18_000, "{properties}");
        assert_eq!(played.owners("b", 110), "- -", "{properties}");
        assert!(!played.owners("a", 110).contains('-'), "{properties}");
        let group = &played.run.measurements.groups[0];
        assert_eq!(group.final_lag, 0, "{properties}: what is gone is no lag");
        let gone = group.partitions.iter().filter(|partition| partition.partition.topic.0 == 1);
        assert!(gone.flat_map(|partition| &partition.outages).all(|outage| outage.to.is_some()), "{properties}: nobody misses it");
    }
}

#[test]
fn a_topic_that_is_created_again_is_another_one_and_is_read_from_its_start() {
    for properties in PROTOCOLS {
        let played = both(properties, EVERY, "1ms", "{at: 40s, delete.topic: b}, {at: 70s, create.topic: b}");
        assert_eq!(played.owners("b", 69), "- -", "{properties}");
        assert!(!played.owners("b#2", 110).contains('-'), "{properties}");
        let account = &played.run.accounts[0];
        assert_eq!((account.produced, account.lost, account.skipped), (12_000 + 4_000 + 5_000, 0, 0), "{properties}");
        let again = played.run.measurements.groups[0].partitions.iter().filter(|partition| partition.partition.topic.0 == 2);
        assert!(
            again.clone().all(|partition| partition.committed.is_some_and(|offset| (2_000..3_000).contains(&offset.0))),
            "{properties}"
        );
        assert_eq!(again.count(), 2);
    }
}

/// How long the group has no owner for partitions of the topic that is left, after the other one was deleted.
fn stops_for(properties: &str) -> u64 {
    let played = both(properties, "auto", "1ms", "{at: 1m, delete.topic: b}");
    let left = played.run.measurements.groups[0].partitions.iter().filter(|partition| partition.partition.topic.0 == 0);
    let outages = left.flat_map(|partition| &partition.outages).filter(|outage| outage.from.as_millis() >= 60_000);
    outages.map(|outage| outage.to.expect("it ends").since(outage.from).as_millis()).max().unwrap_or(0)
}

#[test]
fn an_eager_member_cannot_commit_for_a_deleted_topic_and_tries_for_max_poll_interval_ms() {
    let eager = stops_for(PROTOCOLS[0]);
    assert!((19_000..=42_000).contains(&eager), "{eager} ms");
    assert!(stops_for(PROTOCOLS[2]) < 1_000, "the consumer protocol does not try again");
}

//! The application's loop: how much it may take on, how fast it gets on, and when it commits.

use super::story::play;
use super::{KAFKAS, MS, S, SETTINGS, Setting};

/// So many records of 100 bytes, all at once and before anybody reads.
fn backlog(records: u64, producer: &str) -> String {
    format!(
        "producers: {{p: {{topic: t, steps: [{{at: 0s, rate: 1M/s}}, {{at: {records}us, rate: 0/s}}], record.size: 100B, {producer}}}}}"
    )
}

#[test]
fn a_batch_has_to_be_done_within_the_poll_interval() {
    for (max_poll, latency, per_record) in [(10 * S, 5 * MS, 10 * MS), (5 * S, MS, 2 * MS), (20 * S, 250 * MS, 100 * MS)] {
        let setting = Setting { max_poll, latency, ..KAFKAS };
        // The iteration of poll() that returned the first batch began when its Fetch was sent.
        let room = max_poll - 2 * latency;
        for (records, is_kicked) in [(room / per_record - 1, false), (room.div_ceil(per_record), true)] {
            let group = format!(
                "members: {{A: {{config: {{max.poll.records: {records}}}}}}}\ncommit: external\npoll.timeout: 20s\nprocessing: {per_record}ns"
            );
            let story = play(&setting.scenario(30 * S, 1, &group, &backlog(records, "config: {linger.ms: 0}")));
            let kicks = story.times("A", "leaves: no poll since");
            let limit = story.times("A", "polled")[0] + room;
            assert_eq!(kicks.first(), is_kicked.then_some(&limit), "{records} records of {per_record} ns against {max_poll}");
        }
    }
}

#[test]
fn a_batch_that_was_buffered_has_the_whole_poll_interval() {
    let setting = Setting { max_poll: 5 * S, latency: 250 * MS, ..KAFKAS };
    for (factor, is_kicked) in [("4.999", false), ("5", true), ("6", true)] {
        // Batches of a second, and from the second on slower ones. Nothing is waited for before the second.
        let group = "members: {A: {config: {max.poll.records: 10}}}\ncommit: external\nprocessing: 100ms";
        let scenario = setting.scenario(20 * S, 1, group, &backlog(1000, "config: {linger.ms: 0}"));
        let second = play(&scenario).times("A", "polled")[1];
        let story = play(&format!("{scenario}\ntimeline: [{{at: {second}ns, slow: g/A, factor: {factor}}}]"));
        let kicks = story.times("A", "leaves: no poll since");
        assert_eq!(kicks.first(), is_kicked.then_some(&(second + 5 * S)), "factor {factor}");
    }
}

#[test]
fn without_prefetch_each_batch_costs_a_round_trip() {
    // A Fetch answers with one batch of the log and poll() returns all of it: nothing is fetched while it is processed.
    for (latency, batch, per_record) in [(MS, 100, MS), (9 * MS, 100, 3 * MS), (2 * MS, 50, 10 * MS)] {
        let setting = Setting { latency, ..KAFKAS };
        let config = format!("{{max.poll.records: {batch}, max.partition.fetch.bytes: 1}}");
        let group = format!("members: {{A: {{config: {config}}}}}\ncommit: external\nprocessing: {per_record}ns");
        // Batches are full when so many records are in them.
        let producer = format!("config: {{linger.ms: 1000, batch.size: {}}}", 61 + batch * 110);
        let story = play(&setting.scenario(60 * S, 1, &group, &backlog(20 * batch, &producer)));
        let polls = story.times("A", "polled");
        assert_eq!(polls.len(), 20, "{batch} records each");
        for pair in polls.windows(2) {
            assert_eq!(pair[1] - pair[0], batch * per_record + 2 * latency, "{batch} records");
        }
    }
}

#[test]
fn with_prefetch_the_application_never_waits() {
    // While the records of one partition are processed, those of the other are on their way, unless their broker is spared (KAFKA-17182).
    for (kafka, brokers, waits) in [("4.3", 2, false), ("3.9", 1, false), ("4.3", 1, true)] {
        let setting = Setting { brokers, latency: 21 * MS, ..KAFKAS };
        let group = "members: {A: {config: {max.poll.records: 60, max.partition.fetch.bytes: 6000}}}\ncommit: external\nprocessing: 1ms";
        let producer = "keys: {prefix: key-, count: 100}, config: {linger.ms: 1000, batch.size: 5400}";
        let rest = format!("{}\nkafka: \"{kafka}\"", backlog(4000, producer));
        let story = play(&setting.scenario(60 * S, 2, group, &rest));
        let first = story.times("A", "polled")[0];
        // Half of the work, so that both partitions have records left.
        let half = |what| story.times("A", what).into_iter().filter(|at| (first + 1..first + 2 * S).contains(at)).collect::<Vec<_>>();
        let (mut polled, mut processed) = (half("polled"), half("processed"));
        polled.dedup();
        processed.dedup();
        assert!(polled.len() >= 15);
        let done_and_polled = processed.iter().zip(&polled);
        let waited: u64 = done_and_polled.map(|(done, polled)| polled - done).sum();
        assert_eq!(waited > 0, waits, "kafka {kafka}, {brokers} brokers: waited {waited} ns in 2 s");
    }
}

#[test]
fn an_auto_commit_comes_with_the_first_poll_after_its_interval() {
    for setting in SETTINGS {
        for (interval, batch_takes) in [(5 * S, 500 * MS), (S, 700 * MS), (1300 * MS, 100 * MS), (S, 2500 * MS), (2 * S, 2 * S)] {
            const BATCHES: u64 = 8;
            let config = format!("{{max.poll.records: 100, auto.commit.interval.ms: {}}}", interval / MS);
            let group = format!("members: {{A: {{config: {config}}}}}\ncommit: auto\nprocessing: {}ns", batch_takes / 100);
            let story = play(&setting.scenario(40 * S, 1, &group, &backlog(100 * BATCHES, "config: {linger.ms: 0}")));
            let first = story.times("A", "polled")[0];
            let mut due = story.time("A", "assigned") + interval;
            let mut expected = Vec::new();
            for poll in (1..=BATCHES).map(|k| first + k * batch_takes) {
                if poll >= due {
                    expected.push(poll + setting.latency);
                    due = poll + interval;
                }
            }
            // From then on it waits in poll().
            while due + setting.latency < 40 * S {
                expected.push(due + setting.latency);
                due += interval;
            }
            assert_eq!(story.times("g", "committed"), expected, "{interval} {batch_takes} {setting:?}");
        }
    }
}

#[test]
fn nothing_is_auto_committed_while_a_join_is_pending() {
    for setting in [KAFKAS, Setting { session: 10 * S, latency: 3 * MS, write: 4 * MS, ..KAFKAS }] {
        // B is a ghost, for which A waits after C has come.
        let members = "members: {A: {config: {auto.commit.interval.ms: 1000}}, B: , C: {start: 17s}}\ncommit: auto";
        let rest = format!("{}\ntimeline: [{{at: 16s, crash: g/B}}]", backlog(1000, "config: {linger.ms: 0}"));
        let story = play(&setting.scenario(80 * S, 2, members, &rest));
        let parked = story.next(17 * S, "A", "JoinGroup sent as A");
        let assigned = story.next(parked, "A", "assigned");
        assert!(assigned > parked + 5 * S, "it waits for long");
        let commits = story.times("g", "committed t-0");
        assert!(commits.iter().any(|at| *at < parked), "it commits every second");
        assert_eq!(commits.into_iter().find(|at| *at > parked), Some(assigned + S + setting.latency), "{setting:?}");
    }
}

#[test]
fn a_member_that_was_kicked_while_it_slept_or_crawled_goes_on() {
    let setting = Setting { max_poll: 4 * S, ..KAFKAS };
    for fault in ["pause: g/A, for: 9s", "slow: g/A, factor: 100, for: 9s"] {
        for commit in ["auto", "sync", "{every: 100}", "external"] {
            let group = format!("members: [A]\ncommit: {commit}\nprocessing: 1ms\non.revoke: {{commit: true, takes: 1s}}");
            let rest = format!("{}\ntimeline: [{{at: 3700ms, {fault}}}]", backlog(3000, "config: {linger.ms: 0}"));
            let story = play(&setting.scenario(60 * S, 1, &group, &rest));
            let last_poll = *story.times("A", "polled").iter().rfind(|at| **at < 3700 * MS).expect("it was at work");
            let kick = story.time("A", "leaves: no poll since");
            let awake = if fault.starts_with("pause") { 12_700 * MS } else { last_poll + 4 * S };
            assert_eq!(kick, awake, "{fault}, commit {commit}");
            assert!(story.times("A", "polled").iter().any(|at| *at > kick), "{fault}, commit {commit}");
        }
    }
}

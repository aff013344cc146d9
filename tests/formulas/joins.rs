//! How a group forms and re-forms: the initial delay, heartbeats and notices, the end of the join phase, the way to the first record.

use super::story::{Story, play};
use super::{KAFKAS, MS, S, SETTINGS, Setting};

/// 1000 records for each of two partitions, before anybody reads.
const FULL: &str = "producers: {p: {topic: t, steps: [{at: 0s, rate: 1M/s}, {at: 2ms, rate: 0/s}], config: {linger.ms: 0}}}";

#[test]
fn heartbeats_come_at_the_interval_from_the_join_answer_on() {
    for setting in SETTINGS {
        let start = setting.first_generation() + 10 * S + 123 * MS;
        let members = format!("members: {{M1: , M2: {{start: {start}ns}}}}\ncommit: external");
        let story = play(&setting.scenario(40 * S, 2, &members, ""));
        let joined = story.next(start, "g", "generation 2 has 2 members");
        let rebalance = start + 3 * setting.latency;
        let first: Vec<u64> = setting.heartbeat_arrivals(setting.first_generation()).take_while(|at| *at < rebalance).collect();
        let second: Vec<u64> = setting.heartbeat_arrivals(joined).take_while(|at| *at < 40 * S).collect();
        assert!(first.len() > 2 && second.len() > 2);
        assert_eq!(story.times("g", "heartbeat of M1: NONE"), [first, second.clone()].concat(), "{setting:?}");
        assert_eq!(story.times("g", "heartbeat of M2: NONE"), second, "{setting:?}");
    }
}

#[test]
fn a_member_hears_of_a_rebalance_with_its_next_heartbeat() {
    for setting in SETTINGS {
        const PHASES: u64 = 10;
        let mut delays = Vec::new();
        for phase in 0..PHASES {
            // In the middle of each tenth of an interval, so that no arrival is a tie.
            let begins = setting.first_generation() + 2 * setting.latency + (2 * PHASES + phase) * setting.heartbeat / PHASES;
            let begins = begins + setting.heartbeat / PHASES / 2;
            let start = begins - 3 * setting.latency;
            let members = format!("members: {{M1: , M2: {{start: {start}ns}}}}\ncommit: external");
            let story = play(&setting.scenario(start + 10 * S, 2, &members, ""));
            assert_eq!(story.time("g", "rebalance after generation 1"), begins);
            let noticed = story.time("M1", "noticed the rebalance");
            assert_eq!(noticed, setting.notice(setting.first_generation(), begins), "{setting:?}, phase {phase}");
            delays.push(noticed - begins);
        }
        assert!(delays.iter().all(|delay| (setting.latency..setting.heartbeat + setting.latency).contains(delay)));
        assert_eq!(delays.iter().sum::<u64>() / PHASES, setting.heartbeat / 2 + setting.latency, "the mean of all phases");
    }
}

#[test]
fn a_member_rejoins_after_its_commit_and_its_listener() {
    for (commit, listener) in [("external", 0), ("auto", 0), ("auto", 70 * MS), ("external", 33 * MS)] {
        for setting in SETTINGS {
            let story = second_joins(setting, &format!("commit: {commit}\non.revoke: {{takes: {listener}ns}}"));
            let noticed = story.time("M1", "noticed the rebalance");
            let commit = if commit == "auto" { setting.commit() } else { 0 };
            assert_eq!(story.next(noticed, "M1", "JoinGroup sent as M1"), noticed + commit + listener, "{setting:?}");
        }
    }
}

#[test]
fn a_busy_member_rejoins_when_it_polls() {
    for setting in [KAFKAS, Setting { latency: 7 * MS, write: 12 * MS, heartbeat: 900 * MS, ..KAFKAS }] {
        // Batches of 200 records of 20 ms; M2 comes at several places of the second batch.
        for start in [7 * S + 200 * MS, 8 * S + 100 * MS, 11 * S + 100 * MS] {
            let busy = "M1: {processing: 20ms, config: {max.poll.records: 200}}";
            let members = format!("members: {{{busy}, M2: {{start: {start}ns}}}}\ncommit: auto");
            let story = play(&setting.scenario(20 * S, 2, &members, FULL));
            let begins = story.time("g", "rebalance after generation 1");
            let heard = setting.notice(setting.first_generation(), begins);
            let first_batch = story.times("M1", "polled")[0];
            let next_poll = (1..).map(|k| first_batch + k * 200 * 20 * MS).find(|at| *at >= heard).expect("it polls again");
            assert!(next_poll > heard + 100 * MS, "the batch is in the way");
            assert_eq!(story.next(begins, "M1", "JoinGroup sent as M1"), heard.max(next_poll) + setting.commit(), "{setting:?}");
        }
    }
}

/// Two members and the records of [`FULL`]; the second joins after the first has read everything.
fn second_joins(setting: Setting, application: &str) -> Story {
    let start = 10 * S + 77 * MS;
    let members = format!("members: {{M1: , M2: {{start: {start}ns}}}}\n{application}");
    play(&setting.scenario(30 * S, 2, &members, FULL))
}

#[test]
fn the_join_phase_ends_with_the_last_member_that_counts() {
    for setting in SETTINGS {
        // Three are idle: each rejoins after its notice, the last JoinGroup ends the phase.
        let members = "members: {A: , B: , C: , D: {start: 11s}}\ncommit: auto";
        let story = play(&setting.scenario(30 * S, 4, members, FULL));
        let begins = story.next(11 * S, "g", "rebalance after generation");
        let last = ["A", "B", "C"].map(|member| story.next(begins, member, "JoinGroup sent as")).into_iter().max().expect("three");
        assert_eq!(story.next(begins, "g", "generation "), last + setting.latency, "{setting:?}");
    }
}

#[test]
fn a_member_that_leaves_or_is_expired_does_not_count() {
    for setting in SETTINGS {
        let members = "members: {A: , B: , C: {start: 12s}}\ncommit: external";
        // B dies unnoticed; its session began to run with its last heartbeat.
        let crash = 11 * S + 500 * MS;
        let story =
            play(&setting.scenario(12 * S + 2 * setting.session, 4, members, &format!("timeline: [{{at: {crash}ns, crash: g/B}}]")));
        let contact = *story.times("g", "heartbeat of B: NONE").last().expect("B was alive");
        let ends = story.next(12 * S, "g", "generation ");
        assert_eq!(ends, (contact + setting.session).min(12 * S + 3 * setting.latency + setting.max_poll), "{setting:?}");
        // B leaves while the phase is open.
        let stop = 12 * S + 3 * setting.latency + setting.latency / 2;
        let story = play(&setting.scenario(30 * S, 4, members, &format!("timeline: [{{at: {stop}ns, stop: g/B}}]")));
        let rejoined = story.next(12 * S, "A", "JoinGroup sent as A") + setting.latency;
        assert_eq!(story.next(12 * S, "g", "generation "), rejoined.max(stop + setting.latency), "{setting:?}");
    }
}

#[test]
fn the_join_phase_ends_at_the_longest_poll_interval() {
    // The ghost's session outlasts everybody's patience.
    for (a, b) in [(7 * S, 9 * S), (12 * S, 8 * S)] {
        let setting = Setting { session: 60 * S, ..KAFKAS };
        let members = format!(
            "members:
  A: {{config: {{max.poll.interval.ms: {}}}}}
  B: {{config: {{max.poll.interval.ms: {}}}}}
  C: {{start: 12s, config: {{max.poll.interval.ms: 5000}}}}
commit: external",
            a / MS,
            b / MS
        );
        let story = play(&setting.scenario(60 * S, 4, &members, "timeline: [{at: 11s, crash: g/B}]"));
        let begins = story.next(11 * S, "g", "rebalance after generation 1");
        assert_eq!(story.next(begins, "g", "generation 2"), begins + a.max(b));
        assert_eq!(story.time("g", "B removed, join timed out"), begins + a.max(b));
    }
}

#[test]
fn a_pending_id_counts_until_its_session_times_out() {
    for setting in [KAFKAS, Setting { latency: 7 * MS, session: 6500 * MS, ..KAFKAS }] {
        // B dies after it was told its id and before it can join with it; C comes a second later.
        let members = "members: {A: , B: {start: 12s}, C: {start: 13s}}\ncommit: external";
        let crash = 12 * S + 3 * setting.latency / 2;
        let story =
            play(&setting.scenario(12 * S + 2 * setting.session, 4, members, &format!("timeline: [{{at: {crash}ns, crash: g/B}}]")));
        assert!(story.times("A", "JoinGroup sent as A").last().is_some_and(|at| *at < 17 * S), "everybody else is there in time");
        assert_eq!(story.time("g", "pending B dropped"), 12 * S + setting.latency + setting.session);
        assert_eq!(story.next(13 * S, "g", "generation 2"), 12 * S + setting.latency + setting.session, "{setting:?}");
    }
}

#[test]
fn from_the_join_answer_to_the_first_record() {
    for setting in SETTINGS {
        let Setting { latency, write, .. } = setting;
        let story = play(&setting.scenario(
            60 * S,
            2,
            "members: [M1]\ncommit: auto",
            &format!("{FULL}\ntimeline: [{{at: 20s, stop: g/M1}}, {{at: 30s, start: g/M1}}, {{at: 30s, rate: {{p: 1k/s}}}}]"),
        ));
        let answered = setting.first_generation() + latency;
        assert_eq!(story.times("M1", "assigned")[0], answered + 2 * latency + write, "sync");
        assert_eq!(story.times("M1", "position")[0], answered + 6 * latency + write, "no committed offset, then a look for the earliest");
        assert_eq!(story.times("M1", "polled")[0], answered + 8 * latency + write, "first record");
        // The second life finds committed offsets.
        let again = 30 * S + setting.first_generation() + latency;
        assert_eq!(story.next(30 * S, "M1", "assigned"), again + 2 * latency + write, "{setting:?}");
        assert_eq!(story.next(30 * S, "M1", "position"), again + 4 * latency + write);
        assert_eq!(story.next(30 * S, "M1", "polled"), again + 6 * latency + write);
    }
}

#[test]
fn an_eager_member_stands_still_from_its_notice_to_its_next_fetch() {
    for setting in SETTINGS {
        let Setting { latency, write, .. } = setting;
        for (commit, round_trips) in [("auto", 8 * latency + 2 * write), ("external", 6 * latency + write)] {
            let story = second_joins(setting, &format!("commit: {commit}"));
            let noticed = story.time("M1", "noticed the rebalance");
            let assigned = story.next(noticed, "M1", "assigned");
            let fetches = story.next(noticed, "M1", "fetches");
            if commit == "auto" {
                assert_eq!(fetches, assigned + 2 * latency, "the committed offsets are asked for");
                assert_eq!(story.next(noticed, "M1", "revocation pending"), noticed);
                assert_eq!(fetches - noticed, round_trips, "{setting:?}");
            } else {
                assert_eq!(assigned - noticed, round_trips - 2 * latency, "{setting:?}");
            }
        }
    }
}

#[test]
fn the_initial_delay_is_extended_while_members_join() {
    for (delay, max_poll) in [(3 * S, 300 * S), (1100 * MS, 300 * S), (3 * S, 10 * S), (3 * S, 2 * S), (3 * S, 3 * S)] {
        let setting = Setting { initial_delay: delay, max_poll, ..KAFKAS };
        // Tenths of a window after the first member; what arrives with the end of a window belongs to it.
        for tenths in [&[][..], &[3], &[3, 9], &[10], &[3, 12], &[11], &[3, 12, 21], &[5, 15, 25, 35], &[9, 20]] {
            let starts: Vec<u64> = tenths.iter().map(|tenths| tenths * delay / 10).collect();
            let members: String = starts.iter().enumerate().map(|(i, start)| format!(", N{i}: {{start: {start}ns}}")).collect();
            let story = play(&setting.scenario(60 * S, 4, &format!("members: {{M1: {members}}}\ncommit: external"), ""));
            let first = story.times("g", "generation 1 has")[0];
            assert_eq!(first - setting.first_join(), initial_phase(delay, max_poll, &starts), "{delay} {max_poll} {tenths:?}");
        }
    }
}

/// How long the initial join phase takes if others join so much later than the first.
fn initial_phase(delay: u64, max_poll: u64, joins: &[u64]) -> u64 {
    let cap = delay.max(max_poll);
    let mut window = (0, delay);
    while window.1 < cap && joins.iter().any(|join| (window.0 + 1..=window.1).contains(join)) {
        window = (window.1, (window.1 + delay).min(cap));
    }
    window.1
}

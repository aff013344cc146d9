//! How members go, and when the others have their partitions: crashes, graceful stops, static members, missed polls.

use super::story::play;
use super::{KAFKAS, MS, S, SETTINGS, Setting};

const TWO: &str = "members: [A, B]";
/// Ten records a second.
const TRICKLE: &str = "producers: {p: {topic: t, rate: 10/s, config: {linger.ms: 0}}}";

#[test]
fn a_crash_is_seen_one_session_after_the_last_heartbeat() {
    for setting in SETTINGS {
        let mut longest = 0;
        let mut shortest = u64::MAX;
        for tenth in 0..10 {
            let crash = 20 * S + tenth * setting.heartbeat / 10 + 17 * MS;
            let rest = format!("timeline: [{{at: {crash}ns, crash: g/B}}]");
            let story = play(&setting.scenario(crash + 2 * setting.session, 2, &format!("{TWO}\ncommit: external"), &rest));
            let joined = story.times("g", "generation 1 has 2 members")[0];
            // What was sent before the crash arrives.
            let last = setting.heartbeat_arrivals(joined).take_while(|at| at - setting.latency <= crash).last().expect("it was alive");
            let removed = story.time("g", "B removed, session expired");
            assert_eq!(removed, last + setting.session, "{setting:?}");
            assert_eq!(story.time("A", "noticed the rebalance"), setting.notice(joined, removed + 1), "{setting:?}");
            longest = longest.max(removed - crash);
            shortest = shortest.min(removed - crash);
        }
        assert!(longest <= setting.session + setting.latency && shortest >= setting.session - setting.heartbeat);
        assert!(longest - shortest >= setting.heartbeat * 8 / 10, "the phase matters");
    }
}

#[test]
fn a_commit_is_a_sign_of_life_too() {
    for setting in SETTINGS {
        for (commit, crash) in [("auto", 31 * S + 100 * MS), ("sync", 31 * S + 130 * MS), ("auto", 34 * S)] {
            let rest = format!("{TRICKLE}\ntimeline: [{{at: {crash}ns, crash: g/B}}]");
            let story = play(&setting.scenario(crash + 2 * setting.session, 2, &format!("{TWO}\ncommit: {commit}"), &rest));
            let is_bs = |line: &&super::story::Line| line.what.starts_with("committed t-1");
            let commits = story.0.iter().filter(is_bs).map(|line| line.nanos).filter(|at| *at <= crash + setting.latency);
            let heartbeats = story.times("g", "heartbeat of B: NONE");
            let contact = commits.chain(heartbeats).max().expect("it was alive");
            assert_eq!(story.time("g", "B removed, session expired"), contact + setting.session, "{setting:?}");
        }
    }
}

#[test]
fn a_graceful_leave_costs_the_others_one_heartbeat_at_most() {
    for setting in SETTINGS {
        let Setting { latency, write, heartbeat, .. } = setting;
        for tenth in 0..10 {
            let stop = 20 * S + tenth * heartbeat / 10 + 19 * MS;
            let rest = format!("{TRICKLE}\ntimeline: [{{at: {stop}ns, stop: g/B}}]");
            let story = play(&setting.scenario(stop + 10 * S, 2, &format!("{TWO}\ncommit: auto"), &rest));
            let left = story.time("g", "B removed, left");
            assert_eq!(left, stop + setting.commit() + latency, "a commit, then LeaveGroup: {setting:?}");
            let noticed = story.time("A", "noticed the rebalance");
            let assigned = story.next(left, "A", "assigned");
            // Its commit, JoinGroup and SyncGroup.
            assert_eq!(assigned, noticed + 6 * latency + 2 * write, "{setting:?}");
            assert!(assigned - left <= heartbeat + 8 * latency + 2 * write);
        }
    }
}

#[test]
fn a_static_member_that_is_back_in_time_costs_its_downtime_and_three_round_trips() {
    for setting in SETTINGS {
        let Setting { latency, write, session, .. } = setting;
        let members = "members: {A: {group.instance.id: a}, B: {group.instance.id: b}}\ncommit: auto";
        for (end, down) in [("stop", 4 * S), ("crash", 2 * S), ("stop", S)] {
            assert!(down < session - setting.heartbeat);
            let (gone, back) = (20 * S + 19 * MS, 20 * S + 19 * MS + down);
            let rest = format!("{TRICKLE}\ntimeline: [{{at: {gone}ns, {end}: g/B}}, {{at: {back}ns, start: g/B}}]");
            let story = play(&setting.scenario(40 * S, 2, members, &rest));
            assert_eq!(story.next(back, "B", "fetches") - gone, down + 6 * latency + write, "{end} {setting:?}");
            assert!(story.times("g", "generation ").iter().all(|at| *at < gone), "the others see nothing of it");
            assert_eq!(story.times("A", "assigned").len(), 1);
        }
    }
}

#[test]
fn a_static_member_that_does_not_poll_is_only_missed_after_its_session() {
    for (max_poll, session) in [(10 * S, 10 * S), (7 * S, 6 * S), (10 * S, 45 * S)] {
        let setting = Setting { max_poll, session, ..KAFKAS };
        // The first record takes longer than anybody waits.
        let members = "members: {A: {group.instance.id: a, processing: 200s}}\ncommit: external";
        let story = play(&setting.scenario(190 * S, 1, members, TRICKLE));
        let last_poll = story.time("A", "polled") - 2 * setting.latency;
        let joined = story.times("g", "generation 1 has")[0];
        let last_beat = setting.heartbeat_arrivals(joined).take_while(|at| at - setting.latency < last_poll + max_poll).last();
        let removed = story.time("g", "A removed, session expired");
        assert_eq!(Some(removed - session), last_beat, "it sends no heartbeat after max.poll.interval.ms");
        let age = last_poll + max_poll - (removed - session);
        assert_eq!(removed, last_poll + max_poll + session - age);
    }
}

//! What summary and chart say of runs whose trace tells the contrary of what is plausible at first sight.

use groupsim::incidents::{Incident, IncidentKind};
use groupsim::ledger::{Duplicate, DuplicateCause};
use groupsim::report::{Report, Run, Source, chart, summary};
use groupsim::scenario::{self, Scenario};
use groupsim::terms::CommitFailure;

pub struct Told {
    scenario: Scenario,
    run: Option<Run>,
    text: String,
}

impl Told {
    fn of(text: &str) -> Self {
        let (scenario, _) = scenario::load(text, "checked").unwrap_or_else(|problems| panic!("{}", problems.styled()));
        let run = groupsim::run::play(&scenario, scenario.seed, &mut ());
        Told { scenario, run: Some(run), text: text.to_owned() }
    }

    /// A run with one producer, `p`, which writes to `t` of these topics.
    pub fn of_topics(duration: &str, topics: &str, rate: &str, rest: &str) -> Self {
        let head = format!("name: checked\nduration: {duration}\ntopics: {{{topics}}}\nproducers: {{p: {{topic: t, rate: {rate}}}}}\n");
        Told::of(&(head + rest))
    }

    fn of_builtin(name: &str) -> Self {
        Told::of(scenario::builtin::find(name).expect("it is built in").text)
    }

    pub fn report(&mut self) -> Report<'_> {
        let run = self.run.take().expect("asked once");
        Report::new(&self.scenario, Source { argument: "checked", text: &self.text }, run)
    }

    /// summary.txt on one line.
    pub fn page(&mut self) -> String {
        summary::page(&self.report()).plain().split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

#[track_caller]
pub fn check(page: &str, expected: &[&str], unexpected: &[&str]) {
    for words in expected {
        assert!(page.contains(words), "`{words}` is not told in: {page}");
    }
    for words in unexpected {
        assert!(!page.contains(words), "`{words}` is told in: {page}");
    }
}

/// Two members, one partition, 500 records of one second each: both are kicked, again and again, and work on.
const LIVELOCK: &str = "
name: checked
duration: 25m
topics: {jobs: 1}
producers: {q: {topic: jobs, steps: [{at: 0s, rate: 500/s}, {at: 1s, rate: 0/s}]}}
groups: {dyn: {topics: [jobs], members: [A, B], processing: 1s, config: {auto.offset.reset: earliest}}}
";

#[test]
fn each_kick_of_a_livelock_explains_what_was_done_twice_because_of_it() {
    let page = Told::of(LIVELOCK).page();
    let expected = [
        "A had processed records without a commit when it broke max.poll.interval.ms at 5m 6.012s; B processed 299 of them again from 5m 10.018s",
        "B had processed records without a commit when it broke max.poll.interval.ms at 10m 9.016s; A processed 299 of them again from 10m 10.026s",
        "B broke max.poll.interval.ms at 10m 9.016s and went on as a zombie: after that it processed 201 records that A did again",
    ];
    check(&page, &expected, &["1,290 records", "as a member"]);
}

#[test]
fn whoever_works_on_after_a_kick_is_a_zombie_in_the_lanes() {
    let svg = chart::render(&Told::of(LIVELOCK).report());
    assert!(svg.contains("zombie, above its successor"));
}

#[test]
fn a_member_whose_partition_was_given_up_behind_its_back_is_a_zombie_in_the_lanes_and_in_the_story() {
    let mut told = Told::of_builtin("commit-by-name");
    let partitions = &told.run.as_ref().expect("it has run").measurements.groups[0].partitions;
    let spans: Vec<_> =
        partitions[1].zombies.iter().map(|zombie| (zombie.client.0, zombie.from.as_millis(), zombie.to.as_millis())).collect();
    assert_eq!((partitions[0].zombies.len(), spans), (0, vec![(0, 15_006, 50_024)]), "A with what it has in hand of orders-1");
    check(
        &told.page(),
        &[
            "A lost the partitions to a rebalance at 15.006s and went on as a zombie: after that it processed 227 records that had been done \
             already, last by B (159) and C (68): orders-1 [0, 227)",
            "A took the committed offset back over 100 records at 30.017s, which had been committed; C processed them again",
            "D lost the partitions to a rebalance at 15.006s and went on as a zombie: after that it processed 227 records that E had done",
        ],
        &["B and C had done"],
    );
    let svg = chart::render(&Told::of_builtin("commit-by-name").report());
    assert_eq!(svg.matches("zombie, above its successor").count(), 2);
}

#[test]
fn with_a_listener_nobody_is_a_zombie_before_it_was_called() {
    let mut told = Told::of_builtin("slow-member-without-listener");
    let groups = &told.run.as_ref().expect("it has run").measurements.groups;
    let zombies = |group: usize| groups[group].partitions.iter().map(|partition| partition.zombies.len()).sum::<usize>();
    assert_eq!((zombies(0), zombies(1)), (0, 1), "E, and not B");
    // B breaks max.poll.interval.ms while the revocation waits for it: that, and not the revocation, makes it a zombie.
    told = Told::of(&told.text.replace("group.protocol: consumer}", "group.protocol: consumer, max.poll.interval.ms: 15000}"));
    let zombie = "B broke max.poll.interval.ms at 1m 32.219s and went on as a zombie: after that it processed 113 records that C did, too";
    check(&told.page(), &[zombie], &["B lost the partitions"]);
}

#[test]
fn records_polled_after_the_removal_were_not_processed_before_it() {
    let page = Told::of_topics(
        "3m",
        "t: 4",
        "400/s",
        "
groups:
  g:
    topics: [t]
    members: [A, B]
    processing: 2ms
    commit: before-processing
    config: {auto.offset.reset: earliest, partition.assignment.strategy: [cooperative-sticky]}
timeline:
  - {at: 1m, crash: g/B}
  - {at: 100s, start: g/B}
  - {at: 125s, pause: g/A, for: 50s}
",
    )
    .page();
    let zombie =
        "A was put out of the group (its session expired) at 2m 49.501s and went on as a zombie: after that it processed 500 records";
    check(&page, &[zombie], &["without a commit when the group put it out"]);
}

/// When the cause came, unless it was the reader itself that went back.
fn undone_at(duplicate: &Duplicate) -> Option<groupsim::units::Instant> {
    match duplicate.cause {
        DuplicateCause::Crashed(at)
        | DuplicateCause::PollIntervalExceeded(at)
        | DuplicateCause::Removed(_, at)
        | DuplicateCause::Revoked(at)
        | DuplicateCause::Replaced(at)
        | DuplicateCause::Stopped(at) => Some(at),
        DuplicateCause::CommitWentBack(_) | DuplicateCause::Rewound(_) => None,
    }
}

#[test]
fn a_cause_lies_between_the_two_deliveries_that_it_explains() {
    let mut seen = 0;
    for name in ["static-max-poll", "busy-member-cooperative", "zombie-pause", "zombie-network-partition"] {
        let told = Told::of_builtin(name);
        let run = told.run.as_ref().expect("it has run");
        for duplicate in run.accounts.iter().flat_map(|account| &account.duplicates) {
            let at = undone_at(duplicate).expect("nobody goes back here");
            assert!(at <= duplicate.again.1, "{name}: {duplicate:?}");
            assert!(duplicate.before.1.is_some_and(|before| before != duplicate.again.1), "{name}: {duplicate:?}");
            assert!(duplicate.zombie || duplicate.before.1.is_some_and(|before| before <= at), "{name}: {duplicate:?}");
            seen += 1;
        }
    }
    assert!(seen > 10, "{seen} duplicates");
}

#[test]
fn an_eager_leader_that_cannot_commit_because_its_topic_is_gone_is_named_as_the_cause() {
    let page = Told::of(
        "
name: checked
duration: 2m
settle: 1m
topics: {t: 2, u: 2}
producers: {p: {topic: t, rate: 20/s}, q: {topic: u, rate: 20/s}}
groups: {g: {topics: [t, u], members: [A, B], processing: 2ms, config: {auto.offset.reset: earliest}}}
timeline: [{at: 20s, delete.topic: t}]
",
    )
    .page();
    // 3,127 requests in all, almost all of which were refused for t and taken for u.
    check(&page, &["20.503s the end A could not commit: t was deleted", "commits 4 taken, 3,123 refused"], &["3,127 taken"]);
}

#[test]
fn added_partitions_that_wait_for_a_busy_member_were_noticed() {
    let page = Told::of_topics(
        "4m",
        "t: 1",
        "10/s",
        "
groups:
  g:
    topics: [t]
    members: {A: , B: {start: never}}
    processing: 1ms
    config: {auto.offset.reset: earliest, group.protocol: consumer}
timeline:
  - {at: 29s, slow: g/A, factor: 60000, for: 5s}
  - {at: 30s, partitions: {t: 2}}
",
    )
    .page();
    check(
        &page,
        &["added; noticed after 105ms (rebalance 2), read 4.002s later", "Group g A reads t"],
        &["had not noticed", "A and B read"],
    );
}

#[test]
fn partitions_that_nobody_ever_read_are_not_read_for_the_first_time() {
    let page = Told::of_topics(
        "2m",
        "t: 2",
        "100/s",
        "
settle: 1m
groups:
  g:
    topics: [t]
    members: {A: , B: {processing: 10s}}
    processing: 1ms
    config: {auto.offset.reset: earliest, metadata.max.age.ms: 20000}
timeline: [{at: 30s, partitions: {t: 4}}]
",
    )
    .page();
    check(&page, &["3, 2m 19.192s A, the leader, found t with 4 partitions", "nobody ever took it"], &["read for the first time"]);
}

/// A process crashes, comes back and is restarted at one moment, when a topic is deleted, too.
#[test]
fn what_happens_to_the_next_life_at_the_same_moment_is_no_cause() {
    let page = Told::of_topics(
        "1m",
        "t: 2, u: 2",
        "20/s",
        "
groups: {g: {topics: [t, u], members: [A, B], processing: 2ms, config: {auto.offset.reset: earliest}}}
timeline:
  - {at: 20s, crash: g/A}
  - {at: 20s, start: g/A}
  - {at: 20s, delete.topic: u}
  - {at: 20s, rolling.restart: g, every: 30s, down: 8s}
",
    )
    .page();
    check(&page, &["A crashed"], &["A stopped", "u-0 0s", " 0s 20s 20s"]);
}

#[test]
fn hidden_rebalances_are_counted_under_the_names_that_the_table_uses() {
    check(
        &Told::of_builtin("eager-vs-cooperative-vs-consumer").page(),
        &["4 more: 1 member joined, 1 member gave partitions up, 2 members left"],
        &["member left 2", "leader rejoined"],
    );
}

#[test]
fn the_lanes_of_a_deleted_topic_are_blank_after_its_end() {
    let rest = "
groups: {g: {topics: [t], members: [A], processing: 2ms, config: {auto.offset.reset: earliest}}}
timeline: [{at: 20s, delete.topic: t}]
";
    let svg = chart::render(&Told::of_topics("1m", "t: 2", "20/s", rest).report());
    // Before A has joined.
    assert_eq!(svg.matches("<title>nobody</title>").count(), 2);
}

#[test]
fn a_commit_that_times_out_throws_a_time_out() {
    let run = Told::of_builtin("zombie-network-partition").run.expect("it has run");
    let timed_out = |incident: &&Incident| incident.kind == IncidentKind::CommitFailed(CommitFailure::TimedOut);
    assert_eq!(run.incidents.iter().filter(timed_out).count(), 1);
}

/// Partitions are added, and their topic is deleted before the leader's metadata is old enough to show either.
const GROWN_AND_DELETED: &str = "
name: checked
duration: 6m
topics: {t: 2, u: 2}
producers: {p: {topic: t, rate: 20/s}, q: {topic: u, rate: 20/s}}
groups:
  g: {topics: [t, u], members: {A: , B: , C: {start: 10m}}, processing: 1ms, commit: {every: 1000000}, config: {auto.offset.reset: earliest}}
timeline: [{at: 2m, partitions: {t: 4}}, {at: 299s, delete.topic: t}]
";

#[test]
fn what_was_deleted_before_anybody_read_it_was_never_read() {
    let page = Told::of(GROWN_AND_DELETED).page();
    check(
        &page,
        &["never read; t was deleted", "found in its metadata that t was deleted", "A and B read"],
        &["first time", "noticed", "A, B and C"],
    );
}

#[test]
fn a_member_that_closes_for_a_minute_has_stopped_all_the_same() {
    let page = Told::of_topics(
        "5m",
        "t: 4",
        "20/s",
        "
groups: {g: {topics: [t], members: {A: , B: {processing: 1s}}, processing: 1ms, config: {auto.offset.reset: earliest}}}
timeline: [{at: 60s, stop: g/B}]
",
    )
    .page();
    check(&page, &["t-3", "B stopped"], &["2m 7.016s 2m 14.02s rebalance"]);
}

#[test]
fn what_a_living_member_has_committed_and_has_in_hand_is_not_lost() {
    let groups = "
settle: 1s
groups: {g: {topics: [t], members: [A], processing: 1ms, commit: before-processing, config: {auto.offset.reset: earliest}}}
expect: [{lost: 0}]
";
    let mut told = Told::of_topics("20s", "t: 1", "1500/s", groups);
    check(&told.page(), &["UNDECIDED", "lost 0"], &["nobody had read"]);
    let crashed = groups.replace("expect:", "timeline: [{at: 15s, crash: g/A}]\nexpect:");
    check(&Told::of_topics("20s", "t: 1", "1500/s", &crashed).page(), &["FAILED", "lost 362"], &[]);
}

#[test]
fn lag_that_grows_in_the_settle_phase_counts() {
    let groups = "
cluster: {brokers: 2}
groups: {g: {topics: [t], members: [A], processing: 1ms, config: {auto.offset.reset: earliest}}}
timeline: [{at: 18s, broker.down: 0, for: 30s}]
expect: [{lag: {group: g, at.most: 1700}}]
";
    let mut told = Told::of_topics("30s", "t: 2", "500/s", groups);
    let report = told.report();
    let (measured, measurements) = (&report.run.measurements.groups[0], &report.run.measurements);
    let sum = |i: usize| measured.partitions.iter().map(|p| p.lag[i].unprocessed).sum::<u64>();
    let of_run_phase = (measurements.run_end.as_nanos() / measurements.sample_interval.as_nanos()) as usize + 1;
    assert_eq!((0..measurements.samples).map(sum).max(), Some(measured.peak_lag));
    assert!((0..of_run_phase).map(sum).max() < Some(1700), "it grows when the broker is back");
    let page = summary::page(&report).plain();
    check(&page.split_whitespace().collect::<Vec<_>>().join(" "), &["FAILED", "peak 5,363, run end 0, settled 0"], &[]);
}

//! summary.txt, summary.json, lag.csv and replay.json.

use groupsim::ledger::{Duplicate, DuplicateCause, Loss, LossCause, Skip};
use groupsim::metrics::marks::MarkKind;
use groupsim::metrics::{LagSample, Leaderless, WaitEnd, Waited};
use groupsim::report::{Output, Report, summary};
use groupsim::scenario::expectation::{Bounds, Check, Period, WhichPartition};
use groupsim::terms::FatalError;
use groupsim::trace::ending::Ending;
use groupsim::units::{BrokerId, ClientId, GroupId, MemberId, Offset, OffsetRange, Span};

use crate::fixture::{self, Fixture, ms, partition};
use crate::gallery;

/// With the version of the program cut out.
fn file(report: &Report, wanted: Output) -> String {
    let (_, bytes) = report.files(true).into_iter().find(|(output, _)| *output == wanted).expect("every run writes it");
    String::from_utf8(bytes).expect("UTF-8").replace(env!("CARGO_PKG_VERSION"), "VERSION")
}

fn offsets(from: u64, to: u64) -> OffsetRange {
    OffsetRange::new(Offset(from), Offset(to))
}

fn crash_with_duplicates() -> Fixture {
    let mut fixture = fixture::consumer_crash();
    fixture.expect(31, "{lost: 0}", Check::Lost { group: None, bounds: Bounds { at_least: None, at_most: Some(0) } });
    fixture.expect(
        32,
        "{rebalances: {group: billing, exactly: 3}}",
        Check::Rebalances { group: Some(GroupId(0)), period: Period::ALL, bounds: Bounds { at_least: Some(3), at_most: Some(3) } },
    );
    let bounds = Bounds { at_least: None, at_most: Some(Span::from_secs(13).as_nanos()) };
    let unavailable = Check::Unavailable { group: None, partition: WhichPartition::Longest, period: Period::ALL, bounds };
    fixture.expect(33, "{unavailable: {partition: longest, at.most: 13s}}", unavailable);
    let account = &mut fixture.run().accounts[0];
    account.duplicated = 487 + 312;
    account.extra = 487 + 312;
    account.processed_once -= 487 + 312;
    let again = |partition_number, from, to, client, at| Duplicate {
        partition: partition(0, partition_number),
        offsets: offsets(from, to),
        before: (ClientId(1), Some(ms(29_990))),
        again: (ClientId(client), ms(at)),
        cause: DuplicateCause::Crashed(ms(30_000)),
        undone: ClientId(1),
        zombie: false,
    };
    account.duplicates = vec![again(2, 4203, 4690, 0, 42_026), again(3, 3811, 4123, 2, 42_031)];
    let waited = |client, lasted| Waited {
        member: MemberId { client: ClientId(client), number: 1 },
        lasted: Span::from_millis(lasted),
        how: WaitEnd::Rejoined,
    };
    fixture.run().measurements.groups[0].rebalances[1].waited_for = vec![waited(0, 1104), waited(2, 2215)];
    fixture
}

/// 500 records of a second each, four times: the story of a livelock.
fn livelock() -> Fixture {
    let mut fixture = gallery::livelock();
    let client = &mut fixture.scenario.clients[0];
    client.processing.per_record = groupsim::scenario::Distribution::Constant(Span::from_secs(1));
    let again = |round: u64| Duplicate {
        partition: partition(0, 0),
        offsets: offsets(0, 500),
        before: (ClientId(0), Some(ms(503_000 * round))),
        again: (ClientId(0), ms(503_000 * round + 4_000)),
        cause: DuplicateCause::PollIntervalExceeded(ms(503_000 * round - 200_000)),
        undone: ClientId(0),
        zombie: false,
    };
    let account = &mut fixture.run().accounts[0];
    (account.duplicated, account.extra) = (500, 2000);
    account.processed_once -= 500;
    account.duplicates = (1..=4).map(again).collect();
    fixture
}

#[test]
fn the_story_of_a_crash_reads_well() {
    insta::assert_snapshot!(file(&crash_with_duplicates().report(), Output::Summary));
}

#[test]
fn the_summary_as_data() {
    insta::assert_snapshot!(file(&crash_with_duplicates().report(), Output::SummaryJson));
}

#[test]
fn a_livelock_is_named_and_has_a_way_out() {
    insta::assert_snapshot!(file(&livelock().report(), Output::Summary));
}

#[test]
fn losses_and_skips_have_their_causes() {
    let mut fixture = fixture::consumer_crash();
    fixture.run().violations.push((ms(12_345), "orders-0 has two owners of generation 3".to_owned()));
    fixture.run().ending = Ending::SettleBound;
    let account = &mut fixture.run().accounts[0];
    (account.lost, account.skipped) = (130, 1200);
    account.processed_once -= 1330;
    let loss = |from, to, cause| Loss {
        partition: partition(0, 2),
        offsets: offsets(from, to),
        committed_by: Some((ClientId(1), ms(29_000))),
        cause,
    };
    account.losses = vec![loss(100, 220, LossCause::CommittedThenCrashed(ms(30_000))), loss(300, 310, LossCause::CommittedUnread)];
    let skip = |p, to| Skip { group: GroupId(0), partition: partition(0, p), offsets: offsets(0, to), by: ClientId(2), at: ms(3_010) };
    account.skips = vec![skip(4, 700), skip(5, 500)];
    insta::assert_snapshot!(file(&fixture.report(), Output::Summary));
}

#[test]
fn a_backlog_is_taken_apart() {
    let mut fixture = gallery::single();
    let group = &mut fixture.run().measurements.groups[0];
    group.run_end_lag = 32_403_120;
    group.run_phase_polls = 7_194;
    fixture.run().production.topics[0].visible -= 30;
    let text = file(&fixture.report(), Output::Summary);
    let at = text.find("  Backlog").expect("a backlog");
    insta::assert_snapshot!(text[at..].lines().take(4).collect::<Vec<_>>().join("\n"), @r"
      Backlog of 32,403,150 records at 1h
        =  32,400,000  by rate: 36,000,000 to do in 1h, one member can do 3,600,000
        +       3,012  by start-up: the first record was in hand at 3.012s
        +         138  by waiting for records and commits: 138ms, in 7,194 polls
    ");
}

#[test]
fn a_backlog_of_one_partition_only_is_told_without_a_calculation() {
    let mut fixture = gallery::hot_partition();
    let text = file(&fixture.report(), Output::Summary);
    assert!(text.contains("  Backlog of 183,000 records at 10m\n    183,000 in orders-7 (100%)\n"), "{text}");
}

#[test]
fn stories_stay_short_and_narrow_however_large_the_run_is() {
    for (name, mut fixture) in gallery::all() {
        let text = file(&fixture.report(), Output::Summary);
        let groups = fixture.scenario.groups.len().max(1);
        // Five thousand letters.
        assert!(text.lines().count() <= 62 * groups, "{name}: {} lines", text.lines().count());
        for line in text.lines() {
            assert!(line.chars().count() <= 80, "{name}: {line}");
        }
    }
}

#[test]
fn a_wide_terminal_has_longer_lines_of_the_same_words() {
    let mut fixture = crash_with_duplicates();
    let report = fixture.report();
    let longest = |columns| {
        let text = summary::page_within(&report, columns).plain();
        text.lines().map(|line| line.chars().count()).max().unwrap_or(0)
    };
    assert!(longest(0) <= 80 && longest(90) <= 90 && longest(90) > 80 && longest(300) <= 100);
    assert_eq!(summary::page_within(&report, 0), summary::page(&report));
}

#[test]
fn an_expectation_of_several_owners_is_one_line_and_numbers_come_first() {
    let mut fixture = fixture::consumer_crash();
    for (number, client) in [(0, 0), (1, 0), (4, 2)] {
        let name = ["A", "B", "C"][client as usize];
        let check = Check::Owner { group: None, partition: partition(0, number), client: Some(ClientId(client)), at: ms(60_000) };
        fixture.expect(31, &format!("{{owner: {{orders-{number}: {name}}}, at: 1m}}"), check);
    }
    fixture.expect(32, "{lost: 0}", Check::Lost { group: None, bounds: Bounds { at_least: None, at_most: Some(0) } });
    let text = file(&fixture.report(), Output::Summary);
    let lines: Vec<&str> = text.lines().skip_while(|line| !line.starts_with("PASSED")).take(3).collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    PASSED  2 expectations met; run phase to 2m, everything drained at 2m 3.4s
      met  {lost: 0}                                     0 records
      met  {owner: {orders-0: A, orders-1: A, orders-4:  3 of 3
    ");
}

#[test]
fn very_many_ranges_are_told_by_what_they_lie_in() {
    let mut fixture = crash_with_duplicates();
    let account = &mut fixture.run().accounts[0];
    let first = account.duplicates[0].clone();
    let piece = |i: u64| Duplicate { offsets: offsets(1000 + i * 10, 1003 + i * 10), ..first.clone() };
    account.duplicates = (0..21).map(piece).collect();
    let text = file(&fixture.report(), Output::Summary);
    assert!(text.contains("      63 of orders-2 [1000, 1203) in 21 ranges\n"), "{text}");
}

#[test]
fn a_partition_without_a_leader_is_no_partition_that_was_read_all_the_time() {
    let mut fixture = gallery::idle();
    fixture.run().measurements.leaderless = vec![Leaderless { partition: partition(0, 1), from: ms(6_000), to: Some(ms(15_000)) }];
    fixture.mark(6_000, MarkKind::BrokerDown(BrokerId(2), Span::from_secs(30)));
    let text = file(&fixture.report(), Output::Summary);
    assert!(!text.contains("no partition was unavailable"), "{text}");
    assert!(
        text.contains("  every partition had an owner all the time\n") && text.contains("  1 of 3 partitions had no leader, 9s"),
        "{text}"
    );
    assert!(text.contains("    t-1             9s  6s    15s  broker 2 died\n"), "{text}");
}

#[test]
fn the_page_without_its_colours_is_the_file() {
    let mut fixture = crash_with_duplicates();
    let report = fixture.report();
    let page = summary::page(&report);
    let mut plain = String::new();
    for piece in page.coloured().split('\u{1b}') {
        plain.push_str(piece.strip_prefix('[').and_then(|rest| rest.split_once('m')).map_or(piece, |(_, text)| text));
    }
    let plain: String = plain.lines().map(|line| line.trim_end().to_owned() + "\n").collect();
    assert_eq!(plain, page.plain());
}

#[test]
fn the_line_that_runs_it_again_can_be_pasted() {
    let command = |argument: &str| {
        let mut fixture = fixture::consumer_crash();
        argument.clone_into(&mut fixture.scenario.name);
        summary::command(&fixture.report())
    };
    assert_eq!(command("consumer-crash"), "groupsim run consumer-crash --seed 7");
    assert_eq!(command("my scenarios/it's.yaml"), r"groupsim run 'my scenarios/it'\''s.yaml' --seed 7");
}

#[test]
fn the_lag_as_a_table() {
    let mut fixture = gallery::moment();
    let run = fixture.run();
    run.measurements.sample_interval = Span::from_nanos(100_500_000);
    run.measurements.samples = 3;
    run.measurements.groups[0].partitions[0].lag = vec![
        LagSample::default(),
        LagSample { committed: None, position: 12, unprocessed: 10 },
        LagSample { committed: Some(-1), position: 0, unprocessed: 0 },
    ];
    fixture.scenario.groups[0].name = "a, \"b\"".to_owned();
    insta::assert_snapshot!(file(&fixture.report(), Output::LagCsv), @r#"
    at_ms,group,topic,partition,committed_lag,position_lag,unprocessed
    0,"a, ""b""",t,0,,0,0
    100.5,"a, ""b""",t,0,,12,10
    201,"a, ""b""",t,0,-1,0,0
    "#);
}

#[test]
fn a_table_that_is_written_in_many_pieces_has_every_row_once() {
    let mut fixture = gallery::moment();
    let run = fixture.run();
    (run.measurements.sample_interval, run.measurements.samples) = (Span::from_millis(1), 20_000);
    let lag = |sample| LagSample { committed: Some(sample), position: -sample, unprocessed: sample as u64 };
    run.measurements.groups[0].partitions[0].lag = (0..20_000).map(lag).collect();
    fixture.scenario.groups[0].name = "g".to_owned();
    let rows = (0..20_000).map(|sample| format!("{sample},g,t,0,{sample},{},{sample}\n", -sample));
    let header = "at_ms,group,topic,partition,committed_lag,position_lag,unprocessed\n".to_owned();
    assert!(file(&fixture.report(), Output::LagCsv) == std::iter::once(header).chain(rows).collect::<String>());
}

#[test]
fn a_replay_names_the_run_and_what_happened_in_it() {
    let mut fixture = fixture::consumer_crash();
    fixture.mark(50_000, MarkKind::Slowed(ClientId(0), 2_500));
    fixture.mark(60_000, MarkKind::BrokerDown(BrokerId(1), Span::from_secs(30)));
    fixture.mark(90_000, MarkKind::BrokerReturned(BrokerId(1)));
    fixture.mark(95_000, MarkKind::Failed(ClientId(0), FatalError::FencedInstanceId));
    insta::assert_snapshot!(file(&fixture.report(), Output::Replay));
}

#[test]
fn a_file_that_begins_with_a_dash_is_no_option_when_it_is_run_again() {
    let mut fixture = gallery::consumer_crash();
    let mut report = fixture.report();
    report.source.argument = "-x.yaml";
    assert_eq!(groupsim::report::summary::command(&report), format!("groupsim run ./-x.yaml --seed {}", report.run.seed));
    report.source.argument = "-a b.yaml";
    assert_eq!(groupsim::report::summary::command(&report), format!("groupsim run './-a b.yaml' --seed {}", report.run.seed));
}

//! The verdict on each kind of expectation.

use groupsim::incidents::{Incident, IncidentKind};
use groupsim::metrics::OwnerSpan;
use groupsim::report::verdict::{Finding, Outcome, Verdict};
use groupsim::scenario::expectation::{Bounds, Check, IncidentQuestion, LagKind, Members, Period, Removal, When, WhichPartition};
use groupsim::terms::{CommitFailure, FatalError, RemovalReason};
use groupsim::trace::ending::Ending;
use groupsim::units::{ClientId, GroupId, Offset, Span};

use crate::fixture::{self, Fixture, ms, partition};

const NONE_AT_ALL: Bounds = Bounds { at_least: Some(0), at_most: Some(0) };

fn at_most(n: u64) -> Bounds {
    Bounds { at_least: None, at_most: Some(n) }
}

fn at_least(n: u64) -> Bounds {
    Bounds { at_least: Some(n), at_most: None }
}

fn check(mut fixture: Fixture, check: Check) -> (Outcome, String, Verdict) {
    fixture.expect(1, "{…}", check);
    let report = fixture.report();
    let Finding { outcome, seen, .. } = report.judgement.findings[0].clone();
    (outcome, seen, report.judgement.verdict)
}

fn outcome(fixture: Fixture, asked: Check) -> Outcome {
    check(fixture, asked).0
}

/// The settle bound came first with 100 records left, 5 are lost, 7 duplicated.
fn cut_short() -> Fixture {
    let mut fixture = fixture::consumer_crash();
    let run = fixture.run();
    run.ending = Ending::SettleBound;
    let account = &mut run.accounts[0];
    (account.unsettled, account.lost, account.duplicated, account.extra) = (100, 5, 7, 9);
    account.processed_once -= 112;
    fixture
}

fn settled() -> Fixture {
    let mut fixture = cut_short();
    fixture.run().ending = Ending::Drained;
    fixture.run().accounts[0].unsettled = 0;
    fixture.run().accounts[0].processed_once += 100;
    fixture
}

#[test]
fn counts_of_a_settled_run_are_met_or_failed() {
    let lost = |bounds| Check::Lost { group: None, bounds };
    let (missed, seen, verdict) = check(settled(), lost(NONE_AT_ALL));
    assert_eq!((missed, seen.as_str(), verdict), (Outcome::Failed, "5 records", Verdict::Failed));
    assert_eq!(outcome(settled(), lost(at_most(5))), Outcome::Met);
    assert_eq!(outcome(settled(), Check::Duplicated { group: Some(GroupId(0)), bounds: at_most(6) }), Outcome::Failed);
    assert_eq!(outcome(settled(), Check::Duplicated { group: None, bounds: at_least(7) }), Outcome::Met);
    assert_eq!(outcome(settled(), Check::Extra { group: None, bounds: at_most(9) }), Outcome::Met);
    assert_eq!(outcome(settled(), Check::Skipped { group: None, bounds: at_least(1) }), Outcome::Failed);
    assert_eq!(outcome(settled(), Check::Unsettled { group: None, bounds: NONE_AT_ALL }), Outcome::Met);
    assert_eq!(outcome(settled(), Check::ProcessedOnce { group: None, bounds: at_most(1) }), Outcome::Failed);
    assert_eq!(outcome(settled(), Check::Produced { group: None, bounds: at_least(120_000) }), Outcome::Met);
}

#[test]
fn a_run_that_was_cut_short_decides_only_what_time_cannot_change() {
    let lost = |bounds| Check::Lost { group: None, bounds };
    assert_eq!(outcome(cut_short(), lost(at_most(4))), Outcome::Failed, "what is lost stays lost");
    assert_eq!(outcome(cut_short(), lost(at_most(104))), Outcome::Undecided);
    assert_eq!(outcome(cut_short(), lost(at_most(105))), Outcome::Met, "not more than all that is left can be lost");
    assert_eq!(outcome(cut_short(), lost(at_least(106))), Outcome::Failed);
    let duplicated = |bounds| Check::Duplicated { group: None, bounds };
    assert_eq!(outcome(cut_short(), duplicated(at_least(7))), Outcome::Met);
    assert_eq!(outcome(cut_short(), duplicated(at_most(7))), Outcome::Undecided);
    assert_eq!(outcome(cut_short(), duplicated(at_most(6))), Outcome::Failed);
    let (unsettled, _, verdict) = check(cut_short(), Check::Unsettled { group: None, bounds: NONE_AT_ALL });
    assert_eq!((unsettled, verdict), (Outcome::Failed, Verdict::Failed), "unsettled is what the bound left");
}

#[test]
fn without_a_settle_phase_the_run_is_judged_as_it_stands() {
    let mut fixture = cut_short();
    fixture.run().ending = Ending::Finished;
    assert_eq!(outcome(fixture, Check::Lost { group: None, bounds: at_most(5) }), Outcome::Met);
}

#[test]
fn a_failure_outweighs_a_doubt_and_a_doubt_a_success() {
    let mut fixture = cut_short();
    fixture.expect(1, "met", Check::Lost { group: None, bounds: at_most(500) });
    fixture.expect(2, "undecided", Check::Lost { group: None, bounds: at_most(50) });
    assert_eq!(fixture.report().judgement.verdict.exit_code(), 2);
    let mut fixture = cut_short();
    fixture.expect(2, "undecided", Check::Lost { group: None, bounds: at_most(50) });
    fixture.expect(3, "failed", Check::Lost { group: None, bounds: at_most(0) });
    assert_eq!(fixture.report().judgement.verdict.exit_code(), 1);
}

#[test]
fn an_invariant_that_does_not_hold_fails_a_run_that_expects_nothing() {
    let mut fixture = fixture::consumer_crash();
    assert_eq!(fixture.report().judgement.verdict.exit_code(), 0);
    let mut fixture = fixture::consumer_crash();
    fixture.run().violations.push((ms(5), "two owners".to_owned()));
    assert_eq!(fixture.report().judgement.verdict.exit_code(), 1);
}

#[test]
fn a_run_that_cannot_go_on_is_undecided_even_if_it_expects_nothing() {
    let mut fixture = fixture::consumer_crash();
    fixture.run().ending = Ending::Stuck { at: ms(50_000), why: "time does not move".to_owned() };
    assert_eq!(fixture.report().judgement.verdict, Verdict::Undecided);
}

#[test]
fn lag_is_looked_at_when_it_was_asked_for() {
    let lag = |when, bounds| Check::Lag { group: Some(GroupId(0)), of: LagKind::Unprocessed, when, bounds };
    let (highest, seen, _) = check(fixture::consumer_crash(), lag(When::After(ms(20_000)), at_most(1000)));
    assert_eq!((highest, seen.as_str()), (Outcome::Failed, "5,630 records at most, at 42s"));
    assert_eq!(outcome(fixture::consumer_crash(), lag(When::After(ms(100_000)), at_most(0))), Outcome::Met);
    assert_eq!(outcome(fixture::consumer_crash(), lag(When::At(ms(2_050)), at_least(2_000))), Outcome::Met);
    assert_eq!(outcome(fixture::consumer_crash(), lag(When::At(ms(2_050)), at_least(2_001))), Outcome::Failed, "the sample of 2 s");
    assert_eq!(outcome(fixture::consumer_crash(), lag(When::At(ms(900_000)), at_most(0))), Outcome::Undecided);
    assert_eq!(outcome(fixture::consumer_crash(), lag(When::End, at_most(0))), Outcome::Met);
    assert_eq!(outcome(fixture::consumer_crash(), lag(When::Settled, at_least(1))), Outcome::Failed);
    let committed = Check::Lag { group: None, of: LagKind::Committed, when: When::Settled, bounds: at_least(240) };
    assert_eq!(outcome(fixture::consumer_crash(), committed), Outcome::Met, "forty of each partition are not committed");
}

#[test]
fn without_a_commit_everything_since_the_start_position_is_lag() {
    let mut fixture = fixture::consumer_crash();
    for partition in &mut fixture.run().measurements.groups[0].partitions {
        partition.start = Offset(1_000);
        (partition.final_high_watermark, partition.final_lag.committed) = (1_500, None);
    }
    let lag = Check::Lag { group: None, of: LagKind::Committed, when: When::Settled, bounds: at_least(1) };
    let (found, seen, _) = check(fixture, lag);
    assert_eq!((found, seen.as_str()), (Outcome::Met, "3,000 records at 2m 3.4s"));
}

#[test]
fn the_backlog_counts_what_was_still_on_its_way() {
    let mut fixture = fixture::consumer_crash();
    fixture.run().measurements.groups[0].run_end_lag = 32_403_000;
    fixture.run().production.topics[0].visible -= 23;
    let backlog = Check::Backlog { group: None, bounds: Bounds { at_least: Some(32_403_023), at_most: Some(32_403_023) } };
    assert_eq!(outcome(fixture, backlog), Outcome::Met);
}

#[test]
fn start_up_is_not_unavailability_unless_nobody_ever_came() {
    let unavailable = |partition, bounds| Check::Unavailable { group: None, partition, period: Period::ALL, bounds };
    let longest = WhichPartition::Longest;
    let (found, seen, _) = check(fixture::consumer_crash(), unavailable(longest, at_most(Span::from_secs(12).as_nanos())));
    assert_eq!((found, seen.as_str()), (Outcome::Failed, "12.024s (orders-2 from 30s)"));
    let kept = WhichPartition::Named(partition(0, 0));
    assert_eq!(outcome(fixture::consumer_crash(), unavailable(kept, at_most(Span::from_millis(2_213).as_nanos()))), Outcome::Met);
    let mut fixture = fixture::consumer_crash();
    let orphan = &mut fixture.run().measurements.groups[0].partitions[0];
    orphan.outages.truncate(1);
    orphan.outages[0].to = None;
    let (found, seen, _) = check(fixture, unavailable(kept, at_most(Span::from_secs(60).as_nanos())));
    assert_eq!((found, seen.as_str()), (Outcome::Failed, "2m 3.4s (orders-0 from 0s, and still at the end)"));
}

#[test]
fn an_outage_that_the_settle_bound_cut_off_may_be_longer() {
    let mut fixture = cut_short();
    fixture.run().measurements.groups[0].partitions[0].outages[1].to = None;
    let unavailable =
        |most| Check::Unavailable { group: None, partition: WhichPartition::Longest, period: Period::ALL, bounds: at_most(most) };
    assert_eq!(outcome(fixture, unavailable(Span::from_secs(600).as_nanos())), Outcome::Undecided);
}

#[test]
fn the_owner_at_a_time_is_who_could_hand_out_records() {
    let owner =
        |p, client: Option<u32>, at| Check::Owner { group: None, partition: partition(0, p), client: client.map(ClientId), at: ms(at) };
    assert_eq!(outcome(fixture::consumer_crash(), owner(2, Some(1), 20_000)), Outcome::Met);
    assert_eq!(outcome(fixture::consumer_crash(), owner(2, None, 30_000)), Outcome::Met, "the moment of the crash");
    assert_eq!(outcome(fixture::consumer_crash(), owner(2, Some(0), 123_400)), Outcome::Met, "the last moment of the run");
    let (found, seen, _) = check(fixture::consumer_crash(), owner(2, Some(1), 50_000));
    assert_eq!((found, seen.as_str()), (Outcome::Failed, "A"));
    assert_eq!(outcome(fixture::consumer_crash(), owner(2, Some(1), 500_000)), Outcome::Undecided);
    let mut fixture = fixture::consumer_crash();
    let ghost = OwnerSpan { client: ClientId(1), from: ms(3006), to: ms(60_000) };
    fixture.run().measurements.groups[0].partitions[2].owners[0] = ghost;
    assert_eq!(outcome(fixture, owner(2, Some(0), 50_000)), Outcome::Met, "of two the later one");
}

#[test]
fn rebalances_count_with_the_first_one() {
    let rebalances =
        |n| Check::Rebalances { group: Some(GroupId(0)), period: Period::ALL, bounds: Bounds { at_least: Some(n), at_most: Some(n) } };
    assert_eq!(outcome(fixture::consumer_crash(), rebalances(2)), Outcome::Met);
    assert_eq!(outcome(fixture::consumer_crash(), rebalances(1)), Outcome::Failed);
}

#[test]
fn a_period_counts_what_began_in_it() {
    let only = |n| Bounds { at_least: Some(n), at_most: Some(n) };
    let rebalances =
        |from, until, n| Check::Rebalances { group: None, period: Period { from: ms(from), until: ms(until) }, bounds: only(n) };
    let mut fixture = fixture::consumer_crash();
    let began = fixture.run().measurements.groups[0].rebalances[1].started.as_millis();
    assert_eq!(outcome(fixture::consumer_crash(), rebalances(began, began + 1, 1)), Outcome::Met);
    assert_eq!(outcome(fixture::consumer_crash(), rebalances(began + 1, 200_000, 1)), Outcome::Failed);
    assert_eq!(outcome(fixture::consumer_crash(), rebalances(0, began, 1)), Outcome::Met, "the end is not part of it");
    let unavailable = |from, until| Check::Unavailable {
        group: None,
        partition: WhichPartition::Named(partition(0, 2)),
        period: Period { from: ms(from), until: ms(until) },
        bounds: only(Span::from_millis(12_024).as_nanos()),
    };
    assert_eq!(outcome(fixture::consumer_crash(), unavailable(30_000, 30_001)), Outcome::Met);
    let (found, seen, _) = check(fixture::consumer_crash(), unavailable(30_001, 90_000));
    assert_eq!((found, seen.as_str()), (Outcome::Failed, "never unavailable"));
}

#[test]
fn incidents_count_by_member_reason_and_time() {
    let befallen = || {
        let mut fixture = fixture::consumer_crash();
        let incident = |at, client, kind| Incident { at: ms(at), client: ClientId(client), kind };
        fixture.run().incidents = vec![
            incident(10_000, 1, IncidentKind::PendingDropped),
            incident(42_000, 1, IncidentKind::Removed(RemovalReason::SessionExpired)),
            incident(50_000, 0, IncidentKind::CommitFailed(CommitFailure::NotAMember)),
            incident(51_000, 2, IncidentKind::Failed(FatalError::FencedInstanceId)),
            incident(52_000, 2, IncidentKind::Removed(RemovalReason::Left)),
        ];
        fixture
    };
    let everybody = Members { group: None, client: None };
    let asked = |of, kind, period, n| Check::Incidents { of, kind, period, bounds: Bounds { at_least: Some(n), at_most: Some(n) } };
    let all = |kind, n| outcome(befallen(), asked(everybody, kind, Period::ALL, n));
    let expired = IncidentQuestion::Removed(Some(Removal::Member(RemovalReason::SessionExpired)));
    assert_eq!(all(IncidentQuestion::Removed(None), 3), Outcome::Met);
    assert_eq!(all(IncidentQuestion::Removed(Some(Removal::Pending)), 1), Outcome::Met);
    assert_eq!(all(expired, 2), Outcome::Failed);
    assert_eq!(all(IncidentQuestion::CommitFailed(Some(CommitFailure::RebalanceInProgress)), 0), Outcome::Met);
    assert_eq!(all(IncidentQuestion::CommitFailed(None), 1), Outcome::Met);
    assert_eq!(all(IncidentQuestion::Failed(Some(FatalError::FencedInstanceId)), 1), Outcome::Met);
    assert_eq!(all(IncidentQuestion::Failed(Some(FatalError::UnreleasedInstanceId)), 1), Outcome::Failed);
    let a = Members { group: Some(GroupId(0)), client: Some(ClientId(0)) };
    assert_eq!(outcome(befallen(), asked(a, IncidentQuestion::Removed(None), Period::ALL, 0)), Outcome::Met);
    let later = Period { from: ms(42_001), until: ms(60_000) };
    let (found, seen, _) = check(befallen(), asked(everybody, IncidentQuestion::Removed(None), later, 2));
    assert_eq!((found, seen.as_str()), (Outcome::Failed, "1 removal (C left at 52s)"));
}

#[test]
fn a_livelock_is_found_or_missed() {
    let kicked = |times: u64| {
        let mut fixture = fixture::consumer_crash();
        fixture.run().measurements.groups[0].kicks = (1..=times).map(|i| (ms(300_000 * i), ClientId(0), 0)).collect();
        fixture
    };
    let (there, not_there) = (Check::Livelock { group: GroupId(0) }, Check::NoLivelock { group: GroupId(0) });
    assert_eq!(outcome(kicked(3), there.clone()), Outcome::Met);
    assert_eq!(outcome(kicked(3), not_there.clone()), Outcome::Failed);
    assert_eq!(outcome(kicked(2), there), Outcome::Failed);
    assert_eq!(outcome(kicked(2), not_there), Outcome::Met);
}

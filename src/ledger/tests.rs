use super::*;
use crate::story::{A, B, C, GROUP, Story, cast, ms, range, tp};
use crate::terms::PositionSource;

fn account(story: &Story) -> Account {
    let (ledger, known) = story.folded(Ledger::new(&cast()));
    ledger.accounts(&known).remove(0)
}

/// A has processed 0..100 of 200 records by 300 ms; 40 of them are committed.
fn half_done() -> Story {
    let story = Story::default().at(200).appended(0, 0..200).takes(A, 0, 0).polled(A, 0, 0..100);
    story.at(300).processed(A, 0, 0..100).committed(A, 0, 40).polled(A, 0, 100..200)
}

/// B takes over from what is committed and finishes everything.
fn taken_over(story: Story) -> Story {
    let story = story.at(500).takes(B, 0, 40).polled(B, 0, 40..200).at(700).processed(B, 0, 40..200).committed(B, 0, 200);
    story.at(900).ends(200, true)
}

fn cause(story: Story) -> DuplicateCause {
    let account = account(&story);
    assert_eq!((account.processed_once, account.duplicated, account.extra, account.lost), (140, 60, 60, 0));
    assert_eq!(account.duplicates.len(), 1);
    account.duplicates[0].cause
}

#[test]
fn a_crash_before_commit_duplicates_and_loses_nothing() {
    let account = account(&taken_over(half_done().at(350).dropped(A, 0, 100..200).crashed(A)));
    assert_eq!((account.produced, account.processed_once, account.duplicated), (200, 140, 60));
    assert_eq!((account.extra, account.lost, account.skipped, account.unsettled), (60, 0, 0, 0));
    let duplicate = Duplicate {
        partition: tp(0),
        offsets: range(40..100),
        before: (A, Some(ms(300))),
        again: (B, ms(541)),
        cause: DuplicateCause::Crashed(ms(350)),
        undone: A,
        zombie: false,
    };
    assert_eq!(account.duplicates, [duplicate]);
}

#[test]
fn a_duplicate_knows_what_took_the_partition_away() {
    assert_eq!(cause(taken_over(half_done().at(350).revoked(A, 0))), DuplicateCause::Revoked(ms(350)));
    let stopping = half_done().tell(TraceEvent::ClientStopping { client: A });
    assert_eq!(cause(taken_over(stopping.at(360).revoked(A, 0))), DuplicateCause::Stopped(ms(360)));
    assert_eq!(cause(taken_over(half_done().at(350).kicked(A).at(400).lost(A, 0))), DuplicateCause::PollIntervalExceeded(ms(350)));
    let removed = half_done().at(350).removed(A, RemovalReason::SessionExpired).at(400).lost(A, 0);
    assert_eq!(cause(taken_over(removed)), DuplicateCause::Removed(RemovalReason::SessionExpired, ms(350)));
    let restarted = half_done().at(350).crashed(A).tell(TraceEvent::ClientStarted { client: A, life: 2 });
    let again = restarted.at(500).takes(A, 0, 40).polled(A, 0, 40..200).at(700).processed(A, 0, 40..200);
    assert_eq!(cause(again.ends(200, true)), DuplicateCause::Crashed(ms(350)));
}

#[test]
fn what_a_later_commit_took_back_is_told_of_that_commit() {
    let given_up = half_done().committed(A, 0, 100).at(350).dropped(A, 0, 100..200).revoked(A, 0);
    let taken_back = given_up.at(360).takes(B, 0, 100).at(370).committed(A, 0, 40).at(380).revoked(B, 0);
    let taken = taken_back.at(500).takes(C, 0, 40).polled(C, 0, 40..200).at(700).processed(C, 0, 40..200).committed(C, 0, 200);
    let account = account(&taken.at(900).ends(200, true));
    assert_eq!((account.duplicated, account.extra, account.lost), (60, 60, 0));
    let told: Vec<_> = account.duplicates.iter().map(|duplicate| (duplicate.offsets, duplicate.cause, duplicate.undone)).collect();
    assert_eq!(told, [(range(40..100), DuplicateCause::CommitWentBack(ms(370)), A)]);
}

#[test]
fn whoever_overtakes_a_kicked_zombie_reads_again_because_of_the_kick() {
    // A is slow with 100..200, and the rest of it is done by B first.
    let story = half_done().at(350).kicked(A).at(400).takes(B, 0, 40).polled(B, 0, 40..200);
    let account = account(&story.at(560).processed(B, 0, 40..200).at(600).processed(A, 0, 100..200).ends(200, true));
    assert_eq!((account.processed_once, account.duplicated), (40, 160));
    assert!(account.duplicates.iter().all(|duplicate| duplicate.cause == DuplicateCause::PollIntervalExceeded(ms(350))));
    // Both end one record a millisecond; B's 100 at 461, A's at 501.
    let late = account.duplicates.iter().find(|duplicate| duplicate.offsets.from == Offset(100)).expect("100 was processed twice");
    assert_eq!((late.before, late.again), ((B, Some(ms(560))), (A, ms(501))));
}

#[test]
fn what_was_done_after_the_removal_is_the_work_of_a_zombie() {
    // A's batch is told when it ends, and it is put out in the middle of it.
    let story = half_done().at(450).removed(A, RemovalReason::SessionExpired).at(500).processed(A, 0, 100..200).lost(A, 0);
    let account = account(&taken_over(story));
    assert_eq!((account.duplicated, account.extra), (160, 160));
    let told: Vec<_> = account.duplicates.iter().map(|duplicate| (duplicate.offsets, duplicate.undone, duplicate.zombie)).collect();
    assert_eq!(told, [(range(40..150), A, false), (range(150..200), A, true)]);
    assert!(account.duplicates.iter().all(|it| it.cause == DuplicateCause::Removed(RemovalReason::SessionExpired, ms(450))));
}

#[test]
fn what_is_marked_for_revocation_is_undone_by_what_comes_next() {
    let marked = || half_done().at(320).tell(TraceEvent::RevocationPending { client: A, partitions: [tp(0)].into() });
    let told = |story: Story| -> Vec<_> {
        let account = account(&taken_over(story.at(500).processed(A, 0, 100..200)));
        account.duplicates.iter().map(|duplicate| (duplicate.offsets, duplicate.cause, duplicate.zombie)).collect()
    };
    let both = |cause| [(range(40..150), cause, false), (range(150..200), cause, true)];
    assert_eq!(told(marked().at(450).kicked(A)), both(DuplicateCause::PollIntervalExceeded(ms(450))));
    assert_eq!(told(marked().at(450).revoked(A, 0)), both(DuplicateCause::Revoked(ms(450))));
    assert_eq!(told(marked().at(450).lost(A, 0)), both(DuplicateCause::Revoked(ms(450))));
    let removed = DuplicateCause::Removed(RemovalReason::SessionExpired, ms(450));
    assert_eq!(told(marked().at(450).removed(A, RemovalReason::SessionExpired)), both(removed));
}

#[test]
fn a_zombie_that_comes_second_is_one_too() {
    let story = half_done().at(350).removed(A, RemovalReason::SessionExpired).at(400).takes(B, 0, 40).polled(B, 0, 40..200);
    let account = account(&story.at(560).processed(B, 0, 40..200).at(600).processed(A, 0, 100..200).ends(200, true));
    let told: Vec<_> = account.duplicates.iter().map(|it| (it.offsets, it.before.0, it.again.0, it.zombie)).collect();
    assert_eq!(told, [(range(40..100), A, B, false), (range(100..200), B, A, true)]);
    assert!(account.duplicates.iter().all(|duplicate| duplicate.undone == A));
}

#[test]
fn each_repetition_is_put_down_to_what_undid_the_one_before() {
    // Both are kicked while they work, and each goes on while the other has begun: nothing is settled before the last has finished.
    let story = Story::default().at(200).appended(0, 0..100).takes(A, 0, 0).polled(A, 0, 0..100).at(350).kicked(A);
    let story = story.at(400).takes(B, 0, 0).polled(B, 0, 0..100).at(460).processed(A, 0, 0..100).at(470).kicked(B);
    let story = story.at(480).takes(A, 0, 0).polled(A, 0, 0..100).at(560).processed(B, 0, 0..100);
    let account = account(&story.at(640).processed(A, 0, 0..100).at(650).kicked(A).ends(100, true));
    let told: Vec<_> = account.duplicates.iter().map(|it| (it.offsets, it.before.0, it.again.0, it.cause, it.undone, it.zombie)).collect();
    let kicked = |at| DuplicateCause::PollIntervalExceeded(ms(at));
    let expected = [
        (range(0..100), A, B, kicked(350), A, true),
        (range(0..10), B, A, kicked(470), B, false),
        (range(10..100), B, A, kicked(470), B, true),
    ];
    assert_eq!(told, expected);
}

#[test]
fn work_that_a_zombie_did_once_more_does_not_hide_whose_it_was() {
    // B has done everything when A does it again, then B is kicked and C begins from the start.
    let story = Story::default().at(200).appended(0, 0..100).takes(A, 0, 0).polled(A, 0, 0..100).at(250).kicked(A);
    let story = story.at(260).takes(B, 0, 0).polled(B, 0, 0..100).at(400).processed(B, 0, 0..100).at(510).processed(A, 0, 0..100);
    let story = story.at(600).kicked(B).at(610).takes(C, 0, 0).polled(C, 0, 0..100).at(800).processed(C, 0, 0..100);
    let account = account(&story.ends(100, true));
    let told: Vec<_> = account.duplicates.iter().map(|it| (it.before, it.again.0, it.undone, it.zombie)).collect();
    assert_eq!(told, [((B, Some(ms(400))), A, A, true), ((B, Some(ms(400))), C, B, false)]);
    assert_eq!(account.duplicates[1].cause, DuplicateCause::PollIntervalExceeded(ms(600)));
}

#[test]
fn a_zombie_repeats_what_is_committed_and_it_is_known_when_that_was_done() {
    let story = Story::default().at(200).appended(0, 0..200).takes(A, 0, 0).at(250).removed(A, RemovalReason::SessionExpired);
    let story = story.at(300).takes(B, 0, 0).polled(B, 0, 0..200).at(560).processed(B, 0, 0..200).at(570).committed(B, 0, 200);
    let story = story.at(600).polled(A, 0, 0..100).at(610).lost(A, 0).at(620).committed(B, 0, 200).at(700).processed(A, 0, 0..100);
    let account = account(&story.ends(200, true));
    let told: Vec<_> = account.duplicates.iter().map(|it| (it.offsets, it.before, it.again, it.zombie)).collect();
    assert_eq!(told, [(range(0..100), (B, Some(ms(460))), (A, ms(601)), true)]);
}

#[test]
fn a_zombie_that_was_first_is_one_though_the_commit_came_before_the_work() {
    let story = Story::default().at(200).appended(0, 0..100).takes(A, 0, 0).at(250).removed(A, RemovalReason::SessionExpired);
    let story = story.at(300).polled(A, 0, 0..100).committed(A, 0, 100).at(400).processed(A, 0, 0..100).at(410).lost(A, 0);
    let story = story.at(420).committed(A, 0, 0).takes(A, 0, 0).polled(A, 0, 0..100).at(600).processed(A, 0, 0..100);
    let account = account(&story.ends(100, true));
    let told: Vec<_> = account.duplicates.iter().map(|it| (it.before, it.again, it.cause, it.zombie)).collect();
    let removed = DuplicateCause::Removed(RemovalReason::SessionExpired, ms(250));
    assert_eq!(told, [((A, Some(ms(400))), (A, ms(501)), removed, true)]);
}

#[test]
fn what_is_held_back_will_ask_when_the_work_before_it_was_done() {
    // A is kicked with the batch 100..200 in hand, which holds back what B does.
    let story = half_done().at(350).kicked(A).takes(B, 0, 40).polled(B, 0, 40..200).at(560).processed(B, 0, 40..200);
    let story = story.at(570).committed(B, 0, 200).at(600).processed(A, 0, 100..200).ends(200, true);
    let account = account(&story);
    let first = &account.duplicates[0];
    assert_eq!((first.offsets, first.before, first.again), (range(40..100), (A, Some(ms(300))), (B, ms(401))));
}

#[test]
fn when_committed_records_were_done_is_forgotten_and_not_made_up() {
    let back = half_done().committed(A, 0, 100).at(350).processed(A, 0, 100..200).committed(A, 0, 200);
    let again = back.starts(A, 0, 0, PositionSource::ResetEarliest).polled(A, 0, 0..100).at(500).processed(A, 0, 0..100);
    let account = account(&again.ends(200, true));
    assert_eq!((account.duplicates[0].before, account.duplicates[0].again), ((A, None), (A, ms(401))));
}

#[test]
fn an_owner_that_goes_back_duplicates_by_itself() {
    let back = half_done().at(350).processed(A, 0, 100..200).starts(A, 0, 40, PositionSource::Committed);
    let again = back.polled(A, 0, 40..100).at(500).processed(A, 0, 40..100).ends(200, true);
    assert_eq!(cause(again), DuplicateCause::Rewound(ms(350)));
}

#[test]
fn a_commit_before_processing_and_a_crash_lose_what_was_in_hand() {
    let story = half_done().committed(A, 0, 200).at(350).processed(A, 0, 100..150).dropped(A, 0, 150..200).crashed(A);
    let account = account(&story.at(500).takes(B, 0, 200).at(900).ends(200, true));
    assert_eq!((account.processed_once, account.lost), (150, 50));
    let (committed_by, cause) = (Some((A, ms(300))), LossCause::CommittedThenCrashed(ms(350)));
    assert_eq!(account.losses, [Loss { partition: tp(0), offsets: range(150..200), committed_by, cause }]);
}

#[test]
fn a_batch_given_up_after_its_commit_is_lost_without_a_crash() {
    let story = half_done().committed(A, 0, 200).at(350).kicked(A).at(360).dropped(A, 0, 100..200);
    let account = account(&story.ends(200, true));
    assert_eq!(account.losses[0].cause, LossCause::CommittedThenGivenUp(ms(360)));
}

#[test]
fn records_that_a_commit_passed_unread_are_lost_though_the_run_is_not_drained() {
    let story = half_done().committed(A, 0, 120).at(350).dropped(A, 0, 100..200).crashed(A).takes(B, 0, 150).committed(B, 0, 150);
    let account = account(&story.at(900).ends(200, false));
    assert_eq!((account.lost, account.unsettled), (50, 50));
    let by: Vec<_> = account.losses.iter().map(|loss| (loss.offsets, loss.committed_by)).collect();
    assert_eq!(by, [(range(100..120), Some((A, ms(300)))), (range(120..150), Some((B, ms(350))))]);
}

#[test]
fn a_commit_that_goes_back_gives_lost_records_another_chance() {
    let story = half_done().committed(A, 0, 200).committed(A, 0, 100).at(350).dropped(A, 0, 100..200).crashed(A);
    let account = account(&story.ends(200, false));
    assert_eq!((account.lost, account.unsettled), (0, 100));
}

#[test]
fn a_reset_to_the_latest_offset_skips_and_never_loses() {
    let story = Story::default().at(200).appended(0, 0..200).assigned(A, 1, &[0]);
    let story = story.starts(A, 0, 150, PositionSource::ResetLatest).polled(A, 0, 150..200).at(250).processed(A, 0, 150..200);
    let account = account(&story.committed(A, 0, 200).ends(200, true));
    assert_eq!((account.processed_once, account.skipped, account.lost), (50, 150, 0));
    assert_eq!(account.skips, [Skip { group: GROUP, partition: tp(0), offsets: range(0..150), by: A, at: ms(200) }]);
}

#[test]
fn a_record_that_is_processed_after_all_was_not_skipped() {
    // A holds 100..200 in its hands while B starts at the end.
    let story = half_done().at(350).assigned(B, 2, &[0]).tell(TraceEvent::OffsetExpired { group: GROUP, partition: tp(0) });
    let story = story.starts(B, 0, 200, PositionSource::ResetLatest);
    let account = account(&story.at(400).processed(A, 0, 100..150).dropped(A, 0, 150..200).ends(200, true));
    assert_eq!((account.processed_once, account.skipped, account.lost), (150, 50, 0));
}

#[test]
fn what_was_sent_and_never_arrived_is_unsettled() {
    let account = account(&half_done().at(400).processed(A, 0, 100..200).ends(230, true));
    assert_eq!((account.produced, account.processed_once, account.unsettled), (230, 200, 30));
}

#[test]
fn an_undisturbed_hour_keeps_one_range() {
    let mut story = Story::default().takes(A, 0, 0);
    for batch in 0..3600 {
        let offsets = batch * 1000..(batch + 1) * 1000;
        story = story.at((batch + 1) * 1000).appended(0, offsets.clone()).polled(A, 0, offsets.clone());
        story = story.at((batch + 2) * 1000).processed(A, 0, offsets.clone()).committed(A, 0, offsets.end);
    }
    let (ledger, known) = story.ends(3_600_000, true).folded(Ledger::new(&cast()));
    assert_eq!(ledger.ranges(), 1);
    assert_eq!(ledger.accounts(&known)[0].processed_once, 3_600_000);
    let (_, processing) = ledger.processings(known.slots.at(GROUP, tp(0))).next().expect("it was processed");
    assert_eq!((processing.times, processing.first.by.client, processing.last.by.generation), (1, A, 1));
}

#[test]
fn reading_a_batch_twice_is_counted_each_time() {
    let mut story = half_done().at(350).processed(A, 0, 100..200);
    for time in 1..=3 {
        story = story.at(400 * time).polled(A, 0, 0..200).at(400 * time + 300).processed(A, 0, 0..200);
    }
    let account = account(&story.ends(200, true));
    assert_eq!((account.processed_once, account.duplicated, account.extra), (0, 200, 600));
    assert_eq!(account.duplicates.iter().map(|duplicate| duplicate.offsets.len()).sum::<u64>(), 600);
}

#[test]
#[should_panic(expected = "group 0: every produced record has exactly one fate")]
fn a_record_that_was_never_appended_cannot_be_processed() {
    account(&half_done().at(400).processed(A, 0, 200..201).ends(200, true));
}

#[test]
#[should_panic(expected = "group 0: more records in its topics than were sent")]
fn more_cannot_arrive_than_was_sent() {
    account(&half_done().ends(199, true));
}

use super::*;
use crate::story::{A, B, C, GROUP, Story, cast, member, ms, range, tp};
use crate::terms::{
    CommitKind, EpochReason, ErrorCode, GroupProtocol, GroupState, MemberState, PositionSource, RebalanceReason, RemovalReason,
};
use crate::units::{ClientId, MemberId, TopicPartition};
use GroupState::{CompletingRebalance, Dead, Empty, PreparingRebalance, Stable};

fn invariants(story: &Story) -> Invariants {
    story.folded(Invariants::new(&cast())).0
}

/// What the only violation says.
fn violation(story: Story) -> String {
    let found = invariants(&story.at(900).ends(0, true));
    assert_eq!(found.count(), 1, "{:?}", found.violations());
    found.violations()[0].what.clone()
}

fn computed(story: Story, leader: ClientId, generation: i32, assigned: &[(ClientId, &[u32])]) -> Story {
    let given = |partitions: &[u32]| -> Box<[TopicPartition]> { partitions.iter().copied().map(tp).collect() };
    let assigned = assigned.iter().map(|(client, partitions)| (member(*client), given(partitions))).collect();
    story.tell(TraceEvent::AssignmentComputed { client: leader, generation, assigned })
}

/// A has partition 0 and B has partition 1 in generation 1, which is Stable at 10 ms; A has polled 0..50 of 100 records.
fn stable() -> Story {
    let story = Story::default().added(A).state(Empty, PreparingRebalance, 0).rebalance(RebalanceReason::MemberJoined, A, 0).rejoined(A);
    let story = story.at(5).added(B).rejoined(B).all_joined(A, 1, 2).state(PreparingRebalance, CompletingRebalance, 1);
    let story = computed(story, A, 1, &[(A, &[0]), (B, &[1])]).at(10).state(CompletingRebalance, Stable, 1);
    let story = story.assigned(A, 1, &[0]).assigned(B, 1, &[1]).starts(A, 0, 0, PositionSource::ResetEarliest);
    story.starts(B, 1, 0, PositionSource::ResetEarliest).at(100).appended(0, 0..100).polled(A, 0, 0..50)
}

fn rebalancing() -> Story {
    stable().state(Stable, PreparingRebalance, 1).rebalance(RebalanceReason::MemberJoined, C, 1).added(C).rejoined(C)
}

fn heartbeat(story: Story, client: ClientId) -> Story {
    story.tell(TraceEvent::HeartbeatHandled { group: GROUP, member: Some(member(client)), error: ErrorCode::None })
}

#[test]
fn a_commit_of_the_former_owner_may_cross_the_question_of_the_next() {
    let crossed = |by| {
        let story = stable().at(160).processed(A, 0, 0..50).committed(A, 0, 50).revoked(A, 0).revoked(B, 1).assigned(B, 1, &[0]);
        story.committed(by, 0, 20).starts(B, 0, 50, PositionSource::Committed)
    };
    let told =
        |by| invariants(&crossed(by).at(900).ends(100, true)).violations().iter().any(|found| found.what.contains("what was committed"));
    assert!(!told(A), "B was answered before that");
    assert!(told(B), "B knows its own commits");
}

#[test]
fn a_decent_life_violates_nothing() {
    let story = heartbeat(stable().at(160).processed(A, 0, 0..50).committed(A, 0, 50), A).polled(A, 0, 50..60);
    let story = story.at(170).processed(A, 0, 50..60).state(Stable, PreparingRebalance, 1).rebalance(RebalanceReason::MemberLeft, B, 1);
    let story = story.removed(B, RemovalReason::Left).revoked(B, 1).revoked(A, 0).rejoined(A).all_joined(A, 2, 1);
    let story = story.state(PreparingRebalance, CompletingRebalance, 2);
    let story = computed(story, A, 2, &[(A, &[0, 1])]).state(CompletingRebalance, Stable, 2).assigned(A, 2, &[0, 1]);
    let story = story.at(300).crashed(A).at(400).state(Stable, PreparingRebalance, 2).removed(A, RemovalReason::SessionExpired);
    let found = invariants(&story.all_joined(A, 3, 0).state(PreparingRebalance, Empty, 3).at(500).ends(100, true));
    assert_eq!((found.violations(), found.zombie_overlaps()), (&[][..], 0));
}

#[test]
fn time_that_runs_backwards_is_seen() {
    assert_eq!(violation(stable().at(50).crashed(C).at(900)), "time ran backwards, from 100 to 50");
}

#[test]
fn a_state_change_against_the_table_is_seen() {
    assert!(violation(stable().state(Stable, CompletingRebalance, 1)).contains("went from Stable to CompletingRebalance"));
    assert!(violation(stable().state(CompletingRebalance, Stable, 1)).contains("it was in Stable"));
}

#[test]
fn a_generation_that_does_not_grow_is_seen() {
    assert!(violation(rebalancing().all_joined(A, 1, 3)).contains("generation 1 follows 1"));
}

#[test]
fn a_second_assignment_for_a_generation_is_seen() {
    assert!(violation(computed(stable(), A, 1, &[(A, &[0]), (B, &[1])])).contains("second assignment for generation 1"));
}

#[test]
fn a_generation_that_a_dead_coordinator_took_along_is_assigned_anew() {
    let led = rebalancing().rejoined(A).rejoined(B).all_joined(A, 2, 3).state(PreparingRebalance, CompletingRebalance, 2);
    let computed_once = computed(led, A, 2, &[(A, &[0]), (B, &[1])]).at(200);
    let died = [A, B, C].into_iter().fold(computed_once, |story, client| story.removed(client, RemovalReason::Forgotten));
    let loaded = died.state(CompletingRebalance, Dead, 2).at(300).added(A).added(B).state(Dead, Stable, 1);
    let again = loaded.state(Stable, PreparingRebalance, 1).removed(A, RemovalReason::JoinTimedOut).rejoined(B).all_joined(B, 2, 1);
    // What A computes comes too late, and B is the leader once.
    let late = computed(again, A, 2, &[(A, &[0, 1])]);
    let all = computed(late, B, 2, &[(B, &[0, 1])]).assigned(B, 2, &[0]);
    assert!(violation(computed(all, B, 2, &[(B, &[0])])).contains("second assignment for generation 2"));
}

#[test]
fn a_partition_given_to_two_is_seen() {
    assert!(violation(computed(rebalancing(), A, 2, &[(A, &[0, 1]), (B, &[1])])).contains("to somebody else"));
}

#[test]
fn an_empty_group_with_members_is_seen() {
    let story = rebalancing().all_joined(A, 2, 0).state(PreparingRebalance, Empty, 2);
    assert!(violation(story).contains("Empty, but it has the members"));
}

#[test]
fn two_owners_in_one_generation_are_seen() {
    let story = rebalancing().rejoined(A).rejoined(B).all_joined(A, 2, 3).at(200).assigned(C, 2, &[0]);
    assert!(violation(story).contains("which MemberId { client: ClientId(0), number: 1 } of the same generation has"));
}

#[test]
fn a_partition_given_away_while_its_owner_keeps_it_is_seen() {
    let joined = || rebalancing().rejoined(A).rejoined(B).all_joined(A, 2, 3);
    assert!(violation(computed(joined(), A, 2, &[(A, &[]), (B, &[1]), (C, &[0])])).contains("gives TopicPartition"));
    // Held back for one generation it goes to nobody.
    assert_eq!(invariants(&computed(joined(), A, 2, &[(A, &[]), (B, &[1]), (C, &[])])).count(), 0);
}

#[test]
fn a_zombie_beside_the_owner_is_counted_and_no_violation() {
    let removed = rebalancing().removed(A, RemovalReason::SessionExpired).rejoined(B).all_joined(C, 2, 2);
    let found = invariants(&computed(removed, C, 2, &[(C, &[0])]).assigned(C, 2, &[0]));
    assert_eq!((found.count(), found.zombie_overlaps()), (0, 1));
    // A static member that did not rejoin is kept, but it is of an older generation.
    let kept = rebalancing().rejoined(B).all_joined(C, 2, 3);
    let found = invariants(&computed(kept, C, 2, &[(C, &[0])]).assigned(C, 2, &[0]));
    assert_eq!((found.count(), found.zombie_overlaps()), (0, 1));
}

#[test]
fn a_partition_that_nobody_gave_is_seen() {
    assert!(violation(stable().at(200).revoked(B, 1).assigned(A, 1, &[1])).contains("did not give to it"));
}

#[test]
fn a_zombie_may_have_asked_for_offsets_before_its_successor_committed() {
    let removed = rebalancing().removed(A, RemovalReason::SessionExpired).rejoined(B).all_joined(C, 2, 2);
    let taken = computed(removed, C, 2, &[(C, &[0])]).assigned(C, 2, &[0]).starts(C, 0, 0, PositionSource::ResetEarliest);
    let zombie = taken.assigned(A, 1, &[0]).committed(C, 0, 7).starts(A, 0, 0, PositionSource::ResetEarliest);
    let found = violation(zombie.starts(C, 0, 0, PositionSource::ResetEarliest));
    assert!(found.contains("(ResetEarliest), and what was committed is Some("), "{found}");
}

#[test]
fn what_only_stopped_goes_on_from_where_it_was() {
    let pending = TraceEvent::RevocationPending { client: A, partitions: [tp(0)].into() };
    let stopped = || stable().at(160).processed(A, 0, 0..50).tell(pending.clone());
    let without_a_position = |story: Story| {
        let story = story.assigned(A, 1, &[0]).polled(A, 0, 50..60).at(900).ends(100, true);
        invariants(&story).violations().iter().any(|found| found.what.contains("without a position"))
    };
    assert!(!without_a_position(stopped()));
    assert!(without_a_position(stopped().revoked(A, 0)), "it was given up");
}

#[test]
fn a_commit_of_a_stranger_is_seen() {
    assert!(violation(stable().committed(C, 0, 10)).contains("who is no member"));
    let nobody =
        TraceEvent::Committed { group: GROUP, member: None, partition: tp(0), offset: crate::units::Offset(1), kind: CommitKind::Sync };
    assert!(violation(stable().tell(nobody)).contains("a commit without a member"));
}

#[test]
fn a_commit_while_a_rebalance_completes_is_seen() {
    let story = rebalancing().rejoined(A).rejoined(B).all_joined(A, 2, 3).state(PreparingRebalance, CompletingRebalance, 2);
    assert!(violation(story.committed(A, 0, 10)).contains("a commit in CompletingRebalance"));
}

#[test]
fn a_commit_above_the_high_watermark_is_seen_even_if_the_records_are_told_later() {
    assert!(violation(stable().committed(A, 0, 101)).contains("101 was committed at 100, and it ends at 100"));
    // Record 120 is visible at 120 ms.
    let told_later = || stable().at(120).committed(A, 0, 121).at(150);
    assert_eq!(invariants(&told_later().appended(0, 100..150)).count(), 0);
    assert!(violation(stable().at(120).committed(A, 0, 122).at(150).appended(0, 100..150)).contains("above the high watermark 121"));
}

#[test]
fn a_heartbeat_behind_a_waiting_join_is_seen() {
    assert!(violation(heartbeat(rebalancing().rejoined(A), A)).contains("whose JoinGroup waits"));
    assert_eq!(invariants(&heartbeat(rebalancing(), A)).count(), 0);
}

#[test]
fn a_member_out_of_nowhere_is_seen() {
    assert!(violation(stable().rejoined(C)).contains("who is no member"));
    assert!(violation(stable().added(A)).contains("added twice"));
    assert!(violation(stable().removed(C, RemovalReason::Left)).contains("is no member"));
    let replaced = TraceEvent::MemberReplaced {
        group: GROUP,
        old: member(C),
        new: MemberId { client: C, number: 2 },
        instance: crate::units::InstanceId(0),
    };
    assert!(violation(stable().tell(replaced)).contains("was replaced and is no member"));
}

#[test]
fn an_append_with_a_gap_or_before_its_time_is_seen() {
    assert!(violation(stable().at(300).appended(0, 101..110)).contains("101 was appended at the end 100"));
    assert!(violation(stable().at(105).appended(0, 100..110)).contains("only 6 of 10 records"));
}

#[test]
fn a_poll_of_what_is_not_owned_is_seen() {
    assert!(violation(stable().revoked(A, 0).polled(A, 0, 50..60)).contains("which it does not have"));
    // Whoever was kicked may return what it has fetched, while there is no coordinator that it could join; once it is lost, no more.
    let lost = TraceEvent::Lost { client: A, partitions: [tp(0)].into() };
    assert!(violation(stable().kicked(A).tell(lost).polled(A, 0, 50..60)).contains("which it does not have"));
    let fetch = TraceEvent::FetchStarted { client: A, partition: tp(1), offset: crate::units::Offset(0) };
    assert!(violation(stable().tell(fetch)).contains("which it does not have"));
}

#[test]
fn a_poll_that_jumps_is_seen() {
    assert!(violation(stable().polled(A, 0, 51..60)).contains("at 50"));
    assert!(violation(stable().polled(A, 0, 50..101)).contains("which ends at 100"));
    assert!(violation(stable().assigned(A, 1, &[0]).polled(A, 0, 50..60)).contains("without a position"));
}

#[test]
fn records_that_nobody_polled_cannot_be_processed() {
    assert!(violation(stable().at(300).processed(A, 0, 10..60)).contains("without having them in hand"));
    assert!(violation(stable().at(300).processed(A, 0, 0..50).processed(A, 0, 0..50)).contains("without having them in hand"));
    assert!(violation(stable().at(300).processed(B, 0, 0..50)).contains("without having them in hand"));
    assert!(violation(stable().dropped(A, 0, 60..61)).contains("without having them in hand"));
}

#[test]
fn records_are_not_finished_in_the_future() {
    let finished = crate::trace::times::Finished::Even { first: ms(150), each: crate::units::Span::from_millis(1) };
    let (member, offsets) = (Some(member(A)), range(0..50));
    let told = TraceEvent::Processed { client: A, member, generation: 1, partition: tp(0), offsets, finished };
    assert!(violation(stable().at(198).tell(told)).contains("later, at 199"));
}

#[test]
fn the_texts_are_bounded_and_the_number_is_not() {
    let mut story = stable();
    for _ in 0..VIOLATIONS_KEPT + 50 {
        story = story.committed(C, 0, 1);
    }
    let found = invariants(&story);
    assert_eq!((found.violations().len(), found.count()), (VIOLATIONS_KEPT, VIOLATIONS_KEPT as u64 + 50));
}

#[test]
fn a_position_comes_from_what_was_committed_last() {
    let read_on = |offset, source| {
        stable().at(160).processed(A, 0, 0..50).committed(A, 0, 50).revoked(A, 0).assigned(A, 1, &[0]).starts(A, 0, offset, source)
    };
    let resumed = invariants(&read_on(50, PositionSource::Committed).at(900).ends(100, true));
    assert_eq!(resumed.violations(), &[]);
    assert!(violation(read_on(49, PositionSource::Committed)).contains("what was committed is Some(Offset(50))"));
    assert!(violation(read_on(0, PositionSource::ResetEarliest)).contains("what was committed is Some(Offset(50))"));
    let expired = TraceEvent::OffsetExpired { group: GROUP, partition: tp(0) };
    assert!(violation(stable().committed(A, 0, 50).tell(expired).starts(A, 0, 50, PositionSource::Committed)).contains("is None"));
}

/// In a KIP-848 group at epoch 1, A has partition 0, and B has none yet.
fn modern() -> Story {
    let story = Story::default().added(A).added(B);
    let story =
        story.tell(TraceEvent::GroupEpochBumped { group: GROUP, epoch: 1, reason: EpochReason::MemberJoined, trigger: Some(member(A)) });
    reconciled(targeted(story, 1, &[(A, &[0]), (B, &[1])]), A, 1, &[0], &[])
}

fn targeted(story: Story, epoch: i32, shares: &[(ClientId, &[u32])]) -> Story {
    let share = |partitions: &[u32]| -> Box<[TopicPartition]> { partitions.iter().copied().map(tp).collect() };
    let assigned = shares.iter().map(|(client, partitions)| (member(*client), share(partitions))).collect();
    story.tell(TraceEvent::TargetComputed { group: GROUP, epoch, assigned })
}

fn reconciled(story: Story, client: ClientId, epoch: i32, assigned: &[u32], revoking: &[u32]) -> Story {
    let held = |partitions: &[u32]| -> Box<[TopicPartition]> { partitions.iter().copied().map(tp).collect() };
    story.tell(TraceEvent::MemberReconciled {
        group: GROUP,
        member: member(client),
        epoch,
        state: MemberState::Stable,
        assigned: held(assigned),
        revoking: held(revoking),
    })
}

#[test]
fn a_decent_consumer_group_violates_nothing() {
    let story = reconciled(modern(), B, 1, &[1], &[]).assigned(A, 1, &[0]).assigned(B, 1, &[1]);
    assert_eq!(invariants(&story.at(900).ends(0, true)).violations(), []);
}

#[test]
fn a_partition_that_another_member_has_or_must_still_revoke_is_not_given_away() {
    assert!(violation(reconciled(modern(), B, 1, &[0], &[])).contains("which MemberId { client: ClientId(0), number: 1 } has"));
    let revoking = reconciled(modern(), A, 1, &[], &[0]);
    assert!(violation(reconciled(revoking, B, 1, &[0], &[])).contains("which MemberId { client: ClientId(0), number: 1 } has"));
    let gone = modern().removed(A, RemovalReason::SessionExpired);
    assert_eq!(invariants(&reconciled(gone, B, 1, &[0], &[]).at(900).ends(0, true)).count(), 0, "what A had is free");
}

#[test]
fn a_client_that_takes_what_a_fellow_member_can_still_hand_out_is_seen() {
    let story = modern().assigned(A, 1, &[0]).assigned(B, 1, &[0]);
    assert!(violation(story).contains("of the same generation has"));
}

#[test]
fn epochs_that_jump_and_members_ahead_of_their_target_are_seen() {
    let bump = TraceEvent::GroupEpochBumped { group: GROUP, epoch: 3, reason: EpochReason::MemberRemoved, trigger: None };
    assert!(violation(modern().tell(bump)).contains("epoch 3 follows Some(1)"));
    assert!(violation(reconciled(modern(), B, 2, &[1], &[])).contains("is at epoch 2, its target at 1"));
    assert!(violation(targeted(modern(), 1, &[(A, &[0]), (B, &[0])])).contains("and to somebody else"));
}

#[test]
fn whoever_joins_a_group_that_lost_its_last_member_has_nothing_at_its_epoch() {
    let bump = TraceEvent::GroupEpochBumped { group: GROUP, epoch: 2, reason: EpochReason::MemberRemoved, trigger: None };
    let left =
        |gone: &[ClientId]| gone.iter().fold(modern(), |story, client| story.removed(*client, RemovalReason::Left)).tell(bump.clone());
    let told =
        |story: Story| invariants(&story.at(900).ends(0, true)).violations().iter().any(|found| found.what.contains("its target at 1"));
    assert!(!told(reconciled(left(&[A, B]).added(C), C, 2, &[], &[])), "since 4.4 the empty target has that epoch");
    assert!(told(reconciled(left(&[A, B]).added(C), C, 2, &[0], &[])), "nobody has computed that");
    assert!(told(reconciled(left(&[B]).added(C), C, 2, &[], &[])), "A is still there");
}

fn changed(story: Story, to: GroupProtocol, epoch: i32) -> Story {
    story.tell(TraceEvent::GroupProtocolChanged { group: GROUP, to, epoch })
}

/// The group of [`stable`], generation 1 with A for partition 0, goes on under the consumer protocol: C joins.
fn upgraded() -> Story {
    let story = changed(stable(), GroupProtocol::Consumer, 1).added(C);
    story.tell(TraceEvent::GroupEpochBumped { group: GROUP, epoch: 2, reason: EpochReason::MemberJoined, trigger: Some(member(C)) })
}

#[test]
fn a_group_goes_on_under_the_other_protocol_where_it_was() {
    let story = reconciled(targeted(upgraded(), 2, &[(C, &[0])]), A, 2, &[], &[]);
    let story = reconciled(story, C, 2, &[0], &[]).revoked(A, 0).assigned(C, 2, &[0]);
    let story = changed(story.removed(C, RemovalReason::Left).revoked(C, 0), GroupProtocol::Classic, 2);
    let story = story.state(Stable, PreparingRebalance, 2).rebalance(RebalanceReason::Downgraded, C, 2).rejoined(A).rejoined(B);
    let found = invariants(&story.all_joined(A, 3, 2).at(900).ends(0, true));
    assert_eq!(found.violations(), []);
}

#[test]
fn epochs_and_assignments_of_an_upgraded_group_follow_those_of_the_classic_one() {
    let late = TraceEvent::GroupEpochBumped { group: GROUP, epoch: 5, reason: EpochReason::MemberRemoved, trigger: None };
    assert!(violation(changed(stable(), GroupProtocol::Consumer, 1).tell(late)).contains("epoch 5 follows Some(1)"));
    let stolen = reconciled(targeted(upgraded(), 2, &[(C, &[0])]), C, 2, &[0], &[]);
    assert!(violation(stolen).contains("which MemberId { client: ClientId(0), number: 1 } has"));
}

#[test]
fn a_downgraded_group_does_not_go_back_to_an_earlier_generation() {
    let story = changed(upgraded().removed(C, RemovalReason::Left), GroupProtocol::Classic, 2).state(Stable, PreparingRebalance, 2);
    assert!(violation(story.rejoined(A).all_joined(A, 2, 1)).contains("generation 2 follows 2"));
}

#[test]
fn who_left_a_group_of_the_consumer_protocol_may_commit_as_long_as_nobody_is_in_it() {
    let gone = |story: Story| story.removed(A, RemovalReason::Left).removed(B, RemovalReason::Left);
    let story = changed(gone(reconciled(modern(), B, 1, &[1], &[])), GroupProtocol::Classic, 0).at(100).appended(0, 0..100);
    assert_eq!(invariants(&story.clone().committed(A, 0, 10).at(900).ends(100, true)).violations(), []);
    assert!(violation(story.added(C).state(Empty, PreparingRebalance, 0).committed(A, 0, 10)).contains("who is no member"));
}

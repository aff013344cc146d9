use super::livelock::{Livelock, longest};
use super::*;
use crate::fold::Folding;
use crate::story::{A, B, C, Story, cast, member, ms, range, tp};
use crate::terms::{CommitFailure, EpochReason, ErrorCode, GroupProtocol, MemberState, PositionSource};
use crate::trace::Sink;
use crate::trace::fault::Fault;
use crate::units::{BrokerId, GroupId, OffsetRange};

fn measured(story: &Story) -> Measurements {
    let (metrics, known) = story.folded(Metrics::new(&cast(), Span::from_millis(100), Span::from_millis(1000)));
    metrics.measurements(&known)
}

fn group(story: &Story) -> GroupMeasurements {
    measured(story).groups.remove(0)
}

fn outages(story: &Story) -> Vec<(u64, Option<u64>, Option<u64>)> {
    let millis = |at: Option<Instant>| at.map(Instant::as_millis);
    let outages = &group(story).partitions[0].outages;
    outages.iter().map(|outage| (outage.from.as_millis(), millis(outage.to), millis(outage.first_record))).collect()
}

#[test]
fn a_partition_is_out_from_the_crash_to_the_next_owners_first_fetch() {
    let story = Story::default().appended(0, 0..900).at(10).takes(A, 0, 0).at(50).polled(A, 0, 0..40).crashed(A);
    let story = story.at(400).assigned(B, 2, &[0]).at(420).starts(B, 0, 40, PositionSource::Committed).at(450).polled(B, 0, 40..50);
    assert_eq!(outages(&story), [(0, Some(10), Some(50)), (50, Some(420), Some(450))]);
    let partition = &group(&story).partitions[0];
    assert!(partition.outages[0].initial && !partition.outages[1].initial);
    let spans = [OwnerSpan { client: A, from: ms(10), to: ms(50) }, OwnerSpan { client: B, from: ms(400), to: ms(1000) }];
    assert_eq!(partition.owners, spans);
}

#[test]
fn an_outage_begins_with_the_first_thing_that_stops_the_owner() {
    let start = || Story::default().at(10).takes(A, 0, 0);
    let marked = start().at(50).tell(TraceEvent::RevocationPending { client: A, partitions: [tp(0)].into() });
    assert_eq!(outages(&marked.at(60).revoked(A, 0))[1], (50, None, None));
    assert_eq!(outages(&start().at(50).kicked(A).at(90).lost(A, 0))[1], (50, None, None));
    assert_eq!(outages(&start().at(50).lost(A, 0))[1], (50, None, None));
    let stopping = start().at(50).tell(TraceEvent::ClientStopping { client: A }).at(55).revoked(A, 0);
    assert_eq!(outages(&stopping.at(60).tell(TraceEvent::ClientStopped { client: A }))[1], (55, None, None));
}

#[test]
fn a_paused_owner_is_still_the_owner() {
    let story = Story::default().at(10).takes(A, 0, 0).at(50).tell(TraceEvent::ClientPaused { client: A, until: ms(90) });
    assert_eq!(outages(&story.at(90).tell(TraceEvent::ClientResumed { client: A })), [(0, Some(10), None)]);
}

#[test]
fn a_zombie_that_ends_after_the_next_owner_came_stops_nothing() {
    let story = Story::default().at(10).takes(A, 0, 0).at(50).takes(B, 0, 0).at(80).lost(A, 0);
    assert_eq!(outages(&story), [(0, Some(10), None)]);
}

#[test]
fn a_fetch_of_somebody_without_the_partition_ends_no_outage() {
    let fetch = TraceEvent::FetchStarted { client: C, partition: tp(0), offset: Offset(0) };
    assert_eq!(outages(&Story::default().at(10).takes(A, 0, 0).at(50).crashed(A).at(60).tell(fetch))[1], (50, None, None));
}

#[test]
fn a_partition_that_is_added_is_out_from_then_on() {
    let story = Story::default().at(300).tell(TraceEvent::PartitionsAdded { topic: TopicId(0), from: 2, to: 3 });
    let partitions = group(&story.at(400).takes(A, 2, 0)).partitions;
    let outage = Outage { from: ms(300), to: Some(ms(400)), first_record: None, initial: true, held_up: None };
    assert_eq!(partitions[2].outages, [outage]);
    let never = group(&Story::default()).partitions;
    assert_eq!((never[1].outages.len(), never[2].outages.len()), (1, 0));
}

#[test]
fn samples_show_what_was_so_at_their_time() {
    // Records 0..1000 come one a millisecond; A reads 0..300 from 400 ms on, one a millisecond.
    let story = Story::default().at(350).takes(A, 0, 0).at(400).appended(0, 0..1000).polled(A, 0, 0..300);
    let story = story.at(699).processed(A, 0, 0..300).at(750).committed(A, 0, 300).at(800).crashed(A);
    let story = story.at(850).takes(B, 0, 100).ends(1000, false);
    let group = group(&story);
    let lag = &group.partitions[0].lag;
    assert_eq!(lag.len(), 11);
    assert_eq!(lag[3], LagSample { committed: None, position: 301, unprocessed: 301 });
    assert_eq!(lag[4], LagSample { committed: None, position: 101, unprocessed: 400 });
    assert_eq!(lag[6], LagSample { committed: None, position: 301, unprocessed: 400 });
    assert_eq!(lag[8], LagSample { committed: Some(501), position: 501, unprocessed: 501 });
    assert_eq!(lag[9], LagSample { committed: Some(601), position: 801, unprocessed: 601 });
    assert_eq!((group.peak_lag, group.run_end_lag, group.final_lag), (700, 700, 700));
    assert_eq!(group.partitions[0].committed, Some(Offset(300)));
    let latency = (group.latency.count, group.latency.min, group.latency.max, group.latency.sum);
    assert_eq!(latency, (300, 400_000_000, 400_000_000, 300 * 400_000_000));
}

#[test]
fn a_zombies_position_is_not_the_groups() {
    let story = Story::default().appended(0, 0..100).takes(A, 0, 0).at(10).takes(B, 0, 0).at(20).polled(A, 0, 0..50);
    assert_eq!(group(&story.at(1000).ends(100, false)).partitions[0].lag[10].position, 100);
}

/// Who was one in partition 0, from when to when.
fn zombies(story: &Story) -> Vec<(ClientId, u64, u64)> {
    let zombies = &group(story).partitions[0].zombies;
    zombies.iter().map(|span| (span.client, span.from.as_millis(), span.to.as_millis())).collect()
}

#[test]
fn whoever_loses_a_partition_with_records_in_hand_is_a_zombie_until_they_are_done() {
    let start = || Story::default().appended(0, 0..100).takes(A, 0, 0).at(10).polled(A, 0, 0..50);
    let marked = || start().at(20).tell(TraceEvent::RevocationPending { client: A, partitions: [tp(0)].into() });
    // Told when it has finished them, perhaps before it comes back to poll().
    let done = |story: Story| story.at(60).processed(A, 0, 0..50).at(70).lost(A, 0);
    assert_eq!(zombies(&done(start().at(30).kicked(A))), [(A, 30, 60)]);
    assert_eq!(zombies(&done(start().at(30).kicked(A).lost(A, 0))), [(A, 30, 60)]);
    assert_eq!(zombies(&done(start().at(30).revoked(A, 0))), [(A, 30, 60)]);
    assert_eq!(zombies(&done(start().at(30).lost(A, 0))), [(A, 30, 60)]);
    assert_eq!(zombies(&done(marked().at(30).revoked(A, 0))), [(A, 30, 60)]);
    assert_eq!(zombies(&done(marked().at(30).kicked(A))), [(A, 30, 60)]);
    // What is only marked for revocation is still its own.
    assert_eq!(zombies(&marked().at(60).processed(A, 0, 0..50).at(70).revoked(A, 0)), []);
    // Its batch goes on with records of others.
    assert_eq!(zombies(&start().at(70).kicked(A).at(80).processed(A, 0, 0..50)), [(A, 70, 80)]);
    assert_eq!(zombies(&start().at(70).kicked(A).at(80).tell(processed_by(60))), []);
    assert_eq!(zombies(&start().at(30).kicked(A).at(40).crashed(A)), [(A, 30, 40)]);
    assert_eq!(zombies(&start().at(30).revoked(A, 0).at(45).assigned(A, 2, &[0])), [(A, 30, 45)]);
}

/// Fifty records, the last of them done at that millisecond.
fn processed_by(last: u64) -> TraceEvent {
    let story = Story::default().at(last).processed(A, 0, 0..50);
    story.trace[0].1.clone()
}

#[test]
fn a_lag_that_a_second_processing_does_not_change() {
    let story = Story::default().appended(0, 0..100).takes(A, 0, 0).polled(A, 0, 0..100).at(300).processed(A, 0, 0..100);
    let story = story.polled(A, 0, 0..100).at(500).processed(A, 0, 0..100);
    let group = group(&story.at(1000).ends(100, true));
    assert_eq!((group.partitions[0].lag[3].unprocessed, group.final_lag, group.latency.count), (0, 0, 100));
}

#[test]
fn counts_are_by_request_and_by_poll() {
    let story = Story::default().appended(0, 0..100).appended(1, 0..100).takes(A, 0, 0).takes(A, 1, 0);
    let story = story.at(5).polled(A, 0, 0..10).polled(A, 1, 0..10).at(6).polled(A, 0, 10..20);
    let story = story.at(7).committed(A, 0, 20).committed(A, 1, 10).at(8).committed(A, 0, 20);
    let story = story.tell(TraceEvent::CommitRefused {
        group: GroupId(0),
        member: Some(member(A)),
        kind: CommitKind::Sync,
        error: ErrorCode::IllegalGeneration,
    });
    let story = story.tell(TraceEvent::CommitFailed { client: A, kind: CommitKind::Sync, failure: CommitFailure::NotAMember });
    let story = story.tell(TraceEvent::HeartbeatHandled { group: GroupId(0), member: Some(member(A)), error: ErrorCode::None });
    let group = group(&story);
    assert_eq!((group.polls, group.commits, group.commits_refused, group.commits_failed, group.heartbeats), (2, 2, 1, 1, 1));
}

#[test]
fn three_kicks_without_a_commit_are_a_livelock() {
    let story = Story::default().at(10).takes(A, 0, 0).committed(A, 0, 0).at(100).kicked(A).at(200).kicked(B);
    assert_eq!(longest(&group(&story)), None);
    let stuck = story.clone().at(300).kicked(A);
    assert_eq!(longest(&group(&stuck)), Some(Livelock { from: ms(100), to: ms(300), kicks: 3 }));
    let moving = story.at(250).committed(A, 0, 1).at(300).kicked(A);
    assert_eq!(longest(&group(&moving)), None);
}

#[test]
fn a_rebalance_names_those_for_whom_it_waited() {
    use GroupState::{CompletingRebalance, PreparingRebalance, Stable};
    let story = Story::default().added(A).added(B).at(100).added(C).state(Stable, PreparingRebalance, 1);
    let story = story.rebalance(RebalanceReason::MemberJoined, C, 1).rejoined(C).at(150).rejoined(A);
    let story =
        story.at(400).removed(B, RemovalReason::SessionExpired).all_joined(A, 2, 2).state(PreparingRebalance, CompletingRebalance, 2);
    let rebalances = group(&story.at(410).state(CompletingRebalance, Stable, 2)).rebalances;
    assert_eq!(rebalances.len(), 1);
    let rebalance = &rebalances[0];
    assert_eq!((rebalance.started, rebalance.joined, rebalance.ended), (ms(100), Some(ms(400)), Some(ms(410))));
    assert_eq!((rebalance.ended_in, rebalance.generation, rebalance.members), (Some(Stable), Some(2), 2));
    assert_eq!((rebalance.trigger, rebalance.leader), (Some(member(C)), Some(member(A))));
    let waited = [
        Waited { member: member(A), lasted: Span::from_millis(50), how: WaitEnd::Rejoined },
        Waited { member: member(B), lasted: Span::from_millis(300), how: WaitEnd::Removed(RemovalReason::SessionExpired) },
    ];
    assert_eq!(rebalance.waited_for, waited);
}

#[test]
fn a_pending_member_holds_a_rebalance_up() {
    let pending = TraceEvent::MemberPending { group: GroupId(0), member: member(B) };
    let dropped = TraceEvent::PendingDropped { group: GroupId(0), member: member(B), reason: RemovalReason::SessionExpired };
    let story = Story::default().added(A).at(10).tell(pending).at(100).rebalance(RebalanceReason::LeaderRejoined, A, 1).rejoined(A);
    let rebalances = group(&story.at(300).tell(dropped).all_joined(A, 2, 1)).rebalances;
    let waited = Waited { member: member(B), lasted: Span::from_millis(200), how: WaitEnd::Removed(RemovalReason::SessionExpired) };
    assert_eq!(rebalances[0].waited_for, [waited]);
    assert_eq!((rebalances[0].ended, rebalances[0].ended_in), (None, None));
}

#[test]
fn who_is_thrown_out_at_the_end_of_the_join_phase_was_waited_for_even_if_it_is_told_afterwards() {
    let story = Story::default().added(A).added(B).at(100).rebalance(RebalanceReason::LeaderRejoined, A, 1).rejoined(A);
    let rebalances = group(&story.at(300).all_joined(A, 2, 1).removed(B, RemovalReason::JoinTimedOut)).rebalances;
    assert_eq!(rebalances[0].waited_for.len(), 1);
}

#[test]
fn a_rebalance_can_be_overtaken() {
    let story = Story::default().added(A).added(B).at(100).rebalance(RebalanceReason::MemberLeft, B, 1).all_joined(A, 2, 1);
    let rebalances = group(&story.at(200).rebalance(RebalanceReason::MemberJoined, C, 2)).rebalances;
    assert_eq!((rebalances[0].ended, rebalances[0].ended_in), (Some(ms(200)), Some(GroupState::PreparingRebalance)));
    assert_eq!(rebalances[1].started, ms(200));
}

#[test]
fn marks_are_told_in_order() {
    let story = Story::default().tell(TraceEvent::ClientStarted { client: A, life: 1 });
    let story = story.at(5).tell(TraceEvent::ClientPaused { client: A, until: ms(25) }).at(30).crashed(A);
    let kinds: Vec<_> = measured(&story.at(1000).ends(0, true)).marks.into_iter().map(|mark| mark.kind).collect();
    let paused = MarkKind::Paused(A, Span::from_millis(20));
    assert_eq!(kinds, [MarkKind::Started(A), paused, MarkKind::Crashed(A), MarkKind::RunPhaseEnded]);
}

#[test]
fn a_member_belongs_to_the_life_that_joined() {
    let member_of = |number| MemberId { client: A, number };
    let added = |number| TraceEvent::MemberAdded { group: GroupId(0), member: member_of(number), instance: None };
    let story = Story::default().tell(TraceEvent::ClientStarted { client: A, life: 1 }).at(10).tell(added(1)).at(40).crashed(A);
    let story = story.at(50).tell(TraceEvent::ClientStarted { client: A, life: 2 }).at(60).tell(added(2));
    let measured = measured(&story.at(1000).ends(0, true));
    assert_eq!(measured.members[&member_of(1)], Membership { life: 1, since: ms(10) });
    assert_eq!(measured.members[&member_of(2)], Membership { life: 2, since: ms(60) });
    assert_eq!(measured.marks.iter().map(|mark| mark.life).collect::<Vec<_>>(), [1, 1, 2, 0]);
}

#[test]
fn a_partition_is_without_a_leader_until_one_is_elected() {
    let lost = |partition| TraceEvent::Fault(Fault::LeaderLost { partition: tp(partition) });
    let elected = TraceEvent::Fault(Fault::LeaderElected { partition: tp(0), broker: BrokerId(1) });
    let story = Story::default().at(60).tell(lost(0)).tell(lost(1)).at(90).tell(elected);
    let leaderless = measured(&story.at(1000).ends(0, true)).leaderless;
    let times = |partition, to| Leaderless { partition: tp(partition), from: ms(60), to };
    assert_eq!(leaderless, [times(0, Some(ms(90))), times(1, None)]);
}

#[test]
fn creation_times_are_forgotten_when_every_group_is_done() {
    let mut two_groups = cast();
    two_groups.group_topics.push(vec![TopicId(0)]);
    two_groups.client_group[2] = GroupId(1);
    let metrics = Metrics::new(&two_groups, Span::from_millis(100), Span::from_millis(1000));
    let mut folding = Folding::new(&two_groups, metrics);
    let mut story = Story::default().takes(A, 0, 0).takes(C, 0, 0);
    for batch in 0..50u64 {
        let offsets: OffsetRange = range(batch * 10..batch * 10 + 10);
        let created: Vec<_> = (0..10).map(|i| ms(batch * 10 + i)).collect();
        story = story.at(batch * 10 + 10).tell(TraceEvent::Appended {
            producer: crate::units::ProducerId(0),
            partition: tp(0),
            first: offsets.from,
            per_batch: 10,
            batches: 1,
            created: crate::trace::times::Created::Listed(created.into()),
            delay: Span::from_millis(9),
        });
        story = story.processed(A, 0, batch * 10..batch * 10 + 10);
    }
    story.trace.iter().for_each(|(at, event)| folding.record(*at, event));
    assert_eq!(folding.fold.created.runs(), 50);
    let rest = Story::default().at(600).processed(C, 0, 0..495);
    rest.trace.iter().for_each(|(at, event)| folding.record(*at, event));
    assert_eq!(folding.fold.created.runs(), 1);
    let (metrics, known) = folding.finish();
    assert_eq!(metrics.measurements(&known).groups[1].latency.count, 495);
}

/// A bump of the group's epoch, and the target that is computed for it.
fn bumped(story: Story, epoch: i32, reason: EpochReason, trigger: ClientId) -> Story {
    let group = GroupId(0);
    let story = story.tell(TraceEvent::GroupEpochBumped { group, epoch, reason, trigger: Some(member(trigger)) });
    story.tell(TraceEvent::TargetComputed { group, epoch, assigned: Box::default() })
}

fn reconciled(story: Story, client: ClientId, epoch: i32, state: MemberState) -> Story {
    let (assigned, revoking) = (Box::default(), Box::default());
    story.tell(TraceEvent::MemberReconciled { group: GroupId(0), member: member(client), epoch, state, assigned, revoking })
}

#[test]
fn a_rebalance_by_epochs_lasts_until_every_member_is_at_the_target() {
    let story = bumped(Story::default().added(A), 1, EpochReason::MemberJoined, A);
    let story = bumped(reconciled(story, A, 1, MemberState::Stable).at(100).added(B), 2, EpochReason::MemberJoined, B);
    let story = reconciled(story, B, 2, MemberState::UnreleasedPartitions).at(150);
    let story = reconciled(story, A, 1, MemberState::UnrevokedPartitions).at(160);
    let story = reconciled(story, A, 2, MemberState::Stable).at(200);
    let rebalances = group(&reconciled(story, B, 2, MemberState::Stable)).rebalances;
    assert_eq!(rebalances.iter().map(|one| (one.started, one.ended)).collect::<Vec<_>>(), [(ms(0), Some(ms(0))), (ms(100), Some(ms(200)))]);
    assert_eq!((rebalances[1].generation, rebalances[1].joined, rebalances[1].trigger), (Some(2), Some(ms(100)), Some(member(B))));
    let waited = |client, millis| Waited { member: member(client), lasted: Span::from_millis(millis), how: WaitEnd::Reconciled };
    assert_eq!(rebalances[1].waited_for, [waited(A, 60), waited(B, 100)]);
}

#[test]
fn an_epoch_says_why_its_member_is_gone() {
    let story = bumped(Story::default().added(A).added(B), 1, EpochReason::MemberJoined, A).at(50);
    let story = story.removed(B, RemovalReason::RevocationTimedOut);
    let rebalances = group(&bumped(story, 2, EpochReason::MemberRemoved, B)).rebalances;
    assert_eq!(rebalances[0].ended_in, Some(GroupState::PreparingRebalance), "overtaken");
    assert_eq!(rebalances[1].reason, RebalanceReason::RevocationTimedOut);
}

#[test]
fn an_upgrade_and_a_downgrade_are_rebalances_of_their_own_names() {
    let changed = |story: Story, to, epoch| story.tell(TraceEvent::GroupProtocolChanged { group: GroupId(0), to, epoch });
    let story = Story::default().added(A).added(B).at(50).rebalance(RebalanceReason::LeaderRejoined, A, 1).rejoined(A).at(100);
    let story = bumped(changed(story, GroupProtocol::Consumer, 1).added(C), 2, EpochReason::MemberJoined, C);
    let story = reconciled(story, C, 2, MemberState::UnreleasedPartitions).at(150);
    let story = reconciled(reconciled(story, A, 2, MemberState::Stable), B, 2, MemberState::Stable).at(180);
    let story = reconciled(story, C, 2, MemberState::Stable).at(300).removed(C, RemovalReason::Left);
    let story = changed(story, GroupProtocol::Classic, 2).rebalance(RebalanceReason::Downgraded, C, 2).at(310).rejoined(A);
    let measured = measured(&story.at(320).rejoined(B).all_joined(A, 3, 2));
    let rebalances = &measured.groups[0].rebalances;
    let told: Vec<_> = rebalances.iter().map(|one| (one.reason, one.group_protocol, one.ended)).collect();
    let (classic, consumer) = (GroupProtocol::Classic, GroupProtocol::Consumer);
    assert_eq!(
        told,
        [
            (RebalanceReason::LeaderRejoined, classic, Some(ms(100))),
            (RebalanceReason::Upgraded, consumer, Some(ms(180))),
            (RebalanceReason::Downgraded, classic, None)
        ]
    );
    let waited = |client, millis, how| Waited { member: member(client), lasted: Span::from_millis(millis), how };
    let at_target = [(A, 50), (B, 50), (C, 80)].map(|(client, millis)| waited(client, millis, WaitEnd::Reconciled));
    assert_eq!((&rebalances[0].waited_for, &rebalances[1].waited_for), (&Vec::new(), &at_target.to_vec()));
    assert_eq!(rebalances[2].waited_for, [waited(A, 10, WaitEnd::Rejoined), waited(B, 20, WaitEnd::Rejoined)]);
    let marks = measured.marks.iter().filter(|mark| matches!(mark.kind, MarkKind::ProtocolChanged(..)));
    assert_eq!(marks.map(|mark| mark.at).collect::<Vec<_>>(), [ms(100), ms(300)]);
}

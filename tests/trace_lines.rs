//! Every kind of fact as a line of JSON and as a line to be read.

use std::collections::BTreeSet;

use groupsim::terms::{
    ClientRequest, CommitFailure, CommitKind, EpochReason, ErrorCode, FatalError, GroupProperty, GroupProtocol, GroupState, MemberState,
    Peers, PositionSource, RebalanceReason, RemovalReason, RequestKind,
};
use groupsim::trace::fault::Fault;
use groupsim::trace::json::JsonLines;
use groupsim::trace::names::Names;
use groupsim::trace::text::TextLines;
use groupsim::trace::times::{Created, Finished};
use groupsim::trace::topics::TopicChange;
use groupsim::trace::{Sink, TraceEvent};
use groupsim::units::{
    BrokerId, ClientId, GroupId, InstanceId, Instant, MemberId, Offset, OffsetRange, Pace, ProducerId, Rate, Span, TopicId, TopicPartition,
};

#[test]
fn every_kind_of_fact_has_its_line_of_json() {
    insta::assert_snapshot!(json(&names(), &facts()));
}

#[test]
fn every_kind_of_fact_has_its_line_to_be_read() {
    insta::assert_snapshot!(text(names(), &facts()));
}

#[test]
fn the_facts_here_are_of_all_kinds() {
    let shown: BTreeSet<&str> = facts().iter().map(|(_, fact)| fact.name()).collect();
    let known: BTreeSet<&str> = documented().into_iter().map(|(event, _)| event).collect();
    assert_eq!(shown, known);
    // The function that names a fact is exhaustive: one arm, one kind.
    let arms = |source: &str| source.lines().filter(|line| line.contains(" => \"")).count();
    let sources = [include_str!("../src/trace/subject.rs"), include_str!("../src/trace/fault.rs"), include_str!("../src/trace/topics.rs")];
    assert_eq!(sources.into_iter().map(arms).sum::<usize>(), known.len());
}

#[test]
fn a_line_of_json_has_the_fields_that_are_documented() {
    let documented = documented();
    for line in json(&names(), &facts()).lines() {
        let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(line).unwrap();
        let event = object["event"].as_str().unwrap();
        let (_, fields) = documented.iter().find(|(name, _)| *name == event).unwrap_or_else(|| panic!("{event} is documented"));
        let mut expected: BTreeSet<&str> = fields.iter().copied().collect();
        expected.extend(["at_ns", "event"]);
        assert_eq!(object.keys().map(String::as_str).collect::<BTreeSet<_>>(), expected, "{line}");
    }
}

#[test]
fn hostile_names_stay_inside_their_strings() {
    let hostile = "a\"b\\c\n\u{1}é#2,".to_owned();
    let names = Names {
        groups: vec![hostile.clone(); 2],
        clients: vec![(GroupId(0), hostile.clone()); 3],
        topics: vec![hostile.clone(); 2],
        producers: vec![hostile.clone()],
        instances: vec![hostile.clone()],
    };
    for line in json(&names, &facts()).lines() {
        let object: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        for key in ["group", "client", "topic", "producer", "instance"] {
            assert!(object[key].is_null() || object[key] == hostile, "{line}");
        }
        if let Some(partition) = object["partition"].as_str() {
            assert!(partition.strip_prefix(&hostile).is_some_and(|rest| rest.starts_with('-')), "{line}");
        }
    }
}

/// The table in the documentation of the JSON Lines: events and their fields.
fn documented() -> Vec<(&'static str, Vec<&'static str>)> {
    let rows = include_str!("../src/trace/json.rs").lines().filter_map(|line| line.strip_prefix("//! | `"));
    rows.map(|row| {
        let (event, fields) = row.split_once("` |").unwrap();
        (event, fields.split('`').skip(1).step_by(2).collect())
    })
    .collect()
}

fn json(names: &Names, facts: &[(Instant, TraceEvent)]) -> String {
    let mut lines = JsonLines::new(names, Vec::new());
    facts.iter().for_each(|(at, fact)| lines.record(*at, fact));
    String::from_utf8(lines.finish().unwrap()).unwrap()
}

fn text(names: Names, facts: &[(Instant, TraceEvent)]) -> String {
    let mut lines = TextLines::new(names, Vec::new());
    facts.iter().for_each(|(at, fact)| lines.record(*at, fact));
    String::from_utf8(lines.finish().unwrap()).unwrap()
}

fn names() -> Names {
    Names {
        groups: vec!["billing".into(), "audit".into()],
        clients: vec![(GroupId(0), "A".into()), (GroupId(0), "B".into()), (GroupId(1), "A".into())],
        topics: vec!["orders".into(), "alerts".into()],
        producers: vec!["shop".into()],
        instances: vec!["i1".into()],
    }
}

const GROUP: GroupId = GroupId(0);
const A: ClientId = ClientId(0);
const B: ClientId = ClientId(1);
const AUDITOR: ClientId = ClientId(2);

fn member(client: ClientId, number: u32) -> MemberId {
    MemberId { client, number }
}

fn orders(partition: u32) -> TopicPartition {
    TopicPartition { topic: TopicId(0), partition }
}

fn range(from: u64, to: u64) -> OffsetRange {
    OffsetRange::new(Offset(from), Offset(to))
}

fn ms(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

/// At least one of each kind, and of each shape that a kind has.
fn facts() -> Vec<(Instant, TraceEvent)> {
    let facts = [world(), coordinator(), clients()].concat();
    facts.into_iter().enumerate().map(|(i, fact)| (Instant::from_nanos(12_006_000_000 + 250_001 * i as u64), fact)).collect()
}

fn world() -> Vec<TraceEvent> {
    let pace = Pace::new(ms(1000), Rate { records: 3, per: Span::from_secs(1) });
    let appended = |first, per_batch, batches, created| TraceEvent::Appended {
        producer: ProducerId(0),
        partition: orders(2),
        first: Offset(first),
        per_batch,
        batches,
        created,
        delay: Span::from_millis(6),
    };
    vec![
        appended(40, 5, 100, Created::Even { pace, index: 6 }),
        appended(540, 2, 1, Created::Listed([ms(7), ms(9)].into())),
        TraceEvent::ProducerStopped { producer: ProducerId(0), sent: 36_000_000 },
        TraceEvent::RateChanged { producer: ProducerId(0), rate: Rate { records: 5000, per: Span::from_secs(1) } },
        TraceEvent::PartitionsAdded { topic: TopicId(1), from: 6, to: 8 },
        TraceEvent::ClientStarted { client: B, life: 2 },
        TraceEvent::ClientStopping { client: B },
        TraceEvent::ClientStopped { client: B },
        TraceEvent::ClientCrashed { client: AUDITOR },
        TraceEvent::ClientPaused { client: A, until: ms(60_000) },
        TraceEvent::ClientResumed { client: A },
        TraceEvent::ClientSlowed { client: A, factor: 1500 },
        TraceEvent::ClientSpeedRestored { client: A },
        TraceEvent::ClientFailed { client: A, error: FatalError::NoOffsetForPartition },
        TraceEvent::Fault(Fault::CutOff { client: B, from: Peers::Coordinator, until: ms(60_000) }),
        TraceEvent::Fault(Fault::CutOff { client: B, from: Peers::Broker(BrokerId(2)), until: ms(60_000) }),
        TraceEvent::Fault(Fault::Reconnected { client: B, from: Peers::All }),
        TraceEvent::Fault(Fault::RequestDropped { client: B, request: ClientRequest::LeaveGroup }),
        TraceEvent::Fault(Fault::RequestDelayed { client: B, request: ClientRequest::Heartbeat, by: Span::from_millis(2_000) }),
        TraceEvent::Fault(Fault::BrokerDied { broker: BrokerId(1), until: ms(60_000) }),
        TraceEvent::Fault(Fault::BrokerReturned { broker: BrokerId(1) }),
        TraceEvent::Fault(Fault::LeaderLost { partition: orders(2) }),
        TraceEvent::Fault(Fault::LeaderElected { partition: orders(2), broker: BrokerId(2) }),
        TraceEvent::Topics(TopicChange::Created { topic: TopicId(1), partitions: 1 }),
        TraceEvent::Topics(TopicChange::Created { topic: TopicId(1), partitions: 6 }),
        TraceEvent::Topics(TopicChange::Deleted { topic: TopicId(1) }),
        TraceEvent::RunPhaseEnded,
        TraceEvent::SettlePhaseEnded { drained: true },
        TraceEvent::SettlePhaseEnded { drained: false },
    ]
}

fn coordinator() -> Vec<TraceEvent> {
    let rebalance = |reason, trigger, initial| TraceEvent::RebalanceStarted {
        group: GROUP,
        reason,
        trigger,
        generation: 1,
        deadline: ms(15_000),
        initial,
    };
    let partition = orders(2);
    vec![
        TraceEvent::GroupStateChanged { group: GROUP, from: GroupState::Empty, to: GroupState::PreparingRebalance, generation: 0 },
        TraceEvent::MemberPending { group: GROUP, member: member(B, 2) },
        TraceEvent::PendingDropped { group: GROUP, member: member(B, 2), reason: RemovalReason::NewMemberTimedOut },
        TraceEvent::MemberAdded { group: GROUP, member: member(A, 1), instance: None },
        TraceEvent::MemberAdded { group: GROUP, member: member(B, 1), instance: Some(InstanceId(0)) },
        TraceEvent::MemberReplaced { group: GROUP, old: member(B, 1), new: member(B, 2), instance: InstanceId(0) },
        TraceEvent::MemberRemoved { group: GROUP, member: member(B, 2), reason: RemovalReason::SessionExpired },
        rebalance(RebalanceReason::MemberJoined, Some(member(A, 1)), true),
        rebalance(RebalanceReason::AssignmentNotStored, None, false),
        TraceEvent::InitialDelayExtended { group: GROUP, until: ms(18_000) },
        TraceEvent::MemberRejoined { group: GROUP, member: member(A, 1) },
        TraceEvent::JoinPhaseEnded { group: GROUP, generation: 2, leader: Some(member(A, 1)), protocol: Some("range".into()), members: 2 },
        TraceEvent::JoinPhaseEnded { group: GROUP, generation: 3, leader: None, protocol: None, members: 0 },
        TraceEvent::HeartbeatHandled { group: GROUP, member: Some(member(A, 1)), error: ErrorCode::None },
        TraceEvent::HeartbeatHandled { group: GROUP, member: None, error: ErrorCode::UnknownMemberId },
        TraceEvent::RequestRefused { group: GROUP, member: None, request: RequestKind::JoinGroup, error: ErrorCode::MemberIdRequired },
        TraceEvent::Committed { group: GROUP, member: Some(member(B, 2)), partition, offset: Offset(540), kind: CommitKind::Auto },
        TraceEvent::Committed { group: GROUP, member: None, partition, offset: Offset(0), kind: CommitKind::Sync },
        TraceEvent::CommitRefused {
            group: GROUP,
            member: Some(member(B, 1)),
            kind: CommitKind::Close,
            error: ErrorCode::IllegalGeneration,
        },
        TraceEvent::OffsetExpired { group: GroupId(1), partition },
        TraceEvent::GroupDeleted { group: GroupId(1) },
        TraceEvent::GroupProtocolChanged { group: GROUP, to: GroupProtocol::Consumer, epoch: 1 },
        TraceEvent::GroupEpochBumped { group: GROUP, epoch: 2, reason: EpochReason::MemberJoined, trigger: Some(member(B, 1)) },
        TraceEvent::GroupEpochBumped { group: GROUP, epoch: 3, reason: EpochReason::TopicsChanged, trigger: None },
        TraceEvent::TargetComputed {
            group: GROUP,
            epoch: 3,
            assigned: [(member(A, 1), Box::from([orders(0)])), (member(B, 1), Box::from([partition]))].into(),
        },
        TraceEvent::MemberReconciled {
            group: GROUP,
            member: member(A, 1),
            epoch: 2,
            state: MemberState::UnrevokedPartitions,
            assigned: [orders(0)].into(),
            revoking: [partition].into(),
        },
        TraceEvent::Fault(Fault::CoordinatorLoaded { group: GROUP, broker: BrokerId(2) }),
        TraceEvent::Fault(Fault::GroupConfigured { group: GROUP, property: GroupProperty::SessionTimeout, value: Span::from_secs(50) }),
    ]
}

fn clients() -> Vec<TraceEvent> {
    let partition = orders(2);
    let all: Box<[TopicPartition]> = (0..4).map(orders).collect();
    let processed = |generation, finished| TraceEvent::Processed {
        client: B,
        member: Some(member(B, 2)),
        generation,
        partition,
        offsets: range(40, 42),
        finished,
    };
    let assigned = [(member(A, 1), all.clone()), (member(B, 2), Box::from([]))];
    vec![
        TraceEvent::CoordinatorFound { client: A, broker: BrokerId(2) },
        TraceEvent::Topics(TopicChange::Subscribed { client: A, topics: [TopicId(0), TopicId(1)].into() }),
        TraceEvent::Topics(TopicChange::Subscribed { client: A, topics: Box::from([]) }),
        TraceEvent::JoinSent { client: B, member: None },
        TraceEvent::JoinSent { client: B, member: Some(member(B, 2)) },
        TraceEvent::AssignmentComputed { client: A, generation: 2, assigned: assigned.into() },
        TraceEvent::RebalanceNoticed { client: A },
        TraceEvent::PollIntervalExceeded { client: A, last_poll: ms(2) },
        TraceEvent::MembershipLost { client: A, error: ErrorCode::UnknownMemberId },
        TraceEvent::RevocationPending { client: A, partitions: all.clone() },
        TraceEvent::Revoked { client: A, partitions: Box::from([]) },
        TraceEvent::Lost { client: A, partitions: [orders(1), orders(3)].into() },
        TraceEvent::Assigned { client: B, member: member(B, 2), generation: 2, partitions: all },
        TraceEvent::PositionSet { client: A, partition, offset: Offset(0), source: PositionSource::ResetEarliest },
        TraceEvent::FetchStarted { client: A, partition, offset: Offset(40) },
        TraceEvent::Polled { client: A, partition, offsets: range(40, 540) },
        processed(2, Finished::Even { first: ms(12_000), each: Span::from_nanos(200_000) }),
        processed(-1, Finished::Listed([ms(12_000), ms(12_007)].into())),
        TraceEvent::Dropped { client: A, partition, offsets: range(42, 540) },
        TraceEvent::CommitFailed { client: A, kind: CommitKind::Sync, failure: CommitFailure::RebalanceInProgress },
    ]
}

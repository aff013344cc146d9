//! Random requests, silences, moves and write latencies: whatever clients do, the coordinator keeps its own rules.

use std::collections::{BTreeMap, BTreeSet};

use groupsim::kafka::coordinator::Coordinator;
use groupsim::kafka::coordinator::shard::{CoordinatorConfig, CoordinatorEffects, Ticket};
use groupsim::kafka::coordinator::timers::CoordinatorTimer;
use groupsim::kafka::group::Group;
use groupsim::kafka::message::{
    GroupRequest, GroupResponse, Heartbeat, JoinGroup, LeaveGroup, OffsetCommit, ProtocolEntry, Subscription, SyncGroup, TxnOffsetCommit,
};
use groupsim::kafka::release::Switches;
use groupsim::release::Release;
use groupsim::terms::{CommitKind, ErrorCode, GroupState};
use groupsim::trace::TraceEvent;
use groupsim::units::{ClientId, GroupId, InstanceId, Instant, MemberId, Offset, Span, TopicId, TopicPartition};
use proptest::prelude::*;

const GROUP: GroupId = GroupId(0);

#[derive(Clone, Debug)]
enum Act {
    Join { client: u32, known: bool, is_static: bool, protocols: u8, session: u64, version: u16 },
    Sync { client: u32, stale: bool },
    Heartbeat { client: u32, stale: bool },
    Leave { client: u32 },
    Commit { client: u32, simple: bool },
    CommitInTransaction { producer: u64 },
    EndTransaction { producer: u64, commit: bool },
    DeleteGroup,
    Wait { millis: u64 },
    Move,
}

fn act() -> impl Strategy<Value = Act> {
    let client = 0..4u32;
    prop_oneof![
        6 => (client.clone(), any::<bool>(), any::<bool>(), 1..4u8, 6_000..30_000u64, 3..10u16).prop_map(
            |(client, known, is_static, protocols, session, version)| Act::Join { client, known, is_static, protocols, session, version }
        ),
        4 => (client.clone(), prop::bool::weighted(0.1)).prop_map(|(client, stale)| Act::Sync { client, stale }),
        4 => (client.clone(), prop::bool::weighted(0.1)).prop_map(|(client, stale)| Act::Heartbeat { client, stale }),
        1 => client.clone().prop_map(|client| Act::Leave { client }),
        2 => (client, any::<bool>()).prop_map(|(client, simple)| Act::Commit { client, simple }),
        1 => (1..3u64).prop_map(|producer| Act::CommitInTransaction { producer }),
        1 => (1..3u64, any::<bool>()).prop_map(|(producer, commit)| Act::EndTransaction { producer, commit }),
        1 => Just(Act::DeleteGroup),
        5 => prop_oneof![0..20u64, 1_000..12_000u64, 50_000..700_000u64].prop_map(|millis| Act::Wait { millis }),
        1 => Just(Act::Move),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_coordinator_keeps_its_rules(
        release in prop::sample::select(Release::ALL.to_vec()),
        (delay, max_size, linger, replication) in (prop_oneof![Just(0), Just(3_000u64)], 2..5u32, 0..8u64, 0..5u64),
        acts in prop::collection::vec(act(), 1..120),
    ) {
        let mut config = CoordinatorConfig::defaults(Switches::of(release));
        config.initial_rebalance_delay = Span::from_millis(delay);
        config.max_size = max_size;
        config.offsets_retention = Span::from_secs(60);
        config.write_latency.linger = Span::from_millis(linger);
        config.write_latency.replication = Span::from_millis(replication);
        let mut world = World::new(config);
        for act in acts {
            world.act(act);
            world.check_group(max_size);
        }
    }
}

/// A coordinator and what its clients know.
struct World {
    coordinator: Coordinator,
    clock: Instant,
    wakes: BTreeMap<(Instant, u64), CoordinatorTimer>,
    asked: u64,
    tickets: u64,
    /// Requests without an answer, and whose JoinGroup or SyncGroup they are.
    open: BTreeMap<Ticket, u32>,
    ids: [Option<MemberId>; 4],
    generations: [i32; 4],
    generation: i32,
    state: GroupState,
    members: BTreeSet<MemberId>,
    fx: CoordinatorEffects,
}

impl World {
    fn new(config: CoordinatorConfig) -> Self {
        let mut world = World {
            coordinator: Coordinator::new(config),
            clock: Instant::ZERO,
            wakes: BTreeMap::new(),
            asked: 0,
            tickets: 0,
            open: BTreeMap::new(),
            ids: [None; 4],
            generations: [-1; 4],
            generation: 0,
            state: GroupState::Empty,
            members: BTreeSet::new(),
            fx: CoordinatorEffects::default(),
        };
        world.coordinator.on_timer(Instant::ZERO, CoordinatorTimer::ExpireOffsets, &mut world.fx);
        world.listen();
        world
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::Join { client, known, is_static, protocols, session, version } => {
                let instance = (is_static && client < 2).then_some(InstanceId(client));
                let offered = ["range", "roundrobin"].into_iter().enumerate().filter(|(bit, _)| protocols & (1 << bit) != 0);
                self.ask(
                    client,
                    GroupRequest::Join(JoinGroup {
                        client: ClientId(client),
                        member: self.ids[client as usize].filter(|_| known),
                        instance,
                        session_timeout: Span::from_millis(session),
                        rebalance_timeout: Span::from_millis(session * 2),
                        protocol_type: "consumer".into(),
                        protocols: offered
                            .map(|(_, name)| ProtocolEntry { name: name.into(), metadata: Subscription::default() })
                            .collect(),
                        version,
                    }),
                );
            }
            Act::Sync { client, stale } => {
                let assignments = self.members.iter().map(|member| (*member, vec![partition(member.number)])).collect();
                let (member, generation) = self.membership(client, stale);
                let sync = SyncGroup { member, instance: None, generation, protocol_type: None, protocol: None, assignments };
                self.ask(client, GroupRequest::Sync(sync));
            }
            Act::Heartbeat { client, stale } => {
                let (member, generation) = self.membership(client, stale);
                self.ask(client, GroupRequest::Heartbeat(Heartbeat { member, instance: None, generation }));
            }
            Act::Leave { client } => {
                self.ask(client, GroupRequest::Leave(LeaveGroup { members: vec![(self.ids[client as usize], None)] }));
            }
            Act::Commit { client, simple } => {
                let (member, generation) = if simple { (None, -1) } else { self.membership(client, false) };
                let offsets = vec![(partition(client), Offset(self.tickets), 0)];
                let commit = OffsetCommit { member, instance: None, generation, offsets, version: 9, kind: CommitKind::Sync };
                self.ask(client, GroupRequest::OffsetCommit(commit));
            }
            Act::CommitInTransaction { producer } => {
                let offsets = vec![(partition(0), Offset(self.tickets), 0)];
                let commit = TxnOffsetCommit { producer, member: None, instance: None, generation: -1, offsets };
                self.ask(0, GroupRequest::TxnOffsetCommit(commit));
            }
            Act::EndTransaction { producer, commit } => {
                self.coordinator.on_transaction_end(self.clock, producer, commit, &mut self.fx);
                self.listen();
            }
            Act::DeleteGroup => self.ask(0, GroupRequest::DeleteGroup),
            Act::Wait { millis } => self.wait(Span::from_millis(millis)),
            Act::Move => self.move_away_and_back(),
        }
    }

    fn membership(&self, client: u32, stale: bool) -> (Option<MemberId>, i32) {
        (self.ids[client as usize], self.generations[client as usize] - i32::from(stale))
    }

    fn ask(&mut self, client: u32, request: GroupRequest) {
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        self.open.insert(ticket, client);
        self.coordinator.on_request(self.clock, ticket, GROUP, request, &mut self.fx);
        self.listen();
    }

    fn wait(&mut self, span: Span) {
        let to = self.clock + span;
        while let Some(entry) = self.wakes.first_entry().filter(|entry| entry.key().0 <= to) {
            let ((at, _), timer) = entry.remove_entry();
            assert!(at >= self.clock, "a wake-up is never asked for in the past");
            self.clock = at;
            self.coordinator.on_timer(at, timer, &mut self.fx);
            self.listen();
        }
        self.clock = to;
        if let Some((at, _, timer)) = self.coordinator.timers().next() {
            assert!(at > to, "{timer:?} was due at {at} and nobody was woken");
        }
    }

    fn move_away_and_back(&mut self) {
        self.coordinator.unload(self.clock, &mut self.fx);
        self.listen();
        self.coordinator.start_loading();
        self.coordinator.loaded(self.clock, &mut self.fx);
        self.listen();
        if self.coordinator.group(GROUP).is_none() {
            // It was never written.
            assert!(self.members.is_empty(), "all were forgotten");
            (self.state, self.generation) = (GroupState::Empty, 0);
        }
    }

    fn listen(&mut self) {
        for (at, timer) in std::mem::take(&mut self.fx.wakes) {
            self.asked += 1;
            self.wakes.insert((at, self.asked), timer);
        }
        let said = std::mem::take(&mut self.fx.facts);
        said.iter().for_each(|(_, fact)| self.fold(fact));
        for answer in std::mem::take(&mut self.fx.sends) {
            let client = self.open.remove(&answer.ticket).expect("a request is answered once at most");
            if let GroupResponse::Join(join) = answer.response
                && let Some(member) = join.member
            {
                self.ids[client as usize] = Some(member);
                if join.error == ErrorCode::None {
                    self.generations[client as usize] = join.generation;
                }
            }
        }
    }

    /// The group as the facts have it.
    fn fold(&mut self, fact: &TraceEvent) {
        match fact {
            TraceEvent::GroupStateChanged { from, to, generation, .. } => {
                assert_eq!(*from, self.state, "the trace leaves no change of state out");
                let is_read = *from == GroupState::Dead;
                assert!(is_read || *generation >= self.generation, "generations go back only to what was written");
                (self.state, self.generation) = (*to, *generation);
            }
            TraceEvent::MemberAdded { member, .. } => assert!(self.members.insert(*member), "added once"),
            TraceEvent::MemberRemoved { member, .. } => assert!(self.members.remove(member), "only members are removed"),
            TraceEvent::MemberReplaced { old, new, .. } => {
                assert!(self.members.remove(old), "only members are replaced");
                assert!(self.members.insert(*new), "the new id is new");
            }
            TraceEvent::GroupDeleted { .. } => {
                assert!(self.members.is_empty(), "a group with members is not deleted");
                (self.state, self.generation) = (GroupState::Empty, 0);
            }
            TraceEvent::JoinPhaseEnded { generation, members, leader, .. } => {
                assert_eq!(*generation, self.generation + 1, "one generation after the other");
                assert_eq!(*members as usize, self.members.len());
                assert_eq!(leader.is_some(), *members > 0);
            }
            _ => {}
        }
    }

    fn check_group(&self, max_size: u32) {
        let Some(group) = self.coordinator.group(GROUP).and_then(Group::as_classic) else {
            assert!(self.members.is_empty());
            return;
        };
        assert_eq!(group.state(), self.state);
        let members: BTreeSet<MemberId> = group.members().map(|member| member.id).collect();
        assert_eq!(members, self.members, "the facts tell who is a member");
        match group.state() {
            GroupState::Empty => assert!(members.is_empty()),
            GroupState::PreparingRebalance => {}
            GroupState::CompletingRebalance | GroupState::Stable => {
                assert!(!members.is_empty() && members.len() <= max_size as usize);
                assert!(group.leader().is_some_and(|leader| members.contains(&leader)));
                assert!(group.protocol().is_some(), "somebody's vote was valid");
                assert!(group.members().all(|member| !member.is_new));
            }
            GroupState::Dead => panic!("a dead group is not kept"),
        }
        for member in group.members() {
            for ticket in member.join.into_iter().chain(member.sync) {
                assert!(self.open.contains_key(&ticket), "what is parked is not answered yet");
            }
            let watched = CoordinatorTimer::Heartbeat(GROUP, member.id);
            let parked = member.join.is_some() || member.sync.is_some();
            assert!(parked || self.coordinator.timers().deadline(watched).is_some(), "nobody stays unwatched");
        }
    }
}

fn partition(number: u32) -> TopicPartition {
    TopicPartition { topic: TopicId(0), partition: number }
}

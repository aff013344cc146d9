//! Random members of KIP-848 groups, of both protocols: whatever they do, no partition has two owners, and in the end all is as the target has it.

use std::collections::{BTreeMap, BTreeSet};

use groupsim::kafka::coordinator::Coordinator;
use groupsim::kafka::coordinator::shard::{CoordinatorConfig, CoordinatorEffects, Ticket};
use groupsim::kafka::coordinator::timers::CoordinatorTimer;
use groupsim::kafka::group::consumer::ConsumerGroup;
use groupsim::kafka::message::{ConsumerHeartbeat, GroupRequest, GroupResponse, JoinGroup, ProtocolEntry, Subscription};
use groupsim::kafka::release::Switches;
use groupsim::release::Release;
use groupsim::terms::{ConsumerGroupState, ErrorCode, MemberState};
use groupsim::units::{ClientId, GroupId, InstanceId, Instant, MemberId, Span, TopicId, TopicPartition};
use proptest::prelude::*;

const GROUP: GroupId = GroupId(0);
const MEMBERS: u32 = 4;

#[derive(Clone, Debug)]
enum Act {
    Join { member: u32, topics: u8 },
    Beat { member: u32, acknowledges: bool },
    Subscribe { member: u32, topics: u8 },
    Leave { member: u32, for_now: bool },
    JoinClassic { member: u32 },
    Grow { topic: u32 },
    Delete { topic: u32 },
    Wait { millis: u64 },
    Move,
}

fn act() -> impl Strategy<Value = Act> {
    let member = 0..MEMBERS;
    prop_oneof![
        4 => (member.clone(), 1..4u8).prop_map(|(member, topics)| Act::Join { member, topics }),
        10 => (member.clone(), any::<bool>()).prop_map(|(member, acknowledges)| Act::Beat { member, acknowledges }),
        1 => (member.clone(), 0..4u8).prop_map(|(member, topics)| Act::Subscribe { member, topics }),
        1 => (member.clone(), any::<bool>()).prop_map(|(member, for_now)| Act::Leave { member, for_now }),
        1 => member.prop_map(|member| Act::JoinClassic { member }),
        1 => (0..2u32).prop_map(|topic| Act::Grow { topic }),
        1 => (0..2u32).prop_map(|topic| Act::Delete { topic }),
        3 => prop_oneof![1..2_000u64, 20_000..70_000u64].prop_map(|millis| Act::Wait { millis }),
        1 => Just(Act::Move),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_partition_has_two_owners_and_everybody_gets_its_target(
        release in prop::sample::select(Release::ALL.iter().copied().filter(|release| *release >= Release::V4_0_0).collect::<Vec<_>>()),
        acts in prop::collection::vec(act(), 1..100),
    ) {
        let mut world = World::new(release);
        for act in acts {
            world.act(act);
            world.check();
        }
        world.settle();
    }
}

/// A member as its client has it.
#[derive(Clone, Default)]
struct Client {
    epoch: i32,
    owned: BTreeSet<TopicPartition>,
    target: BTreeSet<TopicPartition>,
}

struct World {
    coordinator: Coordinator,
    clock: Instant,
    tickets: u64,
    clients: BTreeMap<u32, Client>,
    partitions: [u32; 2],
    epoch: i32,
    fx: CoordinatorEffects,
}

fn topics(bits: u8) -> Vec<TopicId> {
    (0..2).filter(|topic| bits & (1 << topic) != 0).map(TopicId).collect()
}

/// The first two are static.
fn instance(member: u32) -> Option<InstanceId> {
    (member < 2).then_some(InstanceId(member))
}

fn id(member: u32) -> MemberId {
    MemberId { client: ClientId(member), number: 1 }
}

impl World {
    fn new(release: Release) -> Self {
        let mut world = World {
            coordinator: Coordinator::new(CoordinatorConfig::defaults(Switches::of(release))),
            clock: Instant::ZERO,
            tickets: 0,
            clients: BTreeMap::new(),
            partitions: [3, 2],
            epoch: 0,
            fx: CoordinatorEffects::default(),
        };
        world.coordinator.on_topic_image(TopicId(0), 3);
        world.coordinator.on_topic_image(TopicId(1), 2);
        world
    }

    fn group(&self) -> Option<&ConsumerGroup> {
        self.coordinator.consumer_group(GROUP)
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::Join { member, topics: bits } => {
                self.clients.insert(member, Client::default());
                self.beat(member, 0, Some(topics(bits)), true);
            }
            Act::Beat { member, acknowledges } => {
                if let Some(client) = self.clients.get_mut(&member) {
                    if acknowledges {
                        client.owned = client.target.clone();
                    }
                    let epoch = client.epoch;
                    self.beat(member, epoch, None, acknowledges);
                }
            }
            Act::Subscribe { member, topics: bits } => {
                if let Some(client) = self.clients.get(&member) {
                    self.beat(member, client.epoch, Some(topics(bits)), false);
                }
            }
            Act::Leave { member, for_now } => {
                if self.clients.remove(&member).is_some() {
                    let epoch = if for_now && instance(member).is_some() { -2 } else { -1 };
                    self.beat(member, epoch, None, false);
                }
            }
            Act::JoinClassic { member } => self.join_classic(member),
            Act::Grow { topic } => {
                self.partitions[topic as usize] += 1;
                self.coordinator.on_topic_image(TopicId(topic), self.partitions[topic as usize]);
            }
            Act::Delete { topic } => self.coordinator.on_topic_deleted(self.clock, TopicId(topic), &mut self.fx),
            Act::Wait { millis } => self.wait(Span::from_millis(millis)),
            Act::Move => {
                self.coordinator.unload(self.clock, &mut self.fx);
                self.coordinator.start_loading();
                self.coordinator.loaded(self.clock, &mut self.fx);
            }
        }
        self.fx = CoordinatorEffects::default();
    }

    fn ask(&mut self, request: GroupRequest) -> Option<GroupResponse> {
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        self.coordinator.on_request(self.clock, ticket, GROUP, request, &mut self.fx);
        self.fx.sends.drain(..).find(|answer| answer.ticket == ticket).map(|answer| answer.response)
    }

    fn beat(&mut self, member: u32, epoch: i32, topics: Option<Vec<TopicId>>, tells_owned: bool) {
        let owned = self.clients.get(&member).map(|client| client.owned.iter().copied().collect()).filter(|_| tells_owned);
        let request = ConsumerHeartbeat {
            member: Some(id(member)),
            epoch,
            instance: instance(member),
            rebalance_timeout: (epoch == 0).then(|| Span::from_secs(30)),
            topics,
            pattern: None,
            assignor: None,
            owned,
        };
        let Some(GroupResponse::ConsumerHeartbeat(answer)) = self.ask(GroupRequest::ConsumerHeartbeat(request)) else {
            panic!("a heartbeat is answered at once");
        };
        if answer.error != ErrorCode::None || epoch < 0 {
            self.clients.remove(&member);
            return;
        }
        let client = self.clients.get_mut(&member).expect("it has just spoken");
        client.epoch = answer.epoch;
        if let Some(assignment) = answer.assignment {
            client.target = assignment.into_iter().collect();
        }
    }

    fn join_classic(&mut self, member: u32) {
        if self.group().is_none_or(ConsumerGroup::is_empty) || self.clients.contains_key(&member) {
            return;
        }
        let metadata = Subscription { topics: topics(3), ..Subscription::default() };
        let request = JoinGroup {
            client: ClientId(member + MEMBERS),
            member: Some(MemberId { client: ClientId(member + MEMBERS), number: 1 }),
            instance: None,
            session_timeout: Span::from_secs(10),
            rebalance_timeout: Span::from_secs(20),
            protocol_type: "consumer".into(),
            protocols: vec![ProtocolEntry { name: "range".into(), metadata }],
            version: 9,
        };
        let answer = self.ask(GroupRequest::Join(request));
        assert!(matches!(answer, Some(GroupResponse::Join(join)) if join.error == ErrorCode::None), "it is answered at once");
    }

    fn wait(&mut self, span: Span) {
        let to = self.clock + span;
        while let Some((at, _, timer)) = self.coordinator.timers().next().filter(|(at, _, _)| *at <= to) {
            self.clock = at;
            self.coordinator.on_timer(at, timer, &mut self.fx);
            self.check();
        }
        self.clock = to;
    }

    /// What always holds.
    fn check(&mut self) {
        let Some(group) = self.coordinator.consumer_group(GROUP) else {
            self.epoch = 0;
            return;
        };
        assert!(group.target().epoch <= group.epoch(), "a target is computed for an epoch that the group has reached");
        let mut owned = BTreeSet::new();
        for member in group.members() {
            let holding = &member.holding;
            assert!(holding.epoch <= group.epoch(), "a member is not ahead of its group");
            assert!(holding.partitions().all(|partition| owned.insert(partition)), "no partition has two owners");
            let revoking = holding.state == MemberState::UnrevokedPartitions && !member.is_away();
            assert!(!revoking || !holding.pending_revocation.is_empty(), "who revokes has something to give up");
            let timer = CoordinatorTimer::Revocation(GROUP, member.id);
            let timed = self.coordinator.timers().deadline(timer).is_some();
            assert!(!revoking || timed || member.classic.is_some(), "a revocation is timed");
            let session = CoordinatorTimer::Session(GROUP, member.id);
            assert!(self.coordinator.timers().deadline(session).is_some(), "nobody stays unwatched");
        }
        let targets: Vec<TopicPartition> = group.target().assignments.values().flatten().copied().collect();
        assert_eq!(targets.len(), targets.iter().collect::<BTreeSet<_>>().len(), "a target gives a partition once");
    }

    /// Everybody that is silent expires; those that speak do as they are told. Then everybody has its target.
    fn settle(&mut self) {
        for _ in 0..40 {
            for member in self.clients.keys().copied().collect::<Vec<_>>() {
                self.act(Act::Beat { member, acknowledges: true });
                self.check();
            }
            self.wait(Span::from_secs(5));
        }
        let Some(group) = self.group().filter(|group| !group.is_empty()) else { return };
        assert_eq!(group.state(), ConsumerGroupState::Stable, "{group:?}");
        for member in group.members() {
            let held: BTreeSet<TopicPartition> = member.holding.assigned.keys().copied().collect();
            assert_eq!(Some(&held), group.target().assignments.get(&member.id), "a member has its target in the end");
        }
    }
}

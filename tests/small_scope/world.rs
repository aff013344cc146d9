//! A coordinator, two processes, and what may happen to them.

use std::collections::BTreeSet;

use groupsim::kafka::coordinator::Coordinator;
use groupsim::kafka::coordinator::shard::{CoordinatorConfig, CoordinatorEffects, Ticket};
use groupsim::kafka::coordinator::timers::CoordinatorTimer;
use groupsim::kafka::group::Group;
use groupsim::kafka::message::{GroupRequest, GroupResponse};
use groupsim::kafka::release::Switches;
use groupsim::release::Release;
use groupsim::terms::{ConsumerGroupState, GroupState};
use groupsim::units::{ClientId, GroupId, Instant, MemberId, Span, TopicId, TopicPartition};

use crate::classic::ClassicMember;
use crate::consumer::ConsumerMember;

pub const GROUP: GroupId = GroupId(0);
pub const TOPIC: TopicId = TopicId(0);

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Protocol {
    Eager,
    Cooperative,
    Consumer,
}

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Disturbance {
    Crash(usize),
    /// A crash, and the next life.
    Restart(usize),
    Leave(usize),
    /// The coordinator gives up the member, which lives and does not know.
    Expire(usize),
    /// The shard moves to a broker that reads it from the log.
    Failover,
}

impl Disturbance {
    pub fn all() -> Vec<Disturbance> {
        let each =
            |member| [Disturbance::Crash(member), Disturbance::Restart(member), Disturbance::Leave(member), Disturbance::Expire(member)];
        (0..2).flat_map(each).chain([Disturbance::Failover]).collect()
    }
}

#[derive(Clone, Debug)]
pub enum Process {
    Classic(ClassicMember),
    Consumer(ConsumerMember),
}

impl Process {
    pub fn owned(&self) -> &BTreeSet<TopicPartition> {
        match self {
            Process::Classic(member) => &member.owned,
            Process::Consumer(member) => &member.owned,
        }
    }

    fn id(&self) -> Option<MemberId> {
        match self {
            Process::Classic(member) => member.id,
            Process::Consumer(member) => Some(member.id),
        }
    }
}

#[derive(Clone)]
pub struct World {
    pub protocol: Protocol,
    pub partitions: u32,
    coordinator: Coordinator,
    clock: Instant,
    tickets: u64,
    processes: [Option<Process>; 2],
    lives: [u32; 2],
    /// Requests without an answer, and whose they are.
    open: Vec<(Ticket, usize)>,
}

impl World {
    /// So many members have joined and are stable; the other one is about to.
    pub fn started(protocol: Protocol, joined: usize) -> Self {
        let mut config = CoordinatorConfig::defaults(Switches::of(Release::V4_3_1));
        config.initial_rebalance_delay = Span::ZERO;
        let mut world = World {
            protocol,
            partitions: 2,
            coordinator: Coordinator::new(config),
            clock: Instant::ZERO,
            tickets: 0,
            processes: [None, None],
            lives: [0, 0],
            open: Vec::new(),
        };
        world.coordinator.on_topic_image(TOPIC, world.partitions);
        for member in 0..joined {
            world.start(member);
            world.calm_down();
        }
        for member in joined..2 {
            world.start(member);
        }
        world
    }

    pub fn all_partitions(&self) -> BTreeSet<TopicPartition> {
        (0..self.partitions).map(|partition| TopicPartition { topic: TOPIC, partition }).collect()
    }

    fn start(&mut self, member: usize) {
        self.lives[member] += 1;
        let client = ClientId(member as u32);
        self.processes[member] = Some(match self.protocol {
            Protocol::Eager => Process::Classic(ClassicMember::new(client, false)),
            Protocol::Cooperative => Process::Classic(ClassicMember::new(client, true)),
            Protocol::Consumer => Process::Consumer(ConsumerMember::new(MemberId { client, number: self.lives[member] })),
        });
    }

    fn die(&mut self, member: usize) {
        self.processes[member] = None;
        self.open.retain(|(_, asker)| *asker != member);
    }

    /// The next thing that a member does, if it is alive and does not wait for an answer.
    pub fn step(&mut self, member: usize) {
        if self.open.iter().any(|(_, asker)| *asker == member) {
            return;
        }
        let all = self.all_partitions();
        let request = match &mut self.processes[member] {
            None => None,
            Some(Process::Classic(process)) => process.step(&all),
            Some(Process::Consumer(process)) => process.step(),
        };
        if let Some(request) = request {
            self.ask(member, request);
        }
    }

    pub fn disturb(&mut self, disturbance: Disturbance) {
        match disturbance {
            Disturbance::Crash(member) => self.die(member),
            Disturbance::Restart(member) => {
                self.die(member);
                self.start(member);
            }
            Disturbance::Leave(member) => self.leave(member),
            Disturbance::Expire(member) => self.expire(member),
            Disturbance::Failover => {
                let mut fx = CoordinatorEffects::default();
                self.coordinator.unload(self.clock, &mut fx);
                self.coordinator.start_loading();
                self.coordinator.loaded(self.clock, &mut fx);
                self.deliver(fx);
            }
        }
        self.pass(Span::from_millis(20));
    }

    fn leave(&mut self, member: usize) {
        let request = self.processes[member].as_ref().and_then(|process| match process {
            Process::Classic(process) => process.leave(),
            Process::Consumer(process) => Some(process.leave()),
        });
        self.die(member);
        if let Some(request) = request {
            // Nobody waits for the answer.
            self.ask(member, request);
            self.open.retain(|(_, asker)| *asker != member);
        }
    }

    fn expire(&mut self, member: usize) {
        let Some(id) = self.processes[member].as_ref().and_then(Process::id) else { return };
        let mut fx = CoordinatorEffects::default();
        for timer in [CoordinatorTimer::Heartbeat(GROUP, id), CoordinatorTimer::Session(GROUP, id)] {
            if self.coordinator.timers().deadline(timer).is_some() {
                self.coordinator.fire(self.clock, timer, &mut fx);
            }
        }
        self.deliver(fx);
    }

    fn ask(&mut self, member: usize, request: GroupRequest) {
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        self.open.push((ticket, member));
        let mut fx = CoordinatorEffects::default();
        self.coordinator.on_request(self.clock, ticket, GROUP, request, &mut fx);
        self.deliver(fx);
        // What is written is stored by then.
        self.pass(Span::from_millis(20));
    }

    fn deliver(&mut self, fx: CoordinatorEffects) {
        for answer in fx.sends {
            let Some(at) = self.open.iter().position(|(ticket, _)| *ticket == answer.ticket) else { continue };
            let (_, member) = self.open.remove(at);
            match (&mut self.processes[member], answer.response) {
                (Some(Process::Classic(process)), response) => process.on_answer(response),
                (Some(Process::Consumer(process)), GroupResponse::ConsumerHeartbeat(answer)) => process.on_answer(answer),
                (Some(Process::Consumer(_)), other) => panic!("a heartbeat was answered by {other:?}"),
                (None, _) => {}
            }
        }
    }

    fn pass(&mut self, span: Span) {
        let to = self.clock + span;
        while let Some((at, _, timer)) = self.coordinator.timers().next().filter(|(at, _, _)| *at <= to) {
            self.clock = self.clock.max(at);
            let mut fx = CoordinatorEffects::default();
            self.coordinator.on_timer(self.clock, timer, &mut fx);
            self.deliver(fx);
        }
        self.clock = to;
    }

    /// Everybody acts in turn, every three seconds, for longer than any timeout.
    fn calm_down(&mut self) {
        for _ in 0..25 {
            (0..2).for_each(|member| self.step(member));
            self.pass(Span::from_secs(3));
        }
    }

    pub fn settle(&mut self) -> Result<(), String> {
        for _ in 0..25 {
            (0..2).for_each(|member| self.step(member));
            self.check()?;
            self.pass(Span::from_secs(3));
        }
        self.check()?;
        self.converged()
    }

    /// Those that live share all partitions, and the group is at rest.
    pub fn converged(&self) -> Result<(), String> {
        let lives: Vec<&Process> = self.processes.iter().flatten().collect();
        let owned: BTreeSet<TopicPartition> = lives.iter().flat_map(|process| process.owned().iter().copied()).collect();
        let at_rest = match self.coordinator.group(GROUP) {
            None => lives.is_empty(),
            Some(Group::Classic(group)) if lives.is_empty() => group.state() == GroupState::Empty,
            Some(Group::Classic(group)) => group.state() == GroupState::Stable,
            Some(Group::Consumer(group)) if lives.is_empty() => group.state() == ConsumerGroupState::Empty,
            Some(Group::Consumer(group)) => group.state() == ConsumerGroupState::Stable,
        };
        if at_rest && (lives.is_empty() || owned == self.all_partitions()) {
            return Ok(());
        }
        Err(format!("EventuallyConverges: {:?} have {owned:?}, and the group is {:?}", self.processes, self.coordinator.group(GROUP)))
    }

    /// What holds at any time.
    pub fn check(&self) -> Result<(), String> {
        let mut given = BTreeSet::new();
        for process in self.processes.iter().flatten().filter(|process| process.id().is_some_and(|id| self.has_member(id))) {
            for partition in process.owned() {
                if !given.insert(*partition) {
                    return Err(format!("NoDoubleAssignment: {partition:?} is owned twice: {:?}", self.processes));
                }
            }
        }
        match self.coordinator.group(GROUP) {
            Some(Group::Consumer(group)) => crate::consumer::check(group, &self.all_partitions()),
            Some(Group::Classic(_)) => self.check_leader(),
            None => Ok(()),
        }
    }

    fn check_leader(&self) -> Result<(), String> {
        let leaders = self.processes.iter().flatten().filter_map(|process| match process {
            Process::Classic(member) => member.handed_out.as_ref().map(|shares| (member, shares)),
            Process::Consumer(_) => None,
        });
        for (leader, shares) in leaders {
            let mut all = BTreeSet::new();
            for partition in shares {
                if !all.insert(*partition) {
                    return Err(format!("LegalTargetAssignment: {partition:?} is handed out twice by {leader:?}"));
                }
            }
            // A cooperative leader keeps back what has to be given up first.
            if !all.is_subset(&self.all_partitions()) || self.protocol == Protocol::Eager && all != self.all_partitions() {
                return Err(format!("LegalTargetAssignment: {shares:?} of {leader:?}"));
            }
        }
        Ok(())
    }

    fn has_member(&self, id: MemberId) -> bool {
        match self.coordinator.group(GROUP) {
            Some(Group::Classic(group)) => group.members().any(|member| member.id == id),
            Some(Group::Consumer(group)) => group.members().any(|member| member.id == id),
            None => false,
        }
    }

    /// For the test of the tests.
    pub fn give_everything(&mut self, member: usize) {
        let all = self.all_partitions();
        if let Some(Process::Consumer(process)) = &mut self.processes[member] {
            process.owned = all;
        }
    }

    /// The same: a member that forgot what it has.
    pub fn forget_everything(&mut self, member: usize) {
        if let Some(Process::Consumer(process)) = &mut self.processes[member] {
            process.owned.clear();
        }
    }
}

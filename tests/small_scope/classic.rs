//! As little of a classic client as there can be, eager or cooperative.

use std::collections::BTreeSet;

use groupsim::kafka::assignor::{Assignor, Member, Topic};
use groupsim::kafka::message::{
    GroupRequest, GroupResponse, Heartbeat, JoinAnswer, JoinGroup, LeaveGroup, ProtocolEntry, Subscription, SyncAnswer, SyncGroup,
};
use groupsim::terms::ErrorCode;
use groupsim::units::{ClientId, MemberId, Span, TopicPartition};

use crate::world::TOPIC;

#[derive(Clone, Debug)]
enum Phase {
    Unjoined,
    Joined(JoinAnswer),
    Stable,
}

#[derive(Clone, Debug)]
pub struct ClassicMember {
    client: ClientId,
    is_cooperative: bool,
    pub id: Option<MemberId>,
    generation: i32,
    phase: Phase,
    pub owned: BTreeSet<TopicPartition>,
    /// As the leader: what it last handed out.
    pub handed_out: Option<Vec<TopicPartition>>,
}

impl ClassicMember {
    pub fn new(client: ClientId, is_cooperative: bool) -> Self {
        ClassicMember { client, is_cooperative, id: None, generation: -1, phase: Phase::Unjoined, owned: BTreeSet::new(), handed_out: None }
    }

    fn assignor(&self) -> Assignor {
        if self.is_cooperative { Assignor::CooperativeSticky } else { Assignor::Range }
    }

    pub fn step(&mut self, all: &BTreeSet<TopicPartition>) -> Option<GroupRequest> {
        match std::mem::replace(&mut self.phase, Phase::Unjoined) {
            Phase::Unjoined => {
                // onJoinPrepare: an eager member gives everything up, a cooperative one that is out of the group has lost it.
                if !self.is_cooperative || self.generation < 0 {
                    self.owned.clear();
                }
                Some(GroupRequest::Join(self.join()))
            }
            Phase::Joined(answer) => {
                let assignments = if answer.leader == self.id { self.hand_out(&answer, all) } else { Vec::new() };
                self.phase = Phase::Joined(answer);
                Some(GroupRequest::Sync(SyncGroup {
                    member: self.id,
                    instance: None,
                    generation: self.generation,
                    protocol_type: None,
                    protocol: None,
                    assignments,
                }))
            }
            Phase::Stable => {
                self.phase = Phase::Stable;
                Some(GroupRequest::Heartbeat(Heartbeat { member: self.id, instance: None, generation: self.generation }))
            }
        }
    }

    pub fn leave(&self) -> Option<GroupRequest> {
        self.id.map(|id| GroupRequest::Leave(LeaveGroup { members: vec![(Some(id), None)] }))
    }

    fn join(&self) -> JoinGroup {
        let owned = self.owned.iter().copied().collect();
        let owned_generation = (self.is_cooperative && self.generation >= 0).then_some(self.generation);
        let metadata = Subscription { topics: vec![TOPIC], owned, owned_generation, ..Subscription::default() };
        JoinGroup {
            client: self.client,
            member: self.id,
            instance: None,
            session_timeout: Span::from_secs(10),
            rebalance_timeout: Span::from_secs(20),
            protocol_type: "consumer".into(),
            protocols: vec![ProtocolEntry { name: self.assignor().name().into(), metadata }],
            version: 9,
        }
    }

    fn hand_out(&mut self, answer: &JoinAnswer, all: &BTreeSet<TopicPartition>) -> Vec<(MemberId, Vec<TopicPartition>)> {
        let topics = [Topic { name: "t", partitions: all.len() as u32 }];
        let ids: Vec<String> = answer.members.iter().map(|joined| format!("{:?}", joined.member)).collect();
        let members: Vec<Member<'_>> = answer
            .members
            .iter()
            .zip(&ids)
            .map(|(joined, id)| {
                let Subscription { topics, owned, owned_generation, .. } = &joined.metadata;
                Member { id, topics, owned, generation: *owned_generation, ..Member::default() }
            })
            .collect();
        let shares = self.assignor().assign(&topics, &members).expect("there are members");
        self.handed_out = Some(shares.iter().flatten().copied().collect());
        answer.members.iter().map(|joined| joined.member).zip(shares).collect()
    }

    pub fn on_answer(&mut self, response: GroupResponse) {
        match response {
            GroupResponse::Join(answer) => self.on_join(answer),
            GroupResponse::Sync(answer) => self.on_sync(answer),
            GroupResponse::Heartbeat(error) => self.on_error(error),
            other => panic!("{self:?} was answered {other:?}"),
        }
    }

    fn on_join(&mut self, answer: JoinAnswer) {
        match answer.error {
            ErrorCode::None => {
                (self.id, self.generation) = (answer.member, answer.generation);
                self.phase = Phase::Joined(answer);
            }
            ErrorCode::MemberIdRequired => self.id = answer.member,
            error => self.on_error(error),
        }
    }

    fn on_sync(&mut self, answer: SyncAnswer) {
        if answer.error != ErrorCode::None {
            self.on_error(answer.error);
            return;
        }
        let assigned: BTreeSet<TopicPartition> = answer.assignment.unwrap_or_default().into_iter().collect();
        // What a cooperative member gave up is handed out in the next generation, for which it joins again.
        let gives_up = self.is_cooperative && !self.owned.is_subset(&assigned);
        self.owned = assigned;
        self.phase = if gives_up { Phase::Unjoined } else { Phase::Stable };
    }

    fn on_error(&mut self, error: ErrorCode) {
        match error {
            ErrorCode::None => {}
            ErrorCode::RebalanceInProgress => self.phase = Phase::Unjoined,
            // Whoever is out of the group joins as somebody new; of an older generation, as who it is.
            ErrorCode::UnknownMemberId => (self.phase, self.id, self.generation) = (Phase::Unjoined, None, -1),
            ErrorCode::IllegalGeneration => (self.phase, self.generation) = (Phase::Unjoined, -1),
            // It asks the next broker; instead of a SyncGroup again it sends a JoinGroup.
            ErrorCode::NotCoordinator => {
                if let Phase::Joined(_) = self.phase {
                    self.phase = Phase::Unjoined;
                }
            }
            other => panic!("{self:?} was refused with {other:?}"),
        }
    }
}

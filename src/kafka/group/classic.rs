//! A group of the classic protocol: its members and what is known of them.
//!
//! Origin: ClassicGroup and ClassicGroupMember. Members stand in the order in which their ids were given out; Kafka iterates a HashMap of
//! random ids instead, so whatever hangs on that order (the next leader, the order of timers) is arbitrary there and fixed here.

use std::collections::{BTreeMap, BTreeSet};

use crate::kafka::coordinator::shard::Ticket;
use crate::kafka::message::{Assignment, JoinedMember, ProtocolEntry, Subscription};
use crate::terms::{ErrorCode, GroupState, Name};
use crate::units::{GroupId, InstanceId, Instant, MemberId, Span, TopicId};

pub mod join;
pub mod leave;
pub mod rebalance;
pub mod session;
pub mod state;
pub mod static_member;
pub mod stored;
pub mod sync;

/// The protocol type of consumers; others (Kafka Connect) store offsets in their own way.
const CONSUMER: &str = "consumer";

#[derive(Clone, Debug)]
pub struct ClassicGroup {
    pub id: GroupId,
    state: GroupState,
    previous_state: GroupState,
    /// When the state was entered.
    since: Instant,
    generation: i32,
    protocol_type: Option<Name>,
    protocol: Option<Name>,
    leader: Option<MemberId>,
    /// By the place of their ids.
    members: BTreeMap<u64, Member>,
    places: BTreeMap<MemberId, u64>,
    static_members: BTreeMap<InstanceId, MemberId>,
    /// Ids that were given out with MEMBER_ID_REQUIRED and have not joined yet, with their places.
    pending_join: BTreeMap<MemberId, u64>,
    /// Members that have the answer to their JoinGroup and have not sent SyncGroup yet.
    pending_sync: BTreeSet<MemberId>,
    parked_joins: usize,
    /// How many members name a protocol in their list.
    supporters: BTreeMap<Name, usize>,
    /// Somebody became a member since this window of the initial rebalance delay began.
    new_member_added: bool,
    initial_window: Option<InitialWindow>,
    /// `None`: not known, or not a consumer group.
    subscribed_topics: Option<BTreeSet<TopicId>>,
}

/// The window of the initial rebalance delay that the join timer ends.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
struct InitialWindow {
    length: Span,
    remaining: Span,
}

#[derive(Clone, Debug)]
pub struct Member {
    pub id: MemberId,
    pub instance: Option<InstanceId>,
    pub rebalance_timeout: Span,
    pub session_timeout: Span,
    pub protocols: Vec<ProtocolEntry>,
    pub assignment: Assignment,
    /// The JoinGroup that waits for the end of the join phase.
    pub join: Option<Ticket>,
    /// The SyncGroup that waits for the leader's assignment.
    pub sync: Option<Ticket>,
    /// Until the first join phase that it takes part in ends.
    pub is_new: bool,
}

impl Member {
    fn metadata(&self, protocol: Option<&Name>) -> Subscription {
        let entry = self.protocols.iter().find(|entry| Some(&entry.name) == protocol);
        entry.map(|entry| entry.metadata.clone()).unwrap_or_default()
    }
}

impl ClassicGroup {
    pub fn new(id: GroupId, now: Instant) -> Self {
        ClassicGroup {
            id,
            state: GroupState::Empty,
            previous_state: GroupState::Empty,
            since: now,
            generation: 0,
            protocol_type: None,
            protocol: None,
            leader: None,
            members: BTreeMap::new(),
            places: BTreeMap::new(),
            static_members: BTreeMap::new(),
            pending_join: BTreeMap::new(),
            pending_sync: BTreeSet::new(),
            parked_joins: 0,
            supporters: BTreeMap::new(),
            new_member_added: false,
            initial_window: None,
            subscribed_topics: None,
        }
    }

    pub fn generation(&self) -> i32 {
        self.generation
    }

    pub fn protocol_type(&self) -> Option<&Name> {
        self.protocol_type.as_ref()
    }

    pub fn protocol(&self) -> Option<&Name> {
        self.protocol.as_ref()
    }

    pub fn leader(&self) -> Option<MemberId> {
        self.leader
    }

    /// In the order of their ids.
    pub fn members(&self) -> impl ExactSizeIterator<Item = &Member> {
        self.members.values()
    }

    pub fn pending_join(&self) -> impl Iterator<Item = MemberId> + '_ {
        self.pending_join.keys().copied()
    }

    pub fn pending_sync(&self) -> impl Iterator<Item = MemberId> + '_ {
        self.pending_sync.iter().copied()
    }

    fn has(&self, member: MemberId) -> bool {
        self.places.contains_key(&member)
    }

    fn member(&self, id: MemberId) -> Option<&Member> {
        self.places.get(&id).and_then(|place| self.members.get(place))
    }

    fn member_mut(&mut self, id: MemberId) -> Option<&mut Member> {
        self.places.get(&id).and_then(|place| self.members.get_mut(place))
    }

    fn is_leader(&self, member: MemberId) -> bool {
        self.leader == Some(member)
    }

    pub fn uses_consumer_protocol(&self) -> bool {
        self.protocol_type.as_deref() == Some(CONSUMER)
    }

    /// The largest of its members' rebalance timeouts.
    fn rebalance_timeout(&self) -> Span {
        self.members.values().map(|member| member.rebalance_timeout).max().unwrap_or(Span::ZERO)
    }

    fn has_all_members_joined(&self) -> bool {
        self.members.len() == self.parked_joins && self.pending_join.is_empty()
    }

    /// ClassicGroup#validateMember. An instance id that nobody has is not fenced but unknown.
    pub fn validate_member(&self, member: Option<MemberId>, instance: Option<InstanceId>) -> Result<MemberId, ErrorCode> {
        if let Some(instance) = instance {
            let owner = self.static_members.get(&instance).ok_or(ErrorCode::UnknownMemberId)?;
            if Some(*owner) != member {
                return Err(ErrorCode::FencedInstanceId);
            }
        }
        member.filter(|id| self.has(*id)).ok_or(ErrorCode::UnknownMemberId)
    }

    /// ClassicGroup#supportsProtocols: an Empty group takes anything; else one of the protocols must be supported by every member.
    fn supports(&self, protocol_type: &str, protocols: &[ProtocolEntry]) -> bool {
        if self.state == GroupState::Empty {
            return !protocol_type.is_empty() && !protocols.is_empty();
        }
        self.protocol_type.as_deref() == Some(protocol_type) && protocols.iter().any(|entry| self.is_candidate(&entry.name))
    }

    /// Every member supports this protocol.
    fn is_candidate(&self, protocol: &Name) -> bool {
        self.supporters.get(protocol).copied().unwrap_or(0) == self.members.len()
    }

    /// ClassicGroup#add. The first member brings the protocol type and is the leader.
    fn add(&mut self, place: u64, member: Member, protocol_type: &Name) {
        if self.members.is_empty() {
            self.protocol_type = Some(protocol_type.clone());
        }
        self.leader.get_or_insert(member.id);
        self.count_protocols(&member.protocols, true);
        self.parked_joins += usize::from(member.join.is_some());
        if let Some(instance) = member.instance {
            self.static_members.insert(instance, member.id);
        }
        self.pending_join.remove(&member.id);
        self.places.insert(member.id, place);
        self.members.insert(place, member);
    }

    /// ClassicGroup#remove, for members and pending ids alike.
    fn remove(&mut self, id: MemberId) -> Option<Member> {
        let removed = self.places.remove(&id).and_then(|place| self.members.remove(&place));
        if let Some(member) = &removed {
            self.count_protocols(&member.protocols, false);
            self.parked_joins -= usize::from(member.join.is_some());
            if let Some(instance) = member.instance {
                self.static_members.remove(&instance);
            }
        }
        if self.is_leader(id) {
            self.leader = self.members.values().next().map(|member| member.id);
        }
        self.pending_join.remove(&id);
        self.pending_sync.remove(&id);
        removed
    }

    /// ClassicGroup#updateMember with what a JoinGroup says. The request is parked; one that was parked before is never answered.
    fn update_member(&mut self, id: MemberId, protocols: Vec<ProtocolEntry>, rebalance: Span, session: Span, ticket: Ticket) {
        let member = self.member_mut(id).expect("only members are updated");
        let before = std::mem::replace(&mut member.protocols, protocols.clone());
        member.rebalance_timeout = rebalance;
        member.session_timeout = session;
        let was_parked = member.join.replace(ticket).is_some();
        self.parked_joins += usize::from(!was_parked);
        self.count_protocols(&before, false);
        self.count_protocols(&protocols, true);
    }

    /// Takes a parked JoinGroup for its answer.
    fn take_join(&mut self, id: MemberId) -> Option<Ticket> {
        let ticket = self.member_mut(id)?.join.take()?;
        self.parked_joins -= 1;
        Some(ticket)
    }

    fn count_protocols(&mut self, protocols: &[ProtocolEntry], joins: bool) {
        for entry in protocols {
            let count = self.supporters.entry(entry.name.clone()).or_default();
            *count = if joins { *count + 1 } else { *count - 1 };
        }
        self.supporters.retain(|_, count| *count > 0);
    }

    /// What the leader is told: everybody with the metadata of the chosen protocol.
    fn joined_members(&self) -> Vec<JoinedMember> {
        let joined = |member: &Member| JoinedMember {
            member: member.id,
            instance: member.instance,
            metadata: member.metadata(self.protocol.as_ref()),
        };
        self.members.values().map(joined).collect()
    }

    /// ClassicGroup#computeSubscribedTopics.
    fn compute_subscribed_topics(&self) -> Option<BTreeSet<TopicId>> {
        if !self.uses_consumer_protocol() {
            return None;
        }
        if self.members.is_empty() {
            return Some(BTreeSet::new());
        }
        let protocol = self.protocol.as_ref()?;
        Some(self.members.values().flat_map(|member| member.metadata(Some(protocol)).topics).collect())
    }

    pub fn knows_its_topics(&self) -> bool {
        self.subscribed_topics.is_some()
    }

    /// ClassicGroup#isSubscribedToTopic: while the topics of a consumer group are not known, to all of them.
    pub fn is_subscribed_to(&self, topic: TopicId) -> bool {
        match &self.subscribed_topics {
            Some(topics) => topics.contains(&topic),
            None => self.uses_consumer_protocol(),
        }
    }
}

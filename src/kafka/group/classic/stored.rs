//! What survives a move of the coordinator: the group's last record in `__consumer_offsets`.
//!
//! It is written when the group is created or becomes empty, when the leader's assignment arrives and when a static member is replaced; so a
//! rebalance that is under way is forgotten. Origin: GroupCoordinatorRecordHelpers#newGroupMetadataRecord, GroupMetadataManager#replay.

use std::collections::BTreeMap;

use crate::kafka::coordinator::shard::Turn;
use crate::kafka::coordinator::timers::CoordinatorTimer;
use crate::kafka::group::classic::{CONSUMER, ClassicGroup, Member};
use crate::kafka::message::{Assignment, GroupResponse, JoinAnswer, ProtocolEntry, Subscription, SyncAnswer};
use crate::terms::{ErrorCode, GroupState, Name, RebalanceReason, RemovalReason};
use crate::trace::TraceEvent;
use crate::units::{GroupId, InstanceId, Instant, MemberId, Span};

#[derive(Clone, Debug, Default)]
pub struct StoredGroup {
    generation: i32,
    protocol_type: Option<Name>,
    protocol: Option<Name>,
    leader: Option<MemberId>,
    /// When the state was entered; `None` for a group that exists only by its offsets.
    since: Option<Instant>,
    members: Vec<StoredMember>,
}

#[derive(Clone, Debug)]
struct StoredMember {
    place: u64,
    id: MemberId,
    instance: Option<InstanceId>,
    rebalance_timeout: Span,
    session_timeout: Span,
    /// Of the chosen protocol; the others are forgotten.
    metadata: Subscription,
    assignment: Assignment,
}

impl ClassicGroup {
    /// Writes the group's record. Members that `assignments` leave out have an empty one.
    pub fn store(&self, assignments: &[(MemberId, Assignment)], turn: &mut Turn<'_>) {
        let given: BTreeMap<MemberId, &Assignment> = assignments.iter().map(|(member, given)| (*member, given)).collect();
        let stored = |(place, member): (&u64, &Member)| StoredMember {
            place: *place,
            id: member.id,
            instance: member.instance,
            rebalance_timeout: member.rebalance_timeout,
            session_timeout: member.session_timeout,
            metadata: member.metadata(self.protocol.as_ref()),
            assignment: given.get(&member.id).and_then(|given| (*given).clone()),
        };
        let record = StoredGroup {
            generation: self.generation,
            protocol_type: self.protocol_type.clone(),
            protocol: self.protocol.clone(),
            leader: self.leader,
            since: Some(self.since),
            members: self.members.iter().map(stored).collect(),
        };
        turn.shard.stored.insert(self.id, record);
    }

    /// Writes the record of a group that was just created by a JoinGroup: Empty at generation 0, whatever it has become since.
    pub fn store_created(&self, turn: &mut Turn<'_>) {
        turn.shard.stored.insert(self.id, StoredGroup { since: Some(self.since), ..StoredGroup::default() });
    }

    /// The group as a coordinator finds it in the log: Empty, or Stable at the generation that was written last.
    pub fn load(id: GroupId, record: &StoredGroup, turn: &mut Turn<'_>) -> Self {
        let mut group = ClassicGroup::new(id, record.since.unwrap_or(turn.now));
        group.generation = record.generation;
        group.protocol_type = record.protocol_type.clone();
        group.protocol = record.protocol.clone();
        group.leader = record.leader;
        for stored in &record.members {
            let name = record.protocol.clone().unwrap_or_default();
            let member = Member {
                id: stored.id,
                instance: stored.instance,
                rebalance_timeout: stored.rebalance_timeout,
                session_timeout: stored.session_timeout,
                protocols: vec![ProtocolEntry { name, metadata: stored.metadata.clone() }],
                assignment: stored.assignment.clone(),
                join: None,
                sync: None,
                is_new: false,
            };
            let protocol_type = record.protocol_type.clone().unwrap_or_default();
            group.add(stored.place, member, &protocol_type);
            turn.arm(CoordinatorTimer::Heartbeat(id, stored.id), stored.session_timeout);
        }
        if !group.members.is_empty() {
            group.state = GroupState::Stable;
            group.previous_state = GroupState::Stable;
        }
        let (group_id, to, generation) = (group.id, group.state, group.generation);
        turn.emit(TraceEvent::GroupStateChanged { group: group_id, from: GroupState::Dead, to, generation });
        group.subscribed_topics = group.compute_subscribed_topics();
        if group.members.len() > turn.config().max_size as usize {
            group.prepare_rebalance(RebalanceReason::GroupTooLarge, None, turn);
        }
        group
    }

    /// A KIP-848 group whose last member of that protocol is gone: Stable at the epoch that it had.
    pub fn downgraded(id: GroupId, epoch: i32, members: Vec<Member>, turn: &mut Turn<'_>) -> Self {
        let mut group = ClassicGroup::new(id, turn.now);
        group.generation = epoch;
        for member in members {
            let place = turn.shard.member_ids.place();
            let timer = CoordinatorTimer::Heartbeat(id, member.id);
            turn.arm(timer, member.session_timeout);
            group.add(place, member, &CONSUMER.into());
        }
        group.state = GroupState::Stable;
        group.previous_state = GroupState::Stable;
        group.protocol = group.select_protocol();
        group.subscribed_topics = group.compute_subscribed_topics();
        let assignments: Vec<(MemberId, Assignment)> = group.members.values().map(|one| (one.id, one.assignment.clone())).collect();
        group.store(&assignments, turn);
        group
    }

    /// Tells what the next coordinator will not know: whoever has joined since the record was written is forgotten, whoever left is a member again.
    pub fn tell_forgotten(&self, record: &StoredGroup, turn: &mut Turn<'_>) {
        let (group, reason) = (self.id, RemovalReason::Forgotten);
        for member in self.pending_join() {
            turn.emit(TraceEvent::PendingDropped { group, member, reason });
        }
        for member in self.members.values().filter(|member| !record.members.iter().any(|stored| stored.id == member.id)) {
            turn.emit(TraceEvent::MemberRemoved { group, member: member.id, reason });
        }
        for stored in record.members.iter().filter(|stored| !self.members.values().any(|member| member.id == stored.id)) {
            turn.emit(TraceEvent::MemberAdded { group, member: stored.id, instance: stored.instance });
        }
    }

    /// The coordinator moves away: whoever waits is told to look for the new one.
    pub fn unload(&mut self, turn: &mut Turn<'_>) {
        self.transition(GroupState::Dead, turn);
        self.refuse_parked(ErrorCode::NotCoordinator, turn);
    }

    /// Whoever waits is answered with an error.
    pub fn refuse_parked(&mut self, error: ErrorCode, turn: &mut Turn<'_>) {
        self.parked_joins = 0;
        for member in self.members.values_mut() {
            if let Some(ticket) = member.join.take() {
                turn.answer(ticket, GroupResponse::Join(JoinAnswer::refusal(Some(member.id), error)));
            }
            if let Some(ticket) = member.sync.take() {
                turn.answer(ticket, GroupResponse::Sync(SyncAnswer::refusal(error)));
            }
        }
    }

    /// The group is deleted.
    pub fn delete(&mut self, turn: &mut Turn<'_>) {
        self.transition(GroupState::Dead, turn);
        turn.shard.stored.remove(&self.id);
    }
}

//! Who may speak as which member: ids, instance ids, epochs and room.
//!
//! Origin: GroupMetadataManager#throwIfConsumerGroupIsFull, #getOrMaybeSubscribeDynamicConsumerMember,
//! #getOrMaybeSubscribeStaticConsumerMember, #throwIfConsumerGroupMemberEpochIsInvalid.

use crate::kafka::coordinator::shard::Turn;
use crate::kafka::group::consumer::{ConsumerGroup, JOIN_EPOCH, Member};
use crate::kafka::message::ConsumerHeartbeat;
use crate::kafka::release::consumer::ConsumerSwitches;
use crate::terms::ErrorCode;
use crate::trace::TraceEvent;
use crate::units::{InstanceId, MemberId, TopicPartition};

impl ConsumerGroup {
    pub(super) fn check_room(&self, member: Option<MemberId>, instance: Option<InstanceId>, turn: &Turn<'_>) -> Result<(), ErrorCode> {
        let config = &turn.config();
        let known = member.is_some_and(|id| self.members.contains_key(&id));
        let returns = instance.is_some_and(|instance| self.static_members.contains_key(&instance));
        let exempt = known || returns && config.switches.consumer.static_members_return_to_full_groups;
        if exempt || self.members.len() < config.consumer.max_size as usize { Ok(()) } else { Err(ErrorCode::GroupMaxSizeReached) }
    }

    /// The member that a heartbeat speaks for. A joining one is added, or takes the place of the static member that it was before.
    pub(super) fn admit(&mut self, request: &ConsumerHeartbeat, turn: &mut Turn<'_>) -> Result<MemberId, ErrorCode> {
        let id = request.member.ok_or(ErrorCode::InvalidRequest)?;
        self.check_room(Some(id), request.instance, turn)?;
        let joins = request.epoch == JOIN_EPOCH;
        let Some(instance) = request.instance else {
            if !self.members.contains_key(&id) && joins {
                self.add_empty(id, None, turn);
            } else {
                self.member(id)?.check_epoch(request, &turn.config().switches.consumer)?;
            }
            return Ok(id);
        };
        match self.static_members.get(&instance).copied() {
            None if joins => {
                if !self.members.contains_key(&id) {
                    self.add_empty(id, Some(instance), turn);
                }
            }
            None => return Err(ErrorCode::UnknownMemberId),
            Some(former) if joins => {
                let member = self.member(former)?;
                if member.classic.is_none() && !member.is_away() {
                    return Err(ErrorCode::UnreleasedInstanceId);
                }
                self.replace_static(former, id, JOIN_EPOCH, turn);
            }
            Some(owner) if owner != id => return Err(ErrorCode::FencedInstanceId),
            Some(owner) => self.member(owner)?.check_epoch(request, &turn.config().switches.consumer)?,
        }
        Ok(id)
    }

    pub(super) fn add_empty(&mut self, id: MemberId, instance: Option<InstanceId>, turn: &mut Turn<'_>) {
        self.put(Member { instance, ..Member::new(id) });
        turn.emit(TraceEvent::MemberAdded { group: self.id, member: id, instance });
    }

    /// The new id inherits everything; the old id's timers stay behind and fire without effect.
    pub(super) fn replace_static(&mut self, former: MemberId, id: MemberId, epoch: i32, turn: &mut Turn<'_>) {
        let mut member = self.take(former).expect("a known instance id belongs to a member");
        member.id = id;
        member.holding.epoch = epoch;
        member.holding.previous_epoch = 0;
        let instance = member.instance.expect("only static members are replaced");
        let target = self.target.assignments.remove(&former).unwrap_or_default();
        self.target.assignments.insert(id, target);
        self.put(member);
        if former != id {
            turn.emit(TraceEvent::MemberReplaced { group: self.id, old: former, new: id, instance });
        }
    }

    /// The member that has an instance id.
    pub fn owner_of(&self, instance: InstanceId) -> Option<MemberId> {
        self.static_members.get(&instance).copied()
    }

    /// The owner of an instance id, if it is this member.
    pub(super) fn static_member(&self, instance: InstanceId, id: MemberId) -> Result<MemberId, ErrorCode> {
        match self.static_members.get(&instance) {
            None => Err(ErrorCode::UnknownMemberId),
            Some(owner) if *owner != id => Err(ErrorCode::FencedInstanceId),
            Some(owner) => Ok(*owner),
        }
    }
}

impl Member {
    /// A member whose answer was lost may come with its previous epoch, if it owns nothing but what it was given.
    fn check_epoch(&self, request: &ConsumerHeartbeat, switches: &ConsumerSwitches) -> Result<(), ErrorCode> {
        let known = self.holding.epoch;
        let rejoins = request.epoch == JOIN_EPOCH && switches.members_may_rejoin && request.instance.is_none();
        let retries = || request.epoch == self.holding.previous_epoch && self.has_all_of(request.owned.as_deref());
        if rejoins || request.epoch == known || request.epoch < known && retries() { Ok(()) } else { Err(ErrorCode::FencedMemberEpoch) }
    }

    fn has_all_of(&self, owned: Option<&[TopicPartition]>) -> bool {
        owned.is_some_and(|owned| owned.iter().all(|partition| self.holding.assigned.contains_key(partition)))
    }
}

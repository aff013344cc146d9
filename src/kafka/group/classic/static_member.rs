//! A static member that comes back without its id takes the place of its former self (KIP-345).
//!
//! Origin: GroupMetadataManager#updateStaticMemberThenRebalanceOrCompleteJoin, ClassicGroup#replaceStaticMember.

use crate::kafka::coordinator::shard::{Ticket, Turn};
use crate::kafka::coordinator::writes::Deferred;
use crate::kafka::group::classic::{ClassicGroup, Member};
use crate::kafka::message::{Assignment, GroupResponse, JoinAnswer, JoinGroup, SyncAnswer};
use crate::terms::{ErrorCode, GroupState, RebalanceReason};
use crate::trace::TraceEvent;
use crate::units::MemberId;

/// From this version on a returning leader is told that it leads, gets the members and may skip the assignment (KIP-814).
const SKIP_ASSIGNMENT_VERSION: u16 = 9;

impl ClassicGroup {
    /// `ids`: the old id, the new one and the new one's place.
    pub(super) fn replace_static_member(
        &mut self,
        ticket: Ticket,
        ids: (MemberId, MemberId, u64),
        request: JoinGroup,
        turn: &mut Turn<'_>,
    ) {
        let (old, new, place) = ids;
        let leader_before = self.leader;
        self.change_id(old, new, place, turn);
        // With the session timeout that the old id had; the request's holds from the next time on. The old id's timer stays behind.
        self.watch_session(new, turn);
        self.update_member(new, request.protocols, request.rebalance_timeout, request.session_timeout, ticket);
        match self.state() {
            GroupState::Stable if self.select_protocol() == self.protocol => {
                let assignments: Vec<(MemberId, Assignment)> =
                    self.members.values().map(|member| (member.id, member.assignment.clone())).collect();
                self.store(&assignments, turn);
                turn.write(Deferred::StaticMemberStored { group: self.id, member: new, leader: leader_before, version: request.version });
            }
            // In CompletingRebalance the leader may be assigning partitions to the old id just now.
            GroupState::Stable
            | GroupState::CompletingRebalance
            | GroupState::PreparingRebalance
            | GroupState::Empty
            | GroupState::Dead => {
                self.rebalance_or_complete(RebalanceReason::StaticMemberReplaced, Some(new), turn);
            }
        }
    }

    /// Whoever still waits under the old id is fenced. An expected SyncGroup stays expected of the old id.
    fn change_id(&mut self, old: MemberId, new: MemberId, place: u64, turn: &mut Turn<'_>) {
        if let Some(ticket) = self.take_join(old) {
            let answer = JoinAnswer { protocol: None, ..JoinAnswer::refusal(Some(old), ErrorCode::FencedInstanceId) };
            turn.answer(ticket, GroupResponse::Join(answer));
        }
        let removed = self.places.remove(&old).and_then(|place| self.members.remove(&place));
        let mut member = removed.expect("a known instance id belongs to a member");
        if let Some(ticket) = member.sync.take() {
            turn.answer(ticket, GroupResponse::Sync(SyncAnswer::refusal(ErrorCode::FencedInstanceId)));
        }
        let instance = member.instance.expect("only static members are replaced");
        self.static_members.insert(instance, new);
        if self.is_leader(old) {
            self.leader = Some(new);
        }
        self.places.insert(new, place);
        self.members.insert(place, Member { id: new, is_new: false, ..member });
        turn.emit(TraceEvent::MemberReplaced { group: self.id, old, new, instance });
    }

    /// The new id is replicated: its JoinGroup is answered with the generation that goes on.
    pub fn static_member_stored(&mut self, id: MemberId, leader_before: Option<MemberId>, version: u16, turn: &mut Turn<'_>) {
        let leads = self.is_leader(id);
        // Kafka fails to list the members while they change; the end of the join phase answers then.
        if leads && self.state() == GroupState::PreparingRebalance {
            return;
        }
        let Some(ticket) = self.take_join(id) else { return };
        let answer = if version >= SKIP_ASSIGNMENT_VERSION {
            let members = if leads { self.joined_members() } else { Vec::new() };
            JoinAnswer { skip_assignment: leads, members, ..self.generation_answer(id) }
        } else {
            JoinAnswer { leader: leader_before, ..self.generation_answer(id) }
        };
        turn.answer(ticket, GroupResponse::Join(answer));
    }
}

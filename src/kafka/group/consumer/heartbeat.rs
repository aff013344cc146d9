//! ConsumerGroupHeartbeat: one request that joins, keeps a session, tells what a member wants and has, and brings it what it shall have.
//!
//! Origin: GroupMetadataManager#consumerGroupHeartbeat, #maybeReconcile.

use std::collections::BTreeSet;

use crate::kafka::assignor::server::ServerAssignor;
use crate::kafka::coordinator::shard::Turn;
use crate::kafka::group::consumer::reconcile::Step;
use crate::kafka::group::consumer::{ConsumerGroup, JOIN_EPOCH, Member};
use crate::kafka::message::{ConsumerHeartbeat, ConsumerHeartbeatAnswer};
use crate::terms::{EpochReason, ErrorCode};
use crate::trace::TraceEvent;
use crate::units::{MemberId, TopicId, TopicPartition};

/// What a heartbeat came to.
pub struct Handled {
    pub answer: ConsumerHeartbeatAnswer,
    /// Records were written.
    pub wrote: bool,
}

impl ConsumerGroup {
    /// A heartbeat that does not leave. A group that refuses it is as it was.
    pub fn heartbeat(&mut self, request: &ConsumerHeartbeat, turn: &mut Turn<'_>) -> Result<Handled, ErrorCode> {
        let known = request.member.and_then(|id| self.members.get(&id)).cloned();
        let (epoch, target_epoch) = (self.epoch, self.target.epoch);
        let mut votes = self.votes();
        let preferred_before = votes.preferred();
        let id = self.admit(request, turn)?;
        let vote = self.members[&id].assignor;
        let before = self.members[&id].holding.assigned.clone();
        let topics_changed = self.update_member(id, request);
        votes.replace(vote, self.members[&id].assignor);
        let preferred = votes.preferred();
        let default = turn.config().consumer.default_assignor;
        let preference_changed = preferred_before.unwrap_or(default) != preferred.unwrap_or(default);
        let bumps = preference_changed && turn.config().switches.consumer.preferred_assignor_bumps;
        let reason = match &known {
            None if topics_changed || self.epoch == 0 => Some(EpochReason::MemberJoined),
            Some(_) if topics_changed => Some(EpochReason::SubscriptionChanged),
            None | Some(_) => bumps.then_some(EpochReason::AssignorChanged),
        };
        self.maybe_bump(reason, id, turn);
        self.maybe_compute_target(preferred, turn);
        self.reconcile(id, topics_changed, request.owned.as_deref(), turn);
        self.watch_session(id, turn);

        let member = &self.members[&id];
        let assigned: Vec<TopicPartition> = member.holding.assigned.keys().copied().collect();
        let same = assigned.iter().eq(before.keys());
        let full = request.rebalance_timeout.is_some() && request.topics.is_some() && request.owned.is_some();
        let answer = ConsumerHeartbeatAnswer {
            error: ErrorCode::None,
            member: Some(id),
            epoch: member.holding.epoch,
            heartbeat_interval: turn.group_config(self.id).heartbeat_interval,
            assignment: (request.epoch == JOIN_EPOCH || full || !same).then_some(assigned),
        };
        let wrote = known.as_ref() != Some(member) || (epoch, target_epoch) != (self.epoch, self.target.epoch);
        self.maybe_resolve_patterns(id, turn);
        Ok(Handled { answer, wrote })
    }

    /// Takes over what the request tells. True if the member is subscribed to other topics than before.
    fn update_member(&mut self, id: MemberId, request: &ConsumerHeartbeat) -> bool {
        let mut member = self.take(id).expect("an admitted member is one of the group");
        member.instance = request.instance.or(member.instance);
        member.rebalance_timeout = request.rebalance_timeout.unwrap_or(member.rebalance_timeout);
        if let Some(name) = &request.assignor {
            member.assignor = ServerAssignor::named(name);
        }
        member.classic = None;
        let before = (member.topics.clone(), member.pattern);
        member.pattern = request.pattern.unwrap_or(member.pattern);
        if let (Some(topics), None) = (&request.topics, member.pattern) {
            member.topics = topics.iter().copied().collect();
        }
        let mut changed = before.0 != member.topics;
        if let Some(pattern) = member.pattern.filter(|_| member.pattern != before.1) {
            let (topics, is_known) = self.subscribed_by(pattern);
            // Topics that it named before are dropped.
            changed = is_known || before.1.is_none() && !member.topics.is_empty();
            member.topics = topics;
        }
        self.put(member);
        self.forget_unused_patterns();
        changed
    }

    /// Leads a member one step towards the target.
    pub(super) fn reconcile(&mut self, id: MemberId, topics_changed: bool, owned: Option<&[TopicPartition]>, turn: &mut Turn<'_>) {
        let member = &self.members[&id];
        let nothing = BTreeSet::new();
        let existing = |topic: &TopicId| turn.shard.topics.get(*topic).is_some();
        let topics = member.topics.iter().copied().filter(existing).collect();
        let step = Step {
            target_epoch: self.target.epoch,
            target: self.target.assignments.get(&id).unwrap_or(&nothing),
            topics: &topics,
            topics_changed,
            owned,
            switches: &turn.config().switches.consumer,
        };
        let next = member.holding.next(&step, |partition| self.owners.contains_key(&partition));
        if next == member.holding {
            return;
        }
        let mut member = self.take(id).expect("the member was looked at");
        member.holding = next;
        self.put_reconciled(member, turn);
        self.time_revocation(id, turn);
    }

    /// Puts a member back that holds something else than before, and tells so.
    pub(super) fn put_reconciled(&mut self, member: Member, turn: &mut Turn<'_>) {
        turn.emit(TraceEvent::MemberReconciled {
            group: self.id,
            member: member.id,
            epoch: member.holding.epoch,
            state: member.holding.state,
            assigned: member.holding.assigned.keys().copied().collect(),
            revoking: member.holding.pending_revocation.keys().copied().collect(),
        });
        self.put(member);
    }
}

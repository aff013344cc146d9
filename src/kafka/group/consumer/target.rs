//! The group epoch and the target: when each moves on.
//!
//! The group epoch is bumped at once by whatever changes; the target follows at a heartbeat, and since KIP-1263 (4.3) not more often than once
//! in group.consumer.assignment.interval.ms. Nobody is told: members learn of it by their own heartbeats. Origin:
//! GroupMetadataManager#consumerGroupHeartbeat, #maybeUpdateTargetAssignment.

use std::collections::BTreeSet;

use crate::kafka::assignor::server::{MemberSpec, ServerAssignor};
use crate::kafka::coordinator::shard::Turn;
use crate::kafka::group::consumer::ConsumerGroup;
use crate::kafka::group::consumer::topics::Topics;
use crate::kafka::release::Switches;
use crate::terms::EpochReason;
use crate::trace::TraceEvent;
use crate::units::{MemberId, TopicId, TopicPartition};

/// Strings that sort as the ids do: assignors compare names.
struct Written {
    id: String,
    instance: Option<String>,
    topics: Vec<TopicId>,
    target: Vec<TopicPartition>,
}

impl ConsumerGroup {
    /// Bumps the group epoch if there is a reason to: the one given, or topics that look different from what they did.
    pub(super) fn maybe_bump(&mut self, reason: Option<EpochReason>, trigger: MemberId, turn: &mut Turn<'_>) {
        if reason.is_none() && !self.refresh_due {
            return;
        }
        let view = turn.shard.topics.view(self.subscribed_topics());
        let reason = reason.or((view != self.topics).then_some(EpochReason::TopicsChanged));
        self.topics = view;
        self.refresh_due = false;
        if let Some(reason) = reason {
            self.bump(reason, Some(trigger), turn);
        }
    }

    pub(super) fn bump(&mut self, reason: EpochReason, trigger: Option<MemberId>, turn: &mut Turn<'_>) {
        self.epoch += 1;
        turn.emit(TraceEvent::GroupEpochBumped { group: self.id, epoch: self.epoch, reason, trigger });
    }

    /// Computes the target if it is behind the group and if it may be computed already.
    pub fn maybe_compute_target(&mut self, preferred: Option<ServerAssignor>, turn: &mut Turn<'_>) {
        if self.epoch <= self.target.epoch || self.must_wait(turn) {
            return;
        }
        let assignor = preferred.unwrap_or(turn.config().consumer.default_assignor);
        let shares = self.assign(assignor, turn.config().switches, &turn.shard.topics);
        self.target.assignments = self.members.keys().copied().zip(shares).collect();
        self.target.epoch = self.epoch;
        self.target.computed_at = Some(turn.now);
        let shares = self.target.assignments.iter().map(|(member, share)| (*member, share.iter().copied().collect()));
        let assigned = shares.collect();
        turn.emit(TraceEvent::TargetComputed { group: self.id, epoch: self.epoch, assigned });
    }

    fn must_wait(&self, turn: &Turn<'_>) -> bool {
        let interval = turn.group_config(self.id).assignment_interval;
        let early = self.target.computed_at.is_some_and(|last| turn.now < last + interval);
        turn.config().switches.consumer.spaced_targets && early
    }

    fn assign(&self, assignor: ServerAssignor, switches: Switches, topics: &Topics) -> Vec<BTreeSet<TopicPartition>> {
        let written: Vec<Written> = self.members.keys().map(|id| self.written(*id, topics)).collect();
        let named = written.iter().flat_map(|one| one.topics.iter().copied().chain(one.target.iter().map(|at| at.topic)));
        let last = named.max().map_or(0, |topic| topic.0 + 1);
        let partitions: Vec<u32> = (0..last).map(|topic| topics.get(TopicId(topic)).map_or(0, |image| image.partitions)).collect();
        let specs: Vec<MemberSpec<'_>> = written.iter().map(Written::spec).collect();
        let shares = assignor.assign(switches, &partitions, &specs);
        shares.into_iter().map(|share| share.into_iter().collect()).collect()
    }

    fn written(&self, id: MemberId, topics: &Topics) -> Written {
        let member = &self.members[&id];
        let target = self.target.assignments.get(&id).into_iter().flatten().copied().filter(|partition| topics.exists(*partition));
        Written {
            id: format!("{:010}#{:010}", id.client.0, id.number),
            instance: member.instance.map(|instance| format!("{:010}", instance.0)),
            topics: member.topics.iter().copied().collect(),
            target: target.collect(),
        }
    }
}

impl Written {
    fn spec(&self) -> MemberSpec<'_> {
        MemberSpec { id: &self.id, instance: self.instance.as_deref(), topics: &self.topics, target: &self.target }
    }
}

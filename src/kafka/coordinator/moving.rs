//! The shard moves: this broker unloads it, or loads it from the log. And topics that are deleted.

use crate::kafka::coordinator::shard::CoordinatorEffects;
use crate::kafka::coordinator::writes::Deferred;
use crate::kafka::coordinator::{Coordinator, Status};
use crate::kafka::group::Group;
use crate::kafka::group::classic::ClassicGroup;
use crate::kafka::message::{ConsumerHeartbeatAnswer, GroupResponse, JoinAnswer, SyncAnswer};
use crate::terms::ErrorCode;
use crate::units::{Instant, TopicId};

impl Coordinator {
    /// Another broker leads the partition from here on: everything that waits is answered NOT_COORDINATOR. Records count as replicated.
    pub fn unload(&mut self, now: Instant, fx: &mut CoordinatorEffects) {
        self.status = Status::Moved;
        self.shard.timers.cancel_all();
        for deferred in self.shard.writes.drop_all() {
            if let Deferred::Answer(mut answer) = deferred {
                answer.response = not_coordinator(answer.response);
                fx.send(answer);
            }
        }
        for (id, group) in std::mem::take(&mut self.groups) {
            match group {
                Group::Classic(mut group) => {
                    let stored = self.shard.stored.get(&id).cloned().unwrap_or_default();
                    group.tell_forgotten(&stored, &mut self.turn(now, fx));
                    group.unload(&mut self.turn(now, fx));
                }
                Group::Consumer(group) => {
                    self.shard.stored_consumers.insert(group.id, group);
                }
            }
        }
    }

    /// The log is being read: requests are answered COORDINATOR_LOAD_IN_PROGRESS, heartbeats NONE.
    pub fn start_loading(&mut self) {
        self.status = Status::Loading;
    }

    /// The log is read. Every member has its full session; a rebalance that was under way is forgotten.
    pub fn loaded(&mut self, now: Instant, fx: &mut CoordinatorEffects) {
        self.status = Status::Active;
        self.schedule_expiry(now);
        let records: Vec<_> = self.shard.stored.iter().map(|(id, record)| (*id, record.clone())).collect();
        for (id, record) in records {
            let group = ClassicGroup::load(id, &record, &mut self.turn(now, fx));
            self.groups.insert(id, Group::Classic(group));
        }
        for (id, mut group) in std::mem::take(&mut self.shard.stored_consumers) {
            group.loaded(&mut self.turn(now, fx));
            self.groups.insert(id, Group::Consumer(group));
        }
        self.settle(now, fx);
    }

    /// The deletion of a topic is known here.
    pub fn on_topic_deleted(&mut self, now: Instant, topic: TopicId, fx: &mut CoordinatorEffects) {
        self.topic_is_gone(topic);
        if self.offsets.delete_topic(topic) {
            self.turn(now, fx).write(Deferred::Nothing);
        }
        self.settle(now, fx);
    }
}

/// The same kind of answer, refused.
fn not_coordinator(response: GroupResponse) -> GroupResponse {
    let error = ErrorCode::NotCoordinator;
    let all = |partitions: Vec<_>| partitions.into_iter().map(|(partition, _)| (partition, error)).collect();
    match response {
        GroupResponse::Join(answer) => GroupResponse::Join(JoinAnswer::refusal(answer.member, error)),
        GroupResponse::Sync(_) => GroupResponse::Sync(SyncAnswer::refusal(error)),
        GroupResponse::Heartbeat(_) => GroupResponse::Heartbeat(error),
        GroupResponse::ConsumerHeartbeat(_) => GroupResponse::ConsumerHeartbeat(ConsumerHeartbeatAnswer::refusal(error)),
        GroupResponse::Leave { .. } => GroupResponse::Leave { error, members: Vec::new() },
        GroupResponse::OffsetCommit(partitions) => GroupResponse::OffsetCommit(all(partitions)),
        GroupResponse::TxnOffsetCommit(partitions) => GroupResponse::TxnOffsetCommit(all(partitions)),
        GroupResponse::OffsetFetch(mut answer) => {
            answer.error = error;
            answer.offsets.clear();
            GroupResponse::OffsetFetch(answer)
        }
        GroupResponse::OffsetDelete { .. } => GroupResponse::OffsetDelete { error, partitions: Vec::new() },
        GroupResponse::DeleteGroup(_) => GroupResponse::DeleteGroup(error),
    }
}

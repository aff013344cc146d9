//! Offsets that nobody uses any more expire, and groups go with their last offset.
//!
//! Origin: GroupCoordinatorShard#cleanupGroupMetadata, OffsetMetadataManager#cleanupExpiredOffsets, ClassicGroup#offsetExpirationCondition,
//! ConsumerGroup#offsetExpirationCondition.

use crate::kafka::coordinator::Coordinator;
use crate::kafka::coordinator::shard::CoordinatorEffects;
use crate::kafka::coordinator::timers::CoordinatorTimer;
use crate::kafka::coordinator::writes::Deferred;
use crate::kafka::group::Group;
use crate::kafka::group::classic::ClassicGroup;
use crate::kafka::offsets::StoredOffset;
use crate::terms::GroupState;
use crate::trace::TraceEvent;
use crate::units::{GroupId, Instant, TopicPartition};

impl Coordinator {
    pub(super) fn schedule_expiry(&mut self, now: Instant) {
        let interval = self.shard.config.retention_check_interval;
        assert!(!interval.is_zero(), "offsets.retention.check.interval.ms is at least 1");
        self.shard.timers.arm(CoordinatorTimer::ExpireOffsets, now + interval);
    }

    pub(super) fn expire_offsets(&mut self, now: Instant, fx: &mut CoordinatorEffects) {
        let mut wrote = false;
        let ids: Vec<GroupId> = self.groups.keys().copied().collect();
        for id in ids {
            let Some(group) = self.groups.get(&id) else { continue };
            let empty = group.is_empty();
            let had_offsets = self.offsets.has_committed(id);
            let expired = self.expired(id, group, now);
            for partition in expired.iter().copied() {
                self.offsets.delete(id, partition);
                fx.emit(TraceEvent::OffsetExpired { group: id, partition });
            }
            wrote |= !expired.is_empty();
            let protected = self.is_open(id) && (had_offsets || self.shard.config.switches.open_transactions_keep_the_group);
            if empty && !self.offsets.has_committed(id) && !protected {
                self.forget_group(now, id, fx);
                wrote = true;
            }
        }
        if wrote {
            self.turn(now, fx).write(Deferred::Nothing);
        }
        self.schedule_expiry(now);
    }

    fn expired(&self, id: GroupId, group: &Group, now: Instant) -> Vec<TopicPartition> {
        let retention = self.shard.config.offsets_retention;
        let is_expired = |(partition, stored): &(TopicPartition, StoredOffset)| {
            let base = match group {
                Group::Classic(group) => group.expiry_base(stored),
                Group::Consumer(_) => Some(stored.at),
            };
            let old = base.is_some_and(|base| now.since(base) >= retention);
            old && !group.is_subscribed_to(partition.topic) && !self.offsets.is_pending(id, *partition)
        };
        self.offsets.of_group(id).filter(is_expired).map(|(partition, _)| partition).collect()
    }

    fn is_open(&self, id: GroupId) -> bool {
        self.offsets.pending_of_group(id).next().is_some()
    }

    /// The group's history is lost: the next use of its name starts at generation 0.
    pub(super) fn forget_group(&mut self, now: Instant, id: GroupId, fx: &mut CoordinatorEffects) {
        self.with_group(now, id, fx, |group, turn| group.delete(turn));
        self.groups.remove(&id);
        fx.emit(TraceEvent::GroupDeleted { group: id });
    }
}

impl ClassicGroup {
    /// From when on the retention of an offset counts; `None`: it does not expire in this state.
    fn expiry_base(&self, stored: &StoredOffset) -> Option<Instant> {
        if self.protocol_type().is_none() {
            return Some(stored.at);
        }
        match self.state() {
            GroupState::Empty => Some(self.since()),
            // Only topics that nobody is subscribed to any more get here.
            GroupState::Stable => self.knows_its_topics().then_some(stored.at),
            GroupState::PreparingRebalance | GroupState::CompletingRebalance | GroupState::Dead => None,
        }
    }
}

//! From the classic protocol to KIP-848 and back, while members are there.
//!
//! A classic group is upgraded by the first heartbeat that joins it; the group is downgraded when its last KIP-848 member goes. Origin:
//! ConsumerGroup#fromClassicGroup, ClassicGroup#fromConsumerGroup, GroupMetadataManager#validateOnlineUpgrade, #validateOnlineDowngrade….

use std::collections::BTreeSet;

use crate::kafka::coordinator::shard::Turn;
use crate::kafka::group::classic::{self, ClassicGroup};
use crate::kafka::group::consumer::reconcile::{Held, Holding};
use crate::kafka::group::consumer::topics::{TopicView, Topics};
use crate::kafka::group::consumer::{ClassicSide, ConsumerGroup, Member, Target};
use crate::kafka::message::Assignment;
use crate::terms::{ErrorCode, MemberState};
use crate::units::{MemberId, TopicPartition};

impl ConsumerGroup {
    /// The classic group with everything that it has: the generation is the epoch, the assignments are the target.
    pub fn upgraded(classic: &ClassicGroup, turn: &mut Turn<'_>) -> Result<ConsumerGroup, ErrorCode> {
        let stores_topics = turn.config().switches.consumer.upgrade_stores_topics;
        // Kafka does not expect a group that has members and never chose a protocol.
        let mut group = ConsumerGroup::new(classic.id, false);
        group.epoch = classic.generation();
        group.target = Target { epoch: group.epoch, ..group.target };
        for member in classic.members() {
            let member = upgraded_member(member, classic, &turn.shard.topics).ok_or(ErrorCode::UnknownServerError)?;
            group.target.assignments.insert(member.id, member.holding.assigned.keys().copied().collect());
            group.put(member);
        }
        group.topics = if stores_topics { turn.shard.topics.view(group.subscribed_topics()) } else { TopicView::new() };
        for member in classic.members() {
            group.watch_session(member.id, turn);
        }
        Ok(group)
    }

    /// Without these members only classic ones would be left, and the broker's settings let them have a classic group.
    pub fn is_downgraded_without(&self, leaving: &[MemberId], turn: &Turn<'_>) -> bool {
        let mut staying = self.members.values().filter(|member| !leaving.contains(&member.id)).peekable();
        let config = turn.config();
        let left = self.members.len() - leaving.iter().filter(|id| self.members.contains_key(id)).count();
        let somebody_stays = staying.peek().is_some();
        somebody_stays
            && staying.all(|member| member.classic.is_some())
            && config.consumer.migration.may_downgrade()
            && left <= config.max_size as usize
    }

    /// The members that stay as those of a Stable classic group. Their assignments are the target's.
    pub fn downgraded(&self, leaving: &[MemberId], turn: &mut Turn<'_>) -> ClassicGroup {
        let staying = self.members.values().filter(|member| !leaving.contains(&member.id));
        let members: Vec<classic::Member> = staying.map(|member| self.downgraded_member(member, &turn.shard.topics)).collect();
        ClassicGroup::downgraded(self.id, self.epoch, members, turn)
    }

    fn downgraded_member(&self, member: &Member, topics: &Topics) -> classic::Member {
        let side = member.classic.clone().expect("only classic members are left");
        let target = self.target.assignments.get(&member.id).into_iter().flatten().copied();
        classic::Member {
            id: member.id,
            instance: member.instance,
            rebalance_timeout: member.rebalance_timeout,
            session_timeout: side.session_timeout,
            protocols: side.protocols,
            assignment: Some(target.filter(|at| topics.get(at.topic).is_some()).collect()),
            join: None,
            sync: None,
            is_new: false,
        }
    }
}

/// A member that joined and has no assignment yet has an empty one. `None`: it does not support the chosen protocol.
fn upgraded_member(member: &classic::Member, group: &ClassicGroup, topics: &Topics) -> Option<Member> {
    let metadata = member.protocols.iter().find(|entry| Some(&entry.name) == group.protocol())?;
    let epoch = group.generation();
    Some(Member {
        instance: member.instance,
        topics: metadata.metadata.topics.iter().copied().collect(),
        rebalance_timeout: member.rebalance_timeout,
        holding: Holding {
            epoch,
            previous_epoch: epoch,
            state: MemberState::Stable,
            assigned: held(&member.assignment, epoch, topics),
            pending_revocation: Held::new(),
        },
        classic: Some(ClassicSide { session_timeout: member.session_timeout, protocols: member.protocols.clone() }),
        ..Member::new(member.id)
    })
}

fn held(assignment: &Assignment, epoch: i32, topics: &Topics) -> Held {
    let known: BTreeSet<TopicPartition> =
        assignment.iter().flatten().copied().filter(|partition| topics.get(partition.topic).is_some()).collect();
    known.into_iter().map(|partition| (partition, epoch)).collect()
}

//! What a member tells of itself to whoever leads the group, and what the leader makes of it (ConsumerCoordinator.metadata, onLeaderElected).

use std::collections::BTreeSet;

use super::{Consumer, ConsumerEffects};
use crate::client::membership::RebalanceProtocol;
use crate::kafka::assignor::{AssignError, Assignor, Claim, Member, Topic};
use crate::kafka::message::{JoinAnswer, JoinedMember, ProtocolEntry, Subscription};
use crate::trace::TraceEvent;
use crate::trace::names::Names;
use crate::units::{MemberId, TopicId, TopicPartition};

impl RebalanceProtocol {
    /// The highest that all of the configured assignors support: of Kafka's own only `cooperative-sticky` can do without revoking everything.
    pub fn of(assignors: &[impl AsRef<str>]) -> Self {
        let is_cooperative = |name: &str| match Assignor::named(name) {
            Some(Assignor::CooperativeSticky) => true,
            Some(Assignor::Range | Assignor::RoundRobin | Assignor::Sticky) | None => false,
        };
        if assignors.iter().all(|name| is_cooperative(name.as_ref())) { RebalanceProtocol::Cooperative } else { RebalanceProtocol::Eager }
    }
}

impl Consumer {
    /// The metadata carries the generation (ConsumerProtocol subscription v2), so a later rejoin never looks the same.
    pub(super) fn subscriptions(&self) -> Vec<ProtocolEntry> {
        let common = Subscription {
            topics: self.subscription.topics().to_vec(),
            owned: self.fetcher.partitions().into_vec(),
            owned_generation: Some(self.membership.generation),
            ..Subscription::default()
        };
        let entry = |name: &crate::terms::Name| {
            let sticky = Assignor::named(name) == Some(Assignor::Sticky);
            let last_assigned = self.membership.last_assigned.clone().filter(|_| sticky);
            ProtocolEntry { name: name.clone(), metadata: Subscription { last_assigned, ..common.clone() } }
        };
        self.config.protocols.iter().map(entry).collect()
    }

    /// The leader rejoins if the partitions of the group's topics are not those that it assigned.
    pub(super) fn check_leader_metadata(&mut self) {
        if let Some(counts) = &self.membership.assigned_counts
            && counts.iter().any(|(topic, partitions)| self.metadata[topic.index()] != *partitions)
        {
            self.membership.rejoin_needed = true;
        }
    }

    /// What this member sends along with its SyncGroup: everybody's partitions, if it leads and has not come back to a group that goes on.
    pub(super) fn lead(
        &mut self,
        answer: &JoinAnswer,
        fx: &mut ConsumerEffects,
    ) -> Result<Vec<(MemberId, Vec<TopicPartition>)>, AssignError> {
        if !self.membership.leader {
            return Ok(Vec::new());
        }
        let counts = topics_of(answer).into_iter().map(|topic| (topic, self.metadata[topic.index()]));
        self.membership.assigned_counts = Some(counts.collect());
        if answer.skip_assignment { Ok(Vec::new()) } else { self.assign_all(answer, fx) }
    }

    /// By the assignor that the group voted for and the leader's own metadata.
    fn assign_all(&self, answer: &JoinAnswer, fx: &mut ConsumerEffects) -> Result<Vec<(MemberId, Vec<TopicPartition>)>, AssignError> {
        let names = &self.config.names;
        let protocol = answer.protocol.as_deref().expect("a joined group has a protocol");
        let assignor = Assignor::named(protocol).expect("the group votes for an assignor that its clients have");
        let topic =
            |(topic, partitions): (usize, &u32)| Topic { name: names.topic_in_kafka(TopicId(topic as u32)), partitions: *partitions };
        let topics: Vec<Topic> = self.metadata.iter().enumerate().map(topic).collect();
        let ids: Vec<String> = answer.members.iter().map(|joined| names.member(joined.member).to_string()).collect();
        let members = answer.members.iter().zip(&ids);
        let members: Vec<Member> = members.map(|(joined, id)| as_told(joined, id, names)).collect();
        let shares = assignor.assign(&topics, &members)?;
        let assigned: Vec<(MemberId, Vec<TopicPartition>)> = answer.members.iter().map(|joined| joined.member).zip(shares).collect();
        fx.emit(TraceEvent::AssignmentComputed {
            client: self.config.client,
            generation: answer.generation,
            assigned: assigned.iter().map(|(member, partitions)| (*member, partitions.as_slice().into())).collect(),
        });
        Ok(assigned)
    }
}

/// All that anybody in the group is subscribed to, as its leader is told.
pub(super) fn topics_of(answer: &JoinAnswer) -> BTreeSet<TopicId> {
    answer.members.iter().flat_map(|joined| joined.metadata.topics.iter().copied()).collect()
}

/// A member as the assignor sees it. Without a generation nothing it tells has one.
fn as_told<'a>(joined: &'a JoinedMember, id: &'a str, names: &'a Names) -> Member<'a> {
    let told = &joined.metadata;
    let last = |(partitions, generation): &'a (Vec<TopicPartition>, i32)| Claim { partitions, generation: Some(*generation) };
    Member {
        id,
        instance: joined.instance.map(|instance| names.instance(instance)),
        topics: &told.topics,
        owned: &told.owned,
        generation: told.owned_generation.filter(|generation| *generation >= 0),
        user_data: told.last_assigned.as_ref().map(last),
    }
}

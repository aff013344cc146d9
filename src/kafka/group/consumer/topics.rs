//! What a coordinator knows of the cluster's topics, and what a group has seen of them.
//!
//! Origin: MetadataImage, GroupMetadataManager#onNewMetadataImage, ModernGroup#computeSubscriptionMetadata (a hash since 4.1).

use std::collections::{BTreeMap, BTreeSet};

use crate::kafka::group::consumer::ConsumerGroup;
use crate::kafka::group::consumer::reconcile::Held;
use crate::units::{PatternId, TopicId, TopicPartition};

/// A topic as the metadata has it.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct TopicImage {
    /// Which topic of this name it is, from 1: one that is deleted and created again is another.
    pub incarnation: u32,
    pub partitions: u32,
}

/// The topics of a group as they were at some time, those that exist.
pub type TopicView = BTreeMap<TopicId, TopicImage>;

/// The cluster's topics.
#[derive(Clone, Debug, Default)]
pub struct Topics {
    existing: TopicView,
    incarnations: BTreeMap<TopicId, u32>,
    /// How many topics that were deleted and created again have got another number.
    renamed: u32,
    /// Topics created so far.
    creations: u64,
    /// By pattern that consumers subscribe with: what it matches of all that ever exists.
    patterns: Vec<Vec<TopicId>>,
}

impl Topics {
    pub fn get(&self, topic: TopicId) -> Option<TopicImage> {
        self.existing.get(&topic).copied()
    }

    pub fn exists(&self, partition: TopicPartition) -> bool {
        self.get(partition.topic).is_some_and(|image| partition.partition < image.partitions)
    }

    /// Creates a topic or adds partitions to it.
    pub fn set(&mut self, topic: TopicId, partitions: u32) {
        if let Some(image) = self.existing.get_mut(&topic) {
            image.partitions = partitions;
            return;
        }
        self.creations += 1;
        let incarnation = self.incarnations.entry(topic).or_default();
        *incarnation += 1;
        self.existing.insert(topic, TopicImage { incarnation: *incarnation, partitions });
    }

    pub fn delete(&mut self, topic: TopicId) {
        self.existing.remove(&topic);
    }

    /// If a topic of this name existed before: a number for that one.
    pub fn rename_former(&mut self, topic: TopicId) -> Option<TopicId> {
        if self.existing.contains_key(&topic) || !self.incarnations.contains_key(&topic) {
            return None;
        }
        self.renamed += 1;
        Some(TopicId(u32::MAX - self.renamed))
    }

    pub fn creations(&self) -> u64 {
        self.creations
    }

    /// What each pattern matches, whether it exists or not.
    pub fn know_patterns(&mut self, patterns: Vec<Vec<TopicId>>) {
        self.patterns = patterns;
    }

    pub fn matched_by(&self, pattern: PatternId) -> impl Iterator<Item = TopicId> {
        self.patterns[pattern.index()].iter().copied()
    }

    pub fn view(&self, topics: impl IntoIterator<Item = TopicId>) -> TopicView {
        topics.into_iter().filter_map(|topic| Some((topic, self.get(topic)?))).collect()
    }
}

impl ConsumerGroup {
    /// The metadata of a topic changed: the next heartbeat of any member looks at it.
    pub fn topic_changed(&mut self, topic: TopicId) {
        self.refresh_due |= self.is_subscribed_to(topic);
    }

    /// A topic is created a second time: what the group has of the first goes on under another number.
    pub fn topic_renamed(&mut self, from: TopicId, to: TopicId) {
        let renamed = |partition: TopicPartition| {
            if partition.topic == from { TopicPartition { topic: to, ..partition } } else { partition }
        };
        let rename = |held: &mut Held| *held = std::mem::take(held).into_iter().map(|(at, epoch)| (renamed(at), epoch)).collect();
        for member in self.members.values_mut() {
            rename(&mut member.holding.assigned);
            rename(&mut member.holding.pending_revocation);
        }
        for target in self.target.assignments.values_mut() {
            *target = target.iter().copied().map(renamed).collect();
        }
        self.owners = std::mem::take(&mut self.owners).into_iter().map(|(at, owner)| (renamed(at), owner)).collect();
    }

    pub(super) fn subscribed_topics(&self) -> BTreeSet<TopicId> {
        self.members.values().flat_map(|member| member.topics.iter().copied()).collect()
    }
}

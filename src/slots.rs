//! Where a fold keeps what it knows of one group's reading of one partition: dense numbers for (group, partition).

use crate::trace::Cast;
use crate::units::{ClientId, GroupId, TopicPartition};

#[derive(Clone, Debug)]
pub struct Slots {
    cast: Cast,
    partitions: usize,
    /// By client: its group's slot for the first partition of all. Every fact about reading asks for its slot.
    client_base: Vec<usize>,
}

impl Slots {
    pub fn new(cast: &Cast) -> Self {
        let partitions = cast.partition_count();
        let client_base = cast.client_group.iter().map(|group| group.index() * partitions).collect();
        Slots { cast: cast.clone(), partitions, client_base }
    }

    pub fn cast(&self) -> &Cast {
        &self.cast
    }

    /// The size of a table by (group, partition).
    pub fn count(&self) -> usize {
        self.cast.group_topics.len() * self.partitions
    }

    /// The size of a table by partition; its index is [`Cast::index`].
    pub fn partitions(&self) -> usize {
        self.partitions
    }

    pub fn at(&self, group: GroupId, partition: TopicPartition) -> usize {
        group.index() * self.partitions + self.cast.index(partition)
    }

    /// The group, and the index of the partition, of each slot in order.
    pub fn places(&self) -> impl Iterator<Item = (GroupId, usize)> {
        self.groups().flat_map(|group| (0..self.partitions).map(move |partition| (group, partition)))
    }

    pub fn group_of(&self, client: ClientId) -> GroupId {
        self.cast.client_group[client.index()]
    }

    /// Of the group that this client belongs to.
    #[inline(always)]
    pub fn of(&self, client: ClientId, partition: TopicPartition) -> usize {
        self.client_base[client.index()] + self.cast.index(partition)
    }

    /// The index of the partition, and the slot of this client's group.
    #[inline(always)]
    pub fn place(&self, client: ClientId, partition: TopicPartition) -> (usize, usize) {
        let index = self.cast.index(partition);
        (index, self.client_base[client.index()] + index)
    }

    pub fn groups(&self) -> impl Iterator<Item = GroupId> + use<> {
        (0..self.cast.group_topics.len() as u32).map(GroupId)
    }

    /// The partitions that a group is subscribed to, each with its slot; in order.
    pub fn of_group(&self, group: GroupId) -> impl Iterator<Item = (TopicPartition, usize)> {
        let topics = &self.cast.group_topics[group.index()];
        let subscribed = self.cast.all_partitions().filter(move |partition| topics.contains(&partition.topic));
        subscribed.map(move |partition| (partition, self.at(group, partition)))
    }

    /// The slots of all groups that are subscribed to this partition.
    pub fn of_partition(&self, partition: TopicPartition) -> impl Iterator<Item = usize> {
        let subscribed = self.groups().filter(move |group| self.cast.group_topics[group.index()].contains(&partition.topic));
        subscribed.map(move |group| self.at(group, partition))
    }
}

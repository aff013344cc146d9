//! Who takes part in a scenario, as the rest of the program asks for it.

use super::{Scenario, Topic};
use crate::trace::Cast;
use crate::trace::names::Names;
use crate::units::Instant;

impl Scenario {
    /// Who takes part, by name.
    pub fn names(&self) -> Names {
        Names {
            groups: self.groups.iter().map(|group| group.name.clone()).collect(),
            clients: self.clients.iter().map(|client| (client.group, client.name.clone())).collect(),
            topics: self.topics.iter().map(|topic| topic.name.clone()).collect(),
            producers: self.producers.iter().map(|producer| producer.name.clone()).collect(),
            instances: self.instances.clone(),
        }
    }

    /// Who takes part, as dense numbers.
    pub fn cast(&self) -> Cast {
        let mut next = 0;
        let mut first_partition = Vec::with_capacity(self.topics.len());
        for topic in &self.topics {
            first_partition.push(next);
            next += topic.most_partitions as usize;
        }
        Cast {
            first_partition,
            partitions: self.topics.iter().map(|topic| (topic.partitions_at_start(), topic.most_partitions)).collect(),
            producer_topic: self.producers.iter().map(|producer| producer.topic).collect(),
            client_group: self.clients.iter().map(|client| client.group).collect(),
            group_topics: self.groups.iter().map(|group| group.topics.clone()).collect(),
        }
    }
}

impl Topic {
    pub fn partitions_at_start(&self) -> u32 {
        if self.created.is_none() { self.partitions } else { 0 }
    }

    pub fn exists(&self, at: Instant) -> bool {
        self.created.is_none_or(|created| created <= at) && self.deleted.is_none_or(|deleted| at < deleted)
    }

    /// As Kafka knows it: all topics that one after the other have this name.
    pub fn name_in_kafka(&self) -> &str {
        self.name.split('#').next().unwrap_or(&self.name)
    }
}

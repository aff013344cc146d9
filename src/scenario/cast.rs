//! Who takes part in a scenario, as the rest of the program asks for it.

use super::Scenario;
use crate::trace::Cast;

impl Scenario {
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
            partitions: self.topics.iter().map(|topic| (topic.partitions, topic.most_partitions)).collect(),
            producer_topic: self.producers.iter().map(|producer| producer.topic).collect(),
            client_group: self.clients.iter().map(|client| client.group).collect(),
            group_topics: self.groups.iter().map(|group| group.topics.clone()).collect(),
        }
    }
}

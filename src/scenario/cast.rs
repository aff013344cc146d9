//! Who takes part in a scenario, as the rest of the program asks for it.

use super::Scenario;
use crate::terms::GroupProtocol;
use crate::trace::Cast;

impl Scenario {
    /// The protocol of a group by its number; all its members speak the same one.
    pub fn protocol(&self, group: usize) -> GroupProtocol {
        let first = self.groups[group].first_client.index();
        self.clients
            .get(first)
            .filter(|client| client.group.index() == group)
            .map_or(GroupProtocol::Classic, |client| client.config.protocol)
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
            partitions: self.topics.iter().map(|topic| (topic.partitions, topic.most_partitions)).collect(),
            producer_topic: self.producers.iter().map(|producer| producer.topic).collect(),
            client_group: self.clients.iter().map(|client| client.group).collect(),
            group_topics: self.groups.iter().map(|group| group.topics.clone()).collect(),
        }
    }
}

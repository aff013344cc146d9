//! The names behind the ids of a trace, as a scenario gives them: for the outputs that write text.

use std::fmt::{self, Display};

use crate::units::{ClientId, GroupId, InstanceId, MemberId, ProducerId, TopicId, TopicPartition};

/// By id each.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Names {
    pub groups: Vec<String>,
    /// A client's name is its own only within its group.
    pub clients: Vec<(GroupId, String)>,
    pub topics: Vec<String>,
    pub producers: Vec<String>,
    pub instances: Vec<String>,
}

impl Names {
    pub fn group(&self, group: GroupId) -> &str {
        &self.groups[group.index()]
    }

    pub fn topic(&self, topic: TopicId) -> &str {
        &self.topics[topic.index()]
    }

    /// What Kafka calls it: the name without its life.
    pub fn topic_in_kafka(&self, topic: TopicId) -> &str {
        let name = self.topic(topic);
        name.split('#').next().unwrap_or(name)
    }

    pub fn producer(&self, producer: ProducerId) -> &str {
        &self.producers[producer.index()]
    }

    pub fn instance(&self, instance: InstanceId) -> &str {
        &self.instances[instance.index()]
    }

    /// `B`, or `billing/B` where there are several groups.
    pub fn client(&self, client: ClientId) -> impl Display + '_ {
        let (group, name) = &self.clients[client.index()];
        fmt::from_fn(move |f| {
            if self.groups.len() > 1 {
                write!(f, "{}/", self.group(*group))?;
            }
            f.write_str(name)
        })
    }

    /// `B`, then `B#2`.
    pub fn member(&self, member: MemberId) -> impl Display + '_ {
        let (_, name) = &self.clients[member.client.index()];
        fmt::from_fn(move |f| match member.number {
            1 => f.write_str(name),
            number => write!(f, "{name}#{number}"),
        })
    }

    /// `orders-0`
    pub fn partition(&self, at: TopicPartition) -> impl Display + '_ {
        fmt::from_fn(move |f| write!(f, "{}-{}", self.topic(at.topic), at.partition))
    }

    /// `orders-0..3,5 alerts-1`, both ends of a run included; `nothing` for none.
    pub fn partitions(&self, partitions: &[TopicPartition]) -> impl Display {
        fmt::from_fn(move |f| {
            let mut topic = None;
            for run in partitions.chunk_by(|a, b| a.topic == b.topic && a.partition + 1 == b.partition) {
                let (first, last) = (run[0], run[run.len() - 1]);
                match topic {
                    Some(same) if same == first.topic => write!(f, ",{}", first.partition)?,
                    Some(_) => write!(f, " {}", self.partition(first))?,
                    None => write!(f, "{}", self.partition(first))?,
                }
                if run.len() > 1 {
                    write!(f, "..{}", last.partition)?;
                }
                topic = Some(first.topic);
            }
            if topic.is_none() { f.write_str("nothing") } else { Ok(()) }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_are_shown_as_runs() {
        let names = Names { topics: vec!["orders".into(), "alerts".into()], ..Names::default() };
        let show = |partitions: &[(u32, u32)]| {
            let partitions: Vec<TopicPartition> =
                partitions.iter().map(|&(topic, partition)| TopicPartition { topic: TopicId(topic), partition }).collect();
            names.partitions(&partitions).to_string()
        };
        assert_eq!(show(&[]), "nothing");
        assert_eq!(show(&[(0, 2)]), "orders-2");
        assert_eq!(show(&[(0, 0), (0, 1), (0, 2), (0, 3), (0, 5), (1, 6)]), "orders-0..3,5 alerts-6");
        assert_eq!(show(&[(0, 1), (0, 0)]), "orders-1,0");
    }

    #[test]
    fn clients_are_told_apart_by_group_only_where_there_are_several() {
        let mut names = Names { groups: vec!["billing".into()], clients: vec![(GroupId(0), "B".into())], ..Names::default() };
        let member = |number| MemberId { client: ClientId(0), number };
        assert_eq!(names.client(ClientId(0)).to_string(), "B");
        assert_eq!(names.member(member(1)).to_string(), "B");
        assert_eq!(names.member(member(2)).to_string(), "B#2");
        names.groups.push("audit".into());
        assert_eq!(names.client(ClientId(0)).to_string(), "billing/B");
    }
}

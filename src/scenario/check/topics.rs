//! Topics.

use super::super::Topic;
use super::super::defaults::{self, Role};
use super::super::file::ScenarioFile;
use super::{Checker, Site};

/// Of all topics together, growth included.
pub const PARTITIONS_MAX: u64 = 100_000;
pub const TOPICS_MAX: usize = 10_000;

impl Checker<'_> {
    pub fn topics(&mut self, file: &ScenarioFile, root: Site<'_>, brokers: u32) -> Vec<Topic> {
        let site = root.child("topics");
        if !root.tries("topics") {
            self.error_with_hint(root.start(), "the scenario has no `topics`", "declare at least one, such as `topics: {orders: 6}`");
        } else if root.has("topics") && file.topics.is_empty() && site.unreadable().next().is_none() && !site.node.bad {
            self.error_with_hint(site.key(), "no topic is declared", "such as `topics: {orders: 6}`");
        }
        if file.topics.len() > TOPICS_MAX {
            self.error(site.key(), format!("{} topics: the limit is {TOPICS_MAX}", file.topics.len()));
        }
        let mut topics = Vec::with_capacity(file.topics.len());
        for ((name, topic), place) in file.topics.iter().zip(site.children()) {
            self.legal_name("topic", name, place.key());
            if name.starts_with("__") {
                self.error_with_hint(place.key(), format!("`{name}` is the name of an internal topic"), "choose one without `__` in front");
            }
            let partitions = self.require(topic.partitions, place, &format!("the topic `{name}`"), "partitions", "such as `partitions: 6`");
            let partitions = partitions.unwrap_or(1);
            if partitions == 0 {
                self.error(place.child("partitions").value(), "a topic has at least one partition");
            }
            let replication_factor = topic.replication_factor.unwrap_or(1);
            if replication_factor == 0 || replication_factor > brokers {
                let message = format!("{replication_factor} replicas on {brokers} broker{}", if brokers == 1 { "" } else { "s" });
                self.error_with_hint(
                    place.child("replication.factor").value(),
                    message,
                    "a broker holds one replica of a partition at most",
                );
            }
            for (name, place) in topic.config.keys().zip(config_places(place)) {
                if defaults::has(Role::Topic, name) {
                    self.not_modelled(Role::Topic, name, place);
                } else {
                    self.unknown_topic_key(name, place);
                }
            }
            topics.push(Topic {
                name: name.clone(),
                life: 1,
                created: None,
                deleted: None,
                partitions,
                most_partitions: partitions,
                replication_factor,
            });
        }
        let total: u64 = topics.iter().map(|topic| u64::from(topic.partitions)).sum();
        if total > PARTITIONS_MAX {
            self.error(site.key(), format!("{total} partitions: the limit of all topics together is {PARTITIONS_MAX}"));
        }
        topics
    }

    fn unknown_topic_key(&mut self, name: &str, place: Site<'_>) {
        match crate::error::closest(name, ["partitions", "replication.factor"]) {
            Some(key) => {
                let message = format!("unknown key `{}`", super::super::reader::cut(name));
                self.error_with_hint(place.key(), message, format!("did you mean `{key}`?"));
            }
            None => self.unknown_property(Role::Topic, name, place),
        }
    }
}

/// The entries of a topic that are not its own keys.
fn config_places(topic: Site<'_>) -> impl Iterator<Item = Site<'_>> {
    topic.children().filter(|site| site.entry.is_some_and(|entry| !matches!(entry.key.as_str(), "partitions" | "replication.factor")))
}

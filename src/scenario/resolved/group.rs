//! Groups and their members as YAML, with everything that they use.

use super::super::defaults::consumer::{self, ConsumerSettings};
use super::super::defaults::group;
use super::super::file::group::CommitFile;
use super::super::group_config::GroupConfig;
use super::super::quantity::write_duration;
use super::super::yaml::scalar;
use super::super::{AutoOffsetReset, Client, Commit, ConsumerConfig, Group, Scenario};
use super::{distribution, entry, line, properties, since_start};
use crate::release::Release;
use crate::terms::GroupProtocol;

impl Scenario {
    pub(super) fn write_group(&self, out: &mut String, group: &Group) {
        line(out, 1, &format!("{}:", scalar(&group.name, false)));
        entry(out, 2, "topics", &self.topic_names(&group.topics));
        let first = group.first_client.index();
        let range = first..first + group.clients as usize;
        let clients = &self.clients[range.clone()];
        let has_its_own = group.config != GroupConfig::of(&self.cluster.config.consumer_groups);
        if self.kafka.brokers >= Release::V4_0_0 && (has_its_own || self.has_consumers(range)) {
            line(out, 2, "group.config:");
            let unknown = |name: &str| group::since(name) > self.kafka.brokers;
            properties(out, 3, group::MODELLED, &group.config, |name| unknown(name).then(String::new));
        }
        let aside = clients.iter().find(|client| self.keeps_aside(client));
        let common = clients.first().filter(|first| aside.is_none() && clients.iter().all(|client| same_setup(client, first)));
        if let Some(client) = aside {
            write_aside(out, client);
        } else if let Some(common) = common {
            write_setup(out, 2, common);
        }
        line(out, 2, if clients.is_empty() { "members: {}" } else { "members:" });
        for client in clients {
            line(out, 3, &format!("{}:", scalar(&client.name, false)));
            entry(out, 4, "start", &client.start.map_or_else(|| "never".to_owned(), since_start));
            if let Some(instance) = client.instance {
                entry(out, 4, "group.instance.id", &scalar(&self.instances[instance.index()], false));
            }
            if client.subscription.pattern.is_some() || client.subscription.topics != group.topics {
                entry(out, 4, "topics", &self.subscription(&client.subscription));
            }
            if common.is_none() {
                write_setup(out, 4, client);
            }
        }
    }

    /// The group says something that this member's protocol has no use for; a deployment may bring the other protocol.
    fn keeps_aside(&self, client: &Client) -> bool {
        let default = consumer::settings(self.kafka.clients).config;
        let ConsumerConfig { protocol, session_timeout, heartbeat_interval, assignors, remote_assignor, .. } = &client.config;
        let of_classic = (session_timeout, heartbeat_interval, assignors);
        match protocol {
            GroupProtocol::Classic => remote_assignor.is_some(),
            GroupProtocol::Consumer => of_classic != (&default.session_timeout, &default.heartbeat_interval, &default.assignors),
        }
    }
}

/// Whether two members of a group differ in nothing but who they are and when they start.
fn same_setup(a: &Client, b: &Client) -> bool {
    a.config == b.config
        && a.poll_timeout == b.poll_timeout
        && a.processing == b.processing
        && a.commit == b.commit
        && a.on_revoke == b.on_revoke
}

fn write_aside(out: &mut String, client: &Client) {
    line(out, 2, "config:");
    let config = &client.config;
    match config.protocol {
        GroupProtocol::Classic => {
            entry(out, 3, "group.protocol", GroupProtocol::Consumer.name());
            entry(out, 3, "group.remote.assignor", config.remote_assignor.as_deref().unwrap_or_default());
        }
        GroupProtocol::Consumer => {
            entry(out, 3, "session.timeout.ms", &config.session_timeout.as_millis().to_string());
            entry(out, 3, "heartbeat.interval.ms", &config.heartbeat_interval.as_millis().to_string());
            entry(out, 3, "partition.assignment.strategy", &format!("[{}]", config.assignors.join(", ")));
        }
    }
}

fn write_setup(out: &mut String, depth: usize, client: &Client) {
    entry(out, depth, "poll.timeout", &write_duration(client.poll_timeout));
    let processing = &client.processing;
    let value = format!("{{time: {}, per.batch: {}}}", distribution(&processing.per_record), write_duration(processing.per_batch));
    entry(out, depth, "processing", &value);
    entry(out, depth, "commit", &commit(client.commit));
    entry(out, depth, "listener", &client.on_revoke.is_some().to_string());
    if let Some(listener) = client.on_revoke {
        entry(out, depth, "on.revoke", &format!("{{commit: {}, takes: {}}}", listener.commit, write_duration(listener.takes)));
    }
    line(out, depth, "config:");
    let settings = ConsumerSettings { config: client.config.clone(), auto_commit: None, instance: None };
    let decides = client.config.protocol == GroupProtocol::Classic;
    properties(out, depth + 1, consumer::MODELLED, &settings, |name| match name {
        "session.timeout.ms" | "heartbeat.interval.ms" | "partition.assignment.strategy" if !decides => Some(String::new()),
        "partition.assignment.strategy" => Some(format!("[{}]", client.config.assignors.join(", "))),
        "enable.auto.commit" => Some((client.commit == Commit::Auto).to_string()),
        "auto.offset.reset" => Some(
            match client.config.auto_offset_reset {
                AutoOffsetReset::Earliest => "earliest",
                AutoOffsetReset::Latest => "latest",
                AutoOffsetReset::None => "none",
            }
            .to_owned(),
        ),
        "group.protocol" => Some(client.config.protocol.name().to_owned()),
        "group.remote.assignor" if decides => Some(String::new()),
        "group.remote.assignor" => Some(client.config.remote_assignor.as_deref().unwrap_or_default().to_owned()),
        "group.instance.id" => Some(String::new()),
        _ => None,
    });
}

fn commit(commit: Commit) -> String {
    let word = match commit {
        Commit::Auto => CommitFile::Auto,
        Commit::Sync => CommitFile::Sync,
        Commit::Async => CommitFile::Async,
        Commit::BeforeProcessing => CommitFile::BeforeProcessing,
        Commit::External => CommitFile::External,
        Commit::Every(every) => return format!("{{every: {every}}}"),
    };
    let found = CommitFile::WORDS.iter().find(|(_, commit, _)| *commit == word);
    found.map(|(word, ..)| (*word).to_owned()).expect("every way to commit without a number has a word")
}

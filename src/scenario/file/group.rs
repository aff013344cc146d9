//! Consumer groups as they are written.

use std::borrow::Cow;

use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

use super::super::quantity::Unreadable;
use super::super::reader::cut;
use super::properties::{ConsumerProperties, GroupProperties};
use super::shapes::{Distribution, Duration, LogNormalTime, NoLong, NormalTime, ParetoTime, RandomTime, Shapes};
use crate::error::did_you_mean;

/// A consumer group.
#[derive(Clone, PartialEq, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupFile {
    /// What its members subscribe to: topics, or {pattern: } with a regular expression. Members that say so themselves subscribe to
    /// something else.
    pub topics: Option<SubscriptionFile>,
    /// A number, a list of names, or a map from names to what is special about each.
    #[schemars(required)]
    pub members: Option<MembersFile>,
    /// The consumers' properties.
    #[serde(default)]
    pub config: ConsumerProperties,
    /// The group's own properties on the brokers (KIP-848), within the bounds that these have.
    #[serde(rename = "group.config", default)]
    pub group_config: GroupProperties,
    /// What the application passes to poll(). Default: 100ms.
    #[serde(rename = "poll.timeout")]
    pub poll_timeout: Option<Duration>,
    /// How long a record takes to process. Default: no time.
    pub processing: Option<ProcessingFile>,
    /// When the application commits. Default: auto.
    pub commit: Option<CommitFile>,
    /// What the rebalance listener does when partitions are taken away. Default: none.
    #[serde(rename = "on.revoke")]
    pub on_revoke: Option<OnRevokeFile>,
    /// Whether the application registers a ConsumerRebalanceListener at all; it matters to KIP-848 clients. Default: as `model: {listener: }`
    /// says, and true if `on.revoke` does something.
    pub listener: Option<bool>,
}

/// What is special about one member.
#[derive(Clone, PartialEq, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MemberFile {
    /// When the process starts, or `never`: only when the timeline starts it. Default: 0s.
    pub start: Option<StartFile>,
    /// Makes it a static member. Of two members with the same one, the later fences the earlier, as in Kafka.
    #[serde(rename = "group.instance.id")]
    pub instance: Option<String>,
    /// What it subscribes to. Default: the group's.
    pub topics: Option<SubscriptionFile>,
    /// Properties that differ from the group's.
    #[serde(default)]
    pub config: ConsumerProperties,
    /// What the application passes to poll(). Default: the group's.
    #[serde(rename = "poll.timeout")]
    pub poll_timeout: Option<Duration>,
    /// How long a record takes to process. Default: the group's.
    pub processing: Option<ProcessingFile>,
    /// When the application commits. Default: the group's.
    pub commit: Option<CommitFile>,
    /// What the rebalance listener does. Default: the group's.
    #[serde(rename = "on.revoke")]
    pub on_revoke: Option<OnRevokeFile>,
    /// Whether the application registers a ConsumerRebalanceListener. Default: the group's, and true if `on.revoke` does something.
    pub listener: Option<bool>,
}

/// One topic or a list of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TopicsFile {
    One(String),
    List(Vec<String>),
}

/// Topics by name, or a regular expression that matches whole names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SubscriptionFile {
    Topics(TopicsFile),
    Pattern(PatternFile),
}

/// A subscription with a regular expression.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PatternFile {
    /// A regular expression in the syntax of RE2, which matches whole names of topics.
    #[schemars(required)]
    pub pattern: Option<String>,
    /// client: subscribe(Pattern). brokers: subscribe(SubscriptionPattern), which needs group.protocol=consumer. Default: brokers where that
    /// is possible.
    #[serde(rename = "evaluated.by")]
    pub evaluated_by: Option<EvaluatorFile>,
}

#[derive(Copy, Clone, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum EvaluatorFile {
    Client,
    Brokers,
}

#[derive(Clone, PartialEq, Debug)]
pub enum MembersFile {
    /// `<group>-1` and so on.
    Count(u32),
    Names(Vec<String>),
    Each(IndexMap<String, MemberFile>),
}

impl MembersFile {
    pub fn count(&self) -> usize {
        match self {
            MembersFile::Count(count) => *count as usize,
            MembersFile::Names(names) => names.len(),
            MembersFile::Each(each) => each.len(),
        }
    }
}

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum StartFile {
    At(Duration),
    Never,
}

#[derive(Clone, PartialEq, Debug)]
pub enum ProcessingFile {
    PerRecord(Duration),
    Long(Box<LongProcessing>),
}

/// How long records take: a distribution, or `time` per record and `per.batch` once for each poll that returned records.
#[derive(Clone, PartialEq, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LongProcessing {
    /// Per record.
    pub time: Option<Distribution>,
    /// Once for each poll that returned records, before the first of them. Default: no time.
    #[serde(rename = "per.batch")]
    pub per_batch: Option<Duration>,
    /// Per record: from the first to the second, both included.
    pub uniform: Option<[Duration; 2]>,
    /// Per record: with this mean.
    pub exponential: Option<Duration>,
    /// Per record: with this mean and standard deviation, cut off at zero.
    pub normal: Option<NormalTime>,
    /// Per record: with this median and this 99th percentile.
    pub lognormal: Option<LogNormalTime>,
    /// Per record: with this smallest value and this shape.
    pub pareto: Option<ParetoTime>,
    /// Per record: one of these, each as likely.
    pub values: Option<Vec<Duration>>,
}

impl LongProcessing {
    /// The distribution that stands here without `time:`.
    pub fn inline(&self) -> RandomTime {
        RandomTime {
            uniform: self.uniform,
            exponential: self.exponential,
            normal: self.normal.clone(),
            lognormal: self.lognormal.clone(),
            pareto: self.pareto.clone(),
            values: self.values.clone(),
        }
    }
}

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum CommitFile {
    Auto,
    Sync,
    Async,
    PerRecord,
    BeforeProcessing,
    External,
    Every(EveryFile),
}

impl CommitFile {
    /// The words, as they are written and what they mean.
    pub const WORDS: [(&'static str, CommitFile, &'static str); 6] = [
        ("auto", CommitFile::Auto, "by the client itself, every auto.commit.interval.ms (enable.auto.commit)"),
        ("sync", CommitFile::Sync, "commitSync after each batch"),
        ("async", CommitFile::Async, "commitAsync after each batch"),
        ("per-record", CommitFile::PerRecord, "commitSync after each record"),
        ("before-processing", CommitFile::BeforeProcessing, "commitSync right after poll(), before anything is processed: at most once"),
        ("external", CommitFile::External, "never: offsets are kept elsewhere"),
    ];
}

/// Commit after a number of records, and at the end of each batch.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EveryFile {
    /// So many records.
    #[schemars(required)]
    pub every: Option<u32>,
}

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum OnRevokeFile {
    None,
    Commit,
    Long(ListenerFile),
}

/// What the rebalance listener does, and how long that takes.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListenerFile {
    /// commitSync in onPartitionsRevoked. Default: false.
    pub commit: Option<bool>,
    /// How long the callback takes if there is something to give up. Default: no time.
    pub takes: Option<Duration>,
}

fn one_of<T>(text: &str, what: &str, words: &[&str]) -> Result<T, Unreadable> {
    let message = format!("`{}` is not {what}", cut(text));
    Err(Unreadable { message, hint: did_you_mean(text, words.iter().copied()) })
}

impl<'de> Deserialize<'de> for TopicsFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Shapes::<_, NoLong>::new("a list of topics", |text| Ok(TopicsFile::One(text.to_owned()))).list(TopicsFile::List).read(deserializer)
    }
}

impl<'de> Deserialize<'de> for SubscriptionFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let one = |text: &str| Ok(SubscriptionFile::Topics(TopicsFile::One(text.to_owned())));
        let shapes = Shapes::new("a list of topics, or {pattern: } with a regular expression", one);
        shapes.list(|names| SubscriptionFile::Topics(TopicsFile::List(names))).long(SubscriptionFile::Pattern).read(deserializer)
    }
}

impl<'de> Deserialize<'de> for MembersFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let count = |text: &str| {
            text.parse().map(MembersFile::Count).map_err(|_| {
                let is_name = text.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_');
                let hint = match is_name {
                    true => format!("did you mean the list `[{}]`?", cut(text)),
                    false => "write a whole number such as `3`, a list of names such as `[A, B, C]`, or a map".to_owned(),
                };
                Unreadable { message: format!("`{}` is not a number of members", cut(text)), hint: Some(hint) }
            })
        };
        Shapes::new("a number, a list of names or a map", count).list(MembersFile::Names).long(MembersFile::Each).read(deserializer)
    }
}

impl<'de> Deserialize<'de> for StartFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = |text: &str| match text {
            "never" => Ok(StartFile::Never),
            _ => Duration::parse(text).map(StartFile::At),
        };
        Shapes::<_, NoLong>::new("a duration or `never`", read).read(deserializer)
    }
}

impl<'de> Deserialize<'de> for ProcessingFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Shapes::new("a duration, a distribution, or {time: , per.batch: }", |text| Duration::parse(text).map(ProcessingFile::PerRecord))
            .long(|long| ProcessingFile::Long(Box::new(long)))
            .read(deserializer)
    }
}

impl<'de> Deserialize<'de> for CommitFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = |text: &str| match CommitFile::WORDS.iter().find(|(word, ..)| *word == text) {
            Some((_, commit, _)) => Ok(*commit),
            None if text == "transaction" => Err(Unreadable {
                message: "`transaction` is not a way to commit".to_owned(),
                hint: Some("transactions cannot be simulated in this version".to_owned()),
            }),
            None => one_of(text, "a way to commit", &CommitFile::WORDS.map(|(word, ..)| word)),
        };
        Shapes::new("a way to commit, such as `auto`, `sync` or {every: 100}", read).long(CommitFile::Every).read(deserializer)
    }
}

impl<'de> Deserialize<'de> for OnRevokeFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = |text: &str| match text {
            "none" => Ok(OnRevokeFile::None),
            "commit" => Ok(OnRevokeFile::Commit),
            _ => one_of(text, "something that a listener does", &["none", "commit"]),
        };
        Shapes::new("`none`, `commit`, or {commit: , takes: }", read).long(OnRevokeFile::Long).read(deserializer)
    }
}

macro_rules! schemas {
    ($($name:ident as $shown:literal: |$generator:ident| $schema:expr;)+) => {$(
        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                $shown.into()
            }

            fn json_schema($generator: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }
    )+};
}

schemas! {
    TopicsFile as "Topics": |_generator| json_schema!({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]});
    SubscriptionFile as "Subscription": |generator| json_schema!({"anyOf": [
        generator.subschema_for::<TopicsFile>(),
        generator.subschema_for::<PatternFile>()
    ]});
    MembersFile as "Members": |generator| json_schema!({"anyOf": [
        {"type": "integer", "minimum": 0},
        {"type": "array", "items": {"type": "string"}},
        {"type": "object", "additionalProperties": {"anyOf": [generator.subschema_for::<MemberFile>(), {"type": "null"}]}}
    ]});
    StartFile as "Start": |generator| json_schema!({"anyOf": [generator.subschema_for::<Duration>(), {"const": "never"}]});
    ProcessingFile as "Processing": |generator| json_schema!({"anyOf": [
        generator.subschema_for::<Duration>(),
        generator.subschema_for::<LongProcessing>()
    ]});
    CommitFile as "Commit": |generator| {
        let words: Vec<_> = CommitFile::WORDS.iter().map(|(word, _, about)| json_schema!({"const": word, "description": about})).collect();
        json_schema!({"anyOf": [{"oneOf": words}, generator.subschema_for::<EveryFile>()]})
    };
    OnRevokeFile as "OnRevoke": |generator| json_schema!({"anyOf": [{"enum": ["none", "commit"]}, generator.subschema_for::<ListenerFile>()]});
}

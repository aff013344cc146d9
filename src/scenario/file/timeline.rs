//! Timeline entries as they are written.

use std::borrow::Cow;

use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

use super::super::quantity::Unreadable;
use super::super::reader::cut;
use super::group::{SubscriptionFile, TopicsFile};
use super::properties::{ConsumerProperties, GroupProperties};
use super::shapes::{Duration, NoLong, RateText, Shapes};

/// Something that happens at a time: `at` and exactly one verb. Members are written group/member.
#[derive(Clone, PartialEq, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = [
    {"required": ["crash"]}, {"required": ["start"]}, {"required": ["stop"]}, {"required": ["pause"]}, {"required": ["slow"]},
    {"required": ["rate"]}, {"required": ["partitions"]}, {"required": ["create.topic"]}, {"required": ["delete.topic"]},
    {"required": ["subscribe"]}, {"required": ["scale"]},
    {"required": ["group.config"]}, {"required": ["rolling.restart"]},
    {"required": ["disconnect"]}, {"required": ["drop"]}, {"required": ["delay"]}, {"required": ["broker.down"]}
]))]
#[schemars(extend("dependentRequired" = {
    "pause": ["for"], "slow": ["factor"], "subscribe": ["topics"], "rolling.restart": ["every", "down"],
    "factor": ["slow"], "topics": ["subscribe"], "every": ["rolling.restart"], "down": ["rolling.restart"]
}))]
pub struct EntryFile {
    /// When, counted from the start of the run.
    #[schemars(required)]
    pub at: Option<Duration>,
    /// The process dies without a word, between two records.
    pub crash: Option<String>,
    /// The process starts, for the first time or again.
    pub start: Option<String>,
    /// A graceful shutdown: the batch in hand is finished, then close().
    pub stop: Option<String>,
    /// The whole process stands still, heartbeats included: a long garbage collection, a stopped VM.
    pub pause: Option<String>,
    /// How long a pause, a slow phase or a fault of the network or of a broker lasts.
    #[serde(rename = "for")]
    pub lasts: Option<Duration>,
    /// Processing takes `factor` times as long, in later lives of the process too.
    pub slow: Option<String>,
    /// How many times as long, such as 10 or 0.5.
    pub factor: Option<Factor>,
    /// A producer's rate from then on.
    pub rate: Option<IndexMap<String, RateText>>,
    /// A topic grows to so many partitions.
    pub partitions: Option<IndexMap<String, u32>>,
    /// Topics are created; one that this is the first to happen to does not exist before.
    #[serde(rename = "create.topic")]
    pub create_topic: Option<TopicsFile>,
    /// Topics are deleted, with their records and what groups have committed for them. They can be created again.
    #[serde(rename = "delete.topic")]
    pub delete_topic: Option<TopicsFile>,
    /// The application of a running member subscribes to other `topics`.
    pub subscribe: Option<String>,
    /// What `subscribe` is called with: topics, or {pattern: } with a regular expression.
    pub topics: Option<SubscriptionFile>,
    /// A group is scaled to so many members: up continues the numbers, down stops the last ones.
    pub scale: Option<IndexMap<String, u32>>,
    /// Properties of KIP-848 groups are set on the running brokers (kafka-configs.sh --entity-type groups).
    #[serde(rename = "group.config")]
    pub group_config: Option<IndexMap<String, GroupProperties>>,
    /// Graceful restarts of all members of a group, one after the other in their order; not while another one of that group goes on.
    #[serde(rename = "rolling.restart")]
    pub rolling_restart: Option<String>,
    /// From the start of one restart to the start of the next; waits for the one before to be up.
    pub every: Option<Duration>,
    /// How long each process is down.
    pub down: Option<Duration>,
    /// Consumer properties that change with a `start` or a `rolling.restart`: all later lives have them too.
    pub config: Option<ConsumerProperties>,
    /// A member and whom it cannot reach: `coordinator`, `leaders`, `all`, or the number of a broker.
    pub disconnect: Option<Vec<PeerFile>>,
    /// Requests of one kind that a member sends are lost on their way.
    pub drop: Option<DropFile>,
    /// Requests of one kind that a member sends come late, and what it sends behind them on the same connection.
    pub delay: Option<DelayFile>,
    /// So many requests are dropped or delayed. Default: all, for as long as `for` says.
    pub count: Option<u32>,
    /// This broker, counted from 0, dies and comes back after `for`.
    #[serde(rename = "broker.down")]
    pub broker_down: Option<u32>,
}

/// A member, or whom it cannot reach.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PeerFile(pub String);

impl<'de> Deserialize<'de> for PeerFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = |text: &str| Ok(PeerFile(text.to_owned()));
        Shapes::<_, NoLong>::new("a member, `coordinator`, `leaders`, `all` or the number of a broker", read).read(deserializer)
    }
}

impl JsonSchema for PeerFile {
    fn schema_name() -> Cow<'static, str> {
        "Peer".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"anyOf": [{"type": "string"}, {"type": "integer", "minimum": 0}]})
    }
}

/// Which requests of whom are lost.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DropFile {
    /// Kafka's name of the request, such as Heartbeat; members of the consumer protocol send ConsumerGroupHeartbeat.
    #[schemars(required)]
    pub request: Option<String>,
    /// The member that sends it, as group/member.
    #[schemars(required)]
    pub from: Option<String>,
}

/// Which requests of whom are late.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DelayFile {
    /// Kafka's name of the request, such as Heartbeat; members of the consumer protocol send ConsumerGroupHeartbeat.
    #[schemars(required)]
    pub request: Option<String>,
    /// The member that sends it, as group/member.
    #[schemars(required)]
    pub from: Option<String>,
    /// How late it comes.
    #[schemars(required)]
    pub by: Option<Duration>,
}

/// A factor in thousandths.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Factor(pub u64);

impl<'de> Deserialize<'de> for Factor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Shapes::<_, NoLong>::new("a factor such as 10 or 0.5", |text| {
            let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
            let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            let thousandths = format!("{whole}{fraction:0<3}").parse::<u64>();
            match thousandths {
                Ok(factor) if digits(whole) && digits(fraction) && fraction.len() <= 3 && factor <= 1_000_000_000 => Ok(Factor(factor)),
                _ => Err(Unreadable {
                    message: format!("`{}` is not a factor", cut(text)),
                    hint: Some("write a number up to 1000000 with at most three decimals, such as 10 or 0.5".to_owned()),
                }),
            }
        })
        .read(deserializer)
    }
}

impl JsonSchema for Factor {
    fn schema_name() -> Cow<'static, str> {
        "Factor".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "number", "minimum": 0, "maximum": 1_000_000})
    }
}

//! A scenario file as it is written: the shape, not yet the meaning.
//!
//! The doc comments are what editors show, through the JSON Schema that [`schema`] makes of these types. Every field is optional here so
//! that one mistake does not hide the next; what must be there, and whether it makes sense, is `super::check`'s business.

pub mod expect;
pub mod group;
pub mod incidents;
pub mod producer;
pub mod properties;
pub mod shapes;
pub mod timeline;

use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};
use serde_json::json;

use super::quantity;
use crate::release::Release;
use expect::ExpectFile;
use group::GroupFile;
use producer::ProducerFile;
use properties::{BrokerProperties, TopicFile};
use shapes::{Distribution, Duration, NoLong, SHARE_PATTERN, Shapes};
use timeline::EntryFile;

/// A scenario of groupsim: a Kafka system, what happens to it, and what is expected to come out.
#[derive(Clone, PartialEq, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScenarioFile {
    /// The name of the scenario and of its output directory. Default: the file's name.
    pub name: Option<String>,
    /// What happens, in a sentence or two.
    pub about: Option<String>,
    /// What there is to learn from it.
    pub lesson: Option<String>,
    /// Whose defaults and behaviour hold: 2.8, 3.9, 4.0, 4.1, 4.2, 4.3 (default) or 4.4, or a patch such as 4.0.1.
    pub kafka: Option<KafkaFile>,
    /// Where random draws come from. Default: 1. `--seed` overrides it.
    pub seed: Option<u64>,
    /// How long the run phase lasts, in virtual time.
    #[schemars(required)]
    pub duration: Option<Duration>,
    /// How long consumers may go on afterwards, with producers stopped, until everything is drained. Default: 5m.
    pub settle: Option<Duration>,
    /// How often lag is looked at. Default: 1s for runs of 5m to 1h, else a round step that gives 300 to 4000 samples; fewer where groups read more than a thousand partitions.
    #[serde(rename = "sample.interval")]
    pub sample_interval: Option<Duration>,
    /// What of a real client's overhead is modelled.
    pub model: Option<ModelFile>,
    /// The brokers and the network between them and their clients.
    pub cluster: Option<ClusterFile>,
    /// Topics by name: a number of partitions, or a map.
    #[serde(default)]
    #[schemars(required)]
    pub topics: IndexMap<String, TopicFile>,
    /// Producers by name.
    #[serde(default)]
    pub producers: IndexMap<String, ProducerFile>,
    /// Consumer groups by name.
    #[serde(default)]
    pub groups: IndexMap<String, GroupFile>,
    /// What happens when; each entry has one verb.
    #[serde(default)]
    pub timeline: Vec<EntryFile>,
    /// The run's verdict: exit code 1 if one of these does not hold.
    #[serde(default)]
    pub expect: Vec<ExpectFile>,
    /// Files to write beside those that every run writes.
    #[serde(default)]
    pub outputs: Vec<OutputFile>,
}

/// The JSON Schema of scenario files.
pub fn schema() -> Schema {
    let mut schema = SchemaGenerator::default().into_root_schema_for::<ScenarioFile>();
    schema.insert("title".to_owned(), "groupsim scenario".into());
    schema
}

/// The JSON Schema as text, the way it is printed and checked in.
pub fn schema_text() -> String {
    let text = serde_json::to_string_pretty(&schema()).expect("a schema is JSON");
    text + "\n"
}

/// One release for all, or one for the brokers and one for the clients.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum KafkaFile {
    Both(String),
    Each(EachKafka),
}

/// Brokers and clients of different releases.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EachKafka {
    /// The brokers' release. Default: 4.3.
    pub brokers: Option<ReleaseText>,
    /// The clients' release. Default: 4.3.
    pub clients: Option<ReleaseText>,
}

/// A release as it is written: `4.0` without quotes is the text, not the number four.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct ReleaseText(pub String);

impl JsonSchema for ReleaseText {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Release".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let mut names: Vec<&str> = Release::ALL.into_iter().flat_map(|release| [release.line(), release.name()]).collect();
        names.sort_unstable();
        names.dedup();
        let numbers: Vec<f64> = names.iter().filter_map(|name| name.parse().ok()).collect();
        json_schema!({
            "description": "A release line (its newest known patch is meant) or a patch.",
            "anyOf": [{"enum": names}, {"enum": numbers}]
        })
    }
}

impl<'de> Deserialize<'de> for KafkaFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Shapes::new("a release such as \"4.3\", or {brokers: , clients: }", |text| Ok(KafkaFile::Both(text.to_owned())))
            .long(KafkaFile::Each)
            .read(deserializer)
    }
}

impl JsonSchema for KafkaFile {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Kafka".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({"anyOf": [generator.subschema_for::<ReleaseText>(), generator.subschema_for::<EachKafka>()]})
    }
}

/// What of a real client's overhead is modelled.
#[derive(Clone, PartialEq, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelFile {
    /// real: start-up looks its coordinator up, requests wait behind a parked Fetch, positions are validated, KIP-848 clients work in passes.
    /// ideal: none of these cost anything. Default: real.
    pub client: Option<ClientKind>,
    /// Whether a committed position is validated before the first Fetch. Default: as `client` says.
    #[serde(rename = "validate.positions")]
    pub validate_positions: Option<bool>,
    /// How much later than due the heartbeats of a busy member come, such as `0.65%`. Default: 0.
    #[serde(rename = "heartbeat.drift")]
    pub heartbeat_drift: Option<Drift>,
    /// Whether a KIP-848 client that is blocked in poll() takes its part in a rebalance only when a pass of its poll loop begins. Default: as
    /// `client` says.
    #[serde(rename = "app.passes")]
    pub app_passes: Option<bool>,
    /// Whether a periodic auto-commit of KIP-848 clients of 4.2 to 4.4 covers the records that the same poll() returns, which are lost if the
    /// process dies over them. Default: false.
    #[serde(rename = "commit.race")]
    pub commit_race: Option<bool>,
    /// Whether applications register a ConsumerRebalanceListener, where their group and member do not say. Default: true.
    pub listener: Option<bool>,
}

#[derive(Copy, Clone, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ClientKind {
    Real,
    Ideal,
}

/// A share of the heartbeat interval in parts per million.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Drift(pub u64);

impl<'de> Deserialize<'de> for Drift {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = |text: &str| if text == "0" { Ok(Drift(0)) } else { quantity::share(text).map(|billionths| Drift(billionths / 1_000)) };
        Shapes::<_, NoLong>::new("a share such as `0.65%`", read).read(deserializer)
    }
}

impl JsonSchema for Drift {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Drift".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let share = json!({"type": "string", "pattern": SHARE_PATTERN, "examples": ["0.65%"]});
        json_schema!({"description": "A share, such as `0.65%`, or 0.", "anyOf": [share, {"enum": [0, "0"]}]})
    }
}

/// The brokers and the network between them and their clients.
#[derive(Clone, PartialEq, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClusterFile {
    /// How many brokers. Default: 1. Internal topics have min(3, brokers) replicas.
    pub brokers: Option<u32>,
    /// How long a message travels, one way, also between brokers. Default: 1ms.
    pub latency: Option<Distribution>,
    /// From a write of the group coordinator to its answer: auto (by release and replication) or a duration. Default: auto.
    #[serde(rename = "write.latency")]
    pub write_latency: Option<WriteLatencyFile>,
    /// How long a broker reads the groups' records when it becomes their coordinator. Default: 500ms.
    #[serde(rename = "load.time")]
    pub load_time: Option<Duration>,
    /// The brokers' properties.
    #[serde(default)]
    pub config: BrokerProperties,
}

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum WriteLatencyFile {
    Auto,
    Fixed(Duration),
}

impl<'de> Deserialize<'de> for WriteLatencyFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = |text: &str| match text {
            "auto" => Ok(WriteLatencyFile::Auto),
            _ => Duration::parse(text).map(WriteLatencyFile::Fixed),
        };
        Shapes::<_, NoLong>::new("`auto` or a duration", read).read(deserializer)
    }
}

impl JsonSchema for WriteLatencyFile {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "WriteLatency".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({"anyOf": [{"const": "auto"}, generator.subschema_for::<Duration>()]})
    }
}

/// A file to write beside those that every run writes.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OutputFile {
    /// trace.jsonl: every event of the run, one JSON object a line.
    Trace,
}

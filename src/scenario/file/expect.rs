//! Expectations as they are written.

use std::borrow::Cow;

use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

use super::super::quantity::Unreadable;
use super::super::reader::cut;
use super::incidents::{CommitExceptionFile, FatalExceptionFile, IncidentsFile, RemovalFile};
use super::shapes::{Duration, NoLong, Shapes, Share};

/// One thing that must come out; exactly one of the facts, and when or how exactly it must hold.
#[derive(Clone, PartialEq, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = [
    {"required": ["produced"]}, {"required": ["processed.once"]}, {"required": ["duplicated"]}, {"required": ["extra"]},
    {"required": ["lost"]}, {"required": ["skipped"]}, {"required": ["deleted"]}, {"required": ["unsettled"]}, {"required": ["lag"]},
    {"required": ["backlog"]}, {"required": ["rebalances"]}, {"required": ["unavailable"]}, {"required": ["owner"]}, {"required": ["removed"]},
    {"required": ["commits.failed"]}, {"required": ["failed"]}, {"required": ["livelock"]}, {"required": ["no.livelock"]}
]))]
pub struct ExpectFile {
    /// Records handed to send() in the run phase.
    pub produced: Option<CountFile>,
    /// Records processed exactly once.
    #[serde(rename = "processed.once")]
    pub processed_once: Option<CountFile>,
    /// Records processed twice or more.
    pub duplicated: Option<CountFile>,
    /// Deliveries beyond the first.
    pub extra: Option<CountFile>,
    /// Records passed over by a committed offset and never processed.
    pub lost: Option<CountFile>,
    /// Records that the group's start position or a reset passed over.
    pub skipped: Option<CountFile>,
    /// Records that were never processed and are gone with their topic.
    pub deleted: Option<CountFile>,
    /// Records that the run ended before.
    pub unsettled: Option<CountFile>,
    /// Lag at every sample (from `after` on; not below a bound in the run phase, not above one until everything has ended), or at one time (`at`).
    pub lag: Option<LagFile>,
    /// Unprocessed records at the end of the run phase.
    pub backlog: Option<CountFile>,
    /// Rebalances.
    pub rebalances: Option<CountFile>,
    /// How long a partition could not be processed.
    pub unavailable: Option<UnavailableFile>,
    /// Which member owns a partition: {orders-0: A}; `nobody` for none. Needs `at`.
    pub owner: Option<IndexMap<String, String>>,
    /// Members that the coordinator removed, and ids that it dropped before they became members.
    pub removed: Option<IncidentsFile<RemovalFile>>,
    /// Commits that failed, as the application sees it.
    #[serde(rename = "commits.failed")]
    pub commits_failed: Option<IncidentsFile<CommitExceptionFile>>,
    /// Processes that an exception ended.
    pub failed: Option<IncidentsFile<FatalExceptionFile>>,
    /// The group is kicked by max.poll.interval.ms again and again without getting anywhere.
    pub livelock: Option<String>,
    /// The group is not in a livelock.
    #[serde(rename = "no.livelock")]
    pub no_livelock: Option<String>,
    /// From then on.
    pub after: Option<Duration>,
    /// Until then; what happens at that time does not count.
    pub before: Option<Duration>,
    /// At that time, at the `end` of the run phase, or when all has `settled`, for which there must be a settle phase.
    pub at: Option<MomentFile>,
    /// How far a number may be off, such as 0.1%.
    pub within: Option<Share>,
}

/// An exact number, or a map.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CountFile {
    Exactly(u64),
    Bounds(CountBounds),
}

/// Bounds of a number.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CountBounds {
    /// The group that is meant. Default: all of them.
    pub group: Option<String>,
    /// Exactly so many.
    pub exactly: Option<u64>,
    /// At least so many.
    #[serde(rename = "at.least")]
    pub at_least: Option<u64>,
    /// At most so many.
    #[serde(rename = "at.most")]
    pub at_most: Option<u64>,
}

/// An exact lag, or a map.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LagFile {
    Exactly(u64),
    Bounds(LagBounds),
}

/// Bounds of a lag.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LagBounds {
    /// The group that is meant. Default: all of them.
    pub group: Option<String>,
    /// Which lag: committed (as the command-line tools show it), position, or unprocessed. Default: unprocessed.
    pub of: Option<LagOf>,
    /// Exactly so many.
    pub exactly: Option<u64>,
    /// At least so many.
    #[serde(rename = "at.least")]
    pub at_least: Option<u64>,
    /// At most so many.
    #[serde(rename = "at.most")]
    pub at_most: Option<u64>,
}

#[derive(Copy, Clone, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LagOf {
    Committed,
    Position,
    Unprocessed,
}

/// Bounds of a time without processing.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UnavailableFile {
    /// The group that is meant. Default: all of them.
    pub group: Option<String>,
    /// A partition such as orders-0, or `longest`: the worst of all. Default: longest.
    pub partition: Option<String>,
    /// Exactly so long.
    pub exactly: Option<Duration>,
    /// At least so long.
    #[serde(rename = "at.least")]
    pub at_least: Option<Duration>,
    /// At most so long.
    #[serde(rename = "at.most")]
    pub at_most: Option<Duration>,
}

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum MomentFile {
    At(Duration),
    End,
    Settled,
}

pub fn count(text: &str) -> Result<u64, Unreadable> {
    text.replace('_', "").parse().map_err(|_| Unreadable {
        message: format!("`{}` is not a whole number, zero or above", cut(text)),
        hint: Some("write a number, or bounds such as {at.most: 500}".to_owned()),
    })
}

impl<'de> Deserialize<'de> for CountFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Shapes::new("a number, or bounds such as {at.most: 500}", |text| count(text).map(CountFile::Exactly))
            .long(CountFile::Bounds)
            .read(deserializer)
    }
}

impl<'de> Deserialize<'de> for LagFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Shapes::new("a number, or bounds such as {at.most: 500}", |text| count(text).map(LagFile::Exactly))
            .long(LagFile::Bounds)
            .read(deserializer)
    }
}

impl<'de> Deserialize<'de> for MomentFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = |text: &str| match text {
            "end" => Ok(MomentFile::End),
            "settled" => Ok(MomentFile::Settled),
            _ => Duration::parse(text).map(MomentFile::At),
        };
        Shapes::<_, NoLong>::new("a duration, `end` or `settled`", read).read(deserializer)
    }
}

impl JsonSchema for CountFile {
    fn schema_name() -> Cow<'static, str> {
        "Count".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({"anyOf": [{"type": "integer", "minimum": 0}, generator.subschema_for::<CountBounds>()]})
    }
}

impl JsonSchema for LagFile {
    fn schema_name() -> Cow<'static, str> {
        "Lag".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({"anyOf": [{"type": "integer", "minimum": 0}, generator.subschema_for::<LagBounds>()]})
    }
}

impl JsonSchema for MomentFile {
    fn schema_name() -> Cow<'static, str> {
        "Moment".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({"anyOf": [generator.subschema_for::<Duration>(), {"enum": ["end", "settled"]}]})
    }
}

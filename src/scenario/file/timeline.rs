//! Timeline entries as they are written.

use std::borrow::Cow;

use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

use super::super::quantity::Unreadable;
use super::super::reader::cut;
use super::shapes::{Duration, NoLong, RateText, Shapes};

/// Something that happens at a time: `at` and exactly one verb. Members are written group/member.
#[derive(Clone, PartialEq, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = [
    {"required": ["crash"]}, {"required": ["start"]}, {"required": ["stop"]}, {"required": ["pause"]}, {"required": ["slow"]},
    {"required": ["rate"]}, {"required": ["partitions"]}, {"required": ["scale"]}, {"required": ["rolling.restart"]}
]))]
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
    /// How long a pause or a slow phase lasts.
    #[serde(rename = "for")]
    pub lasts: Option<Duration>,
    /// Processing takes `factor` times as long.
    pub slow: Option<String>,
    /// How many times as long, such as 10 or 0.5.
    pub factor: Option<Factor>,
    /// A producer's rate from then on.
    pub rate: Option<IndexMap<String, RateText>>,
    /// A topic grows to so many partitions.
    pub partitions: Option<IndexMap<String, u32>>,
    /// A group is scaled to so many members: up continues the numbers, down stops the last ones.
    pub scale: Option<IndexMap<String, u32>>,
    /// Graceful restarts of all members of a group, one after the other in their order; not while another one of that group goes on.
    #[serde(rename = "rolling.restart")]
    pub rolling_restart: Option<String>,
    /// From the start of one restart to the start of the next; waits for the one before to be up.
    pub every: Option<Duration>,
    /// How long each process is down.
    pub down: Option<Duration>,
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

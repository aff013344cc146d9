//! Producers as they are written.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

use super::properties::ProducerProperties;
use super::shapes::{Duration, NoLong, RateText, Shapes, Size};

/// A producer of one topic.
#[derive(Clone, PartialEq, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProducerFile {
    /// The topic that it writes to.
    #[schemars(required)]
    pub topic: Option<String>,
    /// Records in time, such as 1000/s; or give `steps`.
    pub rate: Option<RateText>,
    /// Rates from given times on: [{at: 0s, rate: 1k/s}, {at: 60s, rate: 5k/s}].
    pub steps: Option<Vec<StepFile>>,
    /// even: the first record at the start, then one every 1/rate. poisson: as independent users make them. Default: even.
    pub arrivals: Option<ArrivalsFile>,
    /// Keys drawn from the seed. Without: null keys, which go to one partition a batch (the sticky partitioner).
    pub keys: Option<KeysFile>,
    /// The size of a record's value. Default: 100B.
    #[serde(rename = "record.size")]
    pub record_size: Option<Size>,
    /// The producer's properties.
    #[serde(default)]
    pub config: ProducerProperties,
}

/// A rate from a time on.
#[derive(Clone, PartialEq, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepFile {
    /// From when on.
    #[schemars(required)]
    pub at: Option<Duration>,
    /// Records in time.
    #[schemars(required)]
    pub rate: Option<RateText>,
}

#[derive(Copy, Clone, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ArrivalsFile {
    Even,
    Poisson,
}

/// Keys `<prefix>0`, `<prefix>1` and so on; each record's key is drawn, and murmur2 of it chooses the partition.
#[derive(Clone, PartialEq, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeysFile {
    /// What stands before the number. Default: key_.
    pub prefix: Option<String>,
    /// How many keys. Default: as many as `weights`.
    pub count: Option<u32>,
    /// Key number i with a weight of 1/(i+1)^s, for this s.
    pub zipf: Option<Exponent>,
    /// A weight for each key.
    pub weights: Option<Vec<u64>>,
}

/// A number above zero.
#[derive(Copy, Clone, PartialEq, Debug)]
pub struct Exponent(pub f64);

impl<'de> Deserialize<'de> for Exponent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = |text: &str| match text.parse::<f64>() {
            Ok(number) if number.is_finite() && number > 0.0 && number <= 100.0 => Ok(Exponent(number)),
            _ => Err(super::super::quantity::Unreadable {
                message: format!("`{}` is not a number above 0 and up to 100", super::super::reader::cut(text)),
                hint: None,
            }),
        };
        Shapes::<_, NoLong>::new("a number above 0", read).read(deserializer)
    }
}

impl JsonSchema for Exponent {
    fn schema_name() -> Cow<'static, str> {
        "Exponent".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "number", "exclusiveMinimum": 0, "maximum": 100})
    }
}

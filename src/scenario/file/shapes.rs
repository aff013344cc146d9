//! Values with several ways to be written: a short one (`5ms`) and a long one (`{uniform: [1ms, 9ms]}`).

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer, value::SeqAccessDeserializer};
use serde::{Deserialize, Deserializer};

use super::super::quantity::{self, Unreadable};
use crate::units::{Rate, Span};

/// The ways in which one value may be written.
pub struct Shapes<T, L> {
    expected: &'static str,
    short: fn(&str) -> Result<T, Unreadable>,
    list: Option<fn(Vec<String>) -> T>,
    long: Option<fn(L) -> T>,
}

/// For values without a long way to be written.
#[derive(Deserialize)]
pub struct NoLong {}

impl<T, L> Shapes<T, L> {
    pub fn new(expected: &'static str, short: fn(&str) -> Result<T, Unreadable>) -> Self {
        Shapes { expected, short, list: None, long: None }
    }

    #[must_use]
    pub fn list(mut self, list: fn(Vec<String>) -> T) -> Self {
        self.list = Some(list);
        self
    }

    #[must_use]
    pub fn long(mut self, long: fn(L) -> T) -> Self {
        self.long = Some(long);
        self
    }

    pub fn read<'de, D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error>
    where
        L: Deserialize<'de>,
    {
        deserializer.deserialize_any(ShapesVisitor { shapes: self, of: PhantomData })
    }
}

struct ShapesVisitor<T, L> {
    shapes: Shapes<T, L>,
    of: PhantomData<L>,
}

impl<'de, T, L: Deserialize<'de>> Visitor<'de> for ShapesVisitor<T, L> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.shapes.expected)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        (self.shapes.short)(text).map_err(E::custom)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<T, E> {
        self.visit_str(if value { "true" } else { "false" })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<T, A::Error> {
        match self.shapes.list {
            Some(list) => Vec::deserialize(SeqAccessDeserializer::new(items)).map(list),
            None => Err(de::Error::invalid_type(de::Unexpected::Seq, &self)),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<T, A::Error> {
        match self.shapes.long {
            Some(long) => L::deserialize(MapAccessDeserializer::new(entries)).map(long),
            None => Err(de::Error::invalid_type(de::Unexpected::Map, &self)),
        }
    }
}

pub const SHARE_PATTERN: &str = r"^\s*[0-9]+(\.[0-9]+)?\s*%\s*$";

macro_rules! quantities {
    ($($(#[$doc:meta])* $name:ident($value:ty) = $parse:path, $expected:literal, $pattern:expr, $examples:tt;)+) => {$(
        $(#[$doc])*
        #[derive(Copy, Clone, PartialEq, Eq, Debug)]
        pub struct $name(pub $value);

        impl $name {
            pub fn parse(text: &str) -> Result<Self, Unreadable> {
                $parse(text).map($name)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Shapes::<_, NoLong>::new($expected, $name::parse).read(deserializer)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({"description": concat!("In the form of ", $expected, "."), "type": "string", "pattern": $pattern, "examples": $examples})
            }
        }
    )+};
}

quantities! {
    /// A length of time.
    Duration(Span) = quantity::duration, "a duration such as `250ms` or `1m30s`",
        r"^\s*([0-9][0-9_]*(\.[0-9]+)?(ns|us|µs|ms|s|m|min|h|d)\s*)+$", ["250us", "5ms", "0.1s", "1m30s", "1h"];
    /// Records in time.
    RateText(Rate) = quantity::rate, "a rate such as `1000/s` or `10k/s`",
        r"^\s*[0-9][0-9_]*(\.[0-9]+)?[kKMG]?/[0-9_.]*(ns|us|µs|ms|s|m|min|h|d)\s*$", ["1000/s", "10k/s", "300/min", "1/5s"];
    /// Bytes.
    Size(u64) = quantity::size, "a size such as `200B` or `16KiB`",
        r"^\s*[0-9][0-9_]*(\.[0-9]+)?\s*(B|kB|KB|MB|GB|KiB|MiB|GiB)\s*$", ["200B", "16KiB"];
    /// A share in parts per thousand million.
    Share(u64) = quantity::share, "a share such as `0.1%`",
        SHARE_PATTERN, ["0.1%"];
}

/// A length of time, constant or random: a duration, or a map with one of the keys below.
#[derive(Clone, PartialEq, Debug)]
pub enum Distribution {
    Constant(Duration),
    Random(RandomTime),
}

/// A random length of time; exactly one of these.
#[derive(Clone, PartialEq, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RandomTime {
    /// From the first to the second, both included.
    pub uniform: Option<[Duration; 2]>,
    /// With this mean.
    pub exponential: Option<Duration>,
    /// With this mean and standard deviation, cut off at zero.
    pub normal: Option<NormalTime>,
    /// With this median and this 99th percentile, as dashboards show them.
    pub lognormal: Option<LogNormalTime>,
    /// With this smallest value and this shape (the smaller, the heavier the tail).
    pub pareto: Option<ParetoTime>,
    /// One of these, each as likely.
    pub values: Option<Vec<Duration>>,
}

/// Mean and standard deviation.
#[derive(Clone, PartialEq, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NormalTime {
    /// The mean.
    #[schemars(required)]
    pub mean: Option<Duration>,
    /// The standard deviation.
    #[schemars(required)]
    pub sd: Option<Duration>,
}

/// Median and 99th percentile.
#[derive(Clone, PartialEq, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LogNormalTime {
    /// The median.
    #[schemars(required)]
    pub p50: Option<Duration>,
    /// The 99th percentile.
    #[schemars(required)]
    pub p99: Option<Duration>,
}

/// Scale and shape.
#[derive(Clone, PartialEq, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ParetoTime {
    /// The smallest value.
    #[schemars(required)]
    pub scale: Option<Duration>,
    /// Above 0; at 1 and below there is no mean.
    #[schemars(required)]
    pub shape: Option<f64>,
}

impl<'de> Deserialize<'de> for Distribution {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Shapes::new("a duration or a distribution", |text| Duration::parse(text).map(Distribution::Constant))
            .long(Distribution::Random)
            .read(deserializer)
    }
}

impl JsonSchema for Distribution {
    fn schema_name() -> Cow<'static, str> {
        "Distribution".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({"anyOf": [generator.subschema_for::<Duration>(), generator.subschema_for::<RandomTime>()]})
    }
}

//! Kafka properties as they are written: names are Kafka's, values keep their text.

use std::borrow::Cow;
use std::fmt;

use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};

use super::super::defaults::{self, Role, Unit};
use super::super::quantity::Unreadable;
use super::super::reader::cut;
use super::shapes::{NoLong, Shapes};

/// The value of a property.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Property {
    Text(String),
    List(Vec<String>),
}

impl<'de> Deserialize<'de> for Property {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Shapes::<_, NoLong>::new("a value or a list", |text| Ok(Property::Text(text.to_owned()))).list(Property::List).read(deserializer)
    }
}

impl Property {
    /// Kafka's lists may be written as one text with commas.
    pub fn items(&self) -> Vec<String> {
        match self {
            Property::List(items) => items.clone(),
            Property::Text(text) => text.split(',').map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect(),
        }
    }
}

macro_rules! roles {
    ($($(#[$doc:meta])* $name:ident: $role:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
        pub struct $name(pub IndexMap<String, Property>);

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "description": concat!("Kafka's properties of a ", stringify!($role), ", with Kafka's names and units."),
                    "type": "object",
                    "properties": property_schemas(Role::$role),
                    "additionalProperties": false
                })
            }
        }
    )+};
}

roles! {
    /// A consumer's properties.
    ConsumerProperties: Consumer;
    /// A producer's properties.
    ProducerProperties: Producer;
    /// A broker's properties.
    BrokerProperties: Broker;
    /// A group's properties on the brokers.
    GroupProperties: Group;
}

fn property_schemas(role: Role) -> Map<String, Value> {
    let schema = |unit: Unit, modelled: bool| {
        let about = match (unit, modelled) {
            (_, false) => "A property of Kafka that is not modelled: accepted with a warning, and without effect.",
            (Unit::Millis, true) => "In milliseconds; also a duration such as `10s`.",
            (Unit::Bytes, true) => "In bytes; also a size such as `16KiB`.",
            (Unit::Plain, true) => "A property of Kafka.",
        };
        json!({"description": about})
    };
    defaults::names(role).map(|(name, unit, modelled)| (name.to_owned(), schema(unit, modelled))).collect()
}

/// A topic: a number of partitions, or a map with `partitions`, `replication.factor` and Kafka's properties of a topic.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TopicFile {
    pub partitions: Option<u32>,
    pub replication_factor: Option<u32>,
    pub config: IndexMap<String, Property>,
}

/// A topic's map.
#[derive(Default)]
struct LongTopic(TopicFile);

impl<'de> Deserialize<'de> for TopicFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let short = |text: &str| match text.replace('_', "").parse() {
            Ok(partitions) => Ok(TopicFile { partitions: Some(partitions), ..TopicFile::default() }),
            Err(_) => Err(Unreadable {
                message: format!("`{}` is not a number of partitions", cut(text)),
                hint: Some("write a number, or a map such as {partitions: 6, replication.factor: 3}".to_owned()),
            }),
        };
        Shapes::new("a number of partitions or a map", short).long(|LongTopic(topic)| topic).read(deserializer)
    }
}

impl<'de> Deserialize<'de> for LongTopic {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(LongTopicVisitor)
    }
}

struct LongTopicVisitor;

impl<'de> Visitor<'de> for LongTopicVisitor {
    type Value = LongTopic;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a topic")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<LongTopic, A::Error> {
        let mut topic = TopicFile::default();
        while let Some(key) = entries.next_key::<String>()? {
            match key.as_str() {
                "partitions" => topic.partitions = entries.next_value()?,
                "replication.factor" => topic.replication_factor = entries.next_value()?,
                _ => {
                    topic.config.insert(key, entries.next_value()?);
                }
            }
        }
        Ok(LongTopic(topic))
    }
}

impl JsonSchema for TopicFile {
    fn schema_name() -> Cow<'static, str> {
        "Topic".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let count = |about: &str| json!({"description": about, "type": "integer", "minimum": 1});
        let mut properties = property_schemas(Role::Topic);
        properties.insert("partitions".to_owned(), count("How many partitions at the start."));
        properties.insert("replication.factor".to_owned(), count("How many replicas each partition has. Default: 1."));
        json_schema!({
            "description": "A number of partitions, or a map.",
            "anyOf": [
                {"type": "integer", "minimum": 1},
                {"type": "object", "properties": properties, "required": ["partitions"], "additionalProperties": false}
            ]
        })
    }
}

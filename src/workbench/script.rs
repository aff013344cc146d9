//! A script as it stands in a line.

use serde_json::{Map, Value};

use crate::kafka::coordinator::shard::CoordinatorConfig;
use crate::kafka::release::Switches;
use crate::release::Release;
use crate::workbench::operation::{Operation, PARTITIONS_MAX, whole_number};
use crate::workbench::settings;

/// The keys of the head that are copied, in this order.
const HEAD: [&str; 6] = ["id", "title", "kind", "kafka", "config", "topics"];

pub struct Script {
    head: Map<String, Value>,
    pub config: CoordinatorConfig,
    /// With their partitions.
    pub topics: Vec<(String, u32)>,
    pub steps: Vec<Step>,
}

pub struct Step {
    pub number: Value,
    /// The time that the script gives for the step, in milliseconds.
    pub at: Option<u64>,
    /// `do` as written.
    pub told: Value,
    pub operation: Operation,
}

impl Script {
    pub fn read(written: Value) -> Result<Script, String> {
        let Value::Object(mut keys) = written else {
            return Err("not a script: a script is a JSON object with \"steps\"".to_owned());
        };
        let steps = match keys.remove("steps") {
            Some(Value::Array(steps)) => steps,
            Some(other) => return Err(format!("\"steps\" is {}, not an array of steps", kind(&other))),
            None => return Err("not a script: it has no \"steps\"".to_owned()),
        };
        let mut head = Map::new();
        for key in HEAD {
            if let Some(value) = keys.remove(key) {
                head.insert(key.to_owned(), value);
            }
        }
        let release = release(head.get("kafka"))?;
        let defaults = CoordinatorConfig::defaults(Switches::of(release));
        let config = settings::read(object(&head, "config")?, defaults)?;
        let topics = topics(object(&head, "topics")?)?;
        let steps = steps.into_iter().enumerate().map(|(index, step)| Step::read(index, step)).collect::<Result<_, _>>()?;
        Ok(Script { head, config, topics, steps })
    }

    /// The line that is written.
    pub fn transcript(&self, steps: Vec<Value>, parked: &[u64]) -> Value {
        let mut line = self.head.clone();
        if !parked.is_empty() {
            line.insert("parked_at_end".to_owned(), parked.into());
        }
        line.insert("steps".to_owned(), Value::Array(steps));
        Value::Object(line)
    }
}

impl Step {
    fn read(index: usize, written: Value) -> Result<Step, String> {
        let Value::Object(mut keys) = written else {
            return Err(format!("step {index} is {}, not an object with \"do\"", kind(&written)));
        };
        let number = keys.remove("n").unwrap_or_else(|| index.into());
        let place = |message: String| format!("step {number}: {message}");
        let at = match keys.remove("at") {
            Some(at) => Some(whole_number(&at).ok_or_else(|| place(format!("\"at\" is {at}, not a time in milliseconds")))?),
            None => None,
        };
        let told = keys.remove("do").ok_or_else(|| place("it has no \"do\"".to_owned()))?;
        let operation = Operation::read(&told).map_err(place)?;
        Ok(Step { number, at, told, operation })
    }
}

fn release(written: Option<&Value>) -> Result<Release, String> {
    let Some(written) = written else { return Ok(Release::default()) };
    written.as_str().and_then(Release::parse).ok_or_else(|| {
        let known: Vec<&str> = Release::ALL.into_iter().map(Release::name).collect();
        format!("\"kafka\" is {written}, not one of {}, or a line such as \"4.3\"", known.join(", "))
    })
}

/// A key of the head that holds an object, perhaps an absent one.
fn object<'a>(head: &'a Map<String, Value>, key: &str) -> Result<Option<&'a Map<String, Value>>, String> {
    match head.get(key) {
        None => Ok(None),
        Some(Value::Object(map)) => Ok(Some(map)),
        Some(other) => Err(format!("{key:?} is {}, not an object", kind(other))),
    }
}

fn topics(written: Option<&Map<String, Value>>) -> Result<Vec<(String, u32)>, String> {
    let read = |(name, partitions): (&String, &Value)| {
        let count = whole_number(partitions).filter(|count| (1..=u64::from(PARTITIONS_MAX)).contains(count));
        let wrong = || format!("topic {name:?} has {partitions} partitions, not a whole number from 1 to {PARTITIONS_MAX}");
        count.map(|count| (name.clone(), count as u32)).ok_or_else(wrong)
    };
    written.into_iter().flatten().map(read).collect()
}

/// What a JSON value is, in words.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

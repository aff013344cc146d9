//! A question as it stands in a line of JSON.

use std::fmt;
use std::marker::PhantomData;

use indexmap::IndexMap;
use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::{Question, Strategy, Subscriber};
use crate::error::did_you_mean;
use crate::release::Release;
use crate::units::TopicPartition;

/// Keys that are not named here are ignored, among them the answers.
#[derive(Deserialize)]
struct Written {
    #[serde(default)]
    id: Value,
    assignor: String,
    kafka: Option<String>,
    steps: Option<Vec<WrittenCall>>,
    topics: Option<Pairs<u32>>,
    topic_ids: Option<Pairs<u64>>,
    members: Option<Vec<WrittenMember>>,
}

#[derive(Deserialize)]
struct WrittenCall {
    topics: Pairs<u32>,
    topic_ids: Option<Pairs<u64>>,
    members: Vec<WrittenMember>,
}

/// Numbers by topic, in the order in which they are written.
struct Pairs<N>(IndexMap<String, N>);

impl<'de, N: Deserialize<'de>> Deserialize<'de> for Pairs<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(PairsVisitor(PhantomData))
    }
}

struct PairsVisitor<N>(PhantomData<N>);

impl<'de, N: Deserialize<'de>> Visitor<'de> for PairsVisitor<N> {
    type Value = Pairs<N>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("topics with their numbers, such as {\"orders\": 6}")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs<N>, A::Error> {
        let mut pairs = IndexMap::new();
        while let Some((name, number)) = map.next_entry::<String, N>()? {
            if pairs.contains_key(&name) {
                return Err(de::Error::custom(format_args!("the topic `{}` is there twice", shortened(&name))));
            }
            pairs.insert(name, number);
        }
        Ok(Pairs(pairs))
    }
}

#[derive(Deserialize)]
struct WrittenMember {
    id: String,
    instance_id: Option<String>,
    topics: Vec<String>,
    #[serde(default)]
    owned: Vec<(String, u32)>,
    generation: Option<i32>,
    subscription_generation: Option<i32>,
}

pub struct Line {
    pub id: Value,
    pub strategy: Strategy,
    pub release: Release,
    pub asked: Asked,
}

pub enum Asked {
    Case(Question),
    Sequence(Vec<Question>),
}

impl Line {
    /// `release`: if the line names none.
    pub fn read(line: &[u8], release: Release) -> Result<Line, String> {
        let text = std::str::from_utf8(line).map_err(|error| format!("not UTF-8 in column {}", error.valid_up_to() + 1))?;
        // A list would be read as an object without its keys.
        if !text.trim_start().starts_with('{') {
            return Err("not a JSON object".to_owned());
        }
        let written: Written = serde_json::from_str(text).map_err(|error| not_readable(&error))?;
        let strategy = Strategy::named(&written.assignor).ok_or_else(|| unknown_assignor(&written.assignor))?;
        let release = written.kafka.map_or(Ok(release), |name| Release::parse(&name).ok_or_else(|| unknown_release(&name)))?;
        let asked = match (written.steps, written.topics, written.members) {
            (Some(_), Some(_), _) | (Some(_), None, Some(_)) => {
                return Err("\"topics\" or \"members\" beside \"steps\": each step has its own".to_owned());
            }
            (Some(steps), None, None) => {
                let read = |(index, step)| question(strategy, step).map_err(|message| format!("step {}: {message}", index + 1));
                Asked::Sequence(steps.into_iter().enumerate().map(read).collect::<Result<_, _>>()?)
            }
            (None, Some(topics), Some(members)) => {
                Asked::Case(question(strategy, WrittenCall { topics, topic_ids: written.topic_ids, members })?)
            }
            (None, None, _) => return Err("neither \"steps\" nor \"topics\"".to_owned()),
            (None, Some(_), None) => return Err("it has no \"members\"".to_owned()),
        };
        Ok(Line { id: written.id, strategy, release, asked })
    }
}

fn question(strategy: Strategy, call: WrittenCall) -> Result<Question, String> {
    let mut topics: Vec<(String, u32)> = call.topics.0.into_iter().collect();
    match (strategy, call.topic_ids) {
        (Strategy::Server(_), Some(ids)) => sort_by_id(&mut topics, &ids.0)?,
        (Strategy::Server(_), None) | (Strategy::Client(_), _) => {}
    }
    let mut question = Question::new(topics).map_err(|error| error.to_string())?;
    for member in call.members {
        add(&mut question, member).map_err(|error| error.to_string())?;
    }
    Ok(question)
}

fn sort_by_id(topics: &mut [(String, u32)], ids: &IndexMap<String, u64>) -> Result<(), String> {
    if let Some((name, _)) = topics.iter().find(|(name, _)| !ids.contains_key(name)) {
        return Err(format!("the topic `{name}` is not among the \"topic_ids\""));
    }
    topics.sort_by_key(|(name, _)| ids[name]);
    match topics.windows(2).find(|pair| ids[&pair[0].0] == ids[&pair[1].0]) {
        Some(pair) => Err(format!("the topics `{}` and `{}` have the same id", pair[0].0, pair[1].0)),
        None => Ok(()),
    }
}

fn add(question: &mut Question, member: WrittenMember) -> Result<(), super::Senseless> {
    let topics = member.topics.iter().map(|name| question.number(name)).collect::<Result<_, _>>()?;
    let mut owned = Vec::with_capacity(member.owned.len());
    for (name, partition) in member.owned {
        owned.push(TopicPartition { topic: question.number(&name)?, partition });
    }
    question.add(Subscriber {
        id: member.id,
        instance: member.instance_id,
        topics,
        owned,
        generation: member.generation,
        subscription_generation: member.subscription_generation,
    })
}

/// serde_json tells the place at the end; its line is always the first here.
fn not_readable(error: &serde_json::Error) -> String {
    let told = error.to_string();
    let what = told.rsplit_once(" at line ").map_or(&*told, |(what, _)| what);
    // What serde calls Rust's types by.
    let what = what.replace("expected u32", "expected a number from 0 to 4294967295").replace("expected i32", "expected a number");
    let what = what.replace("expected u64", "expected a number from 0 to 18446744073709551615");
    format!("{what} in column {}", error.column())
}

fn unknown_assignor(name: &str) -> String {
    let hint = did_you_mean(name, Strategy::ALL.map(Strategy::name)).map_or_else(String::new, |hint| format!(": {hint}"));
    format!("`{}` is not an assignor{hint}", shortened(name))
}

fn unknown_release(name: &str) -> String {
    let known: Vec<&str> = Release::ALL.into_iter().map(Release::name).collect();
    format!("`{}` is none of the releases {}, or a line such as 4.3", shortened(name), known.join(", "))
}

fn shortened(name: &str) -> String {
    const SHOWN_MAX: usize = 60;
    name.chars().take(SHOWN_MAX).collect()
}

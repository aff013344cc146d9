//! Topics that are created, grow and are deleted while the run goes on.
//!
//! A declared topic is there from the start, unless the first that the timeline does to it is to create it. One that is created again is
//! another topic: it has a number of its own, and whoever names it means whichever of them exists.

use super::super::file::group::TopicsFile;
use super::super::file::timeline::EntryFile;
use super::super::subscription::Pattern;
use super::super::{Client, Group, Producer, TimelineEntry, Topic, Verb};
use super::timeline::{Placed, Stage, Told};
use super::{Checker, Site};
use crate::units::{Instant, ProducerId, TopicId};

/// Where the topics of one declared name stand.
#[derive(Copy, Clone)]
enum State {
    NotYet,
    There(TopicId),
    Gone(TopicId, Instant),
}

impl Checker<'_> {
    /// `create.topic: payments`, `delete.topic: [orders, payments]`
    pub fn topic_verbs(&mut self, written: &EntryFile, site: Site<'_>, stage: &Stage<'_>, verbs: &mut Vec<Told>) {
        let both = [(&written.create_topic, "create.topic"), (&written.delete_topic, "delete.topic")];
        for (topics, key) in both.into_iter().filter_map(|(topics, key)| Some((topics.as_ref()?, key))) {
            let place = site.child(key);
            let named: Vec<(&String, _)> = match topics {
                TopicsFile::One(name) => vec![(name, place.value())],
                TopicsFile::List(names) => names.iter().zip(place.items().map(Site::value)).collect(),
            };
            if named.is_empty() {
                self.error(place.key(), format!("`{key}` names nothing"));
            }
            for (name, at) in named {
                if let Some(topic) = self.resolve(stage.topics, name, at.clone()).map(TopicId) {
                    let verb = if key == "create.topic" { Verb::CreateTopic(topic) } else { Verb::DeleteTopic(topic) };
                    verbs.push((verb, format!("`{name}`"), at));
                }
            }
        }
    }

    /// Entry by entry in the order of time: what is created and deleted, and how far it grows. From here on entries name the topic of their
    /// time.
    pub fn topic_lives(&mut self, placed: &mut [Placed], topics: &mut Vec<Topic>) {
        let mut states: Vec<State> = (0..topics.len() as u32).map(TopicId).map(|topic| first_state(topic, placed)).collect();
        for Placed { entry: TimelineEntry { at, verb }, at: place, who, .. } in placed {
            let answer = match verb {
                Verb::CreateTopic(topic) => create(topic, &mut states, *at, topics),
                Verb::DeleteTopic(topic) => existing(topic, &states).map(|declared| {
                    topics[topic.index()].deleted = Some(*at);
                    states[declared.index()] = State::Gone(*topic, *at);
                }),
                Verb::Partitions { topic, to } => existing(topic, &states).and_then(|_| grow(&mut topics[topic.index()], *to)),
                Verb::Crash(_)
                | Verb::Start { .. }
                | Verb::Stop(_)
                | Verb::Pause { .. }
                | Verb::Slow { .. }
                | Verb::Rate { .. }
                | Verb::Subscribe { .. }
                | Verb::GroupConfig { .. }
                | Verb::Scale { .. }
                | Verb::RollingRestart { .. }
                | Verb::Disconnect { .. }
                | Verb::Disturb { .. }
                | Verb::BrokerDown { .. } => Ok(()),
            };
            if let Err(why) = answer {
                self.error(place.clone(), format!("{who} {why}"));
            }
        }
    }
}

fn first_state(topic: TopicId, placed: &[Placed]) -> State {
    let first = placed.iter().find(|placed| matches!(placed.entry.verb, Verb::CreateTopic(id) | Verb::DeleteTopic(id) if id == topic));
    match first.map(|placed| &placed.entry.verb) {
        Some(Verb::CreateTopic(_)) => State::NotYet,
        Some(_) | None => State::There(topic),
    }
}

/// Lets `topic` be the one that is created.
fn create(topic: &mut TopicId, states: &mut [State], at: Instant, topics: &mut Vec<Topic>) -> Result<(), String> {
    let declared = topic.index();
    match states[declared] {
        State::There(_) => return Err("exists already".to_owned()),
        State::NotYet => topics[declared].created = Some(at),
        State::Gone(former, _) => {
            let life = topics[former.index()].life + 1;
            let first = &topics[declared];
            let next = Topic {
                name: format!("{}#{life}", first.name),
                life,
                created: Some(at),
                deleted: None,
                most_partitions: first.partitions,
                ..first.clone()
            };
            *topic = TopicId(u32::try_from(topics.len()).expect("the number of topics is limited"));
            topics.push(next);
        }
    }
    states[declared] = State::There(*topic);
    Ok(())
}

/// Lets `topic` be the one that exists; which was declared.
fn existing(topic: &mut TopicId, states: &[State]) -> Result<TopicId, String> {
    let declared = *topic;
    match states[declared.index()] {
        State::There(id) => {
            *topic = id;
            Ok(declared)
        }
        State::NotYet => Err("has not been created by then".to_owned()),
        State::Gone(_, at) => Err(format!("was deleted at {}", at.since(Instant::ZERO))),
    }
}

fn grow(topic: &mut Topic, to: u32) -> Result<(), String> {
    let from = topic.most_partitions;
    if to <= from {
        return Err(format!("has {from} partitions already: a topic can only grow"));
    }
    topic.most_partitions = to;
    Ok(())
}

fn subscribed_later(verb: &mut Verb) -> Option<&mut Vec<TopicId>> {
    if let Verb::Subscribe { to, .. } = verb { Some(&mut to.topics) } else { None }
}

/// Whoever names a topic means all that have its name one after the other: groups, members and producers.
pub fn follow_names(
    topics: &[Topic],
    patterns: &mut [Pattern],
    groups: &mut [Group],
    clients: &mut [Client],
    timeline: &mut [TimelineEntry],
    producers: &mut Vec<Producer>,
) {
    for (id, topic) in (0..).map(TopicId).zip(topics).filter(|(_, topic)| topic.life > 1) {
        let first = topics.iter().position(|other| other.life == 1 && other.name == topic.name_in_kafka());
        let first = TopicId(first.expect("a later topic has an earlier one of its name") as u32);
        let later = timeline.iter_mut().filter_map(|entry| subscribed_later(&mut entry.verb));
        let matched = patterns.iter_mut().map(|pattern| &mut pattern.topics);
        let all = matched.chain(groups.iter_mut().map(|group| &mut group.topics));
        for named in all.chain(clients.iter_mut().map(|client| &mut client.subscription.topics)).chain(later) {
            if named.contains(&first) {
                named.push(id);
            }
        }
        for source in 0..producers.len() {
            let producer = &producers[source];
            if producer.topic == first {
                let name = format!("{}#{}", producer.name, topic.life);
                let rest = Producer { name, topic: id, continues: Some(ProducerId(source as u32)), ..producer.clone() };
                producers.push(rest);
            }
        }
    }
}

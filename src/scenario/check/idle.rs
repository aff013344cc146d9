//! What is written and never does anything. All of it is allowed and most of it a slip, so there is a warning.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::super::file::ScenarioFile;
use super::super::file::timeline::EntryFile;
use super::super::{Client, Group, Producer, Scenario, Topic, Verb};
use super::{Checker, Site};
use crate::error::Problem;
use crate::terms::{ClientRequest, GroupProtocol};
use crate::units::{ClientId, Instant, ProducerId, TopicId};

impl Checker<'_> {
    /// Of a scenario without errors: what an error is about does nothing either.
    pub fn warn_of_the_idle(&mut self, file: &ScenarioFile, scenario: &Scenario, root: Site<'_>) {
        if self.errors() > 0 {
            return;
        }
        self.unused_topics(scenario, root.child("topics"));
        for (id, producer) in (0..).map(ProducerId).zip(&scenario.producers) {
            self.silent_producer(id, producer, scenario, root.child("producers"));
        }
        let called = called(scenario);
        for group in &scenario.groups {
            self.idle_members(group, &called, scenario, root.child("groups"));
        }
        self.unsent_requests(file, scenario, root.child("timeline"));
        self.warn_of_the_ineffective(file, scenario, root);
    }

    fn unused_topics(&mut self, scenario: &Scenario, topics: Site<'_>) {
        let written = scenario.producers.iter().map(|producer| producer.topic);
        let used: BTreeSet<TopicId> = written.chain(scenario.groups.iter().flat_map(|group| group.topics.iter().copied())).collect();
        let is_idle = |(id, topic): &(TopicId, &Topic)| topic.life == 1 && !used.contains(id);
        for ((_, topic), place) in (0..).map(TopicId).zip(&scenario.topics).zip(topics.children()).filter(|(topic, _)| is_idle(topic)) {
            let message = format!("nobody writes to the topic `{}`, and nobody subscribes to it", topic.name);
            self.warning(place.key(), message, "give it a producer or a group, or leave it out");
        }
    }

    fn silent_producer(&mut self, id: ProducerId, producer: &Producer, scenario: &Scenario, producers: Site<'_>) {
        let wakes = |verb: &Verb| if let Verb::Rate { producer, rate } = verb { *producer == id && !rate.is_zero() } else { false };
        let sends = producer.steps.iter().any(|step| !step.rate.is_zero()) || producer.continues.is_some();
        if !sends && !scenario.timeline.iter().any(|entry| wakes(&entry.verb)) {
            let site = producers.child(&producer.name);
            let place = if site.has("rate") { site.child("rate") } else { site.child("steps") };
            self.warning(place.value(), format!("the producer `{}` never sends anything", producer.name), "such as `rate: 1000/s`");
        }
    }

    fn idle_members(&mut self, group: &Group, called: &BTreeSet<usize>, scenario: &Scenario, groups: Site<'_>) {
        let first = group.first_client.index();
        let clients = first..first + group.clients as usize;
        let place = groups.child(&group.name).child("members");
        if !clients.clone().any(|client| scenario.clients[client].start.is_some() || called.contains(&client)) {
            self.warning(
                place.value(),
                format!("no member of the group `{}` ever runs", group.name),
                "such as `members: 3` or `members: [A, B]`",
            );
            return;
        }
        let over = Instant::ZERO + scenario.duration;
        for client in clients.filter(|client| !called.contains(client)) {
            let Client { name, start, .. } = &scenario.clients[client];
            let message = match start {
                None => format!("the member `{name}` never runs: it starts `never`, and nothing in the timeline starts it"),
                Some(at) if *at >= over => format!("the member `{name}` starts at {}, when the run phase is over", at.since(Instant::ZERO)),
                Some(_) => continue,
            };
            let hint = format!("such as `timeline: [{{at: 30s, start: {}/{name}}}]`, or a start before {}", group.name, scenario.duration);
            self.warning(place.child(name).value(), message, hint);
        }
    }

    /// Requests that are lost or late, and that their member sends in none of its lives.
    fn unsent_requests(&mut self, file: &ScenarioFile, scenario: &Scenario, timeline: Site<'_>) {
        let entries = file.timeline.iter().zip(timeline.items());
        let disturbed: Vec<_> = entries.filter_map(|(entry, site)| disturbed(entry, site)).collect();
        if disturbed.is_empty() {
            return;
        }
        let name = |client: &Client| format!("{}/{}", scenario.groups[client.group.index()].name, client.name);
        let clients: BTreeMap<String, ClientId> = scenario.clients.iter().map(name).zip((0..).map(ClientId)).collect();
        let first = (0..).map(ClientId).zip(scenario.clients.iter().map(|client| &client.config));
        let deployed = scenario.deploys().flat_map(|deploy| &deploy.clients).map(|deployed| (deployed.client, &deployed.config));
        let spoken: BTreeSet<(ClientId, &str)> = first.chain(deployed).map(|(client, config)| (client, config.protocol.name())).collect();
        for (member, request, protocol, site) in disturbed {
            let is_sent = clients.get(member).is_none_or(|client| spoken.contains(&(*client, protocol.name())));
            if !is_sent {
                self.unsent_request(member, request, protocol, site);
            }
        }
    }

    fn unsent_request(&mut self, member: &str, request: ClientRequest, of: GroupProtocol, site: Site<'_>) {
        let other = match of {
            GroupProtocol::Classic => GroupProtocol::Consumer,
            GroupProtocol::Consumer => GroupProtocol::Classic,
        };
        let sent = ClientRequest::ALL.into_iter().filter(|request| request.protocol() == Some(other));
        let hint = format!("instead it sends {}", sent.map(ClientRequest::name).collect::<Vec<_>>().join(", "));
        self.warning(site.value(), format!("`{member}` never sends {request}, which belongs to the {of} protocol"), hint);
    }

    pub fn warning(&mut self, place: Range<usize>, message: impl Into<String>, hint: impl Into<String>) {
        self.problems.push(Problem::warning(message).at(place).hint(hint));
    }
}

/// The clients that the timeline starts.
fn called(scenario: &Scenario) -> BTreeSet<usize> {
    let mut called = BTreeSet::new();
    for entry in &scenario.timeline {
        if let Verb::Start { client, .. } = &entry.verb {
            called.insert(client.index());
        } else if let Verb::Scale { group, members } = entry.verb {
            let first = scenario.groups[group.index()].first_client.index();
            called.extend(first..first + members as usize);
        }
    }
    called
}

/// Whose requests an entry disturbs, if only one protocol has them, and where it says which.
fn disturbed<'a>(entry: &'a EntryFile, site: Site<'a>) -> Option<(&'a str, ClientRequest, GroupProtocol, Site<'a>)> {
    let (request, from, place) = match (&entry.drop, &entry.delay) {
        (Some(drop), _) => (&drop.request, &drop.from, site.child("drop")),
        (None, Some(delay)) => (&delay.request, &delay.from, site.child("delay")),
        (None, None) => return None,
    };
    let request = ClientRequest::ALL.into_iter().find(|known| Some(known.name()) == request.as_deref())?;
    Some((from.as_deref()?, request, request.protocol()?, place.child("request")))
}

//! The timeline: entries as written into verbs, and whether each of them can happen at its time.

use std::ops::Range;

use indexmap::IndexSet;

use super::super::file::ScenarioFile;
use super::super::file::shapes::{Duration, RateText};
use super::super::file::timeline::{EntryFile, Factor};
use super::super::reader::cut;
use super::super::{BrokerConfig, Client, Releases, TimelineEntry, Topic, Verb};
use super::deploys::{Deployment, Deployments};
use super::group_configs::{GroupConfigs, goes_on};
use super::groups::Cast;
use super::lives::{Lives, Refusal};
use super::names::Names;
use super::topics::PARTITIONS_MAX;
use super::{Checker, Site};
use crate::units::{ClientId, GroupId, Instant, ProducerId, Span, TopicId};

pub const ENTRIES_MAX: usize = 10_000;

/// Everything that an entry or an expectation may speak of.
pub struct Stage<'a> {
    pub topics: &'a Names,
    pub producers: &'a Names,
    pub groups: &'a Names,
    pub cast: &'a Cast,
    pub brokers: u32,
    pub kafka: Releases,
    pub broker: &'a BrokerConfig,
    /// Of the run phase.
    pub end: Span,
    pub settle: Span,
}

/// A verb with whom it is about and where that is written.
pub type Told = (Verb, String, Range<usize>);

/// An entry with the place to point at if it cannot happen.
pub struct Placed<'a> {
    pub entry: TimelineEntry,
    /// Properties that change with it.
    deployment: Option<Deployment<'a>>,
    pub at: Range<usize>,
    pub who: String,
}

impl Checker<'_> {
    /// The entries in the order of time, and the instances of all clients, those that are deployed included.
    pub fn timeline(
        &mut self,
        file: &ScenarioFile,
        root: Site<'_>,
        stage: &Stage<'_>,
        topics: &mut Vec<Topic>,
    ) -> (Vec<TimelineEntry>, IndexSet<String>) {
        let site = root.child("timeline");
        let (mut placed, mut lives) = (Vec::new(), Lives::new(&stage.cast.clients, stage.cast.groups.len()));
        let mut deployments = Deployments::new(stage);
        for (written, place) in file.timeline.iter().zip(site.items()) {
            self.entry(written, place, stage, &mut placed, &mut lives);
        }
        if placed.len() > ENTRIES_MAX {
            self.error(site.key(), format!("{} timeline entries: the limit is {ENTRIES_MAX}", placed.len()));
            return (Vec::new(), deployments.instances);
        }
        placed.sort_by_key(|placed| placed.entry.at);
        let declared = topics.len();
        self.topic_lives(&mut placed, topics);
        self.walk_through(&placed, lives, stage);
        for Placed { entry, deployment, .. } in &mut placed {
            if let Some(deployment) = deployment {
                self.deploy(*deployment, root.child("groups"), &mut entry.verb, stage, &mut deployments);
            }
        }
        let total: u64 = topics.iter().map(|topic| u64::from(topic.most_partitions)).sum();
        let grown = topics.len() > declared || topics.iter().any(|topic| topic.most_partitions > topic.partitions);
        if grown && total > PARTITIONS_MAX {
            self.error(site.key(), format!("{total} partitions: the limit of all topics together is {PARTITIONS_MAX}"));
        }
        (placed.into_iter().map(|placed| placed.entry).collect(), deployments.instances)
    }

    fn entry<'a>(&mut self, written: &'a EntryFile, site: Site<'a>, stage: &Stage<'_>, placed: &mut Vec<Placed<'a>>, lives: &mut Lives) {
        const VERBS: [&str; 17] = [
            "crash",
            "start",
            "stop",
            "pause",
            "slow",
            "rate",
            "partitions",
            "create.topic",
            "delete.topic",
            "subscribe",
            "scale",
            "group.config",
            "rolling.restart",
            "disconnect",
            "drop",
            "delay",
            "broker.down",
        ];
        if site.node.is_null() {
            self.error_with_hint(site.value(), "an empty entry", "such as `{at: 30s, crash: group/member}`, or leave it out");
            return;
        }
        let verbs: Vec<&str> = VERBS.into_iter().filter(|verb| site.has(verb)).collect();
        let time = self.require(written.at, site, "this entry", "at", "when it happens, such as `at: 30s`");
        let [verb] = verbs.as_slice() else {
            if verbs.is_empty() && site.unreadable().next().is_some() {
                return;
            }
            let message =
                if verbs.is_empty() { "this entry does nothing".to_owned() } else { format!("{} verbs in one entry", verbs.len()) };
            self.error_with_hint(site.key(), message, format!("give it one of {}", VERBS.map(|verb| format!("`{verb}`")).join(", ")));
            return;
        };
        self.refuse_parameters_of_other_verbs(verb, site);
        let verbs = self.verbs(written, verb, site, stage);
        if verbs.is_empty() {
            // Whom it meant is not known, so nothing is certain about any of those.
            perhaps_meant(written, stage).into_iter().for_each(|client| lives.lose_sight(client));
        }
        let Some(Duration(time)) = time else {
            verbs.iter().flat_map(|(verb, ..)| whose(verb, stage)).for_each(|client| lives.lose_sight(client));
            return;
        };
        let at = Instant::ZERO + time;
        if time >= stage.end {
            self.error_with_hint(
                site.child("at").value(),
                format!("at {time} the run phase is over"),
                format!("`duration` is {}", stage.end),
            );
        }
        let deployment = written.config.as_ref().map(|config| Deployment { config, entry: site });
        let placed_as = |(verb, who, place)| Placed { entry: TimelineEntry { at, verb }, deployment, at: place, who };
        placed.extend(verbs.into_iter().map(placed_as));
    }

    fn refuse_parameters_of_other_verbs(&mut self, verb: &str, site: Site<'_>) {
        let parameters: &[&str] = match verb {
            "pause" => &["for"],
            "slow" => &["for", "factor"],
            "start" => &["config"],
            "subscribe" => &["topics"],
            "rolling.restart" => &["every", "down", "config"],
            "disconnect" | "broker.down" => &["for"],
            "drop" | "delay" => &["for", "count"],
            _ => &[],
        };
        for parameter in ["for", "factor", "topics", "every", "down", "count", "config"] {
            if site.has(parameter) && !parameters.contains(&parameter) {
                self.error(site.child(parameter).key(), format!("`{parameter}` means nothing with `{verb}`"));
            }
        }
    }

    /// What one entry says, with whom it is about and where that is written. A map of several names is several verbs.
    fn verbs(&mut self, written: &EntryFile, verb: &str, site: Site<'_>, stage: &Stage<'_>) -> Vec<Told> {
        let place = site.child(verb);
        self.refuse_nothing(verb, place);
        if let Some(member) = of_member(written) {
            let client = self.member(member, place.value(), stage);
            let verb = client.and_then(|client| self.member_verb(written, verb, client, site));
            return verb.map(|verb| (verb, format!("`{member}`"), place.value())).into_iter().collect();
        }
        let mut verbs = Vec::new();
        for ((name, RateText(rate)), place) in written.rate.iter().flatten().zip(place.children()) {
            if let Some(producer) = self.resolve(stage.producers, name, place.key()) {
                verbs.push((Verb::Rate { producer: ProducerId(producer), rate: *rate }, format!("`{name}`"), place.value()));
            }
        }
        for ((name, to), place) in written.partitions.iter().flatten().zip(place.children()) {
            if let Some(topic) = self.resolve(stage.topics, name, place.key()) {
                verbs.push((Verb::Partitions { topic: TopicId(topic), to: *to }, format!("`{name}`"), place.value()));
            }
        }
        for ((name, members), place) in written.scale.iter().flatten().zip(place.children()) {
            if let Some(group) = self.resolve(stage.groups, name, place.key()) {
                verbs.push((Verb::Scale { group: GroupId(group), members: *members }, format!("the group `{name}`"), place.value()));
            }
        }
        if let Some(name) = &written.rolling_restart {
            let group = self.resolve(stage.groups, name, place.value());
            let every = self.require(written.every, site, "a rolling restart", "every", "from start to start, such as `every: 20s`");
            let down = self.require(written.down, site, "a rolling restart", "down", "how long each is down, such as `down: 8s`");
            if let (Some(group), Some(Duration(every)), Some(Duration(down))) = (group, every, down) {
                let verb = Verb::RollingRestart { group: GroupId(group), every, down, deploy: None };
                verbs.push((verb, format!("the group `{name}`"), place.value()));
            }
        }
        self.group_config_verbs(written, site, stage, &mut verbs);
        self.topic_verbs(written, site, stage, &mut verbs);
        self.subscribe_verb(written, site, stage, &mut verbs);
        self.network_verbs(written, site, stage, &mut verbs);
        verbs
    }

    fn member_verb(&mut self, written: &EntryFile, verb: &str, client: ClientId, site: Site<'_>) -> Option<Verb> {
        Some(match verb {
            "crash" => Verb::Crash(client),
            "start" => Verb::Start { client, deploy: None },
            "stop" => Verb::Stop(client),
            "pause" => {
                let Duration(lasts) = self.require(written.lasts, site, "a pause", "for", "how long it lasts, such as `for: 50s`")?;
                if lasts.is_zero() {
                    self.error(site.child("for").value(), "a pause that takes no time");
                }
                Verb::Pause { client, lasts }
            }
            _ => {
                let Factor(factor) =
                    self.require(written.factor, site, "`slow`", "factor", "how many times as long, such as `factor: 10`")?;
                if factor == 0 {
                    self.error(site.child("factor").value(), "processing that takes no time at all");
                }
                Verb::Slow { client, factor, lasts: written.lasts.map(|lasts| lasts.0) }
            }
        })
    }

    /// group/member.
    pub fn member(&mut self, written: &str, at: Range<usize>, stage: &Stage<'_>) -> Option<ClientId> {
        let Some((group, member)) = written.split_once('/') else {
            self.half_a_member(written, at, stage);
            return None;
        };
        let group_id = GroupId(self.resolve(stage.groups, group, at.clone())?);
        let found = stage.cast.find(group_id, member);
        if found.is_none() && !stage.cast.may_have(group_id, member) {
            let names = stage.cast.members(group_id).map(|client| stage.cast.clients[client].name.as_str());
            let hint = self.guess(member, names);
            let message = format!("the group `{}` has no member `{}`", cut(group), cut(member));
            self.error_with_hint(at, message, hint.unwrap_or_else(|| "members are declared under `members:` of their group".to_owned()));
        }
        found
    }

    /// A group without a member, or a member without its group.
    fn half_a_member(&mut self, written: &str, at: Range<usize>, stage: &Stage<'_>) {
        let name = |client: &Client| format!("{}/{}", stage.groups.name(client.group.index()), client.name);
        let of_group = stage.groups.get(written).map(GroupId);
        let clients = || stage.cast.clients.iter();
        let example = clients().find(|client| of_group.is_none_or(|group| client.group == group));
        let hint = match clients().find(|client| of_group.is_none() && client.name == written) {
            Some(meant) => format!("did you mean `{}`?", name(meant)),
            None => {
                "a member is written group/member".to_owned()
                    + &example.map_or(String::new(), |client| format!(", such as `{}`", name(client)))
            }
        };
        let message = match of_group {
            Some(_) => format!("`{}` is a group, and this is about one of its members", cut(written)),
            None => format!("`{}` does not say of which group", cut(written)),
        };
        self.error_with_hint(at, message, hint);
    }

    /// Entry by entry in the order of time: can it happen?
    fn walk_through(&mut self, placed: &[Placed<'_>], mut lives: Lives, stage: &Stage<'_>) {
        let mut configs = GroupConfigs::new(stage);
        for (number, Placed { entry: TimelineEntry { at, verb }, deployment: _, at: place, who }) in placed.iter().enumerate() {
            let at = *at;
            let answer = match verb {
                Verb::Crash(client) => lives.end(*client, at, true),
                Verb::Stop(client) => lives.end(*client, at, false),
                Verb::Start { client, deploy: _ } => lives.start(*client, at),
                Verb::Pause { client, lasts } => lives.pause(*client, at, *lasts),
                Verb::Slow { client, factor: _, lasts } => lives.slow(*client, at, *lasts),
                Verb::Subscribe { client, .. } | Verb::Disconnect { client, .. } | Verb::Disturb { client, .. } => {
                    lives.running(*client, at)
                }
                Verb::BrokerDown { broker, lasts } => lives.broker_down(*broker, at, *lasts),
                Verb::Rate { .. } | Verb::Partitions { .. } | Verb::CreateTopic(_) | Verb::DeleteTopic(_) => Ok(()),
                Verb::GroupConfig { group, property, value } => {
                    let is_in_doubt = self.groups_in_doubt.contains(stage.groups.name(group.index()));
                    configs.set(*group, *property, *value, !is_in_doubt && !goes_on(placed, number))
                }
                Verb::Scale { group, members } => lives.scale(stage.cast.members(*group), *members, at),
                Verb::RollingRestart { group, every, down, deploy: _ } => {
                    let members = stage.cast.members(*group);
                    lives.roll(group.index(), members, at, (*every, *down, Instant::ZERO + stage.end))
                }
            };
            if let Err(Refusal { why, hint }) = answer {
                self.error_with_hint(place.clone(), format!("{who} {why}"), hint);
            }
        }
    }
}

/// Whose life a verb changes.
fn of_member(written: &EntryFile) -> Option<&String> {
    [&written.crash, &written.start, &written.stop, &written.pause, &written.slow].into_iter().flatten().next()
}

/// Of whom an entry without a verb may be: a member of the group that it names, or of any.
fn perhaps_meant(written: &EntryFile, stage: &Stage<'_>) -> Vec<ClientId> {
    let Some(member) = of_member(written) else { return Vec::new() };
    let group = member.split_once('/').and_then(|(group, _)| stage.groups.get(group)).map(GroupId);
    let clients = (0..).map(ClientId).zip(&stage.cast.clients);
    clients.filter(|(_, client)| group.is_none_or(|group| client.group == group)).map(|(client, _)| client).collect()
}

fn whose(verb: &Verb, stage: &Stage<'_>) -> Vec<ClientId> {
    let of_group = |group: &GroupId| stage.cast.members(*group).filter_map(|client| u32::try_from(client).ok()).map(ClientId).collect();
    match verb {
        Verb::Crash(client) | Verb::Stop(client) | Verb::Start { client, .. } => vec![*client],
        Verb::Pause { client, .. } | Verb::Slow { client, .. } => vec![*client],
        Verb::Scale { group, .. } | Verb::RollingRestart { group, .. } => of_group(group),
        Verb::Rate { .. }
        | Verb::Partitions { .. }
        | Verb::CreateTopic(_)
        | Verb::DeleteTopic(_)
        | Verb::Subscribe { .. }
        | Verb::GroupConfig { .. }
        | Verb::Disconnect { .. }
        | Verb::Disturb { .. }
        | Verb::BrokerDown { .. } => Vec::new(),
    }
}

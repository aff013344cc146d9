//! What is written and changes nothing, since nobody is there for whom it does. All of it is allowed and most of it a slip, so there is a
//! warning; where anything could come of it there is none.

use std::collections::BTreeSet;
use std::ops::Range;

use super::super::file::ScenarioFile;
use super::super::file::group::MembersFile;
use super::super::file::properties::GroupProperties;
use super::super::{Client, Commit, Group, Listener, Scenario};
use super::model::COMMITS_WITHOUT_POLL;
use super::{Checker, Site};
use crate::terms::{GroupProperty, GroupProtocol};
use crate::units::ClientId;

/// Who there is in a scenario without errors.
pub struct Whole<'a> {
    pub file: &'a ScenarioFile,
    pub scenario: &'a Scenario,
    pub root: Site<'a>,
    /// Speak the consumer protocol in one of their lives.
    consumers: BTreeSet<ClientId>,
}

impl Checker<'_> {
    /// Of a scenario without errors: then each thing in the file has its like in the scenario.
    pub fn warn_of_the_ineffective(&mut self, file: &ScenarioFile, scenario: &Scenario, root: Site<'_>) {
        let whole = Whole { file, scenario, root, consumers: consumers(scenario) };
        self.needless_listeners(&whole);
        self.needless_race(&whole);
        self.needless_passes(&whole);
        self.needless_group_configs(&whole);
        self.warn_of_the_repeated(&whole);
    }

    fn needless_listeners(&mut self, whole: &Whole<'_>) {
        let mut places = Vec::new();
        if whole.file.model.as_ref().is_some_and(|model| model.listener.is_some()) && whole.listens_in_vain(0..whole.scenario.clients.len())
        {
            places.push(whole.root.child("model").child("listener"));
        }
        let groups = whole.scenario.groups.iter().zip(whole.file.groups.values()).zip(whole.root.child("groups").children());
        // Where `on.revoke` is written there may be something to turn on or off.
        for ((group, written), site) in groups.filter(|((_, written), _)| written.on_revoke.is_none()) {
            if written.listener.is_some() && whole.listens_in_vain(members(group)) {
                places.push(site.child("listener"));
            }
            if let Some(MembersFile::Each(each)) = &written.members {
                for ((client, member), site) in members(group).zip(each.values()).zip(site.child("members").children()) {
                    if member.listener.is_some() && member.on_revoke.is_none() && whole.listens_in_vain(client..client + 1) {
                        places.push(site.child("listener"));
                    }
                }
            }
        }
        for place in places {
            let message = "`listener` makes no difference: classic clients do the same with and without one";
            self.warning(place.key(), message, "it is for clients with `config: {group.protocol: consumer}`");
        }
    }

    fn needless_race(&mut self, whole: &Whole<'_>) {
        let Scenario { model, kafka, clients, .. } = whole.scenario;
        let races = |(client, Client { commit, .. }): (ClientId, &Client)| *commit == Commit::Auto && whole.consumers.contains(&client);
        // Of older clients it has been said that theirs cannot.
        if model.commit_race && kafka.clients >= COMMITS_WITHOUT_POLL && !(0..).map(ClientId).zip(clients).any(races) {
            let message = "commit.race makes no difference: no member of the consumer protocol commits automatically";
            let hint = "it needs members with `config: {group.protocol: consumer}` and `commit: auto`";
            self.warning(whole.root.child("model").child("commit.race").key(), message, hint);
        }
    }

    fn needless_passes(&mut self, whole: &Whole<'_>) {
        let is_written = whole.file.model.as_ref().is_some_and(|model| model.app_passes.is_some());
        if is_written && whole.are_classic(0..whole.scenario.clients.len()) {
            let message = "app.passes makes no difference: no member speaks the consumer protocol";
            let hint = "it needs members with `config: {group.protocol: consumer}`";
            self.warning(whole.root.child("model").child("app.passes").key(), message, hint);
        }
    }

    fn needless_group_configs(&mut self, whole: &Whole<'_>) {
        let declared = whole.file.groups.iter().zip(whole.root.child("groups").children());
        let declared = declared.map(|((name, written), site)| (name, &written.group_config, site.child("group.config")));
        let entries = whole.file.timeline.iter().zip(whole.root.child("timeline").items());
        let set = entries.flat_map(|(entry, site)| {
            let groups = entry.group_config.iter().flatten().zip(site.child("group.config").children());
            groups.map(|((name, properties), place)| (name, properties, place))
        });
        for (name, properties, place) in declared.chain(set).collect::<Vec<_>>() {
            let group = whole.scenario.groups.iter().find(|group| group.name == *name);
            if group.is_some_and(|group| whole.are_classic(members(group))) && modelled(properties).next().is_some() {
                let message = format!("this makes no difference: no member of the group `{name}` ever speaks the consumer protocol");
                let hint = "classic members bring their own, such as `config: {session.timeout.ms: 30s}`";
                self.warning(place.key(), message, hint);
            }
        }
    }
}

impl<'a> Whole<'a> {
    pub fn are_classic(&self, clients: Range<usize>) -> bool {
        !clients.is_empty() && self.consumers.range(client(clients.start)..client(clients.end)).next().is_none()
    }

    /// Whether a listener that does nothing is all that these clients could register, and nobody would see it.
    fn listens_in_vain(&self, clients: Range<usize>) -> bool {
        let is_idle = |client: &Client| client.on_revoke.is_none_or(|listener| listener == Listener::default());
        self.are_classic(clients.clone()) && self.scenario.clients[clients].iter().all(is_idle)
    }
}

pub fn modelled(properties: &GroupProperties) -> impl Iterator<Item = GroupProperty> {
    GroupProperty::ALL.into_iter().filter(|property| properties.0.contains_key(property.name()))
}

pub fn members(group: &Group) -> Range<usize> {
    let first = group.first_client.index();
    first..first + group.clients as usize
}

fn client(number: usize) -> ClientId {
    ClientId(u32::try_from(number).expect("the number of members is limited"))
}

fn consumers(scenario: &Scenario) -> BTreeSet<ClientId> {
    let first = (0..).map(ClientId).zip(scenario.clients.iter().map(|client| &client.config));
    let deployed = scenario.deploys().flat_map(|deploy| &deploy.clients).map(|deployed| (deployed.client, &deployed.config));
    let speaks = first.chain(deployed).filter(|(_, config)| config.protocol == GroupProtocol::Consumer);
    speaks.map(|(client, _)| client).collect()
}

#[cfg(test)]
mod tests {
    use super::super::warned::check;

    const LISTENER: (&str, &str) = ("`listener` makes no difference: classic clients do the same with and without one", "listener");

    #[test]
    fn a_listener_that_does_nothing_is_nothing_to_classic_clients() {
        check("", "g: {topics: t, members: 2, listener: false}", "", &[LISTENER]);
        check("", "g: {topics: t, members: {A: {listener: true}, B: }}", "", &[LISTENER]);
        check("model: {listener: false}", "g: {topics: t, members: 2}, h: {topics: t, members: 2}", "", &[LISTENER]);
        // Somebody speaks the consumer protocol, to begin with or later.
        let one = "members: {A: {config: {group.protocol: consumer}}, B: }";
        check("", &format!("g: {{topics: t, listener: false, {one}}}"), "", &[]);
        check("model: {listener: false}", &format!("g: {{topics: t, {one}}}, h: {{topics: t, members: 2}}"), "", &[]);
        check("", &format!("g: {{topics: t, {one}}}, h: {{topics: t, members: 2, listener: false}}"), "", &[LISTENER]);
        let roll = "{at: 1m, rolling.restart: g, every: 20s, down: 1s, config: {group.protocol: consumer}}";
        check("", "g: {topics: t, members: 2, listener: false}", roll, &[]);
        // It turns something off.
        check("", "g: {topics: t, on.revoke: commit, members: {A: {listener: false}, B: }}", "", &[]);
        check("model: {listener: false}", "g: {topics: t, members: 2, on.revoke: commit}", "", &[]);
    }

    #[test]
    fn a_race_needs_a_member_of_the_consumer_protocol_that_commits_automatically() {
        let race = ("commit.race makes no difference: no member of the consumer protocol commits automatically", "commit.race");
        let of = |commit: &str, protocol: &str| {
            format!("g: {{topics: t, members: 2, commit: {commit}, config: {{group.protocol: {protocol}}}}}")
        };
        check("model: {commit.race: true}", &of("auto", "consumer"), "", &[]);
        check("model: {commit.race: true}", &of("sync", "consumer"), "", &[race]);
        check("model: {commit.race: true}", &of("auto", "classic"), "", &[race]);
        check("model: {commit.race: false}", &of("auto", "classic"), "", &[]);
        let older = "commit.race makes no difference: clients of Kafka 4.1.2 commit before poll() returns records";
        check("kafka: \"4.1\"\nmodel: {commit.race: true}", &of("sync", "consumer"), "", &[(older, "commit.race")]);
    }

    #[test]
    fn properties_of_a_group_are_nothing_to_classic_members() {
        let none = |name: &str| format!("this makes no difference: no member of the group `{name}` ever speaks the consumer protocol");
        let own = "group.config: {consumer.session.timeout.ms: 50s}";
        check("", &format!("g: {{topics: t, members: 2, {own}}}"), "", &[(&none("g"), "group.config")]);
        let set = "{at: 30s, group.config: {g: {consumer.heartbeat.interval.ms: 6s}, h: {consumer.heartbeat.interval.ms: 6s}}}";
        let h = "h: {topics: t, members: 2, config: {group.protocol: consumer}}";
        check("", &format!("g: {{topics: t, members: 2}}, {h}"), set, &[(&none("g"), "g")]);
        let later = "{at: 20s, stop: g/A}, {at: 30s, start: g/A, config: {group.protocol: consumer}}";
        check("", &format!("g: {{topics: t, members: [A, B], {own}}}"), later, &[]);
    }
}

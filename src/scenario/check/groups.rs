//! Groups: what they subscribe to, and which processes they consist of.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::{IndexMap, IndexSet};

use super::super::defaults::consumer::ConsumerSettings;
use super::super::defaults::{Role, consumer};
use super::super::file::ScenarioFile;
use super::super::file::group::{GroupFile, MemberFile, MembersFile, StartFile};
use super::super::file::properties::Property;
use super::super::{BrokerConfig, Client, Group, Listener, Releases};
use super::members::Setup;
use super::names::Names;
use super::subscription::Wanted;
use super::{Checker, Site};
use crate::units::{ClientId, GroupId, InstanceId, Instant};

/// Of all groups together, those that the timeline adds included.
pub const MEMBERS_MAX: usize = 10_000;
pub const GROUPS_MAX: usize = 1_000;

/// Groups and the processes in them.
#[derive(Default)]
pub struct Cast {
    pub groups: Vec<Group>,
    pub clients: Vec<Client>,
    /// By client: how its first life is set up.
    pub setups: Vec<Setup>,
    pub instances: IndexSet<String>,
    /// Groups some of whose members could not be read.
    in_doubt: BTreeSet<GroupId>,
    /// Groups that the timeline may scale to a number that could not be read.
    scaled_in_doubt: BTreeSet<GroupId>,
    /// By group and name.
    by_name: BTreeMap<(GroupId, String), ClientId>,
}

impl Cast {
    /// The clients of a group, by number.
    pub fn members(&self, group: GroupId) -> std::ops::Range<usize> {
        let group = &self.groups[group.index()];
        let first = group.first_client.index();
        first..first + group.clients as usize
    }

    pub fn find(&self, group: GroupId, member: &str) -> Option<ClientId> {
        self.by_name.get(&(group, member.to_owned())).copied()
    }

    /// There may be such a member, for all that could be read.
    pub fn may_have(&self, group: GroupId, member: &str) -> bool {
        let number = member.strip_prefix(&self.groups[group.index()].name).and_then(|rest| rest.strip_prefix('-'));
        let is_numbered = number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()));
        self.in_doubt.contains(&group) || (is_numbered && self.scaled_in_doubt.contains(&group))
    }

    fn push(&mut self, client: Client, setup: Setup) {
        let id = ClientId(u32::try_from(self.clients.len()).expect("the number of members is limited"));
        self.by_name.insert((client.group, client.name.clone()), id);
        self.clients.push(client);
        self.setups.push(setup);
    }
}

pub fn intern(instances: &mut IndexSet<String>, instance: &str) -> InstanceId {
    let (place, _) = instances.insert_full(instance.to_owned());
    InstanceId(u32::try_from(place).expect("the number of instances is limited"))
}

/// One process of a group before its properties are worked out.
pub struct Part<'a> {
    name: String,
    start: Option<Instant>,
    pub wanted: Wanted,
    pub special: Option<(&'a MemberFile, Site<'a>)>,
}

impl<'a> Part<'a> {
    fn new(name: String, start: Option<Instant>, special: Option<(&'a MemberFile, Site<'a>)>) -> Self {
        Part { name, start, wanted: Wanted::default(), special }
    }
}

impl Checker<'_> {
    pub fn groups(&mut self, file: &ScenarioFile, root: Site<'_>, topics: &Names, releases: Releases, broker: &BrokerConfig) -> Cast {
        let site = root.child("groups");
        if file.groups.len() > GROUPS_MAX {
            self.error(site.key(), format!("{} groups: the limit is {GROUPS_MAX}", file.groups.len()));
        }
        let registers = file.model.as_ref().and_then(|model| model.listener).unwrap_or(true);
        let listener = registers.then(Listener::default);
        let doubtful_scales = doubtful_scales(file, root);
        let mut cast = Cast::default();
        for ((name, written), place) in file.groups.iter().zip(site.children()) {
            self.legal_name("group", name, place.key());
            let scaled = highest_scale(file, name);
            let mut parts = self.parts(name, written, place, scaled, MEMBERS_MAX.saturating_sub(cast.clients.len()));
            let group = Group {
                name: name.clone(),
                topics: self.subscriptions(name, written, place, &mut parts, topics),
                config: self.group_config(&written.group_config, place, releases.brokers, broker),
                first_client: ClientId(u32::try_from(cast.clients.len()).expect("the number of members is limited")),
                clients: u32::try_from(parts.len()).expect("the number of members is limited"),
            };
            let members = place.child("members");
            let id = GroupId(u32::try_from(cast.groups.len()).expect("the number of groups is limited"));
            let is_lost = parts.is_empty() && (scaled > 0 || written.members.as_ref().is_none_or(|members| members.count() > 0));
            if is_lost || members.node.items().iter().any(|item| item.bad) || members.unreadable().next().is_some() {
                cast.in_doubt.insert(id);
            }
            if doubtful_scales.as_ref().is_none_or(|names| names.contains(name.as_str())) {
                cast.scaled_in_doubt.insert(id);
            }
            self.clients(name, written, place, parts, releases, broker, listener, &mut cast);
            cast.groups.push(group);
        }
        cast
    }

    /// The processes of a group in their order: those that are declared, then those that the timeline adds.
    fn parts<'a>(&mut self, group: &str, written: &'a GroupFile, site: Site<'a>, scaled: u32, room: usize) -> Vec<Part<'a>> {
        let owner = format!("the group `{group}`");
        let place = site.child("members");
        let hint = "a number, a list of names, or a map";
        let Some(members) = self.require(written.members.as_ref(), site, &owner, "members", hint) else { return Vec::new() };
        let declared = members.count();
        if declared.max(scaled as usize) > room {
            self.error(place.key(), format!("too many members: the limit of all groups together is {MEMBERS_MAX}"));
            return Vec::new();
        }
        let width = declared.max(scaled as usize).to_string().len();
        let numbered = |number: usize| format!("{group}-{number:0width$}");
        let mut parts: Vec<Part<'a>> = match members {
            MembersFile::Count(_) => {
                let plain = |number| Part::new(numbered(number), Some(Instant::ZERO), None);
                (1..=declared).map(plain).collect()
            }
            MembersFile::Names(names) => {
                let mut parts = Vec::new();
                for (name, place) in names.iter().zip(place.items()) {
                    self.legal_name("member", name, place.value());
                    parts.push(Part::new(name.clone(), Some(Instant::ZERO), None));
                }
                parts
            }
            MembersFile::Each(each) => self.special_parts(each, place),
        };
        for number in declared + 1..=scaled as usize {
            parts.push(Part::new(numbered(number), None, None));
        }
        self.refuse_repeated_names(&owner, &parts, place);
        parts
    }

    fn special_parts<'a>(&mut self, each: &'a IndexMap<String, MemberFile>, site: Site<'a>) -> Vec<Part<'a>> {
        let mut parts = Vec::with_capacity(each.len());
        for ((name, member), place) in each.iter().zip(site.children()) {
            self.legal_name("member", name, place.key());
            let start = match member.start {
                None => Some(Instant::ZERO),
                Some(StartFile::At(at)) => Some(Instant::ZERO + at.0),
                Some(StartFile::Never) => None,
            };
            parts.push(Part::new(name.clone(), start, Some((member, place))));
        }
        parts
    }

    fn refuse_repeated_names(&mut self, owner: &str, parts: &[Part<'_>], site: Site<'_>) {
        let mut seen = std::collections::BTreeSet::new();
        for part in parts {
            if !seen.insert(part.name.as_str()) {
                self.error(site.key(), format!("{owner} has two members called `{}`", part.name));
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "a group is made of all of these, and of them only once")]
    fn clients(
        &mut self,
        name: &str,
        written: &GroupFile,
        site: Site<'_>,
        parts: Vec<Part<'_>>,
        releases: Releases,
        broker: &BrokerConfig,
        listener: Option<Listener>,
        cast: &mut Cast,
    ) {
        let mut settings = consumer::settings(releases.clients);
        self.apply(Role::Consumer, consumer::MODELLED, &written.config.0, site.child("config"), &mut settings);
        self.refuse_foreign_group_id(name, written, site);
        self.protocol(site, &settings, releases, broker);
        let common = self.setup(written, site, settings, listener);
        if common.settings.instance.is_some() && parts.len() > 1 {
            let hint = "give each member its own: `members: {A: {group.instance.id: a}}`";
            self.error_with_hint(site.child("config").child("group.instance.id").key(), "one group.instance.id for several members", hint);
        }
        let group = GroupId(u32::try_from(cast.groups.len()).expect("the number of groups is limited"));
        // Where every member has something special, the members are validated one by one.
        if parts.iter().any(|part| part.special.is_none()) {
            self.validate(&common, None, site, broker);
        }
        for part in parts {
            let setup = match part.special {
                None => common.clone(),
                Some((member, place)) => {
                    let setup = self.special_setup(&common, member, place);
                    self.protocol(place, &setup.settings, releases, broker);
                    self.validate(&setup, Some(place), site, broker);
                    setup
                }
            };
            let instance = setup.settings.instance.as_deref().map(|instance| intern(&mut cast.instances, instance));
            let place = part.special.map(|(_, place)| place).filter(|place| place.has("topics")).unwrap_or(site).child("topics");
            let subscription = self.evaluated(part.wanted, setup.settings.config.protocol, place);
            cast.push(setup.client(part.name, group, part.start, instance, subscription, releases.clients), setup);
        }
    }

    /// group.id is the key under which the group stands.
    fn refuse_foreign_group_id(&mut self, name: &str, written: &GroupFile, site: Site<'_>) {
        match written.config.0.get("group.id") {
            Some(Property::Text(id)) if id != name => {
                let at = site.child("config").child("group.id").value();
                self.error_with_hint(at, format!("group.id is `{}`, the group is called `{name}`", super::reader::cut(id)), "leave it out");
            }
            Some(_) | None => {}
        }
    }

    fn special_setup(&mut self, common: &Setup, member: &MemberFile, site: Site<'_>) -> Setup {
        let mut settings: ConsumerSettings = common.settings.clone();
        self.apply(Role::Consumer, consumer::MODELLED, &member.config.0, site.child("config"), &mut settings);
        if let Some(instance) = &member.instance {
            self.instance(instance, member, site);
            settings.instance = Some(instance.clone());
        }
        self.member_setup(common, member, site, settings)
    }

    /// A member's own key, which says the same as the property.
    fn instance(&mut self, instance: &str, member: &MemberFile, site: Site<'_>) {
        const KEY: &str = "group.instance.id";
        if instance.is_empty() {
            self.error_with_hint(site.child(KEY).value(), format!("{KEY} is empty"), "leave it out for a member that is not static");
        }
        if member.config.0.get(KEY).is_some_and(|property| *property != Property::Text(instance.to_owned())) {
            self.error_with_hint(site.child(KEY).key(), format!("two values of {KEY} for one member"), "leave the one under `config` out");
        }
    }
}

fn highest_scale(file: &ScenarioFile, group: &str) -> u32 {
    file.timeline.iter().filter_map(|entry| entry.scale.as_ref()?.get(group).copied()).max().unwrap_or(0)
}

/// Groups that the timeline scales to what could not be read. None: nobody knows which.
fn doubtful_scales<'a>(file: &ScenarioFile, root: Site<'a>) -> Option<BTreeSet<&'a str>> {
    if !root.has("timeline") {
        return Some(BTreeSet::new());
    }
    let timeline = root.child("timeline");
    let is_hidden = |entry: Site<'_>| if entry.has("scale") { entry.child("scale").node.bad } else { entry.tries("scale") };
    let mut scaled = file.timeline.iter().flat_map(|entry| entry.scale.iter().flatten());
    let is_hidden = timeline.node.bad
        || timeline.node.items().iter().any(|item| item.bad)
        || timeline.items().any(is_hidden)
        || scaled.any(|(name, _)| !file.groups.contains_key(name));
    let unreadable = timeline.items().filter(|entry| entry.has("scale")).flat_map(|entry| entry.child("scale").unreadable());
    (!is_hidden).then(|| unreadable.collect())
}

//! Properties of KIP-848 groups that change while the brokers run.

use super::super::defaults::{Role, group};
use super::super::file::timeline::EntryFile;
use super::super::group_config::GroupConfig;
use super::super::{TimelineEntry, Verb};
use super::lives::Refusal;
use super::timeline::{Placed, Stage, Told};
use super::{Checker, Site};
use crate::terms::GroupProperty;
use crate::units::{GroupId, Span};

impl Checker<'_> {
    /// One verb for each property; none where one of them is refused.
    pub fn group_config_verbs(&mut self, written: &EntryFile, site: Site<'_>, stage: &Stage<'_>, verbs: &mut Vec<Told>) {
        let place = site.child("group.config");
        self.groups_in_doubt.extend(place.unreadable().map(str::to_owned));
        for ((name, properties), place) in written.group_config.iter().flatten().zip(place.children()) {
            let Some(group) = self.resolve(stage.groups, name, place.key()) else { continue };
            let before = self.errors();
            self.refuse_nothing("group.config", place);
            let mut config = GroupConfig::of(&stage.broker.consumer_groups);
            self.apply(Role::Group, group::MODELLED, &properties.0, place, &mut config);
            self.check_group_properties(&config, place, stage.kafka.brokers, stage.broker);
            if self.errors() > before || place.unreadable().next().is_some() {
                self.groups_in_doubt.insert(name.clone());
                continue;
            }
            for property in GroupProperty::ALL.into_iter().filter(|property| properties.0.contains_key(property.name())) {
                let verb = Verb::GroupConfig { group: GroupId(group), property, value: *config.of_mut(property) };
                verbs.push((verb, format!("the group `{name}`"), place.value()));
            }
        }
    }
}

/// What each group has while the timeline is walked through in the order of time.
pub struct GroupConfigs(Vec<GroupConfig>);

impl GroupConfigs {
    pub fn new(stage: &Stage<'_>) -> Self {
        GroupConfigs(stage.cast.groups.iter().map(|group| group.config).collect())
    }

    /// What is set together is looked at together, with the last of it.
    pub fn set(&mut self, group: GroupId, property: GroupProperty, value: Span, is_looked_at: bool) -> Result<(), Refusal> {
        let config = &mut self.0[group.index()];
        *config.of_mut(property) = value;
        if !is_looked_at || config.heartbeat_interval < config.session_timeout {
            return Ok(());
        }
        let (heartbeat, session) = (config.heartbeat_interval.as_millis(), config.session_timeout.as_millis());
        Err(Refusal {
            why: format!(
                "has a consumer.heartbeat.interval.ms of {heartbeat} from then on, which is not less than its \
                 consumer.session.timeout.ms of {session}"
            ),
            hint: SHORTER_HEARTBEATS.to_owned(),
        })
    }
}

/// What would be right where a member may be put out between two heartbeats.
pub const SHORTER_HEARTBEATS: &str = "make the heartbeat interval shorter, or the session timeout longer";

/// The next entry sets another property of the same group at the same time.
pub fn goes_on(placed: &[Placed<'_>], number: usize) -> bool {
    let set = |number: usize| {
        placed.get(number).and_then(|placed| match placed.entry {
            TimelineEntry { at, verb: Verb::GroupConfig { group, .. } } => Some((at, group)),
            TimelineEntry { .. } => None,
        })
    };
    set(number) == set(number + 1)
}

#[cfg(test)]
mod tests {
    use super::SHORTER_HEARTBEATS;
    use crate::scenario::{Verb, load};
    use crate::terms::GroupProperty;
    use crate::units::Span;

    fn text(kafka: &str, entries: &str) -> String {
        format!(
            "kafka: \"{kafka}\"\nduration: 1m\ntopics: {{t: 2}}\ncluster: {{config: {{group.consumer.min.session.timeout.ms: 1s}}}}\n\
             groups: {{g: {{topics: t, members: 1, config: {{group.protocol: consumer}}}}}}\ntimeline:\n{entries}"
        )
    }

    fn check(kafka: &str, entries: &str, message: &str, hint: &str) {
        let problems = load(&text(kafka, entries), "groups.yaml").expect_err("something is wrong");
        let seen: Vec<_> = problems.list.iter().map(|problem| (problem.message.as_str(), problem.hint.as_deref().unwrap_or(""))).collect();
        assert_eq!(seen, [(message, hint)]);
    }

    #[test]
    fn each_property_of_an_entry_is_a_verb() {
        let entries = "  - {at: 9s, group.config: {g: {consumer.session.timeout.ms: 3s, consumer.heartbeat.interval.ms: 5000}}}\n";
        let entries = entries.replace("3s", "6s");
        let (scenario, _) = load(&text("4.3", &entries), "groups.yaml").expect("the scenario is valid");
        let set: Vec<_> = scenario.timeline.iter().map(|entry| entry.verb.clone()).collect();
        let group = crate::units::GroupId(0);
        let verb = |property, seconds| Verb::GroupConfig { group, property, value: Span::from_secs(seconds) };
        assert_eq!(set, [verb(GroupProperty::SessionTimeout, 6), verb(GroupProperty::HeartbeatInterval, 5)]);
    }

    #[test]
    fn what_the_brokers_refuse_is_refused() {
        let entry = |at: &str, config: &str| format!("  - {{at: {at}, group.config: {{g: {{{config}}}}}}}\n");
        let bounds = "group.consumer.min.heartbeat.interval.ms is 5000, group.consumer.max.heartbeat.interval.ms is 15000";
        let message = "consumer.heartbeat.interval.ms (20000) is outside of its bounds";
        check("4.3", &entry("9s", "consumer.heartbeat.interval.ms: 20s"), message, bounds);
        let message = "consumer.assignment.interval.ms: groups of Kafka 4.2.1 have no such property";
        check("4.2", &entry("9s", "consumer.assignment.interval.ms: 0"), message, "it came with 4.3.0");
        // Each is fine by itself; what the second comes to with the first is not.
        let both = entry("9s", "consumer.session.timeout.ms: 9s") + &entry("20s", "consumer.heartbeat.interval.ms: 9s");
        let message = "the group `g` has a consumer.heartbeat.interval.ms of 9000 from then on, which is not less than its \
                       consumer.session.timeout.ms of 9000";
        check("4.3", &both, message, SHORTER_HEARTBEATS);
    }

    #[test]
    fn what_is_refused_is_not_what_the_group_has() {
        let entry = |at: &str, config: &str| format!("  - {{at: {at}, group.config: {{g: {{{config}}}}}}}\n");
        let later = entry("20s", "consumer.session.timeout.ms: 14s") + &entry("30s", "consumer.assignment.interval.ms: 1s");
        let bounds = "group.consumer.min.heartbeat.interval.ms is 5000, group.consumer.max.heartbeat.interval.ms is 15000";
        let message = "consumer.heartbeat.interval.ms (16000) is outside of its bounds";
        check("4.3", &(entry("9s", "consumer.heartbeat.interval.ms: 16s") + &later), message, bounds);
        // It may have been meant to be shorter than the 14 s.
        let message = "consumer.heartbeat.interval.ms: `soon` is not a duration";
        let hint = "write it like `250us`, `5ms`, `0.1s`, `1m30s` or `1h`";
        let set = entry("9s", "consumer.heartbeat.interval.ms: 15s");
        check("4.3", &(set + &entry("10s", "consumer.heartbeat.interval.ms: soon") + &later), message, hint);
        let own = "config: {group.protocol: consumer}, group.config: {consumer.heartbeat.interval.ms: 16s}";
        let text = text("4.3", &later).replace("config: {group.protocol: consumer}", own);
        let problems = load(&text, "groups.yaml").expect_err("something is wrong");
        assert_eq!(problems.errors(), 1, "{problems}");
    }
}

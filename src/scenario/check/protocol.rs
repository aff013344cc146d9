//! The group protocol of members, and what Kafka's clients and brokers refuse of it (KIP-848).
//!
//! Properties stand on levels: the group's, a member's, a deployment's. A level that chooses another protocol than the one before it leaves
//! alone what only the former has a use for: such a client is not given it.

use super::super::BrokerConfig;
use super::super::Releases;
use super::super::defaults::consumer::ConsumerSettings;
use super::super::defaults::{Role, group};
use super::super::file::properties::GroupProperties;
use super::super::group_config::GroupConfig;
use super::group_configs::SHORTER_HEARTBEATS;
use super::{Checker, Site};
use crate::release::Release;
use crate::terms::GroupProtocol;
use crate::units::Span;

/// ConsumerConfig#checkUnsupportedConfigsPostProcess: what the consumer protocol has no use for, and where it is set instead.
const REFUSED: [(&str, &str); 3] = [
    ("session.timeout.ms", "the brokers decide: group.consumer.session.timeout.ms under `cluster: config:`"),
    ("heartbeat.interval.ms", "the brokers decide: group.consumer.heartbeat.interval.ms under `cluster: config:`"),
    ("partition.assignment.strategy", "the coordinator assigns: group.remote.assignor names its assignor, `uniform` or `range`"),
];

impl Checker<'_> {
    /// What one level says of the protocol; `settings` are what it comes to.
    pub fn protocol(&mut self, site: Site<'_>, settings: &ConsumerSettings, releases: Releases, broker: &BrokerConfig) {
        let config = site.child("config");
        if !site.has("config") {
            return;
        }
        let protocol = settings.config.protocol;
        if protocol == GroupProtocol::Consumer && config.has("group.protocol") {
            self.needs_release(site, releases);
        }
        if protocol == GroupProtocol::Consumer && config.has("group.remote.assignor") {
            self.remote_assignor(site, settings, broker);
        }
        self.refused_properties(config, protocol);
    }

    fn needs_release(&mut self, site: Site<'_>, releases: Releases) {
        let old =
            [("brokers", releases.brokers), ("clients", releases.clients)].into_iter().find(|(_, release)| *release < Release::V4_0_0);
        if let Some((whose, release)) = old {
            let at = site.child("config").child("group.protocol").value();
            let message = format!("group.protocol: the `consumer` protocol needs 4.0, and the {whose} are {}", release.name());
            self.error_with_hint(at, message, "say `kafka: \"4.0\"` or a later release");
        }
    }

    fn refused_properties(&mut self, config: Site<'_>, protocol: GroupProtocol) {
        let refused: &[(&str, &str)] = match protocol {
            GroupProtocol::Classic => &[("group.remote.assignor", "leave it out, or say `group.protocol: consumer`")],
            GroupProtocol::Consumer => &REFUSED,
        };
        for (name, hint) in refused.iter().filter(|(name, _)| config.has(name)) {
            let message = format!("{name}: Kafka refuses it with the {} protocol", protocol.name());
            self.error_with_hint(config.child(name).key(), message, *hint);
        }
    }

    fn remote_assignor(&mut self, site: Site<'_>, settings: &ConsumerSettings, broker: &BrokerConfig) {
        let has = |name| broker.consumer_groups.assignors.contains(name);
        if let Some(name) = settings.config.remote_assignor.as_ref().filter(|name| !has(name)) {
            let at = site.child("config").child("group.remote.assignor").value();
            let message = format!("group.remote.assignor: the brokers have no assignor `{}`", super::reader::cut(name));
            self.error_with_hint(at, message, format!("they have {}", broker.consumer_groups.assignors.join(" and ")));
        }
    }

    /// GroupCoordinatorConfig: the bounds of what KIP-848 groups are given.
    pub fn consumer_group_config(&mut self, broker: &BrokerConfig, site: Site<'_>) {
        let config = &broker.consumer_groups;
        for (name, value, least, most) in bounded(&GroupConfig::of(config), broker) {
            if value < least || value > most {
                let own = format!("group.consumer.{name}");
                let (min, max) = (format!("group.consumer.min.{name}"), format!("group.consumer.max.{name}"));
                let at = [&own, &min, &max].into_iter().find(|name| site.has(name)).map_or(site, |name| site.child(name));
                self.out_of_bounds(at, &own, value, (name, least, most));
            }
        }
        if config.heartbeat_interval >= config.session_timeout {
            let message = "group.consumer.heartbeat.interval.ms is not less than group.consumer.session.timeout.ms";
            self.error(site.value(), message);
        }
    }

    /// GroupConfig: what one group has instead, within the brokers' bounds.
    pub fn group_config(&mut self, written: &GroupProperties, site: Site<'_>, release: Release, broker: &BrokerConfig) -> GroupConfig {
        let mut config = GroupConfig::of(&broker.consumer_groups);
        if !site.has("group.config") {
            return config;
        }
        let (name, site, before) = (site.name(), site.child("group.config"), self.errors());
        self.apply(Role::Group, group::MODELLED, &written.0, site, &mut config);
        self.check_group_properties(&config, site, release, broker);
        let is_known = self.errors() == before && !site.node.bad && site.unreadable().next().is_none();
        if is_known && config.heartbeat_interval >= config.session_timeout {
            let message = format!(
                "consumer.heartbeat.interval.ms ({}) is not less than consumer.session.timeout.ms ({})",
                config.heartbeat_interval.as_millis(),
                config.session_timeout.as_millis()
            );
            self.error_with_hint(site.value(), message, SHORTER_HEARTBEATS);
        }
        if !is_known || self.errors() > before {
            self.groups_in_doubt.insert(name.to_owned());
        }
        config
    }

    /// The properties that are written at `site`, and come to `config`: the release has them, and the brokers allow their values.
    pub fn check_group_properties(&mut self, config: &GroupConfig, site: Site<'_>, release: Release, broker: &BrokerConfig) {
        for place in site.children() {
            let name = place.name();
            let since = group::since(name);
            if super::super::defaults::has(Role::Group, name) && release < since {
                let message = format!("{name}: groups of Kafka {} have no such property", release.name());
                self.error_with_hint(place.key(), message, format!("it came with {}", since.name()));
            }
        }
        for (name, value, least, most) in bounded(config, broker) {
            let own = format!("consumer.{name}");
            if site.has(&own) && (value < least || value > most) {
                self.out_of_bounds(site.child(&own), &own, value, (name, least, most));
            }
        }
    }

    fn out_of_bounds(&mut self, at: Site<'_>, own: &str, value: Span, (name, least, most): (&str, Span, Span)) {
        let message = format!("{own} ({}) is outside of its bounds", value.as_millis());
        let (min, max) = (format!("group.consumer.min.{name}"), format!("group.consumer.max.{name}"));
        let hint = format!("{min} is {}, {max} is {}", least.as_millis(), most.as_millis());
        self.error_with_hint(at.value(), message, hint);
    }
}

/// Each setting with its bounds.
fn bounded(config: &GroupConfig, broker: &BrokerConfig) -> [(&'static str, Span, Span, Span); 3] {
    let brokers = &broker.consumer_groups;
    [
        ("session.timeout.ms", config.session_timeout, brokers.min_session_timeout, brokers.max_session_timeout),
        ("heartbeat.interval.ms", config.heartbeat_interval, brokers.min_heartbeat_interval, brokers.max_heartbeat_interval),
        ("assignment.interval.ms", config.assignment_interval, brokers.min_assignment_interval, brokers.max_assignment_interval),
    ]
}

#[cfg(test)]
mod tests {
    use super::SHORTER_HEARTBEATS;
    use crate::scenario::load;
    use crate::units::Span;

    fn text(kafka: &str, brokers: &str, group: &str) -> String {
        format!(
            "kafka: \"{kafka}\"\nduration: 1m\ncluster: {{config: {{{brokers}}}}}\ntopics: {{t: 2}}\ngroups:\n  g: {{topics: t, members: 2, config: {{group.protocol: consumer}}, group.config: {{{group}}}}}\n"
        )
    }

    fn check(kafka: &str, brokers: &str, group: &str, message: &str, hint: &str) {
        let problems = load(&text(kafka, brokers, group), "groups.yaml").expect_err("something is wrong");
        let seen: Vec<_> = problems.list.iter().map(|problem| (problem.message.as_str(), problem.hint.as_deref().unwrap_or(""))).collect();
        assert_eq!(seen, [(message, hint)]);
    }

    #[test]
    fn what_a_group_does_not_set_is_the_brokers() {
        let text = text("4.3", "group.consumer.heartbeat.interval.ms: 6000", "consumer.session.timeout.ms: 50s, share.isolation.level: x");
        let (scenario, warnings) = load(&text, "groups.yaml").expect("the scenario is valid");
        let config = scenario.groups[0].config;
        assert_eq!((config.session_timeout, config.heartbeat_interval), (Span::from_secs(50), Span::from_secs(6)));
        assert_eq!(warnings.list[0].message, "the group property `share.isolation.level` is not modelled: it makes no difference here");
    }

    #[test]
    fn the_brokers_bounds_hold_for_single_groups() {
        let hint = "group.consumer.min.session.timeout.ms is 45000, group.consumer.max.session.timeout.ms is 60000";
        check("4.3", "", "consumer.session.timeout.ms: 9000", "consumer.session.timeout.ms (9000) is outside of its bounds", hint);
        let message = "consumer.heartbeat.interval.ms (5000) is not less than consumer.session.timeout.ms (3000)";
        check("4.3", "group.consumer.min.session.timeout.ms: 1000", "consumer.session.timeout.ms: 3000", message, SHORTER_HEARTBEATS);
    }

    #[test]
    fn a_property_must_be_one_of_the_release() {
        let message = "consumer.assignment.interval.ms: groups of Kafka 4.2.1 have no such property";
        check("4.2", "", "consumer.assignment.interval.ms: 0", message, "it came with 4.3.0");
        let message = "Kafka has no group property `consumer.sesion.timeout.ms`";
        check("4.3", "", "consumer.sesion.timeout.ms: 50000", message, "did you mean `consumer.session.timeout.ms`?");
        let message = "Kafka has no group property `session.timeout.ms`";
        check("4.3", "", "session.timeout.ms: 50000", message, "it is a property of a consumer");
    }
}

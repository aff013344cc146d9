//! The group protocol of a group, and what Kafka's clients and brokers refuse of it (KIP-848).
//!
//! Not modelled: members of both protocols in one group, that is, its migration. It is refused.

use super::super::BrokerConfig;
use super::super::Releases;
use super::super::defaults::consumer::ConsumerSettings;
use super::super::file::group::{GroupFile, MemberFile, MembersFile};
use super::super::file::properties::Property;
use super::{Checker, Site};
use crate::release::Release;
use crate::terms::GroupProtocol;

/// ConsumerConfig#checkUnsupportedConfigsPostProcess: what the consumer protocol has no use for, and where it is set instead.
const REFUSED: [(&str, &str); 3] = [
    ("session.timeout.ms", "the brokers decide: group.consumer.session.timeout.ms under `cluster: config:`"),
    ("heartbeat.interval.ms", "the brokers decide: group.consumer.heartbeat.interval.ms under `cluster: config:`"),
    ("partition.assignment.strategy", "the coordinator assigns: group.remote.assignor names its assignor, `uniform` or `range`"),
];

impl Checker<'_> {
    /// What a group and its members say of their protocol; `settings` are the group's.
    pub fn protocol(
        &mut self,
        written: &GroupFile,
        site: Site<'_>,
        settings: &ConsumerSettings,
        releases: Releases,
        broker: &BrokerConfig,
    ) {
        let protocol = settings.config.protocol;
        if protocol == GroupProtocol::Consumer {
            self.needs_release(site, releases);
            self.remote_assignor(site, settings, broker);
        }
        self.refused_properties(site, protocol);
        let Some(MembersFile::Each(members)) = &written.members else { return };
        for (member, place) in members.values().zip(site.child("members").children()) {
            self.same_protocol(member, place, protocol);
            self.refused_properties(place, protocol);
        }
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

    fn refused_properties(&mut self, site: Site<'_>, protocol: GroupProtocol) {
        let config = site.child("config");
        if !site.has("config") {
            return;
        }
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

    fn same_protocol(&mut self, member: &MemberFile, site: Site<'_>, protocol: GroupProtocol) {
        let own = member.config.0.get("group.protocol");
        let differs = own.is_some_and(|own| !matches!(own, Property::Text(text) if text.eq_ignore_ascii_case(protocol.name())));
        if differs {
            let at = site.child("config").child("group.protocol").value();
            let message = "group.protocol: members of both protocols in one group cannot be simulated in this version";
            self.error_with_hint(at, message, "set it for the whole group");
        }
        if member.config.0.contains_key("group.remote.assignor") {
            let at = site.child("config").child("group.remote.assignor").key();
            let message = "group.remote.assignor: members that vote for different assignors cannot be simulated in this version";
            self.error_with_hint(at, message, "set it for the whole group");
        }
    }

    /// GroupCoordinatorConfig: the bounds of what KIP-848 groups are given.
    pub fn consumer_group_config(&mut self, broker: &BrokerConfig, site: Site<'_>) {
        let config = &broker.consumer_groups;
        let bounds = [
            ("session.timeout.ms", config.session_timeout, config.min_session_timeout, config.max_session_timeout),
            ("heartbeat.interval.ms", config.heartbeat_interval, config.min_heartbeat_interval, config.max_heartbeat_interval),
        ];
        for (name, value, least, most) in bounds {
            if value < least || value > most {
                let own = format!("group.consumer.{name}");
                let message = format!("{own} ({}) is outside of its bounds", value.as_millis());
                let (min, max) = (format!("group.consumer.min.{name}"), format!("group.consumer.max.{name}"));
                let hint = format!("{min} is {}, {max} is {}", least.as_millis(), most.as_millis());
                let at = [&own, &min, &max].into_iter().find(|name| site.has(name)).map_or(site, |name| site.child(name));
                self.error_with_hint(at.value(), message, hint);
            }
        }
        if config.heartbeat_interval >= config.session_timeout {
            let message = "group.consumer.heartbeat.interval.ms is not less than group.consumer.session.timeout.ms";
            self.error(site.value(), message);
        }
    }
}

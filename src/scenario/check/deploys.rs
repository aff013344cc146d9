//! Deployments of the timeline: the properties that clients come back with, one deployment over the other.

use std::ops::Range;

use indexmap::IndexSet;

use super::super::Verb;
use super::super::defaults::{self, Role, consumer};
use super::super::deploy::{Deploy, Deployed};
use super::super::file::properties::{ConsumerProperties, Property};
use super::super::yaml::scalar;
use super::groups::intern;
use super::members::Setup;
use super::timeline::Stage;
use super::{Checker, Site};
use crate::units::ClientId;

/// Clients of all deployments together.
pub const DEPLOYED_MAX: usize = 100_000;

/// What is deployed so far, by client, while the timeline is walked through in the order of time.
pub struct Deployments {
    setups: Vec<Setup>,
    pub instances: IndexSet<String>,
    count: usize,
}

/// The properties of an entry, and where it stands.
#[derive(Copy, Clone)]
pub struct Deployment<'a> {
    pub config: &'a ConsumerProperties,
    pub entry: Site<'a>,
}

impl Deployments {
    pub fn new(stage: &Stage<'_>) -> Self {
        Deployments { setups: stage.cast.setups.clone(), instances: stage.cast.instances.clone(), count: 0 }
    }
}

impl Checker<'_> {
    /// Puts the properties over those that the clients had before, each level as Kafka's client would take it.
    pub fn deploy(&mut self, deployment: Deployment<'_>, groups: Site<'_>, verb: &mut Verb, stage: &Stage<'_>, so_far: &mut Deployments) {
        // No other verb takes properties; what is wrong with one that has some was told before.
        let (clients, deploy) = if let Verb::Start { client, deploy } = verb {
            (client.index()..client.index() + 1, deploy)
        } else if let Verb::RollingRestart { group, deploy, .. } = verb {
            (stage.cast.members(*group), deploy)
        } else {
            return;
        };
        let site = deployment.entry.child("config");
        self.refuse_nothing("config", site);
        if clients.is_empty() {
            return;
        }
        so_far.count += clients.len();
        if so_far.count > DEPLOYED_MAX {
            self.error(site.key(), format!("deployments for more than {DEPLOYED_MAX} clients in all"));
            return;
        }
        if clients.len() > 1 && deployment.config.0.contains_key("group.instance.id") {
            let hint = "start the members one by one, each with its own";
            self.error_with_hint(site.child("group.instance.id").key(), "one group.instance.id for several members", hint);
        }
        // What is wrong with a property is wrong for everybody.
        let mut scratch = consumer::settings(stage.kafka.clients);
        self.apply(Role::Consumer, consumer::MODELLED, &deployment.config.0, site, &mut scratch);
        let group = groups.child(stage.groups.name(stage.cast.clients[clients.start].group.index()));
        self.check_deployed(deployment, group, clients.clone(), stage, so_far);
        let deployed = clients.map(|client| so_far.deployed(client, stage)).collect();
        *deploy = Some(Deploy { text: text(deployment.config), clients: deployed });
    }

    /// What is wrong with the first member that there is something wrong with.
    fn check_deployed(
        &mut self,
        deployment: Deployment<'_>,
        group: Site<'_>,
        clients: Range<usize>,
        stage: &Stage<'_>,
        so_far: &mut Deployments,
    ) {
        let before = self.problems.len();
        for client in clients {
            let setup = &mut so_far.setups[client];
            for (name, value) in &deployment.config.0 {
                if let Some(property) = consumer::MODELLED.iter().find(|property| property.name == name) {
                    // A value that cannot be read has been reported.
                    let _ = defaults::apply(&property.slot, &mut setup.settings, value);
                }
            }
            if self.problems.len() == before {
                self.protocol(deployment.entry, &setup.settings, stage.kafka, stage.broker);
                self.validate(setup, Some(deployment.entry), group, stage.broker);
            }
        }
    }
}

impl Deployments {
    fn deployed(&mut self, client: usize, stage: &Stage<'_>) -> Deployed {
        let settings = &self.setups[client].settings;
        Deployed {
            client: ClientId(u32::try_from(client).expect("the number of members is limited")),
            instance: settings.instance.as_deref().map(|instance| intern(&mut self.instances, instance)),
            config: consumer::complete(settings.config.clone(), stage.kafka.clients),
        }
    }
}

/// The properties as a file has them.
fn text(config: &ConsumerProperties) -> String {
    // Without quotes a number or a truth value is read as such, and then it may look different.
    let stays = |text: &str| matches!(text, "true" | "false") || text.parse::<u64>().is_ok_and(|number| number.to_string() == text);
    let word = |text: &str| scalar(text, stays(text));
    let value = |value: &Property| match value {
        Property::Text(text) => word(text),
        Property::List(items) => format!("[{}]", items.iter().map(|item| word(item)).collect::<Vec<_>>().join(", ")),
    };
    let entries: Vec<String> = config.0.iter().map(|(name, written)| format!("{}: {}", scalar(name, true), value(written))).collect();
    format!("{{{}}}", entries.join(", "))
}

#[cfg(test)]
mod tests {
    use crate::scenario::{Scenario, Verb, load};
    use crate::terms::GroupProtocol;
    use crate::units::Span;

    /// A group of two members, stopped and started as the timeline says.
    fn text(config: &str, timeline: &str) -> String {
        format!(
            "duration: 10m\ntopics: {{t: 2}}\ngroups:\n  g:\n    topics: t\n    members: [A, B]\n    config: {{{config}}}\ntimeline:\n{timeline}"
        )
    }

    fn roll(at: &str, config: &str) -> String {
        format!("  - {{at: {at}, rolling.restart: g, every: 10s, down: 1s, config: {{{config}}}}}\n")
    }

    fn check(config: &str, timeline: &str, expected: &[(&str, &str)]) {
        let problems = load(&text(config, timeline), "deploys.yaml").expect_err("something is wrong");
        let told = problems.list.iter().filter(|problem| problem.severity == crate::error::Severity::Error);
        let seen: Vec<(String, String)> = told.map(|problem| (problem.message.clone(), problem.hint.clone().unwrap_or_default())).collect();
        let expected: Vec<(String, String)> = expected.iter().map(|(message, hint)| ((*message).to_owned(), (*hint).to_owned())).collect();
        assert_eq!(seen, expected);
    }

    fn read(config: &str, timeline: &str) -> Scenario {
        let text = text(config, timeline);
        load(&text, "deploys.yaml").unwrap_or_else(|problems| panic!("{problems}\n{text}")).0
    }

    #[test]
    fn each_deployment_goes_over_the_ones_before() {
        let up = roll("1m", "group.protocol: consumer");
        let back = roll("3m", "group.protocol: classic, max.poll.records: 7");
        let scenario = read("session.timeout.ms: 7000", &(back + &up));
        let seen: Vec<_> = scenario
            .configs(crate::units::ClientId(1))
            .map(|config| (config.protocol, config.session_timeout, config.max_poll_records))
            .collect();
        let kept = Span::from_secs(7);
        let classic = GroupProtocol::Classic;
        assert_eq!(seen, [(classic, kept, 500), (GroupProtocol::Consumer, kept, 500), (classic, kept, 7)]);
    }

    #[test]
    fn a_start_deploys_to_one_member_and_may_make_it_a_static_one() {
        let scenario = read("max.poll.records: 9", "  - {at: 1m, stop: g/B}\n  - {at: 2m, start: g/B, config: {group.instance.id: b}}\n");
        let Verb::Start { deploy: Some(deploy), .. } = &scenario.timeline[1].verb else { panic!("a start with a deployment") };
        let deployed: Vec<_> = deploy.clients.iter().map(|deployed| (deployed.client.0, deployed.instance.map(|id| id.0))).collect();
        assert_eq!((deployed, scenario.instances), (vec![(1, Some(0))], vec!["b".to_owned()]));
    }

    #[test]
    fn a_property_that_kafka_does_not_have_is_told_once() {
        check(
            "max.poll.records: 9",
            &roll("1m", "group.protokol: consumer, session.timeout.ms: soon"),
            &[
                ("Kafka has no consumer property `group.protokol`", "did you mean `group.protocol`?"),
                ("session.timeout.ms: `soon` is not a duration", "write it like `250us`, `5ms`, `0.1s`, `1m30s` or `1h`"),
            ],
        );
    }

    #[test]
    fn what_the_deployed_protocol_does_not_take_is_refused_where_it_is_said() {
        check(
            "session.timeout.ms: 7000",
            &roll("1m", "group.protocol: consumer, session.timeout.ms: 8000"),
            &[(
                "session.timeout.ms: Kafka refuses it with the consumer protocol",
                "the brokers decide: group.consumer.session.timeout.ms under `cluster: config:`",
            )],
        );
        check(
            "group.protocol: consumer",
            &(roll("1m", "group.remote.assignor: rang") + &roll("2m", "group.protocol: classic, group.remote.assignor: range")),
            &[
                ("group.remote.assignor: the brokers have no assignor `rang`", "they have uniform and range"),
                ("group.remote.assignor: Kafka refuses it with the classic protocol", "leave it out, or say `group.protocol: consumer`"),
            ],
        );
    }

    #[test]
    fn what_two_levels_come_to_is_checked_too() {
        check(
            "session.timeout.ms: 7000",
            &roll("1m", "heartbeat.interval.ms: 7000"),
            &[("heartbeat.interval.ms (7000) is not less than session.timeout.ms (7000)", "Kafka advises a third of it at most")],
        );
        check(
            "max.poll.records: 9",
            &roll("1m", "enable.auto.commit: false"),
            &[(
                "enable.auto.commit is false, and nothing says how the application commits",
                "add `commit: sync`, or `async`, `{every: 100}`, `per-record`, `before-processing` or `external`",
            )],
        );
    }

    #[test]
    fn one_instance_cannot_be_deployed_to_several_members() {
        check(
            "max.poll.records: 9",
            &roll("1m", "group.instance.id: b"),
            &[("one group.instance.id for several members", "start the members one by one, each with its own")],
        );
    }

    #[test]
    fn properties_belong_to_verbs_that_start_somebody() {
        check(
            "max.poll.records: 9",
            "  - {at: 1m, stop: g/B, config: {max.poll.records: 3}}\n",
            &[("`config` means nothing with `stop`", "")],
        );
        check("max.poll.records: 9", &roll("1m", ""), &[("`config` names nothing", "say of what, or leave the entry out")]);
    }
}

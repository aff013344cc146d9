//! A scenario back as YAML, with everything that a run uses, defaults included; read again it is the same scenario.

use std::fmt::Write;
use std::ops::Range;

use super::defaults::producer::{self, ProducerSettings};
use super::defaults::{Modelled, Slot, broker};
use super::deploy::Deploy;
use super::keys::{KeyWeights, Keys};
use super::quantity::{write_duration, write_rate};
use super::subscription::{ByPattern, Evaluator, Subscription};
use super::yaml::scalar;
use super::{Arrivals, Distribution, Disturbance, Producer, Scenario, TimelineEntry, Verb, WriteLatency};
use crate::terms::{GroupProtocol, Peers};
use crate::units::{ClientId, Instant, Span, TopicId};

mod group;

impl Scenario {
    /// The scenario as a file that leaves nothing to defaults.
    pub fn resolved_yaml(&self) -> String {
        let mut out = String::from("# Everything that a run uses, defaults included.\n");
        self.write_head(&mut out);
        self.write_cluster(&mut out);
        line(&mut out, 0, "topics:");
        for topic in self.topics.iter().filter(|topic| topic.life == 1) {
            let value = format!("{{partitions: {}, replication.factor: {}}}", topic.partitions, topic.replication_factor);
            entry(&mut out, 1, &topic.name, &value);
        }
        if !self.producers.is_empty() {
            line(&mut out, 0, "producers:");
        }
        for producer in self.producers.iter().filter(|producer| producer.continues.is_none()) {
            self.write_producer(&mut out, producer);
        }
        if !self.groups.is_empty() {
            line(&mut out, 0, "groups:");
        }
        for group in &self.groups {
            self.write_group(&mut out, group);
        }
        if !self.timeline.is_empty() {
            line(&mut out, 0, "timeline:");
        }
        for entry in &self.timeline {
            line(&mut out, 1, &format!("- {}", self.timeline_entry(entry)));
        }
        if !self.expect.is_empty() {
            line(&mut out, 0, "expect:");
        }
        for expectation in &self.expect {
            line(&mut out, 1, &format!("- {}", expectation.text));
        }
        line(&mut out, 0, if self.outputs.trace { "outputs: [trace]" } else { "outputs: []" });
        out
    }

    fn write_head(&self, out: &mut String) {
        entry(out, 0, "name", &scalar(&self.name, false));
        for (key, text) in [("about", &self.about), ("lesson", &self.lesson)] {
            if let Some(text) = text {
                entry(out, 0, key, &scalar(text, false));
            }
        }
        let (brokers, clients) = (self.kafka.brokers.name(), self.kafka.clients.name());
        entry(out, 0, "kafka", &format!("{{brokers: \"{brokers}\", clients: \"{clients}\"}}"));
        entry(out, 0, "seed", &self.seed.to_string());
        entry(out, 0, "duration", &write_duration(self.duration));
        entry(out, 0, "settle", &write_duration(self.settle));
        entry(out, 0, "sample.interval", &write_duration(self.sample_interval));
        line(out, 0, "model:");
        entry(out, 1, "client", if self.model.real_client { "real" } else { "ideal" });
        entry(out, 1, "validate.positions", &self.model.validate_positions.to_string());
        let drift = self.model.heartbeat_drift;
        entry(out, 1, "heartbeat.drift", &format!("{}.{:04}%", drift / 10_000, drift % 10_000));
        if self.has_consumers(0..self.clients.len()) || self.model.app_passes != self.model.real_client {
            entry(out, 1, "app.passes", &self.model.app_passes.to_string());
        }
        entry(out, 1, "commit.race", &self.model.commit_race.to_string());
    }

    /// Whether one of these clients speaks the consumer protocol in some life: what is only for those is not written for others, unless the
    /// file did so.
    fn has_consumers(&self, clients: Range<usize>) -> bool {
        clients.flat_map(|client| self.configs(ClientId(client as u32))).any(|config| config.protocol == GroupProtocol::Consumer)
    }

    fn write_cluster(&self, out: &mut String) {
        line(out, 0, "cluster:");
        entry(out, 1, "brokers", &self.cluster.brokers.to_string());
        entry(out, 1, "latency", &distribution(&self.cluster.latency));
        let write_latency = match self.cluster.write_latency {
            WriteLatency::Auto => "auto".to_owned(),
            WriteLatency::Fixed(latency) => write_duration(latency),
        };
        entry(out, 1, "write.latency", &write_latency);
        entry(out, 1, "load.time", &write_duration(self.cluster.load_time));
        line(out, 1, "config:");
        let append_linger = self.cluster.config.append_linger.as_millis();
        properties(out, 2, broker::MODELLED, &self.cluster.config, |name| match name {
            "group.coordinator.append.linger.ms" => Some(append_linger.to_string()),
            "group.consumer.migration.policy" => Some(self.cluster.config.consumer_groups.migration_policy.name().to_owned()),
            "group.consumer.assignors" => Some(format!("[{}]", self.cluster.config.consumer_groups.assignors.join(", "))),
            _ => None,
        });
    }

    fn write_producer(&self, out: &mut String, producer: &Producer) {
        line(out, 1, &format!("{}:", scalar(&producer.name, false)));
        entry(out, 2, "topic", &scalar(&self.topics[producer.topic.index()].name, false));
        let steps = producer.steps.iter().map(|step| format!("{{at: {}, rate: {}}}", since_start(step.at), write_rate(step.rate)));
        entry(out, 2, "steps", &format!("[{}]", steps.collect::<Vec<_>>().join(", ")));
        let arrivals = match producer.arrivals {
            Arrivals::Even => "even",
            Arrivals::Poisson => "poisson",
        };
        entry(out, 2, "arrivals", arrivals);
        match &producer.keys {
            Keys::None => {}
            Keys::Drawn { prefix, count, weights } => {
                let weights = match weights {
                    KeyWeights::Uniform => String::new(),
                    KeyWeights::Zipf { s } => format!(", zipf: {s}"),
                    KeyWeights::Listed(weights) => {
                        format!(", weights: [{}]", weights.iter().map(u64::to_string).collect::<Vec<_>>().join(", "))
                    }
                };
                entry(out, 2, "keys", &format!("{{prefix: {}, count: {count}{weights}}}", scalar(prefix, false)));
            }
        }
        entry(out, 2, "record.size", &format!("{}B", producer.record_size));
        line(out, 2, "config:");
        self.write_producer_config(out, producer);
    }

    fn write_producer_config(&self, out: &mut String, producer: &Producer) {
        let settings = ProducerSettings { config: producer.config.clone(), ..producer::settings(self.kafka.clients) };
        let fits_by_default = producer.record_size < settings.max_request_size;
        properties(out, 3, producer::MODELLED, &settings, |name| match name {
            "acks" if settings.config.acks_none => Some("0".to_owned()),
            "acks" => Some(if settings.config.acks_all { "all" } else { "1" }.to_owned()),
            // More requests in flight were only accepted without idempotence.
            "enable.idempotence" if settings.config.max_in_flight > 5 => Some("false".to_owned()),
            "max.request.size" if !fits_by_default => Some((producer.record_size + 1).to_string()),
            "enable.idempotence" | "delivery.timeout.ms" | "request.timeout.ms" | "max.request.size" | "retries" => Some(String::new()),
            _ => None,
        });
    }

    fn subscription(&self, subscription: &Subscription) -> String {
        let Some(ByPattern { pattern, evaluated_by }) = subscription.pattern else { return self.topic_names(&subscription.topics) };
        let by = match evaluated_by {
            Evaluator::Client => "client",
            Evaluator::Brokers => "brokers",
        };
        format!("{{pattern: {}, evaluated.by: {by}}}", scalar(&self.patterns[pattern.index()].text, true))
    }

    fn topic_names(&self, topics: &[TopicId]) -> String {
        let topics =
            topics.iter().map(|topic| &self.topics[topic.index()]).filter(|topic| topic.life == 1).map(|topic| scalar(&topic.name, false));
        format!("[{}]", topics.collect::<Vec<_>>().join(", "))
    }

    fn topic_in_kafka(&self, topic: TopicId) -> String {
        scalar(self.topics[topic.index()].name_in_kafka(), false)
    }

    fn member(&self, client: ClientId) -> String {
        let client = &self.clients[client.index()];
        format!("{}/{}", self.groups[client.group.index()].name, client.name)
    }

    fn timeline_entry(&self, entry: &TimelineEntry) -> String {
        let verb = match &entry.verb {
            Verb::Crash(client) => format!("crash: {}", self.member(*client)),
            Verb::Start { client, deploy } => format!("start: {}{}", self.member(*client), deployed(deploy.as_ref())),
            Verb::Stop(client) => format!("stop: {}", self.member(*client)),
            Verb::Pause { client, lasts } => format!("pause: {}, for: {}", self.member(*client), write_duration(*lasts)),
            Verb::Slow { client, factor, lasts } => {
                let lasts = lasting(*lasts);
                format!("slow: {}, factor: {}.{:03}{lasts}", self.member(*client), factor / 1_000, factor % 1_000)
            }
            Verb::Rate { producer, rate } => {
                format!("rate: {{{}: {}}}", scalar(&self.producers[producer.index()].name, false), write_rate(*rate))
            }
            Verb::Partitions { topic, to } => format!("partitions: {{{}: {to}}}", self.topic_in_kafka(*topic)),
            Verb::CreateTopic(topic) => format!("create.topic: {}", self.topic_in_kafka(*topic)),
            Verb::DeleteTopic(topic) => format!("delete.topic: {}", self.topic_in_kafka(*topic)),
            Verb::Subscribe { client, to } => format!("subscribe: {}, topics: {}", self.member(*client), self.subscription(to)),
            Verb::GroupConfig { group, property, value } => {
                let name = scalar(&self.groups[group.index()].name, false);
                format!("group.config: {{{name}: {{{}: {}}}}}", property.name(), value.as_millis())
            }
            Verb::Scale { group, members } => format!("scale: {{{}: {members}}}", scalar(&self.groups[group.index()].name, false)),
            Verb::RollingRestart { group, every, down, deploy } => {
                let name = scalar(&self.groups[group.index()].name, false);
                let (every, down, deployed) = (write_duration(*every), write_duration(*down), deployed(deploy.as_ref()));
                format!("rolling.restart: {name}, every: {every}, down: {down}{deployed}")
            }
            Verb::Disconnect { client, from, lasts } => {
                let from = match from {
                    Peers::Broker(broker) => broker.0.to_string(),
                    Peers::Coordinator | Peers::Leaders | Peers::All => from.name().to_owned(),
                };
                format!("disconnect: [{}, {from}]{}", self.member(*client), lasting(*lasts))
            }
            Verb::Disturb { client, request, how, lasts, count } => {
                let (verb, by) = match how {
                    Disturbance::Drop => ("drop", String::new()),
                    Disturbance::Delay(by) => ("delay", format!(", by: {}", write_duration(*by))),
                };
                let count = count.map_or(String::new(), |count| format!(", count: {count}"));
                format!("{verb}: {{request: {request}, from: {}{by}}}{}{count}", self.member(*client), lasting(*lasts))
            }
            Verb::BrokerDown { broker, lasts } => format!("broker.down: {}{}", broker.0, lasting(*lasts)),
        };
        format!("{{at: {}, {verb}}}", since_start(entry.at))
    }
}

fn deployed(deploy: Option<&Deploy>) -> String {
    deploy.map_or(String::new(), |deploy| format!(", config: {}", deploy.text))
}

fn lasting(lasts: Option<Span>) -> String {
    lasts.map_or(String::new(), |lasts| format!(", for: {}", write_duration(lasts)))
}

/// Every property of a table; `special` answers for those that are no plain numbers, and with an empty text for those to leave out.
fn properties<S: Clone>(out: &mut String, depth: usize, modelled: &[Modelled<S>], settings: &S, special: impl Fn(&str) -> Option<String>) {
    let mut settings = settings.clone();
    for property in modelled {
        let value = special(property.name).unwrap_or_else(|| match &property.slot {
            Slot::Millis(place, ..) => place(&mut settings).as_millis().to_string(),
            Slot::Minutes(place, ..) => (place(&mut settings).as_millis() / 60_000).to_string(),
            Slot::Bytes(place, ..) => place(&mut settings).to_string(),
            Slot::Count(place, ..) => place(&mut settings).to_string(),
            Slot::Read(_) => String::new(),
        });
        if !value.is_empty() {
            entry(out, depth, property.name, &value);
        }
    }
}

fn distribution(distribution: &Distribution) -> String {
    match distribution {
        Distribution::Constant(time) => write_duration(*time),
        Distribution::Uniform { from, to } => format!("{{uniform: [{}, {}]}}", write_duration(*from), write_duration(*to)),
        Distribution::Exponential { mean } => format!("{{exponential: {}}}", write_duration(*mean)),
        Distribution::Normal { mean, sd } => format!("{{normal: {{mean: {}, sd: {}}}}}", write_duration(*mean), write_duration(*sd)),
        Distribution::LogNormal { p50, p99 } => format!("{{lognormal: {{p50: {}, p99: {}}}}}", write_duration(*p50), write_duration(*p99)),
        Distribution::Pareto { scale, shape } => format!("{{pareto: {{scale: {}, shape: {shape}}}}}", write_duration(*scale)),
        Distribution::Values(values) => {
            format!("{{values: [{}]}}", values.iter().map(|value: &Span| write_duration(*value)).collect::<Vec<_>>().join(", "))
        }
    }
}

fn since_start(at: Instant) -> String {
    write_duration(at.since(Instant::ZERO))
}

fn line(out: &mut String, depth: usize, text: &str) {
    writeln!(out, "{:indent$}{text}", "", indent = 2 * depth).expect("writing to a String does not fail");
}

fn entry(out: &mut String, depth: usize, key: &str, value: &str) {
    line(out, depth, &format!("{}: {value}", scalar(key, false)));
}

#[cfg(test)]
mod tests {
    use crate::scenario::{Scenario, builtin, load};

    fn read(text: &str) -> (Scenario, Vec<String>) {
        let (mut scenario, warnings) = load(text, "round-trip.yaml").unwrap_or_else(|problems| panic!("{problems}\n{text}"));
        for expectation in &mut scenario.expect {
            expectation.line = None;
        }
        (scenario, warnings.list.into_iter().map(|warning| warning.message).collect())
    }

    fn check(text: &str) {
        let (scenario, warnings) = read(text);
        let resolved = scenario.resolved_yaml();
        let (again, still) = read(&resolved);
        assert_eq!(again, scenario, "{resolved}");
        assert_eq!(again.resolved_yaml(), resolved);
        for warning in still {
            assert!(warnings.contains(&warning), "{warning}\n{resolved}");
        }
    }

    #[test]
    fn every_built_in_scenario_resolves_to_itself() {
        for builtin in builtin::ALL {
            check(builtin.text);
        }
    }

    #[test]
    fn the_properties_of_the_consumer_protocol_survive() {
        check(
            "duration: 1m
topics: {t: 1}
groups: {g: {topics: t, members: 2, config: {group.protocol: Consumer, group.remote.assignor: range}}}
",
        );
    }

    #[test]
    fn what_a_members_protocol_has_no_use_for_survives() {
        check(
            "duration: 1m
topics: {t: 1}
groups:
  g: {topics: t, members: {A: {config: {group.protocol: consumer}}, B: {start: 1s}}, config: {session.timeout.ms: 7000}}
  h: {topics: t, members: {A: {config: {group.protocol: classic}}}, config: {group.protocol: consumer, group.remote.assignor: range}}
timeline:
  - {at: 10s, rolling.restart: g, every: 5s, down: 1s, config: {group.protocol: consumer, max.poll.records: 7}}
  - {at: 30s, rolling.restart: g, every: 5s, down: 1s, config: {group.protocol: classic, partition.assignment.strategy: [range, roundrobin]}}
  - {at: 40s, crash: h/A}
  - {at: 41s, start: h/A, config: {group.protocol: consumer, group.instance.id: \"007\"}}
",
        );
    }

    #[test]
    fn every_key_of_the_format_survives() {
        check(include_str!("../../tests/scenarios/everything.yaml"));
    }
}

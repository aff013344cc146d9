//! Producers.

use super::super::defaults::{Role, producer};
use super::super::file::ScenarioFile;
use super::super::file::producer::{ArrivalsFile, KeysFile, ProducerFile};
use super::super::file::shapes::{Duration, RateText};
use super::super::keys::{KeyWeights, Keys};
use super::super::{Arrivals, Producer, ProducerConfig, RateStep};
use super::names::Names;
use super::{Checker, Site};
use crate::release::Release;
use crate::units::{Instant, Rate, TopicId};

pub const PRODUCERS_MAX: usize = 10_000;
pub const STEPS_MAX: usize = 10_000;
pub const KEYS_MAX: u32 = 1_000_000;
/// Records of one producer in one run.
pub const RECORDS_MAX: u128 = 1_000_000_000_000_000_000;

impl Checker<'_> {
    pub fn producers(&mut self, file: &ScenarioFile, root: Site<'_>, topics: &Names, release: Release, end: Instant) -> Vec<Producer> {
        let site = root.child("producers");
        if file.producers.len() > PRODUCERS_MAX {
            self.error(site.key(), format!("{} producers: the limit is {PRODUCERS_MAX}", file.producers.len()));
        }
        let mut producers = Vec::with_capacity(file.producers.len());
        for ((name, written), place) in file.producers.iter().zip(site.children()) {
            self.legal_name("producer", name, place.key());
            producers.push(self.producer(name, written, place, topics, release, end));
        }
        producers
    }

    fn producer(&mut self, name: &str, written: &ProducerFile, site: Site<'_>, topics: &Names, release: Release, end: Instant) -> Producer {
        let owner = format!("the producer `{name}`");
        let topic = self.require(written.topic.as_deref(), site, &owner, "topic", "the topic that it writes to");
        let topic = topic.and_then(|topic| self.resolve(topics, topic, site.child("topic").value())).unwrap_or_default();
        let record_size = written.record_size.map_or(100, |size| size.0);
        Producer {
            continues: None,
            name: name.to_owned(),
            topic: TopicId(topic),
            steps: self.steps(&owner, written, site, end),
            arrivals: match written.arrivals {
                None | Some(ArrivalsFile::Even) => Arrivals::Even,
                Some(ArrivalsFile::Poisson) => Arrivals::Poisson,
            },
            keys: written.keys.as_ref().map_or(Keys::None, |keys| self.keys(keys, site.child("keys"))),
            record_size,
            config: self.producer_config(written, site, release, record_size),
        }
    }

    fn steps(&mut self, owner: &str, written: &ProducerFile, site: Site<'_>, end: Instant) -> Vec<RateStep> {
        if site.has("rate") && site.has("steps") {
            self.error_with_hint(site.child("steps").key(), format!("{owner} has a `rate` and `steps`"), "give one of the two");
        } else if !site.tries("rate") && !site.tries("steps") {
            self.error_with_hint(site.key(), format!("{owner} has no `rate`"), "such as `rate: 1000/s`");
        }
        let mut steps: Vec<RateStep> = Vec::new();
        if let Some(RateText(rate)) = written.rate {
            steps.push(RateStep { at: Instant::ZERO, rate });
        }
        let list = site.child("steps");
        for (step, place) in written.steps.iter().flatten().zip(list.items()) {
            let at = self.require(step.at, place, "a step", "at", "from when on, such as `at: 60s`");
            let rate = self.require(step.rate, place, "a step", "rate", "such as `rate: 5k/s`");
            let (Some(Duration(at)), Some(RateText(rate))) = (at, rate) else { continue };
            let at = Instant::ZERO + at;
            if at >= end {
                self.error(place.child("at").value(), format!("a step after the end of the run phase ({})", end.since(Instant::ZERO)));
            }
            if steps.last().is_some_and(|earlier| earlier.at >= at) {
                self.error(place.child("at").value(), "a step that is not later than the one before");
            }
            steps.push(RateStep { at, rate });
        }
        if written.steps.as_ref().is_some_and(Vec::is_empty) && list.node.items().is_empty() {
            self.error(list.key(), format!("{owner} has an empty list of steps"));
        }
        if steps.len() > STEPS_MAX {
            self.error(list.key(), format!("{} steps: the limit is {STEPS_MAX}", steps.len()));
        }
        if steps.first().is_none_or(|first| first.at > Instant::ZERO) {
            steps.insert(0, RateStep { at: Instant::ZERO, rate: Rate::ZERO });
        }
        self.refuse_too_many_records(owner, &steps, site, end);
        steps
    }

    fn refuse_too_many_records(&mut self, owner: &str, steps: &[RateStep], site: Site<'_>, end: Instant) {
        let ends = steps.iter().skip(1).map(|step| step.at).chain([end]);
        let records = steps.iter().zip(ends).map(|(step, until)| {
            let nanos = u128::from(until.since(step.at).as_nanos());
            nanos * u128::from(step.rate.records) / u128::from(step.rate.per.as_nanos().max(1))
        });
        if records.sum::<u128>() > RECORDS_MAX {
            self.error(site.key(), format!("{owner} makes more than {RECORDS_MAX} records"));
        }
    }

    fn keys(&mut self, written: &KeysFile, site: Site<'_>) -> Keys {
        let listed = written.weights.as_ref().map(|weights| u32::try_from(weights.len()).unwrap_or(u32::MAX));
        if written.count.or(listed).is_none() && !site.has("count") && !site.has("weights") {
            self.error_with_hint(site.key(), "`keys` has no `count`", "how many keys there are, such as `count: 9`");
        }
        let count = written.count.or(listed).unwrap_or(1);
        if !(1..=KEYS_MAX).contains(&count) {
            self.error(site.child("count").value(), format!("1 to {KEYS_MAX} keys"));
        }
        if let Some(listed) = listed {
            if listed != count {
                self.error(site.child("weights").value(), format!("{listed} weights for {count} keys"));
            }
            let sum = written.weights.iter().flatten().try_fold(0u64, |sum, weight| sum.checked_add(*weight));
            if sum.is_none_or(|sum| sum == 0 || sum > u64::from(u32::MAX)) {
                self.error(site.child("weights").value(), "the weights have to add up to a number from 1 to 4294967295");
            }
        }
        if site.has("zipf") && site.has("weights") {
            self.error_with_hint(site.child("weights").key(), "`keys` has `zipf` and `weights`", "give one of the two");
        }
        let weights = match (&written.weights, written.zipf) {
            (Some(weights), _) => KeyWeights::Listed(weights.clone()),
            (None, Some(exponent)) => KeyWeights::Zipf { s: exponent.0 },
            (None, None) => KeyWeights::Uniform,
        };
        Keys::Drawn { prefix: written.prefix.clone().unwrap_or_else(|| "key_".to_owned()), count, weights }
    }

    /// KafkaProducer's own checks: ProducerConfig#postProcessAndValidateIdempotenceConfigs, KafkaProducer#configureDeliveryTimeout.
    fn producer_config(&mut self, written: &ProducerFile, producer: Site<'_>, release: Release, record_size: u64) -> ProducerConfig {
        let site = producer.child("config");
        let mut settings = producer::settings(release);
        self.apply(Role::Producer, producer::MODELLED, &written.config.0, site, &mut settings);
        let config = &settings.config;
        if settings.idempotence == Some(true) {
            if !config.acks_all {
                let hint = "leave `enable.idempotence` out, or say `acks: all`";
                self.error_with_hint(site.child("acks").value(), "an idempotent producer needs `acks: all`", hint);
            }
            if settings.retries == 0 {
                self.error(site.child("retries").value(), "an idempotent producer needs retries above 0");
            }
        }
        // Until 3.x a producer that did not ask for idempotence lost it silently; since 4.0 it is refused.
        let by_default = release >= Release::V4_0_0 && settings.idempotence.is_none() && config.acks_all && settings.retries > 0;
        if config.max_in_flight > 5 && (settings.idempotence == Some(true) || by_default) {
            let hint = "set `enable.idempotence: false`, or keep it at 5";
            let at = site.child("max.in.flight.requests.per.connection").value();
            self.error_with_hint(at, "an idempotent producer has at most 5 requests in flight", hint);
        }
        if let Some(delivery) = settings.delivery_timeout
            && delivery < config.linger + settings.request_timeout
        {
            let message = format!("delivery.timeout.ms ({delivery}) is less than linger.ms + request.timeout.ms");
            let hint = format!("at least {} ms", (config.linger + settings.request_timeout).as_millis());
            self.error_with_hint(site.child("delivery.timeout.ms").value(), message, hint);
        }
        if record_size >= settings.max_request_size {
            let message = format!("records of {record_size} bytes do not fit into max.request.size ({} bytes)", settings.max_request_size);
            self.error(producer.child("record.size").key(), message);
        }
        settings.config
    }
}

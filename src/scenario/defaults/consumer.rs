//! Consumer properties (ConsumerConfig) and their defaults.

use super::super::file::properties::Property;
use super::super::quantity::Unreadable;
use super::super::reader::cut;
use super::super::{AutoOffsetReset, ConsumerConfig};
use super::{Modelled, Slot};
use crate::error::did_you_mean;
use crate::release::Release;
use crate::terms::{GroupProtocol, Name};
use crate::units::Span;

/// What a consumer's properties come to, before it is known how its application commits.
#[derive(Clone, PartialEq, Debug)]
pub struct ConsumerSettings {
    pub config: ConsumerConfig,
    /// enable.auto.commit, if it is given.
    pub auto_commit: Option<bool>,
    /// group.instance.id, if it is given.
    pub instance: Option<String>,
}

const INT_MAX: u64 = i32::MAX as u64;
const LONG_MAX: u64 = 315_360_000_000;

pub const MODELLED: &[Modelled<ConsumerSettings>] = &[
    Modelled { name: "session.timeout.ms", slot: Slot::Millis(|s| &mut s.config.session_timeout, 1, INT_MAX) },
    Modelled { name: "heartbeat.interval.ms", slot: Slot::Millis(|s| &mut s.config.heartbeat_interval, 1, INT_MAX) },
    Modelled { name: "max.poll.interval.ms", slot: Slot::Millis(|s| &mut s.config.max_poll_interval, 1, INT_MAX) },
    Modelled { name: "max.poll.records", slot: Slot::Count(|s| &mut s.config.max_poll_records, 1, i32::MAX as u32) },
    Modelled { name: "partition.assignment.strategy", slot: Slot::Read(read_assignors) },
    Modelled { name: "enable.auto.commit", slot: Slot::Read(read_auto_commit) },
    Modelled { name: "auto.commit.interval.ms", slot: Slot::Millis(|s| &mut s.config.auto_commit_interval, 0, INT_MAX) },
    Modelled { name: "auto.offset.reset", slot: Slot::Read(read_reset) },
    Modelled { name: "group.instance.id", slot: Slot::Read(read_instance) },
    Modelled { name: "group.protocol", slot: Slot::Read(read_protocol) },
    Modelled { name: "group.remote.assignor", slot: Slot::Read(read_remote_assignor) },
    Modelled { name: "fetch.min.bytes", slot: Slot::Bytes(|s| &mut s.config.fetch_min_bytes, 0, INT_MAX) },
    Modelled { name: "fetch.max.wait.ms", slot: Slot::Millis(|s| &mut s.config.fetch_max_wait, 0, INT_MAX) },
    Modelled { name: "fetch.max.bytes", slot: Slot::Bytes(|s| &mut s.config.fetch_max_bytes, 0, INT_MAX) },
    Modelled { name: "max.partition.fetch.bytes", slot: Slot::Bytes(|s| &mut s.config.max_partition_fetch_bytes, 0, INT_MAX) },
    Modelled { name: "metadata.max.age.ms", slot: Slot::Millis(|s| &mut s.config.metadata_max_age, 0, LONG_MAX) },
    Modelled { name: "request.timeout.ms", slot: Slot::Millis(|s| &mut s.config.request_timeout, 0, INT_MAX) },
    Modelled { name: "default.api.timeout.ms", slot: Slot::Millis(|s| &mut s.config.default_api_timeout, 0, INT_MAX) },
    Modelled { name: "retry.backoff.ms", slot: Slot::Millis(|s| &mut s.config.retry_backoff, 0, LONG_MAX) },
    Modelled { name: "retry.backoff.max.ms", slot: Slot::Millis(|s| &mut s.config.retry_backoff_max, 0, LONG_MAX) },
];

/// The defaults of a release.
pub fn settings(release: Release) -> ConsumerSettings {
    // KIP-735 (3.0) for the session timeout, KIP-726 (3.0) for the assignors, KIP-580 (3.7) for the back-off.
    let old = release <= Release::V2_8;
    let assignors: &[&str] = if old { &["range"] } else { &["range", "cooperative-sticky"] };
    ConsumerSettings {
        config: ConsumerConfig {
            protocol: GroupProtocol::Classic,
            remote_assignor: None,
            session_timeout: Span::from_millis(if old { 10_000 } else { 45_000 }),
            heartbeat_interval: Span::from_millis(3_000),
            max_poll_interval: Span::from_millis(300_000),
            max_poll_records: 500,
            assignors: assignors.iter().map(|name| Name::from(*name)).collect(),
            auto_commit_interval: Span::from_millis(5_000),
            auto_offset_reset: AutoOffsetReset::Latest,
            fetch_min_bytes: 1,
            fetch_max_wait: Span::from_millis(500),
            fetch_max_bytes: 52_428_800,
            max_partition_fetch_bytes: 1_048_576,
            metadata_max_age: Span::from_millis(300_000),
            request_timeout: Span::from_millis(30_000),
            default_api_timeout: Span::from_millis(60_000),
            retry_backoff: Span::from_millis(100),
            retry_backoff_max: Span::from_millis(if old { 100 } else { 1_000 }),
        },
        auto_commit: None,
        instance: None,
    }
}

/// What a client makes of its properties.
pub fn complete(config: ConsumerConfig, release: Release) -> ConsumerConfig {
    if release < Release::V3_9 {
        // Exponential back-off came with KIP-580 in 3.7.
        ConsumerConfig { retry_backoff_max: config.retry_backoff, ..config }
    } else {
        config
    }
}

/// Kafka's client-side assignors: name and class.
const ASSIGNORS: [(&str, &str); 4] = [
    ("range", "RangeAssignor"),
    ("roundrobin", "RoundRobinAssignor"),
    ("sticky", "StickyAssignor"),
    ("cooperative-sticky", "CooperativeStickyAssignor"),
];

fn read_assignors(settings: &mut ConsumerSettings, value: &Property) -> Result<(), Unreadable> {
    let mut assignors: Vec<Name> = Vec::new();
    for written in value.items() {
        let class = written.strip_prefix("org.apache.kafka.clients.consumer.").unwrap_or(&written);
        let Some((name, _)) = ASSIGNORS.iter().find(|(name, short_class)| *name == written || *short_class == class) else {
            let names = ASSIGNORS.iter().flat_map(|(name, class)| [*name, *class]);
            return Err(wrong(format!("`{}` is not an assignor of Kafka", cut(&written)), did_you_mean(class, names)));
        };
        if assignors.iter().any(|earlier| &**earlier == *name) {
            return Err(wrong(format!("the assignor `{name}` is named twice"), None));
        }
        assignors.push(Name::from(*name));
    }
    if assignors.is_empty() {
        let hint = format!("there are {}", ASSIGNORS.map(|(name, _)| format!("`{name}`")).join(", "));
        return Err(wrong("a consumer needs an assignor", Some(hint)));
    }
    settings.config.assignors = assignors;
    Ok(())
}

fn read_auto_commit(settings: &mut ConsumerSettings, value: &Property) -> Result<(), Unreadable> {
    settings.auto_commit = Some(super::read_bool(value)?);
    Ok(())
}

fn read_reset(settings: &mut ConsumerSettings, value: &Property) -> Result<(), Unreadable> {
    const WORDS: [(&str, AutoOffsetReset); 3] =
        [("earliest", AutoOffsetReset::Earliest), ("latest", AutoOffsetReset::Latest), ("none", AutoOffsetReset::None)];
    let text = super::read_text(value)?;
    match WORDS.iter().find(|(word, _)| *word == text) {
        Some((_, reset)) => {
            settings.config.auto_offset_reset = *reset;
            Ok(())
        }
        None if text.starts_with("by_duration") => Err(wrong("`by_duration` cannot be simulated in this version", None)),
        None => Err(wrong(format!("`{}` is not a reset policy", cut(text)), did_you_mean(text, WORDS.map(|(word, _)| word)))),
    }
}

fn read_instance(settings: &mut ConsumerSettings, value: &Property) -> Result<(), Unreadable> {
    let instance = super::read_text(value)?;
    if instance.is_empty() {
        return Err(wrong("an empty text is no id of an instance", Some("leave it out for a member that is not static".to_owned())));
    }
    settings.instance = Some(instance.to_owned());
    Ok(())
}

fn read_protocol(settings: &mut ConsumerSettings, value: &Property) -> Result<(), Unreadable> {
    const WORDS: [(&str, GroupProtocol); 2] = [("classic", GroupProtocol::Classic), ("consumer", GroupProtocol::Consumer)];
    let text = super::read_text(value)?;
    match WORDS.iter().find(|(word, _)| text.eq_ignore_ascii_case(word)) {
        Some((_, protocol)) => {
            settings.config.protocol = *protocol;
            Ok(())
        }
        None => Err(wrong(format!("`{}` is not a group protocol", cut(text)), Some("there are `classic` and `consumer`".to_owned()))),
    }
}

/// Any name: the coordinator knows whether it has such an assignor.
fn read_remote_assignor(settings: &mut ConsumerSettings, value: &Property) -> Result<(), Unreadable> {
    let name = super::read_text(value)?;
    settings.config.remote_assignor = (!name.is_empty()).then(|| Name::from(name));
    Ok(())
}

fn wrong(message: impl Into<String>, hint: Option<String>) -> Unreadable {
    Unreadable { message: message.into(), hint }
}

pub const NOT_MODELLED: &[&str] = &[
    "allow.auto.create.topics",
    "auto.include.jmx.reporter",
    "bootstrap.controllers",
    "bootstrap.servers",
    "check.crcs",
    "client.dns.lookup",
    "client.id",
    "client.rack",
    "config.providers",
    "connections.max.idle.ms",
    "enable.metrics.push",
    "exclude.internal.topics",
    "group.id",
    "interceptor.classes",
    "internal.leave.group.on.close",
    "internal.throw.on.fetch.stable.offset.unsupported",
    "isolation.level",
    "key.deserializer",
    "metadata.recovery.rebootstrap.trigger.ms",
    "metadata.recovery.strategy",
    "metric.reporters",
    "metrics.num.samples",
    "metrics.recording.level",
    "metrics.sample.window.ms",
    "receive.buffer.bytes",
    "reconnect.backoff.max.ms",
    "reconnect.backoff.ms",
    "sasl.client.callback.handler.class",
    "sasl.jaas.config",
    "sasl.kerberos.kinit.cmd",
    "sasl.kerberos.min.time.before.relogin",
    "sasl.kerberos.service.name",
    "sasl.kerberos.ticket.renew.jitter",
    "sasl.kerberos.ticket.renew.window.factor",
    "sasl.login.callback.handler.class",
    "sasl.login.class",
    "sasl.login.connect.timeout.ms",
    "sasl.login.read.timeout.ms",
    "sasl.login.refresh.buffer.seconds",
    "sasl.login.refresh.min.period.seconds",
    "sasl.login.refresh.window.factor",
    "sasl.login.refresh.window.jitter",
    "sasl.login.retry.backoff.max.ms",
    "sasl.login.retry.backoff.ms",
    "sasl.mechanism",
    "sasl.oauthbearer.clock.skew.seconds",
    "sasl.oauthbearer.expected.audience",
    "sasl.oauthbearer.expected.issuer",
    "sasl.oauthbearer.header.urlencode",
    "sasl.oauthbearer.jwks.endpoint.refresh.ms",
    "sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms",
    "sasl.oauthbearer.jwks.endpoint.retry.backoff.ms",
    "sasl.oauthbearer.jwks.endpoint.url",
    "sasl.oauthbearer.jwt.retriever.class",
    "sasl.oauthbearer.jwt.validator.class",
    "sasl.oauthbearer.scope.claim.name",
    "sasl.oauthbearer.sub.claim.name",
    "sasl.oauthbearer.token.endpoint.url",
    "security.protocol",
    "security.providers",
    "send.buffer.bytes",
    "share.acknowledgement.mode",
    "share.acquire.mode",
    "socket.connection.setup.timeout.max.ms",
    "socket.connection.setup.timeout.ms",
    "ssl.cipher.suites",
    "ssl.enabled.protocols",
    "ssl.endpoint.identification.algorithm",
    "ssl.engine.factory.class",
    "ssl.key.password",
    "ssl.keymanager.algorithm",
    "ssl.keystore.certificate.chain",
    "ssl.keystore.key",
    "ssl.keystore.location",
    "ssl.keystore.password",
    "ssl.keystore.type",
    "ssl.protocol",
    "ssl.provider",
    "ssl.secure.random.implementation",
    "ssl.trustmanager.algorithm",
    "ssl.truststore.certificates",
    "ssl.truststore.location",
    "ssl.truststore.password",
    "ssl.truststore.type",
    "value.deserializer",
];

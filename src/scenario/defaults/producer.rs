//! Producer properties (ProducerConfig) and their defaults.

use super::super::ProducerConfig;
use super::super::file::properties::Property;
use super::super::quantity::Unreadable;
use super::super::reader::cut;
use super::{Modelled, Slot};
use crate::error::did_you_mean;
use crate::release::Release;
use crate::units::Span;

/// What a producer's properties come to, with what decides whether Kafka takes them.
#[derive(Clone, PartialEq, Debug)]
pub struct ProducerSettings {
    pub config: ProducerConfig,
    /// enable.idempotence, if it is given.
    pub idempotence: Option<bool>,
    /// delivery.timeout.ms, if it is given.
    pub delivery_timeout: Option<Span>,
    pub request_timeout: Span,
    pub max_request_size: u64,
    pub retries: u32,
}

const INT_MAX: u64 = i32::MAX as u64;
const LONG_MAX: u64 = 315_360_000_000;

pub const MODELLED: &[Modelled<ProducerSettings>] = &[
    Modelled { name: "acks", slot: Slot::Read(read_acks) },
    Modelled { name: "enable.idempotence", slot: Slot::Read(read_idempotence) },
    Modelled { name: "linger.ms", slot: Slot::Millis(|s| &mut s.config.linger, 0, LONG_MAX) },
    Modelled { name: "batch.size", slot: Slot::Bytes(|s| &mut s.config.batch_size, 0, INT_MAX) },
    Modelled { name: "max.in.flight.requests.per.connection", slot: Slot::Count(|s| &mut s.config.max_in_flight, 1, i32::MAX as u32) },
    Modelled { name: "metadata.max.age.ms", slot: Slot::Millis(|s| &mut s.config.metadata_max_age, 0, LONG_MAX) },
    Modelled { name: "delivery.timeout.ms", slot: Slot::Read(read_delivery_timeout) },
    Modelled { name: "request.timeout.ms", slot: Slot::Millis(|s| &mut s.request_timeout, 0, INT_MAX) },
    Modelled { name: "max.request.size", slot: Slot::Bytes(|s| &mut s.max_request_size, 0, INT_MAX) },
    Modelled { name: "retries", slot: Slot::Count(|s| &mut s.retries, 0, i32::MAX as u32) },
];

/// The defaults of a release.
pub fn settings(release: Release) -> ProducerSettings {
    ProducerSettings {
        config: ProducerConfig {
            // KIP-679 (3.0).
            acks_all: release > Release::V2_8,
            acks_none: false,
            // KIP-1030 (4.0).
            linger: Span::from_millis(if release >= Release::V4_0_0 { 5 } else { 0 }),
            batch_size: 16_384,
            max_in_flight: 5,
            metadata_max_age: Span::from_millis(300_000),
        },
        idempotence: None,
        delivery_timeout: None,
        request_timeout: Span::from_millis(30_000),
        max_request_size: 1_048_576,
        retries: i32::MAX as u32,
    }
}

fn read_acks(settings: &mut ProducerSettings, value: &Property) -> Result<(), Unreadable> {
    let text = super::read_text(value)?;
    (settings.config.acks_all, settings.config.acks_none) = match text {
        "all" | "-1" => (true, false),
        "1" => (false, false),
        "0" => (false, true),
        _ => {
            let message = format!("`{}` is not a number of acknowledgements", cut(text));
            return Err(Unreadable { message, hint: did_you_mean(text, ["all", "1", "0"]) });
        }
    };
    Ok(())
}

fn read_idempotence(settings: &mut ProducerSettings, value: &Property) -> Result<(), Unreadable> {
    settings.idempotence = Some(super::read_bool(value)?);
    Ok(())
}

fn read_delivery_timeout(settings: &mut ProducerSettings, value: &Property) -> Result<(), Unreadable> {
    settings.delivery_timeout = Some(super::read_millis(value, 0, INT_MAX)?);
    Ok(())
}

pub const NOT_MODELLED: &[&str] = &[
    "auto.include.jmx.reporter",
    "bootstrap.controllers",
    "bootstrap.servers",
    "buffer.memory",
    "client.dns.lookup",
    "client.id",
    "client.rack",
    "compression.gzip.level",
    "compression.lz4.level",
    "compression.type",
    "compression.zstd.level",
    "config.providers",
    "connections.max.idle.ms",
    "enable.metrics.push",
    "interceptor.classes",
    "internal.auto.downgrade.txn.commit",
    "key.serializer",
    "max.block.ms",
    "metadata.max.idle.ms",
    "metadata.recovery.rebootstrap.trigger.ms",
    "metadata.recovery.strategy",
    "metric.reporters",
    "metrics.num.samples",
    "metrics.recording.level",
    "metrics.sample.window.ms",
    "partitioner.adaptive.partitioning.enable",
    "partitioner.availability.timeout.ms",
    "partitioner.class",
    "partitioner.ignore.keys",
    "partitioner.rack.aware",
    "receive.buffer.bytes",
    "reconnect.backoff.max.ms",
    "reconnect.backoff.ms",
    "retry.backoff.max.ms",
    "retry.backoff.ms",
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
    "transaction.timeout.ms",
    "transaction.two.phase.commit.enable",
    "transactional.id",
    "value.serializer",
];

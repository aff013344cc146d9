//! Broker properties (KafkaConfig, GroupCoordinatorConfig, ServerLogConfigs and their like) and their defaults.

use super::super::BrokerConfig;
use super::super::file::properties::Property;
use super::super::group_config::ConsumerGroupConfig;
use super::super::quantity::Unreadable;
use super::super::reader::cut;
use super::{Modelled, Slot};
use crate::error::did_you_mean;
use crate::release::Release;
use crate::terms::{MigrationPolicy, Name};
use crate::units::Span;

const INT_MAX: u64 = i32::MAX as u64;

pub const MODELLED: &[Modelled<BrokerConfig>] = &[
    Modelled { name: "group.initial.rebalance.delay.ms", slot: Slot::Millis(|c| &mut c.group_initial_rebalance_delay, 0, INT_MAX) },
    Modelled { name: "group.min.session.timeout.ms", slot: Slot::Millis(|c| &mut c.group_min_session_timeout, 0, INT_MAX) },
    Modelled { name: "group.max.session.timeout.ms", slot: Slot::Millis(|c| &mut c.group_max_session_timeout, 0, INT_MAX) },
    Modelled { name: "group.max.size", slot: Slot::Count(|c| &mut c.group_max_size, 1, i32::MAX as u32) },
    positive_millis("group.consumer.session.timeout.ms", |c| &mut c.consumer_groups.session_timeout),
    positive_millis("group.consumer.min.session.timeout.ms", |c| &mut c.consumer_groups.min_session_timeout),
    positive_millis("group.consumer.max.session.timeout.ms", |c| &mut c.consumer_groups.max_session_timeout),
    positive_millis("group.consumer.heartbeat.interval.ms", |c| &mut c.consumer_groups.heartbeat_interval),
    positive_millis("group.consumer.min.heartbeat.interval.ms", |c| &mut c.consumer_groups.min_heartbeat_interval),
    positive_millis("group.consumer.max.heartbeat.interval.ms", |c| &mut c.consumer_groups.max_heartbeat_interval),
    Modelled {
        name: "group.consumer.assignment.interval.ms",
        slot: Slot::Millis(|c| &mut c.consumer_groups.assignment_interval, 0, INT_MAX),
    },
    Modelled {
        name: "group.consumer.min.assignment.interval.ms",
        slot: Slot::Millis(|c| &mut c.consumer_groups.min_assignment_interval, 0, INT_MAX),
    },
    Modelled {
        name: "group.consumer.max.assignment.interval.ms",
        slot: Slot::Millis(|c| &mut c.consumer_groups.max_assignment_interval, 0, INT_MAX),
    },
    Modelled {
        name: "group.consumer.regex.refresh.interval.ms",
        slot: Slot::Millis(|c| &mut c.consumer_groups.regex_refresh_interval, 10_000, INT_MAX),
    },
    Modelled { name: "group.consumer.migration.policy", slot: Slot::Read(read_migration_policy) },
    Modelled { name: "group.consumer.max.size", slot: Slot::Count(|c| &mut c.consumer_groups.max_size, 1, i32::MAX as u32) },
    Modelled { name: "group.consumer.assignors", slot: Slot::Read(read_assignors) },
    Modelled { name: "group.coordinator.append.linger.ms", slot: Slot::Read(read_append_linger) },
    Modelled { name: "offsets.retention.minutes", slot: Slot::Minutes(|c| &mut c.offsets_retention, 1, 5_256_000) },
    positive_millis("offsets.retention.check.interval.ms", |c| &mut c.offsets_retention_check_interval),
    positive_millis("broker.session.timeout.ms", |c| &mut c.broker_session_timeout),
    Modelled { name: "offset.metadata.max.bytes", slot: Slot::Count(|c| &mut c.offset_metadata_max_bytes, 0, i32::MAX as u32) },
];

/// A time of at least a millisecond.
const fn positive_millis(name: &'static str, place: fn(&mut BrokerConfig) -> &mut Span) -> Modelled<BrokerConfig> {
    Modelled { name, slot: Slot::Millis(place, 1, INT_MAX) }
}

/// The defaults of a release.
pub fn config(release: Release) -> BrokerConfig {
    // KIP-1094 and its follow-ups: 5 ms in 4.0 and 4.1; -1 (an idle coordinator does not wait) since 4.2; the coordinator of 3.x has none.
    let lingers = (Release::V4_0_0..Release::V4_2_0).contains(&release);
    BrokerConfig {
        group_initial_rebalance_delay: Span::from_millis(3_000),
        group_min_session_timeout: Span::from_millis(6_000),
        group_max_session_timeout: Span::from_millis(1_800_000),
        group_max_size: i32::MAX as u32,
        offsets_retention: Span::from_secs(10_080 * 60),
        offsets_retention_check_interval: Span::from_millis(600_000),
        offset_metadata_max_bytes: 4_096,
        broker_session_timeout: Span::from_millis(9_000),
        consumer_groups: ConsumerGroupConfig {
            session_timeout: Span::from_millis(45_000),
            min_session_timeout: Span::from_millis(45_000),
            max_session_timeout: Span::from_millis(60_000),
            heartbeat_interval: Span::from_millis(5_000),
            min_heartbeat_interval: Span::from_millis(5_000),
            max_heartbeat_interval: Span::from_millis(15_000),
            assignment_interval: Span::from_millis(1_000),
            min_assignment_interval: Span::ZERO,
            max_assignment_interval: Span::from_millis(15_000),
            regex_refresh_interval: Span::from_millis(600_000),
            max_size: i32::MAX as u32,
            assignors: ASSIGNORS.iter().map(|(name, _)| Name::from(*name)).collect(),
            // Early access (3.9) migrates nothing by itself.
            migration_policy: if release < Release::V4_0_0 { MigrationPolicy::Disabled } else { MigrationPolicy::Bidirectional },
        },
        append_linger: Span::from_millis(if lingers { 5 } else { 0 }),
    }
}

/// Kafka's broker-side assignors: name and class.
pub const ASSIGNORS: [(&str, &str); 2] = [("uniform", "UniformAssignor"), ("range", "RangeAssignor")];

fn read_assignors(config: &mut BrokerConfig, value: &Property) -> Result<(), Unreadable> {
    let mut assignors: Vec<Name> = Vec::new();
    for written in value.items() {
        let class = written.strip_prefix("org.apache.kafka.coordinator.group.assignor.").unwrap_or(&written);
        let known = ASSIGNORS.iter().find(|(name, short_class)| *name == written || *short_class == class);
        let Some((name, _)) = known else {
            let message = format!("`{}` is not an assignor of Kafka's brokers", cut(&written));
            return Err(Unreadable { message, hint: did_you_mean(class, ASSIGNORS.map(|(name, _)| name)) });
        };
        if assignors.iter().any(|earlier| &**earlier == *name) {
            return Err(Unreadable { message: format!("the assignor `{name}` is named twice"), hint: None });
        }
        assignors.push(Name::from(*name));
    }
    if assignors.is_empty() {
        let hint = Some("there are `uniform` and `range`".to_owned());
        return Err(Unreadable { message: "a broker needs an assignor".to_owned(), hint });
    }
    config.consumer_groups.assignors = assignors;
    Ok(())
}

/// In any case, as Kafka.
fn read_migration_policy(config: &mut BrokerConfig, value: &Property) -> Result<(), Unreadable> {
    let text = super::read_text(value)?;
    let Some(policy) = MigrationPolicy::named(text) else {
        let names = MigrationPolicy::ALL.map(MigrationPolicy::name);
        let hint = did_you_mean(text, names).unwrap_or_else(|| format!("there are {}", names.join(", ")));
        return Err(Unreadable { message: format!("`{}` is not a migration policy", cut(text)), hint: Some(hint) });
    };
    config.consumer_groups.migration_policy = policy;
    Ok(())
}

/// -1: adaptive, which is no wait at all for an idle coordinator.
fn read_append_linger(config: &mut BrokerConfig, value: &Property) -> Result<(), Unreadable> {
    config.append_linger = match value {
        Property::Text(text) if text == "-1" => Span::ZERO,
        Property::Text(_) | Property::List(_) => super::read_millis(value, 0, INT_MAX)?,
    };
    Ok(())
}

pub const NOT_MODELLED: &[&str] = &[
    "add.partitions.to.txn.retry.backoff.max.ms",
    "add.partitions.to.txn.retry.backoff.ms",
    "advertised.listeners",
    "alter.config.policy.class.name",
    "authorizer.class.name",
    "auto.create.topics.enable",
    "auto.leader.rebalance.enable",
    "background.threads",
    "broker.heartbeat.interval.ms",
    "broker.id",
    "broker.rack",
    "client.quota.callback.class",
    "compression.gzip.level",
    "compression.lz4.level",
    "compression.type",
    "compression.zstd.level",
    "config.providers",
    "connection.failed.authentication.delay.ms",
    "connections.max.idle.ms",
    "connections.max.reauth.ms",
    "control.plane.listener.name",
    "controlled.shutdown.enable",
    "controlled.shutdown.max.retries",
    "controlled.shutdown.retry.backoff.ms",
    "controller.listener.names",
    "controller.quorum.bootstrap.servers",
    "controller.quorum.election.backoff.max.ms",
    "controller.quorum.election.timeout.ms",
    "controller.quorum.fetch.timeout.ms",
    "controller.quorum.request.timeout.ms",
    "controller.quorum.voters",
    "controller.socket.timeout.ms",
    "create.topic.policy.class.name",
    "default.replication.factor",
    "delegation.token.expiry.time.ms",
    "delegation.token.max.lifetime.ms",
    "delegation.token.secret.key",
    "delete.records.purgatory.purge.interval.requests",
    "delete.topic.enable",
    "early.start.listeners",
    "fetch.max.bytes",
    "fetch.purgatory.purge.interval.requests",
    "group.coordinator.background.threads",
    "group.coordinator.cached.buffer.max.bytes",
    "group.coordinator.rebalance.protocols",
    "group.coordinator.threads",
    "group.share.assignment.interval.ms",
    "group.share.assignors",
    "group.share.delivery.count.limit",
    "group.share.heartbeat.interval.ms",
    "group.share.initialize.retry.interval.ms",
    "group.share.max.heartbeat.interval.ms",
    "group.share.max.record.lock.duration.ms",
    "group.share.max.session.timeout.ms",
    "group.share.max.share.sessions",
    "group.share.max.size",
    "group.share.min.heartbeat.interval.ms",
    "group.share.min.record.lock.duration.ms",
    "group.share.min.session.timeout.ms",
    "group.share.partition.max.record.locks",
    "group.share.persister.class.name",
    "group.share.record.lock.duration.ms",
    "group.share.session.timeout.ms",
    "group.streams.assignment.interval.ms",
    "group.streams.heartbeat.interval.ms",
    "group.streams.initial.rebalance.delay.ms",
    "group.streams.max.size",
    "group.streams.max.standby.replicas",
    "group.streams.num.standby.replicas",
    "group.streams.session.timeout.ms",
    "initial.broker.registration.timeout.ms",
    "inter.broker.listener.name",
    "inter.broker.protocol.version",
    "leader.imbalance.check.interval.seconds",
    "leader.imbalance.per.broker.percentage",
    "listener.security.protocol.map",
    "listeners",
    "log.cleaner.backoff.ms",
    "log.cleaner.dedupe.buffer.size",
    "log.cleaner.delete.retention.ms",
    "log.cleaner.enable",
    "log.cleaner.io.buffer.load.factor",
    "log.cleaner.io.buffer.size",
    "log.cleaner.io.max.bytes.per.second",
    "log.cleaner.max.compaction.lag.ms",
    "log.cleaner.min.cleanable.ratio",
    "log.cleaner.min.compaction.lag.ms",
    "log.cleaner.threads",
    "log.cleanup.policy",
    "log.dir",
    "log.dir.failure.timeout.ms",
    "log.dirs",
    "log.flush.interval.messages",
    "log.flush.interval.ms",
    "log.flush.offset.checkpoint.interval.ms",
    "log.flush.scheduler.interval.ms",
    "log.flush.start.offset.checkpoint.interval.ms",
    "log.index.interval.bytes",
    "log.index.size.max.bytes",
    "log.initial.task.delay.ms",
    "log.local.retention.bytes",
    "log.local.retention.ms",
    "log.message.downconversion.enable",
    "log.message.format.version",
    "log.message.timestamp.after.max.ms",
    "log.message.timestamp.before.max.ms",
    "log.message.timestamp.difference.max.ms",
    "log.message.timestamp.type",
    "log.preallocate",
    "log.retention.bytes",
    "log.retention.check.interval.ms",
    "log.retention.hours",
    "log.retention.minutes",
    "log.retention.ms",
    "log.roll.hours",
    "log.roll.jitter.hours",
    "log.roll.jitter.ms",
    "log.roll.ms",
    "log.segment.bytes",
    "log.segment.delete.delay.ms",
    "max.connection.creation.rate",
    "max.connections",
    "max.connections.per.ip",
    "max.connections.per.ip.overrides",
    "max.incremental.fetch.session.cache.slots",
    "max.request.partition.size.limit",
    "message.max.bytes",
    "metadata.log.dir",
    "metadata.log.max.record.bytes.between.snapshots",
    "metadata.log.max.snapshot.interval.ms",
    "metadata.log.segment.bytes",
    "metadata.log.segment.ms",
    "metadata.max.idle.interval.ms",
    "metadata.max.retention.bytes",
    "metadata.max.retention.ms",
    "metric.reporters",
    "metrics.num.samples",
    "metrics.recording.level",
    "metrics.sample.window.ms",
    "min.insync.replicas",
    "node.id",
    "num.io.threads",
    "num.network.threads",
    "num.partitions",
    "num.recovery.threads.per.data.dir",
    "num.replica.alter.log.dirs.threads",
    "num.replica.fetchers",
    "offsets.commit.required.acks",
    "offsets.commit.timeout.ms",
    "offsets.load.buffer.size",
    "offsets.topic.compression.codec",
    "offsets.topic.num.partitions",
    "offsets.topic.replication.factor",
    "offsets.topic.segment.bytes",
    "principal.builder.class",
    "process.roles",
    "producer.id.expiration.check.interval.ms",
    "producer.id.expiration.ms",
    "producer.purgatory.purge.interval.requests",
    "queued.max.request.bytes",
    "queued.max.requests",
    "quota.window.num",
    "quota.window.size.seconds",
    "remote.log.manager.task.interval.ms",
    "remote.log.metadata.manager.class.name",
    "remote.log.storage.manager.class.name",
    "remote.log.storage.system.enable",
    "replica.fetch.backoff.ms",
    "replica.fetch.max.bytes",
    "replica.fetch.min.bytes",
    "replica.fetch.response.max.bytes",
    "replica.fetch.wait.max.ms",
    "replica.high.watermark.checkpoint.interval.ms",
    "replica.lag.time.max.ms",
    "replica.selector.class",
    "replica.socket.receive.buffer.bytes",
    "replica.socket.timeout.ms",
    "replication.quota.window.num",
    "replication.quota.window.size.seconds",
    "request.timeout.ms",
    "reserved.broker.max.id",
    "sasl.enabled.mechanisms",
    "sasl.mechanism.inter.broker.protocol",
    "security.inter.broker.protocol",
    "share.coordinator.append.linger.ms",
    "share.coordinator.load.buffer.size",
    "share.coordinator.snapshot.update.records.per.snapshot",
    "share.coordinator.state.topic.compression.codec",
    "share.coordinator.state.topic.min.isr",
    "share.coordinator.state.topic.num.partitions",
    "share.coordinator.state.topic.prune.interval.ms",
    "share.coordinator.state.topic.replication.factor",
    "share.coordinator.state.topic.segment.bytes",
    "share.coordinator.threads",
    "share.coordinator.write.timeout.ms",
    "share.fetch.purgatory.purge.interval.requests",
    "socket.connection.setup.timeout.max.ms",
    "socket.connection.setup.timeout.ms",
    "socket.listen.backlog.size",
    "socket.receive.buffer.bytes",
    "socket.request.max.bytes",
    "socket.send.buffer.bytes",
    "ssl.client.auth",
    "ssl.keystore.location",
    "ssl.truststore.location",
    "telemetry.max.bytes",
    "transaction.abort.timed.out.transaction.cleanup.interval.ms",
    "transaction.max.timeout.ms",
    "transaction.partition.verification.enable",
    "transaction.remove.expired.transaction.cleanup.interval.ms",
    "transaction.state.log.load.buffer.size",
    "transaction.state.log.min.isr",
    "transaction.state.log.num.partitions",
    "transaction.state.log.replication.factor",
    "transaction.state.log.segment.bytes",
    "transaction.two.phase.commit.enable",
    "transactional.id.expiration.ms",
    "unclean.leader.election.enable",
    "unstable.api.versions.enable",
    "unstable.feature.versions.enable",
    "zookeeper.connect",
    "zookeeper.session.timeout.ms",
];

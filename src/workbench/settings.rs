//! The settings of a script: the brokers', and those that its group has of its own (`consumer.…`).

use serde_json::{Map, Value};

use crate::kafka::assignor::server::ServerAssignor;
use crate::kafka::coordinator::shard::{CoordinatorConfig, GroupConfig};
use crate::terms::MigrationPolicy;
use crate::units::Span;

/// Settings of other kinds of groups, bounds of others and those of the coordinator's threads: they are known and change nothing here.
const WITHOUT_EFFECT: [&str; 5] = ["group.consumer.min.", "group.consumer.max.", "group.share.", "group.streams.", "group.coordinator."];

const MODELLED: &str = "group.initial.rebalance.delay.ms, group.min.session.timeout.ms, group.max.session.timeout.ms, group.max.size, \
    group.consumer.session.timeout.ms, group.consumer.heartbeat.interval.ms, group.consumer.max.size, group.consumer.assignors, \
    group.consumer.assignment.interval.ms, group.consumer.migration.policy, group.coordinator.append.linger.ms, \
    offsets.retention.minutes, offsets.retention.check.interval.ms, offset.metadata.max.bytes, and of the group itself \
    consumer.session.timeout.ms, consumer.heartbeat.interval.ms, consumer.assignment.interval.ms";

/// Puts the settings over the defaults.
pub fn read(written: Option<&Map<String, Value>>, mut config: CoordinatorConfig) -> Result<CoordinatorConfig, String> {
    let mut own = GroupConfig::default();
    for (key, value) in written.into_iter().flatten() {
        let within =
            |least: i64| number(value, least).ok_or_else(|| format!("{key} is {value}, not a whole number from {least} to 2147483647"));
        let millis = |least: i64| within(least).map(Span::from_millis);
        match key.as_str() {
            "group.initial.rebalance.delay.ms" => config.initial_rebalance_delay = millis(0)?,
            "group.min.session.timeout.ms" => config.min_session_timeout = millis(1)?,
            "group.max.session.timeout.ms" => config.max_session_timeout = millis(1)?,
            "group.max.size" => config.max_size = within(1)? as u32,
            "group.consumer.session.timeout.ms" => config.consumer.session_timeout = millis(1)?,
            "group.consumer.heartbeat.interval.ms" => config.consumer.heartbeat_interval = millis(1)?,
            "consumer.session.timeout.ms" => own.session_timeout = Some(millis(1)?),
            "consumer.heartbeat.interval.ms" => own.heartbeat_interval = Some(millis(1)?),
            "consumer.assignment.interval.ms" => own.assignment_interval = Some(millis(0)?),
            "group.consumer.max.size" => config.consumer.max_size = within(1)? as u32,
            "group.consumer.assignment.interval.ms" => config.consumer.assignment_interval = millis(0)?,
            "group.consumer.assignors" => {
                let assignors = assignors(value).ok_or_else(|| format!("{key} is {value}, not one or both of uniform and range"))?;
                (config.consumer.default_assignor, config.consumer.all_assignors) = (assignors[0], assignors.len() > 1);
            }
            "group.consumer.migration.policy" => {
                let policies = MigrationPolicy::ALL.map(MigrationPolicy::name).join(", ");
                let policy = value.as_str().and_then(MigrationPolicy::named);
                config.consumer.migration = policy.ok_or_else(|| format!("{key} is {value}, not one of {policies}"))?;
            }
            // -1: an idle coordinator does not linger.
            "group.coordinator.append.linger.ms" => config.write_latency.linger = millis(-1)?,
            "offsets.retention.minutes" => config.offsets_retention = Span::from_secs(60).times(within(1)?),
            "offsets.retention.check.interval.ms" => config.retention_check_interval = millis(1)?,
            "offset.metadata.max.bytes" => config.offset_metadata_max_bytes = within(0)? as u32,
            other if WITHOUT_EFFECT.iter().any(|prefix| other.starts_with(prefix)) => {}
            other => return Err(format!("{other:?} is not a setting that is modelled here; those are {MODELLED}")),
        }
    }
    config.consumer = config.consumer.of_group(&own);
    Ok(config)
}

/// A list of names, not empty.
fn assignors(value: &Value) -> Option<Vec<ServerAssignor>> {
    value.as_str()?.split(',').map(|name| ServerAssignor::named(name.trim())).collect()
}

/// A Java int that is at least `least`, written as a string or a number; -1 counts as 0.
fn number(value: &Value, least: i64) -> Option<u64> {
    let parsed = match value {
        Value::String(text) => text.parse().ok()?,
        other => other.as_i64()?,
    };
    (least..=i64::from(i32::MAX)).contains(&parsed).then(|| parsed.max(0).unsigned_abs())
}

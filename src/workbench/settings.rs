//! The broker settings of a script.

use serde_json::{Map, Value};

use crate::kafka::coordinator::shard::CoordinatorConfig;
use crate::units::Span;

/// Settings of other kinds of groups and of the coordinator's threads: they are known and change nothing here.
const WITHOUT_EFFECT: [&str; 4] = ["group.consumer.", "group.share.", "group.streams.", "group.coordinator."];

const MODELLED: &str = "group.initial.rebalance.delay.ms, group.min.session.timeout.ms, group.max.session.timeout.ms, group.max.size, \
    group.coordinator.append.linger.ms, offsets.retention.minutes, offsets.retention.check.interval.ms, offset.metadata.max.bytes";

/// Puts the settings over the defaults.
pub fn read(written: Option<&Map<String, Value>>, mut config: CoordinatorConfig) -> Result<CoordinatorConfig, String> {
    for (key, value) in written.into_iter().flatten() {
        let within =
            |least: i64| number(value, least).ok_or_else(|| format!("{key} is {value}, not a whole number from {least} to 2147483647"));
        let millis = |least: i64| within(least).map(Span::from_millis);
        match key.as_str() {
            "group.initial.rebalance.delay.ms" => config.initial_rebalance_delay = millis(0)?,
            "group.min.session.timeout.ms" => config.min_session_timeout = millis(1)?,
            "group.max.session.timeout.ms" => config.max_session_timeout = millis(1)?,
            "group.max.size" => config.max_size = within(1)? as u32,
            // -1: an idle coordinator does not linger.
            "group.coordinator.append.linger.ms" => config.write_latency.linger = millis(-1)?,
            "offsets.retention.minutes" => config.offsets_retention = Span::from_secs(60).times(within(1)?),
            "offsets.retention.check.interval.ms" => config.retention_check_interval = millis(1)?,
            "offset.metadata.max.bytes" => config.offset_metadata_max_bytes = within(0)? as u32,
            other if WITHOUT_EFFECT.iter().any(|prefix| other.starts_with(prefix)) => {}
            other => return Err(format!("{other:?} is not a setting that is modelled here; those are {MODELLED}")),
        }
    }
    Ok(config)
}

/// A Java int that is at least `least`, written as a string or a number; -1 counts as 0.
fn number(value: &Value, least: i64) -> Option<u64> {
    let parsed = match value {
        Value::String(text) => text.parse().ok()?,
        other => other.as_i64()?,
    };
    (least..=i64::from(i32::MAX)).contains(&parsed).then(|| parsed.max(0).unsigned_abs())
}

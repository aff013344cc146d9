//! Properties of single groups (GroupConfig), which `kafka-configs.sh --entity-type groups` sets on a running cluster.

use super::super::group_config::GroupConfig;
use super::{Modelled, Slot};
use crate::release::Release;

const INT_MAX: u64 = i32::MAX as u64;

pub const MODELLED: &[Modelled<GroupConfig>] = &[
    Modelled { name: "consumer.session.timeout.ms", slot: Slot::Millis(|c| &mut c.session_timeout, 1, INT_MAX) },
    Modelled { name: "consumer.heartbeat.interval.ms", slot: Slot::Millis(|c| &mut c.heartbeat_interval, 1, INT_MAX) },
    Modelled { name: "consumer.assignment.interval.ms", slot: Slot::Millis(|c| &mut c.assignment_interval, 0, INT_MAX) },
];

pub const NOT_MODELLED: &[&str] = &[
    "errors.deadletterqueue.copy.record.enable",
    "errors.deadletterqueue.topic.name",
    "share.assignment.interval.ms",
    "share.auto.offset.reset",
    "share.delivery.count.limit",
    "share.heartbeat.interval.ms",
    "share.isolation.level",
    "share.partition.max.record.locks",
    "share.record.lock.duration.ms",
    "share.renew.acknowledge.enable",
    "share.session.timeout.ms",
    "streams.assignment.interval.ms",
    "streams.heartbeat.interval.ms",
    "streams.initial.rebalance.delay.ms",
    "streams.num.standby.replicas",
    "streams.session.timeout.ms",
];

/// The first release that has a property.
pub fn since(name: &str) -> Release {
    match name {
        "errors.deadletterqueue.copy.record.enable" | "errors.deadletterqueue.topic.name" => Release::V4_4_0,
        "consumer.assignment.interval.ms"
        | "share.assignment.interval.ms"
        | "share.delivery.count.limit"
        | "share.partition.max.record.locks"
        | "share.renew.acknowledge.enable"
        | "streams.assignment.interval.ms" => Release::V4_3_0,
        "streams.initial.rebalance.delay.ms" => Release::V4_2_0,
        "share.isolation.level" | "streams.heartbeat.interval.ms" | "streams.num.standby.replicas" | "streams.session.timeout.ms" => {
            Release::V4_1_0
        }
        _ => Release::V4_0_0,
    }
}

//! The group and its timers after a step.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::kafka::assignor::server::ServerAssignor;
use crate::kafka::coordinator::Coordinator;
use crate::kafka::coordinator::timers::CoordinatorTimer;
use crate::kafka::group::Group;
use crate::kafka::group::classic::{ClassicGroup, Member};
use crate::kafka::group::consumer::reconcile::Held;
use crate::kafka::group::consumer::{self, ConsumerGroup};
use crate::units::{GroupId, MemberId, TopicPartition};
use crate::workbench::answer::{assignment, instance};
use crate::workbench::names::Names;

/// The state of a group; null if there is none.
pub fn state(names: &Names, coordinator: &Coordinator, group: GroupId) -> Value {
    match coordinator.group(group) {
        None => Value::Null,
        Some(Group::Classic(group)) => classic(names, group),
        Some(Group::Consumer(group)) => consumer(names, group),
    }
}

/// Deadlines in milliseconds by key, without the periodic ones.
pub fn timers(names: &Names, coordinator: &Coordinator) -> Value {
    let armed = coordinator.timers().iter().filter_map(|(at, _, timer)| Some((key(names, timer)?, at.as_millis())));
    json!(armed.collect::<BTreeMap<String, u64>>())
}

/// What a transcript calls a timer; `None` for those of the shard itself.
pub fn key(names: &Names, timer: CoordinatorTimer) -> Option<String> {
    match timer {
        CoordinatorTimer::Join(_) => Some("join".to_owned()),
        CoordinatorTimer::Sync(_) => Some("sync".to_owned()),
        CoordinatorTimer::Heartbeat(_, member) => Some(format!("heartbeat:{}", names.of_member(member))),
        CoordinatorTimer::Session(_, member) => Some(format!("session-timeout:{}", names.of_member(member))),
        CoordinatorTimer::Revocation(_, member) => Some(format!("rebalance-timeout:{}", names.of_member(member))),
        CoordinatorTimer::MemberJoin(_, member) => Some(format!("join:{}", names.of_member(member))),
        CoordinatorTimer::MemberSync(_, member) => Some(format!("sync:{}", names.of_member(member))),
        CoordinatorTimer::ExpireOffsets | CoordinatorTimer::WriteCommitted => None,
    }
}

fn classic(names: &Names, group: &ClassicGroup) -> Value {
    let members: BTreeMap<&str, Value> = group.members().map(|one| (names.of_member(one.id), member(names, one))).collect();
    json!({
        "type": "classic",
        "state": group.state().name(),
        "generation": group.generation(),
        "protocol_type": group.protocol_type().map(|name| &**name),
        "protocol": group.protocol().map(|name| &**name),
        "leader": group.leader().map(|id| names.of_member(id)),
        "members": members,
        "pending_join": sorted(names, group.pending_join()),
        "pending_sync": sorted(names, group.pending_sync()),
    })
}

fn member(names: &Names, member: &Member) -> Value {
    let mut shown = Map::new();
    let mut put = |key: &str, value: Value| shown.insert(key.to_owned(), value);
    put("instance", instance(names, member.instance));
    put("session_ms", member.session_timeout.as_millis().into());
    put("rebalance_ms", member.rebalance_timeout.as_millis().into());
    for (key, holds) in [("new", member.is_new), ("join_parked", member.join.is_some()), ("sync_parked", member.sync.is_some())] {
        if holds {
            put(key, true.into());
        }
    }
    if let Some(partitions) = &member.assignment {
        put("assignment", assignment(names, partitions));
    }
    Value::Object(shown)
}

fn consumer(names: &Names, group: &ConsumerGroup) -> Value {
    let members: BTreeMap<&str, Value> = group.members().map(|one| (names.of_member(one.id), consumer_member(names, one))).collect();
    let share = |partitions: &BTreeSet<TopicPartition>| assignment(names, &partitions.iter().copied().collect::<Vec<_>>());
    let target: BTreeMap<&str, Value> =
        group.target().assignments.iter().map(|(member, partitions)| (names.of_member(*member), share(partitions))).collect();
    json!({
        "type": "consumer",
        "state": group.state().name(),
        "group_epoch": group.epoch(),
        "assignment_epoch": group.target().epoch,
        "members": members,
        "target": target,
    })
}

fn consumer_member(names: &Names, member: &consumer::Member) -> Value {
    let held = |held: &Held| assignment(names, &held.keys().copied().collect::<Vec<_>>());
    let topics: BTreeSet<&str> = member.topics.iter().map(|topic| names.of_topic(*topic)).collect();
    let mut shown = json!({
        "instance": instance(names, member.instance),
        "epoch": member.holding.epoch,
        "previous_epoch": member.holding.previous_epoch,
        "state": member.holding.state.name(),
        "assigned": held(&member.holding.assigned),
        "pending_revocation": held(&member.holding.pending_revocation),
        "topics": topics,
        "rebalance_ms": member.rebalance_timeout.as_millis(),
        "assignor": member.assignor.map(ServerAssignor::name),
    });
    if member.classic.is_some() {
        shown["classic"] = true.into();
    }
    shown
}

fn sorted(names: &Names, members: impl Iterator<Item = MemberId>) -> Vec<&str> {
    let mut sorted: Vec<&str> = members.map(|id| names.of_member(id)).collect();
    sorted.sort_unstable();
    sorted
}

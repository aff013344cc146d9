//! A script's requests as messages to the coordinator.

use crate::kafka::message::{
    ConsumerHeartbeat, GroupRequest, Heartbeat, JoinGroup, LeaveGroup, OffsetCommit, OffsetFetch, ProtocolEntry, Subscription, SyncGroup,
    TxnOffsetCommit,
};
use crate::terms::CommitKind;
use crate::units::{InstanceId, Offset, Span, TopicPartition};
use crate::workbench::names::Names;
use crate::workbench::operation::{self, Body, Partitions, Protocol, WrittenOffset};

/// The versions that a request without one has: those of the newest clients.
const VERSION: u16 = 9;

pub fn message(names: &mut Names, body: &Body) -> GroupRequest {
    match body {
        Body::Join(join) => GroupRequest::Join(join_group(names, join)),
        Body::Sync(sync) => GroupRequest::Sync(sync_group(names, sync)),
        Body::Heartbeat(heartbeat) => GroupRequest::Heartbeat(Heartbeat {
            member: names.member(heartbeat.member.as_deref()),
            instance: instance(names, heartbeat.instance.as_deref()),
            generation: heartbeat.generation,
        }),
        Body::Leave(leave) => {
            let leaver = |one: &operation::Leaver| (names.member(one.member.as_deref()), instance(names, one.instance.as_deref()));
            GroupRequest::Leave(LeaveGroup { members: leave.members.iter().map(leaver).collect() })
        }
        Body::ConsumerHeartbeat(heartbeat) => GroupRequest::ConsumerHeartbeat(ConsumerHeartbeat {
            member: names.member(heartbeat.member.as_deref()),
            epoch: heartbeat.epoch,
            instance: instance(names, heartbeat.instance.as_deref()),
            rebalance_timeout: (heartbeat.rebalance_ms >= 0).then(|| millis(heartbeat.rebalance_ms)),
            topics: heartbeat.topics.as_ref().map(|topics| topics.iter().map(|topic| names.topic(topic)).collect()),
            pattern: None,
            assignor: heartbeat.assignor.as_deref().map(Into::into),
            owned: heartbeat.owned.as_ref().map(|owned| partitions(names, owned)),
        }),
        Body::OffsetCommit(commit) => GroupRequest::OffsetCommit(OffsetCommit {
            member: names.member(commit.member.as_deref()),
            instance: instance(names, commit.instance.as_deref()),
            generation: commit.generation_or_epoch,
            offsets: offsets(names, &commit.offsets.0, commit.metadata_length),
            version: commit.version.unwrap_or(VERSION),
            kind: CommitKind::Sync,
        }),
        Body::TxnOffsetCommit(commit) => GroupRequest::TxnOffsetCommit(TxnOffsetCommit {
            producer: commit.producer_id,
            member: names.member(commit.member.as_deref()),
            instance: instance(names, commit.instance.as_deref()),
            generation: commit.generation,
            offsets: offsets(names, &commit.offsets.0, commit.metadata_length),
        }),
        Body::OffsetFetch(fetch) => GroupRequest::OffsetFetch(OffsetFetch {
            member: names.member(fetch.member.as_deref()),
            member_epoch: fetch.epoch.unwrap_or(-1),
            require_stable: fetch.require_stable,
            partitions: fetch.topics.as_ref().map(|topics| partitions(names, topics)),
        }),
        Body::OffsetDelete(delete) => GroupRequest::OffsetDelete { partitions: partitions(names, &delete.topics) },
        Body::DeleteGroup => GroupRequest::DeleteGroup,
    }
}

fn join_group(names: &mut Names, join: &operation::Join) -> JoinGroup {
    JoinGroup {
        client: names.client(),
        member: names.member(join.member.as_deref()),
        instance: instance(names, join.instance.as_deref()),
        session_timeout: millis(join.session_ms),
        rebalance_timeout: millis(join.rebalance_ms),
        protocol_type: join.protocol_type.as_str().into(),
        protocols: join.protocols.iter().map(|entry| protocol(names, entry)).collect(),
        version: join.version.unwrap_or(VERSION),
    }
}

fn protocol(names: &mut Names, entry: &Protocol) -> ProtocolEntry {
    let metadata = Subscription {
        topics: entry.topics.iter().map(|topic| names.topic(topic)).collect(),
        user_data: entry.tag.as_deref().map(Into::into),
        owned: partitions(names, &entry.owned),
        // As in the bytes of a ConsumerProtocol subscription: -1 is none.
        owned_generation: entry.owned_generation.filter(|generation| *generation != -1),
        last_assigned: None,
    };
    ProtocolEntry { name: entry.name.as_str().into(), metadata }
}

fn sync_group(names: &mut Names, sync: &operation::Sync) -> SyncGroup {
    let mut assignments = Vec::with_capacity(sync.assignments.len());
    for (member, given) in &sync.assignments {
        if let (Some(id), Some(given)) = (names.member(Some(member)), given) {
            assignments.push((id, partitions(names, given)));
        }
    }
    SyncGroup {
        member: names.member(sync.member.as_deref()),
        instance: instance(names, sync.instance.as_deref()),
        generation: sync.generation,
        protocol_type: sync.protocol_type.as_deref().map(Into::into),
        protocol: sync.protocol.as_deref().map(Into::into),
        assignments,
    }
}

fn instance(names: &mut Names, written: Option<&str>) -> Option<InstanceId> {
    written.map(|name| names.instance(name))
}

fn offsets(names: &mut Names, written: &[WrittenOffset], metadata: u32) -> Vec<(TopicPartition, Offset, u32)> {
    let read =
        |one: &WrittenOffset| (TopicPartition { topic: names.topic(&one.topic), partition: one.partition }, Offset(one.offset), metadata);
    written.iter().map(read).collect()
}

fn partitions(names: &mut Names, written: &Partitions) -> Vec<TopicPartition> {
    let mut all = Vec::new();
    for (topic, partitions) in written {
        let topic = names.topic(topic);
        all.extend(partitions.iter().map(|partition| TopicPartition { topic, partition: *partition }));
    }
    all
}

/// Below zero is zero: a session timeout out of range is refused either way.
fn millis(written: i32) -> Span {
    Span::from_millis(u64::from(written.max(0).unsigned_abs()))
}

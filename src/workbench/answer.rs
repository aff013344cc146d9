//! Answers as a transcript shows them.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::kafka::message::{
    ConsumerHeartbeatAnswer, FetchedOffset, GroupResponse, JoinAnswer, JoinedMember, OffsetFetchAnswer, Subscription, SyncAnswer,
};
use crate::terms::ErrorCode;
use crate::units::{InstanceId, MemberId, TopicPartition};
use crate::workbench::names::Names;

/// `read`: of a request that writes nothing, so that an error is thrown to whoever handles it.
pub fn shown(names: &Names, response: &GroupResponse, read: bool) -> Value {
    match response {
        GroupResponse::Join(answer) => join(names, answer),
        GroupResponse::Sync(answer) => sync(names, answer),
        GroupResponse::Heartbeat(error) | GroupResponse::DeleteGroup(error) => json!({ "error": error.name() }),
        GroupResponse::Leave { error, members } => {
            let members: Vec<Value> = members.iter().map(|member| left(names, *member)).collect();
            json!({ "error": error.name(), "members": members })
        }
        GroupResponse::ConsumerHeartbeat(answer) => consumer_heartbeat(names, answer),
        GroupResponse::OffsetCommit(answers) | GroupResponse::TxnOffsetCommit(answers) => json!({ "partitions": errors(names, answers) }),
        GroupResponse::OffsetFetch(answer) if read && answer.error != ErrorCode::None => {
            json!({ "error": answer.error.name(), "thrown": true })
        }
        GroupResponse::OffsetFetch(answer) => fetched(names, answer),
        GroupResponse::OffsetDelete { error, partitions } => {
            json!({ "error": error.name(), "partitions": errors(names, partitions) })
        }
    }
}

/// Partitions by topic, topics by name.
pub fn assignment(names: &Names, partitions: &[TopicPartition]) -> Value {
    let mut topics: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
    for at in partitions {
        topics.entry(names.of_topic(at.topic)).or_default().push(at.partition);
    }
    json!(topics)
}

pub fn instance(names: &Names, instance: Option<InstanceId>) -> Value {
    instance.map_or(Value::Null, |id| names.of_instance(id).into())
}

/// The empty id of nobody is the empty string.
fn member(names: &Names, member: Option<MemberId>) -> &str {
    member.map_or("", |id| names.of_member(id))
}

fn join(names: &Names, answer: &JoinAnswer) -> Value {
    let mut shown = Map::new();
    let mut put = |key: &str, value: Value| shown.insert(key.to_owned(), value);
    put("error", answer.error.name().into());
    put("member", member(names, answer.member).into());
    put("generation", answer.generation.into());
    put("protocol_type", json!(answer.protocol_type.as_deref()));
    put("protocol", json!(answer.protocol.as_deref()));
    put("leader", member(names, answer.leader).into());
    if answer.skip_assignment {
        put("skip_assignment", true.into());
    }
    let members: BTreeMap<&str, Value> =
        answer.members.iter().map(|joined_member| (names.of_member(joined_member.member), joined(names, joined_member))).collect();
    put("members", json!(members));
    Value::Object(shown)
}

fn joined(names: &Names, joined: &JoinedMember) -> Value {
    json!({ "instance": instance(names, joined.instance), "metadata": metadata(names, &joined.metadata) })
}

fn metadata(names: &Names, metadata: &Subscription) -> Value {
    let topics: Vec<&str> = metadata.topics.iter().map(|topic| names.of_topic(*topic)).collect();
    let mut shown = Map::new();
    shown.insert("topics".to_owned(), json!(topics));
    if let Some(tag) = &metadata.user_data {
        shown.insert("tag".to_owned(), (**tag).into());
    }
    if !metadata.owned.is_empty() {
        shown.insert("owned".to_owned(), assignment(names, &metadata.owned));
    }
    if let Some(generation) = metadata.owned_generation {
        shown.insert("owned_generation".to_owned(), generation.into());
    }
    Value::Object(shown)
}

fn sync(names: &Names, answer: &SyncAnswer) -> Value {
    let given = answer.assignment.as_ref().map_or(Value::Null, |partitions| assignment(names, partitions));
    json!({
        "error": answer.error.name(),
        "protocol_type": answer.protocol_type.as_deref(),
        "protocol": answer.protocol.as_deref(),
        "assignment": given,
    })
}

fn consumer_heartbeat(names: &Names, answer: &ConsumerHeartbeatAnswer) -> Value {
    json!({
        "error": answer.error.name(),
        "member": answer.member.map(|id| names.of_member(id)),
        "epoch": answer.epoch,
        "heartbeat_ms": answer.heartbeat_interval.as_millis(),
        "assignment": answer.assignment.as_ref().map(|partitions| assignment(names, partitions)),
    })
}

fn left(names: &Names, (id, instance_id, error): (Option<MemberId>, Option<InstanceId>, ErrorCode)) -> Value {
    json!({ "member": member(names, id), "instance": instance(names, instance_id), "error": error.name() })
}

fn errors(names: &Names, answers: &[(TopicPartition, ErrorCode)]) -> Value {
    let shown: BTreeMap<String, &str> = answers.iter().map(|(at, error)| (names.of_partition(*at), error.name())).collect();
    json!(shown)
}

fn fetched(names: &Names, answer: &OffsetFetchAnswer) -> Value {
    let offset = |fetched: FetchedOffset| match fetched {
        FetchedOffset::Committed(offset) => Value::from(offset.0),
        FetchedOffset::Nothing => Value::from(-1),
        FetchedOffset::Unstable => Value::from(ErrorCode::UnstableOffsetCommit.name()),
    };
    let offsets: BTreeMap<String, Value> = answer.offsets.iter().map(|(at, fetched)| (names.of_partition(*at), offset(*fetched))).collect();
    json!({ "error": answer.error.name(), "offsets": offsets })
}

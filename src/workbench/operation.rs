//! What a step does: `do` as written.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::terms::ErrorCode;

/// Milliseconds that still fit into nanoseconds.
const MILLIS_MAX: u64 = u64::MAX / 1_000_000;

/// So many partitions a topic may have: their assignment is computed and shown.
pub const PARTITIONS_MAX: u32 = 100_000;

pub enum Operation {
    Advance(Advance),
    Request(Request),
    TransactionMarker(TransactionMarker),
    TopicCreate(Topic),
    TopicGrow(Topic),
    TopicDelete(Topic),
    CoordinatorFailover,
}

/// A request to the coordinator, with the number that its answer carries.
pub struct Request {
    pub rid: u64,
    /// The empty group id, which the coordinator refuses before it looks for the group.
    pub without_group: bool,
    pub body: Body,
}

pub enum Body {
    Join(Join),
    Sync(Sync),
    Heartbeat(Heartbeat),
    Leave(Leave),
    ConsumerHeartbeat(ConsumerHeartbeat),
    OffsetCommit(OffsetCommit),
    TxnOffsetCommit(TxnOffsetCommit),
    OffsetFetch(OffsetFetch),
    OffsetDelete(OffsetDelete),
    DeleteGroup,
}

#[derive(Deserialize)]
pub struct Advance {
    pub to: u64,
    #[serde(default)]
    pub exclusive: bool,
}

#[derive(Deserialize)]
pub struct Join {
    pub client: String,
    pub member: Option<String>,
    pub instance: Option<String>,
    pub session_ms: i32,
    pub rebalance_ms: i32,
    pub protocol_type: String,
    pub protocols: Vec<Protocol>,
    pub version: Option<u16>,
}

#[derive(Deserialize)]
pub struct Protocol {
    pub name: String,
    pub topics: Vec<String>,
    pub tag: Option<String>,
    #[serde(default)]
    pub owned: Partitions,
    pub owned_generation: Option<i32>,
}

/// `{"topic/partition": offset}`.
#[derive(Deserialize)]
#[serde(try_from = "IndexMap<String, u64>")]
pub struct WrittenOffsets(pub Vec<WrittenOffset>);

pub struct WrittenOffset {
    pub topic: String,
    pub partition: u32,
    pub offset: u64,
}

/// Topic to partitions.
pub type Partitions = IndexMap<String, Vec<u32>>;

#[derive(Deserialize)]
pub struct Sync {
    pub member: Option<String>,
    pub instance: Option<String>,
    pub generation: i32,
    pub protocol_type: Option<String>,
    pub protocol: Option<String>,
    /// `null` for somebody is as if the leader had not mentioned them.
    #[serde(default)]
    pub assignments: IndexMap<String, Option<Partitions>>,
}

#[derive(Deserialize)]
pub struct Heartbeat {
    pub member: Option<String>,
    pub instance: Option<String>,
    pub generation: i32,
}

#[derive(Deserialize)]
pub struct Leave {
    pub members: Vec<Leaver>,
}

#[derive(Deserialize)]
pub struct Leaver {
    pub member: Option<String>,
    pub instance: Option<String>,
}

/// Fields that are absent in the request are null.
#[derive(Deserialize)]
pub struct ConsumerHeartbeat {
    pub member: Option<String>,
    pub epoch: i32,
    pub instance: Option<String>,
    /// -1 is absent.
    #[serde(default = "absent")]
    pub rebalance_ms: i32,
    pub topics: Option<Vec<String>>,
    pub assignor: Option<String>,
    pub owned: Option<Partitions>,
}

fn absent() -> i32 {
    -1
}

#[derive(Deserialize)]
pub struct OffsetCommit {
    pub member: Option<String>,
    pub instance: Option<String>,
    pub generation_or_epoch: i32,
    pub offsets: WrittenOffsets,
    #[serde(default)]
    pub metadata_length: u32,
    pub version: Option<u16>,
}

#[derive(Deserialize)]
pub struct TxnOffsetCommit {
    pub producer_id: u64,
    pub member: Option<String>,
    pub instance: Option<String>,
    pub generation: i32,
    pub offsets: WrittenOffsets,
    #[serde(default)]
    pub metadata_length: u32,
}

#[derive(Deserialize)]
pub struct TransactionMarker {
    pub rid: u64,
    pub producer_id: u64,
    pub result: TransactionResult,
}

#[derive(Copy, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TransactionResult {
    Commit,
    Abort,
}

#[derive(Deserialize)]
pub struct OffsetFetch {
    pub member: Option<String>,
    pub epoch: Option<i32>,
    #[serde(default)]
    pub require_stable: bool,
    /// `null`: all of the group.
    pub topics: Option<Partitions>,
}

#[derive(Deserialize)]
pub struct OffsetDelete {
    pub topics: Partitions,
}

#[derive(Deserialize)]
pub struct Topic {
    pub topic: String,
    #[serde(default)]
    pub partitions: u32,
}

/// What all requests have.
#[derive(Deserialize)]
struct Envelope {
    rid: u64,
    group: Option<String>,
}

const OPERATIONS: &str = "join, sync, heartbeat, leave, consumer_heartbeat, offset_commit, txn_offset_commit, txn_marker, offset_fetch, offset_delete, \
    delete_group, topic_create, topic_grow, topic_delete, coordinator_failover, advance";

impl Operation {
    pub fn read(told: &Value) -> Result<Operation, String> {
        let op = told.get("op").ok_or_else(|| format!("\"do\" has no \"op\"; it would be one of {OPERATIONS}"))?;
        let op = op.as_str().ok_or_else(|| format!("\"op\" is {op}, not one of {OPERATIONS}"))?;
        match op {
            "advance" => Advance::read(told).map(Operation::Advance),
            "txn_marker" => fields(told).map(Operation::TransactionMarker),
            "topic_create" => Topic::read(told, true).map(Operation::TopicCreate),
            "topic_grow" => Topic::read(told, true).map(Operation::TopicGrow),
            "topic_delete" => Topic::read(told, false).map(Operation::TopicDelete),
            "coordinator_failover" => Ok(Operation::CoordinatorFailover),
            other => Request::read(other, told).map(Operation::Request),
        }
    }
}

impl Request {
    /// What is refused before anybody looks for the group (GroupCoordinatorService#isGroupIdNotEmpty,
    /// #throwIfConsumerGroupHeartbeatRequestIsInvalid).
    pub fn refused(&self) -> Option<ErrorCode> {
        match &self.body {
            Body::ConsumerHeartbeat(heartbeat) => {
                let empty = self.without_group || heartbeat.instance.as_deref() == Some("");
                empty.then_some(ErrorCode::InvalidRequest)
            }
            Body::Join(_)
            | Body::Sync(_)
            | Body::Heartbeat(_)
            | Body::Leave(_)
            | Body::OffsetCommit(_)
            | Body::TxnOffsetCommit(_)
            | Body::OffsetFetch(_)
            | Body::OffsetDelete(_)
            | Body::DeleteGroup => self.without_group.then_some(ErrorCode::InvalidGroupId),
        }
    }

    fn read(op: &str, told: &Value) -> Result<Request, String> {
        let body = match op {
            "join" => Join::read(told).map(Body::Join)?,
            "sync" => fields(told).map(Body::Sync)?,
            "heartbeat" => fields(told).map(Body::Heartbeat)?,
            "leave" => fields(told).map(Body::Leave)?,
            "consumer_heartbeat" => fields(told).map(Body::ConsumerHeartbeat)?,
            "offset_commit" => fields(told).map(Body::OffsetCommit)?,
            "txn_offset_commit" => fields(told).map(Body::TxnOffsetCommit)?,
            "offset_fetch" => fields(told).map(Body::OffsetFetch)?,
            "offset_delete" => fields(told).map(Body::OffsetDelete)?,
            "delete_group" => Body::DeleteGroup,
            other => return Err(format!("unknown op {other:?}; it would be one of {OPERATIONS}")),
        };
        let Envelope { rid, group } = fields(told)?;
        match group.as_deref() {
            None | Some("g") => Ok(Request { rid, without_group: false, body }),
            Some("") => match body {
                Body::Join(_) | Body::Sync(_) | Body::Heartbeat(_) | Body::Leave(_) | Body::ConsumerHeartbeat(_) => {
                    Ok(Request { rid, without_group: true, body })
                }
                Body::OffsetCommit(_) | Body::TxnOffsetCommit(_) | Body::OffsetFetch(_) | Body::OffsetDelete(_) | Body::DeleteGroup => {
                    Err(format!("do.group: {op} is not modelled with the empty group id; join, sync, heartbeat and leave are"))
                }
            },
            Some(other) => Err(format!("do.group: {other:?} is not \"g\", the one group here, and not the empty id")),
        }
    }
}

impl Body {
    /// Adds the instances that it names, and the member if that gave itself its id.
    pub fn tell_names<'a>(&'a self, instances: &mut BTreeSet<&'a str>, members: &mut BTreeSet<&'a str>) {
        match self {
            Body::Join(join) => instances.extend(join.instance.as_deref()),
            Body::Sync(sync) => instances.extend(sync.instance.as_deref()),
            Body::Heartbeat(heartbeat) => instances.extend(heartbeat.instance.as_deref()),
            Body::Leave(leave) => instances.extend(leave.members.iter().filter_map(|one| one.instance.as_deref())),
            Body::ConsumerHeartbeat(heartbeat) => {
                instances.extend(heartbeat.instance.as_deref());
                members.extend(heartbeat.member.as_deref());
            }
            Body::OffsetCommit(commit) => instances.extend(commit.instance.as_deref()),
            Body::TxnOffsetCommit(commit) => instances.extend(commit.instance.as_deref()),
            Body::OffsetFetch(_) | Body::OffsetDelete(_) | Body::DeleteGroup => {}
        }
    }
}

impl Advance {
    fn read(told: &Value) -> Result<Advance, String> {
        let advance: Advance = fields(told)?;
        if advance.to > MILLIS_MAX {
            return Err(format!("do.to: {} is beyond the end of time, {MILLIS_MAX} ms", advance.to));
        }
        Ok(advance)
    }
}

impl Join {
    fn read(told: &Value) -> Result<Join, String> {
        let join: Join = fields(told)?;
        if join.rebalance_ms < 0 {
            return Err(format!("do.rebalance_ms: {} is negative", join.rebalance_ms));
        }
        Ok(join)
    }
}

impl Topic {
    fn read(told: &Value, with_partitions: bool) -> Result<Topic, String> {
        let topic: Topic = fields(told)?;
        if with_partitions && topic.partitions == 0 {
            return Err("do.partitions: a topic has at least one".to_owned());
        }
        if topic.partitions > PARTITIONS_MAX {
            return Err(format!("do.partitions: a topic has {PARTITIONS_MAX} at most"));
        }
        Ok(topic)
    }
}

impl TryFrom<IndexMap<String, u64>> for WrittenOffsets {
    type Error = String;

    fn try_from(written: IndexMap<String, u64>) -> Result<Self, String> {
        let read = |(key, offset): (String, u64)| {
            let split = key.rsplit_once('/').and_then(|(topic, partition)| Some((topic.to_owned(), partition.parse().ok()?)));
            let (topic, partition) = split.ok_or_else(|| format!("{key:?} is not a partition; one looks like \"t1/0\""))?;
            if offset > i64::MAX as u64 {
                return Err(format!("{offset} is beyond the largest offset, {}", i64::MAX));
            }
            Ok(WrittenOffset { topic, partition, offset })
        };
        written.into_iter().map(read).collect::<Result<_, _>>().map(WrittenOffsets)
    }
}

/// The fields of `do`, or where one is wrong.
fn fields<T: DeserializeOwned>(told: &Value) -> Result<T, String> {
    serde_path_to_error::deserialize(told).map_err(|error| match error.path().to_string().as_str() {
        "." => format!("do: {}", error.inner()),
        path => format!("do.{path}: {}", error.inner()),
    })
}

/// A JSON number that is whole and not negative.
pub fn whole_number(value: &Value) -> Option<u64> {
    value.as_u64()
}

//! What a consumer sends to brokers and gets back, whatever the connection.

use crate::kafka::fetch::{FetchEntry, Fetched};
use crate::kafka::message::{GroupRequest, GroupResponse};
use crate::kafka::placement;
use crate::terms::ClientRequest;
use crate::units::{BrokerId, Offset, TopicPartition};

/// Where a request goes. The coordinator has a connection of its own, also when it leads partitions
/// (AbstractCoordinator.FindCoordinatorResponseHandler), so a waiting Fetch does not hold heartbeats up.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum To {
    Coordinator,
    Broker(BrokerId),
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Request {
    FindCoordinator,
    Metadata,
    /// `number`: which request to a coordinator it is.
    Group {
        number: u32,
        request: Box<GroupRequest>,
    },
    /// `number`: which Fetch to this broker it is.
    Fetch {
        number: u32,
        entries: Vec<FetchEntry>,
    },
    /// Earliest or latest offsets.
    ListOffsets {
        latest: bool,
        partitions: Vec<TopicPartition>,
    },
    OffsetsForLeaderEpoch {
        partitions: Vec<TopicPartition>,
    },
    CloseFetchSession,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Response {
    /// `None`: COORDINATOR_NOT_AVAILABLE.
    Coordinator(Option<BrokerId>),
    Metadata(Metadata),
    Group {
        number: u32,
        response: Box<GroupResponse>,
    },
    Fetched {
        number: u32,
        records: Vec<Fetched>,
    },
    /// UNKNOWN_TOPIC_OR_PARTITION for some partitions of a Fetch, and what there is of the others.
    FetchedSome {
        number: u32,
        records: Vec<Fetched>,
        unknown: Vec<TopicPartition>,
    },
    Offsets {
        latest: bool,
        offsets: Vec<(TopicPartition, Offset)>,
    },
    EpochsValid(Vec<TopicPartition>),
    FetchSessionClosed,
    /// NOT_LEADER_OR_FOLLOWER for a request of that kind.
    NotLeader(ClientRequest),
}

/// The cluster as a broker knows it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Metadata {
    /// Partition counts by topic; 0 for a topic that does not exist.
    pub counts: Vec<u32>,
    /// Partitions that are not led by their first replica, in order: by whom, or by nobody.
    pub moved: Vec<(TopicPartition, Option<BrokerId>)>,
}

impl Metadata {
    pub fn leader(&self, partition: TopicPartition, brokers: u32) -> Option<BrokerId> {
        if self.counts[partition.topic.index()] == 0 {
            return None;
        }
        match self.moved.binary_search_by_key(&partition, |(moved, _)| *moved) {
            Ok(at) => self.moved[at].1,
            Err(_) => Some(placement::leader(partition, brokers)),
        }
    }
}

impl Response {
    /// Of the request that it answers; for those that go to partition leaders.
    pub fn kind(&self) -> ClientRequest {
        match self {
            Response::Coordinator(_) => ClientRequest::FindCoordinator,
            Response::Metadata(_) => ClientRequest::Metadata,
            Response::Group { .. } => ClientRequest::Heartbeat,
            Response::Fetched { .. } | Response::FetchedSome { .. } => ClientRequest::Fetch,
            Response::Offsets { .. } => ClientRequest::ListOffsets,
            Response::EpochsValid(_) => ClientRequest::OffsetsForLeaderEpoch,
            Response::FetchSessionClosed => ClientRequest::CloseFetchSession,
            Response::NotLeader(kind) => *kind,
        }
    }
}

impl Request {
    pub fn kind(&self) -> ClientRequest {
        match self {
            Request::FindCoordinator => ClientRequest::FindCoordinator,
            Request::Metadata => ClientRequest::Metadata,
            Request::Group { request, .. } => match **request {
                GroupRequest::Join(_) => ClientRequest::JoinGroup,
                GroupRequest::Sync(_) => ClientRequest::SyncGroup,
                GroupRequest::Heartbeat(_) => ClientRequest::Heartbeat,
                GroupRequest::Leave(_) => ClientRequest::LeaveGroup,
                GroupRequest::ConsumerHeartbeat(_) => ClientRequest::ConsumerGroupHeartbeat,
                GroupRequest::OffsetFetch(_) => ClientRequest::OffsetFetch,
                GroupRequest::OffsetCommit(_)
                | GroupRequest::TxnOffsetCommit(_)
                | GroupRequest::OffsetDelete { .. }
                | GroupRequest::DeleteGroup => ClientRequest::OffsetCommit,
            },
            Request::Fetch { .. } => ClientRequest::Fetch,
            Request::ListOffsets { .. } => ClientRequest::ListOffsets,
            Request::OffsetsForLeaderEpoch { .. } => ClientRequest::OffsetsForLeaderEpoch,
            Request::CloseFetchSession => ClientRequest::CloseFetchSession,
        }
    }
}

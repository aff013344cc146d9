//! What a consumer sends to brokers and gets back, whatever the connection.

use crate::kafka::fetch::{FetchEntry, Fetched};
use crate::kafka::message::{GroupRequest, GroupResponse};
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
    Group(Box<GroupRequest>),
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
    Coordinator(BrokerId),
    /// Partition counts by topic.
    Metadata(Vec<u32>),
    Group(Box<GroupResponse>),
    Fetched {
        number: u32,
        records: Vec<Fetched>,
    },
    Offsets {
        latest: bool,
        offsets: Vec<(TopicPartition, Offset)>,
    },
    EpochsValid(Vec<TopicPartition>),
    FetchSessionClosed,
}

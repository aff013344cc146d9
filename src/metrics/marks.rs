//! What happened in a run, beside the records: to processes, producers, topics, the network and brokers.

use crate::terms::{ClientRequest, FatalError, GroupProtocol, Peers};
use crate::units::{BrokerId, ClientId, GroupId, Instant, ProducerId, Span, TopicId};

/// Something that a reader of a chart wants to see at its time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mark {
    pub at: Instant,
    /// Of the client that it happened to: which of its lives that was. 0 for what happens to no client.
    pub life: u32,
    pub kind: MarkKind,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum MarkKind {
    Started(ClientId),
    Stopping(ClientId),
    Crashed(ClientId),
    /// With its length.
    Paused(ClientId, Span),
    Resumed(ClientId),
    /// In thousandths.
    Slowed(ClientId, u64),
    SpeedRestored(ClientId),
    /// max.poll.interval.ms.
    Kicked(ClientId),
    /// With an exception that the application does not survive.
    Failed(ClientId, FatalError),
    RateChanged(ProducerId),
    /// To so many.
    PartitionsAdded(TopicId, u32),
    TopicCreated(TopicId),
    TopicDeleted(TopicId),
    /// To other topics.
    Subscribed(ClientId),
    /// From whom, and for how long.
    CutOff(ClientId, Peers, Span),
    Reconnected(ClientId, Peers),
    RequestDropped(ClientId, ClientRequest),
    /// By how much.
    RequestDelayed(ClientId, ClientRequest, Span),
    /// For how long.
    BrokerDown(BrokerId, Span),
    BrokerReturned(BrokerId),
    /// After a failure.
    CoordinatorLoaded(GroupId, BrokerId),
    ProtocolChanged(GroupId, GroupProtocol),
    RunPhaseEnded,
}

impl MarkKind {
    /// The process that it happened to.
    pub const fn client(&self) -> Option<ClientId> {
        match self {
            MarkKind::Started(client)
            | MarkKind::Stopping(client)
            | MarkKind::Crashed(client)
            | MarkKind::Paused(client, _)
            | MarkKind::Resumed(client)
            | MarkKind::Slowed(client, _)
            | MarkKind::SpeedRestored(client)
            | MarkKind::Kicked(client)
            | MarkKind::Subscribed(client)
            | MarkKind::Failed(client, _)
            | MarkKind::CutOff(client, _, _)
            | MarkKind::Reconnected(client, _)
            | MarkKind::RequestDropped(client, _)
            | MarkKind::RequestDelayed(client, _, _) => Some(*client),
            MarkKind::RateChanged(_)
            | MarkKind::PartitionsAdded(_, _)
            | MarkKind::TopicCreated(_)
            | MarkKind::TopicDeleted(_)
            | MarkKind::BrokerDown(_, _)
            | MarkKind::BrokerReturned(_)
            | MarkKind::CoordinatorLoaded(_, _)
            | MarkKind::ProtocolChanged(_, _)
            | MarkKind::RunPhaseEnded => None,
        }
    }
}

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
    /// It has closed.
    Stopped(ClientId),
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
    /// From then on it is so slow, in thousandths: at its normal speed, that is the end of what was before.
    pub const fn of_speed(client: ClientId, factor: u64) -> Self {
        if factor == 1000 { MarkKind::SpeedRestored(client) } else { MarkKind::Slowed(client, factor) }
    }

    /// The process that it happened to.
    pub const fn client(&self) -> Option<ClientId> {
        match self {
            MarkKind::Started(client)
            | MarkKind::Stopping(client)
            | MarkKind::Stopped(client)
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

    /// How long it was to last when it began, where that is known.
    pub const fn lasts(&self) -> Option<Span> {
        match self {
            MarkKind::Paused(_, lasts) | MarkKind::CutOff(_, _, lasts) | MarkKind::BrokerDown(_, lasts) => Some(*lasts),
            MarkKind::Started(_)
            | MarkKind::Stopping(_)
            | MarkKind::Stopped(_)
            | MarkKind::Crashed(_)
            | MarkKind::Resumed(_)
            | MarkKind::Slowed(_, _)
            | MarkKind::SpeedRestored(_)
            | MarkKind::Kicked(_)
            | MarkKind::Failed(_, _)
            | MarkKind::RateChanged(_)
            | MarkKind::PartitionsAdded(_, _)
            | MarkKind::TopicCreated(_)
            | MarkKind::TopicDeleted(_)
            | MarkKind::Subscribed(_)
            | MarkKind::Reconnected(_, _)
            | MarkKind::RequestDropped(_, _)
            | MarkKind::RequestDelayed(_, _, _)
            | MarkKind::BrokerReturned(_)
            | MarkKind::CoordinatorLoaded(_, _)
            | MarkKind::ProtocolChanged(_, _)
            | MarkKind::RunPhaseEnded => None,
        }
    }

    /// Whether the other one, later, is the end of what began with this one.
    pub fn is_ended_by(&self, other: &MarkKind) -> bool {
        use MarkKind::{BrokerDown, BrokerReturned, Crashed, CutOff, Paused, Reconnected, Resumed, Slowed, SpeedRestored, Started};
        let of_process = matches!(
            (self, other),
            (Paused(a, _), Resumed(b) | Crashed(b) | Started(b)) | (Slowed(a, _), SpeedRestored(b)) if a == b
        );
        let of_cut = matches!((self, other), (CutOff(a, from, _), Reconnected(b, to)) if (a, from) == (b, to));
        of_process || of_cut || matches!((self, other), (BrokerDown(a, _), BrokerReturned(b)) if a == b)
    }
}

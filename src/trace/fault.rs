//! What happens to the network and to the brokers, how they come back, and what is changed about them.

use crate::terms::{ClientRequest, GroupProperty, Peers};
use crate::trace::subject::Subject;
use crate::units::{BrokerId, ClientId, GroupId, Instant, Span, TopicPartition};

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Fault {
    /// What the process sends to these brokers, or gets from them, does not arrive.
    CutOff {
        client: ClientId,
        from: Peers,
        until: Instant,
    },
    /// The cut has healed; what waited in it is on its way again.
    Reconnected {
        client: ClientId,
        from: Peers,
    },
    RequestDropped {
        client: ClientId,
        request: ClientRequest,
    },
    RequestDelayed {
        client: ClientId,
        request: ClientRequest,
        by: Span,
    },
    /// The broker's process dies; its connections break.
    BrokerDied {
        broker: BrokerId,
        until: Instant,
    },
    BrokerReturned {
        broker: BrokerId,
    },
    /// The broker that led it is gone, and nobody has taken over.
    LeaderLost {
        partition: TopicPartition,
    },
    /// A partition that had no leader has one.
    LeaderElected {
        partition: TopicPartition,
        broker: BrokerId,
    },
    /// A broker has read the group's records after a failure: it is the coordinator, and every session starts in full.
    CoordinatorLoaded {
        group: GroupId,
        broker: BrokerId,
    },
    /// A property of one group is set on the brokers; its members are told at their next heartbeats.
    GroupConfigured {
        group: GroupId,
        property: GroupProperty,
        value: Span,
    },
}

impl Fault {
    pub const fn subject(&self) -> Subject {
        match self {
            Fault::CutOff { client, .. }
            | Fault::Reconnected { client, .. }
            | Fault::RequestDropped { client, .. }
            | Fault::RequestDelayed { client, .. } => Subject::Client(*client),
            Fault::BrokerDied { broker, .. } | Fault::BrokerReturned { broker } => Subject::Broker(*broker),
            Fault::LeaderLost { partition } | Fault::LeaderElected { partition, .. } => Subject::Topic(partition.topic),
            Fault::CoordinatorLoaded { group, .. } | Fault::GroupConfigured { group, .. } => Subject::Group(*group),
        }
    }

    /// The word for its kind, as in the JSON Lines.
    pub const fn name(&self) -> &'static str {
        match self {
            Fault::CutOff { .. } => "client_cut_off",
            Fault::Reconnected { .. } => "client_reconnected",
            Fault::RequestDropped { .. } => "request_dropped",
            Fault::RequestDelayed { .. } => "request_delayed",
            Fault::BrokerDied { .. } => "broker_died",
            Fault::BrokerReturned { .. } => "broker_returned",
            Fault::LeaderLost { .. } => "leader_lost",
            Fault::LeaderElected { .. } => "leader_elected",
            Fault::CoordinatorLoaded { .. } => "coordinator_loaded",
            Fault::GroupConfigured { .. } => "group_configured",
        }
    }
}

//! Deployments: properties that change from one life of a process to the next.

use super::{ConsumerConfig, Scenario, Verb};
use crate::terms::GroupProtocol;
use crate::units::{ClientId, GroupId, InstanceId};

/// Every life of these clients that begins from then on has these properties, whoever starts it.
#[derive(Clone, PartialEq, Debug)]
pub struct Deploy {
    /// What changes, as a file says it.
    pub text: String,
    /// What the clients come to.
    pub clients: Vec<Deployed>,
}

/// How a client is set up from then on.
#[derive(Clone, PartialEq, Debug)]
pub struct Deployed {
    pub client: ClientId,
    pub instance: Option<InstanceId>,
    pub config: ConsumerConfig,
}

impl Scenario {
    /// The properties that a client has in some life, those of the first one first.
    pub fn configs(&self, client: ClientId) -> impl Iterator<Item = &ConsumerConfig> {
        let deployed = self.deploys().flat_map(|deploy| &deploy.clients).filter(move |deployed| deployed.client == client);
        std::iter::once(&self.clients[client.index()].config).chain(deployed.map(|deployed| &deployed.config))
    }

    /// Whether some member of the group speaks the protocol in some life.
    pub fn speaks(&self, group: GroupId, protocol: GroupProtocol) -> bool {
        let is_ours = |client: ClientId| self.clients[client.index()].group == group;
        let first = self.clients.iter().filter(|client| client.group == group).map(|client| &client.config);
        let deployed = self.deploys().flat_map(|deploy| &deploy.clients).filter(|deployed| is_ours(deployed.client));
        first.chain(deployed.map(|deployed| &deployed.config)).any(|config| config.protocol == protocol)
    }

    pub fn deploys(&self) -> impl Iterator<Item = &Deploy> {
        self.timeline.iter().filter_map(|entry| match &entry.verb {
            Verb::Start { deploy, .. } | Verb::RollingRestart { deploy, .. } => deploy.as_ref(),
            Verb::Crash(_)
            | Verb::Stop(_)
            | Verb::Pause { .. }
            | Verb::Slow { .. }
            | Verb::Rate { .. }
            | Verb::Partitions { .. }
            | Verb::CreateTopic(_)
            | Verb::DeleteTopic(_)
            | Verb::Subscribe { .. }
            | Verb::GroupConfig { .. }
            | Verb::Scale { .. }
            | Verb::Disconnect { .. }
            | Verb::Disturb { .. }
            | Verb::BrokerDown { .. } => None,
        })
    }
}

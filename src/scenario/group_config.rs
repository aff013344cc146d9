//! What KIP-848 groups are given by their brokers: to all of them, and to single ones.

use crate::terms::{GroupProperty, MigrationPolicy, Name};
use crate::units::Span;

/// Broker properties of KIP-848 groups, `group.consumer.…`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConsumerGroupConfig {
    pub session_timeout: Span,
    pub min_session_timeout: Span,
    pub max_session_timeout: Span,
    pub heartbeat_interval: Span,
    pub min_heartbeat_interval: Span,
    pub max_heartbeat_interval: Span,
    /// It does nothing before 4.3.
    pub assignment_interval: Span,
    pub min_assignment_interval: Span,
    pub max_assignment_interval: Span,
    /// It does nothing before 4.1.
    pub regex_refresh_interval: Span,
    pub max_size: u32,
    /// By name; the first one serves members that name none.
    pub assignors: Vec<Name>,
    pub migration_policy: MigrationPolicy,
}

/// Properties of one group, `consumer.…` (GroupConfig); what it does not set is the brokers'.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct GroupConfig {
    pub session_timeout: Span,
    pub heartbeat_interval: Span,
    pub assignment_interval: Span,
}

impl GroupConfig {
    pub fn of(brokers: &ConsumerGroupConfig) -> Self {
        GroupConfig {
            session_timeout: brokers.session_timeout,
            heartbeat_interval: brokers.heartbeat_interval,
            assignment_interval: brokers.assignment_interval,
        }
    }

    pub fn of_mut(&mut self, property: GroupProperty) -> &mut Span {
        match property {
            GroupProperty::SessionTimeout => &mut self.session_timeout,
            GroupProperty::HeartbeatInterval => &mut self.heartbeat_interval,
            GroupProperty::AssignmentInterval => &mut self.assignment_interval,
        }
    }
}

//! Consumer groups as their coordinator knows them.

use crate::kafka::group::classic::ClassicGroup;
use crate::kafka::group::consumer::ConsumerGroup;
use crate::terms::GroupState;
use crate::units::TopicId;

pub mod classic;
pub mod consumer;

/// A group of either protocol.
#[derive(Clone, Debug)]
pub enum Group {
    Classic(ClassicGroup),
    Consumer(ConsumerGroup),
}

impl Group {
    pub fn as_classic(&self) -> Option<&ClassicGroup> {
        match self {
            Group::Classic(group) => Some(group),
            Group::Consumer(_) => None,
        }
    }

    pub fn as_consumer(&self) -> Option<&ConsumerGroup> {
        match self {
            Group::Classic(_) => None,
            Group::Consumer(group) => Some(group),
        }
    }

    /// Nobody is in it, and nobody is about to be.
    pub fn is_empty(&self) -> bool {
        match self {
            Group::Classic(group) => group.state() == GroupState::Empty,
            Group::Consumer(group) => group.is_empty(),
        }
    }

    pub fn is_subscribed_to(&self, topic: TopicId) -> bool {
        match self {
            Group::Classic(group) => group.is_subscribed_to(topic),
            Group::Consumer(group) => group.is_subscribed_to(topic),
        }
    }
}

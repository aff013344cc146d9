//! What happens to topics, and to what consumers want of them.

use crate::trace::subject::Subject;
use crate::units::{ClientId, TopicId};

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum TopicChange {
    Created {
        topic: TopicId,
        partitions: u32,
    },
    /// Its records are gone, and what groups had committed for it.
    Deleted {
        topic: TopicId,
    },
    /// The application called subscribe() while it was running.
    Subscribed {
        client: ClientId,
        topics: Box<[TopicId]>,
    },
}

impl TopicChange {
    pub const fn subject(&self) -> Subject {
        match self {
            TopicChange::Created { topic, .. } | TopicChange::Deleted { topic } => Subject::Topic(*topic),
            TopicChange::Subscribed { client, .. } => Subject::Client(*client),
        }
    }

    /// The word for its kind, as in the JSON Lines.
    pub const fn name(&self) -> &'static str {
        match self {
            TopicChange::Created { .. } => "topic_created",
            TopicChange::Deleted { .. } => "topic_deleted",
            TopicChange::Subscribed { .. } => "subscribed",
        }
    }
}

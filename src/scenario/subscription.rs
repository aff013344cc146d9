//! What a consumer subscribes to.

use crate::units::{PatternId, TopicId};

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Subscription {
    /// In the order in which they are written; of a pattern, all declared topics that it matches, whether or not they exist at that time.
    pub topics: Vec<TopicId>,
    pub pattern: Option<ByPattern>,
}

/// A subscription with a regular expression.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct ByPattern {
    pub pattern: PatternId,
    pub evaluated_by: Evaluator,
}

/// Who finds out which topics a pattern matches.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Evaluator {
    /// `subscribe(Pattern)`: each client, with its own metadata.
    Client,
    /// `subscribe(SubscriptionPattern)`: the coordinator (KIP-848).
    Brokers,
}

/// A regular expression, and which of the declared topics it matches.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pattern {
    pub text: String,
    pub topics: Vec<TopicId>,
}

//! From a scenario's subscriptions to what clients ask for.

use crate::client::consumer::subscription::Wish;
use crate::scenario::subscription::{ByPattern, Evaluator, Subscription};

pub fn wish(subscription: &Subscription) -> Wish {
    match subscription.pattern {
        None => Wish::Topics(subscription.topics.clone()),
        Some(ByPattern { evaluated_by: Evaluator::Client, .. }) => Wish::Matching(subscription.topics.clone()),
        Some(ByPattern { pattern, evaluated_by: Evaluator::Brokers }) => Wish::Pattern(pattern),
    }
}

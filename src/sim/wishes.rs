//! From a scenario's subscriptions to what clients ask for.

use crate::client::consumer::subscription::Wish;
use crate::scenario::subscription::{ByPattern, Evaluator, Subscription};
use crate::terms::GroupProtocol;

/// A deployment may bring a client from the protocol in which brokers evaluate patterns to the one in which nobody else does.
pub fn wish(subscription: &Subscription, protocol: GroupProtocol) -> Wish {
    match (subscription.pattern, protocol) {
        (None, _) => Wish::Topics(subscription.topics.clone()),
        (Some(ByPattern { pattern, evaluated_by: Evaluator::Brokers }), GroupProtocol::Consumer) => Wish::Pattern(pattern),
        (Some(_), GroupProtocol::Classic) | (Some(ByPattern { evaluated_by: Evaluator::Client, .. }), GroupProtocol::Consumer) => {
            Wish::Matching(subscription.topics.clone())
        }
    }
}

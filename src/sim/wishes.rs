//! From a scenario's subscriptions to what clients ask for.

use crate::client::consumer::subscription::Wish;
use crate::scenario::subscription::{ByPattern, Evaluator, Subscription};
use crate::terms::GroupProtocol;

/// A deployment may have brought a member the classic protocol, in which every client evaluates its patterns itself.
pub fn wish(subscription: &Subscription, protocol: GroupProtocol) -> Wish {
    let topics = || subscription.topics.clone();
    match (subscription.pattern, protocol) {
        (None, _) => Wish::Topics(topics()),
        (Some(ByPattern { pattern, evaluated_by: Evaluator::Brokers }), GroupProtocol::Consumer) => Wish::Pattern(pattern),
        (Some(ByPattern { evaluated_by: Evaluator::Client | Evaluator::Brokers, .. }), _) => Wish::Matching(topics()),
    }
}

//! A consumer's connections to the partition leaders: what is on its way to each, and which broker is left alone for a while.
//!
//! Origin: NetworkClient (request time-outs) and ClusterConnectionStates (reconnect.backoff.ms). Fetches are matched by the fetcher, which
//! numbers them; the others by their kind, in order.
//!
//! Not modelled: the jitter of the back-offs, and other values than the defaults of reconnect.backoff.ms and reconnect.backoff.max.ms.

use std::collections::VecDeque;

use crate::client::backoff::ExponentialBackoff;
use crate::terms::ClientRequest;
use crate::units::{BrokerId, Instant, Span};

/// Random numbers of this size make no jitter.
pub const NO_JITTER: f64 = 0.5;

#[derive(Debug)]
pub struct LeaderLinks {
    links: Vec<Link>,
    reconnect: ExponentialBackoff,
}

#[derive(Clone, Debug, Default)]
struct Link {
    /// Requests on their way with their time-outs, in order.
    calls: VecDeque<(ClientRequest, Instant)>,
    /// Connections that broke since the last answer.
    failures: u64,
    retry_at: Instant,
}

impl LeaderLinks {
    pub fn new(brokers: usize) -> Self {
        let reconnect = ExponentialBackoff::of_requests(Span::from_millis(50), Span::from_millis(1_000));
        LeaderLinks { links: vec![Link::default(); brokers], reconnect }
    }

    #[inline(always)]
    pub fn sent(&mut self, broker: BrokerId, request: ClientRequest, deadline: Instant) {
        self.links[broker.index()].calls.push_back((request, deadline));
    }

    /// The oldest request of that kind was answered.
    #[inline(always)]
    pub fn answered(&mut self, broker: BrokerId, request: ClientRequest) {
        let link = &mut self.links[broker.index()];
        link.failures = 0;
        if link.calls.front().is_some_and(|(waiting, _)| *waiting == request) {
            link.calls.pop_front();
        } else if let Some(at) = link.calls.iter().position(|(waiting, _)| *waiting == request) {
            link.calls.remove(at);
        }
    }

    /// The same, and another one has gone.
    #[inline(always)]
    pub fn answered_and_sent(&mut self, broker: BrokerId, request: ClientRequest, deadline: Instant) {
        let link = &mut self.links[broker.index()];
        if link.calls.len() == 1
            && let Some((waiting, until)) = link.calls.front_mut()
            && *waiting == request
        {
            (*until, link.failures) = (deadline, 0);
        } else {
            self.answered(broker, request);
            self.sent(broker, request, deadline);
        }
    }

    /// Nobody waits for the Fetches that are on their way.
    pub fn forget_fetches(&mut self) {
        self.links.iter_mut().for_each(|link| link.calls.retain(|(request, _)| *request != ClientRequest::Fetch));
    }

    pub fn earliest_deadline(&self) -> Option<Instant> {
        self.links.iter().flat_map(|link| &link.calls).map(|(_, deadline)| *deadline).min()
    }

    /// A broker that has not answered in time.
    pub fn overdue(&self, now: Instant) -> Option<BrokerId> {
        let late = self.links.iter().position(|link| link.calls.iter().any(|(_, deadline)| *deadline <= now));
        late.map(|broker| BrokerId(broker as u32))
    }

    /// The connection broke: what was on its way, and when the broker is tried again.
    pub fn broken(&mut self, now: Instant, broker: BrokerId) -> (Vec<ClientRequest>, Instant) {
        let link = &mut self.links[broker.index()];
        link.retry_at = now + self.reconnect.after(link.failures, NO_JITTER);
        link.failures += 1;
        (link.calls.drain(..).map(|(request, _)| request).collect(), link.retry_at)
    }

    pub fn may_be_asked(&self, now: Instant, broker: BrokerId) -> bool {
        self.links[broker.index()].retry_at <= now
    }

    /// For requests that any broker answers: the first that is not left alone, one that answered last time before others.
    pub fn any_broker(&self, now: Instant) -> BrokerId {
        let broker = |at: usize| BrokerId(at as u32);
        let order = |at: &usize| (!self.may_be_asked(now, broker(*at)), self.links[*at].failures > 0, self.links[*at].retry_at, *at);
        broker((0..self.links.len()).min_by_key(order).expect("a cluster has a broker"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: BrokerId = BrokerId(0);
    const B: BrokerId = BrokerId(1);

    fn ms(millis: u64) -> Instant {
        Instant::from_millis(millis)
    }

    #[test]
    fn a_broker_that_keeps_failing_is_left_alone_ever_longer_until_it_answers() {
        let mut links = LeaderLinks::new(2);
        let waits = |links: &mut LeaderLinks| (0..6).map(|_| links.broken(ms(0), A).1.since(ms(0)).as_millis()).collect::<Vec<_>>();
        assert_eq!(waits(&mut links), [50, 100, 200, 400, 800, 1_000]);
        links.answered(A, ClientRequest::Fetch);
        assert_eq!(waits(&mut links)[..2], [50, 100]);
    }

    #[test]
    fn what_any_broker_answers_goes_to_one_that_is_there() {
        let mut links = LeaderLinks::new(2);
        assert_eq!(links.any_broker(ms(0)), A);
        links.broken(ms(0), A);
        assert_eq!(links.any_broker(ms(10)), B);
        links.broken(ms(10), B);
        assert_eq!(links.any_broker(ms(20)), A, "the first to be tried again");
        assert_eq!(links.any_broker(ms(200)), A);
    }

    #[test]
    fn an_answer_takes_the_oldest_request_of_its_kind_and_the_rest_goes_overdue() {
        let mut links = LeaderLinks::new(2);
        links.sent(B, ClientRequest::Metadata, ms(30));
        links.sent(B, ClientRequest::ListOffsets, ms(40));
        links.sent(B, ClientRequest::Metadata, ms(50));
        links.answered(B, ClientRequest::Metadata);
        assert_eq!(links.earliest_deadline(), Some(ms(40)));
        assert_eq!((links.overdue(ms(39)), links.overdue(ms(40))), (None, Some(B)));
        assert_eq!(links.broken(ms(40), B).0, [ClientRequest::ListOffsets, ClientRequest::Metadata]);
        assert_eq!(links.earliest_deadline(), None);
    }
}

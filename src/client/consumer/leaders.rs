//! The consumer and the partition leaders: requests with their time-outs, broken connections, metadata (NetworkClient, Metadata).
//!
//! A broken connection or NOT_LEADER_OR_FOLLOWER asks for new metadata after a back-off; a partition without a leader is asked for again and
//! again.

use super::{App, Consumer, ConsumerEffects, ConsumerTimer, Outgoing};
use crate::client::leader_links::NO_JITTER;
use crate::kafka::fetch::Fetched;
use crate::kafka::request::{Metadata, Request, To};
use crate::terms::ClientRequest;
use crate::units::{BrokerId, Instant, TopicPartition};

/// A partition and who leads it, if that is known.
type Led = (TopicPartition, Option<BrokerId>);

#[derive(Debug)]
pub struct Leadership {
    known: Metadata,
    /// Updates in a row that left something without a leader.
    failures: u64,
    /// An update on demand is due.
    update_at: Option<Instant>,
    /// The metadata is too old then.
    old_at: Instant,
    /// When the metadata came.
    pub refreshed_at: Instant,
}

impl Leadership {
    pub fn new(known: Metadata) -> Self {
        Leadership { known, failures: 0, update_at: None, old_at: Instant::NEVER, refreshed_at: Instant::ZERO }
    }
}

impl Consumer {
    /// A request to a broker, with its time-out.
    #[inline(always)]
    pub(super) fn ask_leader(&mut self, now: Instant, broker: BrokerId, request: Request, fx: &mut ConsumerEffects) {
        let deadline = now + self.config.request_timeout;
        self.links.sent(broker, request.kind(), deadline);
        self.wake_for_timeout(deadline, fx);
        fx.send(Outgoing::Request(To::Broker(broker), request));
    }

    /// The wait for an answer ends then.
    #[inline]
    pub(super) fn wake_for_timeout(&mut self, deadline: Instant, fx: &mut ConsumerEffects) {
        if self.timeout_wake.is_none_or(|wake| wake > deadline) {
            self.timeout_wake = Some(deadline);
            fx.wake(deadline, ConsumerTimer::RequestTimeout);
        }
    }

    // --- connections ------------------------------------------------------------------------------------------------------------------

    /// A connection broke, or could not be made: what was on its way will not be answered.
    pub fn on_disconnected(&mut self, now: Instant, from: To, fx: &mut ConsumerEffects) {
        if self.is_done() {
            return;
        }
        self.settled = false;
        match from {
            To::Coordinator => {
                self.forget_coordinator(now, fx);
                self.retry_lookup(now, fx);
            }
            To::Broker(broker) => self.lose_leader(now, broker, fx),
        }
        self.on_network_event(now, fx);
    }

    /// A broker did not answer in time: its connection is closed.
    pub(super) fn give_up_leaders(&mut self, now: Instant, fx: &mut ConsumerEffects) {
        while let Some(broker) = self.links.overdue(now) {
            fx.send(Outgoing::DisconnectBroker(broker));
            self.lose_leader(now, broker, fx);
        }
    }

    fn lose_leader(&mut self, now: Instant, broker: BrokerId, fx: &mut ConsumerEffects) {
        let (lost, retry_at) = self.links.broken(now, broker);
        self.fetcher.unanswered(broker);
        self.sessions[broker.index()] = false;
        fx.wake(retry_at, ConsumerTimer::Retry);
        self.update_metadata(now, fx);
        for request in lost {
            match request {
                ClientRequest::FindCoordinator => self.on_lookup_failed(now, fx),
                ClientRequest::CloseFetchSession => self.on_session_closed(fx),
                ClientRequest::Metadata
                | ClientRequest::JoinGroup
                | ClientRequest::SyncGroup
                | ClientRequest::Heartbeat
                | ClientRequest::LeaveGroup
                | ClientRequest::ConsumerGroupHeartbeat
                | ClientRequest::OffsetCommit
                | ClientRequest::OffsetFetch
                | ClientRequest::Fetch
                | ClientRequest::ListOffsets
                | ClientRequest::OffsetsForLeaderEpoch => {}
            }
        }
    }

    pub(super) fn on_not_leader(&mut self, now: Instant, from: To, fx: &mut ConsumerEffects) {
        if let To::Broker(broker) = from {
            self.fetcher.unanswered(broker);
            self.fetcher.dethrone(broker);
            self.update_metadata(now, fx);
        }
    }

    /// The partitions of an assignment, with their leaders. Where none is known, metadata is asked for.
    pub(super) fn with_leaders(&mut self, now: Instant, partitions: &[TopicPartition], fx: &mut ConsumerEffects) -> Vec<Led> {
        let led: Vec<Led> =
            partitions.iter().map(|partition| (*partition, self.leadership.known.leader(*partition, self.config.brokers))).collect();
        if led.iter().any(|(_, leader)| leader.is_none()) {
            self.update_metadata(now, fx);
        }
        led
    }

    /// Some partitions of a Fetch do not exist any more: they are left alone, and metadata shall tell more.
    pub(super) fn on_unknown_partitions(
        &mut self,
        now: Instant,
        from: To,
        (number, records): (u32, &[Fetched]),
        unknown: &[TopicPartition],
        fx: &mut ConsumerEffects,
    ) {
        let To::Broker(broker) = from else { unreachable!("records come from partition leaders") };
        self.fetcher.receive(broker, number, records);
        for partition in unknown {
            if let Some(owned) = self.fetcher.find_mut(*partition) {
                owned.leader = None;
            }
        }
        self.update_metadata(now, fx);
    }

    // --- metadata ---------------------------------------------------------------------------------------------------------------------

    /// Metadata is wanted, after a back-off.
    pub(super) fn update_metadata(&mut self, now: Instant, fx: &mut ConsumerEffects) {
        if self.leadership.update_at.is_none() && !matches!(self.app, App::Closing(_) | App::Done) {
            let at = now + self.request_backoff().after(self.leadership.failures, NO_JITTER);
            self.leadership.update_at = Some(at);
            fx.wake(at, ConsumerTimer::Retry);
        }
    }

    /// The back-off may be over.
    pub(super) fn retry_metadata(&mut self, now: Instant, fx: &mut ConsumerEffects) {
        if self.leadership.update_at.is_some_and(|at| at <= now) {
            self.leadership.update_at = None;
            self.ask_for_metadata(now, fx);
        }
    }

    pub(super) fn ask_for_metadata(&mut self, now: Instant, fx: &mut ConsumerEffects) {
        let broker = self.links.any_broker(now);
        self.ask_leader(now, broker, Request::Metadata, fx);
    }

    pub(super) fn on_metadata(&mut self, now: Instant, metadata: Metadata, fx: &mut ConsumerEffects) {
        self.metadata.clone_from(&metadata.counts);
        self.leadership.known = metadata;
        self.metadata_is_fresh(now, fx);
        self.match_pattern();
        let Consumer { fetcher, leadership, config, .. } = self;
        let all_led = fetcher.lead(|partition| leadership.known.leader(partition, config.brokers));
        if all_led && !self.lacks_topics() {
            self.leadership.failures = 0;
        } else {
            self.leadership.failures += 1;
            self.update_metadata(now, fx);
        }
        self.lead_with_fresh_metadata(now, fx);
    }

    pub(super) fn metadata_is_fresh(&mut self, now: Instant, fx: &mut ConsumerEffects) {
        self.leadership.refreshed_at = now;
        self.leadership.old_at = now + self.config.metadata_max_age;
        fx.wake(self.leadership.old_at, ConsumerTimer::MetadataAge);
    }

    pub(super) fn on_metadata_age(&mut self, now: Instant, fx: &mut ConsumerEffects) {
        if now >= self.leadership.old_at {
            self.leadership.old_at = Instant::NEVER;
            self.ask_for_metadata(now, fx);
        }
    }
}

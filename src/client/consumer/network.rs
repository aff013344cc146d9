//! Who reads what the network brings (ConsumerNetworkClient.poll).
//!
//! The application reads it in poll() and in its commits, and the heartbeat thread while it is awake. It sleeps from JoinGroup to its answer, so what comes
//! for an application that is at work on records then lies unread: the answer to JoinGroup itself, and with it the SyncGroup, has to wait for the
//! next call. Only a cooperative member has records in hand at such a time.

use super::{App, Consumer, ConsumerEffects};
use crate::client::membership::MemberState;
use crate::kafka::request::{Response, To};
use crate::units::Instant;

impl Consumer {
    /// Any answer but that to a Fetch.
    pub fn on_response(&mut self, now: Instant, from: To, response: Response, fx: &mut ConsumerEffects) {
        self.settled = false;
        if let To::Broker(broker) = from {
            self.links.answered(broker, response.kind());
        }
        if self.is_unattended() {
            self.unread.push((from, response));
            return;
        }
        let polling = matches!(self.app, App::Idle);
        self.handle(now, from, response, fx);
        if polling || self.is_application_needed() {
            self.on_network_event(now, fx);
        }
    }

    /// Nobody looks at the network.
    pub(super) fn is_unattended(&self) -> bool {
        self.membership.state == MemberState::Preparing && matches!(self.app, App::Busy(_) | App::Listening { .. })
    }

    /// The application calls something that reads what has come.
    #[inline]
    pub(super) fn read_network(&mut self, now: Instant, fx: &mut ConsumerEffects) {
        if !self.unread.is_empty() {
            self.read_all(now, fx);
        }
        // A request may have timed out while nobody looked.
        if self.timeout_wake.is_none() {
            self.arm_request_timeout(fx);
        }
    }

    fn read_all(&mut self, now: Instant, fx: &mut ConsumerEffects) {
        for (from, response) in std::mem::take(&mut self.unread) {
            self.handle(now, from, response, fx);
        }
    }

    fn handle(&mut self, now: Instant, from: To, response: Response, fx: &mut ConsumerEffects) {
        match response {
            Response::Coordinator(Some(broker)) => self.on_coordinator(now, broker, fx),
            Response::Coordinator(None) => self.on_lookup_failed(now, fx),
            Response::Metadata(metadata) => self.on_metadata(now, metadata, fx),
            Response::Group { number, response } => {
                self.membership.prefer(number);
                self.on_group_answer(now, *response, fx);
            }
            Response::Fetched { .. } => unreachable!("records go to on_fetched"),
            Response::FetchedSome { number, records, unknown } => self.on_unknown_partitions(now, from, (number, &records), &unknown, fx),
            Response::Offsets { latest, offsets } => self.on_reset_offsets(latest, &offsets, fx),
            Response::EpochsValid(partitions) => self.on_validated(&partitions, fx),
            Response::FetchSessionClosed => self.on_session_closed(fx),
            Response::NotLeader(_) => self.on_not_leader(now, from, fx),
        }
    }
}

//! Who reads what the network brings (ConsumerNetworkClient.poll).
//!
//! The application reads it in poll() and in its commits, and the heartbeat thread while it is awake. It sleeps from JoinGroup to its answer, so what comes
//! for an application that is at work on records then lies unread: the answer to JoinGroup itself, and with it the SyncGroup, has to wait for the
//! next call. Only a cooperative member has records in hand at such a time.

use super::{App, Consumer, ConsumerEffects, ConsumerTimer};
use crate::client::membership::MemberState;
use crate::kafka::request::Response;
use crate::units::Instant;

impl Consumer {
    /// Any answer but that to a Fetch.
    pub fn on_response(&mut self, now: Instant, response: Response, fx: &mut ConsumerEffects) {
        if self.is_unattended() {
            self.unread.push(response);
            return;
        }
        let polling = matches!(self.app, App::Idle);
        self.handle(now, response, fx);
        if polling {
            self.on_network_event(now, fx);
        }
    }

    /// Nobody looks at the network.
    pub(super) fn is_unattended(&self) -> bool {
        self.membership.state == MemberState::Preparing && matches!(self.app, App::Busy(_) | App::Listening { .. })
    }

    /// The application calls something that reads what has come.
    pub(super) fn read_network(&mut self, now: Instant, fx: &mut ConsumerEffects) {
        for response in std::mem::take(&mut self.unread) {
            self.handle(now, response, fx);
        }
        // A request may have timed out while nobody looked.
        self.arm_request_timeout(fx);
    }

    fn handle(&mut self, now: Instant, response: Response, fx: &mut ConsumerEffects) {
        match response {
            Response::Coordinator(broker) => self.on_coordinator(now, broker, fx),
            Response::Metadata(counts) => {
                self.metadata = counts;
                fx.wake(now + self.config.metadata_max_age, ConsumerTimer::MetadataAge);
            }
            Response::Group(answer) => self.on_group_answer(now, *answer, fx),
            Response::Fetched { .. } => unreachable!("records go to on_fetched"),
            Response::Offsets { latest, offsets } => self.on_reset_offsets(latest, &offsets, fx),
            Response::EpochsValid(partitions) => self.on_validated(&partitions, fx),
            Response::FetchSessionClosed => self.on_session_closed(fx),
        }
    }
}

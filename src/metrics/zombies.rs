//! Who went on with what it had in hand after it had left the group.
//!
//! A client whose max.poll.interval.ms is over leaves the group by itself, from its heartbeat thread (AbstractCoordinator.HeartbeatThread#run);
//! the application learns of it when it comes back to poll(), and works until then.

use super::OwnerSpan;
use crate::fold::Known;
use crate::trace::TraceEvent;
use crate::units::{ClientId, Instant};

#[derive(Clone, Default, Debug)]
pub(super) struct Zombies {
    /// With the slot of the partition whose records are in hand.
    at_work: Vec<(usize, ClientId, Instant)>,
    over: Vec<(usize, OwnerSpan)>,
}

impl Zombies {
    pub fn record(&mut self, at: Instant, event: &TraceEvent, known: &Known) {
        if let TraceEvent::PollIntervalExceeded { client, .. } = event {
            let slots = known.slots.of_group(known.slots.group_of(*client)).map(|(_, slot)| slot);
            let has_work = |slot: &usize| known.ownership.is_held_by(*slot, *client) && known.deliveries.is_at_work(*slot, *client);
            self.at_work.extend(slots.filter(has_work).map(|slot| (slot, *client, at)));
        } else if let TraceEvent::Lost { client, .. }
        | TraceEvent::ClientCrashed { client }
        | TraceEvent::ClientStarted { client, .. }
        | TraceEvent::ClientStopped { client }
        | TraceEvent::ClientFailed { client, .. } = event
        {
            let ended = self.at_work.extract_if(.., |(_, whose, _)| whose == client);
            self.over.extend(ended.map(|(slot, client, from)| (slot, OwnerSpan { client, from, to: at })));
        }
    }

    /// In the order in which they began; nobody's work goes on after the end.
    pub fn of(&self, slot: usize, end: Instant) -> Vec<OwnerSpan> {
        let over = self.over.iter().filter(|(there, _)| *there == slot).map(|(_, span)| *span);
        let still = self.at_work.iter().filter(|(there, ..)| *there == slot);
        let mut all: Vec<OwnerSpan> =
            over.chain(still.map(|(_, client, from)| OwnerSpan { client: *client, from: *from, to: end })).collect();
        all.sort_by_key(|span| span.from);
        all
    }
}

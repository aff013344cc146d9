//! Who goes on with records of a partition that it has lost, because it has them in hand.
//!
//! The application learns of a loss when it comes back to poll(), and works until then. The thread behind its back leaves the group by itself
//! (AbstractCoordinator.HeartbeatThread#run: max.poll.interval.ms), learns that the membership is over, and, for an application without a rebalance
//! listener, gives up what the coordinator wants back (AbstractMembershipManager#revokePartitions) although it stays a member.
//!
//! Who does not know yet that it was put out is not here: it still holds what it had ([`crate::ownership`]), beside the next owner.

use super::OwnerSpan;
use crate::fold::{Known, Work};
use crate::trace::TraceEvent;
use crate::units::{ClientId, Instant};

#[derive(Clone, Default, Debug)]
pub(super) struct Zombies {
    at_work: Vec<Zombie>,
    over: Vec<(usize, OwnerSpan)>,
}

#[derive(Copy, Clone, Debug)]
struct Zombie {
    client: ClientId,
    slot: usize,
    from: Instant,
    /// Records that it has in hand. There will not be more: it polls none of what is not its own.
    left: u64,
}

impl Zombies {
    pub fn record(&mut self, at: Instant, event: &TraceEvent, known: &Known) {
        if let TraceEvent::PollIntervalExceeded { client, .. } | TraceEvent::MembershipLost { client, .. } = event {
            for slot in known.ownership.slots_of(*client) {
                self.loses(at, *client, slot, known);
            }
        } else if let TraceEvent::Revoked { client, partitions } | TraceEvent::Lost { client, partitions } = event {
            for partition in partitions {
                self.loses(at, *client, known.slots.of(*client, *partition), known);
            }
        } else if let TraceEvent::Dropped { client, partition, offsets } = event {
            self.put_down(*client, known.slots.of(*client, *partition), offsets.len(), at);
        } else if let TraceEvent::Assigned { client, partitions, .. } = event {
            for slot in partitions.iter().map(|partition| known.slots.of(*client, *partition)) {
                self.end(at, |zombie| (zombie.client, zombie.slot) == (*client, slot));
            }
        } else if let TraceEvent::ClientCrashed { client }
        | TraceEvent::ClientStarted { client, .. }
        | TraceEvent::ClientStopped { client }
        | TraceEvent::ClientFailed { client, .. } = event
        {
            self.end(at, |zombie| zombie.client == *client);
        }
    }

    #[inline(always)]
    pub fn processed(&mut self, work: Work<'_>) {
        if !self.at_work.is_empty() && !work.delivery.offsets.is_empty() {
            self.put_down(work.delivery.by.client, work.slot, work.delivery.offsets.len(), work.delivery.last());
        }
    }

    /// In the order in which they began; nobody's work goes on after the end.
    pub fn of(&self, slot: usize, end: Instant) -> Vec<OwnerSpan> {
        let over = self.over.iter().filter(|(there, _)| *there == slot).map(|(_, span)| *span);
        let still = self.at_work.iter().filter(|zombie| zombie.slot == slot).map(|zombie| zombie.until(end));
        let mut all: Vec<OwnerSpan> = over.chain(still).collect();
        all.sort_by_key(|span| span.from);
        all
    }

    fn loses(&mut self, at: Instant, client: ClientId, slot: usize, known: &Known) {
        let left = known.deliveries.count_in_hand(slot, client);
        if left > 0 && !self.at_work.iter().any(|zombie| (zombie.client, zombie.slot) == (client, slot)) {
            self.at_work.push(Zombie { client, slot, from: at, left });
        }
    }

    /// A batch is told when it ends: what of it was done before the loss makes nobody a zombie.
    fn put_down(&mut self, client: ClientId, slot: usize, records: u64, at: Instant) {
        for zombie in self.at_work.iter_mut().filter(|zombie| (zombie.client, zombie.slot) == (client, slot)) {
            zombie.left = zombie.left.saturating_sub(records);
        }
        self.end(at, |zombie| zombie.left == 0);
    }

    fn end(&mut self, at: Instant, which: impl Fn(&Zombie) -> bool) {
        let ended = self.at_work.extract_if(.., |zombie| which(zombie));
        let seen = ended.filter(|zombie| zombie.from < at);
        self.over.extend(seen.map(|zombie| (zombie.slot, zombie.until(at))));
    }
}

impl Zombie {
    fn until(&self, at: Instant) -> OwnerSpan {
        OwnerSpan { client: self.client, from: self.from, to: at }
    }
}

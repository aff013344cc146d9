//! Who could hand out the records of a partition, from when to when, and what ended it.
//!
//! A hold begins with onPartitionsAssigned and ends at the first moment from which its client can hand out no more of the records: marked
//! for revocation, given up, lost, kicked, out of the group, stopped or dead. A paused process keeps its hold: it goes on where it
//! stopped. Holds overlap while a client has not yet learned that it was removed. What is marked for revocation is still its own, and what
//! it has in hand of that it may still commit: only what comes next takes it away.

use crate::slots::Slots;
use crate::terms::RemovalReason;
use crate::trace::TraceEvent;
use crate::units::{ClientId, Instant, MemberId, TopicPartition};

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Hold {
    pub client: ClientId,
    pub member: MemberId,
    pub generation: i32,
    pub from: Instant,
    pub to: Option<Instant>,
    /// What took the partition away, or will: the coordinator may have removed the member without its knowledge.
    pub undone: Option<(Undoing, Instant)>,
}

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Undoing {
    Crashed,
    /// `close()`, or a fatal error.
    Closed,
    PollIntervalExceeded,
    Removed(RemovalReason),
    /// A rebalance took the partition away.
    Revoked,
    /// Another process came with the same group.instance.id.
    Replaced,
}

/// A fold that keeps every hold.
#[derive(Clone, Debug)]
pub struct Ownership {
    slots: Slots,
    by_slot: Vec<Vec<Hold>>,
    /// By slot: how many holds are open.
    open: Vec<u32>,
    /// By client: where it has an open hold.
    held: Vec<Vec<usize>>,
    /// By client: where its latest hold is marked for revocation.
    marked: Vec<Vec<usize>>,
    /// By client: told to stop.
    stopping: Vec<bool>,
    ended: Vec<usize>,
}

/// What ended the earlier of two holds of a partition; at the latest the later one did, by beginning.
pub fn undoing(holds: &[Hold], one: usize, other: usize) -> (Undoing, Instant) {
    let overtaken = holds[one.max(other)].from;
    holds[one.min(other)].undone.filter(|(_, at)| *at <= overtaken).unwrap_or((Undoing::Revoked, overtaken))
}

impl Ownership {
    pub fn new(slots: &Slots) -> Self {
        let clients = slots.cast().client_group.len();
        Ownership {
            slots: slots.clone(),
            by_slot: vec![Vec::new(); slots.count()],
            open: vec![0; slots.count()],
            held: vec![Vec::new(); clients],
            marked: vec![Vec::new(); clients],
            stopping: vec![false; clients],
            ended: Vec::new(),
        }
    }

    /// In the order in which they began.
    pub fn holds(&self, slot: usize) -> &[Hold] {
        &self.by_slot[slot]
    }

    #[inline(always)]
    pub fn latest(&self, slot: usize) -> Option<&Hold> {
        self.by_slot[slot].last()
    }

    /// The number of this client's latest hold.
    #[inline(always)]
    pub fn hold_of(&self, slot: usize, client: ClientId) -> Option<usize> {
        let holds = &self.by_slot[slot];
        match holds.last() {
            // Almost always it is the latest of all.
            Some(latest) if latest.client == client => Some(holds.len() - 1),
            Some(_) | None => holds.iter().rposition(|hold| hold.client == client),
        }
    }

    /// The number of the hold that was this client's latest at that moment.
    #[inline(always)]
    pub fn hold_at(&self, slot: usize, client: ClientId, at: Instant) -> Option<usize> {
        let holds = &self.by_slot[slot];
        match holds.last() {
            Some(latest) if latest.client == client && latest.from <= at => Some(holds.len() - 1),
            Some(_) | None => holds.iter().rposition(|hold| hold.client == client && hold.from <= at),
        }
    }

    /// Whether several clients may hand out records there: all but one are zombies.
    pub fn is_shared(&self, slot: usize) -> bool {
        self.open[slot] > 1
    }

    /// Whether this client may hand out records there.
    pub fn is_held_by(&self, slot: usize, client: ClientId) -> bool {
        self.held[client.index()].contains(&slot)
    }

    /// Where this client has something: to hand out, or only to finish with.
    pub fn slots_of(&self, client: ClientId) -> impl Iterator<Item = usize> {
        self.held[client.index()].iter().chain(&self.marked[client.index()]).copied()
    }

    /// Returns the slots whose latest hold ended with this event.
    pub fn record(&mut self, at: Instant, event: &TraceEvent) -> &[usize] {
        self.ended.clear();
        match event {
            TraceEvent::Assigned { client, member, generation, partitions } => self.begin(at, *client, *member, *generation, partitions),
            TraceEvent::RevocationPending { client, partitions } => self.mark_some(at, *client, partitions),
            TraceEvent::Revoked { client, partitions } | TraceEvent::Lost { client, partitions } => {
                self.end_some(at, *client, partitions);
            }
            TraceEvent::MembershipLost { client, .. } => self.end_all(at, *client, Undoing::Revoked),
            TraceEvent::PollIntervalExceeded { client, .. } => self.end_all(at, *client, Undoing::PollIntervalExceeded),
            TraceEvent::ClientCrashed { client } => self.end_all(at, *client, Undoing::Crashed),
            TraceEvent::ClientStopped { client } | TraceEvent::ClientFailed { client, .. } => self.end_all(at, *client, Undoing::Closed),
            TraceEvent::ClientStopping { client } => self.stopping[client.index()] = true,
            TraceEvent::ClientStarted { client, .. } => {
                self.end_all(at, *client, Undoing::Crashed);
                self.stopping[client.index()] = false;
            }
            // Who leaves does so by itself, and its own events say why.
            TraceEvent::MemberRemoved { reason: RemovalReason::Left, .. } => {}
            TraceEvent::MemberRemoved { member, reason, .. } => self.undo(at, *member, Undoing::Removed(*reason)),
            TraceEvent::MemberReplaced { old, .. } => self.undo(at, *old, Undoing::Replaced),
            TraceEvent::Appended { .. }
            | TraceEvent::ProducerStopped { .. }
            | TraceEvent::RateChanged { .. }
            | TraceEvent::PartitionsAdded { .. }
            | TraceEvent::ClientPaused { .. }
            | TraceEvent::ClientResumed { .. }
            | TraceEvent::ClientSlowed { .. }
            | TraceEvent::ClientSpeedRestored { .. }
            | TraceEvent::Fault(_)
            | TraceEvent::Topics(_)
            | TraceEvent::GroupStateChanged { .. }
            | TraceEvent::MemberPending { .. }
            | TraceEvent::PendingDropped { .. }
            | TraceEvent::MemberAdded { .. }
            | TraceEvent::RebalanceStarted { .. }
            | TraceEvent::InitialDelayExtended { .. }
            | TraceEvent::GroupProtocolChanged { .. }
            | TraceEvent::GroupEpochBumped { .. }
            | TraceEvent::TargetComputed { .. }
            | TraceEvent::MemberReconciled { .. }
            | TraceEvent::MemberRejoined { .. }
            | TraceEvent::JoinPhaseEnded { .. }
            | TraceEvent::HeartbeatHandled { .. }
            | TraceEvent::RequestRefused { .. }
            | TraceEvent::Committed { .. }
            | TraceEvent::CommitRefused { .. }
            | TraceEvent::OffsetExpired { .. }
            | TraceEvent::GroupDeleted { .. }
            | TraceEvent::CoordinatorFound { .. }
            | TraceEvent::JoinSent { .. }
            | TraceEvent::AssignmentComputed { .. }
            | TraceEvent::RebalanceNoticed { .. }
            | TraceEvent::PositionSet { .. }
            | TraceEvent::FetchStarted { .. }
            | TraceEvent::Polled { .. }
            | TraceEvent::Processed { .. }
            | TraceEvent::Dropped { .. }
            | TraceEvent::CommitFailed { .. }
            | TraceEvent::RunPhaseEnded
            | TraceEvent::SettlePhaseEnded { .. } => {}
        }
        &self.ended
    }

    fn begin(&mut self, at: Instant, client: ClientId, member: MemberId, generation: i32, partitions: &[TopicPartition]) {
        for partition in partitions {
            let slot = self.slots.of(client, *partition);
            if self.held[client.index()].contains(&slot) {
                if self.latest(slot).is_some_and(|hold| hold.client == client) {
                    continue;
                }
                self.end(at, slot, client, Undoing::Revoked);
            } else {
                self.unmark(at, slot, client, Undoing::Revoked);
                self.held[client.index()].push(slot);
            }
            self.by_slot[slot].push(Hold { client, member, generation, from: at, to: None, undone: None });
            self.open[slot] += 1;
        }
    }

    fn mark_some(&mut self, at: Instant, client: ClientId, partitions: &[TopicPartition]) {
        for partition in partitions {
            let slot = self.slots.of(client, *partition);
            if self.let_go(slot, client) {
                self.close(at, slot, client);
                self.marked[client.index()].push(slot);
            }
        }
    }

    fn end_some(&mut self, at: Instant, client: ClientId, partitions: &[TopicPartition]) {
        let why = if self.stopping[client.index()] { Undoing::Closed } else { Undoing::Revoked };
        for partition in partitions {
            let slot = self.slots.of(client, *partition);
            if self.let_go(slot, client) {
                self.end(at, slot, client, why);
            } else {
                self.unmark(at, slot, client, why);
            }
        }
    }

    fn end_all(&mut self, at: Instant, client: ClientId, why: Undoing) {
        for slot in std::mem::take(&mut self.held[client.index()]) {
            self.end(at, slot, client, why);
        }
        for slot in std::mem::take(&mut self.marked[client.index()]) {
            self.latest_of(slot, client).undone.get_or_insert((why, at));
        }
    }

    /// Whether there is an open hold, which its holder does not keep.
    fn let_go(&mut self, slot: usize, client: ClientId) -> bool {
        take_out(&mut self.held[client.index()], slot)
    }

    /// What was marked for revocation is gone for good.
    fn unmark(&mut self, at: Instant, slot: usize, client: ClientId, why: Undoing) {
        if take_out(&mut self.marked[client.index()], slot) {
            self.latest_of(slot, client).undone.get_or_insert((why, at));
        }
    }

    fn end(&mut self, at: Instant, slot: usize, client: ClientId, why: Undoing) {
        self.close(at, slot, client);
        self.latest_of(slot, client).undone.get_or_insert((why, at));
    }

    fn close(&mut self, at: Instant, slot: usize, client: ClientId) {
        self.latest_of(slot, client).to = Some(at);
        self.open[slot] -= 1;
        if self.latest(slot).is_some_and(|hold| hold.client == client) {
            self.ended.push(slot);
        }
    }

    fn latest_of(&mut self, slot: usize, client: ClientId) -> &mut Hold {
        let number = self.hold_of(slot, client).expect("a held slot has a hold of its holder");
        &mut self.by_slot[slot][number]
    }

    fn undo(&mut self, at: Instant, member: MemberId, why: Undoing) {
        for slot in self.held[member.client.index()].iter().chain(&self.marked[member.client.index()]) {
            let mut holds = self.by_slot[*slot].iter_mut().rev();
            if let Some(hold) = holds.find(|hold| hold.client == member.client && hold.member == member) {
                hold.undone.get_or_insert((why, at));
            }
        }
    }
}

fn take_out(slots: &mut Vec<usize>, slot: usize) -> bool {
    let place = slots.iter().position(|other| *other == slot);
    place.map(|place| slots.swap_remove(place)).is_some()
}

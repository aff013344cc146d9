//! Open writes of one shard: what is appended to its `__consumer_offsets` partition and not replicated yet, and who waits for it.
//!
//! Origin: CoordinatorRuntime.append and its deferred event queue (KIP-848). The first write opens a batch; writes within the linger join it;
//! a transactional commit flushes at once, in a batch of its own. A batch is replicated some time after its flush; batches are replicated
//! in order.
//!
//! Not modelled: writes that fail, and max.message.bytes, which would flush a batch early.

use std::collections::VecDeque;

use crate::kafka::coordinator::shard::Answer;
use crate::kafka::message::Assignment;
use crate::units::{GroupId, Instant, MemberId, Span};

/// Coordinator write latency W: the two parts of it.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub struct WriteLatency {
    /// group.coordinator.append.linger.ms.
    pub linger: Span,
    /// From the append until the high watermark has passed the record.
    pub replication: Span,
}

/// What happens when a write is replicated.
#[derive(Clone, Debug)]
pub enum Deferred {
    Answer(Answer),
    /// The leader's assignment: if the group still waits for it, everybody gets theirs.
    AssignmentStored {
        group: GroupId,
        generation: i32,
        assignments: Vec<(MemberId, Assignment)>,
    },
    /// A static member's new id: its JoinGroup is answered. `leader` is the one before the replacement.
    StaticMemberStored {
        group: GroupId,
        member: MemberId,
        leader: Option<MemberId>,
        version: u16,
    },
    /// Nobody waits.
    Nothing,
}

#[derive(Clone, Debug)]
struct Batch {
    flush: Instant,
    replicated: Instant,
    /// No more writes join it.
    closed: bool,
    waiting: Vec<Deferred>,
}

#[derive(Clone, Debug, Default)]
pub struct Writes {
    batches: VecDeque<Batch>,
}

impl Writes {
    pub fn append(&mut self, now: Instant, latency: WriteLatency, then: Deferred) {
        match self.batches.back_mut().filter(|batch| !batch.closed && now <= batch.flush) {
            Some(batch) => batch.waiting.push(then),
            None => self.open(now + latency.linger, latency, then),
        }
    }

    pub fn append_transactional(&mut self, now: Instant, latency: WriteLatency, then: Deferred) {
        let earlier = self.batches.iter().rev().nth(1).map_or(now, |batch| batch.replicated);
        if let Some(batch) = self.batches.back_mut().filter(|batch| now < batch.flush) {
            batch.flush = now;
            batch.replicated = earlier.max(now + latency.replication);
        }
        self.open(now, latency, then);
        if let Some(batch) = self.batches.back_mut() {
            batch.closed = true;
        }
    }

    /// Waits for the last open write; hands `then` back if there is none.
    pub fn queue_behind(&mut self, then: Deferred) -> Option<Deferred> {
        match self.batches.back_mut() {
            Some(batch) => {
                batch.waiting.push(then);
                None
            }
            None => Some(then),
        }
    }

    /// When the oldest open write is replicated.
    pub fn next(&self) -> Option<Instant> {
        self.batches.front().map(|batch| batch.replicated)
    }

    /// What is released by the oldest write, if that is replicated by `now`.
    pub fn take_replicated(&mut self, now: Instant) -> Option<Vec<Deferred>> {
        let due = self.next().is_some_and(|at| at <= now);
        due.then(|| self.batches.pop_front().map(|batch| batch.waiting)).flatten()
    }

    /// The shard moves away: everything that waited, in order.
    pub fn drop_all(&mut self) -> Vec<Deferred> {
        self.batches.drain(..).flat_map(|batch| batch.waiting).collect()
    }

    fn open(&mut self, flush: Instant, latency: WriteLatency, then: Deferred) {
        let earlier = self.batches.back().map_or(flush, |batch| batch.replicated);
        let replicated = earlier.max(flush + latency.replication);
        self.batches.push_back(Batch { flush, replicated, closed: false, waiting: vec![then] });
    }
}

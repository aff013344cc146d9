//! The coordinator of a group that has one living member at most, and perhaps the ghost of one that crashed.

use std::collections::{BTreeMap, VecDeque};

use crate::world::{Answer, Request, Tp, World};

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum GroupTimer {
    /// A member's session, by life.
    Session(u32),
    InitialDelay,
    /// max.poll.interval.ms after a join phase began.
    JoinDeadline(u32),
    /// Writes are stored: what waited for them may go.
    Stored,
}

/// Writes that lingered together, and the answers that wait for them.
struct Batch {
    flush: u64,
    stored: u64,
    waiting: Vec<(usize, Answer)>,
}

struct Member {
    life: u32,
    /// Where its JoinGroup waits.
    parked: Option<usize>,
    session_ends: u64,
}

#[derive(Default)]
pub struct Group {
    members: Vec<Member>,
    /// Somebody has joined it before.
    exists: bool,
    batches: VecDeque<Batch>,
    /// From Empty: joins do not end the phase early.
    initial: bool,
    phase: u32,
    pub committed: BTreeMap<Tp, u64>,
}

impl World<'_> {
    pub fn coordinate(&mut self, connection: usize, request: Request) {
        let (group, life) = (self.connections[connection].group, self.connections[connection].life);
        match request {
            Request::Join(known) => {
                if !std::mem::replace(&mut self.groups[group].exists, true) {
                    self.write(group, None);
                }
                if known {
                    self.join(group, life, connection);
                } else {
                    self.answer(connection, Answer::MemberIdRequired);
                }
            }
            Request::Sync => self.write(group, Some((connection, Answer::Synced))),
            Request::Heartbeat => {
                self.renew(group, life);
                self.answer_behind_writes(group, connection, Answer::Heartbeat);
            }
            Request::Commit(offsets) => {
                self.renew(group, life);
                for (tp, offset) in offsets {
                    self.groups[group].committed.insert(tp, offset);
                    self.books.commits.push((self.now, group, tp, offset));
                }
                self.write(group, Some((connection, Answer::Committed)));
            }
            Request::OffsetFetch(partitions) => {
                let committed = &self.groups[group].committed;
                let offsets = partitions.into_iter().map(|tp| (tp, committed.get(&tp).copied())).collect();
                self.answer_behind_writes(group, connection, Answer::Offsets(offsets));
            }
            Request::Leave => {
                self.groups[group].members.retain(|member| member.life != life);
                assert!(self.groups[group].members.is_empty(), "who leaves was alone");
                self.write(group, Some((connection, Answer::Left)));
            }
            other => panic!("{other:?} is for leaders"),
        }
        self.release_stored(group);
    }

    /// The first write opens a batch, which lingers; others join it until it is flushed.
    fn write(&mut self, group: usize, then: Option<(usize, Answer)>) {
        let (now, (linger, replication)) = (self.now, self.write_takes());
        let batches = &mut self.groups[group].batches;
        if batches.back().is_none_or(|batch| batch.flush < now) {
            let flush = now + linger;
            let earlier = batches.back().map_or(0, |batch| batch.stored);
            let stored = earlier.max(flush + replication);
            batches.push_back(Batch { flush, stored, waiting: Vec::new() });
            self.wake_group(stored, group, GroupTimer::Stored);
        }
        let batch = self.groups[group].batches.back_mut().expect("a batch is open");
        batch.waiting.extend(then);
    }

    /// An operation that writes nothing is answered after all that was written before it.
    fn answer_behind_writes(&mut self, group: usize, connection: usize, answer: Answer) {
        match self.groups[group].batches.back_mut() {
            Some(batch) => batch.waiting.push((connection, answer)),
            None => self.answer(connection, answer),
        }
    }

    fn release_stored(&mut self, group: usize) {
        while let Some(batch) = self.groups[group].batches.pop_front_if(|batch| batch.stored <= self.now) {
            for (connection, answer) in batch.waiting {
                if matches!(answer, Answer::Synced) {
                    self.renew(group, self.connections[connection].life);
                }
                self.answer(connection, answer);
            }
        }
    }

    fn join(&mut self, group: usize, life: u32, connection: usize) {
        let was_empty = self.groups[group].members.is_empty();
        self.groups[group].members.push(Member { life, parked: Some(connection), session_ends: u64::MAX });
        self.groups[group].initial = was_empty;
        self.groups[group].phase += 1;
        if was_empty {
            let delay = self.scenario.cluster.config.group_initial_rebalance_delay.as_nanos();
            self.wake_group(self.now + delay, group, GroupTimer::InitialDelay);
        } else {
            let limit = self.scenario.clients[group].config.max_poll_interval.as_nanos();
            let phase = self.groups[group].phase;
            self.wake_group(self.now + limit, group, GroupTimer::JoinDeadline(phase));
        }
    }

    pub fn on_group_timer(&mut self, group: usize, timer: GroupTimer) {
        match timer {
            GroupTimer::InitialDelay => self.end_join_phase(group),
            GroupTimer::JoinDeadline(phase) => {
                if self.groups[group].phase == phase && self.groups[group].members.iter().any(|member| member.parked.is_some()) {
                    self.end_join_phase(group);
                }
            }
            GroupTimer::Session(life) => {
                let now = self.now;
                let state = &mut self.groups[group];
                let before = state.members.len();
                state.members.retain(|member| member.life != life || member.session_ends > now || member.parked.is_some());
                let all_wait = !state.members.is_empty() && state.members.iter().all(|member| member.parked.is_some());
                let is_removed = state.members.len() < before;
                let is_empty = state.members.is_empty();
                if is_removed && all_wait {
                    self.end_join_phase(group);
                } else if is_removed && is_empty {
                    self.write(group, None);
                }
            }
            GroupTimer::Stored => {}
        }
        self.release_stored(group);
    }

    /// Who waits is in the next generation; who does not is out.
    fn end_join_phase(&mut self, group: usize) {
        self.groups[group].members.retain(|member| member.parked.is_some());
        let joined: Vec<(u32, usize)> =
            self.groups[group].members.iter_mut().map(|member| (member.life, member.parked.take().expect("it waits"))).collect();
        for (life, connection) in joined {
            self.renew(group, life);
            self.answer(connection, Answer::Joined);
        }
    }

    fn renew(&mut self, group: usize, life: u32) {
        let ends = self.now + self.scenario.clients[group].config.session_timeout.as_nanos();
        if let Some(member) = self.groups[group].members.iter_mut().find(|member| member.life == life) {
            member.session_ends = ends;
            self.wake_group(ends, group, GroupTimer::Session(life));
        }
    }
}

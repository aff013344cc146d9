//! The life of a process: start, crash, stop and close(), pauses.

use std::collections::VecDeque;

use groupsim::scenario::Commit;

use crate::books::Done;
use crate::consumer::{App, Consumer, Membership, Next, Wake};
use crate::world::{Answer, Request, World};

/// A process that stands still: its JVM, its machine.
pub struct Frozen {
    pub since: u64,
    held: Vec<Held>,
}

#[derive(Clone, Debug)]
pub enum Held {
    Answer(usize, Answer),
    Wake(Wake),
    Stop,
}

impl World<'_> {
    pub fn start(&mut self, group: usize) {
        if self.consumers[group].is_some() {
            return;
        }
        self.lives[group] += 1;
        let brokers = self.scenario.cluster.brokers as usize;
        self.consumers[group] = Some(Consumer {
            app: App::Polling,
            membership: Membership::Outside,
            coordinator: !self.is_real(),
            looks_for_coordinator: false,
            owned: Vec::new(),
            buffer: VecDeque::new(),
            in_flight: vec![false; brokers],
            sessions: vec![false; brokers],
            auto_commit: None,
            wait_ends: None,
            stopping: false,
            batch: Vec::new(),
            ends: Vec::new(),
            done: 0,
            commits_on_the_way: 0,
            next_heartbeat: None,
        });
        self.iterate(group);
    }

    /// The process is gone, and its connections with it.
    pub fn exit(&mut self, group: usize) {
        self.consumers[group] = None;
        let life = self.lives[group];
        for link in self.connections.iter_mut().filter(|link| (link.group, link.life) == (group, life)) {
            link.open = false;
            link.session = None;
        }
    }

    /// Between two records: what is done by now counts.
    pub fn crash(&mut self, group: usize) {
        let until = self.frozen[group].take().map_or(self.now, |frozen| frozen.since);
        self.finish_work(group, until);
        self.exit(group);
    }

    pub fn stop(&mut self, group: usize) {
        if self.consumers[group].is_none() || self.holds(group, &Held::Stop) {
            return;
        }
        self.me(group).stopping = true;
        if matches!(self.me(group).app, App::Polling | App::AwaitsOffsets) {
            self.close(group);
        }
    }

    /// Writes down the records in hand that are done by a moment.
    pub fn finish_work(&mut self, group: usize, until: u64) {
        let life = self.lives[group];
        let Some(me) = self.consumers[group].as_mut() else { return };
        while me.done < me.ends.len() && me.ends[me.done] <= until {
            let ((tp, offset), at) = (me.batch[me.done], me.ends[me.done]);
            self.books.done[group].push(Done { tp, offset, at, life });
            let furthest = self.books.read[group].entry(tp).or_default();
            *furthest = (offset + 1).max(*furthest);
            me.done += 1;
        }
    }

    // --- pauses -------------------------------------------------------------------------------------------------------------------------

    pub fn pause(&mut self, group: usize, lasts: u64) {
        if self.consumers[group].is_some() && self.frozen[group].is_none() {
            self.frozen[group] = Some(Frozen { since: self.now, held: Vec::new() });
            self.wake_frozen(self.now + lasts, group);
        }
    }

    /// Whether it has to wait until the process goes on.
    pub fn holds(&mut self, group: usize, input: &Held) -> bool {
        let frozen = self.frozen[group].as_mut();
        frozen.map(|frozen| frozen.held.push(input.clone())).is_some()
    }

    /// Goes on: the work takes as much longer, the heartbeat thread looks first, then comes what has waited.
    pub fn thaw(&mut self, group: usize) {
        let Some(Frozen { since, held }) = self.frozen[group].take() else { return };
        self.finish_work(group, since);
        let lost = self.now - since;
        let me = self.me(group);
        if let App::Works { until, .. } = &mut me.app {
            me.ends[me.done..].iter_mut().for_each(|end| *end += lost);
            *until += lost;
            let until = *until;
            self.wake(until, group, Wake::Step);
        }
        self.beat(group);
        for input in held {
            if self.consumers[group].is_none() {
                return;
            }
            match input {
                Held::Answer(connection, answer) => self.on_answer(group, connection, answer),
                Held::Wake(wake) => self.on_wake(group, wake),
                Held::Stop => self.stop(group),
            }
        }
    }

    // --- close() ------------------------------------------------------------------------------------------------------------------------

    pub fn close(&mut self, group: usize) {
        let timeout = self.client(group).config.request_timeout.as_nanos().min(30_000_000_000);
        self.wake(self.now + timeout, group, Wake::CloseTimeout);
        if self.client(group).commit == Commit::Auto {
            let offsets = self.consumed(group);
            self.commit_sync(group, offsets, Next::Close);
        } else if self.me(group).commits_on_the_way > 0 {
            self.me(group).app = App::AwaitsCommits;
        } else {
            self.revoke(group);
        }
    }

    /// onPartitionsRevoked.
    pub fn revoke(&mut self, group: usize) {
        if self.client(group).on_revoke.is_some_and(|listener| listener.commit) && !self.me(group).owned.is_empty() {
            let offsets = self.consumed(group);
            self.commit_sync(group, offsets, Next::Leave);
        } else {
            self.leave(group);
        }
    }

    pub fn leave(&mut self, group: usize) {
        assert_eq!(self.me(group).membership, Membership::Stable, "the family stops members that are up");
        self.me(group).app = App::Leaves;
        self.send(group, 0, Request::Leave);
    }

    pub fn close_sessions(&mut self, group: usize) {
        let open: Vec<usize> = (0..self.me(group).sessions.len()).filter(|broker| self.me(group).sessions[*broker]).collect();
        self.me(group).app = App::ClosesSessions(open.len());
        for broker in &open {
            self.send(group, 1 + broker, Request::CloseSession);
        }
        if open.is_empty() || !self.is_real() {
            self.exit(group);
        }
    }

    pub fn on_session_closed(&mut self, group: usize) {
        if let App::ClosesSessions(left) = &mut self.me(group).app {
            *left -= 1;
            if *left == 0 {
                self.exit(group);
            }
        }
    }
}

//! The only member of a group: its poll loop, one record at a time.

use std::collections::{BTreeMap, VecDeque};

use groupsim::scenario::{AutoOffsetReset, Client, Commit};

use crate::world::{Request, Tp, World, leader};

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Wake {
    /// The records in hand are done.
    Step,
    Heartbeat,
    /// The wait in poll() is over, if nothing else ended it.
    Poll,
    CloseTimeout,
}

#[derive(Clone, Debug)]
pub enum App {
    /// Waits in poll().
    Polling,
    AwaitsOffsets,
    /// Works until then on the records up to a number.
    Works {
        until: u64,
        to: usize,
    },
    /// Waits for commitSync().
    Commits(Next),
    AwaitsCommits,
    Leaves,
    ClosesSessions(usize),
}

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Next {
    Poll,
    Begin,
    GoOn,
    Close,
    Leave,
}

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Position {
    Unknown,
    /// Asked for, or not yet.
    Resetting(bool),
    Validating(u64, bool),
    At(u64),
}

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Membership {
    Outside,
    Joining,
    Syncing,
    /// SyncGroup was answered; poll() has not seen it.
    Synced,
    Stable,
}

pub struct Consumer {
    pub app: App,
    pub membership: Membership,
    pub coordinator: bool,
    pub looks_for_coordinator: bool,
    pub owned: Vec<(Tp, Position)>,
    /// Fetched and not yet returned, by partition in the order of arrival; the records that are left.
    pub buffer: VecDeque<(Tp, VecDeque<u64>)>,
    pub in_flight: Vec<bool>,
    pub sessions: Vec<bool>,
    pub auto_commit: Option<u64>,
    /// The end of a wait in poll() that is set already; it keeps its place among ties.
    pub wait_ends: Option<u64>,
    pub stopping: bool,
    pub next_heartbeat: Option<u64>,
    /// The batch in hand: the records, and when each of those that are planned is done.
    pub batch: Vec<(Tp, u64)>,
    pub ends: Vec<u64>,
    pub done: usize,
    pub commits_on_the_way: usize,
}

impl Consumer {
    pub fn misses_positions(&self) -> bool {
        self.owned.iter().any(|(_, position)| !matches!(position, Position::At(_)))
    }
}

impl World<'_> {
    pub fn me(&mut self, group: usize) -> &mut Consumer {
        self.consumers[group].as_mut().expect("the process runs")
    }

    pub fn client(&self, group: usize) -> &Client {
        &self.scenario.clients[group]
    }

    pub fn is_real(&self) -> bool {
        self.scenario.model.real_client
    }

    pub fn resets_to_latest(&self, group: usize) -> bool {
        self.client(group).config.auto_offset_reset == AutoOffsetReset::Latest
    }

    // --- poll() -------------------------------------------------------------------------------------------------------------------------

    pub fn poll(&mut self, group: usize) {
        self.me(group).app = App::Polling;
        if self.me(group).stopping {
            self.close(group);
        } else {
            self.iterate(group);
        }
    }

    /// One round of poll().
    pub fn iterate(&mut self, group: usize) {
        if !self.me(group).coordinator {
            if !std::mem::replace(&mut self.me(group).looks_for_coordinator, true) {
                self.send(group, 1, Request::FindCoordinator);
            }
            return;
        }
        match self.me(group).membership {
            Membership::Outside => {
                self.me(group).membership = Membership::Joining;
                let known = self.client(group).instance.is_some();
                self.send(group, 0, Request::Join(known));
            }
            Membership::Joining | Membership::Syncing => {}
            Membership::Synced => {
                self.me(group).membership = Membership::Stable;
                let owned = self.subscribed(group).into_iter().map(|tp| (tp, Position::Unknown)).collect();
                self.me(group).owned = owned;
                self.rearm_auto_commit(group);
                self.steady(group);
            }
            Membership::Stable => self.steady(group),
        }
    }

    pub fn steady(&mut self, group: usize) {
        if self.me(group).auto_commit.is_some_and(|due| due <= self.now) {
            self.rearm_auto_commit(group);
            let offsets = self.consumed(group);
            self.commit_async(group, offsets);
        }
        if self.find_positions(group) && !self.collect(group) {
            self.fetch(group);
            self.wait(group);
        }
    }

    pub fn rearm_auto_commit(&mut self, group: usize) {
        if self.client(group).commit == Commit::Auto {
            let interval = self.client(group).config.auto_commit_interval.as_nanos();
            self.me(group).auto_commit = Some(self.now + interval);
        }
    }

    /// Returns buffered records to the application, if there are any.
    pub fn collect(&mut self, group: usize) -> bool {
        let most = self.client(group).config.max_poll_records as usize;
        let me = self.me(group);
        if me.buffer.front().is_some_and(|(_, records)| records.is_empty()) {
            me.buffer.pop_front();
        }
        let mut batch = Vec::new();
        while batch.len() < most
            && let Some((tp, records)) = me.buffer.front_mut()
        {
            let Some(offset) = records.pop_front() else {
                me.buffer.pop_front();
                continue;
            };
            let owned = me.owned.iter_mut().find(|(owned, _)| owned == tp).expect("a lone member keeps its partitions");
            assert_eq!(owned.1, Position::At(offset), "records come in order");
            owned.1 = Position::At(offset + 1);
            batch.push((*tp, offset));
        }
        if batch.is_empty() {
            return false;
        }
        self.fetch(group);
        for (i, (tp, offset)) in batch.iter().enumerate() {
            if batch.get(i + 1).is_none_or(|(next, _)| next != tp) {
                self.books.positions.push((self.now, group, *tp, offset + 1));
            }
        }
        let me = self.me(group);
        (me.batch, me.ends, me.done) = (batch, Vec::new(), 0);
        if self.client(group).commit == Commit::BeforeProcessing {
            let offsets = self.consumed(group);
            self.commit_sync(group, offsets, Next::Begin);
        } else {
            self.begin(group);
        }
        true
    }

    /// A Fetch to every leader that has none on its way: all partitions of which nothing is buffered.
    pub fn fetch(&mut self, group: usize) {
        let brokers = self.scenario.cluster.brokers;
        // KAFKA-17182.
        let spares = self.scenario.kafka.clients >= groupsim::release::Release::V4_0_0;
        for broker in 0..brokers {
            let me = self.me(group);
            if me.in_flight[broker as usize] {
                continue;
            }
            let ready: Vec<(Tp, u64)> = me
                .owned
                .iter()
                .filter(|(tp, _)| leader(tp.0, tp.1, brokers) == broker)
                .filter_map(|(tp, position)| if let Position::At(offset) = position { Some((*tp, *offset)) } else { None })
                .collect();
            let is_buffered = |(tp, _): &(Tp, u64)| me.buffer.iter().any(|(other, _)| other == tp);
            let entries: Vec<(Tp, u64)> = ready.iter().filter(|entry| !is_buffered(entry)).copied().collect();
            if entries.is_empty() || spares && entries.len() < ready.len() {
                continue;
            }
            me.in_flight[broker as usize] = true;
            me.sessions[broker as usize] = true;
            self.send(group, 1 + broker as usize, Request::Fetch(entries));
        }
    }

    /// Waits in poll() until the network, the auto-commit or a missing position ends it.
    pub fn wait(&mut self, group: usize) {
        const POSITION_CHECK: u64 = 100_000_000;
        let now = self.now;
        let me = self.me(group);
        let missing = me.misses_positions();
        let Some(until) = me.auto_commit.into_iter().chain(missing.then_some(now + POSITION_CHECK)).min() else { return };
        if me.wait_ends.is_none_or(|set| set > until) {
            me.wait_ends = Some(until);
            self.wake(until, group, Wake::Poll);
        }
    }

    pub fn on_wake(&mut self, group: usize, wake: Wake) {
        match wake {
            Wake::Step => {
                if let App::Works { until, to } = self.me(group).app
                    && until == self.now
                {
                    self.finish_work(group, self.now);
                    assert_eq!(self.me(group).done, to, "the work is done");
                    self.after_work(group);
                }
            }
            Wake::Heartbeat => self.beat(group),
            Wake::Poll => {
                let now = self.now;
                let me = self.me(group);
                me.wait_ends = me.wait_ends.filter(|set| *set > now);
                if matches!(me.app, App::Polling) {
                    if me.misses_positions() || me.auto_commit.is_some_and(|due| due <= now) {
                        self.iterate(group);
                    } else {
                        self.wait(group);
                    }
                }
            }
            Wake::CloseTimeout => self.exit(group),
        }
    }

    /// The heartbeat thread looks what is due.
    pub fn beat(&mut self, group: usize) {
        let now = self.now;
        let is_due = self.me(group).next_heartbeat.is_some_and(|at| at <= now);
        if is_due && !matches!(self.me(group).app, App::Leaves | App::ClosesSessions(_)) {
            self.set_heartbeat(group);
            self.send(group, 0, Request::Heartbeat);
        }
    }

    pub fn set_heartbeat(&mut self, group: usize) {
        let at = self.now + self.client(group).config.heartbeat_interval.as_nanos();
        self.me(group).next_heartbeat = Some(at);
        self.wake(at, group, Wake::Heartbeat);
    }

    /// Every record is read, and, if the group commits, committed; or nobody will come back to what is not.
    pub fn is_group_drained(&self, group: usize) -> bool {
        let commits = self.client(group).commit != Commit::External;
        self.subscribed(group).into_iter().all(|tp| {
            let end = self.log(tp).end();
            let committed = self.groups[group].committed.get(&tp).copied();
            let settled = !commits || committed == Some(end);
            let of = |furthest: &BTreeMap<Tp, u64>| furthest.get(&tp).copied().unwrap_or(0);
            let (read, found) = (of(&self.books.read[group]), of(&self.books.found[group]));
            end == 0 || read >= end && settled || found >= end && (settled || committed.is_none())
        })
    }
}

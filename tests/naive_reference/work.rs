//! The application: one record after the other, and its commits.

use std::collections::BTreeMap;

use groupsim::scenario::{Client, Commit, Scenario};
use groupsim::sim::rng::Draws;
use groupsim::sim::rng::sampler::Sampler;

use crate::consumer::{App, Next, Position, Wake};
use crate::world::{Request, Tp, World};

/// How long each record takes.
pub struct Service {
    sampler: Sampler,
    draws: BTreeMap<Tp, Draws>,
}

impl Service {
    pub fn new(scenario: &Scenario, client: &Client, seed: u64, partitions: &[Tp]) -> Self {
        let group = &scenario.groups[client.group.index()].name;
        let label = |(topic, partition): &Tp| format!("processing/{group}/{}-{partition}", scenario.topics[*topic as usize].name);
        let draws = partitions.iter().map(|tp| (*tp, Draws::new(seed, &label(tp)))).collect();
        Service { sampler: Sampler::new(&client.processing.per_record), draws }
    }

    pub fn of(&self, tp: Tp, offset: u64) -> u64 {
        self.sampler.constant().unwrap_or_else(|| self.sampler.at(self.draws[&tp].at(offset, 0))).as_nanos()
    }
}

impl World<'_> {
    pub fn begin(&mut self, group: usize) {
        let start = self.now + self.client(group).processing.per_batch.as_nanos();
        self.work(group, start);
    }

    /// Works on what is left of the batch, or the part of it that is committed together.
    pub fn work(&mut self, group: usize, start: u64) {
        let left = self.me(group).batch.len() - self.me(group).done;
        let part = if let Commit::Every(records) = self.client(group).commit { left.min(records as usize) } else { left };
        let to = self.me(group).done + part;
        let mut at = start;
        for i in self.me(group).done..to {
            let (tp, offset) = self.me(group).batch[i];
            at += self.services[group].of(tp, offset);
            self.me(group).ends.push(at);
        }
        self.me(group).app = App::Works { until: at, to };
        self.wake(at, group, Wake::Step);
    }

    pub fn after_work(&mut self, group: usize) {
        let whole = self.me(group).done == self.me(group).batch.len();
        match self.client(group).commit {
            Commit::Auto | Commit::BeforeProcessing | Commit::External => self.poll(group),
            Commit::Sync => {
                let offsets = self.consumed(group);
                self.commit_sync(group, offsets, Next::Poll);
            }
            Commit::Async => {
                let offsets = self.consumed(group);
                self.commit_async(group, offsets);
                self.poll(group);
            }
            Commit::Every(_) => {
                let mut offsets: Vec<(Tp, u64)> = Vec::new();
                let me = self.me(group);
                for (tp, offset) in &me.batch[..me.done] {
                    offsets.retain(|(known, _)| known != tp);
                    offsets.push((*tp, offset + 1));
                }
                offsets.sort_unstable();
                self.commit_sync(group, offsets, if whole { Next::Poll } else { Next::GoOn });
            }
        }
    }

    // --- commits ------------------------------------------------------------------------------------------------------------------------

    /// Everything that poll() has returned so far.
    pub fn consumed(&mut self, group: usize) -> Vec<(Tp, u64)> {
        let at = |(tp, position): &(Tp, Position)| if let Position::At(offset) = position { Some((*tp, *offset)) } else { None };
        self.me(group).owned.iter().filter_map(at).collect()
    }

    pub fn commit_async(&mut self, group: usize, offsets: Vec<(Tp, u64)>) {
        if !offsets.is_empty() {
            self.me(group).commits_on_the_way += 1;
            self.send(group, 0, Request::Commit(offsets));
        }
    }

    pub fn commit_sync(&mut self, group: usize, offsets: Vec<(Tp, u64)>, next: Next) {
        self.me(group).app = App::Commits(next);
        if offsets.is_empty() {
            self.go_on(group, next);
        } else {
            self.me(group).commits_on_the_way += 1;
            self.send(group, 0, Request::Commit(offsets));
        }
    }

    /// Commits are answered in their order, and commitSync() is the last one on the way.
    pub fn on_committed(&mut self, group: usize) {
        self.me(group).commits_on_the_way -= 1;
        let is_last = self.me(group).commits_on_the_way == 0;
        match self.me(group).app {
            App::Commits(next) if is_last => self.go_on(group, next),
            App::AwaitsCommits if is_last => self.revoke(group),
            _ => {}
        }
    }

    pub fn go_on(&mut self, group: usize, next: Next) {
        match next {
            Next::Poll => self.poll(group),
            Next::Begin => self.begin(group),
            Next::GoOn => self.work(group, self.now),
            Next::Close => self.revoke(group),
            Next::Leave => self.leave(group),
        }
    }
}

//! Positions, and what a consumer does with the answers of brokers.

use crate::consumer::{App, Membership, Position};
use crate::world::{Answer, Request, Tp, World, leader};

impl World<'_> {
    /// False: poll() waits for the committed offsets.
    pub fn find_positions(&mut self, group: usize) -> bool {
        self.ask_leaders(
            group,
            |position| match position {
                Position::Validating(_, asked) => !std::mem::replace(asked, true),
                Position::Unknown | Position::Resetting(_) | Position::At(_) => false,
            },
            Request::Validate,
        );
        let unknown: Vec<Tp> = self.me(group).owned.iter().filter(|(_, at)| *at == Position::Unknown).map(|(tp, _)| *tp).collect();
        if unknown.is_empty() {
            self.reset_positions(group);
            return true;
        }
        self.me(group).app = App::AwaitsOffsets;
        self.send(group, 0, Request::OffsetFetch(unknown));
        false
    }

    pub fn reset_positions(&mut self, group: usize) {
        self.ask_leaders(
            group,
            |position| match position {
                Position::Resetting(asked) => !std::mem::replace(asked, true),
                Position::Unknown | Position::Validating(..) | Position::At(_) => false,
            },
            Request::ListOffsets,
        );
    }

    pub fn ask_leaders(&mut self, group: usize, due: impl Fn(&mut Position) -> bool, request: impl Fn(Vec<Tp>) -> Request) {
        let brokers = self.scenario.cluster.brokers;
        for broker in 0..brokers {
            let led = self.me(group).owned.iter_mut().filter(|(tp, _)| leader(tp.0, tp.1, brokers) == broker);
            let partitions: Vec<Tp> = led.filter_map(|(tp, position)| due(position).then_some(*tp)).collect();
            if !partitions.is_empty() {
                self.send(group, 1 + broker as usize, request(partitions));
            }
        }
    }

    pub fn on_answer(&mut self, group: usize, connection: usize, answer: Answer) {
        let peer = self.connections[connection].peer;
        let was_polling = matches!(self.me(group).app, App::Polling);
        match answer {
            Answer::Coordinator => self.me(group).coordinator = true,
            Answer::MemberIdRequired => {
                // At once, from the handler's next round.
                self.send(group, 0, Request::Join(true));
            }
            Answer::Joined => {
                self.me(group).membership = Membership::Syncing;
                self.set_heartbeat(group);
                self.send(group, 0, Request::Sync);
            }
            Answer::Synced => self.me(group).membership = Membership::Synced,
            Answer::Heartbeat => {}
            Answer::Committed => self.on_committed(group),
            Answer::Offsets(offsets) => self.on_offsets(group, offsets),
            Answer::Left => self.close_sessions(group),
            Answer::Fetched(records) => {
                let me = self.me(group);
                me.in_flight[peer - 1] = false;
                me.buffer.extend(records.into_iter().map(|(tp, from, to)| (tp, (from..to).collect())));
            }
            Answer::Listed(offsets) => {
                for (tp, offset) in offsets {
                    self.place(group, tp, offset);
                    if self.resets_to_latest(group) {
                        self.books.resets.push((self.now, group, tp, offset));
                    }
                }
            }
            Answer::Valid(partitions) => {
                for (_, position) in self.me(group).owned.iter_mut().filter(|(tp, _)| partitions.contains(tp)) {
                    if let Position::Validating(offset, _) = *position {
                        *position = Position::At(offset);
                    }
                }
            }
            Answer::SessionClosed => self.on_session_closed(group),
        }
        if was_polling && self.consumers[group].is_some() && !self.collect(group) {
            self.iterate(group);
        }
    }

    pub fn place(&mut self, group: usize, tp: Tp, offset: u64) {
        let owned = self.me(group).owned.iter_mut().find(|(owned, _)| *owned == tp).expect("it asked for its own");
        owned.1 = Position::At(offset);
        self.books.positions.push((self.now, group, tp, offset));
        let furthest = self.books.found[group].entry(tp).or_default();
        *furthest = offset.max(*furthest);
    }

    pub fn on_offsets(&mut self, group: usize, offsets: Vec<(Tp, Option<u64>)>) {
        if !matches!(self.me(group).app, App::AwaitsOffsets) {
            return;
        }
        self.me(group).app = App::Polling;
        let validates = self.scenario.model.validate_positions;
        for (tp, committed) in offsets {
            if let Some(offset) = committed {
                self.place(group, tp, offset);
            }
            let owned = self.me(group).owned.iter_mut().find(|(owned, _)| *owned == tp).expect("it asked for its own");
            match committed {
                // What was committed after something was consumed carries a leader epoch.
                Some(offset) if validates && offset > 0 => owned.1 = Position::Validating(offset, false),
                Some(_) => {}
                None => owned.1 = Position::Resetting(false),
            }
        }
        self.reset_positions(group);
        self.fetch(group);
        self.wait(group);
    }
}

//! Every interleaving in a small world: two members, two partitions and two disturbances, for each protocol.
//!
//! The coordinators are the real ones; a member is as little of a client as the protocol allows. From a start (the first member alone and
//! stable, or both) every sequence of steps of the two members with two disturbances anywhere in between is played. After each step:
//!
//! - *NoDoubleAssignment*: no partition belongs to two processes that the group has as members, and the coordinator has given none to two.
//! - *ValidPartitionEpoch*: a member of a KIP-848 group got each of its partitions at an epoch that its group has reached and it has, too.
//! - *LegalTargetAssignment*: what is handed out exists, and once; if it is for the group's epoch, all partitions are in it.
//!
//! And at the end of each: *EventuallyConverges*: when nothing more disturbs them, those that live share all partitions.

use world::{Disturbance, Protocol, World};

mod classic;
mod consumer;
mod world;

/// Steps of members in a sequence.
const STEPS: usize = 6;
const DISTURBANCES: usize = 2;

/// What has been played and what is left to be played.
struct Walk {
    disturbances: Vec<Disturbance>,
    played: Vec<String>,
    ends: u64,
}

impl Walk {
    fn go(&mut self, world: &World, steps: usize, disturbances: usize) {
        if steps == 0 && disturbances == 0 {
            self.ends += 1;
            let mut end = world.clone();
            self.examine(end.settle());
            return;
        }
        if steps > 0 {
            for member in 0..2 {
                self.try_act(world, format!("step of {member}"), steps - 1, disturbances, |world| world.step(member));
            }
        }
        if disturbances > 0 {
            for at in 0..self.disturbances.len() {
                let disturbance = self.disturbances[at];
                self.try_act(world, format!("{disturbance:?}"), steps, disturbances - 1, |world| world.disturb(disturbance));
            }
        }
    }

    fn try_act(&mut self, world: &World, name: String, steps: usize, disturbances: usize, act: impl FnOnce(&mut World)) {
        let mut next = world.clone();
        self.played.push(name);
        act(&mut next);
        self.examine(next.check());
        self.go(&next, steps, disturbances);
        self.played.pop();
    }

    fn examine(&self, found: Result<(), String>) {
        if let Err(what) = found {
            panic!("{what}\nafter {:#?}", self.played);
        }
    }
}

/// Plays every sequence from both starts; how many there were.
fn explore(protocol: Protocol) -> u64 {
    let mut ends = 0;
    for joined in [1, 2] {
        let mut walk = Walk { disturbances: Disturbance::all(), played: vec![format!("{protocol:?}, {joined} joined")], ends: 0 };
        let start = World::started(protocol, joined);
        walk.examine(start.check());
        walk.go(&start, STEPS, DISTURBANCES);
        ends += walk.ends;
    }
    ends
}

/// 2^6 orders of the members, 28 places for two disturbances, each of nine kinds, from two starts.
const SEQUENCES: u64 = (1 << STEPS) * 28 * 81 * 2;

#[test]
fn eager_groups_share_partitions_without_overlap_in_every_order() {
    assert_eq!(explore(Protocol::Eager), SEQUENCES);
}

#[test]
fn cooperative_groups_share_partitions_without_overlap_in_every_order() {
    assert_eq!(explore(Protocol::Cooperative), SEQUENCES);
}

#[test]
fn kip_848_groups_share_partitions_without_overlap_in_every_order() {
    assert_eq!(explore(Protocol::Consumer), SEQUENCES);
}

#[test]
fn an_assignment_that_overlaps_is_noticed() {
    let mut world = World::started(Protocol::Consumer, 2);
    world.give_everything(0);
    world.give_everything(1);
    assert!(world.check().is_err_and(|what| what.starts_with("NoDoubleAssignment")));
}

#[test]
fn a_group_that_stands_still_is_noticed() {
    let mut world = World::started(Protocol::Consumer, 2);
    world.forget_everything(0);
    assert!(world.converged().is_err_and(|what| what.starts_with("EventuallyConverges")));
}

//! Groups of the consumer protocol and mixed ones: what their brokers and their members say.

use std::fmt::Write;

use crate::scene::{Mood, Pace, Scene, entry, line};

/// The brokers' settings of KIP-848 groups, if there are some.
pub fn write_brokers_config(scene: &mut Scene, size: Option<u64>) -> String {
    let quick = scene.pace == Pace::Quick;
    let Some(dice) = &mut scene.protocols else { return String::new() };
    let session = if quick { Some(dice.between(400, 3_000)) } else { dice.perhaps(50, &[6_000, 10_000, 45_000]) };
    let heartbeat = if quick { Some(dice.between(50, 390)) } else { dice.perhaps(30, &[1_000, 3_000]) };
    let interval = dice.perhaps(50, &[0, 100, 1_000]);
    scene.brokers_timing = (session, heartbeat);
    let policies = ["disabled", "upgrade", "downgrade", "bidirectional"];
    let mixing = scene.mixing.as_mut().filter(|_| scene.mood == Mood::Wild);
    let policy = mixing.and_then(|mixing| mixing.perhaps(30, &policies));
    [
        entry("group.consumer.min.session.timeout.ms", session),
        entry("group.consumer.session.timeout.ms", session),
        entry("group.consumer.min.heartbeat.interval.ms", heartbeat),
        entry("group.consumer.heartbeat.interval.ms", heartbeat),
        entry("group.consumer.assignment.interval.ms", interval),
        entry("group.consumer.assignors", dice.perhaps(20, &["[range]", "[range, uniform]"])),
        entry("group.consumer.max.size", size),
        entry("group.consumer.migration.policy", policy),
    ]
    .concat()
}

/// Switches of `model:` that matter to KIP-848 clients. An application that does something in `on.revoke` has a listener all the same.
pub fn write_switches(scene: &mut Scene) -> String {
    let (wild, racing) = (scene.mood == Mood::Wild, scene.release >= "4.2");
    let Some(dice) = &mut scene.switches else { return String::new() };
    let (passes, listener) = (dice.perhaps(20, &["true", "false"]), dice.perhaps(40, &["false"]));
    let race = dice.perhaps(20, &["true"]).filter(|_| wild && racing);
    entry("app.passes", passes) + &entry("listener", listener) + &entry("commit.race", race)
}

impl Scene {
    /// Properties of a client that may speak another protocol than before, so many times of a hundred.
    pub fn other_protocol(&mut self, percent: u64) -> Option<String> {
        let quick = self.pace == Pace::Quick;
        let dice = self.mixing.as_mut()?;
        if !dice.chance(percent) {
            return None;
        }
        if dice.chance(50) {
            return Some("group.protocol: consumer".to_owned());
        }
        let session = if quick { Some(dice.between(400, 3_000)) } else { None };
        let heartbeat = if quick { Some(dice.between(50, 390)) } else { None };
        let strategy = dice.perhaps(50, &["[range]", "[cooperative-sticky]", "[range, cooperative-sticky]"]);
        let timing = entry("session.timeout.ms", session) + &entry("heartbeat.interval.ms", heartbeat);
        Some(format!("group.protocol: classic{timing}{}", entry("partition.assignment.strategy", strategy)))
    }
}

/// What some groups have instead of the brokers' settings.
pub fn write_group_config(scene: &mut Scene, yaml: &mut String) {
    let spaced = scene.release >= "4.3";
    let (session, heartbeat) = scene.brokers_timing;
    let Some(dice) = scene.mixing.as_mut().filter(|_| session.is_some()) else { return };
    if !dice.chance(40) {
        return;
    }
    let session = session.unwrap_or(45_000) + dice.between(0, 2_000);
    // The brokers' is the least.
    let heartbeat = heartbeat.filter(|least| *least < 300).map(|least| least + dice.between(0, 90));
    let config = [
        entry("consumer.session.timeout.ms", Some(session)),
        entry("consumer.heartbeat.interval.ms", heartbeat),
        entry("consumer.assignment.interval.ms", dice.perhaps(40, &[0, 50, 700]).filter(|_| spaced)),
    ];
    line!(yaml, "    group.config: {{{}}}", config.concat().trim_start_matches(", "));
}

//! Scenarios of groups with one member each.

use std::fmt::Write;

use crate::dice::Dice;

macro_rules! line {
    ($yaml:expr, $($text:tt)*) => { writeln!($yaml, $($text)*).expect("memory takes text") };
}

pub fn write(seed: u64) -> String {
    let mut dice = Dice::new(seed ^ 0x5eed_0000_0000);
    let mut yaml = String::new();
    let duration = dice.between(3_000, 30_000);
    let settle = if dice.chance(35) { 0 } else { dice.between(1, 40_000) };
    let release = dice.pick(&["2.8", "3.9", "4.0", "4.1", "4.2", "4.3", "4.4"]);
    line!(yaml, "name: family-{seed}\nkafka: \"{release}\"\nseed: {seed}\nduration: {duration}ms\nsettle: {settle}ms");
    line!(
        yaml,
        "sample.interval: {}",
        dice.pick(&["100ms", "77ms", "1s", "333us"].map(|step| if duration > 9_000 { "250ms" } else { step }))
    );
    line!(
        yaml,
        "model: {{client: {}{}}}",
        dice.pick(&["real", "ideal"]),
        entry("validate.positions", dice.perhaps(25, &["true", "false"]))
    );
    let latency = dice.pick(&["1ms", "1ms", "3ms", "250us", "0ms", "{uniform: [200us, 2ms]}", "{values: [1013us, 4007us, 1501us]}"]);
    let brokers = dice.pick(&[1, 1, 2, 3]);
    let write = dice.pick(&["auto", "auto", "0ms", "2ms", "7ms"]);
    let delay = dice.pick(&[0, 0, 100, 1_500]);
    line!(yaml, "cluster:\n  brokers: {brokers}\n  latency: {latency}\n  write.latency: {write}");
    line!(yaml, "  config: {{group.initial.rebalance.delay.ms: {delay}, group.min.session.timeout.ms: 300}}");
    line!(yaml, "topics:");
    let topics = dice.between(1, 2);
    for topic in 0..topics {
        let replicas = dice.perhaps(50, &[brokers.min(2)]);
        line!(yaml, "  t{topic}: {{partitions: {}{}}}", dice.pick(&[1, 2, 3, 5]), entry("replication.factor", replicas));
    }
    let mut timeline = String::new();
    write_producers(&mut dice, duration, topics, (&mut yaml, &mut timeline));
    write_groups(&mut dice, duration, topics, delay, (&mut yaml, &mut timeline));
    if !timeline.is_empty() {
        line!(yaml, "timeline:");
    }
    yaml + &timeline
}

fn entry(key: &str, value: Option<impl std::fmt::Display>) -> String {
    value.map_or_else(String::new, |value| format!(", {key}: {value}"))
}

fn write_producers(dice: &mut Dice, duration: u64, topics: u64, (yaml, timeline): (&mut String, &mut String)) {
    line!(yaml, "producers:");
    for producer in 0..dice.pick(&[1, 1, 2, 3]) {
        line!(yaml, "  p{producer}:\n    topic: t{}", dice.between(0, topics - 1));
        let rate =
            |dice: &mut Dice| format!("{}/{}", dice.pick(&[1, 5, 20, 50, 97, 100, 200, 400, 1_000]), dice.pick(&["s", "s", "s", "700ms"]));
        if dice.chance(40) {
            let (first, second) = (dice.between(0, duration / 2), dice.between(duration / 2 + 1, duration - 1));
            let (one, other) = (rate(dice), rate(dice));
            line!(yaml, "    steps: [{{at: {first}ms, rate: {one}}}, {{at: {second}ms, rate: {other}}}]");
        } else {
            line!(yaml, "    rate: {}", rate(dice));
        }
        if dice.chance(25) {
            let (at, other) = (dice.between(1, duration - 1), if dice.chance(20) { "0/s".to_owned() } else { rate(dice) });
            line!(timeline, "  - {{at: {at}ms, rate: {{p{producer}: {other}}}}}");
        }
        if dice.chance(30) {
            line!(yaml, "    arrivals: poisson");
        }
        match dice.between(0, 4) {
            0 => line!(yaml, "    keys: {{prefix: truck_, count: {}}}", dice.between(1, 20)),
            1 => line!(yaml, "    keys: {{count: 12, zipf: 1.1}}"),
            _ => {}
        }
        line!(yaml, "    record.size: {}", dice.pick(&["0B", "30B", "100B", "900B", "4KiB"]));
        let config = [
            entry("linger.ms", dice.perhaps(60, &[0, 1, 5, 10, 40, 100, 250])),
            entry("batch.size", dice.perhaps(50, &[0, 200, 700, 2_000, 9_000])),
            entry("acks", dice.perhaps(50, &["all", "1", "0"])),
            entry("max.in.flight.requests.per.connection", dice.perhaps(40, &[1, 2, 3])),
        ];
        line!(yaml, "    config: {{{}}}", config.concat().trim_start_matches(", "));
    }
}

fn write_groups(dice: &mut Dice, duration: u64, topics: u64, delay: u64, (yaml, timeline): (&mut String, &mut String)) {
    line!(yaml, "groups:");
    // Each lives in a partition of its own of __consumer_offsets, so that nobody's writes hold others up.
    for group in &["g1", "payments", "test-group"][..dice.between(1, 3) as usize] {
        line!(yaml, "  {group}:");
        let both = topics > 1 && dice.chance(50);
        line!(yaml, "    topics: [{}]", if both { "t1, t0" } else { "t0" });
        let start = dice.pick(&[0, 0, 0, 137, 1_000]);
        line!(yaml, "    members: {{A: {{start: {start}ms}}}}");
        let commit = dice.pick(&[
            "auto",
            "auto",
            "auto",
            "sync",
            "{every: 3}",
            "{every: 40}",
            "per-record",
            "before-processing",
            "external",
            "async",
        ]);
        line!(yaml, "    commit: {commit}");
        line!(yaml, "    processing: {}", processing(dice, commit));
        if dice.chance(20) {
            line!(yaml, "    on.revoke: commit");
        }
        let session = dice.between(1_000, 4_000);
        line!(
            yaml,
            "    config: {{auto.offset.reset: {}, session.timeout.ms: {session}, heartbeat.interval.ms: {}{}{}{}{}{}{}}}",
            dice.pick(&["earliest", "earliest", "latest"]),
            dice.between(100, 330),
            entry("max.poll.records", dice.perhaps(60, &[1, 2, 10, 50, 10_000])),
            entry("auto.commit.interval.ms", dice.perhaps(70, &[20, 100, 333, 1_000])),
            entry("fetch.min.bytes", dice.perhaps(40, &[1, 150, 2_000, 30_000])),
            entry("fetch.max.wait.ms", dice.perhaps(40, &[7, 100, 700])),
            entry("fetch.max.bytes", dice.perhaps(25, &[0, 300, 5_000])),
            entry("max.partition.fetch.bytes", dice.perhaps(35, &[0, 170, 300, 5_000])),
        );
        // Afterwards the member is up, even if it had to wait for the session of its ghost.
        let up = 2 * delay + session + 400;
        write_faults(dice, &format!("{group}/A"), (start, up, duration), timeline);
    }
}

fn processing(dice: &mut Dice, commit: &str) -> String {
    let (most, mean) = if dice.chance(30) { (20_000, 9_000) } else { (1_500, 900) };
    // Commits that pile up on the coordinator's connection would hold up heartbeats for a session.
    let (kind, least) = if commit == "async" { (3, 10_000) } else { (dice.between(0, 5), 1) };
    match kind {
        0 => "0ms".to_owned(),
        1 => format!("{}us", dice.between(1, most)),
        2 => format!("{{exponential: {}us}}", dice.between(1, mean)),
        3 => format!("{{time: {}us, per.batch: {}us}}", dice.between(0, 900), dice.between(least, 12_000)),
        4 => "{time: {values: [100us, 1ms, 2ms]}, per.batch: 1ms}".to_owned(),
        _ => "1ms".to_owned(),
    }
}

/// Crashes, stops and starts of a member that is up some time after each start, and pauses while it is up.
fn write_faults(dice: &mut Dice, member: &str, (start, up, duration): (u64, u64, u64), timeline: &mut String) {
    let mut pauses = String::new();
    let mut pause = |dice: &mut Dice, from: u64, until: u64| {
        if dice.chance(25) && from < until.min(duration) {
            // Shorter than a session, and at moments of its own.
            let (from, lasts) = (dice.between(from, until.min(duration) - 1), dice.between(1_000, 500_000));
            line!(pauses, "  - {{at: {from}007us, pause: {member}, for: {lasts}us}}");
        }
    };
    let mut at = start + up + dice.between(0, duration / 2);
    pause(dice, start + up, at);
    while at + 50 < duration && dice.chance(80) {
        let verb = dice.pick(&["crash", "crash", "stop"]);
        let down = dice.pick(&[1, 20, 900]) + dice.between(0, 5_000) + if verb == "stop" { 3_000 } else { 0 };
        line!(timeline, "  - {{at: {at}ms, {verb}: {member}}}");
        let back = at + down;
        if back >= duration {
            break;
        }
        line!(timeline, "  - {{at: {back}ms, start: {member}}}");
        at = back + up + dice.between(0, duration / 3);
        pause(dice, back + up, at);
    }
    timeline.push_str(&pauses);
}

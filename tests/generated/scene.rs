//! Valid scenarios out of a seed, as YAML text.
//!
//! Short runs with low rates, so that thousands of them take seconds, but with everything else that the format has. What keeps a client
//! spinning without virtual time passing (no latency and a Fetch that is answered at once) is left out: such runs end as stuck, and rightly.

use std::fmt::Write;

use crate::dice::Dice;
use crate::moving::Moving;
use crate::{mixing, timeline};

/// What kind of run is wanted.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Mood {
    /// Anything goes.
    Wild,
    /// Nobody dies, pauses or is too slow: members come, stop and restart in an orderly way, and there is time enough to drain.
    Calm,
}

/// How long things take, in milliseconds.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Pace {
    /// Sessions of a second: much happens to a group in little time.
    Quick,
    /// Kafka's own defaults.
    Kafka,
}

/// What the parts of a scenario have to know of each other.
pub struct Scene {
    pub mood: Mood,
    pub pace: Pace,
    pub release: &'static str,
    pub duration: u64,
    /// No message takes any time.
    pub instant: bool,
    pub brokers: u64,
    pub broker_down_until: Vec<u64>,
    /// Partitions by topic.
    pub topics: Vec<u64>,
    /// By producer, the topic.
    pub producers: Vec<u64>,
    /// A static leader that comes back does not see that a topic has grown meanwhile.
    pub has_statics: bool,
    /// Records a second, of all producers together, at most.
    pub rate: u64,
    /// Draws of their own: which groups speak the consumer protocol; none if there are no such groups.
    pub protocols: Option<Dice>,
    /// Draws of their own: which members speak another protocol than their group, from the start or by a deployment.
    pub mixing: Option<Dice>,
    /// Draws of their own: what `model:` says of KIP-848 clients.
    pub switches: Option<Dice>,
    /// The brokers' session timeout and heartbeat interval of KIP-848 groups, if they are not Kafka's.
    pub brokers_timing: (Option<u64>, Option<u64>),
    pub groups: Vec<Group>,
    /// Subscriptions differ and change, and topics come and go.
    pub moving: Option<Moving>,
}

pub struct Group {
    pub name: String,
    /// Names and starts of the declared members; `None`: never by itself.
    pub members: Vec<(String, Option<u64>)>,
    /// Speaks the consumer protocol, but for members that say otherwise.
    pub modern: bool,
}

pub fn write(seed: u64, mood: Mood, moving: Option<Moving>) -> String {
    let mut dice = Dice::new(seed);
    let pace = if dice.chance(75) { Pace::Quick } else { Pace::Kafka };
    let duration = match pace {
        Pace::Quick => dice.between(800, 8_000),
        Pace::Kafka => dice.between(5_000, 70_000),
    };
    let brokers = dice.pick(&[1, 1, 1, 2, 3]);
    let mut scene = Scene {
        mood,
        pace,
        release: dice.pick(&["2.8", "3.9", "4.0", "4.0.1", "4.1", "4.2", "4.2.0", "4.3", "4.3", "4.4"]),
        duration,
        instant: false,
        brokers,
        broker_down_until: vec![0; brokers as usize],
        topics: Vec::new(),
        producers: Vec::new(),
        has_statics: false,
        rate: 0,
        protocols: None,
        mixing: None,
        switches: None,
        brokers_timing: (None, None),
        groups: Vec::new(),
        moving,
    };
    let mut protocols = Dice::new(seed ^ 0x0848);
    if scene.release >= "4" && protocols.chance(45) {
        scene.protocols = Some(protocols);
        let mut mixing = Dice::new(seed ^ 0x0310);
        scene.mixing = mixing.chance(60).then_some(mixing);
        scene.switches = Some(Dice::new(seed ^ 0x0230));
    }
    let mut yaml =
        format!("name: generated-{seed}\nkafka: \"{}\"\nseed: {}\nduration: {duration}ms\n", scene.release, dice.between(0, 1_000));
    write_frame(&mut dice, &mut scene, &mut yaml);
    write_topics(&mut dice, &mut scene, &mut yaml);
    write_producers(&mut dice, &mut scene, &mut yaml);
    write_groups(&mut dice, &mut scene, &mut yaml);
    timeline::write(&mut dice, &mut scene, &mut yaml);
    yaml
}

macro_rules! line {
    ($yaml:expr, $($text:tt)*) => { writeln!($yaml, $($text)*).expect("memory takes text") };
}
pub(crate) use line;

fn write_frame(dice: &mut Dice, scene: &mut Scene, yaml: &mut String) {
    let settle = match (scene.mood, scene.pace) {
        (Mood::Calm, _) => 3_600_000,
        (Mood::Wild, _) if dice.chance(25) => 0,
        (Mood::Wild, Pace::Quick) => dice.between(500, 12_000),
        (Mood::Wild, Pace::Kafka) => dice.between(1_000, 60_000),
    };
    line!(yaml, "settle: {settle}ms");
    let (client, validates) = (dice.pick(&["real", "real", "ideal"]), dice.perhaps(20, &["true", "false"]));
    let drift = dice.perhaps(15, &["0.65%", "3%"]);
    let switches = entry("validate.positions", validates) + &entry("heartbeat.drift", drift) + &mixing::write_switches(scene);
    line!(yaml, "model: {{client: {client}{switches}}}");
    let mut latency = dice.pick(&["1ms", "1ms", "1ms", "500us", "3ms", "0ms", "250us", "20ms"]).to_owned();
    scene.instant = latency == "0ms";
    if dice.chance(35) {
        scene.instant = false;
        latency = distribution(dice, [200, 3_000]);
    }
    line!(yaml, "cluster:\n  brokers: {}\n  latency: {latency}", scene.brokers);
    if let Some(write) = dice.perhaps(40, &["auto", "0ms", "2ms", "15ms"]) {
        line!(yaml, "  write.latency: {write}");
    }
    if let Some(load) = dice.perhaps(30, &["0ms", "3ms", "900ms"]) {
        line!(yaml, "  load.time: {load}");
    }
    let delay = match scene.pace {
        Pace::Quick => Some(dice.pick(&[0, 0, 50, 300, 500])),
        Pace::Kafka => dice.perhaps(40, &[0, 100, 1_000]),
    };
    let least = (scene.pace == Pace::Quick).then_some(300);
    let detection = (scene.mood == Mood::Wild).then(|| dice.pick(&[1, 300, 2_000]));
    let size = if scene.mood == Mood::Wild { dice.perhaps(4, &[1, 2, 3]) } else { None };
    let modern = mixing::write_brokers_config(scene, size);
    line!(
        yaml,
        "  config: {{{}}}",
        [
            entry("group.initial.rebalance.delay.ms", delay),
            entry("group.min.session.timeout.ms", least),
            entry("group.max.size", size),
            entry("broker.session.timeout.ms", detection),
            modern
        ]
        .concat()
        .trim_start_matches(", ")
    );
}

/// `, key: value`, or nothing.
pub fn entry(key: &str, value: Option<impl std::fmt::Display>) -> String {
    value.map_or_else(String::new, |value| format!(", {key}: {value}"))
}

/// A random length of time; the bounds are microseconds.
fn distribution(dice: &mut Dice, [low, high]: [u64; 2]) -> String {
    let (a, b, c) = (dice.between(low, high), dice.between(low, high), dice.between(low, high));
    match dice.between(0, 5) {
        0 => format!("{{uniform: [{}us, {}us]}}", a.min(b), a.max(b)),
        1 => format!("{{exponential: {a}us}}"),
        2 => format!("{{normal: {{mean: {a}us, sd: {}us}}}}", b / 3),
        3 => format!("{{lognormal: {{p50: {a}us, p99: {}us}}}}", a + 4 * b),
        4 => format!("{{pareto: {{scale: {}us, shape: {}}}}}", a.max(1), dice.pick(&["1.5", "2.2", "3"])),
        _ => format!("{{values: [{a}us, {b}us, {c}us]}}"),
    }
}

fn write_topics(dice: &mut Dice, scene: &mut Scene, yaml: &mut String) {
    line!(yaml, "topics:");
    for topic in 0..dice.pick(&[1, 1, 2, 3]) {
        let partitions = dice.pick(&[1, 1, 2, 3, 4, 6, 9]);
        let replicas = if scene.brokers > 1 { dice.perhaps(60, &[1, 2]) } else { None };
        line!(yaml, "  t{topic}: {{partitions: {partitions}{}}}", entry("replication.factor", replicas));
        scene.topics.push(partitions);
    }
    scene.moving.iter_mut().for_each(|moving| moving.declare(&scene.topics));
}

fn write_producers(dice: &mut Dice, scene: &mut Scene, yaml: &mut String) {
    line!(yaml, "producers:");
    let highest = if scene.pace == Pace::Quick { 600 } else { 60 };
    for producer in 0..dice.pick(&[1, 1, 2, 3]) {
        let topic = dice.between(0, scene.topics.len() as u64 - 1);
        line!(yaml, "  p{producer}:\n    topic: t{topic}");
        let mut rates = vec![dice.between(1, highest)];
        if dice.chance(35) {
            line!(yaml, "    steps:");
            let mut at = if dice.chance(60) { 0 } else { dice.between(1, scene.duration / 3) };
            while at < scene.duration && rates.len() < 6 {
                let rate = if dice.chance(25) { 0 } else { dice.between(1, highest) };
                let per = dice.pick(&["s", "s", "s", "700ms", "3s"]);
                line!(yaml, "      - {{at: {at}ms, rate: {rate}/{per}}}");
                rates.push(rate * 10 / 7 + 1);
                at += dice.between(1, scene.duration);
            }
        } else {
            line!(yaml, "    rate: {}/{}", rates[0], dice.pick(&["s", "s", "s", "900ms"]));
        }
        scene.rate += 2 * rates.iter().max().copied().unwrap_or_default();
        scene.producers.push(topic);
        write_producer_details(dice, yaml);
    }
}

fn write_producer_details(dice: &mut Dice, yaml: &mut String) {
    if dice.chance(35) {
        line!(yaml, "    arrivals: poisson");
    }
    match dice.between(0, 5) {
        0 => line!(yaml, "    keys: {{prefix: truck_, count: {}}}", dice.between(1, 40)),
        1 => line!(yaml, "    keys: {{count: {}, zipf: {}}}", dice.between(1, 40), dice.pick(&["0.5", "1", "1.7"])),
        2 => line!(yaml, "    keys: {{weights: [{}, {}, {}]}}", dice.between(0, 9), dice.between(1, 9), dice.between(0, 90)),
        _ => {}
    }
    if let Some(size) = dice.perhaps(50, &["0B", "10B", "700B", "5KiB"]) {
        line!(yaml, "    record.size: {size}");
    }
    let linger = dice.perhaps(50, &[0, 1, 5, 20, 70, 300]);
    let batch = dice.perhaps(40, &[0, 100, 500, 2_000, 100_000]);
    let acks = dice.perhaps(40, &["all", "1", "0"]);
    let in_flight = dice.perhaps(30, &[1, 2, 5]);
    let age = dice.perhaps(20, &[40, 500, 3_000]);
    let config = [
        entry("linger.ms", linger),
        entry("batch.size", batch),
        entry("acks", acks),
        entry("max.in.flight.requests.per.connection", in_flight),
        entry("metadata.max.age.ms", age),
    ];
    line!(yaml, "    config: {{{}}}", config.concat().trim_start_matches(", "));
}

fn write_groups(dice: &mut Dice, scene: &mut Scene, yaml: &mut String) {
    line!(yaml, "groups:");
    for group in 0..dice.pick(&[1, 1, 1, 2, 3]) {
        let name = format!("g{group}");
        line!(yaml, "  {name}:");
        let mut topics: Vec<u64> = (0..scene.topics.len() as u64).collect();
        topics.retain(|topic| *topic == 0 || dice.chance(60));
        if dice.chance(30) {
            topics.rotate_left(1);
        }
        match scene.moving.as_mut().filter(|_| group == 0) {
            Some(moving) => line!(yaml, "    topics: {}", moving.subscription()),
            None => line!(yaml, "    topics: [{}]", topics.iter().map(|topic| format!("t{topic}")).collect::<Vec<_>>().join(", ")),
        }
        let members = write_members(dice, scene, &name, yaml);
        scene.groups.push(Group { name, members, modern: false });
        write_application(dice, scene, yaml);
        let modern = write_consumer_config(dice, scene, yaml);
        scene.groups[group].modern = modern;
        mixing::write_group_config(scene, yaml);
    }
}

fn write_members(dice: &mut Dice, scene: &mut Scene, group: &str, yaml: &mut String) -> Vec<(String, Option<u64>)> {
    let count = dice.pick(&[1, 1, 2, 2, 3, 4, 5, 6]) as usize;
    let names: Vec<String> = ["A", "B", "C", "D", "E", "F"][..count].iter().map(|name| (*name).to_owned()).collect();
    if dice.chance(20) {
        line!(yaml, "    members: {count}");
        return (1..=count).map(|number| (format!("{group}-{number}"), Some(0))).collect();
    }
    if dice.chance(25) {
        line!(yaml, "    members: [{}]", names.join(", "));
        return names.into_iter().map(|name| (name, Some(0))).collect();
    }
    line!(yaml, "    members:");
    let mut members = Vec::new();
    for (number, name) in names.into_iter().enumerate() {
        let start = match dice.between(0, 9) {
            0..5 => Some(0),
            9 if scene.mood == Mood::Wild => None,
            _ => Some(dice.between(0, scene.duration * 5 / 4)),
        };
        let written = start.map_or("never".to_owned(), |start| format!("{start}ms"));
        // Two processes with one instance id fence each other.
        let twin = scene.mood == Mood::Wild && number == 1 && dice.chance(3);
        let instance = dice.chance(20).then(|| format!("{group}-i{}", if twin { 0 } else { number }));
        scene.has_statics |= instance.is_some();
        let own = dice.perhaps(10, &["max.poll.records: 3", "auto.commit.interval.ms: 70"]);
        // Members with different lists: what is not common to all is not voted for, and who has nothing in common fails.
        let strategy = if scene.mood == Mood::Wild { dice.perhaps(8, &STRATEGIES).filter(|_| scene.protocols.is_none()) } else { None };
        let own = own.map(str::to_owned).or(strategy.map(|list| format!("partition.assignment.strategy: {list}")));
        let own: Vec<String> = own.into_iter().chain(scene.other_protocol(40)).collect();
        let special = if own.is_empty() { String::new() } else { format!(", config: {{{}}}", own.join(", ")) };
        let topics = scene.moving.as_mut().map_or(String::new(), Moving::of_member);
        line!(yaml, "      {name}: {{start: {written}{}{special}{topics}}}", entry("group.instance.id", instance));
        members.push((name, start));
    }
    members
}

fn write_application(dice: &mut Dice, scene: &Scene, yaml: &mut String) {
    // Microseconds that a record may take so that one member can keep up with all producers.
    let fair = (300_000 / scene.rate.max(1)).clamp(1, 100_000);
    let slowest = if scene.mood == Mood::Wild && dice.chance(30) { 4 * fair } else { fair };
    match dice.between(0, 9) {
        0..3 => line!(yaml, "    processing: {}us", dice.between(0, slowest)),
        3 => line!(yaml, "    processing: 0ms"),
        4..7 => line!(yaml, "    processing: {}", distribution(dice, [1, 1 + slowest / 3])),
        7 => {
            let time = distribution(dice, [1, 1 + slowest / 3]);
            line!(yaml, "    processing: {{time: {time}, per.batch: {}us}}", dice.between(1, 5_000));
        }
        8 => line!(yaml, "    processing: {{time: {}us, per.batch: {}us}}", dice.between(0, slowest), dice.between(1, 20_000)),
        _ => {}
    }
    let commit = match dice.between(0, 11) {
        0..4 => "auto".to_owned(),
        4 | 5 => "sync".to_owned(),
        6 => "async".to_owned(),
        7 | 8 => format!("{{every: {}}}", dice.between(1, 60)),
        9 => "per-record".to_owned(),
        10 => "before-processing".to_owned(),
        _ => "external".to_owned(),
    };
    line!(yaml, "    commit: {commit}");
    if let Some(timeout) = dice.perhaps(25, &["0ms", "10ms", "1s", "1h"]) {
        line!(yaml, "    poll.timeout: {timeout}");
    }
    match dice.between(0, 7) {
        0 => line!(yaml, "    on.revoke: commit"),
        1 => line!(yaml, "    on.revoke: {{commit: {}, takes: {}ms}}", dice.pick(&["true", "false"]), dice.between(1, 400)),
        _ => {}
    }
}

/// partition.assignment.strategy: eager ones, cooperative ones, and lists that are a step from one to the other.
const STRATEGIES: [&str; 8] = [
    "[range]",
    "roundrobin",
    "[range, roundrobin]",
    "[sticky]",
    "[cooperative-sticky]",
    "[cooperative-sticky]",
    "[range, cooperative-sticky]",
    "[cooperative-sticky, sticky, roundrobin]",
];

/// Whether the group speaks the consumer protocol.
fn write_consumer_config(dice: &mut Dice, scene: &mut Scene, yaml: &mut String) -> bool {
    let modern = scene.protocols.as_mut().is_some_and(|protocols| protocols.chance(80));
    let (wild, quick) = (scene.mood == Mood::Wild, scene.pace == Pace::Quick);
    let reset = dice.pick(if wild { &["earliest", "earliest", "earliest", "latest", "none"] } else { &["earliest", "earliest", "latest"] });
    let session = if quick { Some(dice.between(400, 3_000)) } else { dice.perhaps(50, &[6_000, 10_000, 45_000]) };
    let heartbeat = if quick { Some(dice.between(50, 390)) } else { dice.perhaps(30, &[1_000, 3_000]) };
    let poll_interval = if !wild {
        None
    } else if quick {
        dice.perhaps(60, &[100, 300, 1_000, 5_000])
    } else {
        dice.perhaps(40, &[2_000, 10_000])
    };
    let min_bytes = dice.perhaps(30, if scene.instant { &[1, 300, 20_000] } else { &[0, 1, 300, 20_000] });
    let max_wait = dice.perhaps(30, if scene.instant { &[20, 100] } else { &[0, 20, 100, 2_000] });
    // Endless quick answers cost events, so such clients are few.
    let (min_bytes, max_wait) = if min_bytes == Some(0) || max_wait == Some(0) {
        if dice.chance(10) { (min_bytes, max_wait) } else { (Some(1), Some(50)) }
    } else {
        (min_bytes, max_wait)
    };
    // With small answers a large minimum makes every Fetch wait.
    let capped = wild || min_bytes.is_none_or(|bytes| bytes <= 1);
    line!(
        yaml,
        "    config: {{auto.offset.reset: {reset}{}{}{}{}{}{}{}{}{}{}{}{}{}}}",
        entry("group.protocol", modern.then_some("consumer")),
        entry("session.timeout.ms", session.filter(|_| !modern)),
        entry("heartbeat.interval.ms", heartbeat.filter(|_| !modern)),
        entry("max.poll.interval.ms", poll_interval),
        entry("max.poll.records", dice.perhaps(50, &[1, 2, 7, 50, 500, 10_000])),
        entry("auto.commit.interval.ms", dice.perhaps(60, &[10, 100, 500, 1_000])),
        entry("partition.assignment.strategy", dice.perhaps(70, &STRATEGIES).filter(|_| !modern)),
        entry("fetch.min.bytes", min_bytes),
        entry("fetch.max.wait.ms", max_wait),
        entry("fetch.max.bytes", dice.perhaps(20, &[0, 200, 3_000]).filter(|_| capped)),
        entry("max.partition.fetch.bytes", dice.perhaps(20, &[0, 150, 2_000]).filter(|_| capped)),
        entry("metadata.max.age.ms", dice.perhaps(20, &[100, 1_000])),
        entry("request.timeout.ms", if wild { dice.perhaps(10, &[300, 2_000]) } else { None }),
    );
    modern
}

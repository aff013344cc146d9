//! What happens when: entries that can happen at their times, whatever came before.

use std::fmt::Write;

use groupsim::terms::ClientRequest;

use crate::dice::Dice;
use crate::scene::{Mood, Scene, line};

/// What members of classic groups send.
const REQUESTS: [ClientRequest; 12] = [
    ClientRequest::FindCoordinator,
    ClientRequest::Metadata,
    CLASSIC[0],
    CLASSIC[1],
    CLASSIC[2],
    CLASSIC[3],
    ClientRequest::OffsetCommit,
    ClientRequest::OffsetFetch,
    ClientRequest::Fetch,
    ClientRequest::ListOffsets,
    ClientRequest::OffsetsForLeaderEpoch,
    ClientRequest::CloseFetchSession,
];

/// The consumer protocol has one request for all of these.
const CLASSIC: [ClientRequest; 4] =
    [ClientRequest::JoinGroup, ClientRequest::SyncGroup, ClientRequest::Heartbeat, ClientRequest::LeaveGroup];

#[derive(Copy, Clone, PartialEq, Eq)]
enum Life {
    Never,
    From(u64),
    Stopped,
}

struct Process {
    name: String,
    life: Life,
    paused_until: u64,
    slow_until: u64,
}

impl Process {
    fn runs(&self, at: u64) -> bool {
        matches!(self.life, Life::From(start) if start < at)
    }
}

/// The processes of a group, and until when a rolling restart goes on.
struct Crew {
    group: String,
    processes: Vec<Process>,
    rolling_until: u64,
    modern: bool,
}

pub fn write(dice: &mut Dice, scene: &mut Scene, yaml: &mut String) {
    let entries = if dice.chance(15) { 0 } else { dice.between(1, 9) };
    if entries == 0 {
        return;
    }
    let mut times: Vec<u64> = (0..entries).map(|_| dice.between(1, scene.duration - 1)).collect();
    times.sort_unstable();
    let mut crews: Vec<Crew> = scene.groups.iter().map(Crew::new).collect();
    let mut lines = String::new();
    for at in times {
        let crew = dice.between(0, crews.len() as u64 - 1) as usize;
        if let Some(entry) = one_entry(dice, scene, &mut crews[crew], at) {
            line!(lines, "  - {{at: {at}ms, {entry}}}");
        }
    }
    if !lines.is_empty() {
        yaml.push_str("timeline:\n");
        yaml.push_str(&lines);
    }
}

fn one_entry(dice: &mut Dice, scene: &mut Scene, crew: &mut Crew, at: u64) -> Option<String> {
    let wild = scene.mood == Mood::Wild;
    if let Some(moving) = &mut scene.moving {
        let running = crew.processes.iter().find(|process| process.runs(at));
        let running = running.map(|process| format!("{}/{}", crew.group, process.name));
        if let Some(entry) = moving.entry(running.as_deref().filter(|_| crew.rolling_until <= at), &mut scene.topics) {
            return Some(entry);
        }
    }
    match dice.between(0, 18) {
        0..3 if wild => crew.end(dice, at, "crash"),
        // In a calm run nobody goes for good but by `scale`.
        3 | 4 if wild => crew.end(dice, at, "stop"),
        5 | 6 if wild => crew.start(dice, at).map(|start| start + &deployed(scene)),
        7 if wild => crew.pause(dice, at),
        8 => crew.slow(dice, at, wild),
        9 => {
            let producer = dice.between(0, scene.producers.len() as u64 - 1);
            let rate = dice.pick(&["0/s", "1/s", "20/s", "3/700ms"]);
            Some(format!("rate: {{p{producer}: {rate}}}"))
        }
        10 if wild || !scene.has_statics => {
            let topic = dice.between(0, scene.topics.len() as u64 - 1);
            if scene.moving.as_mut().is_some_and(|moving| !moving.may_grow(topic)) {
                return None;
            }
            let partitions = &mut scene.topics[topic as usize];
            *partitions += dice.between(1, 3);
            Some(format!("partitions: {{t{topic}: {partitions}}}"))
        }
        11 => crew.scale(dice, at),
        12 | 13 => crew.roll(dice, at, scene.duration).map(|roll| roll + &deployed(scene)),
        14 | 15 if wild => crew.cut_off(dice, at, scene.brokers),
        16 | 17 if wild => crew.disturb(dice, at),
        18 if wild => broker_down(dice, scene, at),
        _ => None,
    }
}

/// Properties that come with a start, perhaps of the other protocol. A static member that takes its own place as the last one of the consumer
/// protocol downgrades the group without a rebalance, and what others still waited for then stays unread.
fn deployed(scene: &mut Scene) -> String {
    if scene.mood == Mood::Calm && scene.has_statics {
        return String::new();
    }
    scene.other_protocol(60).map_or(String::new(), |config| format!(", config: {{{config}}}"))
}

fn lasting(dice: &mut Dice) -> String {
    if dice.chance(80) { format!(", for: {}ms", dice.between(1, 5_000)) } else { String::new() }
}

fn broker_down(dice: &mut Dice, scene: &mut Scene, at: u64) -> Option<String> {
    let broker = dice.between(0, scene.brokers - 1);
    let down = &mut scene.broker_down_until[broker as usize];
    if *down >= at {
        return None;
    }
    let lasts = dice.between(1, 4_000);
    *down = at + lasts;
    Some(format!("broker.down: {broker}, for: {lasts}ms"))
}

impl Crew {
    fn cut_off(&mut self, dice: &mut Dice, at: u64, brokers: u64) -> Option<String> {
        let (name, _) = self.some(dice, |process| process.runs(at))?;
        let broker = dice.between(0, brokers - 1).to_string();
        let from = dice.pick(&["coordinator", "coordinator", "leaders", "all", broker.as_str()]);
        Some(format!("disconnect: [{name}, {from}]{}", lasting(dice)))
    }

    fn disturb(&mut self, dice: &mut Dice, at: u64) -> Option<String> {
        let (name, _) = self.some(dice, |process| process.runs(at))?;
        let mut request = dice.pick(&REQUESTS);
        if self.modern && CLASSIC.contains(&request) {
            request = ClientRequest::ConsumerGroupHeartbeat;
        }
        let count = if dice.chance(30) { format!(", count: {}", dice.between(1, 3)) } else { String::new() };
        let fault = match dice.chance(50) {
            true => format!("drop: {{request: {request}, from: {name}}}"),
            false => format!("delay: {{request: {request}, from: {name}, by: {}ms}}", dice.between(0, 1_500)),
        };
        Some(format!("{fault}{}{count}", lasting(dice)))
    }

    fn new(group: &crate::scene::Group) -> Self {
        let process = |(name, start): &(String, Option<u64>)| Process {
            name: name.clone(),
            life: start.map_or(Life::Never, Life::From),
            paused_until: 0,
            slow_until: 0,
        };
        Crew { group: group.name.clone(), processes: group.members.iter().map(process).collect(), rolling_until: 0, modern: group.modern }
    }

    fn some(&mut self, dice: &mut Dice, which: impl Fn(&Process) -> bool) -> Option<(String, &mut Process)> {
        let fitting: Vec<usize> = (0..self.processes.len()).filter(|at| which(&self.processes[*at])).collect();
        if fitting.is_empty() {
            return None;
        }
        let process = &mut self.processes[dice.pick(&fitting)];
        Some((format!("{}/{}", self.group, process.name), process))
    }

    fn end(&mut self, dice: &mut Dice, at: u64, verb: &str) -> Option<String> {
        let (name, process) = self.some(dice, |process| process.runs(at))?;
        (process.life, process.paused_until, process.slow_until) = (Life::Stopped, 0, 0);
        Some(format!("{verb}: {name}"))
    }

    fn start(&mut self, dice: &mut Dice, at: u64) -> Option<String> {
        let (name, process) = self.some(dice, |process| matches!(process.life, Life::Never | Life::Stopped))?;
        process.life = Life::From(at);
        Some(format!("start: {name}"))
    }

    fn pause(&mut self, dice: &mut Dice, at: u64) -> Option<String> {
        let lasts = dice.between(1, 4_000);
        let (name, process) = self.some(dice, |process| process.runs(at) && process.paused_until <= at)?;
        process.paused_until = at + lasts;
        Some(format!("pause: {name}, for: {lasts}ms"))
    }

    fn slow(&mut self, dice: &mut Dice, at: u64, wild: bool) -> Option<String> {
        let lasts = dice.chance(70).then(|| dice.between(1, 3_000));
        let factor = dice.pick(if wild { &["0.25", "3", "40"] } else { &["0.3", "1.7"] });
        let (name, process) = self.some(dice, |process| process.runs(at) && process.slow_until <= at)?;
        process.slow_until = lasts.map_or(at, |lasts| at + lasts);
        Some(format!("slow: {name}, factor: {factor}{}", lasts.map_or(String::new(), |lasts| format!(", for: {lasts}ms"))))
    }

    /// The first so many run afterwards.
    fn scale(&mut self, dice: &mut Dice, at: u64) -> Option<String> {
        let wanted = dice.between(1, 6) as usize;
        let changes = self.processes.iter().enumerate().any(|(place, process)| process.runs(at) != (place < wanted));
        if (!changes && wanted <= self.processes.len()) || self.rolling_until > at {
            return None;
        }
        while self.processes.len() < wanted {
            let name = format!("{}-{}", self.group, self.processes.len() + 1);
            self.processes.push(Process { name, life: Life::Never, paused_until: 0, slow_until: 0 });
        }
        for (place, process) in self.processes.iter_mut().enumerate() {
            match (process.runs(at), place < wanted) {
                (false, true) => process.life = Life::From(at),
                (true, false) => process.life = Life::Stopped,
                (true, true) | (false, false) => {}
            }
        }
        Some(format!("scale: {{{}: {wanted}}}", self.group))
    }

    fn roll(&mut self, dice: &mut Dice, at: u64, end: u64) -> Option<String> {
        let running = self.processes.iter().filter(|process| process.runs(at)).count() as u64;
        let (every, down) = (dice.between(1, 1 + (end - at) / running.max(1)), dice.between(0, 900));
        let last = at + every * running.saturating_sub(1);
        if running == 0 || last >= end || self.rolling_until > at {
            return None;
        }
        self.rolling_until = last + down;
        Some(format!("rolling.restart: {}, every: {every}ms, down: {down}ms", self.group))
    }
}

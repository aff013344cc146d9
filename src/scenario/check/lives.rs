//! Which processes run when, as far as the file alone can tell: enough to refuse a crash of a process that is not there.

use std::collections::BTreeMap;
use std::ops::Range;

use super::super::Client;
use crate::units::{BrokerId, ClientId, Instant, Span};

/// What is known of a process.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
enum Life {
    /// Has not been started, and nothing but the timeline will start it.
    Never,
    /// Starts by itself at that time, or was started then.
    From(Instant),
    Stopped {
        at: Instant,
        crashed: bool,
    },
}

#[derive(Clone, Debug)]
struct Process {
    life: Life,
    pause: Range<Instant>,
    slow: Range<Instant>,
}

/// All processes while the timeline is walked through in the order of time.
pub struct Lives {
    processes: Vec<Process>,
    /// By group: when the restarts of a rolling restart are going on, and nothing is certain about its members.
    rolling: Vec<Range<Instant>>,
    /// By client.
    groups: Vec<usize>,
    /// Until when each broker that dies is away.
    brokers: BTreeMap<BrokerId, Option<Instant>>,
}

impl Lives {
    pub fn new(clients: &[Client], groups: usize) -> Self {
        let never = Instant::ZERO..Instant::ZERO;
        let process =
            |client: &Client| Process { life: client.start.map_or(Life::Never, Life::From), pause: never.clone(), slow: never.clone() };
        Lives {
            processes: clients.iter().map(process).collect(),
            rolling: vec![never.clone(); groups],
            groups: clients.iter().map(|client| client.group.index()).collect(),
            brokers: BTreeMap::new(),
        }
    }

    fn is_certain(&self, client: ClientId, at: Instant) -> bool {
        !self.rolling[self.groups[client.index()]].contains(&at)
    }

    /// Something happens to a running process; why it cannot, if it is not running.
    pub fn running(&self, client: ClientId, at: Instant) -> Result<(), String> {
        if !self.is_certain(client, at) {
            return Ok(());
        }
        match self.processes[client.index()].life {
            Life::Never => Err("has not been started by then".to_owned()),
            Life::From(start) if start < at => Ok(()),
            Life::From(start) if start == at => Err("starts only at that moment".to_owned()),
            Life::From(start) => Err(format!("starts only at {}", start.since(Instant::ZERO))),
            Life::Stopped { at, crashed } => {
                Err(format!("{} at {}", if crashed { "crashed" } else { "was stopped" }, at.since(Instant::ZERO)))
            }
        }
    }

    pub fn start(&mut self, client: ClientId, at: Instant) -> Result<(), String> {
        let certain = self.is_certain(client, at);
        let process = &mut self.processes[client.index()];
        let answer = match process.life {
            Life::From(start) if start < at => Err("is running".to_owned()),
            Life::From(start) => Err(format!("starts by itself at {}", start.since(Instant::ZERO))),
            Life::Never | Life::Stopped { .. } => Ok(()),
        };
        process.life = Life::From(at);
        if certain { answer } else { Ok(()) }
    }

    /// It is stopped or killed. Killed may also be who was told to stop: close() may take its time.
    pub fn end(&mut self, client: ClientId, at: Instant, crashed: bool) -> Result<(), String> {
        let running = self.running(client, at);
        let process = &mut self.processes[client.index()];
        let is_closing = matches!(process.life, Life::Stopped { crashed: false, .. });
        let answer = if crashed && is_closing { Ok(()) } else { running };
        process.life = Life::Stopped { at, crashed };
        // The next life is a new process.
        process.pause = at..at;
        process.slow = at..at;
        answer
    }

    pub fn pause(&mut self, client: ClientId, at: Instant, lasts: Span) -> Result<(), String> {
        self.running(client, at)?;
        let pause = &mut self.processes[client.index()].pause;
        let overlaps = pause.contains(&at);
        let until = pause.end;
        *pause = at..at + lasts;
        if overlaps { Err(format!("is paused until {}", until.since(Instant::ZERO))) } else { Ok(()) }
    }

    pub fn slow(&mut self, client: ClientId, at: Instant, lasts: Option<Span>) -> Result<(), String> {
        self.running(client, at)?;
        let slow = &mut self.processes[client.index()].slow;
        let overlaps = slow.contains(&at);
        let until = slow.end;
        // Without an end it lasts until another one replaces it.
        *slow = lasts.map_or(at..at, |lasts| at..at + lasts);
        if overlaps { Err(format!("is slow until {}", until.since(Instant::ZERO))) } else { Ok(()) }
    }

    /// The group is scaled to the first `wanted` of these clients.
    pub fn scale(&mut self, clients: Range<usize>, wanted: u32, at: Instant) -> Result<(), String> {
        let runs = |life: Life| matches!(life, Life::From(start) if start < at);
        let certain = clients.is_empty() || self.is_certain(ClientId(u32::try_from(clients.start).unwrap_or(0)), at);
        let mut changes = false;
        for (place, client) in clients.enumerate() {
            let process = &mut self.processes[client];
            let should_run = place < wanted as usize;
            changes |= runs(process.life) != should_run;
            process.life = match (runs(process.life), should_run) {
                (false, true) => Life::From(at),
                (true, false) => Life::Stopped { at, crashed: false },
                (true, true) | (false, false) => process.life,
            };
        }
        if changes || !certain { Ok(()) } else { Err(format!("has {wanted} running members already")) }
    }

    pub fn roll(&mut self, group: usize, at: Instant, until: Instant) -> Result<(), String> {
        let rolling = &mut self.rolling[group];
        let overlaps = rolling.contains(&at);
        *rolling = at..until;
        if overlaps { Err("is being restarted already".to_owned()) } else { Ok(()) }
    }

    /// Without `lasts` it stays away until the end of the run phase.
    pub fn broker_down(&mut self, broker: BrokerId, at: Instant, lasts: Option<Span>) -> Result<(), String> {
        match self.brokers.insert(broker, lasts.map(|lasts| at + lasts)) {
            Some(None) => Err("is down until the end of the run phase".to_owned()),
            Some(Some(until)) if until > at => Err(format!("is down until {}", until.since(Instant::ZERO))),
            None | Some(Some(_)) => Ok(()),
        }
    }

    /// How many of these clients run.
    pub fn count_running(&self, clients: Range<usize>, at: Instant) -> usize {
        clients.filter(|client| matches!(self.processes[*client].life, Life::From(start) if start < at)).count()
    }
}

//! Which processes run when, as far as the file alone can tell: enough to refuse a crash of a process that is not there.
//!
//! What is refused has not happened: it does not count in what comes later.

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
    is_certain: bool,
    pause: Range<Instant>,
    slow: Range<Instant>,
}

/// Why something cannot happen, as the rest of a sentence that begins with whom it is about, and what would be right.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    pub why: String,
    pub hint: String,
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
        let process = |client: &Client| Process {
            life: client.start.map_or(Life::Never, Life::From),
            is_certain: true,
            pause: never.clone(),
            slow: never.clone(),
        };
        Lives {
            processes: clients.iter().map(process).collect(),
            rolling: vec![never.clone(); groups],
            groups: clients.iter().map(|client| client.group.index()).collect(),
            brokers: BTreeMap::new(),
        }
    }

    /// Something happens to it at a time that is not known: nothing is certain about it.
    pub fn lose_sight(&mut self, client: ClientId) {
        self.processes[client.index()].is_certain = false;
    }

    fn is_certain(&self, client: ClientId, at: Instant) -> bool {
        self.processes[client.index()].is_certain && !self.rolling[self.groups[client.index()]].contains(&at)
    }

    /// Something happens to a running process.
    pub fn running(&self, client: ClientId, at: Instant) -> Result<(), Refusal> {
        if !self.is_certain(client, at) {
            return Ok(());
        }
        let later = "choose a later time for this, or an earlier one for the start";
        match self.processes[client.index()].life {
            Life::Never => refuse("has not been started by then", "let it start before that, with `start` or `scale`"),
            Life::From(start) if start < at => Ok(()),
            Life::From(start) if start == at => refuse("starts only at that moment", later),
            Life::From(start) => refuse(format!("starts only at {}", since(start)), later),
            Life::Stopped { at, crashed } => {
                let how = if crashed { "crashed" } else { "was stopped" };
                refuse(format!("{how} at {}", since(at)), "`start` it again before that, or leave this out")
            }
        }
    }

    pub fn start(&mut self, client: ClientId, at: Instant) -> Result<(), Refusal> {
        let certain = self.is_certain(client, at);
        let process = &mut self.processes[client.index()];
        let answer = match process.life {
            Life::From(start) if start < at && certain => {
                let since = if start == Instant::ZERO { "from the start".to_owned() } else { format!("since {}", since(start)) };
                return refuse(format!("has been running {since}"), "leave this out, or `stop` or `crash` it before");
            }
            Life::From(start) if start >= at && certain => {
                refuse(format!("starts by itself at {}", since(start)), "leave this out, or say `start: never` under `members:`")
            }
            Life::From(_) | Life::Never | Life::Stopped { .. } => Ok(()),
        };
        // Whoever wrote it wants it to run from here on.
        process.life = Life::From(at);
        answer
    }

    /// It is stopped or killed. Killed may also be who was told to stop: close() may take its time.
    pub fn end(&mut self, client: ClientId, at: Instant, crashed: bool) -> Result<(), Refusal> {
        let is_closing = matches!(self.processes[client.index()].life, Life::Stopped { crashed: false, .. });
        if !(crashed && is_closing) {
            self.running(client, at)?;
        }
        let process = &mut self.processes[client.index()];
        process.life = Life::Stopped { at, crashed };
        // The next life is a new process.
        process.pause = at..at;
        process.slow = at..at;
        Ok(())
    }

    pub fn pause(&mut self, client: ClientId, at: Instant, lasts: Span) -> Result<(), Refusal> {
        self.running(client, at)?;
        let pause = &mut self.processes[client.index()].pause;
        if pause.contains(&at) {
            return refuse(format!("is paused until {}", since(pause.end)), "begin this pause then or later, or make the other one longer");
        }
        *pause = at..at + lasts;
        Ok(())
    }

    pub fn slow(&mut self, client: ClientId, at: Instant, lasts: Option<Span>) -> Result<(), Refusal> {
        self.running(client, at)?;
        let slow = &mut self.processes[client.index()].slow;
        if slow.contains(&at) {
            return refuse(format!("is slow until {}", since(slow.end)), "begin then or later, or let the other one end before");
        }
        // Without an end it lasts until another one replaces it.
        *slow = lasts.map_or(at..at, |lasts| at..at + lasts);
        Ok(())
    }

    /// The group is scaled to the first `wanted` of these clients.
    pub fn scale(&mut self, clients: Range<usize>, wanted: u32, at: Instant) -> Result<(), Refusal> {
        let runs = |life: Life| matches!(life, Life::From(start) if start < at);
        let certain = clients.clone().all(|client| self.is_certain(ClientId(u32::try_from(client).unwrap_or(0)), at));
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
        if changes || !certain {
            return Ok(());
        }
        let members = if wanted == 1 { "member" } else { "members" };
        refuse(format!("has {wanted} running {members} already"), "scale it to another number, or leave this out")
    }

    /// From `at`, one every so often, each down for so long; these are its members.
    pub fn roll(
        &mut self,
        group: usize,
        members: Range<usize>,
        at: Instant,
        (every, down, end): (Span, Span, Instant),
    ) -> Result<(), Refusal> {
        let certain = members.clone().all(|client| self.processes[client].is_certain);
        let running = self.count_running(members, at) as u64;
        let last = at + every.times(running.saturating_sub(1));
        let rolling = &mut self.rolling[group];
        if rolling.contains(&at) {
            let hint = format!("begin when that is over, at {} or later", since(rolling.end));
            return refuse("is being restarted already", hint);
        }
        if running == 0 && certain {
            return refuse("has no running member to restart", "let its members start before that");
        }
        if certain && last >= end {
            let why = format!("would restart the last of {running} members at {}, after the end of the run phase", since(last));
            return refuse(why, "begin earlier, or make `every` shorter or `duration` longer");
        }
        *rolling = at..last + down;
        Ok(())
    }

    /// Without `lasts` it stays away until the end of the run phase.
    pub fn broker_down(&mut self, broker: BrokerId, at: Instant, lasts: Option<Span>) -> Result<(), Refusal> {
        match self.brokers.get(&broker) {
            Some(None) => return refuse("is down until the end of the run phase", "say how long the first time lasts, such as `for: 30s`"),
            Some(Some(until)) if *until > at => {
                return refuse(format!("is down until {}", since(*until)), "begin then or later, or let it be down for longer");
            }
            None | Some(Some(_)) => {}
        }
        self.brokers.insert(broker, lasts.map(|lasts| at + lasts));
        Ok(())
    }

    fn count_running(&self, clients: Range<usize>, at: Instant) -> usize {
        clients.filter(|client| matches!(self.processes[*client].life, Life::From(start) if start < at)).count()
    }
}

fn refuse(why: impl Into<String>, hint: impl Into<String>) -> Result<(), Refusal> {
    Err(Refusal { why: why.into(), hint: hint.into() })
}

fn since(at: Instant) -> Span {
    at.since(Instant::ZERO)
}

#[cfg(test)]
mod tests {
    use crate::scenario::load;

    /// A group of A and B, which run, and C, which does not.
    #[track_caller]
    fn check(entries: &[&str], expected: &[(&str, &str)]) {
        let group = "g: {topics: t, members: {A: , B: , C: {start: never}}}";
        let text = format!("duration: 5m\ntopics: {{t: 2}}\ngroups: {{{group}}}\ntimeline: [{}]\n", entries.join(", "));
        let found = load(&text, "demo.yaml").map_or_else(|problems| problems.list, |(_, problems)| problems.list);
        let seen: Vec<_> = found.iter().map(|problem| (problem.message.as_str(), problem.hint.as_deref().unwrap_or(""))).collect();
        assert_eq!(seen, expected);
    }

    const START: &str = "leave this out, or `stop` or `crash` it before";

    #[test]
    fn what_is_refused_has_not_happened() {
        let crashed = [("`g/A` crashed at 1m", "`start` it again before that, or leave this out")];
        let crash = "{at: 1m, crash: g/A}";
        check(&[crash, "{at: 70s, stop: g/A}", "{at: 80s, start: g/A}", "{at: 80001ms, stop: g/A}"], &crashed);
        // It would have been stopped at 70 s, and started at 2 m.
        check(&[crash, "{at: 70s, stop: g/A}", "{at: 80s, pause: g/A, for: 9s}"], &[crashed[0], crashed[0]]);
        check(&["{at: 2m, start: g/B}", "{at: 2m, crash: g/B}"], &[("`g/B` has been running from the start", START)]);
        let slow = |at: &str| format!("{{at: {at}, slow: g/A, factor: 2, for: 20s}}");
        let overlap = ("`g/A` is slow until 1m 20s", "begin then or later, or let the other one end before");
        check(&[&slow("60s"), &slow("70s"), &slow("85s")], &[overlap]);
        let down = ("broker 0 is down until 1m 30s", "begin then or later, or let it be down for longer");
        let broker = |at: &str, lasts: &str| format!("{{at: {at}, broker.down: 0, for: {lasts}}}");
        check(&[&broker("1m", "30s"), &broker("80s", "60s"), &broker("100s", "1s")], &[down]);
    }

    #[test]
    fn whose_life_has_an_entry_without_a_time_is_not_judged_by_the_others() {
        let mistake = ("`60` has no unit", "did you mean `60ms` or `60s`?");
        check(&["{at: 60, crash: g/A}", "{at: 90s, start: g/A}"], &[mistake]);
        check(&["{at: 60, start: g/C}", "{at: 90s, crash: g/C}"], &[mistake]);
        check(&["{at: 60, start: g/C}", "{at: 90s, start: g/B}"], &[mistake, ("`g/B` has been running from the start", START)]);
    }
}

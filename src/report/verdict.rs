//! The verdict on `expect:`: every line met, failed or undecided, with what was seen.
//!
//! A count is undecided only where more time could still change the answer: the settle bound came first with records left, or the run
//! could not go on (then facts that had not been told when it stopped are missing from everything counted, and no lag is known). So a loss that is already there fails `{lost: 0}` at once, while no loss with unsettled records decides nothing.
//! A scenario with `settle: 0s` asks for the state at the end of the run phase and is judged as it stands. Without a group, counts and
//! lags are sums over all groups, and times the longest of all groups.

use crate::report::verdict::lag::LagQuestion;
use crate::report::{Run, figures, livelock, names};
use crate::scenario::Scenario;
use crate::scenario::expectation::{Bounds, Check};
use crate::trace::ending::Ending;
use crate::units::{GroupId, Instant};

mod incidents;
mod lag;
pub mod ownership;

/// How a run ends for whoever started it.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    Passed,
    /// The scenario expects nothing, and nothing went wrong.
    Finished,
    Failed,
    Undecided,
}

impl Verdict {
    /// The exit code of the program.
    pub fn exit_code(self) -> u8 {
        match self {
            Verdict::Passed | Verdict::Finished => 0,
            Verdict::Failed => 1,
            Verdict::Undecided => 2,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Verdict::Passed => "passed",
            Verdict::Finished => "finished",
            Verdict::Failed => "failed",
            Verdict::Undecided => "undecided",
        }
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Judgement {
    pub verdict: Verdict,
    /// By line of `expect:`.
    pub findings: Vec<Finding>,
}

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    Met,
    Failed,
    Undecided,
}

impl Outcome {
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Met => "met",
            Outcome::Failed => "failed",
            Outcome::Undecided => "undecided",
        }
    }
}

/// One expectation against what was seen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    pub outcome: Outcome,
    /// `at most 500 records`.
    pub expected: String,
    /// `487 records`.
    pub seen: String,
}

/// Judges every line of `expect:`; a failure outweighs a doubt.
pub fn judge(scenario: &Scenario, run: &Run) -> Judgement {
    let findings: Vec<Finding> = scenario.expect.iter().map(|expectation| find(scenario, run, &expectation.check)).collect();
    let any = |outcome| findings.iter().any(|finding| finding.outcome == outcome);
    let verdict = if !run.violations.is_empty() || any(Outcome::Failed) {
        Verdict::Failed
    } else if any(Outcome::Undecided) || matches!(run.ending, Ending::Stuck { .. }) {
        Verdict::Undecided
    } else if findings.is_empty() {
        Verdict::Finished
    } else {
        Verdict::Passed
    };
    Judgement { verdict, findings }
}

/// What a value can be: as it was seen, up to what it could still become.
#[derive(Copy, Clone)]
struct Possible {
    low: u64,
    /// `None`: no end to it.
    high: Option<u64>,
}

impl Possible {
    fn known(value: u64) -> Self {
        Possible { low: value, high: Some(value) }
    }

    fn outcome(self, bounds: Bounds) -> Outcome {
        let Bounds { at_least, at_most } = bounds;
        let too_many = at_most.is_some_and(|most| self.low > most);
        let too_few = at_least.is_some_and(|least| self.high.is_some_and(|high| high < least));
        if too_many || too_few {
            return Outcome::Failed;
        }
        let enough = at_least.is_none_or(|least| self.low >= least);
        let bounded = at_most.is_none_or(|most| self.high.is_some_and(|high| high <= most));
        if enough && bounded { Outcome::Met } else { Outcome::Undecided }
    }
}

fn find(scenario: &Scenario, run: &Run, check: &Check) -> Finding {
    match check {
        Check::Lost { group, bounds } => {
            let tally = Tally::of(run, *group, |account| account.lost);
            tally.finding(*bounds, "record", tally.grown_by_unsettled())
        }
        Check::Skipped { group, bounds } => {
            let tally = Tally::of(run, *group, |account| account.skipped);
            tally.finding(*bounds, "record", tally.grown_by_unsettled())
        }
        Check::Deleted { group, bounds } => {
            let tally = Tally::of(run, *group, |account| account.deleted);
            tally.finding(*bounds, "record", tally.grown_by_unsettled())
        }
        Check::Duplicated { group, bounds } => {
            let tally = Tally::of(run, *group, |account| account.duplicated);
            tally.finding(*bounds, "record", tally.without_end())
        }
        Check::Extra { group, bounds } => {
            let tally = Tally::of(run, *group, |account| account.extra);
            tally.finding(*bounds, "delivery", tally.without_end())
        }
        Check::ProcessedOnce { group, bounds } => {
            let tally = Tally::of(run, *group, |account| account.processed_once);
            tally.finding(*bounds, "record", tally.in_flux())
        }
        Check::Unsettled { group, bounds } => {
            let tally = Tally::of(run, *group, |account| account.unsettled);
            tally.finding(*bounds, "record", tally.cut_off())
        }
        Check::Produced { group, bounds } => counted(run, produced(run, *group), *bounds, "record"),
        Check::Backlog { bounds, .. } if run.stopped().is_some() => unknown(run, expected(*bounds, |n| nouns(n, "record"))),
        Check::Backlog { group, bounds } => counted(run, groups(run, *group).map(|g| run.backlog(scenario, g)).sum(), *bounds, "record"),
        Check::Rebalances { group, period, bounds } => {
            let rebalances = groups(run, *group).flat_map(|g| &run.measurements.groups[g].rebalances);
            counted(run, rebalances.filter(|rebalance| period.contains(rebalance.started)).count() as u64, *bounds, "rebalance")
        }
        Check::Lag { group, of, when, bounds } => lag::find(run, &LagQuestion { group: *group, of: *of, when: *when, bounds: *bounds }),
        Check::Unavailable { group, partition, period, bounds } => {
            ownership::unavailable(scenario, run, *group, *partition, *period, *bounds)
        }
        Check::Incidents { of, kind, period, bounds } => incidents::find(scenario, run, *of, *kind, *period, *bounds),
        Check::Owner { group, partition, client, at } => ownership::owner(scenario, run, *group, *partition, *client, *at),
        Check::Livelock { group } => livelocked(scenario, run, *group, true),
        Check::NoLivelock { group } => livelocked(scenario, run, *group, false),
    }
}

/// A sum over accounts, and what is still open in them.
#[derive(Copy, Clone)]
struct Tally {
    seen: u64,
    /// Records whose fate more time could change; 0 once everything is settled, or if nobody asked for a settle phase.
    open: u64,
    /// Where a run that could not go on came to its stop: there may be any number of records that nothing was told of.
    stopped: Option<Instant>,
}

impl Tally {
    fn of(run: &Run, group: Option<GroupId>, pick: impl Fn(&crate::ledger::Account) -> u64) -> Self {
        let seen = groups(run, group).map(|g| pick(&run.accounts[g])).sum();
        let unsettled: u64 = groups(run, group).map(|g| run.accounts[g].unsettled).sum();
        let open = match run.ending {
            Ending::Finished | Ending::Drained => 0,
            Ending::SettleBound | Ending::Stuck { .. } => unsettled,
        };
        Tally { seen, open, stopped: run.stopped() }
    }

    fn grown_by_unsettled(self) -> Possible {
        Possible { low: self.seen, high: self.stopped.is_none().then_some(self.seen + self.open) }
    }

    /// A group that still works can process anything once more.
    fn without_end(self) -> Possible {
        Possible { low: self.seen, high: self.is_final().then_some(self.seen) }
    }

    /// A record that was processed once can come again, an open one can join it.
    fn in_flux(self) -> Possible {
        let low = if self.is_final() { self.seen } else { 0 };
        Possible { low, high: self.stopped.is_none().then_some(self.seen + self.open) }
    }

    /// What the settle bound cut off is what "unsettled" means; where a run stopped by itself is no bound.
    fn cut_off(self) -> Possible {
        if self.stopped.is_some() { Possible { low: 0, high: None } } else { Possible::known(self.seen) }
    }

    fn is_final(self) -> bool {
        self.open == 0 && self.stopped.is_none()
    }

    fn finding(self, bounds: Bounds, noun: &str, possible: Possible) -> Finding {
        let outcome = possible.outcome(bounds);
        let doubt = match outcome {
            Outcome::Met | Outcome::Failed => String::new(),
            Outcome::Undecided => match self.stopped {
                Some(at) => so_far(at),
                None => format!("; {} unsettled when time was up", figures::count(self.open, "record")),
            },
        };
        Finding { outcome, expected: expected(bounds, |n| nouns(n, noun)), seen: nouns(self.seen, noun) + &doubt }
    }
}

/// What was seen of a run that could not go on is not all that there was to see.
fn so_far(stopped: Instant) -> String {
    format!(" so far; the run stopped at {}", figures::at(stopped))
}

/// What nobody can tell of a run that could not go on.
fn unknown(run: &Run, expected: String) -> Finding {
    let seen = format!("nothing that can be relied on: the run stopped at {}", figures::at(run.stopped().unwrap_or(run.measurements.end)));
    Finding { outcome: Outcome::Undecided, expected, seen }
}

/// The groups that a check is about.
fn groups(run: &Run, group: Option<GroupId>) -> std::ops::Range<usize> {
    match group {
        Some(group) => group.index()..group.index() + 1,
        None => 0..run.accounts.len(),
    }
}

/// Of one group's topics, or of all topics, each record once however many groups read it.
fn produced(run: &Run, group: Option<GroupId>) -> u64 {
    match group {
        Some(group) => run.accounts[group.index()].produced,
        None => run.production.sent(),
    }
}

/// A number that only grows while a run goes on.
fn counted(run: &Run, seen: u64, bounds: Bounds, noun: &str) -> Finding {
    let outcome = Possible { low: seen, high: run.stopped().is_none().then_some(seen) }.outcome(bounds);
    let doubt = run.stopped().filter(|_| outcome == Outcome::Undecided).map_or(String::new(), so_far);
    Finding { outcome, expected: expected(bounds, |n| nouns(n, noun)), seen: nouns(seen, noun) + &doubt }
}

fn livelocked(scenario: &Scenario, run: &Run, group: GroupId, wanted: bool) -> Finding {
    let group = group.index();
    let found = livelock::find(&run.measurements.groups[group]);
    let kicks = run.measurements.groups[group].kicks.len() as u64;
    let seen = match &found {
        Some(livelock) => {
            let kicked: Vec<String> = livelock.clients.iter().map(|id| names::client(scenario, *id).to_owned()).collect();
            let (first, last) = (figures::at(livelock.first), figures::at(livelock.last));
            format!("{} kicks without a commit between {first} and {last} ({})", livelock.kicks, names::list(&kicked, 3))
        }
        None => {
            let doubt = run.stopped().map_or(String::new(), so_far);
            format!("{}, no three without a commit between them{doubt}", figures::count(kicks, "kick"))
        }
    };
    let outcome = match (&found, run.stopped()) {
        (None, Some(_)) => Outcome::Undecided,
        _ if found.is_some() == wanted => Outcome::Met,
        (Some(_), _) | (None, None) => Outcome::Failed,
    };
    let expected = if wanted { "a livelock" } else { "no livelock" };
    Finding { outcome, expected: expected.to_owned(), seen }
}

/// `at most 500 records`, `exactly 3 rebalances`.
fn expected(bounds: Bounds, show: impl Fn(u64) -> String) -> String {
    match (bounds.at_least, bounds.at_most) {
        (Some(least), Some(most)) if least == most => format!("exactly {}", show(least)),
        (Some(least), Some(most)) => format!("{} to {}", show(least), show(most)),
        (Some(least), None) => format!("at least {}", show(least)),
        (None, Some(most)) => format!("at most {}", show(most)),
        (None, None) => "any number".to_owned(),
    }
}

fn nouns(n: u64, noun: &str) -> String {
    match noun.strip_suffix('y') {
        Some(stem) if n != 1 => format!("{} {stem}ies", figures::grouped(n)),
        Some(_) | None => figures::count(n, noun),
    }
}

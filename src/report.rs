//! What people see of a run: the verdict, the story of each group, the numbers as files and the pictures.
//!
//! A [`Report`] is made of results only (scenario, ledger, measurements) and never looks into the simulation. Everything in it is a
//! function of the run: no clock, no paths but those that the user typed, so equal runs give equal bytes.
//!
//! [`Files`] writes them one by one; into a [`folder`] whole or not at all.

use crate::incidents::Incident;
use crate::ledger::Account;
use crate::metrics::Measurements;
use crate::report::files::Files;
use crate::scenario::Scenario;
use crate::trace::ending::Ending;
use crate::units::Instant;

pub mod chart;
pub mod csv;
pub mod figures;
pub mod files;
pub mod folder;
mod handover;
pub mod idle;
pub mod json;
pub mod latency;
pub mod livelock;
pub mod names;
#[cfg(feature = "png")]
pub mod png;
pub mod production;
pub mod replay;
pub mod spelling;
mod subscribers;
pub mod summary;
pub mod verdict;

/// What messages call standard input.
pub const STDIN: &str = "<stdin>";

/// One run, judged.
pub struct Report<'a> {
    pub scenario: &'a Scenario,
    pub source: Source<'a>,
    pub run: Run,
    pub judgement: verdict::Judgement,
}

/// Where the scenario came from, for the line that runs it again and for [`replay`].
#[derive(Copy, Clone, Debug)]
pub struct Source<'a> {
    /// As the user named it: a path or the name of a built-in scenario; [`STDIN`].
    pub argument: &'a str,
    /// The text of the file.
    pub text: &'a str,
}

/// What came out of a run.
pub struct Run {
    pub seed: u64,
    pub trace_hash: u64,
    pub ending: Ending,
    /// By group.
    pub accounts: Vec<Account>,
    pub measurements: Measurements,
    /// What befell members, in order.
    pub incidents: Vec<Incident>,
    pub production: production::Production,
    /// Entries of the timeline, by number, that did nothing.
    pub idle: Vec<usize>,
    /// What must never be seen in a trace and was: when, and what.
    pub violations: Vec<(Instant, String)>,
}

/// A file that a run can write.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Output {
    Summary,
    SummaryJson,
    LagCsv,
    LagSvg,
    LagPng,
    Trace,
    Replay,
}

impl Output {
    pub const ALL: [Output; 7] =
        [Output::Summary, Output::SummaryJson, Output::LagCsv, Output::LagSvg, Output::LagPng, Output::Trace, Output::Replay];

    pub fn file_name(self) -> &'static str {
        match self {
            Output::Summary => "summary.txt",
            Output::SummaryJson => "summary.json",
            Output::LagCsv => "lag.csv",
            Output::LagSvg => "lag.svg",
            Output::LagPng => "lag.png",
            Output::Trace => "trace.jsonl",
            Output::Replay => "replay.json",
        }
    }

    /// One line for help and README.
    pub fn summary(self) -> &'static str {
        match self {
            Output::Summary => "the verdict and the story of each group, as the terminal shows it",
            Output::SummaryJson => "the same as data: verdict, accounts, rebalances, unavailability, latency",
            Output::LagCsv => {
                "lag of every partition over virtual time: at_ms, group, topic, partition, committed_lag, position_lag, unprocessed"
            }
            Output::LagSvg => "the chart: lag, rebalances, faults and partition owners over virtual time",
            Output::LagPng => "the same chart as pixels (cargo feature `png`, on by default)",
            Output::Trace => {
                "every event of the run, one JSON object a line (with `outputs: [trace]`; `--trace FILE` writes it to FILE instead)"
            }
            Output::Replay => "the identity of the run: version, scenario name and hash, seed, realised faults, trace hash",
        }
    }
}

impl Run {
    /// Where a run that could not go on came to its stop.
    pub fn stopped(&self) -> Option<Instant> {
        match self.ending {
            Ending::Stuck { at, .. } => Some(at),
            Ending::Finished | Ending::Drained | Ending::SettleBound => None,
        }
    }

    /// What a group had not processed at the end of the run phase, of all that was produced and not skipped: what it could see, and what
    /// was still on its way from the producers.
    pub fn backlog(&self, scenario: &Scenario, group: usize) -> u64 {
        self.measurements.groups[group].run_end_lag + self.production.on_the_way(&scenario.groups[group].topics)
    }
}

impl<'a> Report<'a> {
    /// Judges the run by the scenario's `expect:`.
    pub fn new(scenario: &'a Scenario, source: Source<'a>, run: Run) -> Self {
        let judgement = verdict::judge(scenario, &run);
        Report { scenario, source, run, judgement }
    }

    /// All files of this run but the trace, which is written while the run goes on, in memory; without the pictures if `charts` is false.
    pub fn files(&self, charts: bool) -> Vec<(Output, Vec<u8>)> {
        Files::new(self, charts).rendered()
    }
}

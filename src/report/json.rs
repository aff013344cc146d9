//! `summary.json`: what summary.txt tells, as data.
//!
//! Times are integer nanoseconds of virtual time, named `at_ns` or `…_ns`; what never came is `null`. The order of fields is fixed.
//!
//! | field | |
//! |---|---|
//! | `groupsim`, `scenario`, `kafka`, `seed`, `trace_hash` | which run this is; the hash is 16 hex digits |
//! | `verdict`, `exit` | `passed`, `finished` (nothing was expected), `failed` or `undecided`, and the exit code 0, 0, 1 or 2 |
//! | `ending` | `how`: `finished`, `drained`, `settle_bound` or `stuck` (with `why`), `run_end_ns`, `end_ns` |
//! | `expectations[]` | `line` and `text` as written, `outcome` (`met`, `failed`, `undecided`), `expected`, `seen` |
//! | `violations[]` | invariants that did not hold: `at_ns`, `what` |
//! | `warnings[]` | entries of the timeline that did nothing: `at_ns`, `what` |
//! | `produced` | records handed to `send()`, over all topics |
//! | `groups.<g>` | the account: `produced` = `processed_once` + `duplicated` + `lost` + `skipped` + `deleted` + `unsettled`; `extra` deliveries |
//! | `groups.<g>.lag` | records not processed, summed over partitions: `peak` (of all samples, those of the settle phase too, and of the ends of both phases), `run_end`, `final`; `backlog` adds what was on its way |
//! | `groups.<g>.latency` | creation to the end of the first processing: `count`, `mean_ns`, `min_ns`, `p50_ns`, `p99_ns`, `max_ns` |
//! | `groups.<g>.rebalances[]` | `at_ns`, `reason`, `group_protocol`, `trigger`, `generation`, `joined_ns`, `ended_ns`, `lasted_ns`, `ended_in`, `leader`, `assignor`, `members`, `initial`, `waited_for[]`, `moved[]`, `not_read_ns` by partition (since `at_ns`, until it was read again, whatever began meanwhile), `added_waited_ns` |
//! | `groups.<g>.unavailable.<topic-p>` | `longest_ns`, `total_ns` without the start-up, and all `outages[]`: `at_ns`, `to_ns` (`null`: never ended), `lasted_ns`, `first_record_ns`, `initial` (nobody had owned it before, since the start or since it was added) |
//! | `groups.<g>.livelock` | `kicks`, `at_ns`, `to_ns`, `members`, or `null` |
//! | `groups.<g>.duplicates[]`, `.losses[]`, `.skips[]` | offset ranges `from`..`to` (`to` excluded) with their cause; `zombie`: processed by `cause_of` after `cause_at_ns`; `before.at_ns` of a duplicate is `null` if it had been committed so long ago that nobody remembers |
//! | `groups.<g>.requests` | `polls`, `heartbeats`, `commits` taken whole, `commits_refused` whole or in part, `commits_failed` for the client |

use indexmap::IndexMap;
use serde::Serialize;

use crate::report::idle::{self, Idle};
use crate::report::json::group::Group;
use crate::report::{Report, names, replay};
use crate::trace::ending::Ending;
use crate::units::Instant;

mod group;
mod terms;

#[derive(Serialize)]
struct Summary<'a> {
    groupsim: &'static str,
    scenario: &'a str,
    verdict: &'static str,
    exit: u8,
    kafka: String,
    seed: u64,
    trace_hash: String,
    ending: EndingJson<'a>,
    expectations: Vec<Expectation<'a>>,
    violations: Vec<Violation<'a>>,
    warnings: Vec<Warning>,
    produced: u64,
    groups: IndexMap<&'a str, Group>,
}

#[derive(Serialize)]
struct EndingJson<'a> {
    how: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'a str>,
    run_end_ns: u64,
    end_ns: u64,
}

#[derive(Serialize)]
struct Expectation<'a> {
    line: Option<u32>,
    text: &'a str,
    outcome: &'static str,
    expected: &'a str,
    seen: &'a str,
}

#[derive(Serialize)]
struct Violation<'a> {
    at_ns: u64,
    what: &'a str,
}

#[derive(Serialize)]
struct Warning {
    at_ns: u64,
    what: String,
}

pub fn render(report: &Report) -> String {
    let Report { scenario, run, judgement, .. } = report;
    let written = scenario.expect.iter().zip(&judgement.findings);
    let summary = Summary {
        groupsim: env!("CARGO_PKG_VERSION"),
        scenario: &scenario.name,
        verdict: judgement.verdict.name(),
        exit: judgement.verdict.exit_code(),
        kafka: names::releases(scenario.kafka),
        seed: run.seed,
        trace_hash: replay::hex(run.trace_hash),
        ending: ending(report),
        expectations: written
            .map(|(expectation, finding)| Expectation {
                line: expectation.line,
                text: &expectation.text,
                outcome: finding.outcome.name(),
                expected: &finding.expected,
                seen: &finding.seen,
            })
            .collect(),
        violations: run.violations.iter().map(|(at, what)| Violation { at_ns: at.as_nanos(), what }).collect(),
        warnings: idle::entries(report).into_iter().map(|Idle { at, what }| Warning { at_ns: at.as_nanos(), what }).collect(),
        produced: run.production.sent(),
        groups: scenario.groups.iter().enumerate().map(|(i, named)| (named.name.as_str(), group::group(report, i))).collect(),
    };
    let mut text = serde_json::to_string_pretty(&summary).expect("strings, integers and maps with string keys always serialise");
    text.push('\n');
    text
}

fn ending<'a>(report: &'a Report) -> EndingJson<'a> {
    let why = match &report.run.ending {
        Ending::Finished | Ending::Drained | Ending::SettleBound => None,
        Ending::Stuck { why, .. } => Some(why.as_str()),
    };
    EndingJson {
        how: terms::ending(&report.run.ending),
        why,
        run_end_ns: report.run.measurements.run_end.as_nanos(),
        end_ns: report.run.measurements.end.as_nanos(),
    }
}

fn nanos(at: Option<Instant>) -> Option<u64> {
    at.map(Instant::as_nanos)
}

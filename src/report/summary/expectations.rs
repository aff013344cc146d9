//! What the scenario expected: what did not come true with all that was seen, the rest as one row for each line as it was written.
//!
//! An expectation of owners may name many partitions. Each is judged by itself, and together they are one line.

use crate::report::summary::page::{Page, REST, Style, Table};
use crate::report::verdict::{Finding, Outcome};
use crate::report::{Report, figures};
use crate::scenario::expectation::{Check, Expectation};

type Judged<'a> = (&'a Expectation, &'a Finding);

/// What needs attention: failures first, in the order of the file otherwise.
pub fn unmet(page: &mut Page, report: &Report) {
    const SHOWN: usize = 50;
    let of = |outcome| judged(report).filter(move |(_, finding)| finding.outcome == outcome);
    for (expectation, finding) in of(Outcome::Failed).chain(of(Outcome::Undecided)).take(SHOWN) {
        unmet_line(page, report, expectation, finding);
    }
    let hidden = (of(Outcome::Failed).count() + of(Outcome::Undecided).count()).saturating_sub(SHOWN);
    if hidden > 0 {
        page.line(Style::Quiet, format!("             … and {hidden} more failed or undecided: see summary.json"));
    }
}

fn unmet_line(page: &mut Page, report: &Report, expectation: &Expectation, finding: &Finding) {
    let style = if finding.outcome == Outcome::Failed { Style::Bad } else { Style::Doubt };
    let place = match expectation.line {
        Some(line) => format!("{}:{line}  ", report.source.argument),
        None => String::new(),
    };
    let start = 13 + place.chars().count();
    page.put(style, format!("  {:<9}  ", finding.outcome.name())).put(Style::Quiet, place);
    page.wrapped_after(Style::Plain, start, 13, &expectation.text);
    page.put(Style::Plain, " ".repeat(13));
    page.wrapped(Style::Plain, 13, &format!("expected {}, saw {}", finding.expected, finding.seen));
}

/// Those with a number to be seen first.
pub fn met(page: &mut Page, report: &Report) {
    const SHOWN: usize = 10;
    let mut all: Vec<Vec<Judged>> = written(report).into_iter().filter(|line| outcome(line) == Outcome::Met).collect();
    all.sort_by_key(|line| !tells_a_number(&line[0].0.check));
    let shown = if all.len() == SHOWN + 1 { all.len() } else { all.len().min(SHOWN) };
    let mut table = Table::new(&[(false, 3), (false, 46), (false, REST)]);
    for line in &all[..shown] {
        table.row(Style::Quiet, ["met", &text(line), &seen(line)]);
    }
    page.table(2, &table);
    if all.len() > shown {
        page.line(Style::Quiet, format!("       … and {} more", all.len() - shown));
    }
}

/// `2 of 7 expectations failed`, and invariants.
pub fn tally(report: &Report) -> String {
    let lines = written(report);
    let of = |wanted| lines.iter().filter(|line| outcome(line) == wanted).count();
    let (failed, undecided) = (of(Outcome::Failed), of(Outcome::Undecided));
    let all = figures::count(lines.len() as u64, "expectation");
    let violated = report.run.violations.len() as u64;
    let mut parts = Vec::new();
    if violated > 0 {
        parts.push(format!("{} violated", figures::count(violated, "invariant")));
    }
    if lines.is_empty() {
        parts.push("no expectations".to_owned());
    } else if failed + undecided == 0 {
        parts.push(format!("{all} met"));
    }
    if failed > 0 {
        parts.push(format!("{failed} of {all} failed"));
    }
    if undecided > 0 {
        parts.push(format!("{undecided} of {all} undecided"));
    }
    parts.join(", ")
}

fn judged<'a>(report: &'a Report) -> impl Iterator<Item = Judged<'a>> {
    report.scenario.expect.iter().zip(&report.judgement.findings)
}

/// Line by line of the file.
fn written<'a>(report: &'a Report) -> Vec<Vec<Judged<'a>>> {
    let moment = |check: &Check| if let Check::Owner { at, .. } = check { Some(*at) } else { None };
    let mut lines: Vec<Vec<Judged>> = Vec::new();
    for (expectation, finding) in judged(report) {
        let goes_on = |line: &&mut Vec<Judged>| {
            let same_moment = moment(&expectation.check).is_some() && moment(&expectation.check) == moment(&line[0].0.check);
            same_moment && expectation.line.is_some() && expectation.line == line[0].0.line
        };
        match lines.last_mut().filter(goes_on) {
            Some(line) => line.push((expectation, finding)),
            None => lines.push(vec![(expectation, finding)]),
        }
    }
    lines
}

/// A failure outweighs a doubt.
fn outcome(line: &[Judged]) -> Outcome {
    let any = |outcome| line.iter().any(|(_, finding)| finding.outcome == outcome);
    [Outcome::Failed, Outcome::Undecided].into_iter().find(|outcome| any(*outcome)).unwrap_or(Outcome::Met)
}

/// As it was written: `{owner: {orders-0: A, orders-1: A, orders-2: B}, at: 20s}`.
fn text(line: &[Judged]) -> String {
    const OPENING: &str = "{owner: {";
    let first = &line[0].0.text;
    let pairs: Option<Vec<&str>> =
        line.iter().map(|(expectation, _)| expectation.text.strip_prefix(OPENING)?.split_once('}').map(|(pair, _)| pair)).collect();
    match (line.len(), pairs, first.find('}')) {
        (2.., Some(pairs), Some(end)) => {
            // The group is named in each.
            let bare = pairs[1..].iter().map(|pair| pair.rsplit(", ").next().unwrap_or(pair));
            let all: Vec<&str> = pairs[..1].iter().copied().chain(bare).collect();
            format!("{OPENING}{}{}", all.join(", "), &first[end..])
        }
        _ => first.clone(),
    }
}

fn seen(line: &[Judged]) -> String {
    match line {
        [(_, finding)] => finding.seen.clone(),
        _ => format!("{0} of {0}", line.len()),
    }
}

fn tells_a_number(check: &Check) -> bool {
    match check {
        Check::Owner { .. } | Check::Deleted { .. } | Check::Livelock { .. } | Check::NoLivelock { .. } => false,
        Check::Lost { .. }
        | Check::Duplicated { .. }
        | Check::Extra { .. }
        | Check::Skipped { .. }
        | Check::ProcessedOnce { .. }
        | Check::Unsettled { .. }
        | Check::Produced { .. }
        | Check::Backlog { .. }
        | Check::Rebalances { .. }
        | Check::Incidents { .. }
        | Check::Lag { .. }
        | Check::Unavailable { .. } => true,
    }
}

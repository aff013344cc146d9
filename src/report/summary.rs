//! `summary.txt`, which the terminal shows too: the verdict first, then the story of each group, then how to run it again.
//!
//! It stays short however large the run is: equal things are told once, long lists are cut and say so.

use crate::report::idle::{self, Idle};
use crate::report::names;
use crate::report::replay;
use crate::report::summary::page::{NARROWEST, Page, Style};
use crate::report::verdict::Verdict;
use crate::report::{Report, STDIN, figures};
use crate::trace::ending::Ending;

mod account;
mod backlog;
mod causes;
mod exceptions;
mod expectations;
mod fates;
mod leaders;
mod outages;
pub mod page;
mod rebalances;

/// The whole page as it is written to a file.
pub fn page(report: &Report) -> Page {
    page_within(report, NARROWEST)
}

/// The whole page for a terminal of so many columns; the command line colours it.
pub fn page_within(report: &Report, columns: usize) -> Page {
    let mut page = Page::within(columns);
    head(&mut page, report);
    verdict(&mut page, report);
    for group in 0..report.scenario.groups.len() {
        page.blank();
        story(&mut page, report, group);
    }
    tail(&mut page, report);
    page
}

/// What is wrong and no more: for those who want no summary.
pub fn complaint(report: &Report) -> Page {
    let mut page = Page::default();
    page.put(Style::Title, report.scenario.name.as_str()).put(Style::Plain, "  ");
    verdict_line(&mut page, report);
    violations(&mut page, report);
    expectations::unmet(&mut page, report);
    page
}

fn head(page: &mut Page, report: &Report) {
    page.line(Style::Title, report.scenario.name.as_str());
    if let Some(about) = &report.scenario.about {
        page.wrapped(Style::Quiet, 0, about);
    }
    page.blank();
}

fn verdict(page: &mut Page, report: &Report) {
    verdict_line(page, report);
    violations(page, report);
    expectations::unmet(page, report);
    warnings(page, report);
    expectations::met(page, report);
}

fn verdict_line(page: &mut Page, report: &Report) {
    let (style, word) = match report.judgement.verdict {
        Verdict::Passed => (Style::Good, "PASSED"),
        Verdict::Finished => (Style::Title, "FINISHED"),
        Verdict::Failed => (Style::Bad, "FAILED"),
        Verdict::Undecided => (Style::Doubt, "UNDECIDED"),
    };
    page.put(style, word).put(Style::Plain, "  ");
    page.wrapped(Style::Plain, word.len() + 2, &format!("{}; {}", expectations::tally(report), ending(report)));
}

fn ending(report: &Report) -> String {
    let measurements = &report.run.measurements;
    let (run_end, end) = (figures::at(measurements.run_end), figures::at(measurements.end));
    match &report.run.ending {
        Ending::Finished => format!("looked at when the run phase ended at {run_end}, without a settle phase"),
        Ending::Drained => format!("run phase to {run_end}, everything drained at {end}"),
        Ending::SettleBound => format!("run phase to {run_end}, the settle phase ended at {end} with work left"),
        Ending::Stuck { at, why } => format!("the run could not go on at {}: {why}", figures::at(*at)),
    }
}

fn violations(page: &mut Page, report: &Report) {
    const SHOWN: usize = 5;
    for (at, what) in report.run.violations.iter().take(SHOWN) {
        page.put(Style::Bad, "  violated   ");
        page.wrapped(Style::Plain, 13, &format!("at {}: {what}", figures::at(*at)));
    }
    let hidden = report.run.violations.len().saturating_sub(SHOWN);
    if hidden > 0 {
        page.line(Style::Quiet, format!("             … and {hidden} more"));
    }
}

fn warnings(page: &mut Page, report: &Report) {
    const SHOWN: usize = 5;
    let idle = idle::entries(report);
    for Idle { at, what } in idle.iter().take(SHOWN) {
        page.put(Style::Doubt, "  warning    ");
        page.wrapped(Style::Plain, 13, &format!("at {}: {what}", figures::at(*at)));
    }
    if idle.len() > SHOWN {
        page.line(Style::Quiet, format!("             … and {} more", idle.len() - SHOWN));
    }
}

fn story(page: &mut Page, report: &Report, group: usize) {
    account::head(page, report, group);
    account::table(page, report, group);
    account::lag_and_latency(page, report, group);
    exceptions::list(page, report, group);
    backlog::paragraph(page, report, group);
    backlog::livelock(page, report, group);
    rebalances::table(page, report, group);
    outages::table(page, report, group);
    leaders::table(page, report, group);
    fates::duplicates(page, report, group);
    fates::losses(page, report, group);
    fates::skips(page, report, group);
}

fn tail(page: &mut Page, report: &Report) {
    if let Some(lesson) = &report.scenario.lesson {
        page.blank();
        page.put(Style::Title, "Lesson  ");
        page.wrapped(Style::Plain, 8, lesson);
    }
    page.blank();
    let identity = [
        format!("seed {}", report.run.seed),
        format!("trace {}", replay::hex(report.run.trace_hash)),
        format!("Kafka {}", names::releases(report.scenario.kafka)),
        format!("groupsim {}", env!("CARGO_PKG_VERSION")),
    ];
    page.line(Style::Quiet, identity.join(" · "));
    page.put(Style::Quiet, "run it again: ").line(Style::Plain, command(report));
}

/// To be pasted into a shell; what came through a pipe has to come again.
pub fn command(report: &Report) -> String {
    let (argument, seed) = (report.source.argument, report.run.seed);
    if argument == STDIN {
        return format!("groupsim run - --seed {seed} (with the same standard input)");
    }
    // What begins with a dash would be taken for an option.
    let dash = if argument.starts_with('-') { "./" } else { "" };
    format!("groupsim run {} --seed {seed}", shell_word(&format!("{dash}{argument}")))
}

fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./+:,@%=".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

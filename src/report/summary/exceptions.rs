//! Processes of a group that an exception ended, each with what became of it.

use crate::metrics::marks::{Mark, MarkKind};
use crate::report::summary::page::{Page, Style};
use crate::report::{Report, figures, names};
use crate::units::GroupId;

const SHOWN: usize = 4;

pub fn list(page: &mut Page, report: &Report, group: usize) {
    let ours = |mark: &Mark| {
        let client = mark.kind.client();
        client.is_some_and(|client| report.scenario.clients[client.index()].group == GroupId(group as u32))
    };
    let told: Vec<String> =
        report.run.measurements.marks.iter().filter(|mark| ours(mark)).filter_map(|mark| sentence(report, mark)).collect();
    if told.is_empty() {
        return;
    }
    page.blank();
    for sentence in told.iter().take(SHOWN) {
        page.put(Style::Plain, "  ");
        page.wrapped(Style::Doubt, 2, sentence);
    }
    if told.len() > SHOWN {
        page.line(Style::Quiet, format!("  … and {} more ended with an exception: see replay.json", told.len() - SHOWN));
    }
}

/// `B ended at 50.004s with UnreleasedInstanceIdException and was not restarted`.
fn sentence(report: &Report, mark: &Mark) -> Option<String> {
    let MarkKind::Failed(client, error) = mark.kind else { return None };
    let next = report.run.measurements.marks.iter().find(|other| other.kind == MarkKind::Started(client) && other.life > mark.life);
    let then = next.map_or("was not restarted".to_owned(), |next| format!("was started again at {}", figures::at(next.at)));
    Some(format!("{} ended at {} with {} and {then}", names::client(report.scenario, client), figures::at(mark.at), error.name()))
}

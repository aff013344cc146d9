//! A group's first lines: who reads what, the fate of its records, lag and latency.

use crate::metrics::PartitionMeasurements;
use crate::metrics::marks::{Mark, MarkKind};
use crate::report::summary::page::{Cell, Page, REST, Style, Table};
use crate::report::{Report, figures, latency, names};
use crate::units::{ClientId, Span};

/// Of the column of labels, in both tables.
const LABEL: usize = "processed once".len();

pub fn head(page: &mut Page, report: &Report, group: usize) {
    const NAMES_SHOWN: usize = 6;
    const NAMES_WIDTH: usize = 40;
    let scenario = report.scenario;
    let named = &scenario.groups[group];
    let ever_starts = |id: ClientId| {
        let started = |mark: &Mark| mark.kind == MarkKind::Started(id);
        report.run.measurements.marks.iter().any(started)
    };
    let ids = (0..scenario.clients.len() as u32).map(ClientId);
    let readers = ids.filter(|id| scenario.clients[id.index()].group.index() == group && ever_starts(*id));
    let clients: Vec<String> = readers.map(|id| names::client(scenario, id).to_owned()).collect();
    let members = match clients.len() {
        0 => "nobody reads".to_owned(),
        1 => format!("{} reads", clients[0]),
        2..=NAMES_SHOWN if clients.iter().map(String::len).sum::<usize>() <= NAMES_WIDTH => {
            format!("{} read", names::list(&clients, NAMES_SHOWN))
        }
        many => format!("{many} members ({} … {}) read", clients[0], clients[many - 1]),
    };
    let topics: Vec<String> = named
        .topics
        .iter()
        .map(|id| &scenario.topics[id.index()])
        .map(|topic| match topic.most_partitions {
            most if most > topic.partitions => format!("{} ({}, later {most} partitions)", topic.name, topic.partitions),
            _ => format!("{} ({})", topic.name, figures::count(u64::from(topic.partitions), "partition")),
        })
        .collect();
    let title = format!("Group {}", named.name);
    let start = title.chars().count() + 2;
    page.put(Style::Title, title).put(Style::Plain, "  ");
    page.wrapped_after(Style::Quiet, start, 2, &format!("{members} {}", names::list(&topics, 4)));
}

/// The fate of every record.
pub fn table(page: &mut Page, report: &Report, group: usize) {
    let account = &report.run.accounts[group];
    let mut table = Table::new(&[(false, LABEL), (true, 26), (true, 10), (false, REST)]);
    table.row(Style::Plain, ["produced".to_owned(), figures::grouped(account.produced), String::new(), String::new()]);
    let extra = format!("{} extra", figures::grouped(account.extra));
    let fates = [
        ("processed once", account.processed_once, Style::Plain, String::new()),
        ("duplicated", account.duplicated, Style::Doubt, if account.extra > 0 { extra } else { String::new() }),
        ("lost", account.lost, Style::Bad, String::new()),
        ("skipped", account.skipped, Style::Doubt, String::new()),
        ("deleted", account.deleted, Style::Doubt, "gone with their topic".to_owned()),
        ("unsettled", account.unsettled, Style::Doubt, String::new()),
    ];
    for (name, count, alarm, remark) in fates {
        if name == "deleted" && count == 0 {
            // Few runs delete topics.
            continue;
        }
        let style = if count == 0 { Style::Quiet } else { Style::Plain };
        let counted = if count == 0 { Style::Quiet } else { alarm };
        let share = if count == 0 { String::new() } else { figures::percent(count, account.produced) };
        table.cells(vec![
            Cell { style, text: name.to_owned() },
            Cell { style: counted, text: figures::grouped(count) },
            Cell { style, text: share },
            Cell { style: Style::Quiet, text: remark },
        ]);
    }
    page.table(2, &table);
    if let Some(at) = report.run.stopped() {
        let text = format!("incomplete: the run stopped at {}, and what was going on then is not counted", figures::at(at));
        page.put(Style::Plain, "  ");
        page.wrapped(Style::Doubt, 2, &text);
    }
}

pub fn lag_and_latency(page: &mut Page, report: &Report, group: usize) {
    let measured = &report.run.measurements.groups[group];
    let mut table = Table::new(&[(false, LABEL), (false, REST)]);
    let cut_short = report.run.measurements.end < report.run.measurements.run_end;
    let mut lag = format!(
        "unprocessed: peak {}, {} {}",
        figures::grouped(measured.peak_lag),
        if cut_short { "when the run stopped" } else { "run end" },
        figures::grouped(measured.run_end_lag),
    );
    if report.run.measurements.end > report.run.measurements.run_end {
        lag.push_str(&format!(", settled {}", figures::grouped(measured.final_lag)));
    }
    let uncommitted = measured.partitions.iter().map(PartitionMeasurements::final_uncommitted).sum::<i64>().max(0) as u64;
    if uncommitted > measured.final_lag {
        lag.push_str(&format!("; {} not committed", figures::grouped(uncommitted)));
    }
    table.row(Style::Plain, [format!("{:<LABEL$}", "lag"), lag]);
    let distribution = &measured.latency;
    if distribution.count > 0 {
        let max = Span::from_nanos(distribution.max);
        // Rounding up must not go beyond the greatest of all.
        let shown = |thousandths| figures::span(figures::to_three_digits(latency::percentile(distribution, thousandths)).min(max));
        let max = figures::span(max);
        let text = format!("50% within {}, 99% within {}, all within {max}", shown(500), shown(990));
        table.row(Style::Plain, ["latency".to_owned(), text]);
    }
    if measured.commits_refused + measured.commits_failed > 0 {
        let text = format!(
            "{} taken, {} refused (wholly or partly), {} failed",
            figures::grouped(measured.commits),
            figures::grouped(measured.commits_refused),
            figures::grouped(measured.commits_failed)
        );
        table.row(Style::Plain, ["commits".to_owned(), text]);
    }
    page.table(2, &table);
}

//! Partitions that had no leader: whoever owned them could read nothing.

use crate::metrics::Leaderless;
use crate::metrics::marks::{Mark, MarkKind};
use crate::report::summary::page::{Page, REST, Style, Table};
use crate::report::{Report, figures, names};
use crate::units::{Span, TopicPartition};

pub fn table(page: &mut Page, report: &Report, group: usize) {
    const SHOWN: usize = 4;
    let all = of_group(report, group);
    if all.is_empty() {
        return;
    }
    let lasted = |time: &Leaderless| time.to.unwrap_or(report.run.measurements.end).since(time.from);
    let mut alike: Vec<(Leaderless, Vec<TopicPartition>)> = Vec::new();
    for time in &all {
        match alike.iter_mut().find(|(same, _)| (same.from, same.to) == (time.from, time.to)) {
            Some((_, partitions)) => partitions.push(time.partition),
            None => alike.push((*time, vec![time.partition])),
        }
    }
    alike.sort_by_key(|(time, _)| std::cmp::Reverse(lasted(time)));
    let mut hit: Vec<TopicPartition> = all.iter().map(|time| time.partition).collect();
    hit.sort_unstable();
    hit.dedup();
    let longest = figures::span(all.iter().map(lasted).max().unwrap_or(Span::ZERO));
    let partitions = figures::count(report.run.measurements.groups[group].partitions.len() as u64, "partition");
    page.blank();
    page.line(Style::Title, format!("  {} of {partitions} had no leader, {longest} at the longest", hit.len()));
    let mut table = Table::new(&[(false, 25), (true, 14), (false, 14), (false, 14), (false, REST)]);
    table.row(Style::Quiet, ["partitions", "lasted", "from", "to", "because"]);
    for (time, partitions) in alike.iter().take(SHOWN) {
        let to = time.to.map_or("the end".to_owned(), figures::at);
        let names = names::partitions(report.scenario, partitions);
        table.row(Style::Plain, [names, figures::span(lasted(time)), figures::at(time.from), to, deaths(report, time)]);
    }
    page.table(4, &table);
    if alike.len() > SHOWN {
        page.line(Style::Quiet, format!("    … and {} more times", alike.len() - SHOWN));
    }
}

/// When partitions of its topics had no leader.
pub fn of_group(report: &Report, group: usize) -> Vec<Leaderless> {
    let topics = &report.scenario.groups[group].topics;
    report.run.measurements.leaderless.iter().filter(|time| topics.contains(&time.partition.topic)).copied().collect()
}

fn deaths(report: &Report, time: &Leaderless) -> String {
    let at_that_time = report.run.measurements.marks.iter().filter(|mark| mark.at == time.from);
    let dead = |mark: &Mark| if let MarkKind::BrokerDown(broker, _) = mark.kind { Some(names::broker(broker)) } else { None };
    let dead: Vec<String> = at_that_time.filter_map(dead).collect();
    if dead.is_empty() { String::new() } else { format!("{} died", names::list(&dead, 3)) }
}

//! Assignments as tables for a terminal.

use std::collections::BTreeMap;

use crate::assignment::balance::Balance;
use crate::assignment::{Question, Strategy};
use crate::kafka::assignor::{AssignError, Assignment};
use crate::release::Release;
use crate::report::summary::page::{Cell, Page, REST, Style, Table, WIDEST};
use crate::units::TopicPartition;

/// Longer lists help nobody; the figures are shown all the same.
const LISTED_MAX: usize = 200;
/// Six assignors beside each other fit a page.
const COLUMN_MAX: usize = 12;
const LABEL_MAX: usize = 20;

/// Member by member.
pub fn of_one(question: &Question, strategy: Strategy, release: Release) -> Page {
    let mut page = Page::default();
    page.put(Style::Title, strategy.name()).put(Style::Plain, "  ");
    page.wrapped(Style::Quiet, strategy.name().len() + 2, strategy.summary());
    page.blank();
    match question.answer(strategy, release) {
        Ok(assignment) => {
            let mut table = Table::new(&[(false, 40), (true, 10), (false, REST)]);
            table.row(Style::Quiet, ["member", "partitions", ""]);
            for (member, share) in question.members().iter().zip(&assignment).take(LISTED_MAX) {
                table.row(Style::Plain, [member.id.clone(), share.len().to_string(), in_words(question, share)]);
            }
            page.table(0, &table);
            not_listed(&mut page, "members", question.members().len());
            page.blank();
            page.line(Style::Plain, verdict(question, &Balance::of(question, &assignment)));
        }
        Err(error) => page.line(Style::Bad, format!("fails: {error}")),
    }
    page
}

/// `orders 0-2 5, payments 1`.
fn in_words(question: &Question, share: &[TopicPartition]) -> String {
    let mut topics: Vec<String> = Vec::new();
    for of_topic in share.chunk_by(|a, b| a.topic == b.topic) {
        let mut words = vec![question.topic(of_topic[0].topic).to_owned()];
        for run in of_topic.chunk_by(|a, b| a.partition + 1 == b.partition) {
            let (first, last) = (run[0].partition, run[run.len() - 1].partition);
            words.push(if first == last { first.to_string() } else { format!("{first}-{last}") });
        }
        topics.push(words.join(" "));
    }
    topics.join(", ")
}

fn verdict(question: &Question, balance: &Balance) -> String {
    let owned: usize = question.members().iter().map(|member| member.owned.len()).sum();
    let mut text = format!("{} to {} partitions a member", balance.least, balance.most);
    if owned > 0 {
        text += &format!("; {} of {owned} move", balance.moved);
    }
    if balance.nobodys > 0 {
        text += &format!("; nobody gets {}", balance.nobodys);
    }
    text
}

fn not_listed(page: &mut Page, what: &str, there: usize) {
    if there > LISTED_MAX {
        page.line(Style::Quiet, format!("... and {} more {what}", there - LISTED_MAX));
    }
}

/// All assignors side by side: who gets each partition, how many each member has, how even that is and what it moves.
pub fn of_all(question: &Question, release: Release) -> Page {
    let mut page = Page::within(WIDEST);
    let sheet = Sheet::new(question, release);
    page.table(0, &sheet.table());
    page.blank();
    for remark in sheet.remarks() {
        page.line(Style::Quiet, remark);
    }
    not_listed(&mut page, "members", question.members().len());
    for (strategy, answer) in &sheet.answers {
        if let Err(error) = answer {
            page.line(Style::Bad, format!("{} fails: {error}", strategy.name()));
        }
    }
    page
}

struct Sheet<'a> {
    question: &'a Question,
    release: Release,
    partitions: Vec<TopicPartition>,
    /// Who had each partition: places of members.
    before: BTreeMap<TopicPartition, Vec<usize>>,
    answers: Vec<(Strategy, Result<Answer, AssignError>)>,
}

struct Answer {
    assignment: Assignment,
    owners: BTreeMap<TopicPartition, usize>,
    balance: Balance,
}

impl<'a> Sheet<'a> {
    fn new(question: &'a Question, release: Release) -> Self {
        let mut before: BTreeMap<TopicPartition, Vec<usize>> = BTreeMap::new();
        for (place, member) in question.members().iter().enumerate() {
            member.owned.iter().for_each(|partition| before.entry(*partition).or_default().push(place));
        }
        let answer = |strategy: Strategy| {
            let answer = question.answer(strategy, release).map(|assignment| {
                let shares = assignment.iter().enumerate();
                let owners = shares.flat_map(|(place, share)| share.iter().map(move |partition| (*partition, place))).collect();
                Answer { owners, balance: Balance::of(question, &assignment), assignment }
            });
            (strategy, answer)
        };
        let of_topic = |(topic, count)| (0..count).map(move |partition| TopicPartition { topic, partition });
        let there = Strategy::ALL.into_iter().filter(|strategy| strategy.exists_in(release));
        Sheet {
            question,
            release,
            partitions: question.topics().flat_map(of_topic).collect(),
            before,
            answers: there.map(answer).collect(),
        }
    }

    /// One column for what is there before, if there is anything, and one for each assignor.
    fn table(&self) -> Table {
        let mut columns = vec![(false, LABEL_MAX)];
        columns.resize(1 + self.answers.len() + usize::from(!self.before.is_empty()), (false, COLUMN_MAX));
        let mut table = Table::new(&columns);
        // The words of a long name stand under each other.
        let names = self.answers.iter().map(|(strategy, _)| strategy.name().replace('-', "- "));
        table.cells(self.row(Style::Quiet, "", "before", names));
        if self.partitions.len() <= LISTED_MAX {
            self.partitions.iter().for_each(|partition| table.cells(self.owners(*partition)));
            table.row(Style::Plain, [""]);
        }
        for (place, member) in self.question.members().iter().enumerate().take(LISTED_MAX) {
            let label = format!("{} has", shortened(&member.id, LABEL_MAX - " has".len()));
            let had = member.owned.len().to_string();
            table.cells(self.row(Style::Plain, &label, &had, self.figures(|answer| answer.assignment[place].len().to_string())));
        }
        let fewest_most = |answer: &Answer| format!("{} to {}", answer.balance.least, answer.balance.most);
        table.cells(self.row(Style::Plain, "each has", "", self.figures(fewest_most)));
        table.cells(self.row(Style::Plain, "moved", "", self.figures(|answer| answer.balance.moved.to_string())));
        table
    }

    fn row(&self, style: Style, label: &str, before: &str, cells: impl Iterator<Item = String>) -> Vec<Cell> {
        let mut row = vec![Cell { style: Style::Quiet, text: label.to_owned() }];
        if !self.before.is_empty() {
            row.push(Cell { style: Style::Quiet, text: before.to_owned() });
        }
        row.extend(cells.map(|text| Cell { style, text }));
        row
    }

    fn figures(&self, figure: impl Fn(&Answer) -> String) -> impl Iterator<Item = String> {
        self.answers.iter().map(move |(_, answer)| answer.as_ref().map_or_else(|_| "fails".to_owned(), &figure))
    }

    fn owners(&self, partition: TopicPartition) -> Vec<Cell> {
        let before = self.before.get(&partition).map_or(&[][..], Vec::as_slice);
        let id = |place: usize, room: usize| shortened(&self.question.members()[place].id, room);
        let had: Vec<String> = before.iter().map(|place| id(*place, COLUMN_MAX)).collect();
        let number = format!("-{}", partition.partition);
        let label = shortened(self.question.topic(partition.topic), LABEL_MAX - number.len()) + &number;
        let mut row = self.row(Style::Plain, &label, &had.join(" "), std::iter::empty());
        for (_, answer) in &self.answers {
            let owner = answer.as_ref().map(|answer| answer.owners.get(&partition));
            let (style, text) = match owner {
                Ok(Some(owner)) if before.is_empty() || before.contains(owner) => (Style::Plain, id(*owner, COLUMN_MAX)),
                Ok(Some(owner)) => (Style::Doubt, id(*owner, COLUMN_MAX - 1) + "*"),
                Ok(None) => (Style::Quiet, "-".to_owned()),
                Err(_) => (Style::Bad, "fails".to_owned()),
            };
            row.push(Cell { style, text });
        }
        row
    }

    fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        let any = |what: fn(&Balance) -> usize| self.answers.iter().flat_map(|(_, answer)| answer).any(|answer| what(&answer.balance) > 0);
        if any(|balance| balance.moved) {
            remarks.push("*  another member had it".to_owned());
        }
        if any(|balance| balance.nobodys) {
            let why = if self.before.is_empty() { "" } else { "; cooperative-sticky hands it out when it has been given up" };
            remarks.push(format!("-  nobody gets it{why}"));
        }
        if self.partitions.len() > LISTED_MAX {
            remarks.push(format!("{} partitions are not listed; --assignor NAME tells who gets which", self.partitions.len()));
        }
        if self.answers.len() < Strategy::ALL.len() {
            remarks
                .push(format!("the brokers of Kafka {} do not assign: server-range and server-uniform came with 4.0", self.release.name()));
        }
        remarks
    }
}

/// The end of a long name: there names differ most.
fn shortened(name: &str, room: usize) -> String {
    let letters = name.chars().count();
    if letters <= room { name.to_owned() } else { "\u{2026}".to_owned() + &name.chars().skip(letters + 1 - room).collect::<String>() }
}

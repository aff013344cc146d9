//! `groupsim partition`: which partition the default partitioner sends a key to, and what another number of partitions would change.

use std::ffi::OsString;

use super::{ExitCode, Failure, print};
use crate::kafka::partitioner::{murmur2, partition_for_key};
use crate::report::summary::page::{Cell, Page, Style, Table};

#[derive(clap::Args)]
pub struct Args {
    /// How many partitions the topic has
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(i32::MAX)))]
    partitions: u32,
    /// How many it would have
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(i32::MAX)))]
    to: Option<u32>,
    /// Keys of records; their bytes are hashed as they are
    #[arg(value_name = "KEY", required = true)]
    keys: Vec<OsString>,
}

pub fn run(args: &Args) -> Result<ExitCode, Failure> {
    print(&page(args).coloured())?;
    Ok(ExitCode::Fine)
}

fn page(args: &Args) -> Page {
    let mut page = Page::default();
    let mut table = Table::new(&[(false, 60), (true, 11), (true, 16), (true, 16), (false, 5)]);
    let head = |count: u32| format!("of {count}");
    table.row(Style::Quiet, ["key".to_owned(), "murmur2".to_owned(), head(args.partitions), args.to.map(head).unwrap_or_default()]);
    let mut moving = 0;
    for key in &args.keys {
        let bytes = key.as_encoded_bytes();
        let at = partition_for_key(bytes, args.partitions);
        let mut row = vec![shown(key), murmur2(bytes).to_string(), at.to_string()];
        let mut style = Style::Plain;
        if let Some(then) = args.to.map(|to| partition_for_key(bytes, to)) {
            row.push(then.to_string());
            if then != at {
                moving += 1;
                style = Style::Doubt;
                row.push("moves".to_owned());
            }
        }
        table.cells(row.into_iter().map(|text| Cell { style, text }).collect());
    }
    page.table(0, &table);
    if let Some(to) = args.to {
        page.blank();
        page.wrapped(Style::Plain, 0, &consequence(moving, args.keys.len(), to < args.partitions));
    }
    page
}

fn consequence(moving: usize, keys: usize, fewer: bool) -> String {
    let what = match (moving, fewer) {
        (0, _) => return format!("none of {keys} moves"),
        (_, true) => "a topic cannot shrink, so that is another topic, to which older records have to be copied in their order",
        (1, false) => "its older records stay where they are, and their order with the newer ones is lost",
        (_, false) => "older records of these keys stay where they are, and the order of a key is lost across the two",
    };
    format!("{moving} of {keys} {}: {what}", if moving == 1 { "moves" } else { "move" })
}

/// Nothing that a terminal would obey.
fn shown(key: &OsString) -> String {
    let text: String = key.to_string_lossy().chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect();
    if text.is_empty() || text.contains(char::is_whitespace) { format!("\"{text}\"") } else { text }
}

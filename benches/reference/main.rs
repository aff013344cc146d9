//! groupsim beside program B, a bare program that does the same work record by record: time, memory and their ratios, in one run.
//!
//! ```text
//! cargo bench                                    W1 and H1, five rounds
//! cargo bench --bench reference -- h2            H2, one round: program B takes minutes and gigabytes for it
//! cargo bench --bench reference -- w1 --rounds 9
//! cargo bench --bench reference -- parts         single parts: random times, lines of the trace, assignors
//! ```
//!
//! The rounds of the two are interleaved and the medians compared: on a shared machine times swing by 40 %, ratios within a run by a few
//! percent. groupsim is measured as a whole command: it reads benches/workloads/*.yaml, simulates, and writes every output.

#![allow(clippy::disallowed_types, reason = "a benchmark looks at the wall clock")]

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::measure::{Cost, measure};
use crate::program::{Outcome, Work};

mod measure;
mod parts;
mod program;
mod uniform;

/// What the command line asks for.
struct Arguments {
    works: Vec<Work>,
    /// `None`: by the work.
    rounds: Option<usize>,
    parts: bool,
    /// This process is program B and does this work.
    program: Option<Work>,
}

fn main() -> ExitCode {
    let arguments = match arguments(env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(message) => {
            eprintln!("{message}");
            return ExitCode::from(64);
        }
    };
    if let Some(work) = arguments.program {
        println!("{}", numbers(&program::run(work)));
        return ExitCode::SUCCESS;
    }
    if arguments.parts {
        parts::report();
        uniform::report();
    }
    for work in arguments.works {
        let rounds = arguments.rounds.unwrap_or(if work.name == "h2" { 1 } else { 5 });
        if let Err(error) = compare(work, rounds) {
            eprintln!("{}: {error}", work.name);
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn arguments(mut words: impl Iterator<Item = String>) -> Result<Arguments, String> {
    let mut arguments = Arguments { works: Vec::new(), rounds: None, parts: false, program: None };
    let mut benchmark = false;
    while let Some(word) = words.next() {
        let mut number = || words.next().and_then(|word| word.parse().ok()).filter(|rounds| *rounds > 0);
        match word.as_str() {
            // What `cargo bench` says to every benchmark, and `cargo test --all-targets` does not.
            "--bench" => benchmark = true,
            "--rounds" => arguments.rounds = Some(number().ok_or("--rounds takes a number above zero")?),
            "--program" => arguments.program = words.next().and_then(|name| work(&name)),
            "parts" => arguments.parts = true,
            name => arguments.works.push(work(name).ok_or_else(|| format!("{name} is none of w1, h1, h2, parts"))?),
        }
    }
    if benchmark && arguments.works.is_empty() && !arguments.parts {
        arguments.works = ["w1", "h1"].into_iter().filter_map(work).collect();
    }
    Ok(arguments)
}

fn work(name: &str) -> Option<Work> {
    Work::ALL.into_iter().find(|work| work.name == name)
}

fn compare(work: Work, rounds: usize) -> io::Result<()> {
    let out = env::temp_dir().join(format!("groupsim-bench-{}-{}", work.name, std::process::id()));
    let (mut bare, mut whole) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        bare.push(measure(Command::new(env::current_exe()?).args(["--program", work.name]))?);
        whole.push(measure(
            Command::new(env!("CARGO_BIN_EXE_groupsim")).args(["run", "--quiet", "--no-charts", "--out"]).arg(&out).arg(scenario(work)),
        )?);
    }
    let (b, groupsim) = (Medians::of(&bare), Medians::of(&whole));
    println!("{}: medians of {rounds} rounds", work.name);
    println!("  {:9} {:>12} {:>12} {:>12}", "", "wall", "processor", "peak");
    println!("  program B {b}   {}", bare[0].stdout.trim());
    println!("  groupsim  {groupsim}   {}", summary(&out));
    println!("  ratio     {}", groupsim.ratios(&b));
    if out.exists() { fs::remove_dir_all(&out) } else { Ok(()) }
}

fn scenario(work: Work) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/workloads").join(work.name).with_extension("yaml")
}

fn numbers(outcome: &Outcome) -> String {
    let backlog = outcome.produced - outcome.processed_once - outcome.duplicated;
    let latency_ms = outcome.latency_sum / u128::from(outcome.processed_once.max(1)) / 1_000_000;
    format!(
        "produced {}, once {}, duplicated {}, unsettled {backlog}, {} events, {} samples, mean latency {latency_ms} ms",
        outcome.produced, outcome.processed_once, outcome.duplicated, outcome.events, outcome.samples
    )
}

/// The same numbers from the summary that groupsim wrote.
fn summary(out: &Path) -> String {
    let summary = fs::read(out.join("summary.json")).ok().and_then(|text| serde_json::from_slice::<serde_json::Value>(&text).ok());
    let Some(summary) = summary else { return "no summary.json".to_owned() };
    let group = &summary["groups"]["readers"];
    let [produced, once, duplicated, unsettled] = ["produced", "processed_once", "duplicated", "unsettled"].map(|key| &group[key]);
    format!("produced {produced}, once {once}, duplicated {duplicated}, unsettled {unsettled}")
}

/// Milliseconds and MiB.
struct Medians {
    wall: f64,
    cpu: Option<f64>,
    peak: Option<f64>,
}

impl Medians {
    fn of(costs: &[Cost]) -> Self {
        let millis = |time: std::time::Duration| time.as_secs_f64() * 1e3;
        Medians {
            wall: median(costs.iter().map(|cost| Some(millis(cost.wall)))).expect("every run takes time"),
            cpu: median(costs.iter().map(|cost| cost.cpu.map(millis))),
            peak: median(costs.iter().map(|cost| cost.peak_kib.map(|kib| kib as f64 / 1024.0))),
        }
    }

    fn ratios(&self, base: &Medians) -> String {
        let ratio = |own: Option<f64>, base: Option<f64>| match (own, base) {
            (Some(own), Some(base)) => format!("{:.3}", own / base),
            (None, _) | (_, None) => "-".to_owned(),
        };
        let (wall, cpu) = (ratio(Some(self.wall), Some(base.wall)), ratio(self.cpu, base.cpu));
        format!("{wall:>12} {cpu:>12} {:>12}", ratio(self.peak, base.peak))
    }
}

impl std::fmt::Display for Medians {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = |value: Option<f64>, unit: &str| value.map_or("-".to_owned(), |value| format!("{value:.1} {unit}"));
        let (wall, cpu) = (shown(Some(self.wall), "ms"), shown(self.cpu, "ms"));
        write!(f, "{wall:>12} {cpu:>12} {:>12}", shown(self.peak, "MiB"))
    }
}

/// `None` if any value is missing.
fn median(values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    let mut values = values.collect::<Option<Vec<f64>>>()?;
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

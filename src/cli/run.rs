//! `groupsim run`: simulate a scenario and write what came out.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::staged::StagedFile;
use super::{ExitCode, Failure, columns, input, mistake, print, say};
use crate::report::files::Files;
use crate::report::folder::{Folder, FolderError};
use crate::report::verdict::Verdict;
use crate::report::{Output, Report, Run, Source, summary};
use crate::run::play;
use crate::scenario::Scenario;
use crate::trace::json::JsonLines;

#[derive(clap::Args)]
pub struct Args {
    /// A scenario file, `-` for standard input, or the name of a built-in scenario; an existing path wins
    #[arg(value_name = "FILE|NAME")]
    scenario: PathBuf,
    /// Where random draws come from, instead of the scenario's own seed
    #[arg(long, value_name = "N", value_parser = seed, allow_negative_numbers = true)]
    seed: Option<u64>,
    /// Where to write [default: output/<scenario>]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Write the trace, one JSON object a line; `-` is stdout, and the summary then goes to stderr
    #[arg(long, value_name = "FILE|-")]
    trace: Option<PathBuf>,
    /// Leave lag.svg and lag.png out
    #[arg(long)]
    no_charts: bool,
    /// Print no summary; what failed or could not be decided still goes to stderr
    #[arg(long, short)]
    quiet: bool,
}

/// What a run does besides simulating.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Options {
    pub out: PathBuf,
    pub trace: TraceTo,
    pub charts: bool,
    pub quiet: bool,
}

/// Where the trace goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TraceTo {
    Nowhere,
    /// trace.jsonl in the output directory.
    Output,
    File(PathBuf),
    Stdout,
}

/// What clap says of a number does not tell what would be right.
fn seed(written: &str) -> Result<u64, String> {
    written.parse().map_err(|_| format!("a seed is a whole number from 0 to {}", u64::MAX))
}

pub fn run(args: &Args) -> Result<ExitCode, Failure> {
    let (mut scenario, input) = input::scenario(&args.scenario, args.quiet)?;
    scenario.seed = args.seed.unwrap_or(scenario.seed);
    let options = Options {
        out: args.out.clone().unwrap_or_else(|| PathBuf::from("output").join(&scenario.name)),
        trace: match &args.trace {
            Some(path) if path.as_os_str() == "-" => TraceTo::Stdout,
            Some(path) => TraceTo::File(path.clone()),
            None if scenario.outputs.trace => TraceTo::Output,
            None => TraceTo::Nowhere,
        },
        charts: !args.no_charts,
        quiet: args.quiet,
    };
    mistake::explain_panics(format!(
        "groupsim {}, the scenario `{}` ({}), seed {}",
        env!("CARGO_PKG_VERSION"),
        scenario.name,
        input.name,
        scenario.seed
    ));
    simulate(&scenario, Source { argument: &input.name, text: &input.text }, &options)
}

/// Simulates, judges, writes the folder and shows the summary.
fn simulate(scenario: &Scenario, source: Source<'_>, options: &Options) -> Result<ExitCode, Failure> {
    let mut folder = Folder::open(&options.out).map_err(unwritable)?;
    let mut trace_file = None;
    let run = match &options.trace {
        TraceTo::Nowhere => play(scenario, scenario.seed, &mut ()),
        TraceTo::Output => {
            let file = folder.stream(Output::Trace).map_err(unwritable)?;
            let name = options.out.join(Output::Trace.file_name());
            traced(scenario, file).map_err(|error| cannot_write(&name, error))?
        }
        TraceTo::File(path) => {
            refuse_to_overwrite(path, source.argument, &options.out)?;
            let staged = StagedFile::create(path).map_err(|error| cannot_write(path, error))?;
            let file = staged.file().map_err(|error| cannot_write(path, error))?;
            let run = traced(scenario, file).map_err(|error| cannot_write(path, error))?;
            trace_file = Some((staged, path));
            run
        }
        TraceTo::Stdout => traced(scenario, WhileRead { out: io::stdout().lock(), is_read: true })
            .map_err(|error| Failure::Output("to stdout".to_owned(), error))?,
    };
    let report = Report::new(scenario, source, run);
    let files = Files::new(&report, options.charts);
    for output in files.outputs() {
        folder.stage(output, |file| files.write(output, file)).map_err(unwritable)?;
    }
    folder.publish().map_err(unwritable)?;
    // Behind the folder, which takes a stale trace out of its way.
    if let Some((staged, path)) = trace_file {
        staged.publish().map_err(|error| cannot_write(path, error))?;
    }
    show(&report, options)?;
    Ok(match report.judgement.verdict.exit_code() {
        0 => ExitCode::Fine,
        1 => ExitCode::Failed,
        _ => ExitCode::Undecided,
    })
}

/// The trace goes over neither the scenario nor another file of this run.
fn refuse_to_overwrite(path: &Path, scenario: &str, out: &Path) -> Result<(), Failure> {
    let is = |other: &Path| match (path.canonicalize(), other.canonicalize()) {
        (Ok(path), Ok(other)) => path == other,
        _ => path == other,
    };
    let refuse = |why: &str| Err(cannot_write(path, io::Error::new(io::ErrorKind::InvalidInput, why)));
    if is(Path::new(scenario)) {
        return refuse("that is the scenario itself");
    }
    if Output::ALL.into_iter().any(|output| output != Output::Trace && is(&out.join(output.file_name()))) {
        return refuse("another output of this run has that name");
    }
    Ok(())
}

/// A pipe that may close before everything is written: what nobody reads is let go, and the run goes on to its files and its verdict.
struct WhileRead<W> {
    out: W,
    is_read: bool,
}

impl<W: Write> WhileRead<W> {
    fn unless_closed<T>(&mut self, unread: T, write: impl FnOnce(&mut W) -> io::Result<T>) -> io::Result<T> {
        if !self.is_read {
            return Ok(unread);
        }
        match write(&mut self.out) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.is_read = false;
                Ok(unread)
            }
            written => written,
        }
    }
}

impl<W: Write> Write for WhileRead<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.unless_closed(bytes.len(), |out| out.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.unless_closed((), Write::flush)
    }
}

/// Plays with the trace written as JSON Lines.
fn traced(scenario: &Scenario, out: impl Write) -> io::Result<Run> {
    let mut lines = JsonLines::new(&scenario.names(), BufWriter::with_capacity(1 << 16, out));
    let run = play(scenario, scenario.seed, &mut lines);
    lines.finish()?.flush()?;
    Ok(run)
}

/// The summary, and where the files are; if it is to be quiet, only what is wrong.
fn show(report: &Report<'_>, options: &Options) -> Result<(), Failure> {
    if options.quiet {
        if !matches!(report.judgement.verdict, Verdict::Passed | Verdict::Finished) {
            say(summary::complaint(report).coloured().trim_end());
        }
        return Ok(());
    }
    let page = summary::page_within(report, columns());
    if options.trace == TraceTo::Stdout {
        say(page.coloured().trim_end());
    } else {
        match print(&page.coloured()) {
            // The verdict stands, whether anybody reads to the end or not.
            Err(Failure::Output(_, error)) if error.kind() == io::ErrorKind::BrokenPipe => {}
            shown => shown?,
        }
    }
    say(&format!("files are in {}", options.out.display()));
    Ok(())
}

fn unwritable(error: FolderError) -> Failure {
    cannot_write(&error.path, error.source)
}

fn cannot_write(path: &Path, error: io::Error) -> Failure {
    Failure::Output(path.display().to_string(), error)
}

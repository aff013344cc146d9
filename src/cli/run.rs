//! `groupsim run`: simulate a scenario and write what came out.

use std::panic::{self, AssertUnwindSafe};
use std::path::PathBuf;

use super::{ExitCode, Failure, input};
use crate::scenario::Scenario;

#[derive(clap::Args)]
pub struct Args {
    /// A scenario file, `-` for standard input, or the name of a built-in scenario; an existing path wins
    #[arg(value_name = "FILE|NAME")]
    scenario: PathBuf,
    /// Where random draws come from, instead of the scenario's own seed
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Where to write [default: output/<scenario>]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Write the trace, one JSON object a line; `-` is stdout, and the summary then goes to stderr
    #[arg(long, value_name = "FILE|-")]
    trace: Option<PathBuf>,
    /// Print nothing but errors
    #[arg(long, short)]
    quiet: bool,
}

/// What a run does besides simulating.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Options {
    pub out: PathBuf,
    pub trace: TraceTo,
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
        quiet: args.quiet,
    };
    let outcome = panic::catch_unwind(AssertUnwindSafe(|| simulate(&scenario, &input.text, &options)));
    outcome.unwrap_or_else(|_| {
        let message = format!(
            "this is a mistake in groupsim, not in the scenario; please report it, with the scenario `{}` ({}) and the seed {}",
            scenario.name, input.name, scenario.seed
        );
        Err(Failure::Internal(message))
    })
}

/// The one call into the simulator and its reports.
fn simulate(_scenario: &Scenario, _source: &str, _options: &Options) -> Result<ExitCode, Failure> {
    Err(Failure::Internal("this build has no simulator".to_owned()))
}

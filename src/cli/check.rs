//! `groupsim check`: is a scenario valid, and what would a run use?

use std::path::PathBuf;

use super::{ExitCode, Failure, input, print};

#[derive(clap::Args)]
pub struct Args {
    /// A scenario file, `-` for standard input, or the name of a built-in scenario
    #[arg(value_name = "FILE|NAME")]
    scenario: PathBuf,
    /// Print everything that a run uses, defaults included
    #[arg(long)]
    resolved: bool,
}

pub fn run(args: &Args) -> Result<ExitCode, Failure> {
    let (scenario, input) = input::scenario(&args.scenario, false)?;
    if args.resolved {
        print(&scenario.resolved_yaml())?;
    } else {
        print(&format!("{}: the scenario `{}` is valid\n", input.name, scenario.name))?;
    }
    Ok(ExitCode::Fine)
}

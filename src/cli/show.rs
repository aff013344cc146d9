//! `groupsim show`: the text of a built-in scenario.

use super::{ExitCode, Failure, input, print};
use crate::scenario::builtin;

#[derive(clap::Args)]
pub struct Args {
    /// The name of a built-in scenario
    #[arg(value_name = "NAME")]
    name: String,
}

pub fn run(args: &Args) -> Result<ExitCode, Failure> {
    let builtin = builtin::find(&args.name).ok_or_else(|| input::not_found(&args.name))?;
    print(builtin.text)?;
    Ok(ExitCode::Fine)
}

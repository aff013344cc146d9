//! `groupsim show`: the text of a built-in scenario.

use std::path::Path;

use super::{ExitCode, Failure, input, print};
use crate::scenario::builtin;

#[derive(clap::Args)]
pub struct Args {
    /// The name of a built-in scenario
    #[arg(value_name = "NAME")]
    name: String,
}

pub fn run(args: &Args) -> Result<ExitCode, Failure> {
    let builtin = builtin::find(&args.name).ok_or_else(|| not_built_in(&args.name))?;
    print(builtin.text)?;
    Ok(ExitCode::Fine)
}

fn not_built_in(name: &str) -> Failure {
    if Path::new(name).is_file() {
        return Failure::Usage(format!(
            "`{name}` is a file: `groupsim show` prints scenarios that are built in, `groupsim list` shows them"
        ));
    }
    input::not_found(name)
}

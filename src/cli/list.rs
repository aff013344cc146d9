//! `groupsim list`: the built-in scenarios, each with what it is about.

use super::{ExitCode, Failure, print};
use crate::scenario::{self, builtin};

#[derive(clap::Args)]
pub struct Args {}

pub fn run(_: &Args) -> Result<ExitCode, Failure> {
    let width = builtin::ALL.iter().map(|builtin| builtin.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for builtin in builtin::ALL {
        let (scenario, _) = scenario::load(builtin.text, builtin.name).map_err(Failure::Input)?;
        text += &format!("{:width$}  {}\n", builtin.name, scenario.about.as_deref().unwrap_or_default().trim());
    }
    print(&text)?;
    Ok(ExitCode::Fine)
}

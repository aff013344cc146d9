//! `groupsim schema`: the JSON Schema of scenario files.

use super::{ExitCode, Failure, print};
use crate::scenario::file;

#[derive(clap::Args)]
pub struct Args {}

pub fn run(_: &Args) -> Result<ExitCode, Failure> {
    print(&file::schema_text())?;
    Ok(ExitCode::Fine)
}

//! `groupsim coordinator FILE|-`: plays scripts against the group coordinator.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::{ExitCode, Failure, print};
use crate::error::{Problem, Problems};
use crate::workbench;

#[derive(Clone, PartialEq, Eq, Debug, clap::Args)]
pub struct Args {
    /// Scripts in JSON Lines; - is the standard input
    #[arg(value_name = "FILE|-")]
    pub file: PathBuf,
}

/// Prints the transcripts once all scripts are played; nothing of them if a line is bad.
pub fn run(args: &Args) -> Result<ExitCode, Failure> {
    let name = if args.file.as_os_str() == "-" { "<stdin>".to_owned() } else { args.file.display().to_string() };
    let bad = |message: String| Failure::Input(Problems::unreadable(&name, Problem::error(message)));
    let scripts = read(&args.file).map_err(|error| bad(format!("cannot be read: {error}")))?;
    let transcripts = workbench::play(&scripts).map_err(|line| bad(line.to_string()))?;
    print(&transcripts)?;
    Ok(ExitCode::Fine)
}

/// Not UTF-8 is an error like a file that is missing.
fn read(file: &Path) -> io::Result<String> {
    if file != Path::new("-") {
        return std::fs::read_to_string(file);
    }
    let mut scripts = String::new();
    io::stdin().read_to_string(&mut scripts)?;
    Ok(scripts)
}

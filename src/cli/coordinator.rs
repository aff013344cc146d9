//! `groupsim coordinator FILE|-`: plays scripts against the group coordinator.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::workbench::{self, BadLine};

#[derive(Clone, PartialEq, Eq, Debug, clap::Args)]
pub struct Args {
    /// Scripts in JSON Lines; - is the standard input
    #[arg(value_name = "FILE|-")]
    pub file: PathBuf,
}

/// Why there are no transcripts. Either way it is the input that is bad.
#[derive(Debug, thiserror::Error)]
pub enum NoTranscripts {
    #[error("{}: cannot be read: {error}", .file.display())]
    Unreadable { file: PathBuf, error: io::Error },
    #[error("{}: {bad}", .file.display())]
    BadLine { file: PathBuf, bad: BadLine },
}

/// The transcripts, to be printed as they are.
pub fn run(args: &Args) -> Result<String, NoTranscripts> {
    let file = &args.file;
    let scripts = read(file).map_err(|error| NoTranscripts::Unreadable { file: file.clone(), error })?;
    workbench::play(&scripts).map_err(|bad| NoTranscripts::BadLine { file: file.clone(), bad })
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

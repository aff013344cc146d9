//! `groupsim coordinator FILE|-`: plays scripts against the group coordinator.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::{ExitCode, Failure, print};
use crate::error::{Problem, Problems};
use crate::report::STDIN;
use crate::workbench;

/// More is not read: scripts and transcripts are held in memory.
const SCRIPTS_BYTES_MAX: u64 = 64 << 20;

#[derive(Clone, PartialEq, Eq, Debug, clap::Args)]
pub struct Args {
    /// Scripts in JSON Lines, up to 64 MiB; - is the standard input
    #[arg(value_name = "FILE|-")]
    pub file: PathBuf,
}

/// Prints the transcripts once all scripts are played; nothing of them if a line is bad.
pub fn run(args: &Args) -> Result<ExitCode, Failure> {
    let name = if args.file.as_os_str() == "-" { STDIN.to_owned() } else { args.file.display().to_string() };
    let bad = |message: String| Failure::Input(Problems::unreadable(&name, Problem::error(message)));
    let scripts = read(&args.file).map_err(|error| bad(format!("cannot be read: {error}")))?;
    let transcripts = workbench::play(&scripts).map_err(|line| bad(line.to_string()))?;
    print(&transcripts)?;
    Ok(ExitCode::Fine)
}

/// Not UTF-8 is an error like a file that is missing, and so is a file without an end.
fn read(file: &Path) -> io::Result<String> {
    if file == Path::new("-") { at_most(SCRIPTS_BYTES_MAX, io::stdin().lock()) } else { at_most(SCRIPTS_BYTES_MAX, File::open(file)?) }
}

fn at_most(limit: u64, source: impl Read) -> io::Result<String> {
    let mut scripts = String::new();
    source.take(limit + 1).read_to_string(&mut scripts)?;
    if scripts.len() as u64 > limit {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it has more than {limit} bytes")));
    }
    Ok(scripts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_end_at_the_limit() {
        assert_eq!(at_most(4, &b"full"[..]).ok().as_deref(), Some("full"));
        assert_eq!(at_most(4, &b"fuller"[..]).map_err(|error| error.to_string()), Err("it has more than 4 bytes".to_owned()));
        assert_eq!(at_most(4, io::repeat(b'x')).map_err(|error| error.kind()), Err(io::ErrorKind::FileTooLarge));
    }
}

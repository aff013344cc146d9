//! The command line: arguments in, library calls, text out, an exit code at the end.
//!
//! Results go to stdout; problems, progress and status go to stderr. Colours are for terminals, and not where NO_COLOR is set.

pub mod assign;
pub mod check;
pub mod coordinator;
pub mod input;
pub mod list;
mod mistake;
pub mod partition;
pub mod run;
pub mod schema;
pub mod show;
mod staged;

use std::ffi::OsString;
use std::io::{self, Write};
use std::panic::{self, AssertUnwindSafe};

use clap::{Parser, Subcommand};

use crate::error::Problems;

/// How the program ends. The numbers from 64 on are those of sysexits.h.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum ExitCode {
    Fine,
    Failed,
    Undecided,
    Usage,
    BadInput,
    Internal,
    OutputFailed,
}

impl ExitCode {
    pub const ALL: [ExitCode; 7] = [
        ExitCode::Fine,
        ExitCode::Failed,
        ExitCode::Undecided,
        ExitCode::Usage,
        ExitCode::BadInput,
        ExitCode::Internal,
        ExitCode::OutputFailed,
    ];

    pub fn number(self) -> u8 {
        match self {
            ExitCode::Fine => 0,
            ExitCode::Failed => 1,
            ExitCode::Undecided => 2,
            ExitCode::Usage => 64,
            ExitCode::BadInput => 65,
            ExitCode::Internal => 70,
            ExitCode::OutputFailed => 74,
        }
    }

    pub fn summary(self) -> &'static str {
        match self {
            ExitCode::Fine => "all went as expected",
            ExitCode::Failed => "an expectation or an invariant failed",
            ExitCode::Undecided => "an expectation could not be decided, or the run could not go on",
            ExitCode::Usage => "the command line is wrong",
            ExitCode::BadInput => "the input is missing, unreadable or wrong",
            ExitCode::Internal => "a mistake in groupsim itself",
            ExitCode::OutputFailed => "the output cannot be written",
        }
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        std::process::ExitCode::from(code.number())
    }
}

/// Why a command came to nothing.
#[derive(Debug)]
pub enum Failure {
    /// The arguments make no sense together.
    Usage(String),
    /// Something is wrong with an input.
    Input(Problems),
    /// Something cannot be written: what, and why.
    Output(String, io::Error),
}

/// Shows what Kafka consumer groups do: simulates a scenario in virtual time and tells the fate of every record.
#[derive(Parser)]
#[command(name = "groupsim", version, about, arg_required_else_help = true, after_help = exit_codes())]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Simulate a scenario and write what came out
    Run(run::Args),
    /// Say whether a scenario is valid, without running it
    Check(check::Args),
    /// List the scenarios that are built in
    List(list::Args),
    /// Print a built-in scenario, to start one's own from
    Show(show::Args),
    /// Print the JSON Schema of scenario files, for editors
    Schema(schema::Args),
    /// Play scripts of requests against a group coordinator and print what it says
    Coordinator(coordinator::Args),
    /// Show which member gets which partitions, without a simulation
    Assign(assign::Args),
    /// Show which partitions keys go to, and would go to with another number of them
    Partition(partition::Args),
}

fn exit_codes() -> String {
    let lines = ExitCode::ALL.map(|code| format!("  {:>2}  {}", code.number(), code.summary()));
    format!("Exit codes:\n{}", lines.join("\n"))
}

/// The whole program but the process around it.
pub fn run_program(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            let wrong = error.use_stderr();
            return match error.print().and_then(|()| io::stdout().flush()) {
                Ok(()) | Err(_) if wrong => ExitCode::Usage,
                Ok(()) => ExitCode::Fine,
                // Whoever asks for help and does not read it is not told about it.
                Err(full) if full.kind() == io::ErrorKind::BrokenPipe => ExitCode::Fine,
                Err(_) => ExitCode::OutputFailed,
            };
        }
    };
    mistake::explain_panics(format!("groupsim {}", env!("CARGO_PKG_VERSION")));
    // A panic has been told when it arrives here.
    match panic::catch_unwind(AssertUnwindSafe(|| dispatch(cli.command))) {
        Ok(Ok(code)) => code,
        Ok(Err(failure)) => report(failure),
        Err(_) => ExitCode::Internal,
    }
}

fn dispatch(command: Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Run(args) => run::run(&args),
        Command::Check(args) => check::run(&args),
        Command::List(args) => list::run(&args),
        Command::Show(args) => show::run(&args),
        Command::Schema(args) => schema::run(&args),
        Command::Coordinator(args) => coordinator::run(&args),
        Command::Assign(args) => assign::run(&args),
        Command::Partition(args) => partition::run(&args),
    }
}

/// Says why, and with which code the program ends.
fn report(failure: Failure) -> ExitCode {
    match failure {
        Failure::Usage(message) => {
            say(&format!("error: {message}"));
            ExitCode::Usage
        }
        Failure::Input(problems) => {
            say(&problems.styled());
            ExitCode::BadInput
        }
        // The reader has gone away, as `head` does: nothing is wrong.
        Failure::Output(_, error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::Fine,
        Failure::Output(what, error) => {
            say(&format!("error: cannot write {what}: {error}"));
            ExitCode::OutputFailed
        }
    }
}

/// A result.
pub fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = anstream::stdout();
    let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    written.map_err(|error| Failure::Output("to stdout".to_owned(), error))
}

/// How wide the terminal is that stdout goes to; none has no width.
pub fn columns() -> usize {
    terminal_size::terminal_size_of(std::io::stdout()).map_or(0, |(terminal_size::Width(columns), _)| usize::from(columns))
}

/// Problems and status. There is nobody left to tell if stderr cannot be written.
pub fn say(text: &str) {
    let _ = writeln!(anstream::stderr(), "{text}");
}

//! Where a scenario comes from, or other input: a file, standard input, or the program itself.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::{Failure, say};
use crate::error::{Problem, Problems, did_you_mean};
use crate::report::STDIN;
use crate::scenario::check::FILE_BYTES_MAX;
use crate::scenario::{self, Scenario, builtin};

/// A text with what messages call it.
pub struct Input {
    pub name: String,
    pub text: String,
}

/// Reads and checks a scenario; warnings go to stderr.
pub fn scenario(file_or_name: &Path, quiet: bool) -> Result<(Scenario, Input), Failure> {
    let input = find(file_or_name)?;
    let (scenario, warnings) = scenario::load(&input.text, &input.name).map_err(Failure::Input)?;
    if !quiet && !warnings.list.is_empty() {
        say(&warnings.styled());
    }
    Ok((scenario, input))
}

/// An existing path wins over the name of a built-in scenario; `-` is standard input.
fn find(file_or_name: &Path) -> Result<Input, Failure> {
    let shown = file_or_name.to_string_lossy().into_owned();
    if shown == "-" {
        return read(io::stdin().lock(), STDIN);
    }
    match File::open(file_or_name) {
        Ok(file) => read(file, &shown),
        Err(error) if error.kind() == io::ErrorKind::NotFound => match builtin::find(&shown) {
            Some(builtin) => Ok(Input { name: shown, text: builtin.text.to_owned() }),
            None => Err(not_found(&shown)),
        },
        Err(error) => Err(unreadable(&shown, &error)),
    }
}

/// The bytes of a file, or of standard input if it is called `-`.
pub fn bytes(file: &Path) -> Result<Vec<u8>, Failure> {
    if file.as_os_str() == "-" {
        return read_bytes(io::stdin().lock(), "<stdin>");
    }
    let name = file.to_string_lossy();
    read_bytes(File::open(file).map_err(|error| unreadable(&name, &error))?, &name)
}

fn read(source: impl Read, name: &str) -> Result<Input, Failure> {
    let text = String::from_utf8(read_bytes(source, name)?).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        not_utf8(name, error.as_bytes(), at)
    })?;
    Ok(Input { name: name.to_owned(), text })
}

/// Shows the line of the first byte that is no UTF-8, with a sign in its place.
fn not_utf8(name: &str, bytes: &[u8], at: usize) -> Failure {
    let hint = if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        "this looks like UTF-16: scenario files are UTF-8 text"
    } else {
        "scenario files are UTF-8 text"
    };
    // Up to the byte the lossy text is the file, so that its offset is the same.
    let shown = String::from_utf8_lossy(bytes);
    let problem = Problem::error(format!("not UTF-8: the byte 0x{:02x} does not belong there", bytes[at]));
    let sign = at..at + char::REPLACEMENT_CHARACTER.len_utf8();
    Failure::Input(Problems::new(name, &shown, vec![problem.at(sign).hint(hint)]))
}

/// At most what a scenario may have, from whatever it is.
fn read_bytes(source: impl Read, name: &str) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let limit = FILE_BYTES_MAX as u64 + 1;
    source.take(limit).read_to_end(&mut bytes).map_err(|error| unreadable(name, &error))?;
    if bytes.len() > FILE_BYTES_MAX {
        return Err(input_problem(name, Problem::error(format!("the file has more than {FILE_BYTES_MAX} bytes"))));
    }
    Ok(bytes)
}

fn unreadable(name: &str, error: &io::Error) -> Failure {
    input_problem(name, Problem::error(format!("cannot be read: {error}")))
}

/// Neither a file nor a name.
pub fn not_found(name: &str) -> Failure {
    let names = builtin::ALL.iter().map(|builtin| builtin.name);
    let guess = did_you_mean(name, names).filter(|hint| hint.starts_with("did you mean"));
    let hint = guess.map_or_else(String::new, |guess| format!("{guess} ")) + "`groupsim list` shows the names that are built in";
    input_problem(name, Problem::error("no such file, and no built-in scenario of that name").hint(hint))
}

fn input_problem(name: &str, problem: Problem) -> Failure {
    Failure::Input(Problems::unreadable(name, problem))
}

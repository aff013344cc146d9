//! The rules that the code keeps: who may know whom, sizes, names, bans, and lists that stand in two places.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use groupsim::cli::ExitCode;
use groupsim::kafka::assignor::Assignor;
use groupsim::release::Release;
use groupsim::report::Output;

const LINES_OF_A_FILE: usize = 400;
const LINES_OF_A_FUNCTION: usize = 70;

/// Each module with those that it may know, from the bottom to the top. `crate::` in a file means one of its own or one of these.
const LAYERS: &[(&str, &[&str])] = &[
    ("units", &[]),
    ("release", &[]),
    ("error", &[]),
    ("terms", &["units"]),
    ("trace", &["units", "terms"]),
    ("effects", &["units", "trace"]),
    ("kafka", &["units", "release", "terms", "trace", "effects"]),
    ("assignment", &["units", "release", "error", "kafka"]),
    ("client", &["units", "release", "terms", "trace", "effects", "kafka"]),
    ("workbench", &["units", "release", "terms", "trace", "effects", "kafka"]),
    ("scenario", &["units", "release", "error", "terms", "trace"]),
    ("sim", &["units", "release", "terms", "trace", "effects", "kafka", "client", "scenario"]),
    ("ranges", &["units"]),
    ("records", &["units", "trace"]),
    ("slots", &["units", "trace"]),
    ("ownership", &["units", "terms", "trace", "slots"]),
    ("deliveries", &["units", "trace"]),
    ("fold", &["units", "trace", "slots", "ownership", "deliveries"]),
    ("ledger", &["units", "terms", "trace", "ranges", "ownership", "deliveries", "fold"]),
    ("metrics", &["units", "terms", "trace", "ranges", "records", "slots", "ownership", "deliveries", "fold"]),
    ("invariant", &["units", "terms", "trace", "slots", "ownership", "fold"]),
    ("incidents", &["units", "terms", "trace", "fold"]),
    ("report", &["units", "release", "terms", "trace", "fold", "ledger", "metrics", "incidents", "scenario"]),
    ("run", &["units", "trace", "fold", "ledger", "metrics", "incidents", "invariant", "report", "scenario", "sim"]),
    ("cli", &["units", "release", "error", "trace", "kafka", "assignment", "report", "scenario", "run", "workbench"]),
    // Traces by hand, for the tests of the folds.
    ("story", &["units", "terms", "trace", "fold"]),
];

/// A Rust file of this project.
struct SourceFile {
    path: String,
    text: String,
}

impl SourceFile {
    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(at, line)| (at + 1, line))
    }

    /// Without comments, and without tests.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let ends = if self.is_of_tests() { 0 } else { self.text.find("#[cfg(test)]\nmod tests {").unwrap_or(self.text.len()) };
        let lines = self.text[..ends].lines().count();
        self.lines().take(lines).filter(|(_, line)| !line.trim_start().starts_with("//"))
    }

    fn is_of_tests(&self) -> bool {
        !self.path.starts_with("src/") || self.path.ends_with("/tests.rs") || self.path == "src/story.rs"
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every file below a folder, by its path from the root.
fn files_in(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root().join(&folder)).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let entry = entry.expect("an entry");
            let path = folder.join(entry.file_name());
            if entry.file_type().expect("a type").is_dir() {
                folders.push(path);
            } else {
                found.push(path.to_str().expect("UTF-8").replace('\\', "/"));
            }
        }
    }
    found.sort();
    found
}

fn sources(folders: &[&str]) -> Vec<SourceFile> {
    let paths = folders.iter().flat_map(|folder| files_in(folder)).filter(|path| path.ends_with(".rs"));
    paths.map(|path| SourceFile { text: read(&path), path }).collect()
}

#[track_caller]
fn check_none(what: &str, offenders: &[String]) {
    assert!(offenders.is_empty(), "{what}:\n  {}", offenders.join("\n  "));
}

/// The module below the root that a file belongs to; none for the roots themselves.
fn module(path: &str) -> Option<&str> {
    let inside = path.strip_prefix("src/")?;
    let module = inside.split('/').next()?;
    let module = module.strip_suffix(".rs").unwrap_or(module);
    (module != "lib" && module != "main").then_some(module)
}

#[test]
fn nobody_knows_a_layer_above() {
    let mut offenders = Vec::new();
    for file in sources(&["src"]) {
        let Some(own) = module(&file.path) else { continue };
        let Some((_, known)) = LAYERS.iter().find(|(name, _)| *name == own) else { panic!("{}: in which layer is {own}?", file.path) };
        let of_tests = if file.is_of_tests() || file.text.contains("#[cfg(test)]") { "story" } else { own };
        for (number, line) in file.lines().filter(|(_, line)| !line.trim_start().starts_with("//")) {
            for name in named_after(line, "crate::") {
                if name != own && name != of_tests && !known.contains(&name) {
                    offenders.push(format!("{}:{number}: {own} knows {name}", file.path));
                }
            }
            // From the top of a file, so many steps up leave the module.
            let steps = line.strip_prefix("use ").map_or(0, |path| path.matches("super::").count());
            if steps >= file.path.matches('/').count() {
                offenders.push(format!("{}:{number}: use crate:: instead", file.path));
            }
        }
    }
    check_none("a layer knows one above it", &offenders);
}

/// The names that follow `prefix` in a line, those in braces too.
fn named_after<'a>(line: &'a str, prefix: &str) -> Vec<&'a str> {
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut names = Vec::new();
    for (at, _) in line.match_indices(prefix) {
        let rest = &line[at + prefix.len()..];
        let list = rest.strip_prefix('{').map_or(rest, |inside| inside.split('}').next().unwrap_or(inside));
        let parts = if rest.starts_with('{') { list.split(',').collect() } else { vec![list] };
        names.extend(parts.into_iter().map(|part| part.trim().split(|c| !is_of_name(c)).next().unwrap_or("")));
    }
    names.retain(|name| !name.is_empty());
    names
}

#[test]
fn the_layers_stand_on_each_other() {
    for (at, (name, known)) in LAYERS.iter().enumerate() {
        let below: Vec<&str> = LAYERS[..at].iter().map(|(name, _)| *name).collect();
        assert!(known.iter().all(|known| below.contains(known)), "{name} stands on those before it");
    }
    let there: BTreeSet<String> = sources(&["src"]).iter().filter_map(|file| module(&file.path).map(str::to_owned)).collect();
    let listed: BTreeSet<String> = LAYERS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(there, listed);
}

#[test]
fn a_use_in_braces_is_read_too() {
    assert_eq!(named_after("use crate::{units::Span, trace};", "crate::"), ["units", "trace"]);
    assert_eq!(named_after("    let x: crate::sim::Event = crate::kafka::new();", "crate::"), ["sim", "kafka"]);
}

#[test]
fn machines_draw_nothing_and_say_nothing() {
    let mut offenders = Vec::new();
    for file in sources(&["src"]) {
        let machine = matches!(module(&file.path), Some("kafka" | "client"));
        let draws = matches!(module(&file.path), Some("sim"));
        for (number, line) in file.code() {
            let speaks = ["println!", "std::fs", "std::io", "std::env"].iter().any(|word| line.contains(word));
            let rolls = ["use rand", "rand::", "rand_chacha::"].iter().any(|word| line.contains(word));
            if machine && speaks || !draws && rolls {
                offenders.push(format!("{}:{number}: {}", file.path, line.trim()));
            }
        }
    }
    check_none("state machines are pure, and only the simulation draws", &offenders);
}

#[test]
fn files_and_functions_fit() {
    let mut offenders = Vec::new();
    for file in sources(&["src", "tests", "benches"]) {
        let lines = file.text.lines().count();
        if lines > LINES_OF_A_FILE {
            offenders.push(format!("{}: {lines} lines", file.path));
        }
        for (number, name, lines) in functions(&file) {
            if lines > LINES_OF_A_FUNCTION {
                offenders.push(format!("{}:{number}: {name} has {lines} lines", file.path));
            }
        }
    }
    check_none(&format!("more than {LINES_OF_A_FILE} lines in a file, or {LINES_OF_A_FUNCTION} in a function"), &offenders);
}

/// Where each function begins, what it is called, and how many lines it has. The formatter puts the last brace where the first word is.
fn functions(file: &SourceFile) -> Vec<(usize, String, usize)> {
    let lines: Vec<&str> = file.text.lines().collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let indent = line.len() - line.trim_start().len();
        let words = line.trim_start().split(['(', '<']).next().unwrap_or("");
        let is_function = line.contains("fn ") && words.split(' ').all(|word| word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'));
        let one_line = line.ends_with('}') || line.ends_with(';');
        if !is_function && !words.starts_with("pub(") || !line.contains("fn ") || one_line {
            continue;
        }
        let end = format!("{}}}", " ".repeat(indent));
        let Some(length) = lines[at..].iter().position(|line| *line == end) else { continue };
        let name = line.split("fn ").nth(1).unwrap_or("").split(['(', '<']).next().unwrap_or("");
        found.push((at + 1, name.to_owned(), length + 1));
    }
    found
}

#[test]
fn functions_are_measured() {
    let text = "pub(super) fn one<T>(\n    x: T,\n) {\n    y()\n}\n\nfn two() {}\n\nimpl A {\n    const fn three(&self) -> u32 {\n        3\n    }\n}\n";
    let file = SourceFile { path: "src/x.rs".to_owned(), text: text.to_owned() };
    assert_eq!(functions(&file), [(1, "one".to_owned(), 5), (10, "three".to_owned(), 3)]);
}

#[test]
fn files_have_names_and_say_what_they_are() {
    let mut offenders = Vec::new();
    for file in sources(&["src", "tests", "benches"]) {
        let stem = file.path.rsplit('/').next().and_then(|name| name.strip_suffix(".rs")).expect("a Rust file");
        if ["mod", "utils", "util", "common", "helpers", "types", "engine", "manager"].contains(&stem) {
            offenders.push(format!("{}: a name that says nothing", file.path));
        }
        // A file of unit tests is described by the file that it tests.
        if !file.text.starts_with("//! ") && stem != "tests" {
            offenders.push(format!("{}: it does not say what it is", file.path));
        }
    }
    check_none("names and openings", &offenders);
}

#[test]
fn what_is_banned_is_not_there() {
    let left_over = ["todo", "unimplemented", "dbg"].map(|name| format!("{name}!("));
    let ignored = format!("#[{}", "ignore");
    let mut offenders = Vec::new();
    for file in sources(&["src", "tests", "benches"]) {
        let is_library = file.path.starts_with("src/") && file.path != "src/lib.rs";
        for (number, line) in file.lines() {
            if left_over.iter().any(|word| line.contains(word)) || line.contains(&ignored) {
                offenders.push(format!("{}:{number}: {}", file.path, line.trim()));
            }
            if is_library && line.trim_start().starts_with("pub use ") {
                offenders.push(format!("{}:{number}: an item has one path: {}", file.path, line.trim()));
            }
        }
        for (number, line) in file.code().filter(|(_, line)| line.contains(".unwrap()")) {
            offenders.push(format!("{}:{number}: expect(\"why it cannot fail\"): {}", file.path, line.trim()));
        }
    }
    check_none("banned", &offenders);
}

#[test]
fn no_file_names_a_machine_or_is_left_over() {
    let places = ["home", "work", "root", "tmp", "Users"].map(|folder| format!("/{folder}/"));
    let mut paths: Vec<String> = ["src", "tests", "benches", "scenarios"].iter().flat_map(|folder| files_in(folder)).collect();
    paths.extend(
        ["README.md", "CHANGELOG.md", "Cargo.toml", ".clippy.toml", ".rustfmt.toml", ".gitignore", "output/README.md"].map(str::to_owned),
    );
    let mut offenders = Vec::new();
    for path in paths {
        if path.ends_with(".snap.new") || path.ends_with("pending-snap") {
            offenders.push(format!("{path}: left over"));
        }
        let Ok(text) = String::from_utf8(fs::read(root().join(&path)).expect("it can be read")) else { continue };
        let is_named = |line: &&str| places.iter().any(|place| line.contains(place));
        offenders.extend(text.lines().find(is_named).map(|line| format!("{path}: {}", line.trim())));
    }
    check_none("paths of a machine, or files of another day", &offenders);
}

/// The first two cells of each row of the tables under a heading of the README; a row belongs to the nearest heading above it.
fn table(heading: &str) -> Vec<(String, String)> {
    let readme = read("README.md");
    let level = heading.split(' ').next().expect("a heading");
    let mut lines = readme.lines().skip_while(|line| *line != heading);
    assert!(lines.next().is_some(), "README.md has the heading `{heading}`");
    let section = lines.take_while(|line| !line.starts_with(&format!("{level} ")));
    let rows: Vec<Vec<String>> = section.filter(|line| line.starts_with('|')).map(cells).collect();
    let is_rule = |at: usize| rows.get(at).is_some_and(|row| row[0].starts_with("--"));
    // Neither the rule below the head of a table nor the head.
    let is_row = |at: &usize| !is_rule(*at) && !is_rule(at + 1);
    (0..rows.len()).filter(is_row).map(|at| (rows[at][0].clone(), rows[at][1].clone())).collect()
}

/// `| a | b |`, without the bars and the backticks.
fn cells(row: &str) -> Vec<String> {
    let row = row.trim().trim_matches('|').replace("\\|", "/");
    row.split('|').map(|cell| cell.trim().replace('`', "")).collect()
}

#[track_caller]
fn check_table<'a>(heading: &str, listed: impl IntoIterator<Item = (String, &'a str)>) {
    let listed: Vec<(String, String)> = listed.into_iter().map(|(name, summary)| (name, summary.replace('`', ""))).collect();
    let shown = table(heading);
    assert_eq!(shown, listed, "README.md, {heading}");
}

#[test]
fn the_readme_has_the_exit_codes() {
    check_table("## Exit codes", ExitCode::ALL.map(|code| (code.number().to_string(), code.summary())));
}

#[test]
fn the_readme_has_the_outputs() {
    check_table("## Outputs", Output::ALL.map(|output| (output.file_name().to_owned(), output.summary())));
}

#[test]
fn the_readme_has_the_releases_and_assignors() {
    let rows = table("## What is modelled");
    let releases: Vec<&str> =
        rows.iter().flat_map(|(names, _)| names.split(", ")).filter(|name| name.starts_with(|c: char| c.is_ascii_digit())).collect();
    assert_eq!(releases, Release::ALL.map(Release::name));
    let assignors: Vec<(&str, &str)> = rows
        .iter()
        .filter(|(name, _)| !name.starts_with(|c: char| c.is_ascii_digit()))
        .map(|(name, summary)| (name.as_str(), summary.as_str()))
        .collect();
    assert_eq!(assignors, Assignor::ALL.map(|assignor| (assignor.name(), assignor.summary())));
}

#[test]
fn the_readme_has_the_commands() {
    let help = Command::new(env!("CARGO_BIN_EXE_groupsim")).arg("--help").output().expect("the program starts").stdout;
    let help = String::from_utf8(help).expect("UTF-8");
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let commands: Vec<&str> = commands.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help").collect();
    let rows = table("## Use");
    let shown: Vec<&str> = rows.iter().filter_map(|(command, _)| command.strip_prefix("groupsim ")?.split(' ').next()).collect();
    assert_eq!(shown, commands);
}

/// So many deviations from Kafka are marked in the code.
const DEVIATIONS: usize = 30;

#[test]
fn what_is_not_modelled_is_marked_and_listed() {
    let files = sources(&["src"]);
    let marks = files
        .iter()
        .flat_map(|file| file.lines().filter(|(_, line)| line.contains("Not modelled:")).map(|(at, line)| (&file.path, at, line)));
    let marks: Vec<_> = marks.collect();
    for (path, at, line) in &marks {
        assert!(line.trim_start().starts_with("//"), "{path}:{at}: a comment");
        assert!(line.split("Not modelled:").nth(1).is_some_and(|what| what.len() > 10), "{path}:{at}: with its consequence");
    }
    assert_eq!(marks.len(), DEVIATIONS, "README.md, ## Not modelled, has to follow");
    let readme = read("README.md");
    let section = readme.split("\n## Not modelled\n").nth(1).expect("the README says what is not modelled");
    let section = section.split("\n## ").next().expect("a section");
    assert!(section.lines().filter(|line| line.starts_with("- ")).count() >= 8);
}

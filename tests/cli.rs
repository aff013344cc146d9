//! The program as it is called: exit codes, what goes to stdout and what to stderr.

use std::io::{Read, Write};
use std::process::{Command, Output, Stdio};

use groupsim::cli::ExitCode;
use groupsim::scenario::builtin;

fn groupsim(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_groupsim"));
    command.args(arguments).stdin(Stdio::null()).env_remove("CLICOLOR_FORCE");
    command
}

struct Outcome {
    code: i32,
    stdout: String,
    stderr: String,
}

fn outcome(output: Output) -> Outcome {
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Outcome { code: output.status.code().expect("an exit code"), stdout: text(output.stdout), stderr: text(output.stderr) }
}

fn run(arguments: &[&str]) -> Outcome {
    outcome(groupsim(arguments).output().expect("the program starts"))
}

fn run_with_input(arguments: &[&str], input: &[u8]) -> Outcome {
    let mut command = groupsim(arguments);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    // It may stop reading before the end.
    let _ = child.stdin.take().expect("a pipe").write_all(input);
    outcome(child.wait_with_output().expect("the program ends"))
}

/// A fresh directory for one test.
fn directory(name: &str) -> std::path::PathBuf {
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).expect("a directory for the test");
    path
}

#[test]
fn help_and_version_go_to_stdout_and_name_every_exit_code() {
    let help = run(&["--help"]);
    assert_eq!((help.code, help.stderr.as_str()), (0, ""));
    for code in ExitCode::ALL {
        assert!(help.stdout.contains(&format!("{:>2}  {}", code.number(), code.summary())), "{}", help.stdout);
    }
    let version = run(&["--version"]);
    assert_eq!((version.code, version.stdout), (0, format!("groupsim {}\n", env!("CARGO_PKG_VERSION"))));
}

#[test]
fn a_wrong_command_line_ends_with_64() {
    for arguments in
        [&["bogus"][..], &[], &["run"], &["run", "a", "b"], &["run", "consumer-crash", "--seed", "x"], &["list", "--bogus"], &["check", ""]]
    {
        let wrong = run(arguments);
        assert_eq!((wrong.code, wrong.stdout.as_str()), (64, ""), "{arguments:?}");
        assert!(!wrong.stderr.is_empty());
    }
}

#[test]
fn list_names_every_built_in_scenario_with_what_it_is_about() {
    let list = run(&["list"]);
    assert_eq!(list.code, 0);
    assert_eq!(list.stdout.lines().count(), builtin::ALL.len());
    for (line, builtin) in list.stdout.lines().zip(builtin::ALL) {
        assert!(line.starts_with(builtin.name) && line.len() > builtin.name.len() + 20, "{line}");
    }
}

#[test]
fn what_show_prints_is_a_scenario() {
    let shown = run(&["show", "consumer-crash"]);
    assert_eq!((shown.code, shown.stdout.as_str()), (0, include_str!("../scenarios/consumer-crash.yaml")));
    let checked = run_with_input(&["check", "-"], shown.stdout.as_bytes());
    assert_eq!((checked.code, checked.stdout.as_str()), (0, "<stdin>: the scenario `consumer-crash` is valid\n"));
}

#[test]
fn an_unknown_name_is_guessed_and_points_to_the_list() {
    for command in ["run", "check", "show"] {
        let wrong = run(&[command, "consumer-crsh"]);
        assert_eq!((wrong.code, wrong.stdout.as_str()), (65, ""));
        assert!(wrong.stderr.contains("did you mean `consumer-crash`?") && wrong.stderr.contains("groupsim list"), "{}", wrong.stderr);
    }
}

#[test]
fn an_existing_path_wins_over_a_built_in_name() {
    let place = directory("path-wins");
    std::fs::write(place.join("consumer-crash"), "duration: 1m\ntopics: {mine: 1}\n").expect("a file");
    let mut command = groupsim(&["check", "consumer-crash", "--resolved"]);
    let resolved = outcome(command.current_dir(&place).output().expect("the program starts"));
    assert_eq!(resolved.code, 0);
    assert!(resolved.stdout.contains("mine:") && !resolved.stdout.contains("orders"), "{}", resolved.stdout);
}

#[test]
fn resolved_output_resolves_to_itself() {
    let once = run(&["check", "rolling-deploy", "--resolved"]);
    let twice = run_with_input(&["check", "-", "--resolved"], once.stdout.as_bytes());
    assert_eq!((twice.code, twice.stdout), (0, once.stdout));
}

#[test]
fn bad_input_ends_with_65_and_says_where() {
    let bad = run_with_input(&["check", "-"], b"duration: 5\ntopics: {a: 1}\n");
    assert_eq!((bad.code, bad.stdout.as_str()), (65, ""));
    assert!(bad.stderr.contains("<stdin>:1:11") && bad.stderr.contains("`5` has no unit"), "{}", bad.stderr);
    let binary = run_with_input(&["run", "-"], b"name: \xff\xfe\n");
    assert_eq!(binary.code, 65);
    assert!(binary.stderr.contains("not UTF-8: the byte 0xff") && binary.stderr.contains("<stdin>:1:7"), "{}", binary.stderr);
    let endless = run_with_input(&["check", "-"], &vec![b'#'; (4 << 20) + 100]);
    assert_eq!(endless.code, 65);
    assert!(endless.stderr.contains("more than 4194304 bytes"), "{}", endless.stderr);
    assert_eq!(run(&["check", env!("CARGO_MANIFEST_DIR")]).code, 65, "a directory");
    assert_eq!(run_with_input(&["check", "-"], b"").code, 65, "nothing");
}

#[test]
fn warnings_go_to_stderr_and_change_no_exit_code() {
    let text = b"duration: 1m\ntopics: {a: {partitions: 1, retention.ms: 5}}\ngroups: {g: {topics: a, members: 1}}\n";
    let warned = run_with_input(&["check", "-"], text);
    assert_eq!((warned.code, warned.stdout.as_str()), (0, "<stdin>: the scenario `stdin` is valid\n"));
    assert!(warned.stderr.starts_with("warning: the topic property `retention.ms` is not modelled"), "{}", warned.stderr);
}

#[test]
fn nothing_is_coloured_where_no_terminal_is() {
    let bad = run(&["check", "nowhere.yaml"]);
    assert!(!bad.stderr.contains('\u{1b}'), "{:?}", bad.stderr);
    let forced = outcome(groupsim(&["check", "nowhere.yaml"]).env("CLICOLOR_FORCE", "1").output().expect("the program starts"));
    assert!(forced.stderr.contains('\u{1b}'), "{:?}", forced.stderr);
    let mut refused = groupsim(&["check", "nowhere.yaml"]);
    let refused = outcome(refused.env("CLICOLOR_FORCE", "1").env("NO_COLOR", "1").output().expect("the program starts"));
    assert_eq!(refused.stderr, bad.stderr);
}

#[test]
fn a_reader_that_goes_away_is_no_mistake() {
    for arguments in [&["schema"][..], &["show", "scaled-out"], &["list"], &["--help"], &["check", "scaled-out", "--resolved"]] {
        let mut child = groupsim(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
        drop(child.stdout.take());
        let mut stderr = String::new();
        child.stderr.take().expect("a pipe").read_to_string(&mut stderr).expect("UTF-8");
        assert_eq!((child.wait().expect("the program ends").code(), stderr.as_str()), (Some(0), ""), "{arguments:?}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_ends_with_74() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("/dev/full");
    let failed = outcome(groupsim(&["schema"]).stdout(full).output().expect("the program starts"));
    assert_eq!(failed.code, 74);
    assert!(failed.stderr.contains("cannot write to stdout"), "{}", failed.stderr);
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("/dev/full");
    assert_eq!(outcome(groupsim(&["--help"]).stdout(full).output().expect("the program starts")).code, 74);
}

/// Two seconds; one expectation that holds and one that does not.
const FAILING: &[u8] = b"name: failing
duration: 2s
topics: {a: 1}
producers: {p: {topic: a, rate: 10/s}}
groups: {g: {topics: [a], members: 1}}
expect: [{produced: 20}, {produced: 21}]
";

#[test]
fn a_quiet_run_still_says_what_failed() {
    let place = directory("quiet");
    let out = place.join("out");
    let quiet = run_with_input(&["run", "-", "--quiet", "--no-charts", "--out", out.to_str().expect("UTF-8")], FAILING);
    assert_eq!((quiet.code, quiet.stdout.as_str()), (1, ""));
    assert!(quiet.stderr.contains("FAILED  1 of 2 expectations failed"), "{}", quiet.stderr);
    assert!(quiet.stderr.contains("<stdin>:6  {produced: 21}") && quiet.stderr.contains("saw 20 records"), "{}", quiet.stderr);
    assert!(!quiet.stderr.contains("{produced: 20}"), "{}", quiet.stderr);
    let fine = run(&["run", "idle-standby", "--quiet", "--no-charts", "--out", out.to_str().expect("UTF-8")]);
    assert_eq!((fine.code, fine.stdout.as_str(), fine.stderr.as_str()), (0, "", ""));
}

#[test]
fn a_trace_that_nobody_reads_to_its_end_changes_neither_the_files_nor_the_verdict() {
    let place = directory("unread-trace");
    let (scenario, out) = (place.join("failing.yaml"), place.join("out"));
    std::fs::write(&scenario, FAILING).expect("the scenario");
    let paths = [&scenario, &out].map(|path| path.to_str().expect("UTF-8"));
    let mut command = groupsim(&["run", paths[0], "--no-charts", "--out", paths[1], "--trace", "-"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    drop(child.stdout.take());
    let failed = outcome(child.wait_with_output().expect("the program ends"));
    assert_eq!(failed.code, 1, "{}", failed.stderr);
    assert!(failed.stderr.contains("FAILED  1 of 2 expectations failed"), "{}", failed.stderr);
    assert!(out.join("summary.json").exists());
}

#[test]
fn what_came_through_a_pipe_is_run_again_through_a_pipe() {
    let place = directory("again");
    let shown = run_with_input(&["run", "-", "--no-charts", "--out", place.join("out").to_str().expect("UTF-8")], FAILING);
    assert!(shown.stdout.ends_with("run it again: groupsim run - --seed 1 (with the same standard input)\n"), "{}", shown.stdout);
}

#[test]
fn lines_for_stdout_and_stderr_stay_apart_in_one_pipe() {
    let place = directory("one-pipe");
    let (mut reader, writer) = std::io::pipe().expect("a pipe");
    let mut command = groupsim(&["run", "idle-standby", "--no-charts", "--out", place.join("out").to_str().expect("UTF-8")]);
    let mut child = command.stdout(writer.try_clone().expect("a pipe")).stderr(writer).spawn().expect("the program starts");
    drop(command);
    let mut all = String::new();
    reader.read_to_string(&mut all).expect("UTF-8");
    assert_eq!(child.wait().expect("the program ends").code(), Some(0));
    let last: Vec<&str> = all.lines().rev().take(2).collect();
    assert!(last[0].starts_with("files are in "), "{all}");
    assert_eq!(last[1], "run it again: groupsim run idle-standby --seed 1");
}

#[test]
fn a_run_that_fails_leaves_no_empty_folder() {
    let place = directory("no-folder");
    let scenario = place.join("failing.yaml");
    std::fs::write(&scenario, FAILING).expect("a file");
    let (scenario, out) = (scenario.to_str().expect("UTF-8"), place.join("deep/down"));
    let failed = run(&["run", scenario, "--trace", scenario, "--out", out.to_str().expect("UTF-8")]);
    assert_eq!(failed.code, 74);
    assert!(failed.stderr.contains("that is the scenario itself"), "{}", failed.stderr);
    assert!(!place.join("deep").exists());
}

#[test]
fn a_folder_that_is_a_file_is_told_in_a_sentence() {
    let place = directory("out-is-a-file");
    let out = place.join("taken");
    std::fs::write(&out, "mine").expect("a file");
    let failed = run(&["run", "idle-standby", "--out", out.to_str().expect("UTF-8")]);
    assert_eq!(failed.code, 74);
    assert!(failed.stderr.contains("taken: a file of that name is there, and a folder is needed"), "{}", failed.stderr);
    assert_eq!(std::fs::read_to_string(&out).expect("a file"), "mine");
}

#[test]
fn a_seed_that_is_none_is_told_what_a_seed_is() {
    for seed in ["-1", "1.5", "18446744073709551616", "x"] {
        let wrong = run(&["run", "idle-standby", "--seed", seed]);
        assert_eq!(wrong.code, 64, "{seed}");
        assert!(wrong.stderr.contains("a seed is a whole number from 0 to 18446744073709551615"), "{}", wrong.stderr);
    }
}

#[test]
fn the_schema_is_json() {
    let schema: serde_json::Value = serde_json::from_str(&run(&["schema"]).stdout).expect("JSON");
    assert_eq!(schema["title"], "groupsim scenario");
}

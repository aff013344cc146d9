//! Files whole or not at all.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use groupsim::report::Output;
use groupsim::report::folder::Folder;

/// A folder of this test alone, empty.
fn place(test: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("folder").join(test);
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).expect("the target folder can be written");
    path
}

fn names(path: &PathBuf) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn nothing_appears_before_everything_is_there() {
    let path = place("publish");
    let mut folder = Folder::open(&path.join("deep/down")).unwrap();
    folder.stage(Output::Summary, |file| file.write_all(b"one")).unwrap();
    let mut trace = folder.stream(Output::Trace).unwrap();
    trace.write_all(b"{}\n").unwrap();
    assert!(names(&path.join("deep/down")).iter().all(|name| name.ends_with(".partial")));
    folder.publish().unwrap();
    assert_eq!(names(&path.join("deep/down")), ["summary.txt", "trace.jsonl"]);
    assert_eq!(fs::read(path.join("deep/down/trace.jsonl")).unwrap(), b"{}\n");
}

#[test]
fn stale_files_of_ours_go_and_those_of_others_stay() {
    let path = place("stale");
    for name in ["trace.jsonl", "summary.txt", "replay.json", "notes.txt", "lag.csv.bak"] {
        fs::write(path.join(name), "old").unwrap();
    }
    let mut folder = Folder::open(&path).unwrap();
    folder.stage(Output::Summary, |file| file.write_all(b"new")).unwrap();
    folder.publish().unwrap();
    assert_eq!(names(&path), ["lag.csv.bak", "notes.txt", "summary.txt"]);
    assert_eq!(fs::read(path.join("summary.txt")).unwrap(), b"new");
}

#[test]
fn where_no_run_has_left_its_replay_nothing_is_stale() {
    let path = place("foreign");
    fs::write(path.join("trace.jsonl"), "somebody's").unwrap();
    let mut folder = Folder::open(&path).unwrap();
    folder.stage(Output::Summary, |file| file.write_all(b"new")).unwrap();
    folder.publish().unwrap();
    assert_eq!(names(&path), ["summary.txt", "trace.jsonl"]);
}

#[test]
fn a_failure_leaves_the_folder_as_it_was() {
    let path = place("failure");
    fs::write(path.join("summary.txt"), "old").unwrap();
    fs::create_dir(path.join("lag.csv")).unwrap();
    let mut folder = Folder::open(&path).unwrap();
    folder.stage(Output::Summary, |file| file.write_all(b"new")).unwrap();
    let error = folder.stage(Output::LagCsv, |file| file.write_all(b"rows")).unwrap_err();
    assert_eq!(error.path, path.join("lag.csv"));
    assert!(error.to_string().starts_with(&format!("cannot write {}: ", path.join("lag.csv").display())));
    drop(folder);
    assert_eq!(names(&path), ["lag.csv", "summary.txt"]);
    assert_eq!(fs::read(path.join("summary.txt")).unwrap(), b"old");
}

#[test]
fn a_foreign_directory_under_a_name_of_ours_stays() {
    let path = place("directory");
    fs::create_dir(path.join("trace.jsonl")).unwrap();
    let mut folder = Folder::open(&path).unwrap();
    folder.stage(Output::Summary, |file| file.write_all(b"new")).unwrap();
    folder.publish().unwrap();
    assert_eq!(names(&path), ["summary.txt", "trace.jsonl"]);
}

#[test]
fn a_folder_that_is_a_file_is_an_error_with_its_path() {
    let path = place("file").join("out");
    fs::write(&path, "").unwrap();
    let error = Folder::open(&path).unwrap_err();
    assert_eq!(error.path, path);
    assert!(error.to_string().starts_with(&format!("cannot make the folder {}: ", path.display())));
}

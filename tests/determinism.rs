//! A run is a function of its scenario and its seed: in one process and in another, watched or not, with others around or alone.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use groupsim::report::{Output, Report, Source};
use groupsim::scenario;
use groupsim::scenario::builtin::{self, Builtin};
use groupsim::trace::json::JsonLines;

/// Pictures take most of the time and are functions of what the other files tell: those of a few scenarios will do.
const DRAWN: [&str; 3] = ["consumer-crash", "order-processor", "partition-growth"];

/// Everything that a run writes, by file name.
type Files = Vec<(&'static str, Vec<u8>)>;

const WATCHED: bool = true;

#[test]
fn every_scenario_comes_out_the_same_in_every_process() {
    for builtin in builtin::ALL {
        let charts = DRAWN.contains(&builtin.name);
        let watched = played(builtin, charts, WATCHED);
        let flags = if charts { &["--trace", "trace.jsonl"][..] } else { &["--trace", "trace.jsonl", "--no-charts"] };
        let elsewhere = written(builtin.name, flags);
        check_same(builtin.name, "another process", &watched, &elsewhere);
        let again = played(builtin, charts, !WATCHED);
        check_same(builtin.name, "the second run, unwatched", &without_trace(watched), &again);
        let unwatched = written(builtin.name, &["--no-charts"]);
        check_same(builtin.name, "another process without a trace", &without_charts(again), &unwatched);
    }
}

#[test]
fn another_seed_draws_otherwise_where_something_is_drawn() {
    let hash = |text: &str, seed| {
        let (scenario, _) = scenario::load(text, "seeds.yaml").unwrap_or_else(|problems| panic!("{}", problems.styled()));
        groupsim::run::play(&scenario, seed, &mut ()).trace_hash
    };
    for name in ["consumer-crash", "scaled-out", "hot-partition"] {
        let text = builtin::find(name).expect("it is built in").text;
        assert_ne!(hash(text, 1), hash(text, 2), "{name}");
    }
    let text = builtin::find("auto-commit-crash").expect("it is built in").text;
    assert_eq!(hash(text, 1), hash(text, 2), "one partition, no keys, constant times: nothing is drawn");
}

#[test]
fn others_do_not_move_the_draws_of_those_who_were_there() {
    let others = [
        "extra: 3",
        "extra: {topic: extra, rate: 200/s, arrivals: poisson, keys: {prefix: x, count: 9}}",
        "audit: {topics: [extra], members: 2, processing: {exponential: 2ms}, config: {auto.offset.reset: earliest}}",
    ];
    let nobody = [""; 3];
    let alone = lines_of_the_first(&something_of_everything(nobody, nobody));
    assert!(alone.lines().count() > 10_000);
    for (place, before, behind) in [("before them", others, nobody), ("behind them", nobody, others)] {
        let accompanied = lines_of_the_first(&something_of_everything(before, behind));
        check_lines("alone or not", &format!("others {place}"), alone.as_bytes(), accompanied.as_bytes());
    }
}

/// A scenario in which everything is drawn that can be, with further topics, producers and groups before and behind its own.
fn something_of_everything(before: [&str; 3], behind: [&str; 3]) -> String {
    format!(
        "
duration: 100s
settle: 20s
cluster: {{latency: {{uniform: [1ms, 4ms]}}, write.latency: 0ms}}
topics:
  {}
  orders: 5
  {}
producers:
  {}
  shop: {{topic: orders, rate: 300/s, arrivals: poisson, keys: {{prefix: k, count: 50, zipf: 1.1}}}}
  web: {{topic: orders, rate: 100/s, config: {{batch.size: 1000}}}}
  {}
groups:
  {}
  billing:
    topics: [orders]
    members: [A, B]
    processing: {{time: {{lognormal: {{p50: 1ms, p99: 9ms}}}}}}
    config: {{auto.offset.reset: earliest, session.timeout.ms: 10000}}
  {}
timeline:
  - {{at: 30s, crash: billing/B}}
  - {{at: 33s, start: billing/B}}
",
        before[0], behind[0], before[1], behind[1], before[2], behind[2]
    )
}

/// The lines of the trace that are about its own producers and group.
fn lines_of_the_first(text: &str) -> String {
    let (scenario, _) = scenario::load(text, "drawn.yaml").unwrap_or_else(|problems| panic!("{}", problems.styled()));
    let mut trace = JsonLines::new(&scenario.names(), Vec::new());
    groupsim::run::play(&scenario, 1, &mut trace);
    let trace = String::from_utf8(trace.finish().expect("memory takes lines")).expect("JSON is UTF-8");
    let is_theirs =
        |line: &&str| [r#""producer":"shop""#, r#""producer":"web""#, r#""group":"billing""#].iter().any(|key| line.contains(key));
    trace.lines().filter(is_theirs).map(|line| format!("{line}\n")).collect()
}

/// Plays in this process.
fn played(builtin: &Builtin, charts: bool, watched: bool) -> Files {
    let Builtin { name, text } = *builtin;
    let (scenario, _) = scenario::load(text, name).unwrap_or_else(|problems| panic!("{}", problems.styled()));
    let mut trace = watched.then(|| JsonLines::new(&scenario.names(), Vec::new()));
    let run = groupsim::run::play(&scenario, scenario.seed, &mut trace);
    let report = Report::new(&scenario, Source { argument: name, text }, run);
    let mut files: Files = report.files(charts).into_iter().map(|(output, bytes)| (output.file_name(), bytes)).collect();
    if let Some(trace) = trace {
        files.push((Output::Trace.file_name(), trace.finish().expect("memory takes lines")));
    }
    files.sort();
    files
}

fn without_trace(mut files: Files) -> Files {
    files.retain(|(file, _)| *file != Output::Trace.file_name());
    files
}

fn without_charts(mut files: Files) -> Files {
    files.retain(|(file, _)| !file.starts_with("lag.") || *file == Output::LagCsv.file_name());
    files
}

/// Plays in another process and reads what it wrote.
fn written(name: &str, arguments: &[&str]) -> Files {
    let place = directory(&format!("determinism-{name}{}", arguments[0]));
    let mut command = Command::new(env!("CARGO_BIN_EXE_groupsim"));
    let status = command.args(["run", name, "--quiet", "--out", "out"]).args(arguments).current_dir(&place).status();
    assert!(status.expect("the program starts").success(), "{name}");
    let read = |file: &'static str| {
        let path = if file == Output::Trace.file_name() { place.join(file) } else { place.join("out").join(file) };
        fs::read(path).ok().map(|bytes| (file, bytes))
    };
    let mut files: Files = Output::ALL.iter().filter_map(|output| read(output.file_name())).collect();
    files.sort();
    files
}

/// A fresh directory for one test.
fn directory(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).expect("a directory for the test");
    path
}

#[track_caller]
fn check_same(name: &str, other: &str, these: &Files, those: &Files) {
    let names = |files: &Files| files.iter().map(|(file, _)| *file).collect::<Vec<_>>();
    assert_eq!(names(these), names(those), "{name}: the files of the first run and of {other}");
    // The trace first: the rest follows from it.
    let mut pairs: Vec<_> = these.iter().zip(those).collect();
    pairs.sort_by_key(|((file, _), _)| *file != Output::Trace.file_name());
    for ((file, these), (_, those)) in pairs {
        check_lines(&format!("{name}, {file}"), other, these, those);
    }
}

/// Shows the first line in which they differ.
#[track_caller]
fn check_lines(what: &str, other: &str, these: &[u8], those: &[u8]) {
    if these == those {
        return;
    }
    let (mut these, mut those) = (these.split(|byte| *byte == b'\n'), those.split(|byte| *byte == b'\n'));
    for number in 1.. {
        let (this, that) = (these.next(), those.next());
        if this != that {
            let shown = |line: Option<&[u8]>| line.map_or("nothing".to_owned(), |line| String::from_utf8_lossy(line).into_owned());
            panic!("{what}: line {number} of the first run is\n{}\nand of {other}\n{}", shown(this), shown(that));
        }
        if this.is_none() {
            return;
        }
    }
}

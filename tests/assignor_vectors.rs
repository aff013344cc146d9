//! Every assignor against the answers of Kafka's own classes (tests/vectors/README.md), asked as `groupsim assign --batch` asks them.

use std::collections::{BTreeMap, BTreeSet};

use groupsim::assignment::batch;
use groupsim::kafka::java_map::iteration_order;
use groupsim::release::Release;
use serde_json::Value;

const SERVER_UNIFORM: [&str; 2] =
    [include_str!("vectors/cases-server-uniform.jsonl"), include_str!("vectors/sequences-server-uniform.jsonl")];
const SERVER_UNIFORM_SINCE_4_0_1: [&str; 2] =
    [include_str!("vectors/4.4/cases-server-uniform.jsonl"), include_str!("vectors/4.4/sequences-server-uniform.jsonl")];
const TARGETED: &str = include_str!("vectors/cases-targeted.jsonl");

#[test]
fn range_assigns_as_kafka_does() {
    assert_eq!(check(include_str!("vectors/cases-range.jsonl")), 126);
    assert_eq!(check(include_str!("vectors/sequences-range.jsonl")), 75);
}

#[test]
fn round_robin_assigns_as_kafka_does() {
    assert_eq!(check(include_str!("vectors/cases-roundrobin.jsonl")), 127);
    assert_eq!(check(include_str!("vectors/sequences-roundrobin.jsonl")), 68);
}

#[test]
fn sticky_assigns_as_kafka_does() {
    assert_eq!(check(include_str!("vectors/cases-sticky.jsonl")), 169);
    assert_eq!(check(include_str!("vectors/sequences-sticky.jsonl")), 275);
}

#[test]
fn cooperative_sticky_assigns_as_kafka_does() {
    assert_eq!(check(include_str!("vectors/cases-cooperative-sticky.jsonl")), 168);
    assert_eq!(check(include_str!("vectors/sequences-cooperative-sticky.jsonl")), 311);
}

#[test]
fn the_brokers_range_assigns_as_kafka_does() {
    assert_eq!(check(include_str!("vectors/cases-server-range.jsonl")), 95);
    assert_eq!(check(include_str!("vectors/sequences-server-range.jsonl")), 73);
}

#[test]
fn the_brokers_uniform_assigns_as_kafka_does() {
    assert_eq!(SERVER_UNIFORM.map(check), [143, 172]);
    assert_eq!(SERVER_UNIFORM_SINCE_4_0_1.map(check), [62, 88]);
}

#[test]
fn rare_branches_are_taken_as_in_kafka_and_its_bugs_show() {
    assert_eq!(check(TARGETED), 163);
}

/// A line without a counterpart for 4.4.0 holds there too.
#[test]
fn what_4_0_1_did_not_change_is_the_same_in_4_4() {
    let identity = |line: &Value| line["id"].as_str().expect("an id").to_owned();
    let parse = |line: &str| -> Value { serde_json::from_str(line).expect("JSON") };
    let changed: BTreeSet<String> =
        SERVER_UNIFORM_SINCE_4_0_1.iter().flat_map(|lines| lines.lines()).map(|line| identity(&parse(line))).collect();
    let server_range = [include_str!("vectors/cases-server-range.jsonl"), include_str!("vectors/sequences-server-range.jsonl")];
    let mut same = 0;
    for line in SERVER_UNIFORM.iter().chain(&server_range).chain(&[TARGETED]).flat_map(|lines| lines.lines()) {
        let mut line = parse(line);
        if line["kafka"] == "4.0.0" && !changed.contains(&identity(&line)) {
            line["kafka"] = "4.4.0".into();
            check(&line.to_string());
            same += 1;
        }
    }
    assert_eq!(same, 143 + 36 - 62 - 19 + 95 + 16 + 64);
}

#[test]
fn a_map_of_strings_is_walked_as_in_java() {
    let lines = include_str!("vectors/java_hashmap_order.jsonl");
    for line in lines.lines() {
        let line: Value = serde_json::from_str(line).expect("JSON");
        let names =
            |key: &str| -> Vec<&str> { line[key].as_array().expect("a list").iter().map(|name| name.as_str().expect("text")).collect() };
        let inserted = names("inserted");
        let walked: Vec<&str> = iteration_order(inserted.iter().copied()).into_iter().map(|place| inserted[place]).collect();
        assert_eq!(walked, names("iterated"), "{}", line["id"]);
    }
    assert_eq!(lines.lines().count(), 40);
}

/// How many calls of an assignor were compared.
#[track_caller]
fn check(lines: &str) -> usize {
    let mut output = Vec::new();
    let unreadable = batch::answer(lines.as_bytes(), Release::default(), &mut output).expect("memory takes everything");
    assert_eq!(unreadable, 0);
    let answers = String::from_utf8(output).expect("UTF-8");
    assert_eq!(answers.lines().count(), lines.lines().count());
    let mut calls = 0;
    for (asked, answer) in lines.lines().zip(answers.lines()) {
        let asked: Value = serde_json::from_str(asked).expect("JSON");
        let answer: Value = serde_json::from_str(answer).expect("JSON");
        assert_eq!(asked["id"], answer["id"]);
        calls += match asked["steps"].as_array() {
            Some(steps) => {
                let results = answer["results"].as_array().expect("a result for each step");
                assert_eq!(steps.len(), results.len());
                steps.iter().zip(results).for_each(|(step, result)| compare(step, result, &format!("{}: {}", asked["id"], step["event"])));
                steps.len()
            }
            None => {
                compare(&asked, &answer["result"], &asked["id"].to_string());
                1
            }
        };
    }
    calls
}

#[track_caller]
fn compare(asked: &Value, result: &Value, what: &str) {
    if asked.get("expected_error").is_some() {
        let error = result["error"].as_str().unwrap_or_else(|| panic!("{what}: {result}"));
        assert!(error.len() > 10, "{what}: {error}");
        return;
    }
    assert_eq!(shares(result, what), shares(&asked["expected"], what), "{what}");
}

/// Member -> its partitions, each once.
fn shares(value: &Value, what: &str) -> BTreeMap<String, BTreeSet<(String, u32)>> {
    let lists: BTreeMap<String, Vec<(String, u32)>> =
        serde_json::from_value(value.clone()).unwrap_or_else(|error| panic!("{what}: {error}: {value}"));
    let set = |(member, list): (String, Vec<(String, u32)>)| {
        let (length, set) = (list.len(), list.into_iter().collect::<BTreeSet<_>>());
        assert_eq!(set.len(), length, "{what}: {member} has a partition twice");
        (member, set)
    };
    lists.into_iter().map(set).collect()
}

//! The dialogues of Kafka's own coordinator, reproduced by the workbench: answers, completions, states and timers of every step.
//!
//! Timers are compared as strictly as the rest, those included that Kafka leaves behind and that fire without effect. Only where a coordinator
//! has loaded a KIP-848 group, the order of the timers that fire at one moment is not compared: Kafka arms them in the order of a hash map of
//! random ids.

use std::path::Path;

use groupsim::workbench;
use serde_json::Value;

/// What tells about Kafka's log and hash maps.
const NOT_PLAYED: [&str; 6] = ["records", "order_dependent", "alternatives", "protocol_tie", "order_dependent_from", "arbitrary_from"];

#[test]
fn kafka_answered_the_designed_dialogues_as_we_do() {
    assert_eq!(reproduced("classic-designed.jsonl"), (73, 865));
}

#[test]
fn kafka_answered_the_random_dialogues_as_we_do() {
    assert_eq!(reproduced("classic-random.jsonl"), (120, 3456));
}

#[test]
fn kafka_4_4_answered_as_we_do() {
    assert_eq!(reproduced("4.4/classic-designed.jsonl"), (3, 27));
}

#[test]
fn kafka_answered_the_designed_dialogues_of_consumer_groups_as_we_do() {
    assert_eq!(reproduced("consumer-designed.jsonl"), (36, 345));
}

#[test]
fn kafka_answered_the_random_dialogues_of_consumer_groups_as_we_do() {
    assert_eq!(reproduced("consumer-random.jsonl"), (80, 2373));
}

#[test]
fn kafka_4_4_answered_the_designed_dialogues_of_consumer_groups_as_we_do() {
    assert_eq!(reproduced("4.4/consumer-designed.jsonl"), (36, 345));
}

#[test]
fn kafka_4_4_answered_the_random_dialogues_of_consumer_groups_as_we_do() {
    assert_eq!(reproduced("4.4/consumer-random.jsonl"), (80, 2373));
}

#[test]
fn kafka_4_4_answered_as_we_do_when_target_computations_are_spaced() {
    assert_eq!(reproduced("4.4/consumer-spaced.jsonl"), (96, 2440));
}

#[test]
fn an_open_transaction_keeps_its_group_since_4_0_1() {
    let script = scripts("classic-designed.jsonl").into_iter().find(|script| script["id"] == "txn-open-expiry").expect("it is in the file");
    let deleted_at_first_check = |kafka: &str| {
        let mut script = script.clone();
        script["kafka"] = kafka.into();
        let transcript = play(&script);
        transcript["steps"][1]["state"].is_null() && transcript["steps"][1].get("out").is_some()
    };
    assert!(deleted_at_first_check("4.0.0"));
    for kafka in ["2.8", "3.9", "4.0.1", "4.0", "4.1.0", "4.2", "4.3", "4.4"] {
        assert!(!deleted_at_first_check(kafka), "{kafka}");
    }
}

#[test]
fn fetching_everything_lists_pending_offsets_since_4_0_2() {
    let script = r#"{"kafka":"KAFKA","steps":[
        {"do":{"op":"txn_offset_commit","rid":1,"producer_id":1,"member":"","instance":null,"generation":-1,"offsets":{"t1/0":1}}},
        {"do":{"op":"offset_fetch","rid":2,"member":null,"epoch":-1,"require_stable":true,"topics":null}}]}"#;
    let fetched = |kafka: &str| {
        let line = script.replace('\n', " ").replace("KAFKA", kafka);
        play(&serde_json::from_str(&line).expect("a script"))["steps"][1]["resp"]["offsets"].to_string()
    };
    assert_eq!(fetched("4.0.1"), "{}");
    assert_eq!(fetched("4.0.2"), r#"{"t1/0":"UNSTABLE_OFFSET_COMMIT"}"#);
    assert_eq!(fetched("4.1.0"), r#"{"t1/0":"UNSTABLE_OFFSET_COMMIT"}"#);
}

/// How many scripts and steps come out as Kafka had them, all of them or panic.
fn reproduced(file: &str) -> (usize, usize) {
    let mut steps = 0;
    let scripts = scripts(file);
    for script in &scripts {
        let transcript = play(script);
        steps += compare(script, &transcript);
    }
    (scripts.len(), steps)
}

fn scripts(file: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/coordinator").join(file);
    let text = std::fs::read_to_string(path).expect("the vectors are part of the repository");
    let mut scripts: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect();
    for script in scripts.iter_mut().filter(|script| script["id"] == "join-session-range") {
        for step in &mut script["steps"].as_array_mut().expect("steps")[3..=6] {
            step["do"]["group"] = "".into();
        }
    }
    scripts
}

fn play(script: &Value) -> Value {
    let output = workbench::play(&script.to_string()).unwrap_or_else(|bad| panic!("{}: {bad}", script["id"]));
    assert_eq!(output.lines().count(), 1, "one line a script");
    serde_json::from_str(&output).expect("transcripts are JSON")
}

/// Everything up to where Kafka's answer is arbitrary, byte for byte. Returns how many steps that are.
fn compare(script: &Value, transcript: &Value) -> usize {
    let id = &script["id"];
    let stop = script.get("arbitrary_from").and_then(Value::as_u64);
    let (told, played) = (script["steps"].as_array().expect("steps"), transcript["steps"].as_array().expect("steps"));
    assert_eq!(told.len(), played.len(), "{id}");
    let asks = |op: &str| told.iter().any(|step| step["do"]["op"] == op);
    let of_consumer_groups = asks("consumer_heartbeat");
    let (mut steps, mut loaded) = (0, false);
    for (told, played) in told.iter().zip(played).take_while(|(told, _)| stop.is_none_or(|stop| told["n"].as_u64() < Some(stop))) {
        let (mut played, mut told) = (played.clone(), cleaned(told));
        if loaded {
            sort_timers(&mut played);
            sort_timers(&mut told);
        }
        assert_eq!(played.to_string(), told.to_string(), "{id}, step {}", told["n"]);
        loaded |= of_consumer_groups && told["do"]["op"] == "coordinator_failover";
        steps += 1;
    }
    if stop.is_none() {
        assert_eq!(head(transcript), head(&cleaned(script)), "{id}");
    }
    steps
}

/// Timers that fire at one moment, one after the other, in the order of their names.
fn sort_timers(step: &mut Value) {
    let Some(out) = step.get_mut("out").and_then(Value::as_array_mut) else { return };
    for run in out.chunk_by_mut(|a, b| a["at"] == b["at"] && a.get("timer").is_some() && b.get("timer").is_some()) {
        run.sort_by_key(|entry| entry["timer"].as_str().map(str::to_owned));
    }
}

fn cleaned(value: &Value) -> Value {
    let mut object = value.as_object().expect("an object").clone();
    object.retain(|key, _| !NOT_PLAYED.contains(&key.as_str()));
    Value::Object(object)
}

/// All but the steps.
fn head(script: &Value) -> String {
    let mut object = script.as_object().expect("an object").clone();
    object.insert("steps".to_owned(), Value::Null);
    Value::Object(object).to_string()
}

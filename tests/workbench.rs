//! What the workbench does with scripts that are none, and with some that want too much.

use groupsim::workbench::play;
use serde_json::{Value, json};

#[track_caller]
fn check_bad(script: &str, message: &str) {
    let input = format!("{{\"steps\":[]}}\n\n{script}\n");
    let bad = play(&input).expect_err("the line is bad");
    assert_eq!(bad.line, 3);
    assert_eq!(bad.message, message);
}

/// A script of one step.
#[track_caller]
fn check_bad_step(step: &str, message: &str) {
    check_bad(&format!("{{\"topics\":{{\"t1\":2}},\"steps\":[{step}]}}"), &format!("step 0: {message}"));
}

#[track_caller]
fn check_bad_do(told: &str, message: &str) {
    check_bad_step(&format!("{{\"n\":0,\"at\":0,\"do\":{told}}}"), message);
}

#[test]
fn a_line_that_is_no_script_is_told_what_a_script_is() {
    check_bad("{", "not JSON: EOF while parsing an object in column 1");
    check_bad("[]", "not a script: a script is a JSON object with \"steps\"");
    check_bad("{\"id\":\"x\"}", "not a script: it has no \"steps\"");
    check_bad("{\"steps\":7}", "\"steps\" is a number, not an array of steps");
    check_bad("{\"steps\":[7]}", "step 0 is a number, not an object with \"do\"");
    check_bad_step("{\"n\":0}", "it has no \"do\"");
}

#[test]
fn the_head_is_checked() {
    check_bad(
        "{\"kafka\":\"1.1\",\"steps\":[]}",
        "\"kafka\" is \"1.1\", not one of 2.8, 3.9, 4.0.0, 4.0.1, 4.0.2, 4.1.0, 4.1.2, 4.2.0, 4.2.1, 4.3.0, 4.3.1, 4.4.0, or a line such as \"4.3\"",
    );
    check_bad("{\"config\":[],\"steps\":[]}", "\"config\" is an array, not an object");
    check_bad("{\"topics\":{\"t\":0},\"steps\":[]}", "topic \"t\" has 0 partitions, not a whole number from 1 to 100000");
    check_bad(
        "{\"config\":{\"group.max.size\":\"none\"},\"steps\":[]}",
        "group.max.size is \"none\", not a whole number from 1 to 2147483647",
    );
    let unknown = play("{\"config\":{\"group.max.sise\":\"2\"},\"steps\":[]}").expect_err("no such setting");
    assert!(unknown.message.starts_with("\"group.max.sise\" is not a setting that is modelled here; those are group.initial"), "{unknown}");
}

#[test]
fn a_step_that_cannot_be_played_says_why() {
    check_bad_do(
        "{\"op\":\"jion\"}",
        "unknown op \"jion\"; it would be one of join, sync, heartbeat, leave, consumer_heartbeat, offset_commit, txn_offset_commit, \
         txn_marker, offset_fetch, offset_delete, delete_group, topic_create, topic_grow, topic_delete, coordinator_failover, advance",
    );
    check_bad_do("{\"op\":\"heartbeat\",\"rid\":1,\"member\":\"m1\"}", "do: missing field `generation`");
    check_bad_do(
        "{\"op\":\"heartbeat\",\"rid\":1,\"member\":7,\"generation\":1}",
        "do.member: invalid type: integer `7`, expected a string",
    );
    check_bad_do(
        "{\"op\":\"join\",\"rid\":1,\"client\":\"c\",\"session_ms\":1,\"rebalance_ms\":1,\"protocol_type\":\"\",\"protocols\":[{\"name\":\"r\",\"topics\":[1]}]}",
        "do.protocols[0].topics[0]: invalid type: integer `1`, expected a string",
    );
    check_bad_do(
        "{\"op\":\"offset_commit\",\"rid\":1,\"generation_or_epoch\":-1,\"offsets\":{\"t1\":1}}",
        "do.offsets: \"t1\" is not a partition; one looks like \"t1/0\"",
    );
    check_bad_do("{\"op\":\"topic_grow\",\"topic\":\"t9\",\"partitions\":3}", "do.topic: there is no \"t9\"; there are t1");
    check_bad_do("{\"op\":\"topic_create\",\"topic\":\"t1\",\"partitions\":3}", "do.topic: \"t1\" exists; topic_grow adds partitions");
    check_bad_do("{\"op\":\"consumer_heartbeat\",\"rid\":1}", "do: missing field `epoch`");
    check_bad_do(
        "{\"op\":\"heartbeat\",\"rid\":1,\"generation\":1,\"group\":\"h\"}",
        "do.group: \"h\" is not \"g\", the one group here, and not the empty id",
    );
}

#[test]
fn time_is_moved_by_advance_alone_and_never_back() {
    check_bad_step("{\"at\":5,\"do\":{\"op\":\"coordinator_failover\"}}", "\"at\" is 5, but the clock shows 0: only \"advance\" moves it");
    check_bad(
        "{\"steps\":[{\"do\":{\"op\":\"advance\",\"to\":9}},{\"do\":{\"op\":\"advance\",\"to\":8}}]}",
        "step 1: do.to: 8 lies in the past, the clock shows 9",
    );
    check_bad_do("{\"op\":\"advance\",\"to\":18446744073710}", "do.to: 18446744073710 is beyond the end of time, 18446744073709 ms");
    check_bad_do("{\"op\":\"advance\",\"to\":-1}", "do.to: invalid value: integer `-1`, expected u64");
    check_bad("{\"steps\":1e400}", "not JSON: number out of range in column 14");
}

#[test]
fn a_request_number_is_used_once() {
    let heartbeat = "{\"do\":{\"op\":\"heartbeat\",\"rid\":1,\"generation\":1}}";
    check_bad(&format!("{{\"steps\":[{heartbeat},{heartbeat}]}}"), "step 1: do.rid: 1 was used before; every request has its own");
}

#[test]
fn what_would_never_end_ends_with_a_bad_line() {
    check_bad(
        "{\"config\":{\"offsets.retention.check.interval.ms\":\"1\"},\"steps\":[{\"do\":{\"op\":\"advance\",\"to\":18446744073709}}]}",
        "step 0: more than 1000000 timers fire on the way to 18446744073709: advance less at once",
    );
}

#[test]
fn deep_json_is_refused_and_the_largest_numbers_are_taken() {
    let deep = "[".repeat(100_000);
    assert!(play(&deep).expect_err("too deep").message.starts_with("not JSON: recursion limit exceeded"));
    let most = i32::MAX;
    let join = format!(
        "{{\"op\":\"join\",\"rid\":1,\"client\":\"c\",\"session_ms\":1800000,\"rebalance_ms\":{most},\"protocol_type\":\"consumer\",\
         \"protocols\":[{{\"name\":\"range\",\"topics\":[]}}],\"version\":0}}"
    );
    let config =
        format!("{{\"offsets.retention.minutes\":{most},\"offsets.retention.check.interval.ms\":{most},\"group.max.size\":{most}}}");
    let script = format!("{{\"config\":{config},\"steps\":[{{\"do\":{join}}},{{\"do\":{{\"op\":\"advance\",\"to\":18446744073709}}}}]}}");
    let transcript = play(&script).expect("it is a script");
    assert!(transcript.contains("\"generation\":1"), "{transcript}");
}

#[test]
fn a_script_without_a_release_is_answered_by_the_default_one() {
    let script = "{\"id\":\"x\",\"steps\":[{\"do\":{\"op\":\"delete_group\",\"rid\":7}}]}";
    let transcript = play(script).expect("it is a script");
    assert_eq!(
        transcript,
        "{\"id\":\"x\",\"steps\":[{\"n\":0,\"at\":0,\"do\":{\"op\":\"delete_group\",\"rid\":7},\"resp\":{\"error\":\"GROUP_ID_NOT_FOUND\"},\"state\":null,\"timers\":{}}]}\n"
    );
}

#[test]
fn transcripts_come_in_the_order_of_the_scripts_and_blank_lines_are_skipped() {
    let transcript = play("{\"id\":\"b\",\"steps\":[]}\n  \n{\"id\":\"a\",\"steps\":[]}\r\n").expect("two scripts");
    assert_eq!(transcript, "{\"id\":\"b\",\"steps\":[]}\n{\"id\":\"a\",\"steps\":[]}\n");
    assert_eq!(play("").expect("nothing is no mistake"), "");
}

#[test]
fn writes_linger_if_a_script_says_so() {
    let script = "{\"config\":{\"group.coordinator.append.linger.ms\":\"5\"},\"steps\":[\
        {\"do\":{\"op\":\"offset_commit\",\"rid\":1,\"member\":\"\",\"generation_or_epoch\":-1,\"offsets\":{\"t/0\":1}}},\
        {\"do\":{\"op\":\"advance\",\"to\":10}}]}";
    let transcript = play(script).expect("it is a script");
    assert!(transcript.contains("\"parked\":true"), "{transcript}");
    assert!(transcript.contains("\"out\":[{\"at\":5,\"rid\":1,\"resp\":{\"partitions\":{\"t/0\":\"NONE\"}}}]"), "{transcript}");
}

#[test]
fn what_a_group_has_of_its_own_goes_before_what_the_brokers_have() {
    let script = "{\"topics\":{\"t\":1},\"config\":{\"consumer.heartbeat.interval.ms\":\"7000\",\"consumer.session.timeout.ms\":50000,\
        \"group.consumer.heartbeat.interval.ms\":6000},\"steps\":[{\"do\":{\"op\":\"consumer_heartbeat\",\"rid\":1,\"member\":\"A\",\"epoch\":0,\
        \"rebalance_ms\":60000,\"topics\":[\"t\"],\"owned\":{}}}]}";
    let transcript = play(script).expect("it is a script");
    assert!(transcript.contains("\"heartbeat_ms\":7000") && transcript.contains("\"session-timeout:A\":50000"), "{transcript}");
}

#[test]
fn a_script_with_anything_in_it_is_played_or_refused() {
    let text = include_str!("vectors/coordinator/classic-random.jsonl");
    let scripts: Vec<Value> = text.lines().take(12).map(|line| serde_json::from_str(line).expect("a script")).collect();
    let hostile = [
        json!(null),
        json!(true),
        json!(-1),
        json!(0),
        json!(1),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(i32::MAX),
        json!(1.5),
        json!(""),
        json!("m1"),
        json!("\u{0}"),
        json!("t1/4294967296"),
        json!([]),
        json!({}),
        json!({"m1": {"t1": [4294967295u32, 0, 0]}}),
        json!([[[]]]),
    ];
    let (mut played, mut refused) = (0, 0);
    let mut dice = 7u64;
    let mut roll = |sides: usize| {
        dice = dice.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (dice >> 33) as usize % sides
    };
    for _ in 0..800 {
        let mut script = scripts[roll(scripts.len())].clone();
        let steps = script["steps"].as_array_mut().expect("steps");
        let step = roll(steps.len());
        let told = steps[step]["do"].as_object_mut().expect("what to do");
        let key = told.keys().nth(roll(told.len())).expect("a key").clone();
        told[&key] = hostile[roll(hostile.len())].clone();
        match play(&script.to_string()) {
            Ok(_) => played += 1,
            Err(_) => refused += 1,
        }
    }
    assert!(played > 100 && refused > 100, "{played} were played, {refused} refused");
}

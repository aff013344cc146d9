//! Questions in JSON Lines, answers in JSON Lines.
//!
//! A line is one call of an assignor or, with `steps`, several, of which each is computed from what it says itself. The answer repeats the `id`
//! and has the `result`, or the `results`: member -> list of `[topic, partition]`, or `{"error": ...}` where the assignor fails. A line that
//! cannot be read is answered by its number and what is wrong, and the others are answered all the same.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::line::{Asked, Line};
use super::{Question, Strategy};
use crate::kafka::assignor::{AssignError, Assignment};
use crate::release::Release;

/// How many lines could not be read. `release`: for lines that name none. Blank lines are skipped.
pub fn answer(input: &[u8], release: Release, mut output: impl Write) -> io::Result<usize> {
    let mut unreadable = 0;
    for (index, line) in input.split(|byte| *byte == b'\n').enumerate().filter(|(_, line)| !line.trim_ascii().is_empty()) {
        let answer = match Line::read(line, release) {
            Ok(line) => answer_line(&line),
            Err(message) => {
                unreadable += 1;
                json!({"line": index + 1, "error": message})
            }
        };
        writeln!(output, "{answer}")?;
    }
    output.flush()?;
    Ok(unreadable)
}

fn answer_line(line: &Line) -> Value {
    match &line.asked {
        Asked::Case(question) => json!({"id": line.id, "result": result(question, line.strategy, line.release)}),
        Asked::Sequence(questions) => {
            let results: Vec<Value> = questions.iter().map(|question| result(question, line.strategy, line.release)).collect();
            json!({"id": line.id, "results": results})
        }
    }
}

fn result(question: &Question, strategy: Strategy, release: Release) -> Value {
    match question.answer(strategy, release) {
        Ok(assignment) => shares(question, &assignment),
        Err(error) => failure(error),
    }
}

fn shares(question: &Question, assignment: &Assignment) -> Value {
    let mut shares = Map::new();
    for (member, share) in question.members().iter().zip(assignment) {
        let share: Vec<Value> = share.iter().map(|at| json!([question.topic(at.topic), at.partition])).collect();
        shares.insert(member.id.clone(), Value::Array(share));
    }
    Value::Object(shares)
}

fn failure(error: AssignError) -> Value {
    json!({"error": error.to_string()})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(input: &[u8]) -> (String, usize) {
        let mut output = Vec::new();
        let unreadable = answer(input, Release::default(), &mut output).expect("memory takes lines");
        (String::from_utf8(output).expect("answers are text"), unreadable)
    }

    #[test]
    fn what_is_wrong_with_a_line_is_said_by_its_number() {
        let input = br#"
{"id": 7, "assignor": "range", "topics": {"t": 2}, "members": [{"id": "b", "topics": ["t"]}, {"id": "a", "topics": ["u"]}], "expected": 3}

{"assignor": "stiky", "topics": {}, "members": []}
{"assignor": "sticky", "topics": {}, "members": []}
{"assignor": "range", "topics": {"t": -1}, "members": []}
{"assignor": "range", "topics": {"t": 4000000000}, "members": []}
{"assignor": "range", "kafka": "1.0", "topics": {}, "members": []}
{"assignor": "range", "steps": [{"topics": {}, "members": []}, {"topics": {}, "members": [{"id": "a", "topics": []}, {"id": "a", "topics": []}]}]}
{"assignor": "range", "topics": {"t": 1}, "members": [{"id": "a", "topics": [], "owned": [["t", 1]]}]}
[
{"assignor": "range", "topics": {"t": 1, "u": 1, "t": 2}, "members": []}
{"assignor": "range", "steps": [], "members": []}
"#;
        let (output, unreadable) = check(input);
        insta::assert_snapshot!(output, @r#"
        {"id":7,"result":{"b":[["t",0],["t",1]],"a":[]}}
        {"line":4,"error":"`stiky` is not an assignor: did you mean `sticky`?"}
        {"id":null,"result":{"error":"the assignor was called without members"}}
        {"line":6,"error":"invalid value: integer `-1`, expected a number from 0 to 4294967295 in column 40"}
        {"line":7,"error":"4000000000 partitions: the limit of all topics together is 100000"}
        {"line":8,"error":"`1.0` is none of the releases 2.8, 3.9, 4.0.0, 4.0.1, 4.0.2, 4.1.0, 4.1.2, 4.2.0, 4.2.1, 4.3.0, 4.3.1, 4.4.0, or a line such as 4.3"}
        {"line":9,"error":"step 2: the member `a` is there twice"}
        {"line":10,"error":"the member `a` owns `t-1`, and `t` has no such partition"}
        {"line":11,"error":"not a JSON object"}
        {"line":12,"error":"the topic `t` is there twice in column 56"}
        {"line":13,"error":"\"topics\" or \"members\" beside \"steps\": each step has its own"}
        "#);
        assert_eq!(unreadable, 9);
    }

    #[test]
    fn bytes_that_are_no_text_spoil_one_line() {
        let (output, unreadable) = check(b"\xff\xfe\n{\"assignor\":\"server-range\",\"topics\":{},\"members\":[]}\r\n");
        assert_eq!(output, "{\"line\":1,\"error\":\"not UTF-8 in column 1\"}\n{\"id\":null,\"result\":{}}\n");
        assert_eq!(unreadable, 1);
    }
}

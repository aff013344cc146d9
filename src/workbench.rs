//! The coordinator's workbench: plays scripts of requests against the group coordinator, alone and on virtual time, and writes down what it says.
//!
//! JSON Lines in, one compact line per script out, in order. Each line is a script: a release, broker settings, topics and steps; a step is
//! a request, an advance of time or an event of the cluster. Copied from the script: its head and of each step `n`, `at` and `do`. Answered:
//! `resp` or `parked`, `out` (timers that fired and older requests that were completed), `state` and `timers` when they changed, and
//! `parked_at_end`. Keys that are not known here are ignored. Writes take no time, except for group.coordinator.append.linger.ms when a
//! script sets it.

use std::fmt::Write;

use serde_json::Value;

use crate::workbench::player::Player;
use crate::workbench::script::Script;

pub mod answer;
pub mod names;
pub mod operation;
pub mod player;
pub mod request;
pub mod script;
pub mod settings;
pub mod snapshot;

/// A line that is no script, and what would be right.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct BadLine {
    /// From 1.
    pub line: usize,
    pub message: String,
}

/// Plays every line; blank lines are skipped. One bad line and there is no answer at all.
pub fn play(input: &str) -> Result<String, BadLine> {
    let mut output = String::new();
    for (index, line) in input.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let transcript = play_line(line).map_err(|message| BadLine { line: index + 1, message })?;
        writeln!(output, "{transcript}").expect("a String takes everything");
    }
    Ok(output)
}

fn play_line(line: &str) -> Result<Value, String> {
    let written: Value = serde_json::from_str(line).map_err(|error| not_json(&error))?;
    let script = Script::read(written)?;
    let mut player = Player::new(&script);
    let mut steps = Vec::with_capacity(script.steps.len());
    for step in &script.steps {
        let place = |message| format!("step {}: {message}", step.number);
        steps.push(player.step(step).map_err(place)?);
    }
    Ok(script.transcript(steps, &player.parked()))
}

/// serde_json tells the place at the end; its line is always the first here.
fn not_json(error: &serde_json::Error) -> String {
    let told = error.to_string();
    let what = told.rsplit_once(" at line ").map_or(&*told, |(what, _)| what);
    format!("not JSON: {what} in column {}", error.column())
}

//! For tests: what a scenario without errors is warned of.

use crate::scenario::load;

/// Each warning with the text that it points at.
#[track_caller]
pub fn check(head: &str, groups: &str, timeline: &str, expected: &[(&str, &str)]) {
    let text = format!("duration: 5m\ntopics: {{t: 2}}\n{head}\ngroups: {{{groups}}}\ntimeline: [{timeline}]\n");
    let (_, problems) = load(&text, "demo.yaml").unwrap_or_else(|problems| panic!("{problems}"));
    let place = |span: &Option<std::ops::Range<usize>>| span.as_ref().map_or("", |span| &text[span.clone()]).to_owned();
    let seen: Vec<_> = problems.list.iter().map(|problem| (problem.message.clone(), place(&problem.span))).collect();
    let seen: Vec<_> = seen.iter().map(|(message, place)| (message.as_str(), place.as_str())).collect();
    assert_eq!(seen, expected);
}

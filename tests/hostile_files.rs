//! Scenario files that are meant to do harm. What bounds the time and the memory is the size at which reading stops, so that is what is looked at.

use groupsim::scenario::check::FILE_BYTES_MAX;
use groupsim::scenario::yaml::{DEPTH_MAX, NODES_MAX};

/// The message for a file that must not be valid.
fn rendered(text: &str) -> String {
    match groupsim::scenario::load(text, "demo.yaml") {
        Ok((scenario, _)) => panic!("valid: {scenario:#?}"),
        Err(problems) => problems.to_string(),
    }
}

#[test]
fn deep_nesting_is_refused_and_overflows_nothing() {
    let limit = format!("more than {DEPTH_MAX} lists and maps in each other");
    for text in ["[".repeat(200_000), "{a: ".repeat(100_000), "- ".repeat(100_000), format!("duration: {}", "[".repeat(1_000_000))] {
        let shown = rendered(&text);
        assert!(shown.contains(&limit), "{shown}");
    }
    let indented: String = (0..2_000).map(|depth| format!("{:depth$}a:\n", "")).collect();
    assert!(rendered(&indented).contains(&limit));
}

#[test]
fn alias_bombs_are_defused() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..20 {
        let before = format!("*a{}", level - 1);
        text += &format!("a{level}: &a{level} [{}]\n", [before.as_str(); 9].join(", "));
    }
    assert!(rendered(&text).contains(&NODES_MAX.to_string()));
    assert!(rendered("a: &a [*a]\n").contains("alias"));
    let chain: String = (1..100).map(|level| format!("a{level}: &a{level} [*a{}]\n", level - 1)).collect();
    assert!(rendered(&format!("a0: &a0 [x]\n{chain}")).contains(&DEPTH_MAX.to_string()));
}

#[test]
fn megabytes_are_refused() {
    assert!(rendered(&"#".repeat(FILE_BYTES_MAX + 1)).contains(&FILE_BYTES_MAX.to_string()));
    let many: String = (0..250_000).map(|number| format!("t{number}: 1\n")).collect();
    assert!(rendered(&many).contains(&NODES_MAX.to_string()));
    let one_line = format!("topics: {{{}}}", "a: 1, ".repeat(190_000));
    assert!(rendered(&one_line).len() < 100_000);
    rendered(&format!("name: {}", "x".repeat(FILE_BYTES_MAX - 100)));
    rendered(&format!("{}: 1", "x".repeat(1_000)));
}

#[test]
fn a_thousand_mistakes_are_a_list_with_an_end() {
    let many: String = (0..1_000).map(|number| format!("  t{number}: x{number}\n")).collect();
    let shown = rendered(&format!("duration: 1m\ntopics:\n{many}"));
    assert!(shown.matches("is not a number of partitions").count() >= 40 && shown.len() < 50_000, "{}", shown.len());
}

#[test]
fn mutilated_files_are_errors_and_no_panics() {
    let good = include_str!("scenarios/everything.yaml");
    for cut in 0..good.len() {
        if good.is_char_boundary(cut) {
            let _ = groupsim::scenario::load(&good[..cut], "cut.yaml");
        }
    }
    for (place, _) in good.char_indices().step_by(11) {
        for letter in ["{", "]", ":", "-", "\n", "9", "\u{1f980}", "&a ", "*a", "!!"] {
            let mut text = good.to_owned();
            text.insert_str(place, letter);
            let _ = groupsim::scenario::load(&text, "mutant.yaml");
        }
    }
}

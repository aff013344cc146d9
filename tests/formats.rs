//! `output/README.md` describes the files of a run in the words of the modules that write them.

/// The documentation at the head of a module.
fn head(source: &str) -> String {
    let lines = source.lines().take_while(|line| line.starts_with("//!"));
    lines.map(|line| line.trim_start_matches("//!").trim_start().to_owned() + "\n").collect()
}

#[test]
fn the_page_beside_the_outputs_describes_them_as_the_code_does() {
    let written = [
        ("summary.json", include_str!("../src/report/json.rs")),
        ("lag.csv", include_str!("../src/report/csv.rs")),
        ("trace.jsonl", include_str!("../src/trace/json.rs")),
        ("replay.json", include_str!("../src/report/replay.rs")),
    ];
    let page = include_str!("../output/README.md");
    for (name, source) in written {
        let section = format!("## {name}\n\n{}", head(source));
        assert!(page.contains(&section), "output/README.md is to have this:\n\n{section}");
    }
}

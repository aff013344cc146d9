//! lag.svg.

use groupsim::report::chart;

use crate::fixture::Fixture;
use crate::gallery;

fn svg(mut fixture: Fixture) -> String {
    chart::render(&fixture.report())
}

/// The `x`, `y`, size, anchor and letters of each text that stands upright.
fn texts(svg: &str) -> Vec<(i32, i32, i32, String)> {
    let attribute = |element: &str, name: &str| -> Option<i32> {
        let (_, rest) = element.split_once(&format!(" {name}=\""))?;
        rest.split('"').next()?.parse().ok()
    };
    svg.lines()
        .filter(|line| line.starts_with("<text") && !line.contains("rotate") && !line.contains("text-anchor"))
        .map(|line| {
            let letters = line.split_once('>').and_then(|(_, rest)| rest.split('<').next()).unwrap_or_default();
            let number = |name| attribute(line, name).expect("texts have a place and a size");
            (number("x"), number("y"), number("font-size"), letters.to_owned())
        })
        .collect()
}

#[test]
fn a_small_chart_in_full() {
    insta::assert_snapshot!(svg(gallery::moment()));
}

#[test]
fn equal_runs_have_equal_charts() {
    for ((name, first), (_, second)) in gallery::all().into_iter().zip(gallery::all()) {
        assert_eq!(svg(first), svg(second), "{name}");
    }
}

#[test]
fn every_coordinate_is_an_integer() {
    for (name, fixture) in gallery::all() {
        let chart = svg(fixture);
        let points = chart.lines().filter(|line| line.contains("points=") || line.starts_with("<rect") || line.starts_with("<path"));
        for line in points {
            assert!(!line.contains('.') || line.contains("<title>"), "{name}: {line}");
        }
    }
}

#[test]
fn labels_of_what_happened_do_not_stand_upon_each_other() {
    for (name, fixture) in gallery::all() {
        let labels: Vec<_> = texts(&svg(fixture)).into_iter().filter(|(_, _, size, _)| *size == 48).collect();
        for (i, (x, y, size, letters)) in labels.iter().enumerate() {
            // Inter's letters are at least a quarter of their size wide.
            let least_width = letters.chars().count() as i32 * size / 4;
            for (other_x, other_y, _, other) in &labels[i + 1..] {
                let apart = y != other_y || other_x >= &(x + least_width) || x >= &(other_x + other.chars().count() as i32 * size / 4);
                assert!(apart, "{name}: {letters:?} and {other:?}");
            }
        }
    }
}

#[test]
fn names_from_the_user_are_text() {
    let chart = svg(gallery::zombie());
    assert!(chart.contains("&lt;A&gt; &amp; &quot;B&quot;"));
    assert!(!chart.contains("<A>"));
}

#[test]
fn what_happens_again_and_again_is_told_once() {
    let chart = svg(gallery::livelock());
    assert_eq!(chart.matches("max.poll.interval.ms").count(), 2, "once in the question, once as a label");
    assert!(chart.contains(">slow exceeds max.poll.interval.ms (21 times)<"));
    assert!(chart.contains(">uncommitted<"), "what is processed hides that nothing is committed");
}

#[test]
fn a_partition_that_nobody_reads_is_hatched_and_a_zombie_is_seen_above_its_successor() {
    let chart = svg(gallery::consumer_crash());
    let hatched = chart.lines().filter(|line| line.contains("url(#nobody)") && line.contains("<title>nobody")).count();
    assert_eq!(hatched, 6 * 2, "start-up and the way to the next owner, for each partition");
    let zombie = svg(gallery::zombie());
    let bars = zombie.lines().filter(|line| line.contains("<title>a-rather-long-member-name</title>")).count();
    assert_eq!(bars, 2, "what it owned, and what it only thought it owned");
}

#[test]
fn many_partitions_are_a_sum_and_a_heat_map_of_bounded_size() {
    for fixture in [gallery::crowd(), gallery::thousand_partitions()] {
        let chart = svg(fixture);
        assert!(chart.contains(">Lag by partition<"));
        assert!(chart.contains(">sum<"));
        assert!(chart.len() < 200_000, "{} bytes", chart.len());
        let height: u32 = chart.split(" height=\"").nth(1).unwrap().split('"').next().unwrap().parse().unwrap();
        assert!(height < 1700, "{height} pixels high");
    }
}

#[test]
fn more_than_can_be_seen_is_drawn_together_and_said_so() {
    let chart = svg(gallery::storm());
    assert!(chart.len() < 3_000_000, "{} bytes", chart.len());
    assert!(chart.contains("20,000 rebalances, drawn as "), "the header says so");
    assert!(chart.contains("some are left out"), "the caption of the lanes says so");
    assert!(chart.contains("<title>rebalances 1 to "), "a band says which");
}

#[test]
fn owners_beyond_the_colours_are_hatched_and_no_two_look_alike() {
    let chart = svg(gallery::crowd());
    let fill = |name: &str| {
        let bar = chart.lines().find(|line| line.contains(&format!("<title>{name}</title>"))).unwrap_or_else(|| panic!("no bar of {name}"));
        bar.split("fill=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a bar is filled").to_owned()
    };
    let fills: std::collections::BTreeSet<String> = (1..=32).map(|n| fill(&format!("worker-{n:03}"))).collect();
    assert_eq!(fills.len(), 32);
    for hatching in fills.iter().filter_map(|fill| fill.strip_prefix("url(#")) {
        assert!(chart.contains(&format!("<pattern id=\"{}\"", hatching.trim_end_matches(')'))), "{hatching} is defined");
    }
}

#[test]
fn one_mark_is_not_called_marks() {
    let charts = gallery::all().into_iter().map(|(name, fixture)| (name, svg(fixture)));
    for (name, chart) in charts {
        assert!(!chart.contains(" 1 marks "), "{name}");
    }
}

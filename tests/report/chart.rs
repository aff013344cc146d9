//! lag.svg.

use groupsim::ledger::Skip;
use groupsim::metrics::marks::MarkKind;
use groupsim::metrics::{Leaderless, Rebalance};
use groupsim::report::chart;
use groupsim::terms::Peers;
use groupsim::units::{ClientId, GroupId, Offset, OffsetRange, Span};

use crate::checked::Told;
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
    assert!(zombie.contains(">zombie, above its successor<"), "the legend says so");
}

/// Left, top, right and bottom of each rectangle that has a name, with the name.
fn named(svg: &str) -> Vec<([i32; 4], String)> {
    let number = |line: &str, name: &str| -> i32 {
        let (_, rest) = line.split_once(&format!(" {name}=\"")).expect("a rectangle has a place and a size");
        rest.split('"').next().and_then(|digits| digits.parse().ok()).expect("an integer")
    };
    let name = |line: &str| Some(line.split_once("<title>")?.1.split_once("</title>")?.0.to_owned());
    let rects = svg.lines().filter(|line| line.starts_with("<rect"));
    rects
        .filter_map(|line| {
            let name = name(line)?;
            let (x, y) = (number(line, "x"), number(line, "y"));
            Some(([x, y, x + number(line, "width"), y + number(line, "height")], name))
        })
        .collect()
}

#[test]
fn nothing_in_the_lanes_covers_anything_else() {
    for (name, fixture) in gallery::all() {
        let rects: Vec<_> =
            named(&svg(fixture)).into_iter().filter(|(_, name)| !name.starts_with("rebalance") && name != "lasts").collect();
        for (i, (a, of)) in rects.iter().enumerate() {
            for (b, other) in &rects[i + 1..] {
                // Four units are a pixel, and that is how wide the narrowest are drawn.
                let apart = a[2] < b[0] + 4 || b[2] < a[0] + 4 || a[3] <= b[1] || b[3] <= a[1];
                assert!(apart, "{name}: {of} {a:?} and {other} {b:?}");
            }
        }
    }
}

#[test]
fn a_lane_is_hatched_until_the_first_fetch() {
    let right_edges = |svg: &str| named(svg).into_iter().filter(|(_, name)| name == "nobody").map(|(rect, _)| rect[2]).collect::<Vec<_>>();
    let usual = right_edges(&svg(gallery::consumer_crash()));
    let mut fixture = gallery::consumer_crash();
    fixture.run().measurements.groups[0].partitions[5].outages[1].to = Some(crate::fixture::ms(60_000));
    let late = right_edges(&svg(fixture));
    assert_eq!(usual[..11], late[..11]);
    assert!(usual[11] + 400 < late[11], "{usual:?} {late:?}");
}

#[test]
fn a_partition_without_a_leader_has_a_hatching_of_its_own() {
    let mut fixture = gallery::consumer_crash();
    let partition = crate::fixture::partition(0, 0);
    let (from, to) = (crate::fixture::ms(60_000), Some(crate::fixture::ms(69_000)));
    fixture.run().measurements.leaderless.push(Leaderless { partition, from, to });
    let chart = svg(fixture);
    assert_eq!(named(&chart).iter().filter(|(_, name)| name == "no leader").count(), 1);
    assert!(chart.contains(">no leader: nothing to read<"), "the legend says so");
}

#[test]
fn a_slow_member_is_slow_after_a_restart_too() {
    let mut fixture = gallery::consumer_crash();
    fixture.mark(20_000, MarkKind::Slowed(ClientId(0), 30_000));
    fixture.mark(40_000, MarkKind::Crashed(ClientId(0)));
    fixture.mark(60_000, MarkKind::Started(ClientId(0)));
    fixture.mark(80_000, MarkKind::SpeedRestored(ClientId(0)));
    fixture.mark(90_000, MarkKind::Paused(ClientId(2), Span::from_secs(10)));
    let lasting: Vec<i32> =
        named(&svg(fixture)).into_iter().filter(|(_, name)| name == "lasts").map(|(rect, _)| rect[2] - rect[0]).collect();
    assert_eq!(lasting.len(), 2);
    assert!((lasting[0] - 6 * lasting[1]).abs() <= 6, "{lasting:?}");
}

#[test]
fn who_becomes_faster_is_no_fault() {
    let mut fixture = gallery::consumer_crash();
    fixture.mark(20_000, MarkKind::Slowed(ClientId(0), 500));
    fixture.mark(100_000, MarkKind::SpeedRestored(ClientId(0)));
    let chart = svg(fixture);
    assert!(chart.contains(">A speeds up × 0.5<") && chart.contains(">A at normal speed<"), "{chart}");
}

#[test]
fn a_slow_down_to_the_normal_speed_is_the_end_of_another_one() {
    let groups = "
groups: {g: {topics: [t], members: [A, B], processing: 1ms, config: {auto.offset.reset: earliest, max.poll.records: 10}}}
timeline: [{at: 30s, slow: g/A, factor: 40}, {at: 60s, slow: g/A, factor: 1}, {at: 100s, pause: g/B, for: 15s}]
";
    let chart = chart::render(&Told::of_topics("3m", "t: 2", "100/s", groups).report());
    let lasting: Vec<i32> = named(&chart).into_iter().filter(|(_, name)| name == "lasts").map(|(rect, _)| rect[2] - rect[0]).collect();
    assert_eq!(lasting.len(), 2);
    assert!((lasting[0] - 2 * lasting[1]).abs() <= 2, "{lasting:?}");
    assert!(chart.contains(">A at normal speed<") && !chart.contains("× 1<"), "{chart}");
}

#[test]
fn what_lasts_has_an_end() {
    let mut fixture = gallery::consumer_crash();
    fixture.mark(20_000, MarkKind::CutOff(ClientId(0), Peers::Coordinator, Span::from_secs(60)));
    fixture.mark(50_000, MarkKind::Reconnected(ClientId(0), Peers::Coordinator));
    fixture.mark(90_000, MarkKind::Paused(ClientId(2), Span::from_secs(10)));
    let chart = svg(fixture);
    let lasting: Vec<i32> = named(&chart).into_iter().filter(|(_, name)| name == "lasts").map(|(rect, _)| rect[2] - rect[0]).collect();
    // To its end, whatever had been meant; three times as long as the pause.
    assert_eq!(lasting.len(), 2);
    assert!((lasting[0] - 3 * lasting[1]).abs() <= 3, "{lasting:?}");
    assert!(chart.contains(">how long a fault lasts<") && chart.contains(">A reaches its coordinator again<"));
    let calm = svg(gallery::consumer_crash());
    assert!(!calm.contains("how long a fault lasts"), "a crash has no end");
}

#[test]
fn records_that_leave_the_lag_unread_are_told() {
    let mut fixture = gallery::consumer_crash();
    let skip = |number, to| Skip {
        group: GroupId(0),
        partition: crate::fixture::partition(0, number),
        offsets: OffsetRange::new(Offset(0), Offset(to)),
        by: ClientId(2),
        at: crate::fixture::ms(70_000),
    };
    fixture.run().accounts[0].skips = vec![skip(4, 700), skip(5, 500)];
    assert!(svg(fixture).contains(">C skips 1,200 records<"));
}

#[test]
fn rebalances_that_are_all_numbered_are_not_said_to_be_left_out() {
    let mut fixture = gallery::consumer_crash();
    let rebalances = &mut fixture.run().measurements.groups[0].rebalances;
    // Two at once, the second of which lasts.
    rebalances.insert(1, Rebalance { started: rebalances[0].started, ended: Some(crate::fixture::ms(20_000)), ..rebalances[0].clone() });
    rebalances[0].ended = Some(rebalances[0].started);
    let chart = svg(fixture);
    assert!(chart.contains(">3</text>") && !chart.contains("drawn as"));
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

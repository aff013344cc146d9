//! lag.png.

use std::fs;
use std::path::PathBuf;

use groupsim::report::{Output, Report, Source};
use groupsim::scenario;

use crate::gallery;

/// Every chart of the gallery, drawn; they lie in the target folder to be looked at.
#[test]
fn every_kind_of_run_has_a_picture() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("gallery");
    fs::create_dir_all(&folder).unwrap();
    for (name, mut fixture) in gallery::all() {
        for (output, bytes) in fixture.report().files(true) {
            if output == Output::LagPng {
                let (width, height) = size(&bytes);
                assert_eq!(width, 1920, "{name}");
                assert!(height > 60 && bytes.len() > 5_000, "{name}: {height} pixels high, {} bytes", bytes.len());
            }
            fs::write(folder.join(format!("{name}.{}", output.file_name())), &bytes).unwrap();
        }
    }
}

/// A picture's width and height, from its header.
fn size(png: &[u8]) -> (u32, u32) {
    assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
    let number = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
    (number(16), number(20))
}

#[test]
fn the_picture_shows_what_the_chart_says() {
    use resvg::tiny_skia::Pixmap;
    let mut fixture = gallery::consumer_crash();
    let (_, png) = fixture.report().files(true).into_iter().find(|(output, _)| *output == Output::LagPng).unwrap();
    let picture = Pixmap::decode_png(&png).unwrap();
    let has = |red: u8, green: u8, blue: u8| {
        picture.pixels().iter().filter(|pixel| (pixel.red(), pixel.green(), pixel.blue()) == (red, green, blue)).count()
    };
    assert!(has(0x00, 0x9E, 0x73) > 500, "the line of orders-2");
    assert!(has(0x77, 0xAA, 0xDD) > 20_000, "the lanes of A");
    assert!(has(0xB3, 0x26, 0x1E) > 300, "the crash");
    assert!(has(0x1F, 0x23, 0x28) > 1_000, "letters");
}

/// After a change of charts: `groupsim run consumer-crash && cp output/consumer-crash/lag.png assets/consumer-crash.png`.
#[test]
fn the_picture_of_the_readme_is_what_its_scenario_draws() {
    let text = include_str!("../../scenarios/consumer-crash.yaml");
    let (scenario, _) = scenario::load(text, "consumer-crash").expect("a built-in scenario is valid");
    let run = groupsim::run::play(&scenario, scenario.seed, &mut ());
    let files = Report::new(&scenario, Source { argument: "consumer-crash", text }, run).files(true);
    let (_, drawn) = files.into_iter().find(|(output, _)| *output == Output::LagPng).unwrap();
    assert!(drawn == include_bytes!("../../assets/consumer-crash.png"), "assets/consumer-crash.png is out of date");
}

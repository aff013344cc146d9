//! lag.svg and lag.png.

use std::fs;
use std::path::PathBuf;

use groupsim::report::Output;

use crate::gallery;

/// Every chart of the gallery, drawn; they lie in the target folder to be looked at.
#[test]
fn every_kind_of_run_has_a_chart() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("gallery");
    fs::create_dir_all(&folder).unwrap();
    for (name, mut fixture) in gallery::all() {
        for (output, bytes) in fixture.report().files() {
            match output {
                Output::LagSvg => fs::write(folder.join(format!("{name}.svg")), &bytes).unwrap(),
                Output::LagPng => fs::write(folder.join(format!("{name}.png")), &bytes).unwrap(),
                Output::Summary => fs::write(folder.join(format!("{name}.txt")), &bytes).unwrap(),
                Output::SummaryJson | Output::LagCsv | Output::Trace | Output::Replay => {}
            }
        }
    }
}

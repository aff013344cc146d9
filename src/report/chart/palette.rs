//! The colours. Lines and owners have palettes of their own, so that a partition and a member never seem to belong together.

/// Okabe and Ito's palette for readers of every colour vision, the ones that are strong on white first.
pub const LINES: [&str; 8] = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#5B4FA3", "#4D4D4D"];
/// The same, dark enough for letters.
pub const LINE_LETTERS: [&str; 8] = ["#0072B2", "#B04D00", "#007A59", "#A34C7E", "#8F6300", "#21759E", "#5B4FA3", "#4D4D4D"];
/// Paul Tol's light palette: pale enough for dark letters.
pub const OWNERS: [&str; 8] = ["#77AADD", "#EE8866", "#EEDD88", "#44BB99", "#FFAABB", "#99DDFF", "#BBCC33", "#C9B6E4"];
/// From nothing to most; one hue that darkens, so that it survives a black and white printer.
pub const HEAT: [&str; 8] = ["#F5F7FA", "#DCE9F5", "#B6D4EA", "#84BADB", "#4F9BCB", "#2878B4", "#0F5394", "#08305F"];

pub const INK: &str = "#1F2328";
pub const GREY: &str = "#5F6872";
pub const AXIS: &str = "#8A929B";
pub const GRID: &str = "#E6E9ED";
/// Rebalances.
pub const SHADE: &str = "#DFE2E8";
/// The settle phase.
pub const SETTLE: &str = "#FBF6E9";
pub const SETTLE_EDGE: &str = "#D9CFB0";
pub const FAULT: &str = "#B3261E";
pub const TOTAL: &str = "#22577A";
pub const TOTAL_FILL: &str = "#D5E3EC";
/// Nobody reads: defined by [`DEFINITIONS`].
pub const NOBODY: &str = "url(#nobody)";

/// The hatching.
pub const DEFINITIONS: &str = concat!(
    r##"<pattern id="nobody" width="24" height="24" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">"##,
    r##"<rect width="24" height="24" fill="#FFFFFF"/><rect width="7" height="24" fill="#A9B0B8"/></pattern>"##
);

pub fn line(index: usize) -> &'static str {
    LINES[index % LINES.len()]
}

pub fn owner(index: usize) -> &'static str {
    OWNERS[index % OWNERS.len()]
}

pub fn line_letters(index: usize) -> &'static str {
    LINE_LETTERS[index % LINE_LETTERS.len()]
}

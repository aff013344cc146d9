//! The colours. Lines and owners have palettes of their own, so that a partition and a member never seem to belong together.

use std::borrow::Cow;

/// Okabe and Ito's palette for readers of every colour vision, the ones that are strong on white first.
pub const LINES: [&str; 8] = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#5B4FA3", "#4D4D4D"];
/// The same, dark enough for letters.
pub const LINE_LETTERS: [&str; 8] = ["#0072B2", "#B04D00", "#007A59", "#A34C7E", "#8F6300", "#21759E", "#5B4FA3", "#4D4D4D"];
/// Paul Tol's light palette: pale enough for dark letters.
pub const OWNERS: [&str; 8] = ["#77AADD", "#EE8866", "#EEDD88", "#44BB99", "#FFAABB", "#99DDFF", "#BBCC33", "#C9B6E4"];
/// From nothing to most; one hue that darkens, so that it survives a black and white printer.
pub const HEAT: [&str; 8] = ["#F5F7FA", "#DCE9F5", "#B6D4EA", "#84BADB", "#4F9BCB", "#2878B4", "#0F5394", "#08305F"];

pub const PAPER: &str = "#FFFFFF";
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
/// Nobody reads: one of the [`definitions`].
pub const NOBODY: &str = "url(#nobody)";

/// The partition had no leader: one of the [`definitions`].
pub const LEADERLESS: &str = "url(#leaderless)";
/// How long a fault lasts.
pub const FAULT_LASTS: &str = "#E58F87";

/// What tells owners of one colour apart: nothing, stripes one way, stripes the other way, upright ones.
const STRIPES: [Option<i32>; 4] = [None, Some(45), Some(-45), Some(0)];

/// The hatchings of nobody, of no leader and of so many owners.
pub fn definitions(owners: usize) -> String {
    let mut text = pattern("nobody", 45, PAPER, "#A9B0B8") + &pattern("leaderless", -45, PAPER, FAULT_LASTS);
    for place in OWNERS.len()..owners.min(OWNERS.len() * STRIPES.len()) {
        let turn = STRIPES[place / OWNERS.len()].expect("only the first round is plain");
        text.push_str(&pattern(&format!("owner-{place}"), turn, OWNERS[place % OWNERS.len()], PAPER));
    }
    text
}

fn pattern(id: &str, turn: i32, ground: &str, stripe: &str) -> String {
    format!(
        r#"<pattern id="{id}" width="24" height="24" patternUnits="userSpaceOnUse" patternTransform="rotate({turn})"><rect width="24" height="24" fill="{ground}"/><rect width="7" height="24" fill="{stripe}"/></pattern>"#
    )
}

pub fn line(index: usize) -> &'static str {
    LINES[index % LINES.len()]
}

/// By the place in its group. After all colours with all hatchings they begin again: the names in the lanes go on.
pub fn owner(place: usize) -> Cow<'static, str> {
    let place = place % (OWNERS.len() * STRIPES.len());
    OWNERS.get(place).map_or_else(|| format!("url(#owner-{place})").into(), |plain| (*plain).into())
}

pub fn line_letters(index: usize) -> &'static str {
    LINE_LETTERS[index % LINE_LETTERS.len()]
}

//! The chart's font and how wide its letters are, so that labels can be placed without drawing them.

use crate::report::chart::svg::{Units, px};

/// Inter is built into the program for PNG; a browser without it takes what comes next.
pub const FAMILY: &str = "Inter, 'Helvetica Neue', Arial, sans-serif";

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Font {
    pub size: Units,
    pub bold: bool,
}

pub const TITLE: Font = Font { size: px(22), bold: true };
pub const HEADING: Font = Font { size: px(15), bold: true };
pub const SUBTITLE: Font = Font { size: px(14), bold: false };
pub const BODY: Font = Font { size: px(13), bold: false };
pub const STRONG: Font = Font { size: px(13), bold: true };
pub const SMALL: Font = Font { size: px(12), bold: false };
pub const SMALL_STRONG: Font = Font { size: px(12), bold: true };
pub const TINY: Font = Font { size: px(10), bold: false };

/// Advance widths of Inter Regular in thousandths of the font size, from the space to the tilde.
const ADVANCES: [u16; 95] = [
    281, 288, 466, 633, 642, 982, 644, 300, 365, 365, 501, 662, 288, 460, 288, 360, 631, 407, 610, 618, 646, 593, 620, 566, 619, 620, 288,
    302, 662, 662, 662, 511, 966, 690, 654, 730, 722, 601, 590, 746, 743, 269, 571, 672, 565, 903, 753, 765, 639, 765, 644, 642, 646, 744,
    690, 985, 682, 679, 629, 365, 360, 365, 471, 456, 323, 562, 612, 571, 612, 583, 370, 613, 591, 242, 242, 549, 242, 876, 591, 600, 612,
    612, 376, 528, 327, 591, 562, 818, 546, 562, 552, 426, 333, 426, 662,
];
/// For every other character: wider than most of them.
const OTHER: u32 = 800;
/// Bold is wider by at most this, in hundredths.
const BOLD: u32 = 107;

impl Font {
    pub fn width(self, text: &str) -> Units {
        let thousandths: u32 = text.chars().map(advance).sum();
        let thousandths = if self.bold { thousandths * BOLD / 100 } else { thousandths };
        (u64::from(thousandths) * self.size as u64 / 1000) as Units
    }

    /// The text, or as much of it as fits, with `…`. A number at the end of a name is what tells names apart and stays.
    pub fn fit(self, text: &str, width: Units) -> String {
        if self.width(text) <= width {
            return text.to_owned();
        }
        let number = text.rfind('-').filter(|dash| text.len() - dash <= 6 && text[dash + 1..].parse::<u32>().is_ok());
        let (head, tail) = text.split_at(number.unwrap_or(text.len()));
        let head: Vec<char> = head.chars().collect();
        for kept in (1..head.len()).rev() {
            let short: String = head[..kept].iter().collect::<String>() + "…" + tail;
            if self.width(&short) <= width {
                return short;
            }
        }
        "…".to_owned()
    }

    /// The text, or its two ends with `…` between them: processes of one deployment differ in what stands last.
    pub fn fit_both_ends(self, text: &str, width: Units) -> String {
        if self.width(text) <= width {
            return text.to_owned();
        }
        let letters: Vec<char> = text.chars().collect();
        let ends = |kept: usize| -> String {
            let (head, tail) = (&letters[..kept.div_ceil(2)], &letters[letters.len() - kept / 2..]);
            head.iter().chain(&['…']).chain(tail).collect()
        };
        (0..letters.len()).rev().map(ends).find(|short| self.width(short) <= width).unwrap_or_else(|| "…".to_owned())
    }

    /// Lines of at most `width`, the last one cut if there are more than `most`.
    pub fn wrap(self, text: &str, width: Units, most: usize) -> Vec<String> {
        let mut lines: Vec<String> = vec![String::new()];
        for word in text.split_whitespace() {
            let line = lines.last_mut().expect("there is always a line");
            let longer = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
            if self.width(&longer) <= width || line.is_empty() || lines.len() == most {
                *lines.last_mut().expect("there is always a line") = longer;
            } else {
                lines.push(word.to_owned());
            }
        }
        lines.iter().map(|line| self.fit(line, width)).collect()
    }
}

fn advance(character: char) -> u32 {
    let index = (character as usize).checked_sub(' ' as usize);
    index.and_then(|index| ADVANCES.get(index)).map_or(OTHER, |advance| u32::from(*advance))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_keep_what_tells_them_apart() {
        let fitted = |name| SMALL.fit_both_ends(name, px(140));
        let (one, other) = (fitted("billing-consumer-7f9c6d5b4-x2x9z"), fitted("billing-consumer-7f9c6d5b4-q8w7e"));
        assert!(one.starts_with("billing") && one.ends_with("x2x9z") && one.contains('…'), "{one}");
        assert!(one != other && SMALL.width(&one) <= px(140));
        assert_eq!(fitted("A"), "A");
    }
}

//! Numbers and times as people read them: `32,400,000`, `32.4M`, `99.90%`, `8m 2.1s`. Integers in, text out.

use crate::units::{Instant, Span};

/// With thousands separators.
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Three digits at most: `942`, `4.5k`, `32.4M`. Rounded to nearest.
pub fn compact(n: u64) -> String {
    const UNITS: [(u64, &str); 4] = [(1_000, "k"), (1_000_000, "M"), (1_000_000_000, "G"), (1_000_000_000_000, "T")];
    let rounded = |unit: u64| (u128::from(n) + u128::from(unit) / 2) / u128::from(unit);
    // The smallest unit in which three digits are enough.
    let fits = |(unit, _): &&(u64, &str)| rounded(*unit) < 1_000;
    if n < 1_000 {
        return n.to_string();
    }
    let (unit, letter) = UNITS.iter().find(fits).unwrap_or(&UNITS[3]);
    let tenths = (u128::from(n) * 10 + u128::from(*unit) / 2) / u128::from(*unit);
    if tenths >= 1_000 || tenths.is_multiple_of(10) {
        format!("{}{letter}", rounded(*unit))
    } else {
        format!("{}.{}{letter}", tenths / 10, tenths % 10)
    }
}

/// Two decimals, rounded; never 100 % or 0 % of what is not all or nothing.
pub fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "-".to_owned();
    }
    let hundredths = (u128::from(part) * 10_000 + u128::from(whole) / 2) / u128::from(whole);
    if hundredths == 0 && part > 0 {
        return "<0.01%".to_owned();
    }
    let hundredths = if part < whole { hundredths.min(9_999) } else { hundredths };
    if part == whole {
        return "100%".to_owned();
    }
    format!("{}.{:02}%", hundredths / 100, hundredths % 100)
}

/// `1 record`, `487 records`.
pub fn count(n: u64, noun: &str) -> String {
    let plural = if n == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(n))
}

/// A moment, in the notation of scenario files: `30s`, `8m 2.1s`.
pub fn at(instant: Instant) -> String {
    if instant == Instant::ZERO { "0s".to_owned() } else { span(instant.since(Instant::ZERO)) }
}

/// A length of time, as exact as a reader needs: three decimals of its unit below a minute, milliseconds above.
pub fn span(span: Span) -> String {
    if span.is_zero() { "0s".to_owned() } else { span.to_string() }
}

/// Three digits, for what is not known more exactly: `19.9ms`, `1.25s`, `3m 20s`.
pub fn rounded(span: Span) -> String {
    self::span(to_three_digits(span))
}

/// Of a time from a minute on, to whole seconds.
pub fn to_three_digits(span: Span) -> Span {
    const MINUTE: u64 = 60_000_000_000;
    let nanos = span.as_nanos();
    let digits = nanos.checked_ilog10().map_or(1, |log| log + 1);
    let unit = if nanos >= MINUTE { 1_000_000_000 } else { 10_u64.pow(digits.saturating_sub(3)) };
    Span::from_nanos((nanos + unit / 2) / unit * unit)
}

/// Nanoseconds as milliseconds, with decimals only if needed: `12006`, `0.2`.
pub fn millis(instant: Instant) -> String {
    instant.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        assert_eq!([0, 12, 123, 1234, 36_000_000].map(grouped), ["0", "12", "123", "1,234", "36,000,000"]);
    }

    #[test]
    fn compact_numbers_have_three_digits_at_most() {
        let shown = [0, 942, 999, 1000, 4_512, 99_949, 99_950, 999_499, 999_950, 32_403_120, 1_000_000_000].map(compact);
        assert_eq!(shown, ["0", "942", "999", "1k", "4.5k", "99.9k", "100k", "999k", "1M", "32.4M", "1G"]);
    }

    #[test]
    fn what_is_known_roughly_is_told_roughly() {
        let shown = [0, 1_234, 19_899_999, 1_254_567_890, 59_960_000_000, 200_400_000_000].map(|nanos| rounded(Span::from_nanos(nanos)));
        assert_eq!(shown, ["0s", "1.23us", "19.9ms", "1.25s", "1m", "3m 20s"]);
    }

    #[test]
    fn a_share_is_whole_only_if_it_is_all() {
        assert_eq!(percent(479_999_999, 480_000_000), "99.99%");
        assert_eq!(percent(1, 480_000_000), "<0.01%");
        assert_eq!([percent(119_201, 120_000), percent(799, 120_000)], ["99.33%", "0.67%"]);
        assert_eq!(percent(0, 10), "0.00%");
        assert_eq!(percent(10, 10), "100%");
        assert_eq!(percent(0, 0), "-");
    }
}

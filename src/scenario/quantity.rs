//! Durations, rates, sizes and shares as people write them, read exactly: `0.1s` is 100,000,000 nanoseconds, and what is not a whole
//! number of nanoseconds, records or bytes is refused rather than rounded.

use std::fmt;

use crate::units::{Rate, Span};

/// Ten years. Longer times are mistakes.
pub const DURATION_MAX: Span = Span::from_secs(3_650 * 24 * 3_600);
/// Records per second.
pub const RATE_MAX: u64 = 100_000_000;
/// One tebibyte.
pub const SIZE_MAX: u64 = 1 << 40;

const NANOS: &[(&str, u64)] = &[
    ("ns", 1),
    ("us", 1_000),
    ("\u{b5}s", 1_000),
    ("\u{3bc}s", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("min", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
];

const BYTES: &[(&str, u64)] = &[
    ("B", 1),
    ("kB", 1_000),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
];

const FACTORS: &[(&str, u64)] = &[("", 1), ("k", 1_000), ("K", 1_000), ("M", 1_000_000), ("G", 1_000_000_000)];

/// Why a text is not the quantity that it should be. Shown on two lines, the second of which is the hint.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unreadable {
    pub message: String,
    pub hint: Option<String>,
}

impl Unreadable {
    fn new(message: impl Into<String>) -> Self {
        Unreadable { message: message.into(), hint: None }
    }

    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.hint.as_ref().map_or(Ok(()), |hint| write!(f, "\n{hint}"))
    }
}

/// `250us`, `0.1s`, `1m30s`, `3m 20s`.
pub fn duration(text: &str) -> Result<Span, Unreadable> {
    let wrong =
        || Unreadable::new(format!("`{}` is not a duration", shown(text))).hint("write it like `250us`, `5ms`, `0.1s`, `1m30s` or `1h`");
    refuse_sign(text, "a duration")?;
    let mut rest = text.trim();
    let mut nanos: u64 = 0;
    while !rest.is_empty() {
        let (number, after) = Decimal::split(rest).ok_or_else(wrong)?;
        let end = after.find(|letter: char| letter.is_ascii_digit() || letter == ' ').unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        if unit.is_empty() && NANOS.iter().any(|(name, _)| *name == after.trim()) {
            let closed = format!("did you mean `{}`?", text.split_whitespace().collect::<String>());
            return Err(Unreadable::new(format!("`{}` has a space before its unit", shown(text))).hint(shown(&closed)));
        }
        if unit.is_empty() && after.trim().starts_with(|letter: char| letter.is_ascii_alphabetic()) {
            return Err(unknown_unit(text, rest, after.trim()));
        }
        if unit.is_empty() {
            let number = rest.trim();
            let hint = match number {
                "0" => "did you mean `0s`?".to_owned(),
                _ if number.ends_with(|last: char| last.is_ascii_digit()) => format!("did you mean `{number}ms` or `{number}s`?"),
                _ => "write it like `250us`, `5ms`, `0.1s`, `1m30s` or `1h`".to_owned(),
            };
            return Err(Unreadable::new(format!("`{}` has no unit", shown(text))).hint(hint));
        }
        let (_, size) = NANOS.iter().find(|(name, _)| *name == unit).ok_or_else(|| unknown_unit(text, rest, unit))?;
        let part = match number.times(*size) {
            Some(part) => part,
            None if number.is_beyond(*size) => return Err(too_long(text)),
            None => return Err(Unreadable::new(format!("`{}` is not a whole number of nanoseconds", shown(text)))),
        };
        nanos = nanos.checked_add(part).filter(|nanos| *nanos <= DURATION_MAX.as_nanos()).ok_or_else(|| too_long(text))?;
        rest = after.trim_start();
    }
    if text.trim().is_empty() { Err(wrong()) } else { Ok(Span::from_nanos(nanos)) }
}

/// `5 minutes`, `2sec`: the unit that was probably meant.
fn unknown_unit(text: &str, rest: &str, unit: &str) -> Unreadable {
    let unknown = Unreadable::new(format!("`{}` is not a duration: there is no unit `{}`", shown(text), shown(unit)));
    let number: String = rest.chars().take_while(|letter| letter.is_ascii_digit() || *letter == '.').collect();
    let known = [("mil", "ms"), ("msec", "ms"), ("mic", "us"), ("nan", "ns"), ("sec", "s"), ("min", "m"), ("h", "h"), ("day", "d")];
    match known.iter().find(|(beginning, _)| unit.to_ascii_lowercase().starts_with(beginning)) {
        Some((_, meant)) => unknown.hint(format!("did you mean `{number}{meant}`?")),
        None => unknown.hint("write it like `250us`, `5ms`, `0.1s`, `1m30s` or `1h`"),
    }
}

fn too_long(text: &str) -> Unreadable {
    Unreadable::new(format!("`{}` is too long: the limit is {} days", shown(text), DURATION_MAX.as_nanos() / 86_400_000_000_000))
}

/// `1000/s`, `10k/s`, `2.5M/min`, `1/5s`.
pub fn rate(text: &str) -> Result<Rate, Unreadable> {
    let wrong = || Unreadable::new(format!("`{}` is not a rate", shown(text))).hint("write it like `1000/s`, `10k/s`, `300/min` or `1/5s`");
    refuse_sign(text, "a rate")?;
    let (count, per) = text.trim().split_once('/').ok_or_else(|| match Decimal::split(text.trim()) {
        Some((_, "" | "k" | "M")) => {
            Unreadable::new(format!("`{}` has no time", shown(text))).hint(format!("did you mean `{}/s`?", shown(text.trim())))
        }
        _ => wrong(),
    })?;
    let (number, factor) = Decimal::split(count.trim()).ok_or_else(wrong)?;
    let (_, factor) = FACTORS.iter().find(|(name, _)| *name == factor.trim()).ok_or_else(wrong)?;
    let per = per.trim();
    if per.is_empty() {
        let count = shown(count.trim());
        return Err(Unreadable::new(format!("`{}` has no time behind the `/`", shown(text))).hint(format!("did you mean `{count}/s`?")));
    }
    let per = match per.strip_prefix(|letter: char| letter.is_ascii_digit()) {
        Some(_) => duration(per)?,
        None => duration(&format!("1{per}")).map_err(|_| {
            let per = per.to_ascii_lowercase();
            let meant = ["sec", "min", "hour", "day"].iter().find(|unit| per.starts_with(*unit)).map(|unit| &unit[..1]);
            let wrong = Unreadable::new(format!("`{}` is not a rate: there is no time `{}`", shown(text), shown(&per)));
            match meant {
                Some(unit) => wrong.hint(format!("did you mean `{}/{unit}`?", shown(count.trim()))),
                None => wrong.hint("write it like `1000/s`, `10k/s`, `300/min` or `1/5s`"),
            }
        })?,
    };
    if per.is_zero() {
        return Err(Unreadable::new(format!("`{}` is a number of records in no time", shown(text))));
    }
    let too_high = || Unreadable::new(format!("`{}` is too high: the limit is {RATE_MAX} records a second", shown(text)));
    // 0.5/s is one record in two seconds.
    let (records, per) = match number.times(*factor) {
        Some(records) => (records, per),
        None => {
            let scale = 10u64.checked_pow(number.decimals).ok_or_else(wrong)?;
            let records = number.digits.checked_mul(*factor).ok_or_else(too_high)?;
            let shared = greatest_common_divisor(records, scale);
            let nanos = per.as_nanos().checked_mul(scale / shared).filter(|nanos| *nanos <= DURATION_MAX.as_nanos());
            (records / shared, Span::from_nanos(nanos.ok_or_else(|| Unreadable::new(format!("`{}` is too low a rate", shown(text))))?))
        }
    };
    let limit = u128::from(RATE_MAX) * u128::from(per.as_nanos());
    if u128::from(records) * 1_000_000_000 > limit {
        return Err(too_high());
    }
    Ok(if records == 0 { Rate::ZERO } else { Rate { records, per } })
}

/// `200B`, `16KiB`, `1MB`.
pub fn size(text: &str) -> Result<u64, Unreadable> {
    let wrong = || Unreadable::new(format!("`{}` is not a size", shown(text))).hint("write it like `200B`, `16KiB` or `1MB`");
    refuse_sign(text, "a size")?;
    let (number, unit) = Decimal::split(text.trim()).ok_or_else(wrong)?;
    let unit = unit.trim();
    if unit.is_empty() {
        let number = text.trim();
        return Err(Unreadable::new(format!("`{number}` has no unit")).hint(format!("did you mean `{number}B` or `{number}KiB`?")));
    }
    let (_, factor) = BYTES.iter().find(|(name, _)| *name == unit).ok_or_else(wrong)?;
    let bytes = number.times(*factor).ok_or_else(|| Unreadable::new(format!("`{}` is not a whole number of bytes", shown(text))))?;
    if bytes > SIZE_MAX { Err(Unreadable::new(format!("`{}` is too large: the limit is 1024GiB", shown(text)))) } else { Ok(bytes) }
}

/// `0.1%` as parts per thousand million.
pub fn share(text: &str) -> Result<u64, Unreadable> {
    let wrong = || Unreadable::new(format!("`{}` is not a share", shown(text))).hint("write it like `0.1%`");
    refuse_sign(text, "a share")?;
    let (number, unit) = Decimal::split(text.trim()).ok_or_else(wrong)?;
    if unit.trim().is_empty() {
        let number = shown(text.trim());
        return Err(Unreadable::new(format!("`{number}` has no unit")).hint(format!("did you mean `{number}%`?")));
    }
    if unit.trim() != "%" {
        return Err(wrong());
    }
    number.times(10_000_000).filter(|parts| *parts <= 1_000_000_000).ok_or_else(wrong)
}

/// The shortest exact way to write a duration in one unit.
pub fn write_duration(span: Span) -> String {
    let nanos = span.as_nanos();
    if nanos == 0 {
        return "0s".to_owned();
    }
    let units = [
        ("d", 86_400_000_000_000),
        ("h", 3_600_000_000_000),
        ("m", 60_000_000_000),
        ("s", 1_000_000_000),
        ("ms", 1_000_000),
        ("us", 1_000),
    ];
    let whole = units.iter().find(|(_, size)| nanos.is_multiple_of(*size));
    whole.map_or_else(|| format!("{nanos}ns"), |(unit, size)| format!("{}{unit}", nanos / size))
}

pub fn write_rate(rate: Rate) -> String {
    let per = write_duration(rate.per);
    format!("{}/{}", rate.records, if per == "1s" { "s" } else { &per })
}

fn refuse_sign(text: &str, what: &str) -> Result<(), Unreadable> {
    if text.trim_start().starts_with('-') { Err(Unreadable::new(format!("{what} cannot be negative"))) } else { Ok(()) }
}

fn shown(text: &str) -> String {
    super::reader::cut(text)
}

fn greatest_common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a.max(1) } else { greatest_common_divisor(b, a % b) }
}

/// `digits / 10^decimals`.
#[derive(Copy, Clone)]
struct Decimal {
    digits: u64,
    decimals: u32,
}

impl Decimal {
    /// The number at the start, and what follows it.
    fn split(text: &str) -> Option<(Decimal, &str)> {
        let end = text.find(|letter: char| !(letter.is_ascii_digit() || letter == '.' || letter == '_')).unwrap_or(text.len());
        let (number, rest) = text.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() || number.ends_with('.') || fraction.contains('.') {
            return None;
        }
        let fraction = fraction.trim_end_matches('0');
        let digits: String = whole.chars().chain(fraction.chars()).filter(|letter| *letter != '_').collect();
        Some((Decimal { digits: digits.parse().ok()?, decimals: u32::try_from(fraction.len()).ok()? }, rest))
    }

    /// Whether `self * factor` is too great to fit.
    fn is_beyond(self, factor: u64) -> bool {
        let scale = 10u128.checked_pow(self.decimals);
        scale.is_some_and(|scale| u128::from(self.digits) * u128::from(factor) / scale > u128::from(u64::MAX))
    }

    /// `self * factor`, if that is a whole number that fits.
    fn times(self, factor: u64) -> Option<u64> {
        let product = u128::from(self.digits) * u128::from(factor);
        let scale = 10u128.checked_pow(self.decimals)?;
        if product % scale == 0 { u64::try_from(product / scale).ok() } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_exact() {
        let nanos = |text| duration(text).map(Span::as_nanos);
        assert_eq!(nanos("0.1s"), Ok(100_000_000));
        assert_eq!(nanos("1m30s"), Ok(90_000_000_000));
        assert_eq!(nanos("3m 20s"), Ok(200_000_000_000));
        assert_eq!(nanos("250us"), Ok(250_000));
        assert_eq!(nanos("1.5ms"), Ok(1_500_000));
        assert_eq!(nanos("0s"), Ok(0));
        assert_eq!(nanos("7d"), Ok(604_800_000_000_000));
    }

    #[test]
    fn a_duration_that_is_none_says_why() {
        let why = |text| duration(text).expect_err("not a duration").to_string();
        assert_eq!(why("5"), "`5` has no unit\ndid you mean `5ms` or `5s`?");
        assert_eq!(why("0"), "`0` has no unit\ndid you mean `0s`?");
        assert!(why("10000000h").starts_with("`10000000h` is too long: the limit is "));
        assert_eq!(why("1.5ns"), "`1.5ns` is not a whole number of nanoseconds");
        assert_eq!(why("-5s"), "a duration cannot be negative");
        assert!(why("99999999999999999999d").contains("is not a duration"));
        assert!(why("4000d").contains("the limit is 3650 days"));
        assert_eq!(why("1 minute"), "`1 minute` is not a duration: there is no unit `minute`\ndid you mean `1m`?");
        assert_eq!(why("1m 30sec"), "`1m 30sec` is not a duration: there is no unit `sec`\ndid you mean `30s`?");
        for text in ["", " ", "s", "5 s s", "5 seconds", "1e3s", ".nan", "NaN", "1..5s", "5.s", ".5s", "\u{2603}"] {
            assert!(why(text).contains("is not a duration") || why(text).contains("has no unit"), "{text}: {}", why(text));
        }
    }

    #[test]
    fn rates_are_exact() {
        let read = |text| rate(text).map(|rate| (rate.records, rate.per.as_nanos()));
        assert_eq!(read("1000/s"), Ok((1_000, 1_000_000_000)));
        assert_eq!(read("10k/s"), Ok((10_000, 1_000_000_000)));
        assert_eq!(read("2.5M/min"), Ok((2_500_000, 60_000_000_000)));
        assert_eq!(read("1/5s"), Ok((1, 5_000_000_000)));
        assert_eq!(read("0.5/s"), Ok((1, 2_000_000_000)));
        assert_eq!(read("0/s"), Ok((0, 1_000_000_000)));
        assert_eq!(rate("1000").expect_err("no time").to_string(), "`1000` has no time\ndid you mean `1000/s`?");
        let mistaken = rate("100/sec").expect_err("no unit");
        assert_eq!(mistaken.to_string(), "`100/sec` is not a rate: there is no time `sec`\ndid you mean `100/s`?");
        assert!(rate("2000000M/s").expect_err("too high").message.contains("the limit is 100000000 records a second"));
        for text in ["", "/s", "1/", "1/0s", "x/s", "-1/s", "1/s/s", "1e3/s", "99999999999999999999/s", "1/parsec"] {
            assert!(rate(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_and_shares_are_exact() {
        assert_eq!(size("200B"), Ok(200));
        assert_eq!(size("16KiB"), Ok(16_384));
        assert_eq!(size("1.5kB"), Ok(1_500));
        assert_eq!(size("100").expect_err("no unit").hint.as_deref(), Some("did you mean `100B` or `100KiB`?"));
        assert_eq!(share("0.1%"), Ok(1_000_000));
        assert_eq!(share("100%"), Ok(1_000_000_000));
        assert!(share("101%").is_err());
        assert!(share("0.1").is_err());
    }

    #[test]
    fn what_is_written_is_read_back() {
        for nanos in [0, 1, 1_001, 1_500_000, 90_000_000_000, 86_400_000_000_000, 123_456_789_012] {
            assert_eq!(duration(&write_duration(Span::from_nanos(nanos))), Ok(Span::from_nanos(nanos)));
        }
        for text in ["1000/s", "1/5s", "3/90s", "7/250ms"] {
            let read = rate(text).expect("a rate");
            assert_eq!(rate(&write_rate(read)), Ok(read));
        }
    }
}

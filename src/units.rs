//! Time, offsets, rates and ids: the integers that everything else is made of.
//!
//! Virtual time is an integer number of nanoseconds since the start of the run. There are no floats in the model: a float clock
//! drifts, and two engines with float time disagree at a tie.

use std::fmt;
use std::ops::{Add, AddAssign, Sub};

/// A moment of virtual time: nanoseconds since the start of the run.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Instant(u64);

/// A length of virtual time in nanoseconds.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Span(u64);

impl Instant {
    pub const ZERO: Instant = Instant(0);
    /// Later than anything that a run reaches.
    pub const NEVER: Instant = Instant(u64::MAX);

    pub const fn from_nanos(nanos: u64) -> Self {
        Instant(nanos)
    }

    pub const fn from_millis(millis: u64) -> Self {
        Instant(millis * 1_000_000)
    }

    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Whole milliseconds, rounded down.
    pub const fn as_millis(self) -> u64 {
        self.0 / 1_000_000
    }

    /// The time from `earlier` to here, or zero if `earlier` is later.
    pub const fn since(self, earlier: Instant) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

impl Span {
    pub const ZERO: Span = Span(0);

    pub const fn from_nanos(nanos: u64) -> Self {
        Span(nanos)
    }

    pub const fn from_millis(millis: u64) -> Self {
        Span(millis * 1_000_000)
    }

    pub const fn from_secs(secs: u64) -> Self {
        Span(secs * 1_000_000_000)
    }

    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Whole milliseconds, rounded down.
    pub const fn as_millis(self) -> u64 {
        self.0 / 1_000_000
    }

    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    pub const fn times(self, n: u64) -> Span {
        Span(self.0.saturating_mul(n))
    }

    pub const fn saturating_sub(self, other: Span) -> Span {
        Span(self.0.saturating_sub(other.0))
    }
}

/// Saturating: a deadline beyond the end of time is [`Instant::NEVER`].
impl Add<Span> for Instant {
    type Output = Instant;
    fn add(self, span: Span) -> Instant {
        Instant(self.0.saturating_add(span.0))
    }
}

impl AddAssign<Span> for Instant {
    fn add_assign(&mut self, span: Span) {
        *self = *self + span;
    }
}

impl Sub<Instant> for Instant {
    type Output = Span;
    fn sub(self, earlier: Instant) -> Span {
        Span(self.0.checked_sub(earlier.0).expect("time runs forward: the subtracted instant is not later"))
    }
}

impl Add for Span {
    type Output = Span;
    fn add(self, other: Span) -> Span {
        Span(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Span {
    fn add_assign(&mut self, other: Span) {
        *self = *self + other;
    }
}

/// Milliseconds with up to six decimals, trailing zeros dropped: `12006`, `0.2`.
impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_millis(self.0, f)
    }
}

/// The unit that reads best: `250us`, `1.5ms`, `45s`, `3m 20s`, `1h 5m`. Exact for whole units, else three decimals at most.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const US: u64 = 1_000;
        const MS: u64 = 1_000_000;
        const S: u64 = 1_000_000_000;
        let nanos = self.0;
        match nanos {
            0 => f.write_str("0ms"),
            1..US => write!(f, "{nanos}ns"),
            US..MS => write_decimal(nanos, US, f).and_then(|()| f.write_str("us")),
            MS..S => write_decimal(nanos, MS, f).and_then(|()| f.write_str("ms")),
            _ if nanos < 60 * S => write_decimal(nanos, S, f).and_then(|()| f.write_str("s")),
            _ => {
                let (hours, rest) = (nanos / (3600 * S), nanos % (3600 * S));
                let (minutes, rest) = (rest / (60 * S), rest % (60 * S));
                let mut space = "";
                if hours > 0 {
                    write!(f, "{hours}h")?;
                    space = " ";
                }
                if minutes > 0 {
                    write!(f, "{space}{minutes}m")?;
                    space = " ";
                }
                if rest > 0 {
                    f.write_str(space)?;
                    write_decimal(rest, S, f)?;
                    f.write_str("s")?;
                }
                Ok(())
            }
        }
    }
}

fn write_millis(nanos: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let (whole, rest) = (nanos / 1_000_000, nanos % 1_000_000);
    write!(f, "{whole}")?;
    if rest == 0 {
        return Ok(());
    }
    let digits = format!("{rest:06}");
    write!(f, ".{}", digits.trim_end_matches('0'))
}

/// `nanos / unit` with at most three decimals, cut off.
fn write_decimal(nanos: u64, unit: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let thousandths = nanos % unit * 1000 / unit;
    write!(f, "{}", nanos / unit)?;
    if thousandths == 0 {
        return Ok(());
    }
    let digits = format!("{thousandths:03}");
    write!(f, ".{}", digits.trim_end_matches('0'))
}

/// The place of a record in its partition; a committed offset is the *next* one to read.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Offset(pub u64);

impl Add<u64> for Offset {
    type Output = Offset;
    fn add(self, records: u64) -> Offset {
        Offset(self.0 + records)
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Offsets `from..to`, `to` excluded.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct OffsetRange {
    pub from: Offset,
    pub to: Offset,
}

impl OffsetRange {
    pub fn new(from: Offset, to: Offset) -> Self {
        assert!(from <= to, "an offset range does not run backwards");
        OffsetRange { from, to }
    }

    pub fn len(self) -> u64 {
        self.to.0 - self.from.0
    }

    pub fn is_empty(self) -> bool {
        self.from == self.to
    }
}

/// So many records in so much time, exactly.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub struct Rate {
    pub records: u64,
    pub per: Span,
}

impl Rate {
    pub const ZERO: Rate = Rate { records: 0, per: Span::from_secs(1) };

    pub fn is_zero(self) -> bool {
        self.records == 0
    }
}

/// Evenly spaced moments with an exact rational spacing: the i-th is `origin + floor(i * spacing.0 / spacing.1)` nanoseconds, so that 3
/// records a second stay 3 a second for ever.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub struct Pace {
    pub origin: Instant,
    /// Nanoseconds (numerator) per so many records (denominator, never 0).
    pub spacing: (u64, u64),
}

impl Pace {
    /// In lowest terms: a spacing of whole nanoseconds is one division less for each moment.
    pub fn new(origin: Instant, rate: Rate) -> Self {
        assert!(rate.records > 0, "a pace needs a rate above zero");
        let divisor = greatest_common_divisor(rate.per.as_nanos(), rate.records);
        Pace { origin, spacing: (rate.per.as_nanos() / divisor, rate.records / divisor) }
    }

    /// The moment of the i-th record; the first is number 0.
    #[inline]
    pub fn at(self, index: u64) -> Instant {
        let (p, q) = self.spacing;
        let nanos = match index.checked_mul(p) {
            Some(product) if q == 1 => product,
            // A division of machine words takes a fraction of the time, and hours of records fit into them.
            Some(product) => product / q,
            None => u64::try_from(u128::from(index) * u128::from(p) / u128::from(q)).unwrap_or(u64::MAX),
        };
        self.origin + Span::from_nanos(nanos)
    }

    /// How many of the moments lie before `end`.
    pub fn count_before(self, end: Instant) -> u64 {
        let Some(room) = end.as_nanos().checked_sub(self.origin.as_nanos()) else { return 0 };
        // floor(i * p / q) < room  <=>  i * p < room * q  <=>  i < ceil(room * q / p)
        let (p, q) = (self.spacing.0.max(1), self.spacing.1);
        match room.checked_mul(q) {
            Some(product) => product.div_ceil(p),
            None => u64::try_from((u128::from(room) * u128::from(q)).div_ceil(u128::from(p))).unwrap_or(u64::MAX),
        }
    }
}

/// Of two numbers that are not both zero.
fn greatest_common_divisor(one: u64, other: u64) -> u64 {
    if other == 0 { one } else { greatest_common_divisor(other, one % other) }
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
        pub struct $name(pub u32);

        impl $name {
            /// For looking things up in a `Vec` that is dense by this id.
            pub const fn index(self) -> usize {
                self.0 as usize
            }
        }
    )+};
}

ids! {
    /// A broker, in order from 0.
    BrokerId;
    /// A topic, in the order in which the scenario declares them (the order of creation).
    TopicId;
    /// A producer, in the order of declaration.
    ProducerId;
    /// A consumer group, in the order of declaration.
    GroupId;
    /// A consumer process that a scenario names, whatever its life; dense over all groups in the order of declaration.
    ClientId;
    /// A `group.instance.id`.
    InstanceId;
    /// A regular expression that consumers subscribe with.
    PatternId;
}

/// A member id as the coordinator knows it. Kafka builds `client.id-UUID`; here it is the client and the how-manieth id of that client it
/// is, from 1, so that runs can be read and repeated: `B`, then `B#2`.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct MemberId {
    pub client: ClientId,
    pub number: u32,
}

/// A partition of a topic.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TopicPartition {
    pub topic: TopicId,
    pub partition: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pace_keeps_its_rate_for_ever() {
        let pace = Pace::new(Instant::ZERO, Rate { records: 3, per: Span::from_secs(1) });
        assert_eq!(pace.at(0), Instant::ZERO);
        assert_eq!(pace.at(1), Instant::from_nanos(333_333_333));
        assert_eq!(pace.at(3 * 3600), Instant::from_nanos(3_600_000_000_000));
        assert_eq!(pace.count_before(Instant::from_nanos(3_600_000_000_000)), 3 * 3600);
        assert_eq!(pace.count_before(Instant::from_nanos(333_333_333)), 1);
        assert_eq!(pace.count_before(Instant::from_nanos(333_333_334)), 2);
    }

    #[test]
    fn spans_read_in_the_unit_that_fits() {
        let shown = |nanos| Span::from_nanos(nanos).to_string();
        assert_eq!(shown(0), "0ms");
        assert_eq!(shown(250_000), "250us");
        assert_eq!(shown(1_500_000), "1.5ms");
        assert_eq!(shown(45_000_000_000), "45s");
        assert_eq!(shown(200_000_000_000), "3m 20s");
        assert_eq!(shown(3_900_000_000_000), "1h 5m");
        assert_eq!(Instant::from_nanos(12_006_200_000).to_string(), "12006.2");
    }
}

//! The releases of Apache Kafka that are told apart, by their names. What differs between them stands elsewhere: the rules in
//! `kafka::release`, the defaults with the configuration.

/// A release of Apache Kafka of which the differences are known.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Release {
    V2_8,
    V3_9,
    V4_0_0,
    V4_0_1,
    V4_0_2,
    V4_1_0,
    V4_1_2,
    V4_2_0,
    V4_2_1,
    V4_3_0,
    #[default]
    V4_3_1,
    V4_4_0,
}

impl Release {
    /// From the oldest to the newest.
    pub const ALL: [Release; 12] = [
        Release::V2_8,
        Release::V3_9,
        Release::V4_0_0,
        Release::V4_0_1,
        Release::V4_0_2,
        Release::V4_1_0,
        Release::V4_1_2,
        Release::V4_2_0,
        Release::V4_2_1,
        Release::V4_3_0,
        Release::V4_3_1,
        Release::V4_4_0,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Release::V2_8 => "2.8",
            Release::V3_9 => "3.9",
            Release::V4_0_0 => "4.0.0",
            Release::V4_0_1 => "4.0.1",
            Release::V4_0_2 => "4.0.2",
            Release::V4_1_0 => "4.1.0",
            Release::V4_1_2 => "4.1.2",
            Release::V4_2_0 => "4.2.0",
            Release::V4_2_1 => "4.2.1",
            Release::V4_3_0 => "4.3.0",
            Release::V4_3_1 => "4.3.1",
            Release::V4_4_0 => "4.4.0",
        }
    }

    /// `4.0.1` is that patch; a line such as `4.0` means its newest patch known here.
    pub fn parse(text: &str) -> Option<Release> {
        let exact = Self::ALL.into_iter().find(|release| release.name() == text);
        exact.or_else(|| Self::ALL.into_iter().rev().find(|release| release.line() == text))
    }

    /// The first two numbers of the name: `4.0`.
    pub fn line(self) -> &'static str {
        let name = self.name();
        name.match_indices('.').nth(1).map_or(name, |(dot, _)| &name[..dot])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_release_is_found_by_its_own_name() {
        for release in Release::ALL {
            assert_eq!(Release::parse(release.name()), Some(release));
        }
    }

    #[test]
    fn a_line_means_its_newest_patch() {
        let newest = |line| Release::parse(line).map(Release::name);
        assert_eq!(newest("4.0"), Some("4.0.2"));
        assert_eq!(newest("4.3"), Some("4.3.1"));
        assert_eq!(newest("4.4"), Some("4.4.0"));
        assert_eq!(newest("2.8"), Some("2.8"));
        assert_eq!(newest("4"), None);
        assert_eq!(newest("4.5"), None);
        assert_eq!(newest(""), None);
    }
}

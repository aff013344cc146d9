//! What of Java itself shows in Kafka's answers.

use std::cmp::Ordering;

/// `String.compareTo`: by UTF-16 code unit. Rust compares by code point, which differs where a surrogate pair meets U+E000..U+FFFF.
pub fn compare_strings(a: &str, b: &str) -> Ordering {
    a.encode_utf16().cmp(b.encode_utf16())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_surrogate_pair_sorts_before_the_last_code_units() {
        assert!("\u{1f600}" > "\u{ff5e}", "by code point");
        assert_eq!(compare_strings("\u{1f600}", "\u{ff5e}"), Ordering::Less);
        assert_eq!(compare_strings("c10", "c2"), Ordering::Less);
        assert_eq!(compare_strings("Z", "a"), Ordering::Less);
        assert_eq!(compare_strings("a", "aa"), Ordering::Less);
        assert_eq!(compare_strings("a", "a"), Ordering::Equal);
    }
}

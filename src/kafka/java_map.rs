//! The order in which Java walks a HashMap of strings. Where Kafka's answer hangs on it and the strings are not random ids, it is computed.

/// `String.hashCode`.
pub fn string_hash(text: &str) -> i32 {
    text.encode_utf16().fold(0i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)))
}

/// For keys in order of insertion: their indices in the order of iteration. A chain keeps the order of insertion; a chain long enough to
/// become a tree, which would not, needs eight keys in one bucket of a large table.
pub fn iteration_order<'a>(keys: impl ExactSizeIterator<Item = &'a str>) -> Vec<usize> {
    let mut buckets = 16usize;
    while keys.len() > buckets * 3 / 4 {
        buckets *= 2;
    }
    let bucket = |key: &str| {
        let hash = string_hash(key) as u32;
        (hash ^ (hash >> 16)) as usize & (buckets - 1)
    };
    let placed: Vec<usize> = keys.map(bucket).collect();
    let mut order: Vec<usize> = (0..placed.len()).collect();
    order.sort_by_key(|index| placed[*index]);
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_hash_as_in_java() {
        assert_eq!(string_hash(""), 0);
        assert_eq!(string_hash("a"), 97);
        assert_eq!(string_hash("hello"), 99_162_322);
    }

    #[test]
    fn of_range_and_rr_a_map_meets_rr_first() {
        assert_eq!(iteration_order(["range", "rr"].into_iter()), [1, 0]);
        assert_eq!(iteration_order(["rr", "range"].into_iter()), [0, 1]);
    }
}

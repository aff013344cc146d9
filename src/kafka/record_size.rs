//! How many bytes a record takes in an uncompressed batch of format v2. Origin: `DefaultRecord#sizeInBytes`, `DefaultRecordBatch`.
//!
//! Not modelled: headers and compression.

/// Of a record batch, before its first record.
pub const BATCH_HEADER_BYTES: u64 = 61;

/// Bytes of a record with a key and a value of so many bytes. `offset_delta`: its place in the batch; `timestamp_delta`: milliseconds since the
/// batch's first record.
pub fn record_bytes(key: Option<u64>, value: u64, offset_delta: u64, timestamp_delta: u64) -> u64 {
    const ATTRIBUTES: u64 = 1;
    const NO_HEADERS: u64 = 1;
    // A null key is the length -1, which takes one byte.
    let key = key.map_or(1, |bytes| varint_bytes(bytes) + bytes);
    let body = ATTRIBUTES + varint_bytes(timestamp_delta) + varint_bytes(offset_delta) + key + varint_bytes(value) + value + NO_HEADERS;
    varint_bytes(body) + body
}

/// Bytes of a number that is not negative as a zigzag varint: seven bits a byte, one of all bits for the sign.
fn varint_bytes(value: u64) -> u64 {
    let bits = u64::BITS - value.leading_zeros() + 1;
    u64::from(bits.div_ceil(7))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_varint_grows_at_each_seventh_bit() {
        let sizes = [0, 63, 64, 8191, 8192, 1_048_575, 1_048_576].map(varint_bytes);
        assert_eq!(sizes, [1, 1, 2, 2, 3, 3, 4]);
    }

    #[test]
    fn a_value_of_100_bytes_without_a_key_takes_109_bytes_and_170_alone_in_a_batch() {
        assert_eq!(record_bytes(None, 100, 0, 0), 109);
        assert_eq!(record_bytes(None, 100, 63, 63), 109);
        assert_eq!(BATCH_HEADER_BYTES + record_bytes(None, 100, 0, 0), 170);
    }

    #[test]
    fn later_places_and_times_and_keys_take_more() {
        assert_eq!(record_bytes(None, 100, 64, 0), 110);
        assert_eq!(record_bytes(None, 100, 64, 64), 111);
        assert_eq!(record_bytes(Some(5), 100, 0, 0), 114);
        assert_eq!(record_bytes(Some(0), 100, 0, 0), 109, "an empty key costs what a null key costs");
    }
}

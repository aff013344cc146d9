//! murmur2, key → partition and the exponential back-off against the answers of Kafka's own classes (tests/vectors/README.md).

use std::collections::BTreeMap;

use groupsim::client::backoff::ExponentialBackoff;
use groupsim::kafka::partitioner::{murmur2, partition_for_key};
use groupsim::units::Span;
use serde::Deserialize;

#[derive(Deserialize)]
struct Key {
    id: String,
    key: Option<String>,
    key_hex: String,
    murmur2: i32,
    to_positive: i32,
    partition: BTreeMap<u32, u32>,
}

#[derive(Deserialize)]
struct Series {
    id: String,
    initial_ms: u64,
    max_ms: u64,
    multiplier: u32,
    jitter: f64,
    backoff_ms_by_attempts: Vec<u64>,
}

#[test]
fn keys_hash_and_land_as_in_kafka() {
    let mut keys = 0;
    for line in include_str!("vectors/partitioner.jsonl").lines() {
        let vector: Key = serde_json::from_str(line).unwrap();
        let bytes = from_hex(&vector.key_hex);
        if let Some(text) = &vector.key {
            assert_eq!(text.as_bytes(), bytes, "{}", vector.id);
        }
        assert_eq!(murmur2(&bytes), vector.murmur2, "{}", vector.id);
        assert_eq!(vector.murmur2 & 0x7fff_ffff, vector.to_positive, "{}", vector.id);
        assert!(!vector.partition.is_empty(), "{}", vector.id);
        for (count, partition) in vector.partition {
            assert_eq!(partition_for_key(&bytes, count), partition, "{} of {count}", vector.id);
        }
        keys += 1;
    }
    assert_eq!(keys, 287);
}

#[test]
fn back_offs_grow_as_in_kafka() {
    let mut series = 0;
    for line in include_str!("vectors/backoff.jsonl").lines() {
        let vector: Series = serde_json::from_str(line).unwrap();
        let (initial, max) = (Span::from_millis(vector.initial_ms), Span::from_millis(vector.max_ms));
        let backoff = ExponentialBackoff::new(initial, vector.multiplier, max, vector.jitter);
        assert_eq!(vector.backoff_ms_by_attempts.len(), 21, "{}", vector.id);
        for (attempts, expected) in vector.backoff_ms_by_attempts.iter().enumerate() {
            let got = backoff.after(attempts as u64, 0.5);
            assert_eq!(got, Span::from_millis(*expected), "{} after {attempts} attempts", vector.id);
        }
        series += 1;
    }
    assert_eq!(series, 8);
}

fn from_hex(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect()
}

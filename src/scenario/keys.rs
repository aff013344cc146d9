//! The keys of a producer's records.

#[derive(Clone, PartialEq, Debug)]
pub enum Keys {
    /// Null keys: the sticky partitioner.
    None,
    /// `prefix0` … `prefix<count-1>`, each record's drawn with these weights. Empty weights: uniform.
    Drawn { prefix: String, count: u32, weights: KeyWeights },
}

#[derive(Clone, PartialEq, Debug)]
pub enum KeyWeights {
    Uniform,
    /// Key number i (from 0) with weight 1 / (i + 1)^s.
    Zipf {
        s: f64,
    },
    /// One for each key.
    Listed(Vec<u64>),
}

//! Consumer groups as their coordinator knows them.
pub mod classic;

//! Where in a file a key belongs that stands somewhere else.

use serde::de::{Deserializer, Error as _, Visitor};
use serde::{Deserialize, forward_to_deserialize_any};

use super::super::file::expect::ExpectFile;
use super::super::file::group::{GroupFile, MemberFile};
use super::super::file::producer::ProducerFile;
use super::super::file::timeline::EntryFile;
use super::super::file::{ClusterFile, ModelFile, ScenarioFile};
use super::ReadError;

/// `under `model:`, in a group or in a member`; nothing for what is no key, or one of too many places.
pub fn home(key: &str) -> Option<String> {
    const MOST: usize = 3;
    let places: [(&[&str], &str); 8] = [
        (of::<ScenarioFile>(), "at the top of the file"),
        (of::<ModelFile>(), "under `model:`"),
        (of::<ClusterFile>(), "under `cluster:`"),
        (of::<ProducerFile>(), "in a producer"),
        (of::<GroupFile>(), "in a group"),
        (of::<MemberFile>(), "in a member"),
        (of::<EntryFile>(), "in an entry of the timeline"),
        (of::<ExpectFile>(), "in an expectation"),
    ];
    let homes: Vec<&str> = places.into_iter().filter(|(keys, _)| keys.contains(&key)).map(|(_, place)| place).collect();
    match homes.as_slice() {
        [only] => Some((*only).to_owned()),
        [before @ .., last] if homes.len() <= MOST => Some(format!("{} or {last}", before.join(", "))),
        _ => None,
    }
}

/// The keys that a type takes: it names them when it is read.
fn of<T: for<'de> Deserialize<'de>>() -> &'static [&'static str] {
    let mut keys: &'static [&'static str] = &[];
    // Nothing is there to be read, and nothing else is asked.
    let _ = T::deserialize(KeyReader(&mut keys));
    keys
}

struct KeyReader<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for KeyReader<'_> {
    type Error = ReadError;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, ReadError> {
        Err(ReadError::custom("nothing is there"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        keys: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        *self.0 = keys;
        self.deserialize_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct newtype_struct seq tuple
        tuple_struct map enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_the_places_that_take_it() {
        assert_eq!(home("commit.race").as_deref(), Some("under `model:`"));
        assert_eq!(home("listener").as_deref(), Some("under `model:`, in a group or in a member"));
        assert_eq!(home("model").as_deref(), Some("at the top of the file"));
        assert_eq!(home("processing").as_deref(), Some("in a group or in a member"));
        assert_eq!(home("nonsense"), None);
        assert_eq!(home("config"), None, "it is at home in too many places");
    }
}

//! The tree of a file into the types of [`super::file`], with every type error, not just the first.
//!
//! serde stops at an error. So [`read`] notes it, marks the value at fault as bad and reads again without it, until what is left fits. All
//! fields of the types are optional for that reason: what must be there is checked afterwards, and what was bad is not called missing.

pub mod keys;

use std::fmt;
use std::ops::Range;

use serde::Deserialize;
use serde::de::{self, DeserializeSeed, Deserializer, Error as _, Expected, IntoDeserializer, Unexpected, Visitor};

use super::yaml::{Entry, Kind, Node};
use crate::error::{Problem, closest, did_you_mean};

/// So many values are found bad at most; each costs a reading of the file.
const TYPE_ERRORS_MAX: usize = 50;

/// Reads what can be read, and marks in the tree what could not.
pub fn read<T: for<'de> Deserialize<'de> + Default>(tree: &mut Node, problems: &mut Vec<Problem>) -> T {
    for _ in 0..TYPE_ERRORS_MAX {
        let error = match T::deserialize(NodeReader(tree)) {
            Ok(value) => return value,
            Err(error) => error,
        };
        let Some(place) = error.place else {
            problems.push(Problem { hint: error.hint, ..Problem::error(error.message) });
            break;
        };
        problems.push(Problem { hint: error.hint, ..Problem::error(error.message).at(place.span) });
        if place.bad == tree.id || !tree.mark_bad(place.bad) {
            break;
        }
    }
    T::default()
}

/// What serde's types have to say about a value.
#[derive(Debug)]
pub struct ReadError {
    message: String,
    hint: Option<String>,
    place: Option<Place>,
}

#[derive(Debug)]
struct Place {
    /// The number of the node at fault.
    bad: u32,
    span: Range<usize>,
}

impl ReadError {
    /// The innermost place wins.
    fn at(mut self, bad: u32, span: &Range<usize>) -> Self {
        self.place.get_or_insert_with(|| Place { bad, span: span.clone() });
        self
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ReadError {}

impl de::Error for ReadError {
    /// A second line is the hint.
    fn custom<T: fmt::Display>(message: T) -> Self {
        let text = message.to_string();
        match text.split_once('\n') {
            Some((message, hint)) => ReadError { message: message.to_owned(), hint: Some(hint.to_owned()), place: None },
            None => ReadError { message: text, hint: None, place: None },
        }
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        ReadError::custom(format_args!("expected {expected}, found {}", Found(found)))
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        let mut error = ReadError::custom(format!("unknown key `{}`", cut(field)));
        error.hint = match NOT_IN_THIS_VERSION.iter().find(|(key, _)| *key == field) {
            Some((_, what)) => Some(format!("{what} cannot be simulated in this version")),
            None => {
                let meant = OTHER_WORDS.iter().find(|(word, key)| *word == field && expected.contains(key)).map(|(_, key)| *key);
                match meant.or_else(|| closest(field, expected.iter().copied())) {
                    Some(key) => Some(format!("did you mean `{key}`?")),
                    None => {
                        keys::home(field).map(|home| format!("it stands {home}")).or_else(|| did_you_mean(field, expected.iter().copied()))
                    }
                }
            }
        };
        error
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        let mut error = ReadError::custom(format!("`{}` is not known here", cut(variant)));
        error.hint = did_you_mean(variant, expected.iter().copied());
        error
    }
}

/// What people say first, and the key that says it.
const OTHER_WORDS: &[(&str, &str)] = &[
    ("max", "at.most"),
    ("most", "at.most"),
    ("min", "at.least"),
    ("least", "at.least"),
    ("equal", "exactly"),
    ("equals", "exactly"),
    ("replicas", "replication.factor"),
];

/// Keys that people know from the documentation of other versions.
const NOT_IN_THIS_VERSION: &[(&str, &str)] = &[
    ("chaos", "faults drawn from the seed"),
    ("disconnect", "a cut connection"),
    ("broker.down", "a broker that goes down"),
    ("drop", "a lost request"),
    ("on.error", "records that fail"),
    ("errors", "records that fail"),
    ("output", "consume-transform-produce"),
    ("workers", "a pool of worker threads"),
];

/// What a value is, in the words of somebody who writes YAML.
struct Found<'a>(Unexpected<'a>);

impl fmt::Display for Found<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Unexpected::Bool(value) => write!(f, "`{value}`"),
            Unexpected::Unsigned(value) => write!(f, "the number {value}"),
            Unexpected::Signed(value) => write!(f, "the number {value}"),
            Unexpected::Str(text) => write!(f, "the text `{}`", cut(text)),
            Unexpected::Unit => f.write_str("nothing"),
            Unexpected::Seq => f.write_str("a list"),
            Unexpected::Map => f.write_str("a map"),
            other => other.fmt(f),
        }
    }
}

/// Enough of a text to recognise it.
pub fn cut(text: &str) -> String {
    const SHOWN_MAX: usize = 60;
    let mut shown: String = text.chars().take(SHOWN_MAX).map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    if text.chars().nth(SHOWN_MAX).is_some() {
        shown.push_str("...");
    }
    shown
}

/// What a value should have been.
const MAP: &str = "a map (`key: value`)";
const TRUTH: &str = "`true` or `false`";

/// What YAML 1.1 took for a truth value.
fn truth(word: &str) -> Option<bool> {
    match word.to_ascii_lowercase().as_str() {
        "yes" | "on" | "y" => Some(true),
        "no" | "off" | "n" => Some(false),
        _ => None,
    }
}

/// How a map with these keys looks.
fn written_out(keys: &[&str]) -> Option<String> {
    let each = |form: fn(&&str) -> String| keys.iter().map(form).collect::<Vec<_>>().join(", ");
    match keys.len() {
        0..=4 => Some(format!("write `{{{}}}`", each(|key| format!("{key}: …")))),
        5..=12 => Some(format!("its keys are {}", each(|key| format!("`{key}`")))),
        _ => None,
    }
}

/// Somebody may have meant whatever is called so.
fn is_name(text: &str) -> bool {
    let is_legal = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-');
    text.len() <= 30 && text.starts_with(|letter: char| letter.is_ascii_alphabetic()) && text.chars().all(is_legal)
}

#[derive(Copy, Clone)]
struct NodeReader<'a>(&'a Node);

impl<'a> NodeReader<'a> {
    fn place<T>(self, result: Result<T, ReadError>) -> Result<T, ReadError> {
        result.map_err(|error| error.at(self.0.id, &self.0.span))
    }

    fn number<T: std::str::FromStr>(self, expected: &str) -> Result<T, ReadError> {
        let found = match &self.0.kind {
            Kind::Scalar { text, plain: true } => match text.replace('_', "").parse() {
                Ok(number) => return Ok(number),
                Err(_) => format!("`{}` is not {expected}", cut(text)),
            },
            Kind::Scalar { text, plain: false } => format!("expected {expected}, found the quoted text `{}`", cut(text)),
            Kind::List(_) => format!("expected {expected}, found a list"),
            Kind::Map(_) => format!("expected {expected}, found a map"),
        };
        self.place(Err(ReadError::custom(found)))
    }

    fn mismatch<T>(self, expected: &dyn Expected) -> Result<T, ReadError> {
        let found = match &self.0.kind {
            Kind::Scalar { .. } if self.0.is_null() => Unexpected::Unit,
            Kind::Scalar { text, .. } => Unexpected::Str(text),
            Kind::List(_) => Unexpected::Seq,
            Kind::Map(_) => Unexpected::Map,
        };
        let mut error = ReadError::invalid_type(found, expected);
        error.hint = match (&self.0.kind, expected.to_string().as_str()) {
            (Kind::List(_), MAP) => Some("write `name: …` for each, without the `- ` or the brackets".to_owned()),
            (Kind::Map(_), "a list") => Some("write each with a `- ` in front, or all of them in brackets".to_owned()),
            (Kind::Scalar { text, .. }, MAP) if is_name(text) => Some(format!("write `{{{text}: …}}`, with what there is to say of it")),
            (Kind::Scalar { text, .. }, TRUTH) => truth(text).map(|meant| format!("write `{meant}`: YAML 1.2 takes `{text}` for a text")),
            (Kind::List(_) | Kind::Map(_) | Kind::Scalar { .. }, _) => None,
        };
        self.place(Err(error))
    }

    fn visit_items<V: Visitor<'a>>(self, items: &'a [Node], visitor: V) -> Result<V::Value, ReadError> {
        self.place(visitor.visit_seq(Items(items.iter())))
    }

    fn visit_entries<V: Visitor<'a>>(self, entries: &'a [Entry], visitor: V) -> Result<V::Value, ReadError> {
        self.place(visitor.visit_map(Entries { rest: entries.iter(), current: None }))
    }
}

macro_rules! numbers {
    ($($method:ident $visit:ident $expected:literal,)+) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
            let number = self.number($expected)?;
            self.place(visitor.$visit(number))
        }
    )+};
}

impl<'de> Deserializer<'de> for NodeReader<'de> {
    type Error = ReadError;

    /// Whole numbers and booleans as such, anything else scalar as its text.
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match &self.0.kind {
            Kind::List(items) => self.visit_items(items, visitor),
            Kind::Map(entries) => self.visit_entries(entries, visitor),
            Kind::Scalar { .. } if self.0.is_null() => self.place(visitor.visit_unit()),
            Kind::Scalar { text, plain } => {
                let result = match (plain, text.parse::<u64>(), text.parse::<bool>()) {
                    (true, Ok(number), _) => visitor.visit_u64(number),
                    (true, _, Ok(value)) => visitor.visit_bool(value),
                    _ => visitor.visit_borrowed_str(text),
                };
                self.place(result)
            }
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match &self.0.kind {
            Kind::Scalar { text, plain: true } if matches!(text.as_str(), "true" | "True" | "TRUE") => visitor.visit_bool(true),
            Kind::Scalar { text, plain: true } if matches!(text.as_str(), "false" | "False" | "FALSE") => visitor.visit_bool(false),
            _ => self.mismatch(&TRUTH),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match &self.0.kind {
            Kind::Scalar { .. } if self.0.is_null() => self.mismatch(&"a text"),
            Kind::Scalar { text, .. } => self.place(visitor.visit_borrowed_str(text)),
            Kind::List(_) | Kind::Map(_) => self.mismatch(&"a text"),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.deserialize_str(visitor)
    }

    numbers! {
        deserialize_u8 visit_u8 "a whole number up to 255",
        deserialize_u16 visit_u16 "a whole number up to 65535",
        deserialize_u32 visit_u32 "a whole number up to 4294967295",
        deserialize_u64 visit_u64 "a whole number from 0 to 18446744073709551615",
        deserialize_i8 visit_i8 "a whole number",
        deserialize_i16 visit_i16 "a whole number",
        deserialize_i32 visit_i32 "a whole number",
        deserialize_i64 visit_i64 "a whole number",
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        let number: f64 = self.number("a number")?;
        if number.is_finite() { self.place(visitor.visit_f64(number)) } else { self.mismatch(&"a finite number") }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        if self.0.is_null() { visitor.visit_none() } else { self.place(visitor.visit_some(self)) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, ReadError> {
        self.place(visitor.visit_newtype_struct(self))
    }

    /// Nothing is an empty list: `timeline:` with all its lines commented out.
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match &self.0.kind {
            Kind::List(items) => self.visit_items(items, visitor),
            Kind::Scalar { .. } if self.0.is_null() => self.visit_items(&[], visitor),
            Kind::Scalar { .. } | Kind::Map(_) => self.mismatch(&"a list"),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, ReadError> {
        match &self.0.kind {
            Kind::List(items) if items.len() == length => self.visit_items(items, visitor),
            Kind::List(_) | Kind::Scalar { .. } | Kind::Map(_) => self.mismatch(&format!("a list of {length}").as_str()),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match &self.0.kind {
            Kind::Map(entries) => self.visit_entries(entries, visitor),
            Kind::Scalar { .. } if self.0.is_null() => self.visit_entries(&[], visitor),
            Kind::Scalar { .. } | Kind::List(_) => self.mismatch(&MAP),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        keys: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        let is_scalar = matches!(self.0.kind, Kind::Scalar { .. });
        self.deserialize_map(visitor).map_err(|error| if is_scalar { ReadError { hint: written_out(keys), ..error } } else { error })
    }

    fn deserialize_enum<V: Visitor<'de>>(self, _: &'static str, _: &'static [&'static str], visitor: V) -> Result<V::Value, ReadError> {
        match &self.0.kind {
            Kind::Scalar { text, .. } => self.place(visitor.visit_enum(text.as_str().into_deserializer())),
            Kind::List(_) | Kind::Map(_) => self.mismatch(&"a word"),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! { char bytes byte_buf unit unit_struct tuple_struct identifier i128 u128 }
}

struct Items<'a>(std::slice::Iter<'a, Node>);

impl<'de> de::SeqAccess<'de> for Items<'de> {
    type Error = ReadError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, ReadError> {
        self.0.find(|node| !node.bad).map(|node| NodeReader(node).place(seed.deserialize(NodeReader(node)))).transpose()
    }
}

struct Entries<'a> {
    rest: std::slice::Iter<'a, Entry>,
    current: Option<&'a Node>,
}

impl<'de> de::MapAccess<'de> for Entries<'de> {
    type Error = ReadError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, ReadError> {
        let Some(entry) = self.rest.find(|entry| !entry.value.bad) else { return Ok(None) };
        self.current = Some(&entry.value);
        let key: de::value::BorrowedStrDeserializer<'de, ReadError> = de::value::BorrowedStrDeserializer::new(&entry.key);
        seed.deserialize(key).map(Some).map_err(|error| error.at(entry.value.id, &entry.key_span))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, ReadError> {
        let node = self.current.take().expect("serde asks for a value after its key");
        NodeReader(node).place(seed.deserialize(NodeReader(node)))
    }
}

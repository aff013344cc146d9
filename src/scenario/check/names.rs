//! Names: which are legal, and what number stands for which.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use indexmap::IndexMap;

use super::super::reader::cut;
use super::{Checker, Site};

/// Kafka's limit for the name of a topic.
const NAME_MAX: usize = 249;
const PATH_COMPONENT_MAX: usize = 100;

/// The declared names of one kind, with their dense numbers.
pub struct Names {
    kind: &'static str,
    ids: BTreeMap<String, u32>,
    in_order: Vec<String>,
    /// Declared, but what stands there could not be read: not called undeclared.
    unreadable: BTreeSet<String>,
    /// The key under which they stand is misspelt, or what is there is no map, which has been reported: nothing is called undeclared.
    lost: bool,
}

impl Names {
    /// Of the map that stands under `key`.
    pub fn new<T>(kind: &'static str, declared: &IndexMap<String, T>, root: Site<'_>, key: &str) -> Self {
        let lost = if root.has(key) { root.child(key).node.bad } else { root.tries(key) };
        let unreadable = if root.has(key) { root.child(key).unreadable().map(str::to_owned).collect() } else { BTreeSet::new() };
        let in_order: Vec<String> = declared.keys().cloned().collect();
        let ids = (0..).zip(&in_order).map(|(id, name)| (name.clone(), id)).collect();
        Names { kind, ids, in_order, unreadable, lost }
    }

    pub fn get(&self, name: &str) -> Option<u32> {
        self.ids.get(name).copied()
    }

    pub fn name(&self, id: usize) -> &str {
        &self.in_order[id]
    }

    pub fn all(&self) -> impl Iterator<Item = (u32, &str)> {
        (0..).zip(self.in_order.iter().map(String::as_str))
    }

    /// The only name of its kind.
    pub fn only(&self) -> Option<u32> {
        (self.in_order.len() == 1 && self.unreadable.is_empty()).then_some(0)
    }
}

impl Checker<'_> {
    /// The number of a name; reported if nothing has that name.
    pub fn resolve(&mut self, names: &Names, name: &str, at: Range<usize>) -> Option<u32> {
        let found = names.get(name);
        if found.is_none() && !names.lost && !names.unreadable.contains(name) {
            let message = format!("the {} `{}` is not declared", names.kind, cut(name));
            let hint = self.guess(name, names.in_order.iter().chain(&names.unreadable).map(String::as_str));
            self.error_with_hint(at, message, hint.unwrap_or_else(|| format!("declare it under `{}s:`", names.kind)));
        }
        found
    }

    /// Names of topics, producers, groups and members are written as Kafka wants the names of topics.
    pub fn legal_name(&mut self, kind: &str, name: &str, at: Range<usize>) {
        let legal = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-');
        if name.is_empty() || name.len() > NAME_MAX || !name.chars().all(legal) || matches!(name, "." | "..") {
            let hint = format!("1 to {NAME_MAX} of the letters a-z, A-Z, 0-9, `.`, `_` and `-`");
            self.error_with_hint(at, format!("`{}` is not a name for a {kind}", cut(name)), hint);
        }
    }
}

/// Whether a name can be a directory on every platform; else what a name looks like.
pub fn path_component(name: &str) -> Result<(), String> {
    const RESERVED: [&str; 4] = ["con", "prn", "aux", "nul"];
    let legal = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-');
    let stem = name.split('.').next().unwrap_or(name).to_ascii_lowercase();
    let numbered = ["com", "lpt"].iter().any(|port| stem.strip_prefix(port).is_some_and(|rest| matches!(rest.as_bytes(), [b'1'..=b'9'])));
    let shape = !name.is_empty() && name.len() <= PATH_COMPONENT_MAX && name.chars().all(legal);
    if !shape || name.starts_with(['.', '-']) || name.ends_with('.') {
        Err(format!("1 to {PATH_COMPONENT_MAX} of the letters a-z, A-Z, 0-9, `.`, `_` and `-`, the first and the last not a `.`"))
    } else if RESERVED.contains(&stem.as_str()) || numbered {
        Err(format!("Windows keeps `{stem}` for a device"))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scenario_name_is_a_directory_everywhere() {
        for good in ["consumer-crash", "a", "x.y_z-1", "console", "com10"] {
            assert_eq!(path_component(good), Ok(()), "{good}");
        }
        for bad in
            ["", ".", "..", ".git", "-x", "a/b", "a\\b", "a b", "con", "NUL.txt", "com1", "lpt9.x", "end.", "\u{e9}", &"x".repeat(101)]
        {
            assert!(path_component(bad).is_err(), "{bad}");
        }
    }
}

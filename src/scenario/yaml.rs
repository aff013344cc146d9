//! YAML text to a tree of nodes that know where they stand. The one place that knows the YAML crate.
//!
//! The tree is built from the events of the crate's parser and not by its deserializer, which stops at the first error, forgets the text of
//! a scalar (`4.10` is not 4.1) and loses places inside of enums.
//!
//! A scalar stays the text that was written (`4.0` is not yet a number), so that whoever reads it decides what it is. Aliases are
//! expanded and merge keys (`<<`) resolved here; everything that an input can blow up has a bound.

use std::collections::BTreeMap;
use std::ops::Range;

use serde_yaml::granit_parser::{ErrorKind, Event, Options, Parser, ScalarStyle, ScanError, Span, Tag};

use crate::error::Problem;

/// Values in one file, expanded aliases included.
pub const NODES_MAX: u32 = 200_000;
/// Lists and maps in each other.
pub const DEPTH_MAX: usize = 32;

/// A value, where it stands, and a number that no other value of the file has.
#[derive(Clone, Debug)]
pub struct Node {
    pub id: u32,
    pub span: Range<usize>,
    pub kind: Kind,
    /// Could not be read: readers pass it over, but it has been written.
    pub bad: bool,
}

#[derive(Clone, Debug)]
pub enum Kind {
    /// `plain`: written without quotes.
    Scalar {
        text: String,
        plain: bool,
    },
    List(Vec<Node>),
    Map(Vec<Entry>),
}

#[derive(Clone, Debug)]
pub struct Entry {
    pub key: String,
    pub key_span: Range<usize>,
    pub value: Node,
}

/// A tree, and what is wrong with it without making it unreadable.
#[derive(Debug)]
pub struct Parsed {
    pub root: Node,
    pub problems: Vec<Problem>,
}

/// Reads one document.
pub fn parse(source: &str) -> Result<Parsed, Problem> {
    if let Some(at) = source.find('\0') {
        return Err(Problem::error("the file has a NUL byte").at(at..at + 1).hint("is it a text file?"));
    }
    let mut options = Options::default();
    options.flow_nesting_limit = DEPTH_MAX;
    options.block_nesting_limit = DEPTH_MAX;
    let mut builder = Builder { source, open: Vec::new(), anchors: BTreeMap::new(), nodes: 0, root: None, problems: Vec::new() };
    for step in Parser::new_from_str_with_options(source, options) {
        let (event, span) = step.map_err(|error| syntax_problem(source, &error))?;
        builder.on_event(event, &span)?;
    }
    match builder.root {
        Some(root) => Ok(Parsed { root, problems: builder.problems }),
        None => Err(Problem::error("the file is empty").at(0..0).hint("`groupsim show NAME` prints a scenario to start from")),
    }
}

/// A list or a map that is not complete yet.
enum Open {
    List { start: usize, anchor: usize, items: Vec<Node> },
    Map { start: usize, anchor: usize, entries: Vec<Entry>, key: Option<(String, Range<usize>)> },
}

struct Builder<'s> {
    source: &'s str,
    open: Vec<Open>,
    anchors: BTreeMap<usize, Node>,
    nodes: u32,
    root: Option<Node>,
    problems: Vec<Problem>,
}

impl Builder<'_> {
    fn on_event(&mut self, event: Event<'_>, span: &Span) -> Result<(), Problem> {
        let span = span.byte_range().unwrap_or(0..0);
        match event {
            Event::DocumentStart(..) if self.root.is_some() => {
                Err(Problem::error("a second document").at(span).hint("a scenario file has one document: take out the `---`"))
            }
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain && !self.is_forced_text(tag.as_deref(), &span);
                let node = self.node(span, Kind::Scalar { text: text.into_owned(), plain })?;
                self.complete(node, anchor)
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.refuse_tag(tag.as_deref(), &span);
                self.enter(&span, Open::List { start: span.start, anchor, items: Vec::new() })
            }
            Event::MappingStart(_, anchor, tag) => {
                self.refuse_tag(tag.as_deref(), &span);
                self.enter(&span, Open::Map { start: span.start, anchor, entries: Vec::new(), key: None })
            }
            Event::SequenceEnd | Event::MappingEnd => self.leave(span.end),
            Event::Alias(anchor) => {
                let Some(target) = self.anchors.get(&anchor).cloned() else {
                    return Err(Problem::error("an alias that refers to itself").at(span));
                };
                let copy = self.copy(target, self.open.len(), &span)?;
                self.complete(copy, 0)
            }
            // The enum is the parser's and may grow: stream and document marks, comments.
            _ => Ok(()),
        }
    }

    fn node(&mut self, span: Range<usize>, kind: Kind) -> Result<Node, Problem> {
        self.nodes += 1;
        if self.nodes > NODES_MAX {
            let hint = "large numbers of members or partitions are written as a number, not one by one";
            return Err(Problem::error(format!("more than {NODES_MAX} values in one file (aliases count where they are used)"))
                .at(span)
                .hint(hint));
        }
        Ok(Node { id: self.nodes, span, kind, bad: false })
    }

    /// An alias stands for a copy, with numbers of its own; its places are those of the original.
    fn copy(&mut self, original: Node, depth: usize, alias: &Range<usize>) -> Result<Node, Problem> {
        if depth > DEPTH_MAX {
            return Err(too_deep(alias.clone()));
        }
        let kind = match original.kind {
            Kind::Scalar { .. } => original.kind,
            Kind::List(items) => Kind::List(items.into_iter().map(|item| self.copy(item, depth + 1, alias)).collect::<Result<_, _>>()?),
            Kind::Map(entries) => {
                let copy_entry = |entry: Entry| Ok(Entry { value: self.copy(entry.value, depth + 1, alias)?, ..entry });
                Kind::Map(entries.into_iter().map(copy_entry).collect::<Result<_, Problem>>()?)
            }
        };
        self.node(original.span, kind)
    }

    fn enter(&mut self, span: &Range<usize>, open: Open) -> Result<(), Problem> {
        if self.open.len() >= DEPTH_MAX {
            return Err(too_deep(span.clone()));
        }
        self.open.push(open);
        Ok(())
    }

    fn leave(&mut self, end: usize) -> Result<(), Problem> {
        let open = self.open.pop().expect("the parser ends only what it has started");
        let (start, anchor, kind) = match open {
            Open::List { start, anchor, items } => (start, anchor, Kind::List(items)),
            Open::Map { start, anchor, entries, .. } => (start, anchor, Kind::Map(self.merged(entries))),
        };
        // A block collection ends where the next thing begins: leave the white space between out.
        let end = start + self.source[start..end.max(start)].trim_end().len();
        let node = self.node(start..end, kind)?;
        self.complete(node, anchor)
    }

    /// Hands a finished value to the list or map that it stands in.
    fn complete(&mut self, node: Node, anchor: usize) -> Result<(), Problem> {
        if anchor != 0 {
            let copy = self.copy(node.clone(), self.open.len(), &node.span)?;
            self.anchors.insert(anchor, copy);
        }
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open::List { items, .. }) => items.push(node),
            Some(Open::Map { entries, key, .. }) => match key.take() {
                Some((key, key_span)) => entries.push(Entry { key, key_span, value: node }),
                None => match node.kind {
                    Kind::Scalar { text, .. } => *key = Some((text, node.span)),
                    Kind::List(_) | Kind::Map(_) => {
                        return Err(Problem::error("a list or map as a key").at(node.span).hint("a key is plain text"));
                    }
                },
            },
        }
        Ok(())
    }

    /// Each key once, and the entries of `<<` where they are not overridden.
    fn merged(&mut self, entries: Vec<Entry>) -> Vec<Entry> {
        let mut places: BTreeMap<String, Range<usize>> = BTreeMap::new();
        let mut kept = Vec::with_capacity(entries.len());
        let mut merges = Vec::new();
        for entry in entries {
            if entry.key == "<<" {
                merges.push(entry.value);
            } else if let Some(first) = places.get(&entry.key) {
                let problem = Problem::error(format!("the key `{}` stands here a second time", entry.key)).at(entry.key_span);
                self.problems.push(problem.related(first.clone(), "the first one"));
            } else {
                places.insert(entry.key.clone(), entry.key_span.clone());
                kept.push(entry);
            }
        }
        for source in merges {
            let maps = match source.kind {
                Kind::List(maps) => maps,
                Kind::Map(_) | Kind::Scalar { .. } => vec![source],
            };
            for map in maps {
                let Kind::Map(inherited) = map.kind else {
                    self.problems.push(Problem::error("`<<` takes a map, mostly an alias of one").at(map.span));
                    continue;
                };
                for entry in inherited {
                    if !places.contains_key(&entry.key) {
                        places.insert(entry.key.clone(), entry.key_span.clone());
                        kept.push(entry);
                    }
                }
            }
        }
        kept
    }

    /// `!!str 4` is text.
    fn is_forced_text(&mut self, tag: Option<&Tag>, span: &Range<usize>) -> bool {
        match tag {
            None => false,
            Some(tag) if tag.is_yaml_core_schema_tag("str") => true,
            Some(_) => {
                self.refuse_tag(tag, span);
                false
            }
        }
    }

    fn refuse_tag(&mut self, tag: Option<&Tag>, span: &Range<usize>) {
        if let Some(tag) = tag {
            let problem = Problem::error(format!("the tag `{}` means nothing in a scenario", tag.original())).at(span.clone());
            self.problems.push(problem.hint("take it out"));
        }
    }
}

fn too_deep(at: Range<usize>) -> Problem {
    Problem::error(format!("more than {DEPTH_MAX} lists and maps in each other")).at(at)
}

fn syntax_problem(source: &str, error: &ScanError) -> Problem {
    let at = error.marker().byte_offset().unwrap_or(0).min(source.len());
    if matches!(error.kind(), ErrorKind::RecursionLimitExceeded) {
        return too_deep(at..at);
    }
    match tab_in_indentation(source, at, error.info().contains("tab")) {
        Some(tab) => Problem::error("not YAML: a tab in the indentation").at(tab..tab + 1).hint("YAML is indented with spaces"),
        None => {
            let problem = Problem::error(format!("not YAML: {}", error.info())).at(at..at);
            Problem { hint: syntax_hint(&error.info()).map(str::to_owned), ..problem }
        }
    }
}

/// What is mostly meant by the parser's words.
fn syntax_hint(told: &str) -> Option<&'static str> {
    const HINTS: [(&str, &str); 5] = [
        ("quoted scalar", "a quotation mark that is opened is closed on the same line"),
        ("flow ", "every `{` and `[` is closed, with `,` between what is in it"),
        ("block mapping", "the keys of one map begin in the same column"),
        ("simple key", "a key is followed by `: ` and its value, or by `:` and an indented block"),
        ("unknown anchor", "an alias `*x` refers to an anchor `&x` further up"),
    ];
    HINTS.into_iter().find(|(words, _)| told.contains(words)).map(|(_, hint)| hint)
}

/// Where a tab stands before the text of the line of an error; the parser may find it when it is still on the line before.
fn tab_in_indentation(source: &str, at: usize, look_ahead: bool) -> Option<usize> {
    let start = source[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let next = source[at..].find('\n').map(|newline| at + newline + 1).filter(|_| look_ahead);
    [Some(start), next].into_iter().flatten().find_map(|line| {
        let indent = source[line..].find(|letter| letter != ' ' && letter != '\t').map_or(source.len(), |length| line + length);
        source[line..indent].find('\t').map(|tab| line + tab)
    })
}

impl Node {
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key == key)
    }

    /// None unless this is a map.
    pub fn entries(&self) -> &[Entry] {
        match &self.kind {
            Kind::Map(entries) => entries,
            Kind::List(_) | Kind::Scalar { .. } => &[],
        }
    }

    /// None unless this is a list.
    pub fn items(&self) -> &[Node] {
        match &self.kind {
            Kind::List(items) => items,
            Kind::Map(_) | Kind::Scalar { .. } => &[],
        }
    }

    /// An empty value, `~` or `null`.
    pub fn is_null(&self) -> bool {
        matches!(&self.kind, Kind::Scalar { text, plain: true } if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    /// Marks the value with this number as bad; false if there is none.
    pub fn mark_bad(&mut self, id: u32) -> bool {
        if self.id == id {
            self.bad = true;
            return true;
        }
        match &mut self.kind {
            Kind::Scalar { .. } => false,
            Kind::List(items) => items.iter_mut().any(|item| item.mark_bad(id)),
            Kind::Map(entries) => entries.iter_mut().any(|entry| entry.value.mark_bad(id)),
        }
    }

    /// The value on one line, in flow style.
    pub fn on_one_line(&self) -> String {
        match &self.kind {
            Kind::Scalar { text, plain } => scalar(text, *plain),
            Kind::List(items) => format!("[{}]", items.iter().map(Node::on_one_line).collect::<Vec<_>>().join(", ")),
            Kind::Map(entries) => {
                let shown = entries.iter().map(|entry| format!("{}: {}", scalar(&entry.key, true), entry.value.on_one_line()));
                format!("{{{}}}", shown.collect::<Vec<_>>().join(", "))
            }
        }
    }
}

/// Text as a YAML scalar: plain where that is safe, else in double quotes. `plain` text may read as a number, other text must not.
pub fn scalar(text: &str, plain: bool) -> String {
    let safe = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-' | '/' | '%' | '+');
    let starts_well = text.starts_with(|letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '/' | '_' | '.'));
    let looks_like_another_type = !plain
        && (text.starts_with(|letter: char| letter.is_ascii_digit() || letter == '.')
            || matches!(text.to_ascii_lowercase().as_str(), "null" | "true" | "false" | "yes" | "no" | "on" | "off" | "y" | "n"));
    if starts_well && text.chars().all(safe) && !looks_like_another_type {
        text.to_owned()
    } else {
        serde_json::Value::String(text.to_owned()).to_string()
    }
}

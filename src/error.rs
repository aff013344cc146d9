//! What is wrong with an input, and how it is shown: the message, the place in the file, the line itself, and what would be right.
//!
//! Problems are collected, never thrown one by one: a user who has made eight mistakes gets to see eight. Mistakes of ours are panics and
//! have no place here.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Level, Origin, Renderer, Snippet};

/// So many problems are shown; a file with more is not worth a longer list.
pub const PROBLEMS_SHOWN_MAX: usize = 100;

/// A longer line is not drawn: a picture of it would help nobody.
const LINE_DRAWN_MAX: usize = 2_000;

#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Severity {
    Error,
    Warning,
}

/// One thing that is wrong, or that the user should know.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    pub severity: Severity,
    pub message: String,
    /// Bytes of the source.
    pub span: Option<Range<usize>>,
    /// What would be right.
    pub hint: Option<String>,
    /// Another place that has to do with it, and what is there.
    pub related: Option<(Range<usize>, String)>,
}

impl Problem {
    pub fn error(message: impl Into<String>) -> Self {
        Problem { severity: Severity::Error, message: message.into(), span: None, hint: None, related: None }
    }

    pub fn warning(message: impl Into<String>) -> Self {
        Problem { severity: Severity::Warning, ..Problem::error(message) }
    }

    #[must_use]
    pub fn at(mut self, span: Range<usize>) -> Self {
        self.span = Some(span);
        self
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    #[must_use]
    pub fn related(mut self, span: Range<usize>, what: impl Into<String>) -> Self {
        self.related = Some((span, what.into()));
        self
    }
}

/// What one input has brought up, with the text that it points into.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problems {
    /// As the user knows the input: a path, a built-in name, `<stdin>`.
    pub file: String,
    pub source: Arc<str>,
    pub list: Vec<Problem>,
}

impl Problems {
    /// Sorts by place and drops repetitions: what a group's config gets wrong is wrong for each of its members.
    pub fn new(file: &str, source: &str, mut list: Vec<Problem>) -> Self {
        list.sort_by_key(|problem| (problem.span.as_ref().map_or(0, |span| span.start), problem.severity));
        let mut seen = std::collections::BTreeSet::new();
        list.retain(|problem| seen.insert((problem.span.as_ref().map(|span| span.start), problem.message.clone())));
        Problems { file: file.to_owned(), source: source.into(), list }
    }

    /// An input that could not even be read.
    pub fn unreadable(file: &str, problem: Problem) -> Self {
        Problems::new(file, "", vec![problem])
    }

    pub fn has_errors(&self) -> bool {
        self.list.iter().any(|problem| problem.severity == Severity::Error)
    }

    pub fn errors(&self) -> usize {
        self.list.iter().filter(|problem| problem.severity == Severity::Error).count()
    }

    /// The text for a terminal; strip the colours where they are not wanted.
    pub fn styled(&self) -> String {
        self.render(&Renderer::styled().decor_style(DecorStyle::Ascii))
    }

    fn render(&self, renderer: &Renderer) -> String {
        let shown = self.list.iter().take(PROBLEMS_SHOWN_MAX);
        let mut text: Vec<String> = shown.map(|problem| self.render_one(problem, renderer)).collect();
        if self.list.len() > PROBLEMS_SHOWN_MAX {
            text.push(format!("... and {} more", self.list.len() - PROBLEMS_SHOWN_MAX));
        }
        text.join("\n\n")
    }

    fn render_one(&self, problem: &Problem, renderer: &Renderer) -> String {
        let level = match problem.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let mut report = level.primary_title(problem.message.as_str()).elements(Vec::<Origin<'_>>::new());
        match &problem.span {
            Some(span) => {
                let line = Line::around(&self.source, span);
                if line.text.len() > LINE_DRAWN_MAX {
                    report = report.element(Origin::path(self.file.as_str()).line(line.number).char_column(line.column));
                } else {
                    let primary = AnnotationKind::Primary.span(line.within.clone());
                    let snippet = Snippet::source(line.text).line_start(line.number).path(self.file.as_str());
                    report = report.element(snippet.annotation(primary));
                }
            }
            None => report = report.element(Origin::path(self.file.as_str())),
        }
        if let Some((span, what)) = &problem.related {
            let line = Line::around(&self.source, span);
            report = report.element(Level::NOTE.message(format!("line {}: {what}", line.number)));
        }
        if let Some(hint) = &problem.hint {
            report = report.element(Level::HELP.message(hint.as_str()));
        }
        renderer.render(&[report])
    }

    /// The line of a byte offset, from 1.
    pub fn line_of(&self, offset: usize) -> u32 {
        line_of(&self.source, offset)
    }
}

/// Without colours.
impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(&Renderer::plain().decor_style(DecorStyle::Ascii)))
    }
}

impl std::error::Error for Problems {}

/// The line of a byte offset, from 1.
pub fn line_of(source: &str, offset: usize) -> u32 {
    let before = &source.as_bytes()[..offset.min(source.len())];
    let newlines = before.iter().filter(|byte| **byte == b'\n').count();
    u32::try_from(newlines + 1).unwrap_or(u32::MAX)
}

/// The line on which a span begins, and what of the span lies on it.
struct Line<'a> {
    number: usize,
    /// In characters, from 1.
    column: usize,
    text: &'a str,
    within: Range<usize>,
}

impl<'a> Line<'a> {
    fn around(source: &'a str, span: &Range<usize>) -> Self {
        let start = floor_char_boundary(source, span.start);
        let from = source[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let to = source[start..].find('\n').map_or(source.len(), |newline| start + newline);
        let text = source[from..to].trim_end_matches('\r');
        let end = floor_char_boundary(source, span.end).clamp(start, from + text.len().max(start - from));
        Line {
            number: line_of(source, start) as usize,
            column: source[from..start].chars().count() + 1,
            text,
            within: start - from..end - from,
        }
    }
}

fn floor_char_boundary(source: &str, offset: usize) -> usize {
    let mut offset = offset.min(source.len());
    while !source.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

/// The one of `candidates` that was probably meant by `word`.
pub fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    /// Nobody mistypes a longer word; comparing takes quadratic time.
    const WORD_MAX: usize = 100;
    /// In a longer list the right one is not found by guessing.
    const COMPARED_MAX: usize = 1_000;
    if word.len() > WORD_MAX {
        return None;
    }
    let lower = word.to_lowercase();
    let distance = |candidate: &str| strsim::damerau_levenshtein(&lower, &candidate.to_lowercase());
    let close = candidates
        .into_iter()
        .take(COMPARED_MAX)
        .filter(|candidate| candidate.len() <= WORD_MAX)
        .map(|candidate| (distance(candidate), candidate));
    let limit = |candidate: &str| 1 + word.len().min(candidate.len()) / 4;
    let fits = |(distance, candidate): &(usize, &str)| *distance <= limit(candidate) && *distance < word.len().max(candidate.len());
    close.filter(fits).min_by_key(|(distance, _)| *distance).map(|(_, found)| found)
}

/// "did you mean `x`?", or the list of what there is, if that is short enough to help.
pub fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str> + Clone) -> Option<String> {
    const LISTED_MAX: usize = 30;
    if let Some(found) = closest(word, candidates.clone()) {
        return Some(format!("did you mean `{found}`?"));
    }
    let mut all = candidates.into_iter();
    let listed: Vec<String> = all.by_ref().take(LISTED_MAX).map(|name| format!("`{name}`")).collect();
    match (listed.is_empty(), all.next()) {
        (false, None) => Some(format!("there {} {}", if listed.len() == 1 { "is" } else { "are" }, listed.join(", "))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_shows_its_line_and_what_would_be_right() {
        let source = "duration: 5m\ntopics: {orders: six}\n";
        let problem = Problem::error("`six` is not a whole number").at(30..33).hint("write `6`");
        let shown = Problems::new("demo.yaml", source, vec![problem]).to_string();
        assert!(shown.contains("demo.yaml:2:18"), "{shown}");
        assert!(shown.contains("2 | topics: {orders: six}"), "{shown}");
        assert!(shown.contains("help: write `6`"), "{shown}");
    }

    #[test]
    fn a_span_outside_of_the_text_or_inside_a_letter_does_no_harm() {
        for span in [0..0, 3..900, 900..901, 1..2] {
            let shown = Problems::new("f", "a\u{e4}b", vec![Problem::error("wrong").at(span)]).to_string();
            assert!(shown.contains("wrong"));
        }
        assert!(Problems::new("f", "", vec![Problem::error("empty").at(0..0)]).to_string().contains("empty"));
    }

    #[test]
    fn a_near_miss_is_guessed_and_a_far_one_is_not() {
        assert_eq!(closest("durration", ["duration", "settle"]), Some("duration"));
        assert_eq!(closest("rte", ["rate", "topic"]), Some("rate"));
        assert_eq!(closest("xyzzy", ["duration", "settle"]), None);
    }
}

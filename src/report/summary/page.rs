//! Styled text that can be shown with colours or without, and tables that fit a terminal.

use std::fmt::Write;

use anstyle::{AnsiColor, Color};

/// What a reader's terminal is expected to show without wrapping.
pub const WIDTH: usize = 100;

/// What a piece of text is, not how it looks.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Style {
    Plain,
    Title,
    /// A label or a remark: there if one looks for it.
    Quiet,
    Good,
    Bad,
    Doubt,
}

impl Style {
    fn look(self) -> anstyle::Style {
        let coloured = |colour| anstyle::Style::new().fg_color(Some(Color::Ansi(colour)));
        match self {
            Style::Plain => anstyle::Style::new(),
            Style::Title => anstyle::Style::new().bold(),
            Style::Quiet => anstyle::Style::new().dimmed(),
            Style::Good => coloured(AnsiColor::Green).bold(),
            Style::Bad => coloured(AnsiColor::Red).bold(),
            Style::Doubt => coloured(AnsiColor::Yellow).bold(),
        }
    }
}

/// Text in order.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Page {
    pieces: Vec<(Style, String)>,
}

impl Page {
    pub fn put(&mut self, style: Style, text: impl Into<String>) -> &mut Self {
        self.pieces.push((style, text.into()));
        self
    }

    pub fn end_line(&mut self) {
        self.put(Style::Plain, "\n");
    }

    pub fn line(&mut self, style: Style, text: impl Into<String>) {
        self.put(style, text).end_line();
    }

    pub fn blank(&mut self) {
        self.end_line();
    }

    /// Words wrapped at the page's width; further lines are indented by `indent`, where the first one starts already.
    pub fn wrapped(&mut self, style: Style, indent: usize, text: &str) {
        for (i, line) in wrap(text, WIDTH - indent).into_iter().enumerate() {
            if i > 0 {
                self.put(Style::Plain, " ".repeat(indent));
            }
            self.line(style, line);
        }
    }

    pub fn table(&mut self, indent: usize, table: &Table) {
        let widths = table.widths();
        for row in &table.rows {
            let mut line = " ".repeat(indent);
            let mut style_before = Style::Plain;
            for (i, (cell, width)) in row.iter().zip(&widths).enumerate() {
                let text = cut(&cell.text, *width);
                let gap = " ".repeat(width - text.chars().count());
                let (before, after) = if table.right[i] { (gap.as_str(), "") } else { ("", gap.as_str()) };
                if cell.style != style_before {
                    self.put(style_before, std::mem::take(&mut line));
                    style_before = cell.style;
                }
                write!(line, "{before}{text}{after}").expect("a String takes all");
                line.push_str(if i + 1 < row.len() { GAP } else { "" });
            }
            self.put(style_before, line.trim_end());
            self.end_line();
        }
    }

    /// Without colours, without spaces at line ends.
    pub fn plain(&self) -> String {
        let text: String = self.pieces.iter().map(|(_, text)| text.as_str()).collect();
        text.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
    }

    /// With ANSI escapes.
    pub fn coloured(&self) -> String {
        let mut text = String::new();
        for (style, piece) in &self.pieces {
            let look = style.look();
            write!(text, "{}{piece}{}", look.render(), look.render_reset()).expect("a String takes all");
        }
        text
    }
}

const GAP: &str = "  ";

/// Rows of cells under each other; columns as wide as they must be, up to a bound.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Table {
    /// By column: numbers stand to the right.
    right: Vec<bool>,
    /// By column: longer text is cut.
    most: Vec<usize>,
    rows: Vec<Vec<Cell>>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cell {
    pub style: Style,
    pub text: String,
}

impl Table {
    /// Columns as (stands to the right, longest text).
    pub fn new(columns: &[(bool, usize)]) -> Self {
        Table {
            right: columns.iter().map(|column| column.0).collect(),
            most: columns.iter().map(|column| column.1).collect(),
            rows: Vec::new(),
        }
    }

    pub fn row(&mut self, style: Style, cells: impl IntoIterator<Item = impl Into<String>>) {
        self.rows.push(cells.into_iter().map(|text| Cell { style, text: text.into() }).collect());
    }

    pub fn cells(&mut self, cells: Vec<Cell>) {
        self.rows.push(cells);
    }

    fn widths(&self) -> Vec<usize> {
        let longest = |column: usize| self.rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.text.chars().count()).max();
        self.most.iter().enumerate().map(|(column, most)| longest(column).unwrap_or(0).min(*most)).collect()
    }
}

/// The text, or its beginning and `…`.
fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(width.saturating_sub(1)).collect();
    short.push('…');
    short
}

/// Lines of at most `width` characters, broken at spaces; a longer word stands alone.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

//! Styled text that can be shown with colours or without, and tables that fit a terminal.

use std::fmt::Write;

use anstyle::{AnsiColor, Color};

/// What every terminal shows without wrapping; the page of a file.
pub const NARROWEST: usize = 80;
/// Longer lines are hard to read, however wide the terminal is.
pub const WIDEST: usize = 100;
/// For the last column of a table: all that the page leaves.
pub const REST: usize = usize::MAX;

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
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Page {
    width: usize,
    pieces: Vec<(Style, String)>,
}

impl Default for Page {
    fn default() -> Self {
        Page::within(NARROWEST)
    }
}

impl Page {
    /// For so many columns, within bounds.
    pub fn within(columns: usize) -> Self {
        Page { width: columns.clamp(NARROWEST, WIDEST), pieces: Vec::new() }
    }

    pub fn put(&mut self, style: Style, text: impl Into<String>) -> &mut Self {
        self.pieces.push((style, text.into()));
        self
    }

    /// Without the spaces at its end.
    pub fn end_line(&mut self) {
        while let Some((_, text)) = self.pieces.last_mut() {
            text.truncate(text.trim_end_matches(' ').len());
            if !text.is_empty() {
                break;
            }
            self.pieces.pop();
        }
        self.pieces.push((Style::Plain, "\n".to_owned()));
    }

    pub fn line(&mut self, style: Style, text: impl Into<String>) {
        self.put(style, text).end_line();
    }

    pub fn blank(&mut self) {
        self.end_line();
    }

    /// Words wrapped at the page's width; further lines are indented by `indent`, where the first one starts already.
    pub fn wrapped(&mut self, style: Style, indent: usize, text: &str) {
        self.wrapped_after(style, indent, indent, text);
    }

    /// The same where the first line has got further already, to the column `start`.
    pub fn wrapped_after(&mut self, style: Style, start: usize, indent: usize, text: &str) {
        if start >= self.width {
            self.end_line();
            self.put(Style::Plain, " ".repeat(indent));
            return self.wrapped_after(style, indent, indent, text);
        }
        let filler = if start > indent { "x".repeat(start - indent - 1) + " " } else { String::new() };
        let lines = wrap(&format!("{filler}{text}"), self.width - indent);
        let shown = |(i, line): (usize, String)| if i == 0 { line.chars().skip(filler.len()).collect() } else { line };
        for (i, line) in lines.into_iter().enumerate().map(|(i, line)| (i, shown((i, line)))) {
            if i > 0 {
                self.put(Style::Plain, " ".repeat(indent));
            }
            self.line(style, line);
        }
    }

    pub fn table(&mut self, indent: usize, table: &Table) {
        let widths = table.widths(self.width - indent);
        for row in &table.rows {
            let row = match row {
                Row::Cells(cells) => cells,
                Row::Remark { column, cell } => {
                    let indent = widths[..*column].iter().fold(indent, |indent, width| indent + width + GAP.len());
                    self.put(Style::Plain, " ".repeat(indent));
                    self.wrapped(cell.style, indent, &cell.text);
                    continue;
                }
            };
            let cells: Vec<Vec<String>> = row.iter().zip(&widths).map(|(cell, width)| wrap(&cell.text, *width)).collect();
            let height = cells.iter().map(Vec::len).max().unwrap_or(0);
            for line in 0..height {
                self.put(Style::Plain, " ".repeat(indent));
                for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
                    let text = cells[column].get(line).map_or("", String::as_str);
                    let room = " ".repeat(width - text.chars().count().min(*width));
                    let (before, after) = if table.right[column] { (room.as_str(), "") } else { ("", room.as_str()) };
                    self.put(Style::Plain, before).put(cell.style, text).put(Style::Plain, format!("{after}{GAP}"));
                }
                self.end_line();
            }
        }
    }

    /// Without colours.
    pub fn plain(&self) -> String {
        self.pieces.iter().map(|(_, text)| text.as_str()).collect()
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

/// Rows of cells under each other. Columns are as wide as they must be, up to a bound; longer text goes on in the next line.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Table {
    /// By column: numbers stand to the right.
    right: Vec<bool>,
    /// By column: the widest that it may be. The last one also ends where the page does.
    most: Vec<usize>,
    rows: Vec<Row>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Row {
    Cells(Vec<Cell>),
    /// A sentence from this column to the end of the page.
    Remark {
        column: usize,
        cell: Cell,
    },
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
        self.cells(cells.into_iter().map(|text| Cell { style, text: text.into() }).collect());
    }

    pub fn cells(&mut self, cells: Vec<Cell>) {
        self.rows.push(Row::Cells(cells));
    }

    /// A sentence below the last row that begins in this column.
    pub fn remark(&mut self, style: Style, column: usize, text: impl Into<String>) {
        self.rows.push(Row::Remark { column, cell: Cell { style, text: text.into() } });
    }

    /// What the text needs, within the bounds; if the page is too narrow for the last column, the widest texts before it give way.
    fn widths(&self, page: usize) -> Vec<usize> {
        const ENOUGH: usize = 24;
        let cells = |column: usize| self.rows.iter().filter_map(Row::cells).filter_map(move |row| row.get(column));
        let longest = |(column, most): (usize, &usize)| cells(column).map(|cell| needed(&cell.text, *most)).max().unwrap_or(0);
        let mut widths: Vec<usize> = self.most.iter().enumerate().map(longest).collect();
        let Some(last) = widths.len().checked_sub(1) else { return widths };
        let room = |widths: &[usize]| page.saturating_sub(widths[..last].iter().map(|width| width + GAP.len()).sum());
        while room(&widths) < widths[last].min(ENOUGH) {
            let texts = (0..last).filter(|column| !self.right[*column] && widths[*column] > ENOUGH);
            let Some(widest) = texts.max_by_key(|column| widths[*column]) else { break };
            widths[widest] -= 1;
        }
        widths[last] = widths[last].min(room(&widths).max(1));
        widths
    }
}

impl Row {
    fn cells(&self) -> Option<&Vec<Cell>> {
        match self {
            Row::Cells(cells) => Some(cells),
            Row::Remark { .. } => None,
        }
    }
}

/// How wide a text is that may be wrapped at `most`.
fn needed(text: &str, most: usize) -> usize {
    let whole = text.chars().count();
    if whole <= most { whole } else { wrap(text, most).iter().map(|line| line.chars().count()).max().unwrap_or(0) }
}

/// Lines of at most `width` characters, broken at spaces; a longer word is broken anywhere.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        for character in word.chars() {
            if line.chars().count() == width {
                lines.push(std::mem::take(&mut line));
            }
            line.push(character);
        }
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

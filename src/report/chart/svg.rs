//! A small SVG writer. All coordinates are integers in quarters of a pixel: the same bytes on every platform, and fine enough for slow
//! slopes.

use std::fmt::Write;

use crate::report::chart::lettering::{FAMILY, Font};

/// Quarters of a pixel.
pub type Units = i32;

pub const fn px(pixels: i32) -> Units {
    pixels * 4
}

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Rect {
    pub x: Units,
    pub y: Units,
    pub width: Units,
    pub height: Units,
}

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Anchor {
    Start,
    Middle,
    End,
}

/// How a line is drawn.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Stroke {
    pub colour: &'static str,
    pub width: Units,
    pub dash: Option<&'static str>,
}

#[derive(Default)]
pub struct Svg {
    body: String,
}

impl Svg {
    pub fn rect(&mut self, rect: Rect, fill: &str) {
        let Rect { x, y, width, height } = rect;
        self.raw(&format!(r#"<rect x="{x}" y="{y}" width="{width}" height="{height}" fill="{fill}"/>"#));
    }

    /// A rectangle that tells what it is when it is pointed at.
    pub fn named_rect(&mut self, rect: Rect, fill: &str, name: &str) {
        let Rect { x, y, width, height } = rect;
        let name = escaped(name);
        self.raw(&format!(r#"<rect x="{x}" y="{y}" width="{width}" height="{height}" fill="{fill}"><title>{name}</title></rect>"#));
    }

    pub fn outline(&mut self, rect: Rect, colour: &str) {
        let Rect { x, y, width, height } = rect;
        self.raw(&format!(r#"<rect x="{x}" y="{y}" width="{width}" height="{height}" fill="none" stroke="{colour}" stroke-width="3"/>"#));
    }

    pub fn line(&mut self, from: (Units, Units), to: (Units, Units), stroke: Stroke) {
        let Stroke { colour, width, dash } = stroke;
        let dash = dash.map(|dash| format!(r#" stroke-dasharray="{dash}""#)).unwrap_or_default();
        let ((x1, y1), (x2, y2)) = (from, to);
        self.raw(&format!(r#"<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{colour}" stroke-width="{width}"{dash}/>"#));
    }

    pub fn path(&mut self, shape: &str, fill: &str) {
        self.raw(&format!(r#"<path d="{shape}" fill="{fill}"/>"#));
    }

    /// On the baseline `at.1`.
    pub fn text(&mut self, at: (Units, Units), anchor: Anchor, font: Font, fill: &str, text: &str) {
        self.lettering(at, anchor, font, &format!(r#"fill="{fill}""#), text);
    }

    /// With a white rim, to be read on top of lines.
    pub fn rimmed_text(&mut self, at: (Units, Units), anchor: Anchor, font: Font, fill: &str, text: &str) {
        let paint = format!(r##"fill="{fill}" stroke="#FFFFFF" stroke-width="14" stroke-linejoin="round" paint-order="stroke""##);
        self.lettering(at, anchor, font, &paint, text);
    }

    /// Turned to be read from the right, around its middle.
    pub fn upright_text(&mut self, (x, y): (Units, Units), font: Font, fill: &str, text: &str) {
        let paint = format!(r#"fill="{fill}" transform="rotate(270 {x} {y})""#);
        self.lettering((x, y), Anchor::Middle, font, &paint, text);
    }

    pub fn raw(&mut self, element: &str) {
        self.body.push_str(element);
        self.body.push('\n');
    }

    /// The document, `height` units high; `definitions` are patterns and the like.
    pub fn finish(self, width: Units, height: Units, title: &str, definitions: &str) -> String {
        let mut text = String::with_capacity(self.body.len() + 1024);
        let (shown_width, shown_height) = (width / 4, height / 4);
        writeln!(
            text,
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="{shown_width}" height="{shown_height}" viewBox="0 0 {width} {height}" font-family="{FAMILY}" role="img">"#
        )
        .expect("a String takes all");
        writeln!(text, "<title>{}</title>\n<defs>{definitions}</defs>", escaped(title)).expect("a String takes all");
        writeln!(text, r##"<rect width="{width}" height="{height}" fill="#FFFFFF"/>"##).expect("a String takes all");
        text.push_str(&self.body);
        text.push_str("</svg>\n");
        text
    }

    fn lettering(&mut self, at: (Units, Units), anchor: Anchor, font: Font, paint: &str, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => r#" text-anchor="middle""#,
            Anchor::End => r#" text-anchor="end""#,
        };
        let weight = if font.bold { r#" font-weight="bold""# } else { "" };
        let ((x, y), size, text) = (at, font.size, escaped(text));
        self.raw(&format!(r#"<text x="{x}" y="{y}" font-size="{size}"{weight}{anchor} {paint}>{text}</text>"#));
    }
}

/// Names come from the user. Control characters are no XML at all, escaped or not.
pub fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            control if control.is_control() => escaped.push(' '),
            // Not characters of XML 1.0.
            '\u{FFFE}' | '\u{FFFF}' => escaped.push('\u{FFFD}'),
            plain => escaped.push(plain),
        }
    }
    escaped
}

//! The lag lines, drawn by plotters into a frame of the page.

use plotters::prelude::{ChartBuilder, IntoDrawingArea, LineSeries, Polygon, RGBColor, SVGBackend};
use plotters::style::{Color, ShapeStyle, TRANSPARENT};

use crate::report::chart::axis::{CountAxis, TimeAxis};
use crate::report::chart::palette;
use crate::report::chart::series::Point;
use crate::report::chart::svg::{Rect, Svg, escaped};

pub struct Line {
    pub name: String,
    pub colour: &'static str,
    pub width: u32,
    pub dash: Option<&'static str>,
    pub points: Vec<Point>,
}

/// One series as a line.
pub fn draw(svg: &mut Svg, frame: Rect, axes: (TimeAxis, CountAxis), line: &Line) {
    let colour = rgb(line.colour);
    let points = line.points.iter().copied();
    let drawing = plot(frame, axes, |chart| {
        chart.draw_series(LineSeries::new(points, colour.stroke_width(line.width))).expect("a String takes all");
    });
    let dash = line.dash.map(|dash| format!(r#" stroke-dasharray="{dash}""#)).unwrap_or_default();
    place(svg, frame, &format!(r#" stroke-linejoin="round" stroke-linecap="round"{dash}"#), &line.name, &drawing);
}

/// One series as a filled area with its edge.
pub fn draw_area(svg: &mut Svg, frame: Rect, axes: (TimeAxis, CountAxis), line: &Line) {
    let last = line.points.last().map_or(0, |point| point.0);
    let mut outline = line.points.clone();
    outline.extend([(last, 0), (0, 0)]);
    let fill = ShapeStyle { color: rgb(palette::TOTAL_FILL).into(), filled: true, stroke_width: 0 };
    let drawing = plot(frame, axes, |chart| {
        chart.draw_series([Polygon::new(outline, fill)]).expect("a String takes all");
    });
    place(svg, frame, "", "", &drawing);
    draw(svg, frame, axes, line);
}

type Chart<'a> = plotters::chart::ChartContext<'a, SVGBackend<'a>, plotters::coord::cartesian::Cartesian2d<TimeAxis, CountAxis>>;

/// Horizontal lines at round counts.
pub fn grid(svg: &mut Svg, frame: Rect, axes: (TimeAxis, CountAxis)) {
    let drawing = plot(frame, axes, |chart| {
        let mut mesh = chart.configure_mesh();
        mesh.disable_x_mesh().disable_axes().light_line_style(TRANSPARENT);
        mesh.bold_line_style(rgb(palette::GRID).stroke_width(4)).draw().expect("a String takes all");
    });
    place(svg, frame, "", "", &drawing);
}

/// What plotters draws, without the document around it.
fn plot(frame: Rect, (time, count): (TimeAxis, CountAxis), draw: impl FnOnce(&mut Chart)) -> String {
    let mut document = String::new();
    {
        let size = (frame.width as u32, frame.height as u32);
        let area = SVGBackend::with_string(&mut document, size).into_drawing_area();
        let mut chart = ChartBuilder::on(&area).build_cartesian_2d(time, count).expect("the frame has a size");
        draw(&mut chart);
        area.present().expect("a String takes all");
    }
    let body = document.split_once('\n').map_or("", |(_, body)| body);
    body.trim_end().trim_end_matches("</svg>").replace(r#" opacity="1""#, "")
}

fn place(svg: &mut Svg, frame: Rect, attributes: &str, name: &str, drawing: &str) {
    let title = if name.is_empty() { String::new() } else { format!("<title>{}</title>", escaped(name)) };
    svg.raw(&format!(r#"<g transform="translate({} {})"{attributes}>{title}"#, frame.x, frame.y));
    svg.raw(drawing.trim_end());
    svg.raw("</g>");
}

fn rgb(colour: &str) -> RGBColor {
    let channel = |at: usize| u8::from_str_radix(&colour[at..at + 2], 16).expect("the palette is written as #RRGGBB");
    RGBColor(channel(1), channel(3), channel(5))
}

//! `lag.png`: the chart as pixels, with letters that are built into the program.

use std::sync::Arc;

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb};

const REGULAR: &[u8] = include_bytes!("../../assets/font/Inter_400Regular-sub.ttf");
const BOLD: &[u8] = include_bytes!("../../assets/font/Inter_700Bold-sub.ttf");

/// Pixels for one of the SVG's, in halves: sharp on dense screens.
const SCALE_HALVES: u32 = 3;

pub fn render(svg: &str) -> Vec<u8> {
    let mut fonts = fontdb::Database::new();
    fonts.load_font_data(REGULAR.to_vec());
    fonts.load_font_data(BOLD.to_vec());
    let options = Options { fontdb: Arc::new(fonts), font_family: "Inter".to_owned(), ..Options::default() };
    let tree = Tree::from_str(svg, &options).expect("our own SVG is well-formed");
    let scaled = |size: f32| (size as u32 * SCALE_HALVES / 2).max(1);
    let (width, height) = (scaled(tree.size().width()), scaled(tree.size().height()));
    let mut pixels = Pixmap::new(width, height).expect("a chart has a size that fits into memory");
    let scale = Transform::from_scale(SCALE_HALVES as f32 / 2.0, SCALE_HALVES as f32 / 2.0);
    resvg::render(&tree, scale, &mut pixels.as_mut());
    pixels.encode_png().expect("pixels in memory always encode")
}

//! Floor 5, part of `expr`: a trace as the lecture draws it.
//!
//! Operations are boxes from left to right; on the wire out of each stands its value in green above, the gradient of
//! the result with respect to it in red below. `layout.rs` places boxes and wires, `svg.rs` writes the picture,
//! `html.rs` the page around it.

mod html;
mod layout;
mod svg;

pub use html::page;
pub use layout::Rect;
pub use svg::{Drawing, draw};

//! Pages and drawings: one HTML file that loads nothing, well-formed by construction, with a style and a script of its own.
//!
//! | file | what |
//! |---|---|
//! | `document` | the frame: head, contents, parts |
//! | `markup` | elements that close, text that is escaped |
//! | `numbers` | numbers as people read them |
//! | `chart` | a line chart |
//! | `base64` | bytes as text |
//! | `style.css`, `surface.css`, `script.js` | looks, and what moves |

mod base64;
mod chart;
mod document;
mod markup;
pub(crate) mod numbers;

pub(crate) use base64::base64;
pub(crate) use chart::{Chart, Line};
pub(crate) use document::{SURFACE_STYLE, Section, document, head, tile};
pub(crate) use markup::{Element, Markup, el, escaped, tenth};

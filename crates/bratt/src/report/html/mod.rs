//! The report of a run: one HTML file that shows everything about it, and needs nothing else.
//!
//! ```text
//! run folder, data, model --Report::gather--> Report (values) --Report::to_html--> the page
//! ```
//!
//! The page loads nothing from anywhere, and says so to the browser (a content security policy with the hash of its own
//! script). All of it can be read without the script, which only adds: another theme, numbers under the pointer, sorting,
//! and moving about with the keyboard. Names that come from the data are escaped by construction. Equal runs give equal
//! bytes: no clock but the recorded times. Frame, style and charts are those of the room `page`.
//!
//! | file | what |
//! |---|---|
//! | `value` | [`Report`]: what is shown, as values |
//! | `gather` | where these come from |
//! | `config` | a configuration as rows; the command that repeats a run |
//! | `images` | [`Picture`]: small images as data URIs |
//! | `page` | the first screen, and which parts there are |
//! | `data` | classes and parts, findings, the sample batch |
//! | `layers` | the network, drawn and as a table |
//! | `training` | curves over epochs |
//! | `step_sizes` | how far steps move each weight |
//! | `judgement` | measures with intervals, wrong answers, suspicious labels |
//! | `classes` | precision, recall and F1 of each class |
//! | `confusion` | the confusion matrix and the images behind it |
//! | `diagrams` | reliability; predicted over true numbers |
//! | `search` | another page: the trials of a search, as parallel coordinates and as a table |
//! | `repeat` | how to get the same again |

mod classes;
mod config;
mod confusion;
mod data;
mod diagrams;
mod gather;
mod images;
mod judgement;
mod layers;
mod page;
mod repeat;
mod search;
mod step_sizes;
#[cfg(test)]
mod tests;
mod training;
mod value;

pub use gather::{ReportError, Sources};
pub use images::Picture;
pub use search::{SearchAxis, SearchPage, SearchTrial};
pub use value::*;

impl Report {
    /// The page: a whole HTML document in one file.
    pub fn to_html(&self) -> String {
        page::page(self)
    }
}

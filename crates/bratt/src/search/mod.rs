//! Searching for good settings: a space of settings, trials drawn from it, and who goes on to a longer training.
//!
//! ```text
//! Space --draw(seed, trial)--> values of one trial
//! Halving --rungs--> how many trials train for how many epochs --promoted--> which of them go on
//! ```
//!
//! | file | what |
//! |---|---|
//! | `space` | axes, and random points of a space |
//! | `halving` | successive halving |
//!
//! Nothing is trained here, and no setting is known by name: who searches gives the values their meaning.

mod halving;
mod space;

pub use halving::{Halving, Rung, promoted};
pub use space::{Axis, AxisError, Scale, Space, Value};

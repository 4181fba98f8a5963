//! Floor 6: the error surface of two parameters, and the path of each optimiser over it.
//!
//! ```text
//! Problem --Ground::survey--> start, curvature, minimum --Ground::race--> Variant --Surface--> SVG, HTML
//! ```
//!
//! | file | what |
//! |---|---|
//! | `problem` | a cost of two numbers: its value, gradient and Hessian anywhere |
//! | `points` | linear and logistic regression with two weights, raw and preprocessed |
//! | `ground` | where to start, how curved it is there, where it is least, which rate suits |
//! | `run` | the path of one optimiser, and what it shows: steps needed, turns across the ravine |
//! | `contours` | level lines by marching squares |
//! | `drawing` | the picture |
//! | `html` | the page |
//!
//! # Why rates are what they are
//! On a quadratic bowl with Hessian eigenvalues l1 >= l2 > 0 gradient descent multiplies the distance along eigenvector i
//! by `1 - rate li` at each step: it oscillates across the ravine once `rate l1 > 1`, diverges at `rate l1 = 2`, and is
//! fastest at `2 / (l1 + l2)`, with the factor `(c - 1) / (c + 1)` for the condition number `c = l1 / l2`. So the best rate
//! in a narrow ravine lies near the limit. Rules that divide by a root mean square move by about their rate at each step
//! whatever the gradient, so that theirs is a share of the distance that lies before them.
//!
//! Sources: lecture on optimisation (ravines, scaling of inputs); Hinton, Neural Networks for Machine Learning, 2012,
//! lecture 6b; Polyak 1964; Sutskever et al. 2013.

mod contours;
mod drawing;
mod ground;
mod html;
mod points;
mod problem;
mod run;

pub use ground::{Ground, Rate};
pub use points::{BUILT_IN, Model, Points};
pub use problem::Problem;
pub use run::{Chosen, Run, Variant};

use crate::descent::DescentError;
use crate::expr::ExprError;
use crate::graph::GraphError;
use crate::tensor::Shape;

/// The momentum that shows best how it damps: with much more of it, the ball swings across the ravine for long.
pub const USUAL_MOMENTUM: f64 = 0.7;

/// Why a surface cannot be had.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SurfaceError {
    /// The cost cannot be written as a graph, or not be differentiated.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// A step cannot be taken.
    #[error("{optimizer}: {source}")]
    Descent {
        /// The optimiser's name.
        optimizer: &'static str,
        /// Why.
        source: DescentError,
    },
    /// The expression cannot be written as a graph.
    #[error(transparent)]
    Expression(#[from] Box<ExprError>),
    /// The expression has a vector or more as its result.
    #[error("found a result of shape {shape}, expected one number; take its sum or mean")]
    NoScalar {
        /// Its shape.
        shape: Shape,
    },
    /// The cost has another number of parameters.
    #[error("found {} ({}), expected two parameters", counted(names), names.join(", "))]
    Parameters {
        /// Their names.
        names: Vec<String>,
    },
    /// The cost at the start is infinite or no number.
    #[error("the cost at the start, {} = {} and {} = {}, is {found}", names[0], at[0], names[1], at[1])]
    Start {
        /// The parameters.
        names: [String; 2],
        /// Where.
        at: [f64; 2],
        /// The cost there.
        found: f64,
    },
    /// The start is not in the picture.
    #[error(
        "the start, {} = {} and {} = {}, lies outside of the range {} to {}, {} to {}",
        names[0], at[0], names[1], at[1], range[0][0], range[0][1], range[1][0], range[1][1]
    )]
    Outside {
        /// The parameters.
        names: [String; 2],
        /// The start.
        at: [f64; 2],
        /// The range of each parameter.
        range: [[f64; 2]; 2],
    },
    /// A range without an inside.
    #[error("range: found {low} to {high}, expected two finite numbers, the smaller one first")]
    Range {
        /// One end.
        low: f64,
        /// The other.
        high: f64,
    },
    /// The points make no problem of two parameters.
    #[error("{0}")]
    Points(String),
}

fn counted(names: &[String]) -> String {
    match names.len() {
        0 => "no parameter".into(),
        1 => "one parameter".into(),
        n => format!("{n} parameters"),
    }
}

/// A problem, or variants of one side by side, with all that ran over it.
#[derive(Clone, Debug)]
pub struct Surface {
    /// The problem in words.
    pub title: String,
    /// What else is to be known of it.
    pub notes: Vec<String>,
    /// Each with its own surface.
    pub variants: Vec<Variant>,
    /// How many steps each run may take.
    pub steps: u64,
}

impl Surface {
    /// What is to be seen, in a sentence for each variant and one that compares them.
    pub fn conclusion(&self) -> Vec<String> {
        let named = self.variants.len() > 1;
        let of = |variant: &Variant| match named {
            true => format!("{}: {}", variant.ground.problem.name(), variant.conclusion()),
            false => variant.conclusion(),
        };
        let mut all: Vec<String> = self.variants.iter().map(of).collect();
        if let [raw, mended] = &self.variants[..] {
            all.extend(compared(raw, mended));
        }
        all
    }

    /// The picture as an SVG file of its own, light or dark as the reader's system is.
    pub fn to_svg(&self) -> String {
        drawing::file(self)
    }

    /// A whole HTML document in one file that loads nothing. `command` is what made it.
    pub fn to_html(&self, version: &str, command: &str) -> String {
        html::page(self, version, command)
    }
}

/// What became of the condition, and of the run that gained most.
fn compared(raw: &Variant, mended: &Variant) -> Option<String> {
    let conditions = [raw.ground.condition()?, mended.ground.condition()?].map(run::short);
    let left = |variant: &Variant, name: &str| {
        let run = variant.runs.iter().find(|run| run.method.optimizer.name() == name)?;
        variant.left(run)
    };
    let name = raw.runs.first()?.method.optimizer.name();
    let (before, after) = (left(raw, name)?, left(mended, name)?);
    Some(format!(
        "preprocessing takes the condition number from {} to {}: {name} has {} of the distance left without it, {} with it",
        conditions[0],
        conditions[1],
        run::share(before),
        run::share(after)
    ))
}

#[cfg(test)]
mod tests;

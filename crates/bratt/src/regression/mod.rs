//! Regression on tables, solved exactly: what gradient descent is held against.
//!
//! ```text
//! Columns --Design::new--> X, y --linear | logistic | softmax--> coefficients with standard errors
//! ```
//!
//! | file | what |
//! |---|---|
//! | `design` | from columns to a matrix: intercept, powers, categories as indicators |
//! | `qr` | Householder's triangularisation with column pivoting |
//! | `linear` | least squares |
//! | `likelihood` | logistic and softmax regression by Newton's method |
//! | `descend` | the same by gradient descent |
//! | `picture` | the fitted line, the decision boundary |
//! | `fitted` | what was found, with all that is told of it |
//! | `report` | all of it as one HTML page |

mod descend;
mod design;
mod fitted;
mod likelihood;
mod linear;
mod picture;
mod qr;
mod report;

pub use descend::{Descended, Descent};
pub use design::{Design, DesignError, Terms};
pub use fitted::{Coefficients, Fitted, RegressionReport};
pub use likelihood::{Classifier, classify};
pub use linear::{Linear, least_squares};
pub use qr::Matrix;

/// Why a regression has no answer.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RegressionError {
    /// Some columns follow from others.
    #[error(
        "the columns are not independent: {} of {terms} can be told apart; {} can be had from the others",
        rank, dependent.join(", ")
    )]
    Rank {
        /// How many are independent.
        rank: usize,
        /// How many there are.
        terms: usize,
        /// Some that follow from the others.
        dependent: Vec<String>,
    },
    /// Less rows than coefficients.
    #[error("{rows} rows do not determine {terms} coefficients")]
    FewRows {
        /// Rows.
        rows: usize,
        /// Coefficients.
        terms: usize,
    },
    /// The classes can be told apart without a mistake, so that ever larger coefficients are ever more likely.
    #[error(
        "the classes can be separated without a mistake, so that the most likely coefficients are infinite"
    )]
    Separable,
    /// Newton's method found no end.
    #[error("no convergence after {steps} steps of Newton's method")]
    NoConvergence {
        /// Steps taken.
        steps: usize,
    },
}

//! Linear regression by least squares.
//!
//! ```text
//! minimise J = 1/2m ||X b - y||^2          by QR, never by X^T X, whose condition is the square of X's
//! s^2 = ||X b - y||^2 / (m - n)            variance of the residuals
//! standard error of b_j = s sqrt(((X^T X)^-1)_jj)
//! R^2 = 1 - ||X b - y||^2 / ||y - mean y||^2       without an intercept: / ||y||^2
//! ridge: lambda/2m ||b||^2 more in J, not for the intercept, as further rows sqrt(lambda) e_j with y = 0
//! ```
//!
//! The solution is refined once: the residual, with products and sums in doubled precision, is solved for and added.
//!
//! Sources: Golub and Van Loan, Matrix computations, section 5.3; Dekker 1971 for doubled precision.

use super::qr::{Matrix, Qr};
use super::{Design, RegressionError};

/// What linear regression found.
#[derive(Clone, Debug, PartialEq)]
pub struct Linear {
    /// One coefficient a column of the design.
    pub coefficients: Vec<f64>,
    /// Their standard errors; none with a penalty, or if nothing is left over to judge by.
    pub standard_errors: Option<Vec<f64>>,
    /// The standard deviation of the residuals; none likewise.
    pub residual_sd: Option<f64>,
    /// The share of the variance explained.
    pub r_squared: f64,
    /// J, with the penalty.
    pub cost: f64,
}

/// a + b as a sum and its error.
fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let part = sum - a;
    (sum, (a - (sum - part)) + (b - part))
}

/// y - X b, accumulated in doubled precision.
fn residual(x: &Matrix, y: &[f64], b: &[f64]) -> Vec<f64> {
    let row = |at: usize| {
        let (mut sum, mut error) = (y[at], 0.0);
        for (column, &b) in x.columns.iter().zip(b) {
            let product = -column[at] * b;
            let (next, lost) = two_sum(sum, product);
            sum = next;
            error += lost + (-column[at]).mul_add(b, -product);
        }
        sum + error
    };
    (0..x.rows).map(row).collect()
}

/// Solves least squares, with a penalty of `lambda` (0 for none) on all coefficients but the intercept.
///
/// # Errors
/// Columns that are not independent, or fewer rows than columns (both only without a penalty).
pub fn least_squares(design: &Design, y: &[f64], lambda: f64) -> Result<Linear, RegressionError> {
    let mut x = design.matrix.clone();
    let mut right = y.to_vec();
    let (rows, terms) = (x.rows, x.columns.len());
    if lambda > 0.0 {
        for at in (0..terms).filter(|&at| !design.is_intercept(at)) {
            let row = |column: usize| if column == at { lambda.sqrt() } else { 0.0 };
            x.columns.iter_mut().enumerate().for_each(|(column, cells)| cells.push(row(column)));
            x.rows += 1;
            right.push(0.0);
        }
    } else if rows < terms {
        return Err(RegressionError::FewRows { rows, terms });
    }
    let qr = Qr::new(&x);
    if qr.rank < terms {
        let dependent = qr.dependent().iter().map(|&at| design.names[at].clone()).collect();
        return Err(RegressionError::Rank { rank: qr.rank, terms, dependent });
    }
    let mut coefficients = qr.solve(&right);
    let correction = qr.solve(&residual(&x, &right, &coefficients));
    coefficients.iter_mut().zip(&correction).for_each(|(b, more)| *b += more);

    let squares = |r: &[f64]| -> f64 { r.iter().map(|r| r * r).sum() };
    let left = squares(&residual(&design.matrix, y, &coefficients));
    let all = squares(&residual(&x, &right, &coefficients));
    let mean = if design.has_intercept() { y.iter().sum::<f64>() / rows as f64 } else { 0.0 };
    let total: f64 = y.iter().map(|y| (y - mean).powi(2)).sum();
    let free = rows.saturating_sub(terms);
    let judged = lambda == 0.0 && free > 0;
    let residual_sd = judged.then(|| (left / free as f64).sqrt());
    let standard_errors =
        residual_sd.map(|s| qr.inverse_diagonal().into_iter().map(|square| s * square.sqrt()).collect());
    let r_squared = if total > 0.0 { 1.0 - left / total } else { 1.0 };
    Ok(Linear { coefficients, standard_errors, residual_sd, r_squared, cost: all / (2.0 * rows as f64) })
}

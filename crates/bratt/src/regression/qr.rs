//! Householder's triangularisation with column pivoting, A P = Q R, in f64.
//!
//! ```text
//! for k = 0, 1, ...:   exchange column k with the longest of those from k on (in the rows from k on)
//!     x = A[k.., k],   v = x + sign(x_0) ||x|| e_0,   A[k.., k..] -= 2 v (v^T A[k.., k..]) / (v^T v)
//! ```
//!
//! Columns are first divided by their lengths, so that units of measurement do not decide what counts as dependent. A
//! diagonal element of R below `max(m, n) eps |R_00|` ends it: what is left follows from the columns before. Q is never
//! made; a right side is transformed along.
//!
//! Sources: Businger and Golub 1965; Golub and Van Loan, Matrix computations, sections 5.2 and 5.4.

/// A matrix by columns.
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix {
    /// How many rows it has.
    pub rows: usize,
    /// The columns.
    pub columns: Vec<Vec<f64>>,
}

impl Matrix {
    /// `self x`.
    pub fn times(&self, x: &[f64]) -> Vec<f64> {
        let mut out = vec![0.0; self.rows];
        for (column, &factor) in self.columns.iter().zip(x) {
            out.iter_mut().zip(column).for_each(|(sum, &a)| *sum = a.mul_add(factor, *sum));
        }
        out
    }
}

/// A triangularised matrix.
pub(super) struct Qr {
    /// R above and on the diagonal; below it and in `heads` the vectors v.
    columns: Vec<Vec<f64>>,
    heads: Vec<f64>,
    diagonal: Vec<f64>,
    lengths: Vec<f64>,
    order: Vec<usize>,
    rows: usize,
    pub rank: usize,
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn length(x: &[f64]) -> f64 {
    let most = x.iter().fold(0.0f64, |most, x| most.max(x.abs()));
    if most == 0.0 || !most.is_finite() {
        return most;
    }
    most * x.iter().map(|x| (x / most).powi(2)).sum::<f64>().sqrt()
}

/// Reflects `to` at the plane to which v = (head, tail) is normal.
fn reflect(head: f64, tail: &[f64], to: &mut [f64]) {
    let square = head * head + dot(tail, tail);
    if square == 0.0 {
        return;
    }
    let factor = 2.0 * (head * to[0] + dot(tail, &to[1..])) / square;
    to[0] -= factor * head;
    to[1..].iter_mut().zip(tail).for_each(|(to, v)| *to -= factor * v);
}

impl Qr {
    pub fn new(matrix: &Matrix) -> Qr {
        let rows = matrix.rows;
        let lengths: Vec<f64> = matrix.columns.iter().map(|column| length(column)).collect();
        let scaled = |(column, &length): (&Vec<f64>, &f64)| -> Vec<f64> {
            column.iter().map(|x| if length > 0.0 { x / length } else { *x }).collect()
        };
        let mut columns: Vec<Vec<f64>> = matrix.columns.iter().zip(&lengths).map(scaled).collect();
        let count = columns.len();
        let mut order: Vec<usize> = (0..count).collect();
        let (mut heads, mut diagonal) = (Vec::new(), Vec::new());
        let least = rows.max(count) as f64 * f64::EPSILON;
        for k in 0..count.min(rows) {
            let rest = |column: &Vec<f64>| length(&column[k..]);
            // Of equally long columns the first, so that nothing is exchanged without need.
            let longest = (k..count).fold(k, |best, at| {
                if rest(&columns[at]) > rest(&columns[best]) * (1.0 + 1e-12) { at } else { best }
            });
            columns.swap(k, longest);
            order.swap(k, longest);
            let size = rest(&columns[k]);
            if size <= least * diagonal.first().map_or(0.0, |first: &f64| first.abs()) || size == 0.0 {
                break;
            }
            let (done, others) = columns.split_at_mut(k + 1);
            let column = &mut done[k];
            let first = column[k];
            let r = if first > 0.0 { -size } else { size };
            let (head, tail) = (first - r, &column[k + 1..]);
            others.iter_mut().for_each(|other| reflect(head, tail, &mut other[k..]));
            heads.push(head);
            diagonal.push(r);
        }
        let rank = diagonal.len();
        Qr { columns, heads, diagonal, lengths, order, rows, rank }
    }

    /// The columns that could not be told from the others, by their places in the matrix.
    pub fn dependent(&self) -> &[usize] {
        &self.order[self.rank..]
    }

    /// The solution of least squares for a right side; of full rank only.
    pub fn solve(&self, right: &[f64]) -> Vec<f64> {
        let mut y = right.to_vec();
        for k in 0..self.rank {
            reflect(self.heads[k], &self.columns[k][k + 1..self.rows], &mut y[k..]);
        }
        let mut x = vec![0.0; self.columns.len()];
        for k in (0..self.rank).rev() {
            let known: f64 = (k + 1..self.rank).map(|j| self.columns[j][k] * x[self.order[j]]).sum();
            x[self.order[k]] = (y[k] - known) / self.diagonal[k];
        }
        self.unscaled(x)
    }

    fn unscaled(&self, mut x: Vec<f64>) -> Vec<f64> {
        x.iter_mut()
            .zip(&self.lengths)
            .filter(|(_, length)| **length > 0.0)
            .for_each(|(x, length)| *x /= length);
        x
    }

    /// The diagonal of (A^T A)^-1 = P R^-1 R^-T P^T; of full rank only.
    pub fn inverse_diagonal(&self) -> Vec<f64> {
        let n = self.rank;
        let mut squares = vec![0.0; n];
        // Column by column of R^-1, whose rows' squares add up.
        for column in 0..n {
            let mut x = vec![0.0; n];
            x[column] = 1.0 / self.diagonal[column];
            for k in (0..column).rev() {
                let known: f64 = (k + 1..=column).map(|j| self.columns[j][k] * x[j]).sum();
                x[k] = -known / self.diagonal[k];
            }
            squares.iter_mut().zip(&x).for_each(|(sum, x)| *sum += x * x);
        }
        let mut out = vec![0.0; n];
        for (k, square) in squares.into_iter().enumerate() {
            let at = self.order[k];
            out[at] = square / self.lengths[at].powi(2);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Stream};

    fn random(rows: usize, columns: usize) -> Matrix {
        let mut stream = Stream::new(3, Purpose::Noise, (rows * 100 + columns) as u64);
        let mut column = |_| (0..rows).map(|_| stream.normal()).collect();
        Matrix { rows, columns: (0..columns).map(&mut column).collect() }
    }

    #[test]
    fn what_was_multiplied_is_found_again() {
        for (rows, columns) in [(1, 1), (3, 2), (7, 7), (40, 9)] {
            let a = random(rows, columns);
            let x: Vec<f64> = (0..columns).map(|at| at as f64 - 2.5).collect();
            let qr = Qr::new(&a);
            assert_eq!(qr.rank, columns);
            let found = qr.solve(&a.times(&x));
            assert!(found.iter().zip(&x).all(|(a, b)| (a - b).abs() < 1e-10), "{found:?}");
        }
    }

    #[test]
    fn the_residual_is_orthogonal_to_every_column_and_the_inverse_is_one() {
        let a = random(20, 4);
        let y: Vec<f64> = random(20, 1).columns.remove(0);
        let qr = Qr::new(&a);
        let fitted = a.times(&qr.solve(&y));
        let residual: Vec<f64> = y.iter().zip(&fitted).map(|(y, f)| y - f).collect();
        for column in &a.columns {
            assert!(dot(column, &residual).abs() < 1e-12);
        }
        // (A^T A)^-1 of an orthogonal A with columns of length 2 is 1/4.
        let mut plain = Matrix { rows: 5, columns: vec![vec![0.0; 5]; 3] };
        (0..3).for_each(|at| plain.columns[at][at] = 2.0);
        assert!(Qr::new(&plain).inverse_diagonal().iter().all(|x| (x - 0.25).abs() < 1e-15));
    }

    #[test]
    fn dependent_columns_are_found_whatever_their_units() {
        let mut a = random(30, 4);
        let sum = (0..30).map(|row| a.columns[0][row] * 1e9 + a.columns[2][row] * 1e-3).collect();
        a.columns.push(sum);
        let qr = Qr::new(&a);
        assert_eq!((qr.rank, qr.dependent().len()), (4, 1));
        a.columns[4] = vec![0.0; 30];
        assert_eq!(Qr::new(&a).dependent(), [4]);
    }
}

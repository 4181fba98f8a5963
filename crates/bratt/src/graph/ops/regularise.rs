//! Dropout and maxout.
//!
//! - dropout, inverted: training `y = x mask / keep`, predicting `y = x`;
//! - dropout, naive: training `y = x mask`, predicting `y = keep x`;
//!   mask is 1 with probability `keep`, else 0 (`u < keep` for u uniform in [0, 1)). The gradient passes where the
//!   mask is 1, with the same factor.
//! - maxout with k pieces: `[m, units k]` to `[m, units]`, the largest of each k neighbouring columns
//!   (Goodfellow et al. 2013). The gradient goes to the largest.
//!
//! Sources: Srivastava et al. 2014; lecture on dropout.

use crate::graph::{GraphBuilder, Value};

impl GraphBuilder {
    /// Zeroes elements with probability `1 - keep` and leaves the others as they are (naive dropout, training).
    #[track_caller]
    pub fn dropout_naive(&self, x: Value, keep: f64) -> Value {
        self.dropped(x, keep, 1.0)
    }

    /// Zeroes elements with probability `1 - keep` and divides the others by `keep` (inverted dropout, training).
    #[track_caller]
    pub fn dropout_inverted(&self, x: Value, keep: f64) -> Value {
        self.dropped(x, keep, 1.0 / keep)
    }

    #[track_caller]
    fn dropped(&self, x: Value, keep: f64, factor: f64) -> Value {
        if !(keep > 0.0 && keep <= 1.0) {
            return self
                .fail("dropout", format!("found keep {keep}, expected a probability above 0 and up to 1"));
        }
        let mask = self.lt(self.uniform(self.shape(x), self.next_stream()), self.constant(keep));
        self.mul(x, self.mul(mask, self.constant(factor)))
    }

    /// The largest of each `pieces` neighbouring columns: `[m, units * pieces]` to `[m, units]`.
    #[track_caller]
    pub fn maxout(&self, x: Value, pieces: usize) -> Value {
        let shape = self.shape(x);
        let columns = shape.last().copied().unwrap_or(1);
        if shape.rank() == 0 || pieces == 0 || !columns.is_multiple_of(pieces) {
            return self.fail(
                "maxout",
                format!("found shape {shape}, expected a last extent divisible by {pieces}"),
            );
        }
        let mut split = shape.to_vec();
        split.pop();
        split.extend([columns / pieces, pieces]);
        let last = split.len() - 1;
        self.reduce_max(self.reshape(x, split), &[last])
    }
}

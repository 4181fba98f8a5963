//! A long series of numbers in little memory: when there are many points, neighbours become their mean.

/// More points than this are halved.
const MOST: usize = 4096;

/// Points (x, y) with rising x.
#[derive(Clone, PartialEq, Debug)]
pub struct Curve {
    points: Vec<(f64, f64)>,
    /// Numbers that make a point.
    each: usize,
    /// Of the next point: how many so far, and their sums.
    waiting: (usize, f64, f64),
}

impl Default for Curve {
    fn default() -> Curve {
        Curve { points: Vec::new(), each: 1, waiting: (0, 0.0, 0.0) }
    }
}

impl Curve {
    /// Adds a number; what is not finite is left out.
    pub fn push(&mut self, x: f64, y: f64) {
        if !y.is_finite() {
            return;
        }
        let (count, xs, ys) = self.waiting;
        self.waiting = (count + 1, xs + x, ys + y);
        if self.waiting.0 < self.each {
            return;
        }
        let (count, xs, ys) = std::mem::take(&mut self.waiting);
        self.points.push((xs / count as f64, ys / count as f64));
        if self.points.len() == MOST {
            let halved = self.points.chunks(2).map(|pair| {
                let (a, b) = (pair[0], pair[pair.len() - 1]);
                ((a.0 + b.0) / 2.0, (a.1 + b.1) / 2.0)
            });
            self.points = halved.collect();
            self.each *= 2;
        }
    }

    /// The points so far.
    pub fn points(&self) -> &[(f64, f64)] {
        &self.points
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_million_numbers_stay_a_few_thousand_points_with_the_same_shape() {
        let mut curve = Curve::default();
        for i in 0..1_000_000 {
            curve.push(f64::from(i), 3.0 * f64::from(i));
        }
        assert!((MOST / 2..MOST).contains(&curve.points().len()), "{}", curve.points().len());
        for pair in curve.points().windows(2) {
            assert!(pair[0].0 < pair[1].0);
            assert!((pair[0].1 - 3.0 * pair[0].0).abs() < 1e-6);
        }
        assert!(curve.points().last().unwrap().0 > 999_000.0);
    }

    #[test]
    fn what_is_not_finite_is_left_out() {
        let mut curve = Curve::default();
        for y in [1.0, f64::NAN, f64::INFINITY, 2.0] {
            curve.push(0.0, y);
        }
        assert_eq!(curve.points(), [(0.0, 1.0), (0.0, 2.0)]);
    }
}

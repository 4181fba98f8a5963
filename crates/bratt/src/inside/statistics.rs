//! Many numbers in a few.

/// What is told of many numbers.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Statistics {
    /// How many there are.
    pub count: usize,
    /// The least of the finite ones; NaN if there are none.
    pub min: f64,
    /// Their mean.
    pub mean: f64,
    /// The greatest.
    pub max: f64,
    /// Their standard deviation, over all of them.
    pub std: f64,
    /// How many are exactly 0.
    pub zeros: usize,
    /// How many are not finite.
    pub broken: usize,
}

impl Statistics {
    /// ```
    /// use bratt::inside::Statistics;
    /// let found = Statistics::of(&[1.0, 3.0, 0.0, f32::NAN, 4.0]);
    /// assert_eq!((found.min, found.mean, found.max, found.zeros, found.broken), (0.0, 2.0, 4.0, 1, 1));
    /// ```
    pub fn of(values: &[f32]) -> Statistics {
        let finite = || values.iter().filter(|x| x.is_finite()).map(|&x| f64::from(x));
        let kept = finite().count();
        let mean = finite().sum::<f64>() / kept as f64;
        let variance = finite().map(|x| (x - mean).powi(2)).sum::<f64>() / kept as f64;
        Statistics {
            count: values.len(),
            min: finite().fold(f64::NAN, f64::min),
            mean,
            max: finite().fold(f64::NAN, f64::max),
            std: variance.sqrt(),
            zeros: values.iter().filter(|&&x| x == 0.0).count(),
            broken: values.len() - kept,
        }
    }
}

//! Each example judged by a model that has not seen it.
//!
//! The data are divided into K folds, stratified, equal images together. For each fold a model is trained on the others, of
//! which a share is its validation part, and says what it makes of the fold. What the K models say, put together, covers
//! every example once: these out-of-fold probabilities show wrong labels, which a model that was trained on them
//! has learned.
//!
//! Source: Stone 1974 for cross-validation; Northcutt et al. 2021 for its use on labels.

use super::{Fit, Predictions, Splits, TrainError};
use crate::data::{Dataset, Fractions, Split};

/// Trains a model for each of `folds` folds of a data set and puts together what each says of the fold that it has not
/// seen. `train` is given the number of the fold, from 0, and the data: of the other folds a share `val` is the validation
/// part, and the fold is the test part.
///
/// ```
/// use bratt::metrics::label_errors;
/// use bratt::prelude::*;
/// use bratt::train::out_of_fold;
/// let said = out_of_fold(bratt::data::digits(), 2, 0.1, 7, |_, data| {
///     Trainer::new(Sequential::new(Input::image(8, 8, 1)).dense(10)).epochs(2).seed(7).fit(data)
/// })?;
/// assert_eq!(said.len(), 1797);
/// let suspects = label_errors(&said.sample()?).ranking;
/// println!("the most suspicious label is that of example {}", said.examples()[suspects[0].example]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Fewer than two folds, or more than examples; a `val` outside of 0 to 1; what `train` says.
pub fn out_of_fold<E: From<TrainError>>(
    data: Dataset,
    folds: usize,
    val: f64,
    seed: u64,
    mut train: impl FnMut(usize, &Splits) -> Result<Fit, E>,
) -> Result<Predictions, E> {
    if folds < 2 || folds > data.len() {
        let expected = "at least 2, and no more than examples";
        return Err(TrainError::Setting { key: "folds", found: folds.to_string(), expected }.into());
    }
    let parts = data.folds(folds, seed);
    let mut data = Splits::from_parts(data, Split::default(), None).map_err(TrainError::from)?;
    let mut said = Vec::with_capacity(folds);
    for (number, fold) in parts.iter().enumerate() {
        // What is split off beside the fold is for validation, so the two change places.
        let fractions = Fractions { train: 1.0 - val, val: 0.0, test: val };
        let split = data.data().split_around(fold, fractions, seed).map_err(TrainError::from)?;
        let (val, test) = (split.test, split.val);
        let split = Split { train: split.train, val, test, small_classes: Vec::new() };
        data = data.divided(split).map_err(TrainError::from)?;
        let fit = train(number, &data)?;
        said.push(fit.predictions(data.test())?);
    }
    let nothing = TrainError::Setting { key: "folds", found: "none".into(), expected: "at least 2" };
    Predictions::together(said).ok_or(nothing.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::digits;
    use crate::data::{Features, Targets};
    use crate::metrics::label_errors;
    use crate::nn::{Input, Sequential};
    use crate::random::{Purpose, Stream};
    use crate::train::Trainer;

    /// The digits with every 20th label moved to another class, and which those are.
    fn flipped() -> (Dataset, Vec<usize>) {
        let data = digits();
        let mut labels = data.labels().to_vec();
        let mut order: Vec<usize> = (0..labels.len()).collect();
        let mut stream = Stream::new(1, Purpose::Noise, 0);
        stream.shuffle(&mut order);
        let flips: Vec<usize> = order[..labels.len() / 20].to_vec();
        for &at in &flips {
            labels[at] = (labels[at] + 1 + stream.below(9)) % 10;
        }
        let Features::Pixels { bytes, scale } = data.features().clone() else { unreachable!() };
        let targets = Targets::Classes { labels, names: data.classes().to_vec() };
        let features = Features::Pixels { bytes, scale };
        (Dataset::new("flipped", data.shape().to_vec(), features, targets).unwrap(), flips)
    }

    #[test]
    fn flipped_labels_rank_first() {
        let (data, flips) = flipped();
        let mut sizes = Vec::new();
        let said = out_of_fold(data.clone(), 3, 0.1, 7, |fold, data| {
            assert!(data.val().len() > 100 && data.train().len() > 1000);
            sizes.push((fold, data.test().len()));
            let network = Sequential::new(Input::image(8, 8, 1)).dense(32).relu().dense(10);
            Trainer::new(network).learning_rate(0.01).epochs(10).seed(7).fit(data)
        })
        .unwrap();
        assert_eq!(sizes.len(), 3);
        assert!(said.examples().iter().copied().eq(0..1797));
        assert_eq!(said.labels(), data.labels());
        let found = label_errors(&said.sample().unwrap());
        let first = &found.ranking[..flips.len()];
        let hits = first.iter().filter(|suspect| flips.contains(&suspect.example)).count();
        assert!(hits * 10 >= flips.len() * 8, "{hits} of {}", flips.len());
    }

    fn never() -> TrainError {
        unreachable!("nothing is trained")
    }

    #[test]
    fn folds_that_cannot_be_are_refused() {
        for folds in [0, 1, 1798] {
            let error = out_of_fold(digits(), folds, 0.1, 7, |_, _| Err(never())).unwrap_err();
            assert!(error.to_string().contains("folds: found"), "{error}");
        }
    }
}

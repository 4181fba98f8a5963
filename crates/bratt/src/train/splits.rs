//! Data with its three parts.

use crate::data::{DataError, Dataset, Fractions, Source, Split};
use crate::model::Sizes;
use std::borrow::Cow;

/// A data set divided into training, validation and test part; the test part may be a data set of its own.
///
/// ```
/// use bratt::data::{Fractions, digits};
/// use bratt::train::Splits;
/// let data = Splits::new(digits(), Fractions::default(), 7)?;
/// assert_eq!(data.train().len() + data.val().len() + data.test().len(), 1797);
/// # Ok::<(), bratt::data::DataError>(())
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct Splits {
    data: Dataset,
    split: Split,
    given_test: Option<Dataset>,
}

/// Some examples of a data set.
#[derive(Clone, PartialEq, Debug)]
pub struct Part<'a> {
    data: &'a Dataset,
    indices: Cow<'a, [u32]>,
}

impl Splits {
    /// Divides a data set: stratified by class, drawn from `seed`.
    ///
    /// # Errors
    /// [`DataError::Fractions`] where the fractions are no split.
    pub fn new(data: Dataset, fractions: Fractions, seed: u64) -> Result<Splits, DataError> {
        let split = data.split(fractions, seed)?;
        Ok(Splits { data, split, given_test: None })
    }

    /// Divides what was opened; parts that came with it stay as they are, and `fractions` should leave nothing for them, as
    /// [`Source::fractions`].
    ///
    /// # Errors
    /// [`DataError::Fractions`] where the fractions are no split.
    pub fn of(source: Source, fractions: Fractions, seed: u64) -> Result<Splits, DataError> {
        let split = source.train.split_around(&source.val, fractions, seed)?;
        Ok(Splits { data: source.train, split, given_test: source.test })
    }

    /// A data set with parts that were chosen elsewhere.
    ///
    /// # Errors
    /// [`DataError::Inconsistent`] where an index is beyond the data set.
    pub fn from_parts(data: Dataset, split: Split, test: Option<Dataset>) -> Result<Splits, DataError> {
        let all = split.train.iter().chain(&split.val).chain(&split.test);
        if let Some(&index) = all.max().filter(|&&index| index as usize >= data.len()) {
            let what = format!("the split names example {index} of {}", data.len());
            return Err(DataError::Inconsistent { name: data.name().into(), what });
        }
        Ok(Splits { data, split, given_test: test })
    }

    /// The same data, divided otherwise.
    ///
    /// # Errors
    /// As [`Splits::from_parts`].
    pub fn divided(self, split: Split) -> Result<Splits, DataError> {
        Splits::from_parts(self.data, split, self.given_test)
    }

    /// The data set that holds the training and validation parts.
    pub fn data(&self) -> &Dataset {
        &self.data
    }

    /// Which examples are in which part of [`Splits::data`].
    pub fn split(&self) -> &Split {
        &self.split
    }

    /// Whether the test part is a data set of its own.
    pub fn test_is_given(&self) -> bool {
        self.given_test.is_some()
    }

    /// Names of the classes; none for regression.
    pub fn classes(&self) -> &[String] {
        self.data.classes()
    }

    /// For learning.
    pub fn train(&self) -> Part<'_> {
        Part { data: &self.data, indices: Cow::Borrowed(&self.split.train) }
    }

    /// For choosing.
    pub fn val(&self) -> Part<'_> {
        Part { data: &self.data, indices: Cow::Borrowed(&self.split.val) }
    }

    /// For the final judgement only.
    pub fn test(&self) -> Part<'_> {
        match &self.given_test {
            Some(test) => Part::whole(test),
            None => Part { data: &self.data, indices: Cow::Borrowed(&self.split.test) },
        }
    }

    /// The sizes of the three parts.
    pub fn sizes(&self) -> Sizes {
        Sizes { train: self.train().len(), val: self.val().len(), test: self.test().len() }
    }
}

impl<'a> Part<'a> {
    /// All examples of a data set.
    pub fn whole(data: &'a Dataset) -> Part<'a> {
        // A data set is never larger than 32-bit indices reach.
        Part { data, indices: (0..data.len() as u32).collect() }
    }

    /// The data set.
    pub fn data(&self) -> &'a Dataset {
        self.data
    }

    /// The examples, as indices into the data set.
    pub fn indices(&self) -> &[u32] {
        &self.indices
    }

    /// Number of examples.
    pub fn len(&self) -> usize {
        self.indices.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.indices.is_empty()
    }
}

//! What was read from a path, and why it was read so.

use super::collection::{Found, Portion};
use super::{Dataset, Fractions};

/// The data that a path holds.
#[derive(Clone, Debug)]
pub struct Source {
    /// The examples for training and validation; where no test data are given, a test part is to be split from them.
    pub train: Dataset,
    /// The examples of `train` that came as validation data, ascending; where there are none, a validation part is to be
    /// split.
    pub val: Vec<u32>,
    /// Test data that came as such.
    pub test: Option<Dataset>,
    pub(super) reason: String,
    pub(super) found: Option<Found>,
}

impl Source {
    /// What was recognised and why, in one line for people.
    pub fn describe(&self) -> &str {
        &self.reason
    }

    /// Whether the examples are image files of their own.
    pub fn has_image_files(&self) -> bool {
        self.found.is_some()
    }

    /// The files of the examples of `train` and of `test`, in their order, told from the folder that was opened; none where
    /// examples are no files of their own.
    pub fn files(&self) -> Option<[Vec<String>; 2]> {
        let Found { collection, looks } = self.found.as_ref()?;
        let mut files = [Vec::new(), Vec::new()];
        // What could not be read is no example.
        for (item, _) in collection.images.iter().zip(looks).filter(|(_, look)| look.is_ok()) {
            let path = item.place.path();
            let below = path.strip_prefix(&collection.root).unwrap_or(&path);
            files[usize::from(item.portion == Portion::Test)].push(below.display().to_string());
        }
        Some(files)
    }

    /// The training data (with validation data, if they were given), and the test data.
    pub(super) fn train_and_test(&self) -> Vec<(Portion, &Dataset)> {
        let test = self.test.as_ref().map(|test| (Portion::Test, test));
        [(Portion::Train, &self.train)].into_iter().chain(test).collect()
    }

    /// Fractions for the parts that were not given: a tenth of the data each.
    pub fn fractions(&self) -> Fractions {
        let val = if self.val.is_empty() { 0.1 } else { 0.0 };
        let test = if self.test.is_none() { 0.1 } else { 0.0 };
        Fractions { train: 1.0 - val - test, val, test }
    }
}

//! Labelled examples, and the one hot path of this floor: gathering a batch.
//!
//! Images stay as bytes, one per value, and become `f32` only in the batch: `x = byte * scale`. With the usual `scale`
//! of 1/255 pixels lie in `[0, 1]`. Tables hold finite `f32`.

use std::fmt::Write as _;

use xxhash_rust::xxh3::{Xxh3Default, xxh3_128};

use super::pixels::Pixels;
use super::resize::Fit;
use super::split::{self, Fractions, Split};
use super::{DataError, folds};

/// The inputs of all examples, one after the other.
#[derive(Clone, Debug, PartialEq)]
pub enum Features {
    /// Images, `[n, height, width, channels]`, each value `byte * scale`.
    Pixels {
        /// The values, row by row, channels last.
        bytes: Pixels,
        /// What one step of a byte is worth.
        scale: f32,
    },
    /// A table, `[n, d]`.
    Table {
        /// The values, row by row.
        values: Vec<f32>,
        /// Names of the `d` columns.
        columns: Vec<String>,
    },
}

/// What is to be predicted for each example.
#[derive(Clone, Debug, PartialEq)]
pub enum Targets {
    /// Classes, for classification.
    Classes {
        /// One class a example, an index into `names`.
        labels: Vec<u32>,
        /// Names of the classes.
        names: Vec<String>,
    },
    /// Numbers, for regression.
    Values {
        /// One number an example.
        values: Vec<f32>,
        /// What the numbers are.
        name: String,
    },
}

impl Targets {
    fn len(&self) -> usize {
        match self {
            Self::Classes { labels, .. } => labels.len(),
            Self::Values { values, .. } => values.len(),
        }
    }
}

/// Labelled examples. Always consistent: every feature finite, every label a class.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    name: String,
    shape: Vec<usize>,
    features: Features,
    targets: Targets,
    fit: Fit,
}

/// The `scale` of images whose bytes run from 0 to 255: values lie in `[0, 1]`.
pub const BYTE_SCALE: f32 = 1.0 / 255.0;

impl Dataset {
    /// Puts a data set together. `shape` is that of one example: `[height, width, channels]` or `[d]`.
    ///
    /// ```
    /// use bratt::data::{Dataset, Features, Targets};
    /// let data = Dataset::new(
    ///     "xor",
    ///     vec![2],
    ///     Features::Table { values: vec![0., 0., 0., 1., 1., 0., 1., 1.], columns: vec!["a".into(), "b".into()] },
    ///     Targets::Classes { labels: vec![0, 1, 1, 0], names: vec!["no".into(), "yes".into()] },
    /// )?;
    /// let (mut x, mut y) = ([0.0; 4], [0.0; 2]);
    /// data.gather_into(&[3, 1], &mut x, &mut y);
    /// assert_eq!((x, y), ([1., 1., 0., 1.], [0., 1.]));
    /// # Ok::<(), bratt::data::DataError>(())
    /// ```
    ///
    /// # Errors
    /// [`DataError::Inconsistent`] where sizes do not agree, a label is no class or a number is not finite.
    pub fn new(
        name: impl Into<String>,
        shape: Vec<usize>,
        features: Features,
        targets: Targets,
    ) -> Result<Self, DataError> {
        let name = name.into();
        let fault = |what: String| Err(DataError::Inconsistent { name: name.clone(), what });
        let n = targets.len();
        if n == 0 {
            return fault("it has no examples".into());
        }
        if u32::try_from(n).is_err() {
            return fault(format!("{n} examples are more than a 32-bit index can reach"));
        }
        let Some(width) = shape.iter().try_fold(1usize, |a, &b| a.checked_mul(b)).filter(|&width| width > 0)
        else {
            return fault(format!("an example of shape {shape:?} has no values"));
        };
        let found = match &features {
            Features::Pixels { bytes, scale } => {
                if shape.len() != 3 || !scale.is_finite() {
                    return fault(format!("images have a shape of [h, w, c], not {shape:?}; scale {scale}"));
                }
                bytes.len()
            }
            Features::Table { values, columns } => {
                if shape.len() != 1 || columns.len() != width {
                    return fault(format!("{} column names for a table of shape {shape:?}", columns.len()));
                }
                if let Some(at) = values.iter().position(|value| !value.is_finite()) {
                    let (row, column) = (at / width, &columns[at % width]);
                    return fault(format!("example {row}, column {column}: {} is not finite", values[at]));
                }
                values.len()
            }
        };
        if n.checked_mul(width) != Some(found) {
            return fault(format!("{found} values do not make {n} examples of shape {shape:?}"));
        }
        match &targets {
            Targets::Classes { labels, names } => {
                if let Some(at) = labels.iter().position(|&label| label as usize >= names.len()) {
                    return fault(format!("example {at}: label {} of {} classes", labels[at], names.len()));
                }
            }
            Targets::Values { values, .. } => {
                if let Some(at) = values.iter().position(|value| !value.is_finite()) {
                    return fault(format!("example {at}: target {} is not finite", values[at]));
                }
            }
        }
        Ok(Self { name, shape, features, targets, fit: Fit::Squish })
    }

    /// Says how the images were brought to their size; a model trained on them reads image files the same way.
    /// Without it that is [`Fit::Squish`].
    pub fn with_fit(self, fit: Fit) -> Self {
        Self { fit, ..self }
    }

    /// How the images were brought to their size.
    pub fn fit(&self) -> Fit {
        self.fit
    }

    /// What the data set is called, for people.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Number of examples, at least 1.
    #[expect(clippy::len_without_is_empty, reason = "a data set has at least one example")]
    pub fn len(&self) -> usize {
        self.targets.len()
    }

    /// Shape of one example: `[height, width, channels]` or `[d]`.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Number of values of one example: the product of [`shape`](Self::shape).
    pub fn feature_len(&self) -> usize {
        self.shape.iter().product()
    }

    /// The inputs as they are stored.
    pub fn features(&self) -> &Features {
        &self.features
    }

    /// What is to be predicted.
    pub fn targets(&self) -> &Targets {
        &self.targets
    }

    /// Names of the classes; none for regression.
    pub fn classes(&self) -> &[String] {
        match &self.targets {
            Targets::Classes { names, .. } => names,
            Targets::Values { .. } => &[],
        }
    }

    /// The class of each example; none for regression.
    pub fn labels(&self) -> &[u32] {
        match &self.targets {
            Targets::Classes { labels, .. } => labels,
            Targets::Values { .. } => &[],
        }
    }

    /// Number of examples of each class; none for regression.
    pub fn class_counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.classes().len()];
        for &label in self.labels() {
            counts[label as usize] += 1;
        }
        counts
    }

    /// Writes the examples at `indices` as `f32`: `features` is `[indices.len(), feature_len]`, row by row, `labels` is
    /// `[indices.len()]` (class index or target). Allocates nothing; longer slices keep their tails, so that the last,
    /// partial batch fits the same buffers.
    ///
    /// # Panics
    /// If an index is not below [`len`](Self::len) or a slice is too short.
    pub fn gather_into(&self, indices: &[u32], features: &mut [f32], labels: &mut [f32]) {
        let width = self.feature_len();
        let rows = features[..indices.len() * width].chunks_exact_mut(width).zip(indices);
        match &self.features {
            Features::Pixels { bytes, scale } => {
                for (to, &index) in rows {
                    let from = &bytes[index as usize * width..][..width];
                    for (to, &byte) in to.iter_mut().zip(from) {
                        *to = f32::from(byte) * scale;
                    }
                }
            }
            Features::Table { values, .. } => {
                for (to, &index) in rows {
                    to.copy_from_slice(&values[index as usize * width..][..width]);
                }
            }
        }
        let targets = labels[..indices.len()].iter_mut().zip(indices);
        match &self.targets {
            Targets::Classes { labels, .. } => {
                targets.for_each(|(to, &index)| *to = labels[index as usize] as f32);
            }
            Targets::Values { values, .. } => targets.for_each(|(to, &index)| *to = values[index as usize]),
        }
    }

    /// Divides the examples: stratified by class, or plainly at random for regression. Images with the same pixels stay
    /// together. See [`super::split`].
    ///
    /// # Errors
    /// [`DataError::Fractions`] where the fractions are no split.
    pub fn split(&self, fractions: Fractions, seed: u64) -> Result<Split, DataError> {
        match &self.targets {
            Targets::Classes { labels, names } => {
                split::stratified_together(labels, names.len(), &self.leaders(), fractions, seed)
            }
            Targets::Values { values, .. } => split::random(values.len(), fractions, seed),
        }
    }

    /// Divides the examples besides `val`, which came as the validation part (ascending indices).
    ///
    /// # Errors
    /// As [`split`](Self::split).
    pub fn split_around(&self, val: &[u32], fractions: Fractions, seed: u64) -> Result<Split, DataError> {
        if val.is_empty() {
            return self.split(fractions, seed);
        }
        // A data set is never larger than 32-bit indices reach.
        let rest: Vec<u32> =
            (0..self.len() as u32).filter(|index| val.binary_search(index).is_err()).collect();
        let mut split = match &self.targets {
            Targets::Classes { labels, names } => {
                let leaders = self.leaders();
                let labels: Vec<u32> = rest.iter().map(|&index| labels[index as usize]).collect();
                // The first of the rest among those with the same pixels.
                let mut first = vec![None; self.len()];
                let mut lead =
                    |at: usize| *first[leaders[rest[at] as usize] as usize].get_or_insert(at as u32);
                let leaders: Vec<u32> = (0..rest.len()).map(&mut lead).collect();
                split::stratified_together(&labels, names.len(), &leaders, fractions, seed)?
            }
            Targets::Values { .. } => split::random(rest.len(), fractions, seed)?,
        };
        for part in [&mut split.train, &mut split.val, &mut split.test] {
            part.iter_mut().for_each(|index| *index = rest[*index as usize]);
        }
        split.val.extend(val);
        split.val.sort_unstable();
        Ok(split)
    }

    /// Divides the examples into `folds` parts of nearly equal size, each with its share of every class, each ascending.
    /// Images with the same pixels stay together.
    ///
    /// ```
    /// let folds = bratt::data::digits().folds(3, 7);
    /// assert_eq!(folds.iter().map(Vec::len).collect::<Vec<_>>(), [599, 599, 599]);
    /// ```
    pub fn folds(&self, folds: usize, seed: u64) -> Vec<Vec<u32>> {
        let leaders = self.leaders();
        let of = match &self.targets {
            Targets::Classes { labels, names } => {
                folds::stratified(labels, names.len(), &leaders, folds, seed)
            }
            Targets::Values { values, .. } => {
                folds::stratified(&vec![0; values.len()], 1, &leaders, folds, seed)
            }
        };
        let mut parts = vec![Vec::new(); folds.max(1)];
        (0u32..).zip(of).for_each(|(index, fold)| parts[fold].push(index));
        parts
    }

    /// For each example the first one with the same pixels; itself for tables.
    fn leaders(&self) -> Vec<u32> {
        let mut leaders: Vec<u32> = (0..self.len() as u32).collect();
        if let Features::Pixels { bytes, .. } = &self.features {
            let hashes = bytes.chunks_exact(self.feature_len()).map(xxh3_128);
            let mut order: Vec<(u128, u32)> = hashes.zip(0..).collect();
            order.sort_unstable();
            for group in order.chunk_by(|a, b| a.0 == b.0) {
                group.iter().for_each(|&(_, index)| leaders[index as usize] = group[0].1);
            }
        }
        leaders
    }

    /// 128 bits (32 hexadecimal digits) that change when shape, scale, features, labels, classes or column names
    /// change; the data set's own name does not count. XXH3 (crate `xxhash-rust`), the same on every platform: it finds
    /// mistakes, it does not stand against someone who wants two data sets to look alike.
    pub fn fingerprint(&self) -> String {
        let mut hash = Xxh3Default::new();
        let text = |hash: &mut Xxh3Default, text: &str| {
            hash.update(&(text.len() as u64).to_le_bytes());
            hash.update(text.as_bytes());
        };
        let texts = |hash: &mut Xxh3Default, texts: &[String]| {
            hash.update(&(texts.len() as u64).to_le_bytes());
            texts.iter().for_each(|each| text(hash, each));
        };
        text(&mut hash, "bratt data 1");
        hash.update(&(self.shape.len() as u64).to_le_bytes());
        self.shape.iter().for_each(|&side| hash.update(&(side as u64).to_le_bytes()));
        match &self.features {
            Features::Pixels { bytes, scale } => {
                text(&mut hash, "pixels");
                hash.update(&scale.to_le_bytes());
                hash.update(bytes);
            }
            Features::Table { values, columns } => {
                text(&mut hash, "table");
                texts(&mut hash, columns);
                update_words(&mut hash, values.iter().map(|value| value.to_le_bytes()));
            }
        }
        match &self.targets {
            Targets::Classes { labels, names } => {
                text(&mut hash, "classes");
                texts(&mut hash, names);
                update_words(&mut hash, labels.iter().map(|label| label.to_le_bytes()));
            }
            Targets::Values { values, name } => {
                text(&mut hash, "values");
                text(&mut hash, name);
                update_words(&mut hash, values.iter().map(|value| value.to_le_bytes()));
            }
        }
        format!("{:032x}", hash.digest128())
    }

    /// One line for people: `60,000 images 28x28x1, 10 classes`.
    pub fn describe(&self) -> String {
        let mut line = thousands(self.len());
        match &self.features {
            Features::Pixels { .. } => {
                let sides: Vec<String> = self.shape.iter().map(usize::to_string).collect();
                let _ = write!(line, " images {}", sides.join("x"));
            }
            Features::Table { columns, .. } => {
                let _ = write!(line, " rows of {} features", columns.len());
            }
        }
        match &self.targets {
            Targets::Classes { names, .. } => write!(line, ", {} classes", names.len()),
            Targets::Values { name, .. } => write!(line, ", target {name}"),
        }
        .expect("writing to a String cannot fail");
        line
    }
}

/// Hashes words through a buffer: one call a word would be slow.
fn update_words(hash: &mut Xxh3Default, words: impl Iterator<Item = [u8; 4]>) {
    let mut buffer = [0u8; 1024];
    let mut filled = 0;
    for word in words {
        buffer[filled..filled + 4].copy_from_slice(&word);
        filled += 4;
        if filled == buffer.len() {
            hash.update(&buffer);
            filled = 0;
        }
    }
    hash.update(&buffer[..filled]);
}

/// `60,000` for 60000.
pub(super) fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests;

//! How data are read, where the defaults will not do.

use super::cache::PixelCache;
use super::resize::Fit;

/// What to make of the data; the defaults do for most.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// CSV: name of the label or target column. Default: a column named label, class, target or y, else the last.
    pub label: Option<String>,
    /// CSV: read the label column as numbers, for regression.
    pub regression: bool,
    /// Names of the classes in the order of their indices, as a model knows them: a label that is not among them is an
    /// error. Default: IDX has the ten digits, CSV has the labels that occur, in order.
    pub classes: Option<Vec<String>>,
    /// Folders of images: how they are read.
    pub images: ImageOptions,
    /// Where decoded image files are kept for the next time. Default: nowhere.
    pub cache: Option<PixelCache>,
    /// Folders of images: the most bytes of pixels in memory. What is more lies in a file without a name in the folder of
    /// `cache` as long as it is used; without `cache` all is in memory. Default: half of the memory that is free.
    pub memory: Option<u64>,
}

/// How images in folders become examples of one shape.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ImageOptions {
    /// `[height, width]` of an example. Default: the size that all images have, if it is small; else a square of the median
    /// shorter side, at most 64.
    pub size: Option<[usize; 2]>,
    /// What becomes of images of another ratio.
    pub fit: Fit,
    /// 1 (grey) or 3 (red, green, blue). Default: 1 if every image shows greys only, else 3.
    pub channels: Option<usize>,
    /// What becomes of images that are corrupt or truncated.
    pub on_bad: OnBad,
    /// Threads that decode; 0 for one a processor. The result does not depend on it.
    pub threads: usize,
}

/// What becomes of files that cannot be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnBad {
    /// They are an error that names them.
    #[default]
    Fail,
    /// They are left out.
    Skip,
}

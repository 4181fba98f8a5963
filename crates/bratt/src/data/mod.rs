//! Data: from files to batches of numbers. This floor knows nothing of graphs or training.
//!
//! ```text
//! files --open--> Dataset --split--> train | val | test --Batches--> indices --gather_into--> f32 batch
//! ```
//!
//! | file | what |
//! |---|---|
//! | [`dataset`] | labelled examples; gathering a batch |
//! | [`pixels`] | the bytes of all images, in memory or in a file |
//! | [`mod@open`] | recognises what a path holds |
//! | [`options`], [`source`] | how it is to be read; what was read |
//! | [`mod@digits`] | the 1,797 digits that ship inside the library |
//! | [`idx`] | the files of the MNIST family |
//! | [`csv`] | tables with a label or a target column |
//! | [`collection`] | images that are still to be read, wherever they lie |
//! | [`cache`] | decoded pixels kept for the next time |
//! | [`tree`] | folders of images, a folder a class |
//! | [`manifest`] | lists of image files with their labels |
//! | [`shards`] | tar files of images with their labels |
//! | `parquet` | parquet files of images, behind the feature of that name |
//! | [`cifar`] | the binary files of CIFAR-10 and CIFAR-100 |
//! | [`mod@decode`] | one image file to pixels, strictly |
//! | [`mod@resize`] | pixels of any size to those of one |
//! | [`image_file`] | one image, for prediction |
//! | [`audit`] | what is wrong with data: unreadable files, twins, balance |
//! | [`fetch`] | known data sets, found on the machine or downloaded |
//! | [`split`] | stratified training, validation and test parts |
//! | `folds` | parts of which each is held out once |
//! | [`batches`] | the order of an epoch, cut into batches |
//! | [`augment`] | random changes to training examples |
//! | [`loader`] | batches of training examples, made on threads of their own |
//! | [`preprocess`] | mean, deviation, PCA and whitening, learned from the training part alone |
//! | [`error`] | everything that can be wrong with data |
//!
//! Whatever is random here is a pure function of a seed: see [`random`](crate::random).
//!
//! ```
//! use bratt::data::{Batches, Fractions, LastBatch, digits};
//!
//! let data = digits();
//! let split = data.split(Fractions::default(), 7)?;
//! let size = 32.try_into().unwrap();
//! let epoch = Batches::training(&split.train, size, LastBatch::Drop, 7, 0);
//! let (mut x, mut y) = (vec![0.0; 32 * data.feature_len()], vec![0.0; 32]);
//! for indices in epoch.iter() {
//!     data.gather_into(indices, &mut x, &mut y);
//! }
//! # Ok::<(), bratt::data::DataError>(())
//! ```

pub mod audit;
pub mod augment;
pub mod batches;
pub mod cache;
pub mod cifar;
pub mod collection;
pub mod columns;
pub mod csv;
pub mod dataset;
pub mod decode;
pub mod digits;
pub mod error;
pub mod fetch;
pub mod idx;
pub mod image_file;
pub mod loader;
pub mod manifest;
pub mod open;
pub mod options;
#[cfg(feature = "parquet")]
pub mod parquet;
pub mod pixels;
pub mod preprocess;
pub mod resize;
pub mod shards;
pub mod source;
pub mod split;
pub mod tree;

mod file;
mod folds;
mod images;
mod look;
mod near;
mod parallel;

pub use audit::Audit;
pub use augment::Augment;
pub use batches::{Batches, LastBatch};
pub use cache::PixelCache;
pub use columns::Columns;
pub use dataset::{Dataset, Features, Targets};
pub use digits::digits;
pub use error::DataError;
pub use open::{Layout, open};
pub use options::{ImageOptions, OnBad, Options};
pub use pixels::Pixels;
pub use resize::Fit;
pub use source::Source;
pub use split::{Fractions, Split};

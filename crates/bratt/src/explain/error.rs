//! Why nothing can be explained.

use crate::compile::CompileError;
use crate::exec::SlotError;
use crate::graph::GraphError;
use crate::tensor::Shape;
use std::io;
use std::path::PathBuf;

/// Why a model's answer cannot be explained or shown.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExplainError {
    /// The model does not take images.
    #[error("this model takes examples of shape {found}, expected images, [height, width, channels]")]
    NotImages {
        /// The shape of one example.
        found: Shape,
    },
    /// The network cannot be built, or an answer does not depend on the image.
    #[error("the network cannot be built")]
    Build(#[from] GraphError),
    /// The network cannot be compiled.
    #[error("the network cannot be compiled")]
    Compile(#[from] CompileError),
    /// The values do not fit the network.
    #[error("the values do not fit the network")]
    Values(#[from] SlotError),
    /// The number of pixels does not fit.
    #[error("found {found} numbers, expected the {} of an image of shape {expected}", expected.len())]
    Pixels {
        /// The numbers given.
        found: usize,
        /// The shape of an image.
        expected: Shape,
    },
    /// No such class.
    #[error("found class {found}, expected one of the {count} classes, counted from 0")]
    Class {
        /// The class given.
        found: usize,
        /// The number of classes.
        count: usize,
    },
    /// Grad-CAM has no feature map to look at.
    #[error("Grad-CAM needs the feature map of a convolution: {problem}; take integrated gradients")]
    NoFeatureMap {
        /// What is missing.
        problem: String,
    },
    /// The mean image is wanted as a baseline, and the model does not know it.
    #[error(
        "the baseline `mean` needs the mean image of the training data, which only preprocessing that begins with \
         standardising or whitening knows; take the baseline `black`"
    )]
    NoMean,
    /// A setting of a method.
    #[error("{name}: found {found}, expected {expected}")]
    Setting {
        /// The setting.
        name: &'static str,
        /// What was given.
        found: String,
        /// What can be.
        expected: &'static str,
    },
    /// There is nothing like an image in the first layer's weights.
    #[error("the first layer's filters cannot be shown: {problem}")]
    NoFilters {
        /// What was found and what was expected.
        problem: String,
    },
    /// Pictures have one channel or three.
    #[error("found images of {found} channels, expected 1 (grey) or 3 (red, green, blue)")]
    Channels {
        /// The number of channels.
        found: usize,
    },
    /// A picture cannot be written.
    #[error("{}: cannot be written", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

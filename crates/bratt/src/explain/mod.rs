//! Floor 6: what an answer of a model depends on, as pictures.
//!
//! Each method makes a [`Heatmap`] of one image and one class c. The quantity that is explained is the class's score F:
//! its logit, before softmax or sigmoid, which would mix in the other classes.
//!
//! | file | what |
//! |---|---|
//! | `gradient` | [`Method::Gradient`]: which pixels change F most if they are changed a little |
//! | `smooth_grad` | [`SmoothGrad`]: the mean of that over noisy copies of the image |
//! | `integrated_gradients` | [`IntegratedGradients`]: what each pixel adds to F, counted from a baseline |
//! | `grad_cam` | [`Method::GradCam`]: where the features lie that speak for the class |
//! | `graph` | the one graph that all methods run |
//! | `explainer` | [`Explainer`]: that graph, compiled, and the methods over it |
//! | `heatmap` | [`Heatmap`]: one number a pixel |
//! | `color` | tables of colours that can be read with any eyes |
//! | `picture` | [`Raster`]: heat maps over images, as PNG |
//! | `filters` | [`filters`](filters()): what the first layer looks for |
//!
//! ```
//! use bratt::explain::{Explainer, Method, explained};
//! # use bratt::prelude::*;
//! # let data = Splits::new(bratt::data::digits(), Fractions::default(), 7)?;
//! # let network = Sequential::new(Input::image(8, 8, 1)).conv(4, 3).relu().max_pool(2).dense(10);
//! # let run = Trainer::new(network).epochs(1).fit(&data)?;
//! # let model = run.model();
//! let image = vec![128u8; 64];
//! let features: Vec<f32> = image.iter().map(|&byte| f32::from(byte) / 255.0).collect();
//! let mut explainer = Explainer::new(model)?;
//! let explanation = explainer.explain(&Method::GradCam, &features, None)?;
//! assert_eq!((explanation.map.height(), explanation.map.width()), (8, 8));
//! let png = explained(&image, [8, 8, 1], &explanation.map)?.to_png();
//! assert!(png.starts_with(b"\x89PNG"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! All is deterministic: the same model and image give the same bits on any number of threads. Noise is a function of
//! the seed.

pub mod color;
mod error;
mod explainer;
mod filters;
mod grad_cam;
mod gradient;
mod graph;
mod heatmap;
mod integrated_gradients;
mod picture;
mod smooth_grad;
#[cfg(test)]
mod tests;

pub use error::ExplainError;
pub use explainer::{Explainer, Explanation, Method};
pub use filters::{Filters, filters};
pub use graph::{FeatureMap, explanation_graph, feature_map};
pub use heatmap::Heatmap;
pub use integrated_gradients::{Baseline, Completeness, IntegratedGradients};
pub use picture::{Raster, explained};
pub use smooth_grad::SmoothGrad;

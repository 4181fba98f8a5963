//! A model that is compiled to be explained.

use super::graph::{FeatureMap, explanation_graph, feature_map};
use super::{Completeness, ExplainError, Heatmap, IntegratedGradients, SmoothGrad, grad_cam, gradient};
use crate::compile::{Options, compile};
use crate::exec::{Machine, Runner, Slots};
use crate::model::{Prediction, TrainedModel, first_largest};
use crate::nn::{Layer, Sequential, Task, fold_batch_norm};
use crate::tensor::{Shape, Tensor};
use std::collections::BTreeMap;

/// Images that are computed at a time where a method needs many.
const BATCH: usize = 16;

/// A way to explain.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Method {
    /// The size of the gradient of each pixel.
    Gradient,
    /// The same, smoothed by noise.
    SmoothGrad(SmoothGrad),
    /// What each pixel adds to the score.
    IntegratedGradients(IntegratedGradients),
    /// Where the features lie that speak for the class; for networks with convolutions.
    GradCam,
}

impl Method {
    /// The name, as in files and options.
    pub fn name(&self) -> &'static str {
        match self {
            Method::Gradient => "gradient",
            Method::SmoothGrad(_) => "smoothgrad",
            Method::IntegratedGradients(_) => "integrated-gradients",
            Method::GradCam => "grad-cam",
        }
    }
}

/// What was found out about one image and one class.
#[derive(Clone, PartialEq, Debug)]
pub struct Explanation {
    /// What the model says of the image; none for regression.
    pub prediction: Option<Prediction>,
    /// The class that is explained; of a regression, the number of the output.
    pub class: usize,
    /// Its score, the logit.
    pub score: f32,
    /// The map, of the image's size.
    pub map: Heatmap,
    /// Whether the attributions add up; for integrated gradients only.
    pub completeness: Option<Completeness>,
}

/// A model that is compiled to be explained.
#[derive(Debug)]
pub struct Explainer {
    pub(super) shape: [usize; 3],
    pub(super) feature_map: Result<FeatureMap, String>,
    /// The mean of the training images, where preprocessing knows it.
    pub(super) mean: Option<Vec<f32>>,
    task: Task,
    classes: Vec<String>,
    outputs: usize,
    slots: Slots,
    single: Runner,
    batch: Runner,
}

impl Explainer {
    /// Compiles a model on all processors with the best instruction set. Batch norm is folded into the layers before it.
    ///
    /// # Errors
    /// [`ExplainError::NotImages`] for models of tables; else only if values and network do not fit each other, which those
    /// of a loaded or trained model do.
    pub fn new(model: &TrainedModel) -> Result<Explainer, ExplainError> {
        Explainer::on(&Machine::all_threads(), model)
    }

    /// As [`Explainer::new`], on a given machine. The results are the same on any number of threads.
    ///
    /// # Errors
    /// As [`Explainer::new`].
    pub fn on(machine: &Machine, model: &TrainedModel) -> Result<Explainer, ExplainError> {
        let Ok(shape) = <[usize; 3]>::try_from(&model.network.input[..]) else {
            return Err(ExplainError::NotImages { found: model.network.input[..].into() });
        };
        let (network, values) = fold_batch_norm(&model.network, &model.values);
        let feature_map = feature_map(&network);
        let graph = |batch| explanation_graph(&network, model.task, feature_map.as_ref().ok(), batch);
        let single = compile(&graph(1)?, &Options::default())?;
        let options = Options { layout: Some(single.layout().clone()), ..Options::default() };
        let batch = compile(&graph(BATCH)?, &options)?;
        let mut slots = Slots::new(single.layout().clone(), 0);
        for (name, value) in &values {
            slots.set(name, value)?;
        }
        let outputs = single.inputs().iter().find(|port| port.name == "selector");
        Ok(Explainer {
            shape,
            mean: mean_image(&network, &values),
            feature_map,
            task: model.task,
            classes: model.classes.clone(),
            outputs: outputs.map_or(0, |port| port.shape.len()),
            slots,
            single: machine.load(single),
            batch: machine.load(batch),
        })
    }

    /// The shape of an image, `[height, width, channels]`.
    pub fn shape(&self) -> [usize; 3] {
        self.shape
    }

    /// The names of the classes; none for regression.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// What Grad-CAM looks at.
    ///
    /// # Errors
    /// What is missing for it, as a sentence.
    pub fn feature_map(&self) -> Result<&FeatureMap, &str> {
        self.feature_map.as_ref().map_err(String::as_str)
    }

    /// Explains one image, `[height, width, channels]` as the network takes it, for a class: by default the one that the
    /// model predicts. For regression the class is the number of the output, by default 0.
    ///
    /// # Errors
    /// [`ExplainError::Pixels`] and [`ExplainError::Class`] for what does not fit, [`ExplainError::Setting`] for a method's
    /// settings, [`ExplainError::NoFeatureMap`] and [`ExplainError::NoMean`] for what the model does not have.
    pub fn explain(
        &mut self,
        method: &Method,
        image: &[f32],
        class: Option<usize>,
    ) -> Result<Explanation, ExplainError> {
        let expected = Shape::from(self.shape);
        if image.len() != expected.len() {
            return Err(ExplainError::Pixels { found: image.len(), expected });
        }
        let prediction = self.predict(image);
        let predicted = prediction.as_ref().map_or(0, |prediction| prediction.class);
        let class = class.unwrap_or(predicted);
        let count = if self.task == Task::Binary { 2 } else { self.outputs };
        if class >= count {
            return Err(ExplainError::Class { found: class, count });
        }
        let mut score = 0.0;
        self.gradients(class, 1, |_, x| x.copy_from_slice(image), |_, found, _| score = found);
        let (map, completeness) = match method {
            Method::Gradient => (gradient::map(self, image, class), None),
            Method::SmoothGrad(settings) => {
                settings.check()?;
                (settings.map(self, image, class), None)
            }
            Method::IntegratedGradients(settings) => {
                settings.check()?;
                let (map, completeness) = settings.map(self, image, class)?;
                (map, Some(completeness))
            }
            Method::GradCam => (grad_cam::map(self, image, class)?, None),
        };
        Ok(Explanation { prediction, class, score, map, completeness })
    }

    fn predict(&mut self, image: &[f32]) -> Option<Prediction> {
        if self.task == Task::Regress {
            return None;
        }
        fill(&mut self.single, "features", |x| x.copy_from_slice(image));
        self.single.infer(&self.slots);
        let row = self.single.get("probabilities")?;
        let probabilities = if self.task == Task::Binary { vec![1.0 - row[0], row[0]] } else { row.to_vec() };
        let class = first_largest(&probabilities);
        let name = self.classes.get(class).cloned().unwrap_or_else(|| class.to_string());
        Some(Prediction { class, name, probability: probabilities[class], probabilities })
    }

    /// Scores of a class, and their gradients, at `count` points: `point` writes each, `take` gets its number, score and
    /// gradient, in their order.
    pub(super) fn gradients(
        &mut self,
        class: usize,
        count: usize,
        mut point: impl FnMut(usize, &mut [f32]),
        mut take: impl FnMut(usize, f32, &[f32]),
    ) {
        let size = self.shape.iter().product::<usize>().max(1);
        let (task, outputs) = (self.task, self.outputs);
        let (runner, width) = if count == 1 { (&mut self.single, 1) } else { (&mut self.batch, BATCH) };
        select(runner, task, outputs, class);
        for first in (0..count).step_by(width) {
            let numbers = first..count.min(first + width);
            fill(runner, "features", |x| {
                numbers.clone().zip(x.chunks_exact_mut(size)).for_each(|(i, x)| point(i, x));
            });
            runner.infer(&self.slots);
            let (Some(scores), Some(gradients)) = (runner.get("scores"), runner.get("gradient")) else {
                return;
            };
            for ((i, &score), gradient) in numbers.zip(scores).zip(gradients.chunks_exact(size)) {
                take(i, score, gradient);
            }
        }
    }

    /// The class activation map of an image, of the feature map's size.
    pub(super) fn class_activation(&mut self, class: usize, image: &[f32]) -> Vec<f32> {
        select(&mut self.single, self.task, self.outputs, class);
        fill(&mut self.single, "features", |x| x.copy_from_slice(image));
        self.single.infer(&self.slots);
        self.single.get("grad_cam").unwrap_or_default().to_vec()
    }
}

/// Points every example's selector at a class.
fn select(runner: &mut Runner, task: Task, outputs: usize, class: usize) {
    fill(runner, "selector", |rows| {
        for (i, x) in rows.iter_mut().enumerate() {
            *x = match task {
                Task::Binary => [-1.0, 1.0][class.min(1)],
                Task::Classify | Task::Regress => f32::from(i % outputs.max(1) == class),
            };
        }
    });
}

fn fill(runner: &mut Runner, name: &str, write: impl FnOnce(&mut [f32])) {
    if let Some(input) = runner.input_mut(name) {
        write(input);
    }
}

/// The mean image of the training data, if preprocessing is the first thing that the network does.
fn mean_image(network: &Sequential, values: &BTreeMap<String, Tensor>) -> Option<Vec<f32>> {
    let first = network.layers.first()?;
    if !matches!(first.layer, Layer::Standardize(_) | Layer::Whiten(_)) {
        return None;
    }
    let mean = values.get(&format!("{}.mean", first.name))?.data();
    let pixels = network.input.iter().product::<usize>();
    // One number for each channel, or for each number of an image.
    (!mean.is_empty() && pixels.is_multiple_of(mean.len()))
        .then(|| mean.iter().copied().cycle().take(pixels).collect())
}

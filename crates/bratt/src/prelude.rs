//! What most programs need: `use bratt::prelude::*`.

pub use crate::data::{Dataset, Features, Fractions, Targets};
pub use crate::graph::Graph;
pub use crate::model::{Prediction, Predictor, TrainedModel};
pub use crate::nn::{Input, Sequential, Task};
pub use crate::optim::{AdaGrad, Adam, AdamW, Momentum, Nesterov, Optimizer, RmsProp, Sgd};
pub use crate::report::RunFolder;
pub use crate::schedule::Schedule;
pub use crate::train::{Evaluation, Event, Fit, Listener, Part, Preprocess, Splits, Stop, Trainer};

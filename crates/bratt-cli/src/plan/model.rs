//! Which network is trained.

use super::at_least_one;
use crate::failure::Failure;
use crate::settings::{Origin, Settings};
use bratt::data::{Dataset, Features};
use bratt::names::hint;
use bratt::nn::models::{self, Mlp, Model};
use bratt::nn::{
    Dropout, Elu, Initializer, Input, Layer, LeakyRelu, Maxout, Relu, Sequential, Sigmoid, Softplus, Tanh,
    Task,
};
use std::path::Path;

/// A network and what its outputs mean.
#[derive(Debug)]
pub struct ModelPlan {
    /// The name it was asked for by.
    pub name: String,
    /// Its layers.
    pub network: Sequential,
    /// What its outputs mean.
    pub task: Task,
}

/// The network for some data: for images in colour or from files a small convolutional one, if nothing else is asked for.
///
/// # Errors
/// An unknown name, a number out of its range, a network that does not fit the data.
pub fn model(settings: &Settings, data: &Dataset, image_files: bool) -> Result<ModelPlan, Failure> {
    let colour = matches!((data.features(), data.shape()), (Features::Pixels { .. }, [_, _, 3]));
    let why = match (image_files, colour) {
        (true, _) => Some("images from files are taken for pictures"),
        (false, true) => Some("images in colour are taken for photographs"),
        (false, false) => None,
    };
    let name = match why {
        Some(why) => settings.get_or("model.arch", "convnet-s".to_string(), Origin::Chosen(why.into()))?,
        None => settings.get("model.arch", "mlp".to_string())?,
    };
    // Regression has one target and no classes.
    let outputs = if name == "linear" { 1 } else { data.classes().len() };
    let path = Path::new(&name);
    let known = if path.extension().is_some_and(|extension| extension == "toml") {
        model_from_layers(path, data.shape(), outputs)?
    } else {
        models::by_name(&name, data.shape(), outputs).map_err(|error| {
            let place = settings.origin("model.arch");
            Failure::configuration(format!("model.arch ({place}): {error}"))
        })?
    };
    let (mut network, task) = (known.network, known.task);
    if name == "mlp" {
        network = perceptron(settings, data, outputs)?;
    }
    if let Some(init) = initializer(settings)? {
        network.for_each_layer_mut(|layer| match layer {
            Layer::Dense(dense) => dense.init = Some(init),
            Layer::Maxout(maxout) => maxout.init = Some(init),
            Layer::Conv2d(conv) => conv.init = Some(init),
            _ => {}
        });
    }
    network.shapes().map_err(|error| Failure::configuration(format!("model.arch = {name}: {error}")))?;
    Ok(ModelPlan { name: known.name, network, task })
}

/// The network that a file with a list of layers describes, named after the file.
///
/// # Errors
/// A file that cannot be read, or a list that is no network for this input and these classes.
pub fn model_from_layers(path: &Path, input: &[usize], classes: usize) -> Result<Model, Failure> {
    let place = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| {
        Failure::configuration(format!("{place}: the list of layers cannot be read"))
            .because(error.to_string())
    })?;
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    models::from_toml(&name, &text, input, classes)
        .map_err(|error| Failure::configuration(format!("{place}: {error}")))
}

const ACTIVATIONS: [&str; 7] = ["relu", "leaky_relu", "elu", "sigmoid", "tanh", "softplus", "maxout"];

/// The `mlp`: for each hidden layer dense, batch norm, activation, dropout; then one logit per class.
fn perceptron(settings: &Settings, data: &Dataset, outputs: usize) -> Result<Sequential, Failure> {
    let usual = Mlp::default();
    let hidden = settings.get("model.hidden", usual.hidden)?;
    let activation = settings.get("model.activation", "relu".to_string())?.replace('-', "_");
    let activation: Option<Layer> = match activation.as_str() {
        "relu" => Some(Relu {}.into()),
        "leaky_relu" => Some(LeakyRelu::default().into()),
        "elu" => Some(Elu::default().into()),
        "sigmoid" => Some(Sigmoid {}.into()),
        "tanh" => Some(Tanh {}.into()),
        "softplus" => Some(Softplus {}.into()),
        "maxout" => None,
        other => {
            return Err(settings
                .invalid("model.activation", "the name of an activation")
                .help(hint(other, &ACTIVATIONS)));
        }
    };
    let probability = |name, default: f64| -> Result<f64, Failure> {
        let value = settings.get(name, default)?;
        if (0.0..1.0).contains(&value) {
            Ok(value)
        } else {
            Err(settings.invalid(name, "a probability of dropping, at least 0 and below 1"))
        }
    };
    let drop = probability("model.drop", usual.dropout)?;
    let input_drop = probability("model.input_drop", usual.input_dropout)?;
    // A maxout layer holds its own weights and the activation, so there is no place for batch norm between them.
    let Some(activation) = activation else {
        let pieces = at_least_one(settings, "model.pieces", 2)?;
        let mut network = Sequential::new(Input::shape(data.shape()));
        if input_drop > 0.0 {
            network = network.layer(Dropout::new(input_drop));
        }
        network = network.flatten();
        for units in hidden {
            network = network.layer(Maxout::new(units, pieces as usize));
            if drop > 0.0 {
                network = network.dropout(drop);
            }
        }
        return Ok(network.dense(outputs));
    };
    let batch_norm = settings.get("model.batch_norm", usual.batch_norm)?;
    let mlp = Mlp { hidden, batch_norm, activation, dropout: drop, input_dropout: input_drop };
    Ok(mlp.network(data.shape(), outputs))
}

const INITIALIZERS: [&str; 8] = [
    "auto",
    "zeros",
    "small_normal",
    "xavier_normal",
    "xavier_uniform",
    "he_normal",
    "he_uniform",
    "orthogonal",
];

fn initializer(settings: &Settings) -> Result<Option<Initializer>, Failure> {
    let name = settings.get("model.init", "auto".to_string())?.replace('-', "_");
    Ok(Some(match name.as_str() {
        "auto" => return Ok(None),
        "zeros" => Initializer::Zeros,
        "small_normal" => Initializer::SmallNormal { std: 0.01 },
        "xavier_normal" => Initializer::XavierNormal,
        "xavier_uniform" => Initializer::XavierUniform,
        "he_normal" => Initializer::HeNormal,
        "he_uniform" => Initializer::HeUniform,
        "orthogonal" => Initializer::Orthogonal { gain: 1.0 },
        other => {
            return Err(settings
                .invalid("model.init", "the name of an initialisation")
                .help(hint(other, &INITIALIZERS)));
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::TrainArgs;
    use bratt::data::Targets;

    fn settings(set: &[&str]) -> Settings {
        let set = set.iter().map(ToString::to_string).collect();
        Settings::collect(&TrainArgs { set, ..TrainArgs::default() }).unwrap()
    }

    fn digits_model(set: &[&str]) -> Result<ModelPlan, Failure> {
        model(&settings(set), &bratt::data::digits(), false)
    }

    fn layers(plan: &ModelPlan) -> Vec<String> {
        plan.network.layers.iter().map(|named| named.layer.describe()).collect()
    }

    #[test]
    fn the_settings_of_an_mlp_make_its_layers() {
        let plan = digits_model(&["model.hidden=[32]", "model.activation=tanh", "model.drop=0.2"]).unwrap();
        assert_eq!(
            layers(&plan),
            ["flatten", "dense 32", "batch_norm", "tanh", "dropout drop 0.2", "dense 10"]
        );
        let plan = digits_model(&[
            "model.hidden=[32, 16]",
            "model.activation=maxout",
            "model.drop=0",
            "model.pieces=3",
        ]);
        assert_eq!(
            layers(&plan.unwrap()),
            ["flatten", "maxout 32 of 3 pieces", "maxout 16 of 3 pieces", "dense 10"]
        );
    }

    #[test]
    fn the_initialisation_reaches_every_layer_with_weights() {
        let plan = digits_model(&["model.init=orthogonal"]).unwrap();
        let all = plan.network.layers.iter().all(|named| match &named.layer {
            Layer::Dense(dense) => dense.init == Some(Initializer::Orthogonal { gain: 1.0 }),
            _ => true,
        });
        assert!(all);
    }

    #[test]
    fn a_wrong_choice_is_answered_with_the_nearest() {
        for (set, nearest) in [
            ("model.arch=mpl", "`mlp`"),
            ("model.activation=rellu", "`relu`"),
            ("model.init=he_norml", "`he_normal`"),
        ] {
            let text = digits_model(&[set]).unwrap_err().text();
            assert!(text.contains("did you mean") && text.contains(nearest), "{text}");
        }
    }

    #[test]
    fn images_from_files_get_a_convolutional_network_unless_another_is_named() {
        let named = |set: &[&str]| model(&settings(set), &bratt::data::digits(), true).unwrap().name;
        assert_eq!(named(&[]), "convnet-s");
        assert_eq!(named(&["model.arch=softmax"]), "softmax");
        // As CIFAR's binary files are.
        let features = Features::Pixels { bytes: vec![9; 2 * 32 * 32 * 3].into(), scale: 1.0 };
        let targets = Targets::Classes { labels: vec![0, 1], names: vec!["a".into(), "b".into()] };
        let photos = Dataset::new("photos", vec![32, 32, 3], features, targets).unwrap();
        assert_eq!(model(&settings(&[]), &photos, false).unwrap().name, "convnet-s");
    }
}

//! The keys of the configuration: what each is called, holds and stands for when nobody sets it.
//!
//! From this one table come `--set help`, `bratt config explain`, the JSON schema for editors, and the order of a run's
//! `config.toml`.

use serde_json::{Value, json};

/// A key, its flag, and what it holds.
pub struct Key {
    /// Dotted, as `optim.lr`.
    pub name: &'static str,
    /// The flag that sets it, if there is one.
    pub flag: Option<&'static str>,
    /// What it holds, for people.
    pub about: &'static str,
    /// What values it takes.
    pub kind: Kind,
    /// What it is when nobody sets it, in words.
    pub default: &'static str,
}

/// The values that a key takes.
#[derive(Clone, Copy)]
pub enum Kind {
    /// Any text.
    Text,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A whole number of at least this.
    Count(u64),
    /// Whole numbers above 0.
    Counts,
    /// A number from the first to the second.
    Number(f64, f64),
    /// True or false.
    Bool,
    /// One or the other.
    Either(&'static Kind, &'static Kind),
}

use Kind::{Bool, Count, Counts, Either, Number, OneOf, Text};

const UNIT: Kind = Number(0.0, 1.0);
const SHARE: Kind = UNIT;
const POSITIVE: Kind = Number(0.0, f64::INFINITY);
const SIZE: Kind = Either(&Count(1), &Text);
const FLIP: Kind = Either(&Bool, &UNIT);
const RATE: Kind = Either(&POSITIVE, &OneOf(&["auto"]));
const NUMBER_OR_TEXT: Kind = Either(&UNIT, &Text);

impl Kind {
    /// In words, as "a whole number of at least 1".
    pub fn describe(&self) -> String {
        match self {
            Text => "text".into(),
            OneOf(words) => words.join(", "),
            Count(least) => format!("a whole number of at least {least}"),
            Counts => "whole numbers above 0, as [512, 256]".into(),
            Number(low, high) if *high == f64::INFINITY => format!("a number of at least {low}"),
            Number(low, high) => format!("a number from {low} to {high}"),
            Bool => "true or false".into(),
            Either(one, other) => format!("{}, or {}", one.describe(), other.describe()),
        }
    }

    /// Whether all its values are whole numbers.
    pub fn is_whole(&self) -> bool {
        matches!(self, Count(_))
    }

    /// Whether it holds such a value.
    pub fn takes(&self, value: &toml::Value) -> bool {
        let number = value.as_float().or_else(|| value.as_integer().map(|n| n as f64));
        match self {
            Text => value.is_str(),
            OneOf(words) => value.as_str().is_some_and(|text| words.contains(&text)),
            Count(least) => value.as_integer().is_some_and(|n| u64::try_from(n).is_ok_and(|n| n >= *least)),
            Counts => value.as_array().is_some_and(|all| {
                !all.is_empty() && all.iter().all(|n| n.as_integer().is_some_and(|n| n > 0))
            }),
            Number(low, high) => number.is_some_and(|x| x.is_finite() && (*low..=*high).contains(&x)),
            Bool => value.is_bool(),
            Either(one, other) => one.takes(value) || other.takes(value),
        }
    }

    fn schema(&self) -> Value {
        match self {
            Text => json!({"type": "string"}),
            OneOf(words) => json!({"enum": words}),
            Count(least) => json!({"type": "integer", "minimum": least}),
            Counts => json!({"type": "array", "items": {"type": "integer", "minimum": 1}, "minItems": 1}),
            Number(low, high) if *high == f64::INFINITY => json!({"type": "number", "minimum": low}),
            Number(low, high) => json!({"type": "number", "minimum": low, "maximum": high}),
            Bool => json!({"type": "boolean"}),
            Either(one, other) => json!({"anyOf": [one.schema(), other.schema()]}),
        }
    }
}

const fn key(
    name: &'static str,
    flag: &'static str,
    about: &'static str,
    kind: Kind,
    default: &'static str,
) -> Key {
    Key { name, flag: Some(flag), about, kind, default }
}

const fn only_key(name: &'static str, about: &'static str, kind: Kind, default: &'static str) -> Key {
    Key { name, flag: None, about, kind, default }
}

/// All keys, in the order of a resolved configuration.
pub const KEYS: &[Key] = &[
    key(
        "data.path",
        "--data",
        "folder of images, of tar, IDX or CIFAR files, or CSV or tar file; \"digits\" for the built-in digits",
        Text,
        "digits",
    ),
    key(
        "data.label",
        "--label",
        "CSV: column to predict; tar: ending or JSON key of labels; CIFAR-100: fine, coarse",
        Text,
        "the last column, the ending `cls`, or `fine`",
    ),
    key(
        "data.size",
        "--size",
        "images: side, or height and width as \"48x64\"",
        SIZE,
        "what suits the images",
    ),
    key(
        "data.fit",
        "--fit",
        "images of another ratio: crop, pad or squish",
        OneOf(&["crop", "pad", "squish"]),
        "crop",
    ),
    key(
        "data.on_bad",
        "--on-bad",
        "images that cannot be read: fail or skip",
        OneOf(&["fail", "skip"]),
        "fail",
    ),
    key(
        "data.cache",
        "--no-cache",
        "whether decoded images are kept for the next time; --no-cache: false",
        Bool,
        "true",
    ),
    only_key(
        "data.memory",
        "images: megabytes of pixels kept in memory; more are read from a file in the cache's folder",
        Count(0),
        "half of the memory that is free",
    ),
    key(
        "data.val",
        "--val",
        "share of the data for validation",
        SHARE,
        "0.1; 0 where the data bring a validation part",
    ),
    key(
        "data.test",
        "--test",
        "share of the data for the final test",
        SHARE,
        "0.1; 0 where the data bring a test part",
    ),
    key(
        "data.preprocess",
        "--preprocess",
        "per-channel, standardize, pca, pca-whiten, zca or none",
        OneOf(&["per-channel", "standardize", "pca", "pca-whiten", "zca", "none"]),
        "per-channel",
    ),
    key(
        "data.balance",
        "--balance",
        "how much classes count: none, weights, sqrt-weights or sampling",
        OneOf(&["none", "weights", "sqrt-weights", "sampling"]),
        "sqrt-weights where the largest class has 10 times the examples of the smallest, else none",
    ),
    key(
        "augment.preset",
        "--augment",
        "random changes to training images: none, light, standard or strong",
        OneOf(&["none", "light", "standard", "strong"]),
        "standard for images in colour, else none",
    ),
    only_key("augment.flip", "left and right exchanged: true, false or a probability", FLIP, "the preset's"),
    only_key("augment.crop", "random crop: pixels of padding on each side", Count(0), "the preset's"),
    only_key(
        "augment.resized_crop",
        "random resized crop: least share of the area; 0 for none",
        UNIT,
        "the preset's",
    ),
    only_key("augment.rotation", "degrees either way", Number(0.0, 180.0), "the preset's"),
    only_key(
        "augment.border",
        "what lies outside of a moved image: zero or reflect",
        OneOf(&["zero", "reflect"]),
        "zero",
    ),
    only_key("augment.trivial", "whether to apply one operation of TrivialAugment", Bool, "the preset's"),
    only_key("augment.brightness", "strength of changes, such as 0.2", POSITIVE, "the preset's"),
    only_key("augment.contrast", "strength of changes, such as 0.2", POSITIVE, "the preset's"),
    only_key("augment.saturation", "strength of changes, such as 0.2", POSITIVE, "the preset's"),
    only_key("augment.hue", "turns of the colour wheel either way, to 0.5", Number(0.0, 0.5), "the preset's"),
    only_key("augment.erase", "probability of erasing a rectangle", UNIT, "the preset's"),
    only_key("augment.cutout", "side of the square that is blackened", Count(0), "the preset's"),
    only_key("augment.mixup", "alpha of mixup; 0 for none", POSITIVE, "the preset's"),
    only_key("augment.cutmix", "alpha of cutmix; 0 for none", POSITIVE, "the preset's"),
    only_key("augment.label_smoothing", "share of each label spread over all classes", SHARE, "the preset's"),
    key(
        "model.arch",
        "--model",
        "convnet-s, resnet20, lenet, mlp, mlp-300-100-bn, softmax, ... or a list of layers (.toml)",
        Text,
        "convnet-s for images in colour or in files, else mlp",
    ),
    key(
        "model.hidden",
        "--hidden",
        "units of the hidden layers of an mlp, as [512, 256]",
        Counts,
        "what suits the data",
    ),
    key(
        "model.activation",
        "--activation",
        "activation of hidden layers",
        OneOf(&["relu", "leaky_relu", "elu", "sigmoid", "tanh", "softplus", "maxout"]),
        "relu",
    ),
    only_key("model.pieces", "linear pieces of each maxout unit", Count(2), "2"),
    key(
        "model.batch_norm",
        "--batch-norm",
        "whether batch norm stands before each activation",
        Bool,
        "true for mlp",
    ),
    key("model.drop", "--drop", "probability of dropping a hidden unit", SHARE, "what suits the data"),
    key("model.input_drop", "--input-drop", "probability of dropping an input", SHARE, "0"),
    key(
        "model.init",
        "--init",
        "how weights start; \"auto\" follows the activation",
        OneOf(&[
            "auto",
            "zeros",
            "small_normal",
            "xavier_normal",
            "xavier_uniform",
            "he_normal",
            "he_uniform",
            "orthogonal",
        ]),
        "auto",
    ),
    key(
        "optim.type",
        "--optimizer",
        "sgd, momentum, nesterov, adagrad, rmsprop, adam or adamw",
        OneOf(&["sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw"]),
        "adam",
    ),
    key(
        "optim.lr",
        "--lr",
        "learning rate; auto: the usual one, unless trying rates says something else",
        RATE,
        "auto; the optimizer's usual rate (twice that for the linear schedule) for less than 140 steps",
    ),
    key("optim.schedule", "--schedule", "how the learning rate changes", Text, "linear"),
    only_key(
        "optim.schedule_epochs",
        "epochs over which it changes; all, unless training was extended",
        Count(1),
        "train.epochs",
    ),
    key("optim.momentum", "--momentum", "momentum: a number or a schedule", NUMBER_OR_TEXT, "0.9"),
    only_key("optim.rho", "rmsprop: share of the running mean that is kept", SHARE, "0.9"),
    only_key("optim.rho1", "adam, adamw: share of the first moment that is kept", SHARE, "0.9"),
    only_key("optim.rho2", "adam, adamw: share of the second moment that is kept", SHARE, "0.999"),
    only_key("optim.epsilon", "keeps quotients finite", POSITIVE, "1e-8; 1e-7 for adagrad"),
    key("optim.weight_decay", "--weight-decay", "strength of weight decay", POSITIVE, "0; 0.01 for adamw"),
    key(
        "optim.average",
        "--average",
        "share of the running average of the weights that each step keeps; 0 for none",
        SHARE,
        "0",
    ),
    key(
        "optim.clip_norm",
        "--clip-norm",
        "limit of the norm of the whole gradient; 0 for none",
        POSITIVE,
        "0",
    ),
    key(
        "optim.clip_value",
        "--clip-value",
        "limit of each component of the gradient; 0 for none",
        POSITIVE,
        "0",
    ),
    key("train.epochs", "--epochs", "how often the training part is seen", Count(1), "30"),
    key(
        "train.batch_size",
        "--batch-size",
        "examples in one step",
        Count(1),
        "64; 32 or 16 for less than 320 or 160 examples",
    ),
    key("train.seed", "--seed", "decides everything random", Count(0), "0"),
    key(
        "train.patience",
        "--patience",
        "epochs without a better result, by train.monitor, before stopping; 0: never",
        Count(0),
        "0",
    ),
    key(
        "train.monitor",
        "--monitor",
        "what decides which epoch is kept: val_loss, accuracy, macro_f1 or balanced_accuracy",
        OneOf(&["val_loss", "accuracy", "macro_f1", "balanced_accuracy"]),
        "val_loss",
    ),
    key("machine.threads", "--threads", "threads; 0 for one a processor", Count(0), "0"),
    key(
        "machine.loaders",
        "--loaders",
        "threads that make batches; 0 for none of their own",
        Count(0),
        "1 if images are changed, else 0",
    ),
    key(
        "machine.isa",
        "--isa",
        "instruction set: auto, avx512, avx2, neon or scalar",
        OneOf(&["auto", "avx512", "avx2", "neon", "scalar"]),
        "auto",
    ),
    key("run.name", "--name", "name of the run", Text, "the name of the data and a number"),
    key("run.folder", "--runs", "folder of runs", Text, "runs"),
    key(
        "run.checkpoint_every",
        "--checkpoint-every",
        "least seconds between two checkpoints; 0: every step",
        POSITIVE,
        "10",
    ),
];

/// The key of a name.
pub fn known(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

/// The JSON schema of a configuration file, by which editors complete and check.
pub fn schema() -> Value {
    let mut sections = serde_json::Map::new();
    for key in KEYS {
        let (section, name) = key.name.split_once('.').unwrap_or(("", key.name));
        let mut about = key.kind.schema();
        about["description"] = format!("{} [default: {}]", key.about, key.default).into();
        let section = sections
            .entry(section)
            .or_insert_with(|| json!({"type": "object", "additionalProperties": false, "properties": {}}));
        section["properties"][name] = about;
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The configuration of a training by bratt",
        "type": "object",
        "additionalProperties": false,
        "properties": sections,
    })
}

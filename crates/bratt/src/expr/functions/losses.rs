//! Normalisation, noise and losses. Losses named as in the library give one number an example; those that end in
//! `_cost`, `mse` and `softmax_cross_entropy` are means, scalars.

use super::{Attribute, Function, attribute, row};

const AXIS: &[Attribute] = &[attribute("axis", "-1")];
const EPSILON: &[Attribute] = &[attribute("epsilon", "1e-5")];

pub(super) static FUNCTIONS: &[Function] = &[
    row("softmax", &["x"], AXIS, "e^x / sum of e^x along an axis", "softmax([1, 2, 3]) * [1, 2, 3]", |c| {
        Ok(c.g.softmax(c.x[0], c.axis("axis", -1)?))
    }),
    row(
        "log_softmax",
        &["x"],
        AXIS,
        "x - ln of the sum of e^x along an axis",
        "log_softmax([1, 2, 3])",
        |c| Ok(c.g.log_softmax(c.x[0], c.axis("axis", -1)?)),
    ),
    row(
        "standardize",
        &["x"],
        &[attribute("axes", "all but the last"), attribute("epsilon", "1e-5")],
        "(x - mean) / sqrt(variance + epsilon) over axes",
        "standardize([1, 2; 3, 5; 4, 4]) * [1, 2; 3, 4; 5, 6]",
        |c| {
            let axes = c.axes("axes", (0..c.rank().saturating_sub(1).max(1).min(c.rank())).collect())?;
            Ok(c.g.standardize(c.x[0], &axes, c.real("epsilon", 1e-5)?))
        },
    )
    .also(&["standardise"]),
    row(
        "batch_norm",
        &["x", "gamma", "beta"],
        EPSILON,
        "gamma standardize(x) + beta with the batch's statistics: x [..., c], gamma and beta [c]",
        "batch_norm([1, 2; 3, 5; 4, 4], [1, 2], [0, 1])",
        |c| Ok(c.g.batch_norm_training(c.x[0], c.x[1], c.x[2], c.real("epsilon", 1e-5)?)),
    ),
    row(
        "batch_norm_inference",
        &["x", "gamma", "beta", "mean", "variance"],
        EPSILON,
        "gamma (x - mean) / sqrt(variance + epsilon) + beta with given statistics, all [c]",
        "batch_norm_inference([1, 2; 3, 5], [1, 2], [0, 1], [2, 3], [1, 2])",
        |c| {
            let epsilon = c.real("epsilon", 1e-5)?;
            Ok(c.g.batch_norm_inference(c.x[0], c.x[1], c.x[2], c.x[3], c.x[4], epsilon))
        },
    ),
    row(
        "maxout",
        &["x"],
        &[attribute("pieces", "2")],
        "the largest of each so many neighbouring columns: [m, units pieces] to [m, units]",
        "maxout([1, 2, 4, 3], pieces=2)",
        |c| Ok(c.g.maxout(c.x[0], c.count("pieces", 2)?)),
    ),
    row(
        "dropout",
        &["x"],
        &[attribute("keep", "0.5")],
        "inverted dropout: x / keep with probability keep, else 0; the noise is given by --noise",
        "dropout([1, 2, 3, 4], keep=0.5)",
        |c| Ok(c.g.dropout_inverted(c.x[0], c.real("keep", 0.5)?)),
    )
    .also(&["dropout_inverted"]),
    row(
        "dropout_naive",
        &["x"],
        &[attribute("keep", "0.5")],
        "x with probability keep, else 0; the noise is given by --noise",
        "dropout_naive([1, 2, 3, 4], keep=0.5)",
        |c| Ok(c.g.dropout_naive(c.x[0], c.real("keep", 0.5)?)),
    ),
    row(
        "one_hot",
        &["labels"],
        &[attribute("classes", "")],
        "class indices [...] to [..., classes]; no gradient",
        "one_hot([0, 2], classes=3)",
        |c| Ok(c.g.one_hot(c.x[0], c.count("classes", 1)?)),
    ),
    row(
        "gather",
        &["x", "labels"],
        &[],
        "the element of each row of x [m, classes] that labels [m] point to: [m]",
        "gather([1, 2; 3, 4], [0, 1])",
        |c| Ok(c.g.gather(c.x[0], c.x[1])),
    ),
    row(
        "cross_entropy",
        &["logits", "labels"],
        &[],
        "-log softmax(logits)[label] of each example: logits [m, classes], labels [m]",
        "cross_entropy([1, 2; 3, 4], [0, 1])",
        |c| Ok(c.g.cross_entropy(c.x[0], c.x[1])),
    ),
    row(
        "softmax_cross_entropy",
        &["logits", "labels"],
        &[],
        "the mean of cross_entropy, a scalar",
        "softmax_cross_entropy([1, 2; 3, 4], [0, 1])",
        |c| Ok(c.g.mean_all(c.g.cross_entropy(c.x[0], c.x[1]))),
    )
    .also(&["softmax_cost"]),
    row(
        "binary_cross_entropy",
        &["logits", "targets"],
        &[],
        "softplus(z) - t z of each element, from logits z and targets t of one shape",
        "binary_cross_entropy([1, -2], [0, 1])",
        |c| Ok(c.g.binary_cross_entropy(c.x[0], c.x[1])),
    ),
    row(
        "logistic_cost",
        &["logits", "targets"],
        &[],
        "the mean of binary_cross_entropy, a scalar",
        "logistic_cost([1, -2], [0, 1])",
        |c| Ok(c.g.mean_all(c.g.binary_cross_entropy(c.x[0], c.x[1]))),
    ),
    row(
        "squared_error",
        &["prediction", "target"],
        &[],
        "(p - t)^2 / 2 of each element",
        "squared_error([1, -2], [0, 1])",
        |c| Ok(c.g.squared_error(c.x[0], c.x[1])),
    ),
    row(
        "linear_cost",
        &["prediction", "target"],
        &[],
        "1/(2m) sum (p - t)^2, the lecture's cost J of linear regression, a scalar",
        "linear_cost([1, -2], [0, 1])",
        |c| Ok(c.g.mean_all(c.g.squared_error(c.x[0], c.x[1]))),
    ),
    row(
        "mse",
        &["prediction", "target"],
        &[],
        "the mean of (p - t)^2, a scalar",
        "mse([1, -2], [0, 1])",
        |c| Ok(c.g.mean_all(c.g.square(c.g.sub(c.x[0], c.x[1])))),
    )
    .also(&["mean_squared_error", "mse_loss"]),
];

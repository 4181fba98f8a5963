//! Functions of single elements. Operands of two shapes are broadcast as NumPy does.

use super::{Function, attribute, row};

pub(super) static FUNCTIONS: &[Function] = &[
    row("add", &["a", "b"], &[], "a + b", "[1, 2] + 3", |c| Ok(c.g.add(c.x[0], c.x[1]))),
    row("sub", &["a", "b"], &[], "a - b", "[1, 2] - 3", |c| Ok(c.g.sub(c.x[0], c.x[1]))),
    row("mul", &["a", "b"], &[], "a * b", "[1, 2] * 3", |c| Ok(c.g.mul(c.x[0], c.x[1]))),
    row("div", &["a", "b"], &[], "a / b", "[1, 2] / 3", |c| Ok(c.g.div(c.x[0], c.x[1]))),
    row("pow", &["a", "b"], &[], "a ^ b, element by element", "[1, 2] ^ 3", |c| Ok(c.g.pow(c.x[0], c.x[1]))),
    row(
        "min",
        &["a", "b"],
        &[],
        "the smaller; the gradient of a tie is halved",
        "min([1, 4], [2, 3])",
        |c| Ok(c.g.min(c.x[0], c.x[1])),
    )
    .also(&["minimum"]),
    row("max", &["a", "b"], &[], "the larger; the gradient of a tie is halved", "max([1, 4], [2, 3])", |c| {
        Ok(c.g.max(c.x[0], c.x[1]))
    })
    .also(&["maximum"]),
    row("neg", &["x"], &[], "-x", "-[1, 2]", |c| Ok(c.g.neg(c.x[0]))),
    row("abs", &["x"], &[], "|x|; gradient 0 at 0", "abs([-1, 2])", |c| Ok(c.g.abs(c.x[0]))),
    row("square", &["x"], &[], "x * x", "square([1, 2])", |c| Ok(c.g.square(c.x[0]))),
    row("sqrt", &["x"], &[], "the square root", "sqrt([1, 2])", |c| Ok(c.g.sqrt(c.x[0]))),
    row("recip", &["x"], &[], "1 / x", "recip([1, 2])", |c| Ok(c.g.recip(c.x[0]))).also(&["reciprocal"]),
    row("exp", &["x"], &[], "e^x", "exp([1, 2])", |c| Ok(c.g.exp(c.x[0]))),
    row("expm1", &["x"], &[], "e^x - 1, accurate near 0", "expm1([1, 2])", |c| Ok(c.g.expm1(c.x[0]))),
    row("log", &["x"], &[], "the natural logarithm", "log([1, 2])", |c| Ok(c.g.log(c.x[0]))).also(&["ln"]),
    row("log1p", &["x"], &[], "ln(1 + x), accurate near 0", "log1p([1, 2])", |c| Ok(c.g.log1p(c.x[0]))),
    row("sigmoid", &["x"], &[], "1 / (1 + e^-x)", "sigmoid([-1, 2])", |c| Ok(c.g.sigmoid(c.x[0])))
        .also(&["logistic"]),
    row("tanh", &["x"], &[], "the hyperbolic tangent", "tanh([-1, 2])", |c| Ok(c.g.tanh(c.x[0]))),
    row("softplus", &["x"], &[], "ln(1 + e^x), without overflow", "softplus([-1, 2])", |c| {
        Ok(c.g.softplus(c.x[0]))
    }),
    row("relu", &["x"], &[], "max(x, 0); gradient 0 at 0", "relu([-1, 2])", |c| Ok(c.g.relu(c.x[0]))),
    row("relu6", &["x"], &[], "min(max(x, 0), 6); gradient 0 at 0 and 6", "relu6([-1, 2, 8])", |c| {
        Ok(c.g.relu6(c.x[0]))
    }),
    row(
        "leaky_relu",
        &["x"],
        &[attribute("slope", "0.01")],
        "x where positive, slope x elsewhere",
        "leaky_relu([-1, 2], slope=0.1)",
        |c| Ok(c.g.leaky_relu(c.x[0], c.real("slope", 0.01)?)),
    ),
    row(
        "elu",
        &["x"],
        &[attribute("alpha", "1")],
        "x where positive, alpha (e^x - 1) elsewhere",
        "elu([-1, 2])",
        |c| Ok(c.g.elu(c.x[0], c.real("alpha", 1.0)?)),
    ),
    row("silu", &["x"], &[], "x sigmoid(x)", "silu([-1, 2])", |c| Ok(c.g.mul(c.x[0], c.g.sigmoid(c.x[0]))))
        .also(&["swish"]),
    row("sign", &["x"], &[], "-1, 0 or 1; no gradient", "sign([-1, 0, 2])", |c| Ok(c.g.sign(c.x[0]))),
    row("floor", &["x"], &[], "the largest integer not above x; no gradient", "floor([-1.5, 2.5])", |c| {
        Ok(c.g.floor(c.x[0]))
    }),
    row("lt", &["a", "b"], &[], "1 where a < b, else 0; no gradient", "[1, 2] < 2", |c| {
        Ok(c.g.lt(c.x[0], c.x[1]))
    }),
    row("le", &["a", "b"], &[], "1 where a <= b, else 0; no gradient", "[1, 2] <= 2", |c| {
        Ok(c.g.le(c.x[0], c.x[1]))
    }),
    row("gt", &["a", "b"], &[], "1 where a > b, else 0; no gradient", "[1, 2] > 1", |c| {
        Ok(c.g.gt(c.x[0], c.x[1]))
    }),
    row("ge", &["a", "b"], &[], "1 where a >= b, else 0; no gradient", "[1, 2] >= 2", |c| {
        Ok(c.g.ge(c.x[0], c.x[1]))
    }),
    row("eq", &["a", "b"], &[], "1 where a == b, else 0; no gradient", "[1, 2] == 2", |c| {
        Ok(c.g.eq(c.x[0], c.x[1]))
    }),
    row("ne", &["a", "b"], &[], "1 where a != b, else 0; no gradient", "[1, 2] != 2", |c| {
        Ok(c.g.ne(c.x[0], c.x[1]))
    }),
    row(
        "select",
        &["condition", "a", "b"],
        &[],
        "a where condition != 0, else b; no gradient of the condition",
        "select([0, 1], [2, 3], 5)",
        |c| Ok(c.g.select(c.x[0], c.x[1], c.x[2])),
    )
    .also(&["where"]),
    row("stop_gradient", &["x"], &[], "x, a constant to gradients", "stop_gradient([1, 2]) * 3", |c| {
        Ok(c.g.stop_gradient(c.x[0]))
    })
    .also(&["detach"]),
];

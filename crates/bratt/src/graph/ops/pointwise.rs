//! Pointwise functions: all derivatives on one page.
//!
//! | name | y | dy/dx |
//! |---|---|---|
//! | neg | -x | -1 |
//! | abs | \|x\| | sign x (0 at 0) |
//! | sign, floor | piecewise constant | none |
//! | exp | e^x | y |
//! | expm1 | e^x - 1 | y + 1 |
//! | log | ln x | 1/x |
//! | log1p | ln(1 + x) | 1/(1 + x) |
//! | sqrt | x^(1/2) | 1/(2y) |
//! | recip | 1/x | -y^2 |
//! | sigmoid | 1/(1 + e^-x) | y (1 - y) |
//! | tanh | tanh x | 1 - y^2 |
//! | softplus | ln(1 + e^x) | sigmoid x |
//! | relu | max(x, 0) | 1 if x > 0, else 0 |
//! | relu6 | min(max(x, 0), 6) | 1 if 0 < x < 6, else 0 |
//! | leaky_relu | x if x > 0, else slope x | 1 if x > 0, else slope |
//! | elu | x if x > 0, else alpha (e^x - 1) | 1 if x > 0, else y + alpha |
//!
//! | name | y | dy/da | dy/db |
//! |---|---|---|---|
//! | add | a + b | 1 | 1 |
//! | sub | a - b | 1 | -1 |
//! | mul | a b | b | a |
//! | div | a / b | 1/b | -y/b |
//! | min, max | | 1 where a is taken, 1/2 on a tie | likewise |
//! | pow | a^b | b a^(b-1) (0 where b = 0) | y ln a (0 where a = 0) |
//! | lt, le, eq, ne (gt, ge) | 0 or 1 | none | none |
//! | select(c, a, b) | a where c != 0, else b | where c != 0 | elsewhere |
//!
//! All arguments have one shape; the builder's methods broadcast as NumPy does. Where a derivative is itself
//! piecewise constant (relu, abs), it is treated as a constant by further differentiation. Where y tells on which side x
//! lies, the derivative asks y: the next layer keeps it in memory anyway.
//!
//! Sources: lecture on activation functions; ReLU6: Krizhevsky 2010; leaky ReLU: Maas et al. 2013; ELU: Clevert et al. 2016.

use crate::graph::{Cotangent, GraphBuilder, Op, Scalar, Value};
use crate::tensor::Shape;
use Cotangent::{Flow, Undefined};

/// Functions of one argument.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs)]
pub enum Unary {
    Neg,
    Abs,
    Sign,
    Floor,
    Exp,
    Expm1,
    Log,
    Log1p,
    Sqrt,
    Recip,
    Sigmoid,
    Tanh,
    Softplus,
    Relu,
    Relu6,
    /// The slope below zero.
    LeakyRelu(Scalar),
    /// The limit at minus infinity, negated.
    Elu(Scalar),
}

impl Unary {
    /// The name as it is printed.
    pub fn name(self) -> &'static str {
        match self {
            Unary::Neg => "neg",
            Unary::Abs => "abs",
            Unary::Sign => "sign",
            Unary::Floor => "floor",
            Unary::Exp => "exp",
            Unary::Expm1 => "expm1",
            Unary::Log => "log",
            Unary::Log1p => "log1p",
            Unary::Sqrt => "sqrt",
            Unary::Recip => "recip",
            Unary::Sigmoid => "sigmoid",
            Unary::Tanh => "tanh",
            Unary::Softplus => "softplus",
            Unary::Relu => "relu",
            Unary::Relu6 => "relu6",
            Unary::LeakyRelu(_) => "leaky_relu",
            Unary::Elu(_) => "elu",
        }
    }

    pub(crate) fn attributes(self) -> String {
        match self {
            Unary::LeakyRelu(slope) => format!("slope={slope}"),
            Unary::Elu(alpha) => format!("alpha={alpha}"),
            _ => String::new(),
        }
    }

    /// The function itself, as the reference interpreter evaluates it.
    pub fn eval(self, x: f64) -> f64 {
        match self {
            Unary::Neg => -x,
            Unary::Abs => x.abs(),
            Unary::Sign if x == 0.0 || x.is_nan() => x,
            Unary::Sign => x.signum(),
            Unary::Floor => x.floor(),
            Unary::Exp => x.exp(),
            Unary::Expm1 => x.exp_m1(),
            Unary::Log => x.ln(),
            Unary::Log1p => x.ln_1p(),
            Unary::Sqrt => x.sqrt(),
            Unary::Recip => 1.0 / x,
            Unary::Sigmoid if x >= 0.0 => 1.0 / (1.0 + (-x).exp()),
            Unary::Sigmoid => x.exp() / (1.0 + x.exp()),
            Unary::Tanh => x.tanh(),
            Unary::Softplus if x.is_nan() => x,
            Unary::Softplus => x.max(0.0) + (-x.abs()).exp().ln_1p(),
            Unary::Relu | Unary::Relu6 if x < 0.0 => 0.0,
            Unary::Relu6 if x > 6.0 => 6.0,
            Unary::Relu | Unary::Relu6 => x,
            Unary::LeakyRelu(slope) if x <= 0.0 => slope.get() * x,
            Unary::Elu(alpha) if x <= 0.0 => alpha.get() * x.exp_m1(),
            Unary::LeakyRelu(_) | Unary::Elu(_) => x,
        }
    }

    pub(crate) fn gradient(self, g: &GraphBuilder, x: Value, y: Value, dy: Value) -> Cotangent {
        let zero = || g.constant(0.0);
        let positive = |of| g.stop_gradient(g.gt(of, zero()));
        let side = |slope: Scalar| positive(if slope.get() >= 0.0 { y } else { x });
        Flow(match self {
            Unary::Neg => g.neg(dy),
            Unary::Abs => g.mul(dy, g.stop_gradient(g.sign(x))),
            Unary::Sign | Unary::Floor => return Undefined("a piecewise constant function"),
            Unary::Exp => g.mul(dy, y),
            Unary::Expm1 => g.mul(dy, g.add(y, g.constant(1.0))),
            Unary::Log => g.div(dy, x),
            Unary::Log1p => g.div(dy, g.add(x, g.constant(1.0))),
            Unary::Sqrt => g.div(g.mul(dy, g.constant(0.5)), y),
            Unary::Recip => g.neg(g.mul(dy, g.mul(y, y))),
            Unary::Sigmoid => g.mul(dy, g.mul(y, g.sub(g.constant(1.0), y))),
            Unary::Tanh => g.mul(dy, g.sub(g.constant(1.0), g.mul(y, y))),
            Unary::Softplus => g.mul(dy, g.sigmoid(x)),
            Unary::Relu => g.select(positive(y), dy, zero()),
            Unary::Relu6 => {
                let below = g.stop_gradient(g.lt(y, g.constant(6.0)));
                g.select(positive(y), g.select(below, dy, zero()), zero())
            }
            Unary::LeakyRelu(slope) => g.select(side(slope), dy, g.mul(dy, g.constant(slope.get()))),
            Unary::Elu(alpha) => g.select(side(alpha), dy, g.mul(dy, g.add(y, g.constant(alpha.get())))),
        })
    }
}

/// Functions of two arguments.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs)]
pub enum Binary {
    Add,
    Sub,
    Mul,
    Div,
    Min,
    Max,
    Pow,
    Lt,
    Le,
    Eq,
    Ne,
}

impl Binary {
    /// The name as it is printed.
    pub fn name(self) -> &'static str {
        match self {
            Binary::Add => "add",
            Binary::Sub => "sub",
            Binary::Mul => "mul",
            Binary::Div => "div",
            Binary::Min => "min",
            Binary::Max => "max",
            Binary::Pow => "pow",
            Binary::Lt => "lt",
            Binary::Le => "le",
            Binary::Eq => "eq",
            Binary::Ne => "ne",
        }
    }

    /// The function itself, as the reference interpreter evaluates it.
    pub fn eval(self, a: f64, b: f64) -> f64 {
        let truth = |t: bool| if t { 1.0 } else { 0.0 };
        match self {
            Binary::Add => a + b,
            Binary::Sub => a - b,
            Binary::Mul => a * b,
            Binary::Div => a / b,
            Binary::Min | Binary::Max if a.is_nan() || b.is_nan() => f64::NAN,
            Binary::Min => a.min(b),
            Binary::Max => a.max(b),
            Binary::Pow => a.powf(b),
            Binary::Lt => truth(a < b),
            Binary::Le => truth(a <= b),
            Binary::Eq => truth(a == b),
            Binary::Ne => truth(a != b),
        }
    }

    pub(crate) fn gradient(
        self,
        g: &GraphBuilder,
        a: Value,
        b: Value,
        y: Value,
        dy: Value,
    ) -> [Cotangent; 2] {
        let zero = || g.constant(0.0);
        // The share of dy that the taken argument gets: all of it, or half on a tie.
        let share = |taken: Value| {
            let tie = g.stop_gradient(g.eq(a, b));
            let half = g.mul(dy, g.constant(0.5));
            Flow(g.select(tie, half, g.select(g.stop_gradient(taken), dy, zero())))
        };
        match self {
            Binary::Add => [Flow(dy), Flow(dy)],
            Binary::Sub => [Flow(dy), Flow(g.neg(dy))],
            Binary::Mul => [Flow(g.mul(dy, b)), Flow(g.mul(dy, a))],
            Binary::Div => [Flow(g.div(dy, b)), Flow(g.neg(g.div(g.mul(dy, y), b)))],
            Binary::Min => [share(g.lt(a, b)), share(g.lt(b, a))],
            Binary::Max => [share(g.lt(b, a)), share(g.lt(a, b))],
            Binary::Pow => {
                // Where b = 0 the power is constant, also at a = 0 where b a^(b-1) is 0 times infinity.
                let slope = g.mul(b, g.pow(a, g.sub(b, g.constant(1.0))));
                let da = g.mul(dy, g.select(g.stop_gradient(g.eq(b, zero())), zero(), slope));
                let base = g.select(g.stop_gradient(g.eq(a, zero())), g.constant(1.0), a);
                [Flow(da), Flow(g.mul(dy, g.mul(y, g.log(base))))]
            }
            Binary::Lt | Binary::Le | Binary::Eq | Binary::Ne => {
                [Undefined("a comparison, which is piecewise constant"); 2]
            }
        }
    }
}

macro_rules! unary_methods {
    ($($(#[$doc:meta])* $name:ident $variant:ident)*) => {
        /// Functions of one argument.
        impl GraphBuilder {
            $($(#[$doc])*
            #[track_caller]
            pub fn $name(&self, x: Value) -> Value {
                self.add_node(Op::Unary(Unary::$variant), &[x])
            })*
        }
    };
}

unary_methods! {
    /// `-x`
    neg Neg
    /// `|x|`
    abs Abs
    /// -1, 0 or 1
    sign Sign
    /// The largest integer not above `x`.
    floor Floor
    /// `e^x`
    exp Exp
    /// `e^x - 1`, accurate near 0.
    expm1 Expm1
    /// The natural logarithm.
    log Log
    /// `ln(1 + x)`, accurate near 0.
    log1p Log1p
    /// The square root.
    sqrt Sqrt
    /// `1 / x`
    recip Recip
    /// The logistic function `1 / (1 + e^-x)`.
    sigmoid Sigmoid
    /// The hyperbolic tangent.
    tanh Tanh
    /// `ln(1 + e^x)`, without overflow.
    softplus Softplus
    /// `max(x, 0)`
    relu Relu
    /// `min(max(x, 0), 6)`
    relu6 Relu6
}

macro_rules! binary_methods {
    ($($(#[$doc:meta])* $name:ident $variant:ident)*) => {
        /// Functions of two arguments, broadcast against each other as NumPy does: axes are aligned at the end,
        /// missing axes and axes of extent 1 are repeated.
        impl GraphBuilder {
            $($(#[$doc])*
            #[track_caller]
            pub fn $name(&self, a: Value, b: Value) -> Value {
                self.pointwise(Op::Binary(Binary::$variant), &[a, b])
            })*
        }
    };
}

binary_methods! {
    /// `a + b`
    add Add
    /// `a - b`
    sub Sub
    /// `a * b`, element by element.
    mul Mul
    /// `a / b`
    div Div
    /// The smaller; the gradient of a tie is halved.
    min Min
    /// The larger; the gradient of a tie is halved.
    max Max
    /// `a^b`
    pow Pow
    /// 1 where `a < b`, else 0.
    lt Lt
    /// 1 where `a <= b`, else 0.
    le Le
    /// 1 where `a == b`, else 0.
    eq Eq
    /// 1 where `a != b`, else 0.
    ne Ne
}

impl GraphBuilder {
    /// 1 where `a > b`, else 0.
    #[track_caller]
    pub fn gt(&self, a: Value, b: Value) -> Value {
        self.lt(b, a)
    }

    /// 1 where `a >= b`, else 0.
    #[track_caller]
    pub fn ge(&self, a: Value, b: Value) -> Value {
        self.le(b, a)
    }

    /// `x` where positive, `slope * x` elsewhere.
    #[track_caller]
    pub fn leaky_relu(&self, x: Value, slope: f64) -> Value {
        self.add_node(Op::Unary(Unary::LeakyRelu(slope.into())), &[x])
    }

    /// `x` where positive, `alpha * (e^x - 1)` elsewhere.
    #[track_caller]
    pub fn elu(&self, x: Value, alpha: f64) -> Value {
        self.add_node(Op::Unary(Unary::Elu(alpha.into())), &[x])
    }

    /// `x * x`
    #[track_caller]
    pub fn square(&self, x: Value) -> Value {
        self.mul(x, x)
    }

    /// `condition != 0 ? a : b`, with broadcasting. The condition is not differentiable.
    #[track_caller]
    pub fn select(&self, condition: Value, a: Value, b: Value) -> Value {
        self.pointwise(Op::Select, &[condition, a, b])
    }

    /// `x`, treated as a constant by gradients.
    #[track_caller]
    pub fn stop_gradient(&self, x: Value) -> Value {
        self.add_node(Op::StopGradient, &[x])
    }

    /// Adds a pointwise node after broadcasting its arguments to one shape.
    #[track_caller]
    fn pointwise(&self, op: Op, inputs: &[Value]) -> Value {
        let mut shape = Shape::scalar();
        for &input in inputs {
            let next = self.shape(input);
            match broadcast_together(&shape, &next) {
                Some(joined) => shape = joined,
                None => {
                    return self.fail(
                        op.name(),
                        format!("shapes {} do not broadcast together", self.shapes(inputs)),
                    );
                }
            }
        }
        let mut repeated = Vec::with_capacity(inputs.len());
        for &input in inputs {
            repeated.push(self.broadcast(input, &shape));
        }
        self.add_node(op, &repeated)
    }
}

/// NumPy's broadcasting rule.
pub(crate) fn broadcast_together(a: &Shape, b: &Shape) -> Option<Shape> {
    let rank = a.rank().max(b.rank());
    let extent = |s: &Shape, i: usize| (i + s.rank()).checked_sub(rank).map_or(1, |j| s[j]);
    (0..rank)
        .map(|i| match (extent(a, i), extent(b, i)) {
            (x, y) if x == y => Some(x),
            (1, y) => Some(y),
            (x, 1) => Some(x),
            _ => None,
        })
        .collect::<Option<Vec<usize>>>()
        .map(Shape::from)
}

pub(crate) fn same_shape(inputs: &[&Shape]) -> Result<Shape, String> {
    if inputs.iter().all(|s| *s == inputs[0]) {
        Ok(inputs[0].clone())
    } else {
        let found: Vec<String> = inputs.iter().map(|s| s.to_string()).collect();
        Err(format!("found shapes {}, expected them to be equal", found.join(", ")))
    }
}

pub(crate) fn select_gradient(g: &GraphBuilder, x: &[Value], dy: Value) -> [Cotangent; 3] {
    let zero = g.constant(0.0);
    [
        Undefined("the condition of a select, which is piecewise constant"),
        Flow(g.select(x[0], dy, zero)),
        Flow(g.select(x[0], zero, dy)),
    ]
}

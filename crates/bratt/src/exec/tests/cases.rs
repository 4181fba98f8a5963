//! The cases: at least one for every operation. An operation without a row does not compile.

use super::images;
use crate::exec::interpret::{Key, State};
use crate::graph::{Binary, Graph, GraphBuilder, Init, Op, Reduction, Role, Unary, Value};
use crate::tensor::{Shape, Tensor};
use bratt_kernels::random::{stream_key, threefry, uniform_at};

/// Numbers of an argument from uniform ones in [0, 1).
type Domain = fn(f64) -> f64;
type Build = Box<dyn Fn(&GraphBuilder, &[Value]) -> Value>;

/// A small computation at one point.
pub(crate) struct Case {
    /// What is computed.
    pub(crate) name: String,
    /// The arguments, named x0, x1, ...
    pub(crate) arguments: Vec<Tensor<f64>>,
    /// Whether the arguments are slots instead of inputs.
    pub(crate) in_slots: bool,
    /// Computes the result from the arguments.
    pub(crate) build: Build,
    /// What a closed form gives, row-major.
    pub(crate) expected: Option<Vec<f64>>,
    /// The arguments that have a gradient.
    pub(crate) smooth: Vec<usize>,
}

impl Case {
    /// A case whose arguments all have gradients.
    pub(crate) fn new(
        name: impl Into<String>,
        arguments: Vec<Tensor<f64>>,
        build: impl Fn(&GraphBuilder, &[Value]) -> Value + 'static,
    ) -> Case {
        let smooth = (0..arguments.len()).collect();
        Case { name: name.into(), arguments, in_slots: false, build: Box::new(build), expected: None, smooth }
    }

    /// With the result by a closed form.
    pub(crate) fn expect(mut self, numbers: impl Into<Vec<f64>>) -> Case {
        self.expected = Some(numbers.into());
        self
    }

    /// With gradients only for these arguments.
    pub(crate) fn smooth(mut self, arguments: &[usize]) -> Case {
        self.smooth = arguments.to_vec();
        self
    }

    fn in_slots(mut self) -> Case {
        self.in_slots = true;
        self
    }

    pub(crate) fn argument(i: usize) -> String {
        format!("x{i}")
    }

    /// Declares the arguments and builds the result.
    pub(crate) fn write(&self, g: &GraphBuilder) -> (Vec<Value>, Value) {
        let declare = |(i, t): (usize, &Tensor<f64>)| {
            let name = Case::argument(i);
            if self.in_slots {
                g.slot(&name, t.shape(), Role::Parameter, Init::Constant(0.0)).1
            } else {
                g.input(&name, t.shape())
            }
        };
        let x: Vec<Value> = self.arguments.iter().enumerate().map(declare).collect();
        let y = (self.build)(g, &x);
        (x, y)
    }

    /// The graph with the output `y`.
    pub(crate) fn graph(&self) -> Graph {
        let g = Graph::builder();
        let (_, y) = self.write(&g);
        g.output("y", y);
        g.finish().unwrap_or_else(|e| panic!("{}: {e}", self.name))
    }

    /// Inputs and state.
    pub(crate) fn point(&self) -> (Vec<(String, Tensor<f64>)>, State) {
        let named = || self.arguments.iter().enumerate().map(|(i, t)| (Case::argument(i), t.clone()));
        if self.in_slots { (vec![], named().collect()) } else { (named().collect(), State::new()) }
    }
}

/// Numbers of a shape: `f` of uniform numbers in [0, 1).
pub(crate) fn random(shape: impl Into<Shape>, salt: u64, f: impl Fn(f64) -> f64) -> Tensor<f64> {
    let key = Key { seed: 0x7465_7374, step: salt };
    Tensor::from_fn(shape, |i| f(f64::from(uniform_at(key, 1, i as u64))))
}

/// Numbers from -2 to 2.
pub(crate) fn real(shape: impl Into<Shape>, salt: u64) -> Tensor<f64> {
    random(shape, salt, |u| 4.0 * u - 2.0)
}

/// From -2 to 2, but not within 0.1 of 0.
fn off_zero(u: f64) -> f64 {
    let x = 3.8 * u - 1.9;
    x + 0.1_f64.copysign(x)
}

fn wide(u: f64) -> f64 {
    4.0 * u - 2.0
}

fn positive(u: f64) -> f64 {
    0.2 + 3.0 * u
}

/// Shapes of every rank up to 5, extents of 1 included.
const SHAPES: [&[usize]; 5] = [&[], &[1], &[5], &[3, 1, 2], &[2, 1, 2, 1, 2]];

fn unary(
    name: &str,
    domain: Domain,
    build: fn(&GraphBuilder, Value) -> Value,
    closed: fn(f64) -> f64,
) -> Vec<Case> {
    let case = |(salt, shape): (usize, &&[usize])| {
        let x = random(*shape, salt as u64, domain);
        let expected: Vec<f64> = x.data().iter().map(|&x| closed(x)).collect();
        Case::new(format!("{name} {shape:?}"), vec![x], move |g, x| build(g, x[0])).expect(expected)
    };
    SHAPES.iter().enumerate().map(case).collect()
}

/// The element of `x` that broadcasting puts at a flat position of `shape`, by definition.
pub(crate) fn broadcast_element(x: &Tensor<f64>, shape: &[usize], flat: usize) -> f64 {
    let (mut rest, mut own, mut stride) = (flat, 0, 1);
    for back in 1..=shape.len() {
        let extent = shape[shape.len() - back];
        let index = rest % extent;
        rest /= extent;
        if back <= x.shape().rank() {
            let mine = x.shape()[x.shape().rank() - back];
            own += if mine == 1 { 0 } else { index * stride };
            stride *= mine;
        }
    }
    x.data()[own]
}

type Pair = (&'static [usize], &'static [usize], &'static [usize]);

/// Pairs of shapes and what they broadcast to.
const PAIRS: [Pair; 6] = [
    (&[], &[], &[]),
    (&[3], &[3], &[3]),
    (&[2, 3], &[], &[2, 3]),
    (&[2, 1, 3], &[4, 1], &[2, 4, 3]),
    (&[1, 2, 1, 2, 1], &[2, 1, 2], &[1, 2, 2, 2, 2]),
    (&[1, 1], &[5], &[1, 5]),
];

fn binary(
    name: &str,
    domain: (Domain, Domain),
    build: fn(&GraphBuilder, Value, Value) -> Value,
    closed: fn(f64, f64) -> f64,
) -> Vec<Case> {
    let case = |(salt, (a, b, joined)): (usize, &Pair)| {
        let x = random(*a, salt as u64, domain.0);
        let y = random(*b, 100 + salt as u64, domain.1);
        let expected: Vec<f64> = (0..joined.iter().product())
            .map(|i| closed(broadcast_element(&x, joined, i), broadcast_element(&y, joined, i)))
            .collect();
        Case::new(format!("{name} {a:?} {b:?}"), vec![x, y], move |g, x| build(g, x[0], x[1]))
            .expect(expected)
    };
    PAIRS.iter().enumerate().map(case).collect()
}

fn rough(cases: Vec<Case>) -> Vec<Case> {
    cases.into_iter().map(|case| case.smooth(&[])).collect()
}

fn truth(t: bool) -> f64 {
    f64::from(u8::from(t))
}

/// Few values, so that comparisons meet equal numbers.
fn few(u: f64) -> f64 {
    (3.0 * u).floor()
}

/// 0, 1, 2, ... in a shape: exact cases of movement.
fn counting(shape: impl Into<Shape>) -> Tensor<f64> {
    Tensor::from_fn(shape, |i| i as f64)
}

fn matrix_product(a: &Tensor<f64>, ta: bool, b: &Tensor<f64>, tb: bool) -> Vec<f64> {
    let element = |t: &Tensor<f64>, transposed: bool, i: usize, j: usize| {
        t.data()[if transposed { j * t.shape()[1] + i } else { i * t.shape()[1] + j }]
    };
    let (m, k) = if ta { (a.shape()[1], a.shape()[0]) } else { (a.shape()[0], a.shape()[1]) };
    let n = b.shape()[usize::from(!tb)];
    let mut c = vec![0.0; m * n];
    for p in 0..k {
        for i in 0..m {
            for j in 0..n {
                c[i * n + j] += element(a, ta, i, p) * element(b, tb, p, j);
            }
        }
    }
    c
}

fn matmuls() -> Vec<Case> {
    let mut cases = Vec::new();
    for (ta, tb) in [(false, false), (false, true), (true, false), (true, true)] {
        for (m, k, n) in [(2, 3, 4), (1, 1, 1), (1, 5, 1), (3, 1, 2)] {
            let a = real(if ta { [k, m] } else { [m, k] }, 7);
            let b = real(if tb { [n, k] } else { [k, n] }, 8);
            let expected = matrix_product(&a, ta, &b, tb);
            cases.push(
                Case::new(format!("matmul {ta} {tb} {m}x{k}x{n}"), vec![a, b], move |g, x| {
                    g.matmul_transposed(x[0], ta, x[1], tb)
                })
                .expect(expected),
            );
        }
    }
    cases
}

/// Each channel by itself, as a matrix and a vector.
fn depthwise_products() -> Vec<Case> {
    let mut cases = Vec::new();
    for trans in [false, true] {
        for (m, taps, channels) in [(3, 2, 4), (1, 1, 1), (1, 5, 2), (4, 1, 3), (5, 3, 1)] {
            let a = real([m, taps * channels], 7);
            let b = real([if trans { m } else { taps }, channels], 8);
            let columns: Vec<Vec<f64>> = (0..channels)
                .map(|c| {
                    let of_channel = |i: usize| a.data()[i * channels + c];
                    let weights = |i: usize| b.data()[i * channels + c];
                    let (a, b) =
                        (Tensor::from_fn([m, taps], of_channel), Tensor::from_fn([b.shape()[0], 1], weights));
                    matrix_product(&a, trans, &b, false)
                })
                .collect();
            let expected: Vec<f64> =
                (0..columns[0].len()).flat_map(|i| columns.iter().map(move |column| column[i])).collect();
            let case =
                Case::new(format!("depthwise {trans} {m}x{taps}x{channels}"), vec![a, b], move |g, x| {
                    g.depthwise_matmul(x[0], trans, x[1])
                });
            cases.push(case.expect(expected));
        }
    }
    cases
}

/// Reductions of distinct numbers over every kind of axes, with exact ones.
fn reductions(name: &str, kind: Reduction, exact: [&[f64]; 3]) -> Vec<Case> {
    let keep =
        move |axes: &'static [usize]| move |g: &GraphBuilder, x: &[Value]| g.reduce_keep(kind, x[0], axes);
    let x = || Tensor::new([2, 3], vec![3.0, -1.0, 2.0, 0.5, 7.0, -4.0]).unwrap();
    let mut cases = vec![
        Case::new(format!("{name} rows"), vec![x()], keep(&[0])).expect(exact[0]),
        Case::new(format!("{name} columns"), vec![x()], keep(&[1])).expect(exact[1]),
        Case::new(format!("{name} all"), vec![x()], keep(&[0, 1])).expect(exact[2]),
    ];
    for (shape, axes) in [
        (&[5][..], &[0][..]),
        (&[1, 4, 1], &[0, 2]),
        (&[2, 3, 2], &[1]),
        (&[2, 3, 2], &[0, 2]),
        (&[2, 1, 3, 1, 2], &[0, 2, 4]),
    ] {
        cases.push(Case::new(format!("{name} {shape:?} over {axes:?}"), vec![real(shape, 17)], keep(axes)));
    }
    cases
}

fn arg_reductions(kind: Reduction, exact: [f64; 2]) -> Vec<Case> {
    // Ties: the first one counts.
    let x = Tensor::new([2, 4], vec![3.0, -1.0, 3.0, -1.0, -4.0, 5.0, -4.0, 5.0]).unwrap();
    let other = real([2, 1, 3], 4);
    let build = move |axis| {
        move |g: &GraphBuilder, x: &[Value]| match kind {
            Reduction::Min => g.argmin(x[0], axis),
            _ => g.argmax(x[0], axis),
        }
    };
    vec![
        Case::new(format!("{} ties", kind.arg_name()), vec![x], build(1)).expect(exact).smooth(&[]),
        Case::new(format!("{} of one", kind.arg_name()), vec![other.clone()], build(1))
            .expect([0.0; 6])
            .smooth(&[]),
        Case::new(format!("{} outer axis", kind.arg_name()), vec![other], build(0)).smooth(&[]),
    ]
}

/// Normalisations over an axis, against a form without the maximum taken out.
fn softmaxes(name: &str, logarithm: bool) -> Vec<Case> {
    let build = move |axis| {
        move |g: &GraphBuilder, x: &[Value]| {
            if logarithm { g.log_softmax(x[0], axis) } else { g.softmax(x[0], axis) }
        }
    };
    let mut cases = Vec::new();
    for (shape, axis) in
        [(&[4][..], 0), (&[3, 4], 1), (&[3, 4], 0), (&[2, 1], 1), (&[2, 3, 2], 1), (&[1, 2, 1, 3, 1], 3)]
    {
        let x = real(shape, 5);
        let stride: usize = shape[axis + 1..].iter().product();
        let expected: Vec<f64> = (0..x.shape().len())
            .map(|i| {
                let first = i - (i / stride % shape[axis]) * stride;
                let total: f64 = (0..shape[axis]).map(|j| x.data()[first + j * stride].exp()).sum();
                if logarithm { (x.data()[i].exp() / total).ln() } else { x.data()[i].exp() / total }
            })
            .collect();
        cases.push(Case::new(format!("{name} {shape:?} axis {axis}"), vec![x], build(axis)).expect(expected));
    }
    cases
}

fn standardizations() -> Vec<Case> {
    let mut cases = vec![
        // mean 3, variance 5 - 1 = 4 + 1
        Case::new("standardize 1 5", vec![Tensor::new([2, 1], vec![1.0, 5.0]).unwrap()], |g, x| {
            g.standardize(x[0], &[0], 0.0)
        })
        .expect([-1.0, 1.0]),
        Case::new("standardize with epsilon", vec![Tensor::new([2, 1], vec![0.0, 2.0]).unwrap()], |g, x| {
            g.standardize(x[0], &[0], 3.0)
        })
        .expect([-0.5, 0.5]),
        Case::new("standardize one element", vec![real([1, 3], 2)], |g, x| g.standardize(x[0], &[0], 1e-2))
            .expect([0.0; 3]),
    ];
    for (shape, axes) in
        [(&[6, 2][..], &[0][..]), (&[2, 5], &[1]), (&[3, 2, 2], &[0, 1]), (&[2, 3, 1, 2, 2], &[0, 2, 4])]
    {
        cases.push(Case::new(
            format!("standardize {shape:?} over {axes:?}"),
            vec![real(shape, 6)],
            move |g, x| g.standardize(x[0], axes, 1e-3),
        ));
    }
    cases
}

/// The definition of a stream's numbers, written out once more.
fn uniform_numbers(key: Key, stream: u32, count: usize) -> Vec<f64> {
    let numbers = |i: usize| {
        let counter = (i / 32 * 16 + i % 16) as u32;
        let words = threefry(stream_key(key, stream), [counter, 0]);
        f64::from(words[i % 32 / 16] >> 8) / f64::from(1 << 24)
    };
    (0..count).map(numbers).collect()
}

macro_rules! table {
    ($($pattern:pat => $cases:expr,)*) => {
        /// The row of an operation: exhaustive, so that a new one without cases does not compile.
        pub(crate) fn row(op: &Op) -> &'static str {
            match op { $($pattern => stringify!($pattern),)* }
        }

        /// Every row with its cases.
        pub(crate) fn table() -> Vec<(&'static str, Vec<Case>)> {
            vec![$((stringify!($pattern), $cases),)*]
        }
    };
}

table! {
    Op::Input { .. } => unary("input", wide, |_, x| x, |x| x),
    Op::Slot { .. } => unary("slot", wide, |_, x| x, |x| x).into_iter().map(Case::in_slots).collect(),
    Op::Constant(_) => vec![Case::new("constant", vec![], |g, _| g.constant(-2.5)).expect([-2.5])],
    Op::Iota { .. } => vec![
        Case::new("iota rows", vec![], |g, _| g.iota([2, 3], 0)).expect([0.0, 0.0, 0.0, 1.0, 1.0, 1.0]),
        Case::new("iota columns", vec![], |g, _| g.iota([2, 3], 1)).expect([0.0, 1.0, 2.0, 0.0, 1.0, 2.0]),
    ],
    Op::Uniform { .. } => vec![
        Case::new("uniform", vec![], |g, _| g.uniform([7, 13], 5)).expect(uniform_numbers(Key::default(), 5, 91)),
    ],
    Op::Unary(Unary::Neg) => unary("neg", wide, |g, x| g.neg(x), |x| 0.0 - x),
    Op::Unary(Unary::Abs) => unary("abs", off_zero, |g, x| g.abs(x), |x| if x < 0.0 { -x } else { x }),
    Op::Unary(Unary::Sign) => rough(unary("sign", off_zero, |g, x| g.sign(x), |x| x / x.abs())),
    Op::Unary(Unary::Floor) => rough(unary("floor", wide, |g, x| g.floor(x), |x| x - (x + 2.0) % 1.0)),
    Op::Unary(Unary::Exp) => unary("exp", wide, |g, x| g.exp(x), |x| std::f64::consts::E.powf(x)),
    Op::Unary(Unary::Expm1) => unary("expm1", wide, |g, x| g.expm1(x), |x| x.exp() - 1.0),
    Op::Unary(Unary::Log) => unary("log", positive, |g, x| g.log(x), |x| x.log2() * std::f64::consts::LN_2),
    Op::Unary(Unary::Log1p) => unary("log1p", positive, |g, x| g.log1p(x), |x| (1.0 + x).ln()),
    Op::Unary(Unary::Sqrt) => unary("sqrt", positive, |g, x| g.sqrt(x), |x| x.powf(0.5)),
    Op::Unary(Unary::Recip) => unary("recip", off_zero, |g, x| g.recip(x), |x| x.powi(-1)),
    Op::Unary(Unary::Sigmoid) => unary("sigmoid", wide, |g, x| g.sigmoid(x), |x| 0.5 + 0.5 * (0.5 * x).tanh()),
    Op::Unary(Unary::Tanh) => unary("tanh", wide, |g, x| g.tanh(x), |x| 1.0 - 2.0 / ((2.0 * x).exp() + 1.0)),
    Op::Unary(Unary::Softplus) => unary("softplus", wide, |g, x| g.softplus(x), |x| (1.0 + x.exp()).ln()),
    Op::Unary(Unary::Relu6) => unary("relu6", |u| 3.0 + 4.0 * off_zero(u), |g, x| g.relu6(x), |x| x.clamp(0.0, 6.0)),
    Op::Unary(Unary::Relu) => unary("relu", off_zero, |g, x| g.relu(x), |x| 0.5 * (x + x.abs())),
    Op::Unary(Unary::LeakyRelu(_)) => unary(
        "leaky_relu", off_zero, |g, x| g.leaky_relu(x, 0.1), |x| if x > 0.0 { x } else { x / 10.0 }),
    Op::Unary(Unary::Elu(_)) => unary(
        "elu", off_zero, |g, x| g.elu(x, 1.5), |x| if x > 0.0 { x } else { 1.5 * x.exp() - 1.5 }),
    Op::Binary(Binary::Add) => binary("add", (wide, wide), |g, a, b| g.add(a, b), |a, b| b + a),
    Op::Binary(Binary::Sub) => binary("sub", (wide, wide), |g, a, b| g.sub(a, b), |a, b| -(b - a)),
    Op::Binary(Binary::Mul) => binary("mul", (wide, wide), |g, a, b| g.mul(a, b), |a, b| b * a),
    Op::Binary(Binary::Div) => binary("div", (wide, off_zero), |g, a, b| g.div(a, b), |a, b| a * b.recip()),
    Op::Binary(Binary::Min) => binary("min", (wide, wide), |g, a, b| g.min(a, b), |a, b| if a < b { a } else { b }),
    Op::Binary(Binary::Max) => binary("max", (wide, wide), |g, a, b| g.max(a, b), |a, b| if a > b { a } else { b }),
    Op::Binary(Binary::Pow) => binary("pow", (positive, wide), |g, a, b| g.pow(a, b), |a, b| (b * a.ln()).exp()),
    Op::Binary(Binary::Lt) => rough(binary("lt", (few, few), |g, a, b| g.lt(a, b), |a, b| truth(b - a > 0.0))),
    Op::Binary(Binary::Le) => rough(binary("le", (few, few), |g, a, b| g.le(a, b), |a, b| truth(b - a >= 0.0))),
    Op::Binary(Binary::Eq) => rough(binary("eq", (few, few), |g, a, b| g.eq(a, b), |a, b| truth(a - b == 0.0))),
    Op::Binary(Binary::Ne) => rough(binary("ne", (few, few), |g, a, b| g.ne(a, b), |a, b| truth(a - b != 0.0))),
    Op::Select => vec![
        Case::new("select", vec![
            Tensor::new([4], vec![1.0, 0.0, -3.0, 0.0]).unwrap(),
            Tensor::new([4], vec![1.0, 2.0, 3.0, 4.0]).unwrap(),
            Tensor::new([4], vec![5.0, 6.0, 7.0, 8.0]).unwrap(),
        ], |g, x| g.select(x[0], x[1], x[2])).expect([1.0, 6.0, 3.0, 8.0]).smooth(&[1, 2]),
        Case::new("select broadcast", vec![random([3, 1], 1, |u| (2.0 * u).floor()), real([2], 2), real([], 3)],
            |g, x| g.select(x[0], x[1], x[2])).smooth(&[1, 2]),
    ],
    Op::StopGradient => unary("stop_gradient", wide, |g, x| g.stop_gradient(x), |x| x),
    Op::Broadcast { .. } => {
        let mut cases = vec![
            Case::new("broadcast rows", vec![counting([2])], |g, x| g.broadcast(x[0], [2, 2]))
                .expect([0.0, 1.0, 0.0, 1.0]),
            Case::new("broadcast columns", vec![counting([2, 1])], |g, x| g.broadcast(x[0], [2, 3]))
                .expect([0.0, 0.0, 0.0, 1.0, 1.0, 1.0]),
        ];
        for (from, to) in [
            (&[][..], &[3][..]), (&[1], &[1, 1]), (&[2, 1, 3], &[2, 4, 3]), (&[1, 2, 1], &[2, 3, 1, 2, 2]),
        ] {
            cases.push(Case::new(format!("broadcast {from:?} to {to:?}"), vec![real(from, 9)],
                move |g, x| g.broadcast(x[0], to)));
        }
        cases
    },
    Op::Reshape { .. } => vec![
        Case::new("reshape", vec![counting([2, 3])], |g, x| g.reshape(x[0], [3, 2]))
            .expect([0.0, 1.0, 2.0, 3.0, 4.0, 5.0]),
        Case::new("reshape to scalar", vec![real([1, 1], 1)], |g, x| g.reshape(x[0], [])),
    ],
    Op::Transpose { .. } => vec![
        Case::new("transpose", vec![counting([2, 3])], |g, x| g.transpose(x[0], &[1, 0]))
            .expect([0.0, 3.0, 1.0, 4.0, 2.0, 5.0]),
        Case::new("transpose cycle", vec![counting([1, 2, 3])], |g, x| g.transpose(x[0], &[2, 0, 1]))
            .expect([0.0, 3.0, 1.0, 4.0, 2.0, 5.0]),
        Case::new("transpose 5 axes", vec![real([2, 1, 3, 2, 1], 3)], |g, x| g.transpose(x[0], &[3, 0, 4, 2, 1])),
        Case::new("transpose scalar", vec![real([], 3)], |g, x| g.transpose(x[0], &[])),
    ],
    Op::Slice { .. } => vec![
        Case::new("slice", vec![counting([3, 4])], |g, x| g.slice(x[0], &[1, 1], &[3, 3]))
            .expect([5.0, 6.0, 9.0, 10.0]),
        Case::new("slice one", vec![real([2, 3, 4], 3)], |g, x| g.slice(x[0], &[1, 2, 3], &[2, 3, 4])),
        Case::new("slice all", vec![real([4], 3)], |g, x| g.slice(x[0], &[0], &[4])),
        Case::new("slice scalar", vec![real([], 3)], |g, x| g.slice(x[0], &[], &[])),
    ],
    Op::Pad { .. } => vec![
        Case::new("pad", vec![counting([1, 2])], |g, x| g.pad(x[0], &[1, 0], &[0, 1], 9.0))
            .expect([9.0, 9.0, 9.0, 0.0, 1.0, 9.0]),
        Case::new("pad 3 axes", vec![real([2, 1, 3], 3)], |g, x| g.pad(x[0], &[0, 2, 1], &[1, 0, 0], -1.0)),
        Case::new("pad scalar", vec![real([], 3)], |g, x| g.pad(x[0], &[], &[], 0.5)),
    ],
    Op::Concat { .. } => vec![
        Case::new("concat rows", vec![counting([1, 2]), counting([2, 2])], |g, x| g.concat(x, 0))
            .expect([0.0, 1.0, 0.0, 1.0, 2.0, 3.0]),
        Case::new("concat columns", vec![counting([2, 1]), counting([2, 2])], |g, x| g.concat(x, 1))
            .expect([0.0, 0.0, 1.0, 1.0, 2.0, 3.0]),
        Case::new("concat one twice", vec![real([2, 1, 2], 3)], |g, x| g.concat(&[x[0], x[0]], 1)),
        Case::new("concat one", vec![real([3], 3)], |g, x| g.concat(x, 0)),
    ],
    Op::Reduce { kind: Reduction::Sum, .. } =>
        reductions("sum", Reduction::Sum, [&[3.5, 6.0, -2.0], &[4.0, 3.5], &[7.5]]),
    Op::Reduce { kind: Reduction::Max, .. } =>
        reductions("max", Reduction::Max, [&[3.0, 7.0, 2.0], &[3.0, 7.0], &[7.0]]),
    Op::Reduce { kind: Reduction::Min, .. } =>
        reductions("min", Reduction::Min, [&[0.5, -1.0, -4.0], &[-1.0, -4.0], &[-4.0]]),
    Op::ArgReduce { kind: Reduction::Max | Reduction::Sum, .. } => arg_reductions(Reduction::Max, [0.0, 1.0]),
    Op::ArgReduce { kind: Reduction::Min, .. } => arg_reductions(Reduction::Min, [1.0, 0.0]),
    Op::MatMul { .. } => matmuls(),
    Op::DepthwiseMatMul { .. } => depthwise_products(),
    Op::Windows { .. } => images::windows(),
    Op::Conv2d { .. } => images::convolutions(),
    Op::Conv2dInputGradient { .. } => images::input_gradients(),
    Op::Conv2dWeightGradient { .. } => images::weight_gradients(),
    Op::MaxPool2d { .. } => images::max_pools(),
    Op::MaxPool2dGradient { .. } => images::max_pool_gradients(),
    Op::AvgPool2d { .. } => images::avg_pools(),
    Op::AvgPool2dGradient { .. } => images::avg_pool_gradients(),
    Op::Softmax { .. } => softmaxes("softmax", false),
    Op::LogSoftmax { .. } => softmaxes("log_softmax", true),
    Op::Standardize { .. } => standardizations(),
}

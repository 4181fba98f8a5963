//! Random graphs over all operations, for laws that hold for every graph.
//!
//! Values are kept in ranges where every operation is defined and mild: each result whose numbers grew is squashed by
//! tanh, logarithms and roots see numbers of at least 1/2, and divisors stay away from 0. Comparisons see numbers that
//! rounding could hardly swap.

use crate::exec::interpret::State;
use crate::graph::{Graph, GraphBuilder, Init, Role, Value, Window};
use crate::random::{Purpose, Stream};
use crate::tensor::{Shape, Tensor};

/// A graph with a point to evaluate it at.
pub(crate) struct RandomGraph {
    pub(crate) graph: Graph,
    pub(crate) inputs: Vec<(String, Tensor<f64>)>,
    pub(crate) state: State,
}

impl RandomGraph {
    /// The inputs as the interpreter takes them.
    pub(crate) fn borrowed(&self) -> Vec<(&str, &Tensor<f64>)> {
        self.inputs.iter().map(|(name, t)| (name.as_str(), t)).collect()
    }
}

/// The random graph of a seed: some tens of nodes, several outputs and updates, and for most seeds the gradient of a
/// loss. All numbers of inputs and slots are exact in f32.
pub(crate) fn random_graph(seed: u64) -> RandomGraph {
    let mut writer = Writer {
        g: Graph::builder(),
        random: Stream::new(seed, Purpose::Noise, 0x6772_6170_6873),
        pool: Vec::new(),
        inputs: Vec::new(),
        state: State::new(),
    };
    writer.sources();
    let count = 8 + writer.below(25);
    for _ in 0..count {
        let next = writer.operation();
        let len = writer.g.shape(next).len();
        let next =
            if len > LARGE { writer.g.slice(writer.g.reshape(next, [len]), &[0], &[17]) } else { next };
        let next = writer.g.tanh(next);
        writer.pool.push(next);
    }
    writer.results();
    let Writer { g, inputs, state, .. } = writer;
    let graph = g.finish().unwrap_or_else(|e| panic!("random graph {seed}: {e}"));
    RandomGraph { graph, inputs, state }
}

/// Values of more elements are cut, so that every seed is quick.
const LARGE: usize = 4096;

struct Writer {
    g: GraphBuilder,
    random: Stream,
    /// Values between -2 and 2.
    pool: Vec<Value>,
    inputs: Vec<(String, Tensor<f64>)>,
    state: State,
}

impl Writer {
    fn below(&mut self, bound: usize) -> usize {
        self.random.below(bound as u32) as usize
    }

    fn pick(&mut self) -> Value {
        let i = self.below(self.pool.len());
        self.pool[i]
    }

    fn shape(&mut self) -> Shape {
        let rank = self.below(4);
        let extents = [1, 2, 3, 5, 17];
        (0..rank).map(|_| extents[self.below(extents.len())]).collect::<Vec<_>>().into()
    }

    fn axis(&mut self, x: Value) -> Option<usize> {
        let rank = self.g.shape(x).rank();
        (rank > 0).then(|| self.below(rank))
    }

    fn tensor(&mut self, shape: &Shape) -> Tensor<f64> {
        Tensor::from_fn(shape, |_| f64::from((4.0 * self.random.uniform() - 2.0) as f32))
    }

    fn sources(&mut self) {
        for i in 0..2 + self.below(3) {
            let (name, shape) = (format!("x{i}"), self.shape());
            self.pool.push(self.g.input(&name, &shape));
            let value = self.tensor(&shape);
            self.inputs.push((name, value));
        }
        for i in 0..1 + self.below(3) {
            let (name, shape) = (format!("w{i}"), self.shape());
            self.pool.push(self.g.slot(&name, &shape, Role::Parameter, Init::Normal(1.0)).1);
            let value = self.tensor(&shape);
            self.state.insert(name, value);
        }
    }

    /// A value that broadcasts against `x`: of its shape, with some axes of extent 1, or a scalar.
    fn partner(&mut self, x: Value) -> Value {
        let shape = self.g.shape(x);
        let same: Vec<Value> = self.pool.iter().copied().filter(|&v| self.g.shape(v) == shape).collect();
        let i = self.below(same.len());
        let y = same[i];
        match (self.below(3), self.axis(y)) {
            (0, Some(axis)) => self.g.mean_keep(y, &[axis]),
            (1, _) => self.g.mean_all(y),
            _ => y,
        }
    }

    fn unary(&mut self, x: Value) -> Value {
        let above = |g: &GraphBuilder| g.add(g.abs(x), g.constant(0.5));
        let g = &self.g;
        match self.random.below(18) {
            0 => g.neg(x),
            1 => g.abs(x),
            2 => g.sign(g.stop_gradient(g.add(x, g.constant(2.5)))),
            3 => g.floor(g.stop_gradient(g.add(g.sign(x), g.constant(0.5)))),
            4 => g.exp(x),
            5 => g.expm1(x),
            6 => g.log(above(g)),
            7 => g.log1p(above(g)),
            8 => g.sqrt(above(g)),
            9 => g.recip(above(g)),
            10 => g.sigmoid(x),
            11 => g.tanh(x),
            12 => g.softplus(x),
            13 => g.relu(x),
            14 => g.leaky_relu(x, 0.125),
            15 => g.elu(x, 1.25),
            16 => g.relu6(g.mul(x, g.constant(4.0))),
            _ => g.stop_gradient(x),
        }
    }

    fn binary(&mut self, x: Value) -> Value {
        let y = self.partner(x);
        let g = &self.g;
        let above = |v| g.add(g.abs(v), g.constant(0.5));
        // Two values that are meant to be equal could differ by a rounding; half a step away they cannot.
        let near = |v| g.stop_gradient(g.add(g.sign(v), g.constant(0.25)));
        match self.random.below(12) {
            0 => g.add(x, y),
            1 => g.sub(y, x),
            2 => g.mul(x, y),
            3 => g.div(x, above(y)),
            4 => g.min(x, y),
            5 => g.max(x, y),
            6 => g.pow(above(x), y),
            7 => g.lt(near(x), near(y)),
            8 => g.le(near(y), near(x)),
            9 => g.eq(near(x), near(y)),
            10 => g.ne(near(x), near(y)),
            _ => g.select(g.lt(near(x), g.constant(0.0)), x, y),
        }
    }

    fn movement(&mut self, x: Value) -> Value {
        let shape = self.g.shape(x);
        let Some(axis) = self.axis(x) else { return self.g.broadcast(x, [2, 3]) };
        let (low, high) = (self.below(2), self.below(3));
        let extent = shape[axis];
        let along =
            |n: usize| -> Vec<usize> { (0..shape.rank()).map(|i| if i == axis { n } else { 0 }).collect() };
        let kind = self.below(7);
        let g = &self.g;
        match kind {
            0 => g.reshape(x, [shape.len()]),
            1 => g.reshape(x, [1, shape.len(), 1]),
            2 => {
                let mut order: Vec<usize> = (0..shape.rank()).collect();
                order.swap(0, axis);
                g.transpose(x, &order)
            }
            3 => {
                let (start, mut end) = (along(low.min(extent - 1)), shape.to_vec());
                end[axis] = extent;
                g.slice(x, &start, &end)
            }
            4 => g.pad(x, &along(low), &along(high), 0.5),
            5 => g.concat(&[x, g.neg(x)], axis),
            _ => {
                let mut wide = shape.to_vec();
                wide.insert(0, 2);
                g.broadcast(x, wide)
            }
        }
    }

    fn reduction(&mut self, x: Value) -> Value {
        let Some(axis) = self.axis(x) else { return x };
        let rank = self.g.shape(x).rank();
        let kind = self.below(10);
        let g = &self.g;
        match kind {
            0 => g.sum(x, &[axis]),
            1 => g.mean_all(x),
            2 => g.mean_keep(x, &[axis]),
            3 => g.reduce_max(x, &[axis]),
            4 => g.reduce_min(x, &[axis]),
            5 => g.softmax(x, axis),
            6 => g.log_softmax(x, axis),
            7 => g.standardize(x, &(0..rank).filter(|&i| i != axis || rank == 1).collect::<Vec<_>>(), 0.5),
            8 => g.variance(x, &[axis]),
            // Elements a rounding apart have no certain order; counting up, they do.
            _ => {
                let spread =
                    g.add(g.stop_gradient(g.sign(x)), g.mul(g.iota(g.shape(x), axis), g.constant(0.125)));
                g.add(g.argmax(spread, axis), g.argmin(spread, axis))
            }
        }
    }

    fn contraction(&mut self, x: Value) -> Value {
        let shape = self.g.shape(x);
        let columns = shape.last().copied().unwrap_or(1);
        let matrix = self.g.reshape(x, [shape.len() / columns, columns]);
        let (trans_a, trans_b) = (self.below(2) == 1, self.below(2) == 1);
        let inner = if trans_a { shape.len() / columns } else { columns };
        let other = self.pick();
        let other_shape = self.g.shape(other);
        if shape.len() / columns * other_shape.len() > LARGE {
            return self.unary(x);
        }
        let g = &self.g;
        // Any value becomes a factor: its numbers repeated along the inner extent.
        let row = g.reshape(other, [1, other_shape.len()]);
        let weights = g.mul(g.broadcast(row, [inner, other_shape.len()]), column(g, inner));
        let b = if trans_b { g.transpose(weights, &[1, 0]) } else { weights };
        g.mul(g.matmul_transposed(matrix, trans_a, b, trans_b), g.constant(1.0 / inner as f64))
    }

    /// Shapes that say little: a square, whose rows are as long as its columns, from a vector and back to one.
    fn square(&mut self, x: Value) -> Value {
        let len = self.g.shape(x).len();
        let n = 1 + self.below(len.min(5));
        let both = |x: Value, g: &GraphBuilder| {
            let (down, along) = (g.reshape(x, [n, 1]), g.reshape(x, [n]));
            g.sub(g.mul(down, along), down)
        };
        let kind = self.below(4);
        let g = &self.g;
        let v = g.tanh(g.slice(g.reshape(x, [len]), &[0], &[n]));
        let square = both(v, g);
        match kind {
            0 => square,
            1 => g.add(square, g.exp(g.sum(g.neg(square), &[0]))),
            2 => {
                let r = g.relu(square);
                g.mul(g.add(g.sum(r, &[0]), g.sum(r, &[1])), v)
            }
            _ => g.add(g.mul(g.sum(square, &[1]), v), g.reduce_max(square, &[0])),
        }
    }

    /// Counts under the shape of `x`, and random numbers of that shape or a single one.
    fn source(&mut self, x: Value) -> Value {
        let shape = self.g.shape(x);
        let kind = self.below(4);
        let g = &self.g;
        match kind {
            0 => g.mul(x, g.uniform(shape, g.next_stream())),
            1 => g.mul(g.uniform([], g.next_stream()), g.mean_all(x)),
            2 => g.mul(x, g.uniform([1, 1], g.next_stream())),
            _ => {
                let n = shape.len();
                g.mul(x, g.reshape(g.mul(g.iota([n], 0), g.constant(1.0 / n as f64)), shape))
            }
        }
    }

    /// The numbers of a value, over and over, in a shape.
    fn sized<const N: usize>(&self, x: Value, shape: [usize; N]) -> Value {
        let (len, wanted) = (self.g.shape(x).len(), shape.iter().product::<usize>());
        let times = wanted.div_ceil(len);
        let many = self.g.reshape(self.g.broadcast(self.g.reshape(x, [len]), [times, len]), [times * len]);
        self.g.reshape(self.g.slice(many, &[0], &[wanted]), shape)
    }

    /// Convolution and pooling of small images.
    fn image(&mut self, x: Value) -> Value {
        let mut to = |bound: usize| 1 + self.random.below(bound as u32) as usize;
        let (groups, inputs, outputs) = (to(2), to(2), to(2));
        let window = Window::new([to(3), to(2)]).stride([to(3), to(2)]);
        let (h, w) = (1 + to(4), 1 + to(4));
        let dilated = window.dilation([to(2), to(2)]).same(h, w);
        let kind = to(6);
        let images = self.sized(x, [2, h, w, groups * inputs]);
        let other = self.pick();
        let weight = self.sized(other, [window.kernel[0], window.kernel[1], inputs, groups * outputs]);
        let (taps, channels) = (window.kernel[0] * window.kernel[1], groups * inputs);
        let other = self.pick();
        let of_channels = self.sized(other, [taps, channels]);
        let g = &self.g;
        let depthwise = |windows: Value| {
            let rows = g.shape(windows).len() / (taps * channels);
            g.depthwise_matmul(g.reshape(windows, [rows, taps * channels]), false, of_channels)
        };
        let y = match kind {
            1..=2 => g.mul(g.conv2d(images, weight, &dilated, groups), g.constant(0.25)),
            3 => g.max_pool2d(images, &window.same(h, w)),
            4 => g.avg_pool2d(images, &window.same(h, w)),
            5 => depthwise(g.windows(images, &dilated)),
            _ => g.windows(images, &dilated),
        };
        // Few axes, so that what follows may add some.
        g.reshape(y, [2, g.shape(y).len() / 2])
    }

    fn operation(&mut self) -> Value {
        let x = self.pick();
        match self.below(15) {
            0..=3 => self.unary(x),
            4..=6 => self.binary(x),
            7..=8 => self.movement(x),
            9..=10 => self.reduction(x),
            11 => self.square(x),
            12 => self.source(x),
            13 => self.image(x),
            _ => self.contraction(x),
        }
    }

    fn results(&mut self) {
        for i in 0..1 + self.below(3) {
            let y = self.pick();
            self.g.output(&format!("y{i}"), y);
        }
        let slots: Vec<(usize, Value)> = self
            .pool
            .iter()
            .filter(|v| matches!(self.g.node(**v).map(|n| n.op), Some(crate::graph::Op::Slot { .. })))
            .copied()
            .enumerate()
            .collect();
        let last = self.pool[self.pool.len() - 1];
        let loss = slots
            .iter()
            .fold(self.g.mean_all(last), |sum, (_, w)| self.g.add(sum, self.g.mean_all(self.g.square(*w))));
        self.g.output("loss", loss);
        let parameters: Vec<Value> = slots.iter().map(|s| s.1).collect();
        let gradients = self.g.gradients_of(loss, &parameters);
        for ((i, w), dw) in slots.iter().zip(gradients) {
            let moved = self.g.sub(*w, self.g.mul(self.g.constant(0.25), self.g.tanh(dw)));
            self.g.update(crate::graph::SlotId(*i as u32), moved);
        }
    }
}

/// A column of numbers between 1/2 and 1 that differ along it.
fn column(g: &GraphBuilder, rows: usize) -> Value {
    g.recip(g.add(g.mul(g.iota([rows, 1], 0), g.constant(1.0 / rows as f64)), g.constant(1.0)))
}

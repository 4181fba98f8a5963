//! Cases of convolution and pooling, over strides, paddings, dilations, groups and odd sizes, against plain loops over
//! explicitly padded images and explicitly dilated, ungrouped weights.

use super::cases::{Case, real};
use crate::exec::interpret::{Key, State, interpret};
use crate::graph::{Graph, Padding, Window};
use crate::tensor::{Tensor, for_each_index};

type T = Tensor<f64>;

/// One convolution: images of `size`, channels in and out, groups.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Geometry {
    pub(crate) size: [usize; 2],
    pub(crate) channels: [usize; 2],
    pub(crate) groups: usize,
    pub(crate) window: Window,
}

impl Geometry {
    pub(crate) fn images(&self) -> [usize; 4] {
        [2, self.size[0], self.size[1], self.channels[0]]
    }

    pub(crate) fn weights(&self) -> [usize; 4] {
        let [kh, kw] = self.window.kernel;
        [kh, kw, self.channels[0] / self.groups, self.channels[1]]
    }

    pub(crate) fn results(&self) -> [usize; 4] {
        let [oh, ow] = self.window.outputs(self.size[0], self.size[1]).unwrap();
        [2, oh, ow, self.channels[1]]
    }
}

fn sides(top: usize, bottom: usize, left: usize, right: usize) -> Padding {
    Padding { top, bottom, left, right }
}

pub(crate) fn geometries() -> Vec<Geometry> {
    let geometry = |size, channels, groups, window| Geometry { size, channels, groups, window };
    let window = Window::new;
    vec![
        geometry([5, 4], [2, 3], 1, window([3, 3])),
        geometry([3, 3], [3, 2], 1, window([1, 1])),
        geometry([4, 3], [2, 1], 1, window([2, 3]).stride([2, 1]).padding(sides(1, 0, 2, 1))),
        geometry([5, 6], [1, 2], 1, window([3, 3]).stride([2, 2]).same(5, 6)),
        geometry([5, 4], [1, 2], 1, window([2, 2]).dilation([2, 1]).padding(Padding::all(1))),
        geometry([6, 5], [2, 1], 1, window([2, 3]).stride([1, 2]).dilation([3, 2]).same(6, 5)),
        // Pixels between the windows, and a rest that no window sees.
        geometry([7, 5], [1, 2], 1, window([2, 1]).stride([3, 2])),
        // Windows larger than the image.
        geometry([1, 2], [2, 2], 1, window([3, 3]).same(1, 2)),
        // Windows that see nothing but padding.
        geometry([2, 1], [1, 1], 1, window([1, 1]).stride([3, 2]).padding(sides(5, 2, 0, 3))),
        geometry([3, 4], [4, 6], 2, window([2, 2])),
        geometry([3, 3], [3, 6], 3, window([1, 2]).stride([2, 1]).padding(sides(0, 1, 1, 0))),
        // Depthwise.
        geometry([5, 4], [3, 3], 3, window([3, 2]).stride([2, 1]).same(5, 4)),
        geometry([4, 4], [2, 2], 2, window([2, 2]).dilation([2, 2])),
    ]
}

/// The convolution by plain loops: images padded, weights dilated and ungrouped, all in memory.
fn by_loops(of: &Geometry, x: &T, weight: &T) -> T {
    let Geometry { size: [h, w], channels: [ci, co], groups, window } = *of;
    let Padding { top, bottom, left, right } = window.padding;
    let ([kh, kw], [dy, dx]) = (window.kernel, window.dilation);
    let (ph, pw) = (h + top + bottom, w + left + right);
    let mut padded = vec![0.0; 2 * ph * pw * ci];
    for_each_index(x.shape(), |i, flat| {
        padded[((i[0] * ph + i[1] + top) * pw + i[2] + left) * ci + i[3]] = x.data()[flat];
    });
    let (eh, ew) = (dy * (kh - 1) + 1, dx * (kw - 1) + 1);
    let mut full = vec![0.0; eh * ew * ci * co];
    for_each_index(weight.shape(), |i, flat| {
        let channel = i[3] / (co / groups) * (ci / groups) + i[2];
        full[((i[0] * dy * ew + i[1] * dx) * ci + channel) * co + i[3]] = weight.data()[flat];
    });
    let mut y = T::zeros(of.results());
    for_each_index(&of.results(), |o, flat| {
        for i in 0..eh {
            for j in 0..ew {
                for c in 0..ci {
                    let (row, column) = (o[1] * window.stride[0] + i, o[2] * window.stride[1] + j);
                    let pixel = padded[((o[0] * ph + row) * pw + column) * ci + c];
                    y.data_mut()[flat] += pixel * full[((i * ew + j) * ci + c) * co + o[3]];
                }
            }
        }
    });
    y
}

/// What a linear map gives back: the inner product of `dy` with the map of each unit vector.
fn adjoint(shape: &[usize], dy: &T, map: impl Fn(&T) -> T) -> Vec<f64> {
    let inner = |y: T| y.data().iter().zip(dy.data()).map(|(a, b)| a * b).sum();
    let unit = |i: usize| T::from_fn(shape, |j| if i == j { 1.0 } else { 0.0 });
    (0..shape.iter().product()).map(|i| inner(map(&unit(i)))).collect()
}

pub(super) fn convolutions() -> Vec<Case> {
    let case = |of: Geometry| {
        let (x, weight) = (real(of.images(), 31), real(of.weights(), 32));
        let expected = by_loops(&of, &x, &weight).into_data();
        Case::new(format!("conv2d {of:?}"), vec![x, weight], move |g, x| {
            g.conv2d(x[0], x[1], &of.window, of.groups)
        })
        .expect(expected)
    };
    geometries().into_iter().map(case).collect()
}

pub(super) fn input_gradients() -> Vec<Case> {
    let case = |of: Geometry| {
        let (dy, weight) = (real(of.results(), 33), real(of.weights(), 34));
        let expected = adjoint(&of.images(), &dy, |x| by_loops(&of, x, &weight));
        Case::new(format!("conv2d_input_gradient {of:?}"), vec![dy, weight], move |g, x| {
            g.conv2d_input_gradient(x[0], x[1], &of.window, of.groups, of.size)
        })
        .expect(expected)
    };
    geometries().into_iter().map(case).collect()
}

pub(super) fn weight_gradients() -> Vec<Case> {
    let case = |of: Geometry| {
        let (x, dy) = (real(of.images(), 35), real(of.results(), 36));
        let expected = adjoint(&of.weights(), &dy, |weight| by_loops(&of, &x, weight));
        Case::new(format!("conv2d_weight_gradient {of:?}"), vec![x, dy], move |g, x| {
            g.conv2d_weight_gradient(x[0], x[1], &of.window, of.groups)
        })
        .expect(expected)
    };
    geometries().into_iter().map(case).collect()
}

/// Each tap of each window by itself, with a convolution whose weights are 1 at that tap.
pub(super) fn windows() -> Vec<Case> {
    let case = |mut of: Geometry| {
        (of.channels[1], of.groups) = (of.channels[0], of.channels[0]);
        let x = real(of.images(), 37);
        let taps: Vec<T> = (0..of.window.taps().count())
            .map(|tap| {
                let one = |i: usize| if i / of.channels[0] == tap { 1.0 } else { 0.0 };
                by_loops(&of, &x, &T::from_fn(of.weights(), one))
            })
            .collect();
        let [n, oh, ow, c] = of.results();
        let expected: Vec<f64> = (0..n * oh * ow)
            .flat_map(|o| taps.iter().flat_map(move |y| y.data()[o * c..(o + 1) * c].to_vec()))
            .collect();
        Case::new(format!("windows {of:?}"), vec![x], move |g, x| g.windows(x[0], &of.window))
            .expect(expected)
    };
    geometries().into_iter().map(case).collect()
}

/// Overlapping and apart, padded on some sides, with a rest.
pub(crate) fn pools() -> Vec<([usize; 4], Window)> {
    let window = Window::new;
    vec![
        ([2, 4, 4, 2], window([2, 2]).stride([2, 2])),
        ([1, 5, 4, 1], window([3, 2])),
        ([1, 5, 7, 2], window([3, 3]).stride([2, 2]).padding(Padding::all(1))),
        ([1, 4, 5, 1], window([2, 3]).stride([3, 1]).padding(sides(1, 0, 0, 2))),
        ([2, 5, 3, 1], window([1, 2]).stride([3, 2])),
        ([1, 1, 2, 3], window([2, 3]).same(1, 2)),
        ([1, 3, 3, 1], window([1, 1])),
    ]
}

/// The places in x of each output's pixels, row by row, by search through the image.
fn seen(shape: &[usize], window: &Window) -> Vec<Vec<usize>> {
    let [oh, ow] = window.outputs(shape[1], shape[2]).unwrap();
    let inside = |pixel: usize, o: usize, stride: usize, before: usize, kernel: usize| {
        (o * stride..o * stride + kernel).contains(&(pixel + before))
    };
    let mut all = Vec::new();
    for_each_index(&[shape[0], oh, ow, shape[3]], |o, _| {
        let mut places = Vec::new();
        for_each_index(shape, |i, flat| {
            let rows = inside(i[1], o[1], window.stride[0], window.padding.top, window.kernel[0]);
            let columns = inside(i[2], o[2], window.stride[1], window.padding.left, window.kernel[1]);
            if i[0] == o[0] && i[3] == o[3] && rows && columns {
                places.push(flat);
            }
        });
        all.push(places);
    });
    all
}

fn first_largest(x: &T, places: &[usize]) -> usize {
    let largest = places.iter().map(|&i| x.data()[i]).fold(f64::NEG_INFINITY, f64::max);
    *places.iter().find(|&&i| x.data()[i] == largest).unwrap()
}

fn result_of(shape: [usize; 4], window: &Window) -> [usize; 4] {
    let [oh, ow] = window.outputs(shape[1], shape[2]).unwrap();
    [shape[0], oh, ow, shape[3]]
}

pub(super) fn max_pools() -> Vec<Case> {
    let case = |(shape, window): ([usize; 4], Window)| {
        let x = real(shape, 41);
        let expected: Vec<f64> =
            seen(&shape, &window).iter().map(|places| x.data()[first_largest(&x, places)]).collect();
        Case::new(format!("max_pool2d {shape:?} {window:?}"), vec![x], move |g, x| {
            g.max_pool2d(x[0], &window)
        })
        .expect(expected)
    };
    let mut cases: Vec<Case> = pools().into_iter().map(case).collect();
    // Padding does not win over negative numbers.
    let negative = T::new([1, 1, 2, 1], vec![-3.0, -2.0]).unwrap();
    cases.push(
        Case::new("max_pool2d of negative numbers", vec![negative], |g, x| {
            g.max_pool2d(x[0], &Window::new([2, 2]).padding(Padding::all(1)))
        })
        .expect([-3.0, -2.0, -2.0, -3.0, -2.0, -2.0]),
    );
    cases
}

pub(super) fn max_pool_gradients() -> Vec<Case> {
    let gradient = |x: T, dy: T, window: Window| {
        let mut expected = vec![0.0; x.data().len()];
        for (places, dy) in seen(x.shape(), &window).iter().zip(dy.data()) {
            expected[first_largest(&x, places)] += dy;
        }
        let name = format!("max_pool2d_gradient {} {window:?}", x.shape());
        Case::new(name, vec![x, dy], move |g, x| {
            g.vector_jacobian(g.max_pool2d(x[0], &window), x[1], &x[..1])[0]
        })
        .expect(expected)
    };
    let case = |(shape, window)| gradient(real(shape, 42), real(result_of(shape, &window), 43), window);
    pools().into_iter().map(case).collect()
}

#[test]
fn ties_go_to_the_first_maximum_of_each_window() {
    let g = Graph::builder();
    let (x, dy, window) = (g.input("x", [1, 3, 3, 1]), g.input("dy", [1, 2, 2, 1]), Window::new([2, 2]));
    g.output("dx", g.vector_jacobian(g.max_pool2d(x, &window), dy, &[x])[0]);
    let graph = g.finish().unwrap();
    let x = T::new([1, 3, 3, 1], vec![1.0, 2.0, 2.0, 2.0, 1.0, 2.0, 2.0, 2.0, 0.0]).unwrap();
    let dy = T::new([1, 2, 2, 1], vec![1.0, 10.0, 100.0, 1000.0]).unwrap();
    let trace = interpret(&graph, &[("x", &x), ("dy", &dy)], &State::new(), Key::default()).unwrap();
    let expected = [0.0, 11.0, 0.0, 100.0, 0.0, 1000.0, 0.0, 0.0, 0.0];
    assert_eq!(trace.output("dx").unwrap().data(), expected);
}

#[test]
fn a_convolution_counts_its_multiplications() {
    for of in geometries() {
        let g = Graph::builder();
        let (x, w) = (g.input("x", of.images()), g.input("w", of.weights()));
        let y = g.conv2d(x, w, &of.window, of.groups);
        for (i, value) in g.gradients_of(g.sum_all(y), &[x, w]).into_iter().enumerate() {
            g.output(&format!("gradient {i}"), value);
        }
        g.output("y", y);
        let graph = g.finish().unwrap();
        let [kh, kw, inputs, _] = of.weights();
        let expected = 2 * of.results().iter().product::<usize>() * kh * kw * inputs;
        let counts: Vec<u64> = (graph.nodes().iter())
            .filter(|node| node.op.name().starts_with("conv2d"))
            .map(|node| graph.node_flops(node))
            .collect();
        assert_eq!(counts, [expected as u64; 3], "{of:?}");
    }
}

pub(super) fn avg_pools() -> Vec<Case> {
    let case = |(shape, window): ([usize; 4], Window)| {
        let x = real(shape, 44);
        let taps = (window.kernel[0] * window.kernel[1]) as f64;
        let mean = |places: &Vec<usize>| places.iter().map(|&i| x.data()[i]).sum::<f64>() / taps;
        let expected: Vec<f64> = seen(&shape, &window).iter().map(mean).collect();
        Case::new(format!("avg_pool2d {shape:?} {window:?}"), vec![x], move |g, x| {
            g.avg_pool2d(x[0], &window)
        })
        .expect(expected)
    };
    pools().into_iter().map(case).collect()
}

pub(super) fn avg_pool_gradients() -> Vec<Case> {
    let case = |(shape, window): ([usize; 4], Window)| {
        let (dy, taps) = (real(result_of(shape, &window), 45), (window.kernel[0] * window.kernel[1]) as f64);
        let mut expected = vec![0.0; shape.iter().product()];
        for (places, dy) in seen(&shape, &window).iter().zip(dy.data()) {
            places.iter().for_each(|&i| expected[i] += dy / taps);
        }
        Case::new(format!("avg_pool2d_gradient {shape:?} {window:?}"), vec![dy], move |g, x| {
            let images = g.full(shape, 0.0);
            g.vector_jacobian(g.avg_pool2d(images, &window), x[0], &[images])[0]
        })
        .expect(expected)
    };
    pools().into_iter().map(case).collect()
}

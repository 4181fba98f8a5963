//! Initial values of a graph's slots.
//!
//! Each slot's numbers are a pure function of (seed, slot name): the random stream's index is the FNV-1a hash of the
//! name. Adding, removing or reordering layers leaves the others as they are.
//!
//! | [`Init`] | values |
//! |---|---|
//! | constant c | c |
//! | normal s | s z, z standard normal |
//! | uniform l | U[-l, l) |
//! | orthogonal gain | gain Q: the shape is read as a matrix `[all but the last axis, last axis]`; Q has orthonormal columns, or orthonormal rows if there are fewer of them |
//! | given | the given numbers |
//!
//! Q comes from a matrix of standard normal numbers by the modified Gram-Schmidt process, done twice for full
//! precision. Its diagonal factor R is positive by construction, so Q is uniformly distributed (Mezzadri 2007).
//!
//! Source: Saxe, McClelland, Ganguli, Exact solutions to the nonlinear dynamics of learning in deep linear neural
//! networks, 2014.

use crate::graph::{Graph, Init, Slot};
use crate::random::{Purpose, Stream};
use crate::tensor::{Shape, Tensor};
use std::collections::BTreeMap;

/// The values that every slot of `graph` starts with, by name.
///
/// ```
/// use bratt::graph::{Graph, Init, Role};
/// use bratt::init::initial_state;
///
/// let g = Graph::builder();
/// g.slot("w", [3, 4], Role::Parameter, Init::Normal(0.01));
/// g.slot("b", [4], Role::Parameter, Init::Constant(0.0));
/// let state = initial_state(&g.finish()?, 7);
/// assert_eq!(state["w"].shape().len(), 12);
/// assert_eq!(state["b"].data(), [0.0; 4]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn initial_state(graph: &Graph, seed: u64) -> BTreeMap<String, Tensor> {
    graph.slots().iter().map(|slot| (slot.name.clone(), initial_value(slot, seed))).collect()
}

/// The value that one slot starts with. The builder of a graph refuses given numbers of another shape.
pub fn initial_value(slot: &Slot, seed: u64) -> Tensor {
    let mut stream = Stream::new(seed, Purpose::Init, fnv1a(&slot.name));
    let shape = &slot.shape;
    match &slot.init {
        Init::Constant(value) => Tensor::filled(shape, *value),
        Init::Normal(deviation) => {
            Tensor::from_fn(shape, |_| (f64::from(*deviation) * stream.normal()) as f32)
        }
        Init::Uniform(limit) => Tensor::from_fn(shape, |_| below(*limit, stream.uniform())),
        Init::Orthogonal(gain) => orthogonal(shape, f64::from(*gain), &mut stream),
        Init::Given(tensor) => (**tensor).clone(),
    }
}

/// `u` in [0, 1) as an f32 in [-limit, limit); rounding must not reach the upper end.
fn below(limit: f32, u: f64) -> f32 {
    let x = (f64::from(limit) * (2.0 * u - 1.0)) as f32;
    if x < limit { x } else { -limit }
}

/// FNV-1a with 64 bits (Fowler, Noll, Vo): small, and the same everywhere for ever.
fn fnv1a(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

fn orthogonal(shape: &Shape, gain: f64, stream: &mut Stream) -> Tensor {
    let columns = shape.last().copied().unwrap_or(1);
    let rows: usize = shape.iter().rev().skip(1).product();
    let (count, length) = (rows.min(columns), rows.max(columns));
    let vectors = orthonormal(count, length, stream);
    Tensor::from_fn(shape, |i| {
        let (row, column) = (i / columns, i % columns);
        let entry = if rows < columns { vectors[row][column] } else { vectors[column][row] };
        (gain * entry) as f32
    })
}

/// `count` orthonormal vectors, `count <= length`: each loses its parts along those before it.
fn orthonormal(count: usize, length: usize, stream: &mut Stream) -> Vec<Vec<f64>> {
    let mut basis: Vec<Vec<f64>> = Vec::with_capacity(count);
    while basis.len() < count {
        let mut v: Vec<f64> = (0..length).map(|_| stream.normal()).collect();
        for q in basis.iter().chain(basis.iter()) {
            let along = dot(q, &v);
            v.iter_mut().zip(q).for_each(|(v, q)| *v -= along * q);
        }
        let norm = dot(&v, &v).sqrt();
        // A vector that lies in the span of the others by bad luck is drawn again.
        if norm > 1e-6 {
            v.iter_mut().for_each(|v| *v /= norm);
            basis.push(v);
        }
    }
    basis
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Role;
    use std::sync::Arc;

    fn slot(name: &str, shape: impl Into<Shape>, init: Init) -> Slot {
        Slot { name: name.into(), shape: shape.into(), role: Role::Parameter, init }
    }

    fn value(name: &str, shape: impl Into<Shape>, init: Init, seed: u64) -> Vec<f64> {
        initial_value(&slot(name, shape, init), seed).to_f64().into_data()
    }

    #[test]
    fn values_depend_on_seed_and_name_alone() {
        let alone = Graph::builder();
        alone.slot("fc2.weight", [4, 5], Role::Parameter, Init::Normal(1.0));
        let among = Graph::builder();
        among.slot("fc1.weight", [4, 5], Role::Parameter, Init::Normal(1.0));
        among.slot("fc2.weight", [4, 5], Role::Parameter, Init::Normal(1.0));
        let (alone, among) = (alone.finish().unwrap(), among.finish().unwrap());
        let state = |graph, seed| initial_state(graph, seed);
        assert_eq!(state(&alone, 1)["fc2.weight"], state(&among, 1)["fc2.weight"]);
        assert_ne!(state(&among, 1)["fc1.weight"], state(&among, 1)["fc2.weight"]);
        assert_ne!(state(&alone, 1), state(&alone, 2));
    }

    #[test]
    fn the_hash_is_the_published_one() {
        assert_eq!(fnv1a(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a("a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv1a("foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn normal_and_uniform_have_their_moments() {
        let n = 100_000;
        let moments = |x: &[f64]| {
            let mean = x.iter().sum::<f64>() / n as f64;
            (mean, x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n as f64)
        };
        // Bounds of five standard errors.
        let (mean, variance) = moments(&value("w", [n], Init::Normal(0.5), 3));
        assert!(mean.abs() < 0.0080 && (variance - 0.25).abs() < 0.0056, "{mean} {variance}");
        let uniform = value("w", [n], Init::Uniform(0.3), 3);
        assert!(uniform.iter().all(|&x| (-f64::from(0.3_f32)..f64::from(0.3_f32)).contains(&x)));
        let (mean, variance) = moments(&uniform);
        assert!(mean.abs() < 0.0028 && (variance - 0.03).abs() < 0.0005, "{mean} {variance}");
    }

    #[test]
    fn rounding_stays_below_the_limit() {
        assert!(below(1.0, 1.0 - f64::EPSILON / 2.0) < 1.0);
        assert_eq!(below(1.0, 0.0), -1.0);
    }

    #[test]
    fn orthogonal_matrices_have_orthonormal_rows_or_columns() {
        for (shape, count, by_row) in [
            (&[3, 7][..], 3, true),
            (&[7, 3], 3, false),
            (&[5, 5], 5, false),
            (&[2, 3, 4], 4, false),
            (&[1, 1], 1, false),
            (&[4], 1, true),
        ] {
            let columns = *shape.last().unwrap();
            let q = value("w", shape, Init::Orthogonal(1.5), 9);
            let vector = |k: usize| -> Vec<f64> {
                if by_row {
                    q[k * columns..(k + 1) * columns].to_vec()
                } else {
                    q.iter().skip(k).step_by(columns).copied().collect()
                }
            };
            for i in 0..count {
                for j in 0..count {
                    let expected = if i == j { 2.25 } else { 0.0 };
                    let found = dot(&vector(i), &vector(j));
                    assert!((found - expected).abs() < 1e-6, "{shape:?} ({i}, {j}): {found}");
                }
            }
        }
        assert!(value("w", [0, 3], Init::Orthogonal(1.0), 9).is_empty());
        assert_eq!(value("w", [], Init::Orthogonal(2.0), 9)[0].abs(), 2.0);
    }

    #[test]
    fn given_numbers_are_taken_if_they_fit() {
        let given = |shape: &[usize]| Init::Given(Arc::new(Tensor::filled(shape, 4.0)));
        assert_eq!(value("mean", [2], given(&[2]), 0), [4.0, 4.0]);
        let g = Graph::builder();
        g.slot("mean", [2], Role::Buffer, given(&[3]));
        let error = g.finish().unwrap_err().to_string();
        assert!(error.contains("initial value of `mean`: found shape [3], expected [2]"), "{error}");
    }
}

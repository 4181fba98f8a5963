//! The first values of slots, as [`Init`] describes them.
//!
//! A slot's random numbers are a pure function of the seed and the slot's name, so that adding a layer does not change
//! how the others start.
//!
//! Orthogonal: the columns (or rows, if fewer) of a matrix of normal numbers, orthonormalised by Gram and Schmidt
//! with a second pass against rounding ("twice is enough", Giraud et al. 2005), times the gain (Saxe et al. 2014). A
//! slot of rank other than 2 is seen as `[product of the leading extents, last extent]`.

use crate::graph::{Init, Slot};
use crate::random::{Purpose, Stream};
use crate::tensor::Tensor;

/// The value with which `slot` starts under `seed`.
pub fn initial(slot: &Slot, seed: u64) -> Tensor {
    let mut stream = Stream::new(seed, Purpose::Init, name_hash(&slot.name));
    match &slot.init {
        Init::Constant(value) => Tensor::filled(&slot.shape, *value),
        Init::Normal(deviation) => {
            Tensor::from_fn(&slot.shape, |_| (stream.normal() * f64::from(*deviation)) as f32)
        }
        Init::Uniform(limit) => {
            Tensor::from_fn(&slot.shape, |_| ((2.0 * stream.uniform() - 1.0) * f64::from(*limit)) as f32)
        }
        Init::Orthogonal(gain) => {
            let cols = slot.shape.last().copied().unwrap_or(1);
            let matrix = orthogonal(slot.shape.len() / cols.max(1), cols, &mut stream);
            Tensor::from_fn(&slot.shape, |i| (matrix[i] * f64::from(*gain)) as f32)
        }
        Init::Given(values) => {
            let data = values.data();
            Tensor::from_fn(&slot.shape, |i| data.get(i).copied().unwrap_or_default())
        }
    }
}

/// FNV-1a, 64 bits (Fowler, Noll and Vo).
fn name_hash(name: &str) -> u64 {
    name.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

/// A `rows x cols` matrix, row-major, with orthonormal columns or rows, whichever are fewer.
fn orthogonal(rows: usize, cols: usize, stream: &mut Stream) -> Vec<f64> {
    let (count, len) = (rows.min(cols), rows.max(cols));
    let mut vectors: Vec<Vec<f64>> = Vec::with_capacity(count);
    for _ in 0..count {
        let mut v: Vec<f64> = (0..len).map(|_| stream.normal()).collect();
        for _ in 0..2 {
            for u in &vectors {
                let dot: f64 = u.iter().zip(&v).map(|(a, b)| a * b).sum();
                v.iter_mut().zip(u).for_each(|(a, b)| *a -= dot * b);
            }
        }
        let norm = v.iter().map(|a| a * a).sum::<f64>().sqrt();
        v.iter_mut().for_each(|a| *a /= norm);
        vectors.push(v);
    }
    let at = |r: usize, c: usize| if rows >= cols { vectors[c][r] } else { vectors[r][c] };
    (0..rows * cols).map(|i| at(i / cols, i % cols)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Role;

    fn slot(name: &str, shape: &[usize], init: Init) -> Slot {
        Slot { name: name.into(), shape: shape.into(), role: Role::Parameter, init }
    }

    #[test]
    fn orthogonal_columns_or_rows_have_length_gain_and_are_perpendicular() {
        for shape in [[7, 5], [5, 7], [16, 16], [1, 3]] {
            let t = initial(&slot("w", &shape, Init::Orthogonal(2.0)), 3);
            let [rows, cols] = shape;
            let (count, len) = (rows.min(cols), rows.max(cols));
            let at = |i: usize, k: usize| {
                f64::from(t.data()[if rows >= cols { k * cols + i } else { i * cols + k }])
            };
            for i in 0..count {
                for j in 0..=i {
                    let dot: f64 = (0..len).map(|k| at(i, k) * at(j, k)).sum();
                    let expected = if i == j { 4.0 } else { 0.0 };
                    assert!((dot - expected).abs() < 1e-5, "{shape:?} {i} {j}: {dot}");
                }
            }
        }
    }

    #[test]
    fn normal_and_uniform_have_their_moments() {
        let n = 40_000;
        for (init, variance) in [(Init::Normal(0.3), 0.09), (Init::Uniform(0.6), 0.12)] {
            let t = initial(&slot("w", &[n], init), 1);
            let mean = t.data().iter().map(|&x| f64::from(x)).sum::<f64>() / n as f64;
            let second = t.data().iter().map(|&x| f64::from(x).powi(2)).sum::<f64>() / n as f64;
            // Four standard errors.
            assert!(mean.abs() < 4.0 * (variance / n as f64).sqrt(), "{mean}");
            assert!((second / variance - 1.0).abs() < 4.0 * (2.0 / n as f64).sqrt(), "{second}");
        }
    }

    #[test]
    fn a_slot_starts_the_same_whatever_stands_beside_it() {
        let a = initial(&slot("dense1.weight", &[4, 3], Init::Normal(1.0)), 7);
        assert_eq!(a, initial(&slot("dense1.weight", &[4, 3], Init::Normal(1.0)), 7));
        assert_ne!(a, initial(&slot("dense2.weight", &[4, 3], Init::Normal(1.0)), 7));
        assert_ne!(a, initial(&slot("dense1.weight", &[4, 3], Init::Normal(1.0)), 8));
    }
}

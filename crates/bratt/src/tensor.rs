//! Floor 0: shapes and host-side arrays.
//!
//! A [`Tensor`] is a shape and its numbers in row-major order. The reference interpreter uses `Tensor<f64>`,
//! the compiled executor `Tensor<f32>`; class indices are ordinary numbers (exact up to 2^24 in f32).

use std::fmt;
use std::ops::Deref;

/// The extents of a tensor, outermost first; empty for a scalar.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, PartialOrd, Ord)]
pub struct Shape(Vec<usize>);

impl Shape {
    /// The shape of a scalar.
    pub fn scalar() -> Shape {
        Shape(Vec::new())
    }

    /// Number of elements; 1 for a scalar.
    pub fn len(&self) -> usize {
        self.0.iter().product()
    }

    /// Whether some extent is 0.
    pub fn is_empty(&self) -> bool {
        self.0.contains(&0)
    }

    /// Number of axes.
    pub fn rank(&self) -> usize {
        self.0.len()
    }

    /// Row-major strides in elements.
    ///
    /// ```
    /// use bratt::tensor::Shape;
    /// assert_eq!(Shape::from([2, 3, 4]).strides(), [12, 4, 1]);
    /// ```
    pub fn strides(&self) -> Vec<usize> {
        let mut strides = vec![1; self.rank()];
        for axis in (1..self.rank()).rev() {
            strides[axis - 1] = strides[axis] * self.0[axis];
        }
        strides
    }

    /// This shape with the given axes set to 1, as a reduction that keeps its axes leaves it.
    pub fn reduced(&self, axes: &[usize]) -> Shape {
        Shape(self.0.iter().enumerate().map(|(i, &d)| if axes.contains(&i) { 1 } else { d }).collect())
    }
}

impl Deref for Shape {
    type Target = [usize];
    fn deref(&self) -> &[usize] {
        &self.0
    }
}

impl From<&[usize]> for Shape {
    fn from(extents: &[usize]) -> Shape {
        Shape(extents.to_vec())
    }
}

impl From<Vec<usize>> for Shape {
    fn from(extents: Vec<usize>) -> Shape {
        Shape(extents)
    }
}

impl<const N: usize> From<[usize; N]> for Shape {
    fn from(extents: [usize; N]) -> Shape {
        Shape(extents.to_vec())
    }
}

impl From<&Shape> for Shape {
    fn from(shape: &Shape) -> Shape {
        shape.clone()
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        for (i, extent) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(", ")?;
            }
            write!(f, "{extent}")?;
        }
        f.write_str("]")
    }
}

/// A shape and its numbers, row-major.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Tensor<T = f32> {
    shape: Shape,
    data: Vec<T>,
}

/// The number of elements does not fit the shape.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("shape {shape} holds {} numbers, found {found}", shape.len())]
pub struct LengthError {
    /// The wanted shape.
    pub shape: Shape,
    /// The number of elements given.
    pub found: usize,
}

impl<T: Copy + Default> Tensor<T> {
    /// A tensor from its shape and numbers.
    ///
    /// # Errors
    /// If the number of elements is not the product of the extents.
    ///
    /// ```
    /// use bratt::tensor::Tensor;
    /// let t = Tensor::new([2, 2], vec![1.0, 2.0, 3.0, 4.0])?;
    /// assert_eq!(t.shape().len(), 4);
    /// # Ok::<(), bratt::tensor::LengthError>(())
    /// ```
    pub fn new(shape: impl Into<Shape>, data: Vec<T>) -> Result<Tensor<T>, LengthError> {
        let shape = shape.into();
        if shape.len() == data.len() {
            Ok(Tensor { shape, data })
        } else {
            Err(LengthError { shape, found: data.len() })
        }
    }

    /// A tensor of zeros.
    pub fn zeros(shape: impl Into<Shape>) -> Tensor<T> {
        Tensor::filled(shape, T::default())
    }

    /// A tensor of one repeated number.
    pub fn filled(shape: impl Into<Shape>, value: T) -> Tensor<T> {
        let shape = shape.into();
        let data = vec![value; shape.len()];
        Tensor { shape, data }
    }

    /// A scalar.
    pub fn scalar(value: T) -> Tensor<T> {
        Tensor { shape: Shape::scalar(), data: vec![value] }
    }

    /// A tensor whose element at flat index `i` is `f(i)`.
    pub fn from_fn(shape: impl Into<Shape>, f: impl FnMut(usize) -> T) -> Tensor<T> {
        let shape = shape.into();
        let data = (0..shape.len()).map(f).collect();
        Tensor { shape, data }
    }

    /// The shape.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The numbers, row-major.
    pub fn data(&self) -> &[T] {
        &self.data
    }

    /// The numbers, row-major, to be changed in place.
    pub fn data_mut(&mut self) -> &mut [T] {
        &mut self.data
    }

    /// The numbers alone.
    pub fn into_data(self) -> Vec<T> {
        self.data
    }

    /// The same numbers under another shape of as many elements.
    ///
    /// # Errors
    /// If the numbers of elements differ.
    pub fn reshaped(self, shape: impl Into<Shape>) -> Result<Tensor<T>, LengthError> {
        Tensor::new(shape, self.data)
    }
}

impl Tensor<f32> {
    /// The same numbers in f64.
    pub fn to_f64(&self) -> Tensor<f64> {
        Tensor { shape: self.shape.clone(), data: self.data.iter().map(|&x| f64::from(x)).collect() }
    }
}

impl Tensor<f64> {
    /// The numbers rounded to f32.
    pub fn to_f32(&self) -> Tensor<f32> {
        Tensor { shape: self.shape.clone(), data: self.data.iter().map(|&x| x as f32).collect() }
    }
}

/// An iterator over all index vectors of a shape, in row-major order; `f` gets the index and the flat position.
pub(crate) fn for_each_index(shape: &[usize], mut f: impl FnMut(&[usize], usize)) {
    let mut index = vec![0; shape.len()];
    for flat in 0..shape.iter().product() {
        f(&index, flat);
        for axis in (0..shape.len()).rev() {
            index[axis] += 1;
            if index[axis] < shape[axis] {
                break;
            }
            index[axis] = 0;
        }
    }
}

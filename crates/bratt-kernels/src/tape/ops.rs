//! The pointwise kernels: one loop for every function, argument form and instruction set.
//!
//! A kernel runs over a tile. An argument is either a row of numbers that advances with the columns, or one number
//! per row that is repeated along it; a stride of 0 between rows then gives per-column vectors and scalars, so no
//! broadcast is ever written out.

use super::check::MAX_ARGS;
use super::{Binary, Fused, Unary};
use crate::isa::{Isa, Kernel, dispatch};
use crate::math;
use crate::simd::Simd;

/// A kernel's matrices: where they start, and how far it is from row to row.
#[derive(Clone, Copy)]
pub(crate) struct Args {
    pub dst: *mut f32,
    pub dst_stride: usize,
    pub src: [*const f32; MAX_ARGS],
    pub strides: [usize; MAX_ARGS],
    pub rows: usize,
    pub cols: usize,
}

/// A kernel compiled for one instruction set.
pub(crate) type Entry = unsafe fn(&Args);

/// A kernel over [`Args`], written once.
pub(crate) trait Loop {
    /// # Safety
    /// The instruction set is present and the matrices can be read and written. The destination may be exactly one of
    /// the sources, and overlaps none otherwise.
    unsafe fn run<S: Simd>(args: &Args);
}

struct Call<'a, L>(&'a Args, std::marker::PhantomData<L>);
impl<L: Loop> Kernel for Call<'_, L> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        // SAFETY: the caller vouches for the instruction set and the matrices.
        unsafe { L::run::<S>(self.0) }
    }
}

/// The entry of a loop for an instruction set that is available.
pub(crate) fn entry<L: Loop>(isa: Isa) -> Entry {
    macro_rules! fixed {
        ($isa:expr) => {
            // SAFETY: as for any entry, the caller vouches for the instruction set and the matrices.
            |args| unsafe { dispatch($isa, Call::<L>(args, std::marker::PhantomData)) }
        };
    }
    match isa {
        Isa::Scalar => fixed!(Isa::Scalar),
        Isa::Avx2 => fixed!(Isa::Avx2),
        Isa::Avx512 => fixed!(Isa::Avx512),
        Isa::Neon => fixed!(Isa::Neon),
    }
}

/// A function applied lane by lane.
pub(super) trait Lanes {
    /// Number of arguments.
    const ARITY: usize;
    /// Vectors in flight; 1 for functions whose own arithmetic fills the machine.
    const UNROLL: usize = 4;
    unsafe fn at<S: Simd>(x: [S::V; MAX_ARGS]) -> S::V;
}

/// Applies `F`; bit `i` of `REPEAT` says that argument `i` is one number per row.
struct Map<F, const REPEAT: u8>(std::marker::PhantomData<F>);

impl<F: Lanes, const REPEAT: u8> Map<F, REPEAT> {
    #[inline(always)]
    unsafe fn vector<S: Simd>(src: &[*const f32; MAX_ARGS], fixed: &[S::V; MAX_ARGS], i: usize) -> S::V {
        // SAFETY: `i` and the lanes after it lie within the row.
        unsafe {
            let mut x = *fixed;
            let mut k = 0;
            while k < F::ARITY {
                if REPEAT >> k & 1 == 0 {
                    x[k] = S::load(src[k].add(i));
                }
                k += 1;
            }
            F::at::<S>(x)
        }
    }
}

impl<F: Lanes, const REPEAT: u8> Loop for Map<F, REPEAT> {
    #[inline(always)]
    unsafe fn run<S: Simd>(args: &Args) {
        // SAFETY: all accesses lie within the rows of `args`.
        unsafe {
            let n = args.cols;
            let whole = n.is_multiple_of(S::LANES);
            let (mut dst, mut src) = (args.dst, args.src);
            for _ in 0..args.rows {
                let mut fixed = [S::splat(0.0); MAX_ARGS];
                let mut k = 0;
                while k < F::ARITY {
                    if REPEAT >> k & 1 == 1 {
                        fixed[k] = S::splat(*src[k]);
                    }
                    k += 1;
                }
                if whole {
                    Self::whole_row::<S>(dst, &src, &fixed, n);
                } else {
                    Self::ragged_row::<S>(dst, &src, &fixed, n);
                }
                dst = dst.wrapping_add(args.dst_stride);
                k = 0;
                while k < F::ARITY {
                    src[k] = src[k].wrapping_add(args.strides[k]);
                    k += 1;
                }
            }
        }
    }
}

impl<F: Lanes, const REPEAT: u8> Map<F, REPEAT> {
    /// A row of whole vectors. Tiles of matrix products are a few vectors wide, so that a row must cost little more
    /// than its vectors.
    #[inline(always)]
    unsafe fn whole_row<S: Simd>(
        dst: *mut f32,
        src: &[*const f32; MAX_ARGS],
        fixed: &[S::V; MAX_ARGS],
        n: usize,
    ) {
        // SAFETY: `n` numbers are valid behind each pointer.
        unsafe {
            let mut i = 0;
            while F::UNROLL == 4 && i + 4 * S::LANES <= n {
                let a = Self::vector::<S>(src, fixed, i);
                let b = Self::vector::<S>(src, fixed, i + S::LANES);
                let c = Self::vector::<S>(src, fixed, i + 2 * S::LANES);
                let d = Self::vector::<S>(src, fixed, i + 3 * S::LANES);
                S::store(dst.add(i), a);
                S::store(dst.add(i + S::LANES), b);
                S::store(dst.add(i + 2 * S::LANES), c);
                S::store(dst.add(i + 3 * S::LANES), d);
                i += 4 * S::LANES;
            }
            while i < n {
                S::store(dst.add(i), Self::vector::<S>(src, fixed, i));
                i += S::LANES;
            }
        }
    }

    #[inline(always)]
    unsafe fn ragged_row<S: Simd>(
        dst: *mut f32,
        src: &[*const f32; MAX_ARGS],
        fixed: &[S::V; MAX_ARGS],
        n: usize,
    ) {
        // SAFETY: `n` numbers are valid behind each pointer.
        unsafe {
            if n < S::LANES {
                let mut x = *fixed;
                let mut k = 0;
                while k < F::ARITY {
                    if REPEAT >> k & 1 == 0 {
                        x[k] = S::load_first(src[k], n);
                    }
                    k += 1;
                }
                S::store_first(dst, F::at::<S>(x), n);
                return;
            }
            // The ragged end is done as a whole vector that overlaps its neighbour: computed before anything is
            // written (the row may be its own source), and written last.
            let last = n - S::LANES;
            let end = Self::vector::<S>(src, fixed, last);
            let mut i = 0;
            while i < last {
                S::store(dst.add(i), Self::vector::<S>(src, fixed, i));
                i += S::LANES;
            }
            S::store(dst.add(last), end);
        }
    }
}

/// One row of the table below: name, arity, vectors in flight, and the function.
macro_rules! lanes {
    ($($name:ident, $arity:literal, $unroll:literal, |$s:ident, $x:ident| $body:expr;)*) => {$(
        pub(super) struct $name;
        impl Lanes for $name {
            const ARITY: usize = $arity;
            const UNROLL: usize = $unroll;
            #[inline(always)]
            #[allow(unused_unsafe)]
            unsafe fn at<$s: Simd>($x: [$s::V; MAX_ARGS]) -> $s::V {
                // SAFETY: the caller vouches for the instruction set.
                unsafe { $body }
            }
        }
    )*};
}

/// 1 where the mask is set, else 0.
#[inline(always)]
unsafe fn flag<S: Simd>(mask: S::M) -> S::V {
    // SAFETY: the caller vouches for the instruction set.
    unsafe { S::select(mask, S::splat(1.0), S::splat(0.0)) }
}

/// -1, 0 or 1; NaN stays.
#[inline(always)]
unsafe fn sign<S: Simd>(x: S::V) -> S::V {
    // SAFETY: the caller vouches for the instruction set.
    unsafe {
        let positive = S::select(S::lt(S::splat(0.0), x), S::splat(1.0), x);
        S::select(S::lt(x, S::splat(0.0)), S::splat(-1.0), positive)
    }
}

lanes! {
    Identity, 1, 4, |S, x| x[0];
    Neg, 1, 4, |S, x| math::neg::<S>(x[0]);
    Abs, 1, 4, |S, x| math::abs::<S>(x[0]);
    Sign, 1, 4, |S, x| sign::<S>(x[0]);
    Floor, 1, 4, |S, x| S::floor(x[0]);
    Sqrt, 1, 4, |S, x| S::sqrt(x[0]);
    Recip, 1, 4, |S, x| S::div(S::splat(1.0), x[0]);
    Relu, 1, 4, |S, x| S::max(x[0], S::splat(0.0));
    Exp, 1, 1, |S, x| math::exp::<S>(x[0]);
    Expm1, 1, 1, |S, x| math::expm1::<S>(x[0]);
    Log, 1, 1, |S, x| math::log::<S>(x[0]);
    Log1p, 1, 1, |S, x| math::log1p::<S>(x[0]);
    Sigmoid, 1, 1, |S, x| math::sigmoid::<S>(x[0]);
    Tanh, 1, 1, |S, x| math::tanh::<S>(x[0]);
    Softplus, 1, 1, |S, x| math::softplus::<S>(x[0]);
    Add, 2, 4, |S, x| S::add(x[0], x[1]);
    Sub, 2, 4, |S, x| S::sub(x[0], x[1]);
    Mul, 2, 4, |S, x| S::mul(x[0], x[1]);
    Div, 2, 4, |S, x| S::div(x[0], x[1]);
    Min, 2, 4, |S, x| S::min(x[0], x[1]);
    Max, 2, 4, |S, x| S::max(x[0], x[1]);
    Pow, 2, 1, |S, x| math::pow::<S>(x[0], x[1]);
    Lt, 2, 4, |S, x| flag::<S>(S::lt(x[0], x[1]));
    Le, 2, 4, |S, x| flag::<S>(S::le(x[0], x[1]));
    Eq, 2, 4, |S, x| flag::<S>(S::eq(x[0], x[1]));
    Ne, 2, 4, |S, x| flag::<S>(S::ne(x[0], x[1]));
    MulAdd, 3, 4, |S, x| S::mul_add(x[0], x[1], x[2]);
    Select, 3, 4, |S, x| S::select(S::ne(x[0], S::splat(0.0)), x[1], x[2]);
}

lanes! {
    Mean, 5, 4, |S, x| S::mul_add(x[3], x[0], S::mul(x[4], x[1]));
    MeanSquare, 5, 4, |S, x| S::mul_add(x[3], x[0], S::mul(x[4], S::mul(x[1], x[1])));
    AdaptiveStep, 5, 4, |S, x| S::sub(x[0], S::mul(x[3], S::div(x[1], S::add(S::sqrt(x[2]), x[4]))));
}

/// The kernel of a fused function: its scalars are repeated, its values are not.
pub(crate) fn fused(function: Fused, isa: Isa) -> Entry {
    const SCALARS: u8 = 0b11000;
    match function {
        Fused::Mean => entry::<Map<Mean, SCALARS>>(isa),
        Fused::MeanSquare => entry::<Map<MeanSquare, SCALARS>>(isa),
        Fused::AdaptiveStep => entry::<Map<AdaptiveStep, SCALARS>>(isa),
    }
}

fn one<F: Lanes>(isa: Isa, repeat: u8) -> Entry {
    if repeat & 1 == 0 { entry::<Map<F, 0>>(isa) } else { entry::<Map<F, 1>>(isa) }
}

fn two<F: Lanes>(isa: Isa, repeat: u8) -> Entry {
    match repeat & 3 {
        0 => entry::<Map<F, 0>>(isa),
        1 => entry::<Map<F, 1>>(isa),
        2 => entry::<Map<F, 2>>(isa),
        _ => entry::<Map<F, 3>>(isa),
    }
}

fn three<F: Lanes>(isa: Isa, repeat: u8) -> Entry {
    match repeat & 7 {
        0 => entry::<Map<F, 0>>(isa),
        1 => entry::<Map<F, 1>>(isa),
        2 => entry::<Map<F, 2>>(isa),
        3 => entry::<Map<F, 3>>(isa),
        4 => entry::<Map<F, 4>>(isa),
        5 => entry::<Map<F, 5>>(isa),
        6 => entry::<Map<F, 6>>(isa),
        _ => entry::<Map<F, 7>>(isa),
    }
}

/// Copies, repeating along rows if asked to.
pub(crate) fn copy(isa: Isa, repeat: u8) -> Entry {
    one::<Identity>(isa, repeat)
}

/// The kernel of a function of one argument.
pub(crate) fn unary(function: Unary, isa: Isa, repeat: u8) -> Entry {
    match function {
        Unary::Neg => one::<Neg>(isa, repeat),
        Unary::Abs => one::<Abs>(isa, repeat),
        Unary::Sign => one::<Sign>(isa, repeat),
        Unary::Floor => one::<Floor>(isa, repeat),
        Unary::Exp => one::<Exp>(isa, repeat),
        Unary::Expm1 => one::<Expm1>(isa, repeat),
        Unary::Log => one::<Log>(isa, repeat),
        Unary::Log1p => one::<Log1p>(isa, repeat),
        Unary::Sqrt => one::<Sqrt>(isa, repeat),
        Unary::Recip => one::<Recip>(isa, repeat),
        Unary::Sigmoid => one::<Sigmoid>(isa, repeat),
        Unary::Tanh => one::<Tanh>(isa, repeat),
        Unary::Softplus => one::<Softplus>(isa, repeat),
        Unary::Relu => one::<Relu>(isa, repeat),
    }
}

/// The kernel of a function of two arguments.
pub(crate) fn binary(function: Binary, isa: Isa, repeat: u8) -> Entry {
    match function {
        Binary::Add => two::<Add>(isa, repeat),
        Binary::Sub => two::<Sub>(isa, repeat),
        Binary::Mul => two::<Mul>(isa, repeat),
        Binary::Div => two::<Div>(isa, repeat),
        Binary::Min => two::<Min>(isa, repeat),
        Binary::Max => two::<Max>(isa, repeat),
        Binary::Pow => two::<Pow>(isa, repeat),
        Binary::Lt => two::<Lt>(isa, repeat),
        Binary::Le => two::<Le>(isa, repeat),
        Binary::Eq => two::<Eq>(isa, repeat),
        Binary::Ne => two::<Ne>(isa, repeat),
    }
}

/// The kernel of `a * b + c`.
pub(crate) fn mul_add(isa: Isa, repeat: u8) -> Entry {
    three::<MulAdd>(isa, repeat)
}

/// The kernel of the choice between two values.
pub(crate) fn select(isa: Isa, repeat: u8) -> Entry {
    three::<Select>(isa, repeat)
}

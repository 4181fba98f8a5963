//! Elementary functions over [`Simd`], f32, by polynomials.
//!
//! Bounds below are in units in the last place of the exact result, seen over a dense grid with a fused
//! multiply-add (without one, add about 1). Infinities, NaN and subnormals behave as in the standard library;
//! the sign of a zero result is not promised.
//!
//! | function | bound | method |
//! |---|---|---|
//! | `exp` | 2 | `2^n e^r`, `n = round(x / ln 2)`, degree 7 in `r` (Cephes `expf`) |
//! | `expm1` | 3 | the same, with `e^r - 1` kept apart |
//! | `log` | 2 | `e ln 2 + log m`, `m` in [sqrt(1/2), sqrt 2), degree 11 in `m - 1` (Cephes `logf`) |
//! | `log1p` | 3 | `log u + (x - (u - 1)) / u`, `u = 1 + x` rounded |
//! | `sigmoid` | 4 | from `e^-|x|` |
//! | `tanh` | 4 | from `expm1(-2|x|)` |
//! | `softplus` | 4 | `max(x, 0) + log1p(e^-|x|)` |
//! | `pow` | 3 + |b log a| / 4 | `exp(b log a)` with the logarithm and the product in two parts |

use crate::simd::Simd;

/// The upper part of ln 2: so few bits that its product with an exponent is exact.
const LN2_HI: f32 = 0.693_359_4;
/// `ln 2 - LN2_HI`
const LN2_LO: f32 = -2.121_944_4e-4;
const SIGN: u32 = 0x8000_0000;
/// The bits of sqrt(1/2).
const SQRT_HALF: u32 = 0x3f35_04f3;

/// `|x|`
#[inline(always)]
pub(crate) unsafe fn abs<S: Simd>(x: S::V) -> S::V {
    // SAFETY: the caller vouches for the instruction set.
    unsafe { S::from_bits(S::and_u(S::to_bits(x), S::splat_u(!SIGN))) }
}

/// `-x`
#[inline(always)]
pub(crate) unsafe fn neg<S: Simd>(x: S::V) -> S::V {
    // SAFETY: the caller vouches for the instruction set.
    unsafe { S::from_bits(S::xor_u(S::to_bits(x), S::splat_u(SIGN))) }
}

/// `x` with its sign turned where `s` is negative.
#[inline(always)]
unsafe fn times_sign<S: Simd>(x: S::V, s: S::V) -> S::V {
    // SAFETY: the caller vouches for the instruction set.
    unsafe { S::from_bits(S::xor_u(S::to_bits(x), S::and_u(S::to_bits(s), S::splat_u(SIGN)))) }
}

/// `2^n` for integral `n` in [-126, 127].
#[inline(always)]
unsafe fn exp2_int<S: Simd>(n: S::V) -> S::V {
    // SAFETY: the caller vouches for the instruction set.
    unsafe { S::from_bits(S::shl_u::<23>(S::add_u(S::f32_to_i(n), S::splat_u(127)))) }
}

/// `n` and `e^r - 1` with `x = n ln 2 + r`, `|r| <= ln 2 / 2`.
#[inline(always)]
unsafe fn exp_parts<S: Simd>(x: S::V) -> (S::V, S::V) {
    // SAFETY: the caller vouches for the instruction set.
    unsafe {
        let n = S::round(S::mul(x, S::splat(std::f32::consts::LOG2_E)));
        let r = S::mul_add(n, S::splat(-LN2_HI), x);
        let r = S::mul_add(n, S::splat(-LN2_LO), r);
        let mut p = S::splat(1.987_569_1e-4);
        p = S::mul_add(p, r, S::splat(1.398_199_9e-3));
        p = S::mul_add(p, r, S::splat(8.333_452e-3));
        p = S::mul_add(p, r, S::splat(4.166_579_6e-2));
        p = S::mul_add(p, r, S::splat(1.666_666_5e-1));
        p = S::mul_add(p, r, S::splat(0.5));
        (n, S::mul_add(S::mul(p, r), r, r))
    }
}

/// `e^x`
#[inline(always)]
pub(crate) unsafe fn exp<S: Simd>(x: S::V) -> S::V {
    // SAFETY: the caller vouches for the instruction set.
    unsafe {
        // Beyond these the result is infinite or rounds to 0.
        let x = S::max(S::min(x, S::splat(89.0)), S::splat(-104.0));
        let (n, q) = exp_parts::<S>(x);
        // Two factors, since 2^n itself may be outside the normal range.
        let half = S::floor(S::mul(n, S::splat(0.5)));
        let y = S::mul(S::add(q, S::splat(1.0)), exp2_int::<S>(half));
        S::mul(y, exp2_int::<S>(S::sub(n, half)))
    }
}

/// `e^x - 1`
#[inline(always)]
pub(crate) unsafe fn expm1<S: Simd>(x: S::V) -> S::V {
    // SAFETY: the caller vouches for the instruction set.
    unsafe {
        let x = S::max(S::min(x, S::splat(89.0)), S::splat(-20.0));
        let (n, q) = exp_parts::<S>(x);
        // Half of the result, since 2^128 is not a number.
        let t = exp2_int::<S>(S::sub(n, S::splat(1.0)));
        let half = S::mul_add(t, q, S::sub(t, S::splat(0.5)));
        S::add(half, half)
    }
}

/// The exponent `e` and the rest `m - 1` with `x = m 2^e`, `m` in [sqrt(1/2), sqrt 2), for positive finite `x`.
#[inline(always)]
unsafe fn split<S: Simd>(x: S::V) -> (S::V, S::V) {
    // SAFETY: the caller vouches for the instruction set.
    unsafe {
        let tiny = S::lt(x, S::splat(f32::MIN_POSITIVE));
        let x = S::select(tiny, S::mul(x, S::splat(8_388_608.0)), x);
        let bits = S::add_u(S::to_bits(x), S::splat_u(0x3f80_0000 - SQRT_HALF));
        let e = S::sub(S::u_to_f32(S::shr_u::<23>(bits)), S::splat(127.0));
        let e = S::select(tiny, S::sub(e, S::splat(23.0)), e);
        let m = S::add_u(S::and_u(bits, S::splat_u(0x007f_ffff)), S::splat_u(SQRT_HALF));
        (e, S::sub(S::from_bits(m), S::splat(1.0)))
    }
}

/// `log(1 + f) - f + f^2 / 2` for `1 + f` in [sqrt(1/2), sqrt 2).
#[inline(always)]
unsafe fn log_tail<S: Simd>(f: S::V) -> S::V {
    // SAFETY: the caller vouches for the instruction set.
    unsafe {
        let mut p = S::splat(7.037_683_6e-2);
        p = S::mul_add(p, f, S::splat(-1.151_461e-1));
        p = S::mul_add(p, f, S::splat(1.167_699_9e-1));
        p = S::mul_add(p, f, S::splat(-1.242_014_1e-1));
        p = S::mul_add(p, f, S::splat(1.424_932_3e-1));
        p = S::mul_add(p, f, S::splat(-1.666_805_8e-1));
        p = S::mul_add(p, f, S::splat(2.000_071_5e-1));
        p = S::mul_add(p, f, S::splat(-2.499_999_4e-1));
        p = S::mul_add(p, f, S::splat(3.333_333e-1));
        S::mul(S::mul(p, f), S::mul(f, f))
    }
}

/// Puts in what `log` is at 0, below 0, at infinity and at NaN.
#[inline(always)]
unsafe fn log_ends<S: Simd>(x: S::V, y: S::V) -> S::V {
    // SAFETY: the caller vouches for the instruction set.
    unsafe {
        let y = S::select(S::lt(x, S::splat(f32::INFINITY)), y, x);
        let y = S::select(S::eq(x, S::splat(0.0)), S::splat(f32::NEG_INFINITY), y);
        S::select(S::lt(x, S::splat(0.0)), S::splat(f32::NAN), y)
    }
}

/// Natural logarithm.
#[inline(always)]
pub(crate) unsafe fn log<S: Simd>(x: S::V) -> S::V {
    // SAFETY: the caller vouches for the instruction set.
    unsafe {
        let (e, f) = split::<S>(x);
        let y = S::mul_add(e, S::splat(LN2_LO), log_tail::<S>(f));
        let y = S::mul_add(S::mul(f, f), S::splat(-0.5), y);
        let y = S::mul_add(e, S::splat(LN2_HI), S::add(f, y));
        log_ends::<S>(x, y)
    }
}

/// `log(1 + x)`
#[inline(always)]
pub(crate) unsafe fn log1p<S: Simd>(x: S::V) -> S::V {
    // SAFETY: the caller vouches for the instruction set.
    unsafe {
        let u = S::add(x, S::splat(1.0));
        let lost = S::div(S::sub(x, S::sub(u, S::splat(1.0))), u);
        // At both ends `lost` is not a number, and not needed.
        let lost = S::select(S::lt(u, S::splat(f32::INFINITY)), lost, S::splat(0.0));
        let lost = S::select(S::eq(u, S::splat(0.0)), S::splat(0.0), lost);
        S::add(log::<S>(u), lost)
    }
}

/// `1 / (1 + e^-x)`
#[inline(always)]
pub(crate) unsafe fn sigmoid<S: Simd>(x: S::V) -> S::V {
    // SAFETY: the caller vouches for the instruction set.
    unsafe {
        let one = S::splat(1.0);
        let e = exp::<S>(neg::<S>(abs::<S>(x)));
        S::div(S::select(S::lt(x, S::splat(0.0)), e, one), S::add(one, e))
    }
}

/// Hyperbolic tangent.
#[inline(always)]
pub(crate) unsafe fn tanh<S: Simd>(x: S::V) -> S::V {
    // SAFETY: the caller vouches for the instruction set.
    unsafe {
        let t = expm1::<S>(S::mul(abs::<S>(x), S::splat(-2.0)));
        times_sign::<S>(S::div(abs::<S>(t), S::add(t, S::splat(2.0))), x)
    }
}

/// `log(1 + e^x)`
#[inline(always)]
pub(crate) unsafe fn softplus<S: Simd>(x: S::V) -> S::V {
    // SAFETY: the caller vouches for the instruction set.
    unsafe {
        let e = exp::<S>(neg::<S>(abs::<S>(x)));
        S::add(S::max(x, S::splat(0.0)), log1p::<S>(e))
    }
}

/// `a^b`
#[inline(always)]
pub(crate) unsafe fn pow<S: Simd>(a: S::V, b: S::V) -> S::V {
    // SAFETY: the caller vouches for the instruction set.
    unsafe {
        let (zero, one, infinity) = (S::splat(0.0), S::splat(1.0), S::splat(f32::INFINITY));
        let x = abs::<S>(a);
        let (e, f) = split::<S>(x);
        // log x as hi + lo: e LN2_HI, f and their sum's rounding error are exact.
        let big = S::mul(e, S::splat(LN2_HI));
        let square = S::mul(f, f);
        let square_lo = S::mul_add(f, f, neg::<S>(square));
        let (s, s_lo) = two_sum::<S>(big, f);
        let (hi, hi_lo) = two_sum::<S>(s, S::mul(square, S::splat(-0.5)));
        let lo = S::mul_add(e, S::splat(LN2_LO), log_tail::<S>(f));
        let lo = S::add(S::mul_add(square_lo, S::splat(-0.5), lo), S::add(s_lo, hi_lo));
        let (hi, lo) = two_sum::<S>(hi, lo);
        let hi = log_ends::<S>(x, hi);
        // b log x, likewise in two parts.
        let p = S::mul(b, hi);
        let p_lo = S::mul_add(b, lo, S::mul_add(b, hi, neg::<S>(p)));
        // Where the first part decides alone, the second may not be a number.
        let p_lo = S::select(S::lt(abs::<S>(p), S::splat(200.0)), p_lo, zero);
        let y = exp::<S>(p);
        let y = S::select(S::lt(y, infinity), S::mul_add(y, p_lo, y), y);

        // A negative base: the sign of an odd power, and no other real powers.
        let whole = S::floor(b);
        let half = S::floor(S::mul(b, S::splat(0.5)));
        let odd = S::ne(S::add(half, half), whole);
        let negative = S::select(odd, neg::<S>(y), y);
        let real = S::select(S::eq(whole, b), negative, S::splat(f32::NAN));
        let below = S::select(S::eq(x, infinity), negative_end::<S>(b, y, real), real);
        let y = S::select(S::lt(a, zero), below, y);
        // |a| = 1 with an infinite power, then the two identities that hold even for NaN.
        let unit = S::select(S::eq(x, one), S::select(S::eq(abs::<S>(b), infinity), one, y), y);
        let unit = S::select(S::eq(a, one), one, unit);
        S::select(S::eq(b, zero), one, unit)
    }
}

/// The power of minus infinity: as for a whole power, and `y` (0 or infinity) for the others.
#[inline(always)]
unsafe fn negative_end<S: Simd>(b: S::V, y: S::V, real: S::V) -> S::V {
    // SAFETY: the caller vouches for the instruction set.
    unsafe { S::select(S::eq(S::floor(b), b), real, y) }
}

/// `a + b` rounded, and what the rounding lost (Knuth).
#[inline(always)]
unsafe fn two_sum<S: Simd>(a: S::V, b: S::V) -> (S::V, S::V) {
    // SAFETY: the caller vouches for the instruction set.
    unsafe {
        let s = S::add(a, b);
        let t = S::sub(s, a);
        (s, S::add(S::sub(a, S::sub(s, t)), S::sub(b, t)))
    }
}

#[cfg(test)]
mod tests;

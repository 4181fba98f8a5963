//! Portable lanes: arrays that the compiler may or may not put into vector registers.

use super::Simd;

/// `N` portable lanes, on a machine that is taken to have `R` registers of them. (Other numbers than those of
/// [`Scalar`] let tests walk the paths of any machine.)
#[derive(Clone, Copy, Debug)]
pub struct Lanes<const N: usize, const R: usize>;

/// The fallback of every machine: both baselines, SSE2 and NEON, have registers of 4 lanes.
pub type Scalar = Lanes<4, { if cfg!(target_arch = "aarch64") { 32 } else { 16 } }>;

/// 2^23: adding and taking away a number of this size rounds to an integer.
const TWO_23: f32 = 8_388_608.0;

macro_rules! each {
    ($n:expr, $zero:expr, $i:ident => $e:expr) => {{
        let mut r = [$zero; $n];
        let mut $i = 0;
        while $i < $n {
            r[$i] = $e;
            $i += 1;
        }
        r
    }};
}

#[inline(always)]
const fn mask(b: bool) -> u32 {
    if b { !0 } else { 0 }
}

#[inline(always)]
fn round(x: f32) -> f32 {
    if x.abs() < TWO_23 {
        let big = TWO_23.copysign(x);
        ((x + big) - big).copysign(x)
    } else {
        x
    }
}

#[inline(always)]
fn floor(x: f32) -> f32 {
    let r = round(x);
    if r > x { r - 1.0 } else { r }
}

#[allow(unsafe_op_in_unsafe_fn)] // The bodies are as unsafe as the trait says, and no more.
// SAFETY: plain Rust on arrays; memory is touched only through the caller's pointers, within the lanes promised.
unsafe impl<const N: usize, const R: usize> Simd for Lanes<N, R> {
    type V = [f32; N];
    type M = [u32; N];
    type U = [u32; N];
    const LANES: usize = N;
    const REGISTERS: usize = R;

    #[inline(always)]
    unsafe fn splat(x: f32) -> Self::V {
        [x; N]
    }
    #[inline(always)]
    unsafe fn load(p: *const f32) -> Self::V {
        p.cast::<[f32; N]>().read_unaligned()
    }
    #[inline(always)]
    unsafe fn store(p: *mut f32, v: Self::V) {
        p.cast::<[f32; N]>().write_unaligned(v)
    }
    #[inline(always)]
    unsafe fn load_first(p: *const f32, n: usize) -> Self::V {
        each!(N, 0.0, i => if i < n { *p.add(i) } else { 0.0 })
    }
    #[inline(always)]
    unsafe fn store_first(p: *mut f32, v: Self::V, n: usize) {
        for (i, x) in v.into_iter().enumerate() {
            if i < n {
                *p.add(i) = x;
            }
        }
    }
    #[inline(always)]
    unsafe fn transpose(src: *const f32, src_stride: usize, dst: *mut f32, dst_stride: usize) {
        for i in 0..N {
            for j in 0..N {
                *dst.add(i * dst_stride + j) = *src.add(j * src_stride + i);
            }
        }
    }

    #[inline(always)]
    unsafe fn add(a: Self::V, b: Self::V) -> Self::V {
        each!(N, 0.0, i => a[i] + b[i])
    }
    #[inline(always)]
    unsafe fn sub(a: Self::V, b: Self::V) -> Self::V {
        each!(N, 0.0, i => a[i] - b[i])
    }
    #[inline(always)]
    unsafe fn mul(a: Self::V, b: Self::V) -> Self::V {
        each!(N, 0.0, i => a[i] * b[i])
    }
    #[inline(always)]
    unsafe fn div(a: Self::V, b: Self::V) -> Self::V {
        each!(N, 0.0, i => a[i] / b[i])
    }
    #[inline(always)]
    unsafe fn sqrt(a: Self::V) -> Self::V {
        each!(N, 0.0, i => a[i].sqrt())
    }
    #[inline(always)]
    unsafe fn mul_add(a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        each!(N, 0.0, i => a[i] * b[i] + c[i])
    }
    #[inline(always)]
    unsafe fn min(a: Self::V, b: Self::V) -> Self::V {
        each!(N, 0.0, i => if a[i] < b[i] || a[i].is_nan() { a[i] } else { b[i] })
    }
    #[inline(always)]
    unsafe fn max(a: Self::V, b: Self::V) -> Self::V {
        each!(N, 0.0, i => if a[i] > b[i] || a[i].is_nan() { a[i] } else { b[i] })
    }
    #[inline(always)]
    unsafe fn round(a: Self::V) -> Self::V {
        each!(N, 0.0, i => round(a[i]))
    }
    #[inline(always)]
    unsafe fn floor(a: Self::V) -> Self::V {
        each!(N, 0.0, i => floor(a[i]))
    }

    #[inline(always)]
    unsafe fn lt(a: Self::V, b: Self::V) -> Self::M {
        each!(N, 0, i => mask(a[i] < b[i]))
    }
    #[inline(always)]
    unsafe fn le(a: Self::V, b: Self::V) -> Self::M {
        each!(N, 0, i => mask(a[i] <= b[i]))
    }
    #[inline(always)]
    unsafe fn eq(a: Self::V, b: Self::V) -> Self::M {
        each!(N, 0, i => mask(a[i] == b[i]))
    }
    #[inline(always)]
    unsafe fn ne(a: Self::V, b: Self::V) -> Self::M {
        each!(N, 0, i => mask(a[i] != b[i]))
    }
    #[inline(always)]
    unsafe fn select(m: Self::M, a: Self::V, b: Self::V) -> Self::V {
        each!(N, 0.0, i => f32::from_bits((a[i].to_bits() & m[i]) | (b[i].to_bits() & !m[i])))
    }

    #[inline(always)]
    unsafe fn to_bits(v: Self::V) -> Self::U {
        each!(N, 0, i => v[i].to_bits())
    }
    #[inline(always)]
    unsafe fn from_bits(u: Self::U) -> Self::V {
        each!(N, 0.0, i => f32::from_bits(u[i]))
    }
    #[inline(always)]
    unsafe fn splat_u(x: u32) -> Self::U {
        [x; N]
    }
    #[inline(always)]
    unsafe fn iota_u() -> Self::U {
        each!(N, 0, i => i as u32)
    }
    #[inline(always)]
    unsafe fn add_u(a: Self::U, b: Self::U) -> Self::U {
        each!(N, 0, i => a[i].wrapping_add(b[i]))
    }
    #[inline(always)]
    unsafe fn sub_u(a: Self::U, b: Self::U) -> Self::U {
        each!(N, 0, i => a[i].wrapping_sub(b[i]))
    }
    #[inline(always)]
    unsafe fn xor_u(a: Self::U, b: Self::U) -> Self::U {
        each!(N, 0, i => a[i] ^ b[i])
    }
    #[inline(always)]
    unsafe fn and_u(a: Self::U, b: Self::U) -> Self::U {
        each!(N, 0, i => a[i] & b[i])
    }
    #[inline(always)]
    unsafe fn or_u(a: Self::U, b: Self::U) -> Self::U {
        each!(N, 0, i => a[i] | b[i])
    }
    #[inline(always)]
    unsafe fn shl_u<const S: u32>(a: Self::U) -> Self::U {
        each!(N, 0, i => a[i] << S)
    }
    #[inline(always)]
    unsafe fn shr_u<const S: u32>(a: Self::U) -> Self::U {
        each!(N, 0, i => a[i] >> S)
    }
    #[inline(always)]
    unsafe fn u_to_f32(a: Self::U) -> Self::V {
        each!(N, 0.0, i => a[i] as i32 as f32)
    }
    #[inline(always)]
    unsafe fn f32_to_i(v: Self::V) -> Self::U {
        each!(N, 0, i => v[i] as i32 as u32)
    }
}

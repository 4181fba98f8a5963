//! NEON (Advanced SIMD) of aarch64: 4 lanes.

use super::Simd;
use std::arch::aarch64::*;

/// NEON.
#[derive(Clone, Copy, Debug)]
pub struct Neon;

#[allow(unsafe_op_in_unsafe_fn)] // The bodies are as unsafe as the trait says, and no more.
// SAFETY: every body is one or two instructions of this set, which the caller has made sure of; memory is touched
// only through the caller's pointers, within the lanes promised.
unsafe impl Simd for Neon {
    type V = float32x4_t;
    type M = uint32x4_t;
    type U = uint32x4_t;
    const LANES: usize = 4;
    const REGISTERS: usize = 32;

    #[inline(always)]
    unsafe fn splat(x: f32) -> Self::V {
        vdupq_n_f32(x)
    }
    #[inline(always)]
    unsafe fn load(p: *const f32) -> Self::V {
        vld1q_f32(p)
    }
    #[inline(always)]
    unsafe fn store(p: *mut f32, v: Self::V) {
        vst1q_f32(p, v)
    }
    #[inline(always)]
    unsafe fn load_first(p: *const f32, n: usize) -> Self::V {
        let mut lanes = [0.0f32; 4];
        for (i, lane) in lanes.iter_mut().enumerate() {
            if i < n {
                *lane = *p.add(i);
            }
        }
        vld1q_f32(lanes.as_ptr())
    }
    #[inline(always)]
    unsafe fn store_first(p: *mut f32, v: Self::V, n: usize) {
        let mut lanes = [0.0f32; 4];
        vst1q_f32(lanes.as_mut_ptr(), v);
        for (i, lane) in lanes.into_iter().enumerate() {
            if i < n {
                *p.add(i) = lane;
            }
        }
    }
    #[inline(always)]
    unsafe fn transpose(src: *const f32, src_stride: usize, dst: *mut f32, dst_stride: usize) {
        let (a, b) = (vld1q_f32(src), vld1q_f32(src.add(src_stride)));
        let (c, d) = (vld1q_f32(src.add(2 * src_stride)), vld1q_f32(src.add(3 * src_stride)));
        let (ac_low, ac_high) = (vzip1q_f32(a, c), vzip2q_f32(a, c));
        let (bd_low, bd_high) = (vzip1q_f32(b, d), vzip2q_f32(b, d));
        vst1q_f32(dst, vzip1q_f32(ac_low, bd_low));
        vst1q_f32(dst.add(dst_stride), vzip2q_f32(ac_low, bd_low));
        vst1q_f32(dst.add(2 * dst_stride), vzip1q_f32(ac_high, bd_high));
        vst1q_f32(dst.add(3 * dst_stride), vzip2q_f32(ac_high, bd_high));
    }

    #[inline(always)]
    unsafe fn add(a: Self::V, b: Self::V) -> Self::V {
        vaddq_f32(a, b)
    }
    #[inline(always)]
    unsafe fn sub(a: Self::V, b: Self::V) -> Self::V {
        vsubq_f32(a, b)
    }
    #[inline(always)]
    unsafe fn mul(a: Self::V, b: Self::V) -> Self::V {
        vmulq_f32(a, b)
    }
    #[inline(always)]
    unsafe fn div(a: Self::V, b: Self::V) -> Self::V {
        vdivq_f32(a, b)
    }
    #[inline(always)]
    unsafe fn sqrt(a: Self::V) -> Self::V {
        vsqrtq_f32(a)
    }
    #[inline(always)]
    unsafe fn mul_add(a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        vfmaq_f32(c, a, b)
    }
    #[inline(always)]
    unsafe fn min(a: Self::V, b: Self::V) -> Self::V {
        vminq_f32(a, b)
    }
    #[inline(always)]
    unsafe fn max(a: Self::V, b: Self::V) -> Self::V {
        vmaxq_f32(a, b)
    }
    #[inline(always)]
    unsafe fn round(a: Self::V) -> Self::V {
        vrndnq_f32(a)
    }
    #[inline(always)]
    unsafe fn floor(a: Self::V) -> Self::V {
        vrndmq_f32(a)
    }

    #[inline(always)]
    unsafe fn lt(a: Self::V, b: Self::V) -> Self::M {
        vcltq_f32(a, b)
    }
    #[inline(always)]
    unsafe fn le(a: Self::V, b: Self::V) -> Self::M {
        vcleq_f32(a, b)
    }
    #[inline(always)]
    unsafe fn eq(a: Self::V, b: Self::V) -> Self::M {
        vceqq_f32(a, b)
    }
    #[inline(always)]
    unsafe fn ne(a: Self::V, b: Self::V) -> Self::M {
        vmvnq_u32(vceqq_f32(a, b))
    }
    #[inline(always)]
    unsafe fn select(m: Self::M, a: Self::V, b: Self::V) -> Self::V {
        vbslq_f32(m, a, b)
    }

    #[inline(always)]
    unsafe fn to_bits(v: Self::V) -> Self::U {
        vreinterpretq_u32_f32(v)
    }
    #[inline(always)]
    unsafe fn from_bits(u: Self::U) -> Self::V {
        vreinterpretq_f32_u32(u)
    }
    #[inline(always)]
    unsafe fn splat_u(x: u32) -> Self::U {
        vdupq_n_u32(x)
    }
    #[inline(always)]
    unsafe fn iota_u() -> Self::U {
        vld1q_u32([0, 1, 2, 3].as_ptr())
    }
    #[inline(always)]
    unsafe fn add_u(a: Self::U, b: Self::U) -> Self::U {
        vaddq_u32(a, b)
    }
    #[inline(always)]
    unsafe fn sub_u(a: Self::U, b: Self::U) -> Self::U {
        vsubq_u32(a, b)
    }
    #[inline(always)]
    unsafe fn xor_u(a: Self::U, b: Self::U) -> Self::U {
        veorq_u32(a, b)
    }
    #[inline(always)]
    unsafe fn and_u(a: Self::U, b: Self::U) -> Self::U {
        vandq_u32(a, b)
    }
    #[inline(always)]
    unsafe fn or_u(a: Self::U, b: Self::U) -> Self::U {
        vorrq_u32(a, b)
    }
    #[inline(always)]
    unsafe fn shl_u<const N: u32>(a: Self::U) -> Self::U {
        vshlq_u32(a, vdupq_n_s32(N as i32))
    }
    #[inline(always)]
    unsafe fn shr_u<const N: u32>(a: Self::U) -> Self::U {
        vshlq_u32(a, vdupq_n_s32(-(N as i32)))
    }
    #[inline(always)]
    unsafe fn u_to_f32(a: Self::U) -> Self::V {
        vcvtq_f32_s32(vreinterpretq_s32_u32(a))
    }
    #[inline(always)]
    unsafe fn f32_to_i(v: Self::V) -> Self::U {
        vreinterpretq_u32_s32(vcvtq_s32_f32(v))
    }
}

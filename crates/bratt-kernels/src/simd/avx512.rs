//! AVX-512 (F, VL, DQ, BW): 16 lanes.

use super::Simd;
use super::avx2::Avx2;
use std::arch::x86_64::*;

/// The mask of the first `n` lanes.
#[inline(always)]
const fn first(n: usize) -> __mmask16 {
    debug_assert!(n <= 16);
    ((1u32 << n) - 1) as __mmask16
}

/// AVX-512.
#[derive(Clone, Copy, Debug)]
pub struct Avx512;

#[allow(unsafe_op_in_unsafe_fn)] // The bodies are as unsafe as the trait says, and no more.
// SAFETY: every body is one or two instructions of this set, which the caller has made sure of; memory is touched
// only through the caller's pointers, within the lanes promised.
unsafe impl Simd for Avx512 {
    type V = __m512;
    type M = __mmask16;
    type U = __m512i;
    const LANES: usize = 16;
    const REGISTERS: usize = 32;

    #[inline(always)]
    unsafe fn splat(x: f32) -> Self::V {
        _mm512_set1_ps(x)
    }
    #[inline(always)]
    unsafe fn load(p: *const f32) -> Self::V {
        _mm512_loadu_ps(p)
    }
    #[inline(always)]
    unsafe fn store(p: *mut f32, v: Self::V) {
        _mm512_storeu_ps(p, v)
    }
    #[inline(always)]
    unsafe fn load_first(p: *const f32, n: usize) -> Self::V {
        _mm512_maskz_loadu_ps(first(n), p)
    }
    #[inline(always)]
    unsafe fn store_first(p: *mut f32, v: Self::V, n: usize) {
        _mm512_mask_storeu_ps(p, first(n), v)
    }
    #[inline(always)]
    unsafe fn transpose(src: *const f32, src_stride: usize, dst: *mut f32, dst_stride: usize) {
        // Four blocks of 8 x 8; AVX-512 contains AVX2.
        for i in [0, 8] {
            for j in [0, 8] {
                let block = dst.add(i * dst_stride + j);
                Avx2::transpose(src.add(j * src_stride + i), src_stride, block, dst_stride);
            }
        }
    }

    #[inline(always)]
    unsafe fn add(a: Self::V, b: Self::V) -> Self::V {
        _mm512_add_ps(a, b)
    }
    #[inline(always)]
    unsafe fn sub(a: Self::V, b: Self::V) -> Self::V {
        _mm512_sub_ps(a, b)
    }
    #[inline(always)]
    unsafe fn mul(a: Self::V, b: Self::V) -> Self::V {
        _mm512_mul_ps(a, b)
    }
    #[inline(always)]
    unsafe fn div(a: Self::V, b: Self::V) -> Self::V {
        _mm512_div_ps(a, b)
    }
    #[inline(always)]
    unsafe fn sqrt(a: Self::V) -> Self::V {
        _mm512_sqrt_ps(a)
    }
    #[inline(always)]
    unsafe fn mul_add(a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        _mm512_fmadd_ps(a, b, c)
    }
    #[inline(always)]
    unsafe fn min(a: Self::V, b: Self::V) -> Self::V {
        // VMINPS gives `b` if either is NaN, so only a NaN in `a` needs help.
        _mm512_mask_mov_ps(_mm512_min_ps(a, b), _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(a, a), a)
    }
    #[inline(always)]
    unsafe fn max(a: Self::V, b: Self::V) -> Self::V {
        _mm512_mask_mov_ps(_mm512_max_ps(a, b), _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(a, a), a)
    }
    #[inline(always)]
    unsafe fn round(a: Self::V) -> Self::V {
        _mm512_roundscale_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(a)
    }
    #[inline(always)]
    unsafe fn floor(a: Self::V) -> Self::V {
        _mm512_roundscale_ps::<{ _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC }>(a)
    }

    #[inline(always)]
    unsafe fn lt(a: Self::V, b: Self::V) -> Self::M {
        _mm512_cmp_ps_mask::<_CMP_LT_OQ>(a, b)
    }
    #[inline(always)]
    unsafe fn le(a: Self::V, b: Self::V) -> Self::M {
        _mm512_cmp_ps_mask::<_CMP_LE_OQ>(a, b)
    }
    #[inline(always)]
    unsafe fn eq(a: Self::V, b: Self::V) -> Self::M {
        _mm512_cmp_ps_mask::<_CMP_EQ_OQ>(a, b)
    }
    #[inline(always)]
    unsafe fn ne(a: Self::V, b: Self::V) -> Self::M {
        _mm512_cmp_ps_mask::<_CMP_NEQ_UQ>(a, b)
    }
    #[inline(always)]
    unsafe fn select(m: Self::M, a: Self::V, b: Self::V) -> Self::V {
        _mm512_mask_mov_ps(b, m, a)
    }

    #[inline(always)]
    unsafe fn to_bits(v: Self::V) -> Self::U {
        _mm512_castps_si512(v)
    }
    #[inline(always)]
    unsafe fn from_bits(u: Self::U) -> Self::V {
        _mm512_castsi512_ps(u)
    }
    #[inline(always)]
    unsafe fn splat_u(x: u32) -> Self::U {
        _mm512_set1_epi32(x as i32)
    }
    #[inline(always)]
    unsafe fn iota_u() -> Self::U {
        _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
    }
    #[inline(always)]
    unsafe fn add_u(a: Self::U, b: Self::U) -> Self::U {
        _mm512_add_epi32(a, b)
    }
    #[inline(always)]
    unsafe fn sub_u(a: Self::U, b: Self::U) -> Self::U {
        _mm512_sub_epi32(a, b)
    }
    #[inline(always)]
    unsafe fn xor_u(a: Self::U, b: Self::U) -> Self::U {
        _mm512_xor_si512(a, b)
    }
    #[inline(always)]
    unsafe fn and_u(a: Self::U, b: Self::U) -> Self::U {
        _mm512_and_si512(a, b)
    }
    #[inline(always)]
    unsafe fn or_u(a: Self::U, b: Self::U) -> Self::U {
        _mm512_or_si512(a, b)
    }
    #[inline(always)]
    unsafe fn shl_u<const N: u32>(a: Self::U) -> Self::U {
        _mm512_slli_epi32::<N>(a)
    }
    #[inline(always)]
    unsafe fn shr_u<const N: u32>(a: Self::U) -> Self::U {
        _mm512_srli_epi32::<N>(a)
    }
    #[inline(always)]
    unsafe fn u_to_f32(a: Self::U) -> Self::V {
        _mm512_cvtepi32_ps(a)
    }
    #[inline(always)]
    unsafe fn f32_to_i(v: Self::V) -> Self::U {
        _mm512_cvttps_epi32(v)
    }
}

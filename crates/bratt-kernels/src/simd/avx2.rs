//! AVX2 with FMA: 8 lanes.

use super::Simd;
use std::arch::x86_64::*;

/// Eight set lanes, then eight clear ones: reading from lane `8 - n` on gives a mask of the first `n`.
static FIRST: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];

/// The mask of the first `n` lanes.
#[inline(always)]
unsafe fn first(n: usize) -> __m256i {
    debug_assert!(n <= 8);
    // SAFETY: `8 - n` is between 0 and 8, so eight numbers follow it.
    unsafe { _mm256_loadu_si256(FIRST.as_ptr().add(8 - n).cast()) }
}

/// Four numbers of the row at `p` and four of the row 4 below it, half and half: then a transpose needs shuffles
/// within halves only.
#[inline(always)]
unsafe fn halves(p: *const f32, stride: usize) -> __m256 {
    // SAFETY: the caller vouches for both rows and for AVX.
    unsafe {
        let low = _mm256_castps128_ps256(_mm_loadu_ps(p));
        _mm256_insertf128_ps::<1>(low, _mm_loadu_ps(p.add(4 * stride)))
    }
}

/// AVX2 and FMA.
#[derive(Clone, Copy, Debug)]
pub struct Avx2;

#[allow(unsafe_op_in_unsafe_fn)] // The bodies are as unsafe as the trait says, and no more.
// SAFETY: every body is one or two instructions of this set, which the caller has made sure of; memory is touched
// only through the caller's pointers, within the lanes promised.
unsafe impl Simd for Avx2 {
    type V = __m256;
    type M = __m256;
    type U = __m256i;
    const LANES: usize = 8;
    const REGISTERS: usize = 16;

    #[inline(always)]
    unsafe fn splat(x: f32) -> Self::V {
        _mm256_set1_ps(x)
    }
    #[inline(always)]
    unsafe fn load(p: *const f32) -> Self::V {
        _mm256_loadu_ps(p)
    }
    #[inline(always)]
    unsafe fn store(p: *mut f32, v: Self::V) {
        _mm256_storeu_ps(p, v)
    }
    #[inline(always)]
    unsafe fn load_first(p: *const f32, n: usize) -> Self::V {
        _mm256_maskload_ps(p, first(n))
    }
    #[inline(always)]
    unsafe fn store_first(p: *mut f32, v: Self::V, n: usize) {
        _mm256_maskstore_ps(p, first(n), v)
    }
    #[inline(always)]
    unsafe fn transpose(src: *const f32, src_stride: usize, dst: *mut f32, dst_stride: usize) {
        let mut i = 0;
        while i < 8 {
            let p = src.add(i);
            let (a, b) = (halves(p, src_stride), halves(p.add(src_stride), src_stride));
            let p = p.add(2 * src_stride);
            let (c, d) = (halves(p, src_stride), halves(p.add(src_stride), src_stride));
            let (ab_low, ab_high) = (_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
            let (cd_low, cd_high) = (_mm256_unpacklo_ps(c, d), _mm256_unpackhi_ps(c, d));
            let q = dst.add(i * dst_stride);
            _mm256_storeu_ps(q, _mm256_shuffle_ps::<0x44>(ab_low, cd_low));
            _mm256_storeu_ps(q.add(dst_stride), _mm256_shuffle_ps::<0xee>(ab_low, cd_low));
            _mm256_storeu_ps(q.add(2 * dst_stride), _mm256_shuffle_ps::<0x44>(ab_high, cd_high));
            _mm256_storeu_ps(q.add(3 * dst_stride), _mm256_shuffle_ps::<0xee>(ab_high, cd_high));
            i += 4;
        }
    }

    #[inline(always)]
    unsafe fn add(a: Self::V, b: Self::V) -> Self::V {
        _mm256_add_ps(a, b)
    }
    #[inline(always)]
    unsafe fn sub(a: Self::V, b: Self::V) -> Self::V {
        _mm256_sub_ps(a, b)
    }
    #[inline(always)]
    unsafe fn mul(a: Self::V, b: Self::V) -> Self::V {
        _mm256_mul_ps(a, b)
    }
    #[inline(always)]
    unsafe fn div(a: Self::V, b: Self::V) -> Self::V {
        _mm256_div_ps(a, b)
    }
    #[inline(always)]
    unsafe fn sqrt(a: Self::V) -> Self::V {
        _mm256_sqrt_ps(a)
    }
    #[inline(always)]
    unsafe fn mul_add(a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        _mm256_fmadd_ps(a, b, c)
    }
    #[inline(always)]
    unsafe fn min(a: Self::V, b: Self::V) -> Self::V {
        // MINPS gives `b` if either is NaN, so only a NaN in `a` needs help.
        _mm256_blendv_ps(_mm256_min_ps(a, b), a, _mm256_cmp_ps::<_CMP_UNORD_Q>(a, a))
    }
    #[inline(always)]
    unsafe fn max(a: Self::V, b: Self::V) -> Self::V {
        _mm256_blendv_ps(_mm256_max_ps(a, b), a, _mm256_cmp_ps::<_CMP_UNORD_Q>(a, a))
    }
    #[inline(always)]
    unsafe fn round(a: Self::V) -> Self::V {
        _mm256_round_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(a)
    }
    #[inline(always)]
    unsafe fn floor(a: Self::V) -> Self::V {
        _mm256_round_ps::<{ _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC }>(a)
    }

    #[inline(always)]
    unsafe fn lt(a: Self::V, b: Self::V) -> Self::M {
        _mm256_cmp_ps::<_CMP_LT_OQ>(a, b)
    }
    #[inline(always)]
    unsafe fn le(a: Self::V, b: Self::V) -> Self::M {
        _mm256_cmp_ps::<_CMP_LE_OQ>(a, b)
    }
    #[inline(always)]
    unsafe fn eq(a: Self::V, b: Self::V) -> Self::M {
        _mm256_cmp_ps::<_CMP_EQ_OQ>(a, b)
    }
    #[inline(always)]
    unsafe fn ne(a: Self::V, b: Self::V) -> Self::M {
        _mm256_cmp_ps::<_CMP_NEQ_UQ>(a, b)
    }
    #[inline(always)]
    unsafe fn select(m: Self::M, a: Self::V, b: Self::V) -> Self::V {
        _mm256_blendv_ps(b, a, m)
    }

    #[inline(always)]
    unsafe fn to_bits(v: Self::V) -> Self::U {
        _mm256_castps_si256(v)
    }
    #[inline(always)]
    unsafe fn from_bits(u: Self::U) -> Self::V {
        _mm256_castsi256_ps(u)
    }
    #[inline(always)]
    unsafe fn splat_u(x: u32) -> Self::U {
        _mm256_set1_epi32(x as i32)
    }
    #[inline(always)]
    unsafe fn iota_u() -> Self::U {
        _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7)
    }
    #[inline(always)]
    unsafe fn add_u(a: Self::U, b: Self::U) -> Self::U {
        _mm256_add_epi32(a, b)
    }
    #[inline(always)]
    unsafe fn sub_u(a: Self::U, b: Self::U) -> Self::U {
        _mm256_sub_epi32(a, b)
    }
    #[inline(always)]
    unsafe fn xor_u(a: Self::U, b: Self::U) -> Self::U {
        _mm256_xor_si256(a, b)
    }
    #[inline(always)]
    unsafe fn and_u(a: Self::U, b: Self::U) -> Self::U {
        _mm256_and_si256(a, b)
    }
    #[inline(always)]
    unsafe fn or_u(a: Self::U, b: Self::U) -> Self::U {
        _mm256_or_si256(a, b)
    }
    #[inline(always)]
    unsafe fn shl_u<const N: u32>(a: Self::U) -> Self::U {
        _mm256_sll_epi32(a, _mm_cvtsi32_si128(N as i32))
    }
    #[inline(always)]
    unsafe fn shr_u<const N: u32>(a: Self::U) -> Self::U {
        _mm256_srl_epi32(a, _mm_cvtsi32_si128(N as i32))
    }
    #[inline(always)]
    unsafe fn u_to_f32(a: Self::U) -> Self::V {
        _mm256_cvtepi32_ps(a)
    }
    #[inline(always)]
    unsafe fn f32_to_i(v: Self::V) -> Self::U {
        _mm256_cvttps_epi32(v)
    }
}

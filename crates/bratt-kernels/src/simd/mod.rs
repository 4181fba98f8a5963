//! Vectors of f32 lanes: each algorithm is written once over [`Simd`], and the intrinsics of each instruction set
//! stand in one small file.
//!
//! Every method is `unsafe` because the instruction set must have been detected; implementations are
//! `#[inline(always)]` so that they take on the `target_feature` of the kernel they are inlined into.

#[cfg(target_arch = "x86_64")]
pub mod avx2;
#[cfg(target_arch = "x86_64")]
pub mod avx512;
#[cfg(target_arch = "aarch64")]
pub mod neon;
pub mod scalar;
#[cfg(test)]
mod tests;

/// Asks for the cache line at `p`, which may be any address.
#[inline(always)]
pub fn prefetch(p: *const f32) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a hint, which faults at no address.
    unsafe {
        std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(p.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = p;
}

/// Asks for part `part` of `parts` of the `len` numbers at `p` to be brought into the second-level cache.
#[inline(always)]
pub fn prefetch_part(p: *const f32, len: usize, part: usize, parts: usize) {
    #[cfg(target_arch = "x86_64")]
    {
        /// Numbers in a cache line.
        const LINE: usize = 16;
        let lines = len.div_ceil(LINE);
        for line in lines * part / parts..lines * (part + 1) / parts {
            let p = p.wrapping_add(line * LINE);
            // SAFETY: a hint, which faults at no address.
            unsafe { std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T1 }>(p.cast()) };
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (p, len, part, parts);
}

/// One instruction set's vector of f32.
///
/// # Safety
/// Methods may only be called where the instruction set is present. Pointers must be valid for the lanes touched;
/// no alignment is required.
#[allow(missing_docs, clippy::missing_safety_doc)] // One contract for all methods, above.
pub unsafe trait Simd: Copy + Send + Sync + 'static {
    /// A vector of `LANES` numbers.
    type V: Copy;
    /// A lane mask.
    type M: Copy;
    /// A vector of `LANES` u32.
    type U: Copy;
    /// Number of f32 in a vector.
    const LANES: usize;
    /// Number of vectors that fit into the machine's registers.
    const REGISTERS: usize;

    unsafe fn splat(x: f32) -> Self::V;
    unsafe fn load(p: *const f32) -> Self::V;
    unsafe fn store(p: *mut f32, v: Self::V);
    /// Loads the first `n < LANES` lanes; the others are 0. Touches no memory beyond them.
    unsafe fn load_first(p: *const f32, n: usize) -> Self::V;
    /// Stores the first `n < LANES` lanes only.
    unsafe fn store_first(p: *mut f32, v: Self::V, n: usize);
    /// `dst[i * dst_stride + j] = src[j * src_stride + i]` for `i` and `j` below `LANES`.
    unsafe fn transpose(src: *const f32, src_stride: usize, dst: *mut f32, dst_stride: usize);

    unsafe fn add(a: Self::V, b: Self::V) -> Self::V;
    unsafe fn sub(a: Self::V, b: Self::V) -> Self::V;
    unsafe fn mul(a: Self::V, b: Self::V) -> Self::V;
    unsafe fn div(a: Self::V, b: Self::V) -> Self::V;
    unsafe fn sqrt(a: Self::V) -> Self::V;
    /// `a * b + c` with one rounding where the machine has it.
    unsafe fn mul_add(a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// The smaller; NaN if either is NaN.
    unsafe fn min(a: Self::V, b: Self::V) -> Self::V;
    /// The larger; NaN if either is NaN.
    unsafe fn max(a: Self::V, b: Self::V) -> Self::V;
    /// Rounds to the nearest integer, ties to even.
    unsafe fn round(a: Self::V) -> Self::V;
    unsafe fn floor(a: Self::V) -> Self::V;

    unsafe fn lt(a: Self::V, b: Self::V) -> Self::M;
    unsafe fn le(a: Self::V, b: Self::V) -> Self::M;
    unsafe fn eq(a: Self::V, b: Self::V) -> Self::M;
    /// True where `a != b`, or where either is NaN.
    unsafe fn ne(a: Self::V, b: Self::V) -> Self::M;
    /// `if m { a } else { b }`, lane by lane.
    unsafe fn select(m: Self::M, a: Self::V, b: Self::V) -> Self::V;

    /// Reinterprets the bits.
    unsafe fn to_bits(v: Self::V) -> Self::U;
    unsafe fn from_bits(u: Self::U) -> Self::V;
    unsafe fn splat_u(x: u32) -> Self::U;
    /// `0, 1, 2, ...`
    unsafe fn iota_u() -> Self::U;
    unsafe fn add_u(a: Self::U, b: Self::U) -> Self::U;
    unsafe fn sub_u(a: Self::U, b: Self::U) -> Self::U;
    unsafe fn xor_u(a: Self::U, b: Self::U) -> Self::U;
    unsafe fn and_u(a: Self::U, b: Self::U) -> Self::U;
    unsafe fn or_u(a: Self::U, b: Self::U) -> Self::U;
    unsafe fn shl_u<const N: u32>(a: Self::U) -> Self::U;
    unsafe fn shr_u<const N: u32>(a: Self::U) -> Self::U;
    /// Numbers below 2^31 to f32.
    unsafe fn u_to_f32(a: Self::U) -> Self::V;
    /// Integral f32 of magnitude below 2^31 to i32, as bits.
    unsafe fn f32_to_i(v: Self::V) -> Self::U;
}

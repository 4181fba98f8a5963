//! The instruction sets that kernels are compiled for, chosen at run time, and the entry through which a generic
//! kernel reaches the chosen one.
//!
//! ```
//! use bratt_kernels::isa::Isa;
//!
//! let best = Isa::detect();
//! assert!(best.is_available());
//! assert!(Isa::available().contains(&Isa::Scalar));
//! assert_eq!("avx2".parse::<Isa>().unwrap(), Isa::Avx2);
//! ```

use crate::simd::Simd;
use crate::simd::scalar::Scalar;
#[cfg(target_arch = "x86_64")]
use crate::simd::{avx2::Avx2, avx512::Avx512};
use std::fmt;
use std::str::FromStr;

/// An instruction set.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Isa {
    /// Portable code, 4 lanes; `mul_add` rounds twice.
    Scalar,
    /// AVX2 and FMA, 8 lanes.
    Avx2,
    /// AVX-512 F, VL, DQ and BW, 16 lanes.
    Avx512,
    /// Advanced SIMD of aarch64, 4 lanes.
    Neon,
}

impl Isa {
    /// Every instruction set, slowest first.
    pub const ALL: [Isa; 4] = [Isa::Scalar, Isa::Neon, Isa::Avx2, Isa::Avx512];

    /// The fastest one that this processor has.
    pub fn detect() -> Isa {
        let best = Self::ALL.into_iter().rfind(|isa| isa.is_available());
        best.unwrap_or(Isa::Scalar)
    }

    /// Those that this processor has, slowest first.
    pub fn available() -> Vec<Isa> {
        Self::ALL.into_iter().filter(|isa| isa.is_available()).collect()
    }

    /// Whether this processor has it.
    pub fn is_available(self) -> bool {
        match self {
            Isa::Scalar => true,
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => {
                is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512bw")
            }
            #[cfg(target_arch = "aarch64")]
            Isa::Neon => std::arch::is_aarch64_feature_detected!("neon"),
            #[allow(unreachable_patterns)]
            _ => false,
        }
    }

    /// The name, as `FromStr` reads it.
    pub const fn name(self) -> &'static str {
        match self {
            Isa::Scalar => "scalar",
            Isa::Avx2 => "avx2",
            Isa::Avx512 => "avx512",
            Isa::Neon => "neon",
        }
    }
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The name given is not that of an instruction set.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("unknown instruction set `{found}`: expected scalar, neon, avx2 or avx512")]
pub struct ParseIsaError {
    /// The name given.
    pub found: String,
}

impl FromStr for Isa {
    type Err = ParseIsaError;

    fn from_str(name: &str) -> Result<Isa, ParseIsaError> {
        Self::ALL
            .into_iter()
            .find(|isa| isa.name() == name)
            .ok_or_else(|| ParseIsaError { found: name.into() })
    }
}

/// A kernel written once over [`Simd`]; its arguments are the fields of the implementing type.
pub trait Kernel {
    /// What the kernel gives back.
    type Output;

    /// Runs the kernel. Implementations, and all that they call with vectors, must be `#[inline(always)]`, and must
    /// not use vectors inside closures: neither would otherwise be compiled for the instruction set.
    ///
    /// # Safety
    /// The instruction set of `S` must be present, and the kernel's own demands on its fields hold.
    unsafe fn run<S: Simd>(self) -> Self::Output;
}

/// Runs `kernel` as compiled for `isa`.
///
/// # Safety
/// `isa` must be available, and the kernel's own demands on its fields hold.
#[inline]
pub unsafe fn dispatch<K: Kernel>(isa: Isa, kernel: K) -> K::Output {
    debug_assert!(isa.is_available(), "{isa} is not available here");
    // SAFETY: the caller vouches for both.
    unsafe {
        match isa {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => run_avx2(kernel),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => run_avx512(kernel),
            #[cfg(target_arch = "aarch64")]
            Isa::Neon => run_neon(kernel),
            _ => kernel.run::<Scalar>(),
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn run_avx2<K: Kernel>(kernel: K) -> K::Output {
    // SAFETY: the features are enabled on this function, so the caller has made sure of them.
    unsafe { kernel.run::<Avx2>() }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw")]
unsafe fn run_avx512<K: Kernel>(kernel: K) -> K::Output {
    // SAFETY: as in `run_avx2`.
    unsafe { kernel.run::<Avx512>() }
}

#[cfg(target_arch = "aarch64")]
#[target_feature(enable = "neon")]
unsafe fn run_neon<K: Kernel>(kernel: K) -> K::Output {
    // SAFETY: as in `run_avx2`.
    unsafe { kernel.run::<crate::simd::neon::Neon>() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for isa in Isa::ALL {
            assert_eq!(isa.to_string().parse(), Ok(isa));
        }
        let error = "sse9".parse::<Isa>().unwrap_err();
        assert!(error.to_string().contains("`sse9`"));
    }

    #[test]
    fn the_detected_set_is_the_fastest_available() {
        assert_eq!(Isa::available().last(), Some(&Isa::detect()));
    }

    #[test]
    fn dispatch_reaches_the_set_asked_for() {
        struct Lanes;
        impl Kernel for Lanes {
            type Output = usize;
            #[inline(always)]
            unsafe fn run<S: Simd>(self) -> usize {
                S::LANES
            }
        }
        for isa in Isa::available() {
            let lanes = match isa {
                Isa::Scalar | Isa::Neon => 4,
                Isa::Avx2 => 8,
                Isa::Avx512 => 16,
            };
            // SAFETY: only available sets are asked for.
            assert_eq!(unsafe { dispatch(isa, Lanes) }, lanes);
        }
    }
}

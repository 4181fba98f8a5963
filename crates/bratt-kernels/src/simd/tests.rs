use super::Simd;
use super::scalar::Lanes;
use crate::isa::{Isa, Kernel, dispatch};

const NAN: f32 = f32::NAN;
const INF: f32 = f32::INFINITY;

/// Numbers that have been the ruin of vector code, and ordinary ones; a multiple of 16 of them.
const X: [f32; 32] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    -0.5,
    1.5,
    -1.5,
    2.5,
    -2.5,
    0.49999997,
    -0.49999997,
    1e-40,
    -1e-40,
    8388607.5,
    -8388607.5,
    8388608.0,
    8388609.0,
    4194304.5,
    -4194303.5,
    1e30,
    -1e30,
    INF,
    -INF,
    NAN,
    NAN,
    3.0,
    1.25,
    -7.75,
    100.0,
    f32::MIN_POSITIVE,
    f32::MAX,
];

fn same(found: f32, expected: f32) -> bool {
    found == expected || (found.is_nan() && expected.is_nan())
}

/// One function of the trait, lane by lane against `f32`.
macro_rules! lanes {
    ($S:ident, $a:ident, $b:ident, $c:ident: $name:ident => $vector:expr, $plain:expr) => {
        for i in (0..X.len()).step_by($S::LANES) {
            for turn in 0..X.len() {
                let second: Vec<f32> = (0..32).map(|j| X[(j + turn) % 32]).collect();
                let third: Vec<f32> = (0..32).map(|j| X[(j + 5 * turn) % 32]).collect();
                let mut out = [0.0; 16];
                let ($a, $b, $c) = (
                    $S::load(X[i..].as_ptr()),
                    $S::load(second[i..].as_ptr()),
                    $S::load(third[i..].as_ptr()),
                );
                $S::store(out.as_mut_ptr(), $vector);
                for j in 0..$S::LANES {
                    let ($a, $b, $c) = (X[i + j], second[i + j], third[i + j]);
                    let expected: f32 = $plain;
                    let found = out[j];
                    assert!(
                        same(found, expected),
                        "{}({:?}, {:?}, {:?}) is {expected:?}, found {found:?} with {} lanes",
                        stringify!($name),
                        $a,
                        $b,
                        $c,
                        $S::LANES
                    );
                }
            }
        }
    };
}

/// One function on bits, lane by lane against `u32`.
macro_rules! bits {
    ($S:ident, $a:ident, $b:ident: $name:ident => $vector:expr, $plain:expr) => {
        for turn in 0..40u32 {
            let first: Vec<u32> = (0..16).map(|i| (i + turn).wrapping_mul(0x9e37_79b9)).collect();
            let second: Vec<u32> = (0..16).map(|i| (i * 7 + turn).wrapping_mul(0x85eb_ca6b)).collect();
            let mut out = [0.0f32; 16];
            let $a = $S::to_bits($S::load(first.as_ptr().cast()));
            let $b = $S::to_bits($S::load(second.as_ptr().cast()));
            $S::store(out.as_mut_ptr(), $S::from_bits($vector));
            for i in 0..$S::LANES {
                let ($a, $b) = (first[i], second[i]);
                assert_eq!(out[i].to_bits(), $plain, "{} of {:#x}, {:#x}", stringify!($name), $a, $b);
            }
        }
    };
}

/// All methods of one instruction set.
struct All {
    /// Whether `mul_add` rounds once.
    fused: bool,
}

impl Kernel for All {
    type Output = ();
    #[inline(always)]
    #[allow(unused_variables, unsafe_op_in_unsafe_fn, clippy::undocumented_unsafe_blocks)]
    unsafe fn run<S: Simd>(self) {
        let nan_or = |a: f32, b: f32, r: f32| if a.is_nan() || b.is_nan() { NAN } else { r };
        lanes!(S, a, b, c: splat => S::splat(1.25), 1.25);
        lanes!(S, a, b, c: add => S::add(a, b), a + b);
        lanes!(S, a, b, c: sub => S::sub(a, b), a - b);
        lanes!(S, a, b, c: mul => S::mul(a, b), a * b);
        lanes!(S, a, b, c: div => S::div(a, b), a / b);
        lanes!(S, a, b, c: sqrt => S::sqrt(a), a.sqrt());
        lanes!(S, a, b, c: min => S::min(a, b), nan_or(a, b, a.min(b)));
        lanes!(S, a, b, c: max => S::max(a, b), nan_or(a, b, a.max(b)));
        lanes!(S, a, b, c: round => S::round(a), a.round_ties_even());
        lanes!(S, a, b, c: floor => S::floor(a), a.floor());
        if self.fused {
            lanes!(S, a, b, c: mul_add => S::mul_add(a, b, c), a.mul_add(b, c));
        } else {
            lanes!(S, a, b, c: mul_add => S::mul_add(a, b, c), a * b + c);
        }
        lanes!(S, a, b, c: lt => S::select(S::lt(a, b), b, c), if a < b { b } else { c });
        lanes!(S, a, b, c: le => S::select(S::le(a, b), b, c), if a <= b { b } else { c });
        lanes!(S, a, b, c: eq => S::select(S::eq(a, b), b, c), if a == b { b } else { c });
        lanes!(S, a, b, c: ne => S::select(S::ne(a, b), b, c), if a != b { b } else { c });

        bits!(S, a, b: add_u => S::add_u(a, b), a.wrapping_add(b));
        bits!(S, a, b: sub_u => S::sub_u(a, b), a.wrapping_sub(b));
        bits!(S, a, b: xor_u => S::xor_u(a, b), a ^ b);
        bits!(S, a, b: and_u => S::and_u(a, b), a & b);
        bits!(S, a, b: or_u => S::or_u(a, b), a | b);
        bits!(S, a, b: shl_u => S::shl_u::<13>(a), a << 13);
        bits!(S, a, b: shr_u => S::shr_u::<9>(a), a >> 9);
        bits!(S, a, b: splat_u => S::splat_u(0xdead_beef), 0xdead_beef);

        let mut out = [0.0; 16];
        let small = S::shr_u::<1>(S::sub_u(S::splat_u(u32::MAX), S::iota_u()));
        S::store(out.as_mut_ptr(), S::u_to_f32(small));
        for (i, &x) in out[..S::LANES].iter().enumerate() {
            assert_eq!(x, ((u32::MAX - i as u32) >> 1) as f32);
        }
        for base in [0.0, -8.0, 1e6, -2e9] {
            let whole = S::add(S::splat(base), S::u_to_f32(S::iota_u()));
            S::store(out.as_mut_ptr(), S::from_bits(S::f32_to_i(whole)));
            for (i, &x) in out[..S::LANES].iter().enumerate() {
                assert_eq!(x.to_bits() as i32, (base + i as f32) as i32);
            }
        }

        let source: Vec<f32> = (0..16 * 19).map(|i| i as f32).collect();
        let mut target = vec![-1.0; 16 * 21];
        S::transpose(source.as_ptr(), 19, target.as_mut_ptr(), 21);
        for (at, &x) in target.iter().enumerate() {
            let (i, j) = (at / 21, at % 21);
            let moved = i < S::LANES && j < S::LANES;
            assert_eq!(x, if moved { source[j * 19 + i] } else { -1.0 });
        }

        // Partial loads and stores: the neighbours stay as they were, and nothing is read past the end.
        for n in 0..S::LANES {
            let source: Box<[f32]> = (1..=n).map(|i| i as f32).collect();
            S::store(out.as_mut_ptr(), S::load_first(source.as_ptr(), n));
            for (i, &x) in out[..S::LANES].iter().enumerate() {
                assert_eq!(x, if i < n { i as f32 + 1.0 } else { 0.0 });
            }
            let mut target = [7.0; 16];
            S::store_first(target.as_mut_ptr(), S::splat(3.0), n);
            for (i, &x) in target.iter().enumerate() {
                assert_eq!(x, if i < n { 3.0 } else { 7.0 });
            }
        }
    }
}

#[test]
fn every_method_agrees_with_plain_f32() {
    for isa in Isa::available() {
        let all = All { fused: isa != Isa::Scalar };
        // SAFETY: only available sets are asked for.
        unsafe { dispatch(isa, all) };
    }
}

#[test]
fn sixteen_portable_lanes_agree_too() {
    // SAFETY: portable lanes need nothing.
    unsafe { All { fused: false }.run::<Lanes<16, 32>>() };
}

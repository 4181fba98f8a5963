use super::*;
use crate::isa::{Isa, Kernel, dispatch};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Function {
    Exp,
    Expm1,
    Log,
    Log1p,
    Sigmoid,
    Tanh,
    Softplus,
}
use Function::*;

/// Applies a function of one argument to a slice.
struct Apply<'a>(Function, &'a [f32], &'a mut [f32]);
impl Kernel for Apply<'_> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let Apply(function, x, y) = self;
        for (x, y) in x.chunks(S::LANES).zip(y.chunks_mut(S::LANES)) {
            let mut lanes = [0.0; 16];
            lanes[..x.len()].copy_from_slice(x);
            // SAFETY: `lanes` holds a whole vector.
            unsafe {
                let v = S::load(lanes.as_ptr());
                let v = match function {
                    Exp => exp::<S>(v),
                    Expm1 => expm1::<S>(v),
                    Log => log::<S>(v),
                    Log1p => log1p::<S>(v),
                    Sigmoid => sigmoid::<S>(v),
                    Tanh => tanh::<S>(v),
                    Softplus => softplus::<S>(v),
                };
                S::store(lanes.as_mut_ptr(), v);
            }
            y.copy_from_slice(&lanes[..y.len()]);
        }
    }
}

struct Power<'a>(&'a [f32], &'a [f32], &'a mut [f32]);
impl Kernel for Power<'_> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        for (i, out) in self.2.iter_mut().enumerate() {
            let mut lanes = [0.0; 16];
            // SAFETY: `lanes` holds a whole vector.
            unsafe {
                S::store(lanes.as_mut_ptr(), pow::<S>(S::splat(self.0[i]), S::splat(self.1[i])));
            }
            *out = lanes[0];
        }
    }
}

/// Units in the last place between a result and the exact value; subnormals have the spacing of subnormals.
fn ulps(got: f32, want: f64) -> f64 {
    let rounded = want as f32;
    if got == rounded || (got.is_nan() && rounded.is_nan()) {
        return 0.0;
    }
    if !got.is_finite() || !rounded.is_finite() {
        // Next to the largest number, infinity is one step away.
        return if got.is_infinite() && rounded.abs() >= f32::MAX * 0.999_999 { 1.0 } else { f64::INFINITY };
    }
    let size = rounded.abs().max(f32::MIN_POSITIVE);
    let unit = f64::from(size.next_up()) - f64::from(size);
    (f64::from(got) - want).abs() / unit
}

/// Ten thousands of numbers: all magnitudes of both signs, a fine grid around 0, and the odd ones.
fn grid() -> Vec<f32> {
    let mut x = vec![0.0, -0.0, f32::INFINITY, f32::NEG_INFINITY, f32::NAN, f32::MAX, f32::MIN, 1.0, -1.0];
    x.extend([f32::MIN_POSITIVE, 1e-45, -1e-45, 88.72, 88.73, -87.3, -87.4, -103.9, -104.1]);
    for bits in (1..0x7f80_0000u32).step_by(40_009) {
        x.extend([f32::from_bits(bits), -f32::from_bits(bits)]);
    }
    x.extend((-60_000..60_000).map(|i| i as f32 * 0.001_73));
    x.extend((-60_000..60_000).map(|i| i as f32 * 2.3e-5));
    x
}

#[test]
fn functions_stay_within_their_bounds() {
    let x = grid();
    for isa in Isa::available() {
        let extra = if isa == Isa::Scalar { 1.0 } else { 0.0 };
        for (function, bound, exact) in [
            (Exp, 2.0, f64::exp as fn(f64) -> f64),
            (Expm1, 3.0, f64::exp_m1),
            (Log, 2.0, f64::ln),
            (Log1p, 3.0, f64::ln_1p),
            (Sigmoid, 4.0, |x| if x < 0.0 { x.exp() / (1.0 + x.exp()) } else { 1.0 / (1.0 + (-x).exp()) }),
            (Tanh, 4.0, f64::tanh),
            (Softplus, 4.0, |x| x.max(0.0) + (-x.abs()).exp().ln_1p() + if x.is_nan() { x } else { 0.0 }),
        ] {
            let mut y = vec![0.0; x.len()];
            // SAFETY: the instruction set is available.
            unsafe { dispatch(isa, Apply(function, &x, &mut y)) };
            let (mut worst, mut place) = (0.0, 0.0);
            for (&x, &y) in x.iter().zip(&y) {
                let error = ulps(y, exact(f64::from(x)));
                if error > worst {
                    (worst, place) = (error, x);
                }
            }
            println!("{isa} {function:?}: {worst:.2} ulp at {place:e}");
            assert!(worst <= bound + extra, "{isa} {function:?}: {worst} ulp at {place:e}");
        }
    }
}

#[test]
fn pow_stays_within_its_bound() {
    let mut a = vec![];
    let mut b = vec![];
    for i in 0..200 {
        for j in 0..100 {
            a.push((i as f32 * 0.093 - 9.3).exp());
            b.push(j as f32 * 0.41 - 20.0);
        }
    }
    for step in 1..2000 {
        a.extend([0.9, 0.999, -1.5, 3.0]);
        b.extend([step as f32, step as f32, (step % 40) as f32, (step % 50) as f32]);
    }
    for isa in Isa::available() {
        let mut y = vec![0.0; a.len()];
        // SAFETY: the instruction set is available.
        unsafe { dispatch(isa, Power(&a, &b, &mut y)) };
        let mut worst = 0.0f64;
        for ((&a, &b), &y) in a.iter().zip(&b).zip(&y) {
            let want = f64::from(a).powf(f64::from(b));
            let size = (f64::from(b) * f64::from(a.abs()).ln()).abs();
            let bound = if isa == Isa::Scalar { 4.0 + size } else { 3.0 + size / 4.0 };
            let error = ulps(y, want);
            worst = worst.max(error);
            assert!(error <= bound, "{isa}: {a}^{b} = {y}, want {want}: {error} ulp");
        }
        println!("{isa} pow: {worst:.2} ulp");
    }
}

#[test]
fn pow_keeps_the_conventions_of_the_standard_library() {
    let odd =
        [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 3.0, -3.0, f32::INFINITY, f32::NEG_INFINITY, f32::NAN];
    let (a, b): (Vec<f32>, Vec<f32>) = odd.iter().flat_map(|&a| odd.iter().map(move |&b| (a, b))).unzip();
    for isa in Isa::available() {
        let mut y = vec![0.0; a.len()];
        // SAFETY: the instruction set is available.
        unsafe { dispatch(isa, Power(&a, &b, &mut y)) };
        for ((&a, &b), &y) in a.iter().zip(&b).zip(&y) {
            let want = a.powf(b);
            // The sign of a zero base is not seen.
            let same = if a == 0.0 { y.abs() == want.abs() } else { ulps(y, f64::from(want)) <= 2.0 };
            assert!(same || (y.is_nan() && want.is_nan()), "{isa}: {a}^{b} = {y}, want {want}");
        }
    }
}

//! TrivialAugment (wide): one operation, drawn from fourteen, at a strength drawn from 31 even steps. Nothing to tune.
//!
//! | operation | strength |
//! |---|---|
//! | identity, autocontrast, equalize | none |
//! | shear x, shear y | to 0.99, either way |
//! | translate x, translate y | to 32 pixels or half the side, whichever is less, either way |
//! | rotate | to 135 degrees, either way |
//! | brightness, contrast, color (saturation), sharpness | a factor of 1 +- up to 0.99 |
//! | posterize | 8 to 2 bits kept |
//! | solarize | values from a threshold on are inverted; it falls from 255 to 0 |
//!
//! Equalize flattens each channel's histogram; autocontrast stretches each channel to 0..=255; sharpness blends with the
//! picture smoothed by `(1 1 1; 1 5 1; 1 1 1) / 13`, its outermost pixels kept.
//!
//! Source: Müller and Hutter 2021, table 1 and appendix; the operations are those of the Python Imaging Library.

use super::Frame;
use super::color::{self, by_table};
use super::rotation;
use super::warp::{Border, Map, about_centre, warp};
use crate::random::Stream;

const STEPS: u32 = 31;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Operation {
    Identity,
    ShearX,
    ShearY,
    TranslateX,
    TranslateY,
    Rotate,
    Brightness,
    Color,
    Contrast,
    Sharpness,
    Posterize,
    Solarize,
    AutoContrast,
    Equalize,
}

const ALL: [Operation; 14] = [
    Operation::Identity,
    Operation::ShearX,
    Operation::ShearY,
    Operation::TranslateX,
    Operation::TranslateY,
    Operation::Rotate,
    Operation::Brightness,
    Operation::Color,
    Operation::Contrast,
    Operation::Sharpness,
    Operation::Posterize,
    Operation::Solarize,
    Operation::AutoContrast,
    Operation::Equalize,
];

/// One operation at random on `picture`; `spare` is as large and is overwritten.
pub(super) fn random(
    picture: &mut Vec<u8>,
    spare: &mut Vec<u8>,
    frame: Frame,
    border: Border,
    random: &mut Stream,
) {
    let operation = ALL[random.below(ALL.len() as u32) as usize];
    let strength = random.below(STEPS) as f32 / (STEPS - 1) as f32;
    let signed = if random.below(2) == 0 { strength } else { -strength };
    apply(operation, strength, signed, picture, spare, frame, border);
}

/// `strength` is in [0, 1], `signed` is it or its negative.
fn apply(
    operation: Operation,
    strength: f32,
    signed: f32,
    picture: &mut Vec<u8>,
    spare: &mut Vec<u8>,
    frame: Frame,
    border: Border,
) {
    let mut moved = |map: Map| {
        warp(picture, spare, frame, map, border);
        std::mem::swap(picture, spare);
    };
    let reach = |side: usize| signed * 32f32.min(side as f32 / 2.0);
    let factor = 1.0 + 0.99 * signed;
    match operation {
        Operation::Identity => {}
        Operation::ShearX => moved(about_centre(frame, [[1.0, 0.99 * signed], [0.0, 1.0]])),
        Operation::ShearY => moved(about_centre(frame, [[1.0, 0.0], [0.99 * signed, 1.0]])),
        Operation::TranslateX => moved([[1.0, 0.0, reach(frame.width).round()], [0.0, 1.0, 0.0]]),
        Operation::TranslateY => moved([[1.0, 0.0, 0.0], [0.0, 1.0, reach(frame.height).round()]]),
        Operation::Rotate => {
            rotation::turned(picture, spare, frame, 135.0 * f64::from(signed), border);
            std::mem::swap(picture, spare);
        }
        Operation::Brightness => color::brightness(picture, factor),
        Operation::Color => color::saturation(picture, frame, factor),
        Operation::Contrast => color::contrast(picture, frame, factor),
        Operation::Sharpness => {
            sharpness(picture, spare, frame, factor);
            std::mem::swap(picture, spare);
        }
        Operation::Posterize => {
            let bits = 8 - (6.0 * strength).round() as u32;
            by_table(picture, |v| v & (0xff_u8 << (8 - bits)));
        }
        Operation::Solarize => {
            let threshold = (255.0 * (1.0 - strength)).round() as u8;
            by_table(picture, |v| if v >= threshold { 255 - v } else { v });
        }
        Operation::AutoContrast => per_channel(picture, frame, stretched),
        Operation::Equalize => per_channel(picture, frame, flattened),
    }
}

fn sharpness(from: &[u8], to: &mut [u8], frame: Frame, factor: f32) {
    let Frame { height, width, channels } = frame;
    to.copy_from_slice(from);
    for y in 1..height.saturating_sub(1) {
        for at in (y * width + 1) * channels..((y + 1) * width - 1).max(y * width + 1) * channels {
            let row = |at: usize| {
                u32::from(from[at - channels]) + u32::from(from[at]) + u32::from(from[at + channels])
            };
            let sum =
                row(at - width * channels) + row(at) + row(at + width * channels) + 4 * u32::from(from[at]);
            let smooth = sum as f32 / 13.0;
            to[at] = (smooth + factor * (f32::from(from[at]) - smooth) + 0.5) as u8;
        }
    }
}

/// Maps each channel by a table made of its histogram.
fn per_channel(picture: &mut [u8], frame: Frame, table: fn(&[u32; 256]) -> [u8; 256]) {
    for channel in 0..frame.channels {
        let mut histogram = [0; 256];
        let values = picture.iter().skip(channel).step_by(frame.channels);
        values.for_each(|&v| histogram[usize::from(v)] += 1);
        let table = table(&histogram);
        let values = picture.iter_mut().skip(channel).step_by(frame.channels);
        values.for_each(|v| *v = table[usize::from(*v)]);
    }
}

fn stretched(histogram: &[u32; 256]) -> [u8; 256] {
    let low = histogram.iter().position(|&n| n > 0).unwrap_or(0);
    let high = histogram.iter().rposition(|&n| n > 0).unwrap_or(255);
    if low == high {
        return std::array::from_fn(|v| v as u8);
    }
    let scale = 255.0 / (high - low) as f32;
    std::array::from_fn(|v| ((v as f32 - low as f32) * scale + 0.5) as u8)
}

fn flattened(histogram: &[u32; 256]) -> [u8; 256] {
    let all: u32 = histogram.iter().sum();
    let last = histogram.iter().rfind(|&&n| n > 0).copied().unwrap_or(0);
    // As many pixels as each of the 255 steps upwards is to take.
    let step = (all - last) / 255;
    if step == 0 {
        return std::array::from_fn(|v| v as u8);
    }
    let mut below = step / 2;
    std::array::from_fn(|v| {
        let to = (below / step).min(255) as u8;
        below += histogram[v];
        to
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Frame = Frame { height: 20, width: 20, channels: 3 };

    fn picture() -> Vec<u8> {
        (0..FRAME.len()).map(|at| 60 + (at * 7 % 100) as u8).collect()
    }

    fn after(operation: Operation, strength: f32) -> Vec<u8> {
        let (mut picture, mut spare) = (picture(), vec![0; FRAME.len()]);
        apply(operation, strength.abs(), strength, &mut picture, &mut spare, FRAME, Border::Zero);
        picture
    }

    #[test]
    fn at_no_strength_the_signed_operations_change_nothing() {
        use Operation::*;
        for operation in [
            Identity, ShearX, ShearY, TranslateX, TranslateY, Rotate, Brightness, Color, Contrast, Sharpness,
            Posterize,
        ] {
            assert_eq!(after(operation, 0.0), picture(), "{operation:?}");
        }
    }

    #[test]
    fn at_full_strength_all_but_the_identity_change_something() {
        for operation in ALL.into_iter().filter(|&operation| operation != Operation::Identity) {
            for strength in [1.0, -1.0] {
                assert_ne!(after(operation, strength), picture(), "{operation:?} {strength}");
            }
        }
    }

    #[test]
    fn tables_are_what_they_are_called() {
        let solarized = after(Operation::Solarize, 1.0);
        assert!(solarized.iter().zip(picture()).all(|(&a, b)| a == 255 - b));
        assert!(after(Operation::Posterize, 1.0).iter().all(|v| v % 64 == 0));
        let stretched = after(Operation::AutoContrast, 0.0);
        let channel = |c: usize| stretched.iter().skip(c).step_by(3);
        for c in 0..3 {
            assert_eq!((channel(c).min(), channel(c).max()), (Some(&0), Some(&255)));
        }
        let half: [u32; 256] = std::array::from_fn(|v| if v < 128 { 4 } else { 0 });
        let table = flattened(&half);
        assert!(table[0] <= 1 && table[127] >= 253 && table.is_sorted());
    }

    #[test]
    fn translation_moves_by_whole_pixels() {
        let moved = after(Operation::TranslateX, 1.0);
        let original = picture();
        assert_eq!(moved[..10 * 3], original[10 * 3..20 * 3]);
        assert!(moved[10 * 3..20 * 3].iter().all(|&v| v == 0));
    }
}

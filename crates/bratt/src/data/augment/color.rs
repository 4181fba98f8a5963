//! Colour jitter, in this order, each strength drawn by itself:
//!
//! | what | result | factor |
//! |---|---|---|
//! | brightness | `f v` | f uniform in [1 - b, 1 + b], at least 0 |
//! | contrast | `m + f (v - m)`, m the mean luma of the picture | likewise |
//! | saturation | `l + f (v - l)`, l the luma of the pixel | likewise |
//! | hue | turned on the colour wheel by t | t uniform in [-h, h] turns, h at most 1/2 |
//!
//! Luma is 0.299 r + 0.587 g + 0.114 b. Grey pictures have brightness and contrast only. 0.1 to 0.4 are usual (hue 0.05
//! to 0.1).
//!
//! Source: Howard 2013; the equations are those of torchvision's `ColorJitter`, which draws the order, too.

use super::Frame;
use crate::random::Stream;

/// Strengths of a colour jitter, 0 for none.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ColorJitter {
    /// Of brightness.
    pub brightness: f64,
    /// Of contrast.
    pub contrast: f64,
    /// Of saturation.
    pub saturation: f64,
    /// Of hue, in turns of the colour wheel, at most 0.5.
    pub hue: f64,
}

impl ColorJitter {
    /// Whether nothing is to change.
    pub fn is_none(&self) -> bool {
        *self == ColorJitter::default()
    }

    pub(super) fn random(&self, picture: &mut [u8], frame: Frame, random: &mut Stream) {
        // All four are drawn, so that one strength does not move the numbers of the next.
        let [b, c, s, h] = [(); 4].map(|()| 2.0 * random.uniform() - 1.0);
        let factor = |strength: f64, draw: f64| (1.0 + strength * draw).max(0.0) as f32;
        if self.brightness > 0.0 {
            brightness(picture, factor(self.brightness, b));
        }
        if self.contrast > 0.0 {
            contrast(picture, frame, factor(self.contrast, c));
        }
        if self.saturation > 0.0 {
            saturation(picture, frame, factor(self.saturation, s));
        }
        if self.hue > 0.0 {
            hue(picture, frame, (self.hue * h) as f32);
        }
    }
}

fn byte(value: f32) -> u8 {
    // A cast saturates at both ends.
    (value + 0.5) as u8
}

pub(super) fn luma(pixel: &[u8]) -> f32 {
    match *pixel {
        [r, g, b] => 0.299 * f32::from(r) + 0.587 * f32::from(g) + 0.114 * f32::from(b),
        _ => f32::from(pixel[0]),
    }
}

/// A function of each byte, through a table.
pub(super) fn by_table(bytes: &mut [u8], f: impl Fn(u8) -> u8) {
    let table: [u8; 256] = std::array::from_fn(|value| f(value as u8));
    bytes.iter_mut().for_each(|byte| *byte = table[usize::from(*byte)]);
}

pub(super) fn brightness(picture: &mut [u8], factor: f32) {
    by_table(picture, |v| byte(factor * f32::from(v)));
}

pub(super) fn contrast(picture: &mut [u8], frame: Frame, factor: f32) {
    let pixels = picture.chunks_exact(frame.channels);
    let mean = (pixels.map(|pixel| f64::from(luma(pixel))).sum::<f64>() / frame.pixels() as f64) as f32;
    by_table(picture, |v| byte(mean + factor * (f32::from(v) - mean)));
}

pub(super) fn saturation(picture: &mut [u8], frame: Frame, factor: f32) {
    if frame.channels != 3 {
        return;
    }
    for pixel in picture.chunks_exact_mut(3) {
        let grey = luma(pixel);
        pixel.iter_mut().for_each(|v| *v = byte(grey + factor * (f32::from(*v) - grey)));
    }
}

/// The hue of a pixel is where it stands between red (0), green (1/3) and blue (2/3); brightest and darkest channel stay.
fn hue(picture: &mut [u8], frame: Frame, turns: f32) {
    if frame.channels != 3 {
        return;
    }
    let (pixels, _) = picture.as_chunks_mut::<3>();
    for pixel in pixels {
        let [r, g, b] = pixel.map(f32::from);
        let (most, least) = (r.max(g).max(b), r.min(g).min(b));
        let spread = most - least;
        if spread == 0.0 {
            continue;
        }
        let sixths = if most == r {
            (g - b) / spread
        } else if most == g {
            2.0 + (b - r) / spread
        } else {
            4.0 + (r - g) / spread
        };
        // A channel whose peak lies `k` sixths before: full within one sixth of it, empty from two on.
        let channel = |peak: f32| {
            let distance = (sixths + 6.0 * turns - peak).rem_euclid(6.0);
            let distance = distance.min(6.0 - distance);
            byte(least + spread * (2.0 - distance).clamp(0.0, 1.0))
        };
        *pixel = [channel(0.0), channel(2.0), channel(4.0)];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Frame = Frame { height: 1, width: 3, channels: 3 };
    const PICTURE: [u8; 9] = [255, 0, 0, 10, 200, 90, 77, 77, 77];

    #[test]
    fn a_factor_of_one_and_whole_turns_change_nothing() {
        let mut picture = PICTURE;
        brightness(&mut picture, 1.0);
        contrast(&mut picture, FRAME, 1.0);
        saturation(&mut picture, FRAME, 1.0);
        hue(&mut picture, FRAME, 0.0);
        hue(&mut picture, FRAME, 1.0);
        assert_eq!(picture, PICTURE);
    }

    #[test]
    fn a_third_of_a_turn_makes_red_green() {
        let mut picture = PICTURE;
        hue(&mut picture, FRAME, 1.0 / 3.0);
        assert_eq!(picture, [0, 255, 0, 90, 10, 200, 77, 77, 77]);
    }

    #[test]
    fn without_saturation_all_is_grey_and_without_contrast_all_is_one_grey() {
        let mut picture = PICTURE;
        saturation(&mut picture, FRAME, 0.0);
        assert_eq!(picture, [76, 76, 76, 131, 131, 131, 77, 77, 77]);
        let mut picture = PICTURE;
        contrast(&mut picture, FRAME, 0.0);
        assert!(picture.iter().all(|&v| v == picture[0]) && picture[0] == 95);
    }

    #[test]
    fn bright_values_end_at_white() {
        let mut picture = PICTURE;
        brightness(&mut picture, 2.0);
        assert_eq!(picture, [255, 0, 0, 20, 255, 180, 154, 154, 154]);
    }
}

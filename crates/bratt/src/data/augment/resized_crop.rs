//! Random resized crop: a rectangle at random is enlarged to the size of the picture.
//!
//! Its area is uniform between `least` and 1 of the picture's, the logarithm of its ratio of width to height uniform
//! between those of 3/4 and 4/3. A rectangle that does not fit is drawn again, ten times at most; then the whole
//! picture is taken. Bilinear; since a crop is never larger than the picture, nothing is lost by sampling.
//!
//! Source: Szegedy et al. 2015, section 6; as in torchvision's `RandomResizedCrop`, whose `least` is 0.08.

use super::Frame;
use super::warp::{Border, warp};
use crate::random::Stream;

const RATIO: [f64; 2] = [3.0 / 4.0, 4.0 / 3.0];

/// Cuts a rectangle at random and enlarges it; `to` gets it.
pub(super) fn random(from: &[u8], to: &mut [u8], frame: Frame, least: f64, random: &mut Stream) {
    let [top, left, height, width] = rectangle(frame, least, random);
    let map = [
        [(width / frame.width as f64) as f32, 0.0, left as f32],
        [0.0, (height / frame.height as f64) as f32, top as f32],
    ];
    // Beside the picture lies its own edge, mirrored: half a pixel of it is seen.
    warp(from, to, frame, map, Border::Reflect);
}

/// `[top, left, height, width]` in whole pixels.
fn rectangle(frame: Frame, least: f64, random: &mut Stream) -> [f64; 4] {
    let (height, width) = (frame.height as f64, frame.width as f64);
    for _ in 0..10 {
        let area = height * width * (least + (1.0 - least) * random.uniform());
        let [low, high] = RATIO.map(f64::ln);
        let ratio = (low + (high - low) * random.uniform()).exp();
        let [w, h] = [(area * ratio).sqrt(), (area / ratio).sqrt()].map(|side| side.round().max(1.0));
        if w <= width && h <= height {
            let top = random.below((height - h) as u32 + 1);
            let left = random.below((width - w) as u32 + 1);
            return [top.into(), left.into(), h, w];
        }
    }
    [0.0, 0.0, height, width]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Purpose;

    #[test]
    fn rectangles_lie_inside_and_have_the_asked_areas() {
        let frame = Frame { height: 60, width: 90, channels: 3 };
        let mut stream = Stream::new(1, Purpose::Augment, 0);
        let mut areas = Vec::new();
        for _ in 0..2000 {
            let [top, left, h, w] = rectangle(frame, 0.25, &mut stream);
            assert!(top + h <= 60.0 && left + w <= 90.0, "{top} {left} {h} {w}");
            areas.push(h * w / 5400.0);
        }
        let least = areas.iter().copied().fold(1.0, f64::min);
        assert!((0.23..0.27).contains(&least), "{least}");
        // The largest rectangle of a ratio of 4/3 is 60 x 80.
        assert!(areas.iter().any(|&area| area > 0.8));
    }

    #[test]
    fn the_whole_area_of_a_square_is_often_the_picture_itself() {
        let frame = Frame { height: 5, width: 5, channels: 1 };
        let picture: Vec<u8> = (0..25).map(|n| n * 10).collect();
        let mut out = vec![0; 25];
        // No other rectangle of this ratio has the whole area.
        random(&picture, &mut out, frame, 1.0, &mut Stream::new(0, Purpose::Augment, 0));
        assert_eq!(out, picture);
    }
}

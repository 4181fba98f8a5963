//! What is kept of an image to find it again: a hash of its pixels, and a thumbnail.
//!
//! The difference hash (dHash; N. Krawetz, "Kind of Like That", 2013) has one bit for each two neighbours in a row of a
//! grey thumbnail of 9x8 pixels: whether it gets brighter to the right. It changes little when an image is resized,
//! compressed or lightened. Where a thumbnail is nearly flat its bits are chance, so that it counts for nothing.

use xxhash_rust::xxh3::xxh3_128;

use super::decode::Picture;
use super::resize::{self, Fit};

/// `[height, width]` of a thumbnail.
const SMALL: [usize; 2] = [8, 9];
const THUMBNAIL: usize = SMALL[0] * SMALL[1];
/// Thumbnails whose values differ by less are nearly flat.
const FLAT: u8 = 24;

/// What is kept of one image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Look {
    /// `[height, width]` before resizing.
    pub size: [u32; 2],
    /// How the file holds its colours.
    pub mode: &'static str,
    /// Of size, channels and pixels.
    pub pixels: u128,
    /// Grey, `[8, 9]`; only where images that look the same are searched.
    pub thumbnail: Option<[u8; THUMBNAIL]>,
}

impl Look {
    /// Of a decoded image, with or without the thumbnail: that takes longer than all else.
    pub fn of(picture: &Picture, with_thumbnail: bool) -> Look {
        let sides = (u128::from(picture.height) << 40) ^ (u128::from(picture.width) << 8);
        let pixels = xxh3_128(&picture.bytes) ^ sides ^ u128::from(picture.channels);
        let thumbnail = if with_thumbnail { thumbnail(picture) } else { None };
        Look { size: [picture.height, picture.width], mode: picture.mode, pixels, thumbnail }
    }

    /// The difference hash; none of an image that is nearly flat.
    pub fn dhash(&self) -> Option<u64> {
        let thumbnail = self.thumbnail.as_ref()?;
        let (least, most) = (thumbnail.iter().min()?, thumbnail.iter().max()?);
        (most - least >= FLAT).then(|| {
            let rows = thumbnail.chunks_exact(SMALL[1]);
            rows.flat_map(|row| row.windows(2)).fold(0, |bits, two| (bits << 1) | u64::from(two[1] > two[0]))
        })
    }

    /// Mean difference of the thumbnails, each by its own mean, in levels of 255: lightening an image does not count.
    pub fn distance(&self, other: &Look) -> f64 {
        let (Some(one), Some(other)) = (&self.thumbnail, &other.thumbnail) else { return f64::INFINITY };
        let n = THUMBNAIL as f64;
        let mean = |thumbnail: &[u8]| thumbnail.iter().map(|&x| f64::from(x)).sum::<f64>() / n;
        let shift = mean(one) - mean(other);
        let pairs = one.iter().zip(other);
        pairs.map(|(&a, &b)| (f64::from(a) - f64::from(b) - shift).abs()).sum::<f64>() / n
    }
}

/// Grey after shrinking: there are fewer pixels then.
pub(super) fn thumbnail(picture: &Picture) -> Option<[u8; THUMBNAIL]> {
    let small = resize::resize(picture, SMALL, Fit::Squish).ok()?;
    let [height, width] = SMALL.map(|side| side as u32);
    let small = Picture { width, height, bytes: small, channels: picture.channels, mode: picture.mode };
    resize::grey(&small).bytes.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(side: u32, value: impl Fn(f64, f64) -> f64) -> Picture {
        let centre = |i: u32| (f64::from(i) + 0.5) / f64::from(side);
        let at = |i: u32| (centre(i % side), centre(i / side));
        let bytes = (0..side * side).map(|i| value(at(i).0, at(i).1) as u8).collect();
        Picture { width: side, height: side, channels: 1, bytes, mode: "grey" }
    }

    fn wave(x: f64, y: f64) -> f64 {
        128.0 + 90.0 * (9.0 * x).sin() * (7.0 * y + 1.0).cos()
    }

    #[test]
    fn a_resized_or_lightened_image_looks_the_same_and_another_does_not() {
        let look = Look::of(&picture(90, wave), true);
        let small = Look::of(&picture(45, wave), true);
        let light = Look::of(&picture(90, |x, y| wave(x, y) + 15.0), true);
        let other = Look::of(&picture(90, |x, y| wave(y, x)), true);
        let bits = |a: &Look, b: &Look| (a.dhash().unwrap() ^ b.dhash().unwrap()).count_ones();
        assert!(bits(&look, &small) <= 4 && look.distance(&small) < 3.0);
        assert!(bits(&look, &light) <= 4 && look.distance(&light) < 1.0);
        assert!(bits(&look, &other) > 15);
        assert!(look.pixels != small.pixels && look.pixels == Look::of(&picture(90, wave), true).pixels);
    }

    #[test]
    fn flat_images_have_no_difference_hash() {
        assert_eq!(Look::of(&picture(30, |x, _| 100.0 + 5.0 * x), true).dhash(), None);
    }

    #[test]
    fn the_same_bytes_in_another_shape_are_another_image() {
        let tall = Picture { width: 2, height: 8, channels: 1, bytes: vec![7; 16], mode: "grey" };
        let wide = Picture { width: 8, height: 2, ..tall.clone() };
        assert_ne!(Look::of(&tall, true).pixels, Look::of(&wide, true).pixels);
    }
}

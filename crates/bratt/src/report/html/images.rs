//! Pictures inside the page: small, as data URIs.
//!
//! PNG keeps every pixel and is short for small grey images; photographs are shorter as JPEG. The shorter one is taken,
//! PNG where they are near each other.

use crate::data::{Dataset, Features};
use crate::page::{Element, base64, el};
use image::codecs::{jpeg::JpegEncoder, png::PngEncoder};
use image::imageops::thumbnail;
use image::{ExtendedColorType, GrayImage, ImageEncoder, RgbImage};
use serde::{Deserialize, Serialize};
use std::ops::Deref;

/// Quality of JPEG, of 100.
const QUALITY: u8 = 88;
/// Up to this side a picture's pixels are told apart.
const PIXELS: u32 = 48;
/// A JPEG must be so much shorter than the PNG to be taken.
const WORTH: f64 = 0.7;

/// A picture as it stands in the page.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Picture {
    /// `data:image/png;base64,...` or the same with JPEG.
    pub uri: String,
    /// Pixels from left to right.
    pub width: u32,
    /// Pixels from top to bottom.
    pub height: u32,
}

impl Picture {
    /// Of levels `[height, width, channels]`, grey or red, green and blue, made smaller until no side is longer than
    /// `side`; none for other numbers of channels or of levels.
    ///
    /// ```
    /// use bratt::report::html::Picture;
    /// let picture = Picture::of_levels(&[0, 85, 170, 255], [2, 2, 1], 64).unwrap();
    /// assert!(picture.uri.starts_with("data:image/png;base64,iVBORw0KGgo"));
    /// ```
    pub fn of_levels(levels: &[u8], [height, width, channels]: [usize; 3], side: u32) -> Option<Picture> {
        let [w, h] = [u32::try_from(width).ok()?, u32::try_from(height).ok()?];
        let longest = w.max(h);
        if longest == 0 || levels.len() != height * width * channels {
            return None;
        }
        let small = |x: u32| ((u64::from(x) * u64::from(side) / u64::from(longest)) as u32).max(1);
        let size = if longest > side { [small(w), small(h)] } else { [w, h] };
        match channels {
            1 => {
                let image = GrayImage::from_raw(w, h, levels.to_vec())?;
                let image = if longest > side { thumbnail(&image, size[0], size[1]) } else { image };
                Picture::encoded(image.deref(), size, ExtendedColorType::L8)
            }
            3 => {
                let image = RgbImage::from_raw(w, h, levels.to_vec())?;
                let image = if longest > side { thumbnail(&image, size[0], size[1]) } else { image };
                Picture::encoded(image.deref(), size, ExtendedColorType::Rgb8)
            }
            _ => None,
        }
    }

    /// Of an example; none for tables, and images of other than 1 or 3 channels.
    pub fn of_example(data: &Dataset, index: u32, side: u32) -> Option<Picture> {
        let Features::Pixels { bytes, scale } = data.features() else { return None };
        let size = data.feature_len();
        let bytes = bytes.get(index as usize * size..)?.get(..size)?;
        let levels: Vec<u8> = bytes.iter().map(|&byte| level(f32::from(byte) * scale)).collect();
        Picture::of_levels(&levels, *data.shape().first_chunk()?, side)
    }

    /// As an element. Few pixels are shown as squares.
    pub(super) fn show(&self, alt: &str) -> Element {
        let image = el("img").attr("src", &self.uri).attr("alt", alt);
        let image = image.attr("width", self.width).attr("height", self.height);
        if self.width.max(self.height) <= PIXELS { image.class("pixels") } else { image }
    }

    fn encoded(levels: &[u8], [width, height]: [u32; 2], color: ExtendedColorType) -> Option<Picture> {
        let mut png = Vec::new();
        PngEncoder::new(&mut png).write_image(levels, width, height, color).ok()?;
        let mut jpeg = Vec::new();
        JpegEncoder::new_with_quality(&mut jpeg, QUALITY).write_image(levels, width, height, color).ok()?;
        let (kind, bytes) =
            if (jpeg.len() as f64) < WORTH * png.len() as f64 { ("jpeg", jpeg) } else { ("png", png) };
        Some(Picture { uri: format!("data:image/{kind};base64,{}", base64(&bytes)), width, height })
    }
}

/// A feature from 0 to 1 as a level from 0 to 255.
pub(super) fn level(feature: f32) -> u8 {
    (feature * 255.0).round().clamp(0.0, 255.0) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_pictures_become_small_and_keep_their_ratio() {
        let levels: Vec<u8> = (0..200 * 100 * 3).map(|i| (i / 7 % 256) as u8).collect();
        let picture = Picture::of_levels(&levels, [100, 200, 3], 64).unwrap();
        assert_eq!((picture.width, picture.height), (64, 32));
        assert!(Picture::of_levels(&levels, [100, 200, 2], 64).is_none());
        assert!(Picture::of_levels(&[], [0, 0, 1], 64).is_none());
    }

    #[test]
    fn an_example_of_the_digits_is_a_picture() {
        let picture = Picture::of_example(&crate::data::digits(), 0, 64).unwrap();
        assert_eq!((picture.width, picture.height), (8, 8));
        assert!(Picture::of_example(&crate::data::digits(), 9999, 64).is_none());
    }
}

//! Heat maps over images, as PNG.
//!
//! An image is shown beside itself: left as the network sees it, right in grey under the map's colours. Small images are
//! enlarged a whole number of times, pixels staying squares; a map that comes from fewer pixels, as Grad-CAM's does, is
//! interpolated further. A map without sign is a veil of `heat` colours over the whole picture, denser where the number is
//! higher; one with a sign lets the picture through where it is near zero and covers it with blue (against) or orange (for)
//! where it is not.

use super::color::{balance, blend, heat, luma};
use super::{ExplainError, Heatmap};
use crate::file::write_atomically;
use image::{ExtendedColorType, ImageEncoder, codecs::png::PngEncoder};
use std::path::Path;

/// A picture in red, green and blue.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Raster {
    height: usize,
    width: usize,
    bytes: Vec<u8>,
}

impl Raster {
    /// A picture of one colour.
    pub(super) fn filled(height: usize, width: usize, color: [u8; 3]) -> Raster {
        Raster { height, width, bytes: color.repeat(height * width) }
    }

    /// A picture whose pixel in a row and column is what `color` says.
    pub(super) fn from_fn(
        height: usize,
        width: usize,
        mut color: impl FnMut(usize, usize) -> [u8; 3],
    ) -> Raster {
        let places = (0..height).flat_map(|row| (0..width).map(move |column| (row, column)));
        Raster { height, width, bytes: places.flat_map(|(row, column)| color(row, column)).collect() }
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Pixels in a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Red, green and blue of each pixel, row by row.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The colour of a pixel.
    pub(super) fn at(&self, row: usize, column: usize) -> [u8; 3] {
        let at = 3 * (row * self.width + column);
        [self.bytes[at], self.bytes[at + 1], self.bytes[at + 2]]
    }

    /// Puts another picture on this one; what would stick out is left away.
    pub(super) fn put(&mut self, top: usize, left: usize, other: &Raster) {
        let width = other.width.min(self.width.saturating_sub(left));
        for row in 0..other.height.min(self.height.saturating_sub(top)) {
            let to = 3 * ((top + row) * self.width + left);
            let from = 3 * row * other.width;
            self.bytes[to..to + 3 * width].copy_from_slice(&other.bytes[from..from + 3 * width]);
        }
    }

    /// The picture as the bytes of a PNG file.
    pub fn to_png(&self) -> Vec<u8> {
        let mut png = Vec::new();
        // Writing to memory a picture whose length fits its size cannot fail.
        let _ = PngEncoder::new(&mut png).write_image(
            &self.bytes,
            self.width as u32,
            self.height as u32,
            ExtendedColorType::Rgb8,
        );
        png
    }

    /// Writes the picture as PNG: to a temporary file beside it first, then renamed.
    ///
    /// # Errors
    /// [`ExplainError::Io`] if the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), ExplainError> {
        let path = path.as_ref();
        write_atomically(path, &self.to_png())
            .map_err(|source| ExplainError::Io { path: path.to_owned(), source })
    }
}

/// Pictures get at least about this side.
const SIDE: usize = 256;
/// Between an image and the same under its map.
const GAP: usize = 8;
const PAPER: [u8; 3] = [255, 255, 255];

/// How often an image of this size is enlarged.
fn enlargement(height: usize, width: usize) -> usize {
    (SIDE / height.max(width).max(1)).max(1)
}

/// An image of bytes `[height, width, channels]` as the network sees it, and beside it the same under a map.
///
/// # Errors
/// [`ExplainError::Channels`] for other than 1 or 3 channels, [`ExplainError::Pixels`] for a wrong number of bytes.
pub fn explained(
    image: &[u8],
    [height, width, channels]: [usize; 3],
    map: &Heatmap,
) -> Result<Raster, ExplainError> {
    if !matches!(channels, 1 | 3) {
        return Err(ExplainError::Channels { found: channels });
    }
    if image.len() != height * width * channels {
        return Err(ExplainError::Pixels { found: image.len(), expected: [height, width, channels].into() });
    }
    let color = |row: usize, column: usize| {
        let at = (row * width + column) * channels;
        if channels == 1 { [image[at]; 3] } else { [image[at], image[at + 1], image[at + 2]] }
    };
    let times = enlargement(height, width);
    let (tall, wide) = (height * times, width * times);
    let plain = Raster::from_fn(tall, wide, |row, column| color(row / times, column / times));
    let map = map.resized(height, width);
    let map = if map.is_interpolated() { map.resized(tall, wide) } else { map }.normalised();
    let (down, across) = ((tall / map.height().max(1)).max(1), (wide / map.width().max(1)).max(1));
    let veiled = Raster::from_fn(tall, wide, |row, column| {
        let value = map.values()[row / down * map.width() + column / across];
        under([luma(plain.at(row, column)); 3], value, map.is_signed())
    });
    let mut both = Raster::filled(tall, 2 * wide + GAP, PAPER);
    both.put(0, 0, &plain);
    both.put(0, wide + GAP, &veiled);
    Ok(both)
}

/// A pixel under a number of the map.
fn under(pixel: [u8; 3], value: f32, signed: bool) -> [u8; 3] {
    if !signed {
        return blend(pixel, heat(value), 0.4 + 0.45 * value);
    }
    // Grey is paled, so that both colours stand out on it.
    let pale = blend([255; 3], pixel, 0.45);
    blend(pale, balance(value), value.abs().sqrt().min(1.0) * 0.9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_shows_the_image_and_the_map_side_by_side() {
        let image: Vec<u8> = (0..64).map(|i| 4 * i).collect();
        let mut values = vec![0.0; 64];
        values[10] = 2.0;
        let map = Heatmap::new(8, 8, values, false);
        let both = explained(&image, [8, 8, 1], &map).unwrap();
        assert_eq!((both.height(), both.width()), (256, 2 * 256 + GAP));
        assert_eq!((both.at(0, 0), both.at(33, 31), both.at(255, 255)), ([0; 3], [32; 3], [252; 3]));
        assert_eq!(both.at(0, 256), PAPER);
        let hot = both.at(32 + 5, 256 + GAP + 64 + 5);
        assert_eq!(hot, blend([40; 3], heat(1.0), 0.85));
    }

    #[test]
    fn the_png_can_be_read_again() {
        let image: Vec<u8> = (0..27).map(|i| 9 * i).collect();
        let map = Heatmap::new(3, 3, vec![-1.0, 0.0, 0.5, 0.1, 0.0, -0.3, 0.0, 1.0, 0.2], true);
        let picture = explained(&image, [3, 3, 3], &map).unwrap();
        let read = image::load_from_memory(&picture.to_png()).unwrap().to_rgb8();
        assert_eq!(read.as_raw(), picture.bytes());
        let folder = tempfile::tempdir().unwrap();
        picture.save(folder.path().join("a.png")).unwrap();
        assert_eq!(std::fs::read(folder.path().join("a.png")).unwrap(), picture.to_png());
        let error = picture.save(folder.path().join("absent/a.png")).unwrap_err();
        assert!(error.to_string().contains("a.png: cannot be written"), "{error}");
    }

    #[test]
    fn for_is_warm_and_against_is_cool() {
        let ([red, _, blue], [warm, _, cool]) = (under([90; 3], -0.8, true), under([90; 3], 0.8, true));
        assert!(red < blue && warm > cool);
        assert_eq!(under([90; 3], 0.0, true), under([90; 3], -0.0, true));
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        let map = Heatmap::new(1, 1, vec![1.0], false);
        assert!(matches!(explained(&[0, 0], [1, 1, 2], &map), Err(ExplainError::Channels { found: 2 })));
        assert!(matches!(explained(&[0], [1, 1, 3], &map), Err(ExplainError::Pixels { .. })));
    }
}

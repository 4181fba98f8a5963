//! A layer's numbers as a small picture: the first channels side by side, each averaged down to at most [`SIDE`] pixels.
//!
//! The size of a number, divided by the 99th percentile of all, is how opaque its pixel is; its sign is the colour.

use crate::page::base64;
use image::{ExtendedColorType, ImageEncoder, codecs::png::PngEncoder};

/// Most pixels along the side of one channel, and most channels.
const SIDE: usize = 20;
const CHANNELS: usize = 16;
/// Most cells along the side of a vector that is broken into rows.
const VECTOR: usize = 40;

/// Colours of positive and negative numbers.
pub(super) type Shades = [[u8; 3]; 2];
pub(super) const VALUE: Shades = [[22, 163, 74], [100, 116, 139]];
pub(super) const GRADIENT: Shades = [[220, 38, 38], [147, 51, 234]];

/// Numbers as an image's channels.
struct Grid<'a> {
    values: &'a [f32],
    rows: usize,
    row: usize,
    channels: usize,
    /// Most cells along the side.
    side: usize,
}

impl Grid<'_> {
    /// A vector is broken into rows of about a square. None for a single number, and what has other axes.
    fn of<'a>(shape: &[usize], values: &'a [f32]) -> Option<Grid<'a>> {
        Some(match *shape {
            [rows, row, channels] => Grid { values, rows, row, channels, side: SIDE },
            [count] if count > 1 => {
                let row = (count as f64).sqrt().ceil() as usize;
                Grid { values, rows: count.div_ceil(row), row, channels: 1, side: VECTOR }
            }
            _ => return None,
        })
    }

    /// The mean of a cell of `down` by `across` numbers of one channel.
    fn mean(&self, channel: usize, [r, c]: [usize; 2], [down, across]: [usize; 2]) -> f32 {
        let (mut sum, mut count) = (0.0, 0);
        for y in r * down..self.rows.min((r + 1) * down) {
            for x in c * across..self.row.min((c + 1) * across) {
                if let Some(value) = self.values.get((y * self.row + x) * self.channels + channel) {
                    sum += value;
                    count += 1;
                }
            }
        }
        sum / count.max(1) as f32
    }
}

/// The address of a picture, to be put into a page.
pub(super) fn heat_map(shape: &[usize], values: &[f32], [positive, negative]: Shades) -> Option<String> {
    let grid = Grid::of(shape, values)?;
    let pooled = [grid.rows.div_ceil(grid.side).max(1), grid.row.div_ceil(grid.side).max(1)];
    let (h, w) = (grid.rows.div_ceil(pooled[0]), grid.row.div_ceil(pooled[1]));
    let shown = grid.channels.min(CHANNELS);
    let columns = (shown as f64).sqrt().ceil() as usize;
    let lines = shown.div_ceil(columns);
    let (width, height) = (columns * (w + 1) - 1, lines * (h + 1) - 1);
    let scale = scale(values);
    let mut pixels = vec![0u8; 4 * width * height];
    for channel in 0..shown {
        for (r, c) in (0..h).flat_map(|r| (0..w).map(move |c| (r, c))) {
            let mean = grid.mean(channel, [r, c], pooled);
            let opaque = if scale > 0.0 { (mean.abs() / scale).min(1.0) } else { 0.0 };
            let [red, green, blue] = if mean < 0.0 { negative } else { positive };
            let at = 4 * (((channel / columns) * (h + 1) + r) * width + (channel % columns) * (w + 1) + c);
            // Sixteen steps are told apart as well as 256, and take half the room. A cell is never quite clear.
            let alpha = 12 + (opaque * 15.0).round() as u8 * 16;
            pixels[at..at + 4].copy_from_slice(&[red, green, blue, alpha]);
        }
    }
    Some(png(&pixels, [width, height], ExtendedColorType::Rgba8))
}

/// The 99th percentile of the sizes; the greatest where that is 0.
fn scale(values: &[f32]) -> f32 {
    let mut sizes: Vec<f32> = values.iter().map(|x| x.abs()).filter(|x| x.is_finite()).collect();
    sizes.sort_unstable_by(f32::total_cmp);
    let most = sizes.last().copied().unwrap_or(0.0);
    sizes.get(sizes.len() * 99 / 100).copied().filter(|&x| x > 0.0).unwrap_or(most)
}

/// Numbers from 0 to 1 of one or three channels as the image that they are.
pub(super) fn photo(shape: &[usize], values: &[f32]) -> Option<String> {
    let (&[height, width, channels], true) = (shape, values.iter().all(|x| (0.0..=1.0).contains(x))) else {
        return None;
    };
    let color = match channels {
        1 => ExtendedColorType::L8,
        3 => ExtendedColorType::Rgb8,
        _ => return None,
    };
    let bytes: Vec<u8> = values.iter().map(|x| (x * 255.0).round() as u8).collect();
    Some(png(&bytes, [width, height], color))
}

fn png(pixels: &[u8], [width, height]: [usize; 2], color: ExtendedColorType) -> String {
    let mut png = Vec::new();
    // Writing to memory a picture whose length fits its size cannot fail.
    let _ = PngEncoder::new(&mut png).write_image(pixels, width as u32, height as u32, color);
    format!("data:image/png;base64,{}", base64(&png))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_means_of_their_numbers() {
        // Two channels of 2 rows of 3; the last cell of a row has one number only.
        let values: Vec<f32> = (0..12).map(|i| i as f32).collect();
        let grid = Grid { values: &values, rows: 2, row: 3, channels: 2, side: 1 };
        assert_eq!(grid.mean(0, [0, 0], [2, 2]), (0.0 + 2.0 + 6.0 + 8.0) / 4.0);
        assert_eq!(grid.mean(1, [0, 1], [2, 2]), (5.0 + 11.0) / 2.0);
    }

    #[test]
    fn one_outlier_does_not_make_the_rest_invisible() {
        let mut values = vec![1.0; 1000];
        values[7] = 1e6;
        assert_eq!(scale(&values), 1.0);
        let mut one = vec![0.0; 1000];
        one[3] = -2.0;
        assert_eq!(scale(&one), 2.0, "but alone it is seen");
        assert_eq!(scale(&[f32::NAN]), 0.0);
    }

    #[test]
    fn what_is_no_picture_has_none() {
        assert_eq!(heat_map(&[], &[1.0], VALUE), None);
        assert_eq!(photo(&[1, 1, 3], &[0.0, 0.5, 1.5]), None);
        assert!(photo(&[1, 1, 3], &[0.0, 0.5, 1.0]).unwrap().starts_with("data:image/png;base64,"));
        assert!(heat_map(&[7], &[1.0; 7], GRADIENT).is_some());
    }
}

//! All images of a data set, and all that a model is asked about, have one size.
//!
//! The filter is the triangle, widened when shrinking so that every pixel counts (antialiased): it neither rings nor
//! overshoots as Lanczos does, and it is the usual choice of vision libraries. Sums are in fixed point, by
//! `fast_image_resize`.

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::{InnerPixel, U8, U8x3};
use fast_image_resize::{FilterType, PixelTrait, ResizeAlg, ResizeOptions, Resizer};
use serde::{Deserialize, Serialize};

use super::DataError;
use super::decode::Picture;

/// What becomes of an image whose sides have another ratio than the size asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fit {
    /// The middle is kept, what sticks out is cut off.
    #[default]
    Crop,
    /// All is kept, with black bars at the sides.
    Pad,
    /// All is kept, and what was round becomes oval.
    Squish,
}

impl Fit {
    /// All of them by name.
    pub const NAMES: [&str; 3] = ["crop", "pad", "squish"];

    /// The one of that name.
    pub fn by_name(name: &str) -> Option<Fit> {
        Some(match name {
            "crop" => Fit::Crop,
            "pad" => Fit::Pad,
            "squish" => Fit::Squish,
            _ => return None,
        })
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Fit::Crop => "crop",
            Fit::Pad => "pad",
            Fit::Squish => "squish",
        }
    }
}

/// As [`resize`], without a copy where the size is right.
pub(super) fn resized(picture: Picture, size: [usize; 2], fit: Fit) -> Result<Vec<u8>, DataError> {
    if [picture.height as usize, picture.width as usize] == size {
        return Ok(picture.bytes);
    }
    resize(&picture, size, fit)
}

/// The bytes of a picture as `[height, width, its channels]`.
///
/// # Errors
/// [`DataError::ImageShape`] for a size that images do not have.
pub fn resize(picture: &Picture, [height, width]: [usize; 2], fit: Fit) -> Result<Vec<u8>, DataError> {
    let channels = usize::from(picture.channels);
    let shape = || DataError::ImageShape { shape: vec![height, width, channels] };
    let (Ok(to_height @ 1..), Ok(to_width @ 1..)) = (u32::try_from(height), u32::try_from(width)) else {
        return Err(shape());
    };
    if (picture.height, picture.width) == (to_height, to_width) {
        return Ok(picture.bytes.clone());
    }
    let triangle = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear));
    let triangle = triangle.use_alpha(false);
    let resized = || match fit {
        Fit::Squish => filtered(picture, to_height, to_width, &triangle),
        Fit::Crop => filtered(picture, to_height, to_width, &triangle.fit_into_destination(None)),
        Fit::Pad => {
            let scale = (f64::from(to_height) / f64::from(picture.height))
                .min(f64::from(to_width) / f64::from(picture.width));
            let side = |from: u32, most: u32| ((f64::from(from) * scale).round() as u32).clamp(1, most);
            let (inner_height, inner_width) =
                (side(picture.height, to_height), side(picture.width, to_width));
            let inner = filtered(picture, inner_height, inner_width, &triangle)?;
            let mut out = vec![0; height * width * channels];
            let top = (to_height - inner_height) as usize / 2;
            let left = (to_width - inner_width) as usize / 2 * channels;
            let row = inner_width as usize * channels;
            for (at, from) in inner.chunks_exact(row).enumerate() {
                out[(top + at) * width * channels + left..][..row].copy_from_slice(from);
            }
            Some(out)
        }
    };
    resized().ok_or_else(shape)
}

fn filtered(picture: &Picture, height: u32, width: u32, options: &ResizeOptions) -> Option<Vec<u8>> {
    match picture.channels {
        1 => filtered_as::<U8>(picture, height, width, options),
        _ => filtered_as::<U8x3>(picture, height, width, options),
    }
}

/// The kind of pixel is named to the compiler: asked for by value, it brings code for all sixteen (3 MB).
fn filtered_as<P: PixelTrait + InnerPixel>(
    picture: &Picture,
    height: u32,
    width: u32,
    options: &ResizeOptions,
) -> Option<Vec<u8>> {
    let from = TypedImageRef::<P>::from_buffer(picture.width, picture.height, &picture.bytes).ok()?;
    let mut bytes = vec![0; height as usize * width as usize * usize::from(picture.channels)];
    let mut to = TypedImage::<P>::from_buffer(width, height, &mut bytes).ok()?;
    Resizer::new().resize_typed(&from, &mut to, options).ok()?;
    Some(bytes)
}

/// A picture as bytes of `[height, width, channels]`, whatever its own channels: grey is the luma of ITU-R BT.601
/// (`0.299 R + 0.587 G + 0.114 B`).
///
/// # Errors
/// [`DataError::ImageShape`] for a shape that images do not have.
pub fn to_shape(picture: &Picture, shape: &[usize], fit: Fit) -> Result<Vec<u8>, DataError> {
    let [height, width, channels @ (1 | 3)] = *shape else {
        return Err(DataError::ImageShape { shape: shape.to_vec() });
    };
    if channels == 1 && picture.channels == 3 {
        return resize(&grey(picture), [height, width], fit);
    }
    let bytes = resize(picture, [height, width], fit)?;
    Ok(if usize::from(picture.channels) == channels { bytes } else { tripled(&bytes) })
}

/// Grey as red, green and blue.
pub(super) fn tripled(grey: &[u8]) -> Vec<u8> {
    grey.iter().flat_map(|&byte| [byte; 3]).collect()
}

/// A picture in grey.
pub(super) fn grey(picture: &Picture) -> Picture {
    let bytes = match picture.channels {
        1 => picture.bytes.clone(),
        _ => {
            let luma = |p: &[u8]| {
                let [r, g, b] = [p[0], p[1], p[2]].map(u32::from);
                ((299 * r + 587 * g + 114 * b + 500) / 1000) as u8
            };
            picture.bytes.chunks_exact(3).map(luma).collect()
        }
    };
    Picture { channels: 1, bytes, ..*picture }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// White on the left half, black on the right.
    fn halves(height: u32, width: u32) -> Picture {
        let bytes =
            (0..height * width).map(|at| if at % width < width / 2 { 255 } else { 0 }).collect::<Vec<u8>>();
        Picture { width, height, channels: 1, bytes, mode: "grey" }
    }

    #[test]
    fn a_wide_image_is_cropped_padded_or_squished() {
        let wide = halves(8, 32);
        assert_eq!(resize(&wide, [2, 8], Fit::Squish).unwrap(), resize(&wide, [2, 8], Fit::Crop).unwrap());
        // The middle 8 columns: half white, half black, with one soft edge.
        let crop = resize(&wide, [4, 4], Fit::Crop).unwrap();
        assert!(crop[0] > 200 && crop[3] < 55, "{crop:?}");
        let pad = resize(&wide, [4, 4], Fit::Pad).unwrap();
        assert_eq!((&pad[..4], &pad[8..]), (&[0; 4][..], &[0; 8][..]), "one row of four, above the middle");
        assert!(pad[4] > 200 && pad[7] < 55, "{pad:?}");
        let squish = resize(&wide, [4, 4], Fit::Squish).unwrap();
        assert!(squish.chunks(4).all(|row| row == &pad[4..8]), "{squish:?}");
    }

    #[test]
    fn shrinking_averages_instead_of_skipping() {
        let bytes = (0..64 * 64).map(|at| if at % 2 == 0 { 0 } else { 255 }).collect();
        let stripes = Picture { width: 64, height: 64, channels: 1, bytes, mode: "grey" };
        let small = resize(&stripes, [8, 8], Fit::Crop).unwrap();
        assert!(small.iter().all(|&grey| grey.abs_diff(128) < 8), "{small:?}");
    }

    #[test]
    fn the_size_it_has_is_left_alone_and_channels_are_made_to_fit() {
        let colour =
            Picture { width: 2, height: 1, channels: 3, bytes: vec![255, 0, 0, 0, 0, 255], mode: "" };
        assert_eq!(to_shape(&colour, &[1, 2, 3], Fit::Crop).unwrap(), colour.bytes);
        assert_eq!(to_shape(&colour, &[1, 2, 1], Fit::Crop).unwrap(), [76, 29]);
        assert_eq!(to_shape(&halves(1, 2), &[1, 2, 3], Fit::Pad).unwrap(), [255, 255, 255, 0, 0, 0]);
        for shape in [&[64][..], &[8, 8, 2], &[0, 8, 1]] {
            let error = to_shape(&colour, shape, Fit::Crop).unwrap_err();
            assert!(matches!(error, DataError::ImageShape { .. }), "{shape:?}");
        }
    }
}

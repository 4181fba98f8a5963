//! One image file, read for prediction: to the shape that a model takes.
//!
//! In order: decode (PNG, JPEG, BMP, WebP, GIF; the format is seen from the content); turn as EXIF says; lay
//! transparent pixels over white; make grey by the luma of ITU-R BT.601 (`0.299 R + 0.587 G + 0.114 B`) if the model
//! takes one channel; resize with the triangle filter, widened when shrinking so that nothing is skipped, and without
//! regard to the aspect ratio.
//!
//! Nothing else is guessed. In particular nothing is inverted: models trained on white ink on black, as the digit sets
//! have it, want such images. A byte `b` stands for `b / 255`, whatever the scale of the training data.

use std::fs;
use std::io::{Cursor, ErrorKind};
use std::path::Path;

use image::imageops::{self, FilterType};
use image::{
    DynamicImage, GenericImageView, GrayImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits,
    Rgb, RgbImage,
};

use super::DataError;

/// Decoded images larger than this (44 megapixels of 8-bit colour) are refused.
const MOST_BYTES: u64 = 128 << 20;

/// Reads an image as bytes of `shape` `[height, width, channels]`, channels 1 (grey) or 3 (red, green, blue).
///
/// ```no_run
/// let bytes = bratt::data::image_file::read("photo.jpg".as_ref(), &[96, 96, 3])?;
/// let x: Vec<f32> = bytes.iter().map(|&byte| f32::from(byte) / 255.0).collect();
/// # Ok::<(), bratt::data::DataError>(())
/// ```
///
/// # Errors
/// [`DataError::Io`] where the file cannot be read, [`DataError::Image`] where it is no image, is damaged or is too large,
/// [`DataError::TruncatedImage`] where it ends early, [`DataError::ImageShape`] for a shape that images do not have.
pub fn read(path: &Path, shape: &[usize]) -> Result<Vec<u8>, DataError> {
    let wrong_shape = || DataError::ImageShape { shape: shape.to_vec() };
    let [height, width, channels @ (1 | 3)] = *shape else { return Err(wrong_shape()) };
    let (Ok(width @ 1..), Ok(height @ 1..)) = (u32::try_from(width), u32::try_from(height)) else {
        return Err(wrong_shape());
    };
    let file = fs::read(path).map_err(|source| DataError::Io { path: path.to_owned(), source })?;
    let image = decode(&file).map_err(|error| match error {
        Fault::Truncated => DataError::TruncatedImage { path: path.to_owned() },
        Fault::Image(source) => DataError::Image { path: path.to_owned(), source },
    })?;
    let same = image.dimensions() == (width, height);
    Ok(if channels == 1 {
        let grey = GrayImage::from_fn(image.width(), image.height(), |x, y| {
            let [r, g, b] = over_white(&image, x, y).map(u32::from);
            image::Luma([((299 * r + 587 * g + 114 * b + 500) / 1000) as u8])
        });
        if same {
            grey.into_raw()
        } else {
            imageops::resize(&grey, width, height, FilterType::Triangle).into_raw()
        }
    } else {
        let colour = RgbImage::from_fn(image.width(), image.height(), |x, y| Rgb(over_white(&image, x, y)));
        if same {
            colour.into_raw()
        } else {
            imageops::resize(&colour, width, height, FilterType::Triangle).into_raw()
        }
    })
}

enum Fault {
    Truncated,
    Image(ImageError),
}

impl From<ImageError> for Fault {
    fn from(error: ImageError) -> Self {
        match error {
            ImageError::IoError(io) if io.kind() == ErrorKind::UnexpectedEof => Self::Truncated,
            other => Self::Image(other),
        }
    }
}

fn decode(file: &[u8]) -> Result<DynamicImage, Fault> {
    let mut reader = ImageReader::new(Cursor::new(file)).with_guessed_format().map_err(ImageError::from)?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(MOST_BYTES);
    reader.limits(limits.clone());
    // The JPEG decoder fills what is missing with grey.
    if reader.format() == Some(ImageFormat::Jpeg) && !jpeg_is_whole(file) {
        return Err(Fault::Truncated);
    }
    let mut decoder = reader.into_decoder()?;
    limits.reserve(decoder.total_bytes())?;
    let orientation = decoder.orientation()?;
    let mut image = DynamicImage::from_decoder(decoder)?;
    image.apply_orientation(orientation);
    Ok(image)
}

/// Walks the segments of a JPEG file to the marker that ends it (ITU-T T.81, annex B).
fn jpeg_is_whole(file: &[u8]) -> bool {
    let mut at = 2;
    loop {
        // A marker is FF and a byte that is neither 00 (a stuffed FF of the data) nor FF (fill).
        let Some(step) = file.get(at..).and_then(|rest| {
            rest.windows(2).position(|two| two[0] == 0xff && !matches!(two[1], 0x00 | 0xff | 0xd0..=0xd7))
        }) else {
            return false;
        };
        at += step + 2;
        match file[at - 1] {
            0xd9 => return true,
            0x01 | 0xd8 => {}
            _ => {
                let Some(&[high, low]) = file.get(at..at + 2) else { return false };
                at += usize::from(u16::from_be_bytes([high, low])).max(2);
            }
        }
    }
}

fn over_white(image: &DynamicImage, x: u32, y: u32) -> [u8; 3] {
    let [r, g, b, alpha] = image.get_pixel(x, y).0.map(u32::from);
    [r, g, b].map(|colour| ((colour * alpha + 255 * (255 - alpha) + 127) / 255) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{GrayAlphaImage, LumaA, Rgba, RgbaImage};
    use std::path::PathBuf;

    fn saved(folder: &tempfile::TempDir, name: &str, image: impl Into<DynamicImage>) -> PathBuf {
        let path = folder.path().join(name);
        image.into().save(&path).unwrap();
        path
    }

    #[test]
    fn colours_become_grey_by_their_luma() {
        let folder = tempfile::tempdir().unwrap();
        let image = RgbImage::from_raw(4, 1, vec![255, 0, 0, 0, 255, 0, 0, 0, 255, 90, 90, 90]).unwrap();
        let path = saved(&folder, "a.png", image);
        assert_eq!(read(&path, &[1, 4, 1]).unwrap(), [76, 150, 29, 90]);
        assert_eq!(read(&path, &[1, 4, 3]).unwrap(), [255, 0, 0, 0, 255, 0, 0, 0, 255, 90, 90, 90]);
    }

    #[test]
    fn transparency_lies_over_white() {
        let folder = tempfile::tempdir().unwrap();
        let image = RgbaImage::from_raw(3, 1, vec![0, 0, 0, 0, 0, 0, 0, 255, 0, 0, 0, 51]).unwrap();
        assert_eq!(read(&saved(&folder, "a.png", image), &[1, 3, 1]).unwrap(), [255, 0, 204]);
        let grey = GrayAlphaImage::from_pixel(1, 1, LumaA([100, 255]));
        assert_eq!(read(&saved(&folder, "b.png", grey), &[1, 1, 3]).unwrap(), [100, 100, 100]);
    }

    #[test]
    fn shrinking_averages_instead_of_skipping() {
        let folder = tempfile::tempdir().unwrap();
        // Columns of black and white: every pixel of a shrunken image is near the middle grey.
        let stripes = GrayImage::from_fn(64, 64, |x, _| image::Luma([if x % 2 == 0 { 0 } else { 255 }]));
        let small = read(&saved(&folder, "a.png", stripes), &[8, 8, 1]).unwrap();
        assert_eq!(small.len(), 64);
        assert!(small.iter().all(|&grey| grey.abs_diff(128) < 8), "{small:?}");
    }

    #[test]
    fn every_format_is_seen_from_its_content() {
        let folder = tempfile::tempdir().unwrap();
        for ending in ["png", "bmp", "gif", "webp", "jpg"] {
            let image = RgbaImage::from_pixel(5, 4, Rgba([200, 100, 50, 255]));
            let image = DynamicImage::from(image).to_rgb8();
            let path = saved(&folder, &format!("a.{ending}"), image);
            let renamed = path.with_extension("dat");
            fs::rename(path, &renamed).unwrap();
            let read = read(&renamed, &[4, 5, 3]).unwrap();
            assert!(
                read.chunks(3).all(|p| p[0].abs_diff(200) < 4 && p[2].abs_diff(50) < 4),
                "{ending} {read:?}"
            );
        }
    }

    #[test]
    fn truncated_images_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let noise = RgbImage::from_fn(40, 40, |x, y| Rgb([(x * y) as u8, (x * 7) as u8, (y * 13) as u8]));
        for ending in ["png", "jpg", "bmp", "webp", "gif"] {
            let path = saved(&folder, &format!("a.{ending}"), noise.clone());
            let whole = fs::read(&path).unwrap();
            for keep in [whole.len() / 4, whole.len() / 2, whole.len() - whole.len() / 10] {
                fs::write(&path, &whole[..keep]).unwrap();
                let error = read(&path, &[8, 8, 3]).unwrap_err();
                assert!(
                    matches!(error, DataError::TruncatedImage { .. } | DataError::Image { .. }),
                    "{ending} {keep} {error:?}"
                );
            }
        }
        let path = saved(&folder, "b.jpg", noise);
        let whole = fs::read(&path).unwrap();
        fs::write(&path, &whole[..whole.len() - 2]).unwrap();
        assert!(matches!(read(&path, &[8, 8, 3]), Err(DataError::TruncatedImage { .. })));
    }

    #[test]
    fn what_is_no_image_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notes.png");
        assert!(matches!(read(&path, &[8, 8, 1]), Err(DataError::Io { .. })));
        for text in ["", "these are notes"] {
            fs::write(&path, text).unwrap();
            assert!(matches!(read(&path, &[8, 8, 1]), Err(DataError::Image { .. })), "{text:?}");
        }
        assert!(matches!(read(folder.path(), &[8, 8, 1]), Err(DataError::Io { .. })));
    }

    #[test]
    fn shapes_that_images_do_not_have_are_refused() {
        for shape in [&[64][..], &[8, 8, 2], &[0, 8, 1]] {
            assert!(matches!(read("any".as_ref(), shape), Err(DataError::ImageShape { .. })), "{shape:?}");
        }
    }
}

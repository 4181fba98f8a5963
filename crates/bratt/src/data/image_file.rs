//! One image file, read for prediction: to the shape that a model takes, the way its training images were read.
//!
//! [`decode`] says how a file becomes pixels, [`resize`] how they get the model's size, and what becomes
//! of colours where it takes grey.
//!
//! Nothing else is guessed. In particular nothing is inverted: models trained on white ink on black, as the digit sets
//! have it, want such images. A byte `b` stands for `b / 255`, whatever the scale of the training data.

use std::fs;
use std::path::Path;

use super::resize::{self, Fit};
use super::{DataError, decode};

/// Reads an image as bytes of `shape` `[height, width, channels]`, channels 1 (grey) or 3 (red, green, blue).
///
/// ```no_run
/// use bratt::data::{Fit, image_file};
/// let bytes = image_file::read("photo.jpg".as_ref(), &[96, 96, 3], Fit::Crop)?;
/// let x: Vec<f32> = bytes.iter().map(|&byte| f32::from(byte) / 255.0).collect();
/// # Ok::<(), bratt::data::DataError>(())
/// ```
///
/// # Errors
/// [`DataError::Io`] where the file cannot be read, [`DataError::Image`] where it is no image, is damaged or is too large,
/// [`DataError::TruncatedImage`] where it ends early, [`DataError::ImageShape`] for a shape that images do not have.
pub fn read(path: &Path, shape: &[usize], fit: Fit) -> Result<Vec<u8>, DataError> {
    let file = fs::read(path).map_err(|source| DataError::Io { path: path.to_owned(), source })?;
    resize::to_shape(&decode::decode(&file, path)?, shape, fit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{DynamicImage, GrayAlphaImage, LumaA, Rgb, RgbImage, Rgba, RgbaImage};
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
        assert_eq!(read(&path, &[1, 4, 1], Fit::Squish).unwrap(), [76, 150, 29, 90]);
        assert_eq!(
            read(&path, &[1, 4, 3], Fit::Squish).unwrap(),
            [255, 0, 0, 0, 255, 0, 0, 0, 255, 90, 90, 90]
        );
    }

    #[test]
    fn transparency_lies_over_white() {
        let folder = tempfile::tempdir().unwrap();
        let image = RgbaImage::from_raw(3, 1, vec![0, 0, 0, 0, 0, 0, 0, 255, 0, 0, 0, 51]).unwrap();
        assert_eq!(read(&saved(&folder, "a.png", image), &[1, 3, 1], Fit::Squish).unwrap(), [255, 0, 204]);
        let grey = GrayAlphaImage::from_pixel(1, 1, LumaA([100, 255]));
        assert_eq!(read(&saved(&folder, "b.png", grey), &[1, 1, 3], Fit::Squish).unwrap(), [100, 100, 100]);
    }

    #[test]
    fn every_format_is_seen_from_its_content() {
        let folder = tempfile::tempdir().unwrap();
        for ending in ["png", "bmp", "gif", "webp", "jpg", "tif"] {
            let image = RgbaImage::from_pixel(5, 4, Rgba([200, 100, 50, 255]));
            let image = DynamicImage::from(image).to_rgb8();
            let path = saved(&folder, &format!("a.{ending}"), image);
            let renamed = path.with_extension("dat");
            fs::rename(path, &renamed).unwrap();
            let read = read(&renamed, &[4, 5, 3], Fit::Squish).unwrap();
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
        for ending in ["png", "jpg", "bmp", "webp", "gif", "tif"] {
            let path = saved(&folder, &format!("a.{ending}"), noise.clone());
            let whole = fs::read(&path).unwrap();
            for keep in [whole.len() / 4, whole.len() / 2, whole.len() - whole.len() / 10] {
                fs::write(&path, &whole[..keep]).unwrap();
                let error = read(&path, &[8, 8, 3], Fit::Squish).unwrap_err();
                assert!(
                    matches!(error, DataError::TruncatedImage { .. } | DataError::Image { .. }),
                    "{ending} {keep} {error:?}"
                );
            }
        }
        let path = saved(&folder, "b.jpg", noise);
        let whole = fs::read(&path).unwrap();
        fs::write(&path, &whole[..whole.len() - 2]).unwrap();
        assert!(matches!(read(&path, &[8, 8, 3], Fit::Squish), Err(DataError::TruncatedImage { .. })));
    }

    #[test]
    fn what_is_no_image_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notes.png");
        assert!(matches!(read(&path, &[8, 8, 1], Fit::Squish), Err(DataError::Io { .. })));
        for text in ["", "these are notes"] {
            fs::write(&path, text).unwrap();
            assert!(matches!(read(&path, &[8, 8, 1], Fit::Squish), Err(DataError::Image { .. })), "{text:?}");
        }
        assert!(matches!(read(folder.path(), &[8, 8, 1], Fit::Squish), Err(DataError::Io { .. })));
    }
}

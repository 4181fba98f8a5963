//! From the bytes of an image file to its pixels, strictly: what ends early or is damaged is an error.
//!
//! The format is seen from the content. In order:
//! - **limits** before anything is allocated: at most 64 million pixels and 192 MiB decoded;
//! - **decoding**: JPEG (CMYK and YCCK included) by `zune-jpeg` in its strict mode, after a walk over the segments to the
//!   marker that ends the file, since without both a file that was cut is filled up with grey; PNG, WebP, GIF (first
//!   frame), BMP and TIFF by `image`;
//! - **8 bits**: 16 bits are rounded;
//! - **white paper**: transparent pixels are laid over white, `(c a + 255 (255 - a)) / 255`;
//! - **one channel** where every pixel has equal red, green and blue, whatever the file calls itself;
//! - **upright**, as EXIF says.

use std::io::{Cursor, ErrorKind};
use std::path::Path;

use image::error::{DecodingError, LimitError, LimitErrorKind};
use image::metadata::Orientation;
use image::{DynamicImage, GrayImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, RgbImage};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::DataError;

/// Images with more pixels are refused: larger than what cameras make, and small enough to be decoded at once.
pub const MOST_PIXELS: u64 = 64_000_000;
const MOST_BYTES: u64 = 3 * MOST_PIXELS;
/// Larger files are refused before they are read.
pub const MOST_FILE_BYTES: u64 = 128 << 20;

/// A decoded image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// 1: all pixels are grey; 3: red, green, blue.
    pub channels: u8,
    /// `[height, width, channels]`.
    pub bytes: Vec<u8>,
    /// How the file holds its colours, in words: "grey", "colour", "colour + alpha", "16 bit grey", "palette", "CMYK".
    pub mode: &'static str,
}

/// Decodes the bytes of a file; `path` is for messages.
///
/// # Errors
/// [`DataError::Image`] for what is no image, is damaged or too large, [`DataError::TruncatedImage`] for what ends early.
pub fn decode(file: &[u8], path: &Path) -> Result<Picture, DataError> {
    let decoded = match image::guess_format(file) {
        Ok(ImageFormat::Jpeg) => jpeg(file),
        _ => other(file),
    };
    decoded.map_err(|fault| fault.of(path))
}

/// `[height, width]` of the upright image, from the head of the file alone.
///
/// # Errors
/// As [`decode`], as far as the head shows it.
pub fn dimensions(file: &[u8], path: &Path) -> Result<[u32; 2], DataError> {
    let measured = || -> Result<[u32; 2], Fault> {
        let (width, height, orientation) = if let Ok(ImageFormat::Jpeg) = image::guess_format(file) {
            let mut decoder = jpeg_decoder(file);
            decoder.decode_headers().map_err(jpeg_fault)?;
            let (width, height) = decoder.dimensions().ok_or(Fault::Truncated)?;
            (width as u32, height as u32, jpeg_orientation(&decoder))
        } else {
            let mut decoder = reader(file)?.into_decoder()?;
            let (width, height) = decoder.dimensions();
            (width, height, decoder.orientation()?)
        };
        Ok(if turned(orientation) { [width, height] } else { [height, width] })
    };
    measured().map_err(|fault| fault.of(path))
}

/// Whether a file of this beginning says its size and orientation there, so that [`dimensions`] needs no more of it. TIFF
/// and extended WebP may have them at the end.
pub(super) fn size_is_in_head(head: &[u8]) -> bool {
    use ImageFormat::{Bmp, Gif, Jpeg, Png};
    matches!(image::guess_format(head), Ok(Bmp | Gif | Jpeg | Png))
}

/// The error of a file or image that is larger than is read.
pub(super) fn too_large(path: &Path) -> DataError {
    too_many_pixels().of(path)
}

enum Fault {
    Truncated,
    Image(ImageError),
}

impl Fault {
    fn of(self, path: &Path) -> DataError {
        match self {
            Self::Truncated => DataError::TruncatedImage { path: path.to_owned() },
            Self::Image(source) => DataError::Image { path: path.to_owned(), source },
        }
    }
}

impl From<ImageError> for Fault {
    fn from(error: ImageError) -> Self {
        match error {
            ImageError::IoError(io) if io.kind() == ErrorKind::UnexpectedEof => Self::Truncated,
            other => Self::Image(other),
        }
    }
}

fn jpeg_fault(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Fault {
    Fault::Image(ImageError::Decoding(DecodingError::new(ImageFormat::Jpeg.into(), error)))
}

fn too_many_pixels() -> Fault {
    Fault::Image(ImageError::Limits(LimitError::from_kind(LimitErrorKind::DimensionError)))
}

fn jpeg_decoder(file: &[u8]) -> JpegDecoder<ZCursor<&[u8]>> {
    let options = DecoderOptions::default()
        .set_strict_mode(true)
        .set_max_width(usize::from(u16::MAX))
        .set_max_height(usize::from(u16::MAX));
    JpegDecoder::new_with_options(ZCursor::new(file), options)
}

fn jpeg_orientation(decoder: &JpegDecoder<ZCursor<&[u8]>>) -> Orientation {
    let exif = decoder.exif();
    exif.and_then(|exif| Orientation::from_exif_chunk(exif)).unwrap_or(Orientation::NoTransforms)
}

fn jpeg(file: &[u8]) -> Result<Picture, Fault> {
    if !jpeg_is_whole(file) {
        return Err(Fault::Truncated);
    }
    let mut decoder = jpeg_decoder(file);
    decoder.decode_headers().map_err(jpeg_fault)?;
    let (width, height) = decoder.dimensions().ok_or(Fault::Truncated)?;
    if width as u64 * height as u64 > MOST_PIXELS {
        return Err(too_many_pixels());
    }
    let (to, mode) = match decoder.input_colorspace() {
        Some(ColorSpace::Luma) => (ColorSpace::Luma, "grey"),
        Some(ColorSpace::CMYK | ColorSpace::YCCK) => (ColorSpace::RGB, "CMYK"),
        _ => (ColorSpace::RGB, "colour"),
    };
    decoder.set_options(decoder.options().jpeg_set_out_colorspace(to));
    let orientation = jpeg_orientation(&decoder);
    let bytes = decoder.decode().map_err(jpeg_fault)?;
    let (width, height) = (width as u32, height as u32);
    let image = if to == ColorSpace::Luma {
        GrayImage::from_raw(width, height, bytes).map(DynamicImage::from)
    } else {
        RgbImage::from_raw(width, height, bytes).map(DynamicImage::from)
    };
    Ok(picture(image.ok_or(Fault::Truncated)?, orientation, mode))
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

fn reader(file: &[u8]) -> Result<ImageReader<Cursor<&[u8]>>, Fault> {
    let mut reader = ImageReader::new(Cursor::new(file)).with_guessed_format().map_err(ImageError::from)?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(MOST_BYTES);
    reader.limits(limits);
    Ok(reader)
}

fn other(file: &[u8]) -> Result<Picture, Fault> {
    let reader = reader(file)?;
    let format = reader.format();
    let mut decoder = reader.into_decoder()?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MOST_PIXELS || decoder.total_bytes() > MOST_BYTES {
        return Err(too_many_pixels());
    }
    let orientation = decoder.orientation()?;
    let image = DynamicImage::from_decoder(decoder)?;
    // Byte 25 of a PNG is the colour type of its header.
    let palette = match format {
        Some(ImageFormat::Gif) => true,
        Some(ImageFormat::Png) => file.get(25) == Some(&3),
        _ => false,
    };
    let mode = if palette { "palette" } else { mode(&image) };
    Ok(picture(image, orientation, mode))
}

/// Every [`Picture::mode`].
pub(super) const MODES: [&str; 11] = [
    "grey",
    "grey + alpha",
    "colour",
    "colour + alpha",
    "16 bit grey",
    "16 bit grey + alpha",
    "16 bit colour",
    "16 bit colour + alpha",
    "floating point",
    "palette",
    "CMYK",
];

fn mode(image: &DynamicImage) -> &'static str {
    match image {
        DynamicImage::ImageLuma8(_) => "grey",
        DynamicImage::ImageLumaA8(_) => "grey + alpha",
        DynamicImage::ImageRgb8(_) => "colour",
        DynamicImage::ImageRgba8(_) => "colour + alpha",
        DynamicImage::ImageLuma16(_) => "16 bit grey",
        DynamicImage::ImageLumaA16(_) => "16 bit grey + alpha",
        DynamicImage::ImageRgb16(_) => "16 bit colour",
        DynamicImage::ImageRgba16(_) => "16 bit colour + alpha",
        _ => "floating point",
    }
}

fn turned(orientation: Orientation) -> bool {
    use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
    matches!(orientation, Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH)
}

fn picture(image: DynamicImage, orientation: Orientation, mode: &'static str) -> Picture {
    let color = image.color();
    let mut image = match (color.has_color(), color.has_alpha()) {
        (false, false) => DynamicImage::from(image.into_luma8()),
        (false, true) => {
            let image = image.into_luma_alpha8();
            let (width, height) = image.dimensions();
            let bytes = image.as_raw().chunks_exact(2).map(|p| over_white(p[0], p[1])).collect();
            GrayImage::from_raw(width, height, bytes).unwrap_or_default().into()
        }
        (true, false) => DynamicImage::from(image.into_rgb8()),
        (true, true) => {
            let image = image.into_rgba8();
            let (width, height) = image.dimensions();
            let pixels = image.as_raw().chunks_exact(4);
            let bytes = pixels.flat_map(|p| [0, 1, 2].map(|c| over_white(p[c], p[3]))).collect();
            RgbImage::from_raw(width, height, bytes).unwrap_or_default().into()
        }
    };
    image.apply_orientation(orientation);
    let (width, height) = (image.width(), image.height());
    let (channels, bytes) = match image {
        DynamicImage::ImageLuma8(grey) => (1, grey.into_raw()),
        image => {
            let bytes = image.into_rgb8().into_raw();
            if bytes.chunks_exact(3).all(|p| p[0] == p[1] && p[1] == p[2]) {
                (1, bytes.chunks_exact(3).map(|p| p[0]).collect())
            } else {
                (3, bytes)
            }
        }
    };
    Picture { width, height, channels, bytes, mode }
}

fn over_white(value: u8, alpha: u8) -> u8 {
    let (value, alpha) = (u32::from(value), u32::from(alpha));
    ((value * alpha + 255 * (255 - alpha) + 127) / 255) as u8
}

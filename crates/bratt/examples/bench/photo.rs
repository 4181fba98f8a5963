//! A photograph of 500 x 375 from the bytes of its JPEG file to 224 x 224 pixels.
//!
//! The picture is made, since no photograph can be taken everywhere: noise whose amplitude falls as 1/f, as that of
//! photographs does (Field 1987), in three correlated channels, at quality 90.

use crate::{Bench, Result};
use bratt::data::{Fit, decode, resize};
use bratt::random::{Purpose, Stream};
use image::codecs::jpeg::JpegEncoder;
use std::path::Path;

pub const WORKS: [&str; 1] = ["photo_decode"];
const SIZE: [u32; 2] = [500, 375];

pub fn run(bench: &Bench, work: &str) -> Result<()> {
    let file = photo()?;
    if let Some(path) = &bench.photo {
        std::fs::write(path, &file)?;
    }
    let path = Path::new("photo.jpg");
    let mut failed = None;
    bench.measure(work, "one thread", 10, 0, || {
        let picture =
            decode::decode(&file, path).and_then(|picture| resize::resize(&picture, [224, 224], Fit::Squish));
        failed = picture.err();
    });
    failed.map_or(Ok(()), |error| Err(error.into()))
}

fn photo() -> Result<Vec<u8>> {
    let [width, height] = SIZE;
    let pixels = (width * height) as usize;
    let mut planes = vec![vec![128.0; pixels]; 3];
    let mut random = Stream::new(1, Purpose::Noise, 0);
    for octave in 0..8 {
        // A grid of random values, twice as fine each time and half as strong, smoothly joined.
        let cells = 2u32 << octave;
        let strength = 64.0 / f64::from(1 << octave) * 1.6;
        let shared = grid(&mut random, cells);
        for plane in &mut planes {
            let own = grid(&mut random, cells);
            for (at, value) in plane.iter_mut().enumerate() {
                let (x, y) = (at as u32 % width, at as u32 / width);
                let at = |side: u32| f64::from(side) / f64::from(width) * f64::from(cells);
                *value += strength
                    * (0.85 * smooth(&shared, cells, at(x), at(y))
                        + 0.15 * smooth(&own, cells, at(x), at(y)));
            }
        }
    }
    let bytes: Vec<u8> =
        (0..pixels).flat_map(|at| [0, 1, 2].map(|c: usize| planes[c][at].clamp(0.0, 255.0) as u8)).collect();
    let mut file = Vec::new();
    JpegEncoder::new_with_quality(&mut file, 90).encode(
        &bytes,
        width,
        height,
        image::ExtendedColorType::Rgb8,
    )?;
    Ok(file)
}

fn grid(random: &mut Stream, cells: u32) -> Vec<f64> {
    (0..(cells + 2) * (cells + 2)).map(|_| 2.0 * random.uniform() - 1.0).collect()
}

fn smooth(grid: &[f64], cells: u32, x: f64, y: f64) -> f64 {
    let ease = |t: f64| t * t * (3.0 - 2.0 * t);
    let (left, top) = (x as usize, y as usize);
    let (s, t) = (ease(x.fract()), ease(y.fract()));
    let at = |x: usize, y: usize| grid[y * (cells as usize + 2) + x];
    let row = |y: usize| at(left, y) * (1.0 - s) + at(left + 1, y) * s;
    row(top) * (1.0 - t) + row(top + 1) * t
}

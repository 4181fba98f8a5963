//! The digits that ship inside the library: 1,797 handwritten digits of 8x8 pixels.
//!
//! E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository, 1998,
//! doi:10.24432/C50P49, CC BY 4.0; see `assets/digits.md`. Values run from 0 (paper) to 16 (ink), so that
//! `scale` is 1/16 and inputs lie in `[0, 1]`.

use std::io::Read;

use flate2::read::GzDecoder;

use super::{Dataset, Features, Targets};

const FILE: &[u8] = include_bytes!("../../assets/digits.csv.gz");

/// Who made the digits and under which licence; to be shown wherever they are used.
pub const ATTRIBUTION: &str = "Optical Recognition of Handwritten Digits, E. Alpaydin and C. Kaynak, UCI Machine Learning Repository, 1998, doi:10.24432/C50P49, CC BY 4.0";

/// The 1,797 digits, shape `[8, 8, 1]`, classes "0" to "9".
///
/// ```
/// let digits = bratt::data::digits();
/// assert_eq!((digits.len(), digits.shape()), (1797, &[8, 8, 1][..]));
/// ```
pub fn digits() -> Dataset {
    parse().expect("the file inside the library is intact: a test reads it")
}

/// `None` where the file is not what it should be.
fn parse() -> Option<Dataset> {
    let mut text = String::new();
    GzDecoder::new(FILE).read_to_string(&mut text).ok()?;
    let (mut bytes, mut labels) = (Vec::with_capacity(1797 * 64), Vec::with_capacity(1797));
    for line in text.lines() {
        let (image, label) = line.rsplit_once(',')?;
        labels.push(label.parse().ok()?);
        for cell in image.split(',') {
            bytes.push(cell.parse().ok()?);
        }
    }
    let names = (0..10).map(|digit| digit.to_string()).collect();
    let features = Features::Pixels { bytes: bytes.into(), scale: 1.0 / 16.0 };
    Dataset::new("digits", vec![8, 8, 1], features, Targets::Classes { labels, names }).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digits_are_those_of_the_repository() {
        let digits = digits();
        assert_eq!(digits.class_counts(), [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
        let Features::Pixels { bytes, scale } = digits.features() else { panic!("pixels") };
        assert_eq!(*scale, 0.0625);
        assert_eq!(bytes.iter().max(), Some(&16));
        assert_eq!(&bytes[..16], [0, 0, 5, 13, 9, 1, 0, 0, 0, 0, 13, 15, 10, 15, 5, 0]);
        assert_eq!(&digits.labels()[..10], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    }

    #[test]
    fn inputs_lie_between_zero_and_one() {
        let digits = digits();
        let indices: Vec<u32> = (0..1797).collect();
        let (mut x, mut y) = (vec![0.0; 1797 * 64], vec![0.0; 1797]);
        digits.gather_into(&indices, &mut x, &mut y);
        assert_eq!(x.iter().copied().fold(0.0, f32::max), 1.0);
        assert_eq!(x[2], 5.0 / 16.0);
        assert_eq!(y[9], 9.0);
    }
}

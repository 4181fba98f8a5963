//! Left and right exchanged: `y[r, x] = picture[r, width - 1 - x]`.
//!
//! Doubles the data where the class of a thing does not depend on its side: photographs, but neither digits nor letters.
//!
//! Source: Krizhevsky, Sutskever and Hinton 2012, section 4.1.

use super::Frame;

/// Mirrors each row in place.
pub(super) fn horizontal(picture: &mut [u8], frame: Frame) {
    for row in picture.chunks_exact_mut(frame.width * frame.channels) {
        match frame.channels {
            1 => row.reverse(),
            3 => {
                let (pixels, _) = row.as_chunks_mut::<3>();
                pixels.reverse();
            }
            channels => {
                // The whole row turned round, then each pixel turned back.
                row.reverse();
                row.chunks_exact_mut(channels).for_each(<[u8]>::reverse);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_change_sides_and_channels_stay_in_order() {
        for channels in [1, 2, 3] {
            let frame = Frame { height: 2, width: 3, channels };
            let picture: Vec<u8> = (0..frame.len() as u8).collect();
            let mut flipped = picture.clone();
            horizontal(&mut flipped, frame);
            for y in 0..2 {
                for x in 0..3 {
                    let at = |x: usize| &picture[(y * 3 + x) * channels..][..channels];
                    assert_eq!(&flipped[(y * 3 + x) * channels..][..channels], at(2 - x));
                }
            }
            horizontal(&mut flipped, frame);
            assert_eq!(flipped, picture);
        }
    }
}

//! Random crop with padding: the picture is padded by p pixels on each side, as the [`Border`] says, and a window of its
//! own size is cut out: `y[r, x] = padded[r + i, x + j]` with i and j uniform in 0..=2p. So things move by up to p pixels.
//!
//! The usual p is an eighth of the side: 4 for 32 x 32.
//!
//! Source: He, Zhang, Ren and Sun 2016, section 4.2.

use super::{Border, Frame};
use crate::random::Stream;

/// Cuts a window at random; `to` gets it.
pub(super) fn random(
    from: &[u8],
    to: &mut [u8],
    frame: Frame,
    padding: usize,
    border: Border,
    random: &mut Stream,
) {
    let choices = 2 * padding as u32 + 1;
    let down = random.below(choices) as isize - padding as isize;
    let right = random.below(choices) as isize - padding as isize;
    shifted(from, to, frame, [down, right], border);
}

/// `to[r, x] = from[r + down, x + right]`: a copy a row, and the border pixel by pixel.
fn shifted(from: &[u8], to: &mut [u8], frame: Frame, [down, right]: [isize; 2], border: Border) {
    let Frame { height, width, channels } = frame;
    let row_len = width * channels;
    // The columns of the result whose source lies inside.
    let first = right.min(0).unsigned_abs().min(width);
    let last = width.saturating_sub(right.max(0).unsigned_abs()).max(first);
    for (y, row) in to.chunks_exact_mut(row_len).enumerate() {
        let Some(source) = border.index(y as isize + down, height) else {
            row.fill(0);
            continue;
        };
        let source = &from[source * row_len..][..row_len];
        if first < last {
            let begin = (first as isize + right) as usize * channels;
            let inside = first * channels..last * channels;
            let len = inside.len();
            row[inside].copy_from_slice(&source[begin..begin + len]);
        }
        for x in (0..first).chain(last..width) {
            let pixel = &mut row[x * channels..][..channels];
            match border.index(x as isize + right, width) {
                Some(at) => pixel.copy_from_slice(&source[at * channels..][..channels]),
                None => pixel.fill(0),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shift_is_the_padded_picture_seen_through_a_window() {
        for (channels, border) in
            [(1, Border::Zero), (3, Border::Zero), (1, Border::Reflect), (3, Border::Reflect)]
        {
            let frame = Frame { height: 3, width: 4, channels };
            let picture: Vec<u8> = (1..=frame.len() as u8).collect();
            for down in -6..=6 {
                for right in -6..=6 {
                    let mut out = vec![99; frame.len()];
                    shifted(&picture, &mut out, frame, [down, right], border);
                    for (at, &byte) in out.iter().enumerate() {
                        let (y, x, c) = (at / channels / 4, at / channels % 4, at % channels);
                        let row = border.index(y as isize + down, 3);
                        let column = border.index(x as isize + right, 4);
                        let expected = match (row, column) {
                            (Some(row), Some(column)) => picture[(row * 4 + column) * channels + c],
                            _ => 0,
                        };
                        assert_eq!(byte, expected, "{border:?} {down} {right} at {at}");
                    }
                }
            }
        }
    }
}

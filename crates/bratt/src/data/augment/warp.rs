//! Affine maps of a picture, bilinear.
//!
//! With pixel centres at half integers, the pixel at (x', y') of the result is the picture's value at
//!
//! ```text
//! (x, y) = M (x' + 1/2, y' + 1/2, 1) - 1/2
//! ```
//!
//! between whose four neighbours it is linear in x and in y. Neighbours outside of the picture are as the [`Border`]
//! says. A map that makes smaller is not smoothed; none of the maps here does.

use super::Frame;

/// What lies outside of a picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Border {
    /// Bytes of 0.
    #[default]
    Zero,
    /// The picture mirrored in its outermost pixels: `c b | a b c | b a`.
    Reflect,
}

impl Border {
    /// The names that [`Border::by_name`] knows.
    pub const NAMES: [&'static str; 2] = ["zero", "reflect"];

    /// `zero` or `reflect`.
    pub fn by_name(name: &str) -> Option<Border> {
        match name {
            "zero" => Some(Border::Zero),
            "reflect" => Some(Border::Reflect),
            _ => None,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Border::Zero => "zero",
            Border::Reflect => "reflect",
        }
    }

    /// Which of `n` pixels stands at `at`; none where it is 0.
    #[inline]
    pub(super) fn index(self, at: isize, n: usize) -> Option<usize> {
        if let Ok(inside) = usize::try_from(at)
            && inside < n
        {
            return Some(inside);
        }
        match self {
            Border::Zero => None,
            Border::Reflect if n == 1 => Some(0),
            Border::Reflect => {
                let period = 2 * (n as isize - 1);
                let at = at.rem_euclid(period);
                Some(at.min(period - at) as usize)
            }
        }
    }
}

/// The rows of M: where each pixel of the result comes from.
pub(super) type Map = [[f32; 3]; 2];

/// The map that moves the origin to the centre of the picture, applies `m` there and moves back.
pub(super) fn about_centre(frame: Frame, [[a, b], [c, d]]: [[f32; 2]; 2]) -> Map {
    let (cx, cy) = (frame.width as f32 / 2.0, frame.height as f32 / 2.0);
    [[a, b, cx - a * cx - b * cy], [c, d, cy - c * cx - d * cy]]
}

/// Writes the picture `from` under the map into `to`.
pub(super) fn warp(from: &[u8], to: &mut [u8], frame: Frame, map: Map, border: Border) {
    let Frame { height, width, channels } = frame;
    let [[a, b, tx], [c, d, ty]] = map;
    for (y, row) in to.chunks_exact_mut(width * channels).enumerate() {
        for (x, pixel) in row.chunks_exact_mut(channels).enumerate() {
            let (px, py) = (x as f32 + 0.5, y as f32 + 0.5);
            let (sx, sy) = (a * px + b * py + tx - 0.5, c * px + d * py + ty - 0.5);
            let (left, top) = (sx.floor(), sy.floor());
            let (right_part, low_part) = (sx - left, sy - top);
            let (left, top) = (left as isize, top as isize);
            let columns = [border.index(left, width), border.index(left + 1, width)];
            let rows = [border.index(top, height), border.index(top + 1, height)];
            let parts_x = [1.0 - right_part, right_part];
            let parts_y = [1.0 - low_part, low_part];
            for (channel, out) in pixel.iter_mut().enumerate() {
                let mut sum = 0.0;
                for (row, part_y) in rows.iter().zip(parts_y) {
                    for (column, part_x) in columns.iter().zip(parts_x) {
                        if let (Some(row), Some(column)) = (row, column) {
                            let at = (row * width + column) * channels + channel;
                            sum += part_y * part_x * f32::from(from[at]);
                        }
                    }
                }
                *out = (sum + 0.5) as u8;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Frame = Frame { height: 2, width: 3, channels: 1 };

    #[test]
    fn the_identity_keeps_every_byte() {
        let picture = [0, 255, 7, 9, 100, 254];
        let mut out = [1; 6];
        warp(&picture, &mut out, FRAME, about_centre(FRAME, [[1.0, 0.0], [0.0, 1.0]]), Border::Zero);
        assert_eq!(out, picture);
    }

    #[test]
    fn half_a_pixel_to_the_left_is_the_mean_of_neighbours() {
        let mut out = [0; 6];
        let map = [[1.0, 0.0, 0.5], [0.0, 1.0, 0.0]];
        warp(&[0, 100, 200, 10, 20, 30], &mut out, FRAME, map, Border::Zero);
        assert_eq!(out, [50, 150, 100, 15, 25, 15]);
        warp(&[0, 100, 200, 10, 20, 30], &mut out, FRAME, map, Border::Reflect);
        assert_eq!(out, [50, 150, 150, 15, 25, 25]);
    }

    #[test]
    fn reflection_does_not_repeat_the_outermost_pixel() {
        let seen: Vec<_> = (-4..7).map(|at| Border::Reflect.index(at, 3).unwrap()).collect();
        assert_eq!(seen, [0, 1, 2, 1, 0, 1, 2, 1, 0, 1, 2]);
        assert_eq!(Border::Reflect.index(-5, 1), Some(0));
        assert_eq!((Border::Zero.index(-1, 3), Border::Zero.index(3, 3)), (None, None));
    }
}

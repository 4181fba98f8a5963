//! Rotation about the centre by an angle uniform in [-degrees, degrees]:
//! `M = [[cos a, -sin a], [sin a, cos a]]` from result to picture, bilinear; corners are as the [`Border`] says.
//!
//! Source: Simard, Steinkraus and Platt 2003 (for documents); angles of 10 to 15 degrees are usual.

use super::Frame;
use super::warp::{Border, about_centre, warp};
use crate::random::Stream;

/// Turns by an angle at random; `to` gets it.
pub(super) fn random(
    from: &[u8],
    to: &mut [u8],
    frame: Frame,
    degrees: f64,
    border: Border,
    random: &mut Stream,
) {
    turned(from, to, frame, degrees * (2.0 * random.uniform() - 1.0), border);
}

/// Turns by `degrees`, counterclockwise as one sees it.
pub(super) fn turned(from: &[u8], to: &mut [u8], frame: Frame, degrees: f64, border: Border) {
    let (sin, cos) = degrees.to_radians().sin_cos();
    let (sin, cos) = (sin as f32, cos as f32);
    warp(from, to, frame, about_centre(frame, [[cos, -sin], [sin, cos]]), border);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_turn_moves_the_right_side_to_the_top() {
        let frame = Frame { height: 2, width: 2, channels: 1 };
        let mut out = [0; 4];
        turned(&[10, 20, 30, 40], &mut out, frame, 90.0, Border::Zero);
        assert_eq!(out, [20, 40, 10, 30]);
    }

    #[test]
    fn an_eighth_turn_leaves_the_centre_and_empties_the_corners() {
        let frame = Frame { height: 9, width: 9, channels: 1 };
        let mut out = [0; 81];
        turned(&[200; 81], &mut out, frame, 45.0, Border::Zero);
        assert_eq!((out[40], out[0], out[8], out[72], out[80]), (200, 0, 0, 0, 0));
        turned(&[200; 81], &mut out, frame, 45.0, Border::Reflect);
        assert_eq!(out, [200; 81]);
    }
}

//! Tables of colours that can be read with any eyes.
//!
//! `heat` goes from black through purple and red to pale yellow: nine points of "magma" (van der Walt and Smith 2015, CC0),
//! joined by straight lines in sRGB. Its lightness L* rises evenly, so that equal steps of the number look equal, in
//! grey and to people who see fewer colours as well.
//!
//! `balance` goes from blue (-1) through near white (0) to orange (+1): a blue and an orange half of ColorBrewer's
//! diverging schemes (Brewer 2003, Apache 2.0), which are safe for all common kinds of colour blindness; the darkest blue
//! is as light as the darkest orange. Lightness tells the size, hue the sign.

const HEAT: [[u8; 3]; 9] = [
    [0, 0, 4],
    [28, 16, 68],
    [79, 18, 123],
    [129, 37, 129],
    [181, 54, 122],
    [229, 80, 100],
    [251, 135, 97],
    [254, 194, 135],
    [252, 253, 191],
];

const BALANCE: [[u8; 3]; 11] = [
    [16, 78, 139],
    [33, 102, 172],
    [67, 147, 195],
    [146, 197, 222],
    [209, 229, 240],
    [247, 247, 247],
    [254, 224, 182],
    [253, 184, 99],
    [224, 130, 20],
    [179, 88, 6],
    [127, 59, 8],
];

/// The colour of a number from 0 (black) to 1 (pale yellow); red, green, blue.
pub fn heat(value: f32) -> [u8; 3] {
    between(&HEAT, value)
}

/// The colour of a number from -1 (blue) through 0 (near white) to 1 (orange); red, green, blue.
pub fn balance(value: f32) -> [u8; 3] {
    between(&BALANCE, (value + 1.0) / 2.0)
}

fn between(table: &[[u8; 3]], value: f32) -> [u8; 3] {
    // Not a number has the first colour.
    let share = if value.is_nan() { 0.0 } else { value.clamp(0.0, 1.0) };
    let place = share * (table.len() - 1) as f32;
    let low = (place as usize).min(table.len() - 2);
    blend(table[low], table[low + 1], place - low as f32)
}

/// A share of the second colour, the rest of the first.
pub(super) fn blend(first: [u8; 3], second: [u8; 3], share: f32) -> [u8; 3] {
    let mix = |a: u8, b: u8| (f32::from(a) * (1.0 - share) + f32::from(b) * share).round() as u8;
    [mix(first[0], second[0]), mix(first[1], second[1]), mix(first[2], second[2])]
}

/// How light a colour looks as a byte of grey, by the luma of ITU-R BT.601.
pub(super) fn luma([r, g, b]: [u8; 3]) -> u8 {
    ((299 * u32::from(r) + 587 * u32::from(g) + 114 * u32::from(b) + 500) / 1000) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    /// L* of CIE 1976, 0 to 100.
    fn lightness(color: [u8; 3]) -> f64 {
        let linear = color.map(|byte| {
            let c = f64::from(byte) / 255.0;
            if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        });
        let y = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
        if y > 0.008856 { 116.0 * y.cbrt() - 16.0 } else { 903.3 * y }
    }

    #[test]
    fn heat_gets_lighter_evenly() {
        let steps: Vec<f64> = (0..=16).map(|i| lightness(heat(i as f32 / 16.0))).collect();
        assert!(steps[0] < 1.0 && steps[16] > 97.0, "{steps:?}");
        for pair in steps.windows(2) {
            assert!((3.0..9.0).contains(&(pair[1] - pair[0])), "{steps:?}");
        }
    }

    #[test]
    fn balance_gets_darker_to_both_sides_alike() {
        assert_eq!(balance(0.0), [247, 247, 247]);
        for i in 1..=10 {
            let x = i as f32 / 10.0;
            let (below, above) = (lightness(balance(-x)), lightness(balance(x)));
            let nearer = x - 0.1;
            assert!(below < lightness(balance(-nearer)) && above < lightness(balance(nearer)), "{x}");
            assert!((below - above).abs() < 12.0, "{x}: {below} {above}");
            let ([red, _, blue], [warm, _, cool]) = (balance(-x), balance(x));
            assert!(red < blue && warm > cool, "hue tells the sign");
        }
    }

    #[test]
    fn what_lies_outside_has_the_last_colour() {
        assert_eq!((heat(-1.0), heat(2.0)), (heat(0.0), heat(1.0)));
        assert_eq!(heat(f32::NAN), heat(0.0));
        assert_eq!(luma([255, 255, 255]), 255);
    }
}

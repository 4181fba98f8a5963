//! Parts of the picture painted over, so that no single part of a thing decides.
//!
//! - random erasing: with a probability, one rectangle whose area is uniform between 0.02 and 1/3 of the picture's and
//!   whose ratio is log-uniform between 0.3 and 3.3, inside the picture; it gets random bytes.
//! - cutout: a square of a given side, its centre uniform over the picture, so that it may stick out; it gets 0.
//!
//! Source: Zhong, Zheng, Kang, Li and Yang 2020, table 2, for erasing (a probability of 0.25 to 0.5 is usual); DeVries and
//! Taylor 2017 for cutout (16 for the ten classes of 32 x 32 pixels of CIFAR-10).

use super::Frame;
use crate::random::Stream;

const AREA: [f64; 2] = [0.02, 1.0 / 3.0];
const RATIO: [f64; 2] = [0.3, 3.3];

/// Random erasing, with `probability`.
pub(super) fn random(picture: &mut [u8], frame: Frame, probability: f64, random: &mut Stream) {
    if random.uniform() >= probability {
        return;
    }
    let Frame { height, width, .. } = frame;
    for _ in 0..10 {
        let area = frame.pixels() as f64 * (AREA[0] + (AREA[1] - AREA[0]) * random.uniform());
        let [low, high] = RATIO.map(f64::ln);
        let ratio = (low + (high - low) * random.uniform()).exp();
        let [w, h] =
            [(area * ratio).sqrt(), (area / ratio).sqrt()].map(|side| side.round().max(1.0) as usize);
        if w < width && h < height {
            let top = random.below((height - h) as u32 + 1) as usize;
            let left = random.below((width - w) as u32 + 1) as usize;
            paint(picture, frame, [top, top + h], [left, left + w], || random.next_u32() as u8);
            return;
        }
    }
}

/// Cutout with squares of `side`.
pub(super) fn cutout(picture: &mut [u8], frame: Frame, side: usize, random: &mut Stream) {
    let mut span = |n: usize| {
        let begin = random.below(n as u32) as isize - side as isize / 2;
        let end = (begin + side as isize).clamp(0, n as isize) as usize;
        [begin.max(0) as usize, end]
    };
    let rows = span(frame.height);
    let columns = span(frame.width);
    paint(picture, frame, rows, columns, || 0);
}

fn paint(
    picture: &mut [u8],
    frame: Frame,
    rows: [usize; 2],
    columns: [usize; 2],
    mut paint: impl FnMut() -> u8,
) {
    for row in picture.chunks_exact_mut(frame.width * frame.channels).take(rows[1]).skip(rows[0]) {
        row[columns[0] * frame.channels..columns[1] * frame.channels].fill_with(&mut paint);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Purpose;

    const FRAME: Frame = Frame { height: 12, width: 16, channels: 3 };

    fn changed(picture: &[u8]) -> usize {
        picture.chunks_exact(3).filter(|pixel| *pixel != [9, 9, 9]).count()
    }

    #[test]
    fn erasing_covers_up_to_a_third_as_often_as_asked() {
        let mut stream = Stream::new(3, Purpose::Augment, 0);
        let mut hits = 0;
        for _ in 0..1000 {
            let mut picture = vec![9; FRAME.len()];
            random(&mut picture, FRAME, 0.5, &mut stream);
            let pixels = changed(&picture);
            assert!(pixels <= 12 * 16 * 4 / 10, "{pixels}");
            hits += usize::from(pixels > 0);
        }
        assert!((430..570).contains(&hits), "{hits}");
    }

    #[test]
    fn cutout_is_a_black_square_that_may_stick_out() {
        let mut stream = Stream::new(3, Purpose::Augment, 0);
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..500 {
            let mut picture = vec![9; FRAME.len()];
            cutout(&mut picture, FRAME, 4, &mut stream);
            assert!(picture.iter().all(|&v| v == 9 || v == 0));
            seen.insert(changed(&picture));
        }
        assert!(seen.contains(&16) && seen.contains(&4), "{seen:?}");
        assert_eq!(seen.last(), Some(&16));
    }
}

//! One number a pixel.
//!
//! A map of another size is brought to an image's by bilinear interpolation with the centres of pixels in the middle of
//! their cells: pixel i of n lies at `(i + 1/2) / n` of the side, so that pixel j of N looks at `(j + 1/2) n / N - 1/2` among
//! the n, held inside `[0, n - 1]`.

/// One number for each pixel of an image.
#[derive(Clone, PartialEq, Debug)]
pub struct Heatmap {
    height: usize,
    width: usize,
    values: Vec<f32>,
    signed: bool,
    /// Whether the numbers lie between those of a map of another size.
    interpolated: bool,
}

impl Heatmap {
    /// A map from its rows. `signed` says whether numbers below zero mean something of their own. Missing numbers are 0.
    pub(super) fn new(height: usize, width: usize, mut values: Vec<f32>, signed: bool) -> Heatmap {
        values.resize(height * width, 0.0);
        Heatmap { height, width, values, signed, interpolated: false }
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Pixels in a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The numbers, row by row.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// Whether numbers below zero mean something of their own: against the class.
    pub fn is_signed(&self) -> bool {
        self.signed
    }

    /// Whether the numbers lie between those of a map of another size, so that pixels have no edges of their own.
    pub fn is_interpolated(&self) -> bool {
        self.interpolated
    }

    /// The sum of all numbers.
    pub fn sum(&self) -> f64 {
        self.values.iter().map(|&x| f64::from(x)).sum()
    }

    /// The map at another size, interpolated bilinearly.
    pub fn resized(&self, height: usize, width: usize) -> Heatmap {
        let interpolated = self.interpolated || (height, width) != (self.height, self.width);
        let (rows, columns) = (places(self.height, height), places(self.width, width));
        let mut values = Vec::with_capacity(height * width);
        for &(top, bottom, down) in &rows {
            for &(left, right, across) in &columns {
                let at = |row: usize, column: usize| f64::from(self.values[row * self.width + column]);
                let upper = at(top, left) * (1.0 - across) + at(top, right) * across;
                let lower = at(bottom, left) * (1.0 - across) + at(bottom, right) * across;
                values.push((upper * (1.0 - down) + lower * down) as f32);
            }
        }
        Heatmap { height, width, values, signed: self.signed, interpolated }
    }

    /// The map divided by the size of its 99th percentile and held inside [-1, 1]: a single pixel that stands out does
    /// not make all others look like nothing. A map of zeros stays one.
    pub fn normalised(&self) -> Heatmap {
        let mut sizes: Vec<f32> = self.values.iter().map(|x| x.abs()).collect();
        sizes.sort_by(f32::total_cmp);
        let largest = sizes.last().copied().unwrap_or(0.0);
        let at = (sizes.len() * 99).div_ceil(100).saturating_sub(1);
        // Where nearly all is zero, the percentile says nothing.
        let scale = match sizes.get(at) {
            Some(&size) if size > 0.0 => size,
            _ => largest,
        };
        let scale = if scale > 0.0 { scale } else { 1.0 };
        let values = self.values.iter().map(|x| (x / scale).clamp(-1.0, 1.0)).collect();
        Heatmap { values, ..*self }
    }
}

/// For each of `to` pixels along a side: the two of `from` that it lies between, and the share of the second.
fn places(from: usize, to: usize) -> Vec<(usize, usize, f64)> {
    let last = from.saturating_sub(1);
    (0..to)
        .map(|at| {
            let place = ((at as f64 + 0.5) * from as f64 / to as f64 - 0.5).clamp(0.0, last as f64);
            let low = place as usize;
            (low, (low + 1).min(last), place - low as f64)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(height: usize, width: usize, values: &[f32]) -> Heatmap {
        Heatmap::new(height, width, values.to_vec(), false)
    }

    #[test]
    fn twice_the_size_mixes_neighbours_by_quarters() {
        assert_eq!(map(1, 2, &[0.0, 4.0]).resized(1, 4).values(), [0.0, 1.0, 3.0, 4.0]);
        let corners = map(2, 2, &[0.0, 4.0, 8.0, 12.0]).resized(4, 4);
        assert_eq!(
            corners.values(),
            [0.0, 1.0, 3.0, 4.0, 2.0, 3.0, 5.0, 6.0, 6.0, 7.0, 9.0, 10.0, 8.0, 9.0, 11.0, 12.0]
        );
    }

    #[test]
    fn a_plane_stays_a_plane_away_from_the_edges_and_one_pixel_becomes_a_constant() {
        let plane = Heatmap::new(4, 5, (0..20).map(|i| (i / 5 * 3 + i % 5) as f32).collect(), false);
        let large = plane.resized(12, 15);
        for (row, column) in (3..9).flat_map(|row| (3..12).map(move |column| (row, column))) {
            let expected = 3.0 * ((row as f32 + 0.5) / 3.0 - 0.5) + (column as f32 + 0.5) / 3.0 - 0.5;
            assert!((large.values()[row * 15 + column] - expected).abs() < 1e-5);
        }
        assert_eq!(plane.resized(4, 5), plane);
        assert_eq!(map(1, 1, &[7.0]).resized(2, 3).values(), [7.0; 6]);
    }

    #[test]
    fn normalising_clips_what_stands_out_and_leaves_zeros() {
        let mut values: Vec<f32> = (0..1000).map(|i| i as f32 / 1000.0).collect();
        values[0] = -50.0;
        let normal = Heatmap::new(10, 100, values, true).normalised();
        assert_eq!(normal.values()[0], -1.0);
        assert!((normal.values()[495] - 0.5).abs() < 0.01);
        assert_eq!(map(1, 2, &[0.0, 0.0]).normalised().values(), [0.0, 0.0]);
        let single: Vec<f32> = (0..1000).map(|i| if i == 3 { 2.0 } else { 0.0 }).collect();
        assert_eq!(Heatmap::new(10, 100, single, false).normalised().values()[3], 1.0);
    }
}

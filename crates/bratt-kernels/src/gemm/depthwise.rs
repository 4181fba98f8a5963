//! Products channel by channel: depthwise convolutions, and the gradients of their weights.
//!
//! With `x[o, t, c]` what output `o` sees at tap `t` of channel `c`, and `n` channels:
//!
//! - `y[o, c] = sum_t x[o, t, c] w[t, c]`: a row of C for each output, `k` taps;
//! - `dw[t, c] = sum_o x[o, t, c] dy[o, c]`: a row of C for each tap, `k` outputs.
//!
//! Lanes are channels. A weight is loaded once for several outputs side by side; for the weights' gradient, some taps of a
//! row of the window stay in registers along a row of outputs. Taps that see no pixel are left out, and the others
//! are added in order, whichever way an output is computed.
//!
//! The floor is memory: 2 operations for each tap of a number that is read and written once.

use super::windows::Windows;
use super::{Tile, TileKernel};
use crate::simd::Simd;
use std::ops::Range;

/// Outputs side by side that share a weight.
const OUTPUTS: usize = 8;
/// Taps of a row of the window whose sums are in registers together.
const TAPS: usize = 3;

/// Which taps see which pixels.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Depthwise {
    pub windows: Windows,
    /// For each row of outputs: rows of the window that see a row of the image, and which.
    down: Vec<Vec<(usize, usize)>>,
    /// One for each place between spread pixels.
    across: Vec<Phase>,
}

/// The outputs of a row that lie at the same place between pixels.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Phase {
    /// The first output and how many; they lie as far apart as pixels are spread.
    first: usize,
    outputs: usize,
    /// The taps that meet pixels, and which pixel each meets at the first output, if the image went on.
    taps: Vec<(usize, isize)>,
    /// Pixels from one output to the next.
    step: usize,
    /// The outputs whose taps all lie within the image.
    inside: Range<usize>,
}

impl Depthwise {
    pub(super) fn new(windows: Windows) -> Depthwise {
        let Windows { kernel, stride, dilation, spread, extent, before, outputs, .. } = windows;
        let lines = |y: usize| {
            let line = |i: usize| Some((i, windows.pixel(0, y * stride[0] + i * dilation[0])?));
            (0..kernel[0]).filter_map(line).collect()
        };
        let phase = |first: usize| {
            let apart = spread[1] as isize;
            let meets = |t: usize| {
                let from = (first + t * dilation[1]) as isize - before[1] as isize;
                (from.rem_euclid(apart) == 0).then(|| (t, from.div_euclid(apart)))
            };
            let taps: Vec<(usize, isize)> = (0..kernel[1]).filter_map(meets).collect();
            let step = if apart == 1 { stride[1] } else { 1 };
            let count = (outputs[1] - first).div_ceil(spread[1]);
            let within = |q: usize| {
                let seen = |&(_, pixel): &(usize, isize)| pixel + (q * step) as isize;
                taps.iter().all(|tap| (0..extent[1] as isize).contains(&seen(tap)))
            };
            let start = (0..count).find(|&q| within(q)).unwrap_or(count);
            let end = (start..count).find(|&q| !within(q)).unwrap_or(count);
            Phase { first, outputs: count, taps, step, inside: start..end }
        };
        Depthwise {
            down: (0..outputs[0]).map(lines).collect(),
            across: (0..spread[1].min(outputs[1])).map(phase).collect(),
            windows,
        }
    }
}

/// Where a row of outputs reads and writes, at the first of the lanes.
#[derive(Clone, Copy)]
struct Row {
    /// The image.
    x: *const f32,
    /// The weights, or the gradient of the outputs.
    b: *const f32,
    c: *mut f32,
    c_stride: usize,
    /// Channels that there are of those lanes.
    lanes: usize,
}

impl Row {
    fn at(self, channel: usize, channels: usize) -> Row {
        let Row { x, b, c, .. } = self;
        Row {
            x: x.wrapping_add(channel),
            b: b.wrapping_add(channel),
            c: c.wrapping_add(channel),
            lanes: channels - channel,
            ..self
        }
    }
}

#[inline(always)]
unsafe fn load<S: Simd, const FULL: bool>(from: *const f32, lanes: usize) -> S::V {
    // SAFETY: the caller vouches for as many numbers as there are lanes.
    unsafe { if FULL { S::load(from) } else { S::load_first(from, lanes) } }
}

#[inline(always)]
unsafe fn store<S: Simd, const FULL: bool>(to: *mut f32, v: S::V, lanes: usize) {
    // SAFETY: as for `load`.
    unsafe { if FULL { S::store(to, v) } else { S::store_first(to, v, lanes) } }
}

impl TileKernel<'_> {
    /// The images' place of an output's row, and which row it is.
    fn image(&self, depthwise: &Depthwise, output: usize) -> (*const f32, usize) {
        let Windows { extent: [height, width], channels, outputs: [oh, ow], .. } = depthwise.windows;
        (self.a.wrapping_add(output / (oh * ow) * height * width * channels), output / ow % oh)
    }

    /// The outputs of a tile, which has whole rows of them.
    ///
    /// # Safety
    /// As for [`super::Gemm::compute`].
    #[inline(always)]
    pub(super) unsafe fn depthwise<S: Simd>(&self, depthwise: &Depthwise) {
        let Tile { row, rows, col, cols } = self.tile;
        let ow = depthwise.windows.outputs[1];
        for output in (row..row + rows).step_by(ow) {
            let (image, y) = self.image(depthwise, output);
            let lines = &depthwise.down[y];
            let all = Row {
                x: image.wrapping_add(col),
                b: self.b.wrapping_add(col),
                c: self.c.wrapping_add((output - row) * self.c_stride),
                c_stride: self.c_stride,
                lanes: cols,
            };
            for channel in (0..cols).step_by(S::LANES) {
                let row = all.at(channel, cols);
                for phase in &depthwise.across {
                    // SAFETY: the channels from here on are those of the tile, and the outputs a row of it.
                    unsafe {
                        if row.lanes >= S::LANES {
                            depthwise.along::<S, true>(phase, lines, row);
                        } else {
                            depthwise.along::<S, false>(phase, lines, row);
                        }
                    }
                }
            }
        }
    }

    /// The sums over the outputs of `self.steps`, which are whole rows, for all taps.
    ///
    /// # Safety
    /// As for [`super::Gemm::compute`].
    #[inline(always)]
    pub(super) unsafe fn depthwise_weights<S: Simd>(&self, depthwise: &Depthwise) {
        let Tile { rows, col, cols, .. } = self.tile;
        let Windows { channels, kernel: [_, kw], outputs: [_, ow], extent: [_, width], .. } =
            depthwise.windows;
        // SAFETY: the tile has all taps, and room for its columns; the taps of `down` and `across` see pixels.
        unsafe {
            for tap in 0..rows {
                std::slice::from_raw_parts_mut(self.c.add(tap * self.c_stride), cols).fill(0.0);
            }
            for output in self.steps.clone().step_by(ow) {
                let (image, y) = self.image(depthwise, output);
                for &(i, line) in &depthwise.down[y] {
                    let all = Row {
                        x: image.wrapping_add(line * width * channels + col),
                        b: self.b.wrapping_add(output * channels + col),
                        c: self.c.wrapping_add(i * kw * self.c_stride),
                        c_stride: self.c_stride,
                        lanes: cols,
                    };
                    let mut channel = 0;
                    while channel < cols {
                        let row = all.at(channel, cols);
                        let many = if S::REGISTERS >= 32 { 4 } else { 2 };
                        if row.lanes >= many * S::LANES {
                            if S::REGISTERS >= 32 {
                                depthwise.sums::<S, 4, true>(row);
                            } else {
                                depthwise.sums::<S, 2, true>(row);
                            }
                            channel += many * S::LANES;
                        } else if row.lanes >= S::LANES {
                            depthwise.sums::<S, 1, true>(row);
                            channel += S::LANES;
                        } else {
                            depthwise.sums::<S, 1, false>(row);
                            channel = cols;
                        }
                    }
                }
            }
        }
    }
}

impl Depthwise {
    /// One phase of a row of outputs, a vector of channels.
    ///
    /// # Safety
    /// The instruction set must be available, and the row's pointers valid for its lanes.
    #[inline(always)]
    unsafe fn along<S: Simd, const FULL: bool>(&self, phase: &Phase, lines: &[(usize, usize)], row: Row) {
        let mut q = 0;
        while q < phase.outputs {
            let left = if q < phase.inside.start { 0 } else { phase.inside.end.saturating_sub(q) };
            // SAFETY: outputs of the row; only the last kind looks for taps outside.
            unsafe {
                q += match left {
                    OUTPUTS.. => self.outputs::<S, OUTPUTS, true, FULL>(phase, lines, row, q),
                    4.. => self.outputs::<S, 4, true, FULL>(phase, lines, row, q),
                    1.. => self.outputs::<S, 1, true, FULL>(phase, lines, row, q),
                    0 => self.outputs::<S, 1, false, FULL>(phase, lines, row, q),
                };
            }
        }
    }

    /// `N` outputs from `q` on, and how many that is.
    ///
    /// # Safety
    /// As for `along`; if `INSIDE`, all taps of these outputs lie within the image.
    #[inline(always)]
    unsafe fn outputs<S: Simd, const N: usize, const INSIDE: bool, const FULL: bool>(
        &self,
        phase: &Phase,
        lines: &[(usize, usize)],
        row: Row,
        q: usize,
    ) -> usize {
        let Windows { channels, kernel: [_, kw], extent: [_, width], spread, .. } = self.windows;
        let Row { x, b, c, c_stride, lanes } = row;
        // SAFETY: the taps see pixels of the image, as the caller says or is looked at here.
        unsafe {
            let mut sums = [S::splat(0.0); N];
            for &(i, line) in lines {
                let x = x.wrapping_add(line * width * channels);
                let b = b.wrapping_add(i * kw * channels);
                for &(tap, pixel) in &phase.taps {
                    let pixel = pixel + (q * phase.step) as isize;
                    if !INSIDE && !(0..width as isize).contains(&pixel) {
                        continue;
                    }
                    let weight = load::<S, FULL>(b.wrapping_add(tap * channels), lanes);
                    let x = x.wrapping_offset(pixel * channels as isize);
                    for (p, sum) in sums.iter_mut().enumerate() {
                        let pixel = load::<S, FULL>(x.wrapping_add(p * phase.step * channels), lanes);
                        *sum = S::mul_add(pixel, weight, *sum);
                    }
                }
            }
            for (p, sum) in sums.into_iter().enumerate() {
                let output = phase.first + (q + p) * spread[1];
                store::<S, FULL>(c.wrapping_add(output * c_stride), sum, lanes);
            }
        }
        N
    }

    /// Adds what a row of outputs gives to the taps of one row of the window.
    ///
    /// # Safety
    /// As for `along`; `row.x` is the line that the taps see, `row.c` where the first of them lies.
    #[inline(always)]
    unsafe fn sums<S: Simd, const V: usize, const FULL: bool>(&self, row: Row) {
        let phase = &self.across[0];
        let inside = phase.inside.clone();
        let width = self.windows.extent[1] as isize;
        // SAFETY: inside all taps see pixels; elsewhere it is looked at here.
        unsafe {
            let mut taps = &phase.taps[..];
            while !taps.is_empty() && !inside.is_empty() {
                let (now, rest) = taps.split_at(TAPS.min(taps.len()));
                match now.len() {
                    3 => self.taps::<S, V, 3, FULL>(now, inside.clone(), row),
                    2 => self.taps::<S, V, 2, FULL>(now, inside.clone(), row),
                    _ => self.taps::<S, V, 1, FULL>(now, inside.clone(), row),
                }
                taps = rest;
            }
            for q in (0..inside.start).chain(inside.end..phase.outputs) {
                for tap in &phase.taps {
                    if (0..width).contains(&(tap.1 + (q * phase.step) as isize)) {
                        self.taps::<S, V, 1, FULL>(std::slice::from_ref(tap), q..q + 1, row);
                    }
                }
            }
        }
    }

    /// Adds what some outputs give to `T` taps of `V` vectors of channels.
    ///
    /// # Safety
    /// As for `sums`; there are `T` taps, and they see pixels at all these outputs.
    #[inline(always)]
    unsafe fn taps<S: Simd, const V: usize, const T: usize, const FULL: bool>(
        &self,
        taps: &[(usize, isize)],
        outputs: Range<usize>,
        row: Row,
    ) {
        let channels = self.windows.channels;
        let step = self.across[0].step;
        let Row { x, b, c, c_stride, lanes } = row;
        debug_assert_eq!(taps.len(), T);
        // SAFETY: the caller vouches for the pixels, and the row for its lanes.
        unsafe {
            let place = |t: usize, v: usize| c.wrapping_add(taps[t].0 * c_stride + v * S::LANES);
            let from: [*const f32; T] =
                std::array::from_fn(|t| x.wrapping_offset(taps[t].1 * channels as isize));
            let mut sums: [[S::V; V]; T] =
                std::array::from_fn(|t| std::array::from_fn(|v| load::<S, FULL>(place(t, v), lanes)));
            for q in outputs {
                let dy = b.wrapping_add(q * channels);
                let dy: [S::V; V] =
                    std::array::from_fn(|v| load::<S, FULL>(dy.wrapping_add(v * S::LANES), lanes));
                for (sums, from) in sums.iter_mut().zip(from) {
                    let pixel = from.wrapping_add(q * step * channels);
                    for v in 0..V {
                        let pixel = load::<S, FULL>(pixel.wrapping_add(v * S::LANES), lanes);
                        sums[v] = S::mul_add(pixel, dy[v], sums[v]);
                    }
                }
            }
            for (t, sums) in sums.into_iter().enumerate() {
                for (v, sum) in sums.into_iter().enumerate() {
                    store::<S, FULL>(place(t, v), sum, lanes);
                }
            }
        }
    }
}

//! The left factor seen through windows on images: row `o` of A is what output `o` of a convolution sees.
//!
//! Of images `[n, h, w, c]`, spread `s` apart on a plane of zeros and `before` away from its corner, output (y, x) sees
//! at tap (i, j) the point `(y stride + i dilation, x stride + j dilation)` of the plane. A is `[n oh ow, kh kw c]`, and
//! never exists in memory:
//!
//! - `X W` (a convolution) goes through *chunks*: some rows of outputs of one image, or several whole images. What a
//!   chunk sees is copied once into the scratch, zeros included; or read where it lies, if there are no zeros to add.
//!   Then each row of A is an offset, and each row of a window a *run* of neighbouring numbers.
//! - `X^T dy` (the gradient of the weights) has the pixels of a chunk as its steps, and nothing to add: at each tap, the
//!   runs are those outputs that see a pixel of the image.
//!
//! Indirect access by offsets follows Dukhan, *The indirect convolution algorithm*, 2019.

use super::Shape;
use super::micro::Run;
use std::ops::Range;

/// Outputs of a chunk: enough that packing B costs little, few enough that a chunk stays in the second-level cache.
pub(super) const CHUNK: usize = 256;
/// Most numbers of images that a chunk may see: half of a second-level cache of 512 KiB.
const CHUNK_LEN: usize = 1 << 16;

/// How windows lie on images; each pair is height, width.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Windows {
    /// Number of images.
    pub images: usize,
    /// Pixels of an image.
    pub extent: [usize; 2],
    /// Numbers of a pixel.
    pub channels: usize,
    /// Taps of a window.
    pub kernel: [usize; 2],
    /// Distance between windows.
    pub stride: [usize; 2],
    /// Distance between the taps of a window.
    pub dilation: [usize; 2],
    /// Distance between the pixels of an image, with zeros between.
    pub spread: [usize; 2],
    /// Zeros above and to the left.
    pub before: [usize; 2],
    /// Windows of an image; they may reach beyond it, into zeros.
    pub outputs: [usize; 2],
}

impl Windows {
    /// Numbers of all images, if that can be counted.
    pub fn len(&self) -> Option<usize> {
        product(&[self.images, self.extent[0], self.extent[1], self.channels])
    }

    /// Whether there are no images.
    pub fn is_empty(&self) -> bool {
        self.len() == Some(0)
    }

    /// Rows of A: one per window.
    pub fn rows(&self) -> Option<usize> {
        product(&[self.images, self.outputs[0], self.outputs[1]])
    }

    /// Columns of A: numbers of a window.
    pub fn depth(&self) -> Option<usize> {
        product(&[self.kernel[0], self.kernel[1], self.channels])
    }

    /// Whether all extents are at least 1 and all positions can be counted.
    pub fn is_sound(&self) -> bool {
        let pairs = [self.extent, self.kernel, self.stride, self.dilation, self.spread, self.outputs];
        let plane = |side: usize| {
            let last = (self.outputs[side] - 1).checked_mul(self.stride[side])?;
            let reach = (self.kernel[side] - 1).checked_mul(self.dilation[side])?;
            let image =
                (self.extent[side] - 1).checked_mul(self.spread[side])?.checked_add(self.before[side])?;
            image.checked_add(1)?;
            last.checked_add(reach)?.checked_add(1)
        };
        self.images > 0
            && self.channels > 0
            && pairs.iter().all(|pair| !pair.contains(&0))
            && self.len().is_some()
            && self.rows().is_some()
            && self.depth().is_some()
            && plane(0)
                .zip(plane(1))
                .and_then(|(rows, cols)| product(&[rows, cols, self.channels, self.images]))
                .is_some_and(|len| len < isize::MAX as usize / 8)
    }

    /// Whether a product of this shape has these windows for its A.
    pub(crate) fn suits(&self, shape: &Shape) -> bool {
        let (rows, depth) = (self.rows(), self.depth());
        let (outer, inner) = if shape.trans_a { (depth, rows) } else { (rows, depth) };
        let sides = (Some(shape.m), Some(shape.k)) == (outer, inner);
        sides && (!shape.trans_a || self.spread == [1, 1])
    }

    /// Number of pixels along a side from the first to the last tap of `outputs` windows.
    fn seen(&self, side: usize, outputs: usize) -> usize {
        (outputs - 1) * self.stride[side] + (self.kernel[side] - 1) * self.dilation[side] + 1
    }

    /// Whether no window sees a zero that is not in the image.
    fn is_bare(&self) -> bool {
        let inside = |side| self.seen(side, self.outputs[side]) <= self.extent[side];
        self.before == [0, 0] && self.spread == [1, 1] && inside(0) && inside(1)
    }

    /// The pixel of the image at a point of the plane, if there is one.
    #[inline(always)]
    fn pixel(&self, side: usize, point: usize) -> Option<usize> {
        let from_first = point.checked_sub(self.before[side])?;
        let (pixel, between) = if self.spread[side] == 1 {
            (from_first, 0)
        } else {
            (from_first / self.spread[side], from_first % self.spread[side])
        };
        (between == 0 && pixel < self.extent[side]).then_some(pixel)
    }

    /// The number in row `output`, column `column` of A; the definition, for naive code.
    pub(super) fn at(&self, images: &[f32], output: usize, column: usize) -> f32 {
        let [oh, ow] = self.outputs;
        let (image, y, x) = (output / (oh * ow), output / ow % oh, output % ow);
        let (i, j) = (column / self.channels / self.kernel[1], column / self.channels % self.kernel[1]);
        let row = self.pixel(0, y * self.stride[0] + i * self.dilation[0]);
        let col = self.pixel(1, x * self.stride[1] + j * self.dilation[1]);
        let (Some(row), Some(col)) = (row, col) else { return 0.0 };
        let pixel = (image * self.extent[0] + row) * self.extent[1] + col;
        images[pixel * self.channels + column % self.channels]
    }
}

fn product(factors: &[usize]) -> Option<usize> {
    factors.iter().try_fold(1usize, |all, &factor| all.checked_mul(factor))
}

/// Steps along `k` that are computed together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Stretch {
    /// The first step, and how many.
    pub first: usize,
    pub depth: usize,
    /// Which of the runs.
    pub runs: Range<usize>,
}

/// Windows cut into chunks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Chunks {
    pub windows: Windows,
    /// Outputs of a chunk; the last one may have fewer images.
    pub outputs: usize,
    /// Rows of outputs that it has of each of its images.
    rows: usize,
    /// Rows and length of a row of what it sees of an image, where that is copied.
    copied: Option<(usize, usize)>,
    /// Where each output's window begins, from the first one's.
    pub offsets: Vec<usize>,
    /// A window's numbers as runs, cut into stretches.
    pub runs: Vec<Run>,
    pub stretches: Vec<Stretch>,
}

impl Chunks {
    /// Chunks of at most `most` outputs if that is possible, of windows cut into stretches of about `kc` steps.
    pub(super) fn new(windows: Windows, most: usize, kc: usize) -> Chunks {
        let Windows { images, extent, channels, kernel, stride, dilation, outputs: [oh, ow], .. } = windows;
        let most = most.min(CHUNK);
        let seen = |rows| windows.seen(0, rows) * windows.seen(1, ow) * channels;
        let (rows, images) = if oh * ow * 2 <= most && images > 1 {
            let room = (CHUNK_LEN / seen(oh)).max(1);
            (oh, (most / (oh * ow)).min(room).clamp(1, images))
        } else {
            let fits =
                |rows: &usize| oh.is_multiple_of(*rows) && rows * ow <= most && seen(*rows) <= CHUNK_LEN;
            ((1..=oh).rev().find(fits).unwrap_or(1), 1)
        };
        let copied = (!windows.is_bare()).then(|| (windows.seen(0, rows), windows.seen(1, ow) * channels));
        let (image, line) = match copied {
            Some((lines, line)) => (lines * line, line),
            None => (extent[0] * extent[1] * channels, extent[1] * channels),
        };
        let place = |o: usize| {
            let (of, y, x) = (o / (rows * ow), o / ow % rows, o % ow);
            of * image + y * stride[0] * line + x * stride[1] * channels
        };
        let outputs = images * rows * ow;
        // Taps side by side are one run.
        let (taps, length) = if dilation[1] == 1 { (1, kernel[1] * channels) } else { (kernel[1], channels) };
        let starts = (0..kernel[0] * taps)
            .map(|tap| tap / taps * dilation[0] * line + tap % taps * dilation[1] * channels);
        let (runs, stretches) = stretches(starts, length, kc);
        Chunks { windows, outputs, rows, copied, offsets: (0..outputs).map(place).collect(), runs, stretches }
    }

    /// Numbers of scratch that a chunk needs.
    pub(super) fn scratch_len(&self) -> usize {
        let images = self.outputs / (self.rows * self.windows.outputs[1]);
        self.copied.map_or(0, |(lines, line)| images * lines * line)
    }

    /// The place of the first window of the chunk that starts at output `first` and has `outputs` of them: in the images,
    /// or in `scratch`, to which what the chunk sees has been copied.
    ///
    /// # Safety
    /// `images` must be valid for all images, `scratch` for [`Chunks::scratch_len`] numbers.
    pub(super) unsafe fn bring(
        &self,
        first: usize,
        outputs: usize,
        images: *const f32,
        scratch: *mut f32,
    ) -> *const f32 {
        let Windows { extent: [height, width], channels, stride, outputs: [oh, ow], .. } = self.windows;
        let (image, top) = (first / (oh * ow), first / ow % oh * stride[0]);
        let len = height * width * channels;
        let Some((lines, line)) = self.copied else {
            return images.wrapping_add(image * len + top * width * channels);
        };
        let count = outputs.div_ceil(self.rows * ow);
        for of in 0..count {
            for y in 0..lines {
                // SAFETY: line `y` of image `of` in the scratch; rows found by `pixel` lie within the image.
                unsafe {
                    let to = scratch.add((of * lines + y) * line);
                    match self.windows.pixel(0, top + y) {
                        Some(row) => {
                            let from = images.add((image + of) * len + row * width * channels);
                            self.line(from, to, line);
                        }
                        None => to.write_bytes(0, line),
                    }
                }
            }
        }
        scratch
    }

    /// A row of an image with zeros around and between its pixels.
    ///
    /// # Safety
    /// `from` is a row of the images, `to` has room for `line` numbers.
    unsafe fn line(&self, from: *const f32, to: *mut f32, line: usize) {
        let Windows { extent: [_, width], channels, spread, before, .. } = self.windows;
        let left = (before[1] * channels).min(line);
        let step = spread[1] * channels;
        // SAFETY: all lengths are cut off at the end of the line.
        unsafe {
            to.write_bytes(0, left);
            if spread[1] == 1 {
                let pixels = (width * channels).min(line - left);
                std::ptr::copy_nonoverlapping(from, to.add(left), pixels);
                to.add(left + pixels).write_bytes(0, line - left - pixels);
                return;
            }
            to.add(left).write_bytes(0, line - left);
            for x in (0..width).take_while(|x| left + x * step < line) {
                std::ptr::copy_nonoverlapping(from.add(x * channels), to.add(left + x * step), channels);
            }
        }
    }

    /// The outputs of a chunk that see the image at a tap, as runs from the first number of the image of the chunk's
    /// first output; returns how many there are. There is room for one run per row of outputs.
    pub(super) fn seeing(&self, first: usize, outputs: usize, tap: [usize; 2], runs: &mut [Run]) -> usize {
        let Windows { extent, channels, stride, dilation, before, outputs: [oh, ow], .. } = self.windows;
        let image_len = extent[0] * extent[1] * channels;
        let shift = tap[1] * dilation[1];
        // Outputs `from..to` of a row see a pixel: `x stride + shift - before` lies in 0..width.
        let from = before[1].saturating_sub(shift).div_ceil(stride[1]).min(ow);
        let beyond = (extent[1] + before[1]).saturating_sub(shift);
        let to = beyond.div_ceil(stride[1]).min(ow);
        if from >= to {
            return 0;
        }
        let col = from * stride[1] + shift - before[1];
        let top = first / ow % oh;
        let mut count = 0;
        for row in 0..outputs / ow {
            let (of, y) = (row / self.rows, top + row % self.rows);
            let point = y * stride[0] + tap[0] * dilation[0];
            if let Some(pixel) = self.windows.pixel(0, point) {
                runs[count] = Run {
                    a: of * image_len + (pixel * extent[1] + col) * channels,
                    b: row * ow + from,
                    depth: to - from,
                };
                count += 1;
            }
        }
        count
    }

    /// Most runs that [`Chunks::seeing`] finds.
    pub(super) fn most_runs(&self) -> usize {
        self.outputs / self.windows.outputs[1]
    }
}

/// Runs of `length` numbers, cut so that stretches of whole or cut runs have about `kc` steps.
fn stretches(starts: impl Iterator<Item = usize>, length: usize, kc: usize) -> (Vec<Run>, Vec<Stretch>) {
    // Several runs to a stretch, or several stretches of equal length to a run.
    let piece = if length <= kc { length } else { length.div_ceil(length.div_ceil(kc)) };
    let mut runs: Vec<Run> = vec![];
    let mut stretches: Vec<Stretch> = vec![];
    let mut at = 0;
    for start in starts {
        let mut within = 0;
        while within < length {
            let depth = piece.min(length - within);
            let fits = stretches.last().is_some_and(|s| s.depth + depth <= kc.max(piece));
            if !fits {
                stretches.push(Stretch { first: at, depth: 0, runs: runs.len()..runs.len() });
            }
            if let Some(stretch) = stretches.last_mut() {
                runs.push(Run { a: start + within, b: stretch.depth, depth });
                stretch.depth += depth;
                stretch.runs.end += 1;
            }
            within += depth;
            at += depth;
        }
    }
    (runs, stretches)
}

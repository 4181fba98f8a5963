//! The left factor seen through windows on images: row `o` of A is what output `o` of a convolution sees.
//!
//! Of images `[n, h, w, c]`, spread `s` apart on a plane of zeros and `before` away from its corner, output (y, x) sees
//! at tap (i, j) the point `(y stride + i dilation, x stride + j dilation)` of the plane. A is `[n oh ow, kh kw c]`, and
//! never exists in memory:
//!
//! - `X W` (a convolution) goes through *chunks*: some rows of outputs of one image, or several whole images. What a
//!   chunk sees is copied once into the scratch, zeros included; or read where it lies, if there are no zeros to add.
//!   Then each row of A is an offset, and each row of a window a *run* of neighbouring numbers. Zeros between pixels
//!   are neither copied nor multiplied: the outputs of each *phase*, their place between pixels, have runs of their own.
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

    /// Whether all extents are at least 1, all positions can be counted, and windows move by one pixel along a side with
    /// spread pixels.
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
        let moving = (0..2).all(|side| self.spread[side] == 1 || self.stride[side] == 1);
        self.images > 0
            && self.channels > 0
            && moving
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

    /// Whether a product channel by channel of this shape has these windows for its A.
    pub(crate) fn suits_channels(&self, shape: &Shape) -> bool {
        let (rows, taps) = (self.rows(), product(&self.kernel));
        let (outer, inner) = if shape.trans_a { (taps, rows) } else { (rows, taps) };
        let sides = (Some(shape.m), shape.n, Some(shape.k)) == (outer, self.channels, inner);
        sides && !shape.trans_b && (!shape.trans_a || self.spread == [1, 1])
    }

    /// Zeros before the first pixel of a side, those between pixels left out.
    fn zeros(&self, side: usize) -> usize {
        self.before[side].div_ceil(self.spread[side])
    }

    /// Where the pixel that output `o` sees at tap `t` lies along a side, counted from the first of the zeros before, and
    /// those between pixels left out; `None` if it is one of them.
    fn place(&self, side: usize, o: usize, t: usize) -> Option<usize> {
        let point = o * self.stride[side] + t * self.dilation[side];
        // Rounded up to where a pixel could be, so that the difference is not negative.
        let from_zeros = point + self.zeros(side) * self.spread[side] - self.before[side];
        from_zeros.is_multiple_of(self.spread[side]).then_some(from_zeros / self.spread[side])
    }

    /// Pixels and zeros along a side, those between pixels left out, that `outputs` windows reach.
    fn pixels(&self, side: usize, outputs: usize) -> usize {
        let last = (outputs - 1) * self.stride[side] + (self.kernel[side] - 1) * self.dilation[side];
        (last + self.zeros(side) * self.spread[side] - self.before[side]) / self.spread[side] + 1
    }

    /// The outputs at one place between pixels of a chunk of so many images and rows of outputs; images and lines of
    /// pixels lie so far apart.
    fn phase(&self, between: [usize; 2], [images, rows]: [usize; 2], [image, line]: [usize; 2]) -> Phase {
        let Windows { channels, stride, spread, outputs: [_, ow], .. } = *self;
        let (mut places, mut offsets) = (vec![], vec![]);
        for of in 0..images {
            for y in (between[0]..rows).step_by(spread[0]) {
                for x in (between[1]..ow).step_by(spread[1]) {
                    places.push((of * rows + y) * ow + x);
                    let (down, across) = (y / spread[0] * stride[0], x / spread[1] * stride[1]);
                    offsets.push(of * image + down * line + across * channels);
                }
            }
        }
        Phase { places, offsets, runs: vec![] }
    }

    /// Cuts windows into stretches of about `kc` steps, and gives each phase its runs.
    fn stretches(&self, phases: &mut [Phase], line: usize, kc: usize) -> Vec<Stretch> {
        let Windows { channels, kernel: [kh, kw], dilation, spread, .. } = *self;
        // Taps side by side are one run.
        let (taps, length) =
            if dilation[1] == 1 && spread[1] == 1 { (1, kw * channels) } else { (kw, channels) };
        // Several runs to a stretch, or several stretches of equal length to a run.
        let piece = if length <= kc { length } else { length.div_ceil(length.div_ceil(kc)) };
        let mut stretches: Vec<Stretch> = vec![];
        let mut first = 0;
        for (i, j) in (0..kh).flat_map(|i| (0..taps).map(move |j| (i, j))) {
            for within in (0..length).step_by(piece) {
                let depth = piece.min(length - within);
                if stretches.last().is_none_or(|s| s.depth + depth > kc.max(piece)) {
                    let runs = phases.iter().map(|phase| phase.runs.len()..phase.runs.len()).collect();
                    stretches.push(Stretch { first, depth: 0, runs });
                }
                let Some(stretch) = stretches.last_mut() else { continue };
                for (index, phase) in phases.iter_mut().enumerate() {
                    let (y, x) = (index / spread[1], index % spread[1]);
                    if let (Some(row), Some(col)) = (self.place(0, y, i), self.place(1, x, j)) {
                        let a = row * line + col * channels + within;
                        phase.runs.push(Run { a, b: stretch.depth, depth });
                        stretch.runs[index].end += 1;
                    }
                }
                stretch.depth += depth;
                first += depth;
            }
        }
        stretches
    }

    /// Whether no window sees a zero that is not in the image.
    fn is_bare(&self) -> bool {
        let inside = |side| self.pixels(side, self.outputs[side]) <= self.extent[side];
        self.before == [0, 0] && self.spread == [1, 1] && inside(0) && inside(1)
    }

    /// The pixel of the image at a point of the plane, if there is one.
    #[inline(always)]
    pub(super) fn pixel(&self, side: usize, point: usize) -> Option<usize> {
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

/// Outputs of a chunk that see pixels at the same taps.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Phase {
    /// Which outputs they are.
    pub places: Vec<usize>,
    /// Where their windows begin.
    pub offsets: Vec<usize>,
    /// The numbers of their windows that are not between pixels.
    pub runs: Vec<Run>,
}

/// Steps along `k` that are computed together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Stretch {
    /// The first step, and how many.
    pub first: usize,
    pub depth: usize,
    /// Which of the runs of each phase.
    pub runs: Vec<Range<usize>>,
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
    /// One for each place between spread pixels.
    pub phases: Vec<Phase>,
    pub stretches: Vec<Stretch>,
}

impl Chunks {
    /// Chunks of at most `most` outputs if that is possible, of windows cut into stretches of about `kc` steps.
    pub(super) fn new(windows: Windows, most: usize, kc: usize) -> Chunks {
        let Windows { images, extent, channels, spread, outputs: [oh, ow], .. } = windows;
        let most = most.min(CHUNK);
        let len = |rows| windows.pixels(0, rows) * windows.pixels(1, ow) * channels;
        let (rows, images) = if oh * ow * 2 <= most && images > 1 {
            let room = (CHUNK_LEN / len(oh)).max(1);
            (oh, (most / (oh * ow)).min(room).clamp(1, images))
        } else {
            // Chunks begin at the same place between pixels.
            let fits = |rows: &usize| {
                let aligned = oh.is_multiple_of(*rows) && rows.is_multiple_of(spread[0]);
                aligned && rows * ow <= most && len(*rows) <= CHUNK_LEN
            };
            let least = if oh.is_multiple_of(spread[0]) { spread[0] } else { oh };
            ((1..=oh).rev().find(fits).unwrap_or(least), 1)
        };
        let copied =
            (!windows.is_bare()).then(|| (windows.pixels(0, rows), windows.pixels(1, ow) * channels));
        let (image, line) = match copied {
            Some((lines, line)) => (lines * line, line),
            None => (extent[0] * extent[1] * channels, extent[1] * channels),
        };
        let between = (0..spread[0]).flat_map(|y| (0..spread[1]).map(move |x| [y, x]));
        let mut phases: Vec<Phase> =
            between.map(|between| windows.phase(between, [images, rows], [image, line])).collect();
        let stretches = windows.stretches(&mut phases, line, kc);
        Chunks { windows, outputs: images * rows * ow, rows, copied, phases, stretches }
    }

    /// Chunks of so many images and rows of outputs that are always copied, `reach` pixels of each image, in place of
    /// their windows.
    pub(super) fn covering(windows: Windows, images: usize, rows: usize, reach: [usize; 2]) -> Chunks {
        let copied = Some((reach[0], reach[1] * windows.channels));
        let outputs = images * rows * windows.outputs[1];
        Chunks { windows, outputs, rows, copied, phases: vec![], stretches: vec![] }
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
        let Windows { extent: [height, width], channels, stride, spread, outputs: [oh, ow], .. } =
            self.windows;
        let (image, top) = (first / (oh * ow), first / ow % oh / spread[0] * stride[0]);
        let len = height * width * channels;
        let Some((lines, line)) = self.copied else {
            return images.wrapping_add(image * len + top * width * channels);
        };
        let left = (self.windows.zeros(1) * channels).min(line);
        let pixels = (width * channels).min(line - left);
        for of in 0..outputs.div_ceil(self.rows * ow) {
            for y in 0..lines {
                // SAFETY: line `y` of image `of` in the scratch, and a row of the image.
                unsafe {
                    let to = scratch.add((of * lines + y) * line);
                    match (top + y).checked_sub(self.windows.zeros(0)) {
                        Some(row) if row < height => {
                            let from = images.add((image + of) * len + row * width * channels);
                            to.write_bytes(0, left);
                            std::ptr::copy_nonoverlapping(from, to.add(left), pixels);
                            to.add(left + pixels).write_bytes(0, line - left - pixels);
                        }
                        _ => to.write_bytes(0, line),
                    }
                }
            }
        }
        scratch
    }

    /// What [`Chunks::bring`] would copy of a chunk, as a place in the images and a length: to be fetched ahead, so that
    /// it need not be exact.
    pub(super) fn sight(&self, first: usize, outputs: usize, images: *const f32) -> (*const f32, usize) {
        let Windows { extent: [height, width], channels, stride, spread, outputs: [oh, ow], .. } =
            self.windows;
        let (image, top) = (first / (oh * ow), first / ow % oh / spread[0] * stride[0]);
        let line = width * channels;
        let of = outputs.div_ceil(self.rows * ow);
        let lines = self.copied.map_or(height, |(lines, _)| lines).min(height);
        let len = if of > 1 { of * height * line } else { lines * line };
        (images.wrapping_add((image * height + top) * line), len)
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

//! Windows: the part of an image that one output of a convolution or of pooling sees.
//!
//! Along each side of an image of extent h, with kernel k, stride s, dilation d and padding p before and q after:
//! output o sees the pixels `o s + t d - p` for the taps t in 0..k; pixels outside of 0..h are padding. There are
//! `(h + p + q - d (k - 1) - 1) / s + 1` outputs, rounded down: what is left over at the end is not seen.
//!
//! - `windows`: x `[n, h, w, c]` to `[n, oh, ow, kh, kw, c]`, the pixels of each window (im2col); outside is 0;
//!   dx is the sum of what the windows over a pixel give back (col2im). Pixels may be spread, with zeros between.
//!
//! Padding "valid" is none. Padding "same" gives `ceil(h / s)` outputs: `max(0, (ceil(h / s) - 1) s + d (k - 1) + 1 - h)`
//! in all, half of it before, rounded down.
//!
//! Source: Dumoulin and Visin, A guide to convolution arithmetic for deep learning, 2016.

use crate::graph::{Cotangent, GraphBuilder, Op, Value};
use crate::tensor::Shape;
use Cotangent::Flow;

/// Pixels added around an image.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Padding {
    /// Rows above.
    pub top: usize,
    /// Rows below.
    pub bottom: usize,
    /// Columns to the left.
    pub left: usize,
    /// Columns to the right.
    pub right: usize,
}

impl Padding {
    /// The same on all four sides.
    pub fn all(pixels: usize) -> Padding {
        Padding { top: pixels, bottom: pixels, left: pixels, right: pixels }
    }

    /// Before and after along height (0) or width (1).
    fn along(&self, side: usize) -> (usize, usize) {
        if side == 0 { (self.top, self.bottom) } else { (self.left, self.right) }
    }
}

/// How a window lies and moves; each pair is height, width.
///
/// ```
/// use bratt::graph::Window;
/// let halves = Window::new([3, 3]).stride([2, 2]).same(7, 8);
/// assert_eq!(halves.outputs(7, 8), Ok([4, 4]));
/// assert_eq!((halves.padding.top, halves.padding.left, halves.padding.right), (1, 0, 1));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Window {
    /// The number of taps.
    pub kernel: [usize; 2],
    /// The distance between windows.
    pub stride: [usize; 2],
    /// The distance between the taps of a window.
    pub dilation: [usize; 2],
    /// Pixels around the image.
    pub padding: Padding,
}

impl Window {
    /// A dense window that moves by one pixel, without padding.
    pub fn new(kernel: [usize; 2]) -> Window {
        Window { kernel, stride: [1, 1], dilation: [1, 1], padding: Padding::default() }
    }

    /// With another stride.
    pub fn stride(mut self, stride: [usize; 2]) -> Window {
        self.stride = stride;
        self
    }

    /// With another dilation.
    pub fn dilation(mut self, dilation: [usize; 2]) -> Window {
        self.dilation = dilation;
        self
    }

    /// With another padding.
    pub fn padding(mut self, padding: Padding) -> Window {
        self.padding = padding;
        self
    }

    /// With the padding "same" for images of this size: as many outputs as there are strides in it, rounded up. Of an
    /// odd number of pixels, the larger half comes after.
    pub fn same(mut self, height: usize, width: usize) -> Window {
        let halves = |side: usize, extent: usize| {
            let stride = self.stride[side].max(1);
            let reach = (extent.div_ceil(stride).saturating_sub(1)).saturating_mul(stride);
            let total = reach.saturating_add(self.extent()[side]).saturating_sub(extent);
            (total / 2, total - total / 2)
        };
        let ((top, bottom), (left, right)) = (halves(0, height), halves(1, width));
        self.padding = Padding { top, bottom, left, right };
        self
    }

    /// The pixels from the first tap to the last, both included.
    pub fn extent(&self) -> [usize; 2] {
        let of =
            |i: usize| self.dilation[i].saturating_mul(self.kernel[i].saturating_sub(1)).saturating_add(1);
        [of(0), of(1)]
    }

    /// The number of windows down and across an image.
    ///
    /// # Errors
    /// A kernel, stride or dilation of 0, or an image that is smaller than one window.
    pub fn outputs(&self, height: usize, width: usize) -> Result<[usize; 2], String> {
        for (name, found) in [("kernel", self.kernel), ("stride", self.stride), ("dilation", self.dilation)] {
            if found.contains(&0) {
                return Err(format!("found {name} {found:?}, expected at least 1"));
            }
        }
        let mut outputs = [0; 2];
        for (side, extent) in [height, width].into_iter().enumerate() {
            let (before, after) = self.padding.along(side);
            let padded = extent.saturating_add(before).saturating_add(after);
            let Some(room) = padded.checked_sub(self.extent()[side]) else {
                return Err(format!(
                    "found images of {height}x{width} pixels, with padding {} along the {}, expected at least the \
                     window's {}",
                    padded,
                    ["height", "width"][side],
                    self.extent()[side]
                ));
            };
            outputs[side] = room / self.stride[side] + 1;
        }
        Ok(outputs)
    }

    /// The taps, row by row.
    pub(crate) fn taps(&self) -> impl Iterator<Item = [usize; 2]> + use<> {
        let [down, across] = self.kernel;
        (0..down).flat_map(move |i| (0..across).map(move |j| [i, j]))
    }

    /// The pixel that tap `t` of output `o` sees along a side, if it is inside.
    pub(crate) fn pixel(&self, side: usize, o: usize, t: usize, extent: usize) -> Option<usize> {
        let from_edge = o * self.stride[side] + t * self.dilation[side];
        from_edge.checked_sub(self.padding.along(side).0).filter(|&pixel| pixel < extent)
    }

    /// The attributes as they are printed.
    pub(crate) fn text(&self) -> String {
        let mut text = format!("kernel={:?}", self.kernel);
        let pairs = [("stride", self.stride), ("dilation", self.dilation)];
        for (name, pair) in pairs.into_iter().filter(|(_, pair)| *pair != [1, 1]) {
            text += &format!(" {name}={pair:?}");
        }
        let Padding { top, bottom, left, right } = self.padding;
        if self.padding != Padding::default() {
            text += &format!(" padding={:?}", [top, bottom, left, right]);
        }
        text
    }
}

/// A batch of images `[n, height, width, channels]`.
pub(crate) fn images(x: &Shape) -> Result<[usize; 4], String> {
    x[..].try_into().map_err(|_| format!("found shape {x}, expected images [n, height, width, channels]"))
}

/// The shape of one output per window, with as many channels as are asked for.
pub(crate) fn outputs_shape(x: &Shape, window: &Window, channels: usize) -> Result<Shape, String> {
    let [n, h, w, _] = images(x)?;
    let [oh, ow] = window.outputs(h, w)?;
    Ok([n, oh, ow, channels].into())
}

impl GraphBuilder {
    /// The pixels of each window: `x` `[n, h, w, c]` to `[n, oh, ow, kh, kw, c]`; padding reads as 0.
    #[track_caller]
    pub fn windows(&self, x: Value, window: &Window) -> Value {
        if let Err(problem) = images(&self.shape(x)) {
            return if x == Value::POISON { x } else { self.fail("windows", problem) };
        }
        self.add_node(Op::Windows { window: *window, spread: [1, 1] }, &[x])
    }

    /// Images with the window's padding around them.
    #[track_caller]
    pub(crate) fn padded(&self, x: Value, window: &Window, value: f64) -> Value {
        let Padding { top, bottom, left, right } = window.padding;
        if window.padding == Padding::default() {
            return x;
        }
        self.pad(x, &[0, top, left, 0], &[0, bottom, right, 0], value)
    }

    /// What one tap sees of padded images: `[n, oh, ow, c]`.
    pub(crate) fn tap(&self, padded: Value, window: &Window, tap: [usize; 2], outputs: [usize; 2]) -> Value {
        let shape = self.shape(padded);
        let [sy, sx] = window.stride;
        let at = [tap[0] * window.dilation[0], tap[1] * window.dilation[1]];
        let tiled = shape[1] == outputs[0] * sy && shape[2] == outputs[1] * sx && at[0] < sy && at[1] < sx;
        if tiled && window.stride != [1, 1] {
            // Blocks of one stride: the tap is the same pixel of each.
            let [n, oh, ow, c] = [shape[0], outputs[0], outputs[1], shape[3]];
            let blocks = self.reshape(padded, [n, oh, sy, ow, sx, c]);
            let (start, end) = ([0, 0, at[0], 0, at[1], 0], [n, oh, at[0] + 1, ow, at[1] + 1, c]);
            return self.reshape(self.slice(blocks, &start, &end), [n, oh, ow, c]);
        }
        let (mut start, mut end) = (vec![0; 4], shape.to_vec());
        for side in 0..2 {
            start[side + 1] = at[side];
            end[side + 1] = start[side + 1] + (outputs[side] - 1) * window.stride[side] + 1;
        }
        let inner =
            if start == [0; 4] && end[..] == shape[..] { padded } else { self.slice(padded, &start, &end) };
        if window.stride == [1, 1] {
            return inner;
        }
        self.every(inner, window.stride)
    }

    /// Pixels `stride` apart, from the first one on.
    fn every(&self, x: Value, stride: [usize; 2]) -> Value {
        if stride == [1, 1] {
            return x;
        }
        let window = Window::new([1, 1]).stride(stride);
        let every = self.shape(self.windows(x, &window));
        self.reshape(self.windows(x, &window), [every[0], every[1], every[2], every[5]])
    }

    /// Images whose pixels stand `stride` apart, with zeros between and up to `stride - 1` zeros after the last.
    pub(crate) fn spread(&self, x: Value, stride: [usize; 2]) -> Value {
        if stride == [1, 1] {
            return x;
        }
        let [n, h, w, c] = [0, 1, 2, 3].map(|axis| self.shape(x)[axis]);
        let apart = self.reshape(x, [n, h, 1, w, 1, c]);
        let zeros = [0, 0, stride[0] - 1, 0, stride[1] - 1, 0];
        self.reshape(self.pad(apart, &[0; 6], &zeros, 0.0), [n, h * stride[0], w * stride[1], c])
    }

    /// Images of `height x width` with the first pixel of `x` at `first`, which may be outside: cut or zero elsewhere.
    pub(crate) fn placed(&self, x: Value, first: [isize; 2], extent: [usize; 2]) -> Value {
        let shape = self.shape(x);
        let outside =
            |side: usize| first[side] >= extent[side] as isize || first[side] + shape[side + 1] as isize <= 0;
        if outside(0) || outside(1) {
            return self.full([shape[0], extent[0], extent[1], shape[3]], 0.0);
        }
        let (mut start, mut end) = (vec![0; 4], shape.to_vec());
        let (mut low, mut high) = (vec![0; 4], vec![0; 4]);
        for side in 0..2 {
            let axis = side + 1;
            let (before, last) = (first[side], first[side] + shape[axis] as isize);
            start[axis] = (-before).max(0) as usize;
            end[axis] = shape[axis] - (last - extent[side] as isize).max(0) as usize;
            low[axis] = before.max(0) as usize;
            high[axis] = (extent[side] as isize - last).max(0) as usize;
        }
        let cut = if end[..] == shape[..] && start == [0; 4] { x } else { self.slice(x, &start, &end) };
        if low == [0; 4] && high == [0; 4] { cut } else { self.pad(cut, &low, &high, 0.0) }
    }

    /// The sum of what the windows over each pixel give back: one value `[n, oh, ow, c]` per tap, to
    /// `[n, height, width, c]`. The adjoint of [`GraphBuilder::windows`].
    pub(crate) fn folded(&self, taps: &[Value], window: &Window, [height, width]: [usize; 2]) -> Value {
        let apart = (0..2).all(|side| window.stride[side] >= window.extent()[side]);
        if apart && window.dilation == [1, 1] && taps.len() > 1 {
            return self.laid_out(taps, window, [height, width]);
        }
        let mut sum = None;
        for ([i, j], &value) in window.taps().zip(taps) {
            let first = [
                (i * window.dilation[0]) as isize - window.padding.top as isize,
                (j * window.dilation[1]) as isize - window.padding.left as isize,
            ];
            let part = self.placed(self.spread(value, window.stride), first, [height, width]);
            sum = Some(sum.map_or(part, |sum| self.add(sum, part)));
        }
        sum.unwrap_or(Value::POISON)
    }

    /// As [`GraphBuilder::folded`], for windows that do not overlap: movement alone.
    fn laid_out(&self, taps: &[Value], window: &Window, extent: [usize; 2]) -> Value {
        let ([kh, kw], [sy, sx]) = (window.kernel, window.stride);
        let [n, oh, ow, c] = [0, 1, 2, 3].map(|axis| self.shape(taps[0])[axis]);
        let stacked = self.reshape(self.concat(taps, 0), [kh, kw, n * oh, ow, c]);
        let mut blocks = self.transpose(stacked, &[2, 0, 3, 1, 4]);
        if [kh, kw] != [sy, sx] {
            blocks = self.pad(blocks, &[0; 5], &[0, sy - kh, 0, sx - kw, 0], 0.0);
        }
        let first = [-(window.padding.top as isize), -(window.padding.left as isize)];
        self.placed(self.reshape(blocks, [n, oh * sy, ow * sx, c]), first, extent)
    }
}

/// Rows and columns that images take whose pixels are spread.
pub(crate) fn spread_extent([h, w]: [usize; 2], spread: [usize; 2]) -> [usize; 2] {
    let side = |extent: usize, apart: usize| extent.saturating_sub(1).saturating_mul(apart).saturating_add(1);
    [side(h, spread[0]), side(w, spread[1])]
}

pub(crate) fn windows_shape(x: &Shape, window: &Window, spread: [usize; 2]) -> Result<Shape, String> {
    let [n, h, w, c] = images(x)?;
    if (0..2).any(|side| spread[side] == 0 || spread[side] > 1 && window.stride[side] > 1) {
        return Err(format!("found spread {spread:?}, expected at least 1, and stride 1 where it is more"));
    }
    let [h, w] = spread_extent([h, w], spread);
    let [oh, ow] = window.outputs(h, w)?;
    Ok([n, oh, ow, window.kernel[0], window.kernel[1], c].into())
}

pub(crate) fn windows_gradient(
    g: &GraphBuilder,
    window: &Window,
    spread: [usize; 2],
    x: Value,
    dy: Value,
) -> Cotangent {
    let (from, to) = (g.shape(x), g.shape(dy));
    let tap = |[i, j]: [usize; 2]| {
        let one = g.slice(dy, &[0, 0, 0, i, j, 0], &[to[0], to[1], to[2], i + 1, j + 1, to[5]]);
        g.reshape(one, [to[0], to[1], to[2], to[5]])
    };
    let taps: Vec<Value> = window.taps().map(tap).collect();
    Flow(g.every(g.folded(&taps, window, spread_extent([from[1], from[2]], spread)), spread))
}

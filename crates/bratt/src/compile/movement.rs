//! Movement that fusion cannot remove, as strided copies.

use crate::graph::{Node, Op, Padding, Window, spread_extent};
use crate::tensor::Shape;
use bratt_kernels::plan::{Span, StepSpec};

/// The copies that make a node's value at `dst`; `source` says where an argument lies, and its shape.
pub(super) fn copies(node: &Node, dst: Span, source: impl Fn(usize) -> (Span, Shape)) -> Vec<StepSpec> {
    let strides = node.shape.strides();
    let mut specs = Vec::new();
    let mut copy =
        |dims: &[usize], src, src_start, src_strides: Vec<usize>, dst_start, dst_strides: Vec<usize>| {
            let (dims, src_strides, dst_strides) = joined_axes(dims, &src_strides, &dst_strides);
            specs.push(StepSpec::Copy { dims, src, src_start, src_strides, dst, dst_start, dst_strides });
        };
    let dot =
        |start: &[usize], strides: &[usize]| start.iter().zip(strides).map(|(a, b)| a * b).sum::<usize>();
    // What is there before the copies.
    let mut around = None;
    match &node.op {
        Op::Transpose { order } => {
            let (src, shape) = source(0);
            let from = shape.strides();
            copy(&node.shape, src, 0, order.iter().map(|&a| from[a]).collect(), 0, strides);
        }
        Op::Slice { start, .. } => {
            let (src, shape) = source(0);
            let from = shape.strides();
            copy(&node.shape, src, dot(start, &from), from, 0, strides);
        }
        Op::Pad { low, value, .. } => {
            let (src, shape) = source(0);
            around = Some(value.get() as f32);
            copy(&shape, src, 0, shape.strides(), dot(low, &strides), strides);
        }
        Op::Windows { window, spread } => {
            let (src, shape) = source(0);
            let [image, row, pixel] = [0, 1, 2].map(|axis| shape.strides()[axis]);
            if window.padding == Padding::default() && *spread == [1, 1] {
                let ([sy, sx], [dy, dx]) = (window.stride, window.dilation);
                let from = vec![image, sy * row, sx * pixel, dy * row, dx * pixel, 1];
                copy(&node.shape, src, 0, from, 0, strides);
            } else {
                around = Some(0.0);
                for tap in window.taps() {
                    let side = |side| seeing(window, *spread, side, tap[side], &shape, &node.shape);
                    let (Some(y), Some(x)) = (side(0), side(1)) else { continue };
                    let dims = [node.shape[0], y.count, x.count, node.shape[5]];
                    let from = vec![image, y.pixel_step * row, x.pixel_step * pixel, 1];
                    let to = vec![strides[0], y.output_step * strides[1], x.output_step * strides[2], 1];
                    let start = [0, y.output, x.output, tap[0], tap[1], 0];
                    copy(&dims, src, y.pixel * row + x.pixel * pixel, from, dot(&start, &strides), to);
                }
            }
        }
        Op::Concat { axis } => {
            let mut at = 0;
            for i in 0..node.inputs.len() {
                let (src, shape) = source(i);
                copy(&shape, src, 0, shape.strides(), at * strides[*axis], strides.clone());
                at += shape[*axis];
            }
        }
        _ => {
            let (src, shape) = source(0);
            let from = shape.strides();
            let lead = node.shape.rank() - shape.rank();
            let repeated = |i: usize| i < lead || shape[i - lead] == 1;
            let src_strides = (0..node.shape.rank()).map(|i| if repeated(i) { 0 } else { from[i - lead] });
            copy(&node.shape, src, 0, src_strides.collect(), 0, strides);
        }
    }
    if let Some(value) = around {
        specs.insert(0, StepSpec::Fill { dst, value });
    }
    specs
}

/// The windows that see a pixel at one tap, along one side: each a step from the one before.
struct Seeing {
    output: usize,
    output_step: usize,
    pixel: usize,
    pixel_step: usize,
    count: usize,
}

fn seeing(
    window: &Window,
    spread: [usize; 2],
    side: usize,
    tap: usize,
    images: &Shape,
    windows: &Shape,
) -> Option<Seeing> {
    let extent = spread_extent([images[1], images[2]], spread)[side];
    let found: Vec<(usize, usize)> = (0..windows[side + 1])
        .filter_map(|o| Some((o, window.pixel(side, o, tap, extent)?)))
        .filter(|(_, place)| place.is_multiple_of(spread[side]))
        .map(|(o, place)| (o, place / spread[side]))
        .collect();
    let &(output, pixel) = found.first()?;
    let (output_step, pixel_step) =
        found.get(1).map_or((1, 1), |&(next, next_pixel)| (next - output, next_pixel - pixel));
    Some(Seeing { output, output_step, pixel, pixel_step, count: found.len() })
}

/// Drops axes of extent 1 and joins neighbours that are one run in both memories.
fn joined_axes(dims: &[usize], src: &[usize], dst: &[usize]) -> (Vec<usize>, Vec<usize>, Vec<usize>) {
    let mut out: (Vec<usize>, Vec<usize>, Vec<usize>) = Default::default();
    for i in (0..dims.len()).filter(|&i| dims[i] != 1) {
        let last = out.0.len().wrapping_sub(1);
        let run = |outer: usize, inner: usize| outer == inner * dims[i];
        if !out.0.is_empty() && run(out.1[last], src[i]) && run(out.2[last], dst[i]) {
            out.0[last] *= dims[i];
            (out.1[last], out.2[last]) = (src[i], dst[i]);
        } else {
            out.0.push(dims[i]);
            out.1.push(src[i]);
            out.2.push(dst[i]);
        }
    }
    if out.0.is_empty() {
        out = (vec![1], vec![1], vec![1]);
    }
    out
}

//! How a product is cut: C into tiles, a long sum into slices. From the shape alone, so that results do not depend on
//! the number of threads.

use super::depthwise::Depthwise;
use super::micro::Registers;
use super::windows::{CHUNK, Chunks, Windows};
use super::winograd::{POSITIONS, Winograd};
use super::{Gemm, LINE, Path, Shape, TileNeed, narrow, winograd_gradient};
use crate::isa::Isa;

/// Longest block along `k`: with `NR` columns it fills about half of the first-level cache.
pub(super) const KC: usize = 384;
/// Most rows of a tile that may choose: its block of A leaves half of a second-level cache of 512 KiB free.
pub(super) const MAX_ROWS: usize = 144;
/// Tiles wanted of a product that is large enough: divisible among 2, 3, 4 and 8 threads.
pub(super) const TILES: usize = 24;
/// Tiles for which rows are split where columns give too few.
pub(super) const ENOUGH_TILES: usize = 8;
/// Most numbers of B that a worker keeps packed from tile to tile: half of a second-level cache of 512 KiB.
pub(super) const KEPT: usize = 1 << 16;
/// Least multiplications of a tile (about 4 microseconds): below, starting a part costs more than it brings.
pub(super) const MIN_TILE_WORK: usize = 1 << 17;

/// Parts wanted of a sum that is cut into slices: each slice costs a pass over its own C.
const PARTS: usize = 16;
/// Most numbers of a tile whose sums are formed chunk after chunk: a quarter of a second-level cache of 512 KiB.
const SUMS: usize = 1 << 15;
/// More transformed weights than a third-level cache of 32 MiB holds beside what is multiplied with them.
const HEAVY: usize = 1 << 22;

/// A product in memory.
pub(super) fn product(isa: Isa, registers: Registers, shape: Shape, need: TileNeed) -> Gemm {
    let Shape { m, n, k, trans_a, trans_b } = shape;
    let Registers { lanes, mr, nr } = registers;
    let path = if trans_b && m <= narrow::DOT_ROWS && (!trans_a || m == 1) {
        Path::Dots
    } else if !trans_b && m <= mr {
        Path::FewRows
    } else {
        Path::Packed
    };

    // Columns come in panels, rows in groups.
    let panel = if path == Path::Packed { (2 * LINE).next_multiple_of(nr) } else { 4 * LINE };
    // Few rows wait for B rather than multiply.
    let least = match path {
        Path::FewRows | Path::Dots => MIN_TILE_WORK / 8 * m.max(1),
        _ => MIN_TILE_WORK,
    };
    let wanted = (work(shape) / least).clamp(1, TILES);
    // Whole rows of C lie together in memory: what an epilogue reads and writes comes in long runs, and cores do
    // not meet in neighbouring cache lines.
    let keeps_b = path == Path::Packed
        && !need.complete_rows
        && k <= KC
        && k.saturating_mul(n.next_multiple_of(nr)) <= KEPT;
    // Rows are not cut finer than this: a tile of few rows spends most of its time on reading B.
    let (least_rows, most_rows) = if need.complete_rows {
        (1, 1)
    } else {
        let least = m.div_ceil(MAX_ROWS).max(1);
        (least, m.div_ceil(4 * mr).max(least))
    };
    let (row_tiles, col_tiles) = if keeps_b {
        (wanted.clamp(least_rows, most_rows), 1)
    } else if need.complete_cols {
        (wanted.min(ENOUGH_TILES).clamp(least_rows, most_rows), 1)
    } else {
        let cols = wanted.div_ceil(least_rows).min(n.div_ceil(panel)).max(1);
        (wanted.min(ENOUGH_TILES).div_ceil(cols).clamp(least_rows, most_rows), cols)
    };
    let blocks = k.div_ceil(KC).max(1);
    let long = path == Path::Packed && row_tiles * col_tiles < ENOUGH_TILES && k >= 16 * KC;
    let slices = if long { PARTS.div_ceil(row_tiles * col_tiles).min(k / (4 * KC)) } else { 1 };
    Gemm {
        isa,
        registers,
        shape,
        tile_rows: split(m, row_tiles, mr),
        tile_cols: split(n, col_tiles, if path == Path::Packed { panel } else { lanes }),
        kc: k.div_ceil(blocks).max(1),
        slice: split(k, slices, KC),
        keeps_b,
        path,
    }
}

/// A product with windows.
pub(super) fn windows(
    isa: Isa,
    registers: Registers,
    shape: Shape,
    windows: Windows,
    need: TileNeed,
    winograd: bool,
) -> Gemm {
    if shape.trans_a {
        weights(isa, registers, shape, windows, need, winograd)
    } else {
        convolution(isa, registers, shape, windows, need, winograd)
    }
}

/// `X W`: a tile is a chunk of outputs.
fn convolution(
    isa: Isa,
    registers: Registers,
    shape: Shape,
    windows: Windows,
    need: TileNeed,
    winograd: bool,
) -> Gemm {
    let Shape { m, n, k, .. } = shape;
    let nr = registers.nr;
    // Transformed weights that no cache holds are read by few chunks, which are cut by columns.
    let heavy = !need.complete_cols && POSITIONS.saturating_mul(windows.channels).saturating_mul(n) > HEAVY;
    let (wanted, cols) = if heavy { (ENOUGH_TILES / 4, 4) } else { (ENOUGH_TILES, 1) };
    if let Some(winograd) = winograd.then(|| Winograd::new(registers, shape, windows, wanted)).flatten() {
        return Gemm {
            isa,
            registers,
            shape,
            tile_rows: if need.complete_rows { m } else { winograd.chunks.outputs },
            tile_cols: split(n, cols, nr),
            kc: windows.channels,
            slice: k,
            keeps_b: false,
            path: Path::Winograd(Box::new(winograd)),
        };
    }
    // Few outputs are cut by columns, too.
    let wanted = (work(shape) / MIN_TILE_WORK).clamp(1, ENOUGH_TILES);
    let whole_rows = need.complete_cols || m >= ENOUGH_TILES * CHUNK / 2;
    let cols = if whole_rows { 1 } else { wanted.min(n.div_ceil(nr)).max(1) };
    let most = if need.complete_rows { CHUNK } else { m / wanted.div_ceil(cols) };
    let chunks = Chunks::new(windows, most.max(1), KC);
    let keeps_b = cols == 1 && k.saturating_mul(n.next_multiple_of(nr)) <= KEPT;
    Gemm {
        isa,
        registers,
        shape,
        tile_rows: if need.complete_rows { m } else { chunks.outputs },
        tile_cols: split(n, cols, nr),
        kc: chunks.stretches.iter().map(|s| s.depth).max().unwrap_or(1),
        slice: k,
        keeps_b,
        path: Path::Windows(Box::new(chunks)),
    }
}

/// `X^T dy`: a tile is small enough to stay in cache while all chunks are added to it.
fn weights(
    isa: Isa,
    registers: Registers,
    shape: Shape,
    windows: Windows,
    need: TileNeed,
    winograd: bool,
) -> Gemm {
    let Shape { m, n, k, .. } = shape;
    let Registers { mr, nr, .. } = registers;
    // Slices are whole chunks.
    let slice = |tiles: usize, outputs: usize| {
        let most = (work(shape) / (4 * MIN_TILE_WORK)).min(k / outputs).max(1);
        split(k, PARTS.div_ceil(tiles).min(most), outputs)
    };
    let most = winograd_gradient::tile_cols(windows.channels, n, registers);
    let tile_cols = if need.complete_cols { n } else { most };
    let wanted = PARTS.div_ceil(n.div_ceil(tile_cols));
    if let Some(winograd) = winograd.then(|| Winograd::new(registers, shape, windows, wanted)).flatten() {
        return Gemm {
            isa,
            registers,
            shape,
            tile_rows: m,
            tile_cols,
            kc: winograd.chunks.outputs,
            slice: slice(n.div_ceil(tile_cols), winograd.chunks.outputs),
            keeps_b: false,
            path: Path::Winograd(Box::new(winograd)),
        };
    }
    let chunks = Chunks::new(windows, CHUNK, KC);
    let parts = m.saturating_mul(n).div_ceil(SUMS);
    let (rows, cols) = match (need.complete_rows, need.complete_cols) {
        (true, true) => (1, 1),
        (true, false) => (1, parts.min(n.div_ceil(nr))),
        (false, _) => (parts, 1),
    };
    let tile_rows = split(m, rows, if m / rows >= windows.channels { windows.channels } else { mr });
    let tile_cols = split(n, cols, nr);
    let tiles = m.div_ceil(tile_rows) * n.div_ceil(tile_cols);
    Gemm {
        isa,
        registers,
        shape,
        tile_rows,
        tile_cols,
        kc: chunks.outputs,
        slice: slice(tiles, chunks.outputs),
        keeps_b: false,
        path: Path::Windows(Box::new(chunks)),
    }
}

/// A product channel by channel: tiles of whole rows of outputs, or all taps.
pub(super) fn depthwise(
    isa: Isa,
    registers: Registers,
    shape: Shape,
    windows: Windows,
    need: TileNeed,
) -> Gemm {
    let Shape { m, n, k, trans_a, .. } = shape;
    let ow = windows.outputs[1];
    let (tile_rows, tile_cols, slices) = if trans_a {
        let most = (work(shape) / (4 * MIN_TILE_WORK)).min(k / ow).max(1);
        (m, n, PARTS.min(most))
    } else {
        let lines = (SUMS / 2 / (ow * n)).clamp(1, (m / ow).div_ceil(ENOUGH_TILES));
        let cols = match (need.complete_rows, need.complete_cols) {
            (_, true) => 1,
            (true, false) => TILES.min(n.div_ceil(registers.lanes)),
            (false, false) => (ow * n).div_ceil(2 * SUMS),
        };
        (if need.complete_rows { m } else { lines * ow }, split(n, cols, registers.lanes), 1)
    };
    Gemm {
        isa,
        registers,
        shape,
        tile_rows,
        tile_cols,
        kc: k,
        slice: split(k, slices, ow),
        keeps_b: false,
        path: Path::Depthwise(Box::new(Depthwise::new(windows))),
    }
}

fn work(shape: Shape) -> usize {
    shape.m.saturating_mul(shape.n).saturating_mul(shape.k.max(1))
}

/// `extent` cut into `parts`, in multiples of `unit` if there is more than one.
fn split(extent: usize, parts: usize, unit: usize) -> usize {
    if parts <= 1 { extent.max(1) } else { extent.div_ceil(parts).next_multiple_of(unit) }
}

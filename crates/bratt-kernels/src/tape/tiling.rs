//! How an iteration space is cut: into tiles that keep the tape's registers in cache, and tiles into tasks.
//!
//! The cut follows from the shape and the tape alone, never from the number of threads, so that partial results are
//! always combined in the same order.

use super::check::Needs;

/// Elements of a tile, where the tape leaves the choice: a register of 4 KiB, so that a handful stay in L1.
const TILE: usize = 1024;
/// Narrowest panel of columns, where tiles span all rows.
const PANEL: usize = 32;
/// Most tasks of one iteration space: enough for 8 threads to share evenly.
const MAX_TASKS: usize = 32;
/// Work of one task, in elements times instructions: some 5 microseconds.
const TASK_COST: usize = 32_768;

/// Tiles of an iteration space, numbered row by row; the last ones may be smaller.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Tiling {
    pub rows: usize,
    pub cols: usize,
    pub tile_rows: usize,
    pub tile_cols: usize,
    pub col_tiles: usize,
    pub tiles: usize,
    pub tiles_per_task: usize,
    pub tasks: usize,
}

/// One tile's place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Tile {
    pub row0: usize,
    pub rows: usize,
    pub col0: usize,
    pub cols: usize,
}

impl Tiling {
    /// Cuts `rows x cols` for a tape of `cost` per element.
    pub(crate) fn new(rows: usize, cols: usize, needs: Needs, cost: usize) -> Tiling {
        let tile_cols = match (needs.complete_rows, needs.complete_cols) {
            (true, _) => cols,
            (false, true) => even(cols, (TILE / rows.max(1)).max(PANEL)),
            (false, false) => even(cols, TILE),
        }
        .max(1);
        let tile_rows = if needs.complete_cols { rows } else { (TILE / tile_cols).min(rows) }.max(1);
        // What spans all rows (or everything) has a tile even where there are none: its sums are then 0.
        let col_tiles = if needs.whole() { 1 } else { cols.div_ceil(tile_cols) };
        let row_tiles = if needs.complete_cols { 1 } else { rows.div_ceil(tile_rows) };
        let tiles = row_tiles * col_tiles;
        let work = rows.saturating_mul(cols).saturating_mul(cost.max(1));
        let tasks = work.div_ceil(TASK_COST).clamp(1, MAX_TASKS).min(tiles.max(1));
        let tiles_per_task = tiles.div_ceil(tasks).max(1);
        let tasks = tiles.div_ceil(tiles_per_task).max(1);
        Tiling { rows, cols, tile_rows, tile_cols, col_tiles, tiles, tiles_per_task, tasks }
    }

    /// The tiles of one task.
    pub(crate) fn task(&self, task: usize) -> std::ops::Range<usize> {
        let first = task * self.tiles_per_task;
        first.min(self.tiles)..(first + self.tiles_per_task).min(self.tiles)
    }

    pub(crate) fn tile(&self, index: usize) -> Tile {
        let row0 = index / self.col_tiles * self.tile_rows;
        let col0 = index % self.col_tiles * self.tile_cols;
        let rows = self.tile_rows.min(self.rows - row0);
        Tile { row0, rows, col0, cols: self.tile_cols.min(self.cols - col0) }
    }
}

/// A width of at most `most` that cuts `n` into parts of nearly equal size, a multiple of 32 if it cuts at all.
fn even(n: usize, most: usize) -> usize {
    if n <= most {
        n
    } else {
        n.div_ceil(n.div_ceil(most)).next_multiple_of(32).min(most.next_multiple_of(32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_cover_every_element_once_and_keep_what_is_needed() {
        for (rows, cols) in [
            (1, 1),
            (1, 5000),
            (7, 3),
            (128, 10),
            (1000, 1),
            (60, 1100),
            (5, 8192),
            (3, 20_000),
            (5000, 70),
            (0, 4),
            (4, 0),
        ] {
            for bits in 0..4 {
                let needs = Needs { complete_rows: bits & 1 != 0, complete_cols: bits & 2 != 0 };
                let tiling = Tiling::new(rows, cols, needs, 10);
                let mut seen = vec![0; rows * cols];
                for index in (0..tiling.tasks).flat_map(|task| tiling.task(task)) {
                    let tile = tiling.tile(index);
                    assert!(!needs.complete_rows || tile.cols == cols);
                    assert!(!needs.complete_cols || tile.rows == rows);
                    assert!(tile.rows <= tiling.tile_rows && tile.cols <= tiling.tile_cols);
                    for r in tile.row0..tile.row0 + tile.rows {
                        for c in tile.col0..tile.col0 + tile.cols {
                            seen[r * cols + c] += 1;
                        }
                    }
                }
                assert!(seen.iter().all(|&n| n == 1), "{rows} x {cols}, {needs:?}");
            }
        }
    }

    #[test]
    fn small_work_is_one_task_and_large_work_feeds_eight_threads() {
        assert_eq!(Tiling::new(128, 10, Needs::default(), 10).tasks, 1);
        assert!(Tiling::new(1, 535_000, Needs::default(), 12).tasks >= 16);
    }
}

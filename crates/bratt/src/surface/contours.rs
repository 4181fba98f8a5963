//! Level lines by marching squares.
//!
//! The cost is known on a grid. A level crosses the edges of a cell whose ends lie on both sides of it, at the place that a
//! straight line between them gives; crossings of a cell are joined in pairs (of four the pairs that keep apart what the
//! cell's middle is apart from), and pairs are strung together from cell to cell. Cells with a corner that is not finite have
//! no lines.
//!
//! Levels are quantiles of the grid's costs whose shares grow as `(k / n)^1.5`: lines are evenly spaced on a round bowl, and
//! still tell the floor of a ravine from its walls, whatever the height of those.
//!
//! Source: Lorensen and Cline 1987, in two dimensions.

use super::Problem;
use std::collections::BTreeMap;

/// Cells along the longer side; less where the cost is dear.
const CELLS: usize = 96;
const FEWEST_CELLS: usize = 24;
/// Numbers that all evaluations together may read.
const MOST_WORK: usize = 60_000_000;
/// Level lines.
const LEVELS: usize = 14;
/// A level below this share of the area would be narrower than a cell.
const LEAST_SHARE: f64 = 0.035;

/// The costs on a grid.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Grid {
    range: [[f64; 2]; 2],
    /// Points along x and y.
    size: [usize; 2],
    /// By rows, from the least y.
    costs: Vec<f64>,
}

/// A line of one level, closed if it ends where it begins.
pub(super) type Line = Vec<[f64; 2]>;

impl Grid {
    /// Measures the surface.
    pub(super) fn of(problem: &Problem, range: [[f64; 2]; 2]) -> Grid {
        let read: usize = problem.inputs().iter().map(|(_, value)| value.data().len()).sum();
        let affordable = (MOST_WORK / (read + 100)).isqrt();
        let longer = CELLS.min(affordable).max(FEWEST_CELLS);
        let sides = range.map(|[low, high]| high - low);
        let longest = sides[0].max(sides[1]);
        let size = sides.map(|side| {
            1 + ((side / longest * longer as f64).round() as usize).clamp(FEWEST_CELLS / 2, longer)
        });
        let place = |axis: usize, at: usize| {
            let [low, high] = range[axis];
            low + (high - low) * at as f64 / (size[axis] - 1) as f64
        };
        let mut costs = vec![0.0; size[0] * size[1]];
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(size[1]);
        let rows = size[1].div_ceil(threads);
        std::thread::scope(|scope| {
            for (part, chunk) in costs.chunks_mut(rows * size[0]).enumerate() {
                scope.spawn(move || {
                    for (at, cost) in chunk.iter_mut().enumerate() {
                        let (row, column) = (part * rows + at / size[0], at % size[0]);
                        *cost = problem.cost_at([place(0, column), place(1, row)]);
                    }
                });
            }
        });
        Grid { range, size, costs }
    }

    /// The levels to draw, ascending: round numbers, each once.
    pub(super) fn levels(&self) -> Vec<f64> {
        let mut sorted: Vec<f64> = self.costs.iter().copied().filter(|cost| cost.is_finite()).collect();
        sorted.sort_by(f64::total_cmp);
        let (Some(&low), Some(&high)) = (sorted.first(), sorted.last()) else { return Vec::new() };
        let mut levels: Vec<f64> = (0..LEVELS)
            .map(|k| {
                let share = LEAST_SHARE + (0.97 - LEAST_SHARE) * (k as f64 / (LEVELS - 1) as f64).powf(1.5);
                rounded(sorted[(share * (sorted.len() - 1) as f64) as usize], low)
            })
            .filter(|level| (low..high).contains(level))
            .collect();
        levels.dedup();
        levels
    }

    /// The lines of a level.
    pub(super) fn lines(&self, level: f64) -> Vec<Line> {
        let [columns, rows] = self.size;
        let cost = |column: usize, row: usize| self.costs[row * columns + column];
        // Edges have numbers: twice their first point's, and one more if they go up.
        let edge = |column: usize, row: usize, up: bool| 2 * (row * columns + column) + usize::from(up);
        let mut joined: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for row in 0..rows - 1 {
            for column in 0..columns - 1 {
                let corners = [
                    cost(column, row),
                    cost(column + 1, row),
                    cost(column + 1, row + 1),
                    cost(column, row + 1),
                ];
                if corners.iter().any(|corner| !corner.is_finite()) {
                    continue;
                }
                // Below, right, above, left: edge i lies between corners i and i + 1.
                let edges = [
                    edge(column, row, false),
                    edge(column + 1, row, true),
                    edge(column, row + 1, false),
                    edge(column, row, true),
                ];
                let above = corners.map(|corner| corner >= level);
                let crossed: Vec<usize> =
                    (0..4).filter(|&i| above[i] != above[(i + 1) % 4]).map(|i| edges[i]).collect();
                let mut join = |a: usize, b: usize| {
                    joined.entry(a).or_default().push(b);
                    joined.entry(b).or_default().push(a);
                };
                match crossed[..] {
                    [a, b] => join(a, b),
                    [a, b, c, d] => {
                        let middle = corners.iter().sum::<f64>() / 4.0 >= level;
                        // Corner 1 lies between edges 0 and 1: it is cut off unless the middle is as it is.
                        if middle == above[0] {
                            (join(a, b), join(c, d))
                        } else {
                            (join(d, a), join(b, c))
                        };
                    }
                    _ => {}
                }
            }
        }
        self.strung(joined, level)
    }

    /// From pairs of edges to lines: those with ends first, then the closed ones.
    fn strung(&self, mut joined: BTreeMap<usize, Vec<usize>>, level: f64) -> Vec<Line> {
        let mut lines = Vec::new();
        while let Some(first) =
            joined.iter().find(|(_, next)| next.len() == 1).or(joined.iter().next()).map(|(&edge, _)| edge)
        {
            let mut line = vec![self.crossing(first, level)];
            let mut at = first;
            while let Some(next) = joined.get_mut(&at).and_then(Vec::pop) {
                if let Some(back) = joined.get_mut(&next)
                    && let Some(place) = back.iter().position(|&edge| edge == at)
                {
                    back.swap_remove(place);
                }
                if joined.get(&at).is_some_and(Vec::is_empty) {
                    joined.remove(&at);
                }
                line.push(self.crossing(next, level));
                at = next;
            }
            if joined.get(&at).is_some_and(Vec::is_empty) {
                joined.remove(&at);
            }
            lines.push(line);
        }
        lines
    }

    /// Where a level crosses an edge.
    fn crossing(&self, edge: usize, level: f64) -> [f64; 2] {
        let (point, up) = (edge / 2, edge % 2 == 1);
        let [columns, rows] = self.size;
        let other = if up { point + columns } else { point + 1 };
        let (a, b) = (self.costs[point], self.costs[other]);
        let t = ((level - a) / (b - a)).clamp(0.0, 1.0);
        let (x, y) = ((point % columns) as f64, (point / columns) as f64);
        let (x, y) = if up { (x, y + t) } else { (x + t, y) };
        let place = |axis: usize, at: f64, cells: usize| {
            let [low, high] = self.range[axis];
            low + (high - low) * at / cells as f64
        };
        [place(0, x, columns - 1), place(1, y, rows - 1)]
    }
}

/// A level to two digits, counted from the lowest cost.
fn rounded(level: f64, low: f64) -> f64 {
    let digits: f64 = format!("{:.1e}", level - low).parse().unwrap_or(level - low);
    // Where the lowest cost is nothing much itself, the level is a round number.
    if low.abs() < 0.02 * digits { digits } else { low + digits }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bowl() -> Problem {
        Problem::new("bowl", ["x", "y"], Vec::new(), |g, [x, y]| g.add(g.square(x), g.square(y))).unwrap()
    }

    #[test]
    fn the_level_of_a_bowl_is_one_closed_circle() {
        let grid = Grid::of(&bowl(), [[-1.5, 1.5], [-1.5, 1.5]]);
        let lines = grid.lines(1.0);
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0].first(), lines[0].last());
        assert!(lines[0].len() > 100);
        for [x, y] in &lines[0] {
            assert!((x.hypot(*y) - 1.0).abs() < 1e-3, "{x} {y}");
        }
    }

    #[test]
    fn a_level_that_leaves_the_range_is_open_and_a_saddle_has_two_branches() {
        let saddle = Problem::new("saddle", ["x", "y"], Vec::new(), |g, [x, y]| g.mul(x, y)).unwrap();
        let grid = Grid::of(&saddle, [[-1.0, 1.0], [-1.0, 1.0]]);
        for level in [0.25, -0.25] {
            let lines = grid.lines(level);
            assert_eq!(lines.len(), 2);
            for line in lines {
                assert_ne!(line.first(), line.last());
                assert!(line.iter().all(|[x, y]| (x * y - level).abs() < 1e-3));
            }
        }
    }

    #[test]
    fn levels_are_round_ascending_and_evenly_spaced_on_a_bowl() {
        let levels = Grid::of(&bowl(), [[-1.0, 1.0], [-1.0, 1.0]]).levels();
        assert!((10..=LEVELS).contains(&levels.len()), "{levels:?}");
        assert!(levels.windows(2).all(|pair| pair[0] < pair[1]));
        // Radii in the round part of the picture: the widest gap is not much wider than the narrowest.
        let radii: Vec<f64> = levels.iter().filter(|&&level| level < 0.9).map(|level| level.sqrt()).collect();
        let gaps: Vec<f64> = radii.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let (least, most) =
            (gaps.iter().copied().fold(1.0, f64::min), gaps.iter().copied().fold(0.0, f64::max));
        assert!(most < 3.0 * least, "{radii:?}");
    }

    #[test]
    fn a_surface_with_holes_has_lines_around_them() {
        let log =
            Problem::new("log", ["x", "y"], Vec::new(), |g, [x, y]| g.add(g.log(x), g.square(y))).unwrap();
        let grid = Grid::of(&log, [[-1.0, 1.0], [-1.0, 1.0]]);
        let lines = grid.lines(-0.5);
        assert!(!lines.is_empty());
        assert!(lines.iter().flatten().all(|[x, _]| *x > 0.0));
    }
}

//! A layered drawing of a graph, from left to right.
//!
//! 1. Layers: an operation stands one layer behind its last operand (longest path); what has no operands stands right
//!    before its first user.
//! 2. A wire that spans several layers gets a bend in each, which keeps it a place of its own.
//! 3. Order inside of layers: sweeps to the mean place of the neighbours (barycentre); the order with the fewest
//!    crossings stays.
//! 4. Heights: each cell is drawn to the mean height of its neighbours; of all heights that keep order and distance,
//!    those with the least squared deviation are taken (isotonic regression, by pooling of adjacent violators).
//!
//! A cell holds a box and the wire out of it with its labels, so nothing can lie upon a label: wires bend only between
//! the columns.
//!
//! Source: Sugiyama, Tagawa and Toda, Methods for visual understanding of hierarchical system structures, 1981.

/// A rectangle in pixels.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Rect {
    /// The left edge.
    pub x: f64,
    /// The upper edge.
    pub y: f64,
    /// From left to right.
    pub width: f64,
    /// From top to bottom.
    pub height: f64,
}

impl Rect {
    /// Whether two rectangles share more than an edge.
    pub fn overlaps(&self, other: &Rect) -> bool {
        let apart = |a: f64, a_size: f64, b: f64, b_size: f64| a + a_size <= b || b + b_size <= a;
        !apart(self.x, self.width, other.x, other.width) && !apart(self.y, self.height, other.y, other.height)
    }
}

/// What is to be placed: a box with the wire out of it.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    /// The box and the labels on its wire.
    pub width: f64,
    /// Room above the wire.
    pub above: f64,
    /// Room below the wire.
    pub below: f64,
    /// The operands, top to bottom.
    pub inputs: Vec<usize>,
}

/// A wire: from the end of a cell to the box of a user, bending at each point.
#[derive(Clone, Debug)]
pub(super) struct Wire {
    pub from: usize,
    pub to: usize,
    /// Which of the user's operands it is.
    pub port: usize,
    /// For each column that it crosses: left edge, right edge, height.
    pub through: Vec<(f64, f64, f64)>,
}

/// Where everything stands.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    /// Left edge and height of the wire of each cell.
    pub cells: Vec<(f64, f64)>,
    /// The right edge of each cell's column.
    pub column_ends: Vec<f64>,
    pub wires: Vec<Wire>,
    pub width: f64,
    pub height: f64,
}

/// Between columns, where wires bend.
const GAP: f64 = 44.0;
/// Between cells of a column.
const SPACE: f64 = 14.0;
/// Half the room of a wire that passes.
const PASS: f64 = 4.0;
const SWEEPS: usize = 24;

/// A cell or a bend in its column.
#[derive(Clone, Debug)]
struct Item {
    above: f64,
    below: f64,
    /// Items of the column before, with the place on this item's box, -1 to 1.
    left: Vec<(usize, f64)>,
    right: Vec<usize>,
}

pub(super) fn layout(cells: &[Cell]) -> Placed {
    let layer = layers(cells);
    let columns = layer.iter().copied().max().unwrap_or(0) + 1;
    let mut items: Vec<Item> = cells
        .iter()
        .map(|cell| Item { above: cell.above, below: cell.below, left: vec![], right: vec![] })
        .collect();
    let mut order: Vec<Vec<usize>> = vec![Vec::new(); columns];
    for (i, &layer) in layer.iter().enumerate() {
        order[layer].push(i);
    }
    // A bend of a wire is shared by the users to the right of it.
    let mut wires: Vec<(usize, usize, usize, Vec<usize>)> = Vec::new();
    let mut bends: Vec<Vec<usize>> = vec![Vec::new(); cells.len()];
    for (to, cell) in cells.iter().enumerate() {
        for (port, &from) in cell.inputs.iter().enumerate() {
            let count = layer[to] - layer[from] - 1;
            while bends[from].len() < count {
                let column = layer[from] + 1 + bends[from].len();
                let before = bends[from].last().copied().unwrap_or(from);
                let bend = items.len();
                items.push(Item { above: PASS, below: PASS, left: vec![(before, 0.0)], right: vec![] });
                items[before].right.push(bend);
                order[column].push(bend);
                bends[from].push(bend);
            }
            let path: Vec<usize> = bends[from][..count].to_vec();
            let last = path.last().copied().unwrap_or(from);
            items[to].left.push((last, port_place(port, cell.inputs.len())));
            items[last].right.push(to);
            wires.push((from, to, port, path));
        }
    }
    sort(&items, &mut order);
    let heights = heights(&items, &order);
    place(cells, &layer, &order, &heights, wires)
}

/// Where an operand arrives at the box, -1 (top) to 1.
pub(super) fn port_place(port: usize, ports: usize) -> f64 {
    if ports < 2 { 0.0 } else { 2.0 * port as f64 / (ports - 1) as f64 - 1.0 }
}

fn layers(cells: &[Cell]) -> Vec<usize> {
    let mut layer = vec![0; cells.len()];
    for (i, cell) in cells.iter().enumerate() {
        layer[i] = cell.inputs.iter().map(|&input| layer[input] + 1).max().unwrap_or(0);
    }
    let mut first_user = vec![None; cells.len()];
    for (i, cell) in cells.iter().enumerate() {
        for &input in &cell.inputs {
            let before = first_user[input].unwrap_or(usize::MAX);
            first_user[input] = Some(layer[i].min(before));
        }
    }
    for (i, cell) in cells.iter().enumerate() {
        if let (true, Some(user)) = (cell.inputs.is_empty(), first_user[i]) {
            layer[i] = user.saturating_sub(1);
        }
    }
    layer
}

fn positions(items: usize, order: &[Vec<usize>]) -> Vec<usize> {
    let mut at = vec![0; items];
    for column in order {
        for (place, &item) in column.iter().enumerate() {
            at[item] = place;
        }
    }
    at
}

/// Pairs of wires between neighbouring columns that cross.
fn crossings(items: &[Item], order: &[Vec<usize>]) -> usize {
    let at = positions(items.len(), order);
    let mut all = 0;
    for column in order {
        let mut ends: Vec<(f64, f64)> = Vec::new();
        for &item in column {
            ends.extend(
                items[item].left.iter().map(|&(l, port)| (at[l] as f64, at[item] as f64 + port / 4.0)),
            );
        }
        for (i, a) in ends.iter().enumerate() {
            all += ends[i + 1..].iter().filter(|b| (a.0 - b.0) * (a.1 - b.1) < 0.0).count();
        }
    }
    all
}

fn sort(items: &[Item], order: &mut Vec<Vec<usize>>) {
    let mut best = order.clone();
    let mut fewest = crossings(items, order);
    for sweep in 0..SWEEPS {
        let forward = sweep % 2 == 1;
        let columns: Vec<usize> =
            if forward { (0..order.len()).collect() } else { (0..order.len()).rev().collect() };
        for column in columns {
            let at = positions(items.len(), order);
            let wish = |item: usize| -> Option<f64> {
                let near: Vec<f64> = if forward {
                    items[item].left.iter().map(|&(l, _)| at[l] as f64).collect()
                } else {
                    let place = |user: usize| {
                        let port = items[user].left.iter().find(|(l, _)| *l == item).map_or(0.0, |p| p.1);
                        at[user] as f64 + port / 4.0
                    };
                    items[item].right.iter().map(|&user| place(user)).collect()
                };
                (!near.is_empty()).then(|| near.iter().sum::<f64>() / near.len() as f64)
            };
            let mut wishes: Vec<(f64, usize)> =
                order[column].iter().map(|&item| (wish(item).unwrap_or(at[item] as f64), item)).collect();
            wishes.sort_by(|a, b| a.0.total_cmp(&b.0));
            order[column] = wishes.into_iter().map(|(_, item)| item).collect();
        }
        let now = crossings(items, order);
        if now < fewest {
            (fewest, best) = (now, order.clone());
        }
    }
    *order = best;
}

fn heights(items: &[Item], order: &[Vec<usize>]) -> Vec<f64> {
    let mut y = vec![0.0; items.len()];
    for column in order {
        let mut at = 0.0;
        for &item in column {
            at += items[item].above;
            y[item] = at;
            at += items[item].below + SPACE;
        }
    }
    for sweep in 0..SWEEPS {
        let forward = sweep % 2 == 0;
        let columns: Vec<usize> =
            if forward { (0..order.len()).collect() } else { (0..order.len()).rev().collect() };
        // The last sweeps weigh both sides.
        let both = sweep + 4 >= SWEEPS;
        for column in columns {
            let wishes: Vec<f64> = order[column]
                .iter()
                .map(|&item| {
                    let left = items[item].left.iter().map(|&(l, port)| y[l] - 8.0 * port);
                    let right = items[item].right.iter().map(|&r| y[r]);
                    let near: Vec<f64> = match (forward, both) {
                        (_, true) => left.chain(right).collect(),
                        (true, _) => left.collect(),
                        (false, _) => right.collect(),
                    };
                    if near.is_empty() { y[item] } else { near.iter().sum::<f64>() / near.len() as f64 }
                })
                .collect();
            for (&item, height) in order[column].iter().zip(apart(items, &order[column], &wishes)) {
                y[item] = height;
            }
        }
    }
    y
}

/// The heights nearest to what is wished that keep the order and the distances.
fn apart(items: &[Item], column: &[usize], wishes: &[f64]) -> Vec<f64> {
    // Without the distances before each, heights need only ascend.
    let mut offsets = vec![0.0; column.len()];
    for i in 1..column.len() {
        offsets[i] = offsets[i - 1] + items[column[i - 1]].below + SPACE + items[column[i]].above;
    }
    let mut pools: Vec<(f64, usize)> = Vec::new();
    for (wish, offset) in wishes.iter().zip(&offsets) {
        let mut pool = (wish - offset, 1);
        while let Some(&(mean, count)) = pools.last() {
            if mean <= pool.0 {
                break;
            }
            pools.pop();
            let all = count + pool.1;
            pool = ((mean * count as f64 + pool.0 * pool.1 as f64) / all as f64, all);
        }
        pools.push(pool);
    }
    let means = pools.iter().flat_map(|&(mean, count)| std::iter::repeat_n(mean, count));
    means.zip(&offsets).map(|(mean, offset)| mean + offset).collect()
}

fn place(
    cells: &[Cell],
    layer: &[usize],
    order: &[Vec<usize>],
    heights: &[f64],
    wires: Vec<(usize, usize, usize, Vec<usize>)>,
) -> Placed {
    let mut left = vec![0.0; order.len()];
    let mut right = vec![0.0; order.len()];
    let mut x = 0.0;
    for column in 0..order.len() {
        let cells_here = order[column].iter().filter_map(|&item| cells.get(item));
        let width = cells_here.map(|cell| cell.width).fold(0.0, f64::max);
        (left[column], right[column]) = (x, x + width);
        x += width + GAP;
    }
    let extent = |top: bool| {
        let edges =
            cells.iter().zip(heights).map(|(cell, y)| if top { y - cell.above } else { y + cell.below });
        edges.fold(if top { f64::INFINITY } else { f64::NEG_INFINITY }, if top { f64::min } else { f64::max })
    };
    // Wires that pass may lie beyond all cells.
    let top = heights.iter().map(|y| y - PASS).fold(extent(true), f64::min);
    let bottom = heights.iter().map(|y| y + PASS).fold(extent(false), f64::max);
    let wires = wires
        .into_iter()
        .map(|(from, to, port, path)| {
            let through = path.iter().enumerate().map(|(i, &bend)| {
                let column = layer[from] + 1 + i;
                (left[column], right[column], heights[bend] - top)
            });
            Wire { from, to, port, through: through.collect() }
        })
        .collect();
    Placed {
        cells: (0..cells.len()).map(|i| (left[layer[i]], heights[i] - top)).collect(),
        column_ends: layer.iter().map(|&layer| right[layer]).collect(),
        wires,
        width: x - GAP,
        height: bottom - top,
    }
}

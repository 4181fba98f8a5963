//! What the first layer looks for: its weights as pictures.
//!
//! A convolution answers most, among patches of equal size, to a patch that equals its kernel; a dense layer to an image
//! that equals the unit's weights. So weights are shown as such patches, each divided by its largest weight.
//!
//! - Of a convolution over grey or coloured images, and of a dense layer over coloured ones: weight 0 is middle grey, and
//!   each channel goes up and down from there.
//! - Of a dense layer over grey images, as in softmax regression: blue is against the unit, orange for it.
//! - Of a convolution over other numbers of channels: one tile for each channel, a row for each output.

use super::color::balance;
use super::{ExplainError, Raster};
use crate::model::TrainedModel;
use crate::nn::Layer;
use crate::tensor::Tensor;

/// The first layer's weights as one picture.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Filters {
    /// The layer's name, such as `conv2d1`.
    pub layer: String,
    /// Filters in the picture, row by row.
    pub shown: usize,
    /// Filters of the layer.
    pub count: usize,
    /// A filter's height and width in pixels of the image.
    pub size: [usize; 2],
    /// The picture.
    pub picture: Raster,
}

/// More filters than this make no picture that anybody looks at.
const MOST: usize = 144;
/// A tile has at least about this side.
const TILE: usize = 48;
const GAP: usize = 4;
const PAPER: [u8; 3] = [255, 255, 255];

/// The picture of the first convolution's kernels, or of the weights of a dense layer that sees the image itself.
///
/// # Errors
/// [`ExplainError::NotImages`] for a model of tables, [`ExplainError::NoFilters`] where the first layer with weights does
/// not see pixels.
pub fn filters(model: &TrainedModel) -> Result<Filters, ExplainError> {
    let Ok([height, width, channels]) = <[usize; 3]>::try_from(&model.network.input[..]) else {
        return Err(ExplainError::NotImages { found: model.network.input[..].into() });
    };
    let mut first = None;
    model.network.for_each_layer(|name, layer| {
        let convolution = match layer {
            Layer::Conv2d(_) => true,
            Layer::Dense(_) | Layer::Maxout(_) => false,
            _ => return,
        };
        first.get_or_insert((name, convolution));
    });
    let none = |problem: String| ExplainError::NoFilters { problem };
    let (layer, convolution) = first.ok_or_else(|| none("found no convolution and no dense layer".into()))?;
    let weight = model
        .values
        .get(&format!("{layer}.weight"))
        .ok_or_else(|| none(format!("layer `{layer}` has no weights")))?;
    let kernels = match weight.shape()[..] {
        [kh, kw, inputs, count] if convolution => {
            let inks = if matches!(inputs, 1 | 3) { Ink::Light } else { Ink::Tiles };
            Kernels { weight, size: [kh, kw], channels: inputs, count, ink: inks }
        }
        [rows, count] if rows == height * width * channels && matches!(channels, 1 | 3) => {
            let ink = if channels == 1 { Ink::Balance } else { Ink::Light };
            Kernels { weight, size: [height, width], channels, count, ink }
        }
        _ => {
            return Err(none(format!(
                "layer `{layer}` has weights {}, expected one for each of the {} numbers of an image",
                weight.shape(),
                height * width * channels
            )));
        }
    };
    let shown = kernels.count.min(MOST);
    let tiles: Vec<Vec<Raster>> = (0..shown).map(|unit| kernels.tiles(unit)).collect();
    Ok(Filters { layer, shown, count: kernels.count, size: kernels.size, picture: grid(&tiles) })
}

/// How weights are shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ink {
    Light,
    Balance,
    Tiles,
}

struct Kernels<'a> {
    /// The last axis is the filter; before it are rows, columns and channels.
    weight: &'a Tensor,
    size: [usize; 2],
    channels: usize,
    count: usize,
    ink: Ink,
}

impl Kernels<'_> {
    fn tiles(&self, unit: usize) -> Vec<Raster> {
        let at = |row: usize, column: usize, channel: usize| {
            let place = (row * self.size[1] + column) * self.channels + channel;
            self.weight.data()[place * self.count + unit]
        };
        let largest =
            self.weight.data().iter().skip(unit).step_by(self.count).fold(0f32, |a, x| a.max(x.abs()));
        let scale = if largest > 0.0 { largest } else { 1.0 };
        let light = |weight: f32| (127.5 + 127.5 * weight / scale).round() as u8;
        let [height, width] = self.size;
        let times = (TILE / height.max(width).max(1)).max(1);
        let tile = |color: &dyn Fn(usize, usize) -> [u8; 3]| {
            Raster::from_fn(height * times, width * times, |row, column| color(row / times, column / times))
        };
        match self.ink {
            Ink::Balance => vec![tile(&|row, column| balance(at(row, column, 0) / scale))],
            Ink::Light if self.channels == 3 => {
                vec![tile(&|row, column| [0, 1, 2].map(|channel| light(at(row, column, channel))))]
            }
            Ink::Light => vec![tile(&|row, column| [light(at(row, column, 0)); 3])],
            Ink::Tiles => (0..self.channels)
                .map(|channel| tile(&|row, column| [light(at(row, column, channel)); 3]))
                .collect(),
        }
    }
}

/// Tiles in rows: about as many as columns where each filter has one, else a row for each filter.
fn grid(filters: &[Vec<Raster>]) -> Raster {
    let single = filters.iter().all(|tiles| tiles.len() == 1);
    let columns = if single {
        let side = (1..).find(|side| side * side >= filters.len()).unwrap_or(1);
        // A little wider than high.
        (side..=2 * side).find(|&columns| filters.len().is_multiple_of(columns)).unwrap_or(side)
    } else {
        filters.iter().map(Vec::len).max().unwrap_or(1)
    };
    let tiles: Vec<&Raster> = filters.iter().flatten().collect();
    let (tall, wide) = tiles.first().map_or((0, 0), |tile| (tile.height() + GAP, tile.width() + GAP));
    let rows = tiles.len().div_ceil(columns.max(1));
    let mut picture = Raster::filled(rows * tall + GAP, columns * wide + GAP, PAPER);
    for (i, tile) in tiles.iter().enumerate() {
        picture.put(GAP + i / columns * tall, GAP + i % columns * wide, tile);
    }
    picture
}

//! Residual blocks: layers that learn what to add to their input.
//!
//! `y = F(x) + S(x)`, F the block's layers, S the shortcut; `dx = J_F^T dy + J_S^T dy`. With S the identity, the
//! gradient reaches x undiminished whatever F is, which is why networks of very many blocks can be trained. An
//! activation after the sum is a layer of its own after the block.
//!
//! | shortcut | S(x) | when |
//! |---|---|---|
//! | `identity` | x | F keeps the shape: the default |
//! | `subsample` | every s-th pixel of every s-th row, and channels of zeros after those of x | option A of the paper: F makes images smaller or adds channels, S has no parameters |
//! | a list of layers | what they compute | option B: mostly a convolution 1x1 with F's stride, and batch norm |
//!
//! The stride s is the least that gives F's height and width. Names of the inner layers follow the block's:
//! `residual1/conv2d1`, `residual1/shortcut/conv2d1`.
//!
//! Source: He, Zhang, Ren and Sun, Deep residual learning for image recognition, 2016, sections 3.2 and 3.3.

use super::window::image;
use super::{Layer, Mode, NamedLayer, NnError, Parameters, chain};
use crate::graph::{GraphBuilder, Value, Window};
use crate::tensor::Shape;
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// Layers and a shortcut around them, added up.
///
/// ```
/// use bratt::nn::{Input, Sequential, Shortcut};
/// let network = Sequential::new(Input::rgb(32, 32))
///     .conv(16, 3).batch_norm().relu()
///     .residual(Shortcut::Identity, |f| f.conv(16, 3).batch_norm().relu().conv(16, 3).batch_norm())
///     .relu();
/// assert_eq!(network.output_shape()?[..], [32, 32, 16]);
/// # Ok::<(), bratt::nn::NnError>(())
/// ```
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Residual {
    /// What is learned: F.
    pub layers: Vec<NamedLayer>,
    /// What it is added to: S. Default: the input itself.
    #[serde(default, skip_serializing_if = "Shortcut::is_identity")]
    pub shortcut: Shortcut,
}

/// What goes around the layers of a residual block: `"identity"`, `"subsample"` or a list of layers.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum Shortcut {
    /// The input itself.
    #[default]
    Identity,
    /// Every s-th pixel, and zeros for channels that the input does not have.
    Subsample,
    /// Layers of its own.
    Layers(Vec<NamedLayer>),
}

impl Shortcut {
    fn is_identity(&self) -> bool {
        *self == Shortcut::Identity
    }

    pub(super) fn layers(&self) -> &[NamedLayer] {
        match self {
            Shortcut::Layers(layers) => layers,
            Shortcut::Identity | Shortcut::Subsample => &[],
        }
    }

    pub(super) fn layers_mut(&mut self) -> Option<&mut Vec<NamedLayer>> {
        match self {
            Shortcut::Layers(layers) => Some(layers),
            Shortcut::Identity | Shortcut::Subsample => None,
        }
    }
}

impl Residual {
    /// The same block, its last batch norm starting with gamma = 0, so that the block starts as its shortcut.
    ///
    /// Source: Goyal et al., Accurate, large minibatch SGD, 2017, section 5.1.
    pub fn starting_at_zero(mut self) -> Residual {
        chain::start_at_zero(&mut self.layers);
        self
    }

    /// One line for people.
    pub(super) fn describe(&self) -> String {
        let shortcut = match &self.shortcut {
            Shortcut::Identity => "input",
            Shortcut::Subsample => "subsampled input",
            Shortcut::Layers(_) => "shortcut",
        };
        let count = self.layers.len();
        format!("residual of {count} layer{} + {shortcut}", if count == 1 { "" } else { "s" })
    }

    /// The shape of one example after the block named `name`.
    pub(super) fn shape_within(&self, input: &Shape, name: &str) -> Result<Shape, NnError> {
        let fault =
            |problem: String| Err(NnError::Layer { layer: name.to_string(), kind: "residual", problem });
        if self.layers.iter().any(|l| l.name == "shortcut") {
            return fault("found an inner layer named `shortcut`, expected another name".into());
        }
        if self.layers.is_empty() {
            return fault("found no layers, expected at least one".into());
        }
        let last = |mut shapes: Vec<Shape>| shapes.pop().unwrap_or_default();
        let y = last(chain::shapes(&self.layers, input.clone(), &format!("{name}/"))?);
        let shortcut = match &self.shortcut {
            Shortcut::Identity => input.clone(),
            Shortcut::Subsample => match subsampling(input, &y) {
                Ok(_) => y.clone(),
                Err(problem) => return fault(problem),
            },
            Shortcut::Layers(layers) => {
                last(chain::shapes(layers, input.clone(), &format!("{name}/shortcut/"))?)
            }
        };
        match self.shortcut {
            _ if shortcut == y => Ok(y),
            Shortcut::Layers(_) => {
                fault(format!("its layers give {y} and its shortcut {shortcut}, expected equal shapes"))
            }
            _ => fault(format!(
                "its layers make {y} of {input}, expected the same shape; set shortcut = \"subsample\", or give the \
                 shortcut layers, such as a conv2d of kernel 1"
            )),
        }
    }

    /// Writes the block for a batch `x`; `following` are the layers after it.
    pub(super) fn build(
        &self,
        g: &GraphBuilder,
        x: Value,
        mode: Mode,
        parameters: &mut Parameters<'_>,
        following: &[&Layer],
    ) -> Value {
        let y = chain::write(&self.layers, following, g, x, mode, parameters);
        let shortcut = match &self.shortcut {
            Shortcut::Identity => x,
            Shortcut::Subsample => subsample(g, x, &g.shape(y)),
            Shortcut::Layers(layers) => {
                g.layer("shortcut", || chain::write(layers, following, g, x, mode, parameters))
            }
        };
        g.add(y, shortcut)
    }
}

/// The stride and the number of channels to add that bring images of shape `from` to shape `to`.
fn subsampling(from: &Shape, to: &Shape) -> Result<([usize; 2], usize), String> {
    let ([h, w, c], [oh, ow, channels]) = (image(from)?, image(to)?);
    let stride = |side: usize, out: usize| {
        let stride = side.div_ceil(out.max(1));
        (side.div_ceil(stride) == out).then_some(stride)
    };
    match (stride(h, oh), stride(w, ow), channels.checked_sub(c)) {
        (Some(down), Some(right), Some(added)) => Ok(([down, right], added)),
        _ => {
            Err(format!("found {to} to subsample {from} to, expected every s-th pixel and no fewer channels"))
        }
    }
}

fn subsample(g: &GraphBuilder, x: Value, to: &Shape) -> Value {
    let from: Shape = g.shape(x).get(1..).unwrap_or_default().into();
    let to: Shape = to.get(1..).unwrap_or_default().into();
    let Ok((stride, added)) = subsampling(&from, &to) else {
        return g.fail("residual", format!("found {to} to subsample {from} to"));
    };
    // The mean of one pixel is the pixel.
    let x = if stride == [1, 1] { x } else { g.avg_pool2d(x, &Window::new([1, 1]).stride(stride)) };
    if added == 0 { x } else { g.pad(x, &[0; 4], &[0, 0, 0, added], 0.0) }
}

impl Serialize for Shortcut {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Shortcut::Identity => serializer.serialize_str("identity"),
            Shortcut::Subsample => serializer.serialize_str("subsample"),
            Shortcut::Layers(layers) => layers.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Shortcut {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Shortcut, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Shortcut;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"identity\", \"subsample\" or a list of layers")
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<Shortcut, E> {
                match name {
                    "identity" => Ok(Shortcut::Identity),
                    "subsample" => Ok(Shortcut::Subsample),
                    _ => Err(E::unknown_variant(name, &["identity", "subsample"])),
                }
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Shortcut, A::Error> {
                let mut layers = Vec::new();
                while let Some(layer) = list.next_element()? {
                    layers.push(layer);
                }
                Ok(Shortcut::Layers(layers))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

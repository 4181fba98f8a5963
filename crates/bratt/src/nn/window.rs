//! What the layers over windows share: extents by side, and padding. The arithmetic stands in
//! [`crate::graph::ops::window`].

use crate::graph::Window;
use crate::tensor::Shape;
use serde::{Deserialize, Serialize};

/// One number for height and width, or one for each: `3` or `[3, 5]`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a number, or height and width as [3, 5]")]
pub enum Pair {
    /// The same for height and width.
    Both(usize),
    /// Height, width.
    Each([usize; 2]),
}

impl Pair {
    /// Height, width.
    pub fn get(self) -> [usize; 2] {
        match self {
            Pair::Both(n) => [n, n],
            Pair::Each(pair) => pair,
        }
    }

    /// As in `3x5`.
    pub(super) fn text(self) -> String {
        let [height, width] = self.get();
        format!("{height}x{width}")
    }
}

impl From<usize> for Pair {
    fn from(n: usize) -> Pair {
        Pair::Both(n)
    }
}

impl From<[usize; 2]> for Pair {
    fn from(pair: [usize; 2]) -> Pair {
        Pair::Each(pair)
    }
}

/// Padding around images: `"same"`, `"valid"`, a number of pixels on each side, or `{ sides = { top = 1, left = 1 } }`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(
    rename_all = "snake_case",
    deny_unknown_fields,
    expecting = "expected padding \"same\", \"valid\", a number of pixels or { sides = { top = 1, left = 1 } }"
)]
pub enum Padding {
    /// As many outputs as there are strides in the image, rounded up; of an odd number of pixels, the larger half comes
    /// after the image.
    Same,
    /// None.
    Valid,
    /// Pixels on each side; 0 where none are given.
    Sides {
        /// Rows above.
        #[serde(default)]
        top: usize,
        /// Rows below.
        #[serde(default)]
        bottom: usize,
        /// Columns to the left.
        #[serde(default)]
        left: usize,
        /// Columns to the right.
        #[serde(default)]
        right: usize,
    },
    /// As many pixels on each side: windows of stride s are then centred on every s-th pixel, if half the kernel is
    /// given.
    #[serde(untagged)]
    Around(usize),
}

impl Padding {
    /// The window over images of this size.
    pub(super) fn around(self, window: Window, height: usize, width: usize) -> Window {
        match self {
            Padding::Same => window.same(height, width),
            Padding::Valid => window,
            Padding::Around(pixels) => window.padding(crate::graph::Padding::all(pixels)),
            Padding::Sides { top, bottom, left, right } => {
                window.padding(crate::graph::Padding { top, bottom, left, right })
            }
        }
    }
}

/// Height, width and channels of an example that must be an image.
pub(super) fn image(input: &Shape) -> Result<[usize; 3], String> {
    input[..]
        .try_into()
        .map_err(|_| format!("found examples of shape {input}, expected images [height, width, channels]"))
}

//! Augmentation: random changes to training examples that keep their class.
//!
//! ```text
//! picture -> crop -> flip -> rotation -> TrivialAugment -> colour -> erasing -> cutout -> bytes
//! bytes, partner's bytes -> mixup or cutmix -> values, two labels and a weight
//! ```
//!
//! | file | what |
//! |---|---|
//! | `flip` | left and right exchanged |
//! | `crop` | random crop with padding |
//! | `resized_crop` | a random rectangle, enlarged |
//! | `rotation` | rotation about the centre |
//! | `warp` | affine maps, bilinear; borders |
//! | `color` | brightness, contrast, saturation, hue |
//! | `trivial` | TrivialAugment (wide) |
//! | `erase` | random erasing, cutout |
//! | `mix` | mixup, cutmix |
//!
//! Every choice is a pure function of (seed, epoch, index in the data set, transform): neither the order of the examples,
//! nor the batch size, nor threads change a picture, and switching one transform on does not move the numbers of
//! another. Pictures are bytes, grey or RGB; validation and test examples are never changed.

mod color;
mod crop;
mod erase;
mod flip;
mod mix;
mod resized_crop;
mod rotation;
mod trivial;
mod warp;

use std::fmt::Write as _;

pub use color::ColorJitter;
pub(in crate::data) use mix::Mix;
pub use warp::Border;

use crate::random::{Purpose, Stream};

/// The shape of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) height: usize,
    pub(super) width: usize,
    pub(super) channels: usize,
}

impl Frame {
    pub(super) fn of(shape: &[usize]) -> Option<Frame> {
        let [height, width, channels] = *shape else { return None };
        Some(Frame { height, width, channels })
    }

    pub(super) fn pixels(self) -> usize {
        self.height * self.width
    }

    pub(super) fn len(self) -> usize {
        self.pixels() * self.channels
    }
}

/// Which random changes training examples get. The default is none.
///
/// ```
/// use bratt::data::augment::{Augment, Augmenter};
/// let augment = Augment { flip: 0.5, crop: 4, ..Augment::default() };
/// assert_eq!(augment.describe(), "flip, crop of 4 pixels padding");
/// let mut augmenter = Augmenter::new(&augment, [32, 32, 3], 7);
/// let picture = vec![100; 32 * 32 * 3];
/// let (epoch, index) = (0, 12);
/// assert_eq!(augmenter.apply(&picture, epoch, index).len(), picture.len());
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Augment {
    /// Probability of exchanging left and right; 0.5 is usual. Not for digits and letters.
    pub flip: f64,
    /// Random crop: pixels of padding on each side, 0 for none. An eighth of the side is usual.
    pub crop: usize,
    /// Random resized crop: the least share of the area that is kept, above 0 and at most 1; 0 for none.
    pub resized_crop: f64,
    /// Rotation by up to so many degrees either way.
    pub rotation: f64,
    /// What lies outside of a picture that is moved.
    pub border: Border,
    /// Whether to apply one operation of TrivialAugment (wide).
    pub trivial: bool,
    /// Changes of colour.
    pub color: ColorJitter,
    /// Probability of erasing a rectangle; 0.25 is usual.
    pub erase: f64,
    /// Side of the square that cutout blackens, 0 for none; half the side of the picture is usual.
    pub cutout: usize,
    /// Mixup: alpha of the Beta distribution, 0 for none; 0.2 is usual.
    pub mixup: f64,
    /// Cutmix: alpha of the Beta distribution, 0 for none; 1 is usual.
    pub cutmix: f64,
    /// Label smoothing: the share of each label that is spread evenly over all classes, below 1; 0.1 is usual
    /// (Szegedy et al. 2016, section 7).
    pub label_smoothing: f64,
}

/// An amount of augmentation by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// None.
    None,
    /// Flips and small moves: for few epochs.
    Light,
    /// What papers on photographs do at the least.
    Standard,
    /// For long trainings of large networks.
    Strong,
}

impl Preset {
    /// The names that [`Preset::by_name`] knows.
    pub const NAMES: [&'static str; 4] = ["none", "light", "standard", "strong"];

    /// A preset by its name.
    pub fn by_name(name: &str) -> Option<Preset> {
        let all = [Preset::None, Preset::Light, Preset::Standard, Preset::Strong];
        all.into_iter().zip(Preset::NAMES).find(|(_, known)| *known == name).map(|(preset, _)| preset)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        Preset::NAMES[self as usize]
    }
}

/// No side of pictures that are cropped with padding is longer; larger ones get random resized crops.
pub const LARGEST_PADDED: usize = 64;

impl Augment {
    /// What a preset means for pictures of `[height, width, channels]`:
    ///
    /// | preset | to 64 x 64 | larger |
    /// |---|---|---|
    /// | light | flip, crop (padding side / 16) | flip, resized crop of at least 0.6 |
    /// | standard | flip, crop (padding side / 8; 4 for 32 pixels, He et al. 2016) | flip, resized crop of at least 0.25, colour jitter 0.2 |
    /// | strong | standard, TrivialAugment, erasing 0.25, mixup 0.2, label smoothing 0.1 | the same |
    pub fn preset(preset: Preset, shape: [usize; 3]) -> Augment {
        let side = shape[0].min(shape[1]);
        let small = shape[0].max(shape[1]) <= LARGEST_PADDED;
        let moved = |part: usize, least: f64| match small {
            true => Augment { flip: 0.5, crop: (side / part).max(1), ..Augment::default() },
            false => Augment { flip: 0.5, resized_crop: least, ..Augment::default() },
        };
        match preset {
            Preset::None => Augment::default(),
            Preset::Light => moved(16, 0.6),
            Preset::Standard => {
                let jitter = ColorJitter { brightness: 0.2, contrast: 0.2, saturation: 0.2, hue: 0.0 };
                let color = if small { ColorJitter::default() } else { jitter };
                Augment { color, ..moved(8, 0.25) }
            }
            Preset::Strong => {
                // TrivialAugment has the changes of colour.
                Augment { trivial: true, erase: 0.25, mixup: 0.2, label_smoothing: 0.1, ..moved(8, 0.25) }
            }
        }
    }

    /// Whether examples and labels stay as they are.
    pub fn is_none(&self) -> bool {
        !self.changes_pictures() && !self.mixes() && self.label_smoothing == 0.0
    }

    /// Whether single pictures are changed.
    pub fn changes_pictures(&self) -> bool {
        self.flip > 0.0
            || self.crop > 0
            || self.resized_crop > 0.0
            || self.rotation > 0.0
            || self.trivial
            || !self.color.is_none()
            || self.erase > 0.0
            || self.cutout > 0
    }

    /// Whether examples are mixed.
    pub fn mixes(&self) -> bool {
        self.mixup > 0.0 || self.cutmix > 0.0
    }

    /// The first field that is out of its range: its name, its value and what can be.
    pub fn fault(&self) -> Option<(&'static str, f64, &'static str)> {
        let (share, zero_up) = ("at least 0 and at most 1", "at least 0");
        let fields = [
            ("flip", self.flip, 1.0, share),
            ("crop", self.crop as f64, 4096.0, "at most 4096"),
            ("resized_crop", self.resized_crop, 1.0, share),
            ("rotation", self.rotation, 180.0, "at least 0 and at most 180"),
            ("brightness", self.color.brightness, f64::MAX, zero_up),
            ("contrast", self.color.contrast, f64::MAX, zero_up),
            ("saturation", self.color.saturation, f64::MAX, zero_up),
            ("hue", self.color.hue, 0.5, "at least 0 and at most 0.5"),
            ("erase", self.erase, 1.0, share),
            ("cutout", self.cutout as f64, 4096.0, "at most 4096"),
            ("mixup", self.mixup, f64::MAX, zero_up),
            ("cutmix", self.cutmix, f64::MAX, zero_up),
            ("label_smoothing", self.label_smoothing, 1.0 - f64::EPSILON, "at least 0 and below 1"),
        ];
        let bad = fields.into_iter().find(|(_, value, most, _)| !(0.0..=*most).contains(value));
        bad.map(|(name, value, _, expected)| (name, value, expected))
    }

    /// One line for people, as `flip, crop of 4 pixels padding`; `none` for none.
    pub fn describe(&self) -> String {
        let mut parts: Vec<String> = Vec::new();
        let mut add = |on: bool, text: String| parts.extend(on.then_some(text));
        let color = &self.color;
        let half = if self.flip == 0.5 { String::new() } else { format!(" {}", self.flip) };
        add(self.crop > 0, format!("crop of {} pixels padding", self.crop));
        add(self.resized_crop > 0.0, format!("resized crop of at least {} of the area", self.resized_crop));
        add(self.rotation > 0.0, format!("rotation by {} degrees", self.rotation));
        add(self.border != Border::Zero, format!("borders {}", self.border.name()));
        add(self.trivial, "TrivialAugment".into());
        add(color.brightness > 0.0, format!("brightness {}", color.brightness));
        add(color.contrast > 0.0, format!("contrast {}", color.contrast));
        add(color.saturation > 0.0, format!("saturation {}", color.saturation));
        add(color.hue > 0.0, format!("hue {}", color.hue));
        add(self.erase > 0.0, format!("erasing {}", self.erase));
        add(self.cutout > 0, format!("cutout {}", self.cutout));
        add(self.mixup > 0.0, format!("mixup {}", self.mixup));
        add(self.cutmix > 0.0, format!("cutmix {}", self.cutmix));
        add(self.label_smoothing > 0.0, format!("label smoothing {}", self.label_smoothing));
        let mut line = String::new();
        if self.flip > 0.0 {
            let _ = write!(line, "flip{half}");
        }
        for part in parts {
            let _ = write!(line, "{}{part}", if line.is_empty() { "" } else { ", " });
        }
        if line.is_empty() { "none".into() } else { line }
    }
}

/// Numbers of the transforms in an example's stream.
#[derive(Clone, Copy)]
enum Part {
    Flip,
    Crop,
    ResizedCrop,
    Rotation,
    Trivial,
    Color,
    Erase,
    Cutout,
    Mix,
}

/// Applies an [`Augment`] to pictures of one shape; holds the memory that this takes.
#[derive(Clone, Debug)]
pub struct Augmenter {
    augment: Augment,
    frame: Frame,
    seed: u64,
    picture: Vec<u8>,
    spare: Vec<u8>,
}

impl Augmenter {
    /// For pictures of `[height, width, channels]`.
    pub fn new(augment: &Augment, [height, width, channels]: [usize; 3], seed: u64) -> Augmenter {
        let frame = Frame { height, width, channels };
        let (picture, spare) = (vec![0; frame.len()], vec![0; frame.len()]);
        Augmenter { augment: augment.clone(), frame, seed, picture, spare }
    }

    /// The picture of example `index` of the data set as epoch `epoch` (from 0) sees it. Allocates nothing.
    ///
    /// # Panics
    /// If `picture` has not the length that the shape says.
    pub fn apply(&mut self, picture: &[u8], epoch: u64, index: u32) -> &[u8] {
        let Self { augment, frame, picture: out, spare, .. } = self;
        let (augment, frame) = (&*augment, *frame);
        let stream = Stream::new(self.seed, Purpose::Augment, (epoch << 32) | u64::from(index));
        let random = |part: Part| stream.part(part as u32);
        if augment.crop > 0 {
            crop::random(picture, out, frame, augment.crop, augment.border, &mut random(Part::Crop));
        } else {
            out.copy_from_slice(picture);
        }
        if augment.resized_crop > 0.0 {
            resized_crop::random(out, spare, frame, augment.resized_crop, &mut random(Part::ResizedCrop));
            std::mem::swap(out, spare);
        }
        if augment.flip > 0.0 && random(Part::Flip).uniform() < augment.flip {
            flip::horizontal(out, frame);
        }
        if augment.rotation > 0.0 {
            let mut random = random(Part::Rotation);
            rotation::random(out, spare, frame, augment.rotation, augment.border, &mut random);
            std::mem::swap(out, spare);
        }
        if augment.trivial {
            trivial::random(out, spare, frame, augment.border, &mut random(Part::Trivial));
        }
        if !augment.color.is_none() {
            augment.color.random(out, frame, &mut random(Part::Color));
        }
        if augment.erase > 0.0 {
            erase::random(out, frame, augment.erase, &mut random(Part::Erase));
        }
        if augment.cutout > 0 {
            erase::cutout(out, frame, augment.cutout, &mut random(Part::Cutout));
        }
        out
    }

    /// How example `index` is mixed, and with which of `n` others; none if examples are not mixed.
    pub(super) fn mix(&self, n: usize, epoch: u64, index: u32) -> Option<(Mix, usize)> {
        if !self.augment.mixes() {
            return None;
        }
        let stream = Stream::new(self.seed, Purpose::Augment, (epoch << 32) | u64::from(index));
        let mut random = stream.part(Part::Mix as u32);
        let partner = random.below(n as u32) as usize;
        Some((Mix::random(self.augment.mixup, self.augment.cutmix, self.frame, &mut random), partner))
    }
}

#[cfg(test)]
mod tests;

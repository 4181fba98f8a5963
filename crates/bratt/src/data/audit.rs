//! What is wrong with data, before a model learns it.
//!
//! - **unreadable**: files that are corrupt or truncated, by the same strict decoding that training uses;
//! - **twins**: examples with the same pixels (after decoding, so that the same picture as PNG and BMP counts), or the
//!   same rows of a table; worst where a picture has two labels, or is in two parts, so that a test asks what was learned
//!   by heart;
//! - **near twins**: images that look the same: their difference hashes ([`NEAR_BITS`] of 64 bits may differ) and then
//!   their thumbnails ([`NEAR_LEVELS`] of 255 levels on average) agree. The hash alone would take any two simple
//!   drawings for twins;
//! - **balance**: examples of each class in each part;
//! - **sizes and colours** of image files, and the few that are unlike the others: a side more than four times the other,
//!   a shorter side four times below or above the median one, another way to hold colours than 95 % have.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;
use xxhash_rust::xxh3::xxh3_128;

use super::collection::{Found, Portion};
use super::decode::Picture;
use super::look::{self, Look};
use super::open::{Layout, open};
use super::{DataError, Dataset, Features, Options, Source, images, near, parallel};

pub use super::near::{MOST_PAIRS, NEAR_BITS, NEAR_LEVELS};

/// What was found in some data.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Audit {
    /// Number of examples that can be read.
    pub examples: usize,
    /// How many of each class, in the order of the classes; none for regression.
    pub classes: Vec<ClassCounts>,
    /// Image files that are corrupt or truncated.
    pub unreadable: Vec<Unreadable>,
    /// Files that were passed over as they are hidden or no images.
    pub ignored_files: usize,
    /// Folders that were passed over as they are hidden, without images, or links that lead back.
    pub ignored_folders: Vec<String>,
    /// Members of tar files that were refused: links, and names that lead out of the archive.
    pub refused_members: usize,
    /// Groups of examples that are equal.
    pub twins: Vec<Twins>,
    /// Pairs that look the same, nearest first, at most [`Audit::MOST_NEAR`]; those that are equal are not among them.
    pub near_twins: Vec<NearTwins>,
    /// The number of all such pairs, counted up to [`MOST_PAIRS`]; nothing where they were not looked for.
    pub near_twin_count: Option<usize>,
    /// Image files by `height x width`, most frequent first.
    pub sizes: Vec<Count>,
    /// Image files by how they hold colours, most frequent first.
    pub modes: Vec<Count>,
    /// Image files that are unlike the others in size or colours.
    pub odd: Vec<Odd>,
}

/// Examples of one class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClassCounts {
    /// The class.
    pub name: String,
    /// In the training part, or in all if the data have no parts.
    pub train: usize,
    /// In the validation part that came with the data.
    pub val: usize,
    /// In the test part that came with the data.
    pub test: usize,
}

impl ClassCounts {
    /// All of them.
    pub fn all(&self) -> usize {
        self.train + self.val + self.test
    }
}

/// A file that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unreadable {
    /// The file.
    pub file: String,
    /// What is wrong with it.
    pub problem: String,
}

/// One example of the data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Example {
    /// Its file, or `example 17` counted from 0.
    pub name: String,
    /// "train", "val" or "test".
    pub part: &'static str,
    /// Its class; none for regression.
    pub class: Option<String>,
}

/// Examples that are equal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Twins {
    /// They are in more than one part.
    pub across_parts: bool,
    /// They have more than one label.
    pub two_labels: bool,
    /// All of them.
    pub examples: Vec<Example>,
}

/// Two images that look the same.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NearTwins {
    /// Bits of 64 in which their difference hashes differ.
    pub bits: u32,
    /// They are in two parts.
    pub across_parts: bool,
    /// They have two labels.
    pub two_labels: bool,
    /// Both of them.
    pub examples: [Example; 2],
}

/// How often something occurs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Count {
    /// What.
    pub what: String,
    /// How often.
    pub count: usize,
}

/// An example that looks unlike the others, without being wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Odd {
    /// The file.
    pub file: String,
    /// What is odd about it.
    pub what: String,
}

/// One example, as the audit sees it.
struct Record {
    portion: Portion,
    class: Option<u32>,
    look: Look,
}

impl Audit {
    /// Pairs of near twins that are told.
    pub const MOST_NEAR: usize = 1000;

    /// Audits what a path holds: image files one by one, so that broken ones are no error; else what
    /// [`open`](super::open()) reads.
    ///
    /// # Errors
    /// See [`DataError`]: data that cannot be opened at all.
    pub fn open(path: &Path, options: &Options) -> Result<Audit, DataError> {
        if let Some(collection) = Layout::of(path)?.collect(path, options)? {
            return Ok(of_files(&images::scan(collection, options.images.threads), true));
        }
        Ok(of_data(&open(path, options)?.train_and_test(), true))
    }

    /// Audits what was opened, but for near twins, which take a while: short enough to be done before each training.
    pub fn brief(source: &Source) -> Audit {
        match &source.found {
            Some(found) => of_files(found, false),
            None => of_data(&source.train_and_test(), false),
        }
    }

    /// Audits a data set in memory.
    pub fn of(data: &Dataset) -> Audit {
        of_data(&[(Portion::Train, data)], true)
    }

    /// Whether so many images look the same that it does not mean copies: drawings and digits, on plain paper, are alike
    /// by nature.
    pub fn near_twins_mean_nothing(&self) -> bool {
        self.near_twin_count.is_some_and(|count| count > self.examples / 2)
    }

    /// Whether the data came with parts: training and validation or test.
    pub fn has_parts(&self) -> bool {
        self.classes.iter().any(|class| class.val + class.test > 0)
    }

    /// Whether there is something that should be mended: unreadable files, twins of two labels or in two parts.
    pub fn has_faults(&self) -> bool {
        !self.unreadable.is_empty() || self.twins.iter().any(|twins| twins.two_labels || twins.across_parts)
    }

    /// The largest class has so many times the training examples of the smallest; none without classes.
    pub fn imbalance(&self) -> Option<f64> {
        let counts = || self.classes.iter().map(|class| class.train);
        let (least, most) = (counts().min()?, counts().max()?);
        Some(most as f64 / least.max(1) as f64)
    }
}

fn of_files(found: &Found, search_near: bool) -> Audit {
    let collection = &found.collection;
    let below = |path: &Path| path.strip_prefix(&collection.root).unwrap_or(path).display().to_string();
    let (mut records, mut places, mut unreadable) = (Vec::new(), Vec::new(), Vec::new());
    for (item, look) in collection.images.iter().zip(&found.looks) {
        match look {
            Ok(look) => {
                let look = look.clone();
                records.push(Record { portion: item.portion, class: Some(item.class), look });
                places.push(&item.place);
            }
            Err(problem) => {
                let file = below(&item.place.path());
                unreadable.push(Unreadable { file, problem: problem.clone() });
            }
        }
    }
    let name = |at: usize| below(&places[at].path());
    let counted = |what: &dyn Fn(&Look) -> String| {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        records.iter().for_each(|record| *counts.entry(what(&record.look)).or_default() += 1);
        let mut counts: Vec<Count> = counts.into_iter().map(|(what, count)| Count { what, count }).collect();
        counts.sort_by_key(|count| std::cmp::Reverse(count.count));
        counts
    };
    let modes = counted(&|look| look.mode.to_string());
    Audit {
        unreadable,
        ignored_files: collection.ignored,
        ignored_folders: collection.ignored_folders.iter().map(|path| below(path)).collect(),
        refused_members: collection.refused,
        sizes: counted(&|look| format!("{}x{}", look.size[0], look.size[1])),
        odd: odd(&records, &modes, &name),
        modes,
        ..of_records(&records, &collection.classes, &name, search_near)
    }
}

/// Sides that are so many times longer than the other, or than the median, are odd; and those so many times shorter.
const ODD_TIMES: u32 = 4;
/// A way to hold colours is odd where at least this share of the images has another.
const USUAL_MODE: f64 = 0.95;

fn odd(records: &[Record], modes: &[Count], name: &dyn Fn(usize) -> String) -> Vec<Odd> {
    let mut shorter: Vec<u32> =
        records.iter().map(|record| record.look.size[0].min(record.look.size[1])).collect();
    shorter.sort_unstable();
    let Some(&median) = shorter.get(shorter.len() / 2) else { return Vec::new() };
    let usual = modes.first().filter(|mode| mode.count as f64 >= USUAL_MODE * records.len() as f64);
    let mut found = Vec::new();
    for (at, Record { look, .. }) in records.iter().enumerate() {
        let [height, width] = look.size;
        let (short, long) = (height.min(width), height.max(width));
        let mut what = Vec::new();
        if long > short.saturating_mul(ODD_TIMES) {
            what.push(format!("{height}x{width} is long and narrow"));
        } else if short.saturating_mul(ODD_TIMES) < median {
            what.push(format!(
                "{height}x{width} is small: half of the images have sides of {median} and more"
            ));
        } else if short > median.saturating_mul(ODD_TIMES) {
            what.push(format!(
                "{height}x{width} is large: half of the images have sides of {median} and less"
            ));
        }
        if let Some(usual) = usual.filter(|usual| usual.what != look.mode) {
            what.push(format!(
                "{}, where {} of {} are {}",
                look.mode,
                usual.count,
                records.len(),
                usual.what
            ));
        }
        if !what.is_empty() {
            found.push(Odd { file: name(at), what: what.join("; ") });
        }
    }
    found
}

fn of_data(parts: &[(Portion, &Dataset)], search_near: bool) -> Audit {
    let (mut records, mut begins) = (Vec::new(), Vec::new());
    for &(portion, data) in parts {
        begins.push(records.len());
        let indices: Vec<usize> = (0..data.len()).collect();
        let looks = parallel::map(&indices, 0, |&at| look_of(data, at, search_near));
        let class = |at: usize| data.labels().get(at).copied();
        records.extend(looks.into_iter().zip(0..).map(|(look, at)| Record {
            portion,
            class: class(at),
            look,
        }));
    }
    // Examples are counted within their part.
    let name = |at: usize| {
        let begin = begins.iter().rev().find(|&&begin| begin <= at).unwrap_or(&0);
        format!("example {}", at - begin)
    };
    let classes = parts.first().map(|(_, data)| data.classes()).unwrap_or_default();
    of_records(&records, classes, &name, search_near)
}

fn look_of(data: &Dataset, at: usize, with_thumbnail: bool) -> Look {
    let n = data.feature_len();
    match (data.features(), data.shape()) {
        (Features::Pixels { bytes, scale }, &[height, width, channels @ (1 | 3)]) if with_thumbnail => {
            let bytes = &bytes[at * n..][..n];
            let levels = bytes.iter().map(|&b| (f32::from(b) * scale * 255.0) as u8).collect();
            let (height, width) = (height as u32, width as u32);
            let picture = Picture { width, height, channels: channels as u8, bytes: levels, mode: "" };
            Look { thumbnail: look::thumbnail(&picture), ..Look::of_bytes(bytes) }
        }
        (Features::Pixels { bytes, .. }, _) => Look::of_bytes(&bytes[at * n..][..n]),
        (Features::Table { values, .. }, _) => {
            let row: Vec<u8> = values[at * n..][..n].iter().flat_map(|value| value.to_le_bytes()).collect();
            Look::of_bytes(&row)
        }
    }
}

impl Look {
    /// Of its bytes alone; examples of a data set have one shape.
    fn of_bytes(bytes: &[u8]) -> Look {
        Look { size: [0, 0], mode: "", pixels: xxh3_128(bytes), thumbnail: None }
    }
}

fn of_records(
    records: &[Record],
    classes: &[String],
    name: &dyn Fn(usize) -> String,
    search_near: bool,
) -> Audit {
    let example = |at: usize| {
        let Record { portion, class, .. } = &records[at];
        let class = class.and_then(|class| classes.get(class as usize).cloned());
        Example { name: name(at), part: portion.name(), class }
    };
    let mut counts: Vec<ClassCounts> =
        classes.iter().map(|name| ClassCounts { name: name.clone(), train: 0, val: 0, test: 0 }).collect();
    for record in records {
        let Some(counts) = record.class.and_then(|class| counts.get_mut(class as usize)) else { continue };
        *match record.portion {
            Portion::Train => &mut counts.train,
            Portion::Val => &mut counts.val,
            Portion::Test => &mut counts.test,
        } += 1;
    }
    let across_parts = |at: &[usize]| at.iter().any(|&i| records[i].portion != records[at[0]].portion);
    let two_labels = |at: &[usize]| at.iter().any(|&i| records[i].class != records[at[0]].class);

    let mut order: Vec<(u128, usize)> = records.iter().map(|record| record.look.pixels).zip(0..).collect();
    order.sort_unstable();
    // Without the search for near twins those that are alone do not matter, and they are many.
    let groups = order.chunk_by(|a, b| a.0 == b.0).filter(|group| search_near || group.len() > 1);
    let mut groups: Vec<Vec<usize>> = groups.map(|group| group.iter().map(|&(_, at)| at).collect()).collect();
    groups.sort_unstable();
    let firsts: Vec<usize> = groups.iter().map(|group| group[0]).collect();
    let twins = groups.iter().filter(|group| group.len() > 1).map(|group| Twins {
        across_parts: across_parts(group),
        two_labels: two_labels(group),
        examples: group.iter().map(|&at| example(at)).collect(),
    });
    let mut audit =
        Audit { examples: records.len(), classes: counts, twins: twins.collect(), ..Audit::default() };
    if search_near {
        let looks: Vec<&Look> = firsts.iter().map(|&at| &records[at].look).collect();
        let pairs = near::pairs(&looks);
        audit.near_twin_count = Some(pairs.len());
        for &(bits, a, b) in pairs.iter().take(Audit::MOST_NEAR) {
            let both = [firsts[a], firsts[b]];
            audit.near_twins.push(NearTwins {
                bits,
                across_parts: across_parts(&both),
                two_labels: two_labels(&both),
                examples: both.map(example),
            });
        }
    }
    audit
}

#[cfg(test)]
mod tests;

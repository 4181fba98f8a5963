//! Reading the images of a collection, block by block, so that beside what is kept only one block is in memory.

use std::io;

use crate::data::cache::{self, CacheReader, Decoded};
use crate::data::collection::{self, Collection, Item, Portion};
use crate::data::dataset::thousands;
use crate::data::decode::{self, Picture};
use crate::data::look::Look;
use crate::data::pixels::{PixelWriter, Pixels, Room};
use crate::data::{DataError, Options, PixelCache, resize};

/// Bytes of a block: enough to keep all threads busy, little beside a data set.
const BLOCK: usize = 64 << 20;

/// All images of a collection at one size.
pub(super) struct Images {
    pub train: Part,
    pub test: Part,
    /// Indices of the training images that came as the validation part.
    pub val: Vec<u32>,
    /// What was seen of each image, or why it cannot be used.
    pub looks: Vec<Result<Look, String>>,
    pub bad: Vec<DataError>,
    /// 1 or 3; before the end, what the images so far need.
    pub channels: usize,
    /// A word about the cache.
    pub cached: Option<String>,
    /// Whether the number of channels was asked for.
    fixed: bool,
    size: [usize; 2],
    room: Room,
}

/// The images of one part.
pub(super) struct Part {
    pub labels: Vec<u32>,
    pixels: PixelWriter,
}

impl Part {
    pub(super) fn finish(self) -> Result<(Pixels, Vec<u32>), DataError> {
        Ok((self.pixels.finish()?, self.labels))
    }
}

/// Reads every image, from the cache as far as it has them.
pub(super) fn read(
    collection: &Collection,
    size: [usize; 2],
    options: &Options,
) -> Result<Images, DataError> {
    let (threads, fit) = (options.images.threads, options.images.fit);
    let decode = |items: &[Item]| {
        collection::map(items, threads, |item, file| {
            let picture = decode::decode(file, &item.place.path())?;
            let (look, channels) = (Look::of(&picture, false), picture.channels);
            Ok(Decoded { look, channels, bytes: resize::resized(picture, size, fit)? })
        })
    };
    let (count, image) = (collection.images.len(), size[0].saturating_mul(size[1]).saturating_mul(3));
    let folder = options.cache.as_ref().map(PixelCache::folder);
    let room = Room::choose(count as u64 * image as u64, options.memory, folder);
    let none = || Images::new(&room, options.images.channels, size);
    let blocks = collection.blocks((BLOCK / image.max(1)).max(1));

    let key = |cache| Some((cache, cache::key(collection, size, fit)?));
    let Some((cache, key)) = options.cache.as_ref().and_then(key) else {
        let mut images = none()?;
        for block in blocks {
            images.add(block, decode(block))?;
        }
        return Ok(images);
    };
    if let Some(reader) = cache.reader(key, count, size)
        && let Some(images) = kept(reader, &blocks, none()?, decode)?
    {
        return Ok(images);
    }
    let (mut images, mut writer) = (none()?, cache.writer(key, count, size));
    for block in blocks {
        let read = decode(block);
        read.iter().for_each(|image| writer.put(image.as_ref().ok()));
        images.add(block, read)?;
    }
    // Files that changed while they were read would be kept under the key of what they were before.
    if images.bad.len() < count && cache::key(collection, size, fit) == Some(key) {
        images.cached = writer.finish();
    }
    Ok(images)
}

/// The images of the cache, and those that it lacks; nothing where its file turns out not to be whole.
fn kept(
    mut reader: CacheReader,
    blocks: &[&[Item]],
    mut images: Images,
    decode: impl Fn(&[Item]) -> Vec<Result<Decoded, DataError>>,
) -> Result<Option<Images>, DataError> {
    let mut count = 0;
    for &block in blocks {
        let kept: io::Result<Vec<Option<Decoded>>> = block.iter().map(|_| reader.next()).collect();
        let Ok(kept) = kept else { return Ok(None) };
        let missing = block.iter().zip(&kept).filter(|(_, kept)| kept.is_none());
        let missing: Vec<Item> = missing.map(|(item, _)| item.clone()).collect();
        count += block.len() - missing.len();
        let mut rest = decode(&missing).into_iter();
        images.add(block, kept.into_iter().filter_map(|kept| kept.map(Ok).or_else(|| rest.next())))?;
    }
    let what = if count == 1 { "image" } else { "images" };
    images.cached = Some(format!("{} {what} from the cache", thousands(count)));
    Ok(reader.verify().then_some(images))
}

impl Images {
    fn new(room: &Room, channels: Option<usize>, size: [usize; 2]) -> Result<Images, DataError> {
        let part = || Ok::<_, DataError>(Part { labels: Vec::new(), pixels: room.writer()? });
        Ok(Images {
            train: part()?,
            test: part()?,
            val: Vec::new(),
            looks: Vec::new(),
            bad: Vec::new(),
            channels: channels.unwrap_or(1),
            cached: None,
            fixed: channels.is_some(),
            size,
            room: room.clone(),
        })
    }

    /// Adds the images of a block.
    fn add(
        &mut self,
        items: &[Item],
        read: impl IntoIterator<Item = Result<Decoded, DataError>>,
    ) -> Result<(), DataError> {
        for (item, read) in items.iter().zip(read) {
            let Decoded { look, channels, bytes } = match read {
                Ok(read) => read,
                Err(error) => {
                    self.looks.push(Err(super::said(&error)));
                    self.bad.push(error);
                    continue;
                }
            };
            if channels == 3 && self.channels == 1 && !self.fixed {
                self.channels = 3;
                self.train.pixels = in_colour(&mut self.train.pixels, &self.room)?;
                self.test.pixels = in_colour(&mut self.test.pixels, &self.room)?;
            }
            self.looks.push(Ok(look));
            let part = if item.portion == Portion::Test { &mut self.test } else { &mut self.train };
            if item.portion == Portion::Val {
                self.val.push(part.labels.len() as u32);
            }
            part.labels.push(item.class);
            part.pixels.write(&with_channels(bytes, channels, self.channels, self.size))?;
        }
        Ok(())
    }
}

/// What was grey so far, in three channels.
fn in_colour(grey: &mut PixelWriter, room: &Room) -> Result<PixelWriter, DataError> {
    let mut colour = room.writer()?;
    let grey = std::mem::replace(grey, PixelWriter::Memory(Vec::new())).finish()?;
    for some in grey.chunks(1 << 20) {
        colour.write(&resize::tripled(some))?;
    }
    Ok(colour)
}

fn with_channels(bytes: Vec<u8>, own: u8, channels: usize, [height, width]: [usize; 2]) -> Vec<u8> {
    match (own, channels) {
        (1, 3) => resize::tripled(&bytes),
        (3, 1) => {
            let (height, width) = (height as u32, width as u32);
            resize::grey(&Picture { width, height, channels: 3, bytes, mode: "" }).bytes
        }
        _ => bytes,
    }
}

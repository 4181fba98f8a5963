use super::super::{Dataset, ImageOptions, OnBad, Options, Source, open};
use super::*;
use image::{Rgb, RgbImage};

struct Folders {
    data: tempfile::TempDir,
    cache: tempfile::TempDir,
}

impl Folders {
    fn new() -> Folders {
        let place = Folders { data: tempfile::tempdir().unwrap(), cache: tempfile::tempdir().unwrap() };
        for (name, red) in [
            ("train/a/1.png", 10),
            ("train/a/2.png", 20),
            ("train/b/1.png", 30),
            ("test/a/1.png", 40),
            ("test/b/1.png", 0),
        ] {
            place.image(name, red);
        }
        place
    }

    fn image(&self, name: &str, red: u8) {
        let path = self.data.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        RgbImage::from_fn(9, 7, |x, y| Rgb([red, x as u8 * 20, y as u8 * 30])).save(path).unwrap();
    }

    fn cache(&self) -> PixelCache {
        PixelCache::new(self.cache.path().join("bratt"))
    }

    fn open(&self, cache: Option<PixelCache>) -> Source {
        let images = ImageOptions { size: Some([5, 4]), on_bad: OnBad::Skip, ..ImageOptions::default() };
        open(self.data.path(), &Options { images, cache, ..Options::default() }).unwrap()
    }

    fn file(&self) -> PathBuf {
        let files = self.cache().files().unwrap();
        assert_eq!(files.len(), 1);
        files[0].path.clone()
    }
}

fn parts(source: &Source) -> (&Dataset, Option<&Dataset>) {
    (&source.train, source.test.as_ref())
}

#[test]
fn the_second_reading_decodes_nothing_and_gives_the_same_bits() {
    let place = Folders::new();
    let without = place.open(None);
    let first = place.open(Some(place.cache()));
    let second = place.open(Some(place.cache()));
    assert!(!first.describe().contains("cache"), "{}", first.describe());
    assert!(second.describe().contains("; 5 images from the cache"), "{}", second.describe());
    assert_eq!(parts(&first), parts(&without));
    assert_eq!(parts(&second), parts(&without));
    let looks = |source: &Source| source.found.as_ref().unwrap().looks.clone();
    assert_eq!(looks(&second), looks(&without));
    assert_eq!(fs::read_dir(place.data.path()).unwrap().count(), 2, "nothing is written beside the data");
}

#[test]
fn a_changed_or_added_image_or_another_size_is_decoded() {
    let place = Folders::new();
    place.open(Some(place.cache()));
    place.image("train/a/1.png", 200);
    let changed = place.open(Some(place.cache()));
    assert!(!changed.describe().contains("cache"));
    assert_eq!(parts(&changed), parts(&place.open(None)));
    place.image("train/a/3.png", 1);
    assert_eq!(place.open(Some(place.cache())).train.len(), 4);
    let images = ImageOptions { size: Some([4, 5]), ..ImageOptions::default() };
    let options = Options { images, cache: Some(place.cache()), ..Options::default() };
    assert_eq!(open(place.data.path(), &options).unwrap().train.shape(), [4, 5, 3]);
}

#[test]
fn a_damaged_file_is_ignored_and_mended() {
    let place = Folders::new();
    let good = place.open(Some(place.cache()));
    let file = place.file();
    let bytes = fs::read(&file).unwrap();
    for damaged in 0..bytes.len() + 2 {
        let mut broken = bytes.clone();
        match broken.get_mut(damaged) {
            Some(byte) => *byte ^= 64,
            None if damaged == bytes.len() => broken.truncate(bytes.len() / 2),
            None => broken.push(0),
        }
        fs::write(&file, broken).unwrap();
        let (key, size) = (u128::from_le_bytes(bytes[8..24].try_into().unwrap()), [5, 4]);
        let read = place.cache().reader(key, 5, size).and_then(|mut reader| {
            (0..5).try_for_each(|_| reader.next().map(|_| ())).ok()?;
            reader.verify().then_some(())
        });
        assert!(read.is_none(), "byte {damaged}");
    }
    let again = place.open(Some(place.cache()));
    assert_eq!(parts(&again), parts(&good));
    assert_eq!(fs::read(&file).unwrap(), bytes);
}

#[test]
fn an_image_that_cannot_be_read_is_tried_again() {
    let place = Folders::new();
    fs::write(place.data.path().join("train/a/0.png"), "no picture").unwrap();
    let first = place.open(Some(place.cache()));
    let second = place.open(Some(place.cache()));
    assert_eq!(parts(&first), parts(&second));
    let told = second.describe();
    assert!(told.contains("5 images from the cache; 1 unusable image left out"), "{told}");
}

#[test]
fn what_was_not_used_for_longest_makes_room() {
    let place = Folders::new();
    place.open(Some(place.cache()));
    let (old, bytes) = (place.file(), place.cache().usage().unwrap().bytes);
    place.image("train/a/1.png", 77);
    let told = place.open(Some(place.cache().with_limit(bytes + 40)));
    assert!(told.describe().contains("the oldest file of the cache made room"), "{}", told.describe());
    assert!(!old.exists() && place.file().exists());
    place.image("train/a/1.png", 78);
    let told = place.open(Some(place.cache().with_limit(100)));
    assert!(told.describe().contains("more than its limit"), "{}", told.describe());
}

#[test]
fn what_does_not_fit_into_memory_is_read_from_disk() {
    let place = Folders::new();
    // Grey first: what was read so far must get its three channels.
    image::GrayImage::from_pixel(9, 7, image::Luma([50]))
        .save(place.data.path().join("train/a/0.png"))
        .unwrap();
    let images = ImageOptions { size: Some([5, 4]), ..ImageOptions::default() };
    let small =
        Options { images, cache: Some(place.cache()), memory: Some(6 * 60 - 1), ..Options::default() };
    let in_memory = place.open(None);
    for told in
        ["test data given: 2; read from disk", "test data given: 2; 6 images from the cache; read from disk"]
    {
        let on_disk = open(place.data.path(), &small).unwrap();
        assert_eq!(parts(&on_disk), parts(&in_memory));
        assert_eq!(on_disk.train.fingerprint(), in_memory.train.fingerprint());
        assert!(on_disk.describe().contains(told), "{}", on_disk.describe());
        assert_eq!(fs::read_dir(place.cache().folder()).unwrap().count(), 1, "the images of the cache alone");
    }
    let fits = open(place.data.path(), &Options { memory: Some(6 * 60), ..small }).unwrap();
    assert!(!fits.describe().contains("disk"), "{}", fits.describe());
}

#[test]
fn clearing_leaves_the_files_of_others() {
    let place = Folders::new();
    place.open(Some(place.cache()));
    let others = place.cache().folder().join("notes.pixels");
    fs::write(&others, "mine").unwrap();
    assert_eq!(place.cache().clear().unwrap().files, 1);
    assert_eq!(place.cache().usage().unwrap(), Usage::default());
    assert!(others.exists());
}

#[test]
fn a_cache_that_cannot_be_written_is_a_note() {
    let place = Folders::new();
    let file = place.cache.path().join("file");
    fs::write(&file, "").unwrap();
    let source = place.open(Some(PixelCache::new(file.join("below"))));
    assert!(source.describe().contains("not kept in the cache"), "{}", source.describe());
    assert_eq!(parts(&source), parts(&place.open(None)));
}

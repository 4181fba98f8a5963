use super::super::{Fit, Fractions};
use super::*;
use image::{GrayImage, Luma, Rgb, RgbImage};
use std::fs;
use std::path::PathBuf;

/// A folder of images that are made on the way.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }

    fn at(&self, name: &str) -> PathBuf {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    }

    fn grey(&self, name: &str, width: u32, height: u32, value: u8) {
        GrayImage::from_pixel(width, height, Luma([value])).save(self.at(name)).unwrap();
    }

    fn colour(&self, name: &str, width: u32, height: u32, value: [u8; 3]) {
        RgbImage::from_pixel(width, height, Rgb(value)).save(self.at(name)).unwrap();
    }

    fn load(&self, images: ImageOptions) -> Result<Source, DataError> {
        super::super::open(self.0.path(), &Options { images, ..Options::default() })
    }
}

fn bytes(data: &Dataset) -> &[u8] {
    let Features::Pixels { bytes, .. } = data.features() else { panic!("pixels") };
    bytes
}

#[test]
fn small_images_of_one_size_are_kept_as_they_are() {
    let folder = Folder::new();
    for (name, value) in [("cat/2.png", 20), ("cat/1.png", 10), ("ant/1.bmp", 30)] {
        folder.grey(name, 3, 2, value);
    }
    let source = folder.load(ImageOptions::default()).unwrap();
    assert_eq!(source.train.shape(), [2, 3, 1]);
    assert_eq!(
        (source.train.classes(), source.train.labels()),
        (&["ant".into(), "cat".into()][..], &[0, 1, 1][..])
    );
    assert_eq!(bytes(&source.train), [[30; 6], [10; 6], [20; 6]].concat());
    assert!(
        source.describe().contains("3 images 2x3x1, 2 classes; the size that all have"),
        "{}",
        source.describe()
    );
    assert!(source.val.is_empty() && source.test.is_none());
}

#[test]
fn images_of_many_sizes_get_the_median_shorter_side_up_to_64() {
    let folder = Folder::new();
    folder.grey("a/1.png", 10, 40, 1);
    folder.grey("a/2.png", 30, 20, 2);
    folder.grey("b/1.png", 90, 30, 3);
    let source = folder.load(ImageOptions::default()).unwrap();
    assert_eq!(source.train.shape(), [20, 20, 1]);
    assert!(source.describe().contains("made 20x20 by crop: sizes differ"), "{}", source.describe());

    let large = Folder::new();
    large.grey("a/1.png", 200, 100, 1);
    large.grey("b/1.png", 200, 100, 2);
    let source = large.load(ImageOptions::default()).unwrap();
    assert_eq!(source.train.shape(), [64, 64, 1]);
    assert!(source.describe().contains("all are 100x200"), "{}", source.describe());
    let asked = large.load(ImageOptions { size: Some([4, 6]), fit: Fit::Pad, ..Default::default() }).unwrap();
    assert_eq!((asked.train.shape(), asked.train.fit()), (&[4, 6, 1][..], Fit::Pad));
}

#[test]
fn one_colour_image_makes_all_have_colours() {
    let folder = Folder::new();
    folder.grey("a/1.png", 1, 1, 5);
    folder.colour("b/1.png", 1, 1, [7, 7, 7]);
    let grey = folder.load(ImageOptions::default()).unwrap();
    assert_eq!((grey.train.shape(), bytes(&grey.train)), (&[1, 1, 1][..], &[5, 7][..]));
    folder.colour("b/2.png", 1, 1, [0, 255, 0]);
    let colour = folder.load(ImageOptions::default()).unwrap();
    assert_eq!(bytes(&colour.train), [5, 5, 5, 7, 7, 7, 0, 255, 0]);
    let asked = folder.load(ImageOptions { channels: Some(1), ..Default::default() }).unwrap();
    assert_eq!(bytes(&asked.train), [5, 7, 150]);
}

#[test]
fn parts_that_are_given_stay_as_they_are() {
    let folder = Folder::new();
    let names = ["train/a/1.png", "train/a/2.png", "train/b/1.png", "val/b/1.png", "test/a/1.png"];
    for (name, value) in names.into_iter().zip(1..) {
        folder.grey(name, 1, 1, value);
    }
    let source = folder.load(ImageOptions::default()).unwrap();
    assert_eq!((bytes(&source.train), source.val.as_slice()), (&[1, 2, 3, 4][..], &[3][..]));
    assert_eq!(bytes(source.test.as_ref().unwrap()), [5]);
    assert_eq!(source.fractions(), Fractions { train: 1.0, val: 0.0, test: 0.0 });
}

#[test]
fn files_that_cannot_be_used_are_listed_or_left_out() {
    let folder = Folder::new();
    for n in 0..12 {
        let name = format!("a/{n:02}.jpg");
        folder.colour(&name, 16, 16, [n, 100, 200]);
        let whole = fs::read(folder.at(&name)).unwrap();
        fs::write(folder.at(&name), &whole[..whole.len() / 2]).unwrap();
    }
    fs::write(folder.at("a/99.png"), "text").unwrap();
    folder.grey("a/good.png", 4, 4, 1);
    folder.grey("b/good.png", 4, 4, 1);
    let message = folder.load(ImageOptions::default()).unwrap_err().to_string();
    assert!(message.contains("13 of 15 images cannot be used"), "{message}");
    assert!(
        message.contains("00.jpg: the image is truncated") && message.contains("and 3 more"),
        "{message}"
    );
    assert_eq!(message.lines().count(), 12, "ten by name: {message}");
    let skip = ImageOptions { on_bad: OnBad::Skip, ..Default::default() };
    let source = folder.load(skip).unwrap();
    assert_eq!((source.train.len(), source.train.shape()), (2, &[4, 4, 1][..]));
    assert!(source.describe().contains("13 unusable images left out"));
    // A class without a single image cannot be learned.
    fs::write(folder.at("b/good.png"), "text").unwrap();
    let message = folder.load(skip).unwrap_err().to_string();
    assert!(message.contains("none of the training images of class \"b\""), "{message}");
    fs::write(folder.at("a/good.png"), "text").unwrap();
    assert!(matches!(folder.load(skip), Err(DataError::BadImages { all: 15, .. })));
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let folder = Folder::new();
    for n in 0..40u8 {
        let class = ["a", "b", "c"][usize::from(n) % 3];
        folder.colour(&format!("{class}/{n}.jpg"), 10 + u32::from(n), 30, [n, 2 * n, 3 * n]);
    }
    let load = |threads| folder.load(ImageOptions { threads, ..Default::default() }).unwrap();
    let one = load(1);
    for threads in [2, 3, 8] {
        assert_eq!(load(threads).train, one.train, "{threads}");
        assert_eq!(load(threads).describe(), one.describe());
    }
}

#[test]
fn files_that_vanish_are_named() {
    let folder = Folder::new();
    for name in ["a/1.png", "a/2.png", "b/1.png"] {
        folder.grey(name, 2, 2, 9);
    }
    let collection = super::super::tree::read(folder.0.path(), None).unwrap();
    fs::remove_file(folder.at("a/2.png")).unwrap();
    let error = load(folder.0.path(), collection.clone(), &Options::default()).unwrap_err().to_string();
    assert!(error.contains("1 of 3 images cannot be used"), "{error}");
    assert!(error.contains("2.png: cannot be read"), "{error}");
    let found = scan(collection, 1);
    assert_eq!(found.looks.iter().filter(|look| look.is_err()).count(), 1);
}

/// A PNG file of that size without its pixels.
fn png_of_size(width: u32, height: u32) -> Vec<u8> {
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 2, 0, 0, 0]].concat();
    for (kind, data) in [(b"IHDR", &header[..]), (b"IDAT", &[0x78, 0x9c]), (b"IEND", &[])] {
        let chunk = [&kind[..], data].concat();
        let mut sum = flate2::Crc::new();
        sum.update(&chunk);
        file.extend((data.len() as u32).to_be_bytes());
        file.extend(&chunk);
        file.extend(sum.sum().to_be_bytes());
    }
    file
}

#[test]
fn an_image_that_would_fill_the_memory_is_refused_by_its_header() {
    let folder = Folder::new();
    folder.grey("a/1.png", 2, 2, 1);
    folder.grey("b/1.png", 2, 2, 1);
    fs::write(folder.at("a/huge.png"), png_of_size(50_000, 50_000)).unwrap();
    let begin = std::time::Instant::now();
    let error = folder.load(ImageOptions::default()).unwrap_err().to_string();
    assert!(error.contains("1 of 3 images") && error.contains("huge.png: not a readable image"), "{error}");
    assert!(error.contains("(Image size exceeds limit)"), "{error}");
    assert!(begin.elapsed().as_secs() < 5);
    let path = Path::new("small.png");
    assert!(!decode::decode(&png_of_size(2, 2), path).unwrap_err().to_string().contains("limit"));
}

#[cfg(unix)]
#[test]
fn names_that_are_no_text_are_names_too() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let folder = Folder::new();
    folder.grey("a/1.png", 2, 2, 1);
    folder.grey("c/1.png", 2, 2, 3);
    let odd = folder.0.path().join(OsStr::from_bytes(b"b\xff"));
    fs::create_dir(&odd).unwrap();
    fs::copy(folder.at("a/1.png"), odd.join(OsStr::from_bytes(b"\xfe.png"))).unwrap();
    let source = folder.load(ImageOptions::default()).unwrap();
    assert_eq!(source.train.classes(), ["a", "b\u{fffd}", "c"]);
    fs::create_dir(folder.0.path().join(OsStr::from_bytes(b"b\xfe"))).unwrap();
    fs::copy(folder.at("a/1.png"), folder.0.path().join(OsStr::from_bytes(b"b\xfe/1.png"))).unwrap();
    let error = folder.load(ImageOptions::default()).unwrap_err().to_string();
    assert!(error.contains("two folders of class"), "{error}");
}

#[test]
fn the_size_is_found_in_files_that_begin_with_much_else() {
    let folder = Folder::new();
    folder.colour("a/1.jpg", 30, 20, [1, 2, 3]);
    folder.colour("b/1.jpg", 30, 20, [3, 2, 1]);
    // Two comments of 60 kB behind the first marker.
    let file = fs::read(folder.at("a/1.jpg")).unwrap();
    let comment = [&[0xff, 0xfe, 0xea, 0x62][..], &[b'x'; 60_000]].concat();
    fs::write(folder.at("a/1.jpg"), [&file[..2], &comment, &comment, &file[2..]].concat()).unwrap();
    assert_eq!(folder.load(ImageOptions::default()).unwrap().train.shape(), [20, 30, 3]);
}

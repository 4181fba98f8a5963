use super::*;
use image::{GrayImage, Luma, RgbImage};
use std::fs;

/// A picture that looks like no other of another `kind`.
fn wave(kind: u32, side: u32) -> GrayImage {
    let angle = 1.3 * f64::from(kind);
    GrayImage::from_fn(side, side, |x, y| {
        let [x, y] = [x, y].map(|at| (f64::from(at) + 0.5) / f64::from(side));
        let phase = 11.0 * (x * angle.cos() + y * angle.sin()) + f64::from(kind);
        Luma([(128.0 + 100.0 * phase.sin()) as u8])
    })
}

fn save(root: &tempfile::TempDir, name: &str, image: &GrayImage) {
    let path = root.path().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    image.save(path).unwrap();
}

fn names(examples: &[Example]) -> Vec<&str> {
    examples.iter().map(|example| example.name.as_str()).collect()
}

#[test]
fn a_folder_is_told_by_name_what_is_wrong_with_it() {
    let root = tempfile::tempdir().unwrap();
    for kind in 0..4 {
        save(&root, &format!("train/a/{kind}.png"), &wave(kind, 40));
        save(&root, &format!("train/b/{kind}.png"), &wave(kind + 4, 40));
    }
    save(&root, "train/a/8.png", &wave(8, 40));
    save(&root, "train/a/copy.bmp", &wave(1, 40));
    save(&root, "train/b/two labels.png", &wave(2, 40));
    save(&root, "test/a/known.png", &wave(3, 40));
    save(&root, "test/b/small.png", &wave(5, 33));
    let whole = fs::read(root.path().join("train/b/2.png")).unwrap();
    fs::write(root.path().join("train/b/cut.png"), &whole[..whole.len() - 20]).unwrap();
    fs::write(root.path().join("train/b/text.jpg"), "text").unwrap();
    fs::write(root.path().join("train/b/Thumbs.db"), "").unwrap();
    RgbImage::from_fn(5, 4, |x, y| image::Rgb([x as u8, y as u8, 0]))
        .save(root.path().join("test/b/c.png"))
        .unwrap();

    let audit = Audit::open(root.path(), &Options::default()).unwrap();
    assert_eq!((audit.examples, audit.ignored_files), (14, 1));
    let counts: Vec<_> = audit.classes.iter().map(|c| (c.name.as_str(), c.train, c.val, c.test)).collect();
    assert_eq!(counts, [("a", 6, 0, 1), ("b", 5, 0, 2)]);
    assert_eq!(audit.imbalance(), Some(6.0 / 5.0));
    let unreadable: Vec<_> = audit.unreadable.iter().map(|u| u.file.as_str()).collect();
    assert_eq!(unreadable, ["train/b/cut.png", "train/b/text.jpg"]);
    let twins: Vec<_> =
        audit.twins.iter().map(|t| (names(&t.examples), t.across_parts, t.two_labels)).collect();
    assert_eq!(
        twins,
        [
            (vec!["train/a/1.png", "train/a/copy.bmp"], false, false),
            (vec!["train/a/2.png", "train/b/two labels.png"], false, true),
            (vec!["train/a/3.png", "test/a/known.png"], true, false),
        ]
    );
    assert_eq!(audit.near_twin_count, Some(1), "{:?}", audit.near_twins);
    let near = &audit.near_twins[0];
    assert_eq!(names(&near.examples), ["train/b/1.png", "test/b/small.png"]);
    assert!(near.across_parts && !near.two_labels && near.bits <= NEAR_BITS);
    let sizes: Vec<_> = audit.sizes.iter().map(|s| (s.what.as_str(), s.count)).collect();
    assert_eq!(sizes, [("40x40", 12), ("33x33", 1), ("4x5", 1)]);
    let modes: Vec<_> = audit.modes.iter().map(|s| (s.what.as_str(), s.count)).collect();
    // BMP has no grey, only colours that look like it.
    assert_eq!(modes, [("grey", 12), ("colour", 2)]);
    assert!(audit.has_faults());
}

#[test]
fn the_brief_audit_agrees_with_the_long_one() {
    let root = tempfile::tempdir().unwrap();
    for kind in 0..3 {
        save(&root, &format!("a/{kind}.png"), &wave(kind, 20));
        save(&root, &format!("b/{kind}.png"), &wave(kind + 3 * (kind % 2), 20));
    }
    let source = open(root.path(), &Options::default()).unwrap();
    let brief = Audit::brief(&source);
    let long = Audit::open(root.path(), &Options::default()).unwrap();
    assert_eq!(brief.twins.len(), 2);
    assert_eq!(Audit { near_twins: vec![], near_twin_count: None, ..long }, brief);
}

#[test]
fn clean_data_has_no_faults_and_tables_are_looked_at_too() {
    let audit = Audit::of(&super::super::digits());
    assert_eq!((audit.examples, audit.classes.len(), audit.has_faults()), (1797, 10, false));
    assert!(audit.twins.is_empty(), "{:?}", audit.twins);

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    fs::write(&path, "x,label\n1,a\n2,b\n1,b\n").unwrap();
    let audit = Audit::open(&path, &Options::default()).unwrap();
    assert_eq!(names(&audit.twins[0].examples), ["example 0", "example 2"]);
    assert!(audit.twins[0].two_labels && audit.has_faults());
    assert_eq!(audit.near_twin_count, Some(0));
}

#[test]
fn images_unlike_the_others_are_told() {
    let root = tempfile::tempdir().unwrap();
    for kind in 0..12 {
        save(&root, &format!("a/{kind:02}.png"), &wave(kind, 40));
        save(&root, &format!("b/{kind:02}.png"), &wave(kind + 20, 40));
    }
    save(&root, "a/small.png", &wave(50, 9));
    save(&root, "b/large.png", &wave(51, 161));
    save(&root, "b/narrow.png", &GrayImage::from_fn(41, 10, |x, _| Luma([x as u8])));
    let odd = |root: &tempfile::TempDir| {
        let audit = Audit::open(root.path(), &Options::default()).unwrap();
        assert!(!audit.has_faults());
        audit.odd.into_iter().map(|odd| format!("{}: {}", odd.file, odd.what)).collect::<Vec<_>>()
    };
    assert_eq!(
        odd(&root),
        [
            "a/small.png: 9x9 is small: half of the images have sides of 40 and more",
            "b/large.png: 161x161 is large: half of the images have sides of 40 and less",
            "b/narrow.png: 10x41 is long and narrow",
        ]
    );
    image::DynamicImage::from(wave(60, 40)).to_rgba8().save(root.path().join("a/alpha.png")).unwrap();
    assert!(odd(&root).contains(&"a/alpha.png: colour + alpha, where 27 of 28 are grey".to_string()));
}

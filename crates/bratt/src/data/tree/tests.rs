use super::*;

fn laid_out(paths: &[&str]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for path in paths {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    }
    root
}

/// Paths below the root with portion and class.
fn listed(root: &tempfile::TempDir, tree: &Collection) -> Vec<(String, &'static str, u32)> {
    let below = |path: &Path| path.strip_prefix(root.path()).unwrap().display().to_string();
    tree.images.iter().map(|file| (below(&file.place.path()), file.portion.name(), file.class)).collect()
}

fn fault(root: &tempfile::TempDir) -> String {
    read(root.path(), None).unwrap_err().to_string()
}

#[test]
fn folders_are_classes_in_plain_order() {
    let root = laid_out(&["b/2.jpg", "b/10.PNG", "a10/x.webp", "a9/deep/er/y.gif", "a9/z.tif", "B/u.bmp"]);
    let tree = read(root.path(), None).unwrap();
    assert_eq!(tree.classes, ["B", "a10", "a9", "b"]);
    let expected = [
        ("B/u.bmp", 0),
        ("a10/x.webp", 1),
        ("a9/deep/er/y.gif", 2),
        ("a9/z.tif", 2),
        ("b/10.PNG", 3),
        ("b/2.jpg", 3),
    ];
    assert_eq!(listed(&root, &tree), expected.map(|(path, class)| (path.to_string(), "train", class)));
}

#[test]
fn foreign_and_hidden_files_are_counted() {
    let root = laid_out(&[
        "readme.md",
        "a/1.jpg",
        "a/.DS_Store",
        "a/Thumbs.db",
        "a/._1.jpg",
        "a/notes.txt",
        "b/1.jpg",
        ".git/x.jpg",
        "b/.cache/2.jpg",
        "docs/a.txt",
    ]);
    let tree = read(root.path(), None).unwrap();
    assert_eq!((tree.classes.as_slice(), tree.images.len()), (&["a".to_string(), "b".into()][..], 2));
    // The text in `docs` is counted, too.
    assert_eq!(tree.ignored, 6);
    let folders: Vec<_> = tree.ignored_folders.iter().map(|p| p.strip_prefix(root.path()).unwrap()).collect();
    assert_eq!(folders, [".git", "b/.cache", "docs"].map(Path::new));
}

#[test]
fn parts_are_known_in_their_usual_spellings() {
    let root =
        laid_out(&["Train/a/1.jpg", "Train/b/1.jpg", "valid/b/2.jpg", "testing/a/3.jpg", "extra/c/1.jpg"]);
    let tree = read(root.path(), None).unwrap();
    let expected = [
        ("Train/a/1.jpg", "train", 0),
        ("Train/b/1.jpg", "train", 1),
        ("valid/b/2.jpg", "val", 1),
        ("testing/a/3.jpg", "test", 0),
    ];
    assert_eq!(listed(&root, &tree), expected.map(|(path, part, class)| (path.to_string(), part, class)));
    assert_eq!(tree.ignored_folders, [root.path().join("extra")]);

    // `train` without folders in it is a class: a picture of a train.
    let root = laid_out(&["train/1.jpg", "test/1.jpg"]);
    assert_eq!(read(root.path(), None).unwrap().classes, ["test", "train"]);
}

#[test]
fn what_cannot_be_classes_says_why() {
    assert!(fault(&laid_out(&[])).contains("no images; expected a folder a class"));
    assert!(fault(&laid_out(&["1.jpg", "2.png"])).contains("2 images, but not in folders"));
    assert!(fault(&laid_out(&["a/1.jpg", "b/notes.txt"])).contains("one class only, \"a\""));
    let unknown = fault(&laid_out(&["train/a/1.jpg", "train/b/1.jpg", "test/c/1.jpg"]));
    assert!(unknown.contains("test/c: \"c\" is not a class; the classes are a, b"), "{unknown}");
    let twice = fault(&laid_out(&["train/a/1.jpg", "val/a/1.jpg", "valid/a/1.jpg"]));
    assert!(twice.contains("two folders of the val part"), "{twice}");
    let empty = fault(&laid_out(&["train/a/1.jpg", "train/b/1.jpg", "test/notes.txt"]));
    assert!(empty.contains("test: no images"), "{empty}");
}

#[test]
fn the_classes_of_a_model_keep_their_numbers() {
    let root = laid_out(&["b/1.jpg"]);
    let known = ["c", "b", "a"].map(String::from);
    assert_eq!(read(root.path(), Some(&known)).unwrap().images[0].class, 1);
    let error = read(root.path(), Some(&known[..1])).unwrap_err().to_string();
    assert!(error.contains("\"b\" is not a class") || error.contains("one class only"), "{error}");
}

#[cfg(unix)]
#[test]
fn links_are_followed_but_not_in_circles() {
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;
    let root = laid_out(&["a/1.jpg", "b/1.jpg", "elsewhere/2.jpg"]);
    let at = |name: &str| root.path().join(name);
    fs::rename(at("elsewhere"), at(".elsewhere")).unwrap();
    symlink(at("b"), at("b/again")).unwrap();
    symlink(root.path(), at("a/up")).unwrap();
    symlink(at(".elsewhere"), at("a/more")).unwrap();
    symlink(at("nowhere"), at("b/gone.jpg")).unwrap();
    let name = OsStr::from_bytes(b"\xff.jpg");
    fs::write(at("b").join(name), "").unwrap();
    let tree = read(root.path(), None).unwrap();
    assert_eq!(tree.images.len(), 5, "{tree:?}");
    assert_eq!(tree.ignored_folders, [at(".elsewhere"), at("a/up"), at("b/again")]);
    assert!(tree.images.iter().any(|file| file.place.path().file_name() == Some(name)));
}

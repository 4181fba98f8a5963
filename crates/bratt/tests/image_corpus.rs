//! Image files that other projects have collected: whole, odd, broken and malicious ones, with the pixels that they should
//! give. They are not part of this repository; the test looks for them in the folder that `BRATT_CASES` names, or in
//! `../shared/cases` beside the repository, and says so if there are none.

use bratt::data::decode::{Picture, decode};
use flate2::read::DeflateDecoder;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Instant;

fn corpus() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/cases");
    let cases = std::env::var_os("BRATT_CASES").map_or(beside, PathBuf::from);
    let folder = cases.join("images");
    folder.join("manifest.json").is_file().then_some(folder)
}

/// Differences that are known, and larger than elsewhere.
const LOOSE: &[(&str, u32)] = &[
    // Images of at most 4 columns: the reference repeats colours that are stored at half the size, here they are smoothed.
    ("jpeg_ref/jpg-size-2x2.jpg", 12),
    ("jpeg_ref/jpg-size-3x3.jpg", 81),
    ("jpeg_ref/jpg-size-4x4.jpg", 75),
    // The last column is smoothed with the padding behind it.
    ("jpeg_ref/jpg-size-8x8.jpg", 7),
    ("exif/hopper_orientation_1.jpg", 4),
    ("exif/hopper_orientation_2.jpg", 4),
    ("exif/hopper_orientation_3.jpg", 4),
    // The reference cuts 16 bits off instead of rounding, and rounds 5 bits otherwise.
    ("odd/apng_mode_16bit.png", 1),
    ("odd/bmp_g_rgb16-565.bmp", 1),
];

/// An array of a `.npz` file: shape, and values of 8 or 16 bits.
struct Array {
    shape: Vec<usize>,
    values: Vec<u16>,
    deep: bool,
}

/// Reads a `.npz` file: a zip file of `.npy` files.
fn npz(bytes: &[u8]) -> BTreeMap<String, Array> {
    let short = |at: usize| usize::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]));
    let long = |at: usize| short(at) + (short(at + 2) << 16);
    let end = bytes.windows(4).rposition(|word| word == b"PK\x05\x06").unwrap();
    let mut arrays = BTreeMap::new();
    let mut entry = long(end + 16);
    for _ in 0..short(end + 10) {
        let (method, packed, local) = (short(entry + 10), long(entry + 20), long(entry + 42));
        let name = &bytes[entry + 46..][..short(entry + 28)];
        let name = String::from_utf8_lossy(name).trim_end_matches(".npy").to_string();
        let data = &bytes[local + 30 + short(local + 26) + short(local + 28)..][..packed];
        let mut npy = Vec::new();
        match method {
            0 => npy.extend(data),
            _ => {
                DeflateDecoder::new(data).read_to_end(&mut npy).unwrap();
            }
        }
        arrays.insert(name, array(&npy));
        entry += 46 + short(entry + 28) + short(entry + 30) + short(entry + 32);
    }
    arrays
}

fn array(npy: &[u8]) -> Array {
    let begin = 10 + usize::from(u16::from_le_bytes([npy[8], npy[9]]));
    let header = String::from_utf8_lossy(&npy[10..begin]);
    let deep = header.contains("<u2");
    assert!(deep || header.contains("|u1"), "{header}");
    let shape = header.split_once('(').unwrap().1.split_once(')').unwrap().0;
    let shape = shape.split(',').filter_map(|side| side.trim().parse().ok()).collect();
    let data = &npy[begin..];
    let values = match deep {
        true => data.chunks_exact(2).map(|two| u16::from_le_bytes([two[0], two[1]])).collect(),
        false => data.iter().map(|&byte| byte.into()).collect(),
    };
    Array { shape, values, deep }
}

/// What is expected, as colours over white in 8 bits.
fn over_white(array: &Array) -> Vec<[u32; 3]> {
    let eight = |value: u16| match array.deep {
        true => (u32::from(value) * 255 + 32767) / 65535,
        false => u32::from(value),
    };
    let channels = array.shape.get(2).copied().unwrap_or(1);
    let pixel = |p: &[u16]| {
        let p: Vec<u32> = p.iter().map(|&value| eight(value)).collect();
        let (colour, alpha) = match p[..] {
            [grey] => ([grey; 3], 255),
            [grey, alpha] => ([grey; 3], alpha),
            [r, g, b] => ([r, g, b], 255),
            [r, g, b, alpha] => ([r, g, b], alpha),
            _ => panic!("{} channels", p.len()),
        };
        colour.map(|value| (value * alpha + 255 * (255 - alpha) + 127) / 255)
    };
    array.values.chunks_exact(channels).map(pixel).collect()
}

fn largest_difference(picture: &Picture, expected: &Array) -> Option<u32> {
    if expected.shape[..2] != [picture.height as usize, picture.width as usize] {
        return None;
    }
    let found = picture.bytes.chunks_exact(usize::from(picture.channels));
    let pairs = found.zip(over_white(expected)).flat_map(|(found, expected)| {
        [0, 1, 2].map(|c| u32::from(found[c % found.len()]).abs_diff(expected[c]))
    });
    pairs.max()
}

#[test]
fn whole_files_give_their_pixels_and_broken_ones_an_error() {
    let Some(folder) = corpus() else {
        eprintln!("skipped: no image corpus; name its folder in BRATT_CASES");
        return;
    };
    let manifest = std::fs::read_to_string(folder.join("manifest.json")).unwrap();
    let manifest: Value = serde_json::from_str(&manifest).unwrap();
    let expected = npz(&std::fs::read(folder.join("expected_pixels.npz")).unwrap());
    let mut faults = Vec::new();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for entry in manifest["files"].as_array().unwrap() {
        let (file, class) = (entry["file"].as_str().unwrap(), entry["cls"].as_str().unwrap());
        let path = folder.join(file);
        let bytes = std::fs::read(&path).unwrap();
        let begin = Instant::now();
        let decoded = decode(&bytes, &path);
        let seconds = begin.elapsed().as_secs_f64();
        if seconds > 1.0 {
            faults.push(format!("{file}: took {seconds:.1} s"));
        }
        *counts.entry(class.to_string()).or_default() += 1;
        match (class, decoded) {
            ("valid", Err(error)) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
                faults.push(format!("{file}: {cause} ({})", entry["what"]));
            }
            ("valid", Ok(picture)) => {
                let Some(expected) = expected.get(&file.replace('/', "__")) else { continue };
                let usual = if file.ends_with(".jpg") { 3 } else { 0 };
                let loose = LOOSE.iter().find(|(name, _)| *name == file);
                let allowed = loose.map_or(usual, |&(_, allowed)| allowed);
                match largest_difference(&picture, expected) {
                    None => faults.push(format!("{file}: {}x{}", picture.height, picture.width)),
                    Some(n) if n > allowed => faults.push(format!("{file}: off by {n} ({})", picture.mode)),
                    Some(_) => *counts.entry("compared".into()).or_default() += 1,
                }
            }
            // Text that would unpack to many megabytes is passed over, and the picture beside it is whole.
            ("bomb", Ok(_)) if file == "bomb/png_decompression_dos.png" => {}
            ("bad" | "bomb", Ok(_)) => faults.push(format!("{file}: accepted ({})", entry["what"])),
            _ => {}
        }
    }
    assert!(faults.is_empty(), "{} of {counts:?}:\n{}", faults.len(), faults.join("\n"));
}

//! Arrays of NumPy: `.npy` files and archives of them, `.npz`. Real numbers of any width, in C or Fortran order.
//!
//! ```text
//! \x93NUMPY, version (2 bytes), length of the header (2 bytes; from version 2 on 4), header, data
//! header: {'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }
//! ```
//!
//! Source: NumPy, format description `numpy.lib.format`, versions 1 to 3.

use crate::tensor::{Shape, Tensor};
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

/// Most bytes of one array.
const MOST: u64 = 1 << 32;

/// Why an array could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ArrayError {
    /// The file cannot be read.
    #[error("{}: cannot be read", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file holds something else.
    #[error("{}{}: {problem}", path.display(), array.as_ref().map_or(String::new(), |name| format!(", array `{name}`")))]
    Format {
        /// The file.
        path: PathBuf,
        /// The array in an archive.
        array: Option<String>,
        /// What was found and what was expected.
        problem: String,
    },
}

/// Reads an array from an `.npy` file.
///
/// # Errors
/// A file that cannot be read, is no array, or one of something else than real numbers.
pub fn read_npy(path: &Path) -> Result<Tensor<f64>, ArrayError> {
    let bytes = std::fs::read(path).map_err(|source| ArrayError::Io { path: path.to_owned(), source })?;
    array(&bytes).map_err(|problem| ArrayError::Format { path: path.to_owned(), array: None, problem })
}

/// Reads all arrays of an `.npz` archive, by name.
///
/// # Errors
/// As [`read_npy`], for any of them.
pub fn read_npz(path: &Path) -> Result<Vec<(String, Tensor<f64>)>, ArrayError> {
    let bytes = std::fs::read(path).map_err(|source| ArrayError::Io { path: path.to_owned(), source })?;
    let failed = |array: Option<&str>, problem: String| ArrayError::Format {
        path: path.to_owned(),
        array: array.map(str::to_string),
        problem,
    };
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes))
        .map_err(|error| failed(None, format!("expected an archive of arrays (.npz): {error}")))?;
    let mut arrays = Vec::new();
    for i in 0..archive.len() {
        let entry = archive.by_index(i).map_err(|error| failed(None, error.to_string()))?;
        let file = entry.name().map_err(|error| failed(None, error.to_string()))?.into_owned();
        let name = file.strip_suffix(".npy").unwrap_or(&file).to_string();
        let mut bytes = Vec::new();
        let read = entry.take(MOST + 1).read_to_end(&mut bytes);
        read.map_err(|error| failed(Some(&name), error.to_string()))?;
        if bytes.len() as u64 > MOST {
            return Err(failed(Some(&name), format!("found more than {MOST} bytes")));
        }
        let tensor = array(&bytes).map_err(|problem| failed(Some(&name), problem))?;
        arrays.push((name, tensor));
    }
    Ok(arrays)
}

/// What the header of an array says.
struct Header<'a> {
    /// Order of bytes, kind and width, as `<f8`.
    kind: &'a str,
    fortran_order: bool,
    shape: Vec<usize>,
    data: &'a [u8],
}

impl Header<'_> {
    fn read(bytes: &[u8]) -> Option<Header<'_>> {
        let (version, rest) = bytes.strip_prefix(b"\x93NUMPY")?.split_at_checked(2)?;
        let (length, rest) = match version[0] {
            1 => rest.split_first_chunk().map(|(n, rest)| (u16::from_le_bytes(*n) as usize, rest))?,
            2 | 3 => rest.split_first_chunk().map(|(n, rest)| (u32::from_le_bytes(*n) as usize, rest))?,
            _ => return None,
        };
        let (text, data) = rest.split_at_checked(length)?;
        let text = std::str::from_utf8(text).ok()?;
        let after = |key: &str| Some(text.split_once(key)?.1.split_once(':')?.1.trim_start());
        let shape = after("'shape'")?.strip_prefix('(')?.split_once(')')?.0;
        let extents = shape.split(',').map(str::trim).filter(|extent| !extent.is_empty());
        Some(Header {
            // Of records it is a list, which is no kind of number.
            kind: after("'descr'")?
                .strip_prefix('\'')
                .and_then(|kind| kind.split_once('\''))
                .map_or("records", |k| k.0),
            fortran_order: after("'fortran_order'")?.starts_with("True"),
            shape: extents.map(|extent| extent.parse().ok()).collect::<Option<_>>()?,
            data,
        })
    }
}

/// The array in the bytes of an `.npy` file.
fn array(bytes: &[u8]) -> Result<Tensor<f64>, String> {
    let Header { kind, fortran_order, shape, data } =
        Header::read(bytes).ok_or("expected an array of NumPy (.npy), whose header says what it holds")?;
    if shape.contains(&0) {
        return Err(format!("found shape {shape:?}, expected at least one element along every axis"));
    }
    let swapped = kind.starts_with('>');
    macro_rules! read {
        ($type:ty) => {{
            const WIDTH: usize = size_of::<$type>();
            let count = shape.iter().try_fold(1usize, |n, &extent| n.checked_mul(extent));
            let bytes = count.and_then(|n| data.get(..n.checked_mul(WIDTH)?));
            let (words, _) = bytes
                .ok_or_else(|| format!("found {} bytes, expected more for shape {shape:?}", data.len()))?
                .as_chunks::<WIDTH>();
            let number = |&word: &[u8; WIDTH]| match swapped {
                true => <$type>::from_be_bytes(word) as f64,
                false => <$type>::from_le_bytes(word) as f64,
            };
            words.iter().map(number).collect::<Vec<f64>>()
        }};
    }
    let data = match kind.trim_start_matches(['<', '>', '|', '=']) {
        "f8" => read!(f64),
        "f4" => read!(f32),
        "i8" => read!(i64),
        "i4" => read!(i32),
        "i2" => read!(i16),
        "i1" => read!(i8),
        "u8" => read!(u64),
        "u4" => read!(u32),
        "u2" => read!(u16),
        "u1" | "b1" => read!(u8),
        _ => {
            return Err(format!(
                "found numbers of type {kind}, expected f64, f32, whole numbers or bool; convert with `.astype(\"f8\")`"
            ));
        }
    };
    let data = if fortran_order { from_fortran(&shape, &data) } else { data };
    Tensor::new(shape, data).map_err(|error| error.to_string())
}

/// Row-major from column-major.
fn from_fortran(shape: &[usize], data: &[f64]) -> Vec<f64> {
    let strides = Shape::from(shape).strides();
    let place = |flat: usize| {
        let mut step = 1;
        let mut at = 0;
        for (&extent, &stride) in shape.iter().zip(&strides) {
            at += flat / stride % extent * step;
            step *= extent;
        }
        at
    };
    (0..data.len()).map(|flat| data[place(flat)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes that NumPy 2 writes for a header and data.
    fn npy(header: &str, data: &[u8]) -> Vec<u8> {
        let mut text = header.to_string();
        text += &" ".repeat((10 + text.len() + 1).next_multiple_of(64) - 10 - text.len() - 1);
        text.push('\n');
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((text.len() as u16).to_le_bytes());
        bytes.extend(text.bytes());
        bytes.extend(data);
        bytes
    }

    fn f4(numbers: &[f32]) -> Vec<u8> {
        numbers.iter().flat_map(|x| x.to_le_bytes()).collect()
    }

    #[test]
    fn both_orders_and_several_types_are_read() {
        let c = npy(
            "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }",
            &f4(&[1., 2., 3., 4., 5., 6.]),
        );
        let fortran =
            npy("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }", &f4(&[1., 4., 2., 5., 3., 6.]));
        assert_eq!(array(&c).unwrap().data(), [1., 2., 3., 4., 5., 6.]);
        assert_eq!(array(&c).unwrap(), array(&fortran).unwrap());
        let big = npy("{'descr': '>i2', 'fortran_order': False, 'shape': (), }", &[0xff, 0xfe]);
        assert_eq!(array(&big).unwrap(), Tensor::scalar(-2.0));
        let truth = npy("{'descr': '|b1', 'fortran_order': False, 'shape': (2,), }", &[1, 0]);
        assert_eq!(array(&truth).unwrap().data(), [1.0, 0.0]);
    }

    #[test]
    fn what_is_no_array_of_numbers_is_refused() {
        let short = npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", &f4(&[1.]));
        assert!(array(&short).is_err());
        let huge = npy("{'descr': '<f8', 'fortran_order': False, 'shape': (4611686018427387904, 4), }", &[]);
        assert!(array(&huge).unwrap_err().contains("expected more"));
        let complex = npy("{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }", &[0; 8]);
        assert!(array(&complex).unwrap_err().contains("c8"));
        assert!(array(b"not an array").unwrap_err().contains(".npy"));
    }

    #[test]
    fn an_archive_gives_its_arrays_by_name() {
        use std::io::Write;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("case.npz");
        let mut archive = zip::ZipWriter::new(std::fs::File::create(&path).unwrap());
        for (name, number) in [("x.npy", 3.0f32), ("y.npy", -1.0)] {
            archive.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
            let bytes = npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", &f4(&[number]));
            archive.write_all(&bytes).unwrap();
        }
        archive.finish().unwrap();
        let arrays = read_npz(&path).unwrap();
        assert_eq!(arrays.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["x", "y"]);
        assert_eq!(arrays[1].1.data(), [-1.0]);
        assert!(read_npz(Path::new("absent.npz")).unwrap_err().to_string().contains("absent.npz"));
    }
}

//! Named f32 tensors in one file, in the form of safetensors.
//!
//! ```text
//! 8 bytes   length of the header, little-endian
//! header    JSON: "__metadata__": {...}, then one entry a tensor,
//!           "dense1.weight": {"dtype": "F32", "shape": [784, 512], "data_offsets": [0, 1605632]}; padded with spaces
//! data      the tensors, f32 little-endian
//! ```
//!
//! Everything is written in one fixed order, so equal contents are equal bytes; the crate `safetensors` reads, but its
//! metadata is a hash map and would be written in any order.

use serde_json::{Map, Value, json};

/// The bytes of a file. The metadata are texts by key; tensors are name, shape and values, in the order in which they
/// are to stand.
pub(crate) fn to_bytes<'a>(
    metadata: Map<String, Value>,
    tensors: impl Iterator<Item = (&'a str, &'a [usize], &'a [f32])> + Clone,
) -> Vec<u8> {
    let mut header = Map::new();
    header.insert("__metadata__".into(), metadata.into());
    let mut offset = 0;
    for (name, shape, values) in tensors.clone() {
        let end = offset + 4 * values.len();
        let entry = json!({"dtype": "F32", "shape": shape, "data_offsets": [offset, end]});
        header.insert(name.into(), entry);
        offset = end;
    }
    let mut header = Value::Object(header).to_string().into_bytes();
    header.resize(header.len().next_multiple_of(8), b' ');
    let mut bytes = Vec::with_capacity(8 + header.len() + offset);
    bytes.extend((header.len() as u64).to_le_bytes());
    bytes.extend(header);
    for (_, _, values) in tensors {
        bytes.extend(values.iter().flat_map(|x| x.to_le_bytes()));
    }
    bytes
}

/// The values of a tensor's bytes.
pub(crate) fn values(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
}

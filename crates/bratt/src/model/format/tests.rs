use super::*;
use crate::nn::{Input, Standardize};

fn model() -> TrainedModel {
    let network =
        Sequential::new(Input::features(3)).standardize(Standardize::default()).dense(4).batch_norm();
    let network = network.relu().dense(2);
    let graph = inference_graph(&network, Task::Classify, 1).unwrap();
    let values = graph.slots().iter().map(|slot| (slot.name.clone(), crate::init::initial_value(slot, 3)));
    let values = values.collect();
    TrainedModel {
        name: "small".into(),
        network,
        task: Task::Classify,
        classes: vec!["no".into(), "yes".into()],
        inputs: Inputs::Table { columns: ["a", "b", "c"].map(String::from).into() },
        values,
        temperature: Some(1.25),
        provenance: Provenance { seed: 7, data: "made up".into(), ..Provenance::default() },
    }
}

fn read(bytes: &[u8]) -> Result<TrainedModel, ModelError> {
    from_bytes(bytes, Path::new("runs/a/model.safetensors"))
}

/// The file of a model whose header was changed as text.
fn with_header(change: impl FnOnce(String) -> String) -> Vec<u8> {
    let bytes = to_bytes(&model());
    let length = u64::from_le_bytes(*bytes.first_chunk().unwrap()) as usize;
    let header = change(String::from_utf8(bytes[8..8 + length].to_vec()).unwrap());
    let mut changed = (header.len() as u64).to_le_bytes().to_vec();
    changed.extend(header.as_bytes());
    changed.extend(&bytes[8 + length..]);
    changed
}

fn message(bytes: &[u8]) -> String {
    let message = read(bytes).unwrap_err().to_string();
    assert!(message.starts_with("runs/a/model.safetensors: "), "{message}");
    message
}

#[test]
fn what_was_written_is_read_and_written_again_with_the_same_bytes() {
    let bytes = to_bytes(&model());
    let again = read(&bytes).unwrap();
    assert_eq!(again, model());
    assert_eq!(to_bytes(&again), bytes);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.safetensors");
    model().save(&path).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
    assert_eq!(TrainedModel::load(&path).unwrap(), model());
}

#[test]
fn a_file_of_another_kind_says_so() {
    for bytes in [&b""[..], b"short", b"\x89PNG\r\n\x1a\n and many more bytes than that", &[0; 64]] {
        assert!(matches!(read(bytes), Err(ModelError::NotSafetensors { .. })), "{bytes:?}");
    }
}

#[test]
fn a_truncated_file_says_how_much_is_missing() {
    let bytes = to_bytes(&model());
    for cut in [9, 100, bytes.len() - 1] {
        let error = read(&bytes[..cut]).unwrap_err();
        let ModelError::Truncated { found, expected, .. } = error else { panic!("{cut}: {error}") };
        assert_eq!(found, cut as u64);
        assert!(expected > found && expected <= bytes.len() as u64, "{expected}");
    }
}

#[test]
fn another_version_or_another_program_is_named() {
    let found = message(&with_header(|h| h.replace(r#""bratt.format":"1""#, r#""bratt.format":"9""#)));
    assert!(found.contains("format `9`") && found.contains("reads format 1"), "{found}");
    let found = message(&with_header(|h| h.replace("bratt.format", "other.format")));
    assert!(found.contains("not one of bratt's") && found.contains("bratt.format"), "{found}");
    let bare = br#"{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#;
    let mut file = (bare.len() as u64).to_le_bytes().to_vec();
    file.extend(bare);
    file.extend(1.0f32.to_le_bytes());
    assert!(matches!(read(&file), Err(ModelError::NotBratt { key: "bratt.format", .. })));
}

#[test]
fn a_temperature_need_not_be_there_but_must_be_above_zero() {
    let key = r#"\"temperature\":1.25,"#;
    assert_eq!(read(&with_header(|h| h.replace(key, ""))).unwrap().temperature, None);
    let found = message(&with_header(|h| h.replace(key, r#"\"temperature\":-1.0,"#)));
    assert!(found.contains("temperature -1"), "{found}");
}

#[test]
fn a_damaged_description_says_where() {
    let found = message(&with_header(|h| h.replace("batch_norm\\\"", "batch_morn\\\"")));
    assert!(found.contains("description") && found.contains("batch_morn"), "{found}");
    let found = message(&with_header(|h| h.replace(r#"[\"no\",\"yes\"]"#, r#"[\"no\"]"#)));
    assert!(found.contains("1 class names") && found.contains("2 classes"), "{found}");
}

#[test]
fn tensors_are_checked_one_by_one() {
    let mut other = model();
    other.values.remove("dense2.bias");
    assert!(message(&to_bytes(&other)).contains("`dense2.bias` of shape [2] is missing"));

    let mut other = model();
    other.values.insert("dense3.weight".into(), Tensor::zeros([2, 2]));
    assert!(message(&to_bytes(&other)).contains("`dense3.weight` does not belong"));

    let mut other = model();
    other.values.insert("dense2.weight".into(), Tensor::zeros([2, 4]));
    let found = message(&to_bytes(&other));
    assert!(found.contains("`dense2.weight`: found shape [2, 4], expected [4, 2]"), "{found}");

    let found = message(&with_header(|h| h.replacen(r#""dtype":"F32""#, r#""dtype":"I32""#, 1)));
    assert!(found.contains("type I32, expected F32"), "{found}");

    let mut other = model();
    other.values.get_mut("dense1.weight").unwrap().data_mut()[5] = f32::NAN;
    let found = message(&to_bytes(&other));
    assert!(found.contains("`dense1.weight`: element 5 is NaN"), "{found}");
}

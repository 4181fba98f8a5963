use super::*;

fn images() -> Dataset {
    let bytes = vec![0, 51, 255, 1, 2, 3];
    let targets = Targets::Classes { labels: vec![1, 0, 2], names: ["a", "b", "c"].map(String::from).into() };
    Dataset::new("small", vec![1, 2, 1], Features::Pixels { bytes: bytes.into(), scale: BYTE_SCALE }, targets)
        .unwrap()
}

fn table() -> Dataset {
    let values = vec![1.0, 2.0, 3.0, 4.0];
    let features = Features::Table { values, columns: vec!["a".into(), "b".into()] };
    let targets = Targets::Values { values: vec![0.5, -0.5], name: "price".into() };
    Dataset::new("table", vec![2], features, targets).unwrap()
}

#[test]
fn a_batch_is_the_rows_asked_for_in_that_order() {
    let (mut x, mut y) = ([9.0; 6], [9.0; 3]);
    images().gather_into(&[1, 0], &mut x, &mut y);
    assert_eq!(x, [1.0, BYTE_SCALE, 0.0, 51.0 * BYTE_SCALE, 9.0, 9.0], "the tail is left alone");
    assert_eq!(y, [0.0, 1.0, 9.0]);
    let (mut x, mut y) = ([0.0; 6], [0.0; 3]);
    table().gather_into(&[1, 1, 0], &mut x, &mut y);
    assert_eq!(x, [3.0, 4.0, 3.0, 4.0, 1.0, 2.0]);
    assert_eq!(y, [-0.5, -0.5, 0.5]);
}

#[test]
fn every_byte_lands_within_one_ulp_of_its_fraction() {
    for byte in 0..=255u8 {
        let (value, fraction) = (f32::from(byte) * BYTE_SCALE, f32::from(byte) / 255.0);
        assert!(value.to_bits().abs_diff(fraction.to_bits()) <= 1, "{byte}");
    }
    assert_eq!(255.0 * BYTE_SCALE, 1.0);
}

#[test]
fn the_same_pixels_stay_in_one_part_and_a_given_part_is_left_alone() {
    // 40 pictures, each three times.
    let bytes: Vec<u8> = (0..120).map(|at| at % 40).collect();
    let labels = (0..120).map(|at| at % 2).collect();
    let targets = Targets::Classes { labels, names: vec!["a".into(), "b".into()] };
    let features = Features::Pixels { bytes: bytes.into(), scale: 1.0 };
    let data = Dataset::new("twins", vec![1, 1, 1], features, targets).unwrap();
    let apart = |part: &[u32]| part.iter().map(|at| at % 40).collect::<std::collections::BTreeSet<_>>();
    let split = data.split(Fractions::default(), 3).unwrap();
    assert_eq!([&split.train, &split.val, &split.test].map(Vec::len), [96, 12, 12]);
    let (train, val, test) = (apart(&split.train), apart(&split.val), apart(&split.test));
    assert!(train.is_disjoint(&val) && train.is_disjoint(&test) && val.is_disjoint(&test));

    let given: Vec<u32> = (100..120).collect();
    let split = data.split_around(&given, Fractions { train: 0.9, val: 0.0, test: 0.1 }, 3).unwrap();
    assert_eq!(split.val, given);
    assert_eq!(split.train.len() + split.test.len(), 100);
    assert!(apart(&split.train).is_disjoint(&apart(&split.test)));
    assert!(split.train.iter().chain(&split.test).all(|&at| at < 100));
}

#[test]
fn the_fingerprint_sees_contents_and_not_the_name() {
    let base = images();
    let mut renamed = base.clone();
    renamed.name = "other".into();
    assert_eq!(base.fingerprint(), renamed.fingerprint());
    assert_eq!(base.fingerprint().len(), 32);
    let mut pixel = base.clone();
    if let Features::Pixels { bytes, .. } = &mut pixel.features {
        let mut changed = bytes.to_vec();
        changed[4] ^= 1;
        *bytes = changed.into();
    }
    let mut label = base.clone();
    if let Targets::Classes { labels, .. } = &mut label.targets {
        labels[0] = 0;
    }
    let mut class = base.clone();
    if let Targets::Classes { names, .. } = &mut class.targets {
        names[0] = "z".into();
    }
    let mut prints =
        [&base, &pixel, &label, &class, &table()].map(Dataset::fingerprint).into_iter().collect::<Vec<_>>();
    prints.sort();
    prints.dedup();
    assert_eq!(prints.len(), 5);
}

#[test]
fn parts_that_do_not_fit_are_refused() {
    let classes = |labels| Targets::Classes { labels, names: vec!["a".into(), "b".into()] };
    let pixels = |n| Features::Pixels { bytes: vec![0; n].into(), scale: 1.0 };
    let refused = |shape: &[usize], features, targets| {
        Dataset::new("bad", shape.to_vec(), features, targets).unwrap_err().to_string()
    };
    assert!(refused(&[2, 2, 1], pixels(7), classes(vec![0, 1])).contains("7 values do not make 2"));
    assert!(refused(&[1, 1, 1], pixels(2), classes(vec![0, 2])).contains("example 1: label 2 of 2 classes"));
    assert!(refused(&[1, 1, 1], pixels(0), classes(vec![])).contains("no examples"));
    assert!(refused(&[usize::MAX, 2, 1], pixels(2), classes(vec![0, 1])).contains("has no values"));
    let table = Features::Table { values: vec![1.0, f32::NAN], columns: vec!["u".into()] };
    assert!(refused(&[1], table, classes(vec![0, 1])).contains("example 1, column u"));
}

#[test]
fn a_data_set_says_what_it_is() {
    assert_eq!(images().describe(), "3 images 1x2x1, 3 classes");
    assert_eq!(table().describe(), "2 rows of 2 features, target price");
    assert_eq!(images().class_counts(), [1, 1, 1]);
    assert_eq!([1, 999, 1_000, 1_234_567].map(thousands), ["1", "999", "1,000", "1,234,567"]);
}

use super::*;

fn picture(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at * 37 % 251) as u8).collect()
}

fn everything() -> Augment {
    Augment {
        flip: 0.5,
        crop: 2,
        resized_crop: 0.5,
        rotation: 20.0,
        border: Border::Reflect,
        trivial: true,
        color: ColorJitter { brightness: 0.3, contrast: 0.3, saturation: 0.3, hue: 0.1 },
        erase: 0.5,
        cutout: 3,
        ..Augment::default()
    }
}

#[test]
fn a_picture_depends_on_seed_epoch_and_index_alone() {
    for shape in [[12, 10, 3], [12, 10, 1], [1, 1, 3], [2, 7, 1]] {
        let picture = picture(shape.iter().product());
        let mut augmenter = Augmenter::new(&everything(), shape, 7);
        let first = augmenter.apply(&picture, 1, 2).to_vec();
        let others: Vec<Vec<u8>> =
            (0..40).map(|index| augmenter.apply(&picture, 1, index).to_vec()).collect();
        assert_eq!(others[2], first);
        assert_eq!(augmenter.apply(&picture, 1, 2), first);
        if shape == [12, 10, 3] {
            assert_ne!(augmenter.apply(&picture, 2, 2), first);
            assert_ne!(others[3], first);
            assert_ne!(Augmenter::new(&everything(), shape, 8).apply(&picture, 1, 2), first);
        }
    }
}

#[test]
fn one_transform_does_not_move_the_numbers_of_another() {
    let shape = [8, 8, 1];
    let picture = picture(64);
    let mut flip = Augmenter::new(&Augment { flip: 0.5, ..Augment::default() }, shape, 3);
    let with_cutout = Augment { flip: 0.5, cutout: 1, ..Augment::default() };
    let mut both = Augmenter::new(&with_cutout, shape, 3);
    for index in 0..50 {
        let (a, b) = (flip.apply(&picture, 0, index).to_vec(), both.apply(&picture, 0, index));
        assert!(a.iter().zip(b).filter(|(a, b)| a != b).count() <= 1);
    }
}

#[test]
fn half_of_the_pictures_are_flipped() {
    let augment = Augment { flip: 0.5, ..Augment::default() };
    let mut augmenter = Augmenter::new(&augment, [4, 4, 3], 1);
    let picture = picture(48);
    let flipped = (0..1000).filter(|&index| augmenter.apply(&picture, 0, index) != picture).count();
    assert!((440..560).contains(&flipped), "{flipped}");
}

#[test]
fn presets_suit_the_size_and_say_what_they_do() {
    let standard = |side| Augment::preset(Preset::Standard, [side, side, 3]).describe();
    assert_eq!(standard(32), "flip, crop of 4 pixels padding");
    assert!(standard(96).starts_with("flip, resized crop of at least 0.25 of the area"), "{}", standard(96));
    assert_eq!(Augment::preset(Preset::None, [32, 32, 3]), Augment::default());
    assert!(Augment::default().is_none() && Augment::default().describe() == "none");
    for name in Preset::NAMES {
        let preset = Preset::by_name(name).unwrap();
        assert_eq!(preset.name(), name);
        assert_eq!(Augment::preset(preset, [48, 64, 1]).fault(), None);
    }
}

#[test]
fn a_value_out_of_its_range_is_named() {
    let fault = |augment: Augment| augment.fault().unwrap().0;
    assert_eq!(fault(Augment { flip: 1.5, ..Augment::default() }), "flip");
    assert_eq!(fault(Augment { mixup: f64::NAN, ..Augment::default() }), "mixup");
    assert_eq!(fault(Augment { label_smoothing: 1.0, ..Augment::default() }), "label_smoothing");
}

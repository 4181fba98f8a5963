//! Which random changes training examples get.

use crate::failure::Failure;
use crate::settings::{Origin, Setting, Settings};
use bratt::data::augment::{Border, Preset};
use bratt::data::{Augment, Dataset, Features};
use bratt::names::hint;

/// The changes, and why these.
#[derive(Debug)]
pub struct AugmentPlan {
    /// The changes.
    pub augment: Augment,
    /// What they are and why, for people; empty if there is nothing to say.
    pub about: String,
}

/// The random changes for some data. Images in colour get those that suit photographs. Others get none: a flipped
/// digit is no digit.
///
/// # Errors
/// An unknown name, a number out of its range.
pub fn augment(settings: &Settings, data: &Dataset, image_files: bool) -> Result<AugmentPlan, Failure> {
    let mut augment = Augment::default();
    let shape = match (data.features(), data.shape()) {
        (Features::Pixels { .. }, &[height, width, channels]) => [height, width, channels],
        _ => {
            if !data.classes().is_empty() {
                augment.label_smoothing = smoothing(settings, 0.0, &Origin::Default)?;
            }
            let about = if augment.is_none() { String::new() } else { augment.describe() };
            return Ok(AugmentPlan { augment, about });
        }
    };
    let (usual, why) = match (image_files, shape[2]) {
        (_, 3) => (Preset::Standard, "images in colour are taken for photographs"),
        (true, _) => (Preset::None, "grey images may be digits or letters, which must not be flipped"),
        (false, _) => (Preset::None, "digits and letters must not be flipped"),
    };
    let name = settings.get_or("augment.preset", usual.name().to_string(), Origin::Chosen(why.into()))?;
    let preset = Preset::by_name(&name).ok_or_else(|| {
        settings
            .invalid("augment.preset", "none, light, standard or strong")
            .help(hint(&name, &Preset::NAMES))
    })?;
    augment = Augment::preset(preset, shape);
    let as_in = Origin::Chosen(format!("as `{name}` has it for images of this size"));

    // `true` and `false`, or a probability.
    let flip = match settings.given::<bool>("augment.flip") {
        Ok(whether) => whether.map(|whether| if whether { 0.5 } else { 0.0 }),
        Err(_) => settings
            .given::<f64>("augment.flip")
            .map_err(|_| settings.invalid("augment.flip", "true, false or a probability"))?,
    };
    match flip {
        Some(flip) => augment.flip = flip,
        None if augment.flip > 0.0 => {
            augment.flip = settings.get_or("augment.flip", augment.flip, as_in.clone())?
        }
        None => {}
    }
    for (key, value) in [
        ("augment.resized_crop", &mut augment.resized_crop),
        ("augment.rotation", &mut augment.rotation),
        ("augment.brightness", &mut augment.color.brightness),
        ("augment.contrast", &mut augment.color.contrast),
        ("augment.saturation", &mut augment.color.saturation),
        ("augment.hue", &mut augment.color.hue),
        ("augment.erase", &mut augment.erase),
        ("augment.mixup", &mut augment.mixup),
        ("augment.cutmix", &mut augment.cutmix),
    ] {
        *value = number(settings, key, *value, 0.0, &as_in)?;
    }
    for (key, value) in [("augment.crop", &mut augment.crop), ("augment.cutout", &mut augment.cutout)] {
        *value = number(settings, key, *value as u64, 0, &as_in)? as usize;
    }
    augment.trivial = number(settings, "augment.trivial", augment.trivial, false, &as_in)?;
    augment.label_smoothing = smoothing(settings, augment.label_smoothing, &as_in)?;
    if let Some(name) = settings.given::<String>("augment.border")? {
        augment.border = Border::by_name(&name).ok_or_else(|| {
            settings.invalid("augment.border", "zero or reflect").help(hint(&name, &Border::NAMES))
        })?;
    }
    if let Some((field, _, expected)) = augment.fault() {
        return Err(settings.invalid(&format!("augment.{field}"), expected));
    }
    let chosen = settings.origin("augment.preset") == Origin::Default;
    let reason = if chosen { format!("; {why}") } else { String::new() };
    Ok(AugmentPlan { about: format!("{}{reason}", augment.describe()), augment })
}

fn smoothing(settings: &Settings, usual: f64, why: &Origin) -> Result<f64, Failure> {
    let value = number(settings, "augment.label_smoothing", usual, 0.0, why)?;
    if (0.0..1.0).contains(&value) {
        return Ok(value);
    }
    Err(settings.invalid("augment.label_smoothing", "at least 0 and below 1"))
}

/// A setting; what the preset has is recorded where it is more than `nothing`.
fn number<T: Setting + PartialEq>(
    settings: &Settings,
    key: &'static str,
    usual: T,
    nothing: T,
    why: &Origin,
) -> Result<T, Failure> {
    if usual == nothing {
        return Ok(settings.given(key)?.unwrap_or(nothing));
    }
    settings.get_or(key, usual, why.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::TrainArgs;
    use bratt::data::{Targets, digits};

    fn planned(set: &[&str], data: &Dataset, image_files: bool) -> Result<AugmentPlan, String> {
        let set = set.iter().map(ToString::to_string).collect();
        let settings = Settings::collect(&TrainArgs { set, ..TrainArgs::default() }).unwrap();
        let plan = augment(&settings, data, image_files).map_err(|failure| failure.text())?;
        // The resolved configuration gives the same again.
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        std::fs::write(&path, settings.to_toml()).unwrap();
        let again = Settings::collect(&TrainArgs { config: Some(path), ..TrainArgs::default() }).unwrap();
        assert_eq!(augment(&again, data, image_files).unwrap().augment, plan.augment);
        Ok(plan)
    }

    fn photos(side: usize) -> Dataset {
        let features = Features::Pixels { bytes: vec![9; 2 * side * side * 3].into(), scale: 1.0 };
        let targets = Targets::Classes { labels: vec![0, 1], names: vec!["a".into(), "b".into()] };
        Dataset::new("photos", vec![side, side, 3], features, targets).unwrap()
    }

    #[test]
    fn photographs_are_flipped_and_digits_are_not() {
        let plan = planned(&[], &photos(32), true).unwrap();
        assert_eq!(plan.augment.describe(), "flip, crop of 4 pixels padding");
        assert!(plan.about.contains("photographs"), "{}", plan.about);
        // As CIFAR's binary files are.
        let plan = planned(&[], &photos(32), false).unwrap();
        assert_eq!(plan.augment.describe(), "flip, crop of 4 pixels padding");
        let plan = planned(&[], &digits(), false).unwrap();
        assert!(plan.augment.is_none() && plan.about.contains("must not be flipped"), "{}", plan.about);
    }

    #[test]
    fn keys_go_before_the_preset() {
        let set = ["augment.preset=strong", "augment.flip=false", "augment.erase=0", "augment.cutmix=1"];
        let plan = planned(&set, &photos(96), true).unwrap().augment;
        assert_eq!((plan.flip, plan.erase, plan.cutmix, plan.mixup), (0.0, 0.0, 1.0, 0.2));
        assert!(plan.trivial && plan.resized_crop > 0.0);
        let plan =
            planned(&["augment.flip=0.3", "augment.border=reflect"], &digits(), false).unwrap().augment;
        assert_eq!((plan.flip, plan.border, plan.crop), (0.3, Border::Reflect, 0));
    }

    #[test]
    fn what_cannot_be_is_named() {
        let said = |set: &str| planned(&[set], &photos(32), true).unwrap_err();
        assert!(said("augment.preset=strng").contains("did you mean `strong`?"));
        assert!(said("augment.flip=maybe").contains("augment.flip: found \"maybe\""));
        assert!(said("augment.erase=2").contains("augment.erase: found 2"));
        assert!(said("augment.label_smoothing=1").contains("at least 0 and below 1"));
    }
}

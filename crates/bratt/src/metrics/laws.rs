//! Laws that hold for every sample.

use super::*;
use proptest::prelude::*;

/// Up to 40 examples of `classes`; probabilities are multiples of 1/8 before they are divided by their sum, so that ties come.
fn samples() -> impl Strategy<Value = (usize, Vec<f64>, Vec<u32>)> {
    (2usize..5, 1usize..40).prop_flat_map(|(classes, n)| {
        let row = prop::collection::vec(1u8..9, classes).prop_map(|row| {
            let sum: f64 = row.iter().map(|&x| f64::from(x)).sum();
            row.into_iter().map(move |x| f64::from(x) / sum).collect::<Vec<f64>>()
        });
        let rows = prop::collection::vec(row, n).prop_map(|rows| rows.concat());
        (Just(classes), rows, prop::collection::vec(0..classes as u32, n))
    })
}

fn close(a: Option<f64>, b: Option<f64>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => (a - b).abs() < 1e-12,
        (a, b) => a == b,
    }
}

/// All measures that do not depend on the order of the classes, nor on that of the examples.
fn measures(sample: &Sample<'_>) -> Vec<Option<f64>> {
    let confusion = Confusion::of(sample);
    let classes = 0..sample.classes();
    let area = |of: fn(&Sample<'_>, usize) -> Option<f64>| {
        let areas: Vec<f64> = classes.clone().filter_map(|k| of(sample, k)).collect();
        (!areas.is_empty()).then(|| areas.iter().sum::<f64>())
    };
    vec![
        Some(confusion.accuracy()),
        Some(confusion.macro_f1()),
        Some(confusion.balanced_accuracy()),
        confusion.kappa(),
        Some(log_loss(sample)),
        Some(brier(sample)),
        Some(calibration_error(sample)),
        Some(top_k(sample, 2)),
        area(roc_auc),
        area(average_precision),
        reject_threshold(sample, 0.7).map(|found| found.threshold),
        Some(label_errors(sample).likely() as f64),
    ]
}

proptest! {
    #[test]
    fn the_order_of_the_examples_does_not_matter((classes, p, labels) in samples()) {
        let reversed: Vec<f64> = p.chunks(classes).rev().flatten().copied().collect();
        let labels_reversed: Vec<u32> = labels.iter().rev().copied().collect();
        let a = measures(&Sample::new(classes, &p, &labels).unwrap());
        let b = measures(&Sample::new(classes, &reversed, &labels_reversed).unwrap());
        for (measure, (a, b)) in a.into_iter().zip(b).enumerate() {
            prop_assert!(close(a, b), "measure {measure}: {a:?} {b:?}");
        }
    }

    #[test]
    fn only_the_order_of_the_probabilities_matters_for_areas((classes, p, labels) in samples()) {
        let cubes: Vec<f64> = p.iter().map(|x| x.powi(3)).collect();
        let (a, b) = (Sample::new(classes, &p, &labels).unwrap(), Sample::new(classes, &cubes, &labels).unwrap());
        for class in 0..classes {
            prop_assert_eq!(roc_auc(&a, class), roc_auc(&b, class));
            prop_assert_eq!(average_precision(&a, class), average_precision(&b, class));
        }
    }

    #[test]
    fn turning_the_order_round_turns_the_roc_area_round((classes, p, labels) in samples()) {
        let turned: Vec<f64> = p.iter().map(|x| 1.0 - x).collect();
        let (a, b) = (Sample::new(classes, &p, &labels).unwrap(), Sample::new(classes, &turned, &labels).unwrap());
        for class in 0..classes {
            // 1 - x may join two probabilities that differ in the last bit only.
            prop_assert!(close(roc_auc(&a, class).map(|area| 1.0 - area), roc_auc(&b, class)));
        }
    }

    #[test]
    fn measures_stay_within_their_bounds((classes, p, labels) in samples()) {
        let sample = Sample::new(classes, &p, &labels).unwrap();
        let confusion = Confusion::of(&sample);
        prop_assert!((0.0..=2.0).contains(&brier(&sample)) && (0.0..=1.0).contains(&calibration_error(&sample)));
        prop_assert!(confusion.kappa().is_none_or(|kappa| (-1.0..=1.0).contains(&kappa)));
        prop_assert_eq!(top_k(&sample, 1), confusion.accuracy());
        prop_assert_eq!(top_k(&sample, classes), 1.0);
        let [low, high] = wilson(confusion.right(), sample.len());
        prop_assert!(low <= confusion.accuracy() && confusion.accuracy() <= high);
        let binned: usize = reliability(&sample).iter().map(|bin| bin.n).sum();
        prop_assert_eq!(binned, sample.len());
    }

    #[test]
    fn a_temperature_keeps_the_predicted_class(
        rows in prop::collection::vec(prop::collection::vec(-30.0f32..30.0, 3), 1..20), t in 0.05f64..20.0
    ) {
        let logits: Vec<f64> = rows.concat().into_iter().map(f64::from).collect();
        let labels = vec![0; rows.len()];
        let [cold, warm] = [1.0, t].map(|t| softmax(3, &logits, t));
        let cold = Sample::new(3, &cold, &labels).unwrap();
        let warm = Sample::new(3, &warm, &labels).unwrap();
        prop_assert!(cold.predicted().eq(warm.predicted()));
    }

    #[test]
    fn a_lower_demand_covers_no_less((classes, p, labels) in samples(), wanted in 0.0f64..1.0) {
        let sample = Sample::new(classes, &p, &labels).unwrap();
        let coverage = |wanted| reject_threshold(&sample, wanted).map_or(0.0, |found| found.coverage());
        prop_assert!(coverage(wanted) >= coverage(wanted + 0.1));
        if let Some(found) = reject_threshold(&sample, wanted) {
            prop_assert!(found.precision().unwrap() >= wanted);
        }
    }
}

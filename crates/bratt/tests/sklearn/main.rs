//! Agreement with scikit-learn: every measure of `bratt::metrics` against numbers that `make.py` stored beside this file, to
//! 1e-9, with ties, classes that do not occur and classes that are never predicted.

use bratt::metrics::{
    Confusion, Detail, Sample, average_precision, brier, calibration_error, fit_temperature, log_loss,
    mcnemar, roc_auc, softmax, top_k,
};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    made_with: BTreeMap<String, String>,
    cases: Vec<Case>,
    temperatures: Vec<Scaled>,
    mcnemar: Vec<(usize, usize, f64)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    classes: usize,
    weights: Vec<Vec<u32>>,
    labels: Vec<u32>,
    confusion: Vec<Vec<usize>>,
    accuracy: f64,
    balanced_accuracy: f64,
    precision: Vec<f64>,
    recall: Vec<f64>,
    f1: Vec<f64>,
    macro_f1: f64,
    kappa: Option<f64>,
    log_loss: f64,
    brier: f64,
    ece: f64,
    top_k: Vec<Option<f64>>,
    roc_auc: Vec<Option<f64>>,
    average_precision: Vec<Option<f64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scaled {
    classes: usize,
    eighths: Vec<Vec<i32>>,
    labels: Vec<u32>,
    temperature: f64,
    loss: f64,
}

fn stored() -> Stored {
    serde_json::from_str(include_str!("cases.json")).expect("cases as make.py writes them")
}

#[track_caller]
fn near(what: &str, found: Option<f64>, expected: Option<f64>) {
    let agree = match (found, expected) {
        (Some(found), Some(expected)) => (found - expected).abs() <= 1e-9 * expected.abs().max(1e-3),
        (found, expected) => found == expected,
    };
    assert!(agree, "{what}: {found:?}, scikit-learn has {expected:?}");
}

#[test]
fn measures_agree() {
    let stored = stored();
    assert!(stored.made_with.contains_key("sklearn"));
    for case in &stored.cases {
        let row = |weights: &Vec<u32>| {
            let sum: u32 = weights.iter().sum();
            weights.iter().map(|&w| f64::from(w) / f64::from(sum)).collect::<Vec<f64>>()
        };
        let p: Vec<f64> = case.weights.iter().flat_map(row).collect();
        let sample = Sample::new(case.classes, &p, &case.labels).expect("a valid sample");
        let confusion = Confusion::of(&sample);
        let near = |what: &str, found: Option<f64>, expected: Option<f64>| {
            near(&format!("{}: {what}", case.name), found, expected);
        };
        assert_eq!(confusion.counts(), case.confusion, "{}", case.name);
        near("accuracy", Some(confusion.accuracy()), Some(case.accuracy));
        near("balanced accuracy", Some(confusion.balanced_accuracy()), Some(case.balanced_accuracy));
        near("macro F1", Some(confusion.macro_f1()), Some(case.macro_f1));
        near("kappa", confusion.kappa(), case.kappa);
        near("log loss", Some(log_loss(&sample)), Some(case.log_loss));
        near("Brier score", Some(brier(&sample)), Some(case.brier));
        near("calibration error", Some(calibration_error(&sample)), Some(case.ece));
        for (k, expected) in (1..).zip(&case.top_k).filter(|(_, expected)| expected.is_some()) {
            near(&format!("top-{k}"), Some(top_k(&sample, k)), *expected);
        }
        for k in 0..case.classes {
            near(&format!("precision of {k}"), Some(confusion.precision(k)), Some(case.precision[k]));
            near(&format!("recall of {k}"), Some(confusion.recall(k)), Some(case.recall[k]));
            near(&format!("F1 of {k}"), Some(confusion.f1(k)), Some(case.f1[k]));
            near(&format!("ROC-AUC of {k}"), roc_auc(&sample, k), case.roc_auc[k]);
            let precision = average_precision(&sample, k);
            near(&format!("average precision of {k}"), precision, case.average_precision[k]);
        }
        let mean = |of: &[Option<f64>]| {
            let defined: Vec<f64> = of.iter().copied().flatten().collect();
            (!defined.is_empty()).then(|| defined.iter().sum::<f64>() / defined.len() as f64)
        };
        let detail = Detail::of(&sample, 0);
        near("mean ROC-AUC", detail.roc_auc, mean(&case.roc_auc));
        near("mean average precision", detail.pr_auc, mean(&case.average_precision));
    }
}

#[test]
fn temperatures_agree() {
    for (number, case) in stored().temperatures.iter().enumerate() {
        let logits: Vec<f64> = case.eighths.iter().flatten().map(|&z| f64::from(z) / 8.0).collect();
        let found = fit_temperature(case.classes, &logits, &case.labels).expect("valid logits");
        near(&format!("temperature {number}"), found, Some(case.temperature));
        let p = softmax(case.classes, &logits, case.temperature);
        let sample = Sample::new(case.classes, &p, &case.labels).expect("probabilities");
        near(&format!("loss {number}"), Some(log_loss(&sample)), Some(case.loss));
    }
}

#[test]
fn p_values_agree() {
    for (b, c, p) in stored().mcnemar {
        let found = mcnemar(b, c).p;
        assert!((found - p).abs() <= 1e-9 * p, "{b} against {c}: {found}, scipy has {p}");
    }
}

//! Each experiment shows its lesson, in numbers.

use super::{Cell, EXPERIMENTS, Finding, dropout, named};
use crate::nn::DropoutForm;

fn number(cell: &Cell) -> f64 {
    match cell {
        Cell::Number(x) | Cell::Share(x) => *x,
        Cell::Count(n) => *n as f64,
        Cell::Text(_) | Cell::Nothing => f64::NAN,
    }
}

/// Runs an experiment, and checks what holds for all: a whole table, and drawings without numbers that are none.
fn run(name: &str) -> Finding {
    let finding = named(name).unwrap().run(0).unwrap();
    assert!(finding.shown, "{}", finding.conclusion);
    assert!(finding.rows.iter().all(|row| row.len() == finding.head.len()));
    let svg = finding.to_svg();
    assert!(svg.starts_with("<svg xmlns=") && !svg.contains("NaN") && !svg.contains("var("), "{name}");
    let html = finding.to_html();
    assert!(!html.contains("http://") && !html.contains("https://"), "{name}");
    assert_eq!(html.matches("<figure").count(), finding.panels.len());
    finding
}

/// The entry of a row, by the names of row and column.
fn at(finding: &Finding, row: &str, column: &str) -> f64 {
    let place = finding.head.iter().position(|name| *name == column);
    number(&finding.row(row)[place.unwrap_or_else(|| panic!("no column {column:?}"))])
}

#[test]
fn every_experiment_has_a_name_of_its_own_and_one_line() {
    for (at, one) in EXPERIMENTS.iter().enumerate() {
        assert!(!one.about.contains('\n') && one.about.len() < 95, "{}", one.about);
        assert!(EXPERIMENTS[..at].iter().all(|other| other.name != one.name));
        assert_eq!(named(one.name).unwrap().name, one.name);
    }
    assert!(named("spiral").unwrap_err().to_string().contains("did you mean `spirals`?"));
}

#[test]
fn scaling_makes_a_round_bowl_of_a_ravine() {
    let found = run("scaling");
    assert_eq!(at(&found, "of different sizes", "condition").round(), 2500.0);
    assert!(at(&found, "far from zero", "steps") > 1e5);
    assert_eq!(at(&found, "less 100", "steps"), 1.0);
}

#[test]
fn softmax_weights_follow_the_ink() {
    let found = run("softmax-weights");
    assert!((0..10).all(|digit| at(&found, &digit.to_string(), "correlation with its ink") > 0.5));
}

#[test]
fn only_the_perceptron_winds_between_spirals() {
    let found = run("spirals");
    assert!(at(&found, "softmax regression", "accuracy") < 0.75);
    assert!(at(&found, "multilayer perceptron", "accuracy") > 0.95);
}

#[test]
fn sigmoids_starve_the_first_layer_and_leaky_units_are_never_flat() {
    let found = run("activations");
    assert!(at(&found, "sigmoid", "first / last") < 0.05);
    assert!(at(&found, "ReLU", "first / last") > 0.2);
    assert!(at(&found, "ReLU", "flat") > 0.2);
    for name in ["leaky ReLU", "maxout"] {
        assert_eq!((at(&found, name, "flat"), at(&found, name, "dead units")), (0.0, 0.0), "{name}");
    }
}

#[test]
fn he_keeps_the_signal_that_small_numbers_lose() {
    let found = run("init");
    let falls = |row: &str| at(&found, row, "deviation, first") / at(&found, row, "deviation, last");
    assert!((0.5..2.0).contains(&falls("ReLU, He")));
    assert!(falls("ReLU, small random") > 1e3 && falls("tanh, small random") > 1e3);
    assert!(falls("ReLU, Xavier") > 2.0 * falls("ReLU, He"));
    assert_eq!(at(&found, "tanh, zeros", "gradient, first"), 0.0);
    assert!(found.conclusion.contains("only `dense11.bias` ever gets a gradient"), "{}", found.conclusion);
}

#[test]
fn batch_norm_gives_every_layer_a_deviation_of_one() {
    let found = run("batch-norm");
    for column in ["deviation, first", "deviation, last"] {
        assert!((at(&found, "batch norm, rate 0.1", column) - 1.0).abs() < 0.01, "{column}");
    }
    assert!(at(&found, "without, rate 0.1", "gradient, first / last") < 0.01);
}

#[test]
fn both_forms_of_dropout_predict_what_they_expect() {
    let [naive, inverted] =
        [DropoutForm::Naive, DropoutForm::Inverted].map(|form| dropout::outputs(form, 3).unwrap());
    assert!(naive.largest() < 4.0 && inverted.largest() < 4.0);
    // The same masks and weights: what one form multiplies by keep, the other has not divided by it.
    for (naive, inverted) in naive.logits.iter().zip(&inverted.logits) {
        for (a, b) in naive.iter().zip(inverted) {
            assert!((2.0 * a - b).abs() < 1e-9, "{a} {b}");
        }
    }
    run("dropout");
}

#[test]
fn a_rate_beyond_the_limit_diverges_and_decay_calms_one_near_it() {
    let found = run("learning-rate");
    assert!(found.row("too high")[2].shown().starts_with("not finite"));
    assert!(at(&found, "too low", "loss") > 5.0 * at(&found, "good", "loss"));
    assert!(at(&found, "decayed", "rise") < at(&found, "near the limit", "rise"));
}

#[test]
fn noise_falls_with_the_root_of_the_batch() {
    let found = run("batch-size");
    let noise = |row: &str| at(&found, row, "noise");
    assert!(noise("1") > noise("4") && noise("4") > noise("32") && noise("32") > noise("128"));
    let last = found.rows.last().map(|row| number(&row[2]));
    assert_eq!(last, Some(0.0));
}

#[test]
fn momentum_is_faster_and_too_much_of_it_overshoots() {
    let found = run("momentum");
    assert!(at(&found, "0.9", "loss") < 0.7 * at(&found, "0", "loss"));
    assert!(at(&found, "0.99", "rise") > at(&found, "0.9", "rise"));
}

#[test]
fn all_optimizers_learn_and_a_seed_gives_one_finding() {
    let (one, again) = (run("optimizers"), run("optimizers"));
    assert_eq!(one.rows.len(), 7);
    assert_eq!(one.to_html(), again.to_html());
}

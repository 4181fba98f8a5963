//! Regression beside published and certified numbers.
//!
//! `cargo test -p bratt --test regression -- --nocapture` prints how many digits agree.

use bratt::data::Columns;
use bratt::data::columns::Cells;
use bratt::regression::{Classifier, Design, Linear, RegressionError, Terms, classify, least_squares};
use serde_json::Value;
use std::path::{Path, PathBuf};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/regression").join(name)
}

fn json(name: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(file(name)).unwrap()).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|x| x.as_f64().or_else(|| x.as_str()?.parse().ok()).unwrap())
        .collect()
}

/// Log relative error: how many digits agree, at most 15.
fn digits(found: f64, certified: f64) -> f64 {
    let error = if certified == 0.0 { found.abs() } else { ((found - certified) / certified).abs() };
    if error == 0.0 { 15.0 } else { (-error.log10()).clamp(0.0, 15.0) }
}

fn least_digits(found: &[f64], certified: &[f64]) -> f64 {
    assert_eq!(found.len(), certified.len());
    found.iter().zip(certified).map(|(&a, &b)| digits(a, b)).fold(15.0, f64::min)
}

fn target(table: &Columns, name: &str, design: &Design) -> Vec<f64> {
    match &table.named(name).unwrap().cells {
        Cells::Numbers(cells) => design.rows.iter().map(|&row| cells[row].unwrap()).collect(),
        other => panic!("{other:?}"),
    }
}

fn fit(name: &str, certified: &Value) -> Linear {
    let table = Columns::read(&file(&format!("nist/{name}.csv"))).unwrap();
    let features: Vec<String> = table.columns[1..].iter().map(|column| column.name.clone()).collect();
    let wanted: Vec<&str> =
        certified["terms"].as_array().unwrap().iter().map(|t| t.as_str().unwrap()).collect();
    let intercept = wanted[0] == "1";
    let count = wanted.len() - usize::from(intercept);
    let terms = Terms { intercept, degree: (count / features.len()) as u32 };
    let design = Design::new(&table, &features, "y", &terms).unwrap();
    assert_eq!(design.names[usize::from(intercept)..], wanted[usize::from(intercept)..]);
    least_squares(&design, &target(&table, "y", &design), 0.0).unwrap()
}

#[test]
fn certified_digits_of_nist() {
    let asked = [
        ("Norris", 9.0),
        ("Pontius", 9.0),
        ("NoInt1", 9.0),
        ("NoInt2", 9.0),
        ("Filip", 6.0),
        ("Longley", 9.0),
        ("Wampler1", 8.0),
        ("Wampler2", 8.0),
        ("Wampler3", 8.0),
        ("Wampler4", 7.0),
        ("Wampler5", 5.0),
    ];
    let certified = json("nist/certified.json");
    println!(
        "{:<10} {:>12} {:>15} {:>12} {:>8}",
        "", "coefficients", "standard errors", "residual sd", "R^2"
    );
    for (name, least) in asked {
        let about = &certified["datasets"][name];
        let found = fit(name, about);
        let number = |key: &str| about[key].as_str().unwrap().parse::<f64>().unwrap();
        let coefficients = least_digits(&found.coefficients, &numbers(&about["beta"]));
        let (sd, r2) = (
            digits(found.residual_sd.unwrap(), number("residual_sd")),
            digits(found.r_squared, number("r_squared")),
        );
        let exact = number("residual_sd") == 0.0;
        let errors = if exact {
            15.0
        } else {
            least_digits(found.standard_errors.as_ref().unwrap(), &numbers(&about["std_err"]))
        };
        println!("{name:<10} {coefficients:>12.1} {errors:>15.1} {sd:>12.1} {r2:>8.1}");
        assert!(coefficients >= least, "{name}: {coefficients} digits of the coefficients, {least} wanted");
        assert!(errors >= least.min(8.0) - 1.0, "{name}: {errors} digits of the standard errors");
    }
}

fn design_of(x: &[Vec<f64>]) -> Design {
    let columns: Vec<String> = (0..x[0].len()).map(|at| format!("x{at}")).collect();
    let mut text = columns.join(",") + "\n";
    for row in x {
        let cells: Vec<String> = row.iter().map(f64::to_string).collect();
        text += &(cells.join(",") + "\n");
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    std::fs::write(&path, text).unwrap();
    let table = Columns::read(&path).unwrap();
    Design::new(&table, &columns, "", &Terms::default()).unwrap()
}

#[test]
fn logistic_and_softmax_as_statsmodels_finds_them() {
    for case in json("logistic.json")["cases"].as_array().unwrap() {
        let x: Vec<Vec<f64>> = case["x"].as_array().unwrap().iter().map(numbers).collect();
        let y: Vec<usize> = numbers(&case["y"]).into_iter().map(|y| y as usize).collect();
        let found = classify(&design_of(&x), &y, case["classes"].as_u64().unwrap() as usize, 0.0).unwrap();
        let of = |key: &str| -> Vec<f64> { case[key].as_array().unwrap().iter().flat_map(numbers).collect() };
        let errors: Vec<f64> = found.standard_errors.as_ref().unwrap().concat();
        let (b, e) = (
            least_digits(&found.coefficients.concat(), &of("coefficients")),
            least_digits(&errors, &of("standard_errors")),
        );
        println!("{}: {b:.1} digits of the coefficients, {e:.1} of the errors", case["name"]);
        assert!(b > 9.0 && e > 7.0, "{}: {b} {e}", case["name"]);
        assert!(digits(found.cost, case["cost"].as_f64().unwrap()) > 11.0);
    }
}

/// Spector and Mazzeo 1980 (32 rows, here by course: GPA, TUCE, GRADE), the example of Greene, Econometric analysis, table
/// 21.1 (5th edition): constant -13.021, GPA 2.826, TUCE 0.095, PSI 2.379; Stata prints -13.02135, 2.826113, .0951577,
/// 2.378688 with standard errors 4.931325, 1.262941, .1415542, 1.064564.
#[test]
fn the_published_logit_of_spector_and_mazzeo() {
    let found = spector();
    let near = |found: f64, published: f64| digits(found, published) > 5.8;
    let published = [-13.02135, 2.826113, 0.0951577, 2.378688];
    let errors = [4.931325, 1.262941, 0.1415542, 1.064564];
    let (b, e) = (&found.coefficients[0], &found.standard_errors.as_ref().unwrap()[0]);
    assert!(b.iter().zip(published).all(|(&a, b)| near(a, b)), "{b:?}");
    assert!(e.iter().zip(errors).all(|(&a, b)| near(a, b)), "{e:?}");
}

fn spector() -> Classifier {
    let table = Columns::read(&file("spector.csv")).unwrap();
    let features = ["GPA", "TUCE", "PSI"].map(String::from);
    let design = Design::new(&table, &features, "GRADE", &Terms::default()).unwrap();
    let labels: Vec<usize> = target(&table, "GRADE", &design).into_iter().map(|y| y as usize).collect();
    classify(&design, &labels, 2, 0.0).unwrap()
}

#[test]
fn dependent_columns_and_separable_classes_are_refused() {
    let x: Vec<Vec<f64>> =
        (0..9).map(|i| vec![f64::from(i), f64::from(i * i), f64::from(3 * i - 2)]).collect();
    let y: Vec<f64> = (0..9).map(f64::from).collect();
    let design = design_of(&x);
    let said = least_squares(&design, &y, 0.0).unwrap_err();
    assert!(matches!(&said, RegressionError::Rank { rank: 3, terms: 4, .. }), "{said}");
    // A penalty makes the answer unique.
    assert!(least_squares(&design, &y, 1e-3).is_ok());
    let line = design_of(&x.iter().map(|row| row[..1].to_vec()).collect::<Vec<_>>());
    let labels: Vec<usize> = (0..9).map(|i| usize::from(i > 4)).collect();
    assert_eq!(classify(&line, &labels, 2, 0.0), Err(RegressionError::Separable));
    let found = classify(&line, &labels, 2, 0.1).unwrap();
    assert_eq!((found.accuracy, found.standard_errors), (1.0, None));
    let few = design_of(&x[..3]);
    assert_eq!(least_squares(&few, &y[..3], 0.0), Err(RegressionError::FewRows { rows: 3, terms: 4 }));
}

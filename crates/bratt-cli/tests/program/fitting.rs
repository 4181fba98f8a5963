//! Regression on tables.

use super::common::Place;
use std::fs;

/// Line by line `x,y`: y = 1 + 2 x, but for small errors.
const LINE: &str = "x,y\n0,1.1\n1,2.9\n2,5.1\n3,6.9\n4,9.1\n5,10.9\n";

#[test]
fn a_line_is_found_exactly_and_by_descent() {
    let place = Place::new();
    place.write("line.csv", LINE);
    let json = place.bratt("fit line.csv --target y --json").json();
    assert_eq!((json["model"].as_str(), json["rows"].as_u64()), (Some("linear"), Some(6)));
    let exact: Vec<f64> = serde_json::from_value(json["fits"][0]["coefficients"].clone()).unwrap();
    let descended: Vec<f64> = serde_json::from_value(json["descent"]["coefficients"][0].clone()).unwrap();
    // By hand: slope 34.7 / 17.5, through the means (2.5, 6).
    let slope = 34.7 / 17.5;
    for found in [&exact, &descended] {
        assert!(
            (found[1] - slope).abs() < 1e-9 && (found[0] - (6.0 - 2.5 * slope)).abs() < 1e-9,
            "{found:?}"
        );
    }
    let costs = json["descent"]["costs"].as_array().unwrap();
    assert_eq!(costs.len(), 1001);
    let said = place.bratt("fit line.csv --target y -o line.html").good();
    assert!(
        said.contains("(intercept)")
            && said.contains("standard error")
            && said.contains("written  line.html"),
        "{said}"
    );
    assert!(fs::read_to_string(place.path("line.html")).unwrap().contains("<svg"));
    place.bratt("fit line.csv --target y -o line.svg --steps 0").good();
    assert!(fs::read_to_string(place.path("line.svg")).unwrap().starts_with("<svg xmlns"));
}

#[test]
fn gaps_are_counted_and_categories_become_indicators() {
    let place = Place::new();
    place.write(
        "h.csv",
        "size,town,price\n10,Oslo,3\n20,Oslo,5\n12,Bergen,2\n,Bergen,3\n30,Bergen,4\n22,NA,4\n25,Oslo,7\n",
    );
    let said = place.bratt("fit h.csv").good();
    assert!(said.contains("5 rows") && said.contains("size 1, town 1; such rows are left out"), "{said}");
    assert!(said.contains("town=Oslo") && !said.contains("town=Bergen"), "{said}");
    place.bratt("fit h.csv --missing fail").fails(3, &["size 1, town 1", "--missing drop"]);
}

#[test]
fn classes_are_told_apart() {
    let place = Place::new();
    let rows: String = (0..12)
        .map(|i| format!("{},{},{}\n", i, (i * 7) % 5, if (i > 5) == (i % 4 != 0) { "yes" } else { "no" }))
        .collect();
    place.write("c.csv", format!("a,b,said\n{rows}"));
    let said = place.bratt("fit c.csv -o c.html").good();
    assert!(
        said.contains("logistic regression: the target has 2 classes") && said.contains("yes against no"),
        "{said}"
    );
    assert!(fs::read_to_string(place.path("c.html")).unwrap().contains("region class1"));
}

#[test]
fn what_has_no_answer_is_refused_with_a_way_out() {
    let place = Place::new();
    place.write("line.csv", LINE);
    place.write("twice.csv", "a,b,y\n1,2,3\n2,4,5\n3,6,6\n4,8,9\n");
    place.write("apart.csv", "a,y\n1,no\n2,no\n3,yes\n4,yes\n");
    for (arguments, code, told) in [
        ("fit twice.csv", 3, "not independent: 2 of 3 can be told apart"),
        ("fit apart.csv", 3, "infinite"),
        ("fit line.csv --degree 6", 3, "6 rows do not determine 7 coefficients"),
        ("fit line.csv --target z", 3, "no column \"z\"; the columns are x, y"),
        ("fit line.csv --model softmax", 3, "6 classes"),
        ("fit apart.csv --model linear", 3, "linear regression needs numbers"),
        ("fit nowhere.csv", 3, "nowhere.csv"),
        ("fit line.csv --features y", 2, "is the target"),
        ("fit line.csv --optimizer sdg", 4, "did you mean `sgd`?"),
        ("fit line.csv --lr -1", 4, "above 0"),
        ("fit line.csv -o line.png", 2, ".html or .svg"),
    ] {
        place.bratt(arguments).fails(code, &[told]);
    }
    assert!(place.bratt("fit line.csv --lr 100 --raw").good().contains("diverged at step"));
    place.bratt("fit apart.csv --l2 0.1").good();
}

//! Error surfaces: the program's numbers beside loops written by hand, its pages, and what it refuses.

use super::common::Place;
use serde_json::Value;
use std::fs;

fn iterates(json: &Value, variant: usize, optimizer: &str) -> Vec<[f64; 2]> {
    let runs = json["variants"][variant]["runs"].as_array().unwrap();
    let run = runs.iter().find(|run| run["optimizer"] == optimizer).unwrap();
    let pair = |point: &Value| [point[0].as_f64().unwrap(), point[1].as_f64().unwrap()];
    run["iterates"].as_array().unwrap().iter().map(pair).collect()
}

#[track_caller]
fn agree(found: &[[f64; 2]], expected: &[[f64; 2]]) {
    assert_eq!(found.len(), expected.len());
    for (k, (found, expected)) in found.iter().zip(expected).enumerate() {
        for axis in 0..2 {
            assert!((found[axis] - expected[axis]).abs() <= 1e-12, "iterate {k}: {found:?}, {expected:?}");
        }
    }
}

/// Linear decay that ends at step 60, momentum from 0.5 to 0.99, as the command line has them.
#[test]
fn json_has_every_iterate_of_the_textbooks_rules() {
    let place = Place::new();
    let json = place
        .bratt(
            "surface --start -1.5,1 --optim sgd,nesterov,adam --lr sgd=0.04,nesterov=0.01,adam=0.1 --steps 100 \
             --schedule linear,to=0.001,steps=60 --momentum linear,from=0.5,to=0.99 --json",
        )
        .json();
    let gradient = |[x, y]: [f64; 2]| [2.0 * x, 40.0 * y];
    let decayed = |k: usize, from: f64, to: f64, tau: f64| {
        let a = (k as f64 / tau).min(1.0);
        (1.0 - a) * from + a * to
    };
    let walk = |step: &mut dyn FnMut(usize, [f64; 2]) -> [f64; 2]| {
        let mut all = vec![[-1.5, 1.0]];
        for k in 0..100 {
            all.push(step(k, all[k]));
        }
        all
    };
    let sgd = walk(&mut |k, p| {
        let (g, eta) = (gradient(p), decayed(k, 0.04, 0.001, 60.0));
        [p[0] - eta * g[0], p[1] - eta * g[1]]
    });
    agree(&iterates(&json, 0, "sgd"), &sgd);
    let mut v = [0.0; 2];
    let nesterov = walk(&mut |k, p| {
        let (eta, mu) = (decayed(k, 0.01, 0.001, 60.0), decayed(k, 0.5, 0.99, 100.0));
        let g = gradient([p[0] + mu * v[0], p[1] + mu * v[1]]);
        v = [mu * v[0] - eta * g[0], mu * v[1] - eta * g[1]];
        [p[0] + v[0], p[1] + v[1]]
    });
    agree(&iterates(&json, 0, "nesterov"), &nesterov);
    let (mut m, mut r) = ([0.0; 2], [0.0; 2]);
    let adam = walk(&mut |k, mut p| {
        let (g, eta, t) = (gradient(p), decayed(k, 0.1, 0.001, 60.0), k as i32 + 1);
        for i in 0..2 {
            m[i] = 0.9 * m[i] + 0.1 * g[i];
            r[i] = 0.999 * r[i] + 0.001 * g[i] * g[i];
            let (m_hat, r_hat) = (m[i] / (1.0 - 0.9f64.powi(t)), r[i] / (1.0 - 0.999f64.powi(t)));
            p[i] -= eta * m_hat / (r_hat.sqrt() + 1e-8);
        }
        p
    });
    agree(&iterates(&json, 0, "adam"), &adam);
    assert_eq!(json["variants"][0]["runs"][0]["why"], "--lr");
}

#[test]
fn without_arguments_it_shows_the_lecture_and_says_why() {
    let place = Place::new();
    let said = place.bratt("surface -o a.svg -o b.html").good();
    for told in
        ["x^2 + 20*y^2", "1.9/\u{3bb}1, near the limit", "--momentum", "not there after 100 steps: adagrad"]
    {
        assert!(said.contains(told), "no {told:?} in: {said}");
    }
    assert!(said.lines().all(|line| line.chars().count() <= 100), "{said}");
    let (svg, html) = (fs::read_to_string(place.path("a.svg")), fs::read_to_string(place.path("b.html")));
    assert!(svg.unwrap().starts_with("<svg "));
    let html = html.unwrap();
    assert!(html.contains("bratt surface -o a.svg -o b.html") && html.contains("id=\"play\""));
}

/// Parameters stand in alphabetical order, whatever the expression has first.
#[test]
fn an_expression_of_ones_own() {
    let place = Place::new();
    let json = place.bratt("surface 100*(y-x^2)^2+(1-x)^2 --optim adam --json").json();
    let valley = &json["variants"][0];
    assert_eq!(valley["parameters"], serde_json::json!(["x", "y"]));
    assert_eq!(valley["cost"].as_f64(), Some(100.0 * 1.25f64.powi(2) + 6.25));
    for axis in 0..2 {
        assert!((valley["minimum"][axis].as_f64().unwrap() - 1.0).abs() < 1e-6, "{}", valley["minimum"]);
    }
}

#[test]
fn raw_and_preprocessed_stand_side_by_side() {
    let place = Place::new();
    let json = place.bratt("surface --points scaling-2 --optim sgd --json").json();
    let names: Vec<&str> = json["variants"]
        .as_array()
        .unwrap()
        .iter()
        .map(|variant| variant["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["raw", "preprocessed"]);
    place.write("t.csv", "x,kind\n-2,no\n-1,yes\n0,no\n1,yes\n2,yes\n");
    let said = place.bratt("surface --data t.csv --target kind --model logistic").good();
    assert!(said.contains("no is 0 and yes is 1") && said.contains("bias"), "{said}");
}

#[test]
fn what_cannot_be_shown_is_refused_before_anything_is_written() {
    let place = Place::new();
    place.write("text.csv", "a,y\nred,1\nblue,2\n");
    place.write("wide.csv", "a,b,c,y\n1,2,3,4\n2,3,4,5\n");
    for (arguments, code, told) in [
        ("surface x^2", 2, "found one parameter (x), expected two"),
        ("surface x*y*z", 2, "found 3 parameters (x, y, z), expected two"),
        ("surface x^2+sin(y)", 2, "there is no function `sin`"),
        ("surface x^2+20*", 2, "column"),
        ("surface x*[1,2]+y", 2, "expected one number"),
        ("surface floor(x)+y^2", 2, "no way down"),
        ("surface log(x)+y^2", 3, "x = -1.5 and y = 1, is NaN"),
        ("surface x*y --points scaling-1", 2, "cannot be used with"),
        ("surface --optim sdg", 4, "did you mean `sgd`?"),
        ("surface --optim sgd,sgd", 4, "named twice"),
        ("surface --lr fast", 4, "expected a number above 0"),
        ("surface --optim sgd --lr adam=0.1", 4, "none of the chosen optimizers"),
        ("surface --optim sgd --momentum 0.5", 4, "--momentum has no effect"),
        ("surface --optim sgd --set optim.rho=0.5", 4, "has no effect"),
        ("surface --set train.epochs=5", 4, "cannot be set here"),
        ("surface --schedule linaer", 4, "did you mean `linear`?"),
        ("surface --start 1", 4, "expected 2 numbers"),
        ("surface --start 5,5 --range -1,1,-1,1", 4, "lies outside of the range"),
        ("surface --range 1,-1,0,1", 4, "the smaller one first"),
        ("surface --steps 0", 4, "expected at least 1"),
        ("surface --points scaling-3", 4, "did you mean `scaling-"),
        ("surface --data none.csv --target y", 3, "none.csv"),
        ("surface --data text.csv --target y", 3, "holds text (blue, red)"),
        ("surface --data wide.csv --target y", 3, "found 3 features (a, b, c)"),
        ("surface --data wide.csv --target z --features a", 3, "z"),
    ] {
        place.bratt(&format!("{arguments} -o out.svg")).fails(code, &[told]);
        assert!(!place.path("out.svg").exists(), "{arguments}");
    }
    place.bratt("surface -o out.png").fails(4, &["ends in .svg or .html"]);
    let said = place.bratt("surface --optim sgd --lr 0.5 --steps 2000").good();
    assert!(said.contains("sgd diverges (not finite at step"), "{said}");
}

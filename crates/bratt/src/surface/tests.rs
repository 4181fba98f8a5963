//! What the lecture shows, counted.

use super::*;
use crate::data::Columns;
use crate::descent::Method;
use crate::optim::{Momentum, Nesterov, Optimizer, Rule};
use crate::schedule::Schedule;

const STEPS: u64 = 100;
const ALL: [&str; 6] = ["sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam"];

fn ravine() -> Problem {
    Problem::new("x^2 + 20*y^2", ["x", "y"], Vec::new(), |g, [x, y]| {
        g.add(g.square(x), g.mul(g.constant(20.0), g.square(y)))
    })
    .unwrap()
}

fn chosen(ground: &Ground, name: &str, rate: Option<f64>) -> Chosen {
    let mut optimizer = Optimizer::by_name(name).unwrap();
    match &mut optimizer.rule {
        Rule::Momentum(Momentum { mu, .. }) | Rule::Nesterov(Nesterov { mu, .. }) => *mu = USUAL_MOMENTUM,
        _ => {}
    }
    let usual = ground.usual_rate(&optimizer);
    let rate = rate.unwrap_or(usual.rate);
    let method = Method { optimizer, schedule: Schedule::constant(rate), momentum: None };
    Chosen { method, rate, why: usual.why }
}

fn race(problem: Problem, start: Option<[f64; 2]>, names: &[&str]) -> Variant {
    let ground = Ground::survey(problem, start).unwrap();
    let all = names.iter().map(|name| chosen(&ground, name, None)).collect();
    ground.race(all, STEPS, None).unwrap()
}

fn lecture() -> Variant {
    race(ravine(), Some([-1.5, 1.0]), &ALL)
}

fn run<'a>(variant: &'a Variant, name: &str) -> &'a Run {
    variant.runs.iter().find(|run| run.method.optimizer.name() == name).unwrap()
}

#[test]
fn an_expression_of_two_names_is_the_same_problem() {
    let read = |text: &str| Problem::of_expression(&crate::expr::Expression::parse(text).unwrap());
    let problem = read("20*y^2 + x^2").unwrap();
    assert_eq!(problem.parameters(), &["x".to_string(), "y".into()]);
    let found = race(problem, Some([-1.5, 1.0]), &ALL);
    for (a, b) in found.runs.iter().zip(&lecture().runs) {
        assert!((a.last_cost() - b.last_cost()).abs() < 1e-12);
    }
    let said = |text: &str| read(text).unwrap_err().to_string();
    assert_eq!(said("x^2"), "found one parameter (x), expected two parameters");
    assert_eq!(said("x*y + z"), "found 3 parameters (x, y, z), expected two parameters");
    assert!(said("[1, 2] * x + y").contains("[2], expected one number"), "{}", said("[1, 2] * x + y"));
    // Tensors among the literals are fed.
    assert_eq!(read("sum([1, 2] * x) + y^2").unwrap().cost_at([3.0, 4.0]), 25.0);
}

#[test]
fn the_ground_is_surveyed() {
    let ground = lecture().ground;
    assert!((ground.curvature[0] - 40.0).abs() < 1e-6 && (ground.curvature[1] - 2.0).abs() < 1e-6);
    assert!((ground.condition().unwrap() - 20.0).abs() < 1e-6);
    assert!(ground.across[0].abs() < 1e-9 && (ground.across[1].abs() - 1.0).abs() < 1e-9);
    let minimum = ground.minimum.unwrap();
    assert_eq!(minimum, [0.0, 0.0]);
    assert_eq!(ground.usual_rate(&Optimizer::by_name("sgd").unwrap()).rate, 0.0475);
    assert_eq!(ground.usual_rate(&Optimizer::by_name("momentum").unwrap()).rate, 0.025);
    assert_eq!(ground.usual_rate(&Optimizer::by_name("adam").unwrap()).rate, 0.075);
}

/// Near the limit 2/40 each step goes to the other side; a little above it the cost grows.
#[test]
fn sgd_oscillates_near_the_limit_and_diverges_above_it() {
    let variant = lecture();
    let sgd = run(&variant, "sgd");
    let signs: Vec<bool> = sgd.points().take(21).map(|[_, y]| y > 0.0).collect();
    assert!(signs.windows(2).all(|pair| pair[0] != pair[1]), "{signs:?}");
    assert_eq!((variant.steps_to_1_percent(sgd), variant.turns(sgd)), (Some(22), 21));
    let ground = Ground::survey(ravine(), Some([-1.5, 1.0])).unwrap();
    let above = chosen(&ground, "sgd", Some(0.0501));
    let at_last = ground.clone().race(vec![above], 400, None).unwrap();
    assert!(at_last.runs[0].last_cost() > 20.0);
    let wild = chosen(&ground, "sgd", Some(1.0));
    let variant = ground.race(vec![wild], 400, None).unwrap();
    assert!(variant.runs[0].path.diverged.is_some());
    assert!(variant.conclusion().contains("sgd diverges (not finite at step"), "{}", variant.conclusion());
}

#[test]
fn momentum_damps_the_oscillation_and_nesterov_corrects_earlier() {
    let variant = lecture();
    let turns = |name| variant.turns(run(&variant, name));
    let steps = |name| variant.steps_to_1_percent(run(&variant, name)).unwrap();
    assert!(turns("nesterov") < turns("momentum") && turns("momentum") < turns("sgd") / 3);
    assert!(steps("nesterov") <= steps("momentum") && steps("momentum") < steps("sgd"));
    // How far it is carried to the other side.
    let beyond = |name| run(&variant, name).points().map(|[_, y]| -y).fold(0.0, f64::max);
    assert!(
        beyond("nesterov") < 0.1 && beyond("momentum") > 0.3,
        "{} {}",
        beyond("nesterov"),
        beyond("momentum")
    );
}

/// At one rate AdaGrad's steps shrink until it stands; those of RMSprop and Adam do not.
#[test]
fn adagrad_slows_down_and_rmsprop_and_adam_do_not() {
    let variant = lecture();
    let points = |name| run(&variant, name).points().collect::<Vec<_>>();
    // How far ten steps lead along the ravine, far from its end.
    let along = |name, from: usize| {
        let points = points(name);
        points[from + 10][0] - points[from][0]
    };
    assert!(along("adagrad", 10) < 0.5 * along("adagrad", 0));
    assert!(along("rmsprop", 5) > 2.0 * along("adagrad", 5) && along("adam", 5) > 2.0 * along("adagrad", 5));
    let left = |name| variant.left(run(&variant, name)).unwrap();
    assert!(left("adagrad") > 0.1, "{}", left("adagrad"));
    assert!(left("rmsprop") < 0.05 && left("adam") < 0.05, "{} {}", left("rmsprop"), left("adam"));
    assert_eq!(variant.steps_to_1_percent(run(&variant, "adagrad")), None);
    assert!(variant.conclusion().contains("not there after 100 steps: adagrad"), "{}", variant.conclusion());
}

/// Hinton's points: preprocessed, both surfaces are the same circle, and gradient descent leads straight to its middle.
#[test]
fn preprocessing_makes_the_ravine_round() {
    for (name, raw_condition, minimum) in [
        ("scaling-1", 40_000.0..40_500.0, [2.0 / 101.0 - 1.0, 1.0]),
        ("scaling-2", 2499.0..2501.0, [5.0, 0.1]),
    ] {
        let points = Points::built_in(name).unwrap();
        let raw = race(points.raw().unwrap(), None, &ALL);
        assert!(raw_condition.contains(&raw.ground.condition().unwrap()), "{:?}", raw.ground.condition());
        let found = raw.ground.minimum.unwrap();
        assert!((found[0] - minimum[0]).abs() < 1e-5 && (found[1] - minimum[1]).abs() < 1e-5, "{found:?}");
        let round = race(points.preprocessed().unwrap(), None, &ALL);
        assert!((round.ground.condition().unwrap() - 1.0).abs() < 1e-6);
        let least = round.ground.minimum.unwrap();
        assert!((least[0] - 1.0).abs() < 1e-6 && (least[1] - 1.0).abs() < 1e-6, "{least:?}");
        let left = |variant: &Variant| variant.left(run(variant, "sgd")).unwrap();
        assert!(left(&raw) > 0.6, "{}", left(&raw));
        assert!(left(&round) < 1e-6, "{}", left(&round));
        assert_eq!(round.turns(run(&round, "sgd")), 0);
        let surface =
            Surface { title: points.title, notes: Vec::new(), variants: vec![raw, round], steps: STEPS };
        let told = surface.conclusion();
        assert!(told[2].starts_with("preprocessing takes the condition number from"), "{told:?}");
    }
}

fn table(text: &str) -> Columns {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("points.csv");
    std::fs::write(&path, text).unwrap();
    Columns::read(&path).unwrap()
}

/// The weights that the normal equations give: y = 2 x + 1 with one point off the line.
#[test]
fn a_table_with_one_feature_gets_a_bias() {
    let table = table("x,y\n0,1\n1,3\n2,5\n3,8\nNA,9\n");
    let points = Points::of_table(&table, "y", &[], Model::Linear).unwrap();
    assert_eq!(points.notes, ["1 rows with a gap are left out"]);
    let problem = points.raw().unwrap();
    assert_eq!(problem.parameters(), &["weight of x".to_string(), "bias".into()]);
    let minimum = Ground::survey(problem, None).unwrap().minimum.unwrap();
    assert!((minimum[0] - 2.3).abs() < 1e-8 && (minimum[1] - 0.8).abs() < 1e-8, "{minimum:?}");
    // Mean 4.25 at the middle, slope times the deviation.
    let scaled = Ground::survey(points.preprocessed().unwrap(), None).unwrap().minimum.unwrap();
    assert!((scaled[0] - 2.3 * 1.25f64.sqrt()).abs() < 1e-8 && (scaled[1] - 4.25).abs() < 1e-8, "{scaled:?}");
}

#[test]
fn logistic_regression_has_its_cost_and_classes_that_can_be_separated_no_minimum() {
    let overlapping = table("x,kind\n-2,no\n-1,yes\n0,no\n1,yes\n2,yes\n");
    let points = Points::of_table(&overlapping, "kind", &[], Model::Logistic).unwrap();
    assert_eq!(points.notes, ["no is 0 and yes is 1"]);
    let problem = points.raw().unwrap();
    assert!((problem.cost_at([0.0, 0.0]) - 2f64.ln()).abs() < 1e-15);
    // The gradient is the mean of (s - t) x and of s - t.
    let slope = problem.gradient_at([0.0, 0.0]);
    let expected = [(-2.0 * 0.5 + 0.5 - 0.5 - 1.0) / 5.0, -0.1];
    assert!((slope[0] - expected[0]).abs() < 1e-15 && (slope[1] - expected[1]).abs() < 1e-15, "{slope:?}");
    assert!(Ground::survey(problem, None).unwrap().minimum.is_some());
    let separable = table("x,kind\n-2,0\n-1,0\n1,1\n2,1\n");
    let points = Points::of_table(&separable, "kind", &[], Model::Logistic).unwrap();
    let ground = Ground::survey(points.raw().unwrap(), None).unwrap();
    assert_eq!((ground.minimum, ground.start), (None, [0.0, 0.0]));
}

#[test]
fn tables_that_do_not_fit_are_refused_by_name() {
    let refused =
        |text: &str, model| Points::of_table(&table(text), "y", &[], model).unwrap_err().to_string();
    for (text, model, told) in [
        ("a,b,c,y\n1,2,3,4\n1,2,3,5\n", Model::Linear, "found 3 features (a, b, c), expected two"),
        ("a,y\nred,4\nblue,5\n", Model::Linear, "column a holds text (blue, red), expected numbers"),
        ("a,y\n1,yes\n2,no\n", Model::Linear, "column y holds text"),
        ("a,y\n1,1\n2,2\n3,3\n", Model::Logistic, "3 different numbers, expected two"),
        ("a,y\n1,k\n2,l\n3,m\n", Model::Logistic, "3 classes (k, l, m), expected two"),
        ("a,b,y\n0,1,2\n0,2,3\n", Model::Linear, "column a is all zero"),
        ("a,z\n1,2\n2,3\n", Model::Linear, "y"),
    ] {
        let said = refused(text, model);
        assert!(said.contains(told) && said.contains("points.csv"), "{said}");
    }
}

#[test]
fn a_start_without_a_cost_or_outside_of_the_range_is_refused() {
    let log =
        || Problem::new("log", ["x", "y"], Vec::new(), |g, [x, y]| g.add(g.log(x), g.square(y))).unwrap();
    let said = Ground::survey(log(), Some([-1.0, 0.0])).unwrap_err().to_string();
    assert_eq!(said, "the cost at the start, x = -1 and y = 0, is NaN");
    let ground = || Ground::survey(ravine(), Some([3.0, 1.0])).unwrap();
    let said = ground().race(Vec::new(), 1, Some([[-2.0, 2.0], [-1.0, 1.0]])).unwrap_err().to_string();
    assert_eq!(said, "the start, x = 3 and y = 1, lies outside of the range -2 to 2, -1 to 1");
    assert!(matches!(
        ground().race(Vec::new(), 1, Some([[2.0, 2.0], [0.0, 1.0]])),
        Err(SurfaceError::Range { .. })
    ));
    let flat = Problem::new("x^2", ["x", "y"], Vec::new(), |g, [x, _]| g.square(x)).unwrap_err();
    assert!(flat.to_string().contains("does not depend on"), "{flat}");
}

#[test]
fn the_page_has_a_panel_a_variant_and_loads_nothing() {
    let points = Points::built_in("scaling-2").unwrap();
    let variants =
        vec![race(points.raw().unwrap(), None, &ALL), race(points.preprocessed().unwrap(), None, &ALL)];
    let surface = Surface { title: "a < b".into(), notes: vec!["a note".into()], variants, steps: STEPS };
    let html = surface.to_html("1", "bratt surface --points scaling-2");
    assert_eq!(html.matches("class=\"surface\"").count(), 2);
    assert_eq!(html.matches("data-way=\"sgd\" data-costs=").count(), 2);
    assert!(html.contains("a &lt; b") && html.contains("A note.") && html.contains("id=\"play\""));
    assert!(!html.contains("http://") && !html.contains("https://") && !html.contains("url("));
    let svg = surface.to_svg();
    assert!(
        svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=")
            && svg.trim_end().ends_with("</svg>")
    );
    assert_eq!(svg.matches("class=\"way\"").count(), 2 * 6 + 6);
    assert!(!svg.contains("NaN") && !svg.contains("inf"), "numbers that can be drawn");
    // The same each time, whatever the threads do.
    assert!(svg == surface.to_svg());
}

#[test]
fn ten_thousand_steps_are_thinned_and_end_where_they_end() {
    let ground = Ground::survey(ravine(), Some([-1.5, 1.0])).unwrap();
    let slow = chosen(&ground, "adagrad", Some(0.001));
    let variant = ground.race(vec![slow], 3000, None).unwrap();
    let surface = Surface { title: "slow".into(), notes: Vec::new(), variants: vec![variant], steps: 3000 };
    let html = surface.to_html("1", "bratt surface");
    assert!(html.contains("data-steps=\"0 4 8 ") && html.contains(" 3000\""));
    assert!(html.len() < 200_000, "{}", html.len());
}

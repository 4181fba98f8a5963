//! Steps whose numbers stand in textbooks and courses.

use super::{Problem, assert_close, bowl, spaced};
use crate::optim::*;
use crate::tensor::Tensor;

/// Zhang et al., Dive into Deep Learning, chapter 12: the printed ends of 20 steps.
#[test]
fn twenty_steps_in_the_bowl_of_dive_into_deep_learning() {
    let momentum = |mu| Optimizer::from(Momentum { mu, ..Momentum::default() });
    let outside = |mu| Optimizer::from(Momentum { mu, outside: true, ..Momentum::default() });
    let rmsprop = RmsProp { rho: 0.9, epsilon: 1e-6, epsilon_place: Epsilon::Inside };
    for (optimizer, lr, x1, x2) in [
        (Sgd::default().into(), 0.4, "-0.943467", "-0.000073"),
        (momentum(0.5), 0.6, "0.007188", "0.002553"),
        (outside(0.5), 0.6, "0.007188", "0.002553"),
        (momentum(0.25), 0.6, "-0.126340", "-0.186632"),
        (outside(0.25), 0.6, "-0.126340", "-0.186632"),
        (AdaGrad::default().into(), 0.4, "-2.382563", "-0.158591"),
        (AdaGrad::default().into(), 2.0, "-0.002295", "-0.000000"),
        (rmsprop.into(), 0.4, "-0.010599", "0.000000"),
    ] {
        let mut problem = bowl(&optimizer);
        problem.steps(20, lr);
        let found = ["x1", "x2"].map(|name| format!("{:.6}", problem.at(name)[0]));
        assert_eq!(found, [x1, x2], "{}", optimizer.describe());
    }
}

/// Stanford CS231n, assignment 2 (2024), FullyConnectedNets.ipynb: one step from given state, eight digits.
mod cs231n {
    use super::*;

    fn problem(optimizer: Optimizer) -> Problem {
        Problem::with_gradients(&optimizer, &[("w", spaced(-0.4, 0.6, 20), spaced(-0.6, 0.4, 20))])
    }

    fn set(problem: &mut Problem, slot: &str, values: Vec<f64>) {
        let old = problem.state.insert(slot.into(), Tensor::new([values.len()], values).expect("a vector"));
        assert!(old.is_some(), "{slot} is no slot");
    }

    #[test]
    fn sgd_momentum() {
        let mut p = problem(Momentum::default().into());
        set(&mut p, "momentum.w.velocity", spaced(0.6, 0.9, 20));
        p.steps(1, 1e-3);
        let next = [
            0.1406, 0.20738947, 0.27417895, 0.34096842, 0.40775789, 0.47454737, 0.54133684, 0.60812632,
            0.67491579, 0.74170526, 0.80849474, 0.87528421, 0.94207368, 1.00886316, 1.07565263, 1.14244211,
            1.20923158, 1.27602105, 1.34281053, 1.4096,
        ];
        assert_close(p.at("w"), &next, 6e-9);
        let velocity = [
            0.5406, 0.55475789, 0.56891579, 0.58307368, 0.59723158, 0.61138947, 0.62554737, 0.63970526,
            0.65386316, 0.66802105, 0.68217895, 0.69633684, 0.71049474, 0.72465263, 0.73881053, 0.75296842,
            0.76712632, 0.78128421, 0.79544211, 0.8096,
        ];
        assert_close(p.at("momentum.w.velocity"), &velocity, 6e-9);
    }

    #[test]
    fn rmsprop() {
        let mut p = problem(RmsProp { rho: 0.99, ..RmsProp::default() }.into());
        set(&mut p, "rmsprop.w.mean_square", spaced(0.6, 0.9, 20));
        p.steps(1, 1e-2);
        let next = [
            -0.39223849,
            -0.34037513,
            -0.28849239,
            -0.23659121,
            -0.18467247,
            -0.132737,
            -0.08078555,
            -0.02881884,
            0.02316247,
            0.07515774,
            0.12716641,
            0.17918792,
            0.23122175,
            0.28326742,
            0.33532447,
            0.38739248,
            0.43947102,
            0.49155973,
            0.54365823,
            0.59576619,
        ];
        assert_close(p.at("w"), &next, 6e-9);
        let cache = [
            0.5976, 0.6126277, 0.6277108, 0.64284931, 0.65804321, 0.67329252, 0.68859723, 0.70395734,
            0.71937285, 0.73484377, 0.75037008, 0.7659518, 0.78158892, 0.79728144, 0.81302936, 0.82883269,
            0.84469141, 0.86060554, 0.87657507, 0.8926,
        ];
        assert_close(p.at("rmsprop.w.mean_square"), &cache, 6e-9);
    }

    #[test]
    fn adam() {
        let mut p = problem(Adam::default().into());
        set(&mut p, "adam.w.first_moment", spaced(0.6, 0.9, 20));
        set(&mut p, "adam.w.second_moment", spaced(0.7, 0.5, 20));
        p.state.insert("optim.step".into(), Tensor::scalar(5.0));
        p.steps(1, 1e-2);
        let next = [
            -0.40094747,
            -0.34836187,
            -0.29577703,
            -0.24319299,
            -0.19060977,
            -0.1380274,
            -0.08544591,
            -0.03286534,
            0.01971428,
            0.0722929,
            0.1248705,
            0.17744702,
            0.23002243,
            0.28259667,
            0.33516969,
            0.38774145,
            0.44031188,
            0.49288093,
            0.54544852,
            0.59801459,
        ];
        assert_close(p.at("w"), &next, 6e-9);
        let first = [
            0.48, 0.49947368, 0.51894737, 0.53842105, 0.55789474, 0.57736842, 0.59684211, 0.61631579,
            0.63578947, 0.65526316, 0.67473684, 0.69421053, 0.71368421, 0.73315789, 0.75263158, 0.77210526,
            0.79157895, 0.81105263, 0.83052632, 0.85,
        ];
        assert_close(p.at("adam.w.first_moment"), &first, 6e-9);
        let second = [
            0.69966, 0.68908382, 0.67851319, 0.66794809, 0.65738853, 0.64683452, 0.63628604, 0.6257431,
            0.61520571, 0.60467385, 0.59414753, 0.58362676, 0.57311152, 0.56260183, 0.55209767, 0.54159906,
            0.53110598, 0.52061845, 0.51013645, 0.49966,
        ];
        assert_close(p.at("adam.w.second_moment"), &second, 6e-9);
        assert_eq!(p.at("optim.step"), [6.0]);
    }
}

/// deeplearning.ai, Improving Deep Neural Networks, optimisation notebook (2017), expected-output tables.
mod deeplearning_ai {
    use super::*;

    fn problem(optimizer: &Optimizer) -> Problem {
        let w1 = [
            1.6243453636632417,
            -0.6117564136500754,
            -0.5281717522634557,
            -1.0729686221561705,
            0.8654076293246785,
            -2.3015386968802827,
        ];
        let dw1 = [
            -1.1006191772129212,
            1.1447237098396141,
            0.9015907205927955,
            0.5024943389018682,
            0.9008559492644118,
            -0.6837278591743331,
        ];
        let (b1, db1) =
            ([1.74481176421648, -0.7612069008951028], [-0.12289022551864817, -0.9357694342590688]);
        let (b2, db2) = (
            [-0.8778584179213718, 0.04221374671559283, 0.5828152137158222],
            [0.23441569781709215, 1.6598021771098705, 0.7420441605773356],
        );
        let parameters =
            [("W1", w1.to_vec(), dw1.to_vec()), ("b1", b1.into(), db1.into()), ("b2", b2.into(), db2.into())];
        Problem::with_gradients(optimizer, &parameters)
    }

    fn check(problem: &Problem, w1: [f64; 6], b1: [f64; 2], b2: [f64; 3], tolerance: f64) {
        assert_close(problem.at("W1"), &w1, tolerance);
        assert_close(problem.at("b1"), &b1, tolerance);
        assert_close(problem.at("b2"), &b2, tolerance);
    }

    #[test]
    fn gradient_descent() {
        let mut p = problem(&Sgd::default().into());
        let w1 = [1.63535156, -0.62320365, -0.53718766, -1.07799357, 0.85639907, -2.29470142];
        check(p.steps(1, 0.01), w1, [1.74604067, -0.75184921], [-0.88020257, 0.02561572, 0.57539477], 6e-9);
    }

    /// The course averages gradients: the dampened form.
    #[test]
    fn dampened_momentum() {
        let rule = Momentum { mu: 0.9, outside: true, dampened: true, ..Momentum::default() };
        let mut p = problem(&rule.into());
        let w1 = [1.62544598, -0.61290114, -0.52907334, -1.07347112, 0.86450677, -2.30085497];
        check(p.steps(1, 0.01), w1, [1.74493465, -0.76027113], [-0.87809283, 0.04055394, 0.58207317], 6e-9);
    }

    /// From zero moments at t = 2; the published numbers were made with epsilon inside the root.
    #[test]
    fn adam() {
        let mut p = problem(&Adam { epsilon_place: Epsilon::Inside, ..Adam::default() }.into());
        p.state.insert("optim.step".into(), Tensor::scalar(1.0));
        let w1 = [1.63178673, -0.61919778, -0.53561312, -1.08040999, 0.85796626, -2.29409733];
        check(p.steps(1, 0.01), w1, [1.75225313, -0.75376553], [-0.88529978, 0.03477238, 0.57537385], 1e-8);
    }
}

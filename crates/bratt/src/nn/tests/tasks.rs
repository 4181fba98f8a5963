//! Losses and predictions of the tasks.

use super::{assert_close, numbers};
use crate::exec::{Key, State, interpret};
use crate::graph::Graph;
use crate::nn::*;
use crate::tensor::Tensor;

#[test]
fn losses_of_the_tasks() {
    let loss = |task: Task, logits: &Tensor<f64>, labels: &Tensor<f64>| {
        let g = Graph::builder();
        let (z, t) = (g.input("z", logits.shape().clone()), g.input("t", labels.shape().clone()));
        g.output("loss", task.loss(&g, z, t));
        let graph = g.finish()?;
        let trace = interpret(&graph, &[("z", logits), ("t", labels)], &State::new(), Key::default());
        Ok(trace.expect("complete").output("loss").expect("declared").data()[0])
    };
    let t = |shape: &[usize], data: &[f64]| Tensor::new(shape, data.to_vec()).expect("as many");
    let close = |found: Result<f64, crate::graph::GraphError>, expected: f64| {
        assert!(found.is_ok_and(|f| (f - expected).abs() < 1e-15));
    };
    // Equal logits over 4 classes cost ln 4; a logit of 0 costs ln 2 either way.
    close(loss(Task::Classify, &t(&[2, 4], &[7.0; 8]), &t(&[2], &[0.0, 3.0])), 4f64.ln());
    close(loss(Task::Binary, &t(&[2, 1], &[0.0; 2]), &t(&[2], &[0.0, 1.0])), 2f64.ln());
    // Half the squared error, summed over targets, averaged over examples: (9 + 1 + 4) / 2 / 2.
    let (p, y) = (t(&[2, 2], &[3.0, 1.0, 2.0, 0.0]), t(&[2, 2], &[0.0, 0.0, 0.0, 0.0]));
    close(loss(Task::Regress, &p, &y), 3.5);
    close(loss(Task::Regress, &t(&[2, 1], &[3.0, 1.0]), &t(&[2], &[0.0, 0.0])), 2.5);
    assert!(loss(Task::Regress, &p, &t(&[2], &[0.0, 0.0])).is_err());
}

#[test]
fn predictions_are_probabilities_that_fit_the_loss() {
    for (task, width) in [(Task::Classify, 3), (Task::Binary, 1)] {
        let g = Graph::builder();
        let (z, labels) = (g.input("z", [4, width]), g.input("labels", [4]));
        let p = task.predictions(&g, z);
        g.output("sum", g.sum(p, &[1]));
        g.output("cost", g.neg(g.log(g.gather(p, labels))));
        g.output("loss", task.losses(&g, z, labels));
        let graph = g.finish().expect("correct");
        let labels = Tensor::new([4], vec![0.0, 1.0, 1.0, 0.0]).expect("four");
        let z = numbers([4, width], 0.0);
        let trace = interpret(&graph, &[("z", &z), ("labels", &labels)], &State::new(), Key::default());
        let trace = trace.expect("complete");
        assert_close(trace.output("sum").expect("declared"), &[1.0; 4]);
        assert_close(trace.output("cost").expect("declared"), trace.output("loss").expect("declared").data());
    }
}

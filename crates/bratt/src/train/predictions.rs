//! What a model says of each example of a part, and the judgement that follows.
//!
//! Of two classes told apart by one logit z, the logits are taken as `[0, z]`, whose softmax is `[1 - s, s]` with
//! `s = sigmoid z`. Probabilities are computed in f64 from the f32 logits: `softmax(z / T)`, with T the model's temperature
//! or 1.

use super::evaluation::interval_of;
use super::{ClassScore, Evaluation, Measures, TrainError};
use crate::metrics::{Confusion, Detail, MetricError, Sample, fit_temperature, softmax};
use crate::nn::Task;

/// What the draws of the bootstrap follow from: equal predictions have equal intervals.
const BOOTSTRAP_SEED: u64 = 0;

/// What a model says of some examples.
///
/// ```
/// # use bratt::prelude::*;
/// use bratt::metrics::worst_mistakes;
/// # let data = Splits::new(bratt::data::digits(), Fractions::default(), 7)?;
/// # let network = Sequential::new(Input::image(8, 8, 1)).dense(10);
/// # let run = Trainer::new(network).epochs(1).fit(&data)?;
/// let said = run.predictions(data.test())?;
/// if let Some((at, predicted, loss)) = worst_mistakes(&said.sample()?).first() {
///     println!("example {} is no {predicted}: loss {loss:.2}", said.examples()[*at]);
/// }
/// # assert_eq!(said.probabilities().len(), 10 * data.test().len());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct Predictions {
    task: Task,
    classes: Vec<String>,
    examples: Vec<u32>,
    targets: Vec<f32>,
    outputs: Vec<f32>,
    losses: Vec<f32>,
    labels: Vec<u32>,
    probabilities: Vec<f64>,
    temperature: Option<f64>,
}

/// What an evaluation leaves of each example, in their order.
#[derive(Clone, Default, Debug)]
pub(super) struct Outputs {
    pub targets: Vec<f32>,
    /// The last layer, row by row.
    pub outputs: Vec<f32>,
    pub losses: Vec<f32>,
}

impl Outputs {
    /// The logits of all classes, `[n, classes]`.
    fn logits(&self, task: Task) -> Vec<f64> {
        let numbers = self.outputs.iter().map(|&z| f64::from(z));
        match task {
            Task::Binary => numbers.flat_map(|z| [0.0, z]).collect(),
            Task::Classify | Task::Regress => numbers.collect(),
        }
    }

    fn labels(&self, task: Task) -> Vec<u32> {
        if task == Task::Regress { Vec::new() } else { self.targets.iter().map(|&t| t as u32).collect() }
    }

    /// The temperature that fits these examples best; none for regression, or where there is none.
    pub(super) fn temperature(&self, task: Task, classes: usize) -> Option<f64> {
        if task == Task::Regress {
            return None;
        }
        fit_temperature(classes, &self.logits(task), &self.labels(task)).ok().flatten()
    }
}

impl Predictions {
    pub(super) fn new(
        task: Task,
        classes: &[String],
        examples: &[u32],
        outputs: Outputs,
        temperature: Option<f64>,
    ) -> Predictions {
        let probabilities = match task {
            Task::Regress => Vec::new(),
            _ => softmax(classes.len(), &outputs.logits(task), temperature.unwrap_or(1.0)),
        };
        let labels = outputs.labels(task);
        let Outputs { targets, outputs, losses } = outputs;
        let (classes, examples) = (classes.to_vec(), examples.to_vec());
        Predictions { task, classes, examples, targets, outputs, losses, labels, probabilities, temperature }
    }

    /// Those of several parts as one, in the order of the examples. They must be of models of one kind; each keeps the
    /// probabilities of its own temperature, and what has come together has none.
    pub fn together(parts: Vec<Predictions>) -> Option<Predictions> {
        let mut all = Predictions { temperature: None, ..parts.first()?.clone() };
        let width = all.classes.len();
        let of = parts.iter().enumerate().flat_map(|(p, part)| (0..part.len()).map(move |at| (p, at)));
        let mut order: Vec<(usize, usize)> = of.collect();
        order.sort_by_key(|&(p, at)| parts[p].examples[at]);
        let pick = |from: &dyn Fn(&Predictions, usize) -> f32| -> Vec<f32> {
            order.iter().map(|&(p, at)| from(&parts[p], at)).collect()
        };
        let outputs = all.outputs.len() / all.len().max(1);
        all.targets = pick(&|part, at| part.targets[at]);
        all.losses = pick(&|part, at| part.losses[at]);
        all.examples = order.iter().map(|&(p, at)| parts[p].examples[at]).collect();
        all.outputs =
            order.iter().flat_map(|&(p, at)| &parts[p].outputs[at * outputs..][..outputs]).copied().collect();
        if all.task != Task::Regress {
            all.labels = order.iter().map(|&(p, at)| parts[p].labels[at]).collect();
            let row = |&(p, at): &(usize, usize)| &parts[p].probabilities[at * width..][..width];
            all.probabilities = order.iter().flat_map(row).copied().collect();
        }
        Some(all)
    }

    /// Number of examples.
    pub fn len(&self) -> usize {
        self.examples.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.examples.is_empty()
    }

    /// The examples, as indices into the data set of the part.
    pub fn examples(&self) -> &[u32] {
        &self.examples
    }

    /// Names of the classes; none for regression.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// The true class of each example; none for regression.
    pub fn labels(&self) -> &[u32] {
        &self.labels
    }

    /// The calibrated probabilities, `[n, classes]`; none for regression.
    pub fn probabilities(&self) -> &[f64] {
        &self.probabilities
    }

    /// The loss of each example, of the network as it was trained.
    pub fn losses(&self) -> &[f32] {
        &self.losses
    }

    /// What was to be predicted: numbers, or classes as numbers.
    pub fn targets(&self) -> &[f32] {
        &self.targets
    }

    /// The last layer's numbers, row by row: logits, or the predicted numbers.
    pub fn outputs(&self) -> &[f32] {
        &self.outputs
    }

    /// The temperature by which probabilities are calibrated.
    pub fn temperature(&self) -> Option<f64> {
        self.temperature
    }

    /// Probabilities and true classes, for [`crate::metrics`].
    ///
    /// # Errors
    /// Where there is nothing to judge, as for regression, or the network gives numbers that are not finite.
    pub fn sample(&self) -> Result<Sample<'_>, MetricError> {
        Sample::new(self.classes.len(), &self.probabilities, &self.labels)
    }

    /// All measures.
    ///
    /// # Errors
    /// Where the network gives numbers that are not finite.
    pub fn evaluation(&self) -> Result<Evaluation, TrainError> {
        let n = self.len();
        let loss = self.losses.iter().map(|&loss| f64::from(loss)).sum::<f64>() / n.max(1) as f64;
        if self.task == Task::Regress {
            return Ok(Evaluation::of_values(loss, &self.outputs, &self.targets));
        }
        let sample = self.sample()?;
        let (detail, areas) = Detail::with_areas(&sample, BOOTSTRAP_SEED);
        let confusion = Confusion::of(&sample);
        let score = |(k, name): (usize, &String)| {
            let (n, predicted, hits) =
                (confusion.support(k), confusion.predicted(k), confusion.counts()[k][k]);
            ClassScore {
                name: name.clone(),
                n,
                precision: confusion.precision(k),
                precision_interval: interval_of(hits, predicted),
                recall: confusion.recall(k),
                recall_interval: interval_of(hits, n),
                f1: confusion.f1(k),
                roc_auc: areas[k].0,
                pr_auc: areas[k].1,
            }
        };
        let measures = Measures::Classes {
            accuracy: confusion.accuracy(),
            interval: crate::metrics::wilson(confusion.right(), n),
            macro_f1: confusion.macro_f1(),
            classes: self.classes.iter().enumerate().map(score).collect(),
            confusion: confusion.into_counts(),
            temperature: self.temperature,
            detail: Box::new(detail),
        };
        Ok(Evaluation { n, loss, measures })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outputs(outputs: &[f32], targets: &[f32]) -> Outputs {
        Outputs { targets: targets.to_vec(), outputs: outputs.to_vec(), losses: vec![2.0; targets.len()] }
    }

    #[test]
    fn measures_follow_from_the_confusion() {
        let names = ["a", "b", "c", "never"].map(String::from);
        let pairs = [(0, 0), (0, 1), (1, 1), (1, 1), (2, 0)];
        let mut logits = vec![0.0; 20];
        pairs.iter().enumerate().for_each(|(at, &(_, predicted))| logits[4 * at + predicted] = 1.0);
        let targets = pairs.map(|(target, _)| target as f32);
        let said =
            Predictions::new(Task::Classify, &names, &[3, 1, 4, 5, 9], outputs(&logits, &targets), None);
        let result = said.evaluation().unwrap();
        assert_eq!((result.n, result.loss, result.accuracy()), (5, 2.0, Some(0.6)));
        // F1: a 2*1/(2+2), b 2*2/(2+3), c 0; the class that neither occurs nor is predicted does not count.
        assert!((result.macro_f1().unwrap() - (0.5 + 0.8 + 0.0) / 3.0).abs() < 1e-12);
        let Measures::Classes { classes, confusion, .. } = &result.measures else { panic!() };
        assert_eq!((classes[1].precision, classes[1].recall), (2.0 / 3.0, 1.0));
        assert_eq!((classes[3].recall_interval, classes[3].roc_auc), (None, None));
        assert_eq!(confusion[2], [1, 0, 0, 0]);
        let text = serde_json::to_string(&result).unwrap();
        assert_eq!(serde_json::from_str::<Evaluation>(&text).unwrap(), result);
        let names: Vec<&str> = result.figures().iter().map(|figure| figure.name).collect();
        assert_eq!(names, Evaluation::CLASS_FIGURES);
    }

    #[test]
    fn one_logit_is_two_classes() {
        let names = ["no", "yes"].map(String::from);
        let z = 3f32.ln();
        let said = Predictions::new(Task::Binary, &names, &[0, 1], outputs(&[z, -z], &[1.0, 0.0]), None);
        for (found, expected) in said.probabilities().iter().zip([0.25, 0.75, 0.75, 0.25]) {
            assert!((found - expected).abs() < 1e-7);
        }
        assert_eq!(said.evaluation().unwrap().accuracy(), Some(1.0));
    }

    #[test]
    fn a_temperature_changes_probabilities_and_no_class() {
        let names = ["no", "yes"].map(String::from);
        let given = || outputs(&[4.0, 0.0].repeat(4), &[0.0, 0.0, 0.0, 1.0]);
        let t = given().temperature(Task::Classify, 2).unwrap();
        let plain = Predictions::new(Task::Classify, &names, &[0, 1, 2, 3], given(), None);
        let cooled = Predictions::new(Task::Classify, &names, &[0, 1, 2, 3], given(), Some(t));
        assert!((cooled.probabilities()[0] - 0.75).abs() < 1e-9 && plain.probabilities()[0] > 0.98);
        let (plain, cooled) = (plain.evaluation().unwrap(), cooled.evaluation().unwrap());
        assert_eq!((plain.accuracy(), plain.loss), (cooled.accuracy(), cooled.loss));
        let (plain, cooled) = (plain.detail().unwrap(), cooled.detail().unwrap());
        assert!(cooled.ece < 1e-9 && plain.ece > 0.2 && cooled.log_loss < plain.log_loss);
    }

    #[test]
    fn parts_come_together_in_the_order_of_the_examples() {
        let names = ["no", "yes"].map(String::from);
        let part = |examples: &[u32], z: &[f32]| {
            Predictions::new(Task::Binary, &names, examples, outputs(z, &vec![1.0; z.len()]), Some(2.0))
        };
        let all =
            Predictions::together(vec![part(&[1, 4], &[1.0, 2.0]), part(&[0, 2], &[3.0, 4.0])]).unwrap();
        assert_eq!((all.examples(), all.outputs()), (&[0, 1, 2, 4][..], &[3.0, 1.0, 4.0, 2.0][..]));
        assert_eq!(all.probabilities(), part(&[0, 1, 2, 4], &[3.0, 1.0, 4.0, 2.0]).probabilities());
        assert_eq!(Predictions::together(Vec::new()), None);
    }

    #[test]
    fn numbers_that_are_not_finite_are_no_judgement() {
        let names = ["no", "yes"].map(String::from);
        let said = Predictions::new(Task::Classify, &names, &[0], outputs(&[f32::NAN, 0.0], &[0.0]), None);
        assert!(matches!(said.evaluation(), Err(TrainError::Metric(_))));
    }
}

//! From the folder of a run, its data and its model to the values of the report.

use super::images::level;
use super::value::*;
use super::{Picture, config};
use crate::data::loader::{Labels, Loader};
use crate::data::{Augment, Dataset, Features, Targets};
use crate::metrics::{label_errors, losses, worst_mistakes};
use crate::model::{Provenance, Sizes, TrainedModel};
use crate::nn::NnError;
use crate::report::{RunError, RunFolder};
use crate::train::{Balance, EpochEnd, Evaluation, Event, Part, Predictions, Splits, Started, StopReason};
use std::collections::BTreeMap;
use std::num::NonZeroUsize;

/// Pictures of the sample batch.
const BATCH: usize = 20;
/// Wrong answers that are shown, and suspicious labels.
const WORST: usize = 24;
/// Pictures of a cell of the confusion matrix.
const IN_CELL: usize = 18;
/// Characters that all cells' pictures may take.
const CELLS_ROOM: usize = 2_000_000;
/// Longest side of a picture that stands by itself.
const LARGE: u32 = 112;
/// Longest side of a picture in a cell.
const SMALL: u32 = 64;
/// Points of a regression's diagram.
const POINTS: usize = 2000;

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// The run's folder cannot be read or written.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The model's layers do not fit.
    #[error(transparent)]
    Network(#[from] NnError),
}

/// Where a report comes from.
#[derive(Clone, Debug)]
pub struct Sources<'a> {
    /// The folder of the run, whose configuration and events are read.
    pub folder: &'a RunFolder,
    /// The data.
    pub splits: &'a Splits,
    /// The model.
    pub model: &'a TrainedModel,
    /// What it says of [`Sources::judged_part`], and the judgement.
    pub judged: Option<(&'a Predictions, &'a Evaluation)>,
    /// Random changes to training examples.
    pub augment: &'a Augment,
    /// The files of the examples of the data set and of a test part that was given.
    pub files: Option<&'a [Vec<String>; 2]>,
    /// What an audit found.
    pub findings: Vec<String>,
}

impl Sources<'_> {
    /// The part on which a report judges: the test part, or else the validation part; none if both are empty.
    pub fn judged_part(splits: &Splits) -> Option<Part<'_>> {
        [splits.test(), splits.val()].into_iter().find(|part| !part.is_empty())
    }
}

impl Report {
    /// Gathers all that the report of a run shows but heat maps and filters.
    ///
    /// # Errors
    /// If the folder's configuration or events cannot be read.
    pub fn gather(sources: &Sources<'_>) -> Result<Report, ReportError> {
        let Sources { folder, splits, model, .. } = sources;
        let told = Told::of(folder.read_events()?);
        let config = config::rows(&folder.read(RunFolder::CONFIG)?);
        let from = &model.provenance;
        let summary = model.network.summary()?;
        let layers = summary.rows.iter().map(|row| LayerRow {
            name: row.name.clone(),
            kind: row.kind.into(),
            about: row.layer.clone(),
            output: row.output.to_vec(),
            parameters: row.parameters,
            flops: row.flops,
        });
        let run = folder.path().file_name().map_or("run".into(), |name| name.to_string_lossy().into_owned());
        let started = told.started.as_deref();
        Ok(Report {
            run,
            data: data_part(sources, started),
            batch: sample_batch(splits, sources.augment, from),
            model: ModelPart {
                name: model.name.clone(),
                input: model.network.input.to_vec(),
                layers: layers.collect(),
                temperature: model.temperature,
            },
            training: TrainingPart {
                seconds: told.epochs.iter().map(|end| end.seconds).sum(),
                epochs: told.epochs,
                steps: told.steps,
                kept_epoch: from.kept_epoch,
                reason: told.reason,
                batch_size: from.batch_size,
                optimizer: from.optimizer.clone(),
                schedule: from.schedule.clone(),
                // What cannot be read is only not shown.
                rates: folder.read(RunFolder::RATES).ok().and_then(|text| serde_json::from_str(&text).ok()),
                balance: from.balance.clone(),
                monitor: from.monitor.clone(),
            },
            judged: sources.judged.map(|(said, evaluation)| judged(sources, said, evaluation)),
            filters: None,
            repeat: RepeatPart {
                command: config::command(&config),
                config,
                version: from.version.clone(),
                seed: from.seed,
                threads: started.map(|started| started.threads),
                isa: started.map(|started| started.isa.clone()),
            },
        })
    }
}

/// What the events of a run come to. Where it was resumed, what was done again counts as it was the last time.
struct Told {
    started: Option<Box<Started>>,
    epochs: Vec<EpochEnd>,
    steps: Vec<StepPoint>,
    reason: Option<StopReason>,
}

impl Told {
    fn of(events: Vec<Event>) -> Told {
        let (mut started, mut reason) = (None, None);
        let (mut epochs, mut points) = (BTreeMap::new(), BTreeMap::new());
        for event in events {
            match event {
                Event::Started(about) => started = Some(about),
                Event::Step { epoch, step, steps, loss, learning_rate, .. } => {
                    let at = (epoch - 1) as f64 + step as f64 / steps.max(1) as f64;
                    points.insert((epoch, step), StepPoint { at, loss, learning_rate });
                }
                Event::Epoch(end) => {
                    epochs.insert(end.epoch, end);
                }
                Event::Finished { reason: why, .. } => reason = Some(why),
                _ => {}
            }
        }
        Told {
            started,
            epochs: epochs.into_values().collect(),
            steps: points.into_values().collect(),
            reason,
        }
    }
}

fn data_part(sources: &Sources<'_>, started: Option<&Started>) -> DataPart {
    let (splits, data) = (sources.splits, sources.splits.data());
    let parts = [splits.train(), splits.val(), splits.test()];
    let counts: Vec<Vec<usize>> = parts.iter().map(Part::class_counts).collect();
    let row = |(k, name): (usize, &String)| ClassRow {
        name: name.clone(),
        counts: Sizes { train: counts[0][k], val: counts[1][k], test: counts[2][k] },
    };
    let words =
        |of: &dyn Fn(&Started) -> &String| started.map_or(String::new(), |started| of(started).clone());
    DataPart {
        name: data.name().into(),
        description: described(splits),
        fingerprint: data.fingerprint(),
        shape: data.shape().to_vec(),
        split: splits.sizes(),
        classes: data.classes().iter().enumerate().map(row).collect(),
        target: target_range(&parts[0]),
        findings: sources.findings.clone(),
        preprocess: words(&|started| &started.preprocess),
        augment: words(&|started| &started.augment),
    }
}

/// The data set in one line, and a test part that is a data set of its own.
fn described(splits: &Splits) -> String {
    let all = splits.data().describe();
    match splits.test_is_given() {
        true => format!("{all}; besides, a test part of {} that came with them", splits.test().len()),
        false => all,
    }
}

fn target_range(part: &Part<'_>) -> Option<TargetRange> {
    let Targets::Values { values, name } = part.data().targets() else { return None };
    let of_part = || part.indices().iter().map(|&index| f64::from(values[index as usize]));
    Some(TargetRange {
        name: name.clone(),
        least: of_part().fold(f64::INFINITY, f64::min),
        mean: of_part().sum::<f64>() / part.len().max(1) as f64,
        most: of_part().fold(f64::NEG_INFINITY, f64::max),
    })
}

/// The first examples of the first epoch, as they were changed in it.
fn sample_batch(splits: &Splits, augment: &Augment, from: &Provenance) -> Option<SampleBatch> {
    let train = splits.train();
    let data = train.data();
    let shape: [usize; 3] = data.shape().try_into().ok()?;
    let size = NonZeroUsize::new(BATCH.min(train.len()))?;
    let balanced = from.balance.as_deref() == Some(Balance::Sampling.name());
    let loader = Loader::new(data, train.indices(), size, 1, from.seed, augment).balanced(balanced);
    let order = loader.epoch(0);
    let indices = order.get(0)?;
    let width = data.feature_len();
    let (mut features, mut labels) = (vec![0.0; indices.len() * width], Labels::default());
    loader.maker().make(&order, 0, &mut features, &mut labels);
    let name = |label: f32| data.classes().get(label as usize).cloned().unwrap_or_default();
    let picture = |(at, row): (usize, &[f32])| {
        let levels: Vec<u8> = row.iter().map(|&x| level(x)).collect();
        let own = name(labels.own[at]);
        let label = match (labels.partner.get(at).map(|&label| name(label)), labels.weight.get(at)) {
            (Some(partner), Some(&weight)) if partner != own => {
                let (a, b) = (100.0 * weight, 100.0 * (1.0 - weight));
                format!("{own} {a:.0} %, {partner} {b:.0} %")
            }
            _ => own,
        };
        Some((Picture::of_levels(&levels, shape, LARGE)?, label))
    };
    let pictures = features.chunks_exact(width).enumerate().map(picture).collect::<Option<Vec<_>>>()?;
    Some(SampleBatch { pictures, changed: augment.changes_pictures() || augment.mixes() })
}

/// Makes [`Answer`]s.
struct Answers<'a> {
    said: &'a Predictions,
    losses: Vec<f64>,
    data: &'a Dataset,
    files: Option<&'a [String]>,
}

impl Answers<'_> {
    fn answer(&self, at: usize, predicted: usize, side: u32) -> Answer {
        let classes = self.said.classes().len();
        let row = &self.said.probabilities()[at * classes..][..classes];
        let (example, label) = (self.said.examples()[at], self.said.labels()[at] as usize);
        Answer {
            example,
            file: self.files.and_then(|files| files.get(example as usize).cloned()),
            label,
            predicted,
            probability: row[predicted],
            label_probability: row[label],
            loss: self.losses[at],
            picture: Picture::of_example(self.data, example, side),
            heat: None,
        }
    }
}

fn judged(sources: &Sources<'_>, said: &Predictions, evaluation: &Evaluation) -> Judged {
    let splits = sources.splits;
    let is_test = !splits.test().is_empty();
    let part = Sources::judged_part(splits);
    let data = part.as_ref().map_or(splits.data(), Part::data);
    let own_files = is_test && splits.test_is_given();
    let files = sources.files.map(|files| &files[usize::from(own_files)][..]);
    let mut judged = Judged {
        is_test,
        evaluation: evaluation.clone(),
        cells: Vec::new(),
        mistakes: Vec::new(),
        mistake_count: 0,
        suspects: Vec::new(),
        suspect_count: 0,
        points: Vec::new(),
    };
    let Ok(sample) = said.sample() else {
        let every = said.len().div_ceil(POINTS).max(1);
        let pairs = said.targets().iter().zip(said.outputs()).step_by(every);
        judged.points = pairs.map(|(&t, &p)| [t.into(), p.into()]).collect();
        return judged;
    };
    let answers = Answers { said, losses: losses(&sample).collect(), data, files };
    let mistakes = worst_mistakes(&sample);
    judged.mistake_count = mistakes.len();
    judged.mistakes =
        mistakes.iter().take(WORST).map(|&(at, predicted, _)| answers.answer(at, predicted, LARGE)).collect();
    let found = label_errors(&sample);
    judged.suspect_count = found.likely();
    let likely = found.ranking.iter().filter(|suspect| suspect.likely).take(WORST);
    judged.suspects =
        likely.map(|suspect| answers.answer(suspect.example, suspect.suggested, LARGE)).collect();
    if matches!(data.features(), Features::Pixels { .. }) {
        let predicted: Vec<usize> = sample.predicted().collect();
        judged.cells = cells(&answers, &predicted, &super::confusion::shown_classes(evaluation));
    }
    judged
}

/// The hardest examples of each cell of the shown classes, as many as there is room for: first one for each cell,
/// beginning with the largest off the diagonal, then a second one, and so on.
fn cells(answers: &Answers<'_>, predicted: &[usize], shown: &[usize]) -> Vec<Cell> {
    let mut members: BTreeMap<(usize, usize), Vec<usize>> = BTreeMap::new();
    for (at, (&label, &predicted)) in answers.said.labels().iter().zip(predicted).enumerate() {
        let label = label as usize;
        if shown.contains(&label) && shown.contains(&predicted) {
            members.entry((label, predicted)).or_default().push(at);
        }
    }
    let losses = &answers.losses;
    members.values_mut().for_each(|all| all.sort_by(|&a, &b| losses[b].total_cmp(&losses[a])));
    let mut order: Vec<(usize, usize)> = members.keys().copied().collect();
    order.sort_by_key(|cell| (cell.0 == cell.1, std::cmp::Reverse(members[cell].len())));
    let mut found: BTreeMap<(usize, usize), Vec<Answer>> = BTreeMap::new();
    let mut room = CELLS_ROOM;
    'rounds: for round in 0..IN_CELL {
        for cell in &order {
            let Some(&at) = members[cell].get(round) else { continue };
            let answer = answers.answer(at, cell.1, SMALL);
            let Some(picture) = &answer.picture else { break 'rounds };
            let Some(left) = room.checked_sub(picture.uri.len()) else { break 'rounds };
            room = left;
            found.entry(*cell).or_default().push(answer);
        }
    }
    let cell = |((label, predicted), answers)| Cell { label, predicted, answers };
    found.into_iter().map(cell).collect()
}

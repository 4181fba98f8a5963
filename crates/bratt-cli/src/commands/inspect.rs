//! `bratt inspect MODEL|NAME|LAYERS.toml`

mod overview;

use super::load;
use crate::args::InspectArgs;
use crate::failure::{Exit, Failure};
use crate::plan;
use crate::terminal::counted;
use bratt::compile::{Options, Program, compile};
use bratt::exec::{Key, Machine, Slots};
use bratt::graph::{Graph, Slot};
use bratt::model::{TrainedModel, inference_graph};
use bratt::nn::{Sequential, Task, fold_batch_norm, models};
use bratt::optim::Optimizer;
use bratt::tensor::Tensor;
use bratt::train::training_graph;
use overview::Overview;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

/// A network by name or from a file.
struct Subject {
    name: String,
    network: Sequential,
    task: Task,
    trained: Option<TrainedModel>,
}

/// Prints what was asked for; without a view the table of layers.
pub fn run(args: &InspectArgs) -> Result<(), Failure> {
    if args.batch == 0 {
        return Err(Failure::configuration("--batch: found 0, expected at least 1"));
    }
    let subject = subject(args)?;
    let mut out = anstream::stdout();
    if args.graph {
        write!(out, "{}", graph(&subject, args)?)?;
    } else if args.dot {
        write!(out, "{}", graph(&subject, args)?.to_dot())?;
    } else if args.program {
        writeln!(out, "{}", program(&subject, args)?)?;
    } else if args.profile {
        profile(&subject, args, &mut out)?;
    } else {
        let overview = Overview::of(&subject, args)?;
        if args.json {
            writeln!(out, "{}", overview.json())?;
        } else {
            overview.write(&mut out)?;
        }
    }
    out.flush()?;
    Ok(())
}

fn subject(args: &InspectArgs) -> Result<Subject, Failure> {
    let path = Path::new(&args.model);
    if path.extension().is_some_and(|extension| extension == "toml") {
        let read = plan::model_from_layers(path, &args.input, args.classes)?;
        return Ok(Subject { name: read.name, network: read.network, task: read.task, trained: None });
    }
    let looks_like_a_path = args.model.contains(['/', '\\', '.']);
    if path.exists() || looks_like_a_path {
        let model = load(path)?;
        let (name, network, task) = (model.name.clone(), model.network.clone(), model.task);
        return Ok(Subject { name, network, task, trained: Some(model) });
    }
    let known = models::by_name(&args.model, &args.input, args.classes).map_err(|error| {
        Failure::new(Exit::Configuration, format!("{}: no such file, and {error}", args.model))
    })?;
    Ok(Subject { name: known.name, network: known.network, task: known.task, trained: None })
}

impl Subject {
    /// What runs at inference, batch norm folded into the layers before it, and its values; zeros where nothing is
    /// trained.
    fn folded(&self) -> Result<(Sequential, BTreeMap<String, Tensor>), Failure> {
        let values = match &self.trained {
            Some(model) => model.values.clone(),
            None => {
                let graph = inference_graph(&self.network, self.task, 1);
                let graph = graph.map_err(|error| Failure::data(&error))?;
                let zeros = |slot: &Slot| (slot.name.clone(), Tensor::zeros(&slot.shape));
                graph.slots().iter().map(zeros).collect()
            }
        };
        Ok(fold_batch_norm(&self.network, &values))
    }
}

fn optimizer(args: &InspectArgs) -> Result<Optimizer, Failure> {
    Optimizer::by_name(&args.optimizer)
        .map_err(|error| Failure::configuration(format!("--optimizer: {error}")))
}

fn graph(subject: &Subject, args: &InspectArgs) -> Result<Graph, Failure> {
    let built = if args.training {
        training_graph(&subject.network, subject.task, &optimizer(args)?, args.batch)
    } else {
        inference_graph(&subject.folded()?.0, subject.task, args.batch)
    };
    built.map_err(|error| Failure::data(&error))
}

fn program(subject: &Subject, args: &InspectArgs) -> Result<Program, Failure> {
    compile(&graph(subject, args)?, &Options::default()).map_err(|error| Failure::data(&error))
}

fn profile(subject: &Subject, args: &InspectArgs, out: &mut impl Write) -> Result<(), Failure> {
    let isa = plan::isa(args.isa.as_deref().unwrap_or("auto"))?;
    let machine = Machine::with_isa(plan::threads(args.threads.unwrap_or(0))?, isa);
    let program = program(subject, args)?;
    let inputs: Vec<String> = program.inputs().iter().map(|port| port.name.clone()).collect();
    let mut slots = Slots::new(program.layout().clone(), 0);
    if let Some(model) = &subject.trained {
        let values = if args.training { model.values.clone() } else { subject.folded()?.1 };
        for (name, value) in &values {
            slots.set(name, value).map_err(|error| Failure::data(&error))?;
        }
    }
    let mut runner = machine.load(program);
    for name in inputs {
        let Some(input) = runner.input_mut(&name) else { continue };
        match name.as_str() {
            "lr" => input.fill(1e-3),
            "momentum" => input.fill(0.9),
            "labels" => input.fill(0.0),
            // Any features do, as long as they are neither all equal nor denormal.
            _ => (0u32..)
                .zip(input)
                .for_each(|(i, x)| *x = (i.wrapping_mul(2_654_435_761) >> 24) as f32 / 255.0),
        }
    }
    let runs = args.runs.max(1);
    runner.profile(&mut slots, Key::default(), runs.div_ceil(10));
    let profile = runner.profile(&mut slots, Key::default(), runs);
    writeln!(
        out,
        "{}, {}, batch {}, {}, {isa}, mean of {}\n",
        subject.name,
        if args.training { "training step" } else { "inference" },
        args.batch,
        counted(machine.threads() as u64, "thread"),
        counted(runs.into(), "run"),
    )?;
    writeln!(out, "{profile}")?;
    Ok(())
}

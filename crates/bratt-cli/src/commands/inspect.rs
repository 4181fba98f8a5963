//! `bratt inspect MODEL|NAME`

use super::load;
use crate::args::InspectArgs;
use crate::failure::{Exit, Failure};
use crate::plan;
use crate::terminal::{BOLD, DIM, PLAIN, counted, magnitude, percent, thousands};
use bratt::compile::{Options, Program, compile};
use bratt::exec::{Key, Machine, Slots};
use bratt::graph::Graph;
use bratt::model::{TrainedModel, inference_graph};
use bratt::nn::{Sequential, Task, models};
use bratt::optim::Optimizer;
use bratt::train::training_graph;
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
        layers(&subject, args, &mut out)?;
    }
    out.flush()?;
    Ok(())
}

fn subject(args: &InspectArgs) -> Result<Subject, Failure> {
    let path = Path::new(&args.model);
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

fn graph(subject: &Subject, args: &InspectArgs) -> Result<Graph, Failure> {
    let built = if args.training {
        let optimizer = Optimizer::by_name(&args.optimizer)
            .map_err(|error| Failure::configuration(format!("--optimizer: {error}")))?;
        training_graph(&subject.network, subject.task, &optimizer, args.batch)
    } else {
        inference_graph(&subject.network, subject.task, args.batch)
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
        for (name, value) in &model.values {
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

fn layers(subject: &Subject, args: &InspectArgs, out: &mut impl Write) -> Result<(), Failure> {
    let summary = subject.network.summary().map_err(|error| Failure::data(&error))?;
    let kib = |numbers: usize| format!("{:.1}", 4.0 * numbers as f64 / 1024.0);
    let mut table = vec![
        ["layer", "kind", "output", "parameters", "weights KiB", "FLOPs", "values KiB"].map(String::from),
    ];
    let input = &summary.input;
    table.push([
        "input".into(),
        String::new(),
        input.to_string(),
        String::new(),
        String::new(),
        String::new(),
        kib(input.len() * args.batch),
    ]);
    for row in &summary.rows {
        table.push([
            row.name.clone(),
            row.layer.clone(),
            row.output.to_string(),
            thousands(row.parameters as u64),
            kib(row.parameters),
            thousands(row.flops * args.batch as u64),
            kib(row.output.len() * args.batch),
        ]);
    }
    let values: usize = summary.rows.iter().map(|row| row.output.len()).sum();
    table.push([
        "total".into(),
        String::new(),
        String::new(),
        thousands(summary.parameters() as u64),
        kib(summary.parameters()),
        thousands(summary.flops() * args.batch as u64),
        kib((values + input.len()) * args.batch),
    ]);
    let width = |column: usize| table.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 7] = std::array::from_fn(width);
    writeln!(out, "{BOLD}{}{PLAIN}, batch of {}\n", subject.name, args.batch)?;
    for (at, row) in table.iter().enumerate() {
        let [a, b, c, d, e, f, g] = row;
        let [wa, wb, wc, wd, we, wf, wg] = widths;
        let line = format!("{a:<wa$}  {b:<wb$}  {c:<wc$}  {d:>wd$}  {e:>we$}  {f:>wf$}  {g:>wg$}");
        let style = if at == 0 { DIM } else { "" };
        writeln!(out, "{style}{}{}", line.trim_end(), if at == 0 { PLAIN } else { "" })?;
    }
    let program = program(subject, args)?;
    writeln!(
        out,
        "\ncompiled {}: {} steps, {}FLOP, state {:.1} KiB, work memory {:.1} KiB (values share it when not alive together)",
        if args.training { "training step" } else { "for inference" },
        program.steps().len(),
        magnitude(program.flops() as f64),
        program.state_bytes() as f64 / 1024.0,
        program.work_bytes() as f64 / 1024.0,
    )?;
    if let Some(model) = &subject.trained {
        let from = &model.provenance;
        writeln!(
            out,
            "trained  by bratt {} on {} (seed {}), epoch {} of {} kept",
            from.version, from.data, from.seed, from.kept_epoch, from.epochs
        )?;
        writeln!(out, "         {}; {}; batch {}", from.optimizer, from.schedule, from.batch_size)?;
        if !model.classes.is_empty() {
            writeln!(out, "classes  {}", model.classes.join(", "))?;
        }
        if let Some(test) = &from.test {
            let accuracy = test.accuracy.map_or(String::new(), |a| format!("accuracy {}, ", percent(a)));
            writeln!(out, "test     {accuracy}loss {:.4} on {} examples", test.loss, test.n)?;
        }
    }
    Ok(())
}

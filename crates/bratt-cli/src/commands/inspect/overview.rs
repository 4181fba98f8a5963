//! What `bratt inspect` shows without a view: layers, their cost, and memory.

use super::Subject;
use crate::args::InspectArgs;
use crate::failure::Failure;
use crate::plan;
use crate::terminal::{BOLD, DIM, PLAIN, bytes, counted, magnitude, percent, thousands};
use bratt::compile::{Options, compile};
use bratt::exec::{Isa, Machine};
use bratt::graph::Graph;
use bratt::model::inference_graph;
use bratt::nn::Summary;
use bratt::train::training_graph;
use serde_json::{Value, json};
use std::io::{self, Write};

/// A network's layers with their cost, and the memory that it takes.
pub struct Overview<'a> {
    subject: &'a Subject,
    summary: Summary,
    threads: usize,
    memory: Vec<Memory>,
}

/// The memory that a compiled program takes, in bytes.
struct Memory {
    /// "training" or "inference".
    what: &'static str,
    optimizer: Option<String>,
    batch: usize,
    /// Parameters and statistics, and what the optimiser keeps.
    state: usize,
    /// Inputs, outputs and all values between steps.
    work: usize,
    /// What threads work in.
    scratch: usize,
    flops: u64,
}

impl Memory {
    fn total(&self) -> usize {
        self.state + self.work + self.scratch
    }
}

impl<'a> Overview<'a> {
    /// Compiles the network for training and, with batch norm folded, for inference.
    pub fn of(subject: &'a Subject, args: &InspectArgs) -> Result<Overview<'a>, Failure> {
        let summary = subject.network.summary().map_err(|error| Failure::data(&error))?;
        let isa = match &args.isa {
            Some(name) => plan::isa(name)?,
            None => Isa::detect(),
        };
        let machine = Machine::with_isa(plan::threads(args.threads.unwrap_or(0))?, isa);
        let optimizer = super::optimizer(args)?;
        let (folded, _) = subject.folded()?;
        let mut memory = Vec::new();
        let mut add = |what, optimizer, batch, graph: Result<Graph, _>| -> Result<(), Failure> {
            let graph = graph.map_err(|error| Failure::data(&error))?;
            let program = compile(&graph, &Options::default()).map_err(|error| Failure::data(&error))?;
            memory.push(Memory {
                what,
                optimizer,
                batch,
                state: program.state_bytes(),
                work: program.work_bytes(),
                scratch: machine.scratch_bytes(&program),
                flops: program.flops(),
            });
            Ok(())
        };
        let (network, task) = (&subject.network, subject.task);
        let training = training_graph(network, task, &optimizer, args.batch);
        add("training", Some(args.optimizer.clone()), args.batch, training)?;
        add("inference", None, args.batch, inference_graph(&folded, task, args.batch))?;
        if args.batch != 1 {
            add("inference", None, 1, inference_graph(&folded, task, 1))?;
        }
        Ok(Overview { subject, summary, threads: machine.threads(), memory })
    }

    /// All of it for programs.
    pub fn json(&self) -> Value {
        let layers: Vec<Value> = (self.summary.rows.iter())
            .map(|row| {
                json!({
                    "name": row.name,
                    "kind": row.kind,
                    "description": row.layer,
                    "output": &row.output[..],
                    "parameters": row.parameters,
                    "flops": row.flops,
                })
            })
            .collect();
        let memory: Vec<Value> = (self.memory.iter())
            .map(|of| {
                json!({
                    "for": of.what,
                    "optimizer": of.optimizer,
                    "batch": of.batch,
                    "state_bytes": of.state,
                    "work_bytes": of.work,
                    "scratch_bytes": of.scratch,
                    "total_bytes": of.total(),
                    "flops": of.flops,
                })
            })
            .collect();
        json!({
            "model": self.subject.name,
            "input": &self.summary.input[..],
            "layers": layers,
            "parameters": self.summary.parameters(),
            "flops": self.summary.flops(),
            "threads": self.threads,
            "memory": memory,
            "provenance": self.subject.trained.as_ref().map(|model| json!(model.provenance)),
            "classes": self.subject.trained.as_ref().map(|model| &model.classes),
            "temperature": self.subject.trained.as_ref().and_then(|model| model.temperature),
        })
    }

    /// All of it for people.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "{BOLD}{}{PLAIN} for examples {}\n", self.subject.name, self.summary.input)?;
        let mut rows = vec![["layer", "kind", "output", "parameters", "FLOPs"].map(String::from)];
        for row in &self.summary.rows {
            let (parameters, flops) = (thousands(row.parameters as u64), thousands(row.flops));
            rows.push([row.name.clone(), row.layer.clone(), row.output.to_string(), parameters, flops]);
        }
        let (parameters, flops) = (self.summary.parameters() as u64, self.summary.flops());
        rows.push(["total".into(), String::new(), String::new(), thousands(parameters), thousands(flops)]);
        table(out, &rows, 3)?;
        writeln!(out, "{DIM}FLOPs of one example at inference; a multiply-add is two{PLAIN}\n")?;

        let mut rows =
            vec![["memory", "batch", "state", "work", "scratch", "total", "FLOPs"].map(String::from)];
        for of in &self.memory {
            let optimizer = of.optimizer.as_ref().map_or(String::new(), |name| format!(" with {name}"));
            rows.push([
                format!("{}{optimizer}", of.what),
                of.batch.to_string(),
                bytes(of.state),
                bytes(of.work),
                bytes(of.scratch),
                bytes(of.total()),
                magnitude(of.flops as f64),
            ]);
        }
        table(out, &rows, 1)?;
        writeln!(
            out,
            "{DIM}state: parameters, statistics, the optimizer's; work: values between steps, which share memory; \
             scratch: of {}{PLAIN}",
            counted(self.threads as u64, "thread")
        )?;
        self.write_provenance(out)
    }

    fn write_provenance(&self, out: &mut impl Write) -> io::Result<()> {
        let Some(model) = &self.subject.trained else { return Ok(()) };
        let from = &model.provenance;
        writeln!(
            out,
            "\ntrained  by bratt {} on {} (seed {}), epoch {} of {} kept",
            from.version, from.data, from.seed, from.kept_epoch, from.epochs
        )?;
        writeln!(out, "         {}; {}; batch {}", from.optimizer, from.schedule, from.batch_size)?;
        let balance = from.balance.as_ref().map(|how| format!("balance of classes: {how}"));
        let monitor = from.monitor.as_ref().map(|what| format!("kept by {what}"));
        let choices: Vec<String> = balance.into_iter().chain(monitor).collect();
        if !choices.is_empty() {
            writeln!(out, "         {}", choices.join("; "))?;
        }
        if !model.classes.is_empty() {
            writeln!(out, "classes  {}", model.classes.join(", "))?;
        }
        if let Some(t) = model.temperature {
            writeln!(
                out,
                "output   logits divided by {t:.4} before they become probabilities (calibration)"
            )?;
        }
        if let Some(test) = &from.test {
            let accuracy = test.accuracy.map_or(String::new(), |a| format!("accuracy {}, ", percent(a)));
            writeln!(out, "test     {accuracy}loss {:.4} on {} examples", test.loss, test.n)?;
        }
        Ok(())
    }
}

/// Writes rows under a heading, the first `left` columns aligned to the left and the others to the right.
fn table<const N: usize>(out: &mut impl Write, rows: &[[String; N]], left: usize) -> io::Result<()> {
    let widths: [usize; N] =
        std::array::from_fn(|c| rows.iter().map(|row| row[c].chars().count()).max().unwrap_or(0));
    for (at, row) in rows.iter().enumerate() {
        let cells: Vec<String> = (row.iter().zip(widths).enumerate())
            .map(|(c, (cell, w))| if c < left { format!("{cell:<w$}") } else { format!("{cell:>w$}") })
            .collect();
        let (on, off) = if at == 0 { (DIM, PLAIN) } else { ("", "") };
        writeln!(out, "{on}{}{off}", cells.join("  ").trim_end())?;
    }
    Ok(())
}

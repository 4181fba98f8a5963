//! What training shows while it runs: a bar for steps, a row for epochs; and the result at the end.

use crate::dashboard::Dashboard;
use crate::terminal::{
    self, BOLD, DIM, GREEN, PLAIN, Progress, Terminal, counted, magnitude, percent, rate, seconds,
};
use bratt::report::RunFolder;
use bratt::train::{EpochEnd, Evaluation, Event, Fit, Listener, Measures, Monitor, StopReason};
use std::path::Path;
use std::time::Instant;

/// The listener of the terminal.
#[derive(Debug)]
pub struct Console<'a> {
    terminal: &'a mut Terminal,
    epochs: usize,
    steps_per_epoch: usize,
    begin: Instant,
    /// Steps that an earlier process did.
    before: usize,
    monitor: Monitor,
    /// Whether the table has its head: a training that was at its end has no table.
    headed: bool,
}

impl<'a> Console<'a> {
    /// Shows a training.
    pub fn new(terminal: &'a mut Terminal) -> Console<'a> {
        let (epochs, steps_per_epoch, before, monitor) = (0, 0, 0, Monitor::default());
        Console { terminal, epochs, steps_per_epoch, begin: Instant::now(), before, monitor, headed: false }
    }

    fn head(&mut self) {
        if !std::mem::replace(&mut self.headed, true) {
            let third = if of_third(self.monitor) == Monitor::MacroF1 { "macro-F1" } else { "balanced" };
            self.terminal.say(&format!(
                "{DIM}{:>6}  {:>10}  {:>8}  {:>8}  {:>8}  {:>8}  {:>7}{PLAIN}",
                "epoch", "train loss", "val loss", "accuracy", third, "lr", "time"
            ));
        }
    }

    fn epoch(&mut self, end: &EpochEnd) {
        self.head();
        let score = end.validation;
        let number = |x: Option<f64>, show: &dyn Fn(f64) -> String| x.map_or("-".into(), show);
        let loss = number(score.map(|s| s.loss), &terminal::loss);
        let accuracy = number(score.and_then(|s| s.accuracy), &percent);
        let third = number(score.and_then(|s| of_third(self.monitor).of(&s)), &percent);
        let cells =
            [(Monitor::ValLoss, loss), (Monitor::Accuracy, accuracy), (of_third(self.monitor), third)];
        let good = |of: Monitor| end.best && score.is_some() && of == self.monitor;
        let [loss, accuracy, third] = cells.map(|(of, text)| match good(of) {
            true => format!("{GREEN}{text:>8}{PLAIN}"),
            false => format!("{text:>8}"),
        });
        self.terminal.say(&format!(
            "{:>6}  {:>10}  {loss}  {accuracy}  {third}  {:>8}  {:>7}",
            end.epoch,
            terminal::loss(end.train_loss),
            rate(end.learning_rate),
            seconds(end.seconds),
        ));
    }
}

/// The last measure of the table.
fn of_third(monitor: Monitor) -> Monitor {
    match monitor {
        Monitor::BalancedAccuracy => monitor,
        _ => Monitor::MacroF1,
    }
}

impl Listener for Console<'_> {
    fn event(&mut self, event: &Event) {
        match event {
            Event::Started(started) => {
                (self.epochs, self.steps_per_epoch) = (started.epochs, started.steps_per_epoch);
                self.begin = Instant::now();
                self.monitor = Monitor::by_name(&started.monitor).unwrap_or_default();
            }
            Event::Resumed { epoch, step } => self.before = (epoch - 1) * self.steps_per_epoch + step,
            Event::Step { epoch, step, steps, loss, examples_per_second, .. } => {
                self.head();
                if self.terminal.wants_progress() {
                    let label = format!("epoch {epoch}/{}", self.epochs);
                    let note = format!(
                        "{} examples/s  loss {}",
                        magnitude(*examples_per_second),
                        terminal::loss(*loss)
                    );
                    self.terminal.progress(&Progress {
                        label: &label,
                        done: ((epoch - 1) * steps + step - self.before) as u64,
                        all: (self.epochs * steps - self.before) as u64,
                        elapsed: self.begin.elapsed(),
                        note: &note,
                    });
                }
            }
            Event::Epoch(end) => self.epoch(end),
            Event::Interrupted { epoch, step } => {
                let steps = counted(*step as u64, "step");
                self.terminal.say(&format!("interrupted in epoch {epoch} after {steps}"));
            }
            Event::Diverged { .. } | Event::Finished { .. } | Event::Tested { .. } => self.terminal.clear(),
        }
    }
}

/// The dashboard, if it is wanted and can be had; else, and when it has gone, plain lines.
#[derive(Debug)]
pub struct Watch<'a> {
    console: Console<'a>,
    dashboard: Option<Dashboard>,
    /// To be told as lines when the dashboard has gone.
    kept: Vec<Event>,
}

impl<'a> Watch<'a> {
    /// Shows a training.
    pub fn new(terminal: &'a mut Terminal, dashboard: bool) -> Watch<'a> {
        let dashboard = if dashboard { Dashboard::open(terminal) } else { None };
        Watch { console: Console::new(terminal), dashboard, kept: Vec::new() }
    }

    fn close(&mut self) {
        drop(self.dashboard.take());
        self.kept.drain(..).for_each(|event| self.console.event(&event));
    }
}

impl Listener for Watch<'_> {
    fn event(&mut self, event: &Event) {
        let Some(dashboard) = &mut self.dashboard else { return self.console.event(event) };
        dashboard.event(event);
        if !matches!(event, Event::Step { .. }) {
            self.kept.push(event.clone());
        }
        if matches!(event, Event::Finished { .. } | Event::Diverged { .. }) {
            self.close();
        }
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        self.close();
    }
}

/// The lines at the end.
pub fn conclude(
    terminal: &mut Terminal,
    fit: &Fit,
    test: Option<&Evaluation>,
    folder: &RunFolder,
    report: Option<&Path>,
    elapsed: f64,
) {
    let from = &fit.model().provenance;
    let kept = fit.history().iter().find(|end| end.epoch == from.kept_epoch);
    let monitor = from.monitor.as_deref().and_then(Monitor::by_name).unwrap_or_default();
    let ended = match fit.reason() {
        StopReason::Completed => String::new(),
        StopReason::EarlyStop => {
            format!("early stop: no better {} for as many epochs as --patience; ", monitor.words())
        }
        StopReason::Interrupted => "interrupted; ".into(),
    };
    let why = match kept.and_then(|end| end.validation) {
        Some(score) => {
            let value = match monitor {
                Monitor::ValLoss => terminal::loss(score.loss),
                _ => monitor.of(&score).map_or_else(String::new, percent),
            };
            format!("epoch {}, {}, {value}", from.kept_epoch, monitor.best())
        }
        None => format!("epoch {}, the last", from.kept_epoch),
    };
    terminal.say(&format!("\n{DIM}kept    {PLAIN}{ended}{why}"));
    if let Some(test) = test {
        let figures = match &test.measures {
            Measures::Classes { accuracy, interval: [low, high], macro_f1, .. } => format!(
                "{BOLD}accuracy {}{PLAIN}, 95 % interval {:.1} to {}; macro-F1 {}",
                percent(*accuracy),
                100.0 * low,
                percent(*high),
                percent(*macro_f1),
            ),
            Measures::Values { mse, r2 } => {
                format!("{BOLD}mean squared error {}{PLAIN}, R2 {r2:.4}", terminal::loss(*mse))
            }
        };
        terminal.result(&format!("{DIM}test    {PLAIN}{figures}"));
        terminal.say(&format!(
            "        {DIM}loss {}, on {} never used for training or choosing{PLAIN}",
            terminal::loss(test.loss),
            counted(test.n as u64, "example")
        ));
        if let Measures::Classes { temperature: Some(t), detail, .. } = &test.measures {
            terminal.say(&format!(
                "        {DIM}probabilities by temperature {t:.3}, fitted on the validation part; calibration error {}{PLAIN}",
                percent(detail.ece)
            ));
        }
    } else {
        terminal.say(&format!("{DIM}test    {PLAIN}none: there is no test part"));
    }
    terminal.result(&format!("{DIM}saved   {PLAIN}{}", folder.model_path().display()));
    terminal.say(&format!(
        "        {DIM}with configuration, split, events, metrics and evaluation beside it{PLAIN}"
    ));
    if let Some(report) = report {
        terminal.result(&format!("{DIM}report  {PLAIN}{}", report.display()));
    }
    terminal.say(&format!("{DIM}time    {PLAIN}{}", seconds(elapsed)));
}

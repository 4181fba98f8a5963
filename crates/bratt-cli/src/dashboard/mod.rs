//! The dashboard of a training: the whole terminal, redrawn while it goes on.
//!
//! It is drawn on the terminal's second screen. When that has gone, the epochs are told as plain lines. Drawn by hand: it needs a grid of characters, dots of braille and six escape
//! sequences, but neither keys nor widgets.
//!
//! | file | what |
//! |---|---|
//! | `canvas` | a grid of characters in few colours |
//! | `curve` | a long series of numbers in little memory |
//! | `plot` | curves as dots of braille |
//! | `layout` | what stands where, for any size |

mod canvas;
mod curve;
mod layout;
mod plot;
#[cfg(test)]
mod tests;

use crate::terminal::{Terminal, screen};
use bratt::train::{EpochEnd, Event, Listener, Started};
use curve::Curve;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Between two pictures.
const PAUSE: Duration = Duration::from_millis(100);
/// Where the size of the terminal is not known.
const USUAL: (usize, usize) = (80, 24);

/// Whether somebody has pressed Ctrl-C.
static STOPPING: AtomicBool = AtomicBool::new(false);

/// Says on the dashboard that training will stop; false if there is no dashboard to say it.
pub fn say_stopping() -> bool {
    STOPPING.store(true, Ordering::SeqCst);
    screen::is_shown()
}

/// All that is shown.
#[derive(Debug, Default)]
struct Shown {
    started: Option<Box<Started>>,
    epoch: usize,
    step: usize,
    steps: usize,
    loss: f64,
    learning_rate: f64,
    examples_per_second: f64,
    elapsed: Duration,
    /// Epochs, with their part, that were done when this part of the training began.
    begun_at: Option<f64>,
    done: f64,
    train_loss: Curve,
    epochs: Vec<EpochEnd>,
    stopping: bool,
}

impl Shown {
    fn step(&mut self, event: &Event) {
        let Event::Step { epoch, step, steps, loss, learning_rate, examples_per_second, .. } = event else {
            return;
        };
        let place = |step: usize| (epoch.saturating_sub(1)) as f64 + step as f64 / (*steps).max(1) as f64;
        self.begun_at.get_or_insert(place(step.saturating_sub(1)));
        self.done = place(*step);
        (self.epoch, self.step, self.steps) = (*epoch, *step, *steps);
        (self.loss, self.learning_rate) = (*loss, *learning_rate);
        self.examples_per_second = *examples_per_second;
        self.train_loss.push(self.done, *loss);
    }

    /// The part of all epochs that is done.
    fn share(&self) -> f64 {
        let epochs = self.started.as_ref().map_or(1, |started| started.epochs.max(1));
        (self.done / epochs as f64).clamp(0.0, 1.0)
    }

    /// Time for what is left at the pace so far; early stopping may save some of it.
    fn left(&self) -> Option<Duration> {
        let epochs = self.started.as_ref()?.epochs as f64;
        let done = self.done - self.begun_at?;
        let sure = done > 0.0 && self.elapsed > Duration::from_millis(200);
        sure.then(|| self.elapsed.mul_f64((epochs - self.done).max(0.0) / done))
    }
}

/// The listener that shows a training on the whole terminal.
#[derive(Debug)]
pub struct Dashboard {
    shown: Shown,
    begin: Instant,
    drawn: Option<Instant>,
    size: (usize, usize),
    colors: bool,
}

impl Dashboard {
    /// Takes the terminal, if standard error is one that can be drawn on; else says why not.
    pub fn open(terminal: &mut Terminal) -> Option<Dashboard> {
        let plain = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        if plain || !terminal.is_watched() {
            terminal.warn(
                "--dashboard needs a terminal on standard error that can be drawn on, and neither --quiet nor \
                 --no-progress; here are plain lines instead",
            );
            return None;
        }
        let colors = anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never;
        screen::enter();
        Some(Dashboard { shown: Shown::default(), begin: Instant::now(), drawn: None, size: (0, 0), colors })
    }

    fn draw(&mut self) {
        // Somebody else may have given the terminal back.
        if !screen::is_shown() {
            return;
        }
        let size = terminal_size::terminal_size_of(io::stderr());
        let size = size.map(|(width, height)| (usize::from(width.0), usize::from(height.0)));
        let size = size.filter(|&(width, height)| width > 0 && height > 0).unwrap_or(USUAL);
        self.shown.elapsed = self.begin.elapsed();
        self.shown.stopping = STOPPING.load(Ordering::SeqCst);
        let picture = layout::draw(&self.shown, size.0, size.1).to_screen(self.colors);
        // Another size leaves remains.
        let clear = if size == self.size { "" } else { "\x1b[2J" };
        screen::write(&format!("{clear}{picture}"));
        self.size = size;
        self.drawn = Some(Instant::now());
    }
}

impl Listener for Dashboard {
    fn event(&mut self, event: &Event) {
        match event {
            Event::Started(started) => {
                self.shown.started = Some(started.clone());
                self.begin = Instant::now();
            }
            Event::Step { .. } => self.shown.step(event),
            Event::Epoch(end) => self.shown.epochs.push(end.clone()),
            _ => {}
        }
        if self.drawn.is_none_or(|at| at.elapsed() >= PAUSE) {
            self.draw();
        }
    }
}

impl Drop for Dashboard {
    fn drop(&mut self) {
        screen::leave();
    }
}

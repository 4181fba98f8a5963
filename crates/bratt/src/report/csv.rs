//! Epochs as a table.

use super::sink::Sink;
use crate::train::{EpochEnd, Event, Listener};
use std::io::{self, Write};

/// Writes one row an epoch: `epoch,train_loss,val_loss,val_accuracy,val_macro_f1,val_balanced_accuracy,
/// learning_rate,best,seconds`; a cell without a value is empty.
#[derive(Debug)]
pub struct EpochTable<W: Write> {
    sink: Sink<W>,
    begun: bool,
}

impl<W: Write> EpochTable<W> {
    /// Writes to `out`, which is flushed after every row.
    pub fn new(out: W) -> EpochTable<W> {
        EpochTable { sink: Sink::new(out), begun: false }
    }

    /// Goes on with a table that has its rows.
    pub(super) fn going_on(out: W) -> EpochTable<W> {
        EpochTable { sink: Sink::new(out), begun: true }
    }

    /// Flushes.
    ///
    /// # Errors
    /// The first error met while writing.
    pub fn finish(self) -> io::Result<()> {
        self.sink.finish()
    }
}

impl<W: Write> Listener for EpochTable<W> {
    fn event(&mut self, event: &Event) {
        let Event::Epoch(end) = event else { return };
        let header = !std::mem::replace(&mut self.begun, true);
        self.sink.attempt(|out| row(out, end, header));
    }
}

/// Writes a row, and the header before the first one.
pub(super) fn row(out: &mut impl Write, end: &EpochEnd, header: bool) -> io::Result<()> {
    if header {
        let names =
            ["epoch", "train_loss", "val_loss", "val_accuracy", "val_macro_f1", "val_balanced_accuracy"];
        writeln!(out, "{},learning_rate,best,seconds", names.join(","))?;
    }
    let cell = |value: Option<f64>| value.map_or_else(String::new, |x| x.to_string());
    let val = end.validation;
    writeln!(
        out,
        "{},{},{},{},{},{},{},{},{:.3}",
        end.epoch,
        end.train_loss,
        cell(val.map(|v| v.loss)),
        cell(val.and_then(|v| v.accuracy)),
        cell(val.and_then(|v| v.macro_f1)),
        cell(val.and_then(|v| v.balanced_accuracy)),
        end.learning_rate,
        u8::from(end.best),
        end.seconds
    )?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::Score;

    #[test]
    fn one_row_an_epoch_under_one_header() {
        let mut out = Vec::new();
        let mut table = EpochTable::new(&mut out);
        let (accuracy, macro_f1, balanced_accuracy) = (Some(0.5), None, Some(0.75));
        let score = Score { loss: 0.25, accuracy, macro_f1, balanced_accuracy };
        for (epoch, validation) in [(1, None), (2, Some(score))] {
            let (train_loss, learning_rate, seconds) = (1.5, 0.001, 0.1234);
            let end = EpochEnd {
                epoch,
                train_loss,
                validation,
                best: true,
                learning_rate,
                seconds,
                step_sizes: vec![],
            };
            table.event(&Event::Epoch(end));
        }
        table.finish().unwrap();
        let text = String::from_utf8(out).unwrap();
        let rows: Vec<&str> = text.lines().skip(1).collect();
        assert_eq!(rows, ["1,1.5,,,,,0.001,1,0.123", "2,1.5,0.25,0.5,,0.75,0.001,1,0.123"]);
    }
}

//! Events as JSON lines.

use super::sink::Sink;
use crate::train::{Event, Listener};
use std::io::{self, Write};

/// Writes every event as one JSON object a line, such as `{"event":"epoch","epoch":1,...}`. Steps are thinned out to
/// about [`JsonLines::STEPS`] an epoch.
#[derive(Debug)]
pub struct JsonLines<W> {
    sink: Sink<W>,
}

impl<W: Write> JsonLines<W> {
    /// Lines of steps an epoch, about.
    pub const STEPS: usize = 20;

    /// Writes to `out`, which should be buffered; it is flushed after every event but steps.
    pub fn new(out: W) -> JsonLines<W> {
        JsonLines { sink: Sink::new(out) }
    }

    /// Flushes.
    ///
    /// # Errors
    /// The first error met while writing.
    pub fn finish(self) -> io::Result<()> {
        self.sink.finish()
    }
}

impl<W: Write> Listener for JsonLines<W> {
    fn event(&mut self, event: &Event) {
        if let Event::Step { step, steps, .. } = event {
            let every = steps.div_ceil(Self::STEPS).max(1);
            if step % every != 0 && step != steps {
                return;
            }
        }
        self.sink.attempt(|out| {
            serde_json::to_writer(&mut *out, event)?;
            out.write_all(b"\n")?;
            if matches!(event, Event::Step { .. }) { Ok(()) } else { out.flush() }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::StopReason;

    #[test]
    fn every_line_is_an_event_and_steps_are_thinned_out() {
        let mut out = Vec::new();
        let mut lines = JsonLines::new(&mut out);
        for step in 1..=1000 {
            let (epoch, steps, loss) = (1, 1000, 0.5);
            let (learning_rate, examples_per_second) = (1e-3, 1.0);
            lines.event(&Event::Step { epoch, step, steps, loss, learning_rate, examples_per_second });
        }
        let reason = StopReason::Completed;
        let end = Event::Finished { reason, epochs: 1, steps: 1000, kept_epoch: 1, seconds: 0.1 };
        lines.event(&end);
        lines.finish().unwrap();
        let text = String::from_utf8(out).unwrap();
        let events: Vec<Event> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(events.len(), 21);
        assert_eq!(events[20], end);
        assert!(text.starts_with(r#"{"event":"step","epoch":1,"step":50,"#), "{text}");
    }
}

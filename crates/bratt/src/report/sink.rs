//! A stream that remembers its first error: a listener has nobody to tell until the end.

use std::io::{self, Write};

/// Writes until that fails, and from then on nothing.
#[derive(Debug)]
pub(super) struct Sink<W> {
    out: W,
    error: Option<io::Error>,
}

impl<W: Write> Sink<W> {
    pub(super) fn new(out: W) -> Sink<W> {
        Sink { out, error: None }
    }

    /// Lets `write` write, unless something failed before.
    pub(super) fn attempt(&mut self, write: impl FnOnce(&mut W) -> io::Result<()>) {
        if self.error.is_none() {
            self.error = write(&mut self.out).err();
        }
    }

    /// Flushes; the first error met.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.error.take().map_or(Ok(()), Err)?;
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_error_is_kept_for_the_end() {
        let mut sink = Sink::new(Vec::new());
        sink.attempt(|_| Err(io::ErrorKind::StorageFull.into()));
        sink.attempt(|_| Err(io::ErrorKind::BrokenPipe.into()));
        assert_eq!(sink.finish().unwrap_err().kind(), io::ErrorKind::StorageFull);
    }
}

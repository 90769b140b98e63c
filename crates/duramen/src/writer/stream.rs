//! Writes entries to standard output, standard error, or anything that takes bytes.

use std::io::{self, Write};

use super::Writer;
use crate::spool::Destination;

/// Writes to a stream that it did not open, and flushes after each entry, as Python's handlers do.
pub struct StreamWriter {
    stream: Box<dyn Write + Send>,
    place: Option<Destination>,
}

impl StreamWriter {
    /// Writes to `stream`.
    pub fn new(stream: impl Write + Send + 'static) -> Self {
        Self { stream: Box::new(stream), place: None }
    }

    /// Writes to standard output.
    pub fn stdout() -> Self {
        Self { place: Some(Destination::Stdout), ..Self::new(io::stdout()) }
    }

    /// Writes to standard error.
    pub fn stderr() -> Self {
        Self { place: Some(Destination::Stderr), ..Self::new(io::stderr()) }
    }
}

impl Writer for StreamWriter {
    fn write_entry(&mut self, entry: &[u8]) -> io::Result<()> {
        self.stream.write_all(entry)?;
        self.stream.flush()
    }

    fn place(&self) -> Option<Destination> {
        self.place.clone()
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }

    /// The stream belongs to somebody else and stays open.
    fn close(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

//! Writes entries to standard output, standard error, or anything that takes bytes.

use std::io::{self, Write};

use super::Writer;
use crate::spool::Destination;

/// Writes to a stream that it did not open, and flushes after each entry, as Python's handlers do.
///
/// ```
/// use duramen::writer::{StreamWriter, Writer};
///
/// StreamWriter::stderr().write_entry(b"to standard error\n").unwrap();
/// StreamWriter::stdout().write_entry(b"to standard output\n").unwrap();
/// let (mut reader, pipe) = std::io::pipe().unwrap();
/// StreamWriter::new(pipe).write_entry(b"to any stream\n").unwrap();
/// let mut text = String::new();
/// std::io::Read::read_to_string(&mut reader, &mut text).unwrap();
/// assert_eq!(text, "to any stream\n");
/// ```
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

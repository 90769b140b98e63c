//! Records as text on a stream.

use std::io::Write;

use super::base::{BasicHandler, Written};
use crate::writer::StreamWriter;

/// Writes to standard error, standard output, or another stream; flushes after each record.
pub type StreamHandler = BasicHandler<Written<StreamWriter>>;

impl StreamHandler {
    /// Writes to standard error.
    pub fn stderr() -> Self {
        Self::on(StreamWriter::stderr())
    }

    /// Writes to standard output.
    pub fn stdout() -> Self {
        Self::on(StreamWriter::stdout())
    }

    /// Writes to `stream`.
    pub fn new(stream: impl Write + Send + 'static) -> Self {
        Self::on(StreamWriter::new(stream))
    }

    fn on(writer: StreamWriter) -> Self {
        Self::with_destination(Written::new("StreamHandler", writer))
    }
}

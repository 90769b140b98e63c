//! Records as text in a file that other programs rotate.

use super::base::BasicHandler;
use super::written::Written;
use crate::writer::{FileWriter, WatchedFileWriter};

/// Appends to a file, and opens it again when something else has taken its name.
///
/// ```
/// use duramen::{handler::WatchedFileHandler, writer::FileWriter};
///
/// // For logrotate without `copytruncate`.
/// let handler = WatchedFileHandler::new(FileWriter::new("/tmp/shop.log"));
/// ```
pub type WatchedFileHandler = BasicHandler<Written<WatchedFileWriter>>;

impl WatchedFileHandler {
    /// Writes with `file`.
    pub fn new(file: FileWriter) -> Self {
        Self::with_destination(Written::new("WatchedFileHandler", WatchedFileWriter::new(file)))
    }
}

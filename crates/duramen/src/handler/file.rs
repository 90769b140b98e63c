//! Records as text in a file.

use std::io;
use std::path::PathBuf;

use super::base::{BasicHandler, Written};
use crate::writer::FileWriter;

/// Appends to a file, with one write of the operating system for each record.
pub type FileHandler = BasicHandler<Written<FileWriter>>;

impl FileHandler {
    /// Opens the file at `path`, which is made where it does not exist.
    ///
    /// # Errors
    /// When the file cannot be opened. To open it at the first record, use [`FileHandler::with_writer`].
    pub fn new(path: impl Into<PathBuf>) -> io::Result<Self> {
        let mut writer = FileWriter::new(path);
        writer.open()?;
        Ok(Self::with_writer(writer))
    }

    /// Writes with `writer`, which opens its file at the first record.
    pub fn with_writer(writer: FileWriter) -> Self {
        Self::with_destination(Written::new("FileHandler", writer))
    }
}

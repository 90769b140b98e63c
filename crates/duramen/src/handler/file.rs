//! Records as text in a file.

use std::io;
use std::path::PathBuf;

use super::base::BasicHandler;
use super::written::Written;
use crate::writer::FileWriter;

/// Appends to a file, with one write of the operating system for each record, or in blocks ([`FileHandler::buffered`]).
/// Records of threads that log while another one writes are written together; a call returns when its own is written.
///
/// ```
/// use std::sync::Arc;
///
/// use duramen::formatter::{Style, TextFormatter};
/// use duramen::{Manager, handler::FileHandler, warning};
///
/// let path = std::env::temp_dir().join(format!("handler-{}.log", std::process::id()));
/// let handler = FileHandler::new(&path).unwrap();
/// let layout = "%(levelname)s %(name)s: %(message)s";
/// handler.set_formatter(Arc::new(TextFormatter::new(layout, None, Style::Percent).unwrap()));
/// let manager = Manager::new();
/// manager.root().add_handler(Arc::new(handler));
/// warning!(manager.get_logger("shop"), "low on {}", "paper");
/// assert_eq!(std::fs::read_to_string(&path).unwrap(), "WARNING shop: low on paper\n");
/// # std::fs::remove_file(path).unwrap();
/// ```
pub type FileHandler = BasicHandler<Written<FileWriter>>;

impl FileHandler {
    /// Opens the file at `path`, which is made where it does not exist.
    ///
    /// ```
    /// use duramen::handler::FileHandler;
    ///
    /// assert!(FileHandler::new("/no/such/folder/app.log").is_err());
    /// ```
    ///
    /// # Errors
    /// When the file cannot be opened. To open it at the first record, use [`FileHandler::with_writer`].
    pub fn new(path: impl Into<PathBuf>) -> io::Result<Self> {
        let mut writer = FileWriter::new(path);
        writer.open()?;
        Ok(Self::with_writer(writer))
    }

    /// Opens the file at `path` and writes to it in blocks of up to `size` bytes: when the next record does not fit, by a
    /// record at [`Level::ERROR`](crate::Level::ERROR) or above, when the handler is flushed, closed or dropped, and when
    /// the process ends by `exit` or a return from `main` (on Unix). What is in the block is lost where the process is
    /// killed: `size` bytes at most, the newest.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use duramen::handler::FileHandler;
    /// use duramen::{Handler, Manager, warning};
    ///
    /// let path = std::env::temp_dir().join(format!("in-blocks-{}.log", std::process::id()));
    /// let manager = Manager::new();
    /// manager.root().add_handler(Arc::new(FileHandler::buffered(&path, 64 * 1024).unwrap()));
    /// warning!(manager.root(), "low on paper");
    /// manager.flush();
    /// assert_eq!(std::fs::read_to_string(&path).unwrap(), "low on paper\n");
    /// # std::fs::remove_file(path).unwrap();
    /// ```
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn buffered(path: impl Into<PathBuf>, size: usize) -> io::Result<Self> {
        let mut writer = FileWriter::new(path).buffered(size);
        writer.open()?;
        Ok(Self::with_writer(writer))
    }

    /// Writes with `writer`, which opens its file at the first record.
    ///
    /// ```
    /// use duramen::{handler::FileHandler, writer::{FileWriter, Fsync}};
    ///
    /// let handler = FileHandler::with_writer(FileWriter::new("/tmp/orders.log").fsync(Fsync::EveryRecord));
    /// ```
    pub fn with_writer(writer: FileWriter) -> Self {
        let is_buffered = writer.is_buffered();
        let handler = Self::with_destination(Written::new("FileHandler", writer));
        if is_buffered { handler.with_buffer() } else { handler }
    }
}

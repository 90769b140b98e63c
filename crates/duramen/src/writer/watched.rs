//! A file that other programs may rename or delete, such as logrotate.

use std::io;

use super::{FileWriter, Writer};
use crate::spool::Destination;

/// Opens its file again when the path names another file than before.
///
/// ```
/// use duramen::writer::{FileWriter, WatchedFileWriter, Writer};
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("app.log");
/// let mut writer = WatchedFileWriter::new(FileWriter::new(&path));
/// writer.write_entry(b"one\n")?;
/// std::fs::rename(&path, folder.path().join("app.log.1"))?; // logrotate comes along
/// writer.write_entry(b"two\n")?;
/// assert_eq!(std::fs::read_to_string(&path)?, "two\n");
/// # std::io::Result::Ok(())
/// ```
#[derive(Debug)]
pub struct WatchedFileWriter(FileWriter);

impl WatchedFileWriter {
    /// Watches the file of `file`.
    pub fn new(file: FileWriter) -> Self {
        Self(file)
    }

    /// Closes the file where its path names another one, or none. Where the system does not tell files
    /// apart, only a missing file is noticed.
    fn close_if_replaced(&mut self) -> io::Result<()> {
        let Some(open) = self.0.open_status()? else {
            return Ok(());
        };
        let is_same = match self.0.fs().status(self.0.path()) {
            Ok(named) => named.identity == open.identity,
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) => return Err(error),
        };
        if is_same { Ok(()) } else { self.0.close() }
    }
}

impl Writer for WatchedFileWriter {
    /// Where the path cannot be looked at, the entry is still written, to the file that is open.
    fn write_entry(&mut self, entry: &[u8]) -> io::Result<()> {
        let looked = self.close_if_replaced();
        self.0.write_entry(entry).and(looked)
    }

    fn hold_back(&mut self) {
        self.0.hold_back();
    }

    fn flush_buffer(&mut self) -> io::Result<()> {
        self.0.flush_buffer()
    }

    fn failed(&self) -> Option<u64> {
        self.0.failed()
    }

    fn place(&self) -> Option<Destination> {
        self.0.place()
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }

    fn close(&mut self) -> io::Result<()> {
        self.0.close()
    }
}

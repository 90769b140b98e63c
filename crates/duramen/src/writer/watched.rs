//! A file that other programs may rename or delete, such as logrotate.

use std::io;

use super::looks_first::{LooksFirst, writer_that_looks_first};
use super::{FileWriter, Writer as _};

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

writer_that_looks_first!(WatchedFileWriter);

impl LooksFirst for WatchedFileWriter {
    fn file(&self) -> &FileWriter {
        &self.0
    }

    fn file_mut(&mut self) -> &mut FileWriter {
        &mut self.0
    }

    fn look(&mut self, _entry: &[u8]) -> io::Result<()> {
        self.close_if_replaced()
    }
}

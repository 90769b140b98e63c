//! Appends entries to a file, each with one call to the operating system.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Writer;
use crate::fs::{Disk, FileStatus, FileSystem, LogFile};

/// Appends to one file, which it opens at the first entry or when it is told to.
///
/// An entry that could be written in part only, on a full disk for instance, is ended with a line break before
/// the next one. Nothing is held back: when [`Writer::write_entry`] returns, the operating system has the entry.
#[derive(Debug)]
pub struct FileWriter {
    fs: Arc<dyn FileSystem>,
    path: PathBuf,
    truncate_at_open: bool,
    open: Option<OpenFile>,
}

#[derive(Debug)]
struct OpenFile {
    file: Box<dyn LogFile>,
    /// The length of the file, as far as this writer knows.
    position: u64,
    /// The last entry was written in part: the next one begins with a line of its own.
    is_torn: bool,
}

impl OpenFile {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut rest = bytes;
        while !rest.is_empty() {
            match self.file.write(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    self.position += written as u64;
                    self.is_torn = true;
                    rest = &rest[written..];
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.is_torn = false;
        Ok(())
    }
}

impl FileWriter {
    /// Appends to the file at `path` on the disk.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self::on(Arc::new(Disk), path)
    }

    /// Appends to the file at `path` of `fs`.
    pub fn on(fs: Arc<dyn FileSystem>, path: impl Into<PathBuf>) -> Self {
        Self { fs, path: path.into(), truncate_at_open: false, open: None }
    }

    /// Empties the file when it is opened for the first time (Python's mode `w`).
    #[must_use]
    pub fn truncating(self) -> Self {
        Self { truncate_at_open: true, ..self }
    }

    /// Opens the file now, where it is not open.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn open(&mut self) -> io::Result<()> {
        self.opened().map(|_| ())
    }

    /// The path that was given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file system that holds the file.
    pub fn fs(&self) -> &Arc<dyn FileSystem> {
        &self.fs
    }

    /// The length that the file has by what this writer has seen; opens it, where it is not open.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn position(&mut self) -> io::Result<u64> {
        self.opened().map(|open| open.position)
    }

    /// What is known of the open file, `None` where it is not open.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn open_status(&self) -> io::Result<Option<FileStatus>> {
        self.open.as_ref().map(|open| open.file.status()).transpose()
    }

    fn opened(&mut self) -> io::Result<&mut OpenFile> {
        let open = if let Some(open) = self.open.take() {
            open
        } else {
            let file = self.fs.open(&self.path, self.truncate_at_open)?;
            self.truncate_at_open = false;
            let position = file.status()?.length;
            OpenFile { file, position, is_torn: false }
        };
        Ok(self.open.insert(open))
    }
}

impl Writer for FileWriter {
    fn write_entry(&mut self, entry: &[u8]) -> io::Result<()> {
        let open = self.opened()?;
        if open.is_torn { open.write_all(&[b"\n", entry].concat()) } else { open.write_all(entry) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn close(&mut self) -> io::Result<()> {
        self.open = None;
        Ok(())
    }
}

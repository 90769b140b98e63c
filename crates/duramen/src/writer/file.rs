//! Appends entries to a file, each with one call to the operating system.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::fsync::Syncer;
use super::{Fsync, Writer};
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
    /// `None` where the operating system brings the file to the disk when it likes.
    syncer: Option<Arc<Syncer>>,
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
        Self { fs, path: path.into(), truncate_at_open: false, open: None, syncer: None }
    }

    /// Empties the file when it is opened for the first time (Python's mode `w`).
    #[must_use]
    pub fn truncating(self) -> Self {
        Self { truncate_at_open: true, ..self }
    }

    /// Brings the file to the disk when `fsync` says; by default when the operating system likes.
    ///
    /// ```
    /// use duramen::writer::{FileWriter, Fsync};
    ///
    /// let writer = FileWriter::new("/tmp/audit.log").fsync(Fsync::EveryRecord);
    /// ```
    #[must_use]
    pub fn fsync(self, fsync: Fsync) -> Self {
        let syncer =
            (fsync != Fsync::Never).then(|| Arc::new(Syncer::new(Arc::clone(&self.fs), &self.path, fsync)));
        Self { syncer, ..self }
    }

    /// The file has been given another name.
    pub(super) fn has_moved(&self) -> io::Result<()> {
        self.syncer.as_ref().map_or(Ok(()), |syncer| syncer.has_moved())
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
        if open.is_torn {
            open.write_all(&[b"\n", entry].concat())?;
        } else {
            open.write_all(entry)?;
        }
        match (&self.syncer, &self.open) {
            (Some(syncer), Some(open)) => syncer.has_written(open.file.as_ref()),
            _ => Ok(()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn close(&mut self) -> io::Result<()> {
        match (self.open.take(), &self.syncer) {
            (Some(open), Some(syncer)) => syncer.leave(open.file.as_ref()),
            _ => Ok(()),
        }
    }
}

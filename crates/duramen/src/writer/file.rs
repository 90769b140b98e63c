//! Appends entries to a file, each with one call to the operating system, or many together.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use super::fsync::Syncer;
use super::{Fsync, Writer};
use crate::fs::{Disk, FileStatus, FileSystem, LogFile};
use crate::rotation::Growth;
use crate::spool::Destination;
use crate::{ending, report};

/// Appends to one file, which it opens at the first entry or when it is told to.
///
/// An entry that could be written in part only, on a full disk for instance, is completed before the next one. Unless a buffer is asked for, nothing is held back: when [`Writer::write_entry`] returns, the operating
/// system has the entry.
///
/// ```
/// use std::sync::Arc;
///
/// use duramen::fs::Disk;
/// use duramen::writer::{FileWriter, Writer};
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("app.log");
/// std::fs::write(&path, "of the last run\n")?;
/// let mut writer = FileWriter::on(Arc::new(Disk), &path).truncating().buffered(1024);
/// writer.open()?; // or at the first entry
/// assert_eq!(writer.path(), path);
/// assert_eq!(writer.position()?, 0);
/// writer.write_entry(b"one\n")?;
/// assert_eq!((writer.position()?, writer.held_back()), (4, 4));
/// writer.flush()?;
/// assert!(writer.open_status()?.is_some_and(|status| status.length == 4));
/// assert!(writer.fs().exists(&path));
/// writer.close()?;
/// # std::io::Result::Ok(())
/// ```
#[derive(Debug)]
pub struct FileWriter {
    fs: Arc<dyn FileSystem>,
    path: PathBuf,
    truncate_at_open: bool,
    /// So many bytes are held back at most.
    buffer_size: usize,
    /// Who writes will flush: entries may be held back until then.
    is_held_back: bool,
    open: Option<OpenFile>,
    /// `None` where the operating system brings the file to the disk when it likes.
    syncer: Option<Arc<Syncer>>,
    /// What is known of the open file, for those who roll it over.
    growth: Growth,
    /// Entries that could not be written, or brought to the disk where that was asked for.
    failed: u64,
}

/// So many bytes are written together, where the caller says that many entries come.
const BLOCK: usize = 64 * 1024;

#[derive(Debug)]
struct OpenFile {
    file: Box<dyn LogFile>,
    /// The length of the file, as far as this writer knows.
    position: u64,
    /// What is missing of the last entry, which was written in part: it comes before the next one.
    rest: Vec<u8>,
    /// Whole entries that have not been written yet.
    held: Vec<u8>,
    /// Where each of them ends.
    held_ends: Vec<usize>,
}

/// What has become of entries.
#[derive(Debug, Default)]
struct Progress {
    written: u64,
    failed: u64,
    error: Option<io::Error>,
}

impl Progress {
    fn add(&mut self, more: Self) {
        self.written += more.written;
        self.failed += more.failed;
        self.error = self.error.take().or(more.error);
    }
}

impl OpenFile {
    fn new(file: Box<dyn LogFile>) -> io::Result<Self> {
        let position = file.status()?.length;
        Ok(Self { file, position, rest: Vec::new(), held: Vec::new(), held_ends: Vec::new() })
    }

    /// Writes all of `bytes`; with an error comes how many were written before it.
    fn write_all(&mut self, bytes: &[u8]) -> Result<(), (usize, io::Error)> {
        let mut written = 0;
        while written < bytes.len() {
            match self.file.write(&bytes[written..]) {
                Ok(0) => return Err((written, io::ErrorKind::WriteZero.into())),
                Ok(more) => {
                    self.position += more as u64;
                    written += more;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err((written, error)),
            }
        }
        Ok(())
    }

    /// Writes entries, the first of which ends at the first of `ends` and so on, behind what is missing of an earlier one.
    /// Of the entry in which the writing stops the rest is kept; those behind it are lost.
    fn write(&mut self, bytes: &[u8], ends: &[usize]) -> Progress {
        if !self.rest.is_empty() {
            let mut rest = std::mem::take(&mut self.rest);
            if let Err((written, error)) = self.write_all(&rest) {
                rest.drain(..written);
                self.rest = rest;
                return Progress { failed: ends.len() as u64, error: Some(error), ..Progress::default() };
            }
        }
        let Err((written, error)) = self.write_all(bytes) else {
            return Progress { written: ends.len() as u64, ..Progress::default() };
        };
        let whole = ends.partition_point(|end| *end <= written);
        let begin = if whole == 0 { 0 } else { ends[whole - 1] };
        if let Some(end) = ends.get(whole).filter(|_| written > begin) {
            self.rest = bytes[written..*end].to_vec();
        }
        Progress { written: whole as u64, failed: (ends.len() - whole) as u64, error: Some(error) }
    }

    /// Takes an entry, and holds back up to `most` bytes.
    fn accept(&mut self, entry: &[u8], most: usize) -> Progress {
        let mut progress = Progress::default();
        if self.held.len() + entry.len() > most {
            progress = self.write_held();
        }
        if entry.len() > most {
            // Although what was held back may not have been.
            progress.add(self.write(entry, &[entry.len()]));
        } else {
            self.held.extend_from_slice(entry);
            self.held_ends.push(self.held.len());
        }
        progress
    }

    /// Writes what is held back, if there is something. What cannot be written is lost, as an entry would be that is
    /// written at once, and the error says how much that is.
    fn write_held(&mut self) -> Progress {
        if self.held.is_empty() {
            return Progress::default();
        }
        let (mut held, mut ends) = (std::mem::take(&mut self.held), std::mem::take(&mut self.held_ends));
        let mut progress = self.write(&held, &ends);
        if let Some(error) = &progress.error {
            let text = format!("{} records that were held back are lost: {error}", progress.failed);
            progress.error = Some(io::Error::new(error.kind(), text));
        }
        held.clear();
        ends.clear();
        (self.held, self.held_ends) = (held, ends);
        progress
    }
}

/// A file is closed, or its handler dropped: what is held back goes first.
impl Drop for OpenFile {
    fn drop(&mut self) {
        if let Some(error) = self.write_held().error {
            report::error("FileWriter", &error);
        }
        // What is missing of an entry that has been told of as failed: its line is to have an end.
        self.write(&[], &[]);
    }
}

impl FileWriter {
    /// Appends to the file at `path` on the disk.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self::on(Arc::new(Disk), path)
    }

    /// Appends to the file at `path` of `fs`.
    pub fn on(fs: Arc<dyn FileSystem>, path: impl Into<PathBuf>) -> Self {
        Self {
            fs,
            path: path.into(),
            truncate_at_open: false,
            buffer_size: 0,
            is_held_back: false,
            open: None,
            syncer: None,
            growth: Growth::default(),
            failed: 0,
        }
    }

    /// Holds back up to `size` bytes and writes them together: when an entry does not fit any more, when it is flushed or
    /// closed. So many bytes, the newest, are lost at most where the process is killed; 0 (the default): none. Entries are
    /// never written in part to make use of the size.
    ///
    /// ```
    /// use duramen::writer::{FileWriter, Writer};
    ///
    /// let path = std::env::temp_dir().join(format!("buffered-{}.log", std::process::id()));
    /// let mut writer = FileWriter::new(&path).buffered(64 * 1024);
    /// writer.write_entry(b"one\n").unwrap();
    /// assert_eq!(std::fs::read(&path).unwrap(), b"");
    /// writer.flush().unwrap();
    /// assert_eq!(std::fs::read(&path).unwrap(), b"one\n");
    /// # std::fs::remove_file(path).unwrap();
    /// ```
    #[must_use]
    pub fn buffered(self, size: usize) -> Self {
        Self { buffer_size: size, ..self }
    }

    /// How many bytes are held back.
    pub fn held_back(&self) -> u64 {
        self.open.as_ref().map_or(0, |open| open.held.len() as u64)
    }

    pub(crate) fn is_buffered(&self) -> bool {
        self.buffer_size > 0
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

    /// The length that the file has by what this writer has seen, with what it holds back; opens it, where it is not open.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn position(&mut self) -> io::Result<u64> {
        self.opened().map(|open| open.position + open.held.len() as u64)
    }

    /// What is known of the open file, `None` where it is not open.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn open_status(&self) -> io::Result<Option<FileStatus>> {
        self.open.as_ref().map(|open| open.file.status()).transpose()
    }

    /// What is known of the open file where something has to be done before the next entry: `None` when the file, with
    /// an entry of `length` bytes behind it, is one that `is_full` refuses, is at its path no more, or is gone; as far as
    /// is known without asking the system for each entry. `is_full` refuses what is longer than `limit`; 0: nothing.
    pub(super) fn due(
        &mut self,
        limit: u64,
        is_full: impl Fn(u64) -> bool,
    ) -> io::Result<Option<FileStatus>> {
        self.open()?;
        let now = nanoseconds();
        // What is held back is part of it.
        let held = self.held_back();
        if !self.growth.wants_look(now) && !is_full(self.growth.length()) {
            return Ok(None);
        }
        let Some(open) = self.open_status()? else { return Ok(None) };
        self.growth.has_looked(open.length + held, limit, now);
        let mut is_there = open.is_named;
        if is_there && self.growth.wants_path(now) {
            is_there = match self.fs.status(&self.path) {
                Ok(named) => named.identity == open.identity || !named.is_regular,
                Err(error) => error.kind() != io::ErrorKind::NotFound,
            };
            if is_there {
                self.growth.has_looked_at_path(now);
            }
        }
        Ok((!is_there || is_full(open.length + held)).then_some(open))
    }

    /// Goes on with the file that is at the path now; with the one that is open where that cannot be opened.
    pub(super) fn reopen(&mut self) -> io::Result<()> {
        let file = OpenFile::new(self.fs.open(&self.path, false)?)?;
        let closed = self.close();
        self.growth = Growth::default();
        self.open = Some(file);
        closed
    }

    /// How many bytes may be held back now.
    fn most_held(&self) -> usize {
        let is_at_once = self.syncer.as_ref().is_some_and(|syncer| syncer.fsync() == Fsync::EveryRecord);
        if ending::has_begun() {
            // What is held back while the process ends may never be written.
            0
        } else if self.is_held_back {
            // Who writes waits for the flush, and with it for the disk.
            self.buffer_size.max(BLOCK)
        } else if is_at_once {
            0
        } else {
            self.buffer_size
        }
    }

    fn write_held(&mut self) -> io::Result<()> {
        let progress = self.open.as_mut().map(OpenFile::write_held).unwrap_or_default();
        self.settle(progress)
    }

    /// Brings what was written to the disk, where that was asked for, and counts.
    fn settle(&mut self, progress: Progress) -> io::Result<()> {
        self.failed += progress.failed;
        let synced = match (&self.syncer, &self.open) {
            (Some(syncer), Some(open)) if progress.written > 0 => syncer.has_written(open.file.as_ref()),
            _ => Ok(()),
        };
        if synced.is_err() {
            self.failed += progress.written;
        }
        progress.error.map_or(synced, Err)
    }

    fn opened(&mut self) -> io::Result<&mut OpenFile> {
        if let Some(ref mut open) = self.open {
            return Ok(open);
        }
        let file = self.fs.open(&self.path, self.truncate_at_open)?;
        self.truncate_at_open = false;
        self.growth = Growth::default();
        Ok(self.open.insert(OpenFile::new(file)?))
    }
}

/// A time that never goes back, in nanoseconds.
fn nanoseconds() -> i64 {
    static START: OnceLock<Instant> = OnceLock::new();
    i64::try_from(START.get_or_init(Instant::now).elapsed().as_nanos()).unwrap_or(i64::MAX)
}

impl Writer for FileWriter {
    fn write_entry(&mut self, entry: &[u8]) -> io::Result<()> {
        let most = self.most_held();
        self.growth.has_written(entry.len());
        let progress = match self.opened() {
            Ok(open) => open.accept(entry, most),
            Err(error) => Progress { failed: 1, error: Some(error), ..Progress::default() },
        };
        self.settle(progress)
    }

    fn hold_back(&mut self) {
        self.is_held_back = true;
    }

    fn flush_buffer(&mut self) -> io::Result<()> {
        if self.is_held_back { Ok(()) } else { self.write_held() }
    }

    fn failed(&self) -> Option<u64> {
        Some(self.failed)
    }

    fn place(&self) -> Option<Destination> {
        std::path::absolute(&self.path).ok().map(Destination::File)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.is_held_back = false;
        self.write_held()
    }

    fn close(&mut self) -> io::Result<()> {
        let flushed = self.flush();
        match (self.open.take(), &self.syncer) {
            (Some(open), Some(syncer)) => flushed.and(syncer.leave(open.file.as_ref())),
            _ => flushed,
        }
    }
}

//! Appends entries to a file, each with one call to the operating system, or many together.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use super::fsync::Syncer;
use super::open_file::{OpenFile, Progress};
use super::{Fsync, Writer};
use crate::fs::{Disk, FileStatus, FileSystem};
use crate::rotation::line_end::{self, Moved, Secured};
use crate::rotation::{Growth, turn};
use crate::spool::Destination;
use crate::{ending, process, report};

/// Appends to one file, which it opens at the first entry or when it is told to.
///
/// An entry that could be written in part only, on a full disk for instance, is completed before the next one, or has an end
/// at least where others have written meanwhile. Unless a buffer is asked for, nothing is held back: when
/// [`Writer::write_entry`] returns, the operating system has the entry.
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
    /// The process in which a batch is on its way, after which who writes will flush: entries may be held back until then.
    /// 0: there is none. A forked child has none of its parent's.
    held_back_by: u32,
    /// One of that batch is severe: it stays in no buffer.
    is_severe: bool,
    open: Option<OpenFile>,
    /// `None` where the operating system brings the file to the disk when it likes.
    syncer: Option<Arc<Syncer>>,
    /// What is known of the open file, for those who roll it over.
    growth: Growth,
    /// Entries that could not be written, or brought to the disk where that was asked for.
    failed: u64,
    sharing: Sharing,
}

/// Who else writes to the file, and rolls it over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sharing {
    Nobody,
    OtherProcesses,
    /// The same, while who calls has it locked: to lock it again would be to wait for oneself.
    NobodyMeanwhile,
}

/// So many bytes are written together, where the caller says that many entries come.
const BLOCK: usize = 64 * 1024;

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
            held_back_by: 0,
            is_severe: false,
            open: None,
            syncer: None,
            growth: Growth::default(),
            failed: 0,
            sharing: Sharing::Nobody,
        }
    }

    /// Other processes write to the file as well, and roll it over: see [`line_end`].
    #[must_use]
    pub(super) fn shared(self) -> Self {
        Self { sharing: Sharing::OtherProcesses, ..self }
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
    /// an entry of `length` bytes behind it, is one that `is_full` refuses, has been replaced or deleted; as far as
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
        let is_of_others = open.length + held != self.growth.length();
        self.growth.has_looked(open.length + held, limit, now);
        if is_of_others && let Some(own) = open.identity.filter(|_| open.is_regular) {
            let is_suspect = line_end::lacks_end(self.fs.as_ref(), &self.path, own);
            self.open.iter_mut().for_each(|open| open.is_suspect |= is_suspect);
        }
        let mut is_gone = !open.is_named;
        if !is_gone && self.growth.wants_path(now) {
            is_gone = turn::is_replaced(&*self.fs, &self.path, open.identity);
            if !is_gone {
                self.growth.has_looked_at_path(now);
            }
        }
        Ok((is_gone || is_full(open.length + held)).then_some(open))
    }

    /// Goes on with the file that is at the path now; with the one that is open where that cannot be opened.
    pub(super) fn reopen(&mut self) -> io::Result<()> {
        let mut file = OpenFile::new(self.fs.open(&self.path, false)?)?;
        self.growth = Growth::default();
        if let Some(open) = &mut self.open {
            file.held = std::mem::take(&mut open.held);
            file.held_ends = std::mem::take(&mut open.held_ends);
        }
        self.open.replace(file).map_or(Ok(()), |previous| self.leave(&previous))
    }

    fn leave(&self, previous: &OpenFile) -> io::Result<()> {
        self.syncer.as_ref().map_or(Ok(()), |syncer| syncer.leave(previous.file.as_ref()))
    }

    fn is_held_back(&self) -> bool {
        self.held_back_by != 0 && self.held_back_by == process::id()
    }

    /// How many bytes may be held back now.
    fn most_held(&self) -> usize {
        let is_at_once = self.syncer.as_ref().is_some_and(|syncer| syncer.fsync() == Fsync::EveryRecord);
        if ending::has_begun() {
            // What is held back while the process ends may never be written.
            0
        } else if self.is_held_back() {
            // Who writes waits for the flush, and with it for the disk.
            self.buffer_size.max(BLOCK)
        } else if is_at_once {
            0
        } else {
            self.buffer_size
        }
    }

    /// Closes the file, which the caller has locked.
    pub(super) fn close_locked(&mut self) -> io::Result<()> {
        let sharing = std::mem::replace(&mut self.sharing, Sharing::NobodyMeanwhile);
        let closed = self.close();
        self.sharing = sharing;
        closed
    }

    fn is_suspect(&self) -> bool {
        self.open.as_ref().is_some_and(|open| open.is_suspect)
    }

    /// Locks the file, and follows it first where others roll it over and have done so.
    fn lock(&mut self) -> Option<Secured> {
        for _ in 0..turn::MOST_ROUNDS {
            let status = self.open_status().ok()??;
            let own = status.identity.filter(|_| status.is_regular)?;
            match line_end::secure(self.fs.as_ref(), &self.path, own) {
                Ok(secured) => return secured,
                Err(Moved) if self.sharing == Sharing::OtherProcesses => self.reopen().ok()?,
                Err(Moved) => return None,
            }
        }
        None
    }

    /// What is to be held while so many bytes are written, those of a batch or not, which end a line or not. A line without an
    /// end, as others or this writer have left it, is given one.
    fn secure(&mut self, bytes: usize, is_batch: bool, ends_line: bool) -> Option<Secured> {
        let may_come_in_parts = match self.sharing {
            Sharing::Nobody => is_batch,
            Sharing::OtherProcesses => is_batch || bytes > line_end::PART,
            Sharing::NobodyMeanwhile => false,
        };
        if bytes == 0 || !(may_come_in_parts || self.is_suspect()) {
            return None;
        }
        let secured = match self.sharing {
            Sharing::OtherProcesses => Some(self.lock()?),
            Sharing::Nobody if is_batch => self.lock(),
            Sharing::Nobody | Sharing::NobodyMeanwhile => None,
        };
        if secured.is_none() && !self.is_suspect() {
            return None;
        }
        let open = self.open.as_mut()?;
        open.is_suspect = false;
        let own = open.file.status().ok().filter(|status| status.is_regular)?.identity?;
        let fs = self.fs.as_ref();
        let is_begun = !open.rest.is_empty() && !open.cut.is_empty();
        if is_begun && line_end::ends_with(fs, &self.path, own, &open.cut) != Some(false) {
            // The entry goes on where it was cut.
            return secured;
        }
        let lacks_end = match &secured {
            Some(secured) => secured.lacks_end,
            None => line_end::is_cut(fs, &self.path, own),
        };
        open.cut.clear();
        open.rest.clear();
        if lacks_end && ends_line {
            let path = self.path.display();
            report::error("FileWriter", &format_args!("{path}: the last line was cut off, and got an end"));
            open.rest.push(b'\n');
        }
        secured
    }

    fn write_held(&mut self, is_batch: bool) -> io::Result<()> {
        let held = self.open.as_ref().map_or(&[][..], |open| &open.held);
        let _secured = self.secure(held.len(), is_batch, held.ends_with(b"\n"));
        let progress = self.open.as_mut().map(OpenFile::write_held).unwrap_or_default();
        self.settle(progress)
    }

    /// Brings what was written to the disk, where that was asked for, and counts.
    fn settle(&mut self, progress: Progress) -> io::Result<()> {
        self.failed += progress.failed;
        self.open.iter_mut().for_each(|open| open.is_suspect |= progress.error.is_some());
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
        if let Some(open) = &mut self.open
            && open.has_room(entry, most)
        {
            open.hold(entry);
            return Ok(());
        }
        let bytes = match self.opened() {
            Ok(open) => open.written_by(entry.len(), most),
            Err(error) => {
                return self.settle(Progress { failed: 1, error: Some(error), ..Progress::default() });
            }
        };
        let _secured = self.secure(bytes, self.is_held_back(), entry.ends_with(b"\n"));
        let progress = self.open.as_mut().map(|open| open.accept(entry, most)).unwrap_or_default();
        self.settle(progress)
    }

    fn hold_back(&mut self) {
        self.held_back_by = process::id();
    }

    fn flush_buffer(&mut self) -> io::Result<()> {
        self.is_severe = self.is_held_back();
        if self.is_severe { Ok(()) } else { self.write_held(false) }
    }

    fn release(&mut self) -> io::Result<()> {
        let is_severe = std::mem::take(&mut self.is_severe);
        self.held_back_by = 0;
        let held = self.held_back();
        // Some short entries are no more than one that is not so short.
        let is_kept = !is_severe && held <= self.most_held() as u64;
        if is_kept { Ok(()) } else { self.write_held(held > line_end::PART as u64) }
    }

    fn failed(&self) -> Option<u64> {
        Some(self.failed)
    }

    fn place(&self) -> Option<Destination> {
        std::path::absolute(&self.path).ok().map(Destination::File)
    }

    fn flush(&mut self) -> io::Result<()> {
        let is_batch = self.is_held_back();
        self.held_back_by = 0;
        self.is_severe = false;
        self.write_held(is_batch)
    }

    fn close(&mut self) -> io::Result<()> {
        let flushed = self.flush();
        // What is missing of an entry goes to its end, and nowhere else.
        let _secured = self.secure(usize::from(self.is_suspect()), false, true);
        self.open.take().map_or(Ok(()), |open| flushed.and(self.leave(&open)))
    }
}

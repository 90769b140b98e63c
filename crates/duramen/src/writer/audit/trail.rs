//! Writing an audit trail.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::tz::TimeZone;
use parking_lot::{Condvar, Mutex};

use super::end::Open;
use super::head::{self, Head};
use super::line::{Kind, Link, hex, on_one_line};
use super::note::Note;
use super::options::{AuditOptions, Commit};
use super::parts;
use super::tail::Begin;
use crate::clock::Clock;
use crate::fs::{FileSystem, LockedFile, LogFile};
use crate::report;
use crate::rotation::InvalidOption;
use crate::rotation::turn::{PATIENCE, wait};

/// So many bytes of records are kept in memory while nothing can be written. What comes then is refused, counted, and
/// noted in the trail.
const MOST_KEPT: usize = 64 * 1024 * 1024;

/// What stands before a record: a number of 20 digits at most, the code, the mark, blanks and the line break.
const LONGEST_PREFIX: usize = 20 + 64 + 5;

const PAUSES: (Duration, Duration) = (Duration::from_micros(100), Duration::from_millis(5));

/// What has become of the records of this process.
///
/// ```
/// use duramen::writer::audit::AuditStats;
///
/// /// What a health check says.
/// fn is_well(stats: &AuditStats) -> bool {
///     stats.pending == 0 && stats.lost == 0
/// }
///
/// assert!(is_well(&AuditStats::default()));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AuditStats {
    /// Records that are on the disk.
    pub written: u64,
    /// Records that wait in memory, since they could not be written yet.
    pub pending: u64,
    /// Records that were refused, since too much waited. The trail says how many.
    pub lost: u64,
    /// Commits that met an error.
    pub failed: u64,
    /// Files that were deleted for their age.
    pub removed: u64,
}

/// An audit trail that is being written. Threads share it, and processes the file.
///
/// ```
/// use std::sync::Arc;
///
/// use duramen::clock::SystemClock;
/// use duramen::fs::Disk;
/// use duramen::writer::audit::{AuditKey, AuditOptions, AuditTrail};
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("audit.log");
/// let options = AuditOptions::new(AuditKey::new(b"0123456789abcdef")?);
/// let trail = AuditTrail::open(Arc::new(Disk), &path, options, Arc::new(SystemClock::default()))?;
/// trail.append(b"ada was given 100")?; // is on the disk now
/// trail.flush()?; // what waits, after an error of the disk
/// assert_eq!((trail.path(), trail.stats().written), (path.as_path(), 1));
/// trail.close()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct AuditTrail {
    pub(super) fs: Arc<dyn FileSystem>,
    pub(super) path: PathBuf,
    pub(super) head_path: PathBuf,
    pub(super) options: AuditOptions,
    pub(super) clock: Arc<dyn Clock>,
    /// What the clock showed when the trail was opened.
    pub(super) began: (i64, Duration),
    waiting: Mutex<Waiting>,
    /// Told when a commit has ended.
    ended: Condvar,
    open: Mutex<Open>,
}

/// The records that are not on the disk yet.
#[derive(Debug, Default)]
struct Waiting {
    records: VecDeque<Vec<u8>>,
    bytes: usize,
    /// Some thread commits.
    is_led: bool,
    /// How many were ever put in, and how many of these are on the disk.
    accepted: u64,
    written: u64,
    lost: u64,
    /// How many of the lost ones the trail does not know of yet.
    unsaid: u64,
    failed: u64,
}

/// Lines that are written together.
struct Batch {
    bytes: Vec<u8>,
    last: Link,
}

impl AuditTrail {
    /// Opens the trail at `path` of `fs`, or begins it.
    ///
    /// # Errors
    /// Those of the file system; [`io::ErrorKind::InvalidInput`] with an [`InvalidOption`] for options that contradict
    /// each other.
    pub fn open(
        fs: Arc<dyn FileSystem>,
        path: impl Into<PathBuf>,
        options: AuditOptions,
        clock: Arc<dyn Clock>,
    ) -> io::Result<Self> {
        let refuse = |error: InvalidOption| io::Error::new(io::ErrorKind::InvalidInput, error);
        options.check().map_err(refuse)?;
        let path = path.into();
        let head_path = head::path_of(&path);
        let began = (clock.now_seconds(), clock.elapsed());
        let (waiting, ended, open) = (Mutex::default(), Condvar::new(), Mutex::default());
        let trail = Self { fs, path, head_path, options, clock, began, waiting, ended, open };
        trail.commit(&[], 0)?;
        Ok(trail)
    }

    /// The path of the trail.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds a record with this text; returns when it is on the disk. Line breaks in it become `\n`.
    ///
    /// # Errors
    /// Those of the file system. The record waits then, and is written before the next one;
    /// [`io::ErrorKind::OutOfMemory`] where too many wait.
    pub fn append(&self, text: &[u8]) -> io::Result<()> {
        let mut record = Vec::with_capacity(text.len());
        on_one_line(text, &mut record);
        let mut waiting = self.waiting.lock();
        if waiting.bytes + record.len() > MOST_KEPT {
            waiting.lost += 1;
            waiting.unsaid += 1;
            return Err(io::Error::new(io::ErrorKind::OutOfMemory, "too many records wait to be written"));
        }
        waiting.bytes += record.len();
        waiting.records.push_back(record);
        waiting.accepted += 1;
        let own = waiting.accepted;
        drop(waiting);
        self.write_up_to(own)
    }

    /// Writes what waits.
    ///
    /// # Errors
    /// Those of the file system; the records wait on.
    pub fn flush(&self) -> io::Result<()> {
        let own = self.waiting.lock().accepted;
        self.write_up_to(own)
    }

    /// Writes what waits, and closes the file; the next record opens it again.
    ///
    /// # Errors
    /// Those of the file system; the records wait on.
    pub fn close(&self) -> io::Result<()> {
        let flushed = self.flush();
        self.open.lock().file = None;
        flushed
    }

    /// What has become of the records.
    pub fn stats(&self) -> AuditStats {
        let removed = self.open.lock().removed;
        let waiting = self.waiting.lock();
        AuditStats {
            written: waiting.written,
            pending: waiting.accepted - waiting.written,
            lost: waiting.lost,
            failed: waiting.failed,
            removed,
        }
    }

    /// Returns when record `own` is on the disk: brought there by this thread, or by another one.
    fn write_up_to(&self, own: u64) -> io::Result<()> {
        let mut waiting = self.waiting.lock();
        while waiting.is_led && waiting.written < own {
            self.ended.wait(&mut waiting);
        }
        while waiting.written < own {
            waiting.is_led = true;
            let count = match self.options.commit {
                Commit::Record => 1,
                Commit::Group => waiting.records.len(),
            };
            let records: Vec<_> = waiting.records.drain(..count).collect();
            let unsaid = waiting.unsaid;
            drop(waiting);
            let committed = self.commit(&records, unsaid);
            waiting = self.waiting.lock();
            waiting.is_led = false;
            self.ended.notify_all();
            if let Err(error) = committed {
                waiting.failed += 1;
                records.into_iter().rev().for_each(|record| waiting.records.push_front(record));
                return Err(error);
            }
            waiting.unsaid -= unsaid;
            waiting.written += records.len() as u64;
            waiting.bytes -= records.iter().map(Vec::len).sum::<usize>();
        }
        Ok(())
    }

    /// Brings `records` to the disk, behind what all other processes have written.
    fn commit(&self, records: &[Vec<u8>], lost: u64) -> io::Result<()> {
        let mut open = self.open.lock();
        let _lock = self.lock()?;
        let mut notes = self.catch_up(&mut open)?;
        let length: usize = records.iter().map(|record| record.len() + LONGEST_PREFIX).sum();
        if self.is_due(&open, length) {
            self.roll_over(&mut open)?;
        }
        let too_old = self.too_old(&mut open)?;
        if let Some(part) = too_old.last() {
            notes.push(Note {
                removed_to: Some(part.1),
                time: Some(self.clock.now_seconds()),
                ..Note::default()
            });
        }
        if lost > 0 {
            notes.push(Note { lost: Some(lost), ..Note::default() });
        }
        let batch = self.batch(&open, &notes, records);
        if !batch.bytes.is_empty() {
            self.write(&mut open, &batch)?;
        }
        // What is deleted is on the disk as deleted first.
        for (path, _) in too_old {
            match self.fs.remove(&path) {
                Ok(()) => open.removed += 1,
                Err(error) => self.report("max_age", &error),
            }
        }
        Ok(())
    }

    /// Keeps all others who write the trail waiting.
    fn lock(&self) -> io::Result<Option<Box<dyn LockedFile>>> {
        let started = Instant::now();
        let mut pause = PAUSES.0;
        loop {
            match self.fs.try_lock(&self.head_path) {
                Ok(Some(lock)) => {
                    let named = self.fs.status(&self.head_path).ok().and_then(|status| status.identity);
                    if lock.identity()? == named {
                        return Ok(Some(lock));
                    }
                }
                Ok(None) if started.elapsed() >= PATIENCE => {
                    return Err(io::Error::new(io::ErrorKind::TimedOut, "another process holds the trail"));
                }
                Ok(None) => {
                    wait(pause);
                    pause = (pause * 2).min(PAUSES.1);
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    self.fs.open(&self.head_path, false)?;
                }
                Err(error) if error.kind() == io::ErrorKind::Unsupported => return Ok(None),
                Err(error) => return Err(error),
            }
        }
    }

    fn is_due(&self, open: &Open, more: usize) -> bool {
        let (Some(begin), true) = (open.begin, open.length > 0) else { return false };
        let max = self.options.max_bytes;
        // The file has its note at the beginning, which alone makes it neither full nor old.
        if max > 0 && open.last.number > begin.first && open.length.saturating_add(more as u64) >= max {
            return true;
        }
        let Some((schedule, time)) = self.options.schedule.as_ref().zip(begin.time) else { return false };
        let Ok(next) = schedule.compute_rollover(time, &TimeZone::system());
        self.clock.now_seconds() >= next
    }

    /// Gives the file its name for good. The next line begins another one.
    pub(super) fn roll_over(&self, open: &mut Open) -> io::Result<()> {
        let first = open.begin.map_or(open.last.number, |begin| begin.first);
        let path = parts::path_of(&self.path, first);
        if self.fs.exists(&path) {
            let found = format!("{} is there already", path.display());
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, found));
        }
        open.file = None;
        self.fs.rename(&self.path, &path)?;
        let file = self.fs.open(&self.path, false)?;
        self.fs.sync_folder(parts::folder_of(&self.path))?;
        let identity = file.status()?.identity;
        (open.file, open.length, open.begin, open.looked_at) = (Some((file, identity)), 0, None, None);
        Ok(())
    }

    fn batch(&self, open: &Open, notes: &[Note], records: &[Vec<u8>]) -> Batch {
        let key = &self.options.key;
        let (mut last, mut bytes) = (open.last, Vec::new());
        if open.length == 0 {
            let begin = Note {
                version: Some(1),
                key: Some(key.id().to_owned()),
                previous: Some(hex(&last.code)),
                time: Some(self.clock.now_seconds()),
                ..Note::default()
            };
            last.append(key, Kind::Note, &begin.text(), &mut bytes);
        }
        for note in notes {
            last.append(key, Kind::Note, &note.text(), &mut bytes);
        }
        for record in records {
            last.append(key, Kind::Record, record, &mut bytes);
        }
        Batch { bytes, last }
    }

    /// Appends the lines and brings them to the disk, or leaves the file as it was.
    fn write(&self, open: &mut Open, batch: &Batch) -> io::Result<()> {
        let Some((file, _)) = &mut open.file else { return Err(io::ErrorKind::NotFound.into()) };
        let is_new = open.length == 0;
        let written = write_all(file.as_mut(), &batch.bytes).and_then(|()| file.sync());
        let written = written
            .and_then(|()| if is_new { self.fs.sync_folder(parts::folder_of(&self.path)) } else { Ok(()) });
        if let Err(error) = written {
            if file.truncate(open.length).is_err() {
                open.left_at = file.status().ok().map(|status| status.length);
            }
            return Err(error);
        }
        if is_new {
            open.begin = Some(Begin { first: open.last.number + 1, time: Some(self.clock.now_seconds()) });
        }
        open.length += batch.bytes.len() as u64;
        open.last = batch.last;
        let head = Head { last: open.last, length: open.length };
        if let Err(error) = head.write(self.fs.as_ref(), &self.head_path, &self.options.key) {
            // The lines are there; the next commit writes it again.
            self.report("head", &error);
        }
        Ok(())
    }

    fn report(&self, part: &str, error: &io::Error) {
        report::error(&self.path.display().to_string(), &format_args!("{part}: {error}"));
    }
}

fn write_all(file: &mut dyn LogFile, bytes: &[u8]) -> io::Result<()> {
    let mut rest = bytes;
    while !rest.is_empty() {
        match file.write(rest) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => rest = rest.get(written..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

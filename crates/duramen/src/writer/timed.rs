//! A file that is rolled over by time.

use std::io;
use std::sync::Arc;

use jiff::tz::TimeZone;

use super::looks_first::{LooksFirst, writer_that_looks_first};
use super::{FileWriter, Writer as _};
use crate::clock::Clock;
use crate::rotation::{BackupDate, Customs, Retention, Rules, Schedule, SizeLimit, Turn, Upkeep, roll, turn};

/// A clock that shows a time so many seconds before the one at which the next rollover was planned was set back. It is
/// planned anew then: more than the hour that daylight saving takes.
const WAS_SET_BACK: i64 = 2 * 3600;

/// Writes to a file and rolls it over on a schedule. Several processes may do so with the same file: see
/// [`turn`].
///
/// ```
/// use std::sync::Arc;
///
/// use duramen::clock::SystemClock;
/// use duramen::fs::Disk;
/// use duramen::rotation::{Compression, Customs, Schedule, Upkeep, UpkeepOptions, When};
/// use duramen::writer::{FileWriter, TimedRotatingWriter, Writer};
/// use jiff::tz::TimeZone;
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("app.log");
/// // Each midnight, and before the file has a gigabyte.
/// let schedule = Schedule::new(When::Midnight, 1)?;
/// let clock = Arc::new(SystemClock::default());
/// let options = UpkeepOptions { compression: Some(Compression::Gzip), ..UpkeepOptions::default() };
/// let upkeep = Upkeep::new(Arc::new(Disk), &path, options, clock.clone())?;
/// let mut writer =
///     TimedRotatingWriter::new(FileWriter::new(&path), schedule, 0, Customs::default(), clock, TimeZone::UTC)
///         .with_upkeep(upkeep.clone(), 1_000_000_000);
/// writer.write_entry(b"one\n")?;
/// writer.roll_over()?; // now, whatever the time
/// writer.close()?;
/// assert_eq!(upkeep.stats().rolled_over, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct TimedRotatingWriter {
    file: FileWriter,
    schedule: Schedule,
    retention: Retention,
    customs: Customs,
    clock: Arc<dyn Clock>,
    zone: TimeZone,
    /// In seconds since the epoch.
    rollover_at: i64,
    /// When that was found out, in seconds since the epoch.
    planned_at: i64,
    /// Who names backups and looks after them, where that is not done as in CPython; and the size that the file does not
    /// reach.
    upkeep: Option<(Upkeep, SizeLimit)>,
}

impl TimedRotatingWriter {
    /// Rolls `file` over on `schedule`, and keeps `backup_count` backups (0: all).
    ///
    /// A file that is there already counts from its last change, so that a program that was stopped over
    /// midnight rolls over when it starts again.
    pub fn new(
        file: FileWriter,
        schedule: Schedule,
        backup_count: usize,
        customs: Customs,
        clock: Arc<dyn Clock>,
        zone: TimeZone,
    ) -> Self {
        let now = clock.now_seconds();
        let start = file.fs().status(file.path()).map_or(now, |status| status.modified);
        let Ok(rollover_at) = schedule.compute_rollover(start, &zone);
        let retention = Retention::new(&schedule, backup_count, Rules::Corrected);
        Self {
            file: file.shared(),
            schedule,
            retention,
            customs,
            clock,
            zone,
            rollover_at,
            planned_at: now,
            upkeep: None,
        }
    }

    /// Leaves the names of backups, and which of them are kept, to `upkeep`: neither the number that is kept otherwise
    /// nor the customs count then. The file is also rolled over before it reaches `max_bytes`; 0: by time alone.
    #[must_use]
    pub fn with_upkeep(self, upkeep: Upkeep, max_bytes: u64) -> Self {
        Self { upkeep: Some((upkeep, SizeLimit::new(max_bytes, 0))), ..self }
    }

    /// Rolls over now, and names the backup after the start of the running interval.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn roll_over(&mut self) -> io::Result<()> {
        let closed = self.file.close();
        self.rename_closed(closed)
    }

    /// Rolls over the file, which has been closed.
    fn rename_closed(&mut self, closed: io::Result<()>) -> io::Result<()> {
        let now = self.clock.now_seconds();
        let Ok(time) = self.schedule.backup_time(self.rollover_at, now, &self.zone);
        let suffix = self.schedule.backup_suffix(&time);
        if let Some((upkeep, _)) = &self.upkeep {
            let form = self.schedule.backup_form();
            upkeep.roll_over(Some(BackupDate { text: &suffix, form }))?;
        } else {
            let fs = self.file.fs().as_ref();
            roll::by_date(fs, self.file.path(), &suffix, self.retention, &self.customs)?;
        }
        // Rolled over by its size, the file still has the rest of its time.
        if now >= self.rollover_at {
            self.schedule_next(now);
        }
        closed.and(self.file.has_moved())
    }

    fn schedule_next(&mut self, now: i64) {
        let Ok(rollover_at) = self.schedule.rollover_after(now, &self.zone);
        self.rollover_at = rollover_at;
        self.planned_at = now;
    }

    fn is_due(&mut self, now: i64, entry: &[u8]) -> io::Result<bool> {
        if now < self.planned_at - WAS_SET_BACK {
            self.schedule_next(now);
        }
        if now >= self.rollover_at {
            return Ok(true);
        }
        let limit = self.upkeep.as_ref().map(|(_, limit)| *limit);
        let is_full = |length| limit.is_some_and(|limit| limit.is_reached(length, entry.len() as u64));
        Ok(self.file.due(limit.map_or(0, |limit| limit.max_bytes()), is_full)?.is_some())
    }

    /// The next rollover of a file that others have made, in the place of the one that was due: a file has a plan of its
    /// own, by its last change, whoever opens it and whenever. It was not made before `earliest`.
    fn schedule_of_others(&mut self, now: i64, earliest: i64) -> io::Result<()> {
        if now < self.rollover_at {
            // They have rolled it over for another reason.
            return Ok(());
        }
        self.file.open()?;
        let changed = self.file.open_status()?.map_or(now, |status| status.changed_at());
        // A file of the time to come is one of another clock.
        let start = changed.min(now).max(earliest);
        self.schedule_next(start);
        self.planned_at = now;
        Ok(())
    }

    /// Whether another process has rolled the file over before this one opened it.
    fn is_done_already(&self, now: i64) -> bool {
        if now < self.rollover_at {
            return false;
        }
        if let Some((upkeep, _)) = &self.upkeep {
            return upkeep.is_done_already(self.rollover_at, now);
        }
        let Ok(time) = self.schedule.backup_time(self.rollover_at, now, &self.zone);
        let suffix = self.schedule.backup_suffix(&time);
        roll::is_there(self.file.fs().as_ref(), self.file.path(), &suffix, &self.customs)
    }

    fn roll_over_if_due(&mut self, entry: &[u8]) -> io::Result<()> {
        for _ in 0..turn::MOST_ROUNDS {
            let now = self.clock.now_seconds();
            if !self.is_due(now, entry)? {
                return Ok(());
            }
            if self.file.fs().status(self.file.path()).is_ok_and(|status| !status.is_regular) {
                self.schedule_next(now);
                return Ok(());
            }
            let own = self.file.open_status()?.and_then(|open| open.identity);
            match turn::take(self.file.fs().as_ref(), self.file.path(), own) {
                // Made for its size, the other one may be due now as well.
                Turn::Moved => {
                    self.file.reopen()?;
                    self.schedule_of_others(now, i64::MIN)?;
                }
                Turn::Taken => return Ok(()),
                Turn::Ours(_lock) if self.is_done_already(now) => {
                    self.schedule_of_others(now, self.rollover_at)?;
                }
                Turn::Ours(_lock) => {
                    let closed = self.file.close_locked();
                    return self.rename_closed(closed);
                }
            }
        }
        self.schedule_next(self.clock.now_seconds());
        Ok(())
    }
}

writer_that_looks_first!(TimedRotatingWriter);

impl LooksFirst for TimedRotatingWriter {
    fn file(&self) -> &FileWriter {
        &self.file
    }

    fn file_mut(&mut self) -> &mut FileWriter {
        &mut self.file
    }

    fn look(&mut self, entry: &[u8]) -> io::Result<()> {
        self.roll_over_if_due(entry)
    }

    fn upkeep(&self) -> Option<&Upkeep> {
        self.upkeep.as_ref().map(|(upkeep, _)| upkeep)
    }
}

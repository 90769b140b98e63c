//! A file that is rolled over by time.

use std::io;
use std::sync::Arc;

use jiff::tz::TimeZone;

use super::{FileWriter, Writer};
use crate::clock::Clock;
use crate::rotation::{Customs, Retention, Rules, Schedule, Turn, roll, turn};

/// Writes to a file and rolls it over on a schedule. Several processes may do so with the same file: see
/// [`turn`](crate::rotation::turn).
pub struct TimedRotatingWriter {
    file: FileWriter,
    schedule: Schedule,
    retention: Retention,
    customs: Customs,
    clock: Arc<dyn Clock>,
    zone: TimeZone,
    /// In seconds since the epoch.
    rollover_at: i64,
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
        let start = match file.fs().status(file.path()) {
            Ok(status) => status.modified,
            Err(_) => clock.now_seconds(),
        };
        let Ok(rollover_at) = schedule.compute_rollover(start, &zone);
        let retention = Retention::new(&schedule, backup_count, Rules::Corrected);
        Self { file, schedule, retention, customs, clock, zone, rollover_at }
    }

    /// Rolls over now, and names the backup after the start of the running interval.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn roll_over(&mut self) -> io::Result<()> {
        let now = self.clock.now_seconds();
        let Ok(time) = self.schedule.backup_time(self.rollover_at, now, &self.zone);
        let suffix = self.schedule.backup_suffix(&time);
        self.file.close()?;
        let fs = self.file.fs().as_ref();
        roll::by_date(fs, self.file.path(), &suffix, self.retention, &self.customs)?;
        self.schedule_next(now);
        Ok(())
    }

    fn schedule_next(&mut self, now: i64) {
        let Ok(rollover_at) = self.schedule.rollover_after(now, &self.zone);
        self.rollover_at = rollover_at;
    }

    fn roll_over_if_due(&mut self) -> io::Result<()> {
        let now = self.clock.now_seconds();
        if now < self.rollover_at {
            return Ok(());
        }
        if self.file.fs().status(self.file.path()).is_ok_and(|status| !status.is_regular) {
            self.schedule_next(now);
            return Ok(());
        }
        let own = self.file.open_status()?.and_then(|open| open.identity);
        match turn::take(self.file.fs().as_ref(), self.file.path(), own) {
            Turn::Moved => {
                self.schedule_next(now);
                self.file.close()
            }
            Turn::Taken => Ok(()),
            Turn::Ours(_lock) => self.roll_over(),
        }
    }
}

impl Writer for TimedRotatingWriter {
    /// An entry that cannot cause its rollover is still written, to the file as it is.
    fn write_entry(&mut self, entry: &[u8]) -> io::Result<()> {
        let rolled = self.roll_over_if_due();
        self.file.write_entry(entry).and(rolled)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }

    fn close(&mut self) -> io::Result<()> {
        self.file.close()
    }
}

//! Records as text in a file that is rolled over by time.

use std::sync::Arc;

use jiff::tz::TimeZone;

use super::base::BasicHandler;
use super::written::Written;
use crate::clock::SystemClock;
use crate::rotation::{Customs, Schedule};
use crate::writer::{FileWriter, TimedRotatingWriter};

/// Appends to a file, and rolls it over on a schedule.
///
/// ```
/// use duramen::handler::TimedRotatingFileHandler;
/// use duramen::rotation::{Customs, Schedule, When};
/// use duramen::writer::FileWriter;
///
/// // At midnight, with a week of backups.
/// let schedule = Schedule::new(When::Midnight, 1).unwrap();
/// let handler =
///     TimedRotatingFileHandler::new(FileWriter::new("/tmp/shop.log"), schedule, 7, Customs::default());
/// ```
pub type TimedRotatingFileHandler = BasicHandler<Written<TimedRotatingWriter>>;

impl TimedRotatingFileHandler {
    /// Writes with `file`, rolls it over on `schedule` by the system's clock and time zone, and keeps
    /// `backup_count` backups (0: all).
    pub fn new(file: FileWriter, schedule: Schedule, backup_count: usize, customs: Customs) -> Self {
        let clock = Arc::new(SystemClock::default());
        let zone = TimeZone::system();
        Self::with_writer(TimedRotatingWriter::new(file, schedule, backup_count, customs, clock, zone))
    }

    /// Writes with `writer`.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use duramen::clock::SystemClock;
    /// use duramen::handler::TimedRotatingFileHandler;
    /// use duramen::rotation::{Customs, Schedule, When};
    /// use duramen::writer::{FileWriter, TimedRotatingWriter};
    /// use jiff::tz::TimeZone;
    ///
    /// // Midnight in another zone than that of the machine.
    /// let schedule = Schedule::new(When::Midnight, 1).unwrap();
    /// let (clock, zone) = (Arc::new(SystemClock::default()), TimeZone::get("Europe/Berlin").unwrap());
    /// let file = FileWriter::new("/var/log/shop.log"); // opened at the first record
    /// let writer = TimedRotatingWriter::new(file, schedule, 7, Customs::default(), clock, zone);
    /// let handler = TimedRotatingFileHandler::with_writer(writer);
    /// ```
    pub fn with_writer(writer: TimedRotatingWriter) -> Self {
        Self::with_destination(Written::new("TimedRotatingFileHandler", writer))
    }
}

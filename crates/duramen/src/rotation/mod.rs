//! When a log file is rolled over, what its backups are called, and which of them are deleted.
//!
//! Only bytes, names and times are known here, no records. The rules are those of CPython's
//! `RotatingFileHandler` and `TimedRotatingFileHandler`; [`Rules`] says of which release.

pub mod growth;
pub mod line_end;
pub mod local_time;
pub mod retention;
pub mod roll;
pub mod schedule;
pub mod size;
pub mod turn;
pub mod upkeep;

pub use growth::Growth;
pub use local_time::{BrokenDownTime, LocalTime};
pub use retention::BackupNames;
pub use roll::{Customs, Namer, Retention, Rotator};
pub use schedule::{InvalidSchedule, Schedule, When};
pub use size::SizeLimit;
pub use turn::Turn;
pub use upkeep::{
    BackupDate, Compression, InvalidOption, OnRotate, Upkeep, UpkeepOptions, UpkeepStats, parse_age,
};

/// Whose rules hold: CPython corrected several corner cases of rotation between 3.12.1 and 3.13.
///
/// The binding takes the running interpreter's rules (an interpreter has the corrected ones when the
/// pattern in `TimedRotatingFileHandler.extMatch` looks around for digits); Rust programs take the
/// corrected ones, the default.
///
/// ```
/// use duramen::rotation::{Rules, SizeLimit};
///
/// let limit = SizeLimit::new(10, 3);
/// assert!(!limit.is_reached(0, 100)); // an empty file is not rolled over, however long the entry is
/// assert!(limit.rules(Rules::Original).is_reached(0, 100)); // as in CPython 3.10
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Rules {
    /// CPython 3.10, 3.11 and the first releases of 3.12.
    Original,
    /// CPython 3.13: `interval` also counts for midnight and weekly schedules, an empty file is never
    /// rolled over, a rollover that another process has already done is not done again, and only files
    /// that the handler itself can have named count as backups.
    #[default]
    Corrected,
}

/// The examples of the page run with those of this documentation.
#[cfg(doctest)]
#[doc = include_str!("../../../../docs/rotation.md")]
struct Page;

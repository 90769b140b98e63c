//! Seconds since the epoch as calendar fields, in UTC or in local time.

use std::convert::Infallible;

use jiff::{Timestamp, tz::TimeZone};

/// A moment as calendar fields: the part of C's `struct tm` that rotation needs.
///
/// ```
/// use duramen::rotation::local_time::{BrokenDownTime, utc_time};
///
/// let noon: BrokenDownTime = utc_time(1_709_294_400);
/// assert_eq!((noon.year, noon.month, noon.day, noon.weekday), (2024, 3, 1, 4)); // a Friday
/// assert_eq!(noon.seconds_of_day(), 12 * 60 * 60);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BrokenDownTime {
    /// Year, such as 2024.
    pub year: i32,
    /// Month, 1 to 12.
    pub month: u8,
    /// Day of the month, 1 to 31.
    pub day: u8,
    /// Hour, 0 to 23.
    pub hour: u8,
    /// Minute, 0 to 59.
    pub minute: u8,
    /// Second, 0 to 60.
    pub second: u8,
    /// Day of the week, 0 (Monday) to 6 (Sunday).
    pub weekday: u8,
    /// True while daylight saving time is in force.
    pub is_dst: bool,
}

impl BrokenDownTime {
    /// The seconds since midnight that a clock on the wall shows.
    pub fn seconds_of_day(&self) -> i64 {
        (i64::from(self.hour) * 60 + i64::from(self.minute)) * 60 + i64::from(self.second)
    }
}

/// The door to local time: what C's `localtime` does.
///
/// [`TimeZone`] implements it. The Python binding gives Python's `time.localtime` instead, which an
/// application may have patched, and tests give invented zones.
///
/// ```
/// use std::convert::Infallible;
///
/// use duramen::rotation::local_time::utc_time;
/// use duramen::rotation::{BrokenDownTime, LocalTime, Schedule, When};
///
/// /// An invented zone, for a test: always two hours ahead.
/// struct TwoAhead;
///
/// impl LocalTime for TwoAhead {
///     type Error = Infallible;
///
///     fn local_time(&self, seconds: i64) -> Result<BrokenDownTime, Infallible> {
///         Ok(utc_time(seconds + 2 * 60 * 60))
///     }
/// }
///
/// let schedule = Schedule::new(When::Midnight, 1).unwrap();
/// let Ok(next) = schedule.compute_rollover(1_709_294_400, &TwoAhead);
/// assert_eq!(utc_time(next).hour, 22);
/// ```
pub trait LocalTime {
    /// What stops a conversion: [`Infallible`] where nothing does.
    type Error;

    /// The local calendar fields of `seconds` since the Unix epoch.
    ///
    /// # Errors
    /// When the source of local time refuses `seconds`, for instance because it is out of its range.
    fn local_time(&self, seconds: i64) -> Result<BrokenDownTime, Self::Error>;
}

/// Moments outside the years -9999 to 9999 are taken as the nearest moment inside.
impl LocalTime for TimeZone {
    type Error = Infallible;

    fn local_time(&self, seconds: i64) -> Result<BrokenDownTime, Infallible> {
        let seconds = seconds.clamp(Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
        let timestamp = Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH);
        let fields = self.to_datetime(timestamp);
        Ok(BrokenDownTime {
            year: i32::from(fields.year()),
            month: unsigned(fields.month()),
            day: unsigned(fields.day()),
            hour: unsigned(fields.hour()),
            minute: unsigned(fields.minute()),
            second: unsigned(fields.second()),
            weekday: unsigned(fields.weekday().to_monday_zero_offset()),
            is_dst: self.to_offset_info(timestamp).dst().is_dst(),
        })
    }
}

/// The calendar fields of `seconds` since the epoch in UTC: what C's `gmtime` does.
///
/// ```
/// assert_eq!(duramen::rotation::local_time::utc_time(0).year, 1970);
/// ```
pub fn utc_time(seconds: i64) -> BrokenDownTime {
    let Ok(fields) = TimeZone::UTC.local_time(seconds);
    fields
}

/// jiff gives calendar fields as signed numbers that are never negative.
fn unsigned(field: i8) -> u8 {
    field.unsigned_abs()
}

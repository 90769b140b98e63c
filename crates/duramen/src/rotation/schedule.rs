//! Rollover by time: each so many seconds, at midnight, or on a day of the week.

use super::local_time::{BrokenDownTime, LocalTime, utc_time};
use super::{BackupNames, Rules};

const HOUR: i64 = 60 * 60;
const DAY: i64 = 24 * HOUR;
const WEEK: i64 = 7 * DAY;

/// The unit of a [`Schedule`]: the `when` of Python's `TimedRotatingFileHandler`.
///
/// ```
/// use duramen::rotation::{InvalidSchedule, When};
///
/// let when = When::parse("midnight").unwrap();
/// assert_eq!((when, when.seconds(), when.suffix()), (When::Midnight, 86_400, "%Y-%m-%d"));
/// assert_eq!(When::parse("W6"), Ok(When::Weekday(6))); // Sunday
/// assert_eq!(When::parse("W7"), Err(InvalidSchedule::Weekday("W7".into())));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum When {
    /// `S`: seconds.
    Second,
    /// `M`: minutes.
    Minute,
    /// `H`: hours.
    Hour,
    /// `D`: days of 24 hours, counted from the last rollover.
    Day,
    /// `MIDNIGHT`: at midnight, or at [`Schedule::at_time`].
    Midnight,
    /// `W0` to `W6`: on a day of the week, 0 being Monday.
    Weekday(u8),
}

impl When {
    /// Reads the text that Python's `when` takes, in any case: `s`, `H`, `midnight`, `W6`.
    ///
    /// # Errors
    /// [`InvalidSchedule`] for any other text.
    pub fn parse(text: &str) -> Result<Self, InvalidSchedule> {
        let upper = text.to_uppercase();
        Ok(match upper.as_str() {
            "S" => Self::Second,
            "M" => Self::Minute,
            "H" => Self::Hour,
            "D" => Self::Day,
            "MIDNIGHT" => Self::Midnight,
            _ => match upper.as_bytes() {
                [b'W', day @ b'0'..=b'6'] => Self::Weekday(day - b'0'),
                [b'W', ..] => return Err(InvalidSchedule::Weekday(upper)),
                _ => return Err(InvalidSchedule::Unit(upper)),
            },
        })
    }

    /// The unit's length in seconds.
    pub fn seconds(self) -> i64 {
        match self {
            Self::Second => 1,
            Self::Minute => 60,
            Self::Hour => HOUR,
            Self::Day | Self::Midnight => DAY,
            Self::Weekday(_) => WEEK,
        }
    }

    /// The `strftime` format of what is added to a backup's name.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Second => "%Y-%m-%d_%H-%M-%S",
            Self::Minute => "%Y-%m-%d_%H-%M",
            Self::Hour => "%Y-%m-%d_%H",
            Self::Day | Self::Midnight | Self::Weekday(_) => "%Y-%m-%d",
        }
    }

    /// True when the rollover stands at an hour of the day, not at a distance from the last one.
    ///
    /// ```
    /// use duramen::rotation::When;
    ///
    /// assert!(When::Midnight.follows_the_calendar() && !When::Day.follows_the_calendar());
    /// ```
    pub fn follows_the_calendar(self) -> bool {
        matches!(self, Self::Midnight | Self::Weekday(_))
    }
}

/// Why there can be no such schedule.
///
/// ```
/// use duramen::rotation::{InvalidSchedule, Schedule, When};
///
/// let error = When::parse("fortnight").unwrap_err();
/// assert!(error.to_string().starts_with("\"FORTNIGHT\" is no unit of a rollover schedule"));
/// assert_eq!(Schedule::new(When::Hour, 0), Err(InvalidSchedule::Interval(0)));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSchedule {
    /// The unit is none of `S`, `M`, `H`, `D`, `MIDNIGHT`, `W0` to `W6`.
    #[error("{0:?} is no unit of a rollover schedule; use S, M, H, D, MIDNIGHT or W0 to W6")]
    Unit(String),
    /// A weekly unit without a day from 0 to 6.
    #[error("{0:?} names no day of the week; use W0 (Monday) to W6 (Sunday)")]
    Weekday(String),
    /// The interval is zero, negative, or too long to be counted in seconds.
    #[error("an interval of {0} units is not possible; it must be at least 1")]
    Interval(i64),
}

/// When a file is rolled over by time.
///
/// ```
/// use duramen::rotation::{Schedule, When};
///
/// let every_midnight = Schedule::new(When::Midnight, 1).unwrap().utc(true);
/// let noon_on_the_first_of_march = 1_709_294_400;
/// let next = every_midnight.compute_rollover(noon_on_the_first_of_march, &jiff::tz::TimeZone::UTC);
/// assert_eq!(next, Ok(noon_on_the_first_of_march + 12 * 3600));
/// ```
///
/// How a rollover is named, and when the next one is:
///
/// ```
/// use duramen::rotation::{Rules, Schedule, When};
/// use jiff::tz::TimeZone;
///
/// let noon = 1_709_294_400; // 1 March 2024
/// let schedule = Schedule::new(When::Midnight, 1).unwrap().utc(true).at_time(Some(3 * 60 * 60)).rules(Rules::Corrected);
/// assert_eq!(schedule.interval_seconds(), 86_400);
/// let Ok(next) = schedule.compute_rollover(noon, &TimeZone::UTC);
/// assert_eq!(next, noon + 15 * 60 * 60); // at three in the night
/// let Ok(time) = schedule.backup_time(next, next + 5, &TimeZone::UTC);
/// assert_eq!((schedule.backup_form(), schedule.backup_suffix(&time).as_str()), ("%Y-%m-%d", "2024-03-01"));
/// let Ok(after) = schedule.rollover_after(next + 5, &TimeZone::UTC);
/// assert_eq!(after, next + 86_400);
/// assert!(schedule.backup_names().is_backup(b"app.log.2024-03-01", b"app.log", None));
/// assert_eq!(Schedule::of_seconds(When::Second, 90).interval_seconds(), 90);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    when: When,
    /// In seconds.
    interval: i64,
    /// In seconds since midnight.
    at_time: Option<i64>,
    utc: bool,
    rules: Rules,
}

impl Schedule {
    /// Every `interval` units of `when`, in local time.
    ///
    /// # Errors
    /// [`InvalidSchedule::Interval`] when `interval` is not positive or overflows.
    pub fn new(when: When, interval: i64) -> Result<Self, InvalidSchedule> {
        let seconds = interval
            .checked_mul(when.seconds())
            .filter(|seconds| *seconds > 0)
            .ok_or(InvalidSchedule::Interval(interval))?;
        Ok(Self { when, interval: seconds, at_time: None, utc: false, rules: Rules::default() })
    }

    /// At the places of `when` on the clock or the calendar, with any `interval` in seconds.
    ///
    /// Python's handlers have the two as attributes of their own, which an application can set.
    pub fn of_seconds(when: When, interval: i64) -> Self {
        Self { when, interval, at_time: None, utc: false, rules: Rules::default() }
    }

    /// Counts in UTC, or in local time (the default).
    #[must_use]
    pub fn utc(self, utc: bool) -> Self {
        Self { utc, ..self }
    }

    /// The second of the day at which a midnight or weekly schedule rolls over (default: midnight).
    #[must_use]
    pub fn at_time(self, second_of_day: Option<u32>) -> Self {
        Self { at_time: second_of_day.map(i64::from), ..self }
    }

    /// Follows the rules of one CPython release or another.
    #[must_use]
    pub fn rules(self, rules: Rules) -> Self {
        Self { rules, ..self }
    }

    /// The seconds between rollovers (Python's `interval` attribute).
    pub fn interval_seconds(&self) -> i64 {
        self.interval
    }

    /// Recognises the backups of this schedule among other files.
    pub fn backup_names(&self) -> BackupNames {
        BackupNames::new(self.when, self.rules)
    }

    /// How the dates of its backups are written, as `strftime` has it.
    pub fn backup_form(&self) -> &'static str {
        self.when.suffix()
    }

    /// The next rollover when the clock shows `now` (both in seconds since the epoch).
    ///
    /// # Errors
    /// What `zone` answers.
    pub fn compute_rollover<Z: LocalTime + ?Sized>(&self, now: i64, zone: &Z) -> Result<i64, Z::Error> {
        if !self.when.follows_the_calendar() {
            return Ok(now.saturating_add(self.interval));
        }
        let current = self.calendar(now, zone)?;
        let (mut result, days_to_wait) = self.next_on_the_clock(now, &current);
        result = result.saturating_add(days_to_wait * DAY);
        match self.rules {
            Rules::Corrected => {
                result = result.saturating_add(self.interval - self.when.seconds());
                self.keep_clock_time(result, current.is_dst, zone)
            }
            // The earlier releases corrected for daylight saving only on the way to another weekday.
            Rules::Original if days_to_wait > 0 => self.keep_clock_time(result, current.is_dst, zone),
            Rules::Original => Ok(result),
        }
    }

    /// The rollover after one that was done at `now`.
    ///
    /// # Errors
    /// What `zone` answers.
    pub fn rollover_after<Z: LocalTime + ?Sized>(&self, now: i64, zone: &Z) -> Result<i64, Z::Error> {
        let mut next = self.compute_rollover(now, zone)?;
        if self.rules == Rules::Corrected {
            return Ok(next);
        }
        while next <= now {
            next = next.saturating_add(self.interval);
        }
        if self.when.follows_the_calendar() && !self.utc {
            let is_dst = zone.local_time(now)?.is_dst;
            next = self.keep_clock_time(next, is_dst, zone)?;
        }
        Ok(next)
    }

    /// The moment after which the backup is named: the start of the interval that ended at
    /// `rollover_at`, with the hour of the clock as it is `now`.
    ///
    /// # Errors
    /// What `zone` answers.
    pub fn backup_time<Z: LocalTime + ?Sized>(
        &self,
        rollover_at: i64,
        now: i64,
        zone: &Z,
    ) -> Result<BrokenDownTime, Z::Error> {
        let start = rollover_at.saturating_sub(self.interval);
        let then = self.calendar(start, zone)?;
        if self.utc {
            return Ok(then);
        }
        let is_dst = zone.local_time(now)?.is_dst;
        if then.is_dst == is_dst {
            return Ok(then);
        }
        zone.local_time(start.saturating_add(if is_dst { HOUR } else { -HOUR }))
    }

    /// What is added to the file's name, after a dot, for a backup named after `time`.
    pub fn backup_suffix(&self, time: &BrokenDownTime) -> String {
        let date = format!("{:04}-{:02}-{:02}", time.year, time.month, time.day);
        match self.when {
            When::Second => format!("{date}_{:02}-{:02}-{:02}", time.hour, time.minute, time.second),
            When::Minute => format!("{date}_{:02}-{:02}", time.hour, time.minute),
            When::Hour => format!("{date}_{:02}", time.hour),
            When::Day | When::Midnight | When::Weekday(_) => date,
        }
    }

    fn calendar<Z: LocalTime + ?Sized>(&self, seconds: i64, zone: &Z) -> Result<BrokenDownTime, Z::Error> {
        if self.utc { Ok(utc_time(seconds)) } else { zone.local_time(seconds) }
    }

    /// The next moment at which the clock shows the hour of the rollover, and the whole days from there
    /// to the day of the week that the schedule wants.
    fn next_on_the_clock(&self, now: i64, current: &BrokenDownTime) -> (i64, i64) {
        let mut weekday = i64::from(current.weekday);
        let mut seconds_left = self.at_time.unwrap_or(DAY) - current.seconds_of_day();
        let is_over = match self.rules {
            Rules::Corrected => seconds_left <= 0,
            Rules::Original => seconds_left < 0,
        };
        if is_over {
            seconds_left += DAY;
            weekday = (weekday + 1) % 7;
        }
        let days_to_wait = match self.when {
            When::Weekday(wanted) => (i64::from(wanted) - weekday).rem_euclid(7),
            _ => 0,
        };
        (now.saturating_add(seconds_left), days_to_wait)
    }

    /// Moves `rollover` by the hour that daylight saving adds or takes between now and then, so that the
    /// clock shows the same time. It is always a whole hour, as in CPython, in zones with half an hour too.
    fn keep_clock_time<Z: LocalTime + ?Sized>(
        &self,
        rollover: i64,
        is_dst_now: bool,
        zone: &Z,
    ) -> Result<i64, Z::Error> {
        if self.utc || zone.local_time(rollover)?.is_dst == is_dst_now {
            return Ok(rollover);
        }
        if is_dst_now {
            return Ok(rollover.saturating_add(HOUR));
        }
        let earlier = rollover.saturating_sub(HOUR);
        // An hour earlier the saving has not begun yet: the clock skips the hour of the rollover.
        let is_skipped = self.rules == Rules::Corrected && !zone.local_time(earlier)?.is_dst;
        Ok(if is_skipped { rollover } else { earlier })
    }
}

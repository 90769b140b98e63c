//! The creation time of a record as text.

use jiff::fmt::{StdFmtWrite, strtime::BrokenDownTime};
use jiff::{Timestamp, tz::TimeZone};
use parking_lot::Mutex;

use crate::Record;

const DATE_AND_TIME: &str = "%Y-%m-%d %H:%M:%S";

/// Writes `asctime` by a date format, and remembers the text of the running second.
#[derive(Debug)]
pub(crate) struct Asctime {
    /// In the terms of `strftime`; `None` for date, time and milliseconds.
    date_format: Option<String>,
    zone: TimeZone,
    last: Mutex<Last>,
}

/// The text that was made last, kept so that a record allocates nothing.
#[derive(Debug, Default)]
struct Last {
    /// The second, or the nanosecond where the format may show fractions of seconds.
    moment: Option<i64>,
    /// The millisecond that the text shows, where it shows one.
    millisecond: i64,
    text: String,
    /// How much of `text` does not change within the second.
    kept: usize,
}

impl Asctime {
    pub(crate) fn new(date_format: Option<&str>) -> Self {
        Self { date_format: date_format.map(str::to_owned), zone: TimeZone::system(), last: Mutex::default() }
    }

    pub(crate) fn in_zone(self, zone: TimeZone) -> Self {
        Self { zone, last: Mutex::default(), ..self }
    }

    /// Calls `use_text` with the text of the record's creation time.
    pub(crate) fn with<R>(&self, record: &Record<'_>, use_text: impl FnOnce(&str) -> R) -> R {
        let mut last = self.last.lock();
        let millisecond = record.created_ns.div_euclid(1_000_000);
        if self.date_format.is_none() && last.moment.is_some() && last.millisecond == millisecond {
            return use_text(&last.text);
        }
        let moment = if self.may_show_fractions() {
            record.created_ns
        } else {
            record.created_ns.div_euclid(1_000_000_000)
        };
        if last.moment != Some(moment) {
            last.text.clear();
            self.write(record, &mut last.text);
            last.kept = last.text.len();
            last.moment = Some(moment);
        }
        let kept = last.kept;
        last.text.truncate(kept);
        if self.date_format.is_none() {
            let milliseconds = record.milliseconds();
            let digit = |power| char::from_digit(milliseconds / power % 10, 10).unwrap_or('0');
            last.text.push(',');
            last.text.extend([digit(100), digit(10), digit(1)]);
            last.millisecond = millisecond;
        }
        use_text(&last.text)
    }

    /// Records for which this is the same show the same time; `None` where that is not known.
    #[inline]
    pub(super) fn moment(&self, record: &Record<'_>) -> Option<i64> {
        match self.date_format {
            None => Some(record.created_ns.div_euclid(1_000_000)),
            Some(_) if self.may_show_fractions() => None,
            Some(_) => Some(record.created_ns.div_euclid(1_000_000_000)),
        }
    }

    /// All directives for fractions of a second contain one of these letters.
    fn may_show_fractions(&self) -> bool {
        self.date_format.as_ref().is_some_and(|format| format.contains(['f', 'N']))
    }

    fn write(&self, record: &Record<'_>, text: &mut String) {
        let format = self.date_format.as_deref().unwrap_or(DATE_AND_TIME);
        let timestamp = Timestamp::from_nanosecond(record.created_ns.into()).unwrap_or(Timestamp::UNIX_EPOCH);
        let time = BrokenDownTime::from(&timestamp.to_zoned_datetime(self.zone.clone()));
        if time.format(format, StdFmtWrite(&mut *text)).is_err() {
            // A directive that nobody knows: the format itself shows which one.
            text.clear();
            text.push_str(format);
        }
    }
}

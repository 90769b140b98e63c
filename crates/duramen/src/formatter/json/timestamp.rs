//! The creation time as a JSON value.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

use super::ValueWriter;
use crate::append::{ZEROS, eight_digits};

/// How the creation time is written.
///
/// ```
/// use duramen::formatter::Formatter;
/// use duramen::formatter::json::{JsonFormatter, Source, TimestampForm};
/// use duramen::{Level, Record};
///
/// let form = TimestampForm::by_name("epoch_ms").unwrap();
/// let formatter = JsonFormatter::builder().members([("t", Source::Timestamp)]).timestamps(form).build().unwrap();
/// let record = Record { created_ns: 1_709_294_400_123_456_789, ..Record::new("app", Level::INFO, "") };
/// let mut line = Vec::new();
/// formatter.format(&record, &mut line);
/// assert_eq!(line, br#"{"t": 1709294400123}"#);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TimestampForm {
    /// Text by RFC 3339, microseconds included: `2024-03-01T12:00:00.123456Z`.
    #[default]
    Rfc3339,
    /// Seconds since the Unix epoch with six digits after the point: `1709294400.123456`.
    Seconds,
    /// Whole milliseconds since the Unix epoch.
    Milliseconds,
    /// Whole microseconds since the Unix epoch.
    Microseconds,
    /// Nanoseconds since the Unix epoch.
    Nanoseconds,
    /// Nanoseconds since the Unix epoch as text, for readers whose numbers are floating-point.
    NanosecondsText,
}

impl TimestampForm {
    /// The form called `name` in configurations: `rfc3339`, `epoch`, `epoch_ms`, `epoch_us`, `epoch_ns`.
    pub fn by_name(name: &str) -> Option<Self> {
        Some(match name {
            "rfc3339" => Self::Rfc3339,
            "epoch" => Self::Seconds,
            "epoch_ms" => Self::Milliseconds,
            "epoch_us" => Self::Microseconds,
            "epoch_ns" => Self::Nanoseconds,
            _ => return None,
        })
    }

    /// Writes the moment, given in nanoseconds since the epoch; text by RFC 3339 in the time of `zone`.
    #[expect(clippy::indexing_slicing, reason = "no more is written than there is room for")]
    pub(super) fn write(self, nanoseconds: i64, zone: &TimeZone, value: ValueWriter<'_>) {
        match self {
            Self::Rfc3339 => {
                let mut text = [0; LONGEST];
                let length = rfc3339(nanoseconds, zone, &mut text);
                value.text(std::str::from_utf8(&text[..length]).unwrap_or_default());
            }
            Self::Seconds => {
                let sign = if nanoseconds < 0 { "-" } else { "" };
                let micros = nanoseconds.unsigned_abs() / 1000;
                value.digits(&format!("{sign}{}.{:06}", micros / 1_000_000, micros % 1_000_000));
            }
            Self::Milliseconds => value.integer(nanoseconds.div_euclid(1_000_000)),
            Self::Microseconds => value.integer(nanoseconds.div_euclid(1000)),
            Self::Nanoseconds => value.integer(nanoseconds),
            Self::NanosecondsText => value.text(itoa::Buffer::new().format(nanoseconds)),
        }
    }
}

/// The length of `2024-03-01T12:00:00.123456+01:00`.
const LONGEST: usize = 32;

/// Writes the moment into `text` and returns the length. Years from 0 to 9999 have four digits; the 64 bits
/// of nanoseconds end in 2262.
fn rfc3339(nanoseconds: i64, zone: &TimeZone, text: &mut [u8; LONGEST]) -> usize {
    let timestamp = Timestamp::from_nanosecond(nanoseconds.into()).unwrap_or(Timestamp::UNIX_EPOCH);
    let offset = zone.to_offset(timestamp);
    let time: DateTime = offset.to_datetime(timestamp);
    text[..26].copy_from_slice(b"0000-00-00T00:00:00.000000");
    put(time.year().unsigned_abs().into(), &mut text[0..4]);
    put(time.month().unsigned_abs().into(), &mut text[5..7]);
    put(time.day().unsigned_abs().into(), &mut text[8..10]);
    put(time.hour().unsigned_abs().into(), &mut text[11..13]);
    put(time.minute().unsigned_abs().into(), &mut text[14..16]);
    put(time.second().unsigned_abs().into(), &mut text[17..19]);
    put_microsecond(nanoseconds, text.get_mut(20..));
    if *zone == TimeZone::UTC {
        text[26] = b'Z';
        return 27;
    }
    let minutes = offset.seconds().unsigned_abs() / 60;
    text[26..].copy_from_slice(if offset.is_negative() { b"-00:00" } else { b"+00:00" });
    put(minutes / 60, &mut text[27..29]);
    put(minutes % 60, &mut text[30..32]);
    LONGEST
}

/// The microsecond of the moment, in the six digits that `text` begins with.
#[inline]
pub(super) fn put_microsecond(nanoseconds: i64, text: Option<&mut [u8]>) {
    let microsecond = u32::try_from(nanoseconds.rem_euclid(1_000_000_000) / 1000).unwrap_or(0);
    if let Some(digits) = text.and_then(|text| text.first_chunk_mut::<6>()) {
        let [_, _, shown @ ..] = (eight_digits(microsecond) | ZEROS).to_le_bytes();
        *digits = shown;
    }
}

/// `number` in decimal digits, which fill `digits` from the right.
fn put(mut number: u32, digits: &mut [u8]) {
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + u8::try_from(number % 10).unwrap_or(0);
        number /= 10;
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;
    use proptest::prelude::*;

    use super::{TimestampForm, ValueWriter};

    fn written(form: TimestampForm, nanoseconds: i64, zone: &TimeZone) -> String {
        let mut out = Vec::new();
        form.write(nanoseconds, zone, ValueWriter::new(&mut out, false));
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn the_zone_is_part_of_the_text() {
        let berlin = TimeZone::get("Europe/Berlin").expect("known");
        let newfoundland = TimeZone::get("America/St_Johns").expect("known");
        let moment = 1_709_294_400_123_456_789;
        let text = |zone: &TimeZone| written(TimestampForm::Rfc3339, moment, zone);
        assert_eq!(text(&TimeZone::UTC), "\"2024-03-01T12:00:00.123456Z\"");
        assert_eq!(text(&berlin), "\"2024-03-01T13:00:00.123456+01:00\"");
        assert_eq!(text(&newfoundland), "\"2024-03-01T08:30:00.123456-03:30\"");
    }

    #[test]
    fn epochs_are_exact() {
        let utc = TimeZone::UTC;
        let moment = 1_709_294_400_000_456_789;
        assert_eq!(written(TimestampForm::Seconds, moment, &utc), "1709294400.000456");
        assert_eq!(written(TimestampForm::Seconds, -1_500_000_000, &utc), "-1.500000");
        assert_eq!(written(TimestampForm::Milliseconds, moment, &utc), "1709294400000");
        assert_eq!(written(TimestampForm::Microseconds, moment, &utc), "1709294400000456");
        assert_eq!(written(TimestampForm::Nanoseconds, moment, &utc), "1709294400000456789");
        assert_eq!(written(TimestampForm::NanosecondsText, moment, &utc), "\"1709294400000456789\"");
    }

    proptest! {
        #[test]
        fn the_text_names_the_same_microsecond(nanoseconds: i64) {
            let text = written(TimestampForm::Rfc3339, nanoseconds, &TimeZone::UTC);
            let parsed: jiff::Timestamp = text.trim_matches('"').parse().expect("RFC 3339");
            prop_assert_eq!(parsed.as_nanosecond(), i128::from(nanoseconds).div_euclid(1000) * 1000);
        }
    }
}

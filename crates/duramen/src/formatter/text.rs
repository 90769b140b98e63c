//! The formatter for lines of text: a layout, the time as text, the exception and the stack below.

use jiff::{Timestamp, tz::TimeZone};

use super::{Field, Formatter, Layout, UnsupportedLayout, brace, dollar, percent};
use crate::Record;

/// The three kinds of format string that Python knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    /// `%(message)s`.
    #[default]
    Percent,
    /// `{message}`.
    Brace,
    /// `$message` and `${message}`.
    Dollar,
}

/// Python's `Formatter`: a format string, and a date format for `asctime`.
#[derive(Debug)]
pub struct TextFormatter {
    layout: Layout,
    date_format: Option<String>,
    zone: TimeZone,
}

impl TextFormatter {
    /// Formats with `format`, and `asctime` by `date_format` in the terms of `strftime` (default: the
    /// date, the time and milliseconds, as `2024-03-01 12:00:00,123`), in local time.
    ///
    /// # Errors
    /// [`UnsupportedLayout`] when `format` is no valid format of `style`.
    pub fn new(format: &str, date_format: Option<&str>, style: Style) -> Result<Self, UnsupportedLayout> {
        let layout = match style {
            Style::Percent => percent::compile(format)?,
            Style::Brace => brace::compile(format)?,
            Style::Dollar => dollar::compile(format)?,
        };
        Ok(Self { layout, date_format: date_format.map(str::to_owned), zone: TimeZone::system() })
    }

    /// Writes `asctime` in `zone` in place of local time.
    #[must_use]
    pub fn in_zone(self, zone: TimeZone) -> Self {
        Self { zone, ..self }
    }

    fn asctime(&self, record: &Record<'_>) -> String {
        let timestamp = Timestamp::from_nanosecond(record.created_ns.into()).unwrap_or(Timestamp::UNIX_EPOCH);
        let time = timestamp.to_zoned_datetime(self.zone.clone());
        match &self.date_format {
            Some(format) => jiff::fmt::strtime::format(format, &time).unwrap_or_else(|_| format.clone()),
            None => format!("{},{:03}", time.strftime("%Y-%m-%d %H:%M:%S"), record.milliseconds()),
        }
    }
}

impl Default for TextFormatter {
    /// The message alone.
    fn default() -> Self {
        let mut layout = Layout::default();
        layout.push_field(Field::Message, super::layout::Conversion::default());
        Self { layout, date_format: None, zone: TimeZone::system() }
    }
}

impl Formatter for TextFormatter {
    fn format(&self, record: &Record<'_>, out: &mut Vec<u8>) {
        let start = out.len();
        let asctime = if self.layout.uses(Field::Asctime) { self.asctime(record) } else { String::new() };
        // A number that the layout cannot show is rare enough to give the message alone.
        if self.layout.render(record, &asctime, out).is_err() {
            out.extend_from_slice(record.message.as_bytes());
        }
        for text in [record.exception, record.stack].into_iter().flatten() {
            // Only the entry's own text counts: what stood in `out` before belongs to another.
            if out[start..].last() != Some(&b'\n') {
                out.push(b'\n');
            }
            out.extend_from_slice(text.as_bytes());
        }
    }
}

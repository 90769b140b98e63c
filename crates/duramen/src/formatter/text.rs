//! The formatter for lines of text: a layout, the time as text, the exception and the stack below.

use jiff::tz::TimeZone;

use super::asctime::Asctime;
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
    asctime: Asctime,
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
        Ok(Self { layout, asctime: Asctime::new(date_format) })
    }

    /// Writes `asctime` in `zone` in place of local time.
    #[must_use]
    pub fn in_zone(self, zone: TimeZone) -> Self {
        Self { asctime: self.asctime.in_zone(zone), ..self }
    }
}

impl Default for TextFormatter {
    /// The message alone.
    fn default() -> Self {
        let mut layout = Layout::default();
        layout.push_field(Field::Message, super::layout::Conversion::default());
        Self { layout, asctime: Asctime::new(None) }
    }
}

impl Formatter for TextFormatter {
    fn format(&self, record: &Record<'_>, out: &mut Vec<u8>) {
        let start = out.len();
        let rendered = if self.layout.uses(Field::Asctime) {
            self.asctime.with(record, |asctime| self.layout.render(record, asctime, out))
        } else {
            self.layout.render(record, "", out)
        };
        // A number that the layout cannot show is rare enough to give the message alone.
        if rendered.is_err() {
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

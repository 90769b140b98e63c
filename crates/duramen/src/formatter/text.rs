//! The formatter for lines of text: a layout, the time as text, the exception and the stack below.

use jiff::tz::TimeZone;

use super::asctime::Asctime;
use super::beginning::KeptBeginning;
use super::extra_field::Defaults;
use super::{Field, Formatter, Layout, UnsupportedLayout, brace, dollar, percent};
use crate::append::append;
use crate::{Record, Value};

/// The three kinds of format string that Python knows.
///
/// ```
/// use duramen::formatter::{Style, TextFormatter};
///
/// for (format, style) in [
///     ("%(levelname)-8s %(message)s", Style::Percent),
///     ("{levelname:<8} {message}", Style::Brace),
///     ("$levelname $message", Style::Dollar),
/// ] {
///     assert!(TextFormatter::new(format, None, style).is_ok());
/// }
/// ```
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
///
/// ```
/// use std::sync::Arc;
///
/// use duramen::formatter::{Style, TextFormatter};
/// use duramen::{handler::StreamHandler, warning};
///
/// let format = "%(asctime)s %(levelname)-8s %(name)s:%(lineno)d %(message)s";
/// let handler = StreamHandler::stdout();
/// handler.set_formatter(Arc::new(TextFormatter::new(format, Some("%H:%M:%S"), Style::Percent).unwrap()));
/// let manager = duramen::Manager::new();
/// manager.root().add_handler(Arc::new(handler));
/// warning!(manager.get_logger("shop"), "low on paper"); // 12:00:00 WARNING  shop:14 low on paper
/// ```
#[derive(Debug)]
pub struct TextFormatter {
    layout: Layout,
    asctime: Asctime,
    /// So many pieces at the beginning show what lines of the same moment often have in common, the time among it.
    beginning: usize,
    kept: KeptBeginning<()>,
    /// Behind them stands the message, and nothing else.
    ends_with_message: bool,
}

impl TextFormatter {
    /// Formats with `format`, and `asctime` by `date_format` in the terms of `strftime` (default: the
    /// date, the time and milliseconds, as `2024-03-01 12:00:00,123`), in local time.
    ///
    /// ```
    /// use duramen::formatter::{Style, TextFormatter};
    ///
    /// assert!(TextFormatter::new("%(asctime)s %(message)s", Some("%d.%m.%Y"), Style::Percent).is_ok());
    /// assert!(TextFormatter::new("%(nothing)s", None, Style::Percent).is_err());
    /// ```
    ///
    /// # Errors
    /// [`UnsupportedLayout`] when `format` is no valid format of `style`.
    pub fn new(format: &str, date_format: Option<&str>, style: Style) -> Result<Self, UnsupportedLayout> {
        Self::with_defaults(format, date_format, style, &[])
    }

    /// As [`TextFormatter::new`], and `format` may name the extra fields that `defaults` have values for: these stand
    /// where a record has no such field. Values are shown as Python shows them (`None`, `True`), lists and maps by their
    /// `Display`; the record's own fields have no defaults.
    ///
    /// ```
    /// use duramen::formatter::{Style, TextFormatter};
    /// use duramen::Value;
    ///
    /// let nobody = [("user".to_owned(), Value::Text("-".into()))];
    /// assert!(TextFormatter::with_defaults("{user:<8} {message}", None, Style::Brace, &nobody).is_ok());
    /// assert!(TextFormatter::new("{user:<8} {message}", None, Style::Brace).is_err());
    /// ```
    ///
    /// # Errors
    /// As for [`TextFormatter::new`], and when a default cannot be shown as the format says.
    pub fn with_defaults(
        format: &str,
        date_format: Option<&str>,
        style: Style,
        defaults: &[(String, Value<'static>)],
    ) -> Result<Self, UnsupportedLayout> {
        let defaults = Defaults::new(defaults);
        let layout = match style {
            Style::Percent => percent::compile_with(format, defaults)?,
            Style::Brace => brace::compile_with(format, defaults)?,
            Style::Dollar => dollar::compile_with(format, defaults)?,
        };
        Ok(Self::with(layout, Asctime::new(date_format)))
    }

    /// The fields that `format` shows and no record has, where nothing else is wrong with it: those of `defaults` are none.
    pub(crate) fn unknown_fields(
        format: &str,
        style: Style,
        defaults: &[(String, Value<'static>)],
    ) -> Vec<String> {
        let layout = match style {
            Style::Percent => percent::compile_with_extra(format),
            Style::Brace => brace::compile_with_extra(format),
            Style::Dollar => dollar::compile_with_extra(format),
        };
        let mut unknown: Vec<String> = Vec::new();
        for name in layout.iter().flat_map(Layout::extra_names) {
            if !unknown.iter().chain(defaults.iter().map(|(known, _)| known)).any(|known| known == name) {
                unknown.push(name.to_owned());
            }
        }
        unknown
    }

    fn with(layout: Layout, asctime: Asctime) -> Self {
        let count = layout.count_of_beginning();
        let has_time = layout.place_of_time().is_some_and(|place| place < count);
        let beginning = if has_time { count } else { 0 };
        let ends_with_message = layout.is_message_from(beginning);
        Self { layout, asctime, beginning, kept: KeptBeginning::default(), ends_with_message }
    }

    /// Writes `asctime` in `zone` in place of local time.
    ///
    /// ```
    /// use duramen::formatter::{Style, TextFormatter};
    /// use jiff::tz::TimeZone;
    ///
    /// let formatter = TextFormatter::new("{asctime}Z {message}", Some("%Y-%m-%dT%H:%M:%S"), Style::Brace);
    /// let formatter = formatter.unwrap().in_zone(TimeZone::UTC);
    /// ```
    #[must_use]
    pub fn in_zone(self, zone: TimeZone) -> Self {
        Self::with(self.layout, self.asctime.in_zone(zone))
    }

    fn render(&self, record: &Record<'_>, out: &mut Vec<u8>) -> Result<(), UnsupportedLayout> {
        let moment = if self.beginning > 0 { self.asctime.moment(record) } else { None };
        let Some(moment) = moment else {
            return if self.layout.uses(Field::Asctime) {
                self.asctime.with(record, |asctime| self.layout.render(record, asctime, out))
            } else {
                self.layout.render(record, "", out)
            };
        };
        let start = out.len();
        self.kept.append(moment, record, out, |text| {
            self.asctime
                .with(record, |asctime| self.layout.render_pieces(0..self.beginning, record, asctime, text))
        })?;
        if self.ends_with_message {
            append(out, record.message.as_bytes());
            return Ok(());
        }
        let rendered = self.layout.render_pieces(self.beginning..self.layout.count(), record, "", out);
        if rendered.is_err() {
            out.truncate(start);
        }
        rendered
    }
}

impl Default for TextFormatter {
    /// The message alone.
    fn default() -> Self {
        let mut layout = Layout::default();
        layout.push_field(Field::Message, super::conversion::Conversion::default());
        Self::with(layout, Asctime::new(None))
    }
}

impl Formatter for TextFormatter {
    #[expect(clippy::indexing_slicing, reason = "what was written begins there")]
    fn format(&self, record: &Record<'_>, out: &mut Vec<u8>) {
        let start = out.len();
        let rendered = self.render(record, out);
        // A number that the layout cannot show is rare enough to give the message alone.
        if rendered.is_err() {
            out.extend_from_slice(record.message.as_bytes());
        }
        if record.exception.is_none() && record.stack.is_none() {
            return;
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

//! Console output: for people, in color where that is wanted.

use std::env;
use std::ffi::OsString;
use std::io::IsTerminal;

use jiff::tz::TimeZone;

use super::Formatter;
use super::asctime::Asctime;
use super::json::{Details, PairRules};
use crate::{Level, Record};

pub(super) const RESET: &str = "\x1b[0m";
pub(super) const DIM: &str = "\x1b[2m";
const NAME: &str = "\x1b[34m";
const RAISED: &str = "\x1b[1;31m";

/// Writes a record for people: time, level, logger, message, extra fields as `key=value`; below it the
/// exception and the stack, if any.
///
/// Control characters of the message are escaped, so that a message can neither forge a line nor drive the
/// terminal; those of the exception and the stack are too, except the line breaks and tabs that they are
/// made of.
///
/// ```
/// use duramen::formatter::ConsoleFormatter;
/// use duramen::{Level, Record, Value};
///
/// let fields = [("order", Value::Integer(7)), ("by", Value::Text("Ada L.".into()))];
/// let record = Record { fields: &fields, ..Record::new("app", Level::INFO, "paid\n") };
/// let mut line = Vec::new();
/// let Ok(()) = ConsoleFormatter::new(false).align(8).format_with(&record, "12:00:00", &record, &mut line);
/// assert_eq!(line, br#"12:00:00 INFO     app: paid\n   order=7 by="Ada L.""#);
/// ```
#[derive(Debug)]
pub struct ConsoleFormatter {
    asctime: Asctime,
    color: bool,
    align: usize,
    extra: PairRules,
}

/// So many columns a message has before the fields begin, unless it is longer.
///
/// ```
/// use duramen::formatter::console::{ConsoleFormatter, DEFAULT_ALIGN};
///
/// let wider = ConsoleFormatter::new(true).align(DEFAULT_ALIGN + 20);
/// ```
pub const DEFAULT_ALIGN: usize = 32;

impl ConsoleFormatter {
    /// With or without color. The time is local, as `2024-03-01 12:00:00,123`.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use duramen::{formatter::ConsoleFormatter, handler::StreamHandler};
    ///
    /// let handler = StreamHandler::stderr();
    /// handler.set_formatter(Arc::new(ConsoleFormatter::new(false).datefmt("%H:%M:%S").align(40)));
    /// ```
    pub fn new(color: bool) -> Self {
        Self { asctime: Asctime::new(None), color, align: DEFAULT_ALIGN, extra: PairRules::new(color) }
    }

    /// For `stream`: in color unless `NO_COLOR` is set in the environment, if `FORCE_COLOR` is set or the
    /// stream is a terminal. A variable that is empty counts as not set.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use duramen::{formatter::ConsoleFormatter, handler::StreamHandler};
    ///
    /// let handler = StreamHandler::stderr();
    /// handler.set_formatter(Arc::new(ConsoleFormatter::for_stream(&std::io::stderr())));
    /// ```
    pub fn for_stream(stream: &impl IsTerminal) -> Self {
        Self::new(is_color_wanted(|name| env::var_os(name), stream.is_terminal()))
    }

    /// Writes the time by `date_format`, in the terms of `strftime`.
    ///
    /// ```
    /// use duramen::formatter::{ConsoleFormatter, Formatter};
    /// use duramen::{Level, Record};
    /// use jiff::tz::TimeZone;
    ///
    /// let formatter = ConsoleFormatter::new(false).datefmt("%H:%M").in_zone(TimeZone::UTC);
    /// let mut line = Vec::new();
    /// formatter.format(&Record::new("app", Level::WARNING, "late"), &mut line);
    /// assert_eq!(line, b"00:00 WARNING  app: late");
    /// ```
    #[must_use]
    pub fn datefmt(self, date_format: &str) -> Self {
        Self { asctime: Asctime::new(Some(date_format)), ..self }
    }

    /// Writes the time in `zone` in place of local time.
    #[must_use]
    pub fn in_zone(self, zone: TimeZone) -> Self {
        Self { asctime: self.asctime.in_zone(zone), ..self }
    }

    /// At least so many columns lie between the beginning of the message and the fields behind it.
    #[must_use]
    pub fn align(self, columns: usize) -> Self {
        Self { align: columns, ..self }
    }

    /// Appends the text of `record`, with `asctime` as the creation time, and the fields that `details`
    /// writes.
    ///
    /// # Errors
    /// Those of `details`.
    #[expect(clippy::indexing_slicing, reason = "both places are ends of what was written")]
    pub fn format_with<D: Details>(
        &self,
        record: &Record<'_>,
        asctime: &str,
        details: &D,
        out: &mut Vec<u8>,
    ) -> Result<(), D::Error> {
        self.paint(DIM, asctime, out);
        out.push(b' ');
        self.paint_to_width(8, color_of(record.level), record.level_name, out);
        out.push(b' ');
        self.paint(NAME, record.name, out);
        out.extend_from_slice(b": ");
        let message = out.len();
        write_escaped(record.message, out);
        let end = out.len();
        let shown = String::from_utf8_lossy(&out[message..end]).chars().count();
        out.resize(end + self.align.saturating_sub(shown), b' ');
        let padded = out.len();
        self.extra.write(details, out)?;
        if out.len() == padded {
            out.truncate(end);
        }
        for text in [record.exception, record.stack].into_iter().flatten() {
            for line in text.split('\n') {
                out.push(b'\n');
                self.write_line_of_traceback(line, out);
            }
        }
        Ok(())
    }

    fn write_line_of_traceback(&self, line: &str, out: &mut Vec<u8>) {
        let color =
            if line.starts_with("  File ") || line.starts_with("Traceback ") || line.starts_with("Stack ") {
                Some(DIM)
            } else if line.starts_with(' ') || line.is_empty() {
                None
            } else {
                Some(RAISED)
            };
        let color = color.filter(|_| self.color);
        out.extend_from_slice(color.unwrap_or_default().as_bytes());
        for (index, part) in line.split('\t').enumerate() {
            if index > 0 {
                out.push(b'\t');
            }
            write_escaped(part, out);
        }
        out.extend_from_slice(color.map_or("", |_| RESET).as_bytes());
    }

    fn paint(&self, color: &str, text: &str, out: &mut Vec<u8>) {
        self.paint_to_width(0, color, text, out);
    }

    /// With spaces up to `width` characters, in color as well.
    fn paint_to_width(&self, width: usize, color: &str, text: &str, out: &mut Vec<u8>) {
        out.extend_from_slice(if self.color { color.as_bytes() } else { b"" });
        write_escaped(text, out);
        out.resize(out.len() + width.saturating_sub(text.chars().count()), b' ');
        out.extend_from_slice(if self.color { RESET.as_bytes() } else { b"" });
    }
}

impl Formatter for ConsoleFormatter {
    fn format(&self, record: &Record<'_>, out: &mut Vec<u8>) {
        self.asctime.with(record, |asctime| {
            let Ok(()) = self.format_with(record, asctime, record, out);
        });
    }
}

fn is_color_wanted(variable: impl Fn(&str) -> Option<OsString>, is_terminal: bool) -> bool {
    let is_set = |name| variable(name).is_some_and(|value| !value.is_empty());
    !is_set("NO_COLOR") && (is_set("FORCE_COLOR") || is_terminal)
}

/// The color of a level: that of the nearest standard level at or below it.
fn color_of(level: Level) -> &'static str {
    if level >= Level::CRITICAL {
        "\x1b[1;41;97m"
    } else if level >= Level::ERROR {
        "\x1b[1;31m"
    } else if level >= Level::WARNING {
        "\x1b[33m"
    } else if level >= Level::INFO {
        "\x1b[32m"
    } else {
        "\x1b[36m"
    }
}

/// Appends `text` with its control characters, and the line separators U+2028 and U+2029, as `\n`, `\x1b`,
/// `\u2028` and so on; all else as it is.
///
/// ```
/// let mut text = Vec::new();
/// duramen::formatter::console::write_escaped("a\x1b[31m\n", &mut text);
/// assert_eq!(text, br"a\x1b[31m\n");
/// ```
pub fn write_escaped(text: &str, out: &mut Vec<u8>) {
    for character in text.chars() {
        match character {
            '\n' | '\r' | '\t' => out.extend(character.escape_default().map(|escaped| escaped as u8)),
            '\u{2028}' | '\u{2029}' => {
                out.extend_from_slice(format!("\\u{:04x}", u32::from(character)).as_bytes());
            }
            _ if character.is_control() => {
                out.extend_from_slice(format!("\\x{:02x}", u32::from(character)).as_bytes());
            }
            _ => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

/// Whether [`write_escaped`] writes the character otherwise than it is.
pub(super) fn is_escaped(character: char) -> bool {
    character.is_control() || matches!(character, '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::{ConsoleFormatter, is_color_wanted, write_escaped};
    use crate::record::Caller;
    use crate::{Level, Record, Value};

    fn formatted(
        formatter: &ConsoleFormatter,
        fields: &[(&str, Value<'_>)],
        exception: Option<&str>,
    ) -> String {
        let record = Record {
            name: "app",
            level: Level::ERROR,
            level_name: "ERROR",
            message: "failed",
            created_ns: 0,
            relative_created_ms: 0.0,
            caller: Caller::of_source("src/main.rs", 7, "app"),
            thread: None,
            thread_name: None,
            process: None,
            process_name: None,
            task_name: None,
            fields,
            exception,
            stack: None,
        };
        let mut out = Vec::new();
        let Ok(()) = formatter.format_with(&record, "12:00:00", &record, &mut out);
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn control_characters_cannot_drive_the_terminal() {
        let mut out = Vec::new();
        write_escaped("a\nb\x1b[2J\u{9b}é\u{2028}", &mut out);
        assert_eq!(String::from_utf8(out).expect("UTF-8"), "a\\nb\\x1b[2J\\x9bé\\u2028");
    }

    #[test]
    fn a_traceback_keeps_its_lines_and_cannot_drive_the_terminal() {
        let text = formatted(
            &ConsoleFormatter::new(false),
            &[],
            Some("Traceback:\n\tf()\nValueError: \x1b[2Jgone\r"),
        );
        assert_eq!(text, "12:00:00 ERROR    app: failed\nTraceback:\n\tf()\nValueError: \\x1b[2Jgone\\r");
    }

    #[test]
    fn fields_are_aligned_and_cannot_look_like_others() {
        let fields = [
            ("a", Value::Text("one".into())),
            ("b c=\x1b", Value::Text("x=1 \x1b[2J".into())),
            ("list", Value::List(vec![Value::Integer(1), Value::Null])),
        ];
        let text = formatted(&ConsoleFormatter::new(false).align(10), &fields, None);
        let expected = r#"12:00:00 ERROR    app: failed     a=one b_c__="x=1 \u001b[2J" list="[1, null]""#;
        assert_eq!(text, expected);
    }

    #[test]
    fn color_marks_what_was_raised() {
        let text = formatted(
            &ConsoleFormatter::new(true),
            &[("n", Value::Integer(1))],
            Some("Traceback (…)\n  File \"a\"\n    f()\nValueError: no"),
        );
        let lines: Vec<_> = text.lines().collect();
        assert!(lines[0].ends_with("\x1b[2mn\x1b[0m=1"), "{:?}", lines[0]);
        assert_eq!(&lines[2..], ["\x1b[2m  File \"a\"\x1b[0m", "    f()", "\x1b[1;31mValueError: no\x1b[0m"]);
    }

    #[test]
    fn color_is_for_terminals_unless_the_environment_says_otherwise() {
        let wanted = |set: &[(&str, &str)], is_terminal| {
            let variable = |name: &str| {
                set.iter().find(|(other, _)| *other == name).map(|(_, value)| OsString::from(value))
            };
            is_color_wanted(variable, is_terminal)
        };
        assert!(wanted(&[], true) && !wanted(&[], false));
        assert!(!wanted(&[("NO_COLOR", "1")], true) && wanted(&[("FORCE_COLOR", "1")], false));
        assert!(!wanted(&[("NO_COLOR", "1"), ("FORCE_COLOR", "1")], true));
        assert!(wanted(&[("NO_COLOR", "")], true), "an empty variable is not set");
    }
}

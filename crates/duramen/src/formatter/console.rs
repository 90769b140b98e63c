//! Console output: for people, in color where that is wanted.

use std::env;
use std::ffi::OsString;
use std::fmt::{self, Write as _};
use std::io::IsTerminal;

use jiff::tz::TimeZone;

use super::Formatter;
use super::asctime::Asctime;
use crate::{Level, Record};

const RESET: &str = "\x1b[0m";
const DIM: &str = "\x1b[2m";

/// A line for people: time, level, logger, message and extra fields, in color where that is wanted.
///
/// ```
/// use std::sync::Arc;
/// use duramen::{formatter::ConsoleFormatter, handler::StreamHandler};
///
/// let handler = StreamHandler::stderr();
/// handler.set_formatter(Arc::new(ConsoleFormatter::for_stream(&std::io::stderr())));
/// ```
#[derive(Debug)]
pub struct ConsoleFormatter {
    color: bool,
    asctime: Asctime,
}

impl ConsoleFormatter {
    /// With or without color. The time is local, as `2024-03-01 12:00:00,123`.
    pub fn new(color: bool) -> Self {
        Self { color, asctime: Asctime::new(None) }
    }

    /// For `stream`: in color unless `NO_COLOR` is set in the environment, if `FORCE_COLOR` is set or the
    /// stream is a terminal. A variable that is empty counts as not set.
    pub fn for_stream(stream: &impl IsTerminal) -> Self {
        Self::new(is_color_wanted(|name| env::var_os(name), stream.is_terminal()))
    }

    /// Writes the time by `date_format`, in the terms of `strftime`.
    #[must_use]
    pub fn datefmt(self, date_format: &str) -> Self {
        Self { asctime: Asctime::new(Some(date_format)), ..self }
    }

    /// Writes the time in `zone` in place of local time.
    #[must_use]
    pub fn in_zone(self, zone: TimeZone) -> Self {
        Self { asctime: self.asctime.in_zone(zone), ..self }
    }
}

impl Formatter for ConsoleFormatter {
    fn format(&self, record: &Record<'_>, out: &mut Vec<u8>) {
        self.asctime.with(record, |asctime| write(record, asctime, self.color, out));
    }
}

fn is_color_wanted(variable: impl Fn(&str) -> Option<OsString>, is_terminal: bool) -> bool {
    let is_set = |name| variable(name).is_some_and(|value| !value.is_empty());
    !is_set("NO_COLOR") && (is_set("FORCE_COLOR") || is_terminal)
}

/// Appends `record` as one line for a terminal: time, level, logger, message, extra fields; below it the
/// exception and the stack, if any.
///
/// `asctime` is the creation time as text. Control characters of the message are escaped, so that a
/// message can neither forge a line nor drive the terminal; those of the exception and the stack are too,
/// except the line breaks and tabs that they are made of.
pub fn write(record: &Record<'_>, asctime: &str, color: bool, out: &mut Vec<u8>) {
    painted(asctime, color.then_some(DIM), out);
    out.push(b' ');
    painted_to_width(8, record.level_name, color.then(|| color_of(record.level)), out);
    out.push(b' ');
    painted(record.name, color.then_some("\x1b[34m"), out);
    out.extend_from_slice(b": ");
    write_escaped(record.message, out);
    for (key, value) in record.fields {
        out.push(b' ');
        painted(key, color.then_some(DIM), out);
        out.push(b'=');
        // Appending to memory does not fail.
        let _ = write!(Escaped(out), "{value}");
    }
    for text in [record.exception, record.stack].into_iter().flatten() {
        for line in text.split('\n') {
            out.push(b'\n');
            for (index, part) in line.split('\t').enumerate() {
                if index > 0 {
                    out.push(b'\t');
                }
                write_escaped(part, out);
            }
        }
    }
}

fn painted(text: &str, color: Option<&str>, out: &mut Vec<u8>) {
    painted_to_width(0, text, color, out);
}

/// With spaces up to `width` characters, in color as well.
fn painted_to_width(width: usize, text: &str, color: Option<&str>, out: &mut Vec<u8>) {
    out.extend_from_slice(color.unwrap_or_default().as_bytes());
    write_escaped(text, out);
    out.resize(out.len() + width.saturating_sub(text.chars().count()), b' ');
    out.extend_from_slice(color.map_or("", |_| RESET).as_bytes());
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

/// Control characters as `\n`, `\t`, `\x1b` and so on; all else as it is.
fn write_escaped(text: &str, out: &mut Vec<u8>) {
    for character in text.chars() {
        if character.is_control() {
            match character {
                '\n' | '\r' | '\t' => out.extend(character.escape_default().map(|escaped| escaped as u8)),
                _ => {
                    let code = u32::from(character);
                    out.extend_from_slice(b"\\x");
                    out.extend([code >> 4, code & 0xf].map(|digit| b"0123456789abcdef"[digit as usize]));
                }
            }
        } else {
            out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
}

/// Takes text and escapes it.
struct Escaped<'a>(&'a mut Vec<u8>);

impl fmt::Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        write_escaped(text, self.0);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::{is_color_wanted, write, write_escaped};
    use crate::record::Caller;
    use crate::{Level, Record};

    #[test]
    fn control_characters_cannot_drive_the_terminal() {
        let mut out = Vec::new();
        write_escaped("a\nb\x1b[2J\u{9b}é", &mut out);
        assert_eq!(String::from_utf8(out).expect("UTF-8"), "a\\nb\\x1b[2J\\x9bé");
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

    #[test]
    fn a_traceback_keeps_its_lines_and_cannot_drive_the_terminal() {
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
            fields: &[],
            exception: Some("Traceback:\n\tf()\nValueError: \x1b[2Jgone\r"),
            stack: None,
        };
        let mut out = Vec::new();
        write(&record, "12:00:00", false, &mut out);
        let expected = "12:00:00 ERROR    app: failed\nTraceback:\n\tf()\nValueError: \\x1b[2Jgone\\r";
        assert_eq!(String::from_utf8(out).expect("UTF-8"), expected);
    }
}

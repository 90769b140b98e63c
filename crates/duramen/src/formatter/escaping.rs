//! Lines of text that nothing in a record can forge.

use std::borrow::Cow;

use super::console::{is_escaped, write_escaped};
use super::{Formatter, TextFormatter};
use crate::record::Caller;
use crate::{Record, Value};

/// A [`TextFormatter`] in whose lines nothing that a record holds can forge a line or drive a terminal.
///
/// Control characters and the line separators U+2028 and U+2029 are escaped in the message and the other texts of the record,
/// extra fields among them, and in the exception and the stack, but for the line breaks and tabs that these are made of.
///
/// ```
/// use duramen::formatter::{EscapingFormatter, Formatter, Style, TextFormatter};
/// # use duramen::{Level, Record, record::Caller};
///
/// let formatter = TextFormatter::new("%(levelname)s:%(message)s", None, Style::Percent).unwrap();
/// # let record = Record {
/// #     name: "app", level: Level::INFO, level_name: "INFO", message: "hello\nERROR:forged", created_ns: 0,
/// #     relative_created_ms: 0.0,
/// #     caller: Caller { pathname: "", filename: "", module: "", line: 1, function: "" },
/// #     thread: None, thread_name: None, process: None, process_name: None, task_name: None,
/// #     fields: &[], exception: None, stack: None,
/// # };
/// let mut line = Vec::new();
/// // With the message "hello\nERROR:forged":
/// EscapingFormatter::new(formatter).format(&record, &mut line);
/// assert_eq!(line, br"INFO:hello\nERROR:forged");
/// ```
#[derive(Debug)]
pub struct EscapingFormatter(TextFormatter);

impl EscapingFormatter {
    /// Lines as `formatter` lays them out.
    pub fn new(formatter: TextFormatter) -> Self {
        Self(formatter)
    }

    /// What `then` makes of `record` as lines show it: the same with its texts escaped.
    ///
    /// ```
    /// use duramen::formatter::EscapingFormatter;
    /// use duramen::{Level, Record};
    ///
    /// let record = Record::new("shop", Level::INFO, "one\nline");
    /// let length = EscapingFormatter::escaped(&record, |shown| {
    ///     assert_eq!(shown.message, r"one\nline");
    ///     shown.message.len()
    /// });
    /// assert_eq!(length, 9);
    /// ```
    pub fn escaped<R>(record: &Record<'_>, then: impl FnOnce(&Record<'_>) -> R) -> R {
        let [name, level_name, message] =
            [record.name, record.level_name, record.message].map(|text| escaped(text, false));
        let Caller { pathname, filename, module, line, function } = record.caller;
        let [pathname, filename, module, function] =
            [pathname, filename, module, function].map(|text| escaped(text, false));
        let [thread_name, process_name, task_name] =
            [record.thread_name, record.process_name, record.task_name]
                .map(|text| text.map(|text| escaped(text, false)));
        let [exception, stack] =
            [record.exception, record.stack].map(|text| text.map(|text| escaped(text, true)));
        let is_plain = |value: &Value<'_>| match value {
            Value::Text(text) => !text.contains(is_escaped),
            Value::List(_) | Value::Map(_) => false,
            _ => true,
        };
        let fields: Option<Vec<_>> = (!record.fields.iter().all(|(_, value)| is_plain(value))).then(|| {
            let fields = record.fields.iter();
            fields.map(|(name, value)| (*name, escaped_value(value))).collect()
        });
        then(&Record {
            name: &name,
            level_name: &level_name,
            message: &message,
            caller: Caller {
                pathname: &pathname,
                filename: &filename,
                module: &module,
                line,
                function: &function,
            },
            thread_name: thread_name.as_deref(),
            process_name: process_name.as_deref(),
            task_name: task_name.as_deref(),
            exception: exception.as_deref(),
            stack: stack.as_deref(),
            fields: fields.as_deref().unwrap_or(record.fields),
            ..record.clone()
        })
    }
}

impl Formatter for EscapingFormatter {
    fn format(&self, record: &Record<'_>, out: &mut Vec<u8>) {
        Self::escaped(record, |shown| self.0.format(shown, out));
    }
}

/// The value as a line of text shows it.
fn escaped_value<'v>(value: &'v Value<'_>) -> Value<'v> {
    match value {
        Value::Text(text) => Value::Text(escaped(text, false)),
        Value::List(_) | Value::Map(_) => Value::Text(escaped(&value.to_string(), false).into_owned().into()),
        other => other.borrowed(),
    }
}

/// `text` with what may forge a line escaped; of several lines, each for itself.
#[expect(clippy::string_slice, reason = "the part ends with the character")]
fn escaped(text: &str, has_lines: bool) -> Cow<'_, str> {
    let stays = |character| has_lines && matches!(character, '\n' | '\t');
    if !text.contains(|character| is_escaped(character) && !stays(character)) {
        return text.into();
    }
    let mut out = Vec::with_capacity(text.len() + 16);
    for part in text.split_inclusive(stays) {
        let end = part.chars().next_back().filter(|end| stays(*end));
        let content = end.map_or(part, |end| &part[..part.len() - end.len_utf8()]);
        write_escaped(content, &mut out);
        out.extend(end.map(|end| end as u8));
    }
    String::from_utf8_lossy(&out).into_owned().into()
}

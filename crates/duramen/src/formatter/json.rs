//! JSON: one object on one line for each record.

use std::io::Write as _;

use jiff::Timestamp;

use super::Formatter;
use crate::{Record, Value};

/// Writes a record as one line of JSON (RFC 8259), without a final newline.
///
/// The keys, in this order: `timestamp` (RFC 3339, UTC, microseconds), `level`, `logger`, `message`, the
/// extra fields as they were given, `exception` and `stack` where there are any. An extra field with the
/// name of one of these is left out, so that no key stands twice. NaN and the infinities, which JSON
/// has no form for, are `null`.
///
/// ```
/// use duramen::formatter::{Formatter, JsonFormatter};
/// use duramen::record::Caller;
/// use duramen::{Level, Record, Value};
///
/// let record = Record {
///     name: "app",
///     level: Level::INFO,
///     level_name: "INFO",
///     message: "said \"hello\"",
///     created_ns: 1_700_000_000_123_456_789,
///     relative_created_ms: 0.0,
///     caller: Caller { pathname: "m.rs", filename: "m.rs", module: "m", line: 1, function: "f" },
///     thread: None, thread_name: None, process: None, process_name: None, task_name: None,
///     fields: &[("user_id", Value::Integer(7))],
///     exception: None,
///     stack: None,
/// };
/// let mut line = Vec::new();
/// JsonFormatter.format(&record, &mut line);
/// assert_eq!(
///     String::from_utf8(line).unwrap(),
///     r#"{"timestamp": "2023-11-14T22:13:20.123456Z", "level": "INFO", "logger": "app", "message": "said \"hello\"", "user_id": 7}"#
/// );
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct JsonFormatter;

/// The keys that the formatter itself writes.
const OWN_KEYS: [&str; 6] = ["timestamp", "level", "logger", "message", "exception", "stack"];

impl Formatter for JsonFormatter {
    fn format(&self, record: &Record<'_>, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"timestamp\": \"");
        write_timestamp(record.created_ns, out);
        out.extend_from_slice(b"\", \"level\": ");
        write_text(record.level_name, out);
        out.extend_from_slice(b", \"logger\": ");
        write_text(record.name, out);
        out.extend_from_slice(b", \"message\": ");
        write_text(record.message, out);
        for (key, value) in record.fields {
            if !OWN_KEYS.contains(key) {
                write_key(key, out);
                write_value(value, out);
            }
        }
        for (key, text) in [("exception", record.exception), ("stack", record.stack)] {
            if let Some(text) = text {
                write_key(key, out);
                write_text(text, out);
            }
        }
        out.push(b'}');
    }
}

fn write_key(key: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b", ");
    write_text(key, out);
    out.extend_from_slice(b": ");
}

fn write_timestamp(nanoseconds: i64, out: &mut Vec<u8>) {
    let timestamp = Timestamp::from_nanosecond(nanoseconds.into()).unwrap_or(Timestamp::UNIX_EPOCH);
    push_display(format_args!("{}", timestamp.strftime("%Y-%m-%dT%H:%M:%S.%6fZ")), out);
}

/// Writing to memory cannot fail.
fn push_display(text: std::fmt::Arguments<'_>, out: &mut Vec<u8>) {
    let _ = out.write_fmt(text);
}

fn write_value(value: &Value<'_>, out: &mut Vec<u8>) {
    match value {
        Value::Bool(value) => push_display(format_args!("{value}"), out),
        Value::Integer(number) => push_display(format_args!("{number}"), out),
        Value::BigInteger(digits) => out.extend_from_slice(digits.as_bytes()),
        // `{:?}` is the shortest text that reads back as the same number, as `1.0` or `1e300`.
        Value::Float(number) if number.is_finite() => push_display(format_args!("{number:?}"), out),
        Value::Null | Value::Float(_) => out.extend_from_slice(b"null"),
        Value::Text(text) => write_text(text, out),
        Value::List(values) => {
            out.push(b'[');
            for (index, value) in values.iter().enumerate() {
                if index > 0 {
                    out.extend_from_slice(b", ");
                }
                write_value(value, out);
            }
            out.push(b']');
        }
        Value::Map(entries) => {
            out.push(b'{');
            for (index, (key, value)) in entries.iter().enumerate() {
                if index > 0 {
                    out.extend_from_slice(b", ");
                }
                write_text(key, out);
                out.extend_from_slice(b": ");
                write_value(value, out);
            }
            out.push(b'}');
        }
    }
}

/// Text in quotes; the control characters, which could end the line, are escaped.
fn write_text(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut start = 0;
    for (position, &byte) in bytes.iter().enumerate() {
        let short = match byte {
            b'"' => b'"',
            b'\\' => b'\\',
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            0x08 => b'b',
            0x0c => b'f',
            0..0x20 | 0x7f => 0,
            _ => continue,
        };
        out.extend_from_slice(&bytes[start..position]);
        match short {
            0 => push_display(format_args!("\\u{byte:04x}"), out),
            short => out.extend_from_slice(&[b'\\', short]),
        }
        start = position + 1;
    }
    out.extend_from_slice(&bytes[start..]);
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::{write_text, write_value};
    use crate::Value;

    fn json(value: &Value<'_>) -> String {
        let mut out = Vec::new();
        write_value(value, &mut out);
        String::from_utf8(out).expect("valid UTF-8 in, valid UTF-8 out")
    }

    #[test]
    fn control_characters_and_quotes_are_escaped() {
        let mut out = Vec::new();
        write_text("a\"b\\c\n\r\t\u{1b}[0m\u{7f}é😀", &mut out);
        assert_eq!(String::from_utf8(out).expect("UTF-8"), r#""a\"b\\c\n\r\t\u001b[0m\u007fé😀""#);
    }

    #[test]
    fn numbers_without_a_json_form_are_null() {
        assert_eq!(json(&Value::Float(f64::NAN)), "null");
        assert_eq!(json(&Value::Float(f64::NEG_INFINITY)), "null");
        assert_eq!(json(&Value::Float(1.0)), "1.0");
    }

    #[test]
    fn nested_values_keep_their_order() {
        let map = Value::Map(vec![
            ("b".into(), Value::List(vec![Value::Null, Value::Bool(true)])),
            ("a".into(), Value::BigInteger("123456789012345678901234567890".into())),
        ]);
        assert_eq!(json(&map), r#"{"b": [null, true], "a": 123456789012345678901234567890}"#);
    }
}

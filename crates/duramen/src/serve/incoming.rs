//! A record that came from another process.

use std::borrow::Cow;

use crate::record::Caller;
use crate::value::Tree;
use crate::{Level, Record, Value};

/// Attributes of Python's records that say nothing more than the others do.
const SAID_ELSEWHERE: [&str; 5] = ["args", "exc_info", "msecs", "message", "asctime"];

/// Why what came is no record.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoRecord {
    #[error("{0}: found {1}, expected {2}")]
    Field(String, String, &'static str),
    #[error("found {0}, expected a dict of a record's attributes")]
    NoDict(&'static str),
    #[error("the JSON is malformed: {0}")]
    Json(String),
}

/// The parts of a record, most of them borrowed from what came.
#[derive(Default)]
pub(super) struct Incoming<'a> {
    pub(super) name: Cow<'a, str>,
    pub(super) level: i64,
    pub(super) level_name: Option<Cow<'a, str>>,
    pub(super) message: Cow<'a, str>,
    pub(super) created_ns: i64,
    pub(super) relative_created_ms: f64,
    pub(super) pathname: Cow<'a, str>,
    pub(super) filename: Option<Cow<'a, str>>,
    pub(super) module: Option<Cow<'a, str>>,
    pub(super) line: u32,
    pub(super) function: Cow<'a, str>,
    pub(super) thread: Option<u64>,
    pub(super) thread_name: Option<Cow<'a, str>>,
    pub(super) process: Option<u32>,
    pub(super) process_name: Option<Cow<'a, str>>,
    pub(super) task_name: Option<Cow<'a, str>>,
    pub(super) exception: Option<Cow<'a, str>>,
    pub(super) stack: Option<Cow<'a, str>>,
    pub(super) fields: Vec<(Cow<'a, str>, Value<'a>)>,
}

impl<'a> Incoming<'a> {
    /// From the attributes of a record of Python's, as `SocketHandler.makePickle` sends them.
    pub(super) fn from_attributes(value: Value<'a>, now_ns: i64) -> Result<Self, NoRecord> {
        let mut record = Self { name: "root".into(), created_ns: now_ns, ..Self::default() };
        let (mut has_level, mut has_message) = (false, false);
        for (key, value) in entries(value)? {
            match &*key {
                "name" => put(&mut record.name, &key, value)?,
                "levelno" => (record.level, has_level) = (integer(&key, &value)?, true),
                "levelname" => record.level_name = optional(&key, value)?,
                "msg" => (record.message, has_message) = (shown(value), true),
                "created" => record.created_ns = nanoseconds(&key, &value)?,
                "relativeCreated" => record.relative_created_ms = float(&key, &value)?,
                "pathname" => put(&mut record.pathname, &key, value)?,
                "filename" => record.filename = optional(&key, value)?,
                "module" => record.module = optional(&key, value)?,
                "lineno" => record.line = number(&key, &value)?.unwrap_or(0),
                "funcName" => put(&mut record.function, &key, value)?,
                "thread" => record.thread = number(&key, &value)?,
                "threadName" => record.thread_name = optional(&key, value)?,
                "process" => record.process = number(&key, &value)?,
                "processName" => record.process_name = optional(&key, value)?,
                "taskName" => record.task_name = optional(&key, value)?,
                "exc_text" => record.exception = optional(&key, value)?,
                "stack_info" => record.stack = optional(&key, value)?,
                known if SAID_ELSEWHERE.contains(&known) => {}
                _ => record.fields.push((key, value)),
            }
        }
        for (name, is_there, expected) in
            [("levelno", has_level, "a whole number"), ("msg", has_message, "a message")]
        {
            if !is_there {
                return Err(NoRecord::Field(name.to_owned(), "none".to_owned(), expected));
            }
        }
        Ok(record)
    }

    /// From a line of the JSON formatter, as the handlers of this crate send it, or from attributes in JSON.
    pub(super) fn from_json(text: &[u8], now_ns: i64) -> Result<Incoming<'static>, NoRecord> {
        let tree: Tree = serde_json::from_slice(text).map_err(|error| NoRecord::Json(error.to_string()))?;
        let is_of_formatter =
            matches!(&tree.0, Value::Map(entries) if !entries.iter().any(|(key, _)| key == "levelno"));
        if !is_of_formatter {
            return Incoming::from_attributes(tree.0, now_ns);
        }
        let mut record = Incoming { name: "root".into(), created_ns: now_ns, ..Incoming::default() };
        let mut has_message = false;
        for (key, value) in entries(tree.0)? {
            match (&*key, &value) {
                ("timestamp", Value::Text(time)) if time.parse::<jiff::Timestamp>().is_ok() => {
                    let time: Option<jiff::Timestamp> = time.parse().ok();
                    record.created_ns = time.map_or(now_ns, as_nanoseconds);
                }
                ("level", Value::Text(name)) => {
                    // A name that nobody has told this process is that of a level in between.
                    record.level = name.parse().unwrap_or(Level::INFO).0;
                    record.level_name = optional(&key, value)?;
                }
                ("logger", Value::Text(_)) => put(&mut record.name, &key, value)?,
                ("message", _) => (record.message, has_message) = (shown(value), true),
                ("exception", Value::Text(_)) => record.exception = optional(&key, value)?,
                ("stack", Value::Text(_)) => record.stack = optional(&key, value)?,
                _ => record.fields.push((key, value)),
            }
        }
        if record.level_name.is_none() || !has_message {
            let found = "an object without them".to_owned();
            return Err(NoRecord::Field("level and message".to_owned(), found, "those of a record"));
        }
        Ok(record)
    }

    /// Calls `f` with the record.
    pub(super) fn with<R>(&self, f: impl FnOnce(&Record<'_>) -> R) -> R {
        let fields: Vec<_> = self.fields.iter().map(|(key, value)| (&**key, value.borrowed())).collect();
        let of_path = Caller::of_source(&self.pathname, self.line, &self.function);
        let level = Level(self.level);
        f(&Record {
            name: &self.name,
            level,
            level_name: self.level_name.as_deref().unwrap_or(&level.name()),
            message: &self.message,
            created_ns: self.created_ns,
            relative_created_ms: self.relative_created_ms,
            caller: Caller {
                filename: self.filename.as_deref().unwrap_or(of_path.filename),
                module: self.module.as_deref().unwrap_or(of_path.module),
                ..of_path
            },
            thread: self.thread,
            thread_name: self.thread_name.as_deref(),
            process: self.process,
            process_name: self.process_name.as_deref(),
            task_name: self.task_name.as_deref(),
            fields: &fields,
            exception: self.exception.as_deref(),
            stack: self.stack.as_deref(),
        })
    }
}

pub(super) fn as_nanoseconds(time: jiff::Timestamp) -> i64 {
    i64::try_from(time.as_nanosecond()).unwrap_or(i64::MAX)
}

fn entries(value: Value<'_>) -> Result<Vec<(Cow<'_, str>, Value<'_>)>, NoRecord> {
    match value {
        Value::Map(entries) => Ok(entries),
        other => Err(NoRecord::NoDict(kind_of(&other))),
    }
}

fn kind_of(value: &Value<'_>) -> &'static str {
    match value {
        Value::Null => "None",
        Value::Bool(_) => "a bool",
        Value::Integer(_) | Value::BigInteger(_) => "an int",
        Value::Float(_) => "a float",
        Value::Text(_) => "a text",
        Value::List(_) => "a list",
        Value::Map(_) => "a dict",
    }
}

fn wrong(key: &str, value: &Value<'_>, expected: &'static str) -> NoRecord {
    NoRecord::Field(key.to_owned(), kind_of(value).to_owned(), expected)
}

fn optional<'a>(key: &str, value: Value<'a>) -> Result<Option<Cow<'a, str>>, NoRecord> {
    match value {
        Value::Null => Ok(None),
        Value::Text(text) => Ok(Some(text)),
        other => Err(wrong(key, &other, "a text or None")),
    }
}

/// `None` leaves what is there.
fn put<'a>(place: &mut Cow<'a, str>, key: &str, value: Value<'a>) -> Result<(), NoRecord> {
    if let Some(text) = optional(key, value)? {
        *place = text;
    }
    Ok(())
}

/// A message may be of any kind.
fn shown(value: Value<'_>) -> Cow<'_, str> {
    match value {
        Value::Text(text) => text,
        Value::Null => "None".into(),
        other => other.to_string().into(),
    }
}

fn integer(key: &str, value: &Value<'_>) -> Result<i64, NoRecord> {
    match value {
        Value::Integer(number) => Ok(*number),
        other => Err(wrong(key, other, "a whole number")),
    }
}

/// A number that is not there, or that does not fit: green threads have identifiers of any size.
fn number<N: TryFrom<i64>>(key: &str, value: &Value<'_>) -> Result<Option<N>, NoRecord> {
    match value {
        Value::Null | Value::BigInteger(_) => Ok(None),
        Value::Integer(number) => Ok(N::try_from(*number).ok()),
        other => Err(wrong(key, other, "a whole number or None")),
    }
}

fn float(key: &str, value: &Value<'_>) -> Result<f64, NoRecord> {
    match value {
        Value::Float(number) => Ok(*number),
        #[expect(clippy::cast_precision_loss, reason = "times as numbers of seconds are far below 2^52")]
        Value::Integer(number) => Ok(*number as f64),
        other => Err(wrong(key, other, "a number")),
    }
}

/// Seconds since the epoch, in nanoseconds; what lies outside of their range becomes its end.
fn nanoseconds(key: &str, value: &Value<'_>) -> Result<i64, NoRecord> {
    let seconds = float(key, value)?;
    let whole = seconds.floor();
    #[expect(clippy::cast_possible_truncation, reason = "what is too large becomes the largest number")]
    let (whole, rest) = (whole as i64, ((seconds - whole) * 1e9).round() as i64);
    Ok(whole.saturating_mul(1_000_000_000).saturating_add(rest))
}

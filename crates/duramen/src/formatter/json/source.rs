//! What a member of the object shows.

use super::preset::Severity;
use super::{ExceptionPart, ValueWriter};
use crate::Value;
use crate::formatter::Field;

/// A value that is written already.
///
/// ```
/// use duramen::Value;
/// use duramen::formatter::json::{Json, Source};
///
/// let fixed = Source::Fixed(Json::from(&Value::Text("shop".into())));
/// // What no typed value is, written by hand:
/// let Ok::<_, std::convert::Infallible>(versions) = Json::written(|value| {
///     value.list(|versions| versions.element().integer(3));
///     Ok(())
/// });
/// assert_ne!(fixed, Source::Fixed(versions));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Json(pub(super) Vec<u8>);

impl Json {
    /// The value that `body` writes.
    ///
    /// # Errors
    /// Those of `body`.
    pub fn written<E>(body: impl FnOnce(ValueWriter<'_>) -> Result<(), E>) -> Result<Self, E> {
        let mut json = Vec::new();
        body(ValueWriter::new(&mut json, false))?;
        Ok(Self(json))
    }
}

impl From<&Value<'_>> for Json {
    fn from(value: &Value<'_>) -> Self {
        let mut json = Vec::new();
        ValueWriter::new(&mut json, false).value(value);
        Self(json)
    }
}

/// What a member shows.
///
/// ```
/// use duramen::formatter::json::{ExceptionPart, JsonFormatter, Severity, Source};
/// use duramen::formatter::{Field, Formatter};
/// use duramen::{Level, Record, Value};
///
/// let formatter = JsonFormatter::builder()
///     .members([
///         ("at", Source::Field(Field::Lineno)),
///         ("severity", Source::Severity(Severity::Syslog)),
///         ("error", Source::ExceptionPart(ExceptionPart::Message)),
///         ("user", Source::Extra("user_id".into())),
///         ("trace", Source::ExtraBelow { name: "trace_id".into(), prefix: "traces/".into() }),
///     ])
///     .build()
///     .unwrap();
/// let fields = [("user_id", Value::Integer(7)), ("trace_id", Value::Text("4bf9".into())), ("tries", Value::Integer(2))];
/// let record = Record { fields: &fields, exception: Some("disk full"), ..Record::new("app", Level::ERROR, "lost") };
/// let mut line = Vec::new();
/// formatter.format(&record, &mut line);
/// assert_eq!(
///     String::from_utf8(line).unwrap(),
///     r#"{"at": 0, "severity": 3, "error": "disk full", "user": 7, "trace": "traces/4bf9", "exc_info": "disk full", "tries": 2}"#
/// );
/// // As configurations name them:
/// assert_eq!(Source::by_name("levelname"), Source::Field(Field::Levelname));
/// assert_eq!(Source::by_name("tenant"), Source::Extra("tenant".into()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The creation time, in the formatter's form of timestamps.
    Timestamp,
    /// A field of the record.
    Field(Field),
    /// The line number as text.
    LineText,
    /// The level on another system's scale.
    Severity(Severity),
    /// The message; `-` in the place of one without any characters but white space.
    Summary,
    /// The message and the text of the exception below it; nothing without an exception.
    MessageAndException,
    /// The exception, in the formatter's form of exceptions.
    Exception,
    /// The text of the exception and its traceback, in every form of exceptions.
    ExceptionText,
    /// A part of the exception.
    ExceptionPart(ExceptionPart),
    /// The stack of the call.
    Stack,
    /// The extra field of this name.
    Extra(String),
    /// The text of the extra field `name` behind `prefix`.
    ExtraBelow {
        /// The field.
        name: String,
        /// What stands before its text.
        prefix: String,
    },
    /// Whether the trace is sampled: the extra field `trace_sampled`, or else the last bit of `trace_flags`.
    IsSampled,
    /// The extra fields that no other member shows, as members of their own.
    Extras,
    /// The same value for every record.
    Fixed(Json),
}

impl Source {
    /// The source that configurations call `name`: `timestamp`, `exc_info`, `stack_info`, an attribute of
    /// `LogRecord`, or else the extra field of that name.
    pub fn by_name(name: &str) -> Self {
        match name {
            "timestamp" => Self::Timestamp,
            "exc_info" => Self::Exception,
            "exc_text" => Self::ExceptionText,
            "stack_info" => Self::Stack,
            _ => Field::by_name(name).map_or_else(|| Self::Extra(name.to_owned()), Self::Field),
        }
    }

    /// The extra field that the source shows in its own place.
    pub(super) fn extra_name(&self) -> Option<&str> {
        match self {
            Self::Extra(name) | Self::ExtraBelow { name, .. } => Some(name),
            Self::IsSampled => Some("trace_sampled"),
            _ => None,
        }
    }

    /// Whether the source is the one that configurations call `name`.
    pub(super) fn is_called(&self, name: &str) -> bool {
        self.extra_name() == Some(name)
            || *self == Self::Summary && name == "message"
            || !matches!(self, Self::Fixed(_) | Self::Extras) && *self == Self::by_name(name)
    }
}

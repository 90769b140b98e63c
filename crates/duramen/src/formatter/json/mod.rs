//! JSON: one object on one line for each record.
//!
//! [`JsonBuilder`] says which members the object has, and compiles them into a [`JsonFormatter`]. Values are
//! written straight into the line: those of the record by the formatter, the extra fields and the parts of
//! an exception by whoever holds them ([`Details`]).

mod beginning;
mod builder;
mod details;
mod escape;
mod extra;
mod indent;
mod logfmt;
mod pairs;
mod preset;
mod source;
mod timestamp;
mod writer;

use jiff::tz::TimeZone;

pub use beginning::Beginning;
pub use builder::JsonBuilder;
pub(crate) use details::RecordDetails;
pub use details::{Details, ExceptionPart};
pub use extra::ExtraWriter;
pub(super) use extra::PairRules;
pub use logfmt::LogfmtFormatter;
pub use preset::{Preset, Severity};
pub use source::{Json, Source};
pub use timestamp::TimestampForm;
pub use writer::{DEEPEST, Elements, Members, ValueWriter};

use self::builder::Missing;
use self::extra::ExtraRules;
use super::beginning::KeptBeginning;
use super::{Field, Formatter};
use crate::Record;
use crate::append::append;

/// Writes a record as one line of JSON (RFC 8259), without a final newline.
///
/// The members of the default, in this order: `timestamp` (RFC 3339, UTC, microseconds), `level`, `logger`,
/// `message`, the extra fields as they were given, `exception` and `stack` where there are any. An extra
/// field with the name of one of these is written under `extra.` and its name, so that neither is lost. NaN
/// and the infinities, which JSON has no form for, are `null`.
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
/// JsonFormatter::default().format(&record, &mut line);
/// assert_eq!(
///     String::from_utf8(line).unwrap(),
///     r#"{"timestamp": "2023-11-14T22:13:20.123456Z", "level": "INFO", "logger": "app", "message": "said \"hello\"", "user_id": 7}"#
/// );
/// ```
#[derive(Clone, Debug)]
pub struct JsonFormatter {
    prefix: Vec<u8>,
    steps: Vec<Step>,
    extra: ExtraRules,
    timestamps: TimestampForm,
    zone: TimeZone,
    exceptions: ExceptionForm,
    stack_lines: bool,
    ascii: bool,
    /// What stands before a member for each level, where each has a line of its own.
    indent: Option<Box<str>>,
    pub(super) deepest: usize,
    /// What lines begin with, where they are written in one go.
    kept: KeptBeginning<Beginning>,
}

/// One step of writing a line.
#[derive(Clone, Debug)]
enum Step {
    /// The key in quotes and the colon, and what stands there.
    Member { key: Vec<u8>, source: Source, missing: Missing },
    /// Begins an object inside the object.
    Open { key: Vec<u8> },
    /// Ends it; without members it is taken back.
    Close,
    /// The extra fields that no member names.
    Extra,
}

/// How a member shows an exception.
///
/// ```
/// use duramen::formatter::json::ExceptionForm;
///
/// assert_eq!(ExceptionForm::by_name("lines"), Some(ExceptionForm::Lines));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExceptionForm {
    /// The traceback as text.
    #[default]
    Text,
    /// The traceback as a list of lines.
    Lines,
    /// An object: `type`, `module`, `message`, `frames`, `cause` or `context`, `exceptions` of a group.
    Object,
    /// The object with the text as its last member `traceback`.
    Both,
}

impl ExceptionForm {
    /// The form called `name` in configurations: `text`, `lines`, `object`, `both`.
    ///
    /// ```
    /// use duramen::formatter::json::ExceptionForm;
    ///
    /// assert_eq!(ExceptionForm::by_name("lines"), Some(ExceptionForm::Lines));
    /// assert_eq!(ExceptionForm::by_name("pretty"), None);
    /// ```
    pub fn by_name(name: &str) -> Option<Self> {
        Some(match name {
            "text" => Self::Text,
            "lines" => Self::Lines,
            "object" => Self::Object,
            "both" => Self::Both,
            _ => return None,
        })
    }
}

impl Default for JsonFormatter {
    #[expect(clippy::expect_used, reason = "the default members are tested")]
    fn default() -> Self {
        JsonBuilder::default().build().expect("the default members have keys of their own")
    }
}

impl Formatter for JsonFormatter {
    /// `asctime` is the timestamp by RFC 3339 in the formatter's zone.
    fn format(&self, record: &Record<'_>, out: &mut Vec<u8>) {
        let details = RecordDetails { record, deepest: self.deepest };
        let Ok(()) = if self.has_beginning() {
            let beginning = self.begin_again(record, out);
            self.end(beginning, record, None, &details, out)
        } else {
            self.format_with(record, None, &details, out)
        };
    }
}

impl JsonFormatter {
    /// Begins a formatter that has other members than the default.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use duramen::{formatter::JsonFormatter, handler::StreamHandler};
    ///
    /// let formatter = JsonFormatter::builder().deepest(4).build().unwrap();
    /// StreamHandler::stdout().set_formatter(Arc::new(formatter));
    /// ```
    pub fn builder() -> JsonBuilder {
        JsonBuilder::default()
    }

    /// How deep the values of extra fields nest, see [`JsonBuilder::deepest`].
    ///
    /// ```
    /// use duramen::formatter::{Field, JsonFormatter};
    /// use duramen::{Level, Record};
    ///
    /// let formatter = JsonFormatter::builder().deepest(4).build().unwrap();
    /// assert_eq!(formatter.deepest(), 4);
    /// assert!(formatter.uses(Field::Message) && !formatter.uses(Field::Process));
    /// let record = Record::new("app", Level::INFO, "hello");
    /// let mut line = Vec::new();
    /// let Ok(()) = formatter.format_with(&record, None, &record, &mut line); // its own fields
    /// assert!(line.ends_with(br#""message": "hello"}"#));
    /// ```
    pub fn deepest(&self) -> usize {
        self.deepest
    }

    /// Whether the line shows `field`, so that it has to be found out.
    pub fn uses(&self, field: Field) -> bool {
        self.steps.iter().any(|step| match step {
            Step::Member { source: Source::Field(shown), .. } => *shown == field,
            Step::Member { source: Source::LineText, .. } => field == Field::Lineno,
            Step::Member { source: Source::Summary, .. } => field == Field::Message,
            _ => false,
        })
    }

    /// Appends the line of `record`, with `asctime` as the text of the creation time, and extra fields and
    /// exception as `details` write them.
    ///
    /// # Errors
    /// Those of `details`.
    pub fn format_with<D: Details>(
        &self,
        record: &Record<'_>,
        asctime: Option<&str>,
        details: &D,
        out: &mut Vec<u8>,
    ) -> Result<(), D::Error> {
        let begin = self.open(out);
        self.write_steps(&self.steps, record, asctime, details, out)?;
        out.push(b'}');
        if let Some(indent) = &self.indent {
            let line = out.split_off(begin);
            indent::write(&line, indent, out);
        }
        Ok(())
    }

    /// Appends what stands before the first member, and says where the object begins.
    fn open(&self, out: &mut Vec<u8>) -> usize {
        append(out, &self.prefix);
        out.push(b'{');
        out.len() - 1
    }

    fn write_steps<D: Details>(
        &self,
        steps: &[Step],
        record: &Record<'_>,
        asctime: Option<&str>,
        details: &D,
        out: &mut Vec<u8>,
    ) -> Result<(), D::Error> {
        let mut opened = out.len();
        for step in steps {
            match step {
                Step::Member { source, missing: Missing::Omit, .. } if self.is_absent(source, record) => {}
                Step::Member { key, source, missing } => {
                    let start = out.len();
                    begin_member(key, out);
                    if !self.write_source(source, record, asctime, details, out)? {
                        match missing {
                            Missing::Omit => out.truncate(start),
                            Missing::Null => ValueWriter::new(out, self.ascii).null(),
                            Missing::Json(json) => ValueWriter::new(out, self.ascii).literal(json),
                        }
                    }
                }
                Step::Open { key } => {
                    opened = out.len();
                    begin_member(key, out);
                    out.push(b'{');
                }
                Step::Close if out.last() == Some(&b'{') => out.truncate(opened),
                Step::Close => out.push(b'}'),
                Step::Extra => details.write_extra(&mut ExtraWriter::new(&self.extra, self.ascii, out))?,
            }
        }
        Ok(())
    }

    /// Whether one look at the record tells that it has nothing for a member.
    #[inline]
    fn is_absent(&self, source: &Source, record: &Record<'_>) -> bool {
        match source {
            Source::Stack => record.stack.is_none(),
            Source::Exception => {
                record.exception.is_none()
                    && matches!(self.exceptions, ExceptionForm::Text | ExceptionForm::Lines)
            }
            Source::ExceptionText | Source::MessageAndException => record.exception.is_none(),
            _ => false,
        }
    }

    /// Writes the value of a member; `false`, with nothing written, when the record has none.
    fn write_source<D: Details>(
        &self,
        source: &Source,
        record: &Record<'_>,
        asctime: Option<&str>,
        details: &D,
        out: &mut Vec<u8>,
    ) -> Result<bool, D::Error> {
        let start = out.len();
        let value = ValueWriter::new(out, self.ascii);
        match source {
            Source::Timestamp => self.timestamps.write(record.created_ns, &self.zone, value),
            Source::Field(Field::Asctime) => match asctime {
                Some(text) => value.text(text),
                None => TimestampForm::Rfc3339.write(record.created_ns, &self.zone, value),
            },
            Source::Field(field) => match details.text_with_surrogates(*field) {
                Some(text) => value.text_with_surrogates(text),
                None => return Ok(write_field(*field, record, value)),
            },
            Source::Summary => match details.text_with_surrogates(Field::Message) {
                Some(text) => value.text_with_surrogates(text),
                None if record.message.trim().is_empty() => value.text("-"),
                None => value.text(record.message),
            },
            Source::LineText => value.text(itoa::Buffer::new().format(record.caller.line)),
            Source::Severity(scale) => scale.write(record.level, value),
            Source::MessageAndException => match record.exception {
                Some(exception) => value.joined(&[record.message, "\n", exception]),
                None => return Ok(false),
            },
            Source::ExceptionPart(part) => return details.write_part(*part, value),
            Source::ExceptionText => return Ok(write_text(record.exception, false, value)),
            Source::Exception => return self.write_exception(record, details, value),
            Source::Stack => return Ok(write_text(record.stack, self.stack_lines, value)),
            Source::Extra(name) => return details.write_named(name, value),
            Source::ExtraBelow { name, prefix } => {
                let is_there = details.write_named(name, value)?;
                if is_there && out.get(start) == Some(&b'"') {
                    let text = out.split_off(start + 1);
                    escape::write_inner(prefix, self.ascii, out);
                    append(out, &text);
                }
                return Ok(is_there);
            }
            Source::IsSampled => return write_is_sampled(details, value),
            Source::Extras => return Ok(false),
            Source::Fixed(json) => value.literal(&json.0),
        }
        Ok(true)
    }

    fn write_exception<D: Details>(
        &self,
        record: &Record<'_>,
        details: &D,
        value: ValueWriter<'_>,
    ) -> Result<bool, D::Error> {
        match self.exceptions {
            ExceptionForm::Text | ExceptionForm::Lines => {
                Ok(write_text(record.exception, self.exceptions == ExceptionForm::Lines, value))
            }
            ExceptionForm::Object | ExceptionForm::Both => value.object_or_nothing(|members| {
                let known = details.write_exception(members)?;
                if let Some(text) = record.exception
                    && (!known || self.exceptions == ExceptionForm::Both)
                {
                    members.member("traceback").text(text);
                }
                Ok(())
            }),
        }
    }
}

/// What `trace_sampled` says, or the flags of the trace, hexadecimal digits or a number; `false` where there are neither.
fn write_is_sampled<D: Details>(details: &D, value: ValueWriter<'_>) -> Result<bool, D::Error> {
    let mut written = Vec::new();
    if details.write_named("trace_sampled", ValueWriter::new(&mut written, false))? {
        value.literal(&written);
        return Ok(true);
    }
    let is_there = details.write_named("trace_flags", ValueWriter::new(&mut written, false))?;
    let digit = written.iter().rfind(|byte| byte.is_ascii_hexdigit()).map(|byte| char::from(*byte));
    match digit.and_then(|digit| digit.to_digit(16)) {
        Some(digit) if is_there => value.boolean(digit & 1 == 1),
        _ => return Ok(false),
    }
    Ok(true)
}

/// The comma and the key, which is in quotes already.
fn begin_member(key: &[u8], out: &mut Vec<u8>) {
    writer::separate(out);
    append(out, key);
}

fn write_text(text: Option<&str>, as_lines: bool, value: ValueWriter<'_>) -> bool {
    match text {
        Some(text) if as_lines => {
            value.list(|lines| text.lines().for_each(|line| lines.element().text(line)));
        }
        Some(text) => value.text(text),
        None => return false,
    }
    true
}

fn write_field(field: Field, record: &Record<'_>, value: ValueWriter<'_>) -> bool {
    let optional = |text: Option<&str>, value: ValueWriter<'_>| text.map(|text| value.text(text)).is_some();
    match field {
        Field::Name => value.text(record.name),
        Field::Levelno => value.integer(record.level.0),
        Field::Levelname => value.text(record.level_name),
        Field::Pathname => value.text(record.caller.pathname),
        Field::Filename => value.text(record.caller.filename),
        Field::Module => value.text(record.caller.module),
        Field::Lineno => value.integer(record.caller.line.into()),
        Field::FuncName => value.text(record.caller.function),
        Field::Created => value.float(record.created()),
        Field::Msecs => value.float(f64::from(record.milliseconds())),
        Field::RelativeCreated => value.float(record.relative_created_ms),
        Field::Thread => match record.thread {
            Some(thread) => value.digits(itoa::Buffer::new().format(thread)),
            None => return false,
        },
        Field::ThreadName => return optional(record.thread_name, value),
        Field::Process => match record.process {
            Some(process) => value.integer(process.into()),
            None => return false,
        },
        Field::ProcessName => return optional(record.process_name, value),
        Field::TaskName => return optional(record.task_name, value),
        Field::Message => value.text(record.message),
        Field::Asctime => return false,
    }
    true
}

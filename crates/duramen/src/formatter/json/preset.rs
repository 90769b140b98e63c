//! The objects that log systems expect.

use super::{ExceptionPart, TimestampForm, ValueWriter};
use super::{Json, JsonBuilder, Source};
use crate::error::OptionError;
use crate::formatter::Field;
use crate::{Level, Value};

/// A log system whose schema the object follows. The extra fields `trace_id` and `span_id` go where the
/// system looks for them.
///
/// ```
/// use duramen::formatter::Formatter;
/// use duramen::formatter::json::{JsonBuilder, Preset};
/// use duramen::{Level, Record};
///
/// let preset = Preset::by_name("gelf", "web-1", None).unwrap();
/// assert_eq!(preset, Preset::Gelf { host: "web-1".into() });
/// let mut line = Vec::new();
/// JsonBuilder::preset(&preset).build().unwrap().format(&Record::new("app", Level::INFO, "hello"), &mut line);
/// assert!(line.starts_with(br#"{"version": "1.1", "host": "web-1", "short_message": "hello""#));
/// let error = Preset::by_name("gef", "web-1", None).unwrap_err();
/// assert_eq!(error.to_string(), "preset: found \"gef\", expected one of ecs, opentelemetry, google_cloud, datadog, gelf, logstash");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Preset {
    /// Elastic Common Schema, with dotted keys.
    Ecs,
    /// The log data model of OpenTelemetry. Extra fields are `Attributes`, fixed values the `Resource`.
    OpenTelemetry,
    /// Structured logs of Google Cloud.
    GoogleCloud {
        /// The project that holds the traces; without it records have the identifier of their trace alone, which the
        /// console does not follow.
        project: Option<String>,
    },
    /// The standard attributes of Datadog.
    Datadog,
    /// GELF 1.1, which asks for the name of the `host`. Values of extra fields are text or numbers.
    Gelf {
        /// The name of the machine or application that the records come from.
        host: String,
    },
    /// Version 1 of Logstash's JSON events.
    Logstash,
}

/// The names of the presets in configurations.
const NAMES: [&str; 6] = ["ecs", "opentelemetry", "google_cloud", "datadog", "gelf", "logstash"];

impl Preset {
    /// The preset that configurations call `name`; `host` is what GELF names the source, `project` where Google Cloud
    /// keeps the traces.
    ///
    /// # Errors
    /// [`OptionError`] for another name, and for a project that the preset has no use for or that cannot be one.
    pub fn by_name(name: &str, host: &str, project: Option<&str>) -> Result<Self, OptionError> {
        if let Some(project) = project {
            let is_one = !project.is_empty() && !project.contains('/');
            if name != "google_cloud" || !is_one {
                let expected = "the identifier of a project, with the preset google_cloud alone";
                return Err(OptionError::new("project", format!("{project:?}"), expected));
            }
        }
        Ok(match name {
            "ecs" => Self::Ecs,
            "opentelemetry" => Self::OpenTelemetry,
            "google_cloud" => Self::GoogleCloud { project: project.map(str::to_owned) },
            "datadog" => Self::Datadog,
            "gelf" => Self::Gelf { host: host.to_owned() },
            "logstash" => Self::Logstash,
            _ => {
                return Err(OptionError::new(
                    "preset",
                    format!("{name:?}"),
                    format!("one of {}", NAMES.join(", ")),
                ));
            }
        })
    }

    pub(super) fn builder(&self) -> JsonBuilder {
        match self {
            Self::Ecs => ecs(),
            Self::OpenTelemetry => opentelemetry(),
            Self::GoogleCloud { project } => google_cloud(project.as_deref()),
            Self::Datadog => datadog(),
            Self::Gelf { host } => gelf(host),
            Self::Logstash => logstash(),
        }
    }
}

fn extra(name: &str) -> Source {
    Source::Extra(name.to_owned())
}

fn fixed(text: &str) -> Source {
    Source::Fixed(Json::from(&Value::Text(text.into())))
}

fn ecs() -> JsonBuilder {
    JsonBuilder::empty()
        .member("@timestamp", Source::Timestamp)
        .member("log.level", Source::Field(Field::Levelname))
        .member("message", Source::Field(Field::Message))
        .member("ecs.version", fixed("8.11.0"))
        .member("log.logger", Source::Field(Field::Name))
        .member("log.origin.file.name", Source::Field(Field::Filename))
        .member("log.origin.file.line", Source::Field(Field::Lineno))
        .member("log.origin.function", Source::Field(Field::FuncName))
        .optional("process.pid", Source::Field(Field::Process))
        .optional("process.name", Source::Field(Field::ProcessName))
        .optional("process.thread.id", Source::Field(Field::Thread))
        .optional("process.thread.name", Source::Field(Field::ThreadName))
        .optional("trace.id", extra("trace_id"))
        .optional("span.id", extra("span_id"))
        .optional("service.name", extra("service_name"))
        .optional("service.version", extra("service_version"))
        .optional("service.node.name", extra("service_instance_id"))
        .optional("", Source::Extras)
        .optional("error.type", Source::ExceptionPart(ExceptionPart::Type))
        .optional("error.message", Source::ExceptionPart(ExceptionPart::Message))
        .optional("error.stack_trace", Source::ExceptionText)
        .optional("stack", Source::Stack)
}

fn opentelemetry() -> JsonBuilder {
    JsonBuilder::empty()
        .member("Timestamp", Source::Timestamp)
        .optional("TraceId", extra("trace_id"))
        .optional("SpanId", extra("span_id"))
        .optional("TraceFlags", extra("trace_flags"))
        .member("SeverityText", Source::Field(Field::Levelname))
        .member("SeverityNumber", Source::Severity(Severity::OpenTelemetry))
        .member("Body", Source::Field(Field::Message))
        .inside("Resource", "service.name", extra("service_name"))
        .inside("Resource", "service.namespace", extra("service_namespace"))
        .inside("Resource", "service.version", extra("service_version"))
        .inside("Resource", "service.instance.id", extra("service_instance_id"))
        .inside("Resource", "process.pid", Source::Field(Field::Process))
        .inside("InstrumentationScope", "Name", Source::Field(Field::Name))
        .inside("Attributes", "code.file.path", Source::Field(Field::Pathname))
        .inside("Attributes", "code.line.number", Source::Field(Field::Lineno))
        .inside("Attributes", "code.function.name", Source::Field(Field::FuncName))
        .inside("Attributes", "thread.id", Source::Field(Field::Thread))
        .inside("Attributes", "thread.name", Source::Field(Field::ThreadName))
        .inside("Attributes", "exception.type", Source::ExceptionPart(ExceptionPart::Type))
        .inside("Attributes", "exception.message", Source::ExceptionPart(ExceptionPart::Message))
        .inside("Attributes", "exception.stacktrace", Source::ExceptionText)
        .inside("Attributes", "code.stacktrace", Source::Stack)
        .inside("Attributes", "", Source::Extras)
        .fixed_inside("Resource")
        .timestamps(TimestampForm::NanosecondsText)
}

fn google_cloud(project: Option<&str>) -> JsonBuilder {
    const PLACE: &str = "logging.googleapis.com/sourceLocation";
    const SERVICE: &str = "serviceContext";
    let trace = match project {
        Some(project) => {
            Source::ExtraBelow { name: "trace_id".to_owned(), prefix: format!("projects/{project}/traces/") }
        }
        None => extra("trace_id"),
    };
    JsonBuilder::empty()
        .member("severity", Source::Severity(Severity::GoogleCloud))
        .member("time", Source::Timestamp)
        .member("message", Source::Field(Field::Message))
        .member("logger", Source::Field(Field::Name))
        .inside(PLACE, "file", Source::Field(Field::Pathname))
        .inside(PLACE, "line", Source::LineText)
        .inside(PLACE, "function", Source::Field(Field::FuncName))
        .optional("logging.googleapis.com/trace", trace)
        .optional("logging.googleapis.com/spanId", extra("span_id"))
        .optional("logging.googleapis.com/trace_sampled", Source::IsSampled)
        .optional("logging.googleapis.com/labels", extra("labels"))
        .optional("httpRequest", extra("httpRequest"))
        .inside(SERVICE, "service", extra("service_name"))
        .inside(SERVICE, "version", extra("service_version"))
        .optional("", Source::Extras)
        .optional("stack_trace", Source::ExceptionText)
        .optional("stack", Source::Stack)
}

fn datadog() -> JsonBuilder {
    JsonBuilder::empty()
        .member("timestamp", Source::Timestamp)
        .member("status", Source::Severity(Severity::Datadog))
        .member("message", Source::Field(Field::Message))
        .member("logger.name", Source::Field(Field::Name))
        .member("logger.method_name", Source::Field(Field::FuncName))
        .optional("logger.thread_name", Source::Field(Field::ThreadName))
        // OpenTelemetry's identifiers under OpenTelemetry's names: `dd.trace_id` and `dd.span_id` are those of Datadog's
        // own tracer, in another form, which puts them on the records itself.
        .optional("trace_id", extra("trace_id"))
        .optional("span_id", extra("span_id"))
        .optional("service", extra("service_name"))
        .optional("version", extra("service_version"))
        .optional("", Source::Extras)
        .optional("error.kind", Source::ExceptionPart(ExceptionPart::Type))
        .optional("error.message", Source::ExceptionPart(ExceptionPart::Message))
        .optional("error.stack", Source::ExceptionText)
        .optional("stack", Source::Stack)
}

fn gelf(host: &str) -> JsonBuilder {
    JsonBuilder::empty()
        .member("version", fixed("1.1"))
        .member("host", fixed(host))
        // GELF servers refuse an empty one.
        .member("short_message", Source::Summary)
        .optional("full_message", Source::MessageAndException)
        .member("timestamp", Source::Timestamp)
        .member("level", Source::Severity(Severity::Syslog))
        .member("_logger", Source::Field(Field::Name))
        .member("_file", Source::Field(Field::Pathname))
        .member("_line", Source::Field(Field::Lineno))
        .member("_function", Source::Field(Field::FuncName))
        .optional("_stack", Source::Stack)
        .optional("", Source::Extras)
        .plain_extra("_")
        .timestamps(TimestampForm::Seconds)
}

fn logstash() -> JsonBuilder {
    JsonBuilder::empty()
        .member("@timestamp", Source::Timestamp)
        .member("@version", fixed("1"))
        .member("message", Source::Field(Field::Message))
        .member("logger_name", Source::Field(Field::Name))
        .optional("thread_name", Source::Field(Field::ThreadName))
        .member("level", Source::Field(Field::Levelname))
        .member("level_value", Source::Field(Field::Levelno))
        .optional("", Source::Extras)
        .optional("stack_trace", Source::ExceptionText)
        .optional("stack", Source::Stack)
}

/// Another system's scale of levels.
///
/// ```
/// use duramen::formatter::json::{JsonFormatter, Severity, Source};
///
/// // `notice` and the rest of syslog's numbers, for a collector that sorts by them.
/// let formatter = JsonFormatter::builder().member("severity", Source::Severity(Severity::Syslog)).build().unwrap();
/// # let mut line = Vec::new();
/// # duramen::Formatter::format(&formatter, &duramen::Record::new("app", duramen::Level::WARNING, ""), &mut line);
/// # assert!(String::from_utf8(line).unwrap().contains("\"severity\": 4"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The numbers of syslog (RFC 5424): 7 for debugging to 2 for critical conditions.
    Syslog,
    /// The numbers of OpenTelemetry, 1 to 24: four for each of its six ranges.
    OpenTelemetry,
    /// The names of Google Cloud's `LogSeverity`.
    GoogleCloud,
    /// The names of Datadog's log status.
    Datadog,
}

impl Severity {
    #[expect(clippy::indexing_slicing, reason = "there are six of them, as `index` counts")]
    pub(super) fn write(self, level: Level, value: ValueWriter<'_>) {
        match self {
            Self::Syslog => value.integer([7, 7, 6, 4, 3, 2][index(level)]),
            Self::OpenTelemetry => value.integer(opentelemetry_number(level)),
            Self::GoogleCloud if level.0 <= 0 => value.text("DEFAULT"),
            Self::GoogleCloud => {
                value.text(["DEBUG", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"][index(level)]);
            }
            Self::Datadog => {
                value.text(["debug", "debug", "info", "warning", "error", "critical"][index(level)]);
            }
        }
    }
}

/// 0 below `DEBUG`, 1 for it, to 5 for `CRITICAL` and above.
fn index(level: Level) -> usize {
    usize::try_from(level.0.div_euclid(10).clamp(0, 5)).unwrap_or(0)
}

/// Each range of ten levels is a range of four numbers.
fn opentelemetry_number(level: Level) -> i64 {
    let level = level.0.clamp(0, 59);
    1 + level / 10 * 4 + level % 10 * 4 / 10
}

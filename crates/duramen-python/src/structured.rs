//! `duramen.formatters`: JSON and console lines from a record as a Python object.

use duramen::formatter::{Formatter as _, JsonFormatter, console};
use duramen::record::Caller;
use duramen::{Level, Record};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::fields;
use crate::native_method::{Call, Method};

pub(crate) static JSON_METHODS: &[Method] = &[("format", format_json)];

pub(crate) static CONSOLE_METHODS: &[Method] = &[("format", format_console)];

fn format_json<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let mut line = Vec::new();
    Parts::of(&call.object, &call.argument(0))?.with_record(|record| JsonFormatter.format(record, &mut line));
    Ok(PyString::from_bytes(call.py(), &line)?.into_any())
}

fn format_console<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let (formatter, record) = (&call.object, call.argument(0));
    let date_format = formatter.getattr(intern!(py, "datefmt"))?;
    let time = formatter.call_method1(intern!(py, "formatTime"), (record, date_format))?;
    let time = fields::text(&time.str()?)?;
    let color = formatter.getattr(intern!(py, "color"))?.is_truthy()?;
    let mut line = Vec::new();
    Parts::of(formatter, &record)?.with_record(|record| console::write(record, &time, color, &mut line));
    Ok(PyString::from_bytes(py, &line)?.into_any())
}

/// The parts of a Python record that structured output shows.
struct Parts {
    name: String,
    level: i64,
    level_name: String,
    message: String,
    created: f64,
    fields: Vec<(String, duramen::Value<'static>)>,
    exception: Option<String>,
    stack: Option<String>,
}

impl Parts {
    fn of(formatter: &Bound<'_, PyAny>, record: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = record.py();
        let text = |name: &Bound<'_, PyString>| fields::text(&record.getattr(name)?.str()?);
        let message = record.call_method0(intern!(py, "getMessage"))?.str()?;
        let exc_text = intern!(py, "exc_text");
        let exception = record.getattr(intern!(py, "exc_info"))?;
        if exception.is_truthy()? && !record.getattr(exc_text)?.is_truthy()? {
            // Kept on the record, as logging's own formatter does.
            let text = formatter.call_method1(intern!(py, "formatException"), (exception,))?;
            record.setattr(exc_text, text)?;
        }
        let exception = record.getattr(exc_text)?;
        let stack = record.getattr(intern!(py, "stack_info"))?;
        let optional = |value: Bound<'_, PyAny>| -> PyResult<Option<String>> {
            if value.is_truthy()? { fields::text(&value.str()?).map(Some) } else { Ok(None) }
        };
        Ok(Self {
            name: text(intern!(py, "name"))?,
            level: record.getattr(intern!(py, "levelno"))?.extract().unwrap_or(0),
            level_name: text(intern!(py, "levelname"))?,
            message: fields::text(&message)?,
            created: record.getattr(intern!(py, "created"))?.extract()?,
            fields: fields::extra_of(record.getattr(intern!(py, "__dict__"))?.cast::<PyDict>()?)?,
            exception: optional(exception)?,
            stack: if stack.is_truthy()? {
                optional(formatter.call_method1(intern!(py, "formatStack"), (stack,))?)?
            } else {
                None
            },
        })
    }

    fn with_record(&self, body: impl FnOnce(&Record<'_>)) {
        let fields: Vec<_> = self.fields.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
        #[expect(clippy::cast_possible_truncation, reason = "saturates in the year 2262")]
        let created_ns = (self.created * 1e9).round() as i64;
        body(&Record {
            name: &self.name,
            level: Level(self.level),
            level_name: &self.level_name,
            message: &self.message,
            created_ns,
            relative_created_ms: 0.0,
            caller: Caller { pathname: "", filename: "", module: "", line: 0, function: "" },
            thread: None,
            thread_name: None,
            process: None,
            process_name: None,
            task_name: None,
            fields: &fields,
            exception: self.exception.as_deref(),
            stack: self.stack.as_deref(),
        });
    }
}

//! `Formatter`: the text of a record, from the record as a Python object.

pub(crate) mod asctime;
pub(crate) mod beginning;
pub(crate) mod buffering;
pub(crate) mod layouts;
pub(crate) mod numpy;
pub(crate) mod options;
pub(crate) mod plain_fields;
pub(crate) mod plan;
pub(crate) mod shown_message;
pub(crate) mod structured;
pub(crate) mod style;
pub(crate) mod text;
pub(crate) mod traceback;
pub(crate) mod values;

use std::rc::Rc;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::classes::globals;
use crate::classes::native_method::{Call, Method};
use crate::formatter::plan::FormatterPlan;
use crate::interpreter::intern;
use crate::way::route::{self, Route};
use crate::way::settings::{self, Settings};

pub(crate) static METHODS: &[Method] = &[
    ("__init__", init),
    ("formatTime", format_time),
    ("formatException", format_exception),
    ("usesTime", uses_time),
    ("formatMessage", format_message),
    ("formatStack", format_stack),
    ("format", format),
];

fn init<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let formatter = &call.object;
    let [layout, date_format, style, validates, defaults] = std::array::from_fn(|index| call.argument(index));
    let styles = globals::get(py, intern!(py, "_STYLES"))?;
    if !styles.contains(style)? {
        let names = intern!(py, ",").call_method1(intern!(py, "join"), (styles.call_method0("keys")?,))?;
        return Err(PyValueError::new_err(format!("Style must be one of: {names}")));
    }
    let keywords = PyDict::new(py);
    keywords.set_item(intern!(py, "defaults"), defaults)?;
    let made = styles.get_item(style)?.get_item(0)?.call((layout,), Some(&keywords))?;
    formatter.setattr(intern!(py, "_style"), made)?;
    if validates.is_truthy()? {
        formatter.getattr(intern!(py, "_style"))?.call_method0(intern!(py, "validate"))?;
    }
    let layout = formatter.getattr(intern!(py, "_style"))?.getattr(intern!(py, "_fmt"))?;
    formatter.setattr(intern!(py, "_fmt"), layout)?;
    formatter.setattr(intern!(py, "datefmt"), date_format)?;
    call.none()
}

fn format_time<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let record = call.argument(0);
    let date_format = call.argument(1);
    let created = record.getattr(intern!(py, "created"))?;
    let moment = call.object.call_method1(intern!(py, "converter"), (created,))?;
    let time = globals::get(py, intern!(py, "time"))?;
    let strftime = intern!(py, "strftime");
    if date_format.is_truthy()? {
        return time.call_method1(strftime, (date_format, moment));
    }
    let default_format = call.object.getattr(intern!(py, "default_time_format"))?;
    let text = time.call_method1(strftime, (default_format, moment))?;
    let with_milliseconds = call.object.getattr(intern!(py, "default_msec_format"))?;
    if with_milliseconds.is_truthy()? {
        with_milliseconds.rem((text, record.getattr(intern!(py, "msecs"))?))
    } else {
        Ok(text)
    }
}

fn format_exception<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let exception = call.argument(0);
    if let Some(text) = traceback::text(&exception)? {
        return Ok(text.into_any());
    }
    let buffer = globals::get(py, intern!(py, "io"))?.call_method0(intern!(py, "StringIO"))?;
    let triple = [exception.get_item(0)?, exception.get_item(1)?, exception.get_item(2)?];
    traceback::print(PyTuple::new(py, triple)?, &buffer)?;
    let text = buffer.call_method0(intern!(py, "getvalue"))?;
    buffer.call_method0(intern!(py, "close"))?;
    without_final_newline(&text)
}

/// `text` without the newline at its end, if there is one.
pub(crate) fn without_final_newline<'py>(text: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    text.call_method1(intern!(text.py(), "removesuffix"), ("\n",))
}

fn ends_with_newline(text: &Bound<'_, PyAny>) -> PyResult<bool> {
    text.call_method1(intern!(text.py(), "endswith"), ("\n",))?.is_truthy()
}

fn uses_time<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    call.object.getattr(intern!(py, "_style"))?.call_method0(intern!(py, "usesTime"))
}

fn format_message<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    call.object.getattr(intern!(py, "_style"))?.call_method1(intern!(py, "format"), (call.argument(0),))
}

#[expect(clippy::unnecessary_wraps, reason = "the form of every native method")]
fn format_stack<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    Ok(call.argument(0).to_owned())
}

fn format<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let (formatter, record) = (&call.object, call.argument(0));
    if let Some(text) = native_text(formatter, &record, route::inherited_format_of)? {
        return Ok(text);
    }
    let message = record.call_method0(intern!(py, "getMessage"))?;
    record.setattr(intern!(py, "message"), message)?;
    if formatter.call_method0(intern!(py, "usesTime"))?.is_truthy()? {
        let date_format = formatter.getattr(intern!(py, "datefmt"))?;
        let time = formatter.call_method1(intern!(py, "formatTime"), (record, date_format))?;
        record.setattr(intern!(py, "asctime"), time)?;
    }
    let text = formatter.call_method1(intern!(py, "formatMessage"), (record,))?;
    with_exception_and_stack(formatter, &record, text)
}

/// `formatter.format(record)`.
pub(crate) fn text<'py>(
    formatter: &Bound<'py, PyAny>,
    record: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    match native_text(formatter, record, route::formatter_plan_of)? {
        Some(text) => Ok(text),
        None => formatter.call_method1(intern!(formatter.py(), "format"), (record,)),
    }
}

fn native_text<'py>(
    formatter: &Bound<'py, PyAny>,
    record: &Bound<'py, PyAny>,
    plan_of: fn(&Bound<'py, PyAny>) -> Route<Rc<FormatterPlan>>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let Some(settings) = settings::current(formatter.py())? else { return Ok(None) };
    let Ok(plan) = plan_of(formatter)? else { return Ok(None) };
    format_natively(formatter, &plan, record, &settings)
}

/// What `format` gives for a plain record and a formatter with this plan; `None` when only the interpreter can
/// tell.
pub(crate) fn format_natively<'py>(
    formatter: &Bound<'py, PyAny>,
    plan: &FormatterPlan,
    record: &Bound<'py, PyAny>,
    settings: &Settings,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let Some((text, is_whole)) = text::format(plan, record, settings)? else { return Ok(None) };
    let text = text.into_any();
    if is_whole {
        return Ok(Some(text));
    }
    with_exception_and_stack(formatter, record, text).map(Some)
}

fn with_exception_and_stack<'py>(
    formatter: &Bound<'py, PyAny>,
    record: &Bound<'py, PyAny>,
    mut text: Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = record.py();
    let exc_text = intern!(py, "exc_text");
    let exception = record.getattr(intern!(py, "exc_info"))?;
    if exception.is_truthy()? && !record.getattr(exc_text)?.is_truthy()? {
        // Kept on the record: the next handler's formatter takes it from there.
        record.setattr(exc_text, formatter.call_method1(intern!(py, "formatException"), (exception,))?)?;
    }
    let exception_text = record.getattr(exc_text)?;
    if exception_text.is_truthy()? {
        text = on_a_new_line(text, exception_text)?;
    }
    let stack = record.getattr(intern!(py, "stack_info"))?;
    if stack.is_truthy()? {
        let stack = formatter.call_method1(intern!(py, "formatStack"), (stack,))?;
        text = on_a_new_line(text, stack)?;
    }
    Ok(text)
}

fn on_a_new_line<'py>(text: Bound<'py, PyAny>, more: Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let text = if ends_with_newline(&text)? { text } else { text.add("\n")? };
    text.add(more)
}

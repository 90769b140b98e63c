//! `LoggerAdapter`: a logger with extra fields bound to it.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyInt, PyString, PyTuple};

use crate::globals;
use crate::native_method::{Call, Method};

pub(crate) static METHODS: &[Method] = &[
    ("process", process),
    ("debug", debug),
    ("info", info),
    ("warning", warning),
    ("error", error),
    ("exception", exception),
    ("critical", critical),
    ("log", log),
    ("isEnabledFor", is_enabled_for),
    ("getEffectiveLevel", get_effective_level),
    ("hasHandlers", has_handlers),
];

/// Puts the adapter's fields in the place of the call's, or below them where `merge_extra` says so
/// (from CPython 3.13 on).
fn process<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let (message, keywords) = (call.argument(0), call.argument(1));
    let extra = intern!(py, "extra");
    let own = call.object.getattr(extra)?;
    let merges =
        globals::python_minor(py) >= 13 && call.object.getattr(intern!(py, "merge_extra"))?.is_truthy()?;
    if merges && keywords.contains(extra)? {
        let both = PyDict::new(py);
        both.update(own.cast()?)?;
        both.update(keywords.get_item(extra)?.cast()?)?;
        keywords.set_item(extra, both)?;
    } else {
        keywords.set_item(extra, own)?;
    }
    Ok((message, keywords).into_pyobject(py)?.into_any())
}

fn debug<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    log_at(call, 10)
}

fn info<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    log_at(call, 20)
}

fn warning<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    log_at(call, 30)
}

fn error<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    log_at(call, 40)
}

fn critical<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    log_at(call, 50)
}

fn exception<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let keywords = call.extra_keywords.clone().unwrap_or_else(|| PyDict::new(py));
    keywords.set_item(intern!(py, "exc_info"), call.argument(1))?;
    call_log(&call.object, call, 40, Some(&keywords))?;
    call.none()
}

fn log_at<'py>(call: &Call<'_, 'py>, level: i64) -> PyResult<Bound<'py, PyAny>> {
    call_log(&call.object, call, level, call.extra_keywords.as_ref())?;
    call.none()
}

/// Through the object's own `log`, which may be overridden.
fn call_log<'py>(
    adapter: &Bound<'py, PyAny>,
    call: &Call<'_, 'py>,
    level: i64,
    keywords: Option<&Bound<'py, PyDict>>,
) -> PyResult<()> {
    let py = call.py();
    let arguments = with_rest([PyInt::new(py, level).into_any(), call.argument(0).to_owned()], call)?;
    adapter.call_method(intern!(py, "log"), arguments, keywords).map(drop)
}

fn with_rest<'py>(first: [Bound<'py, PyAny>; 2], call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyTuple>> {
    let rest = call.rest.iter().map(|argument| (**argument).clone());
    PyTuple::new(call.py(), first.into_iter().chain(rest).collect::<Vec<_>>())
}

fn log<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let level = call.argument(0).to_owned();
    if call.object.call_method1(intern!(py, "isEnabledFor"), (&level,))?.is_truthy()? {
        let keywords = call.extra_keywords.clone().unwrap_or_else(|| PyDict::new(py));
        let (message, keywords): (Bound<'py, PyAny>, Bound<'py, PyAny>) =
            call.object.call_method1(intern!(py, "process"), (call.argument(1), keywords))?.extract()?;
        let arguments = with_rest([level, message], call)?;
        let logger = call.object.getattr(intern!(py, "logger"))?;
        logger.call_method(intern!(py, "log"), arguments, Some(keywords.cast()?))?;
    }
    call.none()
}

/// The answer of the adapted logger.
fn of_logger<'py>(call: &Call<'_, 'py>, name: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyAny>> {
    call.object.getattr(intern!(call.py(), "logger"))?.call_method0(name)
}

fn is_enabled_for<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let logger = call.object.getattr(intern!(py, "logger"))?;
    logger.call_method1(intern!(py, "isEnabledFor"), (call.argument(0),))
}

fn get_effective_level<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    of_logger(call, intern!(call.py(), "getEffectiveLevel"))
}

fn has_handlers<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    of_logger(call, intern!(call.py(), "hasHandlers"))
}

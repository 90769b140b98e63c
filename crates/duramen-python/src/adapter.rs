//! `LoggerAdapter`: a logger with fields of its own.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};

use crate::handler::base::class_and_level;
use crate::interpreter::intern;
use crate::native_method::{Call, Method};
use crate::{globals, interpreter};

pub(crate) static METHODS: &[Method] = &[
    ("__init__", init),
    ("process", process),
    ("isEnabledFor", is_enabled_for),
    ("setLevel", set_level),
    ("getEffectiveLevel", get_effective_level),
    ("hasHandlers", has_handlers),
    ("__repr__", repr),
];

/// The methods that log. In CPython 3.10 `findCaller` counts their Python frames for `stacklevel`, so
/// there they stay the interpreter's own.
pub(crate) static LOGGING_METHODS: &[Method] = &[
    ("debug", debug),
    ("info", info),
    ("warning", warning),
    ("error", error),
    ("exception", exception),
    ("critical", critical),
    ("log", log),
    ("_log", log_unconditionally),
];

fn logger<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    call.object.getattr(intern!(call.py(), "logger"))
}

/// Whether the adapter can join its fields with those of a call, which came with CPython 3.13.
fn can_merge(py: Python<'_>) -> bool {
    globals::python_minor(py) >= 13
}

fn init<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    call.object.setattr(intern!(py, "logger"), call.argument(0))?;
    call.object.setattr(intern!(py, "extra"), call.argument(1))?;
    if can_merge(py) {
        call.object.setattr(intern!(py, "merge_extra"), call.argument(2))?;
    }
    call.none()
}

fn process<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let (message, keywords) = (call.argument(0), call.argument(1));
    let name = intern!(py, "extra");
    let merges = can_merge(py) && call.object.getattr(intern!(py, "merge_extra"))?.is_truthy()?;
    let own = call.object.getattr(name)?;
    if merges && keywords.contains(name)? {
        let all = PyDict::new(py);
        all.as_any().call_method1(intern!(py, "update"), (own,))?;
        all.as_any().call_method1(intern!(py, "update"), (keywords.get_item(name)?,))?;
        keywords.set_item(name, all)?;
    } else {
        keywords.set_item(name, own)?;
    }
    Ok((message, keywords).into_pyobject(py)?.into_any())
}

/// The positional arguments of a call of `log`: `level`, `message` and what `*args` takes.
fn before_rest<'py>(
    call: &Call<'_, 'py>,
    level: Bound<'py, PyAny>,
    message: Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyTuple>> {
    let mut arguments = vec![level, message];
    arguments.extend(call.rest.iter().map(|argument| (**argument).clone()));
    PyTuple::new(call.py(), arguments)
}

/// `self.log(level, …)` with the global called `level`.
fn log_at<'py>(call: &Call<'_, 'py>, level: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let arguments = before_rest(call, globals::get(py, level)?, call.argument(0).to_owned())?;
    call.object.call_method(intern!(py, "log"), arguments, call.extra_keywords.as_ref())?;
    call.none()
}

fn debug<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    log_at(call, intern!(call.py(), "DEBUG"))
}

fn info<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    log_at(call, intern!(call.py(), "INFO"))
}

fn warning<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    log_at(call, intern!(call.py(), "WARNING"))
}

fn error<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    log_at(call, intern!(call.py(), "ERROR"))
}

fn critical<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    log_at(call, intern!(call.py(), "CRITICAL"))
}

fn exception<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let keywords = call.extra_keywords.clone().unwrap_or_else(|| PyDict::new(py));
    keywords.set_item(intern!(py, "exc_info"), call.argument(1))?;
    let level = globals::get(py, intern!(py, "ERROR"))?;
    let arguments = before_rest(call, level, call.argument(0).to_owned())?;
    call.object.call_method(intern!(py, "log"), arguments, Some(&keywords))?;
    call.none()
}

fn log<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let level = call.argument(0);
    if call.object.call_method1(intern!(py, "isEnabledFor"), (level,))?.is_truthy()? {
        let keywords = call.extra_keywords.clone().unwrap_or_else(|| PyDict::new(py));
        let processed = call.object.call_method1(intern!(py, "process"), (call.argument(1), keywords))?;
        let (message, keywords) = unpack(&processed)?;
        let arguments = before_rest(call, level.to_owned(), message)?;
        logger(call)?.call_method(intern!(py, "log"), arguments, Some(&keywords))?;
    }
    call.none()
}

/// The message and the keywords that `process` gave: a sequence of two, with any mapping for the latter.
fn unpack<'py>(processed: &Bound<'py, PyAny>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyDict>)> {
    let py = processed.py();
    let parts = processed.try_iter()?.collect::<PyResult<Vec<_>>>()?;
    let (message, keywords): (Bound<'py, PyAny>, Bound<'py, PyAny>) =
        PyTuple::new(py, parts)?.into_any().extract()?;
    let keywords = match keywords.cast_into::<PyDict>() {
        Ok(keywords) => keywords,
        Err(error) => {
            let copy = PyDict::new(py);
            copy.as_any().call_method1(intern!(py, "update"), (error.into_inner(),))?;
            copy
        }
    };
    Ok((message, keywords))
}

/// For an adapter that wraps another one.
fn log_unconditionally<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let arguments = (call.argument(0), call.argument(1), call.argument(2));
    let keywords = if can_merge(py) {
        call.extra_keywords.clone()
    } else {
        let keywords = PyDict::new(py);
        keywords.set_item(intern!(py, "exc_info"), call.argument(3))?;
        keywords.set_item(intern!(py, "extra"), call.argument(4))?;
        keywords.set_item(intern!(py, "stack_info"), call.argument(5))?;
        Some(keywords)
    };
    logger(call)?.call_method(intern!(py, "_log"), arguments, keywords.as_ref())
}

fn is_enabled_for<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    logger(call)?.call_method1(intern!(call.py(), "isEnabledFor"), (call.argument(0),))
}

fn set_level<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    logger(call)?.call_method1(intern!(call.py(), "setLevel"), (call.argument(0),))?;
    call.none()
}

fn get_effective_level<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    logger(call)?.call_method0(intern!(call.py(), "getEffectiveLevel"))
}

fn has_handlers<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    logger(call)?.call_method0(intern!(call.py(), "hasHandlers"))
}

fn repr<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let logger = logger(call)?;
    let level = logger.call_method0(intern!(py, "getEffectiveLevel"))?;
    let (class, level) = class_and_level(&call.object, &level)?;
    let name = logger.getattr(intern!(py, "name"))?;
    let shown = (class, name, level).into_pyobject(py)?;
    interpreter::percent_format(intern!(py, "<%s %s (%s)>"), shown.as_any())
}

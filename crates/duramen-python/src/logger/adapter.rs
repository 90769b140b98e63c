//! `LoggerAdapter`: a logger with fields of its own.

use pyo3::exceptions::{PyAttributeError, PyTypeError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyInt, PyString, PyTuple};

use crate::classes::globals;
use crate::classes::native_method::{Call, Method};
use crate::handler::base::class_and_level;
use crate::interpreter::intern;
use crate::logger::adapter_view::{self, UsualAdapter};
use crate::way::call::{Keywords, LoggingCall};
use crate::{interpreter, logger};

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

fn logger_of<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
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
    let (message, keywords) = (call.argument(0), call.argument(1));
    put_fields(&call.object, &keywords)?;
    Ok((message, keywords).into_pyobject(call.py())?.into_any())
}

/// Puts the adapter's fields into the keywords of a call.
fn put_fields<'py>(adapter: &Bound<'py, PyAny>, keywords: &Bound<'py, PyAny>) -> PyResult<()> {
    let py = adapter.py();
    let name = intern!(py, "extra");
    let merges = can_merge(py) && adapter.getattr(intern!(py, "merge_extra"))?.is_truthy()?;
    let own = adapter.getattr(name)?;
    if merges && keywords.contains(name)? {
        let all = PyDict::new(py);
        add_mapping(&own, &all)?;
        add_mapping(&keywords.get_item(name)?, &all)?;
        return keywords.set_item(name, all);
    }
    keywords.set_item(name, own)
}

/// Puts into `all` what `{**mapping}` does, and refuses what is no mapping as that does.
fn add_mapping(mapping: &Bound<'_, PyAny>, all: &Bound<'_, PyDict>) -> PyResult<()> {
    // SAFETY: live objects; a failure leaves an exception.
    if unsafe { ffi::PyDict_Update(all.as_ptr(), mapping.as_ptr()) } == 0 {
        return Ok(());
    }
    let error = PyErr::fetch(all.py());
    if !error.is_instance_of::<PyAttributeError>(all.py()) {
        return Err(error);
    }
    Err(PyTypeError::new_err(format!("'{}' object is not a mapping", mapping.get_type().name()?)))
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

/// `self.log(level, …)`.
fn call_log<'py>(
    call: &Call<'_, 'py>,
    level: Bound<'py, PyAny>,
    keywords: Option<Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    let message = call.argument(0);
    // `log` has no room for another `level` or `msg`.
    if keywords.as_ref().is_none_or(are_options)
        && let Some(usual) = adapter_view::examine(&call.object)?
    {
        return log_as_usual(call, usual, &level, message, keywords);
    }
    let arguments = before_rest(call, level, message.to_owned())?;
    call.object.call_method(intern!(call.py(), "log"), arguments, keywords.as_ref())?;
    call.none()
}

/// `self.log(level, …)` with the global called `level`.
fn log_at<'py>(call: &Call<'_, 'py>, level: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyAny>> {
    call_log(call, globals::get(call.py(), level)?, call.extra_keywords.clone())
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
    call_log(call, globals::get(py, intern!(py, "ERROR"))?, Some(keywords))
}

fn log<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let (level, message) = (call.argument(0), call.argument(1));
    let keywords = call.extra_keywords.clone();
    if let Some(usual) = adapter_view::examine(&call.object)? {
        return log_as_usual(call, usual, &level, message, keywords);
    }
    if call.object.call_method1(intern!(py, "isEnabledFor"), (level,))?.is_truthy()? {
        let (message, keywords) = call_process(call, message, keywords)?;
        let arguments = before_rest(call, level.to_owned(), message)?;
        logger_of(call)?.call_method(intern!(py, "log"), arguments, Some(&keywords))?;
    }
    call.none()
}

/// What `log` does where nobody has overridden it, nor `isEnabledFor`.
fn log_as_usual<'py>(
    call: &Call<'_, 'py>,
    usual: UsualAdapter,
    level: &Bound<'py, PyAny>,
    message: Borrowed<'_, 'py, PyAny>,
    keywords: Option<Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let number = level.cast_exact::<PyInt>().ok().and_then(|level| level.extract().ok());
    if !logger::is_enabled(&logger_of(call)?, level, number)? {
        return call.none();
    }
    let (message, keywords) = if usual.has_own_process {
        call_process(call, message, keywords)?
    } else {
        let keywords = keywords.unwrap_or_else(|| PyDict::new(py));
        put_fields(&call.object, keywords.as_any())?;
        (message.to_owned(), keywords)
    };
    let logger = logger_of(call)?;
    let hands_on = |_: &i64| logger::view::of(&logger).is_some() && are_options(&keywords);
    if let Some(level) = number.filter(hands_on) {
        logger::send_if_enabled(&LoggingCall {
            logger: &logger,
            level,
            template: message.as_borrowed(),
            arguments: call.rest,
            keywords: Keywords::Dict(&keywords),
        })?;
    } else {
        let arguments = before_rest(call, level.clone(), message)?;
        logger.call_method(intern!(py, "log"), arguments, Some(&keywords))?;
    }
    call.none()
}

/// Whether the names are those that `Logger.log` hands on: it refuses `level` and `msg`.
fn are_options(keywords: &Bound<'_, PyDict>) -> bool {
    let py = keywords.py();
    let options =
        [intern!(py, "extra"), intern!(py, "exc_info"), intern!(py, "stack_info"), intern!(py, "stacklevel")];
    interpreter::entries(keywords).all(|(name, _)| options.iter().any(|option| option.is(&name)))
}

fn call_process<'py>(
    call: &Call<'_, 'py>,
    message: Borrowed<'_, 'py, PyAny>,
    keywords: Option<Bound<'py, PyDict>>,
) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyDict>)> {
    let keywords = keywords.unwrap_or_else(|| PyDict::new(call.py()));
    unpack(&call.object.call_method1(intern!(call.py(), "process"), (message, keywords))?)
}

/// The message and the keywords that `process` gave: a sequence of two, with any mapping for the latter.
fn unpack<'py>(processed: &Bound<'py, PyAny>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyDict>)> {
    let py = processed.py();
    let parts = match processed.cast_exact::<PyTuple>() {
        Ok(parts) => parts.clone(),
        Err(_) => PyTuple::new(py, processed.try_iter()?.collect::<PyResult<Vec<_>>>()?)?,
    };
    let (message, keywords): (Bound<'py, PyAny>, Bound<'py, PyAny>) = parts.extract()?;
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
    logger_of(call)?.call_method(intern!(py, "_log"), arguments, keywords.as_ref())
}

fn is_enabled_for<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    logger_of(call)?.call_method1(intern!(call.py(), "isEnabledFor"), (call.argument(0),))
}

fn set_level<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    logger_of(call)?.call_method1(intern!(call.py(), "setLevel"), (call.argument(0),))?;
    call.none()
}

fn get_effective_level<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    logger_of(call)?.call_method0(intern!(call.py(), "getEffectiveLevel"))
}

fn has_handlers<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    logger_of(call)?.call_method0(intern!(call.py(), "hasHandlers"))
}

fn repr<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let logger = logger_of(call)?;
    let level = logger.call_method0(intern!(py, "getEffectiveLevel"))?;
    let (class, level) = class_and_level(&call.object, &level)?;
    let name = logger.getattr(intern!(py, "name"))?;
    let shown = (class, name, level).into_pyobject(py)?;
    interpreter::percent_format(intern!(py, "<%s %s (%s)>"), shown.as_any())
}

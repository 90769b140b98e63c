//! `Handler`: what all handlers share.

use pyo3::exceptions::PyNotImplementedError;
use pyo3::intern;
use pyo3::prelude::*;

use crate::globals;
use crate::handler::error;
use crate::native_method::{Call, Method, methods};

pub(crate) static METHODS: &[Method] = methods![
    "acquire" => acquire,
    "release" => release,
    "setLevel" => set_level,
    "format" => format,
    "emit" => emit,
    "handle" => handle,
    "setFormatter" => set_formatter,
    "flush" => flush,
    "handleError" => error::handle_error,
    "__repr__" => repr,
];

fn acquire<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let lock = call.object.getattr(intern!(py, "lock"))?;
    if lock.is_truthy()? {
        lock.call_method0(intern!(py, "acquire"))?;
    }
    call.none()
}

fn release<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let lock = call.object.getattr(intern!(py, "lock"))?;
    if lock.is_truthy()? {
        lock.call_method0(intern!(py, "release"))?;
    }
    call.none()
}

/// Runs `body` while the handler's lock is held.
///
/// Up to CPython 3.12 the lock is taken through the handler's `acquire`, from 3.13 on directly.
pub(crate) fn locked<T>(handler: &Bound<'_, PyAny>, body: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
    let py = handler.py();
    if globals::python_minor(py) >= 13 {
        let lock = handler.getattr(intern!(py, "lock"))?;
        lock.call_method0(intern!(py, "__enter__"))?;
        let result = body();
        lock.call_method1(intern!(py, "__exit__"), (py.None(), py.None(), py.None()))?;
        return result;
    }
    handler.call_method0(intern!(py, "acquire"))?;
    let result = body();
    handler.call_method0(intern!(py, "release"))?;
    result
}

fn set_level<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let level = globals::get(py, intern!(py, "_checkLevel"))?.call1((call.argument(0),))?;
    call.object.setattr(intern!(py, "level"), level)?;
    call.none()
}

fn format<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let own = call.object.getattr(intern!(py, "formatter"))?;
    let formatter = if own.is_truthy()? { own } else { globals::get(py, intern!(py, "_defaultFormatter"))? };
    formatter.call_method1(intern!(py, "format"), (call.argument(0),))
}

fn emit<'py>(_call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    Err(PyNotImplementedError::new_err("emit must be implemented by Handler subclasses"))
}

fn handle<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let (handler, mut record) = (&call.object, call.argument(0).to_owned());
    let answer = handler.call_method1(intern!(py, "filter"), (&record,))?;
    if globals::python_minor(py) >= 12 && globals::is_log_record(&answer)? {
        record = answer.clone();
    }
    if answer.is_truthy()? {
        locked(handler, || handler.call_method1(intern!(py, "emit"), (record,)))?;
    }
    Ok(answer)
}

fn set_formatter<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    call.object.setattr(intern!(call.py(), "formatter"), call.argument(0))?;
    call.none()
}

fn flush<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    call.none()
}

/// The class name and the level's name, for `repr`.
pub(crate) fn class_and_level<'py>(
    object: &Bound<'py, PyAny>,
    level: &Bound<'py, PyAny>,
) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
    let py = object.py();
    let level = globals::get(py, intern!(py, "getLevelName"))?.call1((level,))?;
    let class = object.getattr(intern!(py, "__class__"))?.getattr(intern!(py, "__name__"))?;
    Ok((class, level))
}

fn repr<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let (class, level) = class_and_level(&call.object, &call.object.getattr(intern!(py, "level"))?)?;
    Ok(pyo3::types::PyString::new(py, &format!("<{class} ({level})>")).into_any())
}

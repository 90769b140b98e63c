//! `Handler`: what all handlers share.

use pyo3::exceptions::PyNotImplementedError;
use pyo3::prelude::*;

use crate::classes::globals;
use crate::classes::native_method::{Call, Method};
use crate::handler::error;
use crate::handler::lineage::call_base;
use crate::handler::usual;
use crate::interpreter::intern;
use crate::{filter, formatter, interpreter};

pub(crate) static METHODS: &[Method] = &[
    ("__init__", init),
    ("get_name", get_name),
    ("set_name", set_name),
    ("createLock", create_lock),
    ("_at_fork_reinit", reinit_after_fork),
    ("acquire", acquire),
    ("release", release),
    ("setLevel", set_level),
    ("format", format),
    ("emit", emit),
    ("handle", handle),
    ("setFormatter", set_formatter),
    ("flush", flush),
    ("close", close),
    ("handleError", error::handle_error),
    ("__repr__", repr),
];

fn init<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let handler = &call.object;
    call_base(handler, intern!(py, "Filterer"), intern!(py, "__init__"))?;
    handler.setattr(intern!(py, "_name"), py.None())?;
    let level = globals::get(py, intern!(py, "_checkLevel"))?.call1((call.argument(0),))?;
    handler.setattr(intern!(py, "level"), level)?;
    handler.setattr(intern!(py, "formatter"), py.None())?;
    handler.setattr(intern!(py, "_closed"), false)?;
    // So that `shutdown` finds it.
    globals::get(py, intern!(py, "_addHandlerRef"))?.call1((handler,))?;
    handler.call_method0(intern!(py, "createLock"))?;
    call.none()
}

fn create_lock<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let lock = globals::get(py, intern!(py, "threading"))?.call_method0(intern!(py, "RLock"))?;
    call.object.setattr(intern!(py, "lock"), lock)?;
    // A forked child gets a fresh lock.
    globals::get(py, intern!(py, "_register_at_fork_reinit_lock"))?.call1((&call.object,))?;
    call.none()
}

fn reinit_after_fork<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    call.object.getattr(intern!(py, "lock"))?.call_method0(intern!(py, "_at_fork_reinit"))?;
    call.none()
}

fn get_name<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    call.object.getattr(intern!(call.py(), "_name"))
}

fn set_name<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let (handler, name) = (&call.object, call.argument(0));
    globals::locked(py, || {
        let named = globals::get(py, intern!(py, "_handlers"))?;
        let previous = handler.getattr(intern!(py, "_name"))?;
        if named.contains(&previous)? {
            named.del_item(previous)?;
        }
        handler.setattr(intern!(py, "_name"), name)?;
        if name.is_truthy()? { named.set_item(name, handler) } else { Ok(()) }
    })?;
    call.none()
}

/// The handler can no longer be found by its name.
fn close<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    globals::locked(py, || {
        call.object.setattr(intern!(py, "_closed"), true)?;
        let name = call.object.getattr(intern!(py, "_name"))?;
        let handlers = globals::get(py, intern!(py, "_handlers"))?;
        if name.is_truthy()? && handlers.contains(&name)? {
            handlers.del_item(&name)?;
        }
        Ok(())
    })?;
    call.none()
}

fn acquire<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let lock = call.object.getattr(intern!(py, "lock"))?;
    if lock.is_truthy()? {
        interpreter::call_method(&lock, intern!(py, "acquire"), &[])?;
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
        return interpreter::with(&handler.getattr(intern!(py, "lock"))?, body);
    }
    interpreter::call_method(handler, intern!(py, "acquire"), &[])?;
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
    let own = usual::formatter_of(&call.object)?;
    let formatter = if own.is_truthy()? { own } else { globals::get(py, intern!(py, "_defaultFormatter"))? };
    formatter::text(&formatter, &call.argument(0))
}

fn emit<'py>(_call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    Err(PyNotImplementedError::new_err("emit must be implemented by Handler subclasses"))
}

fn handle<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let (handler, mut record) = (&call.object, call.argument(0).to_owned());
    if usual::has_usual_handle(handler)? {
        let filters = handler.getattr(intern!(py, "filters"))?;
        let passed = filter::passed(&filters, record.clone())?;
        if let Some(passed) = &passed {
            usual::locked(handler, || {
                interpreter::call_method(handler, intern!(py, "emit"), &[passed]).map(drop)
            })?;
        }
        return Ok(filter::answer(&record, passed));
    }
    let answer = interpreter::call_method(handler, intern!(py, "filter"), &[&record])?;
    if filter::may_replace_record(handler)? && globals::is_log_record(&answer)? {
        record = answer.clone();
    }
    if answer.is_truthy()? {
        locked(handler, || interpreter::call_method(handler, intern!(py, "emit"), &[&record]))?;
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
    let shown = class_and_level(&call.object, &call.object.getattr(intern!(py, "level"))?)?;
    interpreter::percent_format(intern!(py, "<%s (%s)>"), shown.into_pyobject(py)?.as_any())
}

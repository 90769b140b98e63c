//! `BufferingHandler` and `MemoryHandler`: records kept until there is a reason to hand them on.

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyList};

use crate::classes::native_method::{Call, Method};
use crate::handler::base::locked;
use crate::handler::lineage::{base, call_base, finally};
use crate::interpreter::intern;

pub(crate) static BUFFERING_METHODS: &[Method] = &[
    ("__init__", init_buffering),
    ("close", close_buffering),
    ("shouldFlush", is_full),
    ("emit", emit),
    ("flush", clear),
];

pub(crate) static METHODS: &[Method] = &[
    ("__init__", init),
    ("close", close),
    ("shouldFlush", is_full_or_severe),
    ("setTarget", set_target),
    ("flush", hand_on),
];

fn init_buffering<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    call_base(&call.object, intern!(py, "Handler"), intern!(py, "__init__"))?;
    call.object.setattr(intern!(py, "capacity"), call.argument(0))?;
    call.object.setattr(intern!(py, "buffer"), PyList::empty(py))?;
    call.none()
}

fn close_buffering<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let flushed = call.object.call_method0(intern!(py, "flush")).map(drop);
    finally(flushed, || call_base(&call.object, intern!(py, "Handler"), intern!(py, "close")))?;
    call.none()
}

fn init<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let handler = &call.object;
    let [capacity, flush_level, target, flush_on_close] = std::array::from_fn(|index| call.argument(index));
    base(handler, intern!(py, "BufferingHandler"))?
        .call_method1(intern!(py, "__init__"), (handler, capacity))?;
    handler.setattr(intern!(py, "flushLevel"), flush_level)?;
    handler.setattr(intern!(py, "target"), target)?;
    handler.setattr(intern!(py, "flushOnClose"), flush_on_close)?;
    call.none()
}

fn close<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let handler = &call.object;
    let flush_if_wanted = || {
        if handler.getattr(intern!(py, "flushOnClose"))?.is_truthy()? {
            handler.call_method0(intern!(py, "flush"))?;
        }
        Ok(())
    };
    finally(flush_if_wanted(), || {
        locked(handler, || {
            handler.setattr(intern!(py, "target"), py.None())?;
            call_base(handler, intern!(py, "BufferingHandler"), intern!(py, "close"))
        })
    })?;
    call.none()
}

fn has_no_room(handler: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = handler.py();
    handler.getattr(intern!(py, "capacity"))?.le(handler.getattr(intern!(py, "buffer"))?.len()?)
}

fn is_full<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    Ok(PyBool::new(call.py(), has_no_room(&call.object)?).to_owned().into_any())
}

fn is_full_or_severe<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let level = call.argument(0).getattr(intern!(py, "levelno"))?;
    let flush = has_no_room(&call.object)? || level.ge(call.object.getattr(intern!(py, "flushLevel"))?)?;
    Ok(PyBool::new(py, flush).to_owned().into_any())
}

fn emit<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let (handler, record) = (&call.object, call.argument(0));
    handler.getattr(intern!(py, "buffer"))?.call_method1(intern!(py, "append"), (record,))?;
    if handler.call_method1(intern!(py, "shouldFlush"), (record,))?.is_truthy()? {
        handler.call_method0(intern!(py, "flush"))?;
    }
    call.none()
}

fn clear<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    locked(&call.object, || {
        call.object.getattr(intern!(py, "buffer"))?.call_method0(intern!(py, "clear")).map(drop)
    })?;
    call.none()
}

fn set_target<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    locked(&call.object, || call.object.setattr(intern!(py, "target"), call.argument(0)))?;
    call.none()
}

/// The buffered records go to the target; without one they are kept.
fn hand_on<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let handler = &call.object;
    locked(handler, || {
        if handler.getattr(intern!(py, "target"))?.is_truthy()? {
            let buffer = handler.getattr(intern!(py, "buffer"))?;
            for record in buffer.try_iter()? {
                // Asked for each record: the target may set another one.
                handler.getattr(intern!(py, "target"))?.call_method1(intern!(py, "handle"), (record?,))?;
            }
            handler.getattr(intern!(py, "buffer"))?.call_method0(intern!(py, "clear"))?;
        }
        Ok(())
    })?;
    call.none()
}

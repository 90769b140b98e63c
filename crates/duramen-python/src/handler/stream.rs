//! `StreamHandler`: text to any object with `write`.

use duramen::rotation::line_end;
use pyo3::prelude::*;

use crate::classes::globals;
use crate::classes::native_method::{Call, Method};
use crate::handler::base::{class_and_level, locked};
use crate::handler::error::guarded;
use crate::handler::lineage::{base, call_base};
use crate::handler::{fsync, turn};
use crate::interpreter;
use crate::interpreter::intern;

pub(crate) static METHODS: &[Method] =
    &[("__init__", init), ("flush", flush), ("emit", emit), ("setStream", set_stream), ("__repr__", repr)];

fn init<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    call_base(&call.object, intern!(py, "Handler"), intern!(py, "__init__"))?;
    let mut stream = call.argument(0).to_owned();
    if stream.is_none() {
        stream = globals::get(py, intern!(py, "sys"))?.getattr(intern!(py, "stderr"))?;
    }
    call.object.setattr(intern!(py, "stream"), stream)?;
    call.none()
}

/// `_StderrHandler`, whose stream is whatever `sys.stderr` is at the moment.
pub(crate) static STDERR_METHODS: &[Method] = &[("__init__", init_for_stderr)];

fn init_for_stderr<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    base(&call.object, intern!(py, "Handler"))?
        .call_method1(intern!(py, "__init__"), (&call.object, call.argument(0)))?;
    call.none()
}

fn flush<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    locked(&call.object, || {
        let stream = call.object.getattr(intern!(py, "stream"))?;
        if stream.is_truthy()? && stream.hasattr(intern!(py, "flush"))? {
            interpreter::call_method(&stream, intern!(py, "flush"), &[])?;
        }
        Ok(())
    })?;
    call.none()
}

fn emit<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let (handler, record) = (&call.object, call.argument(0));
    guarded(handler, &record, || {
        let text = interpreter::call_method(handler, intern!(py, "format"), &[&record])?;
        // A character has four bytes at most.
        let is_long = text.len().is_ok_and(|length| length >= line_end::PART / 4);
        let is_shared = is_long && handler.hasattr(intern!(py, "doRollover"))?;
        let _secured = if is_shared { turn::secure(handler, line_end::PART)? } else { None };
        let stream = handler.getattr(intern!(py, "stream"))?;
        let line = text.add(handler.getattr(intern!(py, "terminator"))?)?;
        interpreter::call_method(&stream, intern!(py, "write"), &[&line])?;
        interpreter::call_method(handler, intern!(py, "flush"), &[])?;
        fsync::has_written(handler)
    })?;
    call.none()
}

fn set_stream<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let (handler, stream) = (&call.object, call.argument(0));
    let previous = handler.getattr(intern!(py, "stream"))?;
    if previous.is(stream) {
        return call.none();
    }
    locked(handler, || {
        interpreter::call_method(handler, intern!(py, "flush"), &[])?;
        handler.setattr(intern!(py, "stream"), stream)
    })?;
    Ok(previous)
}

fn repr<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let (class, level) = class_and_level(&call.object, &call.object.getattr(intern!(py, "level"))?)?;
    let stream = call.object.getattr(intern!(py, "stream"))?;
    // The name of a stream can be a file descriptor.
    let name = match stream.getattr_opt(intern!(py, "name"))? {
        Some(name) => name.str()?.into_any(),
        None => intern!(py, "").clone().into_any(),
    };
    let name = if name.is_truthy()? { name.add(" ")? } else { name };
    let shown = (class, name, level).into_pyobject(py)?;
    interpreter::percent_format(intern!(py, "<%s %s(%s)>"), shown.as_any())
}

//! `FileHandler`: a stream handler that opens its file.

use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::classes::globals;
use crate::classes::native_method::{Call, Method};
use crate::handler::base::{class_and_level, locked};
use crate::handler::further_options::Asked;
use crate::handler::lineage::{base, call_base, finally, text_encoding};
use crate::handler::{fsync, upkeep};
use crate::interpreter;
use crate::interpreter::intern;

pub(crate) static METHODS: &[Method] =
    &[("__init__", init), ("close", close), ("_open", open), ("emit", emit), ("__repr__", repr)];

fn init<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let handler = &call.object;
    let [path, mode, encoding, delay, errors] = std::array::from_fn(|index| call.argument(index));
    let asked = Asked::of(call)?;
    let fsync = fsync::asked(asked.as_ref())?;
    if let Some(asked) = &asked {
        asked.check_file(&mode, &encoding, &errors)?;
    }
    let os = globals::get(py, intern!(py, "os"))?;
    let path = os.call_method1(intern!(py, "fspath"), (path,))?;
    let path = os.getattr(intern!(py, "path"))?.call_method1(intern!(py, "abspath"), (path,))?;
    handler.setattr(intern!(py, "baseFilename"), path)?;
    handler.setattr(intern!(py, "mode"), mode)?;
    handler.setattr(intern!(py, "encoding"), encoding)?;
    handler.setattr(intern!(py, "encoding"), text_encoding(&mode, &encoding)?)?;
    handler.setattr(intern!(py, "errors"), errors)?;
    handler.setattr(intern!(py, "delay"), delay)?;
    // Kept, since a file may have to be opened while the interpreter is finalized.
    handler.setattr(intern!(py, "_builtin_open"), globals::get_builtin(py, intern!(py, "open"))?)?;
    if delay.is_truthy()? {
        call_base(handler, intern!(py, "Handler"), intern!(py, "__init__"))?;
        handler.setattr(intern!(py, "stream"), py.None())?;
    } else {
        let stream = handler.call_method0(intern!(py, "_open"))?;
        base(handler, intern!(py, "StreamHandler"))?
            .call_method1(intern!(py, "__init__"), (handler, stream))?;
    }
    fsync::begin(handler, fsync)?;
    call.none()
}

fn open<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let handler = &call.object;
    let open = handler.getattr(intern!(py, "_builtin_open"))?;
    let path = handler.getattr(intern!(py, "baseFilename"))?;
    let mode = handler.getattr(intern!(py, "mode"))?;
    let keywords = PyDict::new(py);
    keywords.set_item(intern!(py, "encoding"), handler.getattr(intern!(py, "encoding"))?)?;
    keywords.set_item(intern!(py, "errors"), handler.getattr(intern!(py, "errors"))?)?;
    open.call((path, mode), Some(&keywords))
}

fn close<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let handler = &call.object;
    // The base class is told in any case: it is there that the handler becomes a closed one.
    let close_entirely = || {
        finally(close_stream(handler), || {
            call_base(handler, intern!(py, "StreamHandler"), intern!(py, "close"))
        })
    };
    locked(handler, close_entirely)?;
    upkeep::close(handler)?;
    call.none()
}

fn close_stream(handler: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = handler.py();
    if !handler.getattr(intern!(py, "stream"))?.is_truthy()? {
        return Ok(());
    }
    let flushed = handler.call_method0(intern!(py, "flush")).map(drop);
    finally(flushed, || {
        fsync::leave(handler)?;
        let stream = handler.getattr(intern!(py, "stream"))?;
        handler.setattr(intern!(py, "stream"), py.None())?;
        if stream.hasattr(intern!(py, "close"))? {
            stream.call_method0(intern!(py, "close"))?;
        }
        Ok(())
    })
}

fn emit<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let handler = &call.object;
    open_if_delayed(handler)?;
    if handler.getattr(intern!(py, "stream"))?.is_truthy()? {
        // By name and unbound, as a subclass may have replaced the method of the base.
        base(handler, intern!(py, "StreamHandler"))?
            .call_method1(intern!(py, "emit"), (handler, call.argument(0)))?;
    }
    call.none()
}

/// Opens the file when that was put off, unless a closed handler would empty it by that.
pub(crate) fn open_if_delayed(handler: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = handler.py();
    let stream = intern!(py, "stream");
    if handler.getattr(stream)?.is_none() {
        let empties = handler.getattr(intern!(py, "mode"))?.eq("w")?;
        if !empties || !handler.getattr(intern!(py, "_closed"))?.is_truthy()? {
            handler.setattr(stream, handler.call_method0(intern!(py, "_open"))?)?;
        }
    }
    Ok(())
}

/// `FileHandler.emit`, for the handlers that extend it.
pub(crate) fn emit_as_file_handler<'py>(
    handler: &Bound<'py, PyAny>,
    record: &Bound<'py, PyAny>,
) -> PyResult<()> {
    let py = handler.py();
    base(handler, intern!(py, "FileHandler"))?.call_method1(intern!(py, "emit"), (handler, record)).map(drop)
}

fn repr<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let (class, level) = class_and_level(&call.object, &call.object.getattr(intern!(py, "level"))?)?;
    let file = call.object.getattr(intern!(py, "baseFilename"))?;
    let shown = (class, file, level).into_pyobject(py)?;
    interpreter::percent_format(intern!(py, "<%s %s (%s)>"), shown.as_any())
}

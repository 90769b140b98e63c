//! `FileHandler`: a stream handler that opens its file.

use pyo3::intern;
use pyo3::prelude::*;

use crate::handler::base::class_and_level;
use crate::native_method::{Call, Method};
use crate::{globals, interpreter};

pub(crate) static METHODS: &[Method] = &[("emit", emit), ("__repr__", repr)];

fn emit<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let handler = &call.object;
    open_if_delayed(handler)?;
    if handler.getattr(intern!(py, "stream"))?.is_truthy()? {
        // By name and unbound, as a subclass may have replaced the method of the base.
        globals::get(py, intern!(py, "StreamHandler"))?
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
    globals::get(py, intern!(py, "FileHandler"))?
        .call_method1(intern!(py, "emit"), (handler, record))
        .map(drop)
}

fn repr<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let (class, level) = class_and_level(&call.object, &call.object.getattr(intern!(py, "level"))?)?;
    let file = call.object.getattr(intern!(py, "baseFilename"))?;
    let shown = (class, file, level).into_pyobject(py)?;
    interpreter::percent_format(intern!(py, "<%s %s (%s)>"), shown.as_any())
}

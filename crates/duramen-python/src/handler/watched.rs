//! `WatchedFileHandler`: a file that somebody else may rename or remove.

use pyo3::exceptions::PyFileNotFoundError;
use pyo3::prelude::*;

use crate::classes::globals;
use crate::classes::native_method::{Call, Method};
use crate::handler::further_options::Asked;
use crate::handler::lineage::{FileArguments, text_encoding};
use crate::handler::{file, fsync};
use crate::interpreter::intern;

pub(crate) static METHODS: &[Method] = &[
    ("__init__", init),
    ("_statstream", remember_file),
    ("reopenIfNeeded", reopen_if_needed),
    ("emit", emit),
];

/// Where a `stat` result, seen as a tuple, has the inode and the device.
const ST_INO: usize = 1;
const ST_DEV: usize = 2;

fn init<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let handler = &call.object;
    let [path, mode, encoding, delay, errors] = std::array::from_fn(|index| call.argument(index));
    let asked = Asked::of(call)?;
    let fsync = fsync::asked(asked.as_ref())?;
    if let Some(asked) = &asked {
        asked.check_file(&mode, &encoding, &errors)?;
    }
    let encoding = text_encoding(&mode, &encoding)?;
    FileArguments { path, mode: mode.to_owned(), encoding, delay, errors }.init_file_handler(handler)?;
    fsync::begin(handler, fsync)?;
    handler.setattr(intern!(py, "dev"), -1)?;
    handler.setattr(intern!(py, "ino"), -1)?;
    handler.call_method0(intern!(py, "_statstream"))?;
    call.none()
}

fn os(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    globals::get(py, intern!(py, "os"))
}

/// Keeps the identity of the open file.
fn remember_file<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let handler = &call.object;
    let stream = handler.getattr(intern!(py, "stream"))?;
    let is_open = if globals::python_minor(py) >= 13 { !stream.is_none() } else { stream.is_truthy()? };
    if is_open {
        let descriptor = stream.call_method0(intern!(py, "fileno"))?;
        let status = os(py)?.call_method1(intern!(py, "fstat"), (descriptor,))?;
        handler.setattr(intern!(py, "dev"), status.get_item(ST_DEV)?)?;
        handler.setattr(intern!(py, "ino"), status.get_item(ST_INO)?)?;
    }
    call.none()
}

fn reopen_if_needed<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let handler = &call.object;
    let name = intern!(py, "stream");
    if !handler.getattr(name)?.is_none() && is_another_file(handler)? {
        let stream = handler.getattr(name)?;
        stream.call_method0(intern!(py, "flush"))?;
        fsync::leave(handler)?;
        stream.call_method0(intern!(py, "close"))?;
        // First, since opening the file can fail.
        handler.setattr(name, py.None())?;
        handler.setattr(name, handler.call_method0(intern!(py, "_open"))?)?;
        handler.call_method0(intern!(py, "_statstream"))?;
    }
    call.none()
}

/// Whether the handler's path leads to another file than the open one, or to none.
fn is_another_file(handler: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = handler.py();
    let path = handler.getattr(intern!(py, "baseFilename"))?;
    match os(py)?.call_method1(intern!(py, "stat"), (path,)) {
        Ok(status) => Ok(status.get_item(ST_DEV)?.ne(handler.getattr(intern!(py, "dev"))?)?
            || status.get_item(ST_INO)?.ne(handler.getattr(intern!(py, "ino"))?)?),
        Err(error) if error.is_instance_of::<PyFileNotFoundError>(py) => Ok(true),
        Err(error) => Err(error),
    }
}

fn emit<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    call.object.call_method0(intern!(call.py(), "reopenIfNeeded"))?;
    file::emit_as_file_handler(&call.object, &call.argument(0))?;
    call.none()
}

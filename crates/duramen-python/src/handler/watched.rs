//! `WatchedFileHandler`: a file that somebody else may rename or remove.

use pyo3::intern;
use pyo3::prelude::*;

use crate::handler::file;
use crate::native_method::{Call, Method};

pub(crate) static METHODS: &[Method] = &[("emit", emit)];

fn emit<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    call.object.call_method0(intern!(call.py(), "reopenIfNeeded"))?;
    file::emit_as_file_handler(&call.object, &call.argument(0))?;
    call.none()
}

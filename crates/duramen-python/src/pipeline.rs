//! The native path: a record that stays a Rust value from the logging call to the stream.

use pyo3::prelude::*;
use pyo3::types::PyTuple;

/// Sends the record natively if everything that it meets is ours and untouched. `false`: nothing has
/// been done, and the Python way has to be taken.
pub(crate) fn emit_natively<'py>(
    _logger: &Bound<'py, PyAny>,
    _level: &Bound<'py, PyAny>,
    _message: &Bound<'py, PyAny>,
    _arguments: &Bound<'py, PyTuple>,
) -> PyResult<bool> {
    Ok(false)
}

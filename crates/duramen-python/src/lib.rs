//! The Python face of Duramen: the extension module `duramen._core`.

use pyo3::prelude::*;

/// The extension module `duramen._core`.
#[pymodule(gil_used = true)]
mod _core {}

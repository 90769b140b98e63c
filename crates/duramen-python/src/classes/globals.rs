//! The module globals of `logging`, which are part of its interface.
//!
//! They have one owner at a time: Duramen's own module dict, or the standard library's while Duramen is
//! installed. They are read from there each time, so that an assignment and a patch are seen at once.

use std::sync::OnceLock;

use pyo3::exceptions::PyNameError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::interpreter::{self, Attached, intern};

static OWNER: Attached<Option<Py<PyDict>>> = Attached::new(None);

/// Makes `namespace` the owner of the globals.
pub(crate) fn set_owner(namespace: &Bound<'_, PyDict>) {
    // SAFETY: attached; the previous one is dropped after the place has the new one, since that can run Python code.
    let previous = unsafe { (*OWNER.get()).replace(namespace.clone().unbind()) };
    drop(previous);
}

/// The owner's dict.
pub(crate) fn owner(py: Python<'_>) -> Bound<'_, PyDict> {
    // SAFETY: attached; the reference lives only for the clone.
    match unsafe { &*OWNER.get() } {
        Some(owner) => owner.bind(py).clone(),
        None => PyDict::new(py),
    }
}

/// The address of the owner's dict; null before there is one. The dict lives as long as it is the owner.
pub(crate) fn owner_pointer() -> *mut ffi::PyObject {
    // SAFETY: attached, as all callers are.
    unsafe { (*OWNER.get()).as_ref().map_or(std::ptr::null_mut(), Py::as_ptr) }
}

/// The global called `name`; `NameError` when it has been deleted.
pub(crate) fn get<'py>(py: Python<'py>, name: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyAny>> {
    owner(py).get_item(name)?.ok_or_else(|| PyNameError::new_err(format!("name '{name}' is not defined")))
}

/// The global called `name`, or else the built-in object.
pub(crate) fn get_builtin<'py>(py: Python<'py>, name: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyAny>> {
    match owner(py).get_item(name)? {
        Some(value) => Ok(value),
        None => py.import(intern!(py, "builtins"))?.getattr(name),
    }
}

/// Whether the global called `name` is true.
pub(crate) fn is_true<'py>(py: Python<'py>, name: &Bound<'py, PyString>) -> PyResult<bool> {
    get(py, name)?.is_truthy()
}

/// Whether `function` is the one that the code of a module with these globals defines under `name`.
pub(crate) fn is_function_of(
    function: &Bound<'_, PyAny>,
    name: &str,
    globals: &Bound<'_, PyDict>,
) -> PyResult<bool> {
    let defined_by = function.getattr_opt("__globals__")?;
    let called = function.getattr_opt("__name__")?;
    Ok(defined_by.is_some_and(|found| found.is(globals))
        && called.map_or(Ok(false), |found| found.eq(name))?)
}

/// Whether `object` is an instance of the present `LogRecord` class.
pub(crate) fn is_log_record(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    object.is_instance(&get(object.py(), intern!(object.py(), "LogRecord"))?)
}

/// The minor version of the running interpreter: 13 for CPython 3.13.
pub(crate) fn python_minor(py: Python<'_>) -> u8 {
    static MINOR: OnceLock<u8> = OnceLock::new();
    *MINOR.get_or_init(|| py.version_info().minor)
}

/// Runs `body` while the lock of the module is held, which guards the tree and the list of handlers.
///
/// Up to CPython 3.12 the module's functions take it, from 3.13 on it is taken directly.
pub(crate) fn locked<T>(py: Python<'_>, body: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
    if python_minor(py) >= 13 {
        return interpreter::with(&get(py, intern!(py, "_lock"))?, body);
    }
    get(py, intern!(py, "_acquireLock"))?.call0()?;
    let result = body();
    get(py, intern!(py, "_releaseLock"))?.call0()?;
    result
}

//! The fields that `duramen.context` has bound: part of every record, behind the `extra` of the call.

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::classes;
use crate::interpreter::{Attached, intern};
use crate::record::trace_ids;

/// The context variable that holds the fields, once the program has imported `duramen.context`.
static VARIABLE: Attached<Option<Py<PyAny>>> = Attached::new(None);

/// From now on records have the fields that `variable` holds: an exact dict, never changed once it is bound, none
/// of whose names is that of a record's own attribute.
#[pyfunction]
pub(crate) fn set_context_variable(variable: Py<PyAny>) {
    // SAFETY: attached; the previous value is dropped after the place has the new one.
    let previous = unsafe { (*VARIABLE.get()).replace(variable) };
    drop(previous);
}

/// `extra` with the fields that are bound in the running task or thread, and the identifiers of its span.
///
/// Of fields with the same name, those of `extra` stay, then those that are bound.
pub(crate) fn with_bound<'py>(
    py: Python<'py>,
    extra: Option<Bound<'py, PyDict>>,
) -> PyResult<Option<Bound<'py, PyDict>>> {
    // SAFETY: attached; the reference lives only for the clone.
    let Some(variable) = (unsafe { (*VARIABLE.get()).as_ref().map(|variable| variable.bind(py).clone()) })
    else {
        return Ok(extra);
    };
    let mut fields = extra;
    let bound = value_of(&variable)?.filter(|bound| !bound.is_empty());
    for more in [bound, trace_ids::current(py)?].into_iter().flatten() {
        fields = Some(match fields {
            None => more,
            Some(fields) => joined(&fields, &more)?,
        });
    }
    Ok(fields)
}

/// The fields that are bound and those of the span, if it is known without asking whether there is one.
pub(crate) fn bound_plainly(py: Python<'_>) -> Option<[Option<Bound<'_, PyDict>>; 2]> {
    // SAFETY: attached; what is there is never taken away but by `set_context_variable`, which nobody calls meanwhile.
    let Some(variable) = (unsafe { (*VARIABLE.get()).as_ref() }) else { return Some([None, None]) };
    let span = trace_ids::current_plainly(py)?;
    let bound = value_of(variable.bind(py)).ok()?;
    Some([bound.filter(|bound| !bound.is_empty()), span])
}

fn value_of<'py>(variable: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyDict>>> {
    let py = variable.py();
    let mut value = std::ptr::null_mut();
    // SAFETY: a live context variable; the value is a new reference, or null when it has none.
    let value = unsafe {
        if ffi::PyContextVar_Get(variable.as_ptr(), std::ptr::null_mut(), &raw mut value) < 0 {
            return Err(PyErr::fetch(py));
        }
        Bound::from_owned_ptr_or_opt(py, value)
    };
    Ok(value.and_then(|value| value.cast_into_exact().ok()))
}

/// A new dict with `first`, then what of `second` has another name.
fn joined<'py>(first: &Bound<'py, PyDict>, second: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyDict>> {
    let fields = first.copy()?;
    for (name, value) in second.iter() {
        if !fields.contains(&name)? {
            fields.set_item(name, value)?;
        }
    }
    Ok(fields)
}

/// Sets the fields on a record that a factory has made, where it has no attribute of that name.
pub(crate) fn put_on(record: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = record.py();
    let Some(fields) = with_bound(py, None)? else { return Ok(()) };
    let Some(attributes) = record.getattr_opt(intern!(py, "__dict__"))? else { return Ok(()) };
    for (name, value) in fields.iter() {
        if attributes.contains(&name)? {
            continue;
        }
        // A record of another class may refuse attributes: that is no error of the application's.
        match attributes.set_item(&name, value) {
            Err(error) if classes::is_ordinary(py, &error) => {}
            result => result?,
        }
    }
    Ok(())
}

//! The three styles of layout: `%`, `{` and `$`.

use pyo3::exceptions::{PyKeyError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::classes::native_method::{Call, Method};
use crate::interpreter::intern;
use crate::{interpreter, record};

pub(crate) static PERCENT_METHODS: &[Method] =
    &[("__init__", init), ("usesTime", uses_time), ("_format", format_percent), ("format", format)];

pub(crate) static BRACE_METHODS: &[Method] = &[("_format", format_brace)];

pub(crate) static DOLLAR_METHODS: &[Method] =
    &[("usesTime", uses_time_of_dollar), ("_format", format_dollar)];

fn init<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let layout = call.argument(0);
    let layout = if layout.is_truthy()? {
        layout.to_owned()
    } else {
        call.object.getattr(intern!(py, "default_format"))?
    };
    call.object.setattr(intern!(py, "_fmt"), layout)?;
    call.object.setattr(intern!(py, "_defaults"), call.argument(1))?;
    call.none()
}

fn uses_time<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    truth(call.py(), has_in_layout(call, &call.object.getattr(intern!(call.py(), "asctime_search"))?)?)
}

/// A template names a field with braces or without.
fn uses_time_of_dollar<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    if has_in_layout(call, intern!(py, "$asctime"))? { truth(py, true) } else { uses_time(call) }
}

fn has_in_layout<'py>(call: &Call<'_, 'py>, sought: &Bound<'py, PyAny>) -> PyResult<bool> {
    let py = call.py();
    let position = call.object.getattr(intern!(py, "_fmt"))?.call_method1(intern!(py, "find"), (sought,))?;
    position.ge(0)
}

fn truth(py: Python<'_>, value: bool) -> PyResult<Bound<'_, PyAny>> {
    Ok(value.into_pyobject(py)?.to_owned().into_any())
}

/// The record's fields over the style's defaults.
fn values<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let fields = call.argument(0).getattr(intern!(py, "__dict__"))?;
    let defaults = call.object.getattr(intern!(py, "_defaults"))?;
    if defaults.is_truthy()? { defaults.bitor(fields) } else { Ok(fields) }
}

fn format_percent<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let values = values(call)?;
    let layout = call.object.getattr(intern!(call.py(), "_fmt"))?;
    match layout.cast::<PyString>() {
        Ok(text) => record::merge(text, &values),
        Err(_) => layout.rem(values),
    }
}

fn format_brace<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let values = values(call)?.cast_into::<PyDict>()?;
    call.object.getattr(intern!(py, "_fmt"))?.getattr(intern!(py, "format"))?.call((), Some(&values))
}

fn format_dollar<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let values = values(call)?.cast_into::<PyDict>()?;
    call.object.getattr(intern!(py, "_tpl"))?.getattr(intern!(py, "substitute"))?.call((), Some(&values))
}

fn format<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    call.object.call_method1(intern!(py, "_format"), (call.argument(0),)).map_err(|error| {
        if !error.is_instance_of::<PyKeyError>(py) {
            return error;
        }
        // As `raise` inside `except` would leave it.
        let error = interpreter::with_calling_frame(py, error);
        let missing = error.value(py);
        let text = intern!(py, "Formatting field not found in record: %s");
        match interpreter::percent_format(text, missing.as_any()) {
            Ok(text) => {
                let replacement = PyValueError::new_err((text.unbind(),));
                let _ = replacement.value(py).setattr(intern!(py, "__context__"), missing);
                replacement
            }
            Err(error) => error,
        }
    })
}
